//! From the inputs of a decision to one probability: sets of weights chosen by small contexts, a last layer that mixes
//! what they say, and adaptive probability maps.

use crate::MAX_DEPTH;
use crate::adaptive::Apm;
use crate::logistic::squash;
use crate::matching::LENGTHS;
use crate::mixer::{LANES, ONE, Rate, WeightSet};

/// Vectors of inputs.
pub const VECTORS: usize = 4;
/// Inputs.
pub const INPUTS: usize = VECTORS * LANES;
/// Sets of weights in the first layer.
pub const SETS: usize = 4;

/// Learning rates of the first and the last layer.
const RATES: [Rate; 2] = [
    Rate {
        start: 1 << 18,
        end: 24_000,
        half: 1 << 14,
    },
    Rate {
        start: 1 << 15,
        end: 1 << 13,
        half: 1 << 14,
    },
];

/// Which stages take part.
#[derive(Debug, Clone, Copy)]
pub struct Stages {
    /// Each set of the first layer.
    pub sets: [bool; SETS],
    /// The last layer; without it the sets are averaged.
    pub last: bool,
    /// The maps at the end.
    pub maps: bool,
}

/// What chooses weights and maps for a decision.
#[derive(Debug, Clone, Copy, Default)]
pub struct Situation {
    /// Context of each set.
    pub sets: [usize; SETS],
    /// Bucket of the match length.
    pub length: usize,
    /// The bit that the match expects.
    pub expected: bool,
    /// Decisions made before, below 24.
    pub depth: usize,
    /// Hash of node and last bytes.
    pub hash: u32,
}

/// Weights and maps.
#[derive(Debug, Clone)]
pub struct Mixing {
    on: Stages,
    vectors: usize,
    sizes: [usize; SETS],
    sets: [WeightSet<VECTORS>; SETS],
    last: WeightSet<1>,
    maps: [Apm; 2],
    mask: usize,
    outputs: [[i32; LANES]; 1],
    decisions: u32,
    rates: [i32; 2],
}

impl Mixing {
    /// Starts with these weights for the inputs, of which the first `vectors` vectors are in use; `sizes` are the
    /// numbers of contexts of the sets, and the second map has 2^`log2` contexts.
    pub fn new(
        on: Stages,
        initial: &[[i32; LANES]; VECTORS],
        vectors: usize,
        sizes: [usize; SETS],
        log2: u32,
    ) -> Mixing {
        let count = on.sets.iter().filter(|&&on| on).count().max(1) as i32;
        let share = std::array::from_fn(|n| {
            if n < SETS && on.sets[n] {
                ONE / count
            } else {
                0
            }
        });
        Mixing {
            on,
            vectors,
            sizes,
            sets: sizes.map(|contexts| WeightSet::new(contexts, initial)),
            last: WeightSet::new(LENGTHS * MAX_DEPTH, &[share]),
            maps: [Apm::new(LENGTHS * 2 * MAX_DEPTH, 6), Apm::new(1 << log2, 5)],
            mask: (1 << log2) - 1,
            outputs: [[0; LANES]; 1],
            decisions: 0,
            rates: RATES.map(|rate| rate.after(0)),
        }
    }

    /// Whether nothing has been learnt yet.
    pub fn is_fresh(&self) -> bool {
        self.decisions == 0
    }

    /// Replaces all weights of the first layer.
    pub fn set_weights(&mut self, initial: &[[i32; LANES]; VECTORS]) {
        self.sets = self.sizes.map(|contexts| WeightSet::new(contexts, initial));
    }

    /// The probability (16 bits, 1..=65535) of "right".
    #[inline(always)]
    pub fn mix(&mut self, inputs: &[[i32; LANES]; VECTORS], at: &Situation) -> u16 {
        if self.on.maps {
            self.maps[1].prefetch(at.hash as usize & self.mask);
        }
        let mut sum = 0;
        for (n, set) in self.sets.iter_mut().enumerate() {
            if self.on.sets[n] {
                self.outputs[0][n] = set.mix(at.sets[n], inputs, self.vectors);
                sum += self.outputs[0][n];
            }
        }
        let mixed = if self.on.last {
            self.last
                .mix(at.length * MAX_DEPTH + at.depth, &self.outputs, 1)
        } else {
            sum / SETS as i32
        };
        let p = u32::from(squash(mixed));
        let p = if self.on.maps {
            let [by_match, by_bytes] = &mut self.maps;
            let a = by_match.refine(
                mixed,
                (at.length * 2 + usize::from(at.expected)) * MAX_DEPTH + at.depth,
            );
            let b = by_bytes.refine(mixed, at.hash as usize & self.mask);
            (2 * p + u32::from(a) + u32::from(b) + 2) >> 2
        } else {
            p
        };
        p.clamp(1, 65535) as u16
    }

    /// Learns the decision.
    #[inline(always)]
    pub fn update(&mut self, inputs: &[[i32; LANES]; VECTORS], bit: bool) {
        if self.on.maps {
            self.maps.iter_mut().for_each(|map| map.update(bit));
        }
        if self.on.last {
            self.last.update(bit, &self.outputs, 1, self.rates[1]);
        }
        for (n, set) in self.sets.iter_mut().enumerate() {
            if self.on.sets[n] {
                set.update(bit, inputs, self.vectors, self.rates[0]);
            }
        }
        self.decisions = self.decisions.saturating_add(1);
        if self.decisions.is_multiple_of(64) {
            self.rates = RATES.map(|rate| rate.after(self.decisions));
        }
    }

    /// Gives the last map 2^`log2` contexts, if it has fewer.
    pub fn grow(&mut self, log2: u32) {
        while self.mask + 1 < 1 << log2 {
            self.maps[1].double();
            self.mask = self.mask << 1 | 1;
        }
    }

    /// Everything learnt, for saving and loading: weights, points of the maps, number of decisions.
    pub fn parts_mut(
        &mut self,
    ) -> (
        impl Iterator<Item = &mut [i32]>,
        impl Iterator<Item = &mut [u16]>,
        &mut u32,
    ) {
        let weights = self
            .sets
            .iter_mut()
            .map(WeightSet::weights_mut)
            .chain([self.last.weights_mut()]);
        (
            weights,
            self.maps.iter_mut().map(Apm::points_mut),
            &mut self.decisions,
        )
    }
}
