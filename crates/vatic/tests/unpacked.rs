//! Frames of what deflate has compressed: taken apart, coded, and made again bit for bit.

use std::io::{Cursor, Read, Write};
use std::sync::{Arc, Mutex};

#[path = "common/base64.rs"]
mod base64;
mod common;
#[path = "common/memory.rs"]
mod memory;

use common::noise;
use memory::decodes_within;
use vatic::{DecodeOptions, Error, Mode, Options, Prior};

const GZIP: &[u8] = include_bytes!("../../vatic-unpack/tests/data/story.gz");
const ZIP: &[u8] = include_bytes!("../../vatic-unpack/tests/data/notes.zip");
const PNG: &[u8] = include_bytes!("../../vatic-unpack/tests/data/hills.png");

const PROGRESSIVE: &[u8] = include_bytes!("../../vatic-unpack/tests/data/hills.jpg");

/// Nothing is copied, however often it occurs.
fn plain() -> Options {
    Options::new().model(None).memory_log2(18).window(0)
}

fn text(n: usize) -> Vec<u8> {
    let story = include_bytes!("../../../fixtures/story.txt");
    story.iter().copied().cycle().take(n).collect()
}

/// A gzip stream of text and of an archive with text, with a picture, and with an archive.
const INSIDE: &[u8] = include_bytes!("../../vatic-unpack/tests/data/inside.gz");

/// A zlib stream of another encoder's than zlib.
fn stream(content: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(content, 6)
}

fn modes_of(packed: &[u8]) -> Vec<Mode> {
    let info = vatic::info::list(Cursor::new(packed)).unwrap();
    info.frames.iter().map(|frame| frame.mode).collect()
}

/// Compresses to one unpacked frame, after it was made sure that it comes back in every way there is.
fn packed(content: &[u8], options: &Options) -> Vec<u8> {
    let packed = vatic::compress(content, &options.clone().verify(true)).unwrap();
    assert_eq!(modes_of(&packed), [Mode::Unpacked]);
    for threads in [1, 3] {
        let again = vatic::compress(content, &options.clone().threads(threads)).unwrap();
        assert!(again == packed, "{threads} threads");
        for at_once in [false, true] {
            let options = DecodeOptions::new().threads(threads).at_once(at_once);
            assert!(vatic::decompress_with(&packed, &options).unwrap() == content);
            let mut out = Vec::new();
            vatic::copy_decompress(&packed[..], &mut out, &options).unwrap();
            assert!(out == content);
            let range = content.len() as u64 / 3..content.len() as u64 / 2;
            let mut part = Vec::new();
            vatic::decompress_range(Cursor::new(&packed), range.clone(), &mut part, &options)
                .unwrap();
            assert!(part == content[range.start as usize..range.end as usize]);
        }
    }
    let mut decoder = vatic::write::Decoder::new(Vec::new());
    packed
        .chunks(100)
        .for_each(|part| decoder.write_all(part).unwrap());
    assert!(decoder.finish().unwrap() == content);
    let mut out = Vec::new();
    vatic::read::Decoder::new(&packed[..])
        .read_to_end(&mut out)
        .unwrap();
    assert!(out == content);
    packed
}

#[test]
fn files_of_other_programs_become_smaller() {
    for (content, percent) in [(GZIP, 88), (ZIP, 80), (PNG, 60), (PROGRESSIVE, 75)] {
        let packed = packed(content, &plain());
        assert!(
            packed.len() * 100 < content.len() * percent,
            "{} of {}",
            packed.len(),
            content.len()
        );
        let left = vatic::compress(content, &plain().unpack(false)).unwrap();
        assert_ne!(modes_of(&left), [Mode::Unpacked]);
        assert!(left.len() * 10 > content.len() * 8);
    }
}

#[test]
fn what_is_inside_is_coded_as_if_it_were_given_as_it_is() {
    // A stream of text and noise, which go into parts of a mixed frame within the unpacked one.
    let inside = [text(90_000), noise(90_000, 1), text(30_000)].concat();
    let content = [&noise(1000, 7)[..], &stream(&inside), b"the end"].concat();
    let packed = packed(&content, &plain());
    let alone = vatic::compress(&inside, &plain()).unwrap();
    assert_eq!(modes_of(&alone), [Mode::Mixed]);
    assert!(packed.len() < alone.len() + 1000 + content.len() / 20);
}

