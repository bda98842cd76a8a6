//! What can go wrong, as sentences.

use std::io;

use crate::model::{ModelId, ModelRef};
use crate::prior::PriorId;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the library. Each message is a sentence without the file's name (the caller knows it) that says what is
/// wrong and, where something can be done, what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data does not begin with vatic's magic number.
    #[error("this is not vatic data (it does not begin with vatic's magic number)")]
    NotVatic,
    /// A whole member was decoded, and something that is no member follows it.
    #[error(
        "the data ends properly and is followed by {found} byte(s) or more that are no vatic data; cut them off to decode the rest"
    )]
    TrailingGarbage {
        /// How many bytes were looked at.
        found: usize,
    },
    /// The data was written in a version of the format that this program does not read.
    #[error(
        "the data is in version {found} of vatic's format and this program reads version {}; use {} vatic",
        crate::FORMAT_VERSION,
        if *found < crate::FORMAT_VERSION { "an older" } else { "a newer" }
    )]
    Version {
        /// The version that the data names.
        found: u8,
    },
    /// The data ends before its last frame does.
    #[error(
        "the data is cut off: it ends in the middle of a frame or before the last one; get a whole copy of it"
    )]
    Truncated,
    /// What a frame decoded to is not what went in.
    #[error(
        "frame {frame} is damaged: its content does not have the checksum that was written with it"
    )]
    Checksum {
        /// The number of the frame, counted from 0 over all members.
        frame: u64,
    },
    /// A header or payload says something that cannot be.
    #[error("the data is damaged: {what}")]
    Corrupt {
        /// What is impossible about it.
        what: String,
    },
    /// The data uses a part of the format that this program does not know.
    #[error("the data uses {what}, which this program does not know; use a newer vatic")]
    Unsupported {
        /// The unknown part.
        what: String,
    },
    /// The data was made with a model that is not at hand.
    #[error(
        "the data was made by model {needs}; this program has {has}; give that model's file to decode it"
    )]
    UnknownModel {
        /// The model that the data names.
        needs: ModelRef,
        /// The models at hand, as a list for people.
        has: String,
    },
    /// The data was made with a prior that is not at hand.
    #[error("the data was made with prior {needs}; {has}; give that prior to decode it")]
    UnknownPrior {
        /// The prior that the data names.
        needs: PriorId,
        /// What was given instead.
        has: String,
    },
    /// Decoding would need more memory than the caller allows.
    #[error(
        "decoding needs {needs} bytes of memory and {allowed} are allowed; allow more to decode it"
    )]
    TooLarge {
        /// Bytes that the frame's header asks for.
        needs: u64,
        /// The limit that was set.
        allowed: u64,
    },
    /// A setting outside its range.
    #[error("{what}")]
    Setting {
        /// Which setting, what it is and what it may be.
        what: String,
    },
    /// A message is longer than the caller allows.
    #[error("the message says that it is {says} bytes long and at most {allowed} are allowed")]
    MessageTooLong {
        /// The length that the message claims.
        says: u64,
        /// The limit that was set.
        allowed: u64,
    },
    /// A model file that cannot be used.
    #[error("the model cannot be used: {0}")]
    Model(String),
    /// A prior was learnt with another model.
    #[error(
        "the prior was learnt with the model {needs}, and this is for the model {has}; take the prior's model (`--model` in the command) or another prior"
    )]
    OtherModel {
        /// The identity asked for.
        needs: ModelId,
        /// The identity at hand.
        has: ModelId,
    },
    /// A prior that cannot be used.
    #[error("the prior cannot be used: {0}")]
    Prior(String),
    /// What was compressed did not come back the same when it was decoded for a check.
    #[error(
        "frame {frame} did not decode to what went in; nothing that was written can be trusted: please report this as a bug in vatic, or test this machine's memory"
    )]
    Verification {
        /// The number of the frame, counted from 0.
        frame: u64,
    },
    /// What came before in the content cannot be kept in a temporary file, and something is to be copied from it.
    #[error(
        "what was decoded before is needed again and cannot be kept in a temporary file ({0}); make room for one, or name a directory with room in TMPDIR"
    )]
    Past(#[source] io::Error),
    /// Reading the input failed.
    #[error("reading failed: {0}")]
    Read(#[source] io::Error),
    /// Writing the output failed.
    #[error("writing failed: {0}")]
    Write(#[source] io::Error),
}

impl Error {
    pub(crate) fn corrupt(what: impl Into<String>) -> Error {
        Error::Corrupt { what: what.into() }
    }

    pub(crate) fn setting(what: impl Into<String>) -> Error {
        Error::Setting { what: what.into() }
    }

    /// A failure of the reader underneath, with "it ended" told apart from "it broke".
    pub(crate) fn reading(error: io::Error) -> Error {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Error::Truncated
        } else {
            Error::Read(error)
        }
    }
}

/// How the adaptors, which must speak [`io::Error`], carry an [`Error`]: `get_ref` and `downcast_ref` give it back. A
/// failure of the reader or writer underneath comes through as it was.
impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        match error {
            Error::Read(error) | Error::Write(error) => error,
            Error::Truncated => io::Error::new(io::ErrorKind::UnexpectedEof, error),
            Error::Setting { .. } => io::Error::new(io::ErrorKind::InvalidInput, error),
            error => io::Error::new(io::ErrorKind::InvalidData, error),
        }
    }
}
