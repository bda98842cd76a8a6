//! NEON (every 64-bit Arm CPU), and its dot product instruction (Arm cores since about 2018, Apple since the A13 and M1).

use super::{Activations, Linear, define_kernel, tile};
use crate::attention::Singly;
use crate::cache::{HEAD, POSITIONS, Panel};
use crate::packed::{Line, Packed};
use std::arch::aarch64::*;
use std::arch::{asm, is_aarch64_feature_detected};
use std::ops::Range;

define_kernel!(Neon, "neon", ["neon"]);
define_kernel!(NeonDot, "neondot", ["neon,dotprod"]);

impl Neon {
    /// The kernel, if this CPU runs it.
    pub fn detect() -> Option<&'static Neon> {
        is_aarch64_feature_detected!("neon").then_some(&Neon { _private: () })
    }
}

impl NeonDot {
    /// The kernel, if this CPU runs it.
    pub fn detect() -> Option<&'static NeonDot> {
        (is_aarch64_feature_detected!("neon") && is_aarch64_feature_detected!("dotprod"))
            .then_some(&NeonDot { _private: () })
    }
}

/// Adds to each of 4 sums the product of 4 signed bytes with 4 others.
trait Fours {
    /// # Safety
    /// The CPU has the instructions of the implementing kernel. Bytes are within ±127.
    unsafe fn multiply_add(sums: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t;
}

impl Fours for Neon {
    #[inline(always)]
    unsafe fn multiply_add(sums: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
        // SAFETY: the CPU has NEON. Two products of at most 127 · 127 fit into i16.
        unsafe {
            let low = vmull_s8(vget_low_s8(a), vget_low_s8(b));
            let high = vmull_high_s8(a, b);
            vpadalq_s16(sums, vpaddq_s16(low, high))
        }
    }
}

impl Fours for NeonDot {
    #[inline(always)]
    unsafe fn multiply_add(sums: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
        let mut sums = sums;
        // SAFETY: the CPU has the instruction, which works on registers alone.
        unsafe {
            asm!(
                ".arch_extension dotprod",
                "sdot {sums:v}.4s, {a:v}.16b, {b:v}.16b",
                sums = inout(vreg) sums,
                a = in(vreg) a,
                b = in(vreg) b,
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        sums
    }
}

macro_rules! neon_kernel {
    ($kernel:ident) => {
        impl Linear for $kernel {
            #[inline(always)]
            unsafe fn linear(
                x: &Activations,
                weights: &Packed,
                panels: Range<usize>,
                out: &mut [f32],
                add: bool,
            ) {
                // SAFETY: the caller's promise.
                unsafe { tile::linear::<$kernel, 4, 1>(x, weights, panels, out, add) }
            }
        }

        impl tile::Tile for $kernel {
            type Sums = [int32x4_t; 4];

            #[inline(always)]
            unsafe fn splat(sum: i32) -> Self::Sums {
                // SAFETY: the CPU has NEON.
                unsafe { [vdupq_n_s32(sum); 4] }
            }

            #[inline(always)]
            unsafe fn multiply_add<const R: usize>(
                sums: &mut [Self::Sums; R],
                line: &Line,
                levels: [*const i8; R],
            ) {
                // SAFETY: the CPU has NEON; a line is 64 bytes in 1..=127, so the same signed; the levels are 4 bytes each.
                unsafe {
                    let line = line.0.as_ptr().cast::<i8>();
                    let line: [int8x16_t; 4] = std::array::from_fn(|n| vld1q_s8(line.add(16 * n)));
                    for r in 0..R {
                        let level = vdupq_n_s32(levels[r].cast::<i32>().read_unaligned());
                        let level = vreinterpretq_s8_s32(level);
                        for (sum, line) in sums[r].iter_mut().zip(line) {
                            *sum = <$kernel as Fours>::multiply_add(*sum, line, level);
                        }
                    }
                }
            }

            #[inline(always)]
            unsafe fn finish(
                sums: Self::Sums,
                scale: f32,
                scales: *const f32,
                out: *mut f32,
                add: bool,
            ) {
                // SAFETY: the CPU has NEON; `scales` and `out` are 16 values each.
                unsafe {
                    for (n, sums) in sums.into_iter().enumerate() {
                        let (scales, out) = (scales.add(4 * n), out.add(4 * n));
                        let factor = vmulq_f32(vdupq_n_f32(scale), vld1q_f32(scales));
                        let mut y = vmulq_f32(vcvtq_f32_s32(sums), factor);
                        if add {
                            y = vaddq_f32(vld1q_f32(out), y);
                        }
                        vst1q_f32(out, y);
                    }
                }
            }
        }

        impl Singly for $kernel {
            #[inline(always)]
            unsafe fn dots(query: &[i8; HEAD], panel: &Panel) -> [i32; POSITIONS] {
                // SAFETY: the CPU has NEON; a panel's keys are 16 lines of 64 bytes, the query 16 groups of 4.
                unsafe {
                    let mut sums = [vdupq_n_s32(0); 4];
                    let keys = panel.keys.as_ptr().cast::<i8>();
                    let query = query.as_ptr().cast::<i32>();
                    for quad in 0..HEAD / 4 {
                        let q = vreinterpretq_s8_s32(vdupq_n_s32(query.add(quad).read_unaligned()));
                        for (n, sum) in sums.iter_mut().enumerate() {
                            let key = vld1q_s8(keys.add(64 * quad + 16 * n));
                            *sum = <$kernel as Fours>::multiply_add(*sum, key, q);
                        }
                    }
                    std::mem::transmute(sums)
                }
            }

            #[inline(always)]
            unsafe fn weigh_one(weights: &[[i16; POSITIONS]], panels: &[Panel]) -> [i32; HEAD] {
                // SAFETY: the CPU has NEON; a panel's values are 8 pairs of positions with 128 bytes each, its weights 8 pairs.
                unsafe {
                    let mut sums = [vdupq_n_s32(0); HEAD / 4];
                    for (weights, panel) in weights.iter().zip(panels) {
                        let weights = weights.as_ptr().cast::<i32>();
                        let values = panel.values.as_ptr().cast::<i8>();
                        for pair in 0..POSITIONS / 2 {
                            let weight = vdupq_n_s32(weights.add(pair).read_unaligned());
                            let weight = vreinterpretq_s16_s32(weight);
                            for (four, sum) in sums.iter_mut().enumerate() {
                                let value = vmovl_s8(vld1_s8(values.add(128 * pair + 8 * four)));
                                let low = vmull_s16(vget_low_s16(value), vget_low_s16(weight));
                                let high = vmull_high_s16(value, weight);
                                *sum = vaddq_s32(*sum, vpaddq_s32(low, high));
                            }
                        }
                    }
                    std::mem::transmute(sums)
                }
            }
        }
    };
}

neon_kernel!(Neon);
neon_kernel!(NeonDot);
