//! Gated logistic mixing (Mattern 2012, as in the PAQ family): a dot product of log odds and weights that learn by
//! the gradient of the coding cost.

use crate::logistic::{LIMIT, squash};
use crate::prefetch::prefetch;

/// Inputs are padded to a multiple of this, so that compilers turn the loops into vector code.
pub const LANES: usize = 8;
/// A weight of one.
pub const ONE: i32 = 1 << 16;
/// Weights stay within ±8, and inputs within ±[`MAX_INPUT`]: half a weight times an input stays below 2^31.
pub const MAX_WEIGHT: i32 = 8 * ONE - 1;
/// The largest input. Most are log odds of at most 3072 steps.
pub const MAX_INPUT: i32 = (1 << 13) - 1;

/// Sum of weight times input, in steps. Exact if no more than a few inputs are beyond the log odds' domain: products within it are at most
/// 3 · 2^23 when shifted, others below 2^26, and there are at most 72 of them.
#[inline(always)]
fn dot<const V: usize>(weights: &[[i32; LANES]; V], inputs: &[[i32; LANES]; V]) -> i32 {
    let mut lanes = [0i32; LANES];
    for v in 0..V {
        let (w, x) = (weights[v], inputs[v]);
        for lane in 0..LANES {
            lanes[lane] = lanes[lane].wrapping_add((w[lane] >> 1).wrapping_mul(x[lane]) >> 5);
        }
    }
    let sum = lanes.iter().fold(0i32, |sum, &lane| sum.wrapping_add(lane));
    (sum >> 10).clamp(-LIMIT, LIMIT)
}

