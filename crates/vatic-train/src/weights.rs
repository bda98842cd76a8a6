//! A model's float weights by the names of the model file, and the files they come from.

use std::{collections::BTreeMap, collections::HashMap, fs, path::Path};

use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, StandardNormal};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use vatic_transformer::{Config, Matrix, ModelFile};

use crate::{Error, TokenGroups, config};

/// The metadata key of the configuration.
pub(crate) const CONFIG_KEY: &str = "vatic";

/// The gain of a new attention head.
const FIRST_GAIN: f32 = 1.5;
/// The deviation of a new embedding and of a new head.
const EMBEDDING_DEVIATION: f32 = 0.02;

/// A float tensor in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatTensor {
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Its values: as many as the product of the dimensions.
    pub values: Vec<f32>,
}

/// The tensor of a file that has the first token of each group.
const STARTS: &str = "head.starts";
/// The tensor of a file that has how often each token occurs.
const COUNTS: &str = "tree.counts";

/// A configuration, all tensors that it asks for, and the groups of tokens that its head predicts.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    config: Config,
    groups: TokenGroups,
    tensors: BTreeMap<String, FloatTensor>,
}

impl Weights {
    /// Joins a configuration, its groups of tokens and its tensors.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] when there are other groups or tokens than the configuration says, or a tensor is missing,
    /// superfluous or of another shape, or holds what is no number.
    pub fn new(
        config: Config,
        groups: TokenGroups,
        tensors: BTreeMap<String, FloatTensor>,
    ) -> Result<Self, Error> {
        config
            .validate()
            .map_err(|e| Error::Config(e.to_string()))?;
        let (found, wanted) = (
            (groups.number(), groups.counts().len()),
            (config.groups, config.vocab),
        );
        if found != wanted {
            return Err(Error::Weights(format!(
                "there are {} groups of {} tokens instead of {} of {}",
                found.0, found.1, wanted.0, wanted.1
            )));
        }
        let wanted = config::tensors(&config);
        for (name, shape) in &wanted {
            let tensor = tensors
                .get(name)
                .ok_or_else(|| Error::Weights(format!("{name} is missing")))?;
            if tensor.shape != *shape || tensor.values.len() != shape.iter().product::<usize>() {
                let found = &tensor.shape;
                return Err(Error::Weights(format!(
                    "{name} has the shape {found:?} instead of {shape:?}"
                )));
            }
            if tensor.values.iter().any(|value| !value.is_finite()) {
                return Err(Error::Weights(format!(
                    "{name} holds a value that is no number"
                )));
            }
        }
        match tensors
            .keys()
            .find(|name| !wanted.iter().any(|(known, _)| known == *name))
        {
            Some(name) => Err(Error::Weights(format!("{name} has no place in this model"))),
            None => Ok(Self {
                config,
                groups,
                tensors,
            }),
        }
    }

    /// Weights to begin with. Matrices that write into the residual stream start at zero, so that at first every layer
    /// is the identity; the others keep the size of what they are multiplied with.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for an impossible shape, [`Error::Weights`] for other groups than it asks for.
    pub fn random(config: &Config, groups: TokenGroups, seed: u64) -> Result<Self, Error> {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut normal = |count: usize, deviation: f32| -> Vec<f32> {
            (0..count)
                .map(|_| Distribution::<f32>::sample(&StandardNormal, &mut rng) * deviation)
                .collect()
        };
        let spread = 1.0 / (config.width as f32).sqrt();
        let mut tensors = BTreeMap::new();
        for (name, shape) in config::tensors(config) {
            let count = shape.iter().product();
            let kind = name
                .trim_end_matches(".weight")
                .rsplit('.')
                .next()
                .unwrap_or_default();
            let values = match kind {
                "embed" | "head" => normal(count, EMBEDDING_DEVIATION),
                "qkv" | "up" => normal(count, spread),
                "gain" => vec![FIRST_GAIN; count],
                "mix" => vec![1.0, 0.0],
                _ => vec![0.0; count],
            };
            tensors.insert(name, FloatTensor { shape, values });
        }
        Self::new(config.clone(), groups, tensors)
    }

