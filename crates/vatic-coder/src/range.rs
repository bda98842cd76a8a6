//! Binary decisions through constriction's range coder.
//!
//! The coder has words of 16 bits and a state of 64: its range never falls below 2^48, so a decision with a 16-bit
//! probability costs within 2^-32 of what it should, and the end costs one word, of which zero bytes are left out.

use constriction::Queue;
use constriction::backends::ReadWords;
use constriction::stream::model::{DecoderModel, EncoderModel, EntropyModel};
use constriction::stream::queue::{RangeCoderState, RangeDecoder, RangeEncoder};
use constriction::stream::{Decode, Encode};
use std::borrow::Borrow;
use std::convert::Infallible;
use std::num::NonZeroU16;

/// Bits of a probability.
pub const PRECISION: usize = 16;

/// One decision; the field is the probability of `true` in units of 2^-16.
#[derive(Clone, Copy)]
struct Decision(NonZeroU16);

impl Decision {
    #[inline(always)]
    fn new(probability: u16) -> Decision {
        Decision(NonZeroU16::new(probability).unwrap_or(NonZeroU16::MIN))
    }

    /// `true` has the lower part of the range.
    #[inline(always)]
    fn part(self, bit: bool) -> (u16, NonZeroU16) {
        if bit {
            (0, self.0)
        } else {
            (
                self.0.get(),
                NonZeroU16::new(self.0.get().wrapping_neg()).unwrap_or(NonZeroU16::MIN),
            )
        }
    }
}

impl EntropyModel<PRECISION> for Decision {
    type Symbol = bool;
    type Probability = u16;
}

impl EncoderModel<PRECISION> for Decision {
    #[inline(always)]
    fn left_cumulative_and_probability(
        &self,
        symbol: impl Borrow<bool>,
    ) -> Option<(u16, NonZeroU16)> {
        Some(self.part(*symbol.borrow()))
    }
}

impl DecoderModel<PRECISION> for Decision {
    #[inline(always)]
    fn quantile_function(&self, quantile: u16) -> (bool, u16, NonZeroU16) {
        let bit = quantile < self.0.get();
        let (left, probability) = self.part(bit);
        (bit, left, probability)
    }
}

/// Either direction of coding, so that one generic function serves both and they cannot differ.
pub trait BinaryCoder {
    /// Codes one decision whose probability of `true` is `probability` / 65536 (0 counts as 1). An encoder codes `bit` and
    /// returns it; a decoder ignores `bit` and returns what it reads.
    fn code(&mut self, bit: bool, probability: u16) -> bool;

    /// Whether `bit` is what is coded (an encoder) or means nothing (a decoder).
    const ENCODES: bool;
}

/// Turns decisions into bytes.
///
/// ```
/// use vatic_coder::{BinaryCoder, Decoder, Encoder};
/// let mut encoder = Encoder::new();
/// for i in 0..100 {
///     encoder.code(i % 10 == 0, 6554); // 0.1
/// }
/// let bytes = encoder.finish();
/// assert!(bytes.len() <= 7); // 47 bits
/// let mut decoder = Decoder::new(&bytes);
/// assert!((0..100).all(|i| decoder.code(false, 6554) == (i % 10 == 0)));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Encoder {
    coder: RangeEncoder<u16, u64>,
}

impl Encoder {
    /// An encoder that has coded nothing.
    pub fn new() -> Encoder {
        Encoder::default()
    }

    /// Bytes that the decisions so far take, to within three.
    pub fn len(&self) -> usize {
        self.coder.bulk().len() * 2
    }

    /// Whether nothing has been written yet (a few decisions may be pending).
    pub fn is_empty(&self) -> bool {
        self.coder.bulk().is_empty()
    }

    /// The finished bytes. Zero bytes at the end are left out: a [`Decoder`] reads zeros beyond the end.
    pub fn finish(self) -> Vec<u8> {
        let (bulk, state, situation) = self.coder.into_raw_parts();
        let state = shortest(state);
        let words = match RangeEncoder::<u16, u64>::from_raw_parts(bulk, state, situation)
            .into_compressed()
        {
            Ok(words) => words,
            Err(never) => match never {},
        };
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        bytes
    }
}

/// Narrows the final range to one that starts with a single byte, if it contains such a one; else leaves it.
fn shortest(state: RangeCoderState<u16, u64>) -> RangeCoderState<u16, u64> {
    let (lower, range) = (state.lower(), state.range().get());
    if range == u64::MAX {
        return state; // nothing was coded
    }
    let Some(point) = lower.checked_add((1 << 56) - 1).map(|sum| sum >> 56 << 56) else {
        return state;
    };
    // The coder's invariant asks for a range of at least 2^48.
    if point - lower < range && range - (point - lower) > 1 << 48 {
        return RangeCoderState::new(point, 1 << 48).unwrap_or(state);
    }
    state
}

impl BinaryCoder for Encoder {
    const ENCODES: bool = true;

    #[inline(always)]
    fn code(&mut self, bit: bool, probability: u16) -> bool {
        // Writing to a Vec cannot fail, and neither part of a decision has probability zero.
        let _ = self.coder.encode_symbol(bit, Decision::new(probability));
        bit
    }
}

/// The bytes of an encoder as words, with zeros beyond the end.
#[derive(Debug, Clone)]
struct Words<'a> {
    bytes: &'a [u8],
    /// Whether more was read than there is.
    beyond: bool,
}

