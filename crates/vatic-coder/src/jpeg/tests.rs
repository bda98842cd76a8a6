use super::block::{NUMBERS, PLACES};
use super::*;
use crate::photo::Photo;
use crate::{Decoder, Encoder, Model, Options, Tree, Vocabulary};
use proptest::prelude::*;
use std::sync::Arc;

fn noise(seed: u32) -> impl Iterator<Item = u8> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
}

fn pixels(photo: &Photo) -> Vec<u8> {
    let colours = photo.factors.len();
    let heights = noise(7).take(1 << 14).collect();
    crate::hills::picture(heights, noise(8), photo.width, colours)
        .take(photo.width * photo.height * colours)
        .collect()
}

fn photo(factors: &[[usize; 2]]) -> Photo {
    Photo {
        width: 100,
        height: 75,
        factors: factors.to_vec(),
        step: 6,
        restart: 0,
        apart: false,
    }
}

/// Grey, as cameras and as programs do it, and odd ones.
fn photos() -> Vec<Photo> {
    let mut all: Vec<Photo> = [
        &[[1, 1]][..],
        &[[2, 2], [1, 1], [1, 1]],
        &[[1, 1], [1, 1], [1, 1]],
        &[[2, 1], [1, 1], [1, 1]],
        &[[1, 2], [1, 1]],
        &[[3, 2], [2, 1], [1, 1]],
        &[[1, 1], [1, 1], [1, 1], [2, 1]],
    ]
    .map(photo)
    .to_vec();
    for n in 0..all.len() {
        let mut other = all[n].clone();
        (other.restart, other.apart) = (5, n % 2 == 0);
        all.push(other);
    }
    all
}

/// What has read these bytes, and how many of them were of a scan.
fn read(bytes: &[u8]) -> (Jpeg, usize) {
    let (mut jpeg, mut recent) = (Jpeg::new(true), Recent::new(1 << 20));
    let mut scans = 0;
    for &byte in bytes {
        scans += usize::from(jpeg.is_scan());
        if jpeg.is_scan() {
            (0..8).rev().for_each(|n| jpeg.bit(byte >> n & 1 > 0));
        }
        recent.push(byte);
        jpeg.byte(&recent);
        let ([sets @ .., _], last, _) = jpeg.situation();
        assert!(sets.iter().all(|&set| set < 4112) && last < 128);
    }
    (jpeg, scans)
}

/// The size of `content` coded, which is decoded again.
fn coded(content: &[u8], options: &Options) -> usize {
    let (vocabulary, tree) = (Arc::new(Vocabulary::bytes()), Arc::new(Tree::bytes()));
    let new = || Model::new(&vocabulary, &tree, options, 1, content.len() as u64).unwrap();
    let (mut model, mut encoder) = (new(), Encoder::new());
    let mut rest = content;
    while let Some((&byte, after)) = rest.split_first() {
        match model.encode_leap(rest, &mut encoder) {
            0 => {
                model.encode(0, None, byte.into(), &mut encoder);
                rest = after;
            }
            leapt => rest = &rest[leapt..],
        }
    }
    let payload = encoder.finish();
    let (mut model, mut decoder, mut decoded) = (new(), Decoder::new(&payload), Vec::new());
    while decoded.len() < content.len() {
        let left = content.len() - decoded.len();
        if model.decode_leap(left, &mut decoded, &mut decoder) == 0 {
            decoded.push(model.decode(0, None, &mut decoder) as u8);
        }
    }
    assert!(decoded == content);
    payload.len()
}

#[test]
fn the_order_of_a_scan() {
    let first = PLACES[..10]
        .iter()
        .map(|&[down, across]| 10 * down + across);
    assert_eq!(
        first.collect::<Vec<u8>>(),
        [0, 1, 10, 20, 11, 2, 3, 12, 21, 30]
    );
    assert_eq!(PLACES[63], [7, 7]);
    for (n, &[down, across]) in PLACES.iter().enumerate() {
        assert_eq!(
            usize::from(NUMBERS[usize::from(down)][usize::from(across)]),
            n
        );
    }
}

#[test]
fn scans_are_read_to_their_end() {
    for photo in photos() {
        let file = photo.jpeg(&pixels(&photo), &[]);
        let (jpeg, scans) = read(&file[..file.len() - 2]);
        assert!(!jpeg.is_scan() && jpeg.scan.is_done(), "{photo:?}");
        let marks = file.windows(2).filter(|pair| pair == &[0xFF, 0xDA]).count();
        assert!(
            scans > file.len() - 600 - 16 * marks,
            "{photo:?}: {scans} of {}",
            file.len()
        );
        assert_eq!(
            pictures(&file).as_slice(),
            std::slice::from_ref(&(0..file.len()))
        );
    }
}

#[test]
fn a_picture_within_a_picture() {
    let (small, large) = (
        photo(&[[2, 2], [1, 1], [1, 1]]),
        photo(&[[1, 1], [1, 1], [1, 1]]),
    );
    let small = Photo {
        width: 40,
        height: 30,
        restart: 2,
        ..small
    };
    let inside = small.jpeg(&pixels(&small), &[]);
    let thumbnail = [b"Exif\0\0", &inside[..], b"more"].concat();
    let file = large.jpeg(&pixels(&large), &thumbnail);
    let (jpeg, both) = read(&file[..file.len() - 2]);
    assert!(jpeg.scan.is_done());
    let alone = |file: &[u8]| read(file).1;
    let plain = large.jpeg(&pixels(&large), &[]);
    assert_eq!(both, alone(&inside) + alone(&plain));
    let content = [
        &noise(3).take(5000).collect::<Vec<u8>>(),
        &file,
        &b"text"[..],
        &plain,
    ]
    .concat();
    let end = 5000 + file.len();
    assert_eq!(pictures(&content), [5000..end, end + 4..content.len()]);
    // The small one alone, where the large one is cut off in its middle.
    let cut = &file[..thumbnail.len()];
    assert_eq!(pictures(cut).len(), 1);
}

