//! Pictures and other samples of two dimensions: the length of a row, found in the bytes themselves, what lies around the next byte, and a
//! linear forecast from it whose weights are learnt while coding (normalised least mean squares, Widrow and Hoff 1960, Nagumo and Noda 1967).

use std::ops::RangeInclusive;

use crate::history::Recent;
use crate::table::combine;

/// The shortest and the longest row that is looked for, in bytes.
const SHORTEST: usize = 32;
const LONGEST: usize = 1 << 14;
/// The longest pixel, in bytes.
const PIXEL: usize = 4;
/// Of so many bytes, the last ones, one in so many is compared with those before it: coprime to most lengths of pixels.
const LAST: usize = 1 << 12;
const SPARSE: usize = 7;
/// Differences count up to here: what does not fit at all is all the same.
const MOST: u8 = 32;
/// From so many bytes on rows are looked for.
const FIRST: usize = 1 << 13;
/// After so many bytes they are looked for again if others than those that are known were found…
const SOON: usize = 1 << 12;
/// …or if none were, where some are known. It takes twice as long each time that they are found again, up to…
const MISSED: usize = 1 << 14;
/// …so many, or that there are none, up to…
const SURE: usize = 1 << 15;
/// …so many.
const LATE: usize = 1 << 17;

/// Rows that seem to be up to so many times as long as others that do nearly as well are those others.
const PARTS: usize = 8;
/// A picture whose rows are not found so often in turn has ended.
const PATIENCE: u32 = 3;

/// Bytes around the next one that the forecast is made of.
const NEIGHBOURS: usize = 16;
/// How fast it learns, in 256ths.
const RATE: i64 = 128;
/// What keeps its steps small where all neighbours are alike.
const CALM: i64 = 64;

/// How many contexts there are, and how many of them are usual.
pub const CONTEXTS: usize = 11;
pub const USUAL: usize = 6;

/// What is known of the picture that is coded, if it is one.
#[derive(Debug, Clone)]
pub struct Image {
    /// Bytes in a row; 0 while none is known.
    row: usize,
    /// Bytes in a pixel.
    pixel: usize,
    /// The length of rows that was found last.
    seen: usize,
    /// How often in turn `row` was not found again.
    missed: u32,
    /// How many bytes were to come before they are looked for again.
    pause: usize,
    /// Where they will be looked for again.
    next: usize,
    /// By the place in a pixel: weights of the neighbours, in 2^-16.
    weights: [[i32; NEIGHBOURS]; PIXEL],
    /// Twice each neighbour less the sum of the bytes to the left and above; 0 for those that there are not.
    inputs: [i32; NEIGHBOURS],
    /// The sum of their squares.
    energy: i64,
    /// The place in its pixel of the byte that is foretold.
    phase: usize,
    /// The forecast, in 256ths of a byte's unit.
    forecast: i32,
}

impl Default for Image {
    fn default() -> Image {
        Image {
            row: 0,
            pixel: 1,
            seen: 0,
            missed: 0,
            pause: SOON / 2,
            next: FIRST,
            weights: [[0; NEIGHBOURS]; PIXEL],
            inputs: [0; NEIGHBOURS],
            energy: 0,
            phase: 0,
            forecast: 0,
        }
    }
}

impl Image {
    /// Bytes in a row; 0 if it is no picture.
    #[inline(always)]
    pub fn row(&self) -> usize {
        self.row
    }

    /// Learns from the last byte, which `recent` has by now, and foretells the next.
    #[inline(always)]
    pub fn push(&mut self, recent: &Recent) {
        if self.row > 0 {
            self.learn(recent.back(1));
        }
        if recent.position >= self.next {
            self.look(recent);
        }
        self.leap(recent);
    }

    /// Foretells the next byte, and learns nothing from those before: of a leap they are many, which were not foretold one by one.
    pub fn leap(&mut self, recent: &Recent) {
        if self.row > 0 {
            self.foretell(recent);
        }
    }

    fn learn(&mut self, byte: u8) {
        let error = i64::from(i32::from(byte) * 256 - self.forecast);
        let step = (error * RATE * 256).div_euclid(self.energy + CALM);
        let weights = &mut self.weights[self.phase];
        for (weight, &input) in weights.iter_mut().zip(&self.inputs) {
            // Far from where weights come to lie, and far from an overflow.
            let moved = i64::from(*weight) + ((step * i64::from(input)) >> 8);
            *weight = moved.clamp(-(1 << 24), 1 << 24) as i32;
        }
    }

