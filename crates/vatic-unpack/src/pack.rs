//! From content and recipe back to the data that they were made of.

use crate::base64;
use crate::bits::{Bits, Writer};
use crate::blocks::{Block, Form, MOST_TOKENS};
use crate::codes::{MAX_MATCH, Token};
use crate::find::BETWEEN;
use crate::numbers::{read, read_bytes, read_size};
use crate::progressive;
use crate::rows::Rows;
use crate::search::{Chains, Foreteller, Rules};
use crate::{Error, MAX_CONTENT};

/// What a block's first number says: its form in two bits…
pub const STORED: u64 = 0;
pub const FIXED: u64 = 1;
pub const USUAL: u64 = 2;
pub const OWN: u64 = 3;
/// …whether it is the last one, and from there on how many tokens or bytes it has.
pub const LAST: u64 = 4;
pub const COUNT_SHIFT: u32 = 3;
/// Stands for a stream's first number if it is a picture.
pub const PROGRESSIVE: u64 = 0;
/// …and if it is Base64.
pub const BASE64: u64 = 10;
/// Stands in a stream's first number, beside its rules, if the content has pixels where the stream says filtered rows.
pub const PIXELS: u64 = 1 << 12;
/// What is taken from a match's length when it is written, so that 0 says "a byte".
pub const LENGTH_BASE: u64 = 2;

/// Gives the data of `size` bytes that [`unpack`](crate::unpack) made `content` and `recipe` of, in parts. The coefficients of a
/// picture may take so many bytes of `memory`, beside all that is given and some hundred KiB.
///
/// # Errors
/// [`Error`] if they do not belong together or are damaged. What was given by then is of no use.
pub fn pack(
    content: &[u8],
    mut recipe: &[u8],
    size: usize,
    memory: usize,
    give: &mut dyn FnMut(&[u8]),
) -> Result<(), Error> {
    if content.len() > MAX_CONTENT {
        return Err(Error::Length);
    }
    let mut left = size;
    let mut give = |bytes: &[u8]| {
        left = left.checked_sub(bytes.len()).ok_or(Error::Length)?;
        give(bytes);
        Ok(())
    };
    let mut chains = Chains::new();
    let mut rest = content;
    for _ in 0..read(&mut recipe)? {
        let gap = read_size(&mut recipe)?;
        let (raw, after) = rest.split_at_checked(gap).ok_or(Error::Length)?;
        give(raw)?;
        rest = after;
        let used = stream(rest, &mut recipe, memory, &mut chains, &mut give)?;
        rest = &rest[used..];
    }
    give(rest)?;
    match (left, recipe) {
        (0, []) => Ok(()),
        (0, _) => Err(Error::Recipe("something follows its end")),
        _ => Err(Error::Length),
    }
}

