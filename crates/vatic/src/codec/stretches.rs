//! Which stretches of a frame are of which kind: an archive of all sorts of files is text here and noise (images, what is compressed already)
//! there. Each kind is best coded by itself.

use std::ops::Range;

use super::choose::{is_even, is_text};

/// What a stretch looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// All bytes equally frequent, and no part that occurs elsewhere in the frame.
    Noise,
    Text,
    /// What JPEG has compressed: bytes as frequent as in noise, and experts that foretell them all the same.
    Picture,
    Other,
}

/// Blocks of so many bytes are looked at one by one…
const BLOCK: usize = 1 << 12;
/// …and fewer in a row than this, by look, belong to what surrounds them: text within a binary is part of its structure.
const SHORTEST: [(Look, usize); 3] = [(Look::Noise, 4), (Look::Text, 16), (Look::Other, 16)];
/// Pictures are told apart from so many bytes on, and each by itself.
const LEAST_PICTURE: usize = 1 << 12;

/// A frame has to have so much of a look for it to be told apart, in bytes.
pub(super) const LEAST: usize = 1 << 16;

/// The stretches of `content`, as looks and lengths in bytes, each of another look than the one before. `fine` tells apart whatever can be told.
pub(super) fn stretches(content: &[u8], fine: bool) -> Vec<(Look, usize)> {
    let pictures = pictures(content);
    let mut looks: Vec<Look> = content.chunks(BLOCK).map(look).collect();
    for picture in &pictures {
        looks[blocks(picture)].fill(Look::Picture);
    }
    unlike_noise(content, &mut looks);
    let total = |looks: &[Look], of| looks.iter().filter(|&&look| look == of).count() * BLOCK;
    if !fine && total(&looks, Look::Noise) < LEAST {
        let noise = looks.iter_mut().filter(|look| **look == Look::Noise);
        noise.for_each(|look| *look = Look::Other);
    }
    let mut runs = runs(looks.into_iter().map(|look| (look, 1)));
    if !fine {
        // The shortest first, so that what is left over by them can be part of a longer one.
        for length in [1, 2, 4, 8, 16] {
            runs = absorbed(runs, length);
        }
    }
    let mut rest = content.len();
    for (_, length) in &mut runs {
        *length = (*length * BLOCK).min(rest);
        rest -= *length;
    }
    trim(runs, &pictures)
}

/// The pictures that are worth being told apart.
pub(super) fn pictures(content: &[u8]) -> Vec<Range<usize>> {
    let mut pictures = vatic_coder::pictures(content);
    pictures.retain(|picture| picture.len() >= LEAST_PICTURE);
    pictures
}

/// Those that a picture has a part of.
fn blocks(picture: &Range<usize>) -> Range<usize> {
    picture.start / BLOCK..picture.end.div_ceil(BLOCK)
}

/// Whether most of it are pictures.
pub(super) fn are_pictures(content: &[u8]) -> bool {
    let lengths = pictures(content).into_iter().map(|picture| picture.len());
    lengths.sum::<usize>() > content.len() / 2
}

/// What stands before and after pictures in their first and last blocks goes to what surrounds them.
fn trim(runs: Vec<(Look, usize)>, pictures: &[Range<usize>]) -> Vec<(Look, usize)> {
    let (mut trimmed, mut at, mut left_over) = (Vec::<(Look, usize)>::new(), 0, 0);
    let count = runs.len();
    for (n, (look, length)) in runs.into_iter().enumerate() {
        let run = at..at + length;
        at = run.end;
        if look != Look::Picture {
            trimmed.push((look, length + left_over));
            left_over = 0;
            continue;
        }
        let mut within = (pictures.iter()).filter(|of| run.start <= of.start && of.end <= run.end);
        let start = within.clone().next().map_or(run.start, |first| first.start);
        let end = within.next_back().map_or(run.end, |last| last.end);
        let mut picture = run.clone();
        if let Some(before) = trimmed.last_mut() {
            picture.start = start;
            before.1 += start - run.start;
        }
        if n + 1 < count {
            picture.end = end;
            left_over = run.end - end;
        }
        trimmed.push((look, picture.len()));
    }
    trimmed
}

