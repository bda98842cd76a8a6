//! The transformer's predictions as the coder takes them.

use vatic_coder::{Sums, Weights};
use vatic_transformer::{Leaves, Predictions};

use crate::error::Result;
use crate::model::Model;

/// What the transformer foretells, in the form that the coder takes.
pub(super) struct Foretold<'a> {
    model: &'a Model,
    leaves: Leaves,
    sums: Sums,
}

impl<'a> Foretold<'a> {
    pub(super) fn new(model: &'a Model) -> Result<Foretold<'a>> {
        Ok(Foretold {
            model,
            leaves: model.leaves()?,
            sums: Sums::default(),
        })
    }

    /// Whose predictions they are.
    pub(super) fn model(&self) -> &'a Model {
        self.model
    }

    /// Calls `code` with the weights of a row.
    pub(super) fn with<T>(
        &mut self,
        predictions: &Predictions,
        row: usize,
        code: impl FnOnce(Weights) -> T,
    ) -> T {
        let mut within = |group, weights: &mut [u32]| {
            weights.copy_from_slice(self.leaves.weights(predictions, row, group));
        };
        let groups = predictions.groups(row);
        code(Weights::new(
            self.model.groups(),
            groups,
            predictions.state(row),
            &mut within,
            &mut self.sums,
        ))
    }
}
