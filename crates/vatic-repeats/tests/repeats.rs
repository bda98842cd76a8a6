//! What was taken out comes back, whatever it is, and what is asked of the past is what was there.

use std::collections::VecDeque;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use vatic_repeats::{Copy, Error, Finder, LEAST, Past, Splice, recipe};

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut rng = StdRng::seed_from_u64(seed);
    (0..length).map(|_| rng.random()).collect()
}

/// All contents, one after the other, with what is copied taken out and put back. How much of each is left.
fn left(contents: &[Vec<u8>], window: u64) -> Vec<usize> {
    let mut finder = Finder::new(window);
    let mut past = Past::new(window);
    let mut all = Vec::new();
    for content in contents {
        let copies = finder.find(content);
        let mut end = 0;
        for copy in &copies {
            assert!(copy.at >= end && copy.length >= LEAST);
            end = copy.end();
        }
        let rest = recipe::rest(content, &copies);
        let told = recipe::write(&copies);
        let lengths = recipe::rest_length(&told, content.len(), content.len()).unwrap();
        assert_eq!(lengths, (rest.len(), rest.len()));
        assert_eq!(
            back(&told, content.len(), &rest, &mut past).unwrap(),
            *content
        );
        assert!(finder.is_right(content, &copies, &rest).unwrap());
        if !rest.is_empty() {
            let less = &rest[1..];
            assert!(!finder.is_right(content, &copies, less).is_ok_and(|is| is));
        }
        finder.keep(content);
        past.append(content);
        all.push(rest.len());
    }
    all
}

/// The content, from what is left, which comes in pieces.
fn back(told: &[u8], length: usize, rest: &[u8], past: &mut Past) -> Result<Vec<u8>, Error> {
    let mut splice = Splice::new(told.to_vec(), length)?;
    splice.push(&[], past)?;
    for piece in rest.chunks(1 + rest.len() / 3) {
        splice.push(piece, past)?;
    }
    splice.finish()
}

#[test]
fn what_occurred_before_is_found_however_far_back() {
    let (one, two) = (noise(1, 100_000), noise(2, 5_000_000));
    let contents = [one.clone(), two, [noise(3, 5000), one].concat()];
    assert_eq!(left(&contents, 1 << 23), [100_000, 5_000_000, 5000]);
    // Of what is farther back than the window nothing is left.
    assert_eq!(left(&contents, 1 << 22)[2], 105_000);
    assert_eq!(left(&contents, 0)[2], 105_000);
}

#[test]
fn what_was_changed_here_and_there_is_found_in_pieces() {
    let old = noise(1, 300_000);
    let mut new = old.clone();
    new.splice(50_000..50_003, *b"other");
    new.drain(100_000..100_700);
    new.splice(200_000..200_000, noise(2, 900));
    // Here and there a little is lost, since places are sampled.
    let left = left(&[old, new], 1 << 20)[1];
    assert!((905..3000).contains(&left), "{left} bytes are left");
}

#[test]
fn only_what_is_long_is_copied_from_nearby() {
    let (short, long) = (noise(1, 3000), noise(2, 20_000));
    let between = noise(3, 10_000);
    let twice = |of: &[u8]| [of, &between, of].concat();
    assert_eq!(left(&[twice(&short)], 0), [16_000]);
    assert_eq!(left(&[twice(&long)], 0), [30_000]);
    // From before the content at hand little is worth a copy…
    assert_eq!(left(&[short.clone(), short.clone()], 1 << 20)[1], 0);
    // …but not what it repeats itself.
    let content = [&short[..], &between, &short].concat();
    let left = left(&[noise(4, 10), content.clone(), content], 1 << 20);
    assert_eq!(left, [10, 16_000, 0]);
}

#[test]
fn what_repeats_itself_all_the_time_is_left() {
    for period in [1, 2, 64, 1000] {
        let content = noise(1, period).repeat(200_000 / period);
        let left = left(std::slice::from_ref(&content), 1 << 20)[0];
        assert_eq!(left, content.len(), "a period of {period}");
    }
    // However long it does.
    let long: Vec<u8> = (0..60u8).flat_map(|n| [n, 0x55].repeat(250_000)).collect();
    assert_eq!(left(std::slice::from_ref(&long), 0)[0], long.len());
    // Longer ones are copied from before.
    let content = noise(1, 10_000).repeat(20);
    assert!(left(&[content], 0)[0] < 11_000);
}

#[test]
fn copies_from_one_old_version_are_told_in_few_bytes() {
    let copy = |at, length, distance| Copy {
        at,
        length,
        distance,
    };
    let one = recipe::write(&[copy(100, 1000, 70_000_000)]);
    let more: Vec<Copy> = (0..100)
        .map(|n| copy(100 + 1010 * n, 1000, 70_000_000))
        .collect();
    let more = recipe::write(&more);
    assert_eq!((one.len(), more.len()), (7, 7 + 99 * 4));
    let copies: Result<Vec<Copy>, Error> = recipe::Copies::new(&more, 1 << 20).collect();
    assert_eq!(copies.unwrap()[99], copy(100_090, 1000, 70_000_000));
}