#[test]
fn what_is_not_read() {
    let photo = photo(&[[2, 2], [1, 1], [1, 1]]);
    let file = photo.jpeg(&pixels(&photo), &[]);
    let at = |marker: u8| {
        file.windows(2)
            .position(|pair| pair == [0xFF, marker])
            .unwrap()
    };
    let with = |place: usize, byte: u8| {
        let mut file = file.clone();
        file[place] = byte;
        file
    };
    let (frame, scan) = (at(0xC0), at(0xDA));
    for changed in [
        // Progressive; of twelve bits; no width; nothing in an MCU; too wide; another scan; no such code.
        with(frame + 1, 0xC2),
        with(frame + 4, 12),
        [
            with(frame + 7, 0)[..frame + 8].to_vec(),
            vec![0],
            file[frame + 9..].to_vec(),
        ]
        .concat(),
        with(frame + 11, 0x02),
        with(frame + 7, 0xFF),
        with(scan + 11, 5),
        with(scan + 6, 0x33),
    ] {
        assert_eq!(read(&changed).1, 0);
        assert!(pictures(&changed).is_empty());
    }
    // A scan that is none is left.
    let broken = [&file[..scan + 14], &[0x7F; 400][..]].concat();
    let (jpeg, scans) = read(&broken);
    assert!(!jpeg.is_scan() && scans < 100, "{scans}");
}

/// Each application's segment holds the beginning of another picture, whose first segment ends where that one does.
#[test]
fn headers_within_headers_are_not_read_for_ever() {
    let unit = [0xFF, 0xE0, 0, 12, 0xFF, 0xD8, 0xFF, 0xE0, 0, 6, 0, 0, 0, 0];
    let content = [&[0xFF, 0xD8][..], &unit.repeat(200_000)].concat();
    assert!(pictures(&content).is_empty());
}

#[test]
fn pictures_become_smaller() {
    for photo in photos() {
        let file = photo.jpeg(&pixels(&photo), &[]);
        // Nothing but the scan differs from what it is without being read.
        let mut unread = file.clone();
        let frame = file
            .windows(2)
            .position(|pair| pair == [0xFF, 0xC0])
            .unwrap();
        unread[frame + 1] = 0xC2;
        for thorough in [false, true] {
            let options = Options {
                thorough,
                ..Options::default()
            };
            let (size, plain) = (coded(&file, &options), coded(&unread, &options));
            assert!(size * 10 < plain * 9, "{photo:?}: {size} of {plain}");
        }
    }
}

#[test]
fn a_picture_that_comes_twice_is_leapt_over() {
    let photo = photo(&[[2, 2], [1, 1], [1, 1]]);
    let file = photo.jpeg(&pixels(&photo), &[]);
    let once = coded(&file, &Options::default());
    // It goes on as a picture where the copy ends.
    let mut other = file.clone();
    let half = file.len() / 2;
    other.splice(
        half..,
        photo.jpeg(&pixels(&photo), &[])[half..].iter().copied(),
    );
    let twice = coded(&[&file[..], &other].concat(), &Options::default());
    assert!(twice < once + 200, "{once} {twice}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever was done to it, it comes back, and the sender's search for pictures ends.
    #[test]
    fn any_bytes_come_back(
        which in 0usize..14,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        cut in any::<prop::sample::Index>(),
        twice in any::<bool>(),
        thorough in any::<bool>(),
    ) {
        let mut photo = photos()[which].clone();
        (photo.width, photo.height) = (40, 24);
        let mut file = photo.jpeg(&pixels(&photo), b"Exif");
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        file.truncate(cut.index(file.len()));
        if twice {
            file.extend_from_within(..);
        }
        let found = pictures(&file);
        prop_assert!(found.iter().all(|picture| picture.end <= file.len()));
        coded(&file, &Options { thorough, ..Options::default() });
    }
}

#[test]
fn codes_are_the_typical_ones_until_others_are_named_and_where_none_are() {
    // Eight by eight pixels of grey: 00 and 1010 are typical code words, for a difference of nothing and a block that is done.
    let start = [0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0];
    let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0b0010_1011, 0xFF, 0xD9];
    let none = [0xFF, 0xC4, 0, 2];
    let own = [&[0xFF, 0xC4, 0, 20, 0, 1][..], &[0; 15], &[7]].concat();
    // By which segments of codes come first: whether the scan is one.
    for (codes, is_scan) in [
        (&[][..], true),
        (&none, true),
        (&own, false),
        (&[&none[..], &own].concat(), false),
        (&[&own[..], &none].concat(), true),
    ] {
        let picture = [&start[..], codes, &scan].concat();
        let (jpeg, scans) = read(&picture[..picture.len() - 2]);
        assert_eq!((scans, jpeg.is_scan()), (1, !is_scan), "{codes:?}");
        // One that is not done takes the marker of the next for bits and what should be a zero.
        let (_, scans) = read(&[&picture[..picture.len() - 2], &scan].concat());
        assert_eq!(scans, if is_scan { 2 } else { 3 });
    }
    assert_eq!(crate::pictures(&[&start[..], &scan].concat()).len(), 1);
}