/// Makes one stream, or a picture, from the beginning of `content`; how much of that it took.
fn stream(
    content: &[u8],
    recipe: &mut &[u8],
    memory: usize,
    chains: &mut Chains,
    give: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<usize, Error> {
    match read(recipe)? {
        PROGRESSIVE => progressive::again(content, recipe, memory, give),
        BASE64 => base64::again(content, recipe, give),
        number => deflate(number, content, recipe, chains, give),
    }
}

/// Makes a deflate stream whose first number was taken from the recipe.
pub fn deflate(
    number: u64,
    content: &[u8],
    recipe: &mut &[u8],
    chains: &mut Chains,
    give: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<usize, Error> {
    let rules = Rules::from_number(number & !PIXELS)?;
    let mut pieces = Pieces::read(recipe, give)?;
    let length = read_size(recipe)?;
    let mut content = content.get(..length).ok_or(Error::Length)?;
    let text;
    if number & PIXELS != 0 {
        let (pixel, row) = (read_size(recipe)?, read_size(recipe)?);
        let rows = Rows::new(pixel, row).ok_or(Error::Recipe("it has no such rows"))?;
        text = rows.redo(content);
        content = &text;
    }
    let rest = read(recipe)? as u32 & 0xFF;
    let mut shapes = Vec::new();
    for _ in 0..read(recipe)? {
        shapes.push(Shape::read(recipe)?);
    }
    let mut corrections = Corrections {
        left: read(recipe)?,
        skip: None,
    };
    let mut foreteller = Foreteller::new(content, rules, chains);
    let (mut out, mut place) = (Writer::default(), 0);
    for shape in shapes {
        let start = place;
        let mut block = Block {
            is_last: shape.is_last,
            form: shape.form,
            tokens: Vec::new(),
        };
        if let Form::Stored(length) = block.form {
            place += length;
            if place > content.len() {
                return Err(Error::Length);
            }
            foreteller.skip(length);
        } else {
            for _ in 0..shape.tokens {
                if place == content.len() {
                    return Err(Error::Length);
                }
                let foretold = foreteller.next();
                let token = corrections.next(recipe)?.unwrap_or(foretold);
                let end = place + usize::from(token.length);
                if usize::from(token.distance) > place || end > content.len() {
                    return Err(Error::Recipe("a match reaches too far"));
                }
                foreteller.go_on(token, foretold);
                block.tokens.push(token);
                place = end;
            }
        }
        block.write(&content[start..place], &mut out)?;
        pieces.drain(&mut out)?;
    }
    if place < content.len() || corrections.left > 0 {
        return Err(Error::Length);
    }
    out.align(rest);
    pieces.drain(&mut out)?;
    pieces.finish()?;
    Ok(length)
}

/// What there is to know about a block before its tokens.
struct Shape {
    is_last: bool,
    form: Form,
    tokens: usize,
}

impl Shape {
    fn read(recipe: &mut &[u8]) -> Result<Shape, Error> {
        let number = read(recipe)?;
        let count = usize::try_from(number >> COUNT_SHIFT).map_err(|_| Error::Length)?;
        let form = match number & 3 {
            STORED if count <= 0xFFFF => Form::Stored(count),
            FIXED => Form::Fixed,
            USUAL => Form::Usual,
            OWN => {
                let count = read_size(recipe)?;
                let bytes = read_bytes(recipe, count.div_ceil(8))?.to_vec();
                if let (Some(last), 1..) = (bytes.last(), count % 8)
                    && last >> (count % 8) != 0
                {
                    return Err(Error::Recipe("a code has more bits than it should have"));
                }
                Form::Own(Bits { bytes, count })
            }
            _ => return Err(Error::Recipe("a stored block is too long")),
        };
        if count > MOST_TOKENS {
            return Err(Error::Recipe("a block is too long"));
        }
        Ok(Shape {
            is_last: number & LAST != 0,
            form,
            tokens: count,
        })
    }
}

/// Tokens that are not the ones that were foretold.
struct Corrections {
    left: u64,
    /// Tokens before the next one.
    skip: Option<u64>,
}

impl Corrections {
    /// What the next token is, if it is not the one that was foretold.
    fn next(&mut self, recipe: &mut &[u8]) -> Result<Option<Token>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        let skip = match self.skip {
            Some(skip) => skip,
            None => read(recipe)?,
        };
        if skip > 0 {
            self.skip = Some(skip - 1);
            return Ok(None);
        }
        (self.left, self.skip) = (self.left - 1, None);
        let length = match read(recipe)? {
            0 => return Ok(Some(Token::BYTE)),
            number => number + LENGTH_BASE,
        };
        let distance = read(recipe)?;
        if length > MAX_MATCH as u64 || !(1..=1 << 15).contains(&distance) {
            return Err(Error::Recipe("a match is none"));
        }
        Ok(Some(Token {
            length: length as u16,
            distance: distance as u16,
        }))
    }
}

/// Cuts a stream into pieces and puts between them what stands there.
struct Pieces<'a, 'r> {
    /// The length of each piece but the last, and what follows it; the next one comes last.
    pieces: Vec<(usize, &'r [u8])>,
    give: &'a mut dyn FnMut(&[u8]) -> Result<(), Error>,
}

impl<'a, 'r> Pieces<'a, 'r> {
    fn read(
        recipe: &mut &'r [u8],
        give: &'a mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let mut pieces = Vec::new();
        for _ in 0..read(recipe)? {
            let length = read_size(recipe)?;
            pieces.push((length, read_bytes(recipe, BETWEEN)?));
        }
        pieces.reverse();
        Ok(Pieces { pieces, give })
    }

    /// Gives what was written so far. What is between two pieces comes when there is something behind it.
    fn drain(&mut self, out: &mut Writer) -> Result<(), Error> {
        let mut bytes = &out.bytes[..];
        while !bytes.is_empty() {
            let Some((length, between)) = self.pieces.last_mut() else {
                (self.give)(bytes)?;
                break;
            };
            if *length == 0 {
                (self.give)(between)?;
                self.pieces.pop();
                continue;
            }
            let (piece, rest) = bytes.split_at(bytes.len().min(*length));
            (self.give)(piece)?;
            *length -= piece.len();
            bytes = rest;
        }
        out.bytes.clear();
        Ok(())
    }

    fn finish(&self) -> Result<(), Error> {
        match self.pieces.is_empty() {
            true => Ok(()),
            false => Err(Error::Recipe("a stream has too many pieces")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_the_last_byte_is_nothing() {
        let shape = |bits: u8| Shape::read(&mut &[OWN as u8, 3, bits][..]).is_ok();
        assert!(shape(0b111) && !shape(0b1111) && !shape(0x80));
        assert!(Shape::read(&mut &[OWN as u8, 8, 0xFF][..]).is_ok());
    }
}
