//! Plain Rust: what all other kernels are compared with, and what runs where none of them can.

use super::{Activations, Linear, define_kernel};
use crate::attention::Products;
use crate::cache::{HEAD, POSITIONS, Panel};
use crate::packed::{BIAS, PANEL, Packed};

define_kernel!(Portable, "portable", []);

impl Linear for Portable {
    #[inline(always)]
    unsafe fn linear(x: &Activations, weights: &Packed, out: &mut [f32], add: bool) {
        let columns = weights.padded_outputs();
        for panel in 0..weights.panels() {
            let lines = weights.panel(panel);
            let scales = &weights.scale()[panel * PANEL..][..PANEL];
            for (row, to) in x.rows().zip(out.chunks_exact_mut(columns)) {
                let mut sums = [-BIAS * row.sum; PANEL];
                for (line, quad) in lines.iter().zip(row.quads()) {
                    for (sum, weights) in sums.iter_mut().zip(line.0.as_chunks::<4>().0) {
                        for i in 0..4 {
                            *sum += i32::from(weights[i]) * i32::from(quad[i]);
                        }
                    }
                }
                let to = &mut to[panel * PANEL..][..PANEL];
                for ((to, sum), scale) in to.iter_mut().zip(sums).zip(scales) {
                    let y = sum as f32 * (row.scale * scale);
                    *to = if add { *to + y } else { y };
                }
            }
        }
    }
}

impl Products for Portable {
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
    unsafe fn weigh(weights: &[[i16; POSITIONS]], panels: [&[Panel]; 2]) -> [i32; HEAD] {
        let mut sums = [0i32; HEAD];
        for (weights, panel) in weights.iter().zip(panels[0].iter().chain(panels[1])) {
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
