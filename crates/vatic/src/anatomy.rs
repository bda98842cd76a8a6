//! What the parts of a transformer do for a text: what each saves, what it costs, and how far it looks.

use vatic_transformer::Part;

use crate::codec;
use crate::error::{Error, Result};
use crate::options::Options;
use crate::parallel::on_threads;
use crate::progress::Meter;

/// What a transformer pays for a text, and what each of its parts does towards that.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Anatomy {
    /// The tokens that were coded.
    pub tokens: usize,
    /// Their bytes.
    pub bytes: usize,
    /// What the whole transformer alone pays for them, in bits.
    pub bits: f64,
    /// The parts, layer after layer.
    pub parts: Vec<PartAccount>,
}

/// What one part of a transformer does for a text.
#[derive(Clone, Debug, PartialEq)]
pub struct PartAccount {
    /// Its layer, counted from 0.
    pub layer: usize,
    /// The attention head, counted from 0, or none for the layer's feed-forward part.
    pub head: Option<usize>,
    /// The bits that the text costs more when this part alone is left out. Others may do some of its work then.
    pub saved: f64,
    /// Multiply-adds (a multiplication and an addition each) that it takes for each token, with a full window.
    pub multiply_adds: u64,
    /// A head's attention by distance: element `d` is the mean weight of the token `d` places back (0: itself), up to the window.
    /// None for other parts, and for a text without tokens.
    pub attention: Vec<f64>,
}

/// Codes the first `limit` tokens of a text once with the whole transformer, and once without each of its parts.
///
/// ```
/// let text = b"It was the best of times, it was the worst of times.";
/// let anatomy = vatic::anatomy(text, &vatic::Options::new(), 1000)?;
/// assert_eq!(anatomy.bytes, text.len());
/// let heads = anatomy.parts.iter().filter(|part| part.head.is_some());
/// assert!(heads.map(|head| head.attention.iter().sum::<f64>()).all(|sum| (sum - 1.0).abs() < 1e-6));
/// # Ok::<(), vatic::Error>(())
/// ```
///
/// # Errors
/// [`Error::Setting`] for settings out of range and without a model.
pub fn anatomy(text: &[u8], options: &Options, limit: usize) -> Result<Anatomy> {
    let Some(model) = options.model_for(text)? else {
        return Err(Error::setting(
            "looking into a model needs one, and none was given",
        ));
    };
    // No token is longer, so these are enough for `limit` of them.
    let longest = (0..model.tokens() as u16).map(|id| model.vocabulary().token(id).len());
    let most = longest.max().unwrap_or(1).saturating_mul(limit);
    let mut tokens = model.tokenizer()?.encode(&text[..text.len().min(most)]);
    tokens.truncate(limit);
    let lengths = tokens.iter().map(|&id| model.vocabulary().token(id).len());
    let bytes = lengths.sum();
    let (runtime, boundary) = (model.runtime(), model.boundary());
    let mut parts = runtime.parts();
    // The first is the whole.
    let jobs: Vec<Option<Part>> = std::iter::once(None)
        .chain(parts.iter().map(|(part, _)| Some(*part)))
        .collect();
    let meter = Meter::new(&options.progress);
    let costs = on_threads(codec::threads(options.threads), jobs.len(), |n| {
        let cost = runtime.cost(boundary, &tokens, jobs[n])?;
        meter.at(bytes * (n + 1) / jobs.len(), 0);
        Ok(cost)
    })?;
    let bits = costs[0];
    for (part, cost) in parts.iter_mut().zip(&costs[1..]) {
        part.1.saved = cost - bits;
    }
    if !tokens.is_empty() {
        let attention = runtime.attention(boundary, &tokens)?;
        let heads = parts
            .iter_mut()
            .filter(|(_, account)| account.head.is_some());
        for ((_, account), attention) in heads.zip(attention) {
            account.attention = attention;
        }
    }
    Ok(Anatomy {
        tokens: tokens.len(),
        bytes,
        bits,
        parts: parts.into_iter().map(|(_, account)| account).collect(),
    })
}
