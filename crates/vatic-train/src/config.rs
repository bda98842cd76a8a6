//! What a run needs to know: the model's shape, the recipe, and how much of each domain to read.

use std::{f64::consts::TAU, fs, path::Path};

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;
use vatic_transformer::Config;

use crate::Error;

/// The width of every attention head.
pub(crate) const HEAD_DIM: usize = 64;

/// Names and shapes of a model's float tensors, in the order in which they are initialised.
pub fn tensors(config: &Config) -> Vec<(String, Vec<usize>)> {
    let heads = config.heads * config.head_dim;
    let mut tensors = vec![
        ("embed.weight".to_owned(), vec![config.vocab, config.width]),
        ("head.weight".to_owned(), vec![config.groups, config.width]),
        ("embed.bias".to_owned(), vec![config.vocab]),
        ("head.bias".to_owned(), vec![config.groups]),
        ("head.offset".to_owned(), vec![config.width]),
    ];
    for n in 0..config.layers {
        tensors.extend([
            (
                format!("layers.{n}.qkv.weight"),
                vec![config.qkv_rows(), config.width],
            ),
            (format!("layers.{n}.out.weight"), vec![config.width, heads]),
            (
                format!("layers.{n}.up.weight"),
                vec![config.hidden, config.width],
            ),
            (
                format!("layers.{n}.down.weight"),
                vec![config.width, config.hidden],
            ),
            (format!("layers.{n}.gain"), vec![config.heads]),
            (format!("layers.{n}.mix"), vec![2]),
        ]);
    }
    tensors
}

/// Number of values that training changes.
pub fn parameters(config: &Config) -> usize {
    tensors(config)
        .iter()
        .map(|(_, shape)| shape.iter().product::<usize>())
        .sum()
}

/// Turns per `rope_period` of each pair of rotated dimensions: geometric from one radian a token to one turn a period,
/// rounded to whole turns so that positions may be taken modulo the period.
pub fn rope_frequencies(config: &Config) -> Vec<i32> {
    let (pairs, fastest) = (config.rope_dims / 2, config.rope_period as f64 / TAU);
    let exponent = |i: usize| 1.0 - i as f64 / pairs.saturating_sub(1).max(1) as f64;
    (0..pairs)
        .map(|i| fastest.powf(exponent(i)).round_ties_even() as i32)
        .collect()
}

/// How to train. The keys are those of the PyTorch trainer's configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Of the initial weights and of the order in which text is read.
    pub seed: u64,
    /// Tokens in a row.
    pub length: usize,
    /// Rows in a batch.
    pub rows: usize,
    /// Peak learning rate of Muon, for the matrices of the layers.
    pub muon_lr: f64,
    /// Muon's momentum.
    pub momentum: f64,
    /// Muon's weight decay.
    pub weight_decay: f64,
    /// Peak learning rate of AdamW, for the embedding, head, gains and mixes.
    pub adam_lr: f64,
    /// Steps over which the rates rise from zero.
    pub warm_up_steps: u64,
    /// Part of the run, at its end, over which the rates fall linearly.
    pub warm_down: f64,
    /// Part of the run, at its end, in which quantisation is simulated.
    pub quantise_last: f64,
}

/// A configuration file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The shape; what all presets have in common may be left out.
    #[serde(deserialize_with = "shape")]
    pub model: Config,
    /// The recipe.
    pub training: Recipe,
    /// Which part of the rows comes from which domain (`<domain>.bin`); need not sum to 1.
    pub domains: IndexMap<String, f64>,
    /// The domains, weighted, whose tokens shape the token tree and the groups; `domains` if it is left out. A model that is to
    /// specialise keeps those of the model that it starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<IndexMap<String, f64>>,
}

/// A shape whose `format`, `groups`, `head_dim`, `rope_dims` and `rope_period` may be left out.
fn shape<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Config, D::Error> {
    let mut given = Value::deserialize(deserializer)?;
    let common = serde_json::to_value(Config::default()).map_err(D::Error::custom)?;
    if let Some(given) = given.as_object_mut() {
        for field in ["format", "groups", "head_dim", "rope_dims", "rope_period"] {
            given.entry(field).or_insert_with(|| common[field].clone());
        }
    }
    serde_json::from_value(given).map_err(D::Error::custom)
}

