//! A small model and a fixed text of tokens.
#![allow(dead_code)]

use std::sync::Arc;
use vatic_transformer::{Config, Model, ModelFile};

/// Small, but with every kind of irregularity: groups of heads, windows that are no multiple of 16, a short period.
pub fn config() -> Config {
    Config {
        name: "test".into(),
        vocab: 512,
        groups: 112,
        width: 80,
        layers: 3,
        heads: 4,
        kv_heads: 2,
        hidden: 176,
        windows: vec![16, 37, 100],
        rope_dims: 32,
        rope_period: 128,
        ..Config::default()
    }
}

/// What the random weights are drawn from.
pub const SEED: u64 = 7;

pub fn model() -> Arc<Model> {
    let bytes = ModelFile::random(&config(), SEED).to_bytes().unwrap();
    Arc::new(Model::from_bytes(&bytes).unwrap())
}

/// Tokens with repetitions, beginning with 0.
pub fn tokens(count: usize) -> Vec<u16> {
    let mut state = 12345u32;
    let mut tokens = vec![0u16];
    while tokens.len() < count {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let again = tokens.len() > 20 && state >> 30 == 0;
        tokens.push(if again {
            tokens[tokens.len() - 17]
        } else {
            (state >> 23) as u16
        });
    }
    tokens
}
