//! Short messages without a container: no magic number, no checksum, no identity of a model. Both sides agree on the
//! [`Options`] beforehand, and something else carries the packed message's length and guards it against damage. At most
//! 2 bytes are added.
//!
//! Of several models a message says by its place which one it was made with, so the models and their order are among what
//! both sides agree on. What is inside the program differs by release: where the two sides may be built differently, name a model's
//! file with [`Options::model`].
//!
//! ```
//! use vatic::{Options, message};
//!
//! let options = Options::new();
//! let packed = message::compress(b"Arrived safely, all well. Send more tea.", &options)?;
//! assert!(packed.len() < 40);
//! assert_eq!(message::decompress(&packed, &options, 1000)?, b"Arrived safely, all well. Send more tea.");
//! # Ok::<(), vatic::Error>(())
//! ```

use crate::codec;
use crate::error::{Error, Result};
use crate::format::MAX_FRAME_SIZE;
use crate::options::{Mode, Options};

/// Compresses a message.
///
/// # Errors
/// [`Error::Setting`] for settings out of range and for messages over 256 MiB.
pub fn compress(message: &[u8], options: &Options) -> Result<Vec<u8>> {
    options.check()?;
    if message.is_empty() {
        return Ok(Vec::new());
    }
    if message.len() > MAX_FRAME_SIZE {
        return Err(Error::setting(format!(
            "a message may have {MAX_FRAME_SIZE} bytes (256 MiB), not {}",
            message.len()
        )));
    }
    let mut best = [&[0], message].concat();
    if let Some(coded) = codec::message(message, length_bits(message.len()), options)? {
        let mut out = start(message.len(), coded.stats.mode == Mode::Bytes);
        out.extend(coded.payload);
        if out.len() < best.len() {
            best = out;
        }
    }
    Ok(best)
}

/// Decompresses what [`compress`] gave, with the same settings. With other settings, or when the message was damaged,
/// other bytes come out: nothing in a message tells.
///
/// # Errors
/// [`Error::MessageTooLong`] when it says that it is longer than `max_len`; [`Error::Corrupt`] for what `compress` never
/// gives.
pub fn decompress(packed: &[u8], options: &Options, max_len: usize) -> Result<Vec<u8>> {
    options.check()?;
    let too_long = |says: usize| Error::MessageTooLong {
        says: says as u64,
        allowed: max_len as u64,
    };
    match packed {
        [] => return Ok(Vec::new()),
        [0, stored @ ..] if stored.len() > max_len => return Err(too_long(stored.len())),
        [0, stored @ ..] => return Ok(stored.to_vec()),
        _ => {}
    }
    let (known, by_bytes, payload) = read_start(packed)?;
    let bits = length_bits(known);
    let length = codec::open(payload, known, bits).1;
    if length == 0 || length > MAX_FRAME_SIZE {
        return Err(Error::corrupt("a message claims an impossible length"));
    }
    if length > max_len {
        return Err(too_long(length));
    }
    let message = codec::decode_message(payload, known, bits, by_bytes, options)?;
    if message.len() == length {
        Ok(message)
    } else {
        Err(Error::corrupt(
            "a message does not have the length that it claims",
        ))
    }
}

/// How many low bits of a message's length its first bytes leave to the payload: all but the ten highest from 8 KiB on.
fn length_bits(length: usize) -> u8 {
    match length {
        0..SHORT => 0,
        _ => (length.ilog2() - 9) as u8,
    }
}

/// Lengths below this are said in full.
const SHORT: usize = 1 << 13;

/// A message's first one or two bytes.
fn start(length: usize, by_bytes: bool) -> Vec<u8> {
    let mode = usize::from(by_bytes);
    let byte = |value: usize| (value & 0x7F) as u8;
    if length < SHORT {
        let value = 2 * length + mode;
        return match value {
            0..=0x7F => vec![byte(value)],
            _ => vec![byte(value) | 0x80, byte(value >> 7)],
        };
    }
    let bits = length_bits(length);
    let value = ((length >> bits) - 512) << 5 | usize::from(bits - 4) << 1 | mode;
    vec![byte(value) | 0x80, byte(value >> 7) | 0x80]
}

/// The length as far as the first bytes say it, whether the payload is of bytes, and the payload.
fn read_start(packed: &[u8]) -> Result<(usize, bool, &[u8])> {
    let (value, payload) = match packed {
        [only @ 0..=0x7F, payload @ ..] => (usize::from(*only), payload),
        [first, second, payload @ ..] => {
            let value = usize::from(first & 0x7F) | usize::from(second & 0x7F) << 7;
            if second & 0x80 != 0 {
                let length = (512 + (value >> 5)) << ((value >> 1 & 15) + 4);
                return Ok((length, value & 1 == 1, payload));
            }
            (value, payload)
        }
        _ => return Err(Error::corrupt("a message ends within its length")),
    };
    Ok((value >> 1, value & 1 == 1, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_in_two_bytes_and_a_few_bits() {
        let lengths = (1..70_000).chain([
            1 << 20,
            (1 << 24) + 12_345,
            MAX_FRAME_SIZE - 1,
            MAX_FRAME_SIZE,
        ]);
        for length in lengths {
            for by_bytes in [false, true] {
                let said = start(length, by_bytes);
                assert!(said.len() <= 2 && said[0] != 0, "{length}");
                let (known, mode, payload) = read_start(&said).unwrap();
                let bits = length_bits(length);
                // What is left to the payload, and how much that is, follows from what is known.
                assert_eq!(
                    (length_bits(known), mode, payload),
                    (bits, by_bytes, &[][..])
                );
                assert_eq!(known, length >> bits << bits);
            }
        }
    }
}
