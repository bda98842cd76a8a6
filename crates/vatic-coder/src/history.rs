//! What has been coded, by stream, and where the match model looks.

use crate::Vocabulary;
use crate::fields::Fields;
use crate::kinds;
use crate::prefetch::prefetch;

/// All tokens of a frame so far, by stream. Bytes are kept as bytes.
#[derive(Debug, Clone)]
pub enum Tokens {
    /// Of a vocabulary of the 256 bytes.
    Bytes(Vec<Vec<u8>>),
    /// Of any other.
    Wide(Vec<Vec<u16>>),
}

impl Tokens {
    /// Nothing yet, in each of `streams` streams.
    pub fn new(vocabulary: &Vocabulary, streams: usize) -> Tokens {
        if vocabulary.is_single_bytes() {
            Tokens::Bytes(vec![Vec::new(); streams])
        } else {
            Tokens::Wide(vec![Vec::new(); streams])
        }
    }

    /// Appends a token to a stream.
    #[inline(always)]
    pub fn push(&mut self, stream: usize, token: u16) {
        match self {
            Tokens::Bytes(all) => all[stream].push(token as u8),
            Tokens::Wide(all) => all[stream].push(token),
        }
    }

    /// Tokens of a stream.
    #[inline(always)]
    pub fn len(&self, stream: usize) -> usize {
        match self {
            Tokens::Bytes(all) => all[stream].len(),
            Tokens::Wide(all) => all[stream].len(),
        }
    }

    /// Token `at` of a stream, if it has been coded.
    #[inline(always)]
    pub fn get(&self, stream: usize, at: usize) -> Option<u16> {
        match self {
            Tokens::Bytes(all) => all[stream].get(at).map(|&byte| u16::from(byte)),
            Tokens::Wide(all) => all[stream].get(at).copied(),
        }
    }

    /// Has what is before token `at` of a stream brought into the cache.
    #[inline(always)]
    pub fn prefetch(&self, stream: usize, at: usize) {
        let last = at.wrapping_sub(1);
        match self {
            Tokens::Bytes(all) => prefetch(&all[stream], last),
            Tokens::Wide(all) => prefetch(&all[stream], last),
        }
    }

    /// How many tokens before (`a`, `i`) equal those before (`b`, `j`), at most `limit`.
    #[inline(always)]
    pub fn common_suffix(
        &self,
        (a, i): (usize, usize),
        (b, j): (usize, usize),
        limit: usize,
    ) -> usize {
        fn count<T: PartialEq>(x: &[T], y: &[T], limit: usize) -> usize {
            x.iter()
                .rev()
                .zip(y.iter().rev())
                .take(limit)
                .take_while(|(p, q)| p == q)
                .count()
        }
        match self {
            Tokens::Bytes(all) => count(
                &all[a][..i.min(all[a].len())],
                &all[b][..j.min(all[b].len())],
                limit,
            ),
            Tokens::Wide(all) => count(
                &all[a][..i.min(all[a].len())],
                &all[b][..j.min(all[b].len())],
                limit,
            ),
        }
    }
}

/// Places in a line or a record that are told apart, see [`Recent::place`].
pub const PLACES: usize = 64 * 4 + 8;

/// The last bytes of a stream, for contexts of bytes, words, columns and records.
#[derive(Debug, Clone)]
pub struct Recent {
    ring: Vec<u8>,
    mask: usize,
    /// Bytes so far.
    pub position: usize,
    /// The last eight bytes, the latest lowest.
    pub last: u64,
    /// Kinds of the last eight bytes, four bits each, the latest lowest; 0 where there is none.
    pub kinds: u32,
    /// Where the current line started.
    pub line: usize,
    /// Where the line above started.
    pub above: usize,
    /// Hash of the letters of the current word, 0 between words.
    pub word: u32,
    /// Hash of the word before.
    pub previous_word: u32,
    /// And of the one before that.
    pub second_word: u32,
    /// Fields of this line and the one above.
    pub fields: Fields,
}

impl Recent {
    /// A stream of about `length` bytes that has not started.
    pub fn new(length: u64) -> Recent {
        let size = length.clamp(64, 1 << 16).next_power_of_two() as usize;
        Recent {
            ring: vec![0; size],
            mask: size - 1,
            position: 0,
            last: 0,
            kinds: 0,
            line: 0,
            above: 0,
            word: 0,
            previous_word: 0,
            second_word: 0,
            fields: Fields::new(),
        }
    }

