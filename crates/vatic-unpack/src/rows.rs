//! Rows of pixels, as PNG images and some in PDF files have them: each row was filtered, that is, each byte has what was foretold from its
//! neighbours taken off (PNG specification, third edition, section 9). That is made for deflate. Whoever looks at pixels themselves
//! sees the same letter or line again wherever it is, and foretells smooth ones better.

use std::ops::Range;

use crate::MAX_CONTENT;

/// How a stream's text is divided into rows, each of which begins with a byte that names its filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    /// Bytes from a pixel to the next one, at least 1.
    pixel: usize,
    /// Bytes in a row, without the first one.
    length: usize,
}

impl Rows {
    /// The most bytes that a pixel may have.
    const MOST_PIXEL: usize = 8;

    /// None if there are no such rows.
    pub fn new(pixel: usize, length: usize) -> Option<Rows> {
        let is_sound =
            (1..=Rows::MOST_PIXEL).contains(&pixel) && (1..=MAX_CONTENT).contains(&length);
        is_sound.then_some(Rows { pixel, length })
    }

    /// Rows of so many pixels of so many samples of so many bits.
    pub fn of_image(width: usize, samples: usize, bits: usize) -> Option<Rows> {
        let pixel = samples.checked_mul(bits)?;
        Rows::new(pixel.div_ceil(8), pixel.checked_mul(width)?.div_ceil(8))
    }

    /// Bytes from a pixel to the next one, and in a row.
    pub fn numbers(self) -> [u64; 2] {
        [self.pixel as u64, self.length as u64]
    }

    /// Whether a text of so many bytes has some whole rows.
    pub fn has_some(self, text: usize) -> bool {
        self.count(text) > 1
    }

    /// How many whole rows a text of so many bytes has.
    fn count(self, text: usize) -> usize {
        text / (self.length + 1)
    }

    /// What the text says: the filters of all rows, their pixels, and what follows the last whole row.
    pub fn undo(self, text: &[u8]) -> Vec<u8> {
        let (rows, rest) = text.split_at(self.count(text.len()) * (self.length + 1));
        let rows = rows.chunks_exact(self.length + 1);
        let mut out: Vec<u8> = rows.clone().map(|row| row[0]).collect();
        let mut above = vec![0; self.length];
        for row in rows {
            let start = out.len();
            out.extend_from_slice(&row[1..]);
            let here = &mut out[start..];
            match row[0] {
                1 => self.restore(here, &above, |left, _, _| left),
                2 => self.restore(here, &above, |_, up, _| up),
                3 => self.restore(here, &above, mean),
                4 => self.restore(here, &above, paeth),
                _ => {}
            }
            above.copy_from_slice(here);
        }
        out.extend_from_slice(rest);
        out
    }

    /// Adds to each byte of a row what is foretold from those to the left, above, and above to the left.
    fn restore(self, row: &mut [u8], above: &[u8], foretold: impl Fn(u8, u8, u8) -> u8) {
        for at in 0..row.len() {
            let (left, corner) = match at.checked_sub(self.pixel) {
                Some(before) => (row[before], above[before]),
                None => (0, 0),
            };
            row[at] = row[at].wrapping_add(foretold(left, above[at], corner));
        }
    }

    /// The text again.
    pub fn redo(self, content: &[u8]) -> Vec<u8> {
        let count = self.count(content.len());
        let (filters, rest) = content.split_at(count);
        let (pixels, rest) = rest.split_at(count * self.length);
        let mut text = Vec::with_capacity(content.len());
        let first = vec![0; self.length];
        let mut above = &first[..];
        for (&filter, row) in filters.iter().zip(pixels.chunks_exact(self.length)) {
            text.push(filter);
            match filter {
                1 => self.filter(row, above, |left, _, _| left, &mut text),
                2 => self.filter(row, above, |_, up, _| up, &mut text),
                3 => self.filter(row, above, mean, &mut text),
                4 => self.filter(row, above, paeth, &mut text),
                _ => text.extend_from_slice(row),
            }
            above = row;
        }
        text.extend_from_slice(rest);
        text
    }

