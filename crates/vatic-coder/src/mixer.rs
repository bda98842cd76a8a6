//! Gated logistic mixing (Mattern 2012, as in the PAQ family): a dot product of log odds and weights that learn by
//! the gradient of the coding cost.

use crate::logistic::{LIMIT, squash};

/// Inputs are padded to a multiple of this, so that compilers turn the loops into vector code.
pub const LANES: usize = 8;
/// A weight of one.
pub const ONE: i32 = 1 << 16;
/// Weights stay within ±8: with log odds of at most 3072 steps a product stays below 2^31.
pub const MAX_WEIGHT: i32 = 8 * ONE - 1;

/// Sum of weight times input, in steps. Exact for any inputs within the domain: each product is below 2^31, shifted by 6
/// below 2^25, and there are fewer than 64 of them.
#[inline(always)]
pub fn dot<const V: usize>(
    weights: &[[i32; LANES]; V],
    inputs: &[[i32; LANES]; V],
    vectors: usize,
) -> i32 {
    let mut lanes = [0i32; LANES];
    for v in 0..vectors.min(V) {
        let (w, x) = (weights[v], inputs[v]);
        for lane in 0..LANES {
            lanes[lane] = lanes[lane].wrapping_add(w[lane].wrapping_mul(x[lane]) >> 6);
        }
    }
    let sum = lanes.iter().fold(0i32, |sum, &lane| sum.wrapping_add(lane));
    (sum >> 10).clamp(-LIMIT, LIMIT)
}

/// Moves the weights against the gradient. `step` is error times learning rate: |step| < 2^18.
#[inline(always)]
pub fn learn<const V: usize>(
    weights: &mut [[i32; LANES]; V],
    inputs: &[[i32; LANES]; V],
    vectors: usize,
    step: i32,
) {
    for v in 0..vectors.min(V) {
        // Whole vectors are copied out and back, which tells compilers that nothing overlaps.
        let (old, x) = (weights[v], inputs[v]);
        let mut new = [0i32; LANES];
        for lane in 0..LANES {
            let delta = x[lane].wrapping_mul(step).wrapping_add(1 << 15) >> 16;
            new[lane] = old[lane].wrapping_add(delta).clamp(-MAX_WEIGHT, MAX_WEIGHT);
        }
        weights[v] = new;
    }
}

/// A learning rate that falls from `start` to `end` as `end + (start - end) * half / (half + n)`, in units of 2^-24. The product
/// has to stay below 2^32.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// At first.
    pub start: u32,
    /// In the long run.
    pub end: u32,
    /// Updates after which half of the way is gone.
    pub half: u32,
}

impl Rate {
    /// The rate after `n` updates.
    #[inline(always)]
    pub fn after(self, n: u16) -> i32 {
        let fall = (self.start - self.end) * self.half / (self.half + u32::from(n));
        (self.end + fall) as i32
    }

    /// Error times rate: what [`learn`] takes. `error` has 16 bits after the point (|error| < 1).
    #[inline(always)]
    pub fn step(rate: i32, error: i32) -> i32 {
        ((i64::from(error) * i64::from(rate)) >> 16) as i32
    }
}

/// A set of weight vectors, one of which is chosen by a small context for each decision.
#[derive(Debug, Clone)]
pub struct WeightSet<const V: usize> {
    weights: Vec<[[i32; LANES]; V]>,
    /// How often each vector has learnt: those that are seldom chosen still learn quickly when their turn comes.
    counts: Vec<u16>,
    rate: Rate,
    chosen: usize,
    /// What the chosen vector said, in steps.
    pub output: i32,
}

impl<const V: usize> WeightSet<V> {
    /// `contexts` vectors of the initial weights, and the rate at which each learns.
    pub fn new(contexts: usize, initial: &[[i32; LANES]; V], rate: Rate) -> WeightSet<V> {
        WeightSet {
            weights: vec![*initial; contexts],
            counts: vec![0; contexts],
            rate,
            chosen: 0,
            output: 0,
        }
    }

