//! Where frames end: not within a stream or a picture that would have to be left as it is then, and what is left of one begins the next.

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
use vatic::{Mode, Options};

const STORY: &[u8] = include_bytes!("../../../fixtures/story.txt");
const PROGRESSIVE: &[u8] = include_bytes!("../../vatic-unpack/tests/data/hills.jpg");
const PNG: &[u8] = include_bytes!("../../vatic-unpack/tests/data/hills.png");

const FRAME: usize = 1 << 16;

fn plain() -> Options {
    Options::new().model(None).memory_log2(18).frame_size(FRAME)
}

/// Where each frame begins and how it is coded; all ways to compress come to the same, and back.
fn frames(content: &[u8], options: &Options) -> Vec<(usize, Mode)> {
    let packed = vatic::compress(content, options).unwrap();
    let mut read = Vec::new();
    let mut encoder = vatic::read::Encoder::new(content, options.clone()).unwrap();
    encoder.read_to_end(&mut read).unwrap();
    assert!(read == packed);
    let mut written = vatic::write::Encoder::new(Vec::new(), options.clone()).unwrap();
    for piece in content.chunks(10_007) {
        written.write_all(piece).unwrap();
    }
    assert!(written.finish().unwrap() == packed);
    let mut copied = Vec::new();
    vatic::copy_compress(content, &mut copied, options).unwrap();
    assert!(copied == packed);
    assert!(vatic::decompress(&packed).unwrap() == content);
    let info = vatic::info::list(Cursor::new(&packed)).unwrap();
    let frame = |frame: &vatic::info::FrameInfo| (frame.content_offset as usize, frame.mode);
    info.frames.iter().map(frame).collect()
}

/// A gzip file of deflate's own making.
fn gzip(content: &[u8]) -> Vec<u8> {
    let stream = miniz_oxide::deflate::compress_to_vec(content, 6);
    [b"\x1F\x8B\x08\0\0\0\0\0\0\x03", &stream[..], &[7; 8]].concat()
}

/// A picture that JPEG has compressed.
fn picture() -> Vec<u8> {
    let photo = Photo {
        width: 200,
        height: 160,
        factors: vec![[1, 1]],
        step: 3,
        restart: 0,
        apart: false,
    };
    let pixels = hills::picture(noise(1 << 14, 8), noise(40_000, 1).into_iter(), 200, 1);
    photo.jpeg(&pixels.take(200 * 160).collect::<Vec<u8>>(), &[])
}

#[test]
fn what_would_be_cut_begins_the_next_frame() {
    let letter = base64::lines(&STORY[..8000], 76, "\r\n").into_bytes();
    for (what, mode) in [
        (gzip(STORY), Mode::Unpacked),
        (PNG.to_vec(), Mode::Unpacked),
        (letter, Mode::Unpacked),
        (PROGRESSIVE.to_vec(), Mode::Unpacked),
        (picture(), Mode::Bytes),
    ] {
        // Half of it would be in the first frame; or its header alone, or all but its end.
        for before in [FRAME - what.len() / 2, FRAME - 60, FRAME - what.len() + 30] {
            // So little of it may be anything.
            if before == FRAME - 60 && what.is_ascii() {
                continue;
            }
            // Before Base64 there must be none of its characters.
            let content = [&noise(before - 1, 3)[..], b"\n", &what, b"\n more"].concat();
            let frames = frames(&content, &plain());
            assert_eq!(frames, [(0, Mode::Stored), (before, mode)], "{before}");
        }
    }
}

#[test]
fn what_is_longer_than_half_a_frame_is_cut() {
    let stream = gzip(
        &noise(50_000, 1)
            .iter()
            .map(|byte| byte & 63)
            .collect::<Vec<_>>(),
    );
    assert!(stream.len() > FRAME / 2 + 3000);
    let content = [&noise(FRAME - stream.len() + 1000, 3)[..], &stream].concat();
    let frames = frames(&content, &plain());
    assert_eq!(frames[1].0, FRAME);
}

#[test]
fn what_is_left_of_a_frame_begins_the_next_one() {
    // Each stream says more than twice as much as it is long, so fewer of them have room than a frame could hold.
    let streams: Vec<Vec<u8>> = (0..24)
        .map(|n| gzip(&STORY[n * 100..n * 100 + 20_000]))
        .collect();
    let content = streams.concat();
    let frames = frames(&content, &plain().window(0));
    // All but the last one are full.
    let room = FRAME / 4 * 5 / 20_000;
    assert_eq!(frames.len(), streams.len().div_ceil(room));
    assert!(frames.iter().all(|(_, mode)| *mode == Mode::Unpacked));
}

#[test]
fn what_is_flushed_is_whole() {
    let mut encoder = vatic::write::Encoder::new(Vec::new(), plain()).unwrap();
    let stream = gzip(STORY);
    let content = [&noise(9000, 1)[..], &stream[..stream.len() / 2]].concat();
    encoder.write_all(&content).unwrap();
    encoder.flush().unwrap();
    let mut decoder = vatic::write::Decoder::new(Vec::new());
    decoder.write_all(encoder.get_ref()).unwrap();
    assert!(*decoder.get_ref() == content);
}