    fn filter(
        self,
        row: &[u8],
        above: &[u8],
        foretold: impl Fn(u8, u8, u8) -> u8,
        text: &mut Vec<u8>,
    ) {
        text.extend((0..row.len()).map(|at| {
            let (left, corner) = match at.checked_sub(self.pixel) {
                Some(before) => (row[before], above[before]),
                None => (0, 0),
            };
            row[at].wrapping_sub(foretold(left, above[at], corner))
        }));
    }

    /// Where the same rows, of `most` bytes at most, are in a text and in what it says: some from its middle.
    pub fn sample(self, text: usize, most: usize) -> (Range<usize>, Range<usize>) {
        let count = self.count(text);
        let taken = count.min((most / (self.length + 1)).max(1));
        let first = (count - taken) / 2;
        let rows = |offset: usize, length: usize| {
            offset + first * length..offset + (first + taken) * length
        };
        (rows(0, self.length + 1), rows(count, self.length))
    }
}

fn mean(left: u8, up: u8, _: u8) -> u8 {
    ((u16::from(left) + u16::from(up)) / 2) as u8
}

/// The neighbour that is nearest to left + up − corner; of several the first of these.
fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let [a, b, c] = [left, up, corner].map(i16::from);
    let (from_left, from_up) = ((b - c).abs(), (a - c).abs());
    let from_corner = (a + b - 2 * c).abs();
    if from_left <= from_up && from_left <= from_corner {
        left
    } else if from_up <= from_corner {
        up
    } else {
        corner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_those_of_png() {
        let rows = Rows::new(2, 4).unwrap();
        let text = [
            [1, 10, 20, 1, 2], // left: 10 20 11 22
            [2, 1, 1, 1, 255], // up: 11 21 12 21
            [3, 4, 4, 4, 4],   // mean: 9 14 14 21
            [4, 1, 2, 3, 4],   // paeth: 10 16, (10, 14, 9) → 14, (16, 21, 14) → 21
            [0, 7, 7, 7, 7],
            [9, 8, 8, 8, 8],
        ]
        .concat();
        let content = rows.undo(&text);
        assert_eq!(content[..6], [1, 2, 3, 4, 0, 9]);
        let pixels: Vec<&[u8]> = content[6..].chunks(4).collect();
        assert_eq!(
            pixels[..3],
            [[10, 20, 11, 22], [11, 21, 12, 21], [9, 14, 14, 21]]
        );
        assert_eq!(pixels[3..], [[10, 16, 17, 25], [7; 4], [8; 4]]);
        assert_eq!(rows.redo(&content), text);
    }

    #[test]
    fn any_text_comes_back() {
        let bytes: Vec<u8> = (0..5000u32)
            .map(|n| (n * n / 7) as u8 ^ (n >> 3) as u8 & 5)
            .collect();
        for (pixel, length) in [(1, 1), (3, 30), (4, 3), (8, 1000), (2, 4999), (1, 6000)] {
            let rows = Rows::new(pixel, length).unwrap();
            for end in [0, 1, 2, 1000, 4999, 5000] {
                let mut text = bytes[..end].to_vec();
                text.iter_mut()
                    .step_by(length + 1)
                    .for_each(|filter| *filter %= 6);
                let content = rows.undo(&text);
                assert_eq!(content.len(), end);
                assert_eq!(rows.redo(&content), text, "{pixel} {length} {end}");
            }
        }
        assert!(Rows::new(0, 1).is_none() && Rows::new(9, 1).is_none());
        assert!(Rows::new(1, 0).is_none() && Rows::of_image(usize::MAX, 4, 16).is_none());
        assert_eq!(Rows::of_image(10, 1, 1), Rows::new(1, 2));
        assert_eq!(Rows::of_image(10, 4, 16), Rows::new(8, 80));
    }

    #[test]
    fn a_sample_is_of_the_same_rows() {
        let rows = Rows::new(1, 9).unwrap();
        // Eleven rows and four bytes.
        assert_eq!(rows.sample(114, 35), (40..70, 11 + 36..11 + 63));
        assert_eq!(rows.sample(114, 3), (50..60, 11 + 45..11 + 54));
        assert_eq!(rows.sample(114, 1000), (0..110, 11..110));
        assert_eq!(rows.sample(5, 1000), (0..0, 0..0));
    }
}
