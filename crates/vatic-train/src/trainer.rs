//! A training step, and the state that a run resumes from.

use std::{collections::HashMap, fs, path::Path};

use burn::{
    module::{Module, ParamGroup},
    optim::{
        AdamWConfig, GradientsParams, ModuleOptimizer, MuonConfig,
        decay::WeightDecayConfig,
        lr_scheduler::module_lr_scheduler::{ModuleLearningRate, ModuleLrScheduler},
        momentum::MomentumConfig,
    },
    tensor::{Bytes, Device},
};
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use vatic_transformer::Config;

use crate::{
    Batch, Error, Pace, Recipe, Transformer, Weights,
    weights::{CONFIG_KEY, config_json, view, write_safetensors},
};

const STATE_KEY: &str = "training";
const OPTIMISER: &str = "optimiser";
/// The metadata key of the BLAKE3 digest of the optimiser's state.
const DIGEST_KEY: &str = "optimiser.blake3";

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps done.
    pub steps: u64,
    /// Seconds spent on them.
    pub seconds: f64,
}

/// A model and its optimisers: Muon (Jordan et al., 2024) for the layers' matrices, AdamW (Loshchilov & Hutter, 2019)
/// for the embedding, the head, the gains and the mixes.
#[derive(Debug)]
pub struct Trainer {
    model: Transformer,
    optimiser: Optimiser,
    recipe: Recipe,
    device: Device,
    /// How far it has come.
    pub progress: Progress,
}

struct Optimiser(ModuleOptimizer);

impl std::fmt::Debug for Optimiser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Optimiser")
    }
}

impl Trainer {
    /// Begins with `weights` on `device`.
    pub fn new(weights: &Weights, recipe: &Recipe, device: Device) -> Self {
        let device = device.autodiff();
        let model = Transformer::new(weights, &device);
        let optimiser = Optimiser(optimiser(recipe, model.config()));
        Self {
            model,
            optimiser,
            recipe: recipe.clone(),
            device,
            progress: Progress::default(),
        }
    }

    /// Resumes from a [saved](Self::save) state.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is no checkpoint, or is one of another model than `config`.
    pub fn resume(
        path: &Path,
        config: &Config,
        recipe: &Recipe,
        device: Device,
    ) -> Result<Self, Error> {
        let bytes = fs::read(path).map_err(Error::io(path))?;
        let wrong = |e: &dyn std::fmt::Display| {
            Error::file(path, format!("this checkpoint cannot be resumed: {e}"))
        };
        let weights = Weights::from_bytes(&bytes).map_err(|e| wrong(&e))?;
        if weights.config() != config {
            return Err(wrong(
                &"it is of another model than the configuration asks for",
            ));
        }
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| wrong(&e))?;
        let state = header
            .metadata()
            .as_ref()
            .and_then(|map| map.get(STATE_KEY));
        let progress = serde_json::from_str(
            state.ok_or_else(|| wrong(&"it does not say how far it has come"))?,
        );
        let file = SafeTensors::deserialize(&bytes).map_err(|e| wrong(&e))?;
        let saved = file
            .tensor(OPTIMISER)
            .map_err(|e| wrong(&e))?
            .data()
            .to_vec();
        // burn takes what it reads for granted, so damage has to be found before.
        let digest = header
            .metadata()
            .as_ref()
            .and_then(|map| map.get(DIGEST_KEY));
        if digest != Some(&digest_of(&saved)) {
            return Err(wrong(
                &"the optimiser's state in it is damaged; delete the file to begin again",
            ));
        }
        let mut trainer = Self::new(&weights, recipe, device);
        trainer.progress = progress.map_err(|e| wrong(&e))?;
        let Optimiser(optimiser) = trainer.optimiser;
        let optimiser = optimiser
            .from_bytes(Bytes::from_bytes_vec(saved))
            .map_err(|e| wrong(&e))?;
        // A state of another make would be left out without a word, and training would start cold.
        let (found, wanted) = (optimiser.to_record().len(), state_tensors(config));
        if trainer.progress.steps > 0 && found != wanted {
            return Err(wrong(&format!(
                "the optimiser's state in it has {found} tensors instead of {wanted}"
            )));
        }
        Ok(Self {
            optimiser: Optimiser(optimiser),
            ..trainer
        })
    }

    /// Saves weights, optimiser state and progress, all in one safetensors file that is always whole.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let weights = self.model.weights()?;
        let state = self
            .optimiser
            .0
            .into_bytes()
            .map_err(|e| Error::Burn(e.to_string()))?;
        let entries = weights.entries();
        let mut views = vec![(OPTIMISER, view(Dtype::U8, &[state.len()], &state)?)];
        for (name, dtype, shape, bytes) in &entries {
            views.push((name, view(*dtype, shape, bytes)?));
        }
        let progress = serde_json::to_string(&self.progress).map_err(|e| Error::file(path, e))?;
        let metadata = [
            (CONFIG_KEY.into(), config_json(weights.config())?),
            (STATE_KEY.into(), progress),
            (DIGEST_KEY.into(), digest_of(&state)),
        ];
        write_safetensors(path, views, HashMap::from(metadata))
    }

    /// One step on rows of ids ([`Sampler::ids`](crate::Sampler::ids)); gives the mean nats per token before it.
    ///
    /// # Errors
    ///
    /// [`Error::Diverged`] when the loss is no number.
    pub fn step(&mut self, ids: &[u16], pace: Pace) -> Result<f64, Error> {
        let batch = Batch::new(ids, self.recipe.length, &self.device);
        let count = batch.targets.len() as f64;
        let loss = self.model.nats(&batch, pace.quantise).div_scalar(count);
        let value = loss
            .clone()
            .try_into_scalar::<f32>()
            .map_err(|e| Error::Burn(e.to_string()))?;
        if !value.is_finite() {
            return Err(Error::Diverged {
                step: self.progress.steps,
                loss: value.into(),
            });
        }
        let gradients = GradientsParams::from_grads(loss.backward(), &self.model);
        let rates = self.rates(pace.rate);
        self.model = self.optimiser.0.step(rates, self.model.clone(), gradients);
        self.progress.steps += 1;
        Ok(value.into())
    }

    /// The model as it is, without gradients.
    pub fn model(&self) -> Transformer {
        self.model.valid()
    }

    fn rates(&self, rate: f64) -> ModuleLearningRate {
        ModuleLrScheduler::new(self.recipe.adam_lr * rate)
            .with_group(matrices(self.model.config()), self.recipe.muon_lr * rate)
            .step()
    }
}

