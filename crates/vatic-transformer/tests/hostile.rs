//! Model files that are broken, by chance or on purpose: an error, never a panic.

mod common;

use common::config;
use proptest::prelude::*;
use std::sync::{Arc, OnceLock};
use vatic_transformer::{Config, Error, Leaves, Model, ModelFile, Session};

fn good() -> &'static [u8] {
    static GOOD: OnceLock<Vec<u8>> = OnceLock::new();
    GOOD.get_or_init(|| {
        let config = Config {
            vocab: 256,
            groups: 32,
            width: 16,
            layers: 1,
            hidden: 16,
            windows: vec![4],
            heads: 1,
            kv_heads: 1,
            ..config()
        };
        ModelFile::random(&config, 3).to_bytes().unwrap()
    })
}

/// Whatever passes the check can be run.
fn try_out(bytes: &[u8]) -> Result<(), Error> {
    let model = Arc::new(Model::from_bytes(bytes)?);
    let mut session = Session::new(&model, 1, 8)?;
    let mut leaves = Leaves::new(&model)?;
    session.keep_scores(true);
    session.prefill(0, &[0, 1, 2, 3, 4, 5, 6, 7])?;
    session.prefill(0, &[8, 9, 255])?;
    for row in 0..3 {
        let sane = |weights: &[u32]| {
            let sum: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
            sum <= 1 << 31 && weights.iter().all(|&weight| weight >= 1)
        };
        let predictions = session.predictions();
        assert!(sane(predictions.groups(row)));
        for group in 0..model.group_starts().len() {
            assert!(sane(leaves.weights(predictions, row, group)));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn flipped_bytes(places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20), in_header: bool) {
        let mut bytes = good().to_vec();
        let length = if in_header { 3000 } else { bytes.len() };
        for (place, value) in places {
            bytes[place.index(length)] = value;
        }
        let _ = try_out(&bytes);
    }

    #[test]
    fn truncated(length in any::<prop::sample::Index>()) {
        let length = length.index(good().len());
        prop_assert!(Model::from_bytes(&good()[..length]).is_err());
    }

    #[test]
    fn garbage(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Model::from_bytes(&bytes).is_err());
    }

    #[test]
    fn header_of_any_length(length: u64, rest in prop::collection::vec(any::<u8>(), 0..300)) {
        let bytes = [&length.to_le_bytes()[..], &rest].concat();
        prop_assert!(Model::from_bytes(&bytes).is_err());
    }

    #[test]
    fn numbers_of_any_size(scale in 0f32..1e6, gain in -1e6f32..1e6, mix in -1e6f32..1e6, turns: i32) {
        let mut file = ModelFile::from_bytes(good()).unwrap();
        for layer in &mut file.layers {
            for matrix in [&mut layer.qkv, &mut layer.out, &mut layer.up, &mut layer.down] {
                matrix.scale.fill(scale);
            }
            layer.gain.fill(gain);
            layer.mix = [mix, mix];
        }
        file.rope_freq.fill(turns);
        try_out(&file.to_bytes().unwrap()).unwrap();
    }
}

fn refused(change: impl FnOnce(&mut ModelFile)) -> String {
    let mut file = ModelFile::from_bytes(good()).unwrap();
    change(&mut file);
    file.to_bytes().unwrap_err().to_string()
}

#[test]
fn errors_say_what_is_wrong() {
    for (message, says) in [
        (
            refused(|file| file.embed.weight[5] = 64),
            "embed.weight holds values outside -63..=63",
        ),
        (
            refused(|file| file.embed.weight[5] = -128),
            "embed.weight holds values outside -63..=63",
        ),
        (
            refused(|file| file.head_bias[3] = 2e6),
            "head.bias holds values that are not finite or beyond",
        ),
        (
            refused(|file| file.offset.truncate(7)),
            "head.offset has shape [7]; it must be [16]",
        ),
        (
            refused(|file| file.layers[0].up.scale[1] = f32::NAN),
            "layers.0.up.scale holds values that are not finite",
        ),
        (
            refused(|file| file.layers[0].up.scale[1] = -1.0),
            "layers.0.up.scale holds negative values",
        ),
        (
            refused(|file| file.layers[0].gain[0] = f32::INFINITY),
            "layers.0.gain holds values that are not finite",
        ),
        (
            refused(|file| file.tree_counts[9] = 0),
            "tree.counts holds a 0",
        ),
        (
            refused(|file| file.tokens[9].clear()),
            "tokenizer.lengths holds a 0",
        ),
        (
            refused(|file| file.rope_cos[0] = 1.5),
            "rope.cos holds values outside",
        ),
        (
            refused(|file| {
                file.layers.pop();
            }),
            "layers.0.mix is missing",
        ),
        (
            refused(|file| file.layers.push(file.layers[0].clone())),
            "of which no model has",
        ),
        (
            refused(|file| file.config.hidden = 32),
            "layers.0.up.scale has shape [16]; it must be [32]",
        ),
        (
            refused(|file| file.config.format = 4),
            "format 4, and this version reads format 3",
        ),
        (
            refused(|file| file.config.windows = vec![500]),
            "windows is 500; it must be at most rope_period",
        ),
        (refused(|file| file.config.heads = 0), "heads is 0"),
        (
            refused(|file| file.config.groups = 272),
            "groups is 272; it must be a multiple of 16 in 16..=vocab",
        ),
        (
            refused(|file| file.starts[3] = file.starts[4]),
            "head.starts does not divide the tokens into groups",
        ),
        (
            refused(|file| file.starts[31] = 256),
            "head.starts does not divide",
        ),
        (
            refused(|file| file.starts[0] = 1),
            "head.starts does not divide",
        ),
        (
            refused(|file| file.head.weight[0] = 64),
            "head.weight holds values outside -63..=63",
        ),
    ] {
        assert!(message.contains(says), "{message:?} does not say {says:?}");
    }
    let message = Model::from_bytes(b"hello, world")
        .err()
        .unwrap()
        .to_string();
    assert!(
        message.contains("not a model file in the safetensors format"),
        "{message}"
    );
}

#[test]
fn files_are_read_as_they_were_written() {
    let file = ModelFile::from_bytes(good()).unwrap();
    assert_eq!(file.to_bytes().unwrap(), good());
    let model = Model::from_bytes(good()).unwrap();
    assert_eq!(model.id(), *blake3::hash(good()).as_bytes());
    assert_eq!(model.tokens(), file.tokens);
    assert_eq!(model.tree_counts(), file.tree_counts);
    assert_eq!(model.group_starts(), file.starts);
    assert_eq!(model.file_bytes(), good().len());
}
