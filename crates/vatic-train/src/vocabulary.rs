//! The vocabulary, from its text form or from a model file.

use std::{fs, path::Path};

use vatic_tokenizer::{Tokenizer, parse_vocabulary};
use vatic_transformer::ModelFile;

use crate::Error;

/// The tokens of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    tokens: Vec<Vec<u8>>,
}

impl Vocabulary {
    /// Reads a vocabulary's text form (`.tsv`), or the vocabulary in a model file (`.safetensors`).
    ///
    /// # Errors
    ///
    /// When the file cannot be read or holds no vocabulary.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = fs::read(path).map_err(Error::io(path))?;
        let tokens = if path
            .extension()
            .is_some_and(|extension| extension == "safetensors")
        {
            ModelFile::from_bytes(&bytes)
                .map_err(|e| Error::file(path, e))?
                .tokens
        } else {
            let text = std::str::from_utf8(&bytes).map_err(|e| Error::file(path, e))?;
            parse_vocabulary(text).map_err(|e| Error::file(path, e))?
        };
        let vocabulary = Self { tokens };
        vocabulary.tokenizer().map_err(|e| Error::file(path, e))?;
        Ok(vocabulary)
    }

    /// The tokens in merge order.
    pub fn tokens(&self) -> &[Vec<u8>] {
        &self.tokens
    }

    /// Bytes of each token, by id.
    pub fn lengths(&self) -> Vec<u8> {
        let mut sorted: Vec<&Vec<u8>> = self.tokens.iter().collect();
        sorted.sort_unstable();
        sorted.iter().map(|token| token.len() as u8).collect()
    }

    /// The tokenizer of this vocabulary.
    ///
    /// # Errors
    ///
    /// When the tokens are no byte-level BPE vocabulary.
    pub fn tokenizer(&self) -> Result<Tokenizer, vatic_tokenizer::Error> {
        Tokenizer::from_tokens(self.tokens.clone())
    }
}
