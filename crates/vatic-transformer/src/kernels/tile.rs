//! The product with a packed matrix, blocked over registers; what the kernels do with 16 sums at a time is theirs.

use super::Activations;
use crate::Packed;
use crate::packed::{BIAS, Line, PANEL};
use std::ops::Range;

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

    /// Asks for a line that will be wanted; any address will do.
    #[inline(always)]
    fn prefetch(_line: *const Line) {}

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
    panels: Range<usize>,
    out: &mut [f32],
    add: bool,
) {
    let columns = panels.len() * PANEL;
    let mut panel = panels.start;
    // Where a panel's results go.
    let at = |panel: usize| (panel - panels.start) * PANEL;
    let end = panels.end;
    // SAFETY: the caller's promise; all rows and panels below are in range.
    unsafe {
        if x.rows.len() == 1 {
            return single::<K>(x, weights, panels, out, columns, add);
        }
        // All rows pass by a panel while it is in the first-level cache.
        while panel + P <= end {
            let from = (panel, fetched(weights, end));
            rows::<K, R, P>(x, weights, from, (&mut out[at(panel)..], columns), add);
            panel += P;
        }
        while panel < end {
            let from = (panel, fetched(weights, end));
            rows::<K, R, 1>(x, weights, from, (&mut out[at(panel)..], columns), add);
            panel += 1;
        }
    }
}

/// The only row, by several panels at a time, so that enough sums are under way.
///
/// # Safety
/// Those of [`linear`].
#[inline(always)]
unsafe fn single<K: Tile>(
    x: &Activations,
    weights: &Packed,
    panels: Range<usize>,
    out: &mut [f32],
    columns: usize,
    add: bool,
) {
    let whole = 0..weights.quads();
    let fours = panels.len() / 4 * 4;
    // SAFETY: the caller's promise; panels are in range.
    unsafe {
        if fours > 0 {
            let mut room = [0; MOST_QUADS];
            let filled = filled(x.levels, &mut room);
            for n in (0..fours).step_by(4) {
                let from = (panels.start + n, fetched(weights, panels.end));
                let out = (&mut out[n * PANEL..], columns);
                if let Some(quads) = filled {
                    let quads = quads.iter().map(|&quad| usize::from(quad));
                    tile::<K, 1, 4>(x, 0, weights, from, quads, out, add);
                } else {
                    tile::<K, 1, 4>(x, 0, weights, from, whole.clone(), out, add);
                }
            }
        }
        for n in fours..panels.len() {
            let from = (panels.start + n, fetched(weights, panels.end));
            let out = (&mut out[n * PANEL..], columns);
            tile::<K, 1, 1>(x, 0, weights, from, whole.clone(), out, add);
        }
    }
}

/// Longer rows are multiplied whole.
const MOST_QUADS: usize = 1024;

/// The groups of four levels that are not all zero, in order, if enough are (as squared ReLU leaves them). What is multiplied by zero
/// need not be fetched, and a single row takes as long as it takes to fetch the weights; several rows seldom have zeros at the same places.
#[inline(always)]
fn filled<'a>(levels: &[i8], room: &'a mut [u16; MOST_QUADS]) -> Option<&'a [u16]> {
    let fours = levels.as_chunks::<4>().0;
    let zeros = fours.iter().filter(|&&four| four == [0; 4]).count();
    if fours.len() > MOST_QUADS || zeros * 5 < fours.len() {
        return None;
    }
    let mut count = 0;
    for (n, &four) in fours.iter().enumerate() {
        room[count] = n as u16;
        count += usize::from(four != [0; 4]);
    }
    Some(&room[..count])
}

/// Asks for all lines of something that lies in whole ones.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn prefetch<K: Tile, T>(what: &T) {
    let lines = std::ptr::from_ref(what).cast::<Line>();
    for n in 0..size_of::<T>() / size_of::<Line>() {
        K::prefetch(lines.wrapping_add(n));
    }
}

