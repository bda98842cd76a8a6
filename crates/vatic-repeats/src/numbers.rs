//! Numbers of a recipe: seven bits a byte, the lowest first; all bytes but the last have the highest bit.

use crate::Error;

/// The most bytes of a number.
const MOST_BYTES: usize = 5;

/// Appends a number below 2^35.
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
        let (&byte, after) = rest
            .split_first()
            .ok_or(Error::Recipe("it ends within a copy"))?;
        *rest = after;
        number |= u64::from(byte & 0x7F) << (7 * place);
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Error::Recipe("it has a number of more than five bytes"))
}

/// A number with a sign as one without: 0, -1, 1, -2, 2…
pub fn fold(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// The number with a sign that was folded to this.
pub fn unfold(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}
