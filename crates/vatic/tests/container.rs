//! The container through the public interface: round trips, damage, adaptors, limits.

use std::io::{Cursor, Read, Write};

#[path = "common/code.rs"]
mod code;
mod common;

use common::noise;
use proptest::prelude::*;
use vatic::{DecodeOptions, Error, Mode, Options};

fn prose(n: usize) -> Vec<u8> {
    let text = "The old lighthouse keeper climbed the stairs every evening, counting them under his breath. \
        On the ninety-first he would stop, look out of the small window to the west, and say good night to the sea. ";
    text.bytes().cycle().take(n).collect()
}

/// No model: what the container does does not depend on one, and is quick without.
fn plain() -> Options {
    Options::new().model(None).memory_log2(18)
}

/// Content of many kinds: none, noise, runs, repeated stretches, text.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        (any::<u8>(), 0..2000usize).prop_map(|(byte, n)| vec![byte; n]),
        (1..3000usize).prop_map(prose),
        (1..3000usize, any::<u64>()).prop_map(|(n, seed)| noise(n, seed)),
        (proptest::collection::vec(any::<u8>(), 1..9), 1..200usize)
            .prop_map(|(bytes, n)| bytes.repeat(n)),
        "\\PC{0,200}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

/// A reader that gives at most so many bytes at a time.
struct Slow<R>(R, usize);

impl<R: Read> Read for Slow<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = out.len().min(self.1);
        self.0.read(&mut out[..n])
    }
}

fn read_all(mut reader: impl Read, step: usize) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    let mut buffer = vec![0; step];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(all),
            n => all.extend(&buffer[..n]),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_content_comes_back(content in content()) {
        let packed = vatic::compress(&content, &plain().verify(true)).unwrap();
        prop_assert!(packed.len() <= content.len() + vatic::MAX_OVERHEAD);
        prop_assert_eq!(vatic::decompress(&packed).unwrap(), content.clone());
        let message = vatic::message::compress(&content, &plain()).unwrap();
        prop_assert!(message.len() <= content.len() + 1);
        prop_assert_eq!(vatic::message::decompress(&message, &plain(), content.len()).unwrap(), content);
    }

    #[test]
    fn any_bytes_are_data_or_an_error(mut data in proptest::collection::vec(any::<u8>(), 0..200), magic in any::<bool>()) {
        if magic {
            data.splice(0..0, vatic::MAGIC);
        }
        let options = DecodeOptions::new().max_memory(1 << 27);
        let _ = vatic::decompress_with(&data, &options);
        let _ = vatic::info::list(Cursor::new(&data));
        let _ = vatic::message::decompress(&data, &plain(), 1 << 16);
        let _ = vatic::Prior::from_bytes(&data);
    }

    #[test]
    fn adaptors_agree_at_any_pace(content in content(), slow in 1..700usize, step in 1..700usize) {
        let packed = vatic::compress(&content, &plain()).unwrap();
        let read = read_all(vatic::read::Encoder::new(Slow(&content[..], slow), plain()).unwrap(), step).unwrap();
        prop_assert_eq!(&read, &packed);
        let mut writer = vatic::write::Encoder::new(Vec::new(), plain()).unwrap();
        content.chunks(step).for_each(|chunk| writer.write_all(chunk).unwrap());
        prop_assert_eq!(&writer.finish().unwrap(), &packed);

        let back = read_all(vatic::read::Decoder::new(Slow(&packed[..], slow)), step).unwrap();
        prop_assert_eq!(&back, &content);
        let mut writer = vatic::write::Decoder::new(Vec::new());
        packed.chunks(step).for_each(|chunk| writer.write_all(chunk).unwrap());
        prop_assert_eq!(&writer.finish().unwrap(), &content);
    }
}

/// Several frames, a skippable one, two members.
fn everything() -> (Vec<u8>, Vec<u8>) {
    let first = [prose(70_000), noise(70_000, 1), vec![0; 70_000]].concat();
    let mut packed = vatic::compress(&first, &plain().frame_size(1 << 16)).unwrap();
    packed.extend(vatic::skippable(b"a note").unwrap());
    packed.extend(vatic::compress(b"and a second member", &plain()).unwrap());
    (packed, [&first[..], b"and a second member"].concat())
}

#[test]
fn nothing_and_single_bytes() {
    assert_eq!(vatic::compress(b"", &plain()).unwrap().len(), 5);
    for byte in 0..=255 {
        let packed = vatic::compress(&[byte], &plain()).unwrap();
        assert!(packed.len() <= 1 + vatic::MAX_OVERHEAD);
        assert_eq!(vatic::decompress(&packed).unwrap(), [byte]);
    }
}

