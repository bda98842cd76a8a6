//! AVX2 (Intel since 2013, AMD since 2015): `vpmaddubsw`, exact because weights plus 64 are at most 127.

use super::{Activations, Linear, define_kernel};
use crate::attention::Products;
use crate::cache::{HEAD, POSITIONS, Panel};
use crate::packed::{BIAS, PANEL, Packed};
use std::arch::x86_64::*;

define_kernel!(Avx2, "avx2", ["avx2"]);

impl Avx2 {
    /// The kernel, if this CPU runs it.
    pub fn detect() -> Option<&'static Avx2> {
        is_x86_feature_detected!("avx2").then_some(&Avx2 { _private: () })
    }
}

impl Linear for Avx2 {
    #[inline(always)]
    unsafe fn linear(x: &Activations, weights: &Packed, out: &mut [f32], add: bool) {
        // SAFETY: the caller's promise; `generic::linear` has checked the lengths.
        unsafe {
            match x.rows.len() {
                0 => {}
                1 => tiles::<1, 4>(x, 0, weights, out, add),
                _ => {
                    // Few enough panels at a time that they stay in the first-level cache while all rows pass.
                    for panel in 0..weights.panels() {
                        let mut row = 0;
                        while row + 4 <= x.rows.len() {
                            tile::<4, 1>(x, row, weights, panel, out, add);
                            row += 4;
                        }
                        match x.rows.len() - row {
                            3 => tile::<3, 1>(x, row, weights, panel, out, add),
                            2 => tile::<2, 1>(x, row, weights, panel, out, add),
                            1 => tile::<1, 1>(x, row, weights, panel, out, add),
                            _ => {}
                        }
                    }
                }
            }
        }
    }
}

/// All panels for rows `row..row + R`, `P` panels at a time.
///
/// # Safety
/// Those of [`tile`].
#[inline(always)]
unsafe fn tiles<const R: usize, const P: usize>(
    x: &Activations,
    row: usize,
    weights: &Packed,
    out: &mut [f32],
    add: bool,
) {
    let mut panel = 0;
    // SAFETY: the caller's promise.
    unsafe {
        while panel + P <= weights.panels() {
            tile::<R, P>(x, row, weights, panel, out, add);
            panel += P;
        }
        while panel < weights.panels() {
            tile::<R, 1>(x, row, weights, panel, out, add);
            panel += 1;
        }
    }
}

/// `R` rows by `P` panels of 16 outputs, with all sums in registers.
///
/// # Safety
/// The CPU has AVX2; the rows and panels exist, `x` and `out` have the lengths that `weights` asks for.
#[inline(always)]
unsafe fn tile<const R: usize, const P: usize>(
    x: &Activations,
    row: usize,
    weights: &Packed,
    panel: usize,
    out: &mut [f32],
    add: bool,
) {
    let rows = &x.rows[row..row + R];
    let quads = weights.quads();
    let columns = weights.padded_outputs();
    debug_assert!(panel + P <= weights.panels() && (row + R) * x.length <= x.levels.len());
    // SAFETY: as promised above; all pointers stay within their slices: x[(row + r) · length + 4·quad + 0..4],
    // the panels' `quads` lines of 64 bytes, and out[(row + r) · columns + 16·(panel + p) + 0..16].
    unsafe {
        let ones = _mm256_set1_epi16(1);
        let mut sums = [[[_mm256_setzero_si256(); 2]; P]; R];
        for r in 0..R {
            sums[r] = [[_mm256_set1_epi32(-BIAS * rows[r].sum); 2]; P];
        }
        let levels = x.levels.as_ptr().add(row * x.length);
        let lines = weights.panel(panel).as_ptr().cast::<__m256i>();
        for quad in 0..quads {
            for p in 0..P {
                let line = lines.add(2 * (p * quads + quad));
                let line = [_mm256_load_si256(line), _mm256_load_si256(line.add(1))];
                for r in 0..R {
                    let level = levels
                        .add(r * x.length + 4 * quad)
                        .cast::<i32>()
                        .read_unaligned();
                    let level = _mm256_set1_epi32(level);
                    for half in 0..2 {
                        let pairs = _mm256_maddubs_epi16(line[half], level);
                        let fours = _mm256_madd_epi16(pairs, ones);
                        sums[r][p][half] = _mm256_add_epi32(sums[r][p][half], fours);
                    }
                }
            }
        }
        let scales = weights.scale().as_ptr().add(panel * PANEL);
        for r in 0..R {
            let scale = _mm256_set1_ps(rows[r].scale);
            let out = out.as_mut_ptr().add((row + r) * columns + panel * PANEL);
            for p in 0..P {
                for half in 0..2 {
                    let at = p * PANEL + 8 * half;
                    let factor = _mm256_mul_ps(scale, _mm256_loadu_ps(scales.add(at)));
                    let mut y = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[r][p][half]), factor);
                    if add {
                        y = _mm256_add_ps(_mm256_loadu_ps(out.add(at)), y);
                    }
                    _mm256_storeu_ps(out.add(at), y);
                }
            }
        }
    }
}

impl Products for Avx2 {
    #[inline(always)]
    unsafe fn dots(query: &[i8; HEAD], panel: &Panel) -> [i32; POSITIONS] {
        // SAFETY: the CPU has AVX2; a panel's keys are 16 lines of 64 bytes, the query 16 groups of 4.
        unsafe {
            let ones = _mm256_set1_epi16(1);
            let mut sums = [_mm256_setzero_si256(); 2];
            let keys = panel.keys.as_ptr().cast::<__m256i>();
            let query = query.as_ptr().cast::<i32>();
            for quad in 0..HEAD / 4 {
                // |q| · (k with q's sign): the pairs' sums are at most 2 · 127 · 127 < 2¹⁵.
                let q = _mm256_set1_epi32(query.add(quad).read_unaligned());
                let size = _mm256_abs_epi8(q);
                for half in 0..2 {
                    let key = _mm256_load_si256(keys.add(2 * quad + half));
                    let pairs = _mm256_maddubs_epi16(size, _mm256_sign_epi8(key, q));
                    sums[half] = _mm256_add_epi32(sums[half], _mm256_madd_epi16(pairs, ones));
                }
            }
            std::mem::transmute(sums)
        }
    }

    #[inline(always)]
    unsafe fn weigh(weights: &[[i16; POSITIONS]], panels: [&[Panel]; 2]) -> [i32; HEAD] {
        // SAFETY: the CPU has AVX2; a panel's values are 8 pairs of positions with 128 bytes each, its weights 8 pairs.
        unsafe {
            let mut sums = [_mm256_setzero_si256(); HEAD / 8];
            for (weights, panel) in weights.iter().zip(panels[0].iter().chain(panels[1])) {
                let weights = weights.as_ptr().cast::<i32>();
                let values = panel.values.as_ptr().cast::<__m128i>();
                for pair in 0..POSITIONS / 2 {
                    let weight = _mm256_set1_epi32(weights.add(pair).read_unaligned());
                    for (eight, sum) in sums.iter_mut().enumerate() {
                        let value =
                            _mm256_cvtepi8_epi16(_mm_load_si128(values.add(8 * pair + eight)));
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(value, weight));
                    }
                }
            }
            std::mem::transmute(sums)
        }
    }
}
