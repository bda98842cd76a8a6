//! Groups of neighbouring leaves: a language model's output in two levels.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::{Error, Tree};

/// Leaves of the largest group.
pub const MAX_GROUP: usize = 256;

/// The leaves of a [`Tree`] in consecutive groups, each of which is a subtree.
///
/// A language model that predicts the group first and the leaf within it afterwards ("class-based" softmax; Goodman, *Classes
/// for fast maximum entropy training*, 2001) computes one weight per group and the weights of one group's leaves instead of those of
/// all leaves. Decisions above a group's node are then quotients of sums over groups, those below of sums over its leaves.
///
/// ```
/// use vatic_coder::{Groups, Tree};
/// let tree = Tree::new(&[8, 1, 1, 4])?;
/// let groups = Groups::new(&tree, &[0, 1, 3])?; // 0 alone, 1 and 2 together, 3 alone
/// assert_eq!((groups.len(), groups.of(2), groups.leaves(1)), (3, 1, 1..3));
/// assert!(Groups::new(&tree, &[0, 2]).is_err()); // 0 and 1 are no subtree
/// # Ok::<(), vatic_coder::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// First leaf of each group, and the number of leaves.
    starts: Vec<u32>,
    /// The group of each leaf, and the number of groups.
    of: Vec<u32>,
}

impl Groups {
    /// The groups that begin at the leaves `starts`, in ascending order.
    ///
    /// # Errors
    /// [`Error::Groups`] if the first does not begin at leaf 0, one is empty, has more than [`MAX_GROUP`] leaves or is no subtree.
    pub fn new(tree: &Tree, starts: &[u32]) -> Result<Groups, Error> {
        let leaves = tree.len() as u32;
        let ends = starts.iter().skip(1).chain([&leaves]);
        let sound = |(&start, &end): (&u32, &u32)| {
            start < end && end <= leaves && end - start <= MAX_GROUP as u32
        };
        if starts.first() != Some(&0) || !starts.iter().zip(ends).all(sound) {
            return Err(Error::Groups);
        }
        let groups = Groups::from_starts(starts, tree.len());
        groups
            .are_subtrees(tree, tree.root(), 0, tree.len())
            .then_some(groups)
            .ok_or(Error::Groups)
    }

    /// A group for each leaf: the output has one level.
    pub fn single(tree: &Tree) -> Groups {
        let starts: Vec<u32> = (0..tree.len() as u32).collect();
        Groups::from_starts(&starts, tree.len())
    }

    /// From starts in ascending order, the first of them 0.
    fn from_starts(starts: &[u32], leaves: usize) -> Groups {
        let starts: Vec<u32> = starts.iter().copied().chain([leaves as u32]).collect();
        let of = starts.windows(2).enumerate();
        let of = of.flat_map(|(group, ends)| (ends[0]..ends[1]).map(move |_| group as u32));
        Groups {
            of: of.chain([starts.len() as u32 - 1]).collect(),
            starts,
        }
    }

    /// `number` groups (at most as many as there are leaves) whose leaves occur about equally often by `counts`: starting with one
    /// group, the one that occurs most is split at its node, but first any of more than `limit` leaves. So the most frequent leaves
    /// have groups of their own, where one level of output is all they need.
    ///
    /// ```
    /// use vatic_coder::{Groups, Tree};
    /// let counts = [50, 1, 1, 1, 1, 40, 3, 3];
    /// let groups = Groups::balanced(&Tree::new(&counts)?, &counts, 4, 8);
    /// assert_eq!((0..4).map(|n| groups.leaves(n)).collect::<Vec<_>>(), [0..1, 1..5, 5..6, 6..8]);
    /// # Ok::<(), vatic_coder::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there is not one count per leaf.
    pub fn balanced(tree: &Tree, counts: &[u32], number: usize, limit: usize) -> Groups {
        assert_eq!(counts.len(), tree.len(), "one count per leaf is needed");
        let limit = limit.clamp(1, MAX_GROUP);
        // Ordered by what is split next; of equals the first one.
        let entry = |mid: u16, lo: usize, hi: usize| {
            let count: u64 = counts[lo..hi].iter().map(|&count| u64::from(count)).sum();
            (hi - lo > limit, hi - lo > 1, count, Reverse(lo), hi, mid)
        };
        let mut open = BinaryHeap::from([entry(tree.root(), 0, tree.len())]);
        while let Some(&(large, divisible, _, Reverse(lo), hi, mid)) = open.peek() {
            if !divisible || (open.len() >= number && !large) {
                break;
            }
            open.pop();
            let split = usize::from(mid);
            open.push(entry(tree.child(mid, false), lo, split));
            open.push(entry(tree.child(mid, true), split, hi));
        }
        let mut starts: Vec<u32> = open.iter().map(|entry| entry.3.0 as u32).collect();
        starts.sort_unstable();
        Groups::from_starts(&starts, tree.len())
    }

