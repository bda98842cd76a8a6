//! Models, priors and settings, as the command line names them.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use vatic::{DecodeOptions, Model, Options, Prior};

use crate::cli::{Engine, Start};
use crate::files;
use crate::job::Naming;
use crate::size::human;

/// A prior is a few MB; a file beyond this was given by mistake.
const PRIOR_LIMIT: u64 = 1 << 31;

/// What a level means.
#[derive(Clone, Copy)]
struct Level {
    model: &'static str,
    /// What it has to gain on large data, in percent.
    least_gain: u32,
    /// Whether small files are to be restored quickly rather than as small as can be.
    quick: bool,
    /// Whether experts work thoroughly where the transformer is of no use.
    thorough: bool,
    /// Whether work with the transformer is light.
    light: bool,
}

const fn level(model: &'static str, least_gain: u32, quick: bool, thorough: bool) -> Level {
    Level {
        model,
        least_gain,
        quick,
        thorough,
        light: false,
    }
}

const LEVELS: [Level; 9] = [
    Level {
        light: true,
        ..level("swift", 12, true, false)
    },
    level("swift", 10, true, false),
    level("swift", 8, false, false),
    level("swift", 5, false, false),
    level("base", 5, true, false),
    // What is done without a level.
    level("base", 5, false, false),
    level("base", 2, false, true),
    level("base", 0, false, true),
    level("deep", 0, false, true),
];

/// The levels above this take minutes for a megabyte.
const EVERYDAY: usize = 8;

/// What a level changes, but for the model.
pub fn at_level(options: Options, level: Option<usize>) -> Options {
    let Some(level) = level.map(|level| LEVELS[level.clamp(1, 9) - 1]) else {
        return options;
    };
    options
        .least_gain(level.least_gain)
        .quick(level.quick)
        .thorough(level.thorough)
        .light(level.light)
}

/// The model of a level.
pub fn of_level(level: usize) -> &'static str {
    LEVELS[level.clamp(1, 9) - 1].model
}

/// Whether some level for every day's use has the model of that name.
pub fn everyday(model: &str) -> bool {
    LEVELS[..EVERYDAY].iter().any(|level| level.model == model)
}

/// Settings to compress with.
pub fn options(
    engine: &Engine,
    start: Option<&Start>,
    level: Option<usize>,
) -> anyhow::Result<Options> {
    let prior = start.map_or(Ok(None), prior)?;
    let options = Options::new().threads(engine.threads).prior(prior.clone());
    let options = at_level(options, level);
    Ok(match (&engine.model, &prior, level) {
        (Some(name), _, _) => options.model(by_name(name)?),
        (None, Some(prior), _) => options.model(learnt_with(prior)?),
        (None, None, Some(level)) => options.model(by_name(of_level(level))?),
        (None, None, None) => options,
    })
}

/// The model that a prior was learnt with, if with any: one of those inside the program, or it has to be named.
pub fn learnt_with(prior: &Prior) -> anyhow::Result<Option<Model>> {
    let Some(id) = prior.model() else {
        return Ok(None);
    };
    match Model::shipped().find(|model| model.id == id) {
        Some(model) => Ok(Model::named(model.name)),
        None => bail!(
            "the prior was learnt with the model {id}, which is not inside the program; give its file with --model"
        ),
    }
}

/// Settings to decompress with: the data names its model, a model file given is an addition to those inside.
pub fn decode_options(engine: &Engine, start: &Start) -> anyhow::Result<DecodeOptions> {
    let mut options = DecodeOptions::new().threads(engine.threads);
    if let Some(model) = engine.model.as_deref().map(by_name).transpose()?.flatten() {
        options = options.model(model);
    }
    if let Some(prior) = prior(start)? {
        options = options.prior(prior);
    }
    Ok(options)
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
        let inside: Vec<_> = Model::shipped().map(|model| model.name).collect();
        bail!(
            "--model {name}: there is no such model or file; inside the program are: {}",
            inside.join(", ")
        );
    }
    Model::from_file(path)
        .map(Some)
        .map_err(|error| anyhow::anyhow!("--model {name}: {error}"))
}

/// What `-D` names.
pub fn prior(start: &Start) -> anyhow::Result<Option<Prior>> {
    let Some(path) = &start.prior else {
        return Ok(None);
    };
    let name = files::shown(path);
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
pub fn version() -> anyhow::Result<ExitCode> {
    let mut text = format!("vatic {}\n", env!("CARGO_PKG_VERSION"));
    for model in Model::shipped() {
        let size = human(model.file_bytes);
        text.push_str(&format!("model {} {} ({size})\n", model.name, model.id));
    }
    io::stdout()
        .write_all(text.as_bytes())
        .of("standard output", "cannot be written")?;
    Ok(ExitCode::SUCCESS)
}
