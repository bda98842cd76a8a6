//! Short messages without a container: no magic number, no checksum, no identity of a model. Both sides agree on the
//! [`Options`] beforehand, and something else carries the packed message's length and guards it against damage. One or
//! two bytes come before the payload, and a message never grows by more than one byte.
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
use crate::codec::messages::{self, Message};
use crate::error::{Error, Result};
use crate::format::MAX_FRAME_SIZE;
use crate::options::{Mode, Options};

/// Compresses a message.
///
/// # Errors
/// [`Error::Setting`] for settings out of range and for messages over 256 MiB; [`Error::Model`], and [`Error::OtherModel`] or
/// [`Error::Prior`] for a prior that does not suit the model.
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
    if let Some(coded) = messages::encode(message, length_bits(message.len()), options)? {
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
/// gives; for models and priors as [`compress`].
pub fn decompress(packed: &[u8], options: &Options, max_len: usize) -> Result<Vec<u8>> {
    options.check()?;
    match open(packed, max_len)? {
        Opened::Plain(message) => Ok(message.to_vec()),
        Opened::Coded(coded) => coded.checked(messages::decode(&coded.message, options)?),
    }
}

/// Decompresses several messages as [`decompress`] does. The transformer predicts for many in one step, which makes them several times as
/// fast as one after the other.
///
/// ```
/// use vatic::{Options, message};
///
/// let options = Options::new();
/// let messages = ["Arrived safely.", "Send more tea.", "All well."];
/// let pack = |message: &&str| message::compress(message.as_bytes(), &options);
/// let packed = messages.iter().map(pack).collect::<Result<Vec<_>, _>>()?;
/// for (result, message) in message::decompress_many(&packed, &options, 1000).into_iter().zip(messages) {
///     assert_eq!(result?, message.as_bytes());
/// }
/// # Ok::<(), vatic::Error>(())
/// ```
///
/// # Errors
/// Each result is what [`decompress`] would have returned.
pub fn decompress_many<T: AsRef<[u8]>>(
    packed: &[T],
    options: &Options,
    max_len: usize,
) -> Vec<Result<Vec<u8>>> {
    let mut opened = Vec::with_capacity(packed.len());
    let mut coded = Vec::new();
    for packed in packed {
        opened.push((options.check()).and_then(|()| open(packed.as_ref(), max_len)));
        if let Some(Ok(Opened::Coded(one))) = opened.last() {
            coded.push(one.message);
        }
    }
    let mut decoded = messages::decode_many(&coded, options).into_iter();
    let finish = |opened| match opened {
        Ok(Opened::Plain(message)) => Ok(message.to_vec()),
        Ok(Opened::Coded(coded)) => decoded.next().map_or_else(
            || Err(Error::corrupt("a message was not decoded")),
            |decoded| coded.checked(decoded?),
        ),
        Err(error) => Err(error),
    };
    opened.into_iter().map(finish).collect()
}

/// A packed message whose first bytes were read.
enum Opened<'a> {
    Plain(&'a [u8]),
    Coded(Coded<'a>),
}

struct Coded<'a> {
    message: Message<'a>,
    /// What it claims to have.
    length: usize,
}

impl Coded<'_> {
    fn checked(&self, message: Vec<u8>) -> Result<Vec<u8>> {
        if message.len() == self.length {
            Ok(message)
        } else {
            Err(Error::corrupt(
                "a message does not have the length that it claims",
            ))
        }
    }
}

fn open(packed: &[u8], max_len: usize) -> Result<Opened<'_>> {
    let too_long = |says: usize| Error::MessageTooLong {
        says: says as u64,
        allowed: max_len as u64,
    };
    match packed {
        [] => return Ok(Opened::Plain(&[])),
        [0, stored @ ..] if stored.len() > max_len => return Err(too_long(stored.len())),
        [0, stored @ ..] => return Ok(Opened::Plain(stored)),
        _ => {}
    }
    let (known, by_bytes, payload) = read_start(packed)?;
    let message = Message {
        payload,
        known,
        length_bits: length_bits(known),
        by_bytes,
    };
    let length = codec::open(payload, known, message.length_bits).1;
    if length == 0 || length > MAX_FRAME_SIZE {
        return Err(Error::corrupt("a message claims an impossible length"));
    }
    if length > max_len {
        return Err(too_long(length));
    }
    Ok(Opened::Coded(Coded { message, length }))
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