    fn foretell(&mut self, recent: &Recent) {
        let (row, pixel) = (self.row, self.pixel);
        let mut distances = [
            pixel,
            row,
            row + pixel,
            row - pixel,
            2 * pixel,
            2 * row,
            row - 2 * pixel,
            row + 2 * pixel,
            2 * row - pixel,
            2 * row + pixel,
            3 * pixel,
            0,
            0,
            0,
            0,
            0,
        ];
        // What precedes it in its pixel, and the same of its neighbours.
        if pixel > 1 {
            distances[11..14].copy_from_slice(&[1, 1 + pixel, 1 + row]);
        }
        if pixel > 2 {
            distances[14..].copy_from_slice(&[2, 2 + pixel]);
        }
        let byte = |distance: usize| i32::from(recent.back(distance));
        let both = byte(pixel) + byte(row);
        self.phase = recent.position % pixel;
        let mut sum = 0;
        self.energy = 0;
        let weights = &self.weights[self.phase];
        for ((input, distance), &weight) in self.inputs.iter_mut().zip(distances).zip(weights) {
            *input = match distance {
                0 => 0,
                distance => 2 * byte(distance) - both,
            };
            self.energy += i64::from(*input) * i64::from(*input);
            sum += i64::from(weight) * i64::from(*input);
        }
        let forecast = i64::from(both) * 128 + (sum >> 9);
        self.forecast = forecast.clamp(0, 255 << 8) as i32;
    }

    /// Looks for rows ([`rows`]): if the same ones are found twice, they are taken for those of a picture.
    fn look(&mut self, recent: &Recent) {
        let found = rows(recent, self.seen, self.row);
        match found {
            Some((row, pixel)) if row == self.seen => (self.row, self.pixel) = (row, pixel),
            Some((row, _)) => self.seen = row,
            None => {}
        }
        let again = found.is_some_and(|(row, _)| row == self.row);
        self.missed = if again { 0 } else { self.missed + 1 };
        if self.missed == PATIENCE {
            self.row = 0;
        }
        self.pause = match found {
            Some(_) if again => (2 * self.pause).min(SURE),
            Some(_) => SOON,
            None if self.row == 0 => (2 * self.pause).min(LATE),
            None => MISSED,
        };
        self.next = recent.position + self.pause;
    }

    /// Where in a pixel the next byte stands, and how even its surroundings are: less than [`PLACES`](crate::history::PLACES) / 8.
    #[inline(always)]
    pub fn place(&self, recent: &Recent) -> usize {
        let (row, pixel) = (self.row, self.pixel);
        let byte = |distance: usize| u32::from(recent.back(distance));
        let (w, n, nw, ne) = (byte(pixel), byte(row), byte(row + pixel), byte(row - pixel));
        let changes = w.abs_diff(nw) + n.abs_diff(nw) + n.abs_diff(ne);
        let class = (32 - changes.leading_zeros() as usize).min(7);
        recent.position % pixel * 8 + class
    }

