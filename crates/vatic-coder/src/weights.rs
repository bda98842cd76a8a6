//! Interval sums of a transformer's weights, computed only where a path needs them.

/// Leaves per block: one prefix sum is kept for each.
const BLOCK: usize = 32;

/// Room for the prefix sums of one set of weights; kept between tokens so that nothing is allocated.
#[derive(Debug, Clone, Default)]
pub struct Blocks {
    sums: Vec<u32>,
}

/// The weights that a language model gives to all leaves for one token: each at least 1, their sum at most 2^31.
/// The probability of a set of leaves is the quotient of its sum and the whole, so probabilities add up exactly.
///
/// ```
/// use vatic_coder::{Blocks, Weights};
/// let mut blocks = Blocks::default();
/// let weights = Weights::new(&[1, 2, 3, 4], &mut blocks);
/// assert_eq!(weights.below(3), 6);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    leaves: &'a [u32],
    blocks: &'a [u32],
}

impl<'a> Weights<'a> {
    /// Sums the blocks of 32 leaves (one pass over the weights; the sums on a path are completed as they are asked for).
    pub fn new(leaves: &'a [u32], blocks: &'a mut Blocks) -> Weights<'a> {
        blocks.sums.clear();
        blocks.sums.push(0);
        let mut sum = 0u32;
        for block in leaves.chunks(BLOCK) {
            sum = sum.wrapping_add(
                block
                    .iter()
                    .fold(0u32, |sum, &weight| sum.wrapping_add(weight)),
            );
            blocks.sums.push(sum);
        }
        Weights {
            leaves,
            blocks: &blocks.sums,
        }
    }

    /// Number of leaves.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there are no leaves at all.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// Sum of the weights of the leaves `0..end`; `end` beyond the last leaf counts as the last.
    #[inline]
    pub fn below(&self, end: usize) -> u32 {
        let end = end.min(self.leaves.len());
        let block = end / BLOCK;
        let rest = &self.leaves[block * BLOCK..end];
        rest.iter()
            .fold(self.blocks[block], |sum, &weight| sum.wrapping_add(weight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_are_the_plain_ones(leaves in prop::collection::vec(1u32..1000, 0..300)) {
            let mut blocks = Blocks::default();
            let weights = Weights::new(&leaves, &mut blocks);
            for end in 0..=leaves.len() {
                prop_assert_eq!(weights.below(end), leaves[..end].iter().sum::<u32>());
            }
            prop_assert_eq!(weights.below(usize::MAX), leaves.iter().sum::<u32>());
        }
    }
}
