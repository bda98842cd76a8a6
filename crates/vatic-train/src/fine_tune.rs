//! A shipped model, trained further on one's own text.

use std::{fs, path::Path, sync::Arc};

use indexmap::IndexMap;
use vatic_transformer::{Model, ModelFile};

use crate::{
    Backend, Budget, Error, Recipe, Rows, Run, Settings, Vocabulary, Watch, Weights, encode,
    export, run::DEV_TOKENS, runtime_bits_per_byte, train, weights::write_whole,
};

/// The part of the text that is held out to see whether it helps.
const HELD_OUT: f64 = 0.05;

/// What to fine-tune with.
#[derive(Clone, Debug)]
pub struct FineTune {
    /// How long.
    pub budget: Budget,
    /// What computes.
    pub backend: Backend,
    /// Tokens in a row, shortened where there is not that much text.
    pub length: usize,
    /// Rows in a batch.
    pub rows: usize,
    /// Seconds between two checkpoints.
    pub checkpoint_seconds: f64,
}

/// What fine-tuning brought: bits per byte of the text held out, through the integer runtime.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuned {
    /// With the model to begin with.
    pub before: f64,
    /// With the model that was written.
    pub after: f64,
}

/// Trains the model file `model` on the texts in `text` (a folder or a file) and writes the model file `out`, with the
/// same tokens, token tree and groups. `folder` keeps tokens, logs and checkpoint.
///
/// The rates are a tenth of those that a model is first trained with, fall from the beginning to the end, and
/// quantisation is simulated all along, since the weights to begin with are quantised.
///
/// # Errors
///
/// When a file cannot be read or written, there is too little text, `folder` has a checkpoint of another model's or
/// another text's fine-tuning, or training diverges.
pub fn fine_tune(
    model: &Path,
    text: &Path,
    folder: &Path,
    out: &Path,
    with: &FineTune,
    watch: &mut dyn Watch,
) -> Result<Tuned, Error> {
    let bytes = fs::read(model).map_err(Error::io(model))?;
    let file = ModelFile::from_bytes(&bytes).map_err(|e| Error::file(model, e))?;
    let vocabulary = Vocabulary::read(model)?;
    let tokens = folder.join("tokens");
    let encoded = encode(&vocabulary, &[text.to_path_buf()], &tokens, HELD_OUT)?;
    let found = &encoded[0];
    if found.train < 3 || found.dev < 2 {
        return Err(Error::file(
            text,
            format!("{} bytes are too little text to learn from", found.bytes),
        ));
    }
    same_origin(
        folder,
        &bytes,
        &tokens.join(format!("train/{}.bin", found.domain)),
    )?;
    let recipe = Recipe {
        seed: 1,
        length: with.length.min(found.train - 2),
        rows: with.rows,
        muon_lr: 0.002,
        momentum: 0.95,
        weight_decay: 0.0,
        adam_lr: 0.0004,
        warm_up_steps: 20,
        warm_down: 1.0,
        quantise_last: 1.0,
    };
    let domains = IndexMap::from([(found.domain.clone(), 1.0)]);
    let dev = tokens.join(format!("dev/{}.bin", found.domain));
    let lengths = vocabulary.lengths();
    let rows = Rows::read(&dev, recipe.length, DEV_TOKENS, &lengths)?;
    let run = Run {
        settings: Settings {
            model: file.config.clone(),
            training: recipe,
            domains,
            tree: None,
        },
        tokens,
        lengths,
        folder: folder.to_path_buf(),
        budget: with.budget,
        from: Some(Weights::from_model_file(&file)?),
        backend: with.backend,
        checkpoint_seconds: with.checkpoint_seconds,
    };
    let weights = train(&run, watch)?;
    export(&weights, &vocabulary, out)?;
    let score = |path: &Path, bytes: &[u8]| {
        let model = Model::from_bytes(bytes).map_err(|e| Error::file(path, e))?;
        runtime_bits_per_byte(&Arc::new(model), &rows)
    };
    Ok(Tuned {
        before: score(model, &bytes)?,
        after: score(out, &fs::read(out).map_err(Error::io(out))?)?,
    })
}

/// Refuses a folder in which another model or another text was fine-tuned: its checkpoint would be taken for this one's.
fn same_origin(folder: &Path, model: &[u8], tokens: &Path) -> Result<(), Error> {
    let text = fs::read(tokens).map_err(Error::io(tokens))?;
    let origin = format!("{}\n{}\n", blake3::hash(model), blake3::hash(&text));
    let path = folder.join("origin");
    let found = fs::read(&path).ok();
    if folder.join("checkpoint.safetensors").exists() && found.as_deref() != Some(origin.as_bytes())
    {
        return Err(Error::file(
            folder,
            "there is a checkpoint in it, of another model or another text; name another folder, or delete this one",
        ));
    }
    write_whole(&path, origin.as_bytes())
}
