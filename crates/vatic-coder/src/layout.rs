//! Which input of the mixer stands where, and the weights with which each starts.

use crate::mixer::{LANES, ONE};

/// Where the head's input stands, after the transformer's first.
pub const CORRECTION: usize = 2;

/// Where the inputs of each kind start.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Distances of the contexts, whose log odds come first.
    pub distances: usize,
    /// Runs.
    pub runs: usize,
    /// Plain counts and the two matches.
    pub plain: usize,
    /// Three of the transformer; none for single bytes, which are coded without.
    pub foretold: usize,
    /// The constant one.
    pub constant: usize,
}

impl Layout {
    /// For so many contexts, with their distances or without, and so many runs.
    pub fn new(contexts: usize, distances: bool, runs: usize, bytes: bool) -> Layout {
        let before = contexts * if distances { 2 } else { 1 };
        let plain = before + runs;
        let foretold = plain + 3;
        Layout {
            distances: contexts,
            runs: before,
            plain,
            foretold,
            constant: foretold + if bytes { 0 } else { 3 },
        }
    }

    /// Initial weights. Experts know nothing yet: alone they share the say, beside a transformer they have to earn it.
    /// `alone` is the share of each then.
    pub fn initial_weights<const V: usize>(&self, foretold: bool, alone: i32) -> [[i32; LANES]; V] {
        let mut weights = [[if foretold { 1000 } else { alone }; LANES]; V];
        let flat = weights.as_flattened_mut();
        flat[self.distances..self.runs].fill(0);
        flat[self.foretold..].fill(0);
        if foretold {
            flat[self.runs..self.plain].fill(2000);
            flat[self.plain + 1..self.foretold].fill(2000);
            flat[self.foretold] = ONE;
            flat[self.foretold + CORRECTION] = 2700;
        }
        weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contexts::{BYTE_CONTEXTS, RUN_CONTEXTS, TOKEN_CONTEXTS, USUAL};

    #[test]
    fn all_inputs_have_room() {
        let tokens = Layout::new(TOKEN_CONTEXTS.len(), true, RUN_CONTEXTS.len(), false);
        let bytes = Layout::new(USUAL, true, 0, true);
        let thorough = Layout::new(BYTE_CONTEXTS.len(), true, RUN_CONTEXTS.len(), true);
        // As many vectors as the predictors have.
        assert!(tokens.constant < 4 * LANES && bytes.constant < 4 * LANES);
        assert!(thorough.constant < 9 * LANES);
        assert_eq!(bytes.foretold, bytes.constant);
        let weights = tokens.initial_weights::<4>(true, 0);
        assert_eq!(weights.as_flattened()[tokens.foretold], ONE);
        assert!(
            weights.as_flattened()[tokens.constant..]
                .iter()
                .all(|&w| w == 0)
        );
    }
}
