//! What holds with a transformer in it.
#![cfg(feature = "model-swift")]

use std::io::Cursor;

use proptest::prelude::*;
use vatic::{DecodeOptions, Error, Mode, Model, Options};
use vatic_transformer::{Config, ModelFile};

const STORY: &[u8] = include_bytes!("../../../fixtures/story.txt");
const CHINESE: &[u8] = include_bytes!("../../../fixtures/chinese.txt");

fn tokens() -> Options {
    Options::new().mode(Mode::Tokens)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_content_comes_back(
        start in 0..4000usize, length in 0..1500usize, noise in proptest::collection::vec(any::<u8>(), 0..200),
        log2 in 0..=7u8,
    ) {
        let content = [&STORY[start..start + length], &noise[..], &CHINESE[..length / 2]].concat();
        let packed = vatic::compress(&content, &tokens().streams_log2(Some(log2))).unwrap();
        prop_assert!(packed.len() <= content.len() + vatic::MAX_OVERHEAD);
        prop_assert_eq!(vatic::decompress(&packed).unwrap(), content.clone());
        let message = vatic::message::compress(&content, &Options::new()).unwrap();
        prop_assert!(message.len() <= content.len() + 1);
        prop_assert_eq!(vatic::message::decompress(&message, &Options::new(), content.len()).unwrap(), content);
    }
}

#[test]
fn quick_means_more_streams() {
    let content = &STORY[..STORY.len().min(5000)];
    let streams = |quick| {
        let mut packed = Vec::new();
        let options = tokens().quick(quick);
        let stats = vatic::copy_compress(content, &mut packed, &options).unwrap();
        assert_eq!(vatic::decompress(&packed).unwrap(), content);
        stats.frames[0].streams
    };
    assert_eq!(streams(false), 1);
    assert!(streams(true) > 1);
}

#[test]
fn threads_change_nothing() {
    let content = &STORY[..STORY.len().min(5000)];
    for log2 in [0, 3, 5] {
        let options = tokens().streams_log2(Some(log2));
        let packed = vatic::compress(content, &options.clone().threads(1)).unwrap();
        for threads in [2, 3, 8] {
            assert_eq!(
                vatic::compress(content, &options.clone().threads(threads)).unwrap(),
                packed
            );
            let decode = DecodeOptions::new().threads(threads);
            assert_eq!(vatic::decompress_with(&packed, &decode).unwrap(), content);
        }
        assert_eq!(
            vatic::decompress_with(&packed, &DecodeOptions::new().threads(1)).unwrap(),
            content
        );
    }
}

#[test]
fn every_cut_and_flipped_byte_is_noticed() {
    let content = &STORY[..150];
    let packed = vatic::compress(content, &tokens()).unwrap();
    for cut in 0..packed.len() {
        assert!(vatic::decompress(&packed[..cut]).is_err());
    }
    for at in 0..packed.len() {
        for flip in [0x01, 0x10, 0x80, 0xFF] {
            let mut damaged = packed.clone();
            damaged[at] ^= flip;
            let decoded =
                vatic::decompress_with(&damaged, &DecodeOptions::new().max_memory(1 << 28));
            assert!(
                decoded.is_err() || decoded.unwrap() == content,
                "byte {at} ^ {flip:02x}"
            );
        }
    }
}

#[test]
fn a_missing_model_is_named() {
    let mut packed = vatic::compress(&STORY[..500], &tokens()).unwrap();
    // Magic 4, descriptor 1, lengths 3, then the model's byte.
    packed[8] ^= 0xFF;
    let error = vatic::decompress(&packed).unwrap_err();
    assert!(matches!(error, Error::UnknownModel { .. }));
    let swift = Model::swift();
    assert!(
        error.to_string().contains(&swift.id().to_string()),
        "{error}"
    );
    assert!(
        error.to_string().contains(&format!("{:02x}…", packed[8])),
        "{error}"
    );
    // Listing needs no model.
    assert!(
        vatic::info::list(Cursor::new(&packed)).unwrap().frames[0]
            .model
            .is_some()
    );
}

