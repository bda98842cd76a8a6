//! The arithmetic, operation by operation.
//!
//! All operations are single `f32` operations of IEEE 754, rounded to nearest even. Changing any of them, or their order,
//! changes compressed files.
//!
//! - **Sum of a vector**: 16 accumulators from 0, element `i` added to accumulator `i mod 16` in ascending order; then `a[i] + a[i + 8]`
//!   for `i < 8`, and likewise for 4, 2, 1.
//! - **Quantise** `x`: `m = max |xᵢ|` (NaN passed over). If `10⁻³⁰ < m < 10³⁰` then `qᵢ = rint(xᵢ · (127 / m))` and `s = m / 127`; else all
//!   `qᵢ` are 0 and `s = 0`. Where the vector is to be RMS-normalised, `s = (m / 127) · r` with `r = 1 / √(Σxᵢ² / n + 10⁻⁶)`: the norm is
//!   in the scale alone.
//! - **Product** with a matrix: `yₙ = (f32)(Σ qᵢ wₙᵢ) · (s · scaleₙ)`.
//! - **Embedding**: `xᵢ = (f32)weight · scale`, then `xᵢ · r`; it is kept as `e`. **Mix**: `xᵢ = mix₀ · xᵢ + mix₁ · eᵢ`.
//!   **Residual**: `xᵢ = xᵢ + yᵢ`. **Squared ReLU**: `uᵢ² ` where `uᵢ > 0`, else 0.
//! - **Head** (64 values): queries and keys have `r` of their own and are rotated in pairs `(a, b) = (i, i + R/2)` to
//!   `(a·c - b·s, a·s + b·c)`, with `c = cos[(mᵢ · t) mod P]` and `s = cos[(mᵢ · t - P/4) mod P]` from the file's table, before they are quantised;
//!   a query's `r` is multiplied by `gain · (log₂e / 8)`. Values are quantised as they are.
//! - **Attention**, per query head over positions `j` in the window: score `(f32)(q · kⱼ) · (s_q · s_kⱼ)` in bits; `eⱼ = exp2(scoreⱼ - max)`;
//!   `S = Σ eⱼ` with `j mod 16` in place of `i mod 16`; `v = max s_vⱼ` over the window; `wⱼ = rint((eⱼ · s_vⱼ) · (16384 / (S · v)))`;
//!   result `(f32)(Σ wⱼ vⱼ) · (v / 16384)`, or 0 unless `v > 10⁻³⁰`.
//! - **Last state**: `xᵢ = xᵢ · r - offsetᵢ`, quantised.
//! - **Weights** of groups, or of the tokens of a group, from their logits: `lᵢ = biasᵢ · log₂e + (f32)acc · ((s · log₂e) · scaleᵢ)` in
//!   bits; `eᵢ = exp2(lᵢ - max)`; `S = Σ eᵢ` (tokens: with the id modulo 16 as accumulator); `wᵢ = 1 + trunc(eᵢ · (2³⁰ / S))`.
//! - **exp2**: [`exp2`].

use std::hint::black_box;
use std::ops::Range;

/// Largest activation.
pub(crate) const MAX_ACTIVATION: f32 = 127.0;
/// log₂ e, rounded to f32.
pub(crate) const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// Added and taken away again, it rounds an `f32` of size below 2²² to the nearest whole number, ties to even; while it is
/// added, the low bits of the sum are that number in two's complement.
const ROUND: f32 = 12_582_912.0;
/// Vectors whose largest element is outside of these are taken as zero: beyond them there is nothing but a broken model.
const SMALL: f32 = 1e-30;
const LARGE: f32 = 1e30;
const EPSILON: f32 = 1e-6;

/// A vector's scale and the sum of its quantised elements.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Quantised {
    pub scale: f32,
    pub sum: i32,
}

