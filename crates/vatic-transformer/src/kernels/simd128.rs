//! WebAssembly's vectors of 128 bits, which every browser has had since 2023: `i32x4.dot_i16x8_s`, exact for any two bytes.

use super::{Activations, Linear, define_kernel, tile};
use crate::attention::Singly;
use crate::cache::{HEAD, POSITIONS, Panel};
use crate::packed::{Line, Packed};
use std::arch::wasm32::*;
use std::ops::Range;

define_kernel!(Simd128, "simd128", []);

impl Simd128 {
    /// The kernel: a module that uses such instructions is not loaded where there are none.
    pub fn get() -> &'static Simd128 {
        &Simd128 { _private: () }
    }
}

/// Sixteen sums of four products each, as two halves of each sum side by side: they need not be added before the end.
type Halves = [v128; 8];

/// Adds the products of 16 times four bytes with the same four, which stand twice in `fours` as i16.
///
/// # Safety
/// There are 64 bytes at `line`.
#[inline(always)]
unsafe fn multiply_add(sums: &mut Halves, line: *const v128, fours: v128) {
    for (n, sums) in sums.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        let bytes = unsafe { v128_load(line.add(n)) };
        let (low, high) = (
            i16x8_extend_low_i8x16(bytes),
            i16x8_extend_high_i8x16(bytes),
        );
        sums[0] = i32x4_add(sums[0], i32x4_dot_i16x8(low, fours));
        sums[1] = i32x4_add(sums[1], i32x4_dot_i16x8(high, fours));
    }
}

/// Four bytes, twice, as i16.
///
/// # Safety
/// There are four bytes at `bytes`.
#[inline(always)]
unsafe fn fours(bytes: *const i8) -> v128 {
    // SAFETY: the caller's promise; no alignment is asked for.
    i16x8_extend_low_i8x16(unsafe { v128_load32_splat(bytes.cast()) })
}

/// Sums from their halves.
#[inline(always)]
fn whole(halves: Halves) -> [v128; 4] {
    let pairs = halves.as_chunks::<2>().0;
    std::array::from_fn(|n| {
        let [a, b] = pairs[n];
        i32x4_add(
            i32x4_shuffle::<0, 2, 4, 6>(a, b),
            i32x4_shuffle::<1, 3, 5, 7>(a, b),
        )
    })
}

impl Linear for Simd128 {
    #[inline(always)]
    unsafe fn linear(
        x: &Activations,
        weights: &Packed,
        panels: Range<usize>,
        out: &mut [f32],
        add: bool,
    ) {
        // SAFETY: the caller's promise.
        unsafe { tile::linear::<Simd128, 2, 1>(x, weights, panels, out, add) }
    }
}

impl tile::Tile for Simd128 {
    type Sums = Halves;

    #[inline(always)]
    unsafe fn splat(sum: i32) -> Self::Sums {
        [i32x4(sum, 0, sum, 0); 8]
    }

    #[inline(always)]
    unsafe fn multiply_add<const R: usize>(
        sums: &mut [Self::Sums; R],
        line: &Line,
        levels: [*const i8; R],
    ) {
        let line = line.0.as_ptr().cast::<v128>();
        for r in 0..R {
            // SAFETY: a line is 64 bytes in 1..=127, so the same signed; the levels are 4 bytes each.
            unsafe { multiply_add(&mut sums[r], line, fours(levels[r])) };
        }
    }

    #[inline(always)]
    unsafe fn finish(sums: Self::Sums, scale: f32, scales: *const f32, out: *mut f32, add: bool) {
        // SAFETY: `scales` and `out` are 16 values each.
        unsafe {
            let (scales, out) = (scales.cast::<v128>(), out.cast::<v128>());
            for (n, sums) in whole(sums).into_iter().enumerate() {
                let factor = f32x4_mul(f32x4_splat(scale), v128_load(scales.add(n)));
                let mut y = f32x4_mul(f32x4_convert_i32x4(sums), factor);
                if add {
                    y = f32x4_add(v128_load(out.add(n)), y);
                }
                v128_store(out.add(n), y);
            }
        }
    }
}

impl Singly for Simd128 {
    #[inline(always)]
    unsafe fn dots(query: &[i8; HEAD], panel: &Panel) -> [i32; POSITIONS] {
        let mut sums = [i32x4_splat(0); 8];
        for (quad, query) in query.as_chunks::<4>().0.iter().enumerate() {
            let keys = panel.keys[quad].as_ptr().cast::<v128>();
            // SAFETY: four bytes of a query, and the 64 that 16 positions have for them.
            unsafe { multiply_add(&mut sums, keys, fours(query.as_ptr())) };
        }
        // SAFETY: four vectors have the size and every bit pattern of sixteen numbers.
        unsafe { std::mem::transmute(whole(sums)) }
    }

    #[inline(always)]
    unsafe fn weigh_one(weights: &[[i16; POSITIONS]], panels: &[Panel]) -> [i32; HEAD] {
        let mut out = [[i32x4_splat(0); HEAD / 8]; 2];
        // Half of the dimensions at a time, so that their sums stay in registers.
        for (half, sums) in out.iter_mut().enumerate() {
            for (weights, panel) in weights.iter().zip(panels) {
                for (pair, weights) in weights.as_chunks::<2>().0.iter().enumerate() {
                    let values = panel.values[pair].as_ptr().cast::<v128>();
                    // SAFETY: a pair of weights, and the 128 bytes of two positions' values, of which this is a half.
                    unsafe {
                        let weight = v128_load32_splat(weights.as_ptr().cast());
                        for (n, sums) in sums.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                            let bytes = v128_load(values.add(4 * half + n));
                            let low = i16x8_extend_low_i8x16(bytes);
                            let high = i16x8_extend_high_i8x16(bytes);
                            sums[0] = i32x4_add(sums[0], i32x4_dot_i16x8(low, weight));
                            sums[1] = i32x4_add(sums[1], i32x4_dot_i16x8(high, weight));
                        }
                    }
                }
            }
        }
        // SAFETY: sixteen vectors have the size and every bit pattern of 64 numbers.
        unsafe { std::mem::transmute(out) }
    }
}
