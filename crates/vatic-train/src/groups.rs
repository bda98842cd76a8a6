//! The token tree and its groups of tokens: what the model's output in two levels is divided by.

use std::path::Path;

use indexmap::IndexMap;
use vatic_coder::{Groups, Tree};

use crate::{Error, data};

/// Tokens of the largest group that is made; `training/groups.py` has the same.
const LARGEST: usize = 32;
/// Total of the counts that shape the token tree, about.
const TREE_TOTAL: f64 = 1e7;

/// How often each token occurs, which shapes the token tree, and the groups of neighbouring tokens that the model's head
/// predicts first, each a subtree of it (Goodman, "Classes for fast maximum entropy training", 2001).
///
/// Both are made once, from the text that a new model is trained on, and stay: training changes weights alone.
///
/// ```
/// use vatic_train::TokenGroups;
///
/// let groups = TokenGroups::balanced(vec![50, 1, 1, 1, 1, 40, 3, 3], 4)?;
/// assert_eq!(groups.starts(), [0, 1, 5, 6]);
/// assert_eq!((groups.of(3), groups.largest()), (1, 4));
/// # Ok::<(), vatic_train::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenGroups {
    counts: Vec<u32>,
    groups: Groups,
}

impl TokenGroups {
    /// `number` groups of at most 32 tokens that occur about equally often; `counts` tell by id how often each token
    /// occurs, at least once.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when so few groups would have more tokens each, or there are fewer tokens than groups;
    /// [`Error::Weights`] when the counts make no tree.
    pub fn balanced(counts: Vec<u32>, number: usize) -> Result<Self, Error> {
        let groups = Groups::balanced(&tree(&counts)?, &counts, number, LARGEST);
        if groups.len() == number {
            return Ok(Self { counts, groups });
        }
        Err(Error::Config(format!(
            "it asks for {number} groups of tokens, but {} tokens in groups of at most {LARGEST} make {}",
            counts.len(),
            groups.len()
        )))
    }

    /// The groups that begin at the ids `starts` in the tree of `counts`.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] when the counts make no tree, or the groups are no subtrees of it.
    pub fn new(counts: Vec<u32>, starts: &[u32]) -> Result<Self, Error> {
        let groups = Groups::new(&tree(&counts)?, starts)
            .map_err(|e| Error::Weights(format!("head.starts: {e}")))?;
        Ok(Self { counts, groups })
    }

    /// How often each token occurs, by id.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Number of groups.
    pub(crate) fn number(&self) -> usize {
        self.groups.len()
    }

    /// The first id of each group.
    pub fn starts(&self) -> Vec<u32> {
        (0..self.number())
            .map(|group| self.groups.leaves(group).start as u32)
            .collect()
    }

    /// Number of tokens of the largest group.
    pub fn largest(&self) -> usize {
        (0..self.number())
            .map(|group| self.tokens(group).len())
            .max()
            .unwrap_or(0)
    }

    /// The group of a token.
    ///
    /// # Panics
    ///
    /// When there is no such token.
    pub fn of(&self, token: u16) -> usize {
        assert!(usize::from(token) < self.counts.len(), "no token {token}");
        self.groups.of(usize::from(token))
    }

    /// The ids of a group's tokens.
    ///
    /// # Panics
    ///
    /// When there is no such group.
    pub fn tokens(&self, group: usize) -> std::ops::Range<usize> {
        self.groups.leaves(group)
    }
}

fn tree(counts: &[u32]) -> Result<Tree, Error> {
    // The runtime refuses such a file, too: every token counts at least 1.
    if counts.contains(&0) {
        return Err(Error::Weights("tree.counts holds a 0".into()));
    }
    Tree::new(counts).map_err(|e| Error::Weights(format!("tree.counts: {e}")))
}

/// How often each token occurs in ten million tokens of the domain mix, at least once.
///
/// # Errors
///
/// When a domain's token file in `folder` cannot be read, is empty, or holds other tokens.
pub fn token_counts(
    folder: &Path,
    domains: &IndexMap<String, f64>,
    vocab: usize,
) -> Result<Vec<u32>, Error> {
    let mut mix = vec![0.0f64; vocab];
    for (domain, weight) in domains {
        let path = folder.join(format!("{domain}.bin"));
        let ids = data::read_tokens(&path, usize::MAX / 2, vocab)?;
        if ids.is_empty() {
            return Err(Error::file(&path, "there are no tokens in it"));
        }
        let mut counts = vec![0u64; vocab];
        ids.iter().for_each(|id| counts[usize::from(*id)] += 1);
        let each = weight / ids.len() as f64;
        mix.iter_mut()
            .zip(counts)
            .for_each(|(sum, count)| *sum += count as f64 * each);
    }
    let total: f64 = mix.iter().sum();
    Ok(mix
        .iter()
        .map(|part| ((part * TREE_TOTAL / total).round_ties_even() as u32).max(1))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_the_limit_or_the_tokens_do_not_allow_are_refused() {
        let counts = vec![1; 320];
        assert_eq!(
            TokenGroups::balanced(counts.clone(), 16).unwrap().largest(),
            20
        );
        for number in [1, 8, 321] {
            let refused = TokenGroups::balanced(counts.clone(), number).unwrap_err();
            assert!(matches!(refused, Error::Config(_)), "{number}: {refused}");
        }
    }

    #[test]
    fn nonsense_in_a_file_is_refused() {
        let halves = |counts: Vec<u32>, starts: &[u32]| TokenGroups::new(counts, starts);
        assert!(halves(vec![1; 320], &[0, 160]).is_ok());
        for (counts, starts) in [
            (vec![1; 320], &[0, 100][..]),
            (vec![1; 320], &[1, 160]),
            (vec![1; 320], &[]),
            (vec![], &[0]),
            ([vec![0], vec![1; 319]].concat(), &[0, 160]),
        ] {
            let refused = halves(counts, starts).unwrap_err();
            assert!(
                matches!(refused, Error::Weights(_)),
                "{starts:?}: {refused}"
            );
        }
    }
}
