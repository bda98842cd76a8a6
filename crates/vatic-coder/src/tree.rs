//! The token tree: a fixed binary tree whose leaves, left to right, are the token ids.

use crate::Error;

/// Levels that no path exceeds, however uneven the counts are.
pub const MAX_DEPTH: usize = 24;

/// A binary tree over the leaves `0..n`. A node is an interval of ids `lo..hi` with a split point `mid`: the left child is
/// `lo..mid`, the right one `mid..hi`. Split points halve the counts as evenly as they can (Walker and Gottlieb's
/// rule of thumb for near-optimal alphabetic trees, 1972), so that a token takes about as many decisions as it has bits of
/// self-information, and never more than 24.
///
/// No two nodes share a split point, so `mid` is the node's name too.
///
/// ```
/// let tree = vatic_coder::Tree::new(&[8, 1, 1, 4])?;
/// assert_eq!(tree.len(), 4);
/// assert_eq!(tree.depth_of(0), 1); // frequent tokens sit near the root
/// assert_eq!(tree.depth_of(1), 3);
/// # Ok::<(), vatic_coder::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// By split point: split points of the left and the right child, 0 where the child is a leaf.
    children: Vec<[u16; 2]>,
    root: u16,
}

impl Tree {
    /// The tree for tokens that occur `counts[id]` times. Zero counts are treated as a small count.
    ///
    /// # Errors
    /// [`Error::Leaves`] unless there are 1 to 65,536 counts.
    pub fn new(counts: &[u32]) -> Result<Tree, Error> {
        let n = counts.len();
        if n == 0 || n > 1 << 16 {
            return Err(Error::Leaves(n));
        }
        let mut sums = Vec::with_capacity(n + 1);
        let mut sum = 0u64;
        sums.push(sum);
        for &count in counts {
            // Scaled so that a zero count can weigh less than an occurrence, yet is split evenly among its like.
            sum += u64::from(count) * 16 + 1;
            sums.push(sum);
        }
        let mut tree = Tree {
            children: vec![[0; 2]; n],
            root: 0,
        };
        tree.root = tree.split(&sums, 0, n, MAX_DEPTH);
        Ok(tree)
    }

    /// The balanced tree over the 256 bytes: eight decisions, most significant bit first.
    pub fn bytes() -> Tree {
        let mut tree = Tree {
            children: vec![[0; 2]; 256],
            root: 0,
        };
        let sums: Vec<u64> = (0..=256).collect();
        tree.root = tree.split(&sums, 0, 256, 8);
        tree
    }

    /// Builds the subtree over `lo..hi` and returns its split point (0 for a leaf).
    fn split(&mut self, sums: &[u64], lo: usize, hi: usize, levels: usize) -> u16 {
        let len = hi - lo;
        if len < 2 {
            return 0;
        }
        // What either side may hold at most if the levels left are to suffice.
        let room = if levels > 16 { len } else { 1 << (levels - 1) };
        let half = (sums[lo] + sums[hi]) / 2;
        let above = sums[lo..=hi].partition_point(|&sum| sum < half) + lo;
        let mut mid = above;
        if mid > lo && half - sums[mid - 1] <= sums[mid].saturating_sub(half) {
            mid -= 1;
        }
        let mid = mid.clamp(
            (lo + 1).max(hi.saturating_sub(room)),
            (hi - 1).min(lo.saturating_add(room)),
        );
        self.children[mid] = [
            self.split(sums, lo, mid, levels - 1),
            self.split(sums, mid, hi, levels - 1),
        ];
        mid as u16
    }

    /// Number of leaves.
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.children.len()
    }

    /// Decisions on the path to a leaf. 0 for an id beyond the last leaf.
    pub fn depth_of(&self, id: u16) -> usize {
        let mut depth = 0;
        let mut node = self.root();
        while node != 0 {
            node = self.child(node, id >= node);
            depth += 1;
        }
        depth
    }

    /// Split point of the root, 0 if the tree is a single leaf.
    #[inline(always)]
    pub(crate) fn root(&self) -> u16 {
        self.root
    }

    /// Split point of a child of the node with split point `mid`, 0 if that child is a leaf.
    #[inline(always)]
    pub(crate) fn child(&self, mid: u16, right: bool) -> u16 {
        self.children[usize::from(mid)][usize::from(right)]
    }

    /// Both children, as [`child`](Self::child) gives them.
    #[inline(always)]
    pub(crate) fn children(&self, mid: u16) -> [u16; 2] {
        self.children[usize::from(mid)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn byte_tree_has_eight_levels() {
        let tree = Tree::bytes();
        assert!((0..=255).all(|id| tree.depth_of(id) == 8));
    }

    #[test]
    fn sizes_are_checked() {
        assert_eq!(Tree::new(&[]), Err(Error::Leaves(0)));
        assert_eq!(Tree::new(&vec![1; 65537]), Err(Error::Leaves(65537)));
        assert_eq!(Tree::new(&[3]).unwrap().depth_of(0), 0);
        let levels = if cfg!(miri) { 9 } else { 16 };
        let flat = Tree::new(&vec![1; 1 << levels]).unwrap();
        assert!((0..1 << levels).all(|id| flat.depth_of(id as u16) == levels));
    }

    #[test]
    fn mean_depth_is_near_the_entropy() {
        // Zipf's law, shuffled so that neighbours differ.
        let counts: Vec<u32> = (0..8192u32)
            .map(|i| 1_000_000 / (1 + (i * 2503) % 8192))
            .collect();
        let tree = Tree::new(&counts).unwrap();
        let total: f64 = counts.iter().map(|&c| f64::from(c)).sum();
        let mut entropy = 0.0;
        let mut depth = 0.0;
        for (id, &count) in counts.iter().enumerate() {
            let p = f64::from(count) / total;
            entropy -= p * p.log2();
            depth += p * tree.depth_of(id as u16) as f64;
        }
        assert!(depth < entropy + 1.0, "depth {depth}, entropy {entropy}");
    }

    proptest! {
        #[test]
        fn every_leaf_is_reached_within_the_limit(counts in prop::collection::vec(
            prop_oneof![Just(0u32), 0..10u32, any::<u32>(), Just(u32::MAX)], 1..if cfg!(miri) { 100 } else { 3000 })) {
            let tree = Tree::new(&counts).unwrap();
            let mut reached = vec![false; counts.len()];
            // Walk all paths by intervals and see that the split points tell the same story.
            let mut open = vec![(tree.root(), 0usize, counts.len(), 0usize)];
            while let Some((mid, lo, hi, depth)) = open.pop() {
                prop_assert!(depth <= MAX_DEPTH);
                if mid == 0 {
                    prop_assert_eq!(hi - lo, 1);
                    reached[lo] = true;
                } else {
                    prop_assert!(lo < mid as usize && (mid as usize) < hi);
                    open.push((tree.child(mid, false), lo, mid as usize, depth + 1));
                    open.push((tree.child(mid, true), mid as usize, hi, depth + 1));
                }
            }
            prop_assert!(reached.iter().all(|&r| r));
        }

        #[test]
        fn exponential_counts_stay_within_the_limit(n in 1usize..2000, shift in 0u32..31) {
            let counts: Vec<u32> = (0..n).map(|i| 1u32 << (i as u32 % (shift + 1))).collect();
            let tree = Tree::new(&counts).unwrap();
            for id in 0..n {
                prop_assert!(tree.depth_of(id as u16) <= MAX_DEPTH);
            }
        }
    }
}