/// 2ˣ for `x` in −100…0 with a relative error below 5·10⁻⁷ (measured in this module's tests); below −100, 2⁻¹⁰⁰; exact for whole `x`.
///
/// `n = rint(x)`, `f = x - n`, then a polynomial of degree 5 in `f` by Horner's rule (minimax for the relative error on −½…½ with
/// p(0) = 1, found with the Remez exchange), and `n` added to the exponent.
///
/// ```
/// assert_eq!(vatic_transformer::numerics::exp2(-3.0), 0.125);
/// ```
#[inline(always)]
pub fn exp2(x: f32) -> f32 {
    // Both comparisons are false for NaN, which so becomes a number.
    let x = if x > -100.0 { x } else { -100.0 };
    let x = if x < 0.0 { x } else { 0.0 };
    let shifted = x + ROUND;
    let f = x - (shifted - ROUND);
    let mut p = f32::from_bits(0x3a91_d2f7);
    p = p * f + f32::from_bits(0x3c1e_5f54);
    p = p * f + f32::from_bits(0x3d63_a191);
    p = p * f + f32::from_bits(0x3e75_fd27);
    p = p * f + f32::from_bits(0x3f31_71cf);
    p = p * f + 1.0;
    f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// The larger one; `a` if `b` is NaN.
#[inline(always)]
pub(crate) fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// `rint(x)` in the low bits, for `|x|` below 2²².
#[inline(always)]
pub(crate) fn rint_bits(x: f32) -> u32 {
    (x + ROUND).to_bits()
}

/// Folds 16 accumulators to their sum in the fixed order.
#[inline(always)]
pub(crate) fn fold(lanes: [f32; 16]) -> f32 {
    fold_with(lanes, |a, b| a + b)
}

/// The largest of 16.
#[inline(always)]
pub(crate) fn fold_max(lanes: [f32; 16]) -> f32 {
    fold_with(lanes, larger)
}

/// Halves by constant numbers, which compilers turn into a few vector instructions; a loop over the halves they do not.
#[inline(always)]
fn fold_with(lanes: [f32; 16], join: impl Fn(f32, f32) -> f32) -> f32 {
    // Through memory, so that what fills the lanes is compiled with whole vectors: what follows would have it in pieces.
    let lanes = black_box(lanes);
    let mut eight = [0f32; 8];
    for i in 0..8 {
        eight[i] = join(lanes[i], lanes[i + 8]);
    }
    let mut four = [0f32; 4];
    for i in 0..4 {
        four[i] = join(eight[i], eight[i + 4]);
    }
    join(join(four[0], four[2]), join(four[1], four[3]))
}

#[inline(always)]
pub(crate) fn chunks<T>(x: &[T]) -> &[[T; 16]] {
    x.as_chunks::<16>().0
}

/// `1 / √(mean x² + 10⁻⁶)`; the length is a multiple of 16.
#[inline(always)]
pub(crate) fn inverse_rms(x: &[f32]) -> f32 {
    let mut squares = [0f32; 16];
    for chunk in chunks(x) {
        for i in 0..16 {
            squares[i] += chunk[i] * chunk[i];
        }
    }
    1.0 / (fold(squares) / x.len() as f32 + EPSILON).sqrt()
}

// Loops over whole vectors without accumulators, and loops that only fill 16 accumulators: compilers turn both into vector
// instructions, but seldom a mixture.

/// The largest of some chunks, for each lane, and of `least`; NaN is passed over, wherever it is.
#[inline(always)]
pub(crate) fn largest(
    chunks: &[[f32; 16]],
    least: f32,
    of: impl Fn(f32) -> f32 + Copy,
) -> [f32; 16] {
    // Four accumulators, so that not each chunk has to wait for the one before. They are never NaN; two chunks compared with each other
    // would hide one behind the other's NaN.
    let [mut a, mut b, mut c, mut d] = [[least; 16]; 4];
    let (fours, rest) = chunks.as_chunks::<4>();
    for four in fours {
        for i in 0..16 {
            a[i] = larger(a[i], of(four[0][i]));
            b[i] = larger(b[i], of(four[1][i]));
            c[i] = larger(c[i], of(four[2][i]));
            d[i] = larger(d[i], of(four[3][i]));
        }
    }
    for chunk in rest {
        for i in 0..16 {
            a[i] = larger(a[i], of(chunk[i]));
        }
    }
    for i in 0..16 {
        a[i] = larger(larger(a[i], b[i]), larger(c[i], d[i]));
    }
    a
}

/// Quantises a vector whose length is a multiple of 16; the scale is multiplied by `factor`.
#[inline(always)]
pub(crate) fn quantise(x: &[f32], factor: f32, q: &mut [i8]) -> Quantised {
    let m = fold_max(largest(chunks(x), 0.0, f32::abs));
    let sane = m > SMALL && m < LARGE;
    let inverse = if sane { MAX_ACTIVATION / m } else { 0.0 };
    let scale = if sane {
        m / MAX_ACTIVATION * factor
    } else {
        0.0
    };
    for (to, x) in q.iter_mut().zip(x) {
        *to = rint_bits(x * inverse) as i8;
    }
    Quantised {
        scale,
        sum: q.iter().map(|&level| i32::from(level)).sum(),
    }
}

/// [`quantise`] with the RMS norm in the scale.
#[inline(always)]
pub(crate) fn norm_quantise(x: &[f32], q: &mut [i8]) -> Quantised {
    quantise(x, inverse_rms(x), q)
}

#[inline(always)]
pub(crate) fn normalise(x: &mut [f32]) {
    let r = inverse_rms(x);
    for value in x {
        *value *= r;
    }
}

#[inline(always)]
pub(crate) fn mix(x: &mut [f32], e: &[f32], [keep, add]: [f32; 2]) {
    for (x, e) in x.iter_mut().zip(e) {
        *x = keep * *x + add * *e;
    }
}

#[inline(always)]
pub(crate) fn relu2(u: &mut [f32]) {
    for u in u {
        let positive = if *u > 0.0 { *u } else { 0.0 };
        *u = positive * positive;
    }
}

/// Rotates the pairs `(i, i + half)` of a head.
#[inline(always)]
pub(crate) fn rotate(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    let (low, rest) = head.split_at_mut(cos.len());
    for (((a, b), c), s) in low.iter_mut().zip(rest).zip(cos).zip(sin) {
        let (x, y) = (*a, *b);
        *a = x * c - y * s;
        *b = x * s + y * c;
    }
}

/// From scores in bits (logarithms to base 2), given as the representation of an `f32` each, to whole weights whose sum is about
/// 2³⁰, each at least 1; in place. Those outside `seen` do not count.
#[inline(always)]
pub(crate) fn weights(weights: &mut [u32], seen: Range<usize>) {
    let scores: &mut [f32] = bytemuck::cast_slice_mut(weights);
    scores[..seen.start].fill(f32::MIN);
    scores[seen.end..].fill(f32::MIN);
    let max = fold_max(largest(chunks(scores), f32::MIN, |score| score));
    for score in scores.iter_mut() {
        *score = exp2(*score - max);
    }
    scores[..seen.start].fill(0.0);
    scores[seen.end..].fill(0.0);
    let mut sums = [0f32; 16];
    for chunk in chunks(scores) {
        for i in 0..16 {
            sums[i] += chunk[i];
        }
    }
    // The largest term is 1, so this changes nothing unless all scores are NaN.
    let unit = (1u32 << 30) as f32 / larger(1.0, fold(sums));
    for to in weights {
        let weight = f32::from_bits(*to) * unit;
        // SAFETY: exp2 is in 0..=1, whatever its argument, and `unit` in 0..=2³⁰, so their product is a number in 0..=2³⁰. (The
        // checked conversion takes as long as all the rest.)
        *to = 1 + unsafe { weight.to_int_unchecked::<i32>() } as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp2_is_within_its_error_and_exact_for_whole_numbers() {
        let mut worst = 0f64;
        let step = if cfg!(miri) { 9_973 } else { 1 };
        for k in (0..=1_000_000u32).step_by(step) {
            let x = -100.0 * (k as f32 / 1e6);
            let exact = f64::from(x).exp2();
            worst = worst.max((f64::from(exp2(x)) / exact - 1.0).abs());
        }
        assert!(worst < 5e-7, "relative error {worst:e}");
        for n in 0..=100u32 {
            let exact = f32::from_bits((127 - n) << 23);
            assert_eq!(exp2(-(n as f32)), exact);
        }
        assert_eq!(exp2(-1e30), exp2(-100.0));
        assert_eq!(exp2(f32::NEG_INFINITY), exp2(-100.0));
        assert_eq!(exp2(f32::NAN), exp2(-100.0));
        assert_eq!(exp2(f32::INFINITY), 1.0);
    }

    #[test]
    fn rounding_is_to_nearest_even() {
        for (x, n) in [
            (0.5, 0),
            (1.5, 2),
            (2.5, 2),
            (-0.5, 0),
            (-1.5, -2),
            (126.5, 126),
            (-126.51, -127),
            (0.49999997, 0),
        ] {
            assert_eq!(rint_bits(x) as i8, n, "{x}");
        }
    }

    #[test]
    fn broken_vectors_become_zero() {
        let mut q = [1i8; 16];
        for broken in [f32::INFINITY, 1e31, 1e-31, 0.0] {
            let result = quantise(&[broken; 16], 1.0, &mut q);
            assert_eq!((result.scale, result.sum, q), (0.0, 0, [0; 16]));
        }
        let mut x = [f32::NAN; 16];
        x[3] = -2.0;
        let result = quantise(&x, 1.0, &mut q);
        assert_eq!((result.sum, q[3]), (-127, -127));
    }

    #[test]
    fn maxima_pass_over_nan_wherever_it_is() {
        for length in [16, 64, 80, 144] {
            for broken in 0..length {
                let mut x: Vec<f32> = (0..length).map(|n| (n * 7 % length) as f32).collect();
                x[broken] = f32::NAN;
                let expected = x.iter().copied().fold(0.0, f32::max);
                assert_eq!(fold_max(largest(chunks(&x), 0.0, f32::abs)), expected);
            }
            let x = vec![f32::NAN; length];
            assert_eq!(fold_max(largest(chunks(&x), -2.0, |x| x)), -2.0);
        }
    }

    #[test]
    fn weights_add_up_and_none_is_zero() {
        let mut scores: Vec<u32> = (0..8192).map(|n| (-(n as f32) * 0.01).to_bits()).collect();
        weights(&mut scores, 0..8192);
        let weights = scores;
        let sum: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
        assert!(weights.iter().all(|&weight| weight >= 1));
        assert!(sum.abs_diff(1 << 30) < 20_000, "{sum}");
    }

    #[test]
    fn weights_without_sense_are_weights() {
        let mut scores = [f32::NAN.to_bits(); 16];
        weights(&mut scores, 0..16);
        assert!(scores.iter().all(|&weight| weight >= 1));
    }

    #[test]
    fn what_is_outside_does_not_count() {
        let scores: Vec<u32> = (0..48).map(|n| (n as f32).to_bits()).collect();
        let mut part = scores.clone();
        weights(&mut part, 5..20);
        // The same scores at the same places modulo 16, alone.
        let mut alone = vec![(-1e9f32).to_bits(); 32];
        alone[5..20].copy_from_slice(&scores[5..20]);
        weights(&mut alone, 5..20);
        assert_eq!(part[5..20], alone[5..20]);
        let sum: u32 = part[5..20].iter().sum();
        assert!(sum.abs_diff(1 << 30) < 64, "{sum}");
    }
}
