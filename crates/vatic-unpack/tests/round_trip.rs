//! Streams of zlib's, of others', and what only looks like streams: all come back, and zlib's are told from little.

use std::io::Write;

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;
use vatic_unpack::{Unpacked, pack, unpack, unpack_with};

const ROOM: usize = 1 << 22;

/// Packs what was unpacked.
fn packed(unpacked: &Unpacked) -> Vec<u8> {
    let (mut data, size) = (Vec::new(), unpacked.used);
    let mut give = |bytes: &[u8]| data.extend_from_slice(bytes);
    pack(
        &unpacked.content,
        &unpacked.recipe,
        size,
        usize::MAX,
        &mut give,
    )
    .expect("what was unpacked");
    data
}

/// Unpacks, after it was made sure that the data comes back.
fn apart(data: &[u8]) -> Option<Unpacked> {
    let unpacked = unpack(data, ROOM)?;
    assert!(packed(&unpacked) == data, "it did not come back");
    Some(unpacked)
}

/// What zlib makes of `content`.
fn zlib(content: &[u8], level: u32, window_bits: u8) -> Vec<u8> {
    let mut zlib = Compress::new_with_window_bits(Compression::new(level), true, window_bits);
    let mut out = Vec::with_capacity(2 * content.len() + 1000);
    zlib.compress_vec(content, &mut out, FlushCompress::Finish)
        .expect("no input is wrong");
    out
}

