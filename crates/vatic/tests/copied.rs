//! What occurred before is copied from there, in the same frame or in one far before it, and comes back in every way there is.

use std::io::{Cursor, Read, Write};

#[path = "common/base64.rs"]
mod base64;
mod common;
#[path = "common/hills.rs"]
mod hills;
#[path = "common/photo.rs"]
mod photo;

use common::noise;
use photo::Photo;
use vatic::{DecodeOptions, Error, Mode, Options, Stats};

const STORY: &[u8] = include_bytes!("../../../fixtures/story.txt");

const FRAME: usize = 1 << 16;

fn plain() -> Options {
    Options::new().model(None).memory_log2(18).frame_size(FRAME)
}

fn modes_of(packed: &[u8]) -> Vec<Mode> {
    let info = vatic::info::list(Cursor::new(packed)).unwrap();
    info.frames.iter().map(|frame| frame.mode).collect()
}

fn write_in_pieces(content: &[u8], piece: usize, mut to: impl Write) {
    for piece in content.chunks(piece) {
        to.write_all(piece).unwrap();
    }
}

fn range(packed: &[u8], from: usize, to: usize, options: &DecodeOptions) -> (Vec<u8>, Stats) {
    let mut part = Vec::new();
    let range = from as u64..to as u64;
    let stats = vatic::decompress_range(Cursor::new(packed), range, &mut part, options).unwrap();
    (part, stats)
}

/// Compresses, and looks whether it comes back.
fn made(content: &[u8], options: &Options) -> Vec<u8> {
    let made = vatic::compress(content, &options.clone().verify(true)).unwrap();
    assert!(vatic::decompress(&made).unwrap() == content);
    made
}

/// Compresses, after it was made sure that it is the same and comes back in every way.
fn packed(content: &[u8], options: &Options) -> Vec<u8> {
    let packed = vatic::compress(content, &options.clone().verify(true)).unwrap();
    for threads in [1, 3] {
        let options = options.clone().threads(threads);
        assert!(vatic::compress(content, &options).unwrap() == packed);
        let mut read = Vec::new();
        let mut encoder = vatic::read::Encoder::new(content, options.clone()).unwrap();
        encoder.read_to_end(&mut read).unwrap();
        assert!(read == packed);
        let mut written = vatic::write::Encoder::new(Vec::new(), options.clone()).unwrap();
        write_in_pieces(content, 10_007, &mut written);
        assert!(written.finish().unwrap() == packed);
        let mut copied = Vec::new();
        vatic::copy_compress(content, &mut copied, &options).unwrap();
        assert!(copied == packed);
        for (many, _) in vatic::compress_many(&[content, content], &options)
            .into_iter()
            .map(Result::unwrap)
        {
            assert!(many == packed);
        }
    }
    comes_back(&packed, content);
    packed
}

fn comes_back(packed: &[u8], content: &[u8]) {
    let mut read = Vec::new();
    vatic::read::Decoder::new(packed)
        .read_to_end(&mut read)
        .unwrap();
    assert!(read == content);
    let mut written = vatic::write::Decoder::new(Vec::new());
    write_in_pieces(packed, 1009, &mut written);
    assert!(written.finish().unwrap() == content);
    for threads in [1, 3] {
        let options = DecodeOptions::new().threads(threads);
        assert!(vatic::decompress_with(packed, &options).unwrap() == content);
        for (many, _) in vatic::decompress_many(&[packed, packed], &options)
            .into_iter()
            .map(Result::unwrap)
        {
            assert!(many == content);
        }
        for at_once in [false, true] {
            for ahead in [false, true] {
                let options = options.clone().at_once(at_once).read_ahead(ahead);
                let mut out = Vec::new();
                vatic::copy_decompress(packed, &mut out, &options).unwrap();
                assert!(out == content, "{threads} {at_once} {ahead}");
            }
            let options = options.clone().at_once(at_once);
            let length = content.len();
            for (from, to) in [
                (0, length),
                (length / 3, length / 2),
                (length - 1, length),
                (length - 40_000, length - 39_000),
                (5, 5),
            ] {
                let (part, _) = range(packed, from, to, &options);
                assert!(part == content[from..to], "{from}..{to} {at_once}");
            }
        }
    }
}

fn comes_back_small(packed: &[u8], content: &[u8]) {
    let options = DecodeOptions::new();
    assert!(vatic::decompress(packed).unwrap() == content);
    let (many, _) = vatic::decompress_many(&[packed, packed], &options)
        .swap_remove(0)
        .unwrap();
    assert!(many == content);
}

#[test]
fn what_occurred_in_frames_before_is_copied() {
    // The third and the last frame have most of the first one, with something else before, between and behind.
    let (one, two) = (noise(60_000, 1), noise(150_000, 2));
    let again = [&one[..30_000], b"between", &one[30_001..]].concat();
    let content = [&one[..], &two, &again, &noise(70_000, 3), &again].concat();
    let small = packed(&content, &plain());
    let large = vatic::compress(&content, &plain().window(0)).unwrap();
    assert!(small.len() + 2 * 59_000 < large.len());
    assert!(!modes_of(&large).contains(&Mode::Copied));
    comes_back(&large, &content);
    // A window that does not reach so far back.
    let near = made(&content, &plain().window(1 << 16));
    assert!(near.len() > large.len() - 2000 && near.len() < large.len() + 100);
}

