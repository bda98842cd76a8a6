//! The transformer in burn: the float model, and the same with the runtime's quantisation simulated.
//!
//! Decoder-only and pre-norm, with RMS normalisation without weights (Zhang & Sennrich, 2019), normalised queries and
//! keys with a gain per head (Henry et al., "Query-Key Normalization", 2020), rotary positions on part of each head (Su
//! et al., 2021), squared ReLU (So et al., "Primer", 2021), a share of the embedding mixed back in before every layer
//! (as in modded-nanogpt), and one matrix for embedding and head. docs/format.md gives the mathematics.

use std::collections::BTreeMap;

use burn::{
    module::{Module, Param, ParamId},
    tensor::{Device, Int, Tensor, TensorData, activation::relu, module::embedding},
};

use vatic_transformer::{Config, rope_cosines};

use crate::{
    Error, FloatTensor, Weights,
    attention::attend,
    config::{HEAD_DIM, rope_frequencies},
    quantise::{ACTIVATION_LEVELS, WEIGHT_LEVELS, simulate},
};

const EPSILON: f32 = 1e-6;

/// One layer: attention, then the feed-forward part.
#[derive(Module, Debug)]
struct Layer {
    qkv: Param<Tensor<2>>,
    out: Param<Tensor<2>>,
    up: Param<Tensor<2>>,
    down: Param<Tensor<2>>,
    gain: Param<Tensor<1>>,
    mix: Param<Tensor<1>>,
}

/// The transformer.
///
/// ```
/// use burn::tensor::{Device, Int, Tensor};
/// use vatic_train::{Transformer, Weights};
/// use vatic_transformer::Config;
///
/// let config = Config { vocab: 256, width: 32, windows: vec![8], ..Config::default() };
/// let device = Device::default();
/// let model = Transformer::new(&Weights::random(&config, 1)?, &device);
/// let tokens = Tensor::<2, Int>::from_data([[0, 104, 105]], &device);
/// assert_eq!(model.logits(tokens, false).dims(), [1, 3, 256]);
/// # Ok::<(), vatic_train::Error>(())
/// ```
#[derive(Module, Debug)]
pub struct Transformer {
    embed: Param<Tensor<2>>,
    layers: Vec<Layer>,
    #[module(skip)]
    config: Config,
}

/// Sine and cosine of every position, [1, 1, time, pairs].
struct Rotation {
    cos: Tensor<4>,
    sin: Tensor<4>,
}

impl Transformer {
    /// A model on `device` with these weights; it can be trained when the device is an autodiff one.
    ///
    /// Parameters are numbered in the order of [`tensors`](crate::tensors), so that an optimiser's saved state finds them again.
    pub fn new(weights: &Weights, device: &Device) -> Self {
        let mut next = 0;
        let mut id = || {
            next += 1;
            ParamId::from(next)
        };
        let embed = parameter(id(), weights.get("embed.weight"), device);
        let mut layer = |n: usize| {
            let name = |part: &str| format!("layers.{n}.{part}");
            Layer {
                qkv: parameter(id(), weights.get(&name("qkv.weight")), device),
                out: parameter(id(), weights.get(&name("out.weight")), device),
                up: parameter(id(), weights.get(&name("up.weight")), device),
                down: parameter(id(), weights.get(&name("down.weight")), device),
                gain: parameter(id(), weights.get(&name("gain")), device),
                mix: parameter(id(), weights.get(&name("mix")), device),
            }
        };
        let layers = (0..weights.config().layers).map(&mut layer).collect();
        Self {
            embed,
            layers,
            config: weights.config().clone(),
        }
    }

    /// The shape of the model.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Copies the weights out of the model.
    ///
    /// # Errors
    ///
    /// When the device cannot give them, or one of them is no number.
    pub fn weights(&self) -> Result<Weights, Error> {
        let mut tensors = BTreeMap::new();
        tensors.insert("embed.weight".to_owned(), float_tensor(&self.embed)?);
        for (n, layer) in self.layers.iter().enumerate() {
            for (part, matrix) in [
                ("qkv", &layer.qkv),
                ("out", &layer.out),
                ("up", &layer.up),
                ("down", &layer.down),
            ] {
                tensors.insert(format!("layers.{n}.{part}.weight"), float_tensor(matrix)?);
            }
            tensors.insert(format!("layers.{n}.gain"), float_tensor(&layer.gain)?);
            tensors.insert(format!("layers.{n}.mix"), float_tensor(&layer.mix)?);
        }
        Weights::new(self.config.clone(), tensors)
    }

    /// Token ids [batch, time] to logits [batch, time, vocabulary] in nats.
    pub fn logits(&self, tokens: Tensor<2, Int>, quantise: bool) -> Tensor<3> {
        let [batch, time] = tokens.dims();
        let table = self.table(quantise);
        let last = self.last(tokens, table.clone(), quantise);
        last.matmul(table.transpose())
            .reshape([batch, time, self.config.vocab])
    }

    /// The nats that each of `targets` [batch, time] costs after the tokens before it: [batch · time].
    pub fn nats(
        &self,
        tokens: Tensor<2, Int>,
        targets: Tensor<2, Int>,
        quantise: bool,
    ) -> Tensor<1> {
        let table = self.table(quantise);
        let last = self.last(tokens, table.clone(), quantise);
        // The target's own logit is one product a row: no need to look it up among all, nor to spread its gradient.
        let target =
            (last.clone() * table.clone().select(0, targets.flatten::<1>(0, 1))).sum_dim(1);
        let logits = last.matmul(table.transpose());
        let most = logits.clone().detach().max_dim(1);
        let all = (logits - most.clone()).exp().sum_dim(1).log() + most;
        (all - target).squeeze_dim(1)
    }

