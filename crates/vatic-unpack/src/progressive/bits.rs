//! Bits of a scan: the highest bit of each byte comes first, and a zero follows each byte of ones.

use crate::Error;
use vatic_jpeg::{Huffman, Word};

/// Reads bits up to the next marker.
pub struct Reader<'a> {
    data: &'a [u8],
    next: usize,
    held: u32,
    count: u32,
}

impl<'a> Reader<'a> {
    pub fn new(data: &'a [u8]) -> Reader<'a> {
        Reader {
            data,
            next: 0,
            held: 0,
            count: 0,
        }
    }

    /// The next bit, if there is one before the marker.
    #[inline(always)]
    pub fn bit(&mut self) -> Option<u32> {
        if self.count == 0 {
            let byte = *self.data.get(self.next)?;
            self.next += 1;
            if byte == 0xFF {
                if self.data.get(self.next) != Some(&0) {
                    self.next -= 1;
                    return None;
                }
                self.next += 1;
            }
            (self.held, self.count) = (byte.into(), 8);
        }
        self.count -= 1;
        Some(self.held >> self.count & 1)
    }

    /// The next `count` bits, at most 16.
    #[inline(always)]
    pub fn bits(&mut self, count: u32) -> Option<u32> {
        let mut bits = 0;
        for _ in 0..count {
            bits = bits << 1 | self.bit()?;
        }
        Some(bits)
    }

    /// The number that so many bits say: positive if the first one is 1.
    #[inline(always)]
    pub fn number(&mut self, size: u32) -> Option<i32> {
        let bits = self.bits(size)? as i32;
        let is_positive = size > 0 && bits >> (size - 1) > 0;
        Some(match is_positive {
            true => bits,
            false => bits + 1 - (1 << size),
        })
    }

    /// The symbol of the next code word.
    #[inline(always)]
    pub fn symbol(&mut self, code: &Huffman) -> Option<u8> {
        let mut word = 0;
        for length in 1..=16 {
            word = word << 1 | self.bit()?;
            if let Some(symbol) = code.symbol(word, length) {
                return Some(symbol);
            }
        }
        None
    }

    /// Passes the marker of a restart.
    pub fn restart(&mut self, number: usize) -> Option<()> {
        let (marker, rest) = self.data[self.next..].split_first_chunk()?;
        if *marker != restart(number) {
            return None;
        }
        self.next = self.data.len() - rest.len();
        self.count = 0;
        Some(())
    }

    /// How many bytes were read.
    pub fn used(&self) -> usize {
        self.next
    }
}

/// The marker of a restart: the first one has the number 1.
fn restart(number: usize) -> [u8; 2] {
    [0xFF, 0xD0 | ((number - 1) & 7) as u8]
}

/// How many bits a number's size takes.
#[inline(always)]
pub fn size(number: i32) -> u32 {
    32 - number.unsigned_abs().leading_zeros()
}

/// The bits that say a number of that size.
#[inline(always)]
pub fn number(number: i32) -> Word {
    let length = size(number);
    let bits = if number < 0 { number - 1 } else { number };
    Word {
        bits: bits as u32 & ((1 << length) - 1),
        length,
    }
}

/// So many bytes are given at a time.
const PIECE: usize = 1 << 12;

/// Writes bits.
pub struct Writer<'a, 'g> {
    bytes: Vec<u8>,
    held: u64,
    count: u32,
    give: &'a mut (dyn FnMut(&[u8]) -> Result<(), Error> + 'g),
}

impl<'a, 'g> Writer<'a, 'g> {
    pub fn new(give: &'a mut (dyn FnMut(&[u8]) -> Result<(), Error> + 'g)) -> Self {
        Writer {
            bytes: Vec::with_capacity(PIECE + 16),
            held: 0,
            count: 0,
            give,
        }
    }

    /// Appends bits, at most 32.
    #[inline(always)]
    pub fn put(&mut self, Word { bits, length }: Word) -> Result<(), Error> {
        self.held = self.held << length | u64::from(bits);
        self.count += length;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.held >> self.count) as u8;
            self.bytes.push(byte);
            if byte == 0xFF {
                self.bytes.push(0);
            }
        }
        if self.bytes.len() >= PIECE {
            self.drain()?;
        }
        Ok(())
    }

    fn drain(&mut self) -> Result<(), Error> {
        (self.give)(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }

    /// Fills the last byte with ones.
    fn fill(&mut self) -> Result<(), Error> {
        let length = (8 - self.count % 8) % 8;
        let bits = (1 << length) - 1;
        self.put(Word { bits, length })
    }

    /// Appends a restart.
    pub fn restart(&mut self, number: usize) -> Result<(), Error> {
        self.fill()?;
        self.bytes.extend(restart(number));
        Ok(())
    }

    /// Gives what is left.
    pub fn finish(mut self) -> Result<(), Error> {
        self.fill()?;
        self.drain()
    }
}
