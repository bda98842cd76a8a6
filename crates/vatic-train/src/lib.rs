//! Training of vatic's transformer with [burn](https://burn.dev): the model, its training and evaluation, quantisation
//! and export.
//!
//! burn is used for what floating point is good for; what a file is decoded with is the integer runtime in
//! `vatic-transformer`, which reads the files that [`export()`] writes. The float model here is the reference that the
//! runtime is compared with, and computes what the PyTorch scripts in `training/` compute.
//!
//! ```no_run
//! use std::path::Path;
//! use vatic_train::{Vocabulary, Weights, export};
//!
//! let vocabulary = Vocabulary::read(Path::new("models/vocabulary.tsv"))?;
//! let weights = Weights::read(Path::new("run/float.safetensors"))?;
//! export(&weights, &vocabulary, Path::new("model.safetensors"))?;
//! # Ok::<(), vatic_train::Error>(())
//! ```

#[cfg(not(any(feature = "flex", feature = "ndarray")))]
compile_error!("vatic-train needs a backend: build it with the feature `flex` or `ndarray`");

mod attention;
mod backend;
mod config;
mod data;
mod encode;
mod error;
mod evaluate;
mod export;
mod fine_tune;
mod groups;
mod quantise;
mod run;
mod runtime;
mod schedule;
mod trainer;
mod transformer;
mod vocabulary;
mod weights;

pub use backend::Backend;
pub use config::{Recipe, Settings, parameters, rope_frequencies, tensors};
pub use data::{Batch, Sampler, domains, read_tokens, write_tokens};
pub use encode::{Encoded, encode};
pub use error::Error;
pub use evaluate::{Rows, float_bits_per_byte};
pub use export::{export, quantise};
pub use fine_tune::{FineTune, Tuned, fine_tune};
pub use groups::{TokenGroups, token_counts};
pub use quantise::{ACTIVATION_LEVELS, WEIGHT_LEVELS};
pub use run::{Run, StepReport, Watch, train};
pub use runtime::runtime_bits_per_byte;
pub use schedule::{Budget, Pace};
pub use trainer::{Progress, Trainer};
pub use transformer::Transformer;
pub use vocabulary::Vocabulary;
pub use weights::{FloatTensor, Weights};
