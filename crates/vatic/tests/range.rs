//! Parts of the content: checked, or given as they are decoded, which then stops where the part does.

use std::io::{self, Cursor, Write};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[path = "common/code.rs"]
mod code;
mod common;

use common::noise;
use vatic::{DecodeOptions, Error, Mode, Options, Stats};

/// Nothing is copied, however often it occurs.
fn plain() -> Options {
    Options::new().model(None).memory_log2(18).window(0)
}

/// Up to 104 KB that hardly repeat, the densest last.
fn text(n: usize) -> Vec<u8> {
    let stations = include_str!("../../../fixtures/stations.csv");
    let code = include_str!("../../../fixtures/interval_map.rs");
    let handbook = include_str!("../../../fixtures/handbook.md");
    let story = include_str!("../../../fixtures/story.txt");
    let all = [stations, code, handbook, story].concat().into_bytes();
    all[all.len() - n..].to_vec()
}

/// Data whose compressed form is as long as it looks, so that damage anywhere in it has an effect.
fn records(n: usize) -> Vec<u8> {
    let noise = noise(n / 20 + 1, 7);
    let record = |(n, &byte): (usize, &u8)| format!("{n:>6} has {byte:>3}; done\n").into_bytes();
    let mut records: Vec<u8> = noise.iter().enumerate().flat_map(record).collect();
    records.truncate(n);
    records
}

/// What comes of a range, how it ended, and how many bytes of content were decoded for it.
fn part(
    packed: &[u8],
    range: &Range<usize>,
    options: DecodeOptions,
) -> (Vec<u8>, vatic::Result<Stats>, u64) {
    let most = Arc::new(AtomicU64::new(0));
    let seen = most.clone();
    let options = options.progress(move |at| {
        seen.fetch_max(at.content_bytes, Ordering::Relaxed);
    });
    let mut out = Vec::new();
    let range = range.start as u64..range.end as u64;
    let ended = vatic::decompress_range(Cursor::new(packed), range, &mut out, &options);
    (out, ended, most.load(Ordering::Relaxed))
}

fn both(threads: usize) -> [DecodeOptions; 2] {
    [false, true].map(|at_once| DecodeOptions::new().threads(threads).at_once(at_once))
}

/// Ranges of one long frame of `mode` come right although its end is damaged, and at most `slack` bytes beyond them are decoded; whoever
/// wants them checked hears of the damage.
fn stops_early(
    content: &[u8],
    options: &Options,
    mode: Mode,
    ranges: &[Range<usize>],
    slack: usize,
) {
    let packed = vatic::compress(content, options).unwrap();
    let info = vatic::info::list(Cursor::new(&packed)).unwrap();
    assert_eq!((info.frames.len(), info.frames[0].mode), (1, mode));
    let mut damaged = packed.clone();
    let near_the_end = damaged.len() - damaged.len() / 8;
    damaged[near_the_end] ^= 0x10;
    let n = content.len();
    for threads in [1, 2, 5] {
        let [checked, at_once] = both(threads);
        for range in ranges {
            let (out, ended, decoded) = part(&damaged, range, at_once.clone());
            assert_eq!(ended.unwrap().content_bytes, range.len() as u64);
            assert!(out == content[range.clone()], "{mode} {range:?}");
            let most = range.end + slack;
            assert!(most < n && decoded <= most as u64, "{decoded} of {range:?}");
        }
        if threads == 2 {
            let (out, ended, _) = part(&damaged, &ranges[0], checked);
            assert!(ended.is_err() && out.is_empty(), "{mode}");
        }
    }
    // To the last byte all of it is decoded, and so it is checked.
    let last = n - 1..n;
    let [_, at_once] = both(2);
    let (_, ended, _) = part(&damaged, &last, at_once.clone());
    assert!(matches!(
        ended,
        Err(Error::Checksum { .. } | Error::Corrupt { .. })
    ));
    let (out, ended, decoded) = part(&packed, &last, at_once);
    assert_eq!((&out[..], decoded), (&content[last], n as u64));
    ended.unwrap();
}

#[test]
fn bytes_stop_when_the_range_is_there() {
    let ranges = [0..1, 0..1000, 100_000..100_100];
    stops_early(&records(300_000), &plain(), Mode::Bytes, &ranges, 1000);
}

/// What is behind a range may have to be known for its end to be undone.
#[test]
fn filtered_bytes_stop_when_the_range_is_there() {
    let ranges = [0..1, 0..1000, 30_000..30_007, 30_001..30_008];
    for content in [code::x86(20_000), code::x86_64(20_000), code::arm64(30_000)] {
        stops_early(&content, &plain(), Mode::Bytes, &ranges, 1000);
    }
}

#[cfg(feature = "model-swift")]
#[test]
fn tokens_stop_when_the_range_is_there() {
    let options = Options::new().model(Some(vatic::Model::swift()));
    let options = options.memory_log2(20).mode(Mode::Tokens);
    let content = text(40_000);
    for (streams_log2, last) in [(0, 12_000..12_100), (3, 200..700)] {
        let ranges = [0..1, 0..1000, last];
        let options = options.clone().streams_log2(Some(streams_log2));
        stops_early(&content, &options, Mode::Tokens, &ranges, 25_000);
    }
}

