//! What is foretold: weights of groups of tokens, and of the tokens of one group.

use crate::aligned::Aligned;
use crate::kernels::{self, Activations, Kernel};
use crate::mode::DefaultMode;
use crate::numerics::Quantised;
use crate::packed::PANEL;
use crate::{Error, MAX_GROUP, Model};
use std::sync::Arc;

/// Room for the scores of the largest group, which may begin and end within a panel.
const ROOM: usize = MAX_GROUP + 2 * PANEL;

/// The predictions of some rows: the weights of all groups, and the last layer's output, from which [`Leaves`] computes the
/// weights of a group's tokens.
#[derive(Clone, Debug, Default)]
pub struct Predictions {
    pub(crate) width: usize,
    pub(crate) groups: usize,
    /// `groups` for each row.
    pub(crate) weights: Aligned<u32>,
    /// `width` for each row.
    pub(crate) levels: Aligned<i8>,
    /// One for each row; the scale gives scores in bits.
    pub(crate) rows: Vec<Quantised>,
}

impl Predictions {
    /// Makes room for so many rows of a model.
    pub(crate) fn resize(&mut self, rows: usize, model: &Model) {
        (self.width, self.groups) = (model.config.width, model.config.groups);
        self.weights.resize(rows * self.groups);
        self.levels.resize(rows * self.width);
        self.rows.resize(rows, Quantised::default());
    }

    pub(crate) fn clear(&mut self) {
        self.weights.resize(0);
        self.levels.resize(0);
        self.rows.clear();
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The hidden state after row `row`, from which all weights are computed: the last layer's output, normalised and quantised.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn state(&self, row: usize) -> &[i8] {
        assert!(row < self.len(), "row {row} was not computed");
        &self.levels[row * self.width..][..self.width]
    }

    /// The weights of all groups after row `row`: each at least 1, their sum about 2³⁰ (at most 2³¹). The model's probability of
    /// a group is its weight over the sum.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn groups(&self, row: usize) -> &[u32] {
        assert!(row < self.len(), "row {row} was not computed");
        &self.weights[row * self.groups..][..self.groups]
    }
}

/// Computes the weights of the tokens of a group: for each row only those of the group that the next token is in are needed.
pub struct Leaves {
    model: Arc<Model>,
    kernel: &'static dyn Kernel,
    scores: Aligned<f32>,
    weights: Aligned<u32>,
}

impl Leaves {
    /// For the predictions of a model's sessions.
    ///
    /// # Errors
    /// [`Error::Kernel`] if `VATIC_KERNEL` names no kernel.
    pub fn new(model: &Arc<Model>) -> Result<Leaves, Error> {
        Ok(Leaves::with_kernel(model, kernels::best()?))
    }

    /// Those that compute with a given kernel, one of [`kernels::names`].
    ///
    /// # Errors
    /// [`Error::Kernel`] if there is no such kernel.
    pub fn with_kernel_named(model: &Arc<Model>, name: &str) -> Result<Leaves, Error> {
        Ok(Leaves::with_kernel(model, kernels::named(name)?))
    }

    fn with_kernel(model: &Arc<Model>, kernel: &'static dyn Kernel) -> Leaves {
        Leaves {
            model: Arc::clone(model),
            kernel,
            scores: Aligned::new(ROOM),
            weights: Aligned::new(ROOM),
        }
    }

    /// The weights of the tokens of a group after row `row`, by id: each at least 1, their sum about 2³⁰ (at most 2³¹). The model's
    /// probability of a token, given its group, is its weight over the sum.
    ///
    /// # Panics
    /// If there is no such row or group, or the predictions are another model's.
    pub fn weights(&mut self, predictions: &Predictions, row: usize, group: usize) -> &[u32] {
        let _mode = DefaultMode::enter();
        let tokens = self.model.group(group);
        let first = self.product(predictions, row, &tokens);
        let blocks = tokens.end.div_ceil(PANEL) * PANEL - first;
        let seen = tokens.start - first..tokens.end - first;
        let weights = &mut self.weights[..blocks];
        for (to, score) in weights.iter_mut().zip(self.scores.iter()) {
            *to = score.to_bits();
        }
        self.kernel.weights(weights, seen.clone());
        &self.weights[seen]
    }

    /// What it costs, after row `row`, that `token` comes: −log₂ of the model's probability. For reports: logarithms are not the same
    /// on every machine.
    ///
    /// # Panics
    /// If there is no such row or token, or the predictions are another model's.
    pub fn bits(&mut self, predictions: &Predictions, row: usize, token: u16) -> f64 {
        let starts = self.model.group_starts();
        let group = starts.partition_point(|&start| start <= u32::from(token)) - 1;
        let place = usize::from(token) - starts[group] as usize;
        let cost = |weights: &[u32], chosen: usize| {
            let sum: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
            (sum as f64 / f64::from(weights[chosen])).log2()
        };
        cost(predictions.groups(row), group) + cost(self.weights(predictions, row, group), place)
    }

    /// The scores (logits) of the tokens of a group after row `row`, in bits: natural logits times log₂e.
    ///
    /// # Panics
    /// If there is no such row or group, or the predictions are another model's.
    pub fn scores(&mut self, predictions: &Predictions, row: usize, group: usize) -> &[f32] {
        let _mode = DefaultMode::enter();
        let tokens = self.model.group(group);
        let first = self.product(predictions, row, &tokens);
        &self.scores[tokens.start - first..tokens.end - first]
    }

    /// Computes the scores of the panels that hold `tokens`; the first token of the first of them.
    fn product(
        &mut self,
        predictions: &Predictions,
        row: usize,
        tokens: &std::ops::Range<usize>,
    ) -> usize {
        assert!(row < predictions.len(), "row {row} was not computed");
        let panels = tokens.start / PANEL..tokens.end.div_ceil(PANEL);
        let width = predictions.width;
        let x = Activations {
            levels: &predictions.levels[row * width..][..width],
            rows: &predictions.rows[row..=row],
            length: width,
        };
        let out = &mut self.scores[..panels.len() * PANEL];
        let first = panels.start * PANEL;
        out.copy_from_slice(&self.model.embed_bias[first..][..out.len()]);
        (self.kernel).linear(&x, &self.model.embed, panels, out, true);
        first
    }
}
