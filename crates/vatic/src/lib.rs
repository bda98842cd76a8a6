//! Lossless compression of text by prediction: a small transformer foretells the next token, experts that learn while they
//! code correct it, and a range coder turns what was foretold into few bits.
//!
//! ```
//! let text = "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of a wife.";
//! let packed = vatic::compress(text.as_bytes(), &vatic::Options::new())?;
//! assert_eq!(vatic::decompress(&packed)?, text.as_bytes());
//! # Ok::<(), vatic::Error>(())
//! ```
//!
//! # Which part to use
//!
//! | you have | use |
//! |---|---|
//! | all of it in memory | [`compress`], [`decompress`] |
//! | many small ones | [`compress_many`], [`decompress_many`] |
//! | many, one after the other | [`compress_each`], [`decompress_each`] |
//! | something to read from | [`read::Encoder`], [`read::Decoder`], or those of [`bufread`] |
//! | something to write to | [`write::Encoder`], [`write::Decoder`] |
//! | both, and a progress bar | [`copy_compress`], [`copy_decompress`] |
//! | a part of a large file to look at | [`decompress_range`] |
//! | thousands of records of one kind | [`Prior::learn`], then [`Options::prior`] |
//! | what each part of a text costs, and why | [`explain`] |
//! | short messages over a thin link | [`message`], which never grow by more than one byte |
//!
//! # What holds
//!
//! - The same bytes come out on every machine, with every number of threads, and decode on every machine.
//! - Any bytes can be compressed. What nothing makes smaller is stored, at 16 bytes more at most in one frame.
//! - No input makes the decoder panic; memory stays within [`DecodeOptions::max_memory`]; data that was damaged is an
//!   [`Error`] or gives what went in, never another content (the 32-bit checksum of each frame misses one damage in four thousand millions).
//! - Frames that do not keep all threads busy are coded side by side by what has all of the data at hand: [`compress`], [`decompress`],
//!   [`copy_compress`], [`decompress_range`], and [`copy_decompress`] with [`DecodeOptions::read_ahead`]. Adaptors code one frame after the other.
//! - Where the system has fewer threads to give than were asked for, those there are do the work, the calling one alone if need be.
//! - What a function or an adaptor gives has been checked, but for [`DecodeOptions::at_once`].
//! - Adaptors work with flat memory on streams of any length. All types are [`Send`]; there is no global state.

#![forbid(unsafe_code)]

mod anatomy;
mod codec;
mod copy;
mod each;
mod error;
mod explain;
mod format;
mod many;
mod member;
mod model;
mod options;
mod parallel;
mod prior;
mod progress;
mod stats;

pub mod bufread;
pub mod info;
pub mod message;
pub mod read;
pub mod write;

pub use anatomy::{Anatomy, PartAccount, anatomy};
pub use bufread::error_of;
pub use copy::{compress, copy_compress, copy_decompress, decompress, decompress_with, skippable};
pub use each::{compress_each, decompress_each};
pub use error::{Error, Result};
pub use explain::{Explanation, TokenCost, explain};
pub use format::{
    FORMAT_VERSION, MAGIC, MAX_FRAME_SIZE, MAX_OVERHEAD, MIN_FRAME_SIZE, WINDOW_LOG2, looks_like,
};
pub use info::decompress_range;
pub use many::{compress_many, decompress_many};
pub use model::{Model, ModelId, ModelRef, ShippedModel};
pub use options::{DecodeOptions, Mode, Options};
pub use prior::{Prior, PriorId};
pub use progress::Progress;
pub use stats::{FrameStats, SourceBits, Stats, ThreadTime};
