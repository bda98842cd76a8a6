//! Many inputs at once: each result is what the input alone would have had.

#![cfg(feature = "model-swift")]

mod common;
#[path = "common/records.rs"]
mod records;

use common::noise;
use records::records;

use vatic::{
    DecodeOptions, Error, Mode, Model, Options, Prior, compress, compress_each, compress_many,
    decompress, decompress_each, decompress_many, decompress_with, message,
};

const STORY: &[u8] = include_bytes!("../../../fixtures/story.txt");
const LOG: &[u8] = include_bytes!("../../../fixtures/service.log");

fn swift() -> Options {
    Options::new().model(Some(Model::swift()))
}

/// Pieces of text, of very different lengths: more than are under way at once.
fn pieces() -> Vec<Vec<u8>> {
    let length = |n: usize| 1 + n * n * 2 % 700;
    let piece = |n: usize| {
        let text = [STORY, LOG][n % 2];
        text[n * 211..][..length(n)].to_vec()
    };
    (0..40).map(piece).collect()
}

/// Contents that are no pieces of text: nothing, noise, bytes without a transformer, more than is done beside others.
fn others() -> Vec<Vec<u8>> {
    let noise = (0..500u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8);
    vec![
        Vec::new(),
        vec![7],
        noise.collect(),
        b"0123456789".repeat(1000),
        vec![b'0'; 140_000],
    ]
}

#[test]
fn compressed_together_as_alone() {
    let inputs = [pieces(), others()].concat();
    for threads in [1, 3] {
        let options = swift().threads(threads);
        let together = compress_many(&inputs, &options);
        for (input, result) in inputs.iter().zip(together) {
            let (packed, stats) = result.unwrap();
            assert_eq!(packed, compress(input, &options).unwrap());
            assert_eq!(stats.content_bytes, input.len() as u64);
            assert_eq!(stats.coded_bytes, packed.len() as u64);
        }
    }
    assert!(compress_many::<&[u8]>(&[], &swift()).is_empty());
}

#[test]
fn decompressed_together_as_alone() {
    let contents = [pieces(), others()].concat();
    let pack = |content: &Vec<u8>| compress(content, &swift()).unwrap();
    let mut packed: Vec<Vec<u8>> = contents.iter().map(pack).collect();
    let mut expected = contents;
    // Several streams, other settings, several members, frames of several kinds in one member, others' data.
    let text = &STORY[..5_000];
    packed.push(compress(text, &swift().streams_log2(Some(2))).unwrap());
    packed.push(compress(text, &swift().streams_log2(Some(6))).unwrap());
    packed.push(compress(text, &swift().memory_log2(18)).unwrap());
    packed.push(compress(text, &swift().mode(Mode::Bytes)).unwrap());
    expected.extend(vec![text.to_vec(); 4]);
    packed.push(
        [
            &packed[3][..],
            &vatic::skippable(b"note").unwrap(),
            &packed[42],
            &packed[4],
        ]
        .concat(),
    );
    expected.push([&expected[3][..], &expected[42], &expected[4]].concat());
    for threads in [1, 2, 5] {
        let options = DecodeOptions::new().threads(threads);
        let results = decompress_many(&packed, &options);
        for ((result, expected), packed) in results.into_iter().zip(&expected).zip(&packed) {
            let (content, stats) = result.unwrap();
            assert!(content == *expected);
            assert_eq!(stats.content_bytes, expected.len() as u64);
            assert_eq!(stats.coded_bytes, packed.len() as u64);
            let frames: u64 = stats.frames.iter().map(|frame| frame.content_bytes).sum();
            assert_eq!(frames, stats.content_bytes);
        }
    }
}

#[test]
fn damage_stays_with_the_one_that_has_it() {
    let contents = pieces();
    let mut packed: Vec<Vec<u8>> = contents
        .iter()
        .map(|content| compress(content, &swift()).unwrap())
        .collect();
    let last = packed[20].len() - 1;
    packed[20][last] ^= 0x10;
    packed[21].pop();
    packed[22].push(0);
    packed[23].clear();
    packed[24][12] ^= 1;
    packed[25] = b"no vatic data".to_vec();
    let results = decompress_many(&packed, &DecodeOptions::new());
    for (n, (result, content)) in results.into_iter().zip(&contents).enumerate() {
        let alone = decompress(&packed[n]);
        assert_eq!(result.is_ok(), alone.is_ok(), "{n}");
        match result {
            Ok((decoded, _)) => assert!(!(20..=25).contains(&n) && decoded == *content, "{n}"),
            Err(error) => assert_eq!(error.to_string(), alone.unwrap_err().to_string(), "{n}"),
        }
    }
}

#[test]
fn limits_hold_for_each() {
    let packed: Vec<_> = pieces()
        .iter()
        .map(|piece| compress(piece, &swift()).unwrap())
        .collect();
    let options = DecodeOptions::new().max_memory(1 << 20);
    let mut too_large = 0;
    for (result, packed) in decompress_many(&packed, &options).into_iter().zip(&packed) {
        assert_eq!(
            result.is_ok(),
            decompress_with(packed, &options).is_ok(),
            "what is stored needs little"
        );
        too_large += usize::from(matches!(result, Err(Error::TooLarge { .. })));
    }
    assert!(too_large > 30);
}

