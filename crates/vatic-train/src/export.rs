//! The model file that the runtime reads: integers, scales, tables, tokenizer and tree.

use std::path::Path;

use indexmap::IndexMap;
use vatic_transformer::{Layer, Matrix, ModelFile, rope_cosines};

use crate::{Error, Vocabulary, Weights, config::rope_frequencies, data, weights::write_whole};

/// Total of the counts that shape the token tree, about.
const TREE_TOTAL: f64 = 1e7;

/// Makes the model file of `weights`. `counts` tell by id how often each token occurs, at least 1.
///
/// # Errors
///
/// When vocabulary or counts have another size than the model, or the runtime would refuse the file.
pub fn quantise(
    weights: &Weights,
    vocabulary: &Vocabulary,
    counts: &[u32],
) -> Result<ModelFile, Error> {
    let config = weights.config();
    if vocabulary.tokens().len() != config.vocab || counts.len() != config.vocab {
        let found = (vocabulary.tokens().len(), counts.len());
        let reason = format!(
            "{} tokens and {} counts do not fit a model of {}",
            found.0, found.1, config.vocab
        );
        return Err(Error::Weights(reason));
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
        layers: (0..config.layers).map(layer).collect(),
        rope_cos: rope_cosines(config.rope_period),
        rope_freq: rope_frequencies(config),
        tokens: vocabulary.tokens().to_vec(),
        tree_counts: counts.to_vec(),
    })
}

/// Writes the [quantised](quantise()) model file.
///
/// # Errors
///
/// Those of [`quantise()`], and when the file cannot be written.
pub fn export(
    weights: &Weights,
    vocabulary: &Vocabulary,
    counts: &[u32],
    path: &Path,
) -> Result<(), Error> {
    let file = quantise(weights, vocabulary, counts)?;
    let bytes = file.to_bytes().map_err(|e| Error::Runtime(e.to_string()))?;
    write_whole(path, &bytes)
}

/// How often each token occurs in ten million tokens of the domain mix, at least once.
///
/// # Errors
///
/// When a domain's token file in `folder` cannot be read, is empty, or holds other tokens.
pub fn token_counts(
    folder: &Path,
    domains: &IndexMap<String, f64>,
    vocab: usize,
) -> Result<Vec<u32>, Error> {
    let mut mix = vec![0.0f64; vocab];
    for (domain, weight) in domains {
        let path = folder.join(format!("{domain}.bin"));
        let ids = data::read_tokens(&path, usize::MAX / 2, vocab)?;
        if ids.is_empty() {
            return Err(Error::file(&path, "there are no tokens in it"));
        }
        let mut counts = vec![0u64; vocab];
        ids.iter().for_each(|id| counts[usize::from(*id)] += 1);
        let each = weight / ids.len() as f64;
        mix.iter_mut()
            .zip(counts)
            .for_each(|(sum, count)| *sum += count as f64 * each);
    }
    let total: f64 = mix.iter().sum();
    Ok(mix
        .iter()
        .map(|part| ((part * TREE_TOTAL / total).round_ties_even() as u32).max(1))
        .collect())
}