    /// Replaces by those of a picture the contexts `out` in `slots`, as many as there are.
    #[inline(always)]
    pub fn contexts(&self, recent: &Recent, slots: &[usize], out: &mut [u32]) {
        let (row, pixel) = (self.row, self.pixel);
        let byte = |distance: usize| u32::from(recent.back(distance));
        // Left, above, above to the left and to the right, one further up; and the byte before, with those beside and above it.
        let (w, n, nw, ne) = (byte(pixel), byte(row), byte(row + pixel), byte(row - pixel));
        let (nn, nne) = (byte(2 * row), byte(2 * row - pixel));
        let (b, bw, bn) = (byte(1), byte(1 + pixel), byte(1 + row));
        let sum = |plus: [u32; 2], minus: u32| {
            (plus[0] as i32 + plus[1] as i32 - minus as i32).clamp(0, 255) as u32
        };
        let phase = (recent.position % pixel) as u32;
        let slope = sum([w, n], nw);
        let fine = self.forecast as u32 / 128;
        let forecast = (self.forecast as u32 + 128) / 256;
        let contexts: [u32; CONTEXTS] = [
            combine(900, fine),
            combine(
                901,
                slope | (n.abs_diff(nw) / 8) << 8 | (w.abs_diff(nw) / 8) << 16,
            ),
            combine(902, forecast | (w.abs_diff(n) / 4) << 16),
            combine(903, n | ne << 8),
            combine(
                904,
                (w / 4) | (n / 4) << 8 | (nw / 4) << 16 | (ne / 4) << 24,
            ),
            combine(905, sum([n, ne], nne) | (w / 8) << 8),
            // Those above are usual.
            combine(906, ((w + ne) / 2) | (slope / 8) << 8 | phase << 16),
            combine(
                907,
                ((2 * w + ne).saturating_sub(nw) / 2).min(255) | (b / 8) << 8,
            ),
            combine(908, sum([w, b], bw) | (n / 16) << 8 | phase << 16),
            combine(909, sum([n, b], bn) | (w / 16) << 8 | phase << 16),
            combine(910, sum([n, n], nn) | (w / 8) << 8),
        ];
        for (&slot, context) in slots.iter().zip(contexts) {
            out[slot] = context;
        }
        if pixel > 2 && slots.len() == USUAL {
            // In colours the byte before says more.
            for (n, other) in [(3, 8), (4, 9)] {
                out[slots[n]] = contexts[other];
            }
        }
    }
}

