//! Numbers of a recipe: seven bits a byte, the lowest first; all bytes but the last have the highest bit.

use crate::Error;

/// The most bytes of a number.
const MOST_BYTES: usize = 5;

/// Appends a number.
pub fn write(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number from the front.
pub fn read(rest: &mut &[u8]) -> Result<u64, Error> {
    let mut number = 0;
    for place in 0..MOST_BYTES {
        let (&byte, after) = rest.split_first().ok_or(Error::Recipe("it ends early"))?;
        *rest = after;
        number |= u64::from(byte & 0x7F) << (7 * place);
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Error::Recipe("it has a number of more than five bytes"))
}

/// Takes a number that counts something in memory.
pub fn read_size(rest: &mut &[u8]) -> Result<usize, Error> {
    usize::try_from(read(rest)?).map_err(|_| Error::Length)
}

/// Takes so many bytes from the front.
pub fn read_bytes<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], Error> {
    let (bytes, after) = rest
        .split_at_checked(count)
        .ok_or(Error::Recipe("it ends early"))?;
    *rest = after;
    Ok(bytes)
}
