//! Plain Rust: what all other kernels are compared with, and what runs where none of them can.

use super::{Activations, Linear, define_kernel};
use crate::attention::Singly;
use crate::cache::{HEAD, POSITIONS, Panel};
use crate::packed::{BIAS, PANEL, Packed};
use std::ops::Range;

define_kernel!(Portable, "portable", []);

/// Inputs, in groups of four, that are unpacked at a time.
const QUADS: usize = 48;
/// Rows that share what was unpacked.
const ROWS: usize = 8;

/// A stretch of a row or column as i16: compilers turn the dot product of two of these into vector instructions.
type Stretch = [i16; 4 * QUADS];

#[inline(always)]
fn dot(a: &Stretch, b: &Stretch) -> i32 {
    let mut sum = 0;
    for i in 0..4 * QUADS {
        sum += i32::from(a[i]) * i32::from(b[i]);
    }
    sum
}

impl Linear for Portable {
    #[inline(always)]
    unsafe fn linear(
        x: &Activations,
        weights: &Packed,
        panels: Range<usize>,
        out: &mut [f32],
        add: bool,
    ) {
        let columns = panels.len() * PANEL;
        for (column, panel) in panels.enumerate() {
            let scales = &weights.scale()[panel * PANEL..][..PANEL];
            let blocks = x.rows.chunks(ROWS).zip(x.levels.chunks(ROWS * x.length));
            for ((rows, levels), out) in blocks.zip(out.chunks_mut(ROWS * columns)) {
                let mut sums = [[0; PANEL]; ROWS];
                for (part, lines) in weights.panel(panel).chunks(QUADS).enumerate() {
                    let mut unpacked = [[0; 4 * QUADS]; PANEL];
                    for (quad, line) in lines.iter().enumerate() {
                        for (output, weights) in unpacked.iter_mut().zip(line.0.as_chunks::<4>().0)
                        {
                            output[4 * quad..][..4].copy_from_slice(&weights.map(i16::from));
                        }
                    }
                    for (sums, levels) in sums.iter_mut().zip(levels.chunks_exact(x.length)) {
                        let mut row: Stretch = [0; 4 * QUADS];
                        let levels = &levels[part * 4 * QUADS..][..4 * lines.len()];
                        for (to, &level) in row.iter_mut().zip(levels) {
                            *to = i16::from(level);
                        }
                        for (sum, output) in sums.iter_mut().zip(&unpacked) {
                            *sum += dot(&row, output);
                        }
                    }
                }
                for ((row, sums), to) in rows.iter().zip(sums).zip(out.chunks_exact_mut(columns)) {
                    let to = &mut to[column * PANEL..][..PANEL];
                    for ((to, sum), scale) in to.iter_mut().zip(sums).zip(scales) {
                        let y = (sum - BIAS * row.sum) as f32 * (row.scale * scale);
                        *to = if add { *to + y } else { y };
                    }
                }
            }
        }
    }
}

impl Singly for Portable {
    #[inline(always)]
    unsafe fn dots(query: &[i8; HEAD], panel: &Panel) -> [i32; POSITIONS] {
        let mut sums = [0i32; POSITIONS];
        for (quad, keys) in query.as_chunks::<4>().0.iter().zip(&panel.keys) {
            for (sum, key) in sums.iter_mut().zip(keys) {
                for i in 0..4 {
                    *sum += i32::from(quad[i]) * i32::from(key[i]);
                }
            }
        }
        sums
    }

    #[inline(always)]
    unsafe fn weigh_one(weights: &[[i16; POSITIONS]], panels: &[Panel]) -> [i32; HEAD] {
        let mut sums = [0i32; HEAD];
        for (weights, panel) in weights.iter().zip(panels) {
            for (pair, values) in weights.as_chunks::<2>().0.iter().zip(&panel.values) {
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += i32::from(pair[0]) * i32::from(value[0])
                        + i32::from(pair[1]) * i32::from(value[1]);
                }
            }
        }
        sums
    }
}

impl Portable {
    /// The portable kernel, which every CPU runs.
    pub fn get() -> &'static Portable {
        &Portable { _private: () }
    }
}
