//! Bits per byte of held-out text.

use std::{f64::consts::LN_2, path::Path};

use burn::tensor::Device;

use crate::{Batch, Error, Transformer, data};

/// Rows that go through the float model at once.
const ROWS: usize = 8;

/// A text cut into rows, each of which is predicted from nothing but itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// Ids, rows of [`length`](Self::length) + 1 end to end; the last id of a row is the first of the next.
    pub ids: Vec<u16>,
    /// Tokens that a row predicts.
    pub length: usize,
    /// Bytes that all rows predict.
    pub bytes: u64,
}

impl Rows {
    /// Reads the first `most` tokens of a token file in rows of `length`, or in one shorter row where that is all there
    /// is. `lengths` are the bytes of each token, by id.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or has less than two tokens.
    pub fn read(path: &Path, length: usize, most: usize, lengths: &[u8]) -> Result<Self, Error> {
        let text = data::read_tokens(path, most.saturating_add(1), lengths.len())?;
        let length = length.min(text.len().saturating_sub(1));
        if length == 0 {
            return Err(Error::file(
                path,
                "two tokens at least are needed to predict one from the other",
            ));
        }
        let count = (text.len() - 1) / length;
        let ids = (0..count)
            .flat_map(|row| &text[row * length..=(row + 1) * length])
            .copied()
            .collect();
        let bytes = text[1..=count * length]
            .iter()
            .map(|id| u64::from(lengths[usize::from(*id)]))
            .sum();
        Ok(Self { ids, length, bytes })
    }

    /// One row after the other, `length` + 1 ids each.
    pub fn iter(&self) -> impl Iterator<Item = &[u16]> {
        self.ids.chunks_exact(self.length + 1)
    }

    /// The bits per byte when all rows together cost `nats`.
    pub fn bits_per_byte(&self, nats: f64) -> f64 {
        nats / LN_2 / self.bytes as f64
    }
}

/// Bits per byte of `rows` under the float model, or with quantisation simulated.
///
/// # Errors
///
/// When burn cannot give the result.
pub fn float_bits_per_byte(
    model: &Transformer,
    rows: &Rows,
    quantise: bool,
    device: &Device,
) -> Result<f64, Error> {
    let mut sum = 0.0;
    for ids in rows.ids.chunks((rows.length + 1) * ROWS) {
        let batch = Batch::new(ids, rows.length, device);
        let nats = model
            .nats(&batch, quantise)
            .try_into_scalar::<f32>()
            .map_err(|e| Error::Burn(e.to_string()))?;
        sum += f64::from(nats);
    }
    Ok(rows.bits_per_byte(sum))
}
