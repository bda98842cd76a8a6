//! Frames side by side: the same bytes, in the same order, as one after the other.

use std::io::{self, Cursor, Read, Write};
use std::sync::{Arc, Mutex};

mod common;

use common::noise;
use vatic::{DecodeOptions, Error, Mode, Options, Progress, Stats};

const FRAME: usize = 1 << 16;

/// Frames that take a thread each, of different kinds and lengths of work, in small frames, none of which copies from another.
fn options(threads: usize) -> Options {
    let options = Options::new().model(None).memory_log2(18);
    options.frame_size(FRAME).window(0).threads(threads)
}

/// Noise, which is stored; text, which takes long; a run, which takes no time; and the rest of a frame.
fn content() -> Vec<u8> {
    let text =
        |n: u32| b"the cat that sat there ate the rat"[(n.wrapping_mul(n) % 1009) as usize % 34];
    let frame = 0..FRAME as u32;
    let mut content: Vec<u8> = frame.clone().map(text).collect();
    content.extend(noise(FRAME, 1));
    content.extend(vec![b'0'; FRAME]);
    content.extend(frame.clone().map(|n| text(n + 7)));
    content.extend(frame.map(|n| text(n + 19)));
    content.extend(b"and a few bytes");
    content
}

fn ahead(threads: usize) -> DecodeOptions {
    DecodeOptions::new().threads(threads).read_ahead(true)
}

/// What comes out, and what was done or what is wrong.
fn unpack(packed: &[u8], options: &DecodeOptions) -> (Vec<u8>, vatic::Result<Stats>) {
    let mut out = Vec::new();
    let stats = vatic::copy_decompress(packed, &mut out, options);
    (out, stats)
}

#[test]
fn the_same_bytes_with_any_number_of_threads() {
    let content = content();
    let packed = vatic::compress(&content, &options(1)).unwrap();
    let modes = [
        Mode::Bytes,
        Mode::Stored,
        Mode::Bytes,
        Mode::Bytes,
        Mode::Bytes,
    ];
    for threads in [1, 2, 3, 8] {
        assert_eq!(
            vatic::compress(&content, &options(threads)).unwrap(),
            packed
        );
        for verify in [false, true] {
            let mut copied = Vec::new();
            let options = options(threads).verify(verify);
            let stats = vatic::copy_compress(&content[..], &mut copied, &options).unwrap();
            assert_eq!(copied, packed);
            assert_eq!(stats.coded_bytes, packed.len() as u64);
        }
        for (read_ahead, at_once) in [(false, false), (true, false), (false, true), (true, true)] {
            let options = ahead(threads).read_ahead(read_ahead).at_once(at_once);
            let (out, stats) = unpack(&packed, &options);
            assert!(out == content);
            let stats = stats.unwrap();
            assert_eq!(stats.coded_bytes, packed.len() as u64);
            assert_eq!(stats.content_bytes, content.len() as u64);
            let seen: Vec<Mode> = stats.frames.iter().map(|frame| frame.mode).collect();
            assert_eq!(seen[..5], modes);
        }
        assert!(vatic::decompress_with(&packed, &ahead(threads)).unwrap() == content);
    }
}

#[test]
fn several_members_and_skipped_ones_keep_their_order() {
    let content = content();
    let mut packed = vatic::skippable(b"first").unwrap();
    for part in content.chunks(100_000) {
        packed.extend(vatic::compress(part, &options(2)).unwrap());
        packed.extend(vatic::skippable(b"between").unwrap());
    }
    let (out, stats) = unpack(&packed, &ahead(3));
    assert!(out == content);
    assert_eq!(stats.unwrap().coded_bytes, packed.len() as u64);
}

#[test]
fn what_comes_before_an_error_is_given_and_nothing_after_it() {
    let content = content();
    let packed = vatic::compress(&content, &options(1)).unwrap();
    let info = vatic::info::list(Cursor::new(&packed)).unwrap();
    for (n, frame) in info.frames.iter().enumerate() {
        let before = frame.content_offset as usize;
        let mut damaged = packed.clone();
        damaged[frame.payload_offset as usize] ^= 0x55;
        for threads in [1, 2, 3] {
            let (out, stats) = unpack(&damaged, &ahead(threads));
            assert!(out == content[..before], "frame {n}, {threads} threads");
            let frame = n as u64;
            assert!(matches!(stats, Err(Error::Checksum { frame: f }) if f == frame));
        }
        let cut = &packed[..frame.payload_offset as usize];
        let stored = match frame.mode {
            Mode::Stored => (frame.payload_bytes as usize - 1).min(100),
            _ => 0,
        };
        let within = &packed[..frame.payload_offset as usize + stored];
        let (out, stats) = unpack(within, &ahead(2).at_once(true));
        assert!(out == content[..before + stored]);
        assert!(matches!(stats, Err(Error::Truncated)));
        let (out, stats) = unpack(cut, &ahead(2));
        assert!(out == content[..before]);
        assert!(matches!(stats, Err(Error::Truncated)));
        // Of two errors, the first counts, though the other one is noticed earlier.
        if n > 0 {
            let first = info.frames[0].payload_offset as usize;
            let mut both = cut.to_vec();
            both[first] ^= 0x55;
            let (out, stats) = unpack(&both, &ahead(2));
            assert!(out.is_empty());
            assert!(matches!(stats, Err(Error::Checksum { frame: 0 })));
        }
    }
}

