//! What can be wrong with the parts that a coder is built from.

/// Errors of this crate. Coding itself has none: any bits decode to some tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A token tree was asked for with no leaves or with more than 65,536.
    #[error("a token tree needs between 1 and 65536 leaves, but {0} were given")]
    Leaves(usize),
    /// A vocabulary has a token without bytes.
    #[error("token {0} of the vocabulary has no bytes")]
    EmptyToken(usize),
    /// Vocabulary and tree do not belong together.
    #[error("the vocabulary has {tokens} tokens, but the token tree has {leaves} leaves")]
    Mismatch {
        /// Tokens in the vocabulary.
        tokens: usize,
        /// Leaves of the tree.
        leaves: usize,
    },
    /// Groups of leaves that are no subtrees of the token tree.
    #[error(
        "the groups of tokens do not fit the token tree: each has to be a subtree of at most {max} tokens",
        max = crate::MAX_GROUP
    )]
    Groups,
    /// A model with no streams, or with more than [`MAX_STREAMS`](crate::MAX_STREAMS).
    #[error("a frame has between 1 and {max} streams, but {0} were asked for", max = crate::MAX_STREAMS)]
    Streams(usize),
    /// The saved state of a model cannot be used.
    #[error("the learnt state cannot be used: {0}")]
    Prior(&'static str),
}
