//! The transformer's last layer, learnt while the file is coded.
//!
//! The transformer is frozen, but what its last hidden state means can be learnt anew: at every node of the tree a logistic
//! regression on that state tells how far the log odds foretold there are off (dynamic evaluation of the output layer: Krause
//! et al. 2018, over a hierarchical softmax: Morin and Bengio 2005). Its gradient is the coding cost's.

use crate::large::Large;
use crate::logistic::{LIMIT, squash};
use crate::prefetch::prefetch;

/// Rows of weights and the state are padded to a multiple of this, so that compilers turn the loops into vector code.
const LANES: usize = 16;
/// A feature of the state's root mean square.
const UNIT: u64 = 64;
/// Features are clipped to this.
const MAX_FEATURE: i32 = 2047;
/// The widest state; no transformer's is.
const MAX_WIDTH: usize = 1 << 17;
/// Learning rate of a node at first and in the long run, and the decisions after which half of the way is gone.
const START: u32 = 22_528;
const END: u32 = 3_072;
const HALF: u32 = 64;

/// Weights of all nodes, and the decision at hand.
#[derive(Debug, Clone)]
pub struct Head {
    /// Features of a state.
    width: usize,
    /// `row` weights for each node, 16 bits after the point.
    weights: Large<i16>,
    /// `width`, padded.
    row: usize,
    /// Decisions learnt at each node.
    counts: Vec<u16>,
    /// The state of the token at hand, [`UNIT`]s; empty if it is not known.
    features: Vec<i16>,
    // The decision at hand.
    node: usize,
    probability: u16,
}

impl Head {
    /// Knows nothing. For so many nodes, states of `width`, and at most 2^`log2` bytes of weights: if they need more, the head
    /// has nothing to say.
    pub fn new(nodes: usize, width: usize, log2: u32) -> Head {
        let row = width.next_multiple_of(LANES);
        let fits = width <= MAX_WIDTH && nodes.saturating_mul(row).saturating_mul(2) <= 1 << log2;
        let (nodes, row) = if fits { (nodes, row) } else { (0, 0) };
        Head {
            width,
            weights: Large::new(nodes * row),
            row,
            counts: vec![0; if row > 0 { nodes } else { 0 }],
            features: Vec::with_capacity(row),
            node: 0,
            probability: 1 << 15,
        }
    }

    /// Takes the state from which the next token is foretold; an empty one is unknown.
    ///
    /// # Panics
    /// If it is neither empty nor as wide as was said.
    #[inline(always)]
    pub fn begin(&mut self, state: &[i8]) {
        self.features.clear();
        if state.is_empty() || self.row == 0 {
            return;
        }
        assert_eq!(state.len(), self.width, "the state's width is another");
        let square = |&level: &i8| u64::from(level.unsigned_abs()).pow(2);
        let squares: u64 = state.iter().map(square).sum();
        // One over the root mean square, 16 bits after the point.
        let factor = (((self.width as u64) * UNIT * UNIT) << 32) / squares.max(1);
        // No level is above the root of the squares' sum, so the product is below 2^31 for any width up to 2^17.
        let factor = factor.isqrt() as i32;
        let feature = |&level: &i8| {
            let scaled = (i32::from(level) * factor + (1 << 15)) >> 16;
            scaled.clamp(-MAX_FEATURE, MAX_FEATURE) as i16
        };
        self.features.extend(state.iter().map(feature));
        self.features.resize(self.row, 0);
    }

    /// Whether there is anything to go by.
    #[inline(always)]
    fn knows(&self) -> bool {
        !self.features.is_empty()
    }

    /// Has a node's weights brought into the cache.
    #[inline(always)]
    pub fn prefetch(&self, node: u16) {
        if self.knows() {
            for line in 0..self.row / 32 {
                prefetch(&self.weights, usize::from(node) * self.row + line * 32);
            }
        }
    }

