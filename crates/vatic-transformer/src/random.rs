//! Models with random weights, so that tests and benchmarks need no trained one.

use crate::file::MAX_WEIGHT;
use crate::{Config, Layer, Matrix, ModelFile, rope_cosines};

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In 0..n, for small n.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        ((self.next() >> 32) * n) >> 32
    }

    /// Evenly in 0.5..1.5.
    pub(crate) fn factor(&mut self) -> f32 {
        0.5 + (self.next() >> 40) as f32 / (1 << 24) as f32
    }

    /// Evenly in ±`size`.
    fn values(&mut self, count: usize, size: f32) -> Vec<f32> {
        (0..count)
            .map(|_| 2.0 * size * (self.factor() - 1.0))
            .collect()
    }

    /// Even weights within ±63, scaled so that a row turns values of size 1 into values of about `size`.
    fn matrix(&mut self, rows: usize, columns: usize, size: f32) -> Matrix {
        let weight = (0..rows * columns)
            .map(|_| self.below(2 * MAX_WEIGHT as u64 + 1) as i8 - MAX_WEIGHT)
            .collect();
        let scale = size / (36.4 * (columns as f32).sqrt());
        Matrix {
            weight,
            scale: (0..rows).map(|_| scale * self.factor()).collect(),
        }
    }
}

impl ModelFile {
    /// A valid model of the given shape with random weights; the same shape and seed give the same model on every machine.
    ///
    /// The tokens are the 256 bytes, then pairs of bytes; the groups are of equal size. Whether `config` is valid is found out
    /// by [`ModelFile::to_bytes`].
    pub fn random(config: &Config, seed: u64) -> ModelFile {
        let mut random = Random(seed);
        let (width, heads) = (config.width, config.heads * config.head_dim);
        let layers = (0..config.layers)
            .map(|_| Layer {
                qkv: random.matrix(config.qkv_rows(), width, 1.0),
                out: random.matrix(width, heads, 1.0),
                up: random.matrix(config.hidden, width, 1.0),
                down: random.matrix(width, config.hidden, 0.5),
                gain: (0..config.heads).map(|_| 2.0 * random.factor()).collect(),
                mix: [random.factor(), 0.25 * random.factor()],
            })
            .collect();
        let half = config.rope_dims / 2;
        ModelFile {
            embed: random.matrix(config.vocab, width, 2.0),
            head: random.matrix(config.groups, width, 2.0),
            embed_bias: random.values(config.vocab, 1.0),
            head_bias: random.values(config.groups, 1.0),
            offset: random.values(width, 1.0),
            starts: (0..config.groups)
                .map(|n| (n * config.vocab / config.groups) as u32)
                .collect(),
            layers,
            rope_cos: rope_cosines(config.rope_period),
            rope_freq: (0..half)
                .map(|_| random.below(config.rope_period as u64 / 2) as i32)
                .collect(),
            tokens: (0..config.vocab)
                .map(|n| match n.checked_sub(256) {
                    None => vec![n as u8],
                    Some(pair) => vec![(pair >> 8) as u8, pair as u8],
                })
                .collect(),
            tree_counts: (0..config.vocab)
                .map(|_| 1 + random.below(1000) as u32)
                .collect(),
            config: config.clone(),
        }
    }
}