/// Below which panel a product of the panels before `end` fetches ahead: after the last one comes the next matrix, after a part of them
/// what another session multiplies with.
fn fetched(weights: &Packed, end: usize) -> usize {
    if end == weights.panels() {
        usize::MAX
    } else {
        end
    }
}

/// All rows by `P` panels; `from` and `out` as for [`tile`].
///
/// # Safety
/// Those of [`linear`]; the panels exist.
#[inline(always)]
unsafe fn rows<K: Tile, const R: usize, const P: usize>(
    x: &Activations,
    weights: &Packed,
    from: (usize, usize),
    (out, columns): (&mut [f32], usize),
    add: bool,
) {
    let count = x.rows.len();
    let mut row = 0;
    let quads = 0..weights.quads();
    // SAFETY: the caller's promise; rows are in range.
    unsafe {
        while row + R <= count {
            tile::<K, R, P>(x, row, weights, from, quads.clone(), (out, columns), add);
            row += R;
        }
        // Four at once need the weights, which come from far, half as often as two.
        while R > 4 && row + 4 <= count {
            tile::<K, 4, P>(x, row, weights, from, quads.clone(), (out, columns), add);
            row += 4;
        }
        while row + 2 <= count {
            tile::<K, 2, P>(x, row, weights, from, quads.clone(), (out, columns), add);
            row += 2;
        }
        if row < count {
            tile::<K, 1, P>(x, row, weights, from, quads, (out, columns), add);
        }
    }
}

/// `R` rows by `P` panels of 16 outputs, those from `panel` on, with all sums in registers; panels before `end` may be fetched ahead.
/// `out` begins where row 0's results of the first panel go; rows are `columns` apart. Only the groups of four inputs that
/// `which` names are looked at: the others are zero in these rows.
///
/// # Safety
/// Those of [`linear`]; the rows, panels and groups exist.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // registers are named by numbers
unsafe fn tile<K: Tile, const R: usize, const P: usize>(
    x: &Activations,
    row: usize,
    weights: &Packed,
    (panel, end): (usize, usize),
    which: impl Iterator<Item = usize>,
    (out, columns): (&mut [f32], usize),
    add: bool,
) {
    let rows = &x.rows[row..row + R];
    let quads = weights.quads();
    // The first rows fetch the next panels into the core's own caches while they compute with these.
    let fetch = row == 0 && panel + P < end;
    // Loops, not closures: a compiler does not always put what is called in those into the function with the instructions.
    let mut lines: [&[Line]; P] = [&[]; P];
    for p in 0..P {
        lines[p] = weights.panel(panel + p);
    }
    let mut levels: [&[i8]; R] = [&[]; R];
    for r in 0..R {
        levels[r] = &x.levels[(row + r) * x.length..][..4 * quads];
    }
    // SAFETY: as promised; `lines` have `quads` lines each and `levels` 4 · quads bytes.
    unsafe {
        let mut first = [K::splat(0); R];
        for r in 0..R {
            first[r] = K::splat(-BIAS * rows[r].sum);
        }
        let mut sums = [first; P];
        let next = lines[0].as_ptr().wrapping_add(P * quads);
        for quad in which {
            if fetch {
                for p in 0..P {
                    K::prefetch(next.wrapping_add(p * quads + quad));
                }
            }
            let mut at = [levels[0].as_ptr(); R];
            for r in 0..R {
                at[r] = levels[r].as_ptr().add(4 * quad);
            }
            for p in 0..P {
                K::multiply_add(&mut sums[p], lines[p].get_unchecked(quad), at);
            }
        }
        for (p, sums) in sums.into_iter().enumerate() {
            let first = (panel + p) * PANEL;
            let scales = weights.scale()[first..first + PANEL].as_ptr();
            for (r, sums) in sums.into_iter().enumerate() {
                let out = &mut out[(row + r) * columns + p * PANEL..][..PANEL];
                K::finish(sums, rows[r].scale, scales, out.as_mut_ptr(), add);
            }
        }
    }
}