fn look(block: &[u8]) -> Look {
    if block.len() == BLOCK && is_even(block) {
        Look::Noise
    } else if is_text(whole_characters(block)) {
        Look::Text
    } else {
        Look::Other
    }
}

/// Without the rest of a character that began before it.
fn whole_characters(block: &[u8]) -> &[u8] {
    let cut = block.iter().take(3);
    &block[cut.take_while(|&&byte| byte & 0xC0 == 0x80).count()..]
}

/// Blocks of noise that have a part in common with another block of noise are not noise: where they occur again they cost nothing. Of
/// stretches of eight bytes those are compared whose hash begins with six zero bits, wherever they are.
fn unlike_noise(content: &[u8], looks: &mut [Look]) {
    let noisy = looks.iter().filter(|&&look| look == Look::Noise).count();
    let slots = (noisy * BLOCK / 16).next_power_of_two();
    let mut seen = vec![(0u32, 0u32); slots];
    let mut known = Vec::new();
    for n in 0..looks.len() {
        if looks[n] != Look::Noise {
            continue;
        }
        for window in content[n * BLOCK..][..BLOCK].windows(8) {
            let mut eight = [0; 8];
            eight.copy_from_slice(window);
            let hash = u64::from_le_bytes(eight).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            if hash >> 58 == 0 {
                let slot = &mut seen[(hash >> 26) as usize % slots];
                let mark = hash as u32 | 1;
                if slot.0 == mark {
                    known.extend([slot.1 as usize, n]);
                }
                *slot = (mark, n as u32);
            }
        }
    }
    known.into_iter().for_each(|n| looks[n] = Look::Other);
}

/// Neighbours of one look put together.
fn runs(all: impl Iterator<Item = (Look, usize)>) -> Vec<(Look, usize)> {
    let mut runs: Vec<(Look, usize)> = Vec::new();
    for (look, length) in all {
        match runs.last_mut() {
            Some(last) if last.0 == look => last.1 += length,
            _ => runs.push((look, length)),
        }
    }
    runs
}

/// Runs of at most `length` blocks, where that is too short for their look, go to the longer one of their neighbours. Noise and pictures take nothing
/// else: they are not to hold it.
fn absorbed(mut all: Vec<(Look, usize)>, length: usize) -> Vec<(Look, usize)> {
    let is_short = |(look, blocks): (Look, usize)| {
        let shortest = SHORTEST.iter().find(|(of, _)| *of == look);
        blocks <= length && shortest.is_some_and(|&(_, least)| blocks < least)
    };
    for n in 0..all.len() {
        if !is_short(all[n]) {
            continue;
        }
        let neighbours = [n.checked_sub(1), Some(n + 1)];
        let longest = (neighbours.into_iter().flatten())
            .filter_map(|at| all.get(at))
            .filter(|(look, _)| !matches!(look, Look::Noise | Look::Picture))
            .max_by_key(|(_, blocks)| *blocks);
        match longest {
            Some(&(look, _)) => all[n].0 = look,
            // Between noise or pictures: it stays what it is, unless it is noise itself.
            None if all[n].0 == Look::Noise => all[n].0 = Look::Other,
            None => {}
        }
    }
    runs(all.into_iter())
}