#[test]
fn streams_in_streams_are_taken_apart_too() {
    let packed = packed(INSIDE, &plain());
    let apart = |data: &[u8]| vatic_unpack::unpack(data, 1 << 20).unwrap().content;
    let once = apart(INSIDE);
    let twice = apart(&once);
    let thrice = apart(&twice);
    assert!(once.len() < twice.len() && twice.len() < thrice.len());
    let alone = vatic::compress(&thrice, &plain().unpack(false)).unwrap();
    assert!(
        packed.len() < alone.len() + 250,
        "{} and {}",
        packed.len(),
        alone.len()
    );
    let only_once = vatic::compress(&once, &plain().unpack(false)).unwrap();
    assert!(packed.len() * 10 < only_once.len() * 9);
    // Deeper than frames may be.
    let deep = (0..7).fold(text(4000), |content, n| {
        let beside = &text(20_000)[n * 2000..][..2000];
        stream(&[beside, &content].concat())
    });
    let packed = self::packed(&deep, &plain());
    assert!(packed.len() < deep.len());
}

#[cfg(feature = "model-swift")]
#[test]
fn the_headers_tell_what_is_inside() {
    let swift = vatic::Model::swift();
    let options = Options::new().model(Some(swift.clone()));
    let info = vatic::info::list(Cursor::new(packed(GZIP, &options))).unwrap();
    let frame = &info.frames[0];
    assert!(frame.model.is_some_and(|name| name.names(&swift.id())));
    assert_eq!(frame.content_bytes, GZIP.len() as u64);
    let info = vatic::info::list(Cursor::new(packed(INSIDE, &options))).unwrap();
    assert!(
        info.frames[0]
            .model
            .is_some_and(|name| name.names(&swift.id()))
    );
    let bytes = packed(PNG, &plain().thorough(true));
    let info = vatic::info::list(Cursor::new(bytes)).unwrap();
    assert_eq!(
        (info.frames[0].model, info.frames[0].memory_log2),
        (None, Some(18))
    );
}

/// A letter with something in Base64.
fn letter(attached: &[u8]) -> Vec<u8> {
    let lines = base64::lines(attached, 76, "\r\n");
    let letter = [&text(900)[..], b"\r\n\r\n", lines.as_bytes(), b"\r\n--\r\n"];
    letter.concat()
}

#[test]
fn what_a_letter_has_in_base64_is_taken_apart() {
    // An archive, which is taken apart again.
    let content = letter(ZIP);
    let packed = packed(&content, &plain());
    let [alone, left] = [(ZIP, true), (&content, false)].map(|(content, unpack)| {
        let options = plain().unpack(unpack);
        vatic::compress(content, &options).unwrap().len()
    });
    assert!(packed.len() < alone + 600 && packed.len() * 4 < left * 3);
}

#[test]
fn what_is_smaller_as_it_is_stays() {
    // The same characters twice, of which the second ones are noise: taken apart, the first ones look otherwise.
    let key = base64::lines(&[&b"PK\x03\x04"[..], &noise(600, 1)].concat(), 0, "");
    let content = [key.as_bytes(), b"\nA", key.as_bytes(), b"\n", &text(500)].concat();
    let size = |options: &Options| vatic::compress(&content, options).unwrap().len();
    let left = size(&plain().unpack(false));
    assert!(size(&plain()) <= left && left < size(&plain().mode(Mode::Unpacked)));
}

#[test]
fn little_that_was_compressed_is_left_as_it_is() {
    let content = [&text(300_000)[..], GZIP].concat();
    let packed = vatic::compress(&content, &plain()).unwrap();
    assert_ne!(modes_of(&packed), [Mode::Unpacked]);
}

#[test]
fn frames_do_not_grow_beyond_what_they_may_have() {
    // Of 40 MB of zeros as many blocks as there is room for; the others stay compressed.
    let zeros = stream(&vec![0; 44 << 20]);
    let packed = vatic::compress(&zeros, &plain()).unwrap();
    assert!(packed.len() <= zeros.len() + vatic::MAX_OVERHEAD);
    assert!(vatic::decompress(&packed).unwrap() == zeros);
    // Streams whose content does not fit into a frame together, or at all, and that reach over the ends of frames.
    let small = plain().frame_size(1 << 16);
    for (length, count) in [(30_000, 9), (50_000, 9), (200_000, 3), (900_000, 2)] {
        let content = stream(&text(length)).repeat(count);
        let packed = vatic::compress(&content, &small).unwrap();
        assert!(vatic::decompress(&packed).unwrap() == content);
        let mut encoder = vatic::write::Encoder::new(Vec::new(), small.clone()).unwrap();
        encoder.write_all(&content).unwrap();
        let packed = encoder.finish().unwrap();
        assert!(vatic::decompress(&packed).unwrap() == content);
        let info = vatic::info::list(Cursor::new(&packed)).unwrap();
        assert!(
            info.frames
                .iter()
                .all(|frame| frame.content_bytes <= 1 << 16)
        );
        let inputs = [&content[..60_000.min(content.len())], b"one more"];
        let many = vatic::compress_many(&inputs, &small);
        for (packed, input) in many.into_iter().zip(inputs) {
            assert!(vatic::decompress(&packed.unwrap().0).unwrap() == input);
        }
    }
}

