//! Blocks of a deflate stream, read and written.

use crate::Error;
use crate::bits::{Bits, Reader, Writer};
use crate::codes::{self, DISTANCES, Decoder, END, LENGTHS, LITERALS, MAX_BITS, ORDER, Token};
use crate::trees;

/// The most tokens that a block may have to be taken apart: what is kept of one is small.
pub const MOST_TOKENS: usize = 1 << 20;

/// How a block is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// So many bytes as they are.
    Stored(usize),
    /// With the codes that need not be said.
    Fixed,
    /// With codes of its own, those that zlib would choose.
    Usual,
    /// With codes of its own, which are said so.
    Own(Bits),
}

/// A block of a stream.
#[derive(Clone, Debug)]
pub struct Block {
    pub is_last: bool,
    pub form: Form,
    /// What it says, unless it is stored.
    pub tokens: Vec<Token>,
}

/// Takes a stream apart, block after block.
pub struct Blocks<'a> {
    reader: Reader<'a>,
    is_done: bool,
    /// Bytes read and said so far, those of a block that was none in the end among them.
    work: u64,
    /// How many bits were asked for, those of such a block among them.
    asked: usize,
}

impl<'a> Blocks<'a> {
    pub fn new(data: &'a [u8]) -> Blocks<'a> {
        Blocks {
            reader: Reader::new(data),
            is_done: false,
            work: 0,
            asked: 0,
        }
    }

    /// How many bytes were read and said so far. What failed counts: data may be made so that a stream seems to begin at many places.
    pub fn work(&self) -> u64 {
        self.work
    }

    /// Whether a block was none because the data ends within it.
    pub fn is_cut(&self) -> bool {
        self.asked > self.reader.length()
    }

    /// How many bits the blocks so far take.
    pub fn position(&self) -> usize {
        self.reader.position()
    }

    /// The next block; what it says is appended to `content`, which grows to `most` bytes at most and is not touched if that fails. None
    /// after the last one.
    ///
    /// # Errors
    /// [`Error::Stream`] if this is no block, or not one that can be written again; [`Error::Length`] if it says more than that.
    pub fn next(&mut self, content: &mut Vec<u8>, most: usize) -> Result<Option<Block>, Error> {
        if self.is_done {
            return Ok(None);
        }
        let before = (self.reader.clone(), content.len());
        let block = self.block(content, most).and_then(|block| {
            self.reader.check()?;
            Ok(block)
        });
        self.asked = self.reader.position();
        let read = (self.asked - before.0.position()) / 8;
        self.work += (read + content.len() - before.1) as u64;
        match block {
            Ok(block) => {
                self.is_done = block.is_last;
                Ok(Some(block))
            }
            Err(error) => {
                self.reader = before.0;
                content.truncate(before.1);
                Err(error)
            }
        }
    }

    fn block(&mut self, content: &mut Vec<u8>, most: usize) -> Result<Block, Error> {
        let reader = &mut self.reader;
        let is_last = reader.take(1) == 1;
        let (form, codes) = match reader.take(2) {
            0 => {
                let form = stored(reader, content, most)?;
                return Ok(Block {
                    is_last,
                    form,
                    tokens: Vec::new(),
                });
            }
            1 => (Form::Fixed, codes::fixed()),
            2 => {
                let start = reader.position();
                let codes = own_codes(reader)?;
                (Form::Own(reader.since(start)), codes)
            }
            _ => return Err(Error::Stream),
        };
        let tokens = tokens(reader, &codes, content, most)?;
        let form = match form {
            Form::Own(bits)
                if bits == usual(&tokens, &content[content.len() - said(&tokens)..]) =>
            {
                Form::Usual
            }
            form => form,
        };
        Ok(Block {
            is_last,
            form,
            tokens,
        })
    }
}

/// How many bytes tokens stand for.
fn said(tokens: &[Token]) -> usize {
    tokens.iter().map(|token| usize::from(token.length)).sum()
}

fn stored(reader: &mut Reader, content: &mut Vec<u8>, most: usize) -> Result<Form, Error> {
    if reader.align() != 0 {
        return Err(Error::Stream);
    }
    let (length, complement) = (reader.take(16), reader.take(16));
    if length ^ complement != 0xFFFF {
        return Err(Error::Stream);
    }
    let bytes = reader.bytes(length as usize)?;
    if content.len() + bytes.len() > most {
        return Err(Error::Length);
    }
    content.extend(bytes);
    Ok(Form::Stored(bytes.len()))
}

/// Lengths of a block's codes, for literals and for distances.
type Lengths = (Vec<u8>, Vec<u8>);

/// Reads the lengths of a block's own codes.
fn own_codes(reader: &mut Reader) -> Result<Lengths, Error> {
    let literals = reader.take(5) as usize + 257;
    let distances = reader.take(5) as usize + 1;
    let count = reader.take(4) as usize + 4;
    if literals > LITERALS || distances > DISTANCES {
        return Err(Error::Stream);
    }
    let mut lengths = [0; LENGTHS];
    for &symbol in &ORDER[..count] {
        lengths[symbol] = reader.take(3) as u8;
    }
    let decoder = Decoder::new(&lengths)?;
    let mut all: Vec<u8> = Vec::with_capacity(literals + distances);
    while all.len() < literals + distances {
        let (length, times) = match decoder.symbol(reader)? {
            16 => {
                let last = *all.last().ok_or(Error::Stream)?;
                (last, reader.take(2) + 3)
            }
            17 => (0, reader.take(3) + 3),
            18 => (0, reader.take(7) + 11),
            length => (length as u8, 1),
        };
        all.extend(std::iter::repeat_n(length, times as usize));
    }
    if all.len() > literals + distances {
        return Err(Error::Stream);
    }
    let distances = all.split_off(literals);
    Ok((all, distances))
}

/// Reads a block's tokens.
fn tokens(
    reader: &mut Reader,
    (literals, distances): &Lengths,
    content: &mut Vec<u8>,
    most: usize,
) -> Result<Vec<Token>, Error> {
    let (literals, distances) = (Decoder::new(literals)?, Decoder::new(distances)?);
    let mut tokens = Vec::new();
    loop {
        let symbol = literals.symbol(reader)?;
        if symbol == END {
            return Ok(tokens);
        }
        if tokens.len() == MOST_TOKENS {
            return Err(Error::Stream);
        }
        if symbol < END {
            if content.len() == most {
                return Err(Error::Length);
            }
            content.push(symbol as u8);
            tokens.push(Token::BYTE);
            continue;
        }
        if symbol >= LITERALS {
            return Err(Error::Stream);
        }
        let (extra, base) = codes::length_base(symbol - END - 1);
        let length = base + reader.take(extra) as usize;
        // 258 has a symbol of its own; another one can be made to say it too.
        if codes::length_symbol(length) != symbol - END - 1 {
            return Err(Error::Stream);
        }
        let symbol = distances.symbol(reader)?;
        if symbol >= DISTANCES {
            return Err(Error::Stream);
        }
        let (extra, base) = codes::distance_base(symbol);
        let distance = base + reader.take(extra) as usize;
        let start = content.len().checked_sub(distance).ok_or(Error::Stream)?;
        if content.len() + length > most {
            return Err(Error::Length);
        }
        for at in start..start + length {
            content.push(content[at]);
        }
        tokens.push(Token {
            length: length as u16,
            distance: distance as u16,
        });
        reader.check()?;
    }
}

/// How often each symbol occurs.
fn frequencies(tokens: &[Token], mut content: &[u8]) -> ([u32; LITERALS], [u32; DISTANCES]) {
    let (mut literals, mut distances) = ([0; LITERALS], [0; DISTANCES]);
    literals[END] = 1;
    for token in tokens {
        let (bytes, rest) = content.split_at(usize::from(token.length));
        content = rest;
        match usize::from(token.distance) {
            0 => literals[usize::from(bytes[0])] += 1,
            distance => {
                literals[END + 1 + codes::length_symbol(token.length.into())] += 1;
                distances[codes::distance_symbol(distance)] += 1;
            }
        }
    }
    (literals, distances)
}

/// The lengths of the codes that zlib would choose.
fn usual_codes(tokens: &[Token], content: &[u8]) -> Lengths {
    let (literals, distances) = frequencies(tokens, content);
    (
        trees::lengths(&literals, MAX_BITS),
        trees::lengths(&distances, MAX_BITS),
    )
}

/// How zlib would write them.
fn usual(tokens: &[Token], content: &[u8]) -> Bits {
    let (literals, distances) = usual_codes(tokens, content);
    let mut out = Writer::default();
    trees::write(&literals, &distances, &mut out);
    out.finish()
}

impl Block {
    /// Writes the block, whose tokens stand for `content`.
    ///
    /// # Errors
    /// [`Error::Recipe`] if its own codes are none, or have none for one of its symbols.
    pub fn write(&self, content: &[u8], out: &mut Writer) -> Result<(), Error> {
        const WRONG: Error = Error::Recipe("a block's codes do not fit what it says");
        out.put(self.is_last.into(), 1);
        let lengths = match &self.form {
            Form::Stored(length) => {
                out.put(0, 2);
                out.align(0);
                out.put(*length as u32, 16);
                out.put(*length as u32 ^ 0xFFFF, 16);
                content.iter().for_each(|&byte| out.put(byte.into(), 8));
                return Ok(());
            }
            Form::Fixed => {
                out.put(1, 2);
                codes::fixed()
            }
            Form::Usual => {
                out.put(2, 2);
                let lengths = usual_codes(&self.tokens, content);
                trees::write(&lengths.0, &lengths.1, out);
                lengths
            }
            Form::Own(bits) => {
                out.put(2, 2);
                out.append(&bits.bytes, bits.count);
                let mut reader = Reader::new(&bits.bytes);
                let lengths = own_codes(&mut reader).map_err(|_| WRONG)?;
                if reader.position() != bits.count {
                    return Err(WRONG);
                }
                for lengths in [&lengths.0, &lengths.1] {
                    Decoder::new(lengths).map_err(|_| WRONG)?;
                }
                lengths
            }
        };
        let (literals, distances) = (codes::codes(&lengths.0), codes::codes(&lengths.1));
        let mut put = |codes: &[(u32, u32)], symbol: usize, more: usize, extra: u32| {
            let &(code, bits) = codes
                .get(symbol)
                .filter(|(_, bits)| *bits > 0)
                .ok_or(WRONG)?;
            out.put(code, bits);
            out.put(more as u32, extra);
            Ok(())
        };
        let mut rest = content;
        for token in &self.tokens {
            let (bytes, after) = rest.split_at(usize::from(token.length));
            rest = after;
            let (length, distance) = (bytes.len(), usize::from(token.distance));
            if distance == 0 {
                put(&literals, bytes[0].into(), 0, 0)?;
                continue;
            }
            let symbol = codes::length_symbol(length);
            let (extra, base) = codes::length_base(symbol);
            put(&literals, END + 1 + symbol, length - base, extra)?;
            let symbol = codes::distance_symbol(distance);
            let (extra, base) = codes::distance_base(symbol);
            put(&distances, symbol, distance - base, extra)?;
        }
        put(&literals, END, 0, 0)
    }
}