fn digest_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Tensors that the optimisers keep: two moments for what AdamW trains, a momentum for what Muon trains.
fn state_tensors(config: &Config) -> usize {
    let (adamw, muon) = (2 + 2 * config.layers, 4 * config.layers);
    2 * adamw + muon
}

/// The parameters that Muon trains.
fn matrices(config: &Config) -> ParamGroup {
    let parts = ["qkv", "out", "up", "down"];
    let paths = (0..config.layers).flat_map(|n| parts.map(|part| format!("layers.{n}.{part}")));
    ParamGroup::from_paths(paths.collect())
}

fn optimiser(recipe: &Recipe, config: &Config) -> ModuleOptimizer {
    let adamw = AdamWConfig::new()
        .with_beta_2(0.95)
        .with_epsilon(1e-8)
        .with_weight_decay(0.0);
    let muon = MuonConfig::new()
        .with_momentum(MomentumConfig {
            momentum: recipe.momentum,
            dampening: 0.0,
            nesterov: true,
        })
        .with_weight_decay(Some(WeightDecayConfig::new(recipe.weight_decay as f32)));
    adamw
        .init()
        .with_group(matrices(config), muon.build(), None)
}

#[cfg(test)]
mod tests {
    use burn::module::{ModuleVisitor, Param};
    use burn::tensor::Tensor;

    use super::*;
    use crate::{Backend, TokenGroups};

    /// Notes which parameters a group has, by the paths that burn calls them by.
    struct Members {
        group: ParamGroup,
        path: Vec<String>,
        inside: Vec<String>,
        outside: Vec<String>,
    }

    impl ModuleVisitor for Members {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }

        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            let path = self.path.join(".");
            let inside = self.group.matches(&parameter.id, Some(&path));
            let matrix = D == 2 && !["embed", "head"].contains(&&path[..]);
            assert_eq!(inside, matrix, "{path}");
            if inside {
                self.inside.push(path);
            } else {
                self.outside.push(path);
            }
        }
    }

    #[test]
    fn muon_trains_the_matrices_of_all_layers_and_nothing_else() {
        let config = Config {
            vocab: 256,
            groups: 16,
            width: 32,
            layers: 12,
            hidden: 64,
            windows: vec![8; 12],
            ..Config::default()
        };
        let groups = TokenGroups::balanced(vec![1; 256], 16).unwrap();
        let weights = Weights::random(&config, groups, 1).unwrap();
        let model = Transformer::new(&weights, &Backend::default().device());
        let mut members = Members {
            group: matrices(&config),
            path: Vec::new(),
            inside: Vec::new(),
            outside: Vec::new(),
        };
        model.visit(&mut members);
        let expected: Vec<String> = (0..12)
            .flat_map(|n| ["qkv", "out", "up", "down"].map(|part| format!("layers.{n}.{part}")))
            .collect();
        assert_eq!(members.inside, expected);
        assert_eq!(members.outside.len(), 4 + 2 * 12);
        assert_eq!(members.outside[..2], ["embed", "head"]);
    }
}
