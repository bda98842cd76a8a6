//! A transformer's weights, and sums of them where a path through the tree needs them.

use crate::Groups;
use crate::groups::MAX_GROUP;

/// Groups per block: one prefix sum is kept for each.
const BLOCK: usize = 32;

/// Room for the sums of one set of weights; kept between tokens so that nothing is allocated.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    /// Of whole blocks of groups before each block.
    blocks: Vec<u32>,
    /// Of the leaves before each leaf of a group.
    leaves: Vec<u32>,
}

/// What a language model foretells for one token: the weights of all groups, and those of one group's leaves when they are asked for.
///
/// All weights are at least 1, and both the sum over the groups and that over a group's leaves are at most 2^31. The
/// probability of a set of groups is the quotient of its sum and the whole, that of a set of leaves of a group likewise within their
/// group, so probabilities add up exactly.
pub struct Weights<'a> {
    groups: &'a Groups,
    weights: &'a [u32],
    state: &'a [i8],
    within: &'a mut dyn FnMut(usize, &mut [u32]),
    sums: &'a mut Sums,
    /// The first leaf of the group that the path is in.
    inside: Option<usize>,
}

impl<'a> Weights<'a> {
    /// The weights of all groups, and a function that gives those of the leaves of a group (its number, and room for as many
    /// weights as it has leaves). It is called at most once, for the group of the token that is coded. `state` is the hidden state from
    /// which all of them were computed, quantised ([`Options::width`](crate::Options::width) levels, whatever their scale), or empty.
    ///
    /// # Panics
    /// If there is not one weight per group.
    pub fn new(
        groups: &'a Groups,
        weights: &'a [u32],
        state: &'a [i8],
        within: &'a mut dyn FnMut(usize, &mut [u32]),
        sums: &'a mut Sums,
    ) -> Weights<'a> {
        assert_eq!(
            weights.len(),
            groups.len(),
            "one weight per group is needed"
        );
        let add = |sum: u32, &weight: &u32| sum.wrapping_add(weight);
        sums.blocks.clear();
        let mut sum = 0u32;
        for block in weights.chunks(BLOCK) {
            sums.blocks.push(sum);
            sum = block.iter().fold(sum, add);
        }
        sums.blocks.push(sum);
        Weights {
            groups,
            weights,
            state,
            within,
            sums,
            inside: None,
        }
    }

    /// The hidden state, if it is known.
    pub(crate) fn state(&self) -> &'a [i8] {
        self.state
    }

    /// Number of leaves.
    pub(crate) fn leaf_count(&self) -> usize {
        self.groups.leaf_count()
    }

    /// Takes the path to the node over the leaves `lo..hi`. `true` if it has entered a group there: from now on sums are those of
    /// the group's leaves.
    #[inline(always)]
    pub(crate) fn enter(&mut self, lo: usize, hi: usize) -> bool {
        if self.inside.is_some() {
            return false;
        }
        let Some(group) = self.groups.holding(lo, hi) else {
            return false;
        };
        self.inside = Some(lo);
        let mut weights = [0; MAX_GROUP];
        let weights = &mut weights[..hi - lo];
        (self.within)(group, weights);
        let mut sum = 0u32;
        self.sums.leaves.clear();
        self.sums.leaves.push(0);
        self.sums.leaves.extend(weights.iter().map(|&weight| {
            sum = sum.wrapping_add(weight);
            sum
        }));
        true
    }

    /// Sum of the weights before the leaf `end`: over groups, until a group was entered, then over its leaves. `end` is a bound of
    /// the node that the path is at, or its split point.
    #[inline(always)]
    pub(crate) fn below(&self, end: usize) -> u32 {
        if let Some(first) = self.inside {
            return self.sums.leaves[end - first];
        }
        let end = self.groups.of(end);
        let block = end / BLOCK;
        let rest = &self.weights[block * BLOCK..end];
        rest.iter().fold(self.sums.blocks[block], |sum, &weight| {
            sum.wrapping_add(weight)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tree;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_are_the_plain_ones(leaves in prop::collection::vec(1u32..1000, 1..300)) {
            let tree = Tree::new(&vec![1; leaves.len()]).unwrap();
            let groups = Groups::single(&tree);
            let mut sums = Sums::default();
            let mut within = |_: usize, _: &mut [u32]| unreachable!("no leaf was asked for");
            let weights = Weights::new(&groups, &leaves, &[], &mut within, &mut sums);
            for end in 0..=leaves.len() {
                prop_assert_eq!(weights.below(end), leaves[..end].iter().sum::<u32>());
            }
        }
    }

    #[test]
    fn inside_a_group_sums_are_of_its_leaves() {
        let tree = Tree::new(&[1; 64]).unwrap();
        let groups = Groups::new(&tree, &[0, 16, 32, 48]).unwrap();
        let mut within = |group: usize, weights: &mut [u32]| {
            assert_eq!((group, weights.len()), (2, 16));
            weights.fill(3);
        };
        let mut sums = Sums::default();
        let mut weights = Weights::new(&groups, &[5, 6, 7, 8], &[], &mut within, &mut sums);
        assert!(!weights.enter(0, 64));
        assert_eq!(
            [0, 16, 32, 48, 64].map(|end| weights.below(end)),
            [0, 5, 11, 18, 26]
        );
        assert!(weights.enter(32, 48));
        assert!(!weights.enter(32, 40), "entered already");
        assert_eq!([32, 40, 48].map(|end| weights.below(end)), [0, 24, 48]);
    }
}
