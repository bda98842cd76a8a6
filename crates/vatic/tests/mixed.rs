//! Frames of stretches of different kinds: archives of texts and of what is compressed already.

use std::io::{Cursor, Write};

mod common;
#[path = "common/hills.rs"]
mod hills;
#[path = "common/memory.rs"]
mod memory;
#[path = "common/photo.rs"]
mod photo;

use common::noise;
use memory::decodes_within;
use proptest::prelude::*;
use vatic::{DecodeOptions, Error, Mode, Options};

const BLOCK: usize = 1 << 12;

/// Nothing is copied, however often it occurs.
fn plain() -> Options {
    Options::new().model(None).memory_log2(18).window(0)
}

fn text(n: usize) -> Vec<u8> {
    let story = include_bytes!("../../../fixtures/story.txt");
    story.iter().copied().cycle().take(n).collect()
}

fn wave(n: usize) -> Vec<u8> {
    let wave = include_bytes!("../../../fixtures/wave.bin");
    wave.iter().copied().cycle().take(n).collect()
}

/// What JPEG makes of hills.
fn photo(width: usize, height: usize) -> Vec<u8> {
    let photo = photo::Photo {
        width,
        height,
        factors: vec![[2, 2], [1, 1], [1, 1]],
        step: 2,
        restart: 0,
        apart: false,
    };
    let noise = noise(width * height * 3, 6).into_iter();
    let pixels: Vec<u8> = hills::picture(common::noise(1 << 14, 5), noise, width, 3).collect();
    photo.jpeg(&pixels, &[])
}

fn mode_of(packed: &[u8]) -> Mode {
    let info = vatic::info::list(Cursor::new(packed)).unwrap();
    assert_eq!(info.frames.len(), 1);
    info.frames[0].mode
}

/// What comes out of a pipe, whether all is well or not.
fn at_once(packed: &[u8], threads: usize) -> (Vec<u8>, vatic::Result<()>) {
    let options = DecodeOptions::new().threads(threads).at_once(true);
    let mut out = Vec::new();
    let done = vatic::copy_decompress(packed, &mut out, &options);
    (out, done.map(|_| ()))
}

#[test]
fn pictures_among_others_become_smaller() {
    let photo = photo(320, 240);
    let alone = vatic::compress(&photo, &plain()).unwrap();
    assert_eq!(mode_of(&alone), Mode::Bytes);
    assert!(
        alone.len() * 5 < photo.len() * 4,
        "{} of {}",
        alone.len(),
        photo.len()
    );
    let (wave, noise) = (wave(1 << 19), noise(80_000, 1));
    let around = [&text(90_000)[..], &wave, &noise, &text(400_000)].concat();
    let content = [&around[..200_000], &photo, &around[200_000..]].concat();
    let size = |content: &[u8]| {
        let packed = vatic::compress(content, &plain().verify(true)).unwrap();
        assert_eq!(mode_of(&packed), Mode::Mixed);
        packed.len()
    };
    let more = size(&content) - size(&around);
    assert!(more < alone.len() + 200, "{more}, alone {}", alone.len());
    // A letter with a picture is no archive, and is not so large either.
    let letter = [&text(8000)[..], &photo[..]].concat();
    let parts = vatic::compress(&text(8000), &plain()).unwrap().len() + alone.len();
    assert!(size(&letter) < parts + 100);
}

#[test]
fn noise_among_text_is_stored_and_the_text_goes_on_after_it() {
    let content = [
        text(15_000),
        noise(80_000, 1),
        text(22_000),
        noise(70_000, 2),
    ]
    .concat();
    let packed = vatic::compress(&content, &plain().verify(true)).unwrap();
    assert_eq!(mode_of(&packed), Mode::Mixed);
    let noisy = 150_000 / BLOCK * BLOCK;
    let one_text = vatic::compress(&text(22_000), &plain()).unwrap().len();
    assert!(
        packed.len() < noisy + one_text + 5 * BLOCK,
        "{}",
        packed.len()
    );
    let by_bytes = vatic::compress(&content, &plain().mode(Mode::Bytes)).unwrap();
    assert!(packed.len() < by_bytes.len());
    assert!(vatic::decompress(&packed).unwrap() == content);
    assert!(at_once(&packed, 2).0 == content);
    let mut decoder = vatic::write::Decoder::new(Vec::new());
    packed
        .chunks(1000)
        .for_each(|part| decoder.write_all(part).unwrap());
    assert!(decoder.finish().unwrap() == content);
    let mut part = Vec::new();
    let range = 14_000..96_000;
    vatic::decompress_range(
        Cursor::new(&packed),
        range,
        &mut part,
        &DecodeOptions::new(),
    )
    .unwrap();
    assert!(part == content[14_000..96_000]);
}