#[test]
fn each_frame_is_written_before_more_is_read_unless_that_is_allowed() {
    /// Gives data, and notes how much had been written when it was asked for each byte.
    struct Asked<'a> {
        data: &'a [u8],
        written: Arc<Mutex<usize>>,
        log: Vec<(usize, usize)>,
    }
    impl Read for Asked<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.log
                .push((self.data.len(), *self.written.lock().unwrap()));
            self.data.read(&mut out[..1])
        }
    }
    struct Counting(Arc<Mutex<usize>>);
    impl Write for Counting {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            *self.0.lock().unwrap() += data.len();
            Ok(data.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let content = content();
    let packed = vatic::compress(&content, &options(1)).unwrap();
    let info = vatic::info::list(Cursor::new(&packed)).unwrap();
    let written_before_next = |read_ahead| {
        let written = Arc::new(Mutex::new(0));
        let mut reader = Asked {
            data: &packed,
            written: written.clone(),
            log: Vec::new(),
        };
        let options = ahead(2).read_ahead(read_ahead);
        vatic::copy_decompress(&mut reader, Counting(written), &options).unwrap();
        // When the first byte after the first frame was asked for.
        let after = info.frames[0].payload_offset + info.frames[0].payload_bytes;
        let left = packed.len() - after as usize;
        let first = reader.log.iter().find(|&&(rest, _)| rest == left).unwrap();
        first.1
    };
    assert_eq!(written_before_next(false), FRAME);
    assert_eq!(written_before_next(true), 0);
}

/// Takes so many writes and no more.
struct Full(usize);
impl Write for Full {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
        Ok(data.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_fails_ends_it() {
    let content = content();
    let packed = vatic::compress(&content, &options(1)).unwrap();
    for writes in 0..3 {
        let failed = vatic::copy_compress(&content[..], Full(writes), &options(2));
        assert!(matches!(failed, Err(Error::Write(_))));
        let failed = vatic::copy_decompress(&packed[..], Full(writes), &ahead(2));
        assert!(matches!(failed, Err(Error::Write(_))));
    }
}

#[test]
fn progress_goes_up_to_the_whole_in_both_directions() {
    let content = content();
    let seen = Arc::new(Mutex::new(Vec::<Progress>::new()));
    let hook = || {
        let log = seen.clone();
        move |at| log.lock().unwrap().push(at)
    };
    let check = |packed: usize| {
        let seen = std::mem::take(&mut *seen.lock().unwrap());
        assert!(seen.is_sorted_by_key(|at| at.content_bytes));
        let last = seen.last().unwrap();
        assert_eq!(last.content_bytes, content.len() as u64);
        assert_eq!(last.coded_bytes, packed as u64);
        // Halfway through the content it is somewhere in the middle of the data as well.
        let middle = content.len() as u64 / 2;
        let middle = seen.iter().find(|at| at.content_bytes >= middle).unwrap();
        assert!(
            (1..packed as u64).contains(&middle.coded_bytes),
            "{middle:?}"
        );
    };
    for threads in [1, 2] {
        let options = options(threads).progress(hook());
        let packed = vatic::compress(&content, &options).unwrap();
        check(packed.len());
        for (read_ahead, at_once) in [(false, false), (true, false), (true, true)] {
            let options = ahead(threads).read_ahead(read_ahead).at_once(at_once);
            unpack(&packed, &options.progress(hook())).1.unwrap();
            check(packed.len());
        }
        let mut writer =
            vatic::write::Decoder::with_options(Vec::new(), DecodeOptions::new().progress(hook()));
        writer.write_all(&packed).unwrap();
        writer.finish().unwrap();
        check(packed.len());
    }
}

/// Keeps what it is given, part by part.
#[derive(Default)]
struct Parts(Vec<Vec<u8>>);

impl Write for &mut Parts {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.push(data.to_vec());
        Ok(data.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is written before the frame's checksum was compared is as much of the content as there is.
fn comes_at_once(content: &[u8], options: &Options) {
    let packed = vatic::compress(content, options).unwrap();
    let info = vatic::info::list(Cursor::new(&packed)).unwrap();
    assert_eq!(info.frames.len(), 1);
    for at_once in [false, true] {
        let options = DecodeOptions::new().threads(2).at_once(at_once);
        let mut parts = Parts::default();
        vatic::copy_decompress(&packed[..], &mut parts, &options).unwrap();
        assert_eq!(parts.0.len() > 3, at_once, "{} parts", parts.0.len());
        assert!(parts.0.concat() == content);
        // Damage near the end: what came before it has been written by then, or nothing at all.
        let mut damaged = packed.clone();
        *damaged.last_mut().unwrap() ^= 0x55;
        damaged[packed.len() - 40] ^= 0x55;
        let mut parts = Parts::default();
        let failed = vatic::copy_decompress(&damaged[..], &mut parts, &options);
        assert!(matches!(failed, Err(Error::Checksum { frame: 0 })));
        let out = parts.0.concat();
        assert!(out.len() <= content.len());
        let right = out.iter().zip(content).take_while(|(a, b)| a == b).count();
        assert_eq!(right > content.len() / 8, at_once, "{right}");
        // Cut off: what is certain has been written, or nothing at all.
        for thirds in [1, 2, 3] {
            let cut = &packed[..packed.len() * thirds / 3 - 1];
            let mut parts = Parts::default();
            let failed = vatic::copy_decompress(cut, &mut parts, &options);
            assert!(matches!(failed, Err(Error::Truncated)));
            let out = parts.0.concat();
            assert!(content.starts_with(&out));
            let many = out.len() > content.len() * thirds / 10;
            assert_eq!(many, at_once, "{thirds}: {}", out.len());
        }
    }
}

#[test]
fn bytes_come_at_once_if_asked_for() {
    let options = Options::new().model(None).memory_log2(18);
    let files = [
        &include_bytes!("../../../fixtures/orders.json")[..],
        include_bytes!("../../../fixtures/service.log"),
        include_bytes!("../../../fixtures/stations.csv"),
    ];
    comes_at_once(&files.concat(), &options.mode(Mode::Bytes));
}

#[cfg(feature = "model-swift")]
#[test]
fn tokens_come_at_once_if_asked_for() {
    let options = Options::new().model(Some(vatic::Model::swift()));
    let stations = include_bytes!("../../../fixtures/stations.csv");
    let files = [
        &include_bytes!("../../../fixtures/story.txt")[..],
        &stations[..24_000],
    ];
    for streams in [0, 1] {
        let options = options
            .clone()
            .mode(Mode::Tokens)
            .streams_log2(Some(streams));
        comes_at_once(&files.concat(), &options);
    }
    // Nobody reads on: the rest is not decoded.
    let packed = vatic::compress(&files.concat(), &options).unwrap();
    let reached = Arc::new(Mutex::new(0));
    let hook = reached.clone();
    let options = DecodeOptions::new()
        .at_once(true)
        .progress(move |at| *hook.lock().unwrap() = at.content_bytes as usize);
    let failed = vatic::copy_decompress(&packed[..], Full(0), &options);
    assert!(matches!(failed, Err(Error::Write(_))));
    assert!(*reached.lock().unwrap() < files.concat().len());
}

/// A stream that was flushed after every few lines: many small frames of tokens, which are decoded in bunches, with others among them.
#[cfg(feature = "model-swift")]
#[test]
fn small_frames_of_one_member_are_decoded_together() {
    const STORY: &[u8] = include_bytes!("../../../fixtures/story.txt");
    let options = Options::new().model(Some(vatic::Model::swift()));
    let mut encoder = vatic::write::Encoder::new(Vec::new(), options).unwrap();
    let mut ends = vec![0];
    let mut content = Vec::new();
    for n in 0..70 {
        let piece = match n {
            20 => &[b'0'; 5000],
            50 => &content.clone()[..9000],
            _ => &STORY[n * 97..][..n * n * 31 % 500 + 1],
        };
        encoder.write_all(piece).unwrap();
        encoder.flush().unwrap();
        content.extend(piece);
        ends.push(content.len());
    }
    let packed = encoder.finish().unwrap();
    let info = vatic::info::list(Cursor::new(&packed)).unwrap();
    assert_eq!(info.frames.len(), 70);
    for threads in [1, 2, 3] {
        let (out, stats) = unpack(&packed, &ahead(threads));
        assert!(out == content);
        let stats = stats.unwrap();
        assert_eq!(stats.frames.len(), 70);
        assert_eq!(stats.coded_bytes, packed.len() as u64);
    }
    for n in [0, 1, 30, 69] {
        let mut damaged = packed.clone();
        damaged[info.frames[n].payload_offset as usize] ^= 0x55;
        let (out, stats) = unpack(&damaged, &ahead(2));
        assert!(out == content[..ends[n]], "frame {n}");
        let frame = n as u64;
        assert!(matches!(stats, Err(Error::Checksum { frame: f }) if f == frame));
    }
}
