use crate::numerics::LOG2_E;
use crate::packed::PANEL;
use crate::{Config, Error, ModelFile, Packed};
use std::ops::Range;
use std::thread;

/// The size of a file from which on it is hashed on a thread of its own.
const HASHED_BESIDE: usize = 1 << 20;

/// One layer, packed.
#[derive(Clone)]
pub(crate) struct PackedLayer {
    pub qkv: Packed,
    pub out: Packed,
    pub up: Packed,
    pub down: Packed,
    /// Per query head, `gain · (log₂e / 8)`.
    pub gain: Vec<f32>,
    pub mix: [f32; 2],
}

/// A model ready to run: checked, packed for the kernels, shared by any number of sessions on any number of threads. A clone
/// shares the weights, which are nearly all of it.
#[derive(Clone)]
pub struct Model {
    pub(crate) config: Config,
    pub(crate) embed: Packed,
    pub(crate) head: Packed,
    /// In bits, for whole panels.
    pub(crate) embed_bias: Vec<f32>,
    /// In bits.
    pub(crate) head_bias: Vec<f32>,
    pub(crate) offset: Vec<f32>,
    /// The first token of each group.
    starts: Vec<u32>,
    pub(crate) layers: Vec<PackedLayer>,
    pub(crate) rope_cos: Vec<f32>,
    pub(crate) rope_freq: Vec<u32>,
    tokens: Vec<Vec<u8>>,
    tree_counts: Vec<u32>,
    id: [u8; 32],
    file_bytes: usize,
}

impl Model {
    /// Reads a model file.
    ///
    /// # Errors
    /// Those of [`ModelFile::from_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Model, Error> {
        let file = ModelFile::from_bytes(bytes)?;
        let matrices = file.matrices();
        // Side by side, for a large file: each takes a millisecond for some megabytes.
        let (packed, id) = thread::scope(|scope| {
            let hash = || blake3::hash(bytes);
            let id = (bytes.len() >= HASHED_BESIDE)
                .then(|| thread::Builder::new().spawn_scoped(scope, hash));
            let packed = Packed::all(&matrices);
            // If there is no thread to be had, one does both.
            let id = match id {
                Some(Ok(thread)) => thread.join(),
                _ => Ok(hash()),
            };
            (packed, id)
        });
        let id = id.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok(Model::new(file, packed, *id.as_bytes(), bytes.len()))
    }

    /// What was in a file, its matrices packed in their order.
    pub(crate) fn new(
        file: ModelFile,
        packed: Vec<Packed>,
        id: [u8; 32],
        file_bytes: usize,
    ) -> Model {
        let mut packed = packed.into_iter();
        let mut next = || packed.next().expect("there is one for each matrix");
        let (embed, head) = (next(), next());
        let layers = (file.layers.iter())
            .map(|layer| PackedLayer {
                qkv: next(),
                out: next(),
                up: next(),
                down: next(),
                gain: layer
                    .gain
                    .iter()
                    .map(|gain| gain * (LOG2_E * 0.125))
                    .collect(),
                mix: layer.mix,
            })
            .collect();
        let in_bits = |bias: Vec<f32>| -> Vec<f32> { bias.iter().map(|b| b * LOG2_E).collect() };
        let mut embed_bias = in_bits(file.embed_bias);
        embed_bias.resize(file.config.vocab.next_multiple_of(PANEL), 0.0);
        let period = file.config.rope_period as i32;
        Model {
            embed,
            head,
            embed_bias,
            head_bias: in_bits(file.head_bias),
            offset: file.offset,
            starts: file.starts,
            layers,
            rope_cos: file.rope_cos,
            rope_freq: (file.rope_freq.iter())
                .map(|turns| turns.rem_euclid(period) as u32)
                .collect(),
            config: file.config,
            tokens: file.tokens,
            tree_counts: file.tree_counts,
            id,
            file_bytes,
        }
    }

    /// The same model with no layer looking back more than `most` positions: what it predicts is a little worse, and costs less.
    /// The weights are shared, and the identity stays.
    ///
    /// ```
    /// # use vatic_transformer::{Config, Model, ModelFile};
    /// # let config = Config { name: "tiny".into(), vocab: 512, groups: 128, width: 64, layers: 2, heads: 2, kv_heads: 1, hidden: 128,
    /// #     windows: vec![16, 32], rope_dims: 32, rope_period: 64, ..Config::default() };
    /// let model = Model::from_bytes(&ModelFile::random(&config, 1).to_bytes()?)?;
    /// assert_eq!(model.within(20).config().windows, [16, 20]);
    /// # Ok::<(), vatic_transformer::Error>(())
    /// ```
    ///
    /// # Panics
    /// If `most` is 0.
    pub fn within(&self, most: usize) -> Model {
        assert!(most > 0, "a position sees itself at least");
        let mut model = self.clone();
        for window in &mut model.config.windows {
            *window = most.min(*window);
        }
        model
    }

    /// The model's shape.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The model's identity: BLAKE3 of its file.
    pub fn id(&self) -> [u8; 32] {
        self.id
    }

    /// Length of the model's file in bytes.
    pub fn file_bytes(&self) -> usize {
        self.file_bytes
    }

    /// The tokenizer's tokens in the order of their merges; a token's id is its place when they are sorted by their bytes.
    pub fn tokens(&self) -> &[Vec<u8>] {
        &self.tokens
    }

    /// How often each token id was seen in training, each at least 1: the weights of the token tree's leaves.
    pub fn tree_counts(&self) -> &[u32] {
        &self.tree_counts
    }

    /// The first token id of each group.
    pub fn group_starts(&self) -> &[u32] {
        &self.starts
    }

    /// The tokens of a group.
    ///
    /// # Panics
    /// If there is no such group.
    pub fn group(&self, group: usize) -> Range<usize> {
        let end = (self.starts.get(group + 1)).map_or(self.config.vocab, |&end| end as usize);
        self.starts[group] as usize..end
    }

    /// Cosines and sines of all frequencies at a position.
    pub(crate) fn rope(&self, position: u64, cos: &mut [f32], sin: &mut [f32]) {
        let period = self.config.rope_period;
        let time = (position % period as u64) as usize;
        for ((&turns, cos), sin) in self.rope_freq.iter().zip(cos).zip(sin) {
            let angle = turns as usize * time % period;
            *cos = self.rope_cos[angle];
            *sin = self.rope_cos[(angle + period - period / 4) % period];
        }
    }
}