#[test]
fn what_has_one_kind_or_occurs_twice_is_not_mixed() {
    let twice = noise(70_000, 1);
    for content in [
        text(200_000),
        [text(50_000), noise(20_000, 1), text(50_000)].concat(),
        [&twice[..], &text(20_000), &twice].concat(),
        noise(200_000, 5),
        // Every second byte is foretold by the one before, though all are equally frequent.
        [
            text(100_000),
            noise(50_000, 1)
                .into_iter()
                .flat_map(|byte| [byte, !byte])
                .collect(),
        ]
        .concat(),
    ] {
        let packed = vatic::compress(&content, &plain()).unwrap();
        assert_ne!(mode_of(&packed), Mode::Mixed);
    }
}

#[test]
fn decoding_needs_no_more_memory_than_is_allowed() {
    let content = [text(100_000), noise(100_000, 1)].concat();
    let packed = vatic::compress(&content, &plain()).unwrap();
    assert_eq!(mode_of(&packed), Mode::Mixed);
    // Content, payload, parts and tokens; and the tables of the part of text.
    decodes_within(
        &packed,
        &content,
        &[
            (4 * 200_000 - 1, false),
            (4 * 200_000, false),
            (2 << 20, true),
        ],
    );
}

#[test]
fn a_list_of_stretches_that_cannot_be_is_refused() {
    // A header of 6,000 bytes of content in 5,000 of payload, and a payload that begins so.
    let refused = |numbers: &[u8]| {
        let mut data = vatic::MAGIC.to_vec();
        data.push(3 | 2 << 2 | 1 << 5);
        for field in [6000u32, 5000, 0] {
            data.extend(field.to_le_bytes());
        }
        data.extend(numbers);
        data.resize(vatic::MAGIC.len() + 13 + 5000, 4);
        matches!(vatic::decompress(&data), Err(Error::Corrupt { .. }))
    };
    // 7 stretches; 5,000 of one byte each; a number without an end; a part 3; a stretch of nothing; more than there is.
    assert!(refused(&[7]) && refused(&[0x88, 0x27]) && refused(&[0xff; 6]));
    assert!(refused(&[1, 7]) && refused(&[1, 0]) && refused(&[1, 0xff, 0xff, 0x7f]));
}

#[cfg(feature = "model-swift")]
#[test]
fn text_is_foretold_by_the_transformer_and_the_rest_is_not() {
    let options = Options::new().model(Some(vatic::Model::swift()));
    let content = [
        text(10_000),
        noise(70_000, 1),
        text(22_000)[10_000..].to_vec(),
    ]
    .concat();
    let mut packed = Vec::new();
    let stats = vatic::copy_compress(&content[..], &mut packed, &options).unwrap();
    assert_eq!(mode_of(&packed), Mode::Mixed);
    let frame = &stats.frames[0];
    assert_eq!(frame.model.as_deref(), Some("swift"));
    assert!(
        frame.tokens > 4000 && frame.tokens < 22_000,
        "{}",
        frame.tokens
    );
    let whole = vatic::compress(&text(22_000), &options).unwrap();
    assert!(packed.len() < 70_000 + whole.len() + BLOCK);
    for threads in [1, 2] {
        let options = DecodeOptions::new().threads(threads);
        assert!(vatic::decompress_with(&packed, &options).unwrap() == content);
        assert!(at_once(&packed, threads).0 == content);
    }
}

/// Stretches of all kinds, not always whole blocks.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let stretch = (0..3u8, 1..4usize, 0..100usize, any::<u64>());
    let stretch = stretch.prop_map(|(kind, blocks, more, seed)| match (kind, blocks * BLOCK) {
        (0, n) => noise(n + more, seed),
        (1, n) => text(n + more),
        (_, n) => wave(n + more),
    });
    proptest::collection::vec(stretch, 0..6).prop_map(|stretches| stretches.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_mixture_comes_back(content in content(), cut in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>()) {
        let packed = vatic::compress(&content, &plain().mode(Mode::Mixed)).unwrap();
        prop_assert!(packed.len() <= content.len() + vatic::MAX_OVERHEAD);
        prop_assert!(vatic::decompress(&packed).unwrap() == content);
        // A part of it, or something else than it, is an error; what is given at once of a part is right.
        let part = &packed[..cut.index(packed.len())];
        prop_assert!(vatic::decompress(part).is_err());
        let (out, done) = at_once(part, 2);
        prop_assert!(done.is_err() && content.starts_with(&out));
        let mut damaged = packed.clone();
        damaged[flip.index(packed.len())] ^= 1 << flip.index(8);
        if let Ok(decoded) = vatic::decompress(&damaged) {
            prop_assert!(decoded == content);
        }
        let (out, _) = at_once(&damaged, 2);
        prop_assert!(out.len() <= 1 << 28);
    }
}
