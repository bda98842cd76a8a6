//! The model file: safetensors, its tensors named and checked.

use crate::{Config, Error};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::HashMap;

/// A matrix in int8 with a scale for each row: `W[row][column] = weight · scale[row]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// `rows × columns` weights within ±63, row by row.
    pub weight: Vec<i8>,
    /// One factor per row, finite and not negative.
    pub scale: Vec<f32>,
}

/// The tensors of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// `(heads + 2 kv_heads)·64 × width`: queries, then keys, then values.
    pub qkv: Matrix,
    /// `width × heads·64`.
    pub out: Matrix,
    /// `hidden × width`.
    pub up: Matrix,
    /// `width × hidden`.
    pub down: Matrix,
    /// Factor of the attention scores of each query head.
    pub gain: Vec<f32>,
    /// What is kept of the residual stream, and what is added of the embedding, at the layer's entry.
    pub mix: [f32; 2],
}

/// The content of a model file: all tensors, not yet packed for a kernel. Written by the trainer, read by [`crate::Model`].
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFile {
    /// The model's shape.
    pub config: Config,
    /// `vocab × width`: the input embedding, and the output for the tokens of a group, at once.
    pub embed: Matrix,
    /// `groups × width`: the output for groups.
    pub head: Matrix,
    /// `vocab`: added to the logits of tokens, in nats.
    pub embed_bias: Vec<f32>,
    /// `groups`: added to the logits of groups, in nats.
    pub head_bias: Vec<f32>,
    /// `width`: taken from the normalised last state before it is quantised for both outputs. A channel that is always large
    /// belongs into the biases, or it costs all others their levels.
    pub offset: Vec<f32>,
    /// The first token id of each group, ascending from 0; no group has more than [`MAX_GROUP`] tokens.
    pub starts: Vec<u32>,
    /// The layers, first to last.
    pub layers: Vec<Layer>,
    /// `cos(2πk / rope_period)` for `k` in `0..rope_period`: see [`rope_cosines`].
    pub rope_cos: Vec<f32>,
    /// `rope_dims / 2` whole numbers of turns per `rope_period`.
    pub rope_freq: Vec<i32>,
    /// The tokenizer's tokens in the order of their merges (not of their ids).
    pub tokens: Vec<Vec<u8>>,
    /// How often each token id was seen in training (at least 1): the shape of the token tree.
    pub tree_counts: Vec<u32>,
}

/// Tokens of the largest group.
pub const MAX_GROUP: usize = 256;

/// Weights lie within ± this, so that pairs of products fit into i16 and AVX2's `vpmaddubsw` is exact.
pub(crate) const MAX_WEIGHT: i8 = 63;
/// Larger factors than this belong to no trained model.
const MAX_FACTOR: f32 = 1e6;

