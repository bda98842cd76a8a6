//! What thorough work on single bytes adds: more contexts and more sets of weights, for half the speed.

use crate::contexts::{Memory, USUAL, under};
use crate::history::Recent;
use crate::image;
use crate::matching::LENGTHS;
use crate::mixer::Rates;
use crate::table::combine;

/// How the first layer learns: its rate falls sooner than that of fewer inputs.
pub static RATES: Rates = Rates::falling(1 << 18, 24_000, 500);

/// Most places in a record that are told apart.
const RECORD: usize = 4096;

/// Name and number of vectors of each further set of weights.
pub const SETS: [(&str, usize); 4] = [
    ("by-offset", RECORD + 16),
    ("by-north", 256 * 8),
    ("by-long", LENGTHS * 16),
    ("by-second", 256 * 8),
];

/// The vectors of the further sets: by the place in the record, what stands there in the record before, both matches and how many
/// contexts are known, and the last byte but one. `lengths` are the classes of the long and the short match.
#[inline(always)]
pub fn sets(
    recent: &Recent,
    stride: usize,
    level: usize,
    lengths: [usize; 2],
    order: usize,
) -> [usize; 4] {
    let [long, short] = lengths;
    [
        offset(recent, stride),
        usize::from(recent.back(record(stride))) * 8 + level,
        long * 16 + order * 2 + usize::from(short > 0),
        usize::from(recent.back(2)) * 8 + level,
    ]
}

/// The length of a record, four where none is known.
#[inline(always)]
fn record(stride: usize) -> usize {
    if stride > 0 { stride } else { 4 }
}

/// The place in a record, or in sixteen bytes where no length of records is known.
#[inline(always)]
fn offset(recent: &Recent, stride: usize) -> usize {
    match stride {
        0 => RECORD + recent.position % 16,
        stride => recent.position % stride,
    }
}

/// Letters alone, the outline of what was coded, and what followed two bytes.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    /// The last four letters (A–Z as a–z, and all bytes from 128 on), whatever stood between them, the latest lowest.
    letters: u32,
    /// The last eight of: `a` for each run of small letters, `0` of digits, `A` for each capital, and all other bytes.
    shapes: u64,
    /// By the two bytes before: what followed them the last four times, the latest lowest.
    follow: Vec<u32>,
    /// The last two bytes.
    pair: u16,
}

impl Outline {
    /// Of nothing.
    pub fn new() -> Outline {
        Outline {
            follow: vec![0; 1 << 16],
            ..Outline::default()
        }
    }

    /// What followed the last two of these bytes the last four times.
    #[inline(always)]
    fn followed(&self, last: u64) -> u32 {
        self.follow[usize::from(last as u16)]
    }

    /// Appends a byte.
    #[inline(always)]
    pub fn push(&mut self, byte: u8) {
        let followed = &mut self.follow[usize::from(self.pair)];
        *followed = *followed << 8 | u32::from(byte);
        self.pair = self.pair << 8 | u16::from(byte);
        if byte.is_ascii_alphabetic() || byte >= 128 {
            self.letters = self.letters << 8 | u32::from(byte.to_ascii_lowercase());
        }
        let shape = match byte {
            b'0'..=b'9' => b'0',
            b'A'..=b'Z' => b'A',
            b'a'..=b'z' => b'a',
            other => other,
        };
        let runs = matches!(shape, b'0' | b'a');
        if !(runs && self.shapes as u8 == shape) {
            self.shapes = self.shapes << 8 | u64::from(shape);
        }
    }
}

/// The contexts that a picture's take the places of: the usual ones, and skip, letters, outline, below, place.
pub const OF_TEXT: [usize; image::CONTEXTS] = [6, 12, 7, 13, 10, 4, 21, 22, 23, 24, 16];

/// Hashes of the contexts beyond the usual ones.
#[inline(always)]
pub fn contexts(out: &mut [u32], recent: &Recent, memory: &Memory, outline: &Outline) {
    let last = recent.last;
    let number = |name: u32, x: u64| combine(combine(name, x as u32), (x >> 32) as u32);
    let b = |back: u32| (last >> (8 * (back - 1))) as u32 & 0xFF;
    let byte = |back: usize| u32::from(recent.back(back));
    let stride = memory.record();
    let record = record(stride);
    // What stands in the record before, and around it, and in the one before that.
    let (north, north2) = (byte(record), byte(2 * record));
    let (west, east) = (byte(record + 1), byte(record - 1));
    let offset = offset(recent, stride) as u32;
    // Samples are of two bytes unless records are short.
    let sample = if (2..=8).contains(&stride) { stride } else { 2 };
    let extrapolated = (2 * byte(sample)).wrapping_sub(byte(2 * sample)) & 0xFF;
    let contexts = [
        combine(800, b(1)),
        number(801, last),
        combine(
            combine(802, recent.position as u32 % 8),
            last as u32 & 0xFFFF,
        ),
        combine(803, b(1) | b(3) << 8),
        combine(804, b(3) | b(4) << 8),
        combine(805, last as u32 & 0xF8_F8_F8),
        combine(combine(806, last as u32 & 0xFFFF), outline.followed(last)),
        combine(combine(807, recent.word), recent.second_word),
        combine(808, outline.letters),
        number(809, outline.shapes),
        combine(combine(810, under(recent)), last as u32 & 0xFFFF),
        combine(combine(811, north | north2 << 8), b(1)),
        combine(812, north | west << 8 | east << 16),
        combine(combine(813, north | b(1) << 8), offset),
        combine(combine(814, stride as u32), offset),
        combine(815, north.wrapping_add(b(1)).wrapping_sub(west) & 0xFF),
        combine(combine(816, extrapolated), b(1) >> 4),
        combine(combine(817, north >> 2 | b(1) >> 2 << 8), west >> 3),
    ];
    out[USUAL..].copy_from_slice(&contexts);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &[u8]) -> Outline {
        let mut outline = Outline::new();
        text.iter().for_each(|&byte| outline.push(byte));
        outline
    }

    #[test]
    fn letters_and_shapes_of_a_text() {
        let outline = after(b"(Ma)-327(tk12)a");
        assert_eq!(outline.letters, u32::from_be_bytes(*b"atka"));
        assert_eq!(outline.shapes, u64::from_be_bytes(*b")-0(a0)a"));
        assert_eq!(
            after(b"xABab12\xC3\xBC").letters,
            u32::from_be_bytes(*b"ab\xC3\xBC")
        );
    }

    #[test]
    fn what_followed_two_bytes() {
        let outline = after(b"abcabdab");
        assert_eq!(
            outline.followed(u64::from(u16::from_be_bytes(*b"ab"))),
            u32::from_be_bytes(*b"\0\0cd")
        );
        assert_eq!(outline.followed(0xFFFF), 0);
    }

    #[test]
    fn every_place_has_a_vector() {
        let mut recent = Recent::new(1 << 20);
        for n in 0..100_000u32 {
            recent.push(n as u8);
            for stride in [0, 2, 3, 4095] {
                let sets = sets(&recent, stride, 7, [LENGTHS - 1; 2], 3);
                assert!(sets.iter().zip(&SETS).all(|(&at, &(_, size))| at < size));
            }
        }
    }
}