#[test]
fn what_occurred_in_the_same_frame_is_copied() {
    let one = noise(70_000, 1);
    let content = [&one[..], &noise(9000, 2), &one, &noise(2000, 3)].concat();
    let plain = || plain().frame_size(1 << 18);
    let small = packed(&content, &plain());
    assert_eq!(modes_of(&small), [Mode::Copied]);
    assert!(small.len() < 81_200);
    // No window is told of where there is one frame.
    assert_eq!(small[4] & 0b1_1111, 3 | 4 << 2);
    assert!(made(&content, &plain().window(1 << 32)) == small);
    let none = made(&content, &plain().window(0));
    assert_ne!(modes_of(&none), [Mode::Copied]);
}

#[cfg(feature = "model-swift")]
#[test]
fn less_is_copied_where_the_transformer_would_read_it_again() {
    // Half of the story, twice, with as much between.
    let content = [&STORY[..11_000], &STORY[11_000..], &STORY[..11_000]].concat();
    let swift = Options::new().model(Some(vatic::Model::swift()));
    assert_eq!(modes_of(&made(&content, &swift)), [Mode::Copied]);
    assert_eq!(modes_of(&made(&content, &plain())), [Mode::Bytes]);
}

#[test]
fn a_frame_may_have_nothing_but_copies() {
    let one = noise(2 * FRAME, 1);
    let content = one.repeat(3);
    let small = made(&content, &plain());
    comes_back(&small, &content);
    assert_eq!(
        modes_of(&small),
        [vec![Mode::Stored; 2], vec![Mode::Copied; 4]].concat()
    );
    assert!(small.len() < one.len() + 200);
}

#[test]
fn members_copy_from_themselves_only() {
    let one = made(&noise(2 * FRAME, 1).repeat(2), &plain());
    let stored = made(&noise(2 * FRAME + 5, 1), &plain());
    let all = [&stored[..], &one, &stored, &one].concat();
    let contents: Vec<Vec<u8>> = [&stored, &one, &stored, &one]
        .map(|member| vatic::decompress(member).unwrap())
        .into();
    comes_back(&all, &contents.concat());
}

#[test]
fn frames_that_are_flushed_copy_from_those_before() {
    let message = noise(3000, 1);
    let mut encoder = vatic::write::Encoder::new(Vec::new(), plain()).unwrap();
    let mut decoder = vatic::write::Decoder::new(Vec::new());
    let mut given = 0;
    for n in 0..20u8 {
        encoder
            .write_all(&[&[n; 5][..], &message].concat())
            .unwrap();
        encoder.flush().unwrap();
        // All that was written so far can be read.
        decoder.write_all(&encoder.get_ref()[given..]).unwrap();
        given = encoder.get_ref().len();
        assert_eq!(decoder.get_ref().len(), 3005 * (usize::from(n) + 1));
    }
    let all = encoder.finish().unwrap();
    assert!(all.len() < 3000 + 20 * 60);
    comes_back(&all, decoder.get_ref());
}

/// Two frames of which the second one begins with `content`, whose beginning is that of the first, `before`; how that is coded.
fn after(before: &[u8], content: &[u8]) -> Vec<Mode> {
    let fill = noise(FRAME - before.len(), 5);
    let packed = made(&[before, &fill, content].concat(), &plain());
    modes_of(&packed)[1..].to_vec()
}

/// A gzip file with a name, of deflate's own making.
fn gzip(name: &[u8], content: &[u8]) -> Vec<u8> {
    let stream = miniz_oxide::deflate::compress_to_vec(content, 6);
    [
        b"\x1F\x8B\x08\x08\0\0\0\0\0\x03",
        name,
        b"\0",
        &stream,
        &[7; 8],
    ]
    .concat()
}

#[test]
fn headers_stay_with_the_streams_that_they_announce() {
    let name: Vec<u8> = noise(900, 1).iter().map(|byte| byte | 1).collect();
    let (one, other) = STORY.split_at(STORY.len() / 2);
    let (one, other) = (gzip(&name, one), gzip(&name, other));
    assert_eq!(after(&one, &other), [Mode::Unpacked]);
    // Whole streams are copied, whatever stands before them.
    let (mut renamed, mut longer) = (one.clone(), one.clone());
    renamed[10..910].reverse();
    longer.splice(..0, other);
    assert_eq!(after(&one, &renamed), [Mode::Copied]);
    assert_eq!(after(&one, &longer), [Mode::Copied]);
}

#[test]
fn streams_stay_whole_unless_most_of_them_is_copied() {
    let text = |end: &[u8]| base64::lines(&[&STORY[..900], end].concat(), 0, "").into_bytes();
    let one = text(&STORY[5000..8000]);
    assert_eq!(after(&one, &text(&STORY[9000..12_000])), [Mode::Unpacked]);
    assert_eq!(after(&one, &text(&STORY[9000..9600])), [Mode::Copied]);
}