/// The lengths of a row and a pixel that the last bytes seem to have: a row is the distance at which they differ least, or the one that was
/// `seen` before if that will do; they have to differ less there than at most distances, and so have neighbours, and the mean of both has
/// to be as near, or not much farther if the row is as certain as the one that is `known`.
fn rows(recent: &Recent, seen: usize, known: usize) -> Option<(usize, usize)> {
    let last = (recent.position / 2).min(LAST);
    let most = (recent.position - last).min(LONGEST);
    // The latest first.
    let bytes: Vec<u8> = (1..=last + most).map(|back| recent.back(back)).collect();
    // Columns of digits are as even as a picture.
    let samples = bytes[..last].iter().step_by(SPARSE);
    let of_text = |&&byte: &&u8| matches!(byte, b'\t'..=b'\r' | b' '..=b'~');
    if samples.clone().filter(of_text).count() * 20 > samples.len() * 19 {
        return None;
    }
    // By distance, less one. What is summed up stays below 2^16.
    let mut differences = vec![0u16; most];
    for at in (0..last).step_by(SPARSE) {
        let (byte, before) = (bytes[at], &bytes[at + 1..]);
        for (sum, before) in differences.iter_mut().zip(before) {
            *sum += u16::from(byte.abs_diff(*before).min(MOST));
        }
    }
    let difference = |distance: usize| u32::from(differences[distance - 1]);
    let mut sorted = differences[SHORTEST - 1..].to_vec();
    let middle = sorted.len() / 2;
    let median = u32::from(*sorted.select_nth_unstable(middle).1);
    let nearest = |among: RangeInclusive<usize>, more: u32| {
        among.min_by_key(|&distance| difference(distance) * (64 + more * distance as u32))
    };
    let pixel = nearest(1..=PIXEL, 1)?;
    let longest = nearest(SHORTEST..=most, 0)?;
    let row =
        if (SHORTEST..=most).contains(&seen) && difference(seen) * 4 <= difference(longest) * 5 {
            seen
        } else {
            // Where little changes from row to row, two of them are as good as one.
            let parts = (1..=PARTS).rev().filter(|parts| longest % parts == 0);
            parts
                .map(|parts| longest / parts)
                .find(|&row| row >= SHORTEST && difference(row) * 16 <= difference(longest) * 17)?
        };
    let little = |distance: usize| difference(distance) * 10 < median * 7;
    // What is above says as much as what is beside it, and both together say more: in tables one of them says all.
    let between: u32 = (0..last)
        .step_by(SPARSE)
        .map(|at| {
            let mean = bytes[at + pixel].midpoint(bytes[at + row]);
            u32::from(bytes[at].abs_diff(mean).min(MOST))
        })
        .sum();
    // Where outlines are sharp that is not so; rows that are very much alike, or have been found before, are a picture's all the same.
    let least = difference(row).min(difference(pixel));
    let times = match row {
        row if row == known => 16,
        row if difference(row) * 10 < median * 3 => 12,
        _ => 9,
    };
    let even = between * 8 <= least * times;
    (little(longest) && little(pixel) && even).then_some((row, pixel))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hills;

    fn after(bytes: impl IntoIterator<Item = u8>) -> (Image, Recent) {
        let (mut image, mut recent) = (Image::default(), Recent::new(1 << 20));
        for byte in bytes {
            recent.push(byte);
            image.push(&recent);
        }
        (image, recent)
    }

    fn noise() -> impl Iterator<Item = u8> {
        let mut state = 1u32;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
    }

    /// In rows of so many pixels of so many bytes.
    fn picture(width: usize, pixel: usize) -> impl Iterator<Item = u8> {
        let heights = noise().take(1 << 16).collect();
        hills::picture(heights, noise(), width, pixel)
    }

    #[test]
    fn rows_and_pixels_are_found() {
        for (width, pixel) in [(480, 1), (200, 3), (512, 2), (100, 4), (1920, 3)] {
            let (image, _) = after(picture(width, pixel).take(80_000));
            assert_eq!((image.row, image.pixel), (width * pixel, pixel));
        }
    }

    #[test]
    fn other_data_are_no_picture() {
        let text = "Considerably extraordinary circumstances, said the other. "
            .bytes()
            .cycle();
        let columns = (0..).zip(noise()).map(|(at, noise)| match at % 61 {
            60 => b'\n',
            _ if noise < 40 => b'1',
            _ => b'0',
        });
        let records = (0..).zip(noise()).map(|(at, noise)| match at % 40 {
            0..8 => noise,
            place => place as u8 * 6,
        });
        let all: [Box<dyn Iterator<Item = u8>>; 5] = [
            Box::new(text),
            Box::new(columns),
            Box::new(records),
            Box::new(noise()),
            Box::new(std::iter::repeat(0)),
        ];
        for (n, bytes) in all.into_iter().enumerate() {
            assert_eq!(after(bytes.take(100_000)).0.row, 0, "{n}");
        }
    }

    #[test]
    fn a_picture_ends() {
        let (image, _) = after(picture(480, 1).take(50_000).chain(noise().take(140_000)));
        assert_eq!(image.row, 0);
        let (image, _) = after(
            picture(480, 1)
                .take(50_000)
                .chain(picture(300, 3).take(140_000)),
        );
        assert_eq!((image.row, image.pixel), (900, 3));
    }

    #[test]
    fn the_forecast_learns() {
        // Each byte is the one to the left and the one above less the one above that: their mean is far off.
        let steps: Vec<u8> = noise().map(|byte| byte % 64).take(1000).collect();
        let walls = |at: usize| steps[at % 97] + steps[500 + at / 97 % 400] / 2 + 40;
        let (mut image, mut recent) = after((0..30_000).map(walls));
        (image.row, image.pixel, image.next) = (97, 1, usize::MAX);
        let mut errors = [0u64; 2];
        for at in 30_000..60_000 {
            let right = i32::from(walls(at)) * 256;
            let mean = (i32::from(recent.back(1)) + i32::from(recent.back(97))) * 128;
            for (sum, forecast) in errors.iter_mut().zip([image.forecast, mean]) {
                *sum += u64::from(forecast.abs_diff(right));
            }
            recent.push(walls(at));
            image.push(&recent);
        }
        assert!(errors[0] * 3 < errors[1], "{errors:?}");
    }

    #[test]
    fn weights_stay_within_bounds_whatever_comes() {
        let hostile = picture(64, 2).take(40_000).chain(
            noise()
                .take(9000)
                .map(|byte| if byte < 128 { 0 } else { 255 }),
        );
        let (image, recent) = after(hostile);
        assert_eq!(image.row, 128);
        assert!((0..=255 << 8).contains(&image.forecast));
        let mut out = [0; CONTEXTS];
        image.contexts(
            &recent,
            &std::array::from_fn::<_, CONTEXTS, _>(|n| n),
            &mut out,
        );
        assert!(out.iter().all(|&hash| hash != 0));
    }
}
