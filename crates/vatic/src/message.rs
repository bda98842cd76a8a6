//! Short messages without a container: no magic number, no checksum, no name of a model. Both sides agree on the
//! [`Options`] beforehand, and something else carries the message's length and guards it against damage. At most 2 bytes
//! are added to a message of up to 8,191 bytes, 3 to longer ones.
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
    if let Some(coded) = codec::message(message, options)? {
        let mut out = Vec::new();
        let mut rest = message.len() * 2 + usize::from(coded.stats.mode == Mode::Bytes);
        while rest > 0x7F {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
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
    let (&first, rest) = match packed.split_first() {
        None => return Ok(Vec::new()),
        Some((0, stored)) if stored.len() > max_len => return Err(too_long(stored.len())),
        Some((0, stored)) => return Ok(stored.to_vec()),
        Some(split) => split,
    };
    let (mut value, mut shift, mut payload) = (usize::from(first & 0x7F), 7, rest);
    let mut byte = first;
    while byte & 0x80 != 0 {
        let Some((&next, after)) = payload.split_first() else {
            return Err(Error::corrupt("a message ends within its length"));
        };
        if shift > 28 {
            return Err(Error::corrupt("a message claims an impossible length"));
        }
        value |= usize::from(next & 0x7F) << shift;
        (byte, payload, shift) = (next, after, shift + 7);
    }
    let (length, by_bytes) = (value >> 1, value & 1 == 1);
    if length == 0 || length > MAX_FRAME_SIZE {
        return Err(Error::corrupt("a message claims an impossible length"));
    }
    if length > max_len {
        return Err(too_long(length));
    }
    let message = codec::decode_message(payload, length, by_bytes, options)?;
    if message.len() == length {
        Ok(message)
    } else {
        Err(Error::corrupt(
            "a message does not have the length that it claims",
        ))
    }
}