/// Texts that repeat themselves, in ways that bring matches of all lengths and distances.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..40),
        prop::collection::vec(0u8..4, 1..300),
        "[a-f ]{1,60}".prop_map(String::into_bytes),
        (any::<u8>(), 1usize..2000).prop_map(|(byte, count)| vec![byte; count]),
    ];
    let pieces = prop::collection::vec(piece, 1..12);
    (
        pieces,
        prop::collection::vec(any::<prop::sample::Index>(), 30..400),
    )
        .prop_map(|(pieces, order)| {
            let chosen = order.iter().map(|index| index.get(&pieces).as_slice());
            chosen.collect::<Vec<_>>().concat()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_zlib_wrote(content in content(), level in 0u32..=9, window_bits in 9u8..=15) {
        let data = zlib(&content, level, window_bits);
        if let Some(unpacked) = apart(&data) {
            prop_assert_eq!(unpacked.streams, 1);
            prop_assert!(unpacked.content.windows(content.len()).any(|part| part == content));
            // Some numbers for the stream, a few bytes for each block. Where a sample was not enough to tell the level, more.
            if level > 0 && content.len() < 1 << 15 {
                let most = 24 + 5 * content.len() / 10_000;
                prop_assert!(unpacked.recipe.len() <= most, "{} bytes of recipe", unpacked.recipe.len());
            }
        } else {
            prop_assert!(data.len() < 120 + content.len() / 50, "{} bytes were left as they are", data.len());
        }
    }

    #[test]
    fn what_another_encoder_wrote(content in content(), level in 1u8..=10) {
        apart(&miniz_oxide::deflate::compress_to_vec_zlib(&content, level));
    }

    #[test]
    fn what_was_cut_off_or_damaged(content in content(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut data = zlib(&content, 6, 15);
        apart(&data[..at.index(data.len())]);
        let at = at.index(data.len());
        data[at] = byte;
        apart(&data);
    }

    #[test]
    fn pictures_that_were_damaged(
        name in prop::sample::select(&["hills.jpg", "restarts.jpg", "scans.jpg"][..]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut data = file(name);
        for (at, byte) in damage {
            let at = at.index(data.len());
            data[at] = byte;
        }
        apart(&data);
    }

    #[test]
    fn several_streams_between_other_data(parts in prop::collection::vec((content(), any::<bool>(), "[ -~]{0,40}"), 1..5)) {
        let mut data = Vec::new();
        for (content, gzip, between) in &parts {
            data.extend(between.as_bytes());
            if *gzip {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(content).unwrap();
                data.extend(encoder.finish().unwrap());
            } else {
                data.extend(zlib(content, 6, 15));
            }
        }
        apart(&data);
    }

    #[test]
    fn what_only_looks_like_streams(data in prop::collection::vec(prop_oneof![
        Just(vec![0x1F, 0x8B, 8, 0]),
        Just(vec![0x78, 0x9C]),
        Just(b"PK\x03\x04\x14\0\0\0\x08\0".to_vec()),
        Just(b"\x89PNG\r\n\x1A\n\0\0\0\x05IDAT\x78\x9C".to_vec()),
        Just(vec![0; 20]),
        Just(vec![1, 2, 0, 0xFD, 0xFF, 0x78, 0x9C]),
        Just(vec![0xFF, 0xD8, 0xFF, 0xC2, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0]),
        Just(vec![0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0x10]),
        Just(vec![0xFF, 0xD9]),
        prop::collection::vec(any::<u8>(), 0..200),
    ], 0..60)) {
        apart(&data.concat());
    }

    #[test]
    fn any_recipe_is_refused_or_packs_something(
        recipe in prop::collection::vec(prop_oneof![0u8..32, any::<u8>()], 0..80),
        content in prop::collection::vec(0u8..4, 0..300),
        size in 0usize..1000,
    ) {
        let mut given = 0;
        let done = pack(&content, &recipe, size, usize::MAX, &mut |bytes| given += bytes.len());
        prop_assert!(given <= size && (done.is_err() || given == size));
    }

    #[test]
    fn damaged_recipes(content in content(), level in 1u8..=9, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let data = miniz_oxide::deflate::compress_to_vec_zlib(&content, level);
        if let Some(mut unpacked) = apart(&data) {
            let at = at.index(unpacked.recipe.len());
            unpacked.recipe[at] = byte;
            let mut given = 0;
            let done = pack(&unpacked.content, &unpacked.recipe, data.len(), usize::MAX, &mut |bytes| given += bytes.len());
            prop_assert!(given <= data.len() && (done.is_err() || given == data.len()));
        }
    }
}

/// A file of `tests/data`.
fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn files_of_other_programs() {
    // Name, streams, the most that their recipes take.
    for (name, streams, most) in [
        ("story.gz", 1, 16),
        ("notes.zip", 2, 30),
        // Twelve bytes between two pieces.
        ("hills.png", 1, 80),
        // What followed a full flush may not refer to what was before it: that is said match by match.
        ("flushed.zz", 1, 2000),
        ("miniz.zz", 1, 150),
        ("inside.gz", 1, 16),
        ("screen.png", 1, 40),
        // One of ten has Huffman codes alone, as no level of zlib's does.
        ("levels.zz", 9, 110),
        // Some ten bytes for a scan.
        ("hills.jpg", 1, 95),
        ("restarts.jpg", 1, 110),
        ("grey.jpg", 1, 55),
        ("scans.jpg", 1, 110),
    ] {
        let unpacked = apart(&file(name)).expect(name);
        assert_eq!(unpacked.streams, streams, "{name}");
        assert!(
            unpacked.recipe.len() <= most,
            "{name}: {}",
            unpacked.recipe.len()
        );
    }
}

#[test]
fn what_a_stream_says_has_to_have_room() {
    // Of two long streams and a short one: as many blocks as there is room for of the first, or whole ones, and what is between them.
    let noise = |n: u32| (n.wrapping_mul(2_654_435_761) >> 13) as u8 & 15;
    let long: Vec<u8> = (0..300_000).map(noise).collect();
    let first = zlib(&long, 6, 15);
    let all = [
        &first[..],
        b"between",
        &first,
        b"and",
        &zlib(&long[..2000], 6, 15),
        b"end",
    ]
    .concat();
    let mut last = (0, 0);
    for room in (0..700_000).step_by(9973) {
        let Some(unpacked) = unpack(&all, room) else {
            assert_eq!(room, 0);
            continue;
        };
        assert!(unpacked.content.len() <= room);
        assert!(packed(&unpacked) == all[..unpacked.used]);
        // The second stream is not cut: it is for the next one, who has room for it.
        let second = first.len() + b"between".len();
        let is_whole = unpacked.used <= second || unpacked.used >= second + first.len();
        assert!(is_whole || unpacked.streams == 1, "{room}");
        assert!(unpacked.streams >= last.0, "{room}");
        last = (unpacked.streams, unpacked.used);
    }
    assert_eq!(last, (3, all.len()));
}

/// What had no room comes next, so that all is taken apart in the end.
#[test]
fn nothing_is_left_for_want_of_room() {
    let noise = |n: u32| (n.wrapping_mul(2_654_435_761) >> 13) as u8 & 15;
    // Of one block each, and with other data between them.
    let streams = (0..8).map(|n| {
        zlib(
            &(n * 9000..(n + 2) * 9000).map(noise).collect::<Vec<_>>(),
            6,
            15,
        )
    });
    let data = streams.flat_map(|stream| [stream, vec![b'-'; 700]].concat());
    let data: Vec<u8> = data.collect();
    for room in [19_000, 25_000, 40_000, 70_000, 1 << 20] {
        let (mut rest, mut streams) = (&data[..], 0);
        while !rest.is_empty() {
            let Some(unpacked) = unpack(rest, room) else {
                break;
            };
            assert!(unpacked.content.len() <= room && unpacked.used > 0);
            assert!(packed(&unpacked) == rest[..unpacked.used]);
            streams += unpacked.streams;
            rest = &rest[unpacked.used..];
        }
        assert_eq!(streams, 8, "{room}");
    }
}

#[test]
fn rows_have_pixels_where_they_are_better() {
    let screen = file("screen.png");
    // Its stream in a PDF file, which says what it has.
    let length = |at: usize| u32::from_be_bytes(*screen[at..].first_chunk().unwrap()) as usize;
    let body = &screen[41..][..length(33)];
    let named =
        "1 0 obj <</DecodeParms <</Predictor 15 /Colors 4 /Columns 200>> /Length 9>> stream\r\n";
    let pdf = [named.as_bytes(), body, b"endstream"].concat();
    let unknown = [&named.as_bytes()[7..], body, b"endstream"].concat();
    for (data, pictures) in [(&screen, 1), (&pdf, 1), (&unknown, 0)] {
        let mut asked = 0;
        let mut content = |is_better| {
            let unpacked = unpack_with(data, ROOM, false, &mut |picture| {
                asked += 1;
                assert_eq!(picture.size(), 801 * 90);
                assert!((3000..5000).contains(&picture.coded()));
                let (rows, pixels) = picture.sample(10_000);
                assert_eq!((rows.len(), pixels.len()), (801 * 12, 800 * 12));
                assert!(rows.iter().step_by(801).all(|&filter| filter < 5));
                assert!(
                    pixels
                        .iter()
                        .skip(3)
                        .step_by(4)
                        .all(|&opaque| opaque == 255)
                );
                is_better
            });
            let unpacked = unpacked.unwrap();
            assert!(packed(&unpacked) == *data);
            unpacked.content
        };
        let (pixels, rows) = (content(true), content(false));
        assert_eq!(asked, 2 * pictures);
        assert_eq!(pixels == rows, pictures == 0);
        assert_eq!(pixels.len(), rows.len());
        let smaller = zlib(&pixels, 6, 15).len() * 10 < zlib(&rows, 6, 15).len() * 8;
        assert_eq!(smaller, pictures > 0);
    }
}

/// Streams that have no room stay as they are, and what follows them is there too.
#[test]
fn all_of_it_or_none() {
    let noise = |n: u32| (n.wrapping_mul(2_654_435_761) >> 13) as u8 & 15;
    let stream = |from: u32, to: u32| zlib(&(from..to).map(noise).collect::<Vec<_>>(), 6, 15);
    let (long, short) = (stream(0, 60_000), stream(60_000, 72_000));
    let data = [&short[..], b"between", &long, b"and", &short, b"end"].concat();
    let unpack_all = |data: &[u8], room| unpack_with(data, room, true, &mut |_| true);
    assert_eq!(unpack_all(&data, data.len() - 1), None);
    assert_eq!(unpack_all(b"no streams", 1000), None);
    // What one says has room beside all of the data, and what two say, the first one in its place: zlib's header and checksum stay.
    let one = data.len() + 12_000;
    let two = one - (short.len() - 6) + 12_000;
    let mut last = 0;
    let rooms = (data.len()..90_000).step_by(997);
    for room in rooms.chain([one - 1, one, two - 1, two]) {
        let streams = unpack_all(&data, room).map_or(0, |unpacked| {
            assert_eq!(unpacked.used, data.len());
            assert!(unpacked.content.len() <= room && packed(&unpacked) == data);
            assert!(unpacked.content.ends_with(b"end"));
            unpacked.streams
        });
        assert_eq!((streams >= 1, streams >= 2), (room >= one, room >= two));
        last = last.max(streams);
    }
    assert_eq!(last, 3);
}

/// At each fourth byte a stream seems to begin that reads on to the end, where it turns out to be none: that has to be given up, or it takes hours.
#[test]
fn data_that_was_made_to_take_long_is_left_as_it_is() {
    let data = [0x78, 0x9C, 0x63, 0x51].repeat(1 << 18);
    assert_eq!(unpack(&data, ROOM), None);
}

/// Headers within headers, and pictures of which each claims all there is room for, scan after scan.
#[test]
fn pictures_that_were_made_to_take_long_are_left_as_they_are() {
    let within = [&[0xFF, 0xD8][..], &[0xFF, 0xE1, 0xFF, 0xFF].repeat(1 << 14)].concat();
    assert_eq!(unpack(&within.repeat(32), ROOM), None);
    let frame = [0xFF, 0xC2, 0, 11, 8, 0x10, 0, 0x20, 0, 1, 1, 0x11, 0];
    let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0x10, 0xFF];
    let picture = [&[0xFF, 0xD8][..], &frame, &scan].concat();
    assert_eq!(unpack(&picture.repeat(1 << 14), ROOM), None);
}

#[test]
fn a_picture_without_room_comes_next() {
    let picture = file("scans.jpg");
    let two = [&picture[..], &picture].concat();
    let both = apart(&two).unwrap();
    assert_eq!((both.streams, both.used), (2, two.len()));
    // Its end marker would not be part of it.
    let room = both.content.len() - 3;
    let first = unpack(&two, room).unwrap();
    assert_eq!((first.streams, first.used), (1, picture.len()));
    assert!(packed(&first) == picture);
    // If all of it has to be there, the second one stays as it is; that it is shorter so is chance.
    let all = unpack_with(&two, room, true, &mut |_| true);
    assert!(all.is_none_or(|all| all.used == two.len() && packed(&all) == two));
}

#[test]
fn a_recipe_has_to_fit() {
    recipe_has_to_fit("story.gz");
    recipe_has_to_fit("hills.jpg");
}

fn recipe_has_to_fit(name: &str) {
    let data = file(name);
    let unpacked = apart(&data).unwrap();
    let fits = |content: &[u8], recipe: &[u8], size| {
        pack(content, recipe, size, usize::MAX, &mut |_| {}).is_ok()
    };
    let Unpacked {
        content, recipe, ..
    } = &unpacked;
    assert!(fits(content, recipe, data.len()));
    assert!(!fits(content, recipe, data.len() - 1));
    assert!(!fits(content, recipe, data.len() + 1));
    assert!(!fits(&content[1..], recipe, data.len()));
    assert!(!fits(content, &[&recipe[..], &[0]].concat(), data.len()));
    for length in 0..recipe.len() {
        assert!(!fits(content, &recipe[..length], data.len()), "{length}");
    }
}

#[test]
fn raw_streams_are_not_looked_for() {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&file("make.py")).unwrap();
    assert_eq!(unpack(&encoder.finish().unwrap(), ROOM), None);
}