    /// How far the log odds `foretold` at a node are off, in steps; 0 if the state is not known.
    #[inline(always)]
    pub fn predict(&mut self, node: u16, foretold: i32) -> i32 {
        if !self.knows() {
            return 0;
        }
        self.node = usize::from(node);
        let weights = &self.weights[self.node * self.row..][..self.row];
        // Below 2^31 for any weights while the width is below 1000, and a sum modulo 2^32 above.
        let sum = weights
            .iter()
            .zip(&self.features)
            .fold(0i32, |sum, (&w, &x)| {
                sum.wrapping_add(i32::from(w) * i32::from(x))
            });
        let correction = (sum.wrapping_add(1 << 13) >> 14).clamp(-LIMIT, LIMIT);
        self.probability = squash(foretold + correction);
        correction
    }

    /// Learns the decision that was predicted.
    #[inline(always)]
    pub fn update(&mut self, bit: bool) {
        if !self.knows() {
            return;
        }
        let count = &mut self.counts[self.node];
        let rate = END + (START - END) * HALF / (HALF + u32::from(*count));
        *count = count.saturating_add(1);
        let error = (i32::from(bit) << 16) - i32::from(self.probability);
        let step = (error * rate as i32) >> 16;
        if step == 0 {
            return;
        }
        let weights = &mut self.weights[self.node * self.row..][..self.row];
        for (weight, &feature) in weights.iter_mut().zip(&self.features) {
            let change = ((((i32::from(feature) << 4) * step) >> 14) + 1) >> 1;
            *weight = weight.saturating_add(change as i16);
        }
    }

    /// Weights and counts, for saving and loading.
    pub fn parts_mut(&mut self) -> (&mut [i16], &mut [u16]) {
        (&mut self.weights, &mut self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decides at one node, by the sign of a feature; how often the head leaned to the right side.
    fn learns(mut head: Head) -> usize {
        let decide = |n: i32| {
            let state = [if n % 3 == 0 { -90 } else { 70 }, 20, 5];
            head.begin(&state);
            let correction = head.predict(7, 0);
            head.update(n % 3 == 0);
            usize::from((correction > 0) == (n % 3 == 0) && correction != 0)
        };
        (0..300).map(decide).sum()
    }

    #[test]
    fn a_head_that_needs_too_much_memory_is_silent() {
        assert!(learns(Head::new(8, 3, 8)) > 250);
        assert_eq!(learns(Head::new(8, 3, 7)), 0);
        assert_eq!(Head::new(usize::MAX, 3, 30).parts_mut().0.len(), 0);
    }

    /// Where a product of 32 bits is nearest to being too large.
    #[test]
    fn the_widest_state_is_no_overflow() {
        for (level, other) in [(127, 0), (-127, 0), (1, 0), (127, 127), (-127, 1)] {
            let mut state = vec![other; MAX_WIDTH];
            state[5] = level;
            let mut head = Head::new(1, MAX_WIDTH, 30);
            head.begin(&state);
            let squares: i64 = state.iter().map(|&q| i64::from(q).pow(2)).sum();
            let factor = ((MAX_WIDTH as u64) << 44) / squares as u64;
            let exact = |q: i8| {
                ((i64::from(q) * factor.isqrt() as i64 + (1 << 15)) >> 16).clamp(-2047, 2047)
            };
            let found = |n: usize| i64::from(head.features[n]);
            assert_eq!([found(5), found(6)], [exact(level), exact(other)]);
        }
        assert_eq!(Head::new(1, MAX_WIDTH + 1, 30).parts_mut().0.len(), 0);
    }

    #[test]
    fn weights_stay_within_their_bits() {
        let mut head = Head::new(1, 1, 10);
        let rounds = if cfg!(miri) { 1_000 } else { 100_000 };
        for n in 0..rounds {
            head.begin(&[if n % 2 == 0 { 127 } else { -128 }]);
            head.predict(0, if n % 2 == 0 { -3 * LIMIT } else { 3 * LIMIT });
            head.update(n % 2 == 0);
        }
        assert_eq!(head.parts_mut().0[0], i16::MAX);
    }
}
