//! The model file that the runtime reads: integers, scales, tables, tokenizer and tree.

use std::path::Path;

use vatic_transformer::{Layer, Matrix, ModelFile, rope_cosines};

use crate::{Error, Vocabulary, Weights, config::rope_frequencies, weights::write_whole};

/// Makes the model file of `weights`.
///
/// # Errors
///
/// When the vocabulary has another size than the model.
pub fn quantise(weights: &Weights, vocabulary: &Vocabulary) -> Result<ModelFile, Error> {
    let config = weights.config();
    let found = vocabulary.tokens().len();
    if found != config.vocab {
        return Err(Error::Weights(format!(
            "a vocabulary of {found} tokens does not fit a model of {}",
            config.vocab
        )));
    }
    let matrix = |name: &str| {
        let tensor = weights.get(name);
        let (weight, scale) = crate::quantise::rows(&tensor.values, tensor.shape[1]);
        Matrix { weight, scale }
    };
    let layer = |n: usize| {
        let part = |part: &str| matrix(&format!("layers.{n}.{part}.weight"));
        let mix = &weights.get(&format!("layers.{n}.mix")).values;
        Layer {
            qkv: part("qkv"),
            out: part("out"),
            up: part("up"),
            down: part("down"),
            gain: weights.get(&format!("layers.{n}.gain")).values.clone(),
            mix: [mix[0], mix[1]],
        }
    };
    Ok(ModelFile {
        config: config.clone(),
        embed: matrix("embed.weight"),
        head: matrix("head.weight"),
        embed_bias: weights.get("embed.bias").values.clone(),
        head_bias: weights.get("head.bias").values.clone(),
        offset: weights.get("head.offset").values.clone(),
        starts: weights.groups().starts(),
        layers: (0..config.layers).map(layer).collect(),
        rope_cos: rope_cosines(config.rope_period),
        rope_freq: rope_frequencies(config),
        tokens: vocabulary.tokens().to_vec(),
        tree_counts: weights.groups().counts().to_vec(),
    })
}

/// Writes the [quantised](quantise()) model file.
///
/// # Errors
///
/// Those of [`quantise()`], and when the runtime refuses the file or it cannot be written.
pub fn export(weights: &Weights, vocabulary: &Vocabulary, path: &Path) -> Result<(), Error> {
    let file = quantise(weights, vocabulary)?;
    let bytes = file.to_bytes().map_err(|e| Error::Runtime(e.to_string()))?;
    write_whole(path, &bytes)
}
