//! The product with a packed matrix, blocked over registers; what the kernels do with 16 sums at a time is theirs.

use super::Activations;
use crate::Packed;
use crate::packed::{BIAS, Line, PANEL};

/// Sixteen sums in registers.
///
/// # Safety
/// For all functions: the CPU has the instructions of the implementing kernel, and pointers are valid for what is read
/// (4 levels, 16 scales) or read and written (16 results).
pub(super) trait Tile {
    /// 16 × i32.
    type Sums: Copy;

    unsafe fn splat(sum: i32) -> Self::Sums;

    /// Adds `Σ line[output][i] · level[i]` over 4 inputs to each of the 16 sums; `line` is in 1..=127, `level` within ±127.
    unsafe fn multiply_add<const R: usize>(
        sums: &mut [Self::Sums; R],
        line: &Line,
        levels: [*const i8; R],
    );

    /// `out = (f32)sum · (scale · scales)`, or that added to `out`, in single `f32` operations.
    unsafe fn finish(sums: Self::Sums, scale: f32, scales: *const f32, out: *mut f32, add: bool);
}

/// [`super::Linear::linear`]: tiles of `R` rows by `P` panels, smaller ones at the edges.
///
/// # Safety
/// The CPU has the instructions of `K`, and the lengths are as `generic::linear` checks.
#[inline(always)]
pub(super) unsafe fn linear<K: Tile, const R: usize, const P: usize>(
    x: &Activations,
    weights: &Packed,
    out: &mut [f32],
    add: bool,
) {
    let panels = weights.panels();
    let mut panel = 0;
    // SAFETY: the caller's promise; all rows and panels below are in range.
    unsafe {
        if x.rows.len() == 1 {
            // Several panels at a time, so that enough sums are under way.
            while panel + 4 <= panels {
                tile::<K, 1, 4>(x, 0, weights, panel, out, add);
                panel += 4;
            }
            while panel < panels {
                tile::<K, 1, 1>(x, 0, weights, panel, out, add);
                panel += 1;
            }
            return;
        }
        // All rows pass by a panel while it is in the first-level cache.
        while panel + P <= panels {
            rows::<K, R, P>(x, weights, panel, out, add);
            panel += P;
        }
        while panel < panels {
            rows::<K, R, 1>(x, weights, panel, out, add);
            panel += 1;
        }
    }
}

/// All rows by `P` panels.
///
/// # Safety
/// Those of [`linear`]; the panels exist.
#[inline(always)]
unsafe fn rows<K: Tile, const R: usize, const P: usize>(
    x: &Activations,
    weights: &Packed,
    panel: usize,
    out: &mut [f32],
    add: bool,
) {
    let count = x.rows.len();
    let mut row = 0;
    // SAFETY: the caller's promise; rows are in range.
    unsafe {
        while row + R <= count {
            tile::<K, R, P>(x, row, weights, panel, out, add);
            row += R;
        }
        while row + 2 <= count {
            tile::<K, 2, P>(x, row, weights, panel, out, add);
            row += 2;
        }
        if row < count {
            tile::<K, 1, P>(x, row, weights, panel, out, add);
        }
    }
}

/// `R` rows by `P` panels of 16 outputs, with all sums in registers.
///
/// # Safety
/// Those of [`linear`]; the rows and panels exist.
#[inline(always)]
unsafe fn tile<K: Tile, const R: usize, const P: usize>(
    x: &Activations,
    row: usize,
    weights: &Packed,
    panel: usize,
    out: &mut [f32],
    add: bool,
) {
    let columns = weights.padded_outputs();
    let rows = &x.rows[row..row + R];
    let quads = weights.quads();
    let lines: [&[Line]; P] = std::array::from_fn(|p| weights.panel(panel + p));
    let levels: [&[i8]; R] =
        std::array::from_fn(|r| &x.levels[(row + r) * x.length..][..4 * quads]);
    // SAFETY: as promised; `lines` have `quads` lines each and `levels` 4 · quads bytes.
    unsafe {
        let mut sums: [[K::Sums; R]; P] =
            std::array::from_fn(|_| std::array::from_fn(|r| K::splat(-BIAS * rows[r].sum)));
        for quad in 0..quads {
            let at: [*const i8; R] = std::array::from_fn(|r| levels[r].as_ptr().add(4 * quad));
            for p in 0..P {
                K::multiply_add(&mut sums[p], lines[p].get_unchecked(quad), at);
            }
        }
        for (p, sums) in sums.into_iter().enumerate() {
            let first = (panel + p) * PANEL;
            let scales = weights.scale()[first..first + PANEL].as_ptr();
            for (r, sums) in sums.into_iter().enumerate() {
                let out = &mut out[(row + r) * columns + first..][..PANEL];
                K::finish(sums, rows[r].scale, scales, out.as_mut_ptr(), add);
            }
        }
    }
}
