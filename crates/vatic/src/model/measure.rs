//! Measurements of the transformer alone: what a text costs without one of its parts, and how far its heads look.

use vatic_transformer::{Part, Predictions, Session};

use super::runtime::{Runtime, unusable};
use crate::anatomy::PartAccount;
use crate::error::Result;

/// Tokens that are computed at once.
const BLOCK: usize = 128;

impl Runtime {
    /// The parts that can be left out, layer after layer, each with its account but for what has to be measured.
    pub(crate) fn parts(&self) -> Vec<(Part, PartAccount)> {
        let config = self.0.config();
        let mut parts = Vec::new();
        for (layer, &window) in config.windows.iter().enumerate() {
            // A head's query and its way back, its share of keys and values, and what it reads.
            let shared = 2 * config.kv_heads * config.head_dim / config.heads;
            let head = config.width * (2 * config.head_dim + shared) + 2 * config.head_dim * window;
            let mlp = 2 * config.width * config.hidden;
            let account = |head, multiply_adds: usize| PartAccount {
                layer,
                head,
                saved: 0.0,
                multiply_adds: multiply_adds as u64,
                attention: Vec::new(),
            };
            let heads =
                (0..config.heads).map(|n| (Part::Head { layer, head: n }, account(Some(n), head)));
            parts.extend(heads.chain([(Part::Mlp { layer }, account(None, mlp))]));
        }
        parts
    }

    /// What the tokens cost after `boundary`, in bits, without some part.
    pub(crate) fn cost(&self, boundary: u16, tokens: &[u16], without: Option<Part>) -> Result<f64> {
        let (mut session, mut leaves) = (self.session()?, self.leaves()?);
        session.leave_out(without);
        let mut bits = 0.0;
        self.feed(&mut session, boundary, tokens, |predictions, row, next| {
            bits += leaves.bits(predictions, row, next);
        })?;
        Ok(bits)
    }

    /// The mean attention that each head pays by distance, layer after layer, while it predicts the tokens.
    pub(crate) fn attention(&self, boundary: u16, tokens: &[u16]) -> Result<Vec<Vec<f64>>> {
        let mut session = self.session()?;
        session.watch_attention(true);
        self.feed(&mut session, boundary, tokens, |_, _, _| ())?;
        let config = self.0.config();
        let heads = (0..config.layers).flat_map(|layer| (0..config.heads).map(move |n| (layer, n)));
        let mean = |sum: &f64| sum / tokens.len() as f64;
        Ok(heads
            .map(|(layer, head)| session.attention_by_distance(layer, head))
            .map(|sums| sums.iter().map(mean).collect())
            .collect())
    }

    fn session(&self) -> Result<Session> {
        Session::new(&self.0, 1, BLOCK).map_err(unusable)
    }

    /// Feeds the boundary and all tokens but the last; `each` gets every prediction and the token that came.
    fn feed(
        &self,
        session: &mut Session,
        boundary: u16,
        tokens: &[u16],
        mut each: impl FnMut(&Predictions, usize, u16),
    ) -> Result<()> {
        let mut fed = vec![boundary];
        fed.extend_from_slice(tokens);
        for (fed, next) in fed.chunks(BLOCK).zip(tokens.chunks(BLOCK)) {
            session.prefill(0, &fed[..next.len()]).map_err(unusable)?;
            for (row, &next) in next.iter().enumerate() {
                each(session.predictions(), row, next);
            }
        }
        Ok(())
    }
}