#[cfg(test)]
#[path = "../../tests/common/hills.rs"]
mod hills;
#[cfg(test)]
#[path = "../../tests/common/photo.rs"]
mod photo;

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(blocks: usize, mut state: u64) -> Vec<u8> {
        let step = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        (0..blocks * BLOCK).map(step).collect()
    }

    fn text(blocks: usize) -> Vec<u8> {
        let text = "Als alles schlief, schrieb er noch über Möwen. ".bytes();
        text.cycle().take(blocks * BLOCK).collect()
    }

    fn binary(blocks: usize) -> Vec<u8> {
        (0..blocks * BLOCK)
            .map(|n| (n / 5 % 7 * 40) as u8)
            .collect()
    }

    fn looks(content: &[u8], fine: bool) -> Vec<(Look, usize)> {
        let stretches = stretches(content, fine);
        let lengths = stretches.iter().map(|(_, length)| length);
        assert_eq!(lengths.sum::<usize>(), content.len());
        let blocks = |(look, length): (Look, usize)| (look, length.div_ceil(BLOCK));
        stretches.into_iter().map(blocks).collect()
    }

    #[test]
    fn each_look_is_told_apart() {
        use Look::*;
        let all = [text(20), noise(16, 1), binary(30), vec![7; 9]].concat();
        assert_eq!(looks(&all, false), [(Text, 20), (Noise, 16), (Other, 31)]);
        assert_eq!(
            looks(&[text(1), noise(1, 1), binary(1)].concat(), true),
            [(Text, 1), (Noise, 1), (Other, 1)]
        );
        assert_eq!(looks(&text(3)[..5000], false), [(Text, 2)]);
        assert!(looks(&[], false).is_empty() && looks(&[], true).is_empty());
    }

    #[test]
    fn what_is_short_belongs_to_what_surrounds_it() {
        use Look::*;
        let all = [binary(40), text(5), binary(40), noise(3, 1), text(40)].concat();
        assert_eq!(looks(&all, false), [(Other, 88), (Text, 40)]);
        // Between noise a little text is text all the same.
        let all = [noise(40, 1), text(2), noise(40, 9)].concat();
        assert_eq!(looks(&all, false), [(Noise, 40), (Text, 2), (Noise, 40)]);
        // So little noise is not worth it.
        let all = [text(40), noise(8, 1), text(40)].concat();
        assert_eq!(looks(&all, false), [(Text, 88)]);
    }

    /// What JPEG makes of hills: some 17 KB.
    fn photo() -> Vec<u8> {
        let photo = photo::Photo {
            width: 240,
            height: 160,
            factors: vec![[2, 2], [1, 1], [1, 1]],
            step: 2,
            restart: 0,
            apart: false,
        };
        let pixels = hills::picture(noise(4, 5), noise(29, 6).into_iter(), 240, 3);
        photo.jpeg(&pixels.collect::<Vec<u8>>(), &[])
    }

    #[test]
    fn pictures_are_told_apart_to_the_byte() {
        use Look::*;
        let photo = photo();
        assert!(photo.len() > 2 * BLOCK);
        let all = [text(20), vec![b'x'; 99], photo.clone(), text(20)].concat();
        assert_eq!(
            stretches(&all, false),
            [
                (Text, 20 * BLOCK + 99),
                (Picture, photo.len()),
                (Text, 20 * BLOCK)
            ]
        );
        // A little between two of them belongs to neither, and what is left over at the ends is not told apart.
        let all = [&b"AB"[..], &photo, &text(2), &photo, b"YZ"].concat();
        let ends = photo.len() + 2;
        assert_eq!(
            stretches(&all, false),
            [(Picture, ends), (Text, 2 * BLOCK), (Picture, ends)]
        );
        assert_eq!(stretches(&photo, false), [(Picture, photo.len())]);
        assert!(are_pictures(&all) && !are_pictures(&[photo.clone(), text(20)].concat()));
        // Too small to be worth it.
        let small = &photo[..LEAST_PICTURE - 1];
        assert_eq!(stretches(&[&text(20), small].concat(), false).len(), 1);
    }

    #[test]
    fn noise_that_occurs_twice_is_none() {
        use Look::*;
        let once = noise(20, 1);
        let all = [&once[..], &text(20), &once, &noise(20, 77)].concat();
        assert_eq!(
            looks(&all, false),
            [(Other, 20), (Text, 20), (Other, 20), (Noise, 20)]
        );
    }
}