    fn are_subtrees(&self, tree: &Tree, mid: u16, lo: usize, hi: usize) -> bool {
        if let Some(group) = self.holding(lo, hi) {
            return self.leaves(group) == (lo..hi);
        }
        let split = usize::from(mid);
        // More than one group here, so more than one leaf.
        self.are_subtrees(tree, tree.child(mid, false), lo, split)
            && self.are_subtrees(tree, tree.child(mid, true), split, hi)
    }

    /// Number of groups.
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of leaves of all groups.
    pub fn leaf_count(&self) -> usize {
        self.of.len() - 1
    }

    /// The group of a leaf; the number of groups for the number of leaves.
    ///
    /// # Panics
    /// If there is no such leaf.
    #[inline(always)]
    pub fn of(&self, leaf: usize) -> usize {
        self.of[leaf] as usize
    }

    /// The leaves of a group.
    ///
    /// # Panics
    /// If there is no such group.
    #[inline(always)]
    pub fn leaves(&self, group: usize) -> std::ops::Range<usize> {
        self.starts[group] as usize..self.starts[group + 1] as usize
    }

    /// The group that all of the leaves `lo..hi` belong to.
    #[inline(always)]
    pub(crate) fn holding(&self, lo: usize, hi: usize) -> Option<usize> {
        (self.of[lo] == self.of[hi - 1]).then_some(self.of[lo] as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused() {
        let tree = Tree::new(&[1; 1024]).unwrap();
        let starts = |step: u32| (0..1024 / step).map(|n| n * step).collect::<Vec<_>>();
        assert_eq!(Groups::new(&tree, &starts(256)).unwrap().len(), 4);
        assert_eq!(
            Groups::new(&tree, &starts(512)),
            Err(Error::Groups),
            "large"
        );
        assert_eq!(Groups::new(&tree, &[]), Err(Error::Groups));
        assert_eq!(Groups::new(&tree, &starts(256)[1..]), Err(Error::Groups));
        for wrong in [
            [0, 256, 256, 768],
            [0, 256, 768, 512],
            [0, 256, 512, 1024],
            [0, 128, 512, 768],
        ] {
            assert_eq!(Groups::new(&tree, &wrong), Err(Error::Groups), "{wrong:?}");
        }
        assert_eq!(
            Groups::new(&tree, &starts(1)).unwrap(),
            Groups::single(&tree)
        );
    }

    #[test]
    fn balanced_groups_are_subtrees_within_the_limit() {
        let counts: Vec<u32> = (0..1000u32)
            .map(|i| 1 + 100_000 / (1 + i * 617 % 1000))
            .collect();
        let tree = Tree::new(&counts).unwrap();
        for (number, limit) in [(1, 1000), (100, 32), (16, 16), (1000, 4), (5000, 64)] {
            let groups = Groups::balanced(&tree, &counts, number, limit);
            assert_eq!(
                Groups::new(&tree, &groups.starts[..groups.len()]).unwrap(),
                groups
            );
            assert!(groups.len() >= number.min(1000));
            assert!((0..groups.len()).all(|n| groups.leaves(n).len() <= limit));
        }
    }

    #[test]
    fn every_leaf_is_in_its_group() {
        let tree = Tree::new(&[9, 1, 1, 1, 30, 2, 2, 7]).unwrap();
        let groups = Groups::new(&tree, &[0, 1, 4, 5]).unwrap();
        assert_eq!(groups.leaf_count(), 8);
        for group in 0..groups.len() {
            assert!(groups.leaves(group).all(|leaf| groups.of(leaf) == group));
        }
        assert_eq!(groups.of(8), groups.len());
    }
}
