//! Bits of a deflate stream: the lowest bit of each byte comes first.

use crate::Error;

/// Reads bits.
#[derive(Clone)]
pub struct Reader<'a> {
    data: &'a [u8],
    /// The next byte that is not in `held` yet.
    next: usize,
    held: u64,
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

    /// Holds at least 48 bits, those behind the end as zeros.
    #[inline(always)]
    fn refill(&mut self) {
        while self.count <= 56 {
            let byte = self.data.get(self.next).copied().unwrap_or(0);
            self.held |= u64::from(byte) << self.count;
            self.next += 1;
            self.count += 8;
        }
    }

    /// The next `count` bits, at most 32, without taking them.
    #[inline(always)]
    pub fn peek(&mut self, count: u32) -> u32 {
        if self.count < count {
            self.refill();
        }
        (self.held & ((1 << count) - 1)) as u32
    }

    /// Takes bits that were peeked at.
    #[inline(always)]
    pub fn skip(&mut self, count: u32) {
        self.held >>= count;
        self.count -= count;
    }

    /// The next `count` bits, at most 32.
    #[inline(always)]
    pub fn take(&mut self, count: u32) -> u32 {
        let bits = self.peek(count);
        self.skip(count);
        bits
    }

    /// How many bits there are.
    pub fn length(&self) -> usize {
        self.data.len() * 8
    }

    /// How many bits were taken.
    pub fn position(&self) -> usize {
        self.next * 8 - self.count as usize
    }

    /// An error if more bits were taken than there are.
    pub fn check(&self) -> Result<(), Error> {
        match self.position() <= self.length() {
            true => Ok(()),
            false => Err(Error::Stream),
        }
    }

    /// The bits up to the next whole byte.
    pub fn align(&mut self) -> u32 {
        self.take(self.count % 8)
    }

    /// The next `length` bytes, from a whole byte on.
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let start = self.position() / 8;
        let bytes = self.data.get(start..start + length).ok_or(Error::Stream)?;
        *self = Reader {
            next: start + length,
            ..Reader::new(self.data)
        };
        Ok(bytes)
    }

    /// The bits from `start` to here, the lowest bit of each byte first.
    pub fn since(&self, start: usize) -> Bits {
        let mut reader = Reader {
            next: start / 8,
            ..Reader::new(self.data)
        };
        reader.take((start % 8) as u32);
        let mut bits = Writer::default();
        for _ in start..self.position() {
            bits.put(reader.take(1), 1);
        }
        bits.finish()
    }
}

/// A string of bits, the rest of the last byte zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits {
    pub bytes: Vec<u8>,
    pub count: usize,
}

/// Writes bits.
#[derive(Default)]
pub struct Writer {
    /// Whole bytes.
    pub bytes: Vec<u8>,
    held: u64,
    count: u32,
}

impl Writer {
    /// Appends the lower `count` bits, at most 32.
    #[inline(always)]
    pub fn put(&mut self, bits: u32, count: u32) {
        self.held |= u64::from(bits) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.held as u8);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    /// Appends a string of bits.
    pub fn append(&mut self, bits: &[u8], count: usize) {
        for (n, &byte) in bits.iter().enumerate() {
            self.put(byte.into(), 8.min(count - 8 * n) as u32);
        }
    }

    /// Fills the last byte up with `rest`.
    pub fn align(&mut self, rest: u32) {
        if self.count > 0 {
            let room = 8 - self.count;
            self.put(rest & ((1 << room) - 1), room);
        }
    }

    pub fn finish(mut self) -> Bits {
        let count = self.bytes.len() * 8 + self.count as usize;
        self.align(0);
        Bits {
            bytes: self.bytes,
            count,
        }
    }
}