impl Settings {
    /// Reads a configuration file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or asks for something impossible.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(Error::io(path))?;
        let settings: Self = serde_json::from_str(&text).map_err(|e| Error::file(path, e))?;
        settings.check().map_err(|e| Error::file(path, e))?;
        Ok(settings)
    }

    /// # Errors
    ///
    /// [`Error::Config`] when a value makes no sense.
    pub fn check(&self) -> Result<(), Error> {
        self.model
            .validate()
            .map_err(|e| Error::Config(e.to_string()))?;
        let bad = |reason: &str| Err(Error::Config(reason.into()));
        let recipe = &self.training;
        if recipe.length == 0
            || recipe.rows == 0
            || recipe.length.saturating_mul(recipe.rows) > 1 << 24
        {
            return bad("length × rows must be from 1 to 2^24 tokens");
        }
        let rates = [
            recipe.muon_lr,
            recipe.adam_lr,
            recipe.momentum,
            recipe.weight_decay,
        ];
        if rates.iter().any(|rate| !(0.0..=1.0).contains(rate)) {
            return bad("learning rates, momentum and weight decay must lie from 0 to 1");
        }
        if [recipe.warm_down, recipe.quantise_last]
            .iter()
            .any(|part| !(0.0..=1.0).contains(part))
        {
            return bad("warm_down and quantise_last are parts of the run, from 0 to 1");
        }
        for domains in [&self.domains, self.tree_domains()] {
            if domains
                .values()
                .any(|weight| !weight.is_finite() || *weight < 0.0)
            {
                return bad("a domain's weight is negative or no number");
            }
            if domains.values().sum::<f64>() <= 0.0 {
                return bad("no domain has a weight above zero");
            }
        }
        Ok(())
    }

    /// The domains whose tokens shape the token tree and the groups.
    pub fn tree_domains(&self) -> &IndexMap<String, f64> {
        self.tree.as_ref().unwrap_or(&self.domains)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWIFT: &str = include_str!("../../../training/configs/swift.json");

    #[test]
    fn the_shipped_configuration_is_read_and_its_order_kept() {
        let settings: Settings = serde_json::from_str(SWIFT).unwrap();
        settings.check().unwrap();
        assert_eq!(
            (settings.model.rope_period, settings.model.head_dim),
            (2048, 64)
        );
        assert_eq!(settings.domains.keys().next().unwrap(), "prose_en");
    }

    #[test]
    fn a_model_may_read_other_text_than_its_tree_is_shaped_by() {
        let later: Settings =
            serde_json::from_str(include_str!("../../../training/configs/swift-gpu.json")).unwrap();
        later.check().unwrap();
        let swift: Settings = serde_json::from_str(SWIFT).unwrap();
        assert_eq!(later.tree_domains(), swift.tree_domains());
        assert_ne!(later.domains, swift.domains);
        let empty = Settings {
            tree: Some(IndexMap::new()),
            ..swift
        };
        assert!(empty.check().is_err());
    }

    #[test]
    fn the_slowest_pair_turns_once_a_period_and_the_fastest_a_radian_a_token() {
        let freq = rope_frequencies(&Config::default());
        assert_eq!((freq.len(), freq[0], freq[15]), (16, 326, 1));
        // The two slowest round to the same.
        assert!(freq.windows(2).all(|pair| pair[0] >= pair[1]));
    }

    #[test]
    fn impossible_settings_are_refused() {
        // Some values are changed by a digit before them, whatever they are.
        for (from, to) in [
            ("\"groups\": ", "\"groups\": 9"),
            ("\"kv_heads\": 1", "\"kv_heads\": 2"),
            ("\"length\": 512", "\"length\": 0"),
            ("\"warm_down\": ", "\"warm_down\": 1"),
            ("\"prose_en\": 0.17", "\"prose_en\": -1"),
            ("\"muon_lr\": 0.02", "\"muon_lr\": 20"),
        ] {
            assert!(SWIFT.contains(from));
            let settings = serde_json::from_str::<Settings>(&SWIFT.replace(from, to));
            assert!(settings.unwrap().check().is_err(), "{to}");
        }
        assert!(serde_json::from_str::<Settings>(&SWIFT.replace("\"seed\"", "\"sead\"")).is_err());
    }
}
