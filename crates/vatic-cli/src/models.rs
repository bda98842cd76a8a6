//! Models, priors and settings, as the command line names them.

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use vatic::{DecodeOptions, Model, Options, Prior};

use crate::cli::Engine;
use crate::files;
use crate::job::{Naming, Usage};

/// A prior is a few MB; a file beyond this was given by mistake.
const PRIOR_LIMIT: u64 = 1 << 31;

/// What the transformer has to gain at each level, in percent.
const LEAST_GAIN: [u32; 9] = [12, 10, 8, 6, 5, 4, 2, 1, 0];

/// Settings to compress with.
pub fn options(engine: &Engine, level: Option<usize>) -> anyhow::Result<Options> {
    let model = match (&engine.model, level) {
        (Some(_), Some(level)) => {
            bail!(Usage(format!(
                "--model and -{level} both choose the model: give one of them"
            )))
        }
        (_, None) => chosen(engine)?,
        (None, Some(level)) => by_level(level),
    };
    let options = Options::new()
        .model(model)
        .threads(engine.threads)
        .prior(prior(engine.prior.as_deref())?);
    Ok(match level {
        Some(level) => options.least_gain(LEAST_GAIN[level.clamp(1, 9) - 1]),
        None => options,
    })
}

/// The model that `--model` or its absence means.
pub fn chosen(engine: &Engine) -> anyhow::Result<Option<Model>> {
    match &engine.model {
        Some(name) => by_name(name),
        None => Ok(Model::default_model()),
    }
}

/// Settings to decompress with: the data names its model, a model file given is an addition to those inside.
pub fn decode_options(engine: &Engine) -> anyhow::Result<DecodeOptions> {
    let mut options = DecodeOptions::new().threads(engine.threads);
    if let Some(model) = engine.model.as_deref().map(by_name).transpose()?.flatten() {
        options = options.model(model);
    }
    if let Some(prior) = prior(engine.prior.as_deref())? {
        options = options.prior(prior);
    }
    Ok(options)
}

/// -1 is the quickest model and -9 the strongest, the levels between are spread evenly over all. With two, -5 is the strongest: what
/// is used without a level.
fn by_level(level: usize) -> Option<Model> {
    let names = Model::names();
    Model::named(names[place_of(level, names.len())?])
}

fn place_of(level: usize, models: usize) -> Option<usize> {
    (models > 0).then(|| level.clamp(1, 9) * models / 10)
}

/// What `--model` names; `none` is no model.
pub fn by_name(name: &str) -> anyhow::Result<Option<Model>> {
    if name == "none" {
        return Ok(None);
    }
    if let Some(model) = Model::named(name) {
        return Ok(Some(model));
    }
    let path = Path::new(name);
    if !path.exists() {
        bail!(
            "--model {name}: there is no such model or file; inside the program are: {}",
            Model::names().join(", ")
        );
    }
    Model::from_file(path)
        .map(Some)
        .map_err(|error| anyhow::anyhow!("--model {name}: {error}"))
}

/// What `-D` names.
pub fn prior(path: Option<&Path>) -> anyhow::Result<Option<Prior>> {
    let Some(path) = path else { return Ok(None) };
    let name = path.display().to_string();
    if files::open(path)?
        .metadata()
        .of(&name, "cannot be read")?
        .len()
        > PRIOR_LIMIT
    {
        bail!("{name}: is too large for a prior; -D takes a file written by `vatic learn`");
    }
    let bytes = std::fs::read(path).of(&name, "cannot be read")?;
    match Prior::from_bytes(&bytes) {
        Ok(prior) => Ok(Some(prior)),
        Err(error) => bail!("{name}: {error}; -D takes a file written by `vatic learn`"),
    }
}

/// `vatic -V`: the version and the models inside.
pub fn version() -> ExitCode {
    println!("vatic {}", env!("CARGO_PKG_VERSION"));
    let default = Model::default_model().map(|model| model.id());
    for model in Model::shipped() {
        let note = if Some(model.id()) == default {
            ", the default"
        } else {
            ""
        };
        println!(
            "model {} {} ({}{note})",
            model.name(),
            model.id(),
            crate::size::human(model.file_bytes())
        );
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::place_of;

    #[test]
    fn levels_cover_the_models() {
        assert_eq!(place_of(5, 0), None);
        assert!((1..=9).all(|level| place_of(level, 1) == Some(0)));
        let places = |models| -> Vec<usize> {
            let levels = (1..=9).filter_map(|level| place_of(level, models));
            levels.collect()
        };
        assert_eq!(places(2), [0, 0, 0, 0, 1, 1, 1, 1, 1]);
        assert_eq!(places(3), [0, 0, 0, 1, 1, 1, 2, 2, 2]);
    }
}