    /// Chooses a vector of weights and mixes the first `vectors` vectors of inputs.
    #[inline(always)]
    pub fn mix(&mut self, context: usize, inputs: &[[i32; LANES]; V], vectors: usize) -> i32 {
        self.chosen = context;
        self.output = dot(&self.weights[context], inputs, vectors);
        self.output
    }

    /// Learns from the bit that followed the last [`mix`](Self::mix).
    #[inline(always)]
    pub fn update(&mut self, bit: bool, inputs: &[[i32; LANES]; V], vectors: usize) {
        let count = &mut self.counts[self.chosen];
        let error = (i32::from(bit) << 16) - i32::from(squash(self.output));
        let step = Rate::step(self.rate.after(*count), error);
        *count = count.saturating_add(1);
        learn(&mut self.weights[self.chosen], inputs, vectors, step);
    }

    /// Puts all vectors back to these weights.
    pub fn restart(&mut self, initial: &[[i32; LANES]; V]) {
        self.weights.fill(*initial);
        self.counts.fill(0);
    }

    /// Weights and counts, for saving and loading. Callers keep weights within ±[`MAX_WEIGHT`].
    pub fn parts_mut(&mut self) -> (&mut [i32], &mut [u16]) {
        let weights = self.weights.as_flattened_mut().as_flattened_mut();
        (weights, &mut self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_better_input_is_learnt() {
        let rate = Rate {
            start: 1 << 18,
            end: 1 << 15,
            half: 100,
        };
        let mut set = WeightSet::new(2, &[[ONE / 4; LANES]], rate);
        for i in 0..4000u32 {
            let bit = i % 3 == 0;
            let mut inputs = [[0; LANES]];
            inputs[0][0] = if bit { 500 } else { -500 };
            inputs[0][1] = if i % 2 == 0 { 700 } else { -700 };
            set.mix(1, &inputs, 1);
            set.update(bit, &inputs, 1);
        }
        assert!(
            set.parts_mut().0[LANES] > ONE,
            "the informative input gains weight"
        );
        assert!(
            set.parts_mut().0[LANES + 1].abs() < ONE / 4,
            "the other one loses it"
        );
        assert_eq!(
            set.parts_mut().0[0],
            ONE / 4,
            "the other context is untouched"
        );
        assert_eq!(set.parts_mut().1, [0, 4000]);
        set.restart(&[[ONE; LANES]]);
        assert!(set.parts_mut().0.iter().all(|&weight| weight == ONE));
        assert_eq!(set.parts_mut().1, [0, 0]);
    }

    #[test]
    fn rates_fall() {
        let rate = Rate {
            start: 1000,
            end: 10,
            half: 50,
        };
        assert_eq!((rate.after(0), rate.after(50)), (1000, 505));
        assert!(rate.after(u16::MAX) < 12);
    }

    proptest! {
        #[test]
        fn nothing_overflows(
            weights in prop::collection::vec(-MAX_WEIGHT..=MAX_WEIGHT, 56),
            inputs in prop::collection::vec(-LIMIT..=LIMIT, 56),
            error in -65536i32..=65536,
        ) {
            let exact: i64 = weights.iter().zip(&inputs).map(|(&w, &x)| (i64::from(w) * i64::from(x)) >> 6).sum();
            prop_assert_eq!(i64::from(dot::<7>(weights.as_chunks().0.try_into().unwrap(), inputs.as_chunks().0.try_into().unwrap(), 7)), (exact >> 10).clamp(i64::from(-LIMIT), i64::from(LIMIT)));
            let step = Rate::step(1 << 19, error);
            let mut learnt = weights.clone();
            learn::<7>(learnt.as_chunks_mut().0.try_into().unwrap(), inputs.as_chunks().0.try_into().unwrap(), 7, step);
            for ((&w, &x), &l) in weights.iter().zip(&inputs).zip(&learnt) {
                let exact = i64::from(w) + ((i64::from(x) * i64::from(step) + (1 << 15)) >> 16);
                prop_assert_eq!(i64::from(l), exact.clamp(-i64::from(MAX_WEIGHT), i64::from(MAX_WEIGHT)));
            }
        }
    }
}