#[test]
fn overhead_is_what_the_specification_says() {
    let packed = vatic::compress(&STORY[..2000], &tokens()).unwrap();
    let info = vatic::info::list(Cursor::new(&packed)).unwrap();
    assert_eq!(packed.len() as u64 - info.frames[0].payload_bytes, 13);
}

#[test]
fn text_is_coded_as_tokens_and_tables_of_zeros_are_not() {
    let mode = |content: &[u8]| {
        let packed = vatic::compress(content, &Options::new().window(0)).unwrap();
        vatic::info::list(Cursor::new(packed)).unwrap().frames[0].mode
    };
    assert_eq!(mode(&STORY[..3000]), Mode::Tokens);
    assert_eq!(mode(&STORY.repeat(40_000 / STORY.len() + 1)), Mode::Tokens);
    // The gain does not pay for its time where it is asked to be elevenfold.
    let content = STORY.repeat(40_000 / STORY.len() + 1);
    let dear = Options::new().window(0).least_gain(1000);
    let packed = vatic::compress(&content, &dear).unwrap();
    let frame = &vatic::info::list(Cursor::new(packed)).unwrap().frames[0];
    assert_eq!(frame.mode, Mode::Bytes);
    let table: Vec<u8> = (0..3000u32)
        .flat_map(|i| [(i * i % 7) as u8, 0, 0, (i % 5) as u8])
        .collect();
    assert_eq!(mode(&table), Mode::Bytes);
}

#[test]
fn a_model_file_is_known_by_its_content() {
    let swift = Model::swift();
    let file = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../models/swift/model.safetensors"
    ))
    .unwrap();
    let same = Model::from_bytes(&file).unwrap();
    assert!(same.is_shipped());
    assert_eq!(
        (same.id(), same.name(), same.file_bytes()),
        (swift.id(), swift.name(), file.len() as u64)
    );
    assert!(matches!(
        Model::from_bytes(&file[..1000]),
        Err(Error::Model(_))
    ));
}

/// A small model; those of different numbers differ in nothing but the name.
fn toy(number: u32) -> Vec<u8> {
    let config = Config {
        name: format!("toy {number}"),
        vocab: 272,
        groups: 272,
        width: 16,
        layers: 1,
        heads: 1,
        kv_heads: 1,
        hidden: 48,
        windows: vec![37],
        rope_dims: 32,
        rope_period: 64,
        ..Config::default()
    };
    ModelFile::random(&config, 1).to_bytes().unwrap()
}

/// Data names shipped models by one byte, which others may share.
#[test]
fn a_model_that_begins_like_a_shipped_one_is_not_taken_for_it() {
    let swift = Model::swift();
    let alike = |file: &Vec<u8>| blake3::hash(file).as_bytes()[0] == swift.id().0[0];
    let other = (0..).map(toy).find(alike).unwrap();
    let other = Model::from_bytes(&other).unwrap();
    assert!(!other.is_shipped());
    let text = b"It was the best of times, it was the worst of times.";
    let packed = vatic::compress(text, &Options::new().model(Some(swift.clone()))).unwrap();
    let options = DecodeOptions::new().model(other.clone());
    assert_eq!(vatic::decompress_with(&packed, &options).unwrap(), text);
    let both = Options::new().models([other, swift]).verify(true);
    assert!(vatic::compress(text, &both).is_ok());
}

/// What many streams look back on is allocated by their number alone, however short the content is.
#[test]
fn the_past_of_streams_counts_as_memory() {
    let options = Options::new()
        .model(Some(Model::swift()))
        .mode(Mode::Tokens)
        .memory_log2(16)
        .streams_log2(Some(7));
    let packed = vatic::compress(b"A short text for many streams.", &options).unwrap();
    let with = |most| vatic::decompress_with(&packed, &DecodeOptions::new().max_memory(most));
    let Err(Error::TooLarge { needs, allowed }) = with(1 << 20) else {
        panic!("it takes more");
    };
    assert!(needs > 10 << 20 && allowed == 1 << 20, "{needs} {allowed}");
    assert!(with(needs - 1).is_err() && with(needs).is_ok());
}
