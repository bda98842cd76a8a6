//! What JPEG pictures (ITU-T T.81) are made of, as far as it takes to read their scans and to write them: frame headers, the order of the
//! blocks, Huffman codes.
//!
//! ```
//! use vatic_jpeg::{Frame, Huffman, Part};
//!
//! // 100 by 50 pixels; brightness, and two colours of half the size each way.
//! let header = [8, 0, 50, 0, 100, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1];
//! let frame = Frame::read(&header).expect("a header");
//! let all: Vec<Part> = (0..3).map(|component| Part { component, codes: [0; 2] }).collect();
//! let grid = frame.grid(&all);
//! assert_eq!((grid.across, grid.down), (7, 4));
//! assert_eq!(frame.blocks(&all[0], &grid), [2, 2]);
//!
//! // The code word 100 says that a difference has three bits.
//! let code = Huffman::typical(0, 0).expect("one of four");
//! assert_eq!(code.symbol(0b100, 3), Some(3));
//! ```
#![deny(missing_docs)]

mod frame;
mod huffman;
mod usual;

pub use frame::{COMPONENTS, Component, Frame, Grid, Part};
pub use huffman::{Huffman, Word};