/// Moves the weights against the gradient. `step` is error times learning rate: |step| < 2^18.
#[inline(always)]
fn learn<const V: usize>(weights: &mut [[i32; LANES]; V], inputs: &[[i32; LANES]; V], step: i32) {
    for v in 0..V {
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

/// Steps up to this change no weight: times an input they stay within half of what moves one. Most decisions are so certain.
const NOTHING: i32 = ((1 << 15) - 1) / MAX_INPUT;

/// Updates up to which each has a learning rate of its own; then 64 of them share one.
const EXACT: usize = 1024;

/// Learning rates in units of 2^-24, by the number of updates before: a division for each of them would cost as much as the mixing.
#[derive(Debug)]
pub struct Rates([u32; EXACT + (1 << 16) / 64]);

impl Rates {
    /// Rates that fall from `start` to `end`, as `end + (start - end) * half / (half + n)` after `n` updates. The product has to stay
    /// below 2^32.
    pub const fn falling(start: u32, end: u32, half: u32) -> Rates {
        let mut rates = [0; EXACT + (1 << 16) / 64];
        let mut place = 0;
        while place < rates.len() {
            let n = if place < EXACT {
                place
            } else {
                (place - EXACT) * 64
            };
            rates[place] = end + (start - end) * half / (half + n as u32);
            place += 1;
        }
        Rates(rates)
    }

    /// The rate after `n` updates.
    #[inline(always)]
    pub fn after(&self, n: u16) -> i32 {
        let n = usize::from(n);
        self.0[if n < EXACT { n } else { EXACT + n / 64 }] as i32
    }

    /// Error times rate: what [`learn`] takes. `error` has 16 bits after the point (|error| < 1).
    #[inline(always)]
    pub fn step(rate: i32, error: i32) -> i32 {
        ((i64::from(error) * i64::from(rate)) >> 16) as i32
    }
}

/// A set of weight vectors, one of which is chosen by a small context for each decision. Each takes several vectors of numbers; callers
/// name how many (`V`), always the same, so that the compiler knows.
#[derive(Debug, Clone)]
pub struct WeightSet {
    /// `[context][vector]`.
    weights: Vec<[i32; LANES]>,
    vectors: usize,
    /// How often each context's have learnt: those that are seldom chosen still learn quickly when their turn comes.
    counts: Vec<u16>,
    rates: &'static Rates,
    chosen: usize,
    /// What the chosen ones said, in steps.
    pub output: i32,
}

impl WeightSet {
    /// `contexts` times the initial weights, and the rates at which each learns.
    pub fn new(contexts: usize, initial: &[[i32; LANES]], rates: &'static Rates) -> WeightSet {
        WeightSet {
            weights: initial.repeat(contexts),
            vectors: initial.len(),
            counts: vec![0; contexts],
            rates,
            chosen: 0,
            output: 0,
        }
    }

    /// Has the weights of a context brought into the cache.
    #[inline(always)]
    pub fn prefetch(&self, context: usize) {
        let first = context * self.vectors;
        for vector in (first..first + self.vectors).step_by(2) {
            prefetch(&self.weights, vector);
        }
    }

    /// Chooses weights and mixes inputs.
    #[inline(always)]
    pub fn mix<const V: usize>(&mut self, context: usize, inputs: &[[i32; LANES]; V]) -> i32 {
        self.chosen = context;
        self.output = match self.weights[context * V..].first_chunk() {
            Some(weights) => dot(weights, inputs),
            None => 0,
        };
        self.output
    }

    /// Learns from the bit that followed the last [`mix`](Self::mix).
    #[inline(always)]
    pub fn update<const V: usize>(&mut self, bit: bool, inputs: &[[i32; LANES]; V]) {
        let count = &mut self.counts[self.chosen];
        let error = (i32::from(bit) << 16) - i32::from(squash(self.output));
        let step = Rates::step(self.rates.after(*count), error);
        *count = count.saturating_add(1);
        if step.abs() <= NOTHING {
            return;
        }
        if let Some(weights) = self.weights[self.chosen * V..].first_chunk_mut() {
            learn(weights, inputs, step);
        }
    }

    /// Puts all weights back to these.
    pub fn restart(&mut self, initial: &[[i32; LANES]]) {
        for weights in self.weights.chunks_exact_mut(self.vectors) {
            weights.copy_from_slice(&initial[..self.vectors]);
        }
        self.counts.fill(0);
    }

    /// Weights and counts, for saving and loading. Callers keep weights within ±[`MAX_WEIGHT`].
    pub fn parts_mut(&mut self) -> (&mut [i32], &mut [u16]) {
        (self.weights.as_flattened_mut(), &mut self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_better_input_is_learnt() {
        static RATES: Rates = Rates::falling(1 << 18, 1 << 15, 100);
        let mut set = WeightSet::new(2, &[[ONE / 4; LANES]], &RATES);
        for i in 0..4000u32 {
            let bit = i % 3 == 0;
            let mut inputs = [[0; LANES]];
            inputs[0][0] = if bit { 500 } else { -500 };
            inputs[0][1] = if i % 2 == 0 { 700 } else { -700 };
            set.mix(1, &inputs);
            set.update(bit, &inputs);
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
        let rates = Rates::falling(1000, 10, 50);
        assert_eq!([0, 50, 1023].map(|n| rates.after(n)), [1000, 505, 56]);
        // From here on for 64 of them at once.
        assert_eq!([1024, 1087, 1088].map(|n| rates.after(n)), [56, 56, 53]);
        assert_eq!(rates.after(u16::MAX), 10);
        let product = |start: u64, end: u64, half: u64| (start - end) * half < 1 << 32;
        assert!(product(1 << 18, 24_000, 1000) && product(1 << 17, 30_000, 4000));
    }

    proptest! {
        /// So [`WeightSet::update`] may pass them over.
        #[test]
        fn the_smallest_steps_change_nothing(
            weights in prop::array::uniform8(-MAX_WEIGHT..=MAX_WEIGHT),
            inputs in prop::array::uniform8(prop_oneof![-MAX_INPUT..=MAX_INPUT, Just(MAX_INPUT), Just(-MAX_INPUT)]),
            step in -NOTHING..=NOTHING,
        ) {
            let mut learnt = [weights];
            learn(&mut learnt, &[inputs], step);
            prop_assert_eq!(learnt, [weights]);
        }

        #[test]
        fn nothing_overflows(
            weights in prop::collection::vec(prop_oneof![-MAX_WEIGHT..=MAX_WEIGHT, Just(MAX_WEIGHT)], 72),
            mut inputs in prop::collection::vec(prop_oneof![-LIMIT..=LIMIT, Just(LIMIT)], 72),
            large in -MAX_INPUT..=MAX_INPUT,
            error in -65536i32..=65536,
        ) {
            inputs[0] = large;
            let exact: i64 = weights.iter().zip(&inputs).map(|(&w, &x)| (i64::from(w >> 1) * i64::from(x)) >> 5).sum();
            prop_assert_eq!(i64::from(dot::<9>(weights.as_chunks().0.try_into().unwrap(), inputs.as_chunks().0.try_into().unwrap())), (exact >> 10).clamp(i64::from(-LIMIT), i64::from(LIMIT)));
            let step = Rates::step(1 << 18, error);
            let mut learnt = weights.clone();
            learn::<9>(learnt.as_chunks_mut().0.try_into().unwrap(), inputs.as_chunks().0.try_into().unwrap(), step);
            for ((&w, &x), &l) in weights.iter().zip(&inputs).zip(&learnt) {
                let exact = i64::from(w) + ((i64::from(x) * i64::from(step) + (1 << 15)) >> 16);
                prop_assert_eq!(i64::from(l), exact.clamp(-i64::from(MAX_WEIGHT), i64::from(MAX_WEIGHT)));
            }
        }
    }
}