impl ModelFile {
    /// Reads and checks a model file; whatever the bytes are, this takes memory in proportion to them and does not panic.
    ///
    /// # Errors
    /// [`Error::Format`], [`Error::Metadata`], [`Error::Version`], [`Error::Config`] or [`Error::Tensor`], with what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<ModelFile, Error> {
        ModelFile::read(bytes, true)
    }

    /// Reads a file, or one [written](ModelFile::write) without weights: its matrices have scales alone.
    pub(crate) fn read(bytes: &[u8], weights: bool) -> Result<ModelFile, Error> {
        let format = |error: safetensors::SafeTensorError| Error::Format(error.to_string());
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
        let description = header
            .metadata()
            .as_ref()
            .and_then(|entries| entries.get("vatic"))
            .ok_or_else(|| Error::Metadata("missing: this is not a vatic model".into()))?;
        let config: Config = serde_json::from_str(description)
            .map_err(|error| Error::Metadata(format!("unreadable: {error}")))?;
        config.validate()?;
        let file = SafeTensors::deserialize(bytes).map_err(format)?;
        let mut reader = Reader {
            file,
            taken: 0,
            weights,
        };
        let (width, heads) = (config.width, config.heads * config.head_dim);
        let embed = reader.matrix("embed", config.vocab, width)?;
        let head = reader.matrix("head", config.groups, width)?;
        let embed_bias = reader.factors("embed.bias", config.vocab)?;
        let head_bias = reader.factors("head.bias", config.groups)?;
        let offset = reader.factors("head.offset", width)?;
        let starts: Vec<u32> = reader
            .words("head.starts", Dtype::U32, config.groups)?
            .map(u32::from_le_bytes)
            .collect();
        let vocab = config.vocab as u32;
        let ends = starts.iter().skip(1).chain([&vocab]);
        let sound = |(&start, &end): (&u32, &u32)| {
            start < end && end <= vocab && end - start <= MAX_GROUP as u32
        };
        if starts.first() != Some(&0) || !starts.iter().zip(ends).all(sound) {
            return Err(Error::tensor(
                "head.starts",
                "does not divide the tokens into groups of 1 to 256",
            ));
        }
        let mut layers = Vec::with_capacity(config.layers);
        for layer in 0..config.layers {
            let name = |part: &str| format!("layers.{layer}.{part}");
            let mix = reader.factors(&name("mix"), 2)?;
            layers.push(Layer {
                qkv: reader.matrix(&name("qkv"), config.qkv_rows(), width)?,
                out: reader.matrix(&name("out"), width, heads)?,
                up: reader.matrix(&name("up"), config.hidden, width)?,
                down: reader.matrix(&name("down"), width, config.hidden)?,
                gain: reader.factors(&name("gain"), config.heads)?,
                mix: [mix[0], mix[1]],
            });
        }
        let rope_cos = reader.floats("rope.cos", config.rope_period)?;
        if rope_cos.iter().any(|c| c.is_nan() || c.abs() > 1.0) {
            return Err(Error::tensor("rope.cos", "holds values outside -1..=1"));
        }
        let rope_freq = reader
            .words("rope.freq", Dtype::I32, config.rope_dims / 2)?
            .map(i32::from_le_bytes)
            .collect();
        let tokens = reader.tokens(config.vocab)?;
        let tree_counts: Vec<u32> = reader
            .words("tree.counts", Dtype::U32, config.vocab)?
            .map(u32::from_le_bytes)
            .collect();
        if tree_counts.contains(&0) {
            return Err(Error::tensor(
                "tree.counts",
                "holds a 0; every token counts at least 1",
            ));
        }
        reader.finish()?;
        Ok(ModelFile {
            config,
            embed,
            head,
            embed_bias,
            head_bias,
            offset,
            starts,
            layers,
            rope_cos,
            rope_freq,
            tokens,
            tree_counts,
        })
    }

    /// The file's bytes; equal models give equal bytes.
    ///
    /// # Errors
    /// Those of [`ModelFile::from_bytes`], which the result has passed.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        self.write(true)
    }

    /// The file's bytes, with or without the matrices' weights.
    pub(crate) fn write(&self, weights: bool) -> Result<Vec<u8>, Error> {
        let le = |values: &[f32]| -> Vec<u8> {
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        };
        let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
        let mut matrix = |name: &str, matrix: &Matrix| {
            let rows = matrix.scale.len();
            let columns = matrix.weight.len().checked_div(rows).unwrap_or(0);
            if weights {
                let weight = matrix.weight.iter().map(|&weight| weight as u8).collect();
                tensors.push((
                    format!("{name}.weight"),
                    Dtype::I8,
                    vec![rows, columns],
                    weight,
                ));
            }
            tensors.push((
                format!("{name}.scale"),
                Dtype::F32,
                vec![rows],
                le(&matrix.scale),
            ));
        };
        matrix("embed", &self.embed);
        matrix("head", &self.head);
        for (n, layer) in self.layers.iter().enumerate() {
            matrix(&format!("layers.{n}.qkv"), &layer.qkv);
            matrix(&format!("layers.{n}.out"), &layer.out);
            matrix(&format!("layers.{n}.up"), &layer.up);
            matrix(&format!("layers.{n}.down"), &layer.down);
        }
        for (n, layer) in self.layers.iter().enumerate() {
            let gain = (
                format!("layers.{n}.gain"),
                Dtype::F32,
                vec![layer.gain.len()],
                le(&layer.gain),
            );
            let mix = (
                format!("layers.{n}.mix"),
                Dtype::F32,
                vec![2],
                le(&layer.mix),
            );
            tensors.extend([gain, mix]);
        }
        for (name, values) in [
            ("embed.bias", &self.embed_bias),
            ("head.bias", &self.head_bias),
            ("head.offset", &self.offset),
            ("rope.cos", &self.rope_cos),
        ] {
            tensors.push((name.into(), Dtype::F32, vec![values.len()], le(values)));
        }
        let freq: Vec<u8> = self
            .rope_freq
            .iter()
            .flat_map(|turns| turns.to_le_bytes())
            .collect();
        let freq = (
            "rope.freq".into(),
            Dtype::I32,
            vec![self.rope_freq.len()],
            freq,
        );
        let token_bytes = self.tokens.concat();
        let lengths: Vec<u8> = self
            .tokens
            .iter()
            .map(|token| token.len().min(255) as u8)
            .collect();
        let words = |values: &[u32]| -> Vec<u8> {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes());
            bytes.collect()
        };
        tensors.extend([
            (
                "head.starts".into(),
                Dtype::U32,
                vec![self.starts.len()],
                words(&self.starts),
            ),
            freq,
            (
                "tokenizer.bytes".into(),
                Dtype::U8,
                vec![token_bytes.len()],
                token_bytes,
            ),
            (
                "tokenizer.lengths".into(),
                Dtype::U8,
                vec![lengths.len()],
                lengths,
            ),
            (
                "tree.counts".into(),
                Dtype::U32,
                vec![self.tree_counts.len()],
                words(&self.tree_counts),
            ),
        ]);
        let format = |error: safetensors::SafeTensorError| Error::Format(error.to_string());
        let views: Vec<(&str, TensorView)> = tensors
            .iter()
            .map(|(name, dtype, shape, data)| {
                Ok((
                    name.as_str(),
                    TensorView::new(*dtype, shape.clone(), data).map_err(format)?,
                ))
            })
            .collect::<Result<_, Error>>()?;
        let description = serde_json::to_string(&self.config)
            .map_err(|error| Error::Metadata(format!("unwritable: {error}")))?;
        let metadata = HashMap::from([("vatic".to_string(), description)]);
        let bytes = safetensors::serialize(views, Some(metadata)).map_err(format)?;
        ModelFile::read(&bytes, weights)?;
        Ok(bytes)
    }

    /// All matrices, in the order in which they are packed.
    pub(crate) fn matrices(&self) -> Vec<&Matrix> {
        let mut matrices = vec![&self.embed, &self.head];
        for layer in &self.layers {
            matrices.extend([&layer.qkv, &layer.out, &layer.up, &layer.down]);
        }
        matrices
    }
}