#[test]
fn noise_grows_by_at_most_16_bytes() {
    for n in [1, 2, 100, 255, 256, 65_535, 65_536, 1 << 20, (1 << 24) + 1] {
        let content = noise(n, n as u64);
        let packed = vatic::compress(&content, &plain()).unwrap();
        assert!(
            packed.len() <= n + vatic::MAX_OVERHEAD,
            "{n} bytes became {}",
            packed.len()
        );
        assert_eq!(
            vatic::info::list(Cursor::new(&packed)).unwrap().frames[0].mode,
            Mode::Stored
        );
        assert_eq!(vatic::decompress(&packed).unwrap(), content);
    }
}

#[test]
fn noise_that_repeats_is_not_stored() {
    let content = noise(100_000, 3).repeat(2);
    // Tables as large as they like: what repeats lies 100,000 bytes back.
    let packed = vatic::compress(&content, &Options::new().model(None)).unwrap();
    assert!(packed.len() < 110_000, "{}", packed.len());
}

#[test]
fn members_and_skippable_frames_decode_as_one() {
    let (packed, content) = everything();
    assert_eq!(vatic::decompress(&packed).unwrap(), content);
    let info = vatic::info::list(Cursor::new(&packed)).unwrap();
    assert_eq!((info.members, info.skippable, info.frames.len()), (3, 1, 5));
    assert_eq!(
        (info.content_bytes, info.coded_bytes),
        (content.len() as u64, packed.len() as u64)
    );
    let offsets: Vec<u64> = info
        .frames
        .iter()
        .map(|frame| frame.content_offset)
        .collect();
    assert_eq!(offsets, [0, 65_536, 131_072, 196_608, 210_000]);
}

#[test]
fn ranges_are_slices() {
    let (packed, content) = everything();
    let n = content.len();
    for range in [
        0..0,
        0..1,
        0..n,
        65_535..65_537,
        131_072..131_073,
        209_990..n,
        100..n + 1000,
        n..n,
        std::ops::Range { start: 5, end: 3 },
    ] {
        for at_once in [false, true] {
            let mut part = Vec::new();
            let wanted = range.start as u64..range.end as u64;
            let options = DecodeOptions::new().at_once(at_once);
            vatic::decompress_range(Cursor::new(&packed), wanted, &mut part, &options).unwrap();
            assert_eq!(
                part,
                content[range.start..range.end.clamp(range.start, n)],
                "{range:?}"
            );
        }
    }
    let beyond = n as u64 + 1..n as u64 + 2;
    let failed = vatic::decompress_range(
        Cursor::new(&packed),
        beyond,
        std::io::sink(),
        &DecodeOptions::new(),
    );
    assert!(matches!(failed, Err(Error::Setting { .. })));
}