#[test]
fn several_models_and_a_prior() {
    let prior = Prior::learn(&[&LOG[..3_000]], &swift()).unwrap();
    let with_prior = swift().prior(Some(prior.clone()));
    let contents = pieces();
    let settings = [swift(), with_prior, swift().quick(true)];
    let packed: Vec<_> = (contents.iter().zip(settings.iter().cycle()))
        .map(|(content, options)| compress(content, options).unwrap())
        .collect();
    let options = DecodeOptions::new().prior(prior);
    for (result, content) in decompress_many(&packed, &options)
        .into_iter()
        .zip(&contents)
    {
        assert!(result.unwrap().0 == *content);
    }
    // Without it, those that need it say so.
    for (n, result) in decompress_many(&packed, &DecodeOptions::new())
        .into_iter()
        .enumerate()
    {
        let alone = decompress_with(&packed[n], &DecodeOptions::new());
        assert_eq!(result.is_ok(), alone.is_ok(), "{n}");
        assert_eq!(
            matches!(result, Err(Error::UnknownPrior { .. })),
            alone.is_err()
        );
    }
}

#[test]
fn messages_together_as_alone() {
    let options = swift().threads(2);
    let contents = [pieces(), others()].concat();
    let mut packed: Vec<Vec<u8>> = contents
        .iter()
        .map(|content| message::compress(content, &options).unwrap())
        .collect();
    packed.push(vec![0x80]);
    let results = message::decompress_many(&packed, &options, 100_000);
    assert_eq!(results.len(), packed.len());
    for (result, packed) in results.into_iter().zip(&packed) {
        match (result, message::decompress(packed, &options, 100_000)) {
            (Ok(together), Ok(alone)) => assert!(together == alone),
            (Err(together), Err(alone)) => assert_eq!(together.to_string(), alone.to_string()),
            other => panic!("{other:?}"),
        }
    }
}

/// Inputs that take a thread each, two that take all of them, one that is no frame, and one of two frames.
fn of_all_sorts() -> Vec<Vec<u8>> {
    let table = |n: usize| records(noise(3_000 * n, n as u64), 24);
    vec![
        table(1),
        table(3),
        STORY[..3_000].to_vec(),
        Vec::new(),
        table(2),
        [table(12), table(11)].concat(),
        LOG[..2_000].to_vec(),
        table(4),
    ]
}

#[test]
fn one_after_the_other_as_alone() {
    let inputs = of_all_sorts();
    for threads in [1, 3] {
        let options = swift().frame_size(1 << 16).threads(threads);
        let mut packed = Vec::new();
        let done = compress_each(inputs.iter().map(Vec::as_slice), &options, |result| {
            let (bytes, stats) = result?;
            assert_eq!(stats.coded_bytes, bytes.len() as u64);
            packed.push(bytes);
            Ok::<_, Error>(())
        });
        assert!(done.is_ok());
        let alone = inputs
            .iter()
            .map(|input| compress(input, &options).unwrap());
        assert!(packed.iter().cloned().eq(alone));

        let decode = DecodeOptions::new().threads(threads);
        let mut contents = Vec::new();
        let done = decompress_each(packed.clone(), &decode, |result| {
            let (content, stats) = result?;
            assert_eq!(stats.content_bytes, content.len() as u64);
            contents.push(content);
            Ok::<_, Error>(())
        });
        assert!(done.is_ok() && contents == inputs);
    }
}

#[test]
fn one_after_the_other_until_it_is_ended() {
    let mut packed: Vec<Vec<u8>> = of_all_sorts()
        .iter()
        .map(|input| compress(input, &swift()).unwrap())
        .collect();
    let last = packed[1].len() - 9;
    packed[1][last] ^= 0x10;
    packed[4] = b"no vatic data".to_vec();
    for threads in [1, 3] {
        let decode = DecodeOptions::new().threads(threads);
        let (mut asked, mut told) = (0, Vec::new());
        let inputs = packed.iter().inspect(|_| asked += 1).cloned();
        let ended = decompress_each(inputs, &decode, |result| {
            told.push(result.is_ok());
            match result {
                Err(Error::NotVatic) => Err("ended"),
                _ => Ok(()),
            }
        });
        assert_eq!(ended, Err("ended"));
        assert_eq!(told, [true, false, true, true, false]);
        assert!((5..=7).contains(&asked), "{asked}");
    }
}

#[test]
fn settings_that_cannot_be_are_told_for_each() {
    let options = swift().frame_size(7);
    let mut errors = 0;
    let done = compress_each([&b"a"[..], b"b"], &options, |result| {
        errors += usize::from(matches!(result, Err(Error::Setting { .. })));
        Ok::<_, Error>(())
    });
    assert!(done.is_ok() && errors == 2);
}
