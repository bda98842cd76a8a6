//! The bytes behind each leaf of the token tree.

use crate::Error;

/// The tokens of a tree, by id: what bytes each stands for. Contexts of bytes, words and columns need them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    single: bool,
}

impl Vocabulary {
    /// A vocabulary from the bytes of its tokens in the order of their ids.
    ///
    /// # Errors
    /// [`Error::Leaves`] unless there are 1 to 65,536 tokens, [`Error::EmptyToken`] if one has no bytes.
    pub fn from_tokens<T: AsRef<[u8]>>(tokens: &[T]) -> Result<Vocabulary, Error> {
        if tokens.is_empty() || tokens.len() > 1 << 16 {
            return Err(Error::Leaves(tokens.len()));
        }
        let mut vocabulary = Vocabulary {
            bytes: Vec::new(),
            ends: Vec::with_capacity(tokens.len()),
            single: false,
        };
        for (id, token) in tokens.iter().enumerate() {
            if token.as_ref().is_empty() {
                return Err(Error::EmptyToken(id));
            }
            vocabulary.bytes.extend_from_slice(token.as_ref());
            vocabulary.ends.push(vocabulary.bytes.len() as u32);
        }
        Ok(vocabulary)
    }

    /// The 256 single bytes, id = value, for coding without a transformer: experts for bytes take part, and what is foretold is not
    /// looked at by them.
    pub fn bytes() -> Vocabulary {
        Vocabulary {
            bytes: (0..=255).collect(),
            ends: (1..=256).collect(),
            single: true,
        }
    }

    /// Number of tokens.
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of a token; none for an id beyond the last.
    #[inline]
    pub fn token(&self, id: u16) -> &[u8] {
        let id = usize::from(id);
        if id >= self.ends.len() {
            return &[];
        }
        let start = if id == 0 {
            0
        } else {
            self.ends[id - 1] as usize
        };
        &self.bytes[start..self.ends[id] as usize]
    }

    /// Whether it is that of single bytes: contexts of tokens are contexts of bytes then.
    #[inline]
    pub(crate) fn is_single_bytes(&self) -> bool {
        self.single
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back() {
        let vocabulary = Vocabulary::from_tokens(&["a", "the", " of"]).unwrap();
        assert_eq!(
            (vocabulary.len(), vocabulary.token(1), vocabulary.token(3)),
            (3, &b"the"[..], &b""[..])
        );
        assert!(!vocabulary.is_single_bytes());
        // The same tokens, but not the same contexts.
        let bytes: Vec<[u8; 1]> = (0..=255).map(|b| [b]).collect();
        let tokens = Vocabulary::from_tokens(&bytes).unwrap();
        assert_eq!(tokens.token(77), Vocabulary::bytes().token(77));
        assert!(!tokens.is_single_bytes() && Vocabulary::bytes().is_single_bytes());
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(
            Vocabulary::from_tokens(&["a", ""]),
            Err(Error::EmptyToken(1))
        );
        assert_eq!(Vocabulary::from_tokens::<&str>(&[]), Err(Error::Leaves(0)));
    }
}
