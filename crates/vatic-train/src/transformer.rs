//! The transformer in burn: the float model, and the same with the runtime's quantisation simulated.
//!
//! Decoder-only and pre-norm, with RMS normalisation without weights (Zhang & Sennrich, 2019), normalised queries and
//! keys with a gain per head (Henry et al., "Query-Key Normalization", 2020), rotary positions on part of each head (Su
//! et al., 2021), squared ReLU (So et al., "Primer", 2021), a share of the embedding mixed back in before every layer
//! (as in modded-nanogpt). The output has two levels (Goodman, 2001): a head for groups of tokens, and the embedding for
//! the tokens of one group. docs/format.md gives the mathematics.

use std::collections::BTreeMap;

use burn::{
    module::{Module, Param, ParamId},
    tensor::{Device, Int, Tensor, TensorData, activation::relu, module::embedding},
};

use vatic_transformer::{Config, rope_cosines};

use crate::{
    Batch, Error, FloatTensor, TokenGroups, Weights,
    attention::attend,
    config::{HEAD_DIM, rope_frequencies},
    quantise::{ACTIVATION_LEVELS, WEIGHT_LEVELS, simulate},
};

const EPSILON: f32 = 1e-6;
/// What is added to the logits beyond a group's last token: their exponentials are zero, and unlike an infinity it cannot
/// turn into no number on the way back.
const NO_TOKEN: f32 = -1e9;

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
/// use vatic_train::{TokenGroups, Transformer, Weights};
/// use vatic_transformer::Config;
///
/// let config = Config { vocab: 256, groups: 64, width: 32, windows: vec![8], ..Config::default() };
/// let groups = TokenGroups::balanced(vec![1; 256], 64)?;
/// let device = Device::default();
/// let model = Transformer::new(&Weights::random(&config, groups, 1)?, &device);
///
/// let tokens = Tensor::<2, Int>::from_data([[0, 104, 105]], &device);
/// let hidden = model.hidden(tokens, false);
/// assert_eq!(model.group_logits(hidden.clone(), false).dims(), [3, 64]);
/// assert_eq!(model.leaf_logits(hidden, &[26, 26, 8], false).dims(), [3, 4]); // groups of four tokens
/// # Ok::<(), vatic_train::Error>(())
/// ```
#[derive(Module, Debug)]
pub struct Transformer {
    embed: Param<Tensor<2>>,
    head: Param<Tensor<2>>,
    embed_bias: Param<Tensor<1>>,
    head_bias: Param<Tensor<1>>,
    layers: Vec<Layer>,
    /// What the last state is centred by. It is measured, not learnt.
    #[module(skip)]
    offset: Vec<f32>,
    #[module(skip)]
    config: Config,
    #[module(skip)]
    groups: TokenGroups,
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
        let head = parameter(id(), weights.get("head.weight"), device);
        let embed_bias = parameter(id(), weights.get("embed.bias"), device);
        let head_bias = parameter(id(), weights.get("head.bias"), device);
        id(); // head.offset
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
            head,
            embed_bias,
            head_bias,
            layers,
            offset: weights.get("head.offset").values.clone(),
            config: weights.config().clone(),
            groups: weights.groups().clone(),
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
        tensors.insert("head.weight".to_owned(), float_tensor(&self.head)?);
        tensors.insert("embed.bias".to_owned(), float_tensor(&self.embed_bias)?);
        tensors.insert("head.bias".to_owned(), float_tensor(&self.head_bias)?);
        let (shape, values) = (vec![self.offset.len()], self.offset.clone());
        tensors.insert("head.offset".to_owned(), FloatTensor { shape, values });
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
        Weights::new(self.config.clone(), self.groups.clone(), tensors)
    }

    /// Token ids [batch, time] to what the output is made of: [batch · time, width].
    pub fn hidden(&self, tokens: Tensor<2, Int>, quantise: bool) -> Tensor<2> {
        self.last(tokens, weight(&self.embed, quantise), quantise)
    }

    /// [`hidden`](Self::hidden) rows [n, width] to the logits of all groups, [n, groups], in nats.
    pub fn group_logits(&self, hidden: Tensor<2>, quantise: bool) -> Tensor<2> {
        linear(hidden, &self.head, quantise) + self.head_bias.val().unsqueeze()
    }

    /// [`hidden`](Self::hidden) rows [n, width] and a group for each to the logits of its tokens, [n, largest group], in
    /// nats; beyond its last token about −10⁹.
    ///
    /// # Panics
    ///
    /// When there are not as many groups as rows, or there is no such group.
    pub fn leaf_logits(&self, hidden: Tensor<2>, groups: &[usize], quantise: bool) -> Tensor<2> {
        self.leaves(hidden, groups, weight(&self.embed, quantise))
    }

    /// What the targets of `batch` cost in nats after the tokens before them, all together: the group of each, then the
    /// token among those of its group.
    pub fn nats(&self, batch: &Batch, quantise: bool) -> Tensor<1> {
        let device = batch.tokens.device();
        let (table, head) = (weight(&self.embed, quantise), weight(&self.head, quantise));
        let hidden = self.last(batch.tokens.clone(), table.clone(), quantise);
        let targets = &batch.targets;
        let groups: Vec<usize> = targets.iter().map(|id| self.groups.of(*id)).collect();
        let bias = self.head_bias.val();
        let logits =
            hidden.clone().matmul(head.clone().transpose()) + bias.clone().unsqueeze::<2>();
        let chosen = self::chosen(&hidden, head, bias, &groups);
        let nats = surprise(logits, chosen);

        // A token that has a group of its own is known by now.
        let (shared, groups): (Vec<usize>, Vec<usize>) = (groups.iter().copied().enumerate())
            .filter(|(_, group)| self.groups.tokens(*group).len() > 1)
            .unzip();
        if shared.is_empty() {
            return nats;
        }
        let targets: Vec<usize> = shared.iter().map(|&i| targets[i].into()).collect();
        let hidden = hidden.select(0, indices(&shared, &device));
        let logits = self.leaves(hidden.clone(), &groups, table.clone());
        let chosen = self::chosen(&hidden, table, self.embed_bias.val(), &targets);
        nats + surprise(logits, chosen)
    }

    /// As [`leaf_logits`](Self::leaf_logits), with the embedding, quantised or not, at hand.
    fn leaves(&self, hidden: Tensor<2>, groups: &[usize], table: Tensor<2>) -> Tensor<2> {
        let ([n, width], most) = (hidden.dims(), self.groups.largest());
        assert_eq!(groups.len(), n, "one group a row is needed");
        let tokens = groups.iter().map(|&group| self.groups.tokens(group));
        let last = self.config.vocab - 1;
        let ids: Vec<usize> = tokens
            .clone()
            .flat_map(|tokens| (0..most).map(move |place| last.min(tokens.start + place)))
            .collect();
        let beyond: Vec<f32> = tokens
            .flat_map(|tokens| (0..most).map(move |place| (place, tokens.len())))
            .map(|(place, size)| if place < size { 0.0 } else { NO_TOKEN })
            .collect();
        let device = hidden.device();
        let ids = indices(&ids, &device);
        let rows = table.select(0, ids.clone()).reshape([n, most, width]);
        let bias = self.embed_bias.val().select(0, ids).reshape([n, most]);
        let logits = rows.matmul(hidden.unsqueeze_dim(2)).squeeze_dim::<2>(2) + bias;
        logits + Tensor::from_data(TensorData::new(beyond, [n, most]), &device)
    }

    /// What the output is made of: [batch · time, width]. `table` is the embedding, quantised or not.
    fn last(&self, tokens: Tensor<2, Int>, table: Tensor<2>, quantise: bool) -> Tensor<2> {
        let [batch, time] = tokens.dims();
        let device = tokens.device();
        let rotation = Rotation::new(&self.config, time, &device);
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
        let offset = TensorData::new(self.offset.clone(), [1, self.config.width]);
        let state = rms(x) - Tensor::from_data(offset, &device);
        active(state, quantise)
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

/// The logits [n, 1] that `hidden` [n, width] gives to one of the rows of `matrix` each, and of `bias`: no need to look them up
/// among all logits, nor to spread their gradients.
fn chosen(hidden: &Tensor<2>, matrix: Tensor<2>, bias: Tensor<1>, rows: &[usize]) -> Tensor<2> {
    let rows = indices(rows, &hidden.device());
    let product = (hidden.clone() * matrix.select(0, rows.clone())).sum_dim(1);
    product + bias.select(0, rows).unsqueeze_dim(1)
}

/// What the choices whose logits are `chosen` [n, 1] cost in nats under `logits` [n, classes], all together.
fn surprise(logits: Tensor<2>, chosen: Tensor<2>) -> Tensor<1> {
    let most = logits.clone().detach().max_dim(1);
    let all = (logits - most.clone()).exp().sum_dim(1).log() + most;
    (all - chosen).sum()
}

fn indices(values: &[usize], device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = values.iter().map(|&value| value as i64).collect();
    Tensor::from_data(TensorData::from(values.as_slice()), device)
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
