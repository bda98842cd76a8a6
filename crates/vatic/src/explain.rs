//! What each token of a text costs, and what each source of predictions would have paid for it alone.

use crate::codec;
use crate::error::{Error, Result};
use crate::format::MAX_FRAME_SIZE;
use crate::options::Options;

/// A text's tokens and their costs, in the order of the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explanation {
    /// The names of the sources: the transformer, the head, matches, contexts.
    pub sources: Vec<String>,
    /// The tokens.
    pub tokens: Vec<TokenCost>,
    /// What each source would have paid for each token, in bits, token after token.
    alone: Vec<f32>,
}

/// A token and what it cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenCost {
    /// Its length in bytes.
    pub bytes: usize,
    /// What was paid for it, in bits.
    pub bits: f32,
}

impl Explanation {
    /// What each of the [`sources`](Self::sources) alone would have paid for token `n`, in bits.
    ///
    /// # Panics
    /// If there is no such token.
    pub fn alone(&self, n: usize) -> &[f32] {
        let count = self.sources.len();
        &self.alone[n * count..][..count]
    }

    /// All that was paid, in bits.
    pub fn bits(&self) -> f64 {
        // A sum of nothing would be -0.
        (self.tokens.iter()).fold(0.0, |sum, token| sum + f64::from(token.bits))
    }

    /// Appends a token.
    pub(crate) fn push(&mut self, token: TokenCost, alone: impl Iterator<Item = f32>) {
        self.tokens.push(token);
        self.alone.extend(alone);
    }
}

/// Codes a text as one stream of tokens and keeps the account of each: what [`compress`](crate::compress) pays for a short
/// text, and up to 0.5 % less than what it pays for one that it cuts into several streams.
///
/// ```
/// let text = b"It was the best of times, it was the worst of times.";
/// let explanation = vatic::explain(text, &vatic::Options::new())?;
/// assert_eq!(explanation.tokens.iter().map(|token| token.bytes).sum::<usize>(), text.len());
/// // What repeats costs less.
/// let bits = |part: &[vatic::TokenCost]| part.iter().map(|token| token.bits).sum::<f32>();
/// let (first, second) = explanation.tokens.split_at(explanation.tokens.len() / 2);
/// assert!(bits(second) < bits(first));
/// # Ok::<(), vatic::Error>(())
/// ```
///
/// # Errors
/// [`Error::Setting`] for settings out of range, without a model, and for texts over 256 MiB.
pub fn explain(text: &[u8], options: &Options) -> Result<Explanation> {
    options.check()?;
    if text.len() > MAX_FRAME_SIZE {
        return Err(Error::setting(format!(
            "a text to explain may have {MAX_FRAME_SIZE} bytes (256 MiB), not {}",
            text.len()
        )));
    }
    codec::explain(text, options)
}