impl ReadWords<u16, Queue> for Words<'_> {
    type ReadError = Infallible;

    #[inline(always)]
    fn read(&mut self) -> Result<Option<u16>, Infallible> {
        Ok(Some(match self.bytes {
            [high, low, rest @ ..] => {
                self.bytes = rest;
                u16::from_be_bytes([*high, *low])
            }
            [high] => {
                self.bytes = &[];
                self.beyond = true;
                u16::from_be_bytes([*high, 0])
            }
            [] => {
                self.beyond = true;
                0
            }
        }))
    }

    fn maybe_exhausted(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Reads the decisions back. Any bytes decode to some decisions; whether they are the right ones is for a checksum to say.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    coder: RangeDecoder<u16, u64, Words<'a>>,
}

impl<'a> Decoder<'a> {
    /// A decoder at the start of what [`Encoder::finish`] gave.
    pub fn new(bytes: &'a [u8]) -> Decoder<'a> {
        match RangeDecoder::with_backend(Words {
            bytes,
            beyond: false,
        }) {
            Ok(coder) => Decoder { coder },
            Err(never) => match never {},
        }
    }

    /// Whether the decoder has read more than there is, as it does near the end: an encoder leaves out zeros there. If bytes were lost
    /// instead, all decisions before this was so are right, and those that follow may be wrong.
    ///
    /// ```
    /// use vatic_coder::{BinaryCoder, Decoder, Encoder};
    ///
    /// let mut encoder = Encoder::new();
    /// let bits = (0..800).map(|n| n % 3 == 0);
    /// bits.clone().for_each(|bit| _ = encoder.code(bit, 1 << 15));
    /// let bytes = encoder.finish();
    /// let mut decoder = Decoder::new(&bytes[..70]);
    /// let right = bits.take_while(|&bit| decoder.code(false, 1 << 15) == bit && !decoder.is_beyond()).count();
    /// assert!((480..560).contains(&right));
    /// ```
    pub fn is_beyond(&self) -> bool {
        self.coder.clone().into_raw_parts().0.beyond
    }
}

impl BinaryCoder for Decoder<'_> {
    const ENCODES: bool = false;

    #[inline(always)]
    fn code(&mut self, _: bool, probability: u16) -> bool {
        // An error means bytes that no encoder writes.
        self.coder
            .decode_symbol(Decision::new(probability))
            .unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(decisions: &[(bool, u16)]) -> usize {
        let mut encoder = Encoder::new();
        for &(bit, p) in decisions {
            encoder.code(bit, p);
        }
        let bytes = encoder.finish();
        let mut decoder = Decoder::new(&bytes);
        for &(bit, p) in decisions {
            assert_eq!(decoder.code(false, p), bit);
        }
        bytes.len()
    }

    #[test]
    fn the_end_is_short() {
        assert_eq!(round_trip(&[]), 0);
        assert!(round_trip(&[(true, 32768)]) <= 1);
        assert!(round_trip(&[(false, 32768)]) <= 1);
        for value in 0..256u32 {
            let bits: Vec<_> = (0..8).map(|i| (value >> i & 1 == 1, 32768)).collect();
            assert!(round_trip(&bits) <= 2, "{value}");
        }
    }

    #[test]
    fn cost_is_near_the_entropy() {
        let mut seed = 1u64;
        let mut decisions = Vec::new();
        let mut bits = 0.0;
        let decided = if cfg!(miri) { 4_000 } else { 400_000u32 };
        for i in 0..decided {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let p = [1u16, 100, 6554, 32768, 65000, 65535][i as usize % 6];
            let bit = (seed >> 48) < u64::from(p);
            let q = f64::from(p) / 65536.0;
            bits -= if bit { q.log2() } else { (1.0 - q).log2() };
            decisions.push((bit, p));
        }
        let size = round_trip(&decisions) as f64 * 8.0;
        assert!(size <= bits * 1.00001 + 16.0, "{size} bits for {bits}");
    }

    proptest! {
        #[test]
        fn any_decisions_round_trip(decisions in prop::collection::vec(
            (any::<bool>(), prop_oneof![any::<u16>(), Just(0u16), Just(1), Just(65535)]), 0..2000)) {
            round_trip(&decisions);
        }

        #[test]
        fn what_is_cut_off_decodes_up_to_the_cut(
            decisions in prop::collection::vec((any::<bool>(), any::<u16>()), 0..2000),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut encoder = Encoder::new();
            for &(bit, p) in &decisions {
                encoder.code(bit, p);
            }
            let mut bytes = encoder.finish();
            let whole = bytes.len();
            bytes.truncate(cut.index(whole + 1));
            let mut decoder = Decoder::new(&bytes);
            let mut right = Encoder::new();
            for &(bit, p) in &decisions {
                let decoded = decoder.code(false, p);
                if decoder.is_beyond() {
                    break;
                }
                prop_assert_eq!(decoded, bit);
                right.code(bit, p);
            }
            // It looks eight bytes ahead.
            prop_assert!(right.finish().len() + 12 >= bytes.len());
        }

        #[test]
        fn any_bytes_decode(bytes in prop::collection::vec(any::<u8>(), 0..100), p in any::<u16>()) {
            let mut decoder = Decoder::new(&bytes);
            for _ in 0..2000 {
                decoder.code(false, p);
            }
        }
    }
}