    /// The byte `distance` before the next one (1: the last); 0 where there is none.
    #[inline(always)]
    pub fn back(&self, distance: usize) -> u8 {
        // The ring starts as zeros, so what lies before the first byte reads as 0.
        if distance > self.mask {
            0
        } else {
            self.ring[self.position.wrapping_sub(distance) & self.mask]
        }
    }

    /// The byte at a position, if it is still in the ring; else 0.
    #[inline(always)]
    pub fn at(&self, position: usize) -> u8 {
        if position < self.position && self.position - position <= self.mask {
            self.ring[position & self.mask]
        } else {
            0
        }
    }

    /// Column of the next byte.
    #[inline(always)]
    pub fn column(&self) -> usize {
        self.position - self.line
    }

    /// Where in a line, by fields, or in a machine's words the next byte stands. Zeros are taken as a sign of the latter.
    #[inline(always)]
    pub fn place(&self) -> usize {
        if self.last.to_le_bytes().contains(&0) {
            64 * 4 + self.position % 8
        } else {
            self.fields.number.min(63) * 4 + self.fields.misses.min(3) as usize
        }
    }

    /// Appends a byte.
    #[inline(always)]
    pub fn push(&mut self, byte: u8) {
        let above = self.fields.above(self.position).map(|at| self.at(at));
        self.fields.push(byte, self.position, above);
        self.ring[self.position & self.mask] = byte;
        self.position += 1;
        self.last = self.last << 8 | u64::from(byte);
        self.kinds = self.kinds << 4 | u32::from(kinds::of(byte));
        let letter = if byte.is_ascii_uppercase() {
            byte | 32
        } else {
            byte
        };
        if letter.is_ascii_lowercase() || byte >= 128 {
            self.word = self
                .word
                .wrapping_add(u32::from(letter))
                .wrapping_mul(0x2F0B_4C47)
                .rotate_left(5);
        } else if self.word != 0 {
            self.second_word = self.previous_word;
            self.previous_word = self.word;
            self.word = 0;
        }
        if byte == b'\n' {
            self.above = self.line;
            self.line = self.position;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_bytes_words_and_lines() {
        let mut recent = Recent::new(100);
        for &byte in b"The cat\nsat on" {
            recent.push(byte);
        }
        assert_eq!(
            (
                recent.back(1),
                recent.back(2),
                recent.back(14),
                recent.back(15)
            ),
            (b'n', b'o', b'T', 0)
        );
        assert_eq!((recent.column(), recent.line, recent.above), (6, 8, 0));
        assert_eq!(recent.at(recent.above + recent.column()), b't');
        assert_eq!(recent.at(14), 0);
        let mut other = Recent::new(1 << 40);
        for &byte in b"cAT ON" {
            other.push(byte);
        }
        assert_eq!(other.word, recent.word);
        for byte in 0..200 {
            recent.push(byte);
        }
        assert_eq!(
            (recent.back(127), recent.back(128), recent.back(usize::MAX)),
            (73, 0, 0)
        );
    }

    #[test]
    fn places_in_lines_and_in_words() {
        let place = |bytes: &[u8]| {
            let mut recent = Recent::new(100);
            bytes.iter().for_each(|&byte| recent.push(byte));
            recent.place()
        };
        // The third field, after one byte that is not what stands above.
        assert_eq!(place(b"10,20,30\n10,21,"), 2 * 4 + 1);
        assert_eq!(place(&[b','; 500]), 63 * 4 + 3);
        assert_eq!(place(b"\x07\x00\x00\x00\x08"), 64 * 4 + 5);
        assert_eq!(place(b""), 64 * 4);
        assert!((0..500).all(|n| place(&vec![0; n]) < PLACES && place(&vec![b' '; n]) < PLACES));
    }

    #[test]
    fn suffixes() {
        let mut tokens = Tokens::new(&Vocabulary::bytes(), 2);
        for &byte in b"xabcabc" {
            tokens.push(0, byte.into());
        }
        for &byte in b"yabc" {
            tokens.push(1, byte.into());
        }
        assert_eq!(tokens.common_suffix((0, 7), (0, 4), 100), 3);
        assert_eq!(tokens.common_suffix((0, 7), (1, 4), 2), 2);
        assert_eq!(tokens.common_suffix((0, 99), (1, 0), 9), 0);
        assert_eq!(
            (tokens.get(1, 3), tokens.get(1, 4), tokens.len(1)),
            (Some(b'c'.into()), None, 4)
        );
    }
}
