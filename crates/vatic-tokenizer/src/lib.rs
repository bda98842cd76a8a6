//! Byte-level byte-pair encoding: any bytes to tokens and back, in time linear in the input.
//!
//! A vocabulary is 256 single bytes and the merges learnt from a corpus, so every byte string has an encoding. Merging
//! follows Sennrich, Haddow & Birch, "Neural Machine Translation of Rare Words with Subword Units" (2016); the `bpe`
//! crate computes that exact encoding by backtracking over an automaton, without the quadratic cases of the textbook
//! algorithm, so a megabyte of one letter costs what a megabyte of prose costs.
//!
//! **Ids are ranks of the tokens' bytes**, not of the merges: token ids that are close start alike, which is what the
//! coder's token tree wants (its leaves, from left to right, are the ids).
//!
//! ```
//! use vatic_tokenizer::Tokenizer;
//!
//! let mut tokens: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
//! tokens.push(b"th".to_vec());
//! tokens.push(b"the".to_vec());
//! let tokenizer = Tokenizer::from_tokens(tokens)?;
//! let ids = tokenizer.encode(b"the moth");
//! assert_eq!(ids.len(), 5);
//! assert_eq!(tokenizer.decode(&ids), b"the moth");
//! # Ok::<(), vatic_tokenizer::Error>(())
//! ```

#![forbid(unsafe_code)]

mod merge;
mod vocabulary_file;

pub use vocabulary_file::{parse_vocabulary, render_vocabulary};

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use bpe::byte_pair_encoding::BytePairEncoding;

/// The most tokens a vocabulary may hold: ids are 16-bit.
pub const MAX_TOKENS: usize = 65_536;
/// The longest token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 255;

/// Texts up to this length are encoded by plain merging: making the automaton takes 20 ms, as long as that.
const SHORT: usize = 1 << 14;

/// What is wrong with a vocabulary.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The first 256 tokens are not the bytes 0 to 255 in order.
    #[error("the vocabulary does not begin with the 256 single bytes in order")]
    Bytes,
    /// Too few or too many tokens.
    #[error("the vocabulary has {0} tokens; from 256 to {MAX_TOKENS} are possible")]
    Size(usize),
    /// A token is empty, or longer than [`MAX_TOKEN_BYTES`].
    #[error("token {0} of the vocabulary has {1} bytes; from 1 to {MAX_TOKEN_BYTES} are possible")]
    Length(usize, usize),
    /// Two tokens have the same bytes.
    #[error("token {0} of the vocabulary stands in it twice")]
    Duplicate(usize),
    /// A token that no sequence of merges leads to.
    #[error("token {0} of the vocabulary is not what its own bytes are merged to")]
    Unreachable(usize),
    /// Tokens that the automaton for long texts would take for each other.
    #[error("the vocabulary has tokens that no hash tells apart")]
    Alike,
    /// A line of a vocabulary file that is not hexadecimal.
    #[error("line {0} of the vocabulary is not a token in hexadecimal")]
    Line(usize),
}

/// A vocabulary, ready to encode and decode.
pub struct Tokenizer {
    /// Made for the first long text.
    bpe: OnceLock<BytePairEncoding>,
    factor: u64,
    /// Merge rank to id.
    id_of_rank: Vec<u16>,
    rank_of_id: Vec<u16>,
    /// All tokens' bytes in id order, end to end; token `i` is `starts[i]..starts[i + 1]`.
    bytes: Vec<u8>,
    starts: Vec<u32>,
}

impl Tokenizer {
    /// Builds a tokenizer from its tokens in merge order: first the 256 bytes, then each merge.
    ///
    /// # Errors
    ///
    /// When the tokens are no byte-level BPE vocabulary: see [`Error`].
    pub fn from_tokens(tokens: Vec<Vec<u8>>) -> Result<Self, Error> {
        check(&tokens)?;
        Self::from_checked(tokens)
    }

