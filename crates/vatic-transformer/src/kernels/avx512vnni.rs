//! AVX-512 with VNNI (Intel servers since 2019, AMD since 2022): 64 products and their sums in one instruction.

use super::{Activations, Linear, avx2::Avx2, define_kernel, tile};
use crate::attention::Products;
use crate::cache::{HEAD, POSITIONS, Panel};
use crate::packed::{Line, Packed};
use std::arch::x86_64::*;

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
    unsafe fn linear(x: &Activations, weights: &Packed, out: &mut [f32], add: bool) {
        // SAFETY: the caller's promise.
        unsafe { tile::linear::<Avx512Vnni, 8, 2>(x, weights, out, add) }
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

/// As with AVX2, whose instructions these CPUs have too.
impl Products for Avx512Vnni {
    #[inline(always)]
    unsafe fn dots(query: &[i8; HEAD], panel: &Panel) -> [i32; POSITIONS] {
        // SAFETY: the caller's promise, which includes AVX2.
        unsafe { Avx2::dots(query, panel) }
    }

    #[inline(always)]
    unsafe fn weigh(weights: &[[i16; POSITIONS]], panels: [&[Panel]; 2]) -> [i32; HEAD] {
        // SAFETY: the caller's promise, which includes AVX2.
        unsafe { Avx2::weigh(weights, panels) }
    }
}