    /// The shape of the model.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The groups of tokens that the head predicts, and the counts that they come from.
    pub fn groups(&self) -> &TokenGroups {
        &self.groups
    }

    /// The tensors by name.
    pub fn tensors(&self) -> &BTreeMap<String, FloatTensor> {
        &self.tensors
    }

    /// The tensor `name`.
    ///
    /// # Panics
    ///
    /// When the configuration has no tensor of that name.
    pub(crate) fn get(&self, name: &str) -> &FloatTensor {
        &self.tensors[name]
    }

    /// Reads a file of float weights, or a model file, whose integers are multiplied by their scales.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or holds no such model.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = fs::read(path).map_err(Error::io(path))?;
        Self::from_bytes(&bytes).map_err(|e| Error::file(path, e))
    }

    /// As [`read`](Self::read), from memory.
    ///
    /// # Errors
    ///
    /// When the bytes hold no such model.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let unreadable = |e: safetensors::SafeTensorError| Error::Weights(e.to_string());
        let file = SafeTensors::deserialize(bytes).map_err(unreadable)?;
        if file.tensor("embed.scale").is_ok() {
            return Self::from_model_file(
                &ModelFile::from_bytes(bytes).map_err(|e| Error::Weights(e.to_string()))?,
            );
        }
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(unreadable)?;
        let metadata = header
            .metadata()
            .as_ref()
            .and_then(|map| map.get(CONFIG_KEY));
        let text = metadata.ok_or_else(|| {
            Error::Weights("there is no vatic configuration in its metadata".into())
        })?;
        let config: Config =
            serde_json::from_str(text).map_err(|e| Error::Config(e.to_string()))?;
        config
            .validate()
            .map_err(|e| Error::Config(e.to_string()))?;
        let (_, counts) = values(&file, COUNTS, Dtype::U32, u32::from_le_bytes)?;
        let (_, starts) = values(&file, STARTS, Dtype::U32, u32::from_le_bytes)?;
        let groups = TokenGroups::new(counts, &starts)?;
        let mut tensors = BTreeMap::new();
        for (name, _) in config::tensors(&config) {
            let (shape, values) = values(&file, &name, Dtype::F32, f32::from_le_bytes)?;
            tensors.insert(name, FloatTensor { shape, values });
        }
        Self::new(config, groups, tensors)
    }

    /// The weights that a model file's integers stand for.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] when its tensors do not fit its configuration.
    pub fn from_model_file(file: &ModelFile) -> Result<Self, Error> {
        let groups = TokenGroups::new(file.tree_counts.clone(), &file.starts)?;
        let mut tensors = BTreeMap::new();
        tensors.insert("embed.weight".to_owned(), dequantised(&file.embed));
        tensors.insert("head.weight".to_owned(), dequantised(&file.head));
        let mut plain = |name: String, values: &[f32]| {
            let (shape, values) = (vec![values.len()], values.to_vec());
            tensors.insert(name, FloatTensor { shape, values });
        };
        plain("embed.bias".into(), &file.embed_bias);
        plain("head.bias".into(), &file.head_bias);
        plain("head.offset".into(), &file.offset);
        for (n, layer) in file.layers.iter().enumerate() {
            plain(format!("layers.{n}.gain"), &layer.gain);
            plain(format!("layers.{n}.mix"), &layer.mix);
        }
        for (n, layer) in file.layers.iter().enumerate() {
            for (part, matrix) in [
                ("qkv", &layer.qkv),
                ("out", &layer.out),
                ("up", &layer.up),
                ("down", &layer.down),
            ] {
                tensors.insert(format!("layers.{n}.{part}.weight"), dequantised(matrix));
            }
        }
        Self::new(file.config.clone(), groups, tensors)
    }

    /// All that a file of these weights holds: names, types, shapes and bytes.
    pub(crate) fn entries(&self) -> Vec<(String, Dtype, Vec<usize>, Vec<u8>)> {
        let words = |values: &[u32]| values.iter().flat_map(|word| word.to_le_bytes()).collect();
        let (starts, counts) = (self.groups.starts(), self.groups.counts());
        let mut entries: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = vec![
            (
                STARTS.into(),
                Dtype::U32,
                vec![starts.len()],
                words(&starts),
            ),
            (COUNTS.into(), Dtype::U32, vec![counts.len()], words(counts)),
        ];
        for (name, FloatTensor { shape, values }) in &self.tensors {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes());
            entries.push((name.clone(), Dtype::F32, shape.clone(), bytes.collect()));
        }
        entries
    }

    /// Writes a file of float weights.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let entries = self.entries();
        let views = entries
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((name.as_str(), view(*dtype, shape, bytes)?)));
        let views = views.collect::<Result<Vec<_>, Error>>()?;
        write_safetensors(
            path,
            views,
            HashMap::from([(CONFIG_KEY.into(), config_json(&self.config)?)]),
        )
    }
}

