//! Run experts: for each context the last two different tokens that followed it, and how long the latest has held. One look-up
//! of eight bytes per token and context, where bit histories take three of sixteen: cheap for long contexts, which are
//! mostly deterministic.

use crate::adaptive::Adaptive;
use crate::prefetch::prefetch;
use crate::table::hash;

/// Decisions told apart by how many were right already.
const DONE: usize = 12;
/// Run lengths told apart.
const COUNTS: usize = 8;

/// A table of runs shared by several contexts.
#[derive(Debug, Clone)]
pub struct Runs {
    /// check (16 bits) | count (16) | token before (16) | last token (16).
    table: Vec<u64>,
    mask: usize,
    entries: Vec<Entry>,
    /// How often the expected bit came, by context, rank of the token, run length and decisions already right.
    confidence: Vec<Adaptive>,
}

/// One context's entry for the token being coded.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    place: usize,
    check: u64,
    found: bool,
    count: u16,
    tokens: [u16; 2],
    chosen: usize,
    expected: Option<bool>,
}

impl Runs {
    /// A table of 2^`log2` entries for `contexts` contexts.
    pub fn new(contexts: usize, log2: u32) -> Runs {
        let mut confidence = Vec::new();
        for _ in 0..contexts {
            for index in 0..2 * COUNTS * DONE {
                let (second, count, done) =
                    (index / (COUNTS * DONE), index / DONE % COUNTS, index % DONE);
                let odds = if second == 0 {
                    2 + count * 2 + done
                } else {
                    2 + done
                } as u32;
                confidence.push(Adaptive::new((65535 * odds / (odds + 1)) as u16, 2));
            }
        }
        Runs {
            table: vec![0; 1 << log2],
            mask: (1 << log2) - 1,
            entries: vec![Entry::default(); contexts],
            confidence,
        }
    }

    /// Has what [`find`](Self::find) will read brought into the cache.
    #[inline(always)]
    pub fn prefetch(&self, context: u32) {
        prefetch(&self.table, self.place(context).0);
    }

    /// Place and check of a context.
    #[inline(always)]
    fn place(&self, context: u32) -> (usize, u64) {
        let hash = hash(context, 0x5A5A_5A5A);
        ((hash >> 32) as usize & self.mask, hash >> 8 & 0xFFFF)
    }

    /// Looks a context up for the token to come.
    #[inline(always)]
    pub fn find(&mut self, index: usize, context: u32) {
        let (place, check) = self.place(context);
        let word = self.table[place];
        let found = word >> 48 == check && word >> 32 & 0x7FFF != 0;
        self.entries[index] = Entry {
            place,
            check,
            found,
            count: (word >> 32) as u16,
            tokens: [word as u16, (word >> 16) as u16],
            chosen: 0,
            expected: None,
        };
    }

    /// Log odds (steps) of "right" at the decision between `lo..mid` and `mid..hi`, 0 if there is nothing to say.
    #[inline(always)]
    pub fn predict(&mut self, index: usize, lo: usize, mid: u16, hi: usize, done: usize) -> i32 {
        let entry = &mut self.entries[index];
        entry.expected = None;
        if !entry.found {
            return 0;
        }
        let here = lo..hi;
        let rank = usize::from(!here.contains(&usize::from(entry.tokens[0])));
        let token = entry.tokens[rank];
        if rank == 1 && (!here.contains(&usize::from(token)) || entry.count & 0x8000 == 0) {
            return 0;
        }
        let count = usize::from(entry.count & 0x7FFF);
        let count = if count < 5 {
            count
        } else {
            (count.ilog2() as usize + 3).min(COUNTS)
        } - 1;
        entry.chosen = ((index * 2 + rank) * COUNTS + count) * DONE + done.min(DONE - 1);
        let bit = token >= mid;
        entry.expected = Some(bit);
        let stretched = self.confidence[entry.chosen].stretched();
        if bit { stretched } else { -stretched }
    }

    /// Learns a decision.
    #[inline(always)]
    pub fn update_bit(&mut self, index: usize, bit: bool) {
        let entry = &self.entries[index];
        if let Some(expected) = entry.expected {
            self.confidence[entry.chosen].update(bit == expected, 255);
        }
    }

    /// Learns the token.
    #[inline(always)]
    pub fn update_token(&mut self, index: usize, token: u16) {
        let entry = &self.entries[index];
        // The highest bit of the count says whether there is a token before the last.
        let (count, before) = if !entry.found {
            (1, 0)
        } else if entry.tokens[0] == token {
            let run = entry.count & 0x7FFF;
            (entry.count & 0x8000 | (run + 1).min(255), entry.tokens[1])
        } else {
            (0x8001, entry.tokens[0])
        };
        self.table[entry.place] =
            entry.check << 48 | u64::from(count) << 32 | u64::from(before) << 16 | u64::from(token);
    }

    /// Makes the table as large as 2^`log2` entries, if it is smaller; see `Table::grow`.
    pub fn grow(&mut self, log2: u32) {
        while self.table.len() < 1 << log2 {
            self.table.extend_from_within(..);
        }
        self.mask = self.table.len() - 1;
    }

    /// Learnt confidences, for saving.
    pub fn confidence_mut(&mut self) -> &mut [Adaptive] {
        &mut self.confidence
    }

    /// The table, for saving.
    pub fn table_mut(&mut self) -> &mut [u64] {
        &mut self.table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_the_token_before() {
        let mut runs = Runs::new(1, 4);
        for token in [7, 7, 7, 9] {
            runs.find(0, 42);
            runs.update_token(0, token);
        }
        runs.find(0, 42);
        // 9 was last: expected right of 8.
        assert!(runs.predict(0, 0, 8, 16, 0) > 0);
        // On a path that excludes 9, the token before is expected.
        assert!(runs.predict(0, 0, 4, 8, 1) > 0);
        assert!(runs.predict(0, 6, 8, 9, 1) < 0);
        assert_eq!(runs.predict(0, 0, 2, 4, 1), 0);
        runs.find(0, 43);
        assert_eq!(runs.predict(0, 0, 8, 16, 0), 0);
    }
}
