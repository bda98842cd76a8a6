//! Takes deflate streams (RFC 1951), which are inside gzip, zip, PNG, PDF and many other files, apart into what they say and a *recipe*,
//! and makes them again from that, bit for bit; so it does with progressive JPEG pictures, of which it makes sequential ones, and with Base64.
//!
//! What deflate has coded looks like noise to every other compressor. What it says does not, but a compressor must be able to give
//! the stream itself back, and there are many streams that say the same. Nearly all were written by zlib or by gzip, though, which look for matches by fixed
//! rules: so the recipe names the rules, and for each token that is not the one that they lead to, what it is instead (the method
//! of *preflate*, Dirk Steinke 2018). For a stream of zlib's that is a handful of bytes.
//!
//! ```
//! use std::io::Write;
//!
//! let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
//! gzip.write_all((0..200u32).map(|n| format!("{} so it goes, ", n * n)).collect::<String>().as_bytes())?;
//! let file = gzip.finish()?;
//!
//! let unpacked = vatic_unpack::unpack(&file, 1 << 20).expect("a stream");
//! assert!(unpacked.content.len() > 3000 && unpacked.recipe.len() < 20);
//! let mut again = Vec::new();
//! vatic_unpack::pack(&unpacked.content, &unpacked.recipe, file.len(), usize::MAX, &mut |bytes| again.extend_from_slice(bytes))?;
//! assert_eq!(again, file);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(missing_docs)]

mod base64;
mod bits;
mod blocks;
mod codes;
mod find;
mod guess;
mod numbers;
mod pack;
mod places;
mod progressive;
mod rows;
mod search;
mod trees;
mod unpack;

pub use pack::pack;
pub use places::{Place, places, unfinished};
pub use unpack::{Picture, Unpacked, unpack, unpack_with};

/// The most bytes of content that streams are taken apart to.
pub const MAX_CONTENT: usize = 1 << 28;

/// What can be wrong with a recipe, or with a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What is taken for a stream is none, or cannot be made again.
    #[error("this is no deflate stream")]
    Stream,
    /// What is taken for a JPEG picture is none, or cannot be made again.
    #[error("this is no JPEG picture that can be made progressive")]
    Picture,
    /// The coefficients of a picture take so many bytes, which is more than is allowed.
    #[error("a picture inside needs {0} bytes of memory, which is more than is allowed")]
    Memory(usize),
    /// There is more content than there should be, or less.
    #[error("what was taken apart has not the length that it should have")]
    Length,
    /// The recipe was not made by [`unpack`].
    #[error("the recipe for what was taken apart is damaged: {0}")]
    Recipe(&'static str),
}
