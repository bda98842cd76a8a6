//! Rounding to few levels: simulated while training, and for good when a model is exported.
//!
//! The scheme is the runtime's: weights lie within ±63 with a scale per output row (so that two u8 × i8 products fit in
//! 16 bits on CPUs without VNNI), activations within ±127 with a scale per vector. While training, the rounded values
//! take part in the forward pass and gradients pass as if nothing were rounded: the straight-through estimator of Bengio,
//! Léonard & Courville, "Estimating or Propagating Gradients Through Stochastic Neurons" (2013).

use burn::tensor::Tensor;

/// Largest magnitude of an integer weight.
pub const WEIGHT_LEVELS: f32 = 63.0;
/// Largest magnitude of an integer activation.
pub const ACTIVATION_LEVELS: f32 = 127.0;

const SMALLEST: f32 = 1e-12;

/// `x` rounded to `levels` steps either side of zero, scaled by its largest magnitude along the last dimension.
pub(crate) fn simulate<const D: usize>(x: Tensor<D>, levels: f32) -> Tensor<D> {
    let fixed = x.clone().detach();
    let scale = fixed
        .clone()
        .abs()
        .max_dim(D - 1)
        .clamp_min(SMALLEST)
        .div_scalar(levels);
    let rounded = fixed
        .clone()
        .div(scale.clone())
        .round()
        .clamp(-levels, levels)
        .mul(scale);
    x + (rounded - fixed)
}

/// The rows of `weights`, each `width` long, as integers within ±63 and a scale per row.
pub(crate) fn rows(weights: &[f32], width: usize) -> (Vec<i8>, Vec<f32>) {
    let mut levels = Vec::with_capacity(weights.len());
    let mut scales = Vec::new();
    for row in weights.chunks_exact(width) {
        let scale = row.iter().fold(0.0f32, |largest, w| largest.max(w.abs())) / WEIGHT_LEVELS;
        let step = scale.max(SMALLEST);
        let level = |w: &f32| {
            (w / step)
                .round_ties_even()
                .clamp(-WEIGHT_LEVELS, WEIGHT_LEVELS) as i8
        };
        levels.extend(row.iter().map(level));
        scales.push(scale);
    }
    (levels, scales)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_largest_value_and_zeros_stay() {
        let (levels, scales) = rows(&[0.0, -6.3, 0.04, 0.16, 0.0, 0.0, 0.0, 0.0], 4);
        assert_eq!(levels, [0, -63, 0, 2, 0, 0, 0, 0]);
        assert!((scales[0] - 0.1).abs() < 1e-6 && scales[1] == 0.0);
    }
}
