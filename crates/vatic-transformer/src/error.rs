use std::fmt::Display;

/// What can be wrong with a model file or a call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a safetensors file.
    #[error("this is not a model file in the safetensors format: {0}")]
    Format(String),
    /// The file carries no description of a vatic model, or one that cannot be read.
    #[error("the model file's description (metadata entry \"vatic\") is {0}")]
    Metadata(String),
    /// The file is of a format that this version does not know.
    #[error(
        "the model file has format {found}, and this version reads format {known}; a newer version of vatic is needed"
    )]
    Version {
        /// The file's format.
        found: u32,
        /// The format that this version reads.
        known: u32,
    },
    /// A field of the description is out of its range.
    #[error("the model's {field} is {value}; it must be {rule}")]
    Config {
        /// The field's name.
        field: &'static str,
        /// The value found.
        value: String,
        /// What it has to be.
        rule: &'static str,
    },
    /// A tensor is missing, has a wrong type or shape, or holds values that no model can have.
    #[error("the model file's tensor {name} {problem}")]
    Tensor {
        /// The tensor's name.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A token id is not one of the model's.
    #[error("token {token} does not exist: the model has {vocab} tokens")]
    Token {
        /// The token asked for.
        token: u16,
        /// The number of tokens of the model.
        vocab: usize,
    },
    /// A session was asked for more than it was made for.
    #[error("the session cannot take these rows: {0}")]
    Rows(&'static str),
    /// Another session of a team has ended, so that this one cannot go on.
    #[error("another session of the team has ended")]
    Team,
    /// The environment asks for a kernel that does not exist or that this CPU cannot run.
    #[error(
        "VATIC_KERNEL asks for {asked:?}, but this CPU runs only {available}; unset it or choose one of these"
    )]
    Kernel {
        /// The kernel's name as asked for.
        asked: String,
        /// The names of the kernels that this CPU runs.
        available: String,
    },
}

impl Error {
    pub(crate) fn config(field: &'static str, value: impl Display, rule: &'static str) -> Error {
        Error::Config {
            field,
            value: value.to_string(),
            rule,
        }
    }

    pub(crate) fn tensor(name: impl Into<String>, problem: impl Into<String>) -> Error {
        Error::Tensor {
            name: name.into(),
            problem: problem.into(),
        }
    }
}
