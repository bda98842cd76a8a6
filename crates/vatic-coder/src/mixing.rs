//! From the inputs of a decision to one probability: sets of weights chosen by small contexts, a last layer that mixes
//! what they say, and an adaptive probability map.

use crate::adaptive::Apm;
use crate::logistic::squash;
use crate::mixer::{LANES, ONE, Rates, WeightSet};

/// How the first layer learns in a vocabulary of single bytes, whose frames are coded without a transformer.
pub static BYTE_RATES: Rates = Rates::falling(1 << 18, 24_000, 1000);

/// How it learns in any other: a good guess is there from the start, and weights should stay with it until there is reason not to.
pub static TOKEN_RATES: Rates = Rates::falling(1 << 17, 30_000, 4000);

/// How the last layer learns of single bytes: at a constant rate.
pub static BYTE_LAST_RATES: Rates = Rates::falling(1 << 14, 1 << 14, 1);

/// How it learns of tokens: half as fast.
pub static TOKEN_LAST_RATES: Rates = Rates::falling(1 << 13, 1 << 13, 1);

/// Rate of the map.
const MAP_RATE: u32 = 6;

/// Which stages take part.
#[derive(Debug, Clone, Copy)]
pub struct Stages<const S: usize> {
    /// Each set of the first layer.
    pub sets: [bool; S],
    /// The last layer; without it the sets are averaged.
    pub last: bool,
    /// The map at the end.
    pub map: bool,
}

/// What chooses weights and maps for a decision.
#[derive(Debug, Clone, Copy)]
pub struct Situation<const S: usize> {
    /// Context of each set.
    pub sets: [usize; S],
    /// Context of the last layer.
    pub last: usize,
    /// Context of the map, a hash.
    pub hash: u32,
}

/// Weights and map, for `V` vectors of inputs and `S` sets of weights in the first layer (at most [`LANES`]).
#[derive(Debug, Clone)]
pub struct Mixing<const V: usize, const S: usize> {
    on: Stages<S>,
    sets: [WeightSet; S],
    last: WeightSet,
    map: Apm,
    mask: usize,
    /// Sets that take part.
    count: i32,
    outputs: [[i32; LANES]; 1],
    fresh: bool,
}

impl<const V: usize, const S: usize> Mixing<V, S> {
    /// Starts with these weights for the inputs. `sizes` and `last` are the numbers of contexts of the sets and of the last layer, the
    /// rates those of the first and of the last layer, and the map has 2^`log2` contexts.
    pub fn new(
        on: Stages<S>,
        initial: &[[i32; LANES]; V],
        (sizes, last): ([usize; S], usize),
        [rates, last_rates]: [&'static Rates; 2],
        log2: u32,
    ) -> Mixing<V, S> {
        let count = on.sets.iter().filter(|&&on| on).count().max(1) as i32;
        let share = std::array::from_fn(|n| if n < S && on.sets[n] { ONE / count } else { 0 });
        Mixing {
            on,
            sets: sizes.map(|contexts| WeightSet::new(contexts, initial, rates)),
            last: WeightSet::new(last, &[share], last_rates),
            map: Apm::new(1 << log2, MAP_RATE),
            mask: (1 << log2) - 1,
            count,
            outputs: [[0; LANES]; 1],
            fresh: true,
        }
    }

    /// Whether nothing has been learnt yet.
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Replaces all weights of the first layer.
    pub fn set_weights(&mut self, initial: &[[i32; LANES]; V]) {
        self.sets.iter_mut().for_each(|set| set.restart(initial));
    }

    /// Has the vector that a set has for a context brought into the cache.
    #[inline(always)]
    pub fn prefetch(&self, set: usize, context: usize) {
        self.sets[set].prefetch(context);
    }

    /// The probability (16 bits, 1..=65535) of "right".
    #[inline(always)]
    pub fn mix(&mut self, inputs: &[[i32; LANES]; V], at: &Situation<S>) -> u16 {
        if self.on.map {
            self.map.prefetch(at.hash as usize & self.mask);
        }
        let mut sum = 0;
        for (n, set) in self.sets.iter_mut().enumerate() {
            if self.on.sets[n] {
                self.outputs[0][n] = set.mix(at.sets[n], inputs);
                sum += self.outputs[0][n];
            }
        }
        let mixed = if self.on.last {
            self.last.mix(at.last, &self.outputs)
        } else {
            sum / self.count
        };
        let p = u32::from(squash(mixed));
        let p = if self.on.map {
            let refined = self.map.refine(mixed, at.hash as usize & self.mask);
            (p + u32::from(refined) + 1) >> 1
        } else {
            p
        };
        p.clamp(1, 65535) as u16
    }

    /// Learns the decision.
    #[inline(always)]
    pub fn update(&mut self, inputs: &[[i32; LANES]; V], bit: bool) {
        if self.on.map {
            self.map.update(bit);
        }
        if self.on.last {
            self.last.update(bit, &self.outputs);
        }
        for (n, set) in self.sets.iter_mut().enumerate() {
            if self.on.sets[n] {
                set.update(bit, inputs);
            }
        }
        self.fresh = false;
    }

    /// Gives the map 2^`log2` contexts, if it has fewer.
    pub fn grow(&mut self, log2: u32) {
        while self.mask + 1 < 1 << log2 {
            self.map.double();
            self.mask = self.mask << 1 | 1;
        }
    }

    /// Finds out whether anything has been learnt, after the state was changed from outside.
    pub fn settle(&mut self) {
        let (sets, _) = self.parts_mut();
        let fresh = { sets }.all(|(_, counts)| counts.iter().all(|&count| count == 0));
        self.fresh = fresh;
    }

    /// Everything learnt, for saving and loading: weights and counts of the sets and the last layer, and points of the map.
    pub fn parts_mut(&mut self) -> (impl Iterator<Item = (&mut [i32], &mut [u16])>, &mut [u16]) {
        let sets = self.sets.iter_mut().map(WeightSet::parts_mut);
        let all = sets.chain([self.last.parts_mut()]);
        (all, self.map.points_mut())
    }
}
