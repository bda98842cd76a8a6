//! AVX-VNNI (Intel since 2021, AMD since 2024): AVX2 with one instruction for four products and their sum.

use super::{Activations, Linear, avx2::Avx2, define_kernel, tile};
use crate::attention::Singly;
use crate::cache::{HEAD, POSITIONS, Panel};
use crate::packed::{Line, Packed};
use std::arch::x86_64::*;
use std::ops::Range;

define_kernel!(AvxVnni, "avxvnni", ["avx2,avxvnni"]);

impl AvxVnni {
    /// The kernel, if this CPU runs it.
    pub fn detect() -> Option<&'static AvxVnni> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("avxvnni"))
            .then_some(&AvxVnni { _private: () })
    }
}

impl Linear for AvxVnni {
    #[inline(always)]
    unsafe fn linear(
        x: &Activations,
        weights: &Packed,
        panels: Range<usize>,
        out: &mut [f32],
        add: bool,
    ) {
        // SAFETY: the caller's promise.
        unsafe { tile::linear::<AvxVnni, 6, 1>(x, weights, panels, out, add) }
    }
}

impl tile::Tile for AvxVnni {
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
        // SAFETY: the CPU has AVX-VNNI; a line is two aligned registers; the levels are 4 bytes each.
        unsafe {
            let line = std::ptr::from_ref(line).cast::<__m256i>();
            let line = [_mm256_load_si256(line), _mm256_load_si256(line.add(1))];
            for r in 0..R {
                let level = _mm256_set1_epi32(levels[r].cast::<i32>().read_unaligned());
                for (sum, line) in sums[r].iter_mut().zip(line) {
                    *sum = _mm256_dpbusd_avx_epi32(*sum, line, level);
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
        // SAFETY: the caller's promise.
        unsafe { <Avx2 as tile::Tile>::finish(sums, scale, scales, out, add) }
    }
}

/// As with AVX2.
impl Singly for AvxVnni {
    #[inline(always)]
    fn prefetch<T>(what: &T) {
        tile::prefetch::<AvxVnni, T>(what);
    }

    #[inline(always)]
    unsafe fn dots(query: &[i8; HEAD], panel: &Panel) -> [i32; POSITIONS] {
        // SAFETY: the caller's promise, which includes AVX2.
        unsafe { Avx2::dots(query, panel) }
    }

    #[inline(always)]
    unsafe fn weigh_one(weights: &[[i16; POSITIONS]], panels: &[Panel]) -> [i32; HEAD] {
        // SAFETY: the caller's promise, which includes AVX2.
        unsafe { Avx2::weigh_one(weights, panels) }
    }
}
