//! The experts that keep a bit history for each (context, node) and learn what each history means.

use crate::adaptive::{RECIPROCALS, fresh};
use crate::logistic::{beyond, stretch};
use crate::state;
use crate::table::{Table, hash};

/// What the histories of one context mean: 22 bits of probability and 10 of count for each state.
pub type Map = [u32; 256];

/// Updates after which a map forgets.
const LIMIT: i32 = 255;

/// Moves eight entries towards the target, in the form of a vector operation.
#[inline(always)]
fn learn(entries: &[u32; 8], rates: &[i32; 8], target: i32) -> [u32; 8] {
    let (entries, rates) = (*entries, *rates);
    let mut new = [0; 8];
    for lane in 0..8 {
        let (p, n) = ((entries[lane] >> 10) as i32, (entries[lane] & 1023) as i32);
        let p = p + ((((target - p) >> 6).wrapping_mul(rates[lane])) >> 9);
        // Counts up to the limit: the sign of n - LIMIT is the step.
        new[lane] = (p as u32) << 10 | (n + ((n - LIMIT) >> 31 & 1)) as u32;
    }
    new
}

/// Histories and maps of up to `C` contexts, a multiple of eight.
#[derive(Debug, Clone)]
pub struct Histories<const C: usize> {
    table: Table,
    maps: Vec<Map>,
    /// Contexts in use.
    count: usize,
    // The four levels at hand: where the slots are, and a copy of their lower and of their upper halves to work on.
    places: [usize; C],
    slots: [[u64; C]; 2],
    // The decision at hand.
    states: [u8; C],
    entries: [u32; C],
    /// How many contexts were known at the last look-up.
    pub found: usize,
}

impl<const C: usize> Histories<C> {
    /// `count` contexts in a table of 2^`log2` bytes.
    pub fn new(count: usize, log2: u32) -> Histories<C> {
        let fresh = std::array::from_fn(|state| {
            let [zeros, ones] = state::counts(state as u8).map(u32::from);
            fresh(
                (65536 * (2 * ones + 1) / (2 * (zeros + ones) + 2)).min(65535) as u16,
                0,
            )
        });
        Histories {
            table: Table::new(log2),
            maps: vec![fresh; C],
            count: count.min(C),
            places: [0; C],
            slots: [[0; C]; 2],
            states: [0; C],
            entries: [0; C],
            found: 0,
        }
    }

    /// Has what [`fetch`](Self::fetch) will read brought into the cache.
    #[inline(always)]
    pub fn prefetch(&self, contexts: &[u32; C], node: u16) {
        for &context in &contexts[..self.count] {
            self.table.prefetch(hash(context, node.into()));
        }
    }

    /// Fetches the histories of the four levels below a node.
    #[inline(always)]
    pub fn fetch(&mut self, contexts: &[u32; C], node: u16) {
        let count = self.count;
        self.found = 0;
        for (k, &context) in contexts[..count].iter().enumerate() {
            let hash = hash(context, node.into());
            let slot;
            (self.places[k], slot) = self.table.take(self.table.bucket(hash), hash);
            [self.slots[0][k], self.slots[1][k]] = slot;
            self.found += usize::from((slot[0] >> 8) as u8 != state::EMPTY);
        }
    }

    /// Puts the histories of the levels at hand back.
    #[inline(always)]
    pub fn store(&mut self) {
        let [low, high] = &self.slots;
        self.table.put(&self.places[..self.count], low, high);
    }

    /// Log odds beyond those `foretold`, and distances from even odds, of "right" at the node with this number (1..=15) within the
    /// levels at hand.
    #[inline(always)]
    pub fn predict(
        &mut self,
        local: usize,
        foretold: i32,
        odds: &mut [i32; C],
        distances: &mut [i32; C],
    ) {
        let (half, shift) = (&self.slots[local >> 3 & 1], local % 8 * 8);
        for (state, &bytes) in self.states.iter_mut().zip(half) {
            *state = (bytes >> shift) as u8;
        }
        let of_maps = self.maps[..self.count]
            .iter()
            .zip(&self.states)
            .zip(&mut self.entries);
        for (((map, state), entry), odds) in of_maps.zip(odds.iter_mut()) {
            *entry = map[usize::from(*state)];
            *odds = stretch((*entry >> 16) as u16);
        }
        for k in 0..C {
            let known = -i32::from(self.states[k] != state::EMPTY);
            odds[k] = beyond(odds[k], foretold) & known;
            distances[k] = (((self.entries[k] >> 16) as i32 - 32768) >> 5) & known;
        }
    }

    /// Log odds of a context alone at the decision at hand, whatever was foretold; 0 if it knows nothing.
    pub fn alone(&self, context: usize) -> i32 {
        match self.states[context] {
            state::EMPTY => 0,
            _ => stretch((self.entries[context] >> 16) as u16),
        }
    }

    /// Learns the decision that was predicted.
    #[inline(always)]
    pub fn update(&mut self, local: usize, bit: bool) {
        let (half, shift) = (&mut self.slots[local >> 3 & 1], local % 8 * 8);
        let mut rates = [0i32; C];
        for (rate, &entry) in rates.iter_mut().zip(&self.entries) {
            *rate = RECIPROCALS[(entry & 1023) as usize];
        }
        let mut new = [0u32; C];
        let target = if bit { (1 << 22) - 1 } else { 0 };
        let (from, _) = self.entries.as_chunks::<8>();
        let (by, _) = rates.as_chunks::<8>();
        let (to, _) = new.as_chunks_mut::<8>();
        for ((from, by), to) in from.iter().zip(by).zip(to) {
            *to = learn(from, by, target);
        }
        let of_maps = self.maps[..self.count]
            .iter_mut()
            .zip(half)
            .zip(&self.states)
            .zip(&new);
        let changes = state::changes(bit);
        for (((map, bytes), &state), &entry) in of_maps {
            map[usize::from(state)] = entry;
            *bytes ^= u64::from(changes[usize::from(state)]) << shift;
        }
    }

    /// Table and maps, for saving and loading.
    pub fn parts_mut(&mut self) -> (&mut Table, &mut [Map]) {
        (&mut self.table, &mut self.maps[..self.count])
    }

    /// Makes the table as large as 2^`log2` bytes, if it is smaller.
    pub fn grow(&mut self, log2: u32) {
        self.table.grow(log2);
    }
}