    fn table(&self, quantise: bool) -> Tensor<2> {
        weight(&self.embed, quantise)
    }

    /// What the head multiplies: [batch · time, width].
    fn last(&self, tokens: Tensor<2, Int>, table: Tensor<2>, quantise: bool) -> Tensor<2> {
        let [batch, time] = tokens.dims();
        let rotation = Rotation::new(&self.config, time, &tokens.device());
        let first = rms(embedding(table, tokens).reshape([batch * time, self.config.width]));
        let mut x = first.clone();
        for (layer, &window) in self.layers.iter().zip(&self.config.windows) {
            x = layer.forward(
                x,
                first.clone(),
                [batch, time],
                window,
                &self.config,
                &rotation,
                quantise,
            );
        }
        active(rms(x), quantise)
    }
}

impl Layer {
    #[expect(
        clippy::too_many_arguments,
        reason = "one call; a struct for it would say less"
    )]
    fn forward(
        &self,
        x: Tensor<2>,
        first: Tensor<2>,
        [batch, time]: [usize; 2],
        window: usize,
        config: &Config,
        rotation: &Rotation,
        quantise: bool,
    ) -> Tensor<2> {
        let (heads, kv_heads) = (config.heads, config.kv_heads);
        let mix = |i: usize| self.mix.val().narrow(0, i, 1).unsqueeze::<2>();
        let x = x * mix(0) + first * mix(1);
        let qkv = linear(active(rms(x.clone()), quantise), &self.qkv, quantise);
        let qkv = qkv
            .reshape([batch, time, heads + 2 * kv_heads, HEAD_DIM])
            .swap_dims(1, 2);
        let part = |start: usize, count: usize| qkv.clone().narrow(1, start, count);
        let gain = self.gain.val().reshape([1, heads, 1, 1]);
        let q = active(rotation.apply(rms(part(0, heads))), quantise) * gain;
        let k = active(rotation.apply(rms(part(heads, kv_heads))), quantise);
        let v = active(part(heads + kv_heads, kv_heads), quantise);
        let attended = attend(q, k, v, window)
            .swap_dims(1, 2)
            .reshape([batch * time, heads * HEAD_DIM]);
        let x = x + linear(active(attended, quantise), &self.out, quantise);
        let hidden = relu(linear(active(rms(x.clone()), quantise), &self.up, quantise)).square();
        x + linear(active(hidden, quantise), &self.down, quantise)
    }
}

impl Rotation {
    fn new(config: &Config, time: usize, device: &Device) -> Self {
        let (table, freq, period) = (
            rope_cosines(config.rope_period),
            rope_frequencies(config),
            config.rope_period,
        );
        let turn = |quarter: usize| -> Vec<f32> {
            let at = |t: usize, f: i32| table[(t * f as usize + period - quarter) % period];
            (0..time)
                .flat_map(|t| freq.iter().map(move |&f| at(t, f)))
                .collect()
        };
        let tensor = |values: Vec<f32>| {
            Tensor::from_data(TensorData::new(values, [1, 1, time, freq.len()]), device)
        };
        // A sine is the cosine a quarter of a turn before.
        Self {
            cos: tensor(turn(0)),
            sin: tensor(turn(period / 4)),
        }
    }

    /// Rotates dimension i with dimension i + pairs, for each pair; the dimensions after them stay.
    fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        let half = self.cos.dims()[3];
        if half == 0 {
            return x;
        }
        let (a, b) = (
            x.clone().narrow(3, 0, half),
            x.clone().narrow(3, half, half),
        );
        let mut parts = vec![
            a.clone() * self.cos.clone() - b.clone() * self.sin.clone(),
            a * self.sin.clone() + b * self.cos.clone(),
        ];
        if 2 * half < HEAD_DIM {
            parts.push(x.narrow(3, 2 * half, HEAD_DIM - 2 * half));
        }
        Tensor::cat(parts, 3)
    }
}

fn rms<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let root = x
        .clone()
        .square()
        .mean_dim(D - 1)
        .add_scalar(EPSILON)
        .sqrt();
    x / root
}

fn weight(matrix: &Param<Tensor<2>>, quantise: bool) -> Tensor<2> {
    if quantise {
        simulate(matrix.val(), WEIGHT_LEVELS)
    } else {
        matrix.val()
    }
}

fn active<const D: usize>(x: Tensor<D>, quantise: bool) -> Tensor<D> {
    if quantise {
        simulate(x, ACTIVATION_LEVELS)
    } else {
        x
    }
}

fn linear(x: Tensor<2>, matrix: &Param<Tensor<2>>, quantise: bool) -> Tensor<2> {
    x.matmul(weight(matrix, quantise).transpose())
}

fn parameter<const D: usize>(
    id: ParamId,
    tensor: &FloatTensor,
    device: &Device,
) -> Param<Tensor<D>> {
    let data = TensorData::new(tensor.values.clone(), tensor.shape.clone());
    Param::initialized(
        id,
        Tensor::from_data(data, device).set_require_grad(device.is_autodiff()),
    )
}

fn float_tensor<const D: usize>(parameter: &Param<Tensor<D>>) -> Result<FloatTensor, Error> {
    let tensor = parameter.val();
    let shape = tensor.dims().to_vec();
    let values = tensor
        .try_into_vec_as::<f32>()
        .map_err(|e| Error::Burn(e.to_string()))?;
    Ok(FloatTensor { shape, values })
}