/// `cos(2πk / period)` for `k` in `0..period` by a Taylor series in f64: the same on every machine, unlike a library's cosine.
///
/// `period` is a multiple of 4 (others give a table that the file's check refuses).
pub fn rope_cosines(period: usize) -> Vec<f32> {
    let quarter = period / 4;
    let first: Vec<f32> = (0..=quarter)
        .map(|k| {
            if k == quarter {
                return 0.0;
            }
            let x = std::f64::consts::TAU * k as f64 / period as f64;
            let (mut term, mut sum) = (1.0, 1.0);
            for n in 1..16 {
                term *= -x * x / ((2 * n - 1) * (2 * n)) as f64;
                sum += term;
            }
            sum as f32
        })
        .collect();
    (0..period)
        .map(|k| match k.checked_div(quarter).unwrap_or(0) {
            0 => first[k],
            1 => -first[2 * quarter - k],
            2 => -first[k - 2 * quarter],
            _ => first[(4 * quarter).saturating_sub(k).min(quarter)],
        })
        .collect()
}

/// Takes tensors out of the file, counting them, so that none is left over unknown.
struct Reader<'a> {
    file: SafeTensors<'a>,
    taken: usize,
    /// Whether matrices have weights.
    weights: bool,
}

impl<'a> Reader<'a> {
    fn tensor(&mut self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<&'a [u8], Error> {
        let view = self
            .file
            .tensor(name)
            .map_err(|_| Error::tensor(name, "is missing"))?;
        if view.dtype() != dtype {
            let problem = format!("is of type {:?}; it must be {dtype:?}", view.dtype());
            return Err(Error::tensor(name, problem));
        }
        if view.shape() != shape {
            let problem = format!("has shape {:?}; it must be {shape:?}", view.shape());
            return Err(Error::tensor(name, problem));
        }
        self.taken += 1;
        Ok(view.data())
    }

