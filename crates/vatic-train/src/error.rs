//! What can go wrong: each message names the file and what is wrong with it.

use std::{
    io,
    path::{Path, PathBuf},
};

/// An error of training, evaluation or export.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file was read but does not hold what it should.
    #[error("{}: {reason}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A configuration that no model can be built from.
    #[error("the configuration cannot be used: {0}")]
    Config(String),
    /// Weights that do not fit the configuration.
    #[error("the weights do not fit the configuration: {0}")]
    Weights(String),
    /// The loss is no number any more: training has diverged.
    #[error(
        "the loss is {loss} at step {step}: training has diverged; lower the learning rates in the configuration"
    )]
    Diverged {
        /// The step at which it was seen.
        step: u64,
        /// The loss.
        loss: f64,
    },
    /// burn could not serve the request.
    #[error("burn: {0}")]
    Burn(String),
    /// The integer runtime refuses the model or the tokens.
    #[error("the integer runtime: {0}")]
    Runtime(String),
}

impl Error {
    /// For `map_err` on file operations.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io {
            path: path.to_path_buf(),
            error,
        }
    }

    /// A file that does not hold what it should.
    pub(crate) fn file(path: &Path, reason: impl ToString) -> Self {
        Self::File {
            path: path.to_path_buf(),
            reason: reason.to_string(),
        }
    }
}