#[test]
fn damaged_recipes_are_errors() {
    let copy = |at, length, distance| Copy {
        at,
        length,
        distance,
    };
    let told = recipe::write(&[copy(2, 3, 1), copy(7, 1, 6)]);
    let made = |told: &[u8], length, rest: &[u8]| back(told, length, rest, &mut Past::new(100));
    assert_eq!(made(&told, 10, b"abcdef").unwrap(), b"abbbbcdbef");
    for rest in [&b"abcde"[..], b"abcdefg"] {
        assert!(matches!(made(&told, 10, rest), Err(Error::Recipe(_))));
    }
    assert!(matches!(made(&told, 7, b"abc"), Err(Error::Recipe(_))));
    for cut in [1, 2, 4, 5] {
        assert!(matches!(
            made(&told[..cut], 10, b"abcdef"),
            Err(Error::Recipe(_))
        ));
    }
    for (told, why) in [
        ([2, 0, 2], "no length"),
        ([2, 3, 0], "no distance"),
        ([2, 3, 1], "a distance below 0"),
    ] {
        assert!(
            matches!(made(&told, 10, b"abcdefg"), Err(Error::Recipe(_))),
            "{why}"
        );
    }
    assert!(matches!(
        made(&[2, 3, 6], 10, b"abcdefg"),
        Err(Error::Beyond)
    ));
    let large = [0xFF, 0xFF, 0xFF, 0xFF, 0x7F].repeat(3);
    assert!(matches!(made(&large, 10, b""), Err(Error::Recipe(_))));
    assert!(matches!(made(&[0x80; 6], 10, b""), Err(Error::Recipe(_))));
}

/// Part of something that was appended: how much that is, and whether it was skipped.
fn steps() -> impl Strategy<Value = Vec<(usize, bool)>> {
    proptest::collection::vec((0..3000usize, any::<bool>()), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn contents_of_parts_of_each_other_come_back(
        seeds in proptest::collection::vec((0..6u64, 0..9000usize, 0..9000usize), 1..12),
        window in 0..100_000u64,
    ) {
        let contents: Vec<Vec<u8>> = seeds
            .chunks(3)
            .map(|parts| {
                let parts = parts.iter().map(|&(seed, start, length)| {
                    let noise = noise(seed, 18_000);
                    noise[start..start + length].to_vec()
                });
                parts.collect::<Vec<_>>().concat()
            })
            .collect();
        left(&contents, window);
    }

    #[test]
    fn the_past_is_what_was_there(steps in steps(), window in 0..8000u64, ask in any::<u64>()) {
        let (mut past, mut model) = (Past::new(window), VecDeque::new());
        for (n, (length, skipped)) in steps.into_iter().enumerate() {
            let bytes = noise(n as u64, length);
            match skipped {
                true => {
                    past.skip(length as u64);
                    model.extend(vec![None; length]);
                }
                false => {
                    past.append(&bytes);
                    model.extend(bytes.into_iter().map(Some));
                }
            }
            model.drain(..model.len().saturating_sub(window as usize));
            prop_assert_eq!(past.len(), model.len() as u64);
            let back = ask % (past.len() + 2);
            let mut out = vec![0; (ask >> 32) as usize % (back as usize + 2)];
            let there = back <= past.len() && out.len() as u64 <= back;
            prop_assert_eq!(past.read(back, &mut out).is_ok(), there);
            if there {
                let start = model.len() - back as usize;
                for (byte, known) in out.iter().zip(model.range(start..)) {
                    prop_assert!(known.is_none_or(|known| known == *byte));
                }
            }
        }
    }

    #[test]
    fn any_recipe_is_one_or_an_error(told in proptest::collection::vec(any::<u8>(), 0..60), rest in 0..2000usize) {
        let mut past = Past::new(1000);
        past.append(&noise(1, 1000));
        let length = recipe::rest_length(&told, 5000, 5000).map_or(rest, |(_, rest)| rest);
        if let Ok(content) = back(&told, 5000, &noise(2, length), &mut past) {
            prop_assert_eq!(content.len(), 5000);
        }
    }
}

#[test]
fn a_past_of_a_file_is_what_was_there() {
    // More than is kept in memory, and around the turn.
    let window = 5 << 20;
    let mut past = Past::new(window);
    let all: Vec<u8> = (0..6).flat_map(|n| noise(n, 2_000_003)).collect();
    for piece in all.chunks(700_001) {
        past.append(piece);
    }
    assert_eq!(past.len(), window);
    for (back, length) in [
        (window, 3 << 20),
        (window, window as usize),
        (1, 1),
        (2_500_000, 2_500_000),
    ] {
        let mut out = vec![0; length];
        past.read(back, &mut out).unwrap();
        let start = all.len() - back as usize;
        assert!(out == all[start..start + length]);
    }
    // What is skipped takes its place.
    past.append(b"before");
    past.skip(3 << 20);
    past.append(b"behind");
    let mut out = vec![0; 6];
    past.read((3 << 20) + 12, &mut out).unwrap();
    assert_eq!(out, b"before");
    past.read(6, &mut out).unwrap();
    assert_eq!(out, b"behind");
    past.skip(1 << 40);
    past.append(b"far");
    past.read(3, &mut out[..3]).unwrap();
    assert_eq!(out, b"farind");
    // As much at once as the window has, and more.
    past.append(&all);
    let mut out = vec![0; window as usize];
    past.read(window, &mut out).unwrap();
    assert!(out == all[all.len() - window as usize..]);
}