#[test]
fn what_is_damaged_is_told() {
    let content = [GZIP, b"and more"].concat();
    let packed = packed(&content, &plain());
    let mut unnoticed = 0;
    // Headers, the recipe, and parts of the rest.
    for at in (4..70).chain((70..packed.len()).step_by(17)) {
        let mut damaged = packed.clone();
        damaged[at] ^= 0x10;
        if let Ok(decoded) = vatic::decompress(&damaged) {
            assert!(decoded == content, "byte {at}");
            unnoticed += 1;
        }
    }
    // The checksums of the two parts, and bits of which nothing depends.
    assert!((8..16).contains(&unnoticed), "{unnoticed}");
    for length in (5..packed.len()).step_by(7) {
        for at_once in [false, true] {
            let (mut out, options) = (Vec::new(), DecodeOptions::new().at_once(at_once));
            let done = vatic::copy_decompress(&packed[..length], &mut out, &options);
            assert!(matches!(done, Err(Error::Truncated)), "{length} bytes");
            assert!(out.is_empty());
        }
    }
}

/// The header of an unpacked frame, the last one, with a payload.
fn frame(content: usize, payload: &[u8]) -> Vec<u8> {
    let mut data = [&vatic::MAGIC[..], &[0x2F]].concat();
    data.extend((content as u32).to_le_bytes());
    data.extend((payload.len() as u32).to_le_bytes());
    data.extend([0; 4]);
    data.extend(payload);
    data
}

#[test]
fn parts_that_may_not_be_there_are_refused() {
    let stored = |content: &[u8]| [&[0, content.len() as u8, 0, 0, 0, 0], content].concat();
    let refused = |payload: &[u8], said: &str| {
        let error = vatic::decompress(&frame(200, payload)).unwrap_err();
        assert!(
            matches!(error, Error::Corrupt { .. }) && error.to_string().contains(said),
            "{error}"
        );
    };
    let (none, content) = (stored(&[0]), stored(&[7; 60]));
    // No streams, and 60 bytes where 200 should be.
    refused(&[&none[..], &content].concat(), "length");
    refused(&[&none[..], &content, &[1]].concat(), "follows");
    refused(&[&none[..], &content[..50]].concat(), "cut off");
    refused(
        &[&[0x20, 1, 0, 0, 0, 0, 0][..], &content].concat(),
        "is none",
    );
    // A mixed frame and an unpacked one as the recipe, and too many of those in each other: four have the right length of content, five are
    // one too many.
    let within =
        |payload: &[u8]| [&[0x0F], &frame(200, &[&none[..], payload].concat())[5..]].concat();
    let once = within(&content);
    refused(&[&once[..], &content].concat(), "is none");
    refused(&[&[0x0B], &once[1..], &content].concat(), "is none");
    let thrice = within(&within(&once));
    refused(&[&none[..], &thrice].concat(), "length");
    refused(&[&none[..], &within(&thrice)].concat(), "is none");
    // More than any deflate stream says, and a recipe as long as what it is for.
    let much = [0x41, 0xFF, 0xFF, 0x0F, 0, 0, 0, 0, 0, 0];
    refused(&[&none[..], &much].concat(), "too long");
    let much = [&[0x40, 201, 0, 0, 0, 0, 0][..], &[0; 150]].concat();
    refused(&much, "cut off");
    // A recipe for more than there is.
    refused(&[&stored(&[1, 0, 0x66])[..], &content].concat(), "recipe");
    refused(&[&stored(&[1, 70])[..], &content].concat(), "length");
}

#[test]
fn decoding_needs_no_more_memory_than_is_allowed() {
    let inside = text(100_000);
    let content = stream(&inside);
    let packed = packed(&content, &plain());
    // What was unpacked three times, its tables, and what is made of it.
    let need = 3 * inside.len() as u64 + (1 << 18) + content.len() as u64;
    decodes_within(
        &packed,
        &content,
        &[(need - 1000, false), (need + 10_000, true)],
    );
    // Once more in a stream with others, whose content is there beside it then.
    let once = [&noise(30_000, 1)[..], &content, &noise(30_000, 2)].concat();
    let content = stream(&once);
    let packed = self::packed(&content, &plain());
    let within = 60_000 + inside.len() as u64;
    let need = 3 * within + (1 << 18) + (once.len() + content.len()) as u64;
    decodes_within(
        &packed,
        &content,
        &[(need - 60_000, false), (need + 20_000, true)],
    );
}