/// Shape and values of a tensor whose values have four bytes each.
fn values<T>(
    file: &SafeTensors<'_>,
    name: &str,
    dtype: Dtype,
    value: fn([u8; 4]) -> T,
) -> Result<(Vec<usize>, Vec<T>), Error> {
    let view = file
        .tensor(name)
        .map_err(|e| Error::Weights(e.to_string()))?;
    if view.dtype() != dtype {
        let found = view.dtype();
        return Err(Error::Weights(format!(
            "{name} has the type {found:?} instead of {dtype:?}"
        )));
    }
    let values = view
        .data()
        .as_chunks()
        .0
        .iter()
        .map(|bytes| value(*bytes))
        .collect();
    Ok((view.shape().to_vec(), values))
}

fn dequantised(matrix: &Matrix) -> FloatTensor {
    let columns = matrix.weight.len() / matrix.scale.len().max(1);
    let rows = matrix
        .weight
        .chunks_exact(columns.max(1))
        .zip(&matrix.scale);
    let values = rows
        .flat_map(|(row, scale)| row.iter().map(move |&level| f32::from(level) * scale))
        .collect();
    FloatTensor {
        shape: vec![matrix.scale.len(), columns],
        values,
    }
}

/// The configuration as a metadata text.
pub(crate) fn config_json(config: &Config) -> Result<String, Error> {
    serde_json::to_string(config).map_err(|e| Error::Config(e.to_string()))
}

pub(crate) fn view<'a>(
    dtype: Dtype,
    shape: &[usize],
    bytes: &'a [u8],
) -> Result<TensorView<'a>, Error> {
    TensorView::new(dtype, shape.to_vec(), bytes).map_err(|e| Error::Weights(e.to_string()))
}

/// Writes a safetensors file.
pub(crate) fn write_safetensors<N: AsRef<str> + Ord + std::fmt::Display>(
    path: &Path,
    tensors: Vec<(N, TensorView<'_>)>,
    metadata: HashMap<String, String>,
) -> Result<(), Error> {
    let bytes =
        safetensors::serialize(tensors, Some(metadata)).map_err(|e| Error::file(path, e))?;
    write_whole(path, &bytes)
}

/// Writes a file under another name first, so that what is under its own is always whole.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let partial = path.with_extension("partial");
    fs::write(&partial, bytes).map_err(Error::io(&partial))?;
    fs::rename(&partial, path).map_err(Error::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_the_configuration_does_not_ask_for_are_refused() {
        let config = Config {
            vocab: 256,
            groups: 32,
            ..Config::default()
        };
        let random = |tokens, number| {
            let groups = TokenGroups::balanced(vec![1; tokens], number).unwrap();
            Weights::random(&config, groups, 1)
        };
        assert!(random(256, 32).is_ok());
        for (tokens, number) in [(256, 16), (272, 32)] {
            let refused = random(tokens, number).unwrap_err();
            assert!(matches!(refused, Error::Weights(_)), "{refused}");
        }
    }
}