#[test]
fn pictures_keep_their_headers() {
    let photo = |seed| {
        let photo = Photo {
            width: 200,
            height: 160,
            factors: vec![[1, 1]],
            step: 3,
            restart: 0,
            apart: false,
        };
        let heights = noise(1 << 14, 8);
        let pixels = hills::picture(heights, noise(40_000, seed).into_iter(), 200, 1);
        photo.jpeg(
            &pixels.take(200 * 160).collect::<Vec<u8>>(),
            &noise(2000, 7),
        )
    };
    let (one, other) = (photo(1), photo(2));
    assert!(one.len() > 6000 && one[..2000] == other[..2000]);
    assert_eq!(after(&one, &other), [Mode::Bytes]);
    assert_eq!(after(&one, &one), [Mode::Copied]);
}

#[test]
fn a_range_decodes_what_it_copies_from() {
    let (one, two) = (noise(FRAME, 1), noise(3 * FRAME, 2));
    let content = [&one[..], &two, &one].concat();
    let packed = made(&content, &plain());
    for at_once in [false, true] {
        let options = DecodeOptions::new().at_once(at_once);
        let (_, stats) = range(&packed, 4 * FRAME + 100, 4 * FRAME + 200, &options);
        assert_eq!(stats.frames.len(), 2, "of five");
        let (_, stats) = range(&packed, FRAME + 100, 2 * FRAME, &options);
        assert_eq!(stats.frames.len(), 1);
    }
}

#[test]
fn a_member_has_one_window() {
    let content = noise(4000, 1);
    let one = vatic::compress(&content, &plain()).unwrap();
    // A window is of no use where one frame is all there is, and does no harm.
    let windows = |n| [&one[..4], &[3 | 5 << 2, 20].repeat(n), &one[4..]].concat();
    comes_back_small(&windows(1), &content);
    let two = windows(2);
    let options = DecodeOptions::new();
    let mut results = vec![vatic::decompress_with(&two, &options)];
    for (many, _) in vatic::decompress_many(&[&two], &options)
        .into_iter()
        .flatten()
    {
        results.push(Ok(many));
    }
    let each = vatic::decompress_each([&two[..]], &options, |one| {
        results.push(one.map(|(content, _)| content));
        Ok::<(), Error>(())
    });
    each.unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        assert!(matches!(result, Err(Error::Corrupt { .. })));
    }
}

#[test]
fn the_headers_of_a_frame_are_its_own() {
    // A frame that is nothing but copies, with another behind it.
    let mut encoder = vatic::write::Encoder::new(Vec::new(), plain()).unwrap();
    let message = noise(3000, 1);
    for part in [&message[..], &message, &STORY[..2000]] {
        encoder.write_all(part).unwrap();
        encoder.flush().unwrap();
    }
    let info = vatic::info::list(Cursor::new(encoder.finish().unwrap())).unwrap();
    let modes: Vec<Mode> = info.frames.iter().map(|frame| frame.mode).collect();
    assert_eq!(modes, [Mode::Stored, Mode::Copied, Mode::Bytes]);
    let tables = info.frames.iter().map(|frame| frame.memory_log2);
    assert!(tables.eq([None, None, Some(18)]));
}

#[test]
fn damage_is_noticed() {
    let one = noise(20_000, 1);
    let content = [&one[..], &noise(FRAME, 2), &one, b"and so on"].concat();
    let packed = made(&content, &plain());
    let decodes = |data: &[u8]| {
        let options = DecodeOptions::new().threads(2);
        let one = vatic::decompress_with(data, &options);
        let mut out = Vec::new();
        let at_once = options.at_once(true).read_ahead(true);
        let other = vatic::copy_decompress(data, &mut out, &at_once);
        assert_eq!(one.is_ok(), other.is_ok());
        one.is_ok_and(|got| got == content)
    };
    assert!(decodes(&packed));
    let end = packed.len();
    for at in (0..30).chain(end - 90..end) {
        for bit in [0, 3, 7] {
            let mut damaged = packed.clone();
            damaged[at] ^= 1 << bit;
            // A larger window does no harm.
            assert_eq!(
                decodes(&damaged),
                at == 5 && bit < 7,
                "bit {bit} of byte {at}"
            );
        }
    }
    for cut in (1..60).chain([200, 20_000]) {
        assert!(!decodes(&packed[..end - cut]));
        // What is certain is given.
        let mut out = Vec::new();
        let options = DecodeOptions::new().at_once(true);
        let cut = vatic::copy_decompress(&packed[..end - cut], &mut out, &options);
        assert!(matches!(cut, Err(Error::Truncated)));
        assert!(content.starts_with(&out));
    }
}

#[test]
fn a_window_has_to_be_in_range() {
    let made = |window| vatic::compress(b"something", &plain().window(window));
    assert!(made(1 << 32).is_ok());
    assert!(matches!(made((1 << 32) + 1), Err(Error::Setting { .. })));
    let mode = plain().mode(Mode::Copied);
    assert!(matches!(
        vatic::compress(b"something", &mode),
        Err(Error::Setting { .. })
    ));
}