    fn words(
        &mut self,
        name: &str,
        dtype: Dtype,
        length: usize,
    ) -> Result<impl Iterator<Item = [u8; 4]> + use<'a>, Error> {
        Ok(self
            .tensor(name, dtype, &[length])?
            .as_chunks::<4>()
            .0
            .iter()
            .copied())
    }

    fn floats(&mut self, name: &str, length: usize) -> Result<Vec<f32>, Error> {
        Ok(self
            .words(name, Dtype::F32, length)?
            .map(f32::from_le_bytes)
            .collect())
    }

    fn factors(&mut self, name: &str, length: usize) -> Result<Vec<f32>, Error> {
        let factors = self.floats(name, length)?;
        if factors
            .iter()
            .any(|factor| factor.is_nan() || factor.abs() > MAX_FACTOR)
        {
            return Err(Error::tensor(
                name,
                "holds values that are not finite or beyond ±1e6",
            ));
        }
        Ok(factors)
    }

    fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Result<Matrix, Error> {
        let scale_name = format!("{name}.scale");
        let scale = self.factors(&scale_name, rows)?;
        if scale.iter().any(|&scale| scale < 0.0) {
            return Err(Error::tensor(scale_name, "holds negative values"));
        }
        if !self.weights {
            let weight = Vec::new();
            return Ok(Matrix { weight, scale });
        }
        let name = format!("{name}.weight");
        let weight: Vec<i8> = self
            .tensor(&name, Dtype::I8, &[rows, columns])?
            .iter()
            .map(|&byte| byte as i8)
            .collect();
        if !weight.iter().fold(true, |good, &weight| {
            good & (-MAX_WEIGHT..=MAX_WEIGHT).contains(&weight)
        }) {
            return Err(Error::tensor(name, "holds values outside -63..=63"));
        }
        Ok(Matrix { weight, scale })
    }

    fn tokens(&mut self, count: usize) -> Result<Vec<Vec<u8>>, Error> {
        let lengths = self.tensor("tokenizer.lengths", Dtype::U8, &[count])?;
        if lengths.contains(&0) {
            return Err(Error::tensor(
                "tokenizer.lengths",
                "holds a 0; every token has bytes",
            ));
        }
        let sum = lengths.iter().map(|&length| usize::from(length)).sum();
        let mut rest = self.tensor("tokenizer.bytes", Dtype::U8, &[sum])?;
        let mut tokens = Vec::with_capacity(count);
        for &length in lengths {
            let (token, after) = rest.split_at(usize::from(length));
            tokens.push(token.to_vec());
            rest = after;
        }
        Ok(tokens)
    }

    fn finish(self) -> Result<(), Error> {
        if self.file.len() == self.taken {
            return Ok(());
        }
        let problem = format!(
            "holds {} tensors, {} of which no model has",
            self.file.len(),
            self.file.len() - self.taken
        );
        Err(Error::Format(problem))
    }
}