    /// The same for tokens that [`from_tokens`](Self::from_tokens) is known to accept, four times as fast. Others may make
    /// [`encode`](Self::encode) panic, or give what it should not.
    ///
    /// # Errors
    ///
    /// [`Error::Alike`].
    pub fn from_checked(tokens: Vec<Vec<u8>>) -> Result<Self, Error> {
        let factor = hash_factor(&tokens).ok_or(Error::Alike)?;
        let mut by_bytes: Vec<usize> = (0..tokens.len()).collect();
        by_bytes.sort_unstable_by(|&a, &b| tokens[a].cmp(&tokens[b]));
        let mut id_of_rank = vec![0u16; tokens.len()];
        let rank_of_id = by_bytes.iter().map(|&rank| rank as u16).collect();
        let mut bytes = Vec::new();
        let mut starts = Vec::with_capacity(tokens.len() + 1);
        for (id, &rank) in by_bytes.iter().enumerate() {
            id_of_rank[rank] = id as u16;
            starts.push(bytes.len() as u32);
            bytes.extend_from_slice(&tokens[rank]);
        }
        starts.push(bytes.len() as u32);
        Ok(Self {
            bpe: OnceLock::new(),
            factor,
            id_of_rank,
            rank_of_id,
            bytes,
            starts,
        })
    }

    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.id_of_rank.len()
    }

    /// Never: a vocabulary holds the 256 bytes at least.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The bytes of token `id`.
    ///
    /// # Panics
    ///
    /// When `id` is not below [`len`](Self::len).
    pub fn token(&self, id: u16) -> &[u8] {
        let id = usize::from(id);
        &self.bytes[self.starts[id] as usize..self.starts[id + 1] as usize]
    }

    /// The one BPE encoding of `text`, as ids.
    pub fn encode(&self, text: &[u8]) -> Vec<u16> {
        if text.len() <= SHORT {
            return self.encode_short(text);
        }
        let bpe = self.bpe.get_or_init(|| {
            let by_rank = self.id_of_rank.iter().map(|&id| self.token(id).to_vec());
            BytePairEncoding::from_dictionary(by_rank, Some(self.factor))
        });
        bpe.encode_via_backtracking(text)
            .into_iter()
            .map(|rank| self.id_of_rank[rank as usize])
            .collect()
    }

    fn encode_short(&self, text: &[u8]) -> Vec<u16> {
        let rank = |bytes: &[u8]| self.find(bytes).map(|id| self.rank_of_id[usize::from(id)]);
        merge::parts(text, rank)
            .into_iter()
            // Each part is a byte or the result of a merge: a token.
            .filter_map(|part| self.find(part))
            .collect()
    }

    /// The id of the token with these bytes. Ids are in the order of bytes.
    fn find(&self, bytes: &[u8]) -> Option<u16> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.token(middle as u16).cmp(bytes) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle as u16),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The bytes that `ids` stand for. Any sequence of ids is valid, whether `encode` would give it or not.
    ///
    /// # Panics
    ///
    /// When an id is not below [`len`](Self::len).
    pub fn decode(&self, ids: &[u16]) -> Vec<u8> {
        let mut text = Vec::with_capacity(ids.len() * 4);
        for &id in ids {
            text.extend_from_slice(self.token(id));
        }
        text
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer")
            .field("tokens", &self.len())
            .finish_non_exhaustive()
    }
}

/// The `bpe` crate takes a well-formed dictionary for granted: a bad one must not reach it.
fn check(tokens: &[Vec<u8>]) -> Result<(), Error> {
    if !(256..=MAX_TOKENS).contains(&tokens.len()) {
        return Err(Error::Size(tokens.len()));
    }
    if (0..256).any(|byte| tokens[byte] != [byte as u8]) {
        return Err(Error::Bytes);
    }
    let mut ranks = HashMap::with_capacity(tokens.len());
    for (rank, token) in tokens.iter().enumerate() {
        if !(1..=MAX_TOKEN_BYTES).contains(&token.len()) {
            return Err(Error::Length(rank, token.len()));
        }
        if ranks.insert(&token[..], rank as u16).is_some() {
            return Err(Error::Duplicate(rank));
        }
    }
    for (rank, token) in tokens.iter().enumerate() {
        if merge::parts(token, |bytes| ranks.get(bytes).copied()).len() != 1 {
            return Err(Error::Unreachable(rank));
        }
    }
    Ok(())
}

/// A factor by which the `bpe` crate's hashes of all tokens become different, as it takes for granted. Which one it is changes no result.
fn hash_factor(tokens: &[Vec<u8>]) -> Option<u64> {
    let hashes: Vec<u64> = tokens.iter().map(|token| fnv(token)).collect();
    let tells_apart = |&factor: &u64| {
        let all = hashes.iter().map(|hash| hash.wrapping_mul(factor) >> 32);
        all.collect::<HashSet<u64>>().len() == hashes.len()
    };
    // Of 65,536 tokens two have the same 32 bits with every second factor.
    let factors = (0..64).map(|n| 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(n) | 1);
    factors.into_iter().find(tells_apart)
}

/// FNV-1a (Fowler, Noll & Vo) with 64 bits of a token's length and bytes, as the `bpe` crate computes it.
fn fnv(token: &[u8]) -> u64 {
    let length = (token.len() as u64).to_le_bytes();
    (length.iter().chain(token)).fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The shipped vocabulary over the way of long texts, whatever the length.
    fn long(tokenizer: &Tokenizer, text: &[u8]) -> Vec<u16> {
        let padded = [text, &vec![0; SHORT]].concat();
        let mut ids = tokenizer.encode(&padded);
        ids.truncate(ids.len() - SHORT);
        ids
    }

    proptest! {
        #[test]
        fn short_texts_and_long_ones_are_encoded_alike(
            text in prop_oneof![
                prop::collection::vec(any::<u8>(), 1..300),
                "[ a-e]{1,300}".prop_map(String::into_bytes),
                "(the |and |ing|of|\\n|aaaa|1990|, ){1,60}".prop_map(String::into_bytes),
            ]
        ) {
            static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
            let tokenizer = TOKENIZER.get_or_init(|| {
                let tokens = parse_vocabulary(include_str!("../../../models/vocabulary.tsv")).unwrap();
                Tokenizer::from_tokens(tokens).unwrap()
            });
            // The byte 0 is never merged with anything, so padding with it changes nothing before it.
            prop_assert_eq!(tokenizer.encode(&text), long(tokenizer, &text));
        }
    }
}
