//! A small transformer language model that predicts the next token with **the same bits on every machine**.
//!
//! A compressor's decoder must repeat every probability of its encoder exactly, on another CPU, with another batch size or
//! instruction set. So this crate computes as follows, and nothing in it may deviate:
//!
//! - Products of matrices are `i8 × i8 → i32` (activations within ±127, weights within ±63): exact, in any order.
//! - All else is `f32` with single IEEE additions, multiplications, divisions and square roots, rounded to nearest even; never
//!   fused, no function of the system's mathematics library. A sum over a vector has 16 accumulators (element `i` goes to
//!   accumulator `i mod 16`), which are then folded 16 → 8 → 4 → 2 → 1.
//! - A row's result does not depend on the other rows computed with it, so tokens may come one at a time or in blocks.
//!
//! The forward pass, with `rms(v) = v / √(mean v² + 10⁻⁶)`: `x = rms(E[token])`, `e = x`; in each layer `x = mix₀x + mix₁e`, then
//! attention over `rms(x)` with RMS-normalised, rotated queries and keys ([RoFormer](https://arxiv.org/abs/2104.09864),
//! [QK norm](https://arxiv.org/abs/2010.04245)), heads in groups ([GQA](https://arxiv.org/abs/2305.13245)), each layer with its window;
//! then `x += W_down relu²(W_up rms(x))` ([Primer](https://arxiv.org/abs/2109.08668)). The output has two levels: logits `U · rms(x)`
//! of groups of neighbouring tokens, and within the group that comes, logits `E · rms(x)` of its tokens (Goodman 2001: class-based
//! softmax). Groups are made so that frequent tokens have their own; so the head costs an eighth of what all tokens' logits would.
//! The [`numerics`] module states the arithmetic operation by operation.
//!
//! ```
//! use std::sync::Arc;
//! use vatic_transformer::{Config, Leaves, Model, ModelFile, Session};
//!
//! # fn main() -> Result<(), vatic_transformer::Error> {
//! let config = Config { name: "tiny".into(), vocab: 512, groups: 128, width: 64, layers: 2, heads: 2, kv_heads: 1, hidden: 128,
//!     windows: vec![16, 32], rope_dims: 32, rope_period: 64, ..Config::default() };
//! let bytes = ModelFile::random(&config, 1).to_bytes()?;
//! let model = Arc::new(Model::from_bytes(&bytes)?);
//! let mut session = Session::new(&model, 2, 1)?;
//! session.step(&[0, 0])?; // both streams begin with token 0
//! let predictions = session.predictions();
//! let weights: &[u32] = predictions.groups(1); // of every group of tokens that may come next in stream 1
//! assert_eq!(weights.len(), 128);
//! let mut leaves = Leaves::new(&model)?;
//! let weights = leaves.weights(predictions, 1, 77); // of the tokens of group 77, if it is the next token's
//! assert_eq!(weights.len(), model.group(77).len());
//! # Ok(()) }
//! ```

mod aligned;
mod attention;
mod cache;
mod config;
mod error;
mod file;
mod image;
pub mod kernels;
mod meeting;
mod memory;
mod mode;
mod model;
pub mod numerics;
mod output;
mod packed;
mod random;
mod session;
mod split;
mod team;
mod watch;

pub use config::Config;
pub use error::Error;
pub use file::{Layer, MAX_GROUP, Matrix, ModelFile, rope_cosines};
pub use kernels::KernelName;
pub use model::Model;
pub use output::{Leaves, Predictions};
pub use packed::Packed;
pub use session::{Row, Session};
pub use watch::Part;