/// A progressive picture of rows of 8188 grey blocks, all the same, which its only scan says: it is of these coefficients.
fn strip(rows: u8, [first, last]: [u8; 2]) -> Vec<u8> {
    let [high, low] = (u16::from(rows) * 8).to_be_bytes();
    let frame = [0xFF, 0xC0, 0, 11, 8, high, low, 0xFF, 0xE0, 1, 1, 0x11, 0];
    let scan = [0xFF, 0xC4, 0, 2, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0];
    // 00 1010 for each block.
    let blocks = [0x28, 0xA2, 0x8A].repeat(2047 * usize::from(rows));
    let picture = [&frame[..], &scan, &blocks].concat();
    // One stream of no gap, a picture, its length; one scan, its codes as usual: of first coefficients alone.
    let length =
        [0, 7, 14].map(|shift| (picture.len() >> shift) as u8 | if shift < 14 { 0x80 } else { 0 });
    let mut recipe = [&[1, 0, 0][..], &length, &[1, 0, 1, 1, 0, first, last, 0]].concat();
    if first > 0 {
        recipe.push(0);
    }
    let mut data = vec![0xFF, 0xD8];
    let mut give = |bytes: &[u8]| data.extend_from_slice(bytes);
    // How long it is, is not known before.
    let packed = vatic_unpack::pack(&picture, &recipe, 1 << 20, 1 << 26, &mut give);
    assert_eq!(packed, Err(vatic_unpack::Error::Length));
    data.extend([0xFF, 0xD9]);
    data
}

#[test]
fn coefficients_of_pictures_are_memory_too() {
    // A code word of one bit for each block.
    let content = strip(1, [0, 0]);
    let packed = packed(&content, &plain().mode(Mode::Unpacked));
    let apart = vatic_unpack::unpack(&content, 1 << 20).unwrap();
    let beside = content.len() + apart.recipe.len() + apart.content.len();
    let need = (8188 * 128 + beside) as u64;
    decodes_within(&packed, &content, &[(need - 1, false), (need, true)]);
}

/// Blocks of which nothing is said but how many there are: some thousand times what the picture has.
#[test]
fn pictures_that_say_too_much_stay() {
    let picture = strip(64, [1, 63]);
    let apart = vatic_unpack::unpack(&picture, 1 << 20).unwrap();
    assert!(apart.content.len() > 2000 * picture.len());
    // No decoder would take it.
    let content = picture.repeat(4);
    for mode in [Mode::Auto, Mode::Unpacked] {
        let packed = vatic::compress(&content, &plain().mode(mode)).unwrap();
        assert_ne!(modes_of(&packed), [Mode::Unpacked]);
        assert!(vatic::decompress(&packed).unwrap() == content);
    }
}

#[test]
fn a_prior_is_used_for_what_is_inside() {
    let samples: Vec<Vec<u8>> = (0..40).map(|n| text(3000)[n * 60..].to_vec()).collect();
    let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    let prior = Prior::learn(&samples, &plain()).unwrap();
    let content = stream(&text(2000));
    let without = vatic::compress(&content, &plain()).unwrap();
    let with = vatic::compress(&content, &plain().prior(Some(prior.clone()))).unwrap();
    assert!(with.len() < without.len());
    assert!(matches!(
        vatic::decompress(&with),
        Err(Error::UnknownPrior { .. })
    ));
    let options = DecodeOptions::new().prior(prior);
    assert!(vatic::decompress_with(&with, &options).unwrap() == content);
}

#[test]
fn progress_is_that_of_the_content() {
    let content = stream(&[&stream(&text(150_000))[..], &noise(9000, 1)].concat());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let hook = |seen: &Arc<Mutex<Vec<u64>>>| {
        let seen = seen.clone();
        move |at: vatic::Progress| seen.lock().unwrap().push(at.content_bytes)
    };
    let packed = vatic::compress(&content, &plain().progress(hook(&seen))).unwrap();
    assert_eq!(modes_of(&packed), [Mode::Unpacked]);
    vatic::decompress_with(&packed, &DecodeOptions::new().progress(hook(&seen))).unwrap();
    let seen = seen.lock().unwrap();
    let all = content.len() as u64;
    assert!(seen.iter().all(|&at| at <= all), "{seen:?} of {all}");
    assert_eq!(seen.iter().filter(|&&at| at == all).count().min(2), 2);
    assert!(seen.iter().any(|&at| at > 0 && at < all));
}
