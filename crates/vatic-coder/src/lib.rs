//! Token tree, experts, mixer and range coder of the vatic compressor.
//!
//! A token is coded as a path of yes/no decisions from the root of a fixed binary [`Tree`] to its leaf. At each
//! decision a transformer's [`Weights`] (if there is one) and experts that learn from what was coded give their
//! probabilities, a mixer joins them, and constriction's range coder turns decision and probability into bits.
//! Everything is integer arithmetic, so every machine computes the same probabilities.
//!
//! ```
//! use std::sync::Arc;
//! use vatic_coder::{Decoder, Encoder, Model, Options, Tree, Vocabulary};
//!
//! let text = b"to be or not to be";
//! let (vocabulary, tree) = (Arc::new(Vocabulary::bytes()), Arc::new(Tree::bytes()));
//! let options = Options::default();
//!
//! let mut model = Model::new(&vocabulary, &tree, &options, 1, text.len() as u64)?;
//! let mut encoder = Encoder::new();
//! for &byte in text {
//!     model.encode(0, None, byte.into(), &mut encoder);
//! }
//! let coded = encoder.finish();
//!
//! let mut model = Model::new(&vocabulary, &tree, &options, 1, text.len() as u64)?;
//! let mut decoder = Decoder::new(&coded);
//! let decoded: Vec<u8> = text.iter().map(|_| model.decode(0, None, &mut decoder) as u8).collect();
//! assert_eq!(decoded, text);
//! # Ok::<(), vatic_coder::Error>(())
//! ```
#![deny(missing_docs)]

mod adaptive;
mod contexts;
mod error;
mod fields;
mod groups;
mod head;
#[cfg(test)]
#[path = "../../vatic/tests/common/hills.rs"]
mod hills;
mod histories;
mod history;
mod image;
mod jpeg;
mod kinds;
mod large;
mod layout;
mod leaps;
mod learner;
mod learnt;
mod logistic;
mod matching;
mod mixer;
mod mixing;
mod model;
mod options;
#[cfg(test)]
#[path = "../../vatic/tests/common/photo.rs"]
mod photo;
mod predictor;
mod prefetch;
mod prior;
mod range;
mod runs;
mod state;
mod table;
mod thorough;
mod tree;
mod vocabulary;
mod weights;

pub use error::Error;
pub use groups::{Groups, MAX_GROUP};
pub use jpeg::pictures;
pub use model::{MAX_STREAMS, Model, Report, Source};
pub use options::{Experts, Options};
pub use range::{BinaryCoder, Decoder, Encoder};
pub use tree::{MAX_DEPTH, Tree};
pub use vocabulary::Vocabulary;
pub use weights::{Sums, Weights};
