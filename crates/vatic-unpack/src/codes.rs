//! Deflate's alphabets (RFC 1951): lengths and distances as symbols, canonical prefix codes.

use crate::Error;
use crate::bits::Reader;

/// Symbols for literals, the end of a block and lengths.
pub const LITERALS: usize = 286;
/// Symbols for distances.
pub const DISTANCES: usize = 30;
/// Symbols for code lengths.
pub const LENGTHS: usize = 19;
/// The symbol that ends a block.
pub const END: usize = 256;
/// The longest code, and the longest of those for code lengths.
pub const MAX_BITS: usize = 15;
pub const MAX_LENGTH_BITS: usize = 7;
/// Least and greatest length of a match.
pub const MIN_MATCH: usize = 3;
pub const MAX_MATCH: usize = 258;
/// The order in which lengths of the codes for code lengths are written.
pub const ORDER: [usize; LENGTHS] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// A byte, or bytes as they stand `distance` before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// 1 for a byte.
    pub length: u16,
    /// 0 for a byte.
    pub distance: u16,
}

impl Token {
    pub const BYTE: Token = Token {
        length: 1,
        distance: 0,
    };
}

/// Bits that follow a length's symbol, counted from the first one, and the least length that it means.
pub fn length_base(symbol: usize) -> (u32, usize) {
    match symbol {
        0..=7 => (0, symbol + 3),
        28 => (0, 258),
        _ => {
            let extra = symbol as u32 / 4 - 1;
            (extra, ((4 + symbol % 4) << extra) + 3)
        }
    }
}

/// The symbol of a length, counted from the first one.
pub fn length_symbol(length: usize) -> usize {
    match length {
        0..=10 => length.saturating_sub(3),
        258 => 28,
        _ => {
            let extra = (length - 3).ilog2() as usize - 2;
            4 * (extra + 1) + ((length - 3) >> extra) % 4
        }
    }
}

/// The same for distances.
pub fn distance_base(symbol: usize) -> (u32, usize) {
    match symbol {
        0..=3 => (0, symbol + 1),
        _ => {
            let extra = symbol as u32 / 2 - 1;
            (extra, ((2 + symbol % 2) << extra) + 1)
        }
    }
}

/// The symbol of a distance.
pub fn distance_symbol(distance: usize) -> usize {
    match distance {
        0..=4 => distance.saturating_sub(1),
        _ => {
            let extra = (distance - 1).ilog2() as usize - 1;
            2 * (extra + 1) + ((distance - 1) >> extra) % 2
        }
    }
}

/// The lengths of the codes of blocks that come without their own.
pub fn fixed() -> (Vec<u8>, Vec<u8>) {
    let literals = (0..288).map(|symbol| match symbol {
        0..=143 | 280.. => 8,
        144..=255 => 9,
        _ => 7,
    });
    (literals.collect(), vec![5; 32])
}

/// The canonical codes of these lengths, their bits in the order in which they are written.
pub fn codes(lengths: &[u8]) -> Vec<(u32, u32)> {
    let mut next = first_codes(lengths);
    let code = |&length: &u8| {
        if length == 0 {
            return (0, 0);
        }
        let code = next[usize::from(length)];
        next[usize::from(length)] += 1;
        let bits = u32::from(length);
        (code.reverse_bits() >> (32 - bits), bits)
    };
    lengths.iter().map(code).collect()
}

/// The first code of each length.
fn first_codes(lengths: &[u8]) -> [u32; MAX_BITS + 1] {
    let mut counts = [0; MAX_BITS + 1];
    lengths
        .iter()
        .for_each(|&length| counts[usize::from(length)] += 1);
    counts[0] = 0;
    let mut next = [0u32; MAX_BITS + 1];
    for bits in 1..=MAX_BITS {
        next[bits] = (next[bits - 1] + counts[bits - 1]) << 1;
    }
    next
}

/// Finds symbols by the bits of their codes.
pub struct Decoder {
    /// By the next bits: symbol and length, which is 0 where there is none.
    table: Vec<(u16, u8)>,
    bits: u32,
}

impl Decoder {
    /// For codes of these lengths.
    ///
    /// # Errors
    /// [`Error::Stream`] if there are more codes than bits can tell apart.
    pub fn new(lengths: &[u8]) -> Result<Decoder, Error> {
        let longest = lengths.iter().copied().max().unwrap_or(0).max(1);
        let taken = |&length: &u8| match length {
            0 => 0,
            length => 1usize << (longest - length),
        };
        if lengths.iter().map(taken).sum::<usize>() > 1 << longest {
            return Err(Error::Stream);
        }
        let mut table = vec![(0, 0); 1 << longest];
        for (symbol, (code, bits)) in codes(lengths).into_iter().enumerate() {
            if bits > 0 {
                let places = (code as usize..table.len()).step_by(1 << bits);
                places.for_each(|place| table[place] = (symbol as u16, bits as u8));
            }
        }
        Ok(Decoder {
            table,
            bits: longest.into(),
        })
    }

    /// The next symbol.
    #[inline(always)]
    pub fn symbol(&self, reader: &mut Reader) -> Result<usize, Error> {
        let (symbol, bits) = self.table[reader.peek(self.bits) as usize];
        reader.skip(bits.into());
        match bits {
            0 => Err(Error::Stream),
            _ => Ok(symbol.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_hold_what_they_mean() {
        for length in MIN_MATCH..=MAX_MATCH {
            let symbol = length_symbol(length);
            let (extra, base) = length_base(symbol);
            assert!(
                symbol < 29 && base <= length && length - base < 1 << extra,
                "{length}"
            );
        }
        for distance in 1..=32768 {
            let symbol = distance_symbol(distance);
            let (extra, base) = distance_base(symbol);
            let inside = base <= distance && distance - base < 1 << extra;
            assert!(symbol < DISTANCES && inside, "{distance}");
        }
    }

    #[test]
    fn the_example_of_rfc_1951() {
        let codes = codes(&[3, 3, 3, 3, 3, 2, 4, 4]);
        let written: Vec<String> = (codes.iter())
            .map(|&(code, bits)| {
                (0..bits)
                    .map(|bit| char::from(b'0' + (code >> bit & 1) as u8))
                    .collect()
            })
            .collect();
        assert_eq!(
            written,
            ["010", "011", "100", "101", "110", "00", "1110", "1111"]
        );
    }
}
