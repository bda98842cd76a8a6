//! Huffman codes as JPEG has them (ITU-T T.81, annexes C and K.3).

/// A Huffman code: by the length of a code word less one, the first word, how many there are, and the place of the first's symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Huffman {
    first: [u32; 16],
    count: [u32; 16],
    place: [usize; 16],
    symbols: Vec<u8>,
}

/// A code word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Word {
    /// Its bits, the first one the highest.
    pub bits: u32,
    /// How many there are, 1 to 16; 0 for a symbol that has no word.
    pub length: u32,
}

impl Huffman {
    /// From the numbers of code words of each length, and their symbols; none if there are more words than there is room for, or other numbers of
    /// symbols.
    #[must_use]
    pub fn new(counts: [u8; 16], symbols: Vec<u8>) -> Option<Huffman> {
        let (mut first, mut place) = ([0; 16], [0; 16]);
        let (mut word, mut at) = (0u32, 0);
        for (length, &count) in counts.iter().enumerate() {
            (first[length], place[length]) = (word, at);
            at += usize::from(count);
            word += u32::from(count);
            if word > 2 << length {
                return None;
            }
            word <<= 1;
        }
        let count = counts.map(u32::from);
        (at == symbols.len()).then_some(Huffman {
            first,
            count,
            place,
            symbols,
        })
    }

    /// The code at the beginning of `bytes`, as a segment has it behind the byte that names it: sixteen numbers and the symbols. And what follows.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<(Huffman, &[u8])> {
        let (counts, rest) = bytes.split_first_chunk::<16>()?;
        let all = counts.iter().map(|&count| usize::from(count)).sum();
        let (symbols, rest) = rest.split_at_checked(all)?;
        Some((Huffman::new(*counts, symbols.to_vec())?, rest))
    }

    /// The same bytes again.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let counts = self.count.iter().map(|&count| count as u8);
        counts.chain(self.symbols.iter().copied()).collect()
    }

    /// The symbol of a code word of `length` bits (1 to 16), if it is one.
    #[inline(always)]
    #[must_use]
    pub fn symbol(&self, word: u32, length: usize) -> Option<u8> {
        let n = length - 1;
        let beyond = word.wrapping_sub(self.first[n]);
        if beyond >= self.count[n] {
            return None;
        }
        self.symbols.get(self.place[n] + beyond as usize).copied()
    }

    /// The code words of all symbols. Of a symbol that has several it is the first.
    #[must_use]
    pub fn words(&self) -> [Word; 256] {
        let mut words = [Word::default(); 256];
        for (n, length) in (1..=16).enumerate() {
            for more in 0..self.count[n] {
                let symbol = self.symbols[self.place[n] + more as usize];
                let word = &mut words[usize::from(symbol)];
                if word.length == 0 {
                    let bits = self.first[n] + more;
                    *word = Word { bits, length };
                }
            }
        }
        words
    }

    /// One of the four typical codes (T.81, K.3.3): for first coefficients (`class` 0) or for all others (1), of brightness (0) or of colours (1).
    #[must_use]
    pub fn typical(class: usize, number: usize) -> Option<Huffman> {
        let (counts, symbols) = match (class, number) {
            (0, 0) => (FIRST_OF_BRIGHTNESS, &SIZES[..]),
            (0, 1) => (FIRST_OF_COLOURS, &SIZES[..]),
            (1, 0) => (OTHERS_OF_BRIGHTNESS, &SYMBOLS_OF_BRIGHTNESS[..]),
            (1, 1) => (OTHERS_OF_COLOURS, &SYMBOLS_OF_COLOURS[..]),
            _ => return None,
        };
        Huffman::new(counts, symbols.to_vec())
    }
}

const FIRST_OF_BRIGHTNESS: [u8; 16] = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
const FIRST_OF_COLOURS: [u8; 16] = [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0];
const SIZES: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const OTHERS_OF_BRIGHTNESS: [u8; 16] = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125];
const OTHERS_OF_COLOURS: [u8; 16] = [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119];
const SYMBOLS_OF_BRIGHTNESS: [u8; 162] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
    0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0,
    0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0A, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x25, 0x26, 0x27, 0x28,
    0x29, 0x2A, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49,
    0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
    0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
    0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7,
    0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3, 0xC4, 0xC5,
    0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2,
    0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8,
    0xF9, 0xFA,
];
const SYMBOLS_OF_COLOURS: [u8; 162] = [
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71,
    0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xA1, 0xB1, 0xC1, 0x09, 0x23, 0x33, 0x52, 0xF0,
    0x15, 0x62, 0x72, 0xD1, 0x0A, 0x16, 0x24, 0x34, 0xE1, 0x25, 0xF1, 0x17, 0x18, 0x19, 0x1A, 0x26,
    0x27, 0x28, 0x29, 0x2A, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
    0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68,
    0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
    0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5,
    0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3,
    0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA,
    0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8,
    0xF9, 0xFA,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typical_codes_have_a_word_for_all_that_baseline_pictures_may_say() {
        for number in 0..2 {
            let sizes = Huffman::typical(0, number).unwrap().words();
            assert!(sizes[..12].iter().all(|word| word.length > 0));
            let others = Huffman::typical(1, number).unwrap().words();
            let needed = (0..16u8).flat_map(|run| (1..=10).map(move |size| run << 4 | size));
            for symbol in needed.chain([0x00, 0xF0]) {
                assert!(others[usize::from(symbol)].length > 0, "{symbol:02X}");
            }
            assert_eq!(others.iter().filter(|word| word.length > 0).count(), 162);
        }
        assert_eq!(Huffman::typical(0, 2), None);
        assert_eq!(Huffman::typical(2, 0), None);
    }

    #[test]
    fn each_word_is_read_as_its_symbol() {
        for (class, number) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let code = Huffman::typical(class, number).unwrap();
            for (symbol, word) in code.words().iter().enumerate() {
                for length in 1..=word.length as usize {
                    let read = code.symbol(word.bits >> (word.length as usize - length), length);
                    let whole = length == word.length as usize;
                    assert_eq!(read, whole.then_some(symbol as u8));
                }
            }
            let bytes = code.bytes();
            assert_eq!(
                Huffman::read(&[&bytes[..], b"more"].concat()),
                Some((code, &b"more"[..]))
            );
            assert_eq!(Huffman::read(&bytes[..bytes.len() - 1]), None);
        }
    }

    #[test]
    fn no_more_words_than_there_is_room_for() {
        let mut counts = [0; 16];
        counts[0] = 2;
        assert!(Huffman::new(counts, vec![5, 5]).is_some());
        assert_eq!(Huffman::new(counts, vec![5]), None);
        counts[15] = 1;
        assert_eq!(Huffman::new(counts, vec![5, 5, 7]), None);
    }
}
