//! Finds what occurred before, over any distance, takes it out, and puts it back: copies of files in an archive, the archive of yesterday in that of
//! today.
//!
//! A predictor learns from what it has read, but it forgets between frames, and it reads everything at its own pace, even what it has read word for word
//! before. So what occurred before is taken out first. What is left, the *rest*, is for the predictor; the *recipe* says what to copy from where. This is
//! what long-distance matching does in zstd and lrzip does with whole files (the method of *rzip*, Andrew Tridgell 1999): places are chosen by their content
//! and found again by a hash, so memory is a small part of the distance.
//!
//! ```
//! use vatic_repeats::{Finder, Past, Splice, recipe};
//!
//! let mut state = 1u32;
//! let block: Vec<u8> = std::iter::repeat_with(|| {
//!     state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
//!     (state >> 24) as u8
//! })
//! .take(20_000)
//! .collect();
//! // Two contents, one after the other; the second has most of the first in it.
//! let (first, second) = (&block[..], [&b"again: "[..], &block, b"!"].concat());
//!
//! let mut finder = Finder::new(1 << 20);
//! assert!(finder.find(first).is_empty());
//! finder.keep(first);
//! let copies = finder.find(&second);
//! let (rest, told) = (recipe::rest(&second, &copies), recipe::write(&copies));
//! assert!(copies.len() == 1 && rest.len() < 100 && told.len() < 10);
//!
//! let mut past = Past::new(1 << 20);
//! past.append(first);
//! let mut splice = Splice::new(told, second.len())?;
//! splice.push(&rest, &mut past)?;
//! assert_eq!(splice.finish()?, second);
//! # Ok::<(), vatic_repeats::Error>(())
//! ```
#![forbid(unsafe_code)]

mod find;
mod index;
mod numbers;
mod past;
pub mod recipe;
mod sample;
mod splice;

pub use find::{Finder, LEAST};
pub use past::Past;
pub use recipe::Copy;
pub use splice::Splice;

/// What can be wrong with a recipe, or with the past that it copies from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The recipe was not made by [`recipe::write`] for content of this length.
    #[error("the recipe for what occurred before is damaged: {0}")]
    Recipe(&'static str),
    /// A copy is from before what is kept.
    #[error("something is to be copied from farther back than there is anything")]
    Beyond,
    /// What is kept of the past cannot be read.
    #[error("what came before cannot be kept in a temporary file: {0}")]
    Past(#[source] std::io::Error),
}
