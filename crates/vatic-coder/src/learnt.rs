//! What a predictor has learnt, as a thing: how large its tables are, its parts in order, and how another takes it over.

use crate::adaptive::Adaptive;
use crate::predictor::Predictor;

/// Sizes of the tables for a frame, as powers of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes of bit histories.
    pub histories: u32,
    /// Places of each match table.
    pub places: u32,
    /// Entries of runs.
    pub runs: u32,
    /// Contexts of the last map.
    pub map: u32,
    /// Bytes that the head may take.
    pub head: u32,
}

impl Sizes {
    /// For `length` bytes, within a cap of 2^`cap` bytes: half for bit histories, a quarter for matches, an eighth each for runs and the head. Single
    /// bytes do with a smaller map, which stays in the core's own caches.
    pub fn new(length: u64, cap: u8, bytes: bool) -> Sizes {
        let cap = u32::from(cap.clamp(16, 30));
        let length = length.clamp(1 << 10, 1 << 32).next_power_of_two().ilog2();
        Sizes {
            histories: (length + 6).min(cap - 1),
            places: length.min(22).min(cap - 5),
            runs: length.min(21).min(cap - 6),
            map: (length - 3)
                .clamp(7, if bytes { 12 } else { 14 })
                .min(cap - 8),
            head: cap - 3,
        }
    }
}

/// A part of the learnt state, for saving and loading.
pub enum Field<'a> {
    /// Bit histories.
    Bytes(&'a mut [u8]),
    /// Points of maps.
    Words(&'a mut [u16]),
    /// Weights of the head.
    Shorts(&'a mut [i16]),
    /// Maps of histories, counters.
    Longs(&'a mut [u32]),
    /// Weights, within the mixer's limit.
    Weights(&'a mut [i32]),
    /// Adaptive probabilities.
    Adaptive(&'a mut [Adaptive]),
    /// Runs.
    Quads(&'a mut [u64]),
}

impl<const C: usize, const V: usize, const S: usize> Predictor<C, V, S> {
    /// All that is learnt but the matches, always in the same order.
    pub fn visit(&mut self, visit: &mut dyn FnMut(Field)) {
        let (table, maps) = self.histories.parts_mut();
        visit(Field::Bytes(table.bytes_mut()));
        visit(Field::Longs(maps.as_flattened_mut()));
        let (sets, points) = self.mixing.parts_mut();
        for (weights, counts) in sets {
            visit(Field::Weights(weights));
            visit(Field::Words(counts));
        }
        visit(Field::Words(points));
        let (weights, counts) = self.head.parts_mut();
        visit(Field::Shorts(weights));
        visit(Field::Words(counts));
        visit(Field::Adaptive(&mut self.order0));
        visit(Field::Adaptive(self.long.confidence_mut()));
        visit(Field::Adaptive(self.short.confidence_mut()));
        visit(Field::Adaptive(self.runs.confidence_mut()));
        visit(Field::Quads(self.runs.table_mut()));
        visit(Field::Adaptive(self.leaps.confidence_mut()));
    }

    /// Takes over what another predictor has learnt, whose tables may be smaller.
    pub fn adopt(&mut self, mut other: Self) {
        let (sizes, theirs) = (self.sizes, other.sizes);
        other.histories.grow(sizes.histories);
        other.mixing.grow(sizes.map);
        other.runs.grow(sizes.runs);
        self.sizes = Sizes {
            histories: sizes.histories.max(theirs.histories),
            runs: sizes.runs.max(theirs.runs),
            map: sizes.map.max(theirs.map),
            ..sizes
        };
        self.histories = other.histories;
        self.mixing = other.mixing;
        self.mixing.settle();
        self.runs = other.runs;
        self.head = other.head;
        self.order0 = other.order0;
        self.leaps = other.leaps;
        self.long.adopt(&mut other.long);
        self.short.adopt(&mut other.short);
    }

    /// Puts tokens where matches find them, as a stream of their own.
    pub fn remember(&mut self, tokens: &[u16]) {
        let stream = self.streams.len();
        for &token in tokens {
            self.tokens.push(stream, token);
            self.long.insert(&self.tokens, stream);
            self.short.insert(&self.tokens, stream);
        }
    }

    /// The last `count` tokens, those of a prior first, then stream after stream.
    pub fn recall(&self, count: usize) -> Vec<u16> {
        let order = std::iter::once(self.streams.len()).chain(0..self.streams.len());
        let all = order.flat_map(|stream| {
            (0..self.tokens.len(stream)).filter_map(move |at| self.tokens.get(stream, at))
        });
        let skip = (0..=self.streams.len())
            .map(|stream| self.tokens.len(stream))
            .sum::<usize>()
            .saturating_sub(count);
        all.skip(skip).collect()
    }
}