#[test]
fn mixed_frames_stop_when_the_range_is_there() {
    let text = text(100_000);
    let content = [&text[..60_000], &noise(40_000, 1), &text[60_000..]].concat();
    // The noise comes first in the frame, so a range that has some of it needs all of it.
    let ranges = [0..1, 0..1000, 50_000..70_000];
    let options = plain().mode(Mode::Mixed);
    stops_early(&content, &options, Mode::Mixed, &ranges, 45_000);
}

/// What a part holds beyond the range, and parts that have nothing of it, are not decoded.
#[cfg(feature = "model-swift")]
#[test]
fn parts_of_a_mixed_frame_that_are_not_needed_are_passed_over() {
    let wave: Vec<u8> = (include_bytes!("../../../fixtures/wave.bin").iter())
        .copied()
        .cycle()
        .take(90_000)
        .collect();
    let content = [text(40_000), wave, text(40_000)].concat();
    let options = Options::new().model(Some(vatic::Model::swift()));
    let options = options.memory_log2(20).mode(Mode::Mixed).window(0);
    let packed = vatic::compress(&content, &options).unwrap();
    let info = vatic::info::list(Cursor::new(&packed)).unwrap();
    assert_eq!((info.frames.len(), info.frames[0].mode), (1, Mode::Mixed));
    // What is not text comes first in the payload.
    let mut damaged = packed.clone();
    damaged[1000] ^= 0x10;
    let [checked, at_once] = both(2);
    let (out, ended, decoded) = part(&damaged, &(0..2000), at_once.clone());
    ended.unwrap();
    assert!(out == content[..2000]);
    assert!(decoded < 40_000, "{decoded}");
    assert!(part(&damaged, &(0..2000), checked).1.is_err());
    let across = 39_000..41_000;
    let (out, ended, decoded) = part(&packed, &across, at_once);
    ended.unwrap();
    assert!(out == content[across]);
    assert!(decoded < 110_000, "{decoded}");
}

#[test]
fn a_stored_frame_is_checked_since_it_is_all_there() {
    let content = noise(200_000, 3);
    let mut packed = vatic::compress(&content, &plain().mode(Mode::Stored)).unwrap();
    *packed.last_mut().unwrap() ^= 1;
    let [checked, at_once] = both(2);
    let (out, ended, _) = part(&packed, &(5..10), at_once);
    assert_eq!(out, content[5..10]);
    assert!(matches!(ended, Err(Error::Checksum { frame: 0 })));
    let (out, ended, _) = part(&packed, &(5..10), checked);
    assert_eq!(out, b"");
    assert!(matches!(ended, Err(Error::Checksum { frame: 0 })));
}

/// Frames before the last one of a range are checked in any case.
#[test]
fn frames_that_are_covered_are_checked() {
    const FRAME: usize = 1 << 16;
    let content = [records(FRAME), noise(FRAME, 1), text(FRAME), records(9000)].concat();
    let packed = vatic::compress(&content, &plain().frame_size(FRAME)).unwrap();
    let info = vatic::info::list(Cursor::new(&packed)).unwrap();
    assert_eq!(info.frames.len(), 4);
    let n = content.len();
    for threads in [1, 2, 5] {
        for options in both(threads) {
            for range in [
                0..FRAME,
                FRAME - 1..FRAME,
                FRAME - 1..FRAME + 1,
                FRAME..2 * FRAME,
                10..2 * FRAME + 10,
                2 * FRAME..2 * FRAME + 1,
                FRAME + 5..n,
                n - 1..n,
            ] {
                let (out, ended, _) = part(&packed, &range, options.clone());
                assert_eq!(ended.unwrap().content_bytes, range.len() as u64);
                assert!(out == content[range], "{threads}");
            }
            let mut damaged = packed.clone();
            let frame = &info.frames[0];
            damaged[(frame.payload_offset + frame.payload_bytes / 2) as usize] ^= 4;
            for end in [FRAME, FRAME + 1, 2 * FRAME + 1] {
                let (out, ended, _) = part(&damaged, &(0..end), options.clone());
                assert!(matches!(ended, Err(Error::Checksum { frame: 0 })), "{end}");
                assert!(out.len() <= end);
            }
        }
    }
}

/// As when `vatic --range … | head` has seen enough: the rest is not decoded.
#[test]
fn whoever_reads_may_go_away() {
    struct Closed(usize);
    impl Write for Closed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let left = self.0.min(bytes.len());
            self.0 -= left;
            match left {
                0 => Err(io::ErrorKind::BrokenPipe.into()),
                _ => Ok(left),
            }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let packed = vatic::compress(&records(300_000), &plain()).unwrap();
    let [_, at_once] = both(2);
    let ended = vatic::decompress_range(Cursor::new(&packed), 0..300_000, Closed(10), &at_once);
    assert!(matches!(ended, Err(Error::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe));
}
