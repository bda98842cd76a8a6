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
    unsafe fn dots(query: &[i8; HEAD], panel: &Panel) -> [i32; POSITIONS] {
        // SAFETY: the caller's promise.
        let [dots] = unsafe { Self::dots_of(&[*query], panel) };
        dots
    }

    #[inline(always)]
    unsafe fn weigh(weights: &[[i16; POSITIONS]], panels: [&[Panel]; 2]) -> [i32; HEAD] {
        // SAFETY: the caller's promise.
        let [sums] = unsafe { Self::weigh_of([weights], panels) };
        sums
    }

    #[inline(always)]
    unsafe fn dots_of<const H: usize>(
        queries: &[[i8; HEAD]; H],
        panel: &Panel,
    ) -> [[i32; POSITIONS]; H] {
        let mut dots = [[0; POSITIONS]; H];
        // SAFETY: the CPU has AVX-512 VNNI; a panel's keys are 16 aligned registers, a query 16 groups of 4, a result one register.
        unsafe {
            // Keys plus 128 are unsigned; what is too much by that is the sum of 128 · q, which a product with 128 finds.
            let bias = _mm512_set1_epi8(-128);
            let mut sums = [[_mm512_setzero_si512(); 2]; H];
            let mut excess = [_mm512_setzero_si512(); H];
            for h in 0..H {
                let query = _mm512_loadu_si512(queries[h].as_ptr().cast());
                let fours = _mm512_dpbusd_epi32(_mm512_setzero_si512(), bias, query);
                excess[h] = _mm512_set1_epi32(_mm512_reduce_add_epi32(fours));
            }
            let keys = panel.keys.as_ptr().cast::<__m512i>();
            // Two sums for each query, so that products do not wait for each other.
            for pair in 0..HEAD / 8 {
                let first = _mm512_xor_si512(_mm512_load_si512(keys.add(2 * pair)), bias);
                let second = _mm512_xor_si512(_mm512_load_si512(keys.add(2 * pair + 1)), bias);
                for h in 0..H {
                    let fours = queries[h].as_ptr().cast::<i32>().add(2 * pair);
                    let four = _mm512_set1_epi32(fours.read_unaligned());
                    sums[h][0] = _mm512_dpbusd_epi32(sums[h][0], first, four);
                    let four = _mm512_set1_epi32(fours.add(1).read_unaligned());
                    sums[h][1] = _mm512_dpbusd_epi32(sums[h][1], second, four);
                }
            }
            for h in 0..H {
                let sum = _mm512_add_epi32(sums[h][0], sums[h][1]);
                let sum = _mm512_sub_epi32(sum, excess[h]);
                _mm512_storeu_si512(dots[h].as_mut_ptr().cast(), sum);
            }
        }
        dots
    }

    #[inline(always)]
    unsafe fn weigh_of<const H: usize>(
        weights: [&[[i16; POSITIONS]]; H],
        panels: [&[Panel]; 2],
    ) -> [[i32; HEAD]; H] {
        let count = panels[0].len() + panels[1].len();
        assert!(weights.iter().all(|weights| weights.len() == count));
        let mut results = [[0; HEAD]; H];
        // SAFETY: the CPU has AVX-512 VNNI; a panel's values are 8 pairs of positions with 128 bytes each, its weights 8 pairs, and
        // there are as many panels as weights; a result is four registers.
        unsafe {
            let mut sums = [[_mm512_setzero_si512(); HEAD / 16]; H];
            for (n, panel) in panels[0].iter().chain(panels[1]).enumerate() {
                let values = panel.values.as_ptr().cast::<__m256i>();
                for pair in 0..POSITIONS / 2 {
                    for part in 0..HEAD / 16 {
                        let value = _mm256_loadu_si256(values.add(4 * pair + part));
                        let value = _mm512_cvtepi8_epi16(value);
                        for h in 0..H {
                            let pairs = weights[h].get_unchecked(n).as_ptr().cast::<i32>();
                            let weight = _mm512_set1_epi32(pairs.add(pair).read_unaligned());
                            sums[h][part] = _mm512_dpwssd_epi32(sums[h][part], value, weight);
                        }
                    }
                }
            }
            for h in 0..H {
                for part in 0..HEAD / 16 {
                    let to = results[h].as_mut_ptr().add(16 * part).cast();
                    _mm512_storeu_si512(to, sums[h][part]);
                }
            }
        }
        results
    }
}
