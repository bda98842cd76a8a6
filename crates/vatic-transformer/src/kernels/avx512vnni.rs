//! AVX-512 with VNNI (Intel servers since 2019, AMD since 2022): 64 products and their sums in one instruction.

use super::{Activations, Linear, define_kernel, tile};
use crate::attention::Products;
use crate::cache::{HEAD, POSITIONS, Panel};
use crate::packed::{Line, Packed};
use std::arch::x86_64::*;
use std::ops::Range;

define_kernel!(
    Avx512Vnni,
    "avx512vnni",
    ["avx2,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"]
);

impl Avx512Vnni {
    /// The kernel, if this CPU runs it.
    pub fn detect() -> Option<&'static Avx512Vnni> {
        (is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni"))
        .then_some(&Avx512Vnni { _private: () })
    }
}

impl Linear for Avx512Vnni {
    #[inline(always)]
    unsafe fn linear(
        x: &Activations,
        weights: &Packed,
        panels: Range<usize>,
        out: &mut [f32],
        add: bool,
    ) {
        // SAFETY: the caller's promise.
        unsafe { tile::linear::<Avx512Vnni, 8, 2>(x, weights, panels, out, add) }
    }
}

impl tile::Tile for Avx512Vnni {
    type Sums = __m512i;

    #[inline(always)]
    unsafe fn splat(sum: i32) -> Self::Sums {
        // SAFETY: the CPU has AVX-512F.
        unsafe { _mm512_set1_epi32(sum) }
    }

    #[inline(always)]
    unsafe fn multiply_add<const R: usize>(
        sums: &mut [Self::Sums; R],
        line: &Line,
        levels: [*const i8; R],
    ) {
        // SAFETY: the CPU has AVX-512 VNNI; a line is one aligned register; the levels are 4 bytes each.
        unsafe {
            let line = _mm512_load_si512(std::ptr::from_ref(line).cast());
            for r in 0..R {
                let level = _mm512_set1_epi32(levels[r].cast::<i32>().read_unaligned());
                sums[r] = _mm512_dpbusd_epi32(sums[r], line, level);
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
        // SAFETY: the CPU has AVX-512F; `scales` and `out` are 16 values each.
        unsafe {
            let factor = _mm512_mul_ps(_mm512_set1_ps(scale), _mm512_loadu_ps(scales));
            let mut y = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), factor);
            if add {
                y = _mm512_add_ps(_mm512_loadu_ps(out), y);
            }
            _mm512_storeu_ps(out, y);
        }
    }
}

#[allow(clippy::needless_range_loop)] // registers are named by numbers
impl Products for Avx512Vnni {
    #[inline(always)]
    fn prefetch<T>(what: &T) {
        tile::prefetch::<Avx512Vnni, T>(what);
    }

    #[inline(always)]
    unsafe fn scores(
        query: &[i8; HEAD],
        scale: f32,
        panels: &[Panel],
        scores: &mut [[f32; POSITIONS]],
    ) {
        assert_eq!(scores.len(), panels.len());
        // SAFETY: the CPU has AVX-512 VNNI; a query is 16 groups of 4 bytes; a panel's keys are 16 aligned registers, and what is
        // kept of its positions one register each; there are 16 scores for each panel.
        unsafe {
            // The query plus 128 is unsigned, and the keys can be read where they lie.
            let bias = _mm512_set1_epi8(-128);
            let mut fours = [bias; HEAD / 4];
            for n in 0..HEAD / 4 {
                let four = query.as_ptr().cast::<i32>().add(n).read_unaligned();
                fours[n] = _mm512_xor_si512(_mm512_set1_epi32(four), bias);
            }
            let scale = _mm512_set1_ps(scale);
            for (panel, to) in panels.iter().zip(scores) {
                let keys = panel.keys.as_ptr().cast::<__m512i>();
                // Two sums, so that products do not wait for each other.
                let mut sums = [
                    _mm512_loadu_si512(panel.key_excess.as_ptr().cast()),
                    _mm512_setzero_si512(),
                ];
                for n in 0..HEAD / 4 {
                    let key = _mm512_load_si512(keys.add(n));
                    sums[n % 2] = _mm512_dpbusd_epi32(sums[n % 2], fours[n], key);
                }
                let dots = _mm512_cvtepi32_ps(_mm512_add_epi32(sums[0], sums[1]));
                let factor = _mm512_mul_ps(scale, _mm512_loadu_ps(panel.key_scales.as_ptr()));
                _mm512_storeu_ps(to.as_mut_ptr(), _mm512_mul_ps(dots, factor));
            }
        }
    }

    #[inline(always)]
    unsafe fn weigh<const H: usize>(
        weights: [&[[i16; POSITIONS]]; H],
        panels: &[Panel],
        results: &mut [[i32; HEAD]; H],
    ) {
        assert!(weights.iter().all(|weights| weights.len() == panels.len()));
        // SAFETY: the CPU has AVX-512 VNNI and BW; a panel's values are 8 aligned pairs of positions with four half registers each, its
        // weights 8 pairs, and there are as many panels as weights; a result is four registers.
        unsafe {
            let mut sums = [[_mm512_setzero_si512(); HEAD / 16]; H];
            for h in 0..H {
                for i in 0..HEAD / 16 {
                    sums[h][i] = _mm512_loadu_si512(results[h].as_ptr().cast::<__m512i>().add(i));
                }
            }
            for (n, panel) in panels.iter().enumerate() {
                for (pair, values) in panel.values.iter().enumerate() {
                    let values = values.as_ptr().cast::<__m256i>();
                    let mut value = [_mm512_setzero_si512(); HEAD / 16];
                    for i in 0..HEAD / 16 {
                        value[i] = _mm512_cvtepi8_epi16(_mm256_load_si256(values.add(i)));
                    }
                    for h in 0..H {
                        let weight = weights[h].get_unchecked(n).as_ptr().cast::<i32>();
                        let weight = _mm512_set1_epi32(weight.add(pair).read_unaligned());
                        for i in 0..HEAD / 16 {
                            sums[h][i] = dpwssd(sums[h][i], value[i], weight);
                        }
                    }
                }
            }
            for h in 0..H {
                for i in 0..HEAD / 16 {
                    _mm512_storeu_si512(
                        results[h].as_mut_ptr().cast::<__m512i>().add(i),
                        sums[h][i],
                    );
                }
            }
        }
    }
}

/// `vpdpwssd`, which the compiler would take apart into two instructions, as it does not know that it is quick on all processors that have it.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn dpwssd(mut sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
    // SAFETY: the CPU has the instruction, as this function is compiled for; it computes with three registers and touches nothing else.
    unsafe {
        std::arch::asm!(
            "vpdpwssd {sum}, {a}, {b}",
            sum = inout(zmm_reg) sum,
            a = in(zmm_reg) a,
            b = in(zmm_reg) b,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}