#[test]
fn every_cut_is_noticed() {
    let (packed, content) = everything();
    let second = vatic::compress(b"and a second member", &plain()).unwrap();
    let member_ends = [packed.len() - second.len()];
    let note = vatic::skippable(b"a note").unwrap().len();
    for cut in
        (0..packed.len()).filter(|cut| cut % 9973 == 0 || cut + 75 > packed.len() || *cut < 25)
    {
        let decoded = vatic::decompress(&packed[..cut]);
        if cut == member_ends[0] || cut == member_ends[0] - note {
            // What is left is whole members: nothing can tell that there were more.
            assert_eq!(decoded.unwrap(), content[..210_000]);
        } else {
            assert!(
                matches!(decoded, Err(Error::Truncated | Error::NotVatic)),
                "cut at {cut}: {decoded:?}"
            );
        }
        let mut writer = vatic::write::Decoder::new(Vec::new());
        writer.write_all(&packed[..cut]).unwrap();
        let listed = vatic::info::list(Cursor::new(&packed[..cut]));
        assert_eq!(writer.finish().is_err(), listed.is_err(), "cut at {cut}");
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    for options in [
        plain(),
        plain().mode(Mode::Stored),
        plain().frame_size(1 << 16),
    ] {
        let content = prose(700);
        let packed = vatic::compress(&content, &options).unwrap();
        let decode = DecodeOptions::new().max_memory(1 << 29);
        for bit in 0..packed.len() * 8 {
            let mut damaged = packed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            match vatic::decompress_with(&damaged, &decode) {
                Err(error) => assert!(error.to_string().len() > 20),
                // Some bits of a header, such as the cap of tables that stay below it, change nothing.
                Ok(decoded) => assert_eq!(decoded, content, "bit {bit}"),
            }
        }
    }
}

#[test]
fn frames_lost_doubled_or_moved_are_noticed() {
    let content = [prose(65_536), noise(65_536, 1), noise(65_536, 2), prose(10)].concat();
    let packed = vatic::compress(&content, &plain().frame_size(1 << 16)).unwrap();
    let frames = vatic::info::list(Cursor::new(&packed)).unwrap().frames;
    // Frames 1 and 2 are stored and of one size, with the same header of 8 bytes.
    let end = |i: usize| (frames[i].payload_offset + frames[i].payload_bytes) as usize;
    let (a, b, c) = (end(0), end(1), end(2));
    let lost = [&packed[..a], &packed[b..]].concat();
    let doubled = [&packed[..b], &packed[a..]].concat();
    let moved = [&packed[..a], &packed[b..c], &packed[a..b], &packed[c..]].concat();
    for damaged in [lost, doubled, moved] {
        assert!(matches!(
            vatic::decompress(&damaged),
            Err(Error::Checksum { frame: 1 | 2 })
        ));
    }
}

#[test]
fn strangers_get_a_sentence() {
    let packed = vatic::compress(b"text", &plain()).unwrap();
    assert!(matches!(vatic::decompress(b""), Err(Error::NotVatic)));
    assert!(matches!(
        vatic::decompress(b"plain text"),
        Err(Error::NotVatic)
    ));
    assert!(matches!(
        vatic::decompress(b"\xF6vt\x07...."),
        Err(Error::Version { found: 7 })
    ));
    let trailing = [&packed[..], b"more"].concat();
    assert!(matches!(
        vatic::decompress(&trailing),
        Err(Error::TrailingGarbage { .. })
    ));
    // A control frame of a kind that does not exist yet.
    assert!(matches!(
        vatic::decompress(b"\xF6vt\x05\x1B"),
        Err(Error::Unsupported { .. })
    ));
}

#[test]
fn a_message_of_any_length_costs_two_bytes_more_than_its_payload() {
    let line =
        |n: usize| format!("{n} sheep went past, {} of them black.\n", n * n % 7).into_bytes();
    let content: Vec<u8> = (0..4000).flat_map(line).collect();
    for length in [8191, 8192, 8193, 16_383, 16_384, 40_000, 131_072, 131_073] {
        let content = &content[..length];
        let message = vatic::message::compress(content, &plain()).unwrap();
        assert_eq!(
            vatic::message::decompress(&message, &plain(), length).unwrap(),
            content
        );
        assert!(matches!(
            vatic::message::decompress(&message, &plain(), length - 1),
            Err(Error::MessageTooLong { says, .. }) if says == length as u64
        ));
        // The same content in a frame, whose header says the length: the payload differs by the bits of it, and by rounding.
        let frame = vatic::compress(content, &plain()).unwrap();
        let payload = vatic::info::list(Cursor::new(&frame)).unwrap().frames[0].payload_bytes;
        assert!((message.len() as u64) <= payload + 2 + 2, "{length}");
    }
}

#[test]
fn hostile_lengths_cost_nothing() {
    // Coded bytes, 2^28 of content claimed, 9 bytes of payload claimed, none there.
    let hostile = b"\xF6vt\x05\xE1\x03\xFF\xFF\xFF\x9F\x00\x00\x00\x01\x02\x03\x04";
    assert!(matches!(vatic::decompress(hostile), Err(Error::Truncated)));
    let limit = DecodeOptions::new().max_memory(1 << 27);
    assert!(matches!(
        vatic::decompress_with(hostile, &limit),
        Err(Error::TooLarge { .. })
    ));
    let skip = b"\xF6vt\x05\x27\xFF\xFF\xFF\xFF";
    assert!(matches!(vatic::decompress(skip), Err(Error::Truncated)));
    let message = b"\xFE\xFF\xFF\xFF\x0F";
    assert!(matches!(
        vatic::message::decompress(message, &plain(), usize::MAX),
        Err(Error::Corrupt { .. })
    ));
    let message = b"\xFE\x7F";
    assert!(matches!(
        vatic::message::decompress(message, &plain(), 100),
        Err(Error::MessageTooLong { .. })
    ));
}

#[test]
fn settings_out_of_range_are_refused() {
    for options in [
        plain().frame_size(1000),
        plain().frame_size(usize::MAX),
        plain().memory_log2(5),
        plain().streams_log2(Some(8)),
        plain().mode(Mode::Tokens),
    ] {
        assert!(
            matches!(vatic::compress(b"x", &options), Err(Error::Setting { .. })),
            "{options:?}"
        );
        assert!(matches!(
            vatic::message::compress(b"x", &options),
            Err(Error::Setting { .. })
        ));
    }
}

#[test]
fn flushing_makes_what_was_written_decodable() {
    let mut encoder = vatic::write::Encoder::new(Vec::new(), plain()).unwrap();
    encoder.write_all(b"first part, ").unwrap();
    encoder.flush().unwrap();
    encoder.flush().unwrap();
    let mut decoder = vatic::read::Decoder::new(&encoder.get_ref()[..]);
    let mut part = [0; 12];
    decoder.read_exact(&mut part).unwrap();
    assert_eq!(&part, b"first part, ");
    // The end is still to come.
    assert_eq!(
        decoder.read(&mut part).unwrap_err().kind(),
        std::io::ErrorKind::UnexpectedEof
    );
    encoder.write_all(b"second part").unwrap();
    encoder.flush().unwrap();
    assert_eq!(
        vatic::decompress(&encoder.finish().unwrap()).unwrap(),
        b"first part, second part"
    );
}

#[test]
fn dropping_finishes_when_told_to() {
    let mut out = Vec::new();
    vatic::write::Encoder::new(&mut out, plain())
        .unwrap()
        .auto_finish()
        .write_all(b"text")
        .unwrap();
    assert_eq!(vatic::decompress(&out).unwrap(), b"text");
}

#[test]
fn stats_and_progress_add_up() {
    use std::sync::{Arc, Mutex};
    let content = [prose(200_000), noise(70_000, 1)].concat();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let options = plain()
        .frame_size(1 << 16)
        .progress(move |progress| log.lock().unwrap().push(progress));
    let mut packed = Vec::new();
    let stats = vatic::copy_compress(&content[..], &mut packed, &options).unwrap();
    assert_eq!(
        (stats.content_bytes, stats.coded_bytes),
        (content.len() as u64, packed.len() as u64)
    );
    assert_eq!(
        stats
            .frames
            .iter()
            .map(|frame| frame.content_bytes)
            .sum::<u64>(),
        content.len() as u64
    );
    let seen = seen.lock().unwrap();
    assert!(
        seen.windows(2)
            .all(|pair| pair[0].content_bytes <= pair[1].content_bytes)
    );
    assert_eq!(seen.last().unwrap().content_bytes, content.len() as u64);
    let checked = vatic::info::check(&packed[..], &DecodeOptions::new()).unwrap();
    assert_eq!(
        (checked.content_bytes, checked.coded_bytes),
        (stats.content_bytes, stats.coded_bytes)
    );
}

#[test]
fn a_failing_writer_is_told_from_a_failing_reader() {
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::PermissionDenied.into())
        }
    }
    let kind = |result: vatic::Result<vatic::Stats>| match result.unwrap_err() {
        Error::Read(error) => ("read", error.kind()),
        Error::Write(error) => ("write", error.kind()),
        other => panic!("{other}"),
    };
    let packed = vatic::compress(b"text", &plain()).unwrap();
    assert_eq!(
        kind(vatic::copy_compress(&b"text"[..], Broken, &plain())),
        ("write", std::io::ErrorKind::BrokenPipe)
    );
    assert_eq!(
        kind(vatic::copy_compress(Broken, Vec::new(), &plain())),
        ("read", std::io::ErrorKind::PermissionDenied)
    );
    let decode = DecodeOptions::new();
    assert_eq!(
        kind(vatic::copy_decompress(&packed[..], Broken, &decode)),
        ("write", std::io::ErrorKind::BrokenPipe)
    );
    assert_eq!(
        kind(vatic::copy_decompress(Broken, Vec::new(), &decode)),
        ("read", std::io::ErrorKind::PermissionDenied)
    );
}

#[test]
fn everything_can_be_sent_to_another_thread() {
    fn sent<T: Send>() {}
    sent::<vatic::read::Encoder<Cursor<Vec<u8>>>>();
    sent::<vatic::bufread::Decoder<Cursor<Vec<u8>>>>();
    sent::<vatic::write::Encoder<Vec<u8>>>();
    sent::<vatic::write::AutoFinishEncoder<Vec<u8>>>();
    sent::<vatic::write::Decoder<Vec<u8>>>();
    sent::<(Options, DecodeOptions, vatic::Model, vatic::Prior, Error)>();
}

/// What is read belongs to the encoder, which filters it where it lies, and needs it again as it was.
#[test]
fn machine_code_that_is_read_is_coded_as_what_is_lent() {
    for content in [code::x86(3000), code::x86_64(3000), code::arm64(3000)] {
        let options = plain().verify(true);
        let lent = vatic::compress(&content, &options).unwrap();
        let info = vatic::info::list(Cursor::new(&lent)).unwrap();
        assert!(info.frames[0].filter.is_some());
        let mut read = Vec::new();
        vatic::copy_compress(&content[..], &mut read, &options).unwrap();
        assert!(read == lent);
        assert!(vatic::decompress(&read).unwrap() == content);
    }
}
