//! The hash table of bit histories: one cache line per look-up, one look-up per four levels of the tree.

use crate::large::Large;
use crate::prefetch::prefetch;
use crate::state::priority;

/// Bytes of a slot: a check byte and the 15 nodes of four levels.
pub const SLOT: usize = 16;
/// Bytes of a bucket, a cache line.
const BUCKET: usize = 64;
/// Slots of a bucket.
const WAYS: usize = BUCKET / SLOT;
/// Levels of the tree that one slot covers.
pub const LEVELS: usize = 4;

/// The bytes of a slot, of which the check is the first: two numbers, lowest byte first.
pub type Slot = [u64; 2];

fn halves(bytes: &[u8; SLOT]) -> Slot {
    let x = u128::from_le_bytes(*bytes);
    [x as u64, (x >> 64) as u64]
}

/// Histories of (context, four levels below a node). Buckets hold four slots, told apart by a check byte; a new one takes
/// the place of the one of least experience. Contexts of all orders share one table, so that each takes what it needs.
#[derive(Debug, Clone)]
pub struct Table {
    bytes: Large<u8>,
    /// Where the first bucket starts, so that buckets lie on cache lines. It depends on where the allocator put the
    /// bytes, and nothing else depends on it.
    start: usize,
    log2: u32,
}

impl Table {
    /// An empty table of 2^`log2` bytes (at least one bucket).
    pub fn new(log2: u32) -> Table {
        let log2 = log2.max(BUCKET.ilog2());
        let bytes = Large::<u8>::new((1 << log2) + BUCKET);
        let start = bytes.as_ptr().align_offset(BUCKET).min(BUCKET);
        Table { bytes, start, log2 }
    }

    /// Place of the bucket of a hash.
    #[inline(always)]
    pub fn bucket(&self, hash: u64) -> usize {
        self.start + (((hash >> 32) as usize) << 6 & ((1 << self.log2) - 1))
    }

    /// Has the bucket of a hash fetched into the cache.
    #[inline(always)]
    pub fn prefetch(&self, hash: u64) {
        prefetch(&self.bytes, self.bucket(hash));
    }

    /// Place and contents of the slot of a hash in its bucket: the one with its check byte, or, emptied, the least
    /// experienced one. It is changed by [`put`](Self::put) only.
    #[inline(always)]
    pub fn take(&self, bucket: usize, hash: u64) -> (usize, Slot) {
        let check = (hash >> 24) as u8;
        let (slots, _) = self.bytes[bucket..bucket + BUCKET].as_chunks::<SLOT>();
        // The least of these numbers, without a branch that would be mispredicted: the slot's own, if it is the right
        // one, else its worth above its number.
        let rank = |way: usize| {
            let [found, first] = [slots[way][0], slots[way][1]];
            let wrong = usize::from((found != check) | (first == 0));
            let worth = (usize::from(priority(first)) + 1) * WAYS;
            way + (worth & wrong.wrapping_neg())
        };
        let least = rank(0).min(rank(1)).min(rank(2)).min(rank(3));
        let way = least % WAYS;
        let [low, high] = halves(&slots[way]);
        let known = least < WAYS;
        let slot = [
            if known { low } else { check.into() },
            if known { high } else { 0 },
        ];
        (bucket + way * SLOT, slot)
    }

    /// Stores what [`take`](Self::take) gave: places, and the two halves of the slots.
    #[inline(always)]
    pub fn put(&mut self, places: &[usize], low: &[u64], high: &[u64]) {
        let bytes = &mut self.bytes[..];
        for ((&place, low), high) in places.iter().zip(low).zip(high) {
            let (halves, _) = bytes[place..place + SLOT].as_chunks_mut::<8>();
            halves[0] = low.to_le_bytes();
            halves[1] = high.to_le_bytes();
        }
    }

    /// All buckets, for saving and loading.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + (1 << self.log2)]
    }

    /// Makes the table as large as 2^`log2` bytes, if it is smaller: more bits of the hash choose the bucket, so the old
    /// buckets are repeated at every place where they may be looked for.
    pub fn grow(&mut self, log2: u32) {
        if log2 > self.log2 {
            let mut larger = Table::new(log2);
            for part in larger.bytes_mut().chunks_exact_mut(1 << self.log2) {
                part.copy_from_slice(self.bytes_mut());
            }
            *self = larger;
        }
    }
}

/// Mixes a context and a node into a hash whose upper half chooses the bucket and whose next byte is the check.
#[inline(always)]
pub fn hash(context: u32, node: u32) -> u64 {
    let x = (u64::from(node) << 32 | u64::from(context)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (x ^ x >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

/// Chains a value to a hash of 32 bits.
#[inline(always)]
pub fn combine(hash: u32, value: u32) -> u32 {
    let x = (u64::from(hash) << 32 | u64::from(value)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (x >> 32) as u32 ^ (x >> 7) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state;

    #[test]
    fn slots_are_found_again_and_the_least_experienced_goes() {
        let mut table = Table::new(0);
        // Five contexts of one bucket, told apart by their check bytes.
        let hashes: Vec<u64> = (0..5u64).map(|check| (check + 1) << 24).collect();
        for (n, &hash) in hashes[..4].iter().enumerate() {
            let (place, mut slot) = table.take(table.bucket(hash), hash);
            let mut history = 0;
            for _ in 0..4 - n {
                history = state::next(history, true);
            }
            slot[0] |= u64::from(history) << 8;
            table.put(&[place], &slot[..1], &slot[1..]);
        }
        let places: Vec<usize> = hashes[..4]
            .iter()
            .map(|&h| table.take(table.bucket(h), h).0)
            .collect();
        assert!(places.windows(2).all(|w| w[0] != w[1]));
        let (newcomer, slot) = table.take(table.bucket(hashes[4]), hashes[4]);
        assert_eq!((newcomer, slot), (places[3], [5, 0]));
        let [low, _] = table.take(places[0], hashes[0]).1;
        assert_eq!(state::counts((low >> 8) as u8), [0, 4]);
    }

    #[test]
    fn a_grown_table_finds_its_slots() {
        let mut table = Table::new(8);
        let h = hash(1234, 5);
        let (place, mut slot) = table.take(table.bucket(h), h);
        slot = [slot[0] | 9 << 8, 77 << 56];
        table.put(&[place], &slot[..1], &slot[1..]);
        table.grow(12);
        assert_eq!(table.take(table.bucket(h), h).1, slot);
    }

    #[test]
    fn buckets_stay_inside() {
        for log2 in [0, 6, 7, 12] {
            let mut table = Table::new(log2);
            for node in 0..5000 {
                let h = hash(node * 77, node);
                let bucket = table.bucket(h);
                table.prefetch(h);
                let (place, mut slot) = table.take(bucket, h);
                slot[1] |= 1 << 56;
                table.put(&[place], &slot[..1], &slot[1..]);
            }
            assert!(table.bytes_mut().iter().any(|&b| b != 0));
        }
    }
}
