//! AVX2 (Intel since 2013, AMD since 2015): `vpmaddubsw`, exact because weights plus 64 are at most 127.

use super::{Activations, Linear, define_kernel, tile};
use crate::attention::Singly;
use crate::cache::{HEAD, POSITIONS, Panel};
use crate::packed::{Line, Packed};
use std::arch::x86_64::*;
use std::ops::Range;

define_kernel!(Avx2, "avx2", ["avx2"]);

impl Avx2 {
    /// The kernel, if this CPU runs it.
    pub fn detect() -> Option<&'static Avx2> {
        is_x86_feature_detected!("avx2").then_some(&Avx2 { _private: () })
    }
}

impl Linear for Avx2 {
    #[inline(always)]
    unsafe fn linear(
        x: &Activations,
        weights: &Packed,
        panels: Range<usize>,
        out: &mut [f32],
        add: bool,
    ) {
        // SAFETY: the caller's promise.
        unsafe { tile::linear::<Avx2, 4, 1>(x, weights, panels, out, add) }
    }
}

impl tile::Tile for Avx2 {
    type Sums = [__m256i; 2];

    #[inline(always)]
    unsafe fn splat(sum: i32) -> Self::Sums {
        // SAFETY: the CPU has AVX2.
        unsafe { [_mm256_set1_epi32(sum); 2] }
    }

    #[inline(always)]
    unsafe fn multiply_add<const R: usize>(
        sums: &mut [Self::Sums; R],
        line: &Line,
        levels: [*const i8; R],
    ) {
        // SAFETY: the CPU has AVX2; a line is two aligned registers; the levels are 4 bytes each. Two products of at most
        // 127 · 127 fit into i16.
        unsafe {
            let line = std::ptr::from_ref(line).cast::<__m256i>();
            let line = [_mm256_load_si256(line), _mm256_load_si256(line.add(1))];
            for r in 0..R {
                let level = _mm256_set1_epi32(levels[r].cast::<i32>().read_unaligned());
                for (sum, line) in sums[r].iter_mut().zip(line) {
                    let pairs = _mm256_maddubs_epi16(line, level);
                    let fours = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
                    *sum = _mm256_add_epi32(*sum, fours);
                }
            }
        }
    }

    #[inline(always)]
    fn prefetch(line: *const Line) {
        // SAFETY: a hint, which reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.cast()) }
    }

    #[inline(always)]
    unsafe fn finish(sums: Self::Sums, scale: f32, scales: *const f32, out: *mut f32, add: bool) {
        // SAFETY: the CPU has AVX2; `scales` and `out` are 16 values each.
        unsafe {
            let scale = _mm256_set1_ps(scale);
            for (half, sums) in sums.into_iter().enumerate() {
                let (scales, out) = (scales.add(8 * half), out.add(8 * half));
                let factor = _mm256_mul_ps(scale, _mm256_loadu_ps(scales));
                let mut y = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), factor);
                if add {
                    y = _mm256_add_ps(_mm256_loadu_ps(out), y);
                }
                _mm256_storeu_ps(out, y);
            }
        }
    }
}

impl Singly for Avx2 {
    #[inline(always)]
    fn prefetch<T>(what: &T) {
        tile::prefetch::<Avx2, T>(what);
    }

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
                for (half, sum) in sums.iter_mut().enumerate() {
                    let key = _mm256_load_si256(keys.add(2 * quad + half));
                    let pairs = _mm256_maddubs_epi16(size, _mm256_sign_epi8(key, q));
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones));
                }
            }
            std::mem::transmute(sums)
        }
    }

    #[inline(always)]
    unsafe fn weigh_one(weights: &[[i16; POSITIONS]], panels: &[Panel]) -> [i32; HEAD] {
        // SAFETY: the CPU has AVX2; a panel's values are 8 pairs of positions with 128 bytes each, its weights 8 pairs.
        unsafe {
            let mut sums = [_mm256_setzero_si256(); HEAD / 8];
            for (weights, panel) in weights.iter().zip(panels) {
                let weights = weights.as_ptr().cast::<i32>();
                let values = panel.values.as_ptr().cast::<__m128i>();
                for pair in 0..POSITIONS / 2 {
                    let weight = _mm256_set1_epi32(weights.add(pair).read_unaligned());
                    for (eight, sum) in sums.iter_mut().enumerate() {
                        let value = _mm_load_si128(values.add(8 * pair + eight));
                        let value = _mm256_cvtepi8_epi16(value);
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(value, weight));
                    }
                }
            }
            std::mem::transmute(sums)
        }
    }
}
