//! Where what was sampled stands: a table with one place for each key's upper bits, that of the latest sample.

use crate::sample::Sample;

/// Places by their keys.
#[derive(Debug)]
pub struct Index {
    slots: Vec<Slot>,
    /// Slots that are taken.
    taken: usize,
    most_log2: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    key: u32,
    /// The lower bits of the place; 0 for none.
    place: u32,
}

const FEWEST_LOG2: u32 = 10;

impl Index {
    /// Of up to 2^`most_log2` places.
    pub fn new(most_log2: u32) -> Index {
        Index {
            slots: Vec::new(),
            taken: 0,
            most_log2: most_log2.max(FEWEST_LOG2),
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.taken = 0;
    }

    fn slot(&self, key: u32) -> usize {
        // All slots together are numbered by the upper bits.
        ((u64::from(key) * self.slots.len() as u64) >> 32) as usize
    }

    /// The lower bits of the place of this key, if there was one.
    pub fn get(&self, key: u32) -> Option<u32> {
        let slot = self.slots.get(self.slot(key))?;
        (slot.key == key && slot.place != 0).then_some(slot.place)
    }

    /// Notes a sample, as of `place`.
    pub fn put(&mut self, sample: Sample, place: u32) {
        if self.taken * 2 >= self.slots.len() {
            self.grow();
        }
        let slot = self.slot(sample.key);
        let slot = &mut self.slots[slot];
        self.taken += usize::from(slot.place == 0);
        *slot = Slot {
            key: sample.key,
            place,
        };
    }

    fn grow(&mut self) {
        let most = 1 << self.most_log2;
        if self.slots.len() == most {
            return;
        }
        let slots = (2 * self.slots.len()).clamp(1 << FEWEST_LOG2, most);
        let before = std::mem::replace(&mut self.slots, vec![Slot::default(); slots]);
        self.taken = 0;
        for old in before.into_iter().filter(|slot| slot.place != 0) {
            let slot = self.slot(old.key);
            self.taken += usize::from(self.slots[slot].place == 0);
            self.slots[slot] = old;
        }
    }
}
