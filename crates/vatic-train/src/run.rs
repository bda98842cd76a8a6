//! A whole training run: resumed where it stopped, logged, evaluated and saved as it goes.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    time::Instant,
};

use crate::{
    Backend, Budget, Error, Pace, Sampler, Settings, TokenGroups, Trainer, Weights,
    evaluate::{Rows, float_bits_per_byte},
    token_counts,
};

/// Steps between two lines of the log.
const LOG_EVERY: u64 = 50;
/// Tokens of each domain's held-out text that are evaluated.
pub(crate) const DEV_TOKENS: usize = 16_384;

/// What to train on, for how long, and where to keep it.
#[derive(Clone, Debug)]
pub struct Run {
    /// Shape, recipe and domains.
    pub settings: Settings,
    /// A folder with `train/<domain>.bin` and `dev/<domain>.bin`.
    pub tokens: PathBuf,
    /// Bytes of each token, by id.
    pub lengths: Vec<u8>,
    /// The folder that gets `checkpoint.safetensors` (resumed from when it is there), `float.safetensors`, `log.csv`
    /// (step, tokens, seconds, loss in nats per token, rate, tokens/s) and `dev.csv` (step, seconds, 1 when quantisation
    /// is simulated, then bits per byte of each domain).
    pub folder: PathBuf,
    /// How long the run is, with what was done before a resumption.
    pub budget: Budget,
    /// Weights to begin with, and their groups of tokens, instead of random ones and groups made from the text.
    pub from: Option<Weights>,
    /// What computes.
    pub backend: Backend,
    /// Seconds between two evaluations, each with a checkpoint.
    pub checkpoint_seconds: f64,
}

/// What a step has to tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// Steps done.
    pub steps: u64,
    /// Tokens seen.
    pub tokens: u64,
    /// Mean nats per token of this step's batch.
    pub loss: f64,
    /// What it trained with.
    pub pace: Pace,
    /// Tokens per second since the last line of the log.
    pub speed: f64,
    /// The part of the run that is over, from 0 to 1.
    pub progress: f64,
    /// Seconds left.
    pub seconds_left: Option<f64>,
    /// Whether this step got a line in the log.
    pub logged: bool,
}

/// Someone who looks on.
pub trait Watch {
    /// After each step.
    fn step(&mut self, report: &StepReport);
    /// After each evaluation: bits per byte of each domain.
    fn dev(&mut self, steps: u64, quantise: bool, scores: &[(String, f64)]);
}

/// Trains, or goes on training; gives the weights at the end.
///
/// # Errors
///
/// When a file cannot be read or written, the settings make no sense, or training diverges.
pub fn train(run: &Run, watch: &mut dyn Watch) -> Result<Weights, Error> {
    run.settings.check()?;
    let (config, recipe) = (&run.settings.model, &run.settings.training);
    if run.lengths.len() != config.vocab {
        let reason = format!(
            "the vocabulary has {} tokens, the model {}",
            run.lengths.len(),
            config.vocab
        );
        return Err(Error::Config(reason));
    }
    fs::create_dir_all(&run.folder).map_err(Error::io(&run.folder))?;
    let checkpoint = run.folder.join("checkpoint.safetensors");
    let device = run.backend.device();
    let folder = run.tokens.join("train");
    let mut trainer = match &run.from {
        _ if checkpoint.exists() => Trainer::resume(&checkpoint, config, recipe, device.clone())?,
        Some(weights) => Trainer::new(&fitting(weights, &run.settings)?, recipe, device.clone()),
        None => {
            let counts = token_counts(&folder, run.settings.tree_domains(), config.vocab)?;
            let groups = TokenGroups::balanced(counts, config.groups)?;
            let weights = Weights::random(config, groups, recipe.seed)?;
            Trainer::new(&weights, recipe, device.clone())
        }
    };
    let mut sampler = Sampler::open(
        &folder,
        &run.settings.domains,
        recipe.length,
        recipe.seed,
        config.vocab,
    )?;
    let dev = dev_rows(run)?;
    let mut log = Log::open(&run.folder.join("log.csv"))?;
    let mut dev_log = Log::open(&run.folder.join("dev.csv"))?;
    let mut report_dev = |trainer: &Trainer, quantise: bool, watch: &mut dyn Watch| {
        let (model, at) = (trainer.model(), trainer.progress);
        let mut scores = Vec::new();
        for (domain, rows) in &dev {
            scores.push((
                domain.clone(),
                float_bits_per_byte(&model, rows, quantise, &device)?,
            ));
        }
        let columns: String = scores
            .iter()
            .map(|(_, score)| format!(",{score:.4}"))
            .collect();
        dev_log.line(format_args!(
            "{},{:.0},{}{columns}",
            at.steps,
            at.seconds,
            u8::from(quantise)
        ))?;
        watch.dev(at.steps, quantise, &scores);
        Ok::<(), Error>(())
    };
    let save = |trainer: &Trainer| {
        trainer.save(&checkpoint)?;
        trainer
            .model()
            .weights()?
            .write(&run.folder.join("float.safetensors"))
    };

    let tokens_per_step = (recipe.rows * recipe.length) as u64;
    let (began, before) = (Instant::now(), trainer.progress.seconds);
    let (mut last_log, mut last_save) = ((Instant::now(), trainer.progress.steps), Instant::now());
    loop {
        let at = trainer.progress;
        let progress = run.budget.progress(at.steps, at.seconds);
        if progress >= 1.0 {
            break;
        }
        let pace = recipe.pace(at.steps, progress);
        let loss = trainer.step(&sampler.ids(at.steps, recipe.rows)?, pace)?;
        trainer.progress.seconds = before + began.elapsed().as_secs_f64();
        let at = trainer.progress;
        let since = (at.steps - last_log.1) * tokens_per_step;
        let report = StepReport {
            steps: at.steps,
            tokens: at.steps * tokens_per_step,
            loss,
            pace,
            speed: since as f64 / last_log.0.elapsed().as_secs_f64(),
            progress: run.budget.progress(at.steps, at.seconds),
            seconds_left: run.budget.left(at.steps, at.seconds),
            logged: at.steps.is_multiple_of(LOG_EVERY),
        };
        if report.logged {
            let StepReport {
                steps,
                tokens,
                speed,
                ..
            } = report;
            let rate = pace.rate;
            log.line(format_args!(
                "{steps},{tokens},{:.0},{loss:.4},{rate:.4},{speed:.0}",
                at.seconds
            ))?;
            last_log = (Instant::now(), at.steps);
        }
        watch.step(&report);
        if last_save.elapsed().as_secs_f64() > run.checkpoint_seconds {
            save(&trainer)?;
            report_dev(&trainer, pace.quantise, watch)?;
            (last_log, last_save) = ((Instant::now(), at.steps), Instant::now());
        }
    }
    save(&trainer)?;
    report_dev(&trainer, false, watch)?;
    report_dev(&trainer, true, watch)?;
    trainer.model().weights()
}

/// `weights`, if they are of the shape that the settings ask for, under the settings' name.
fn fitting(weights: &Weights, settings: &Settings) -> Result<Weights, Error> {
    Weights::new(
        settings.model.clone(),
        weights.groups().clone(),
        weights.tensors().clone(),
    )
}

fn dev_rows(run: &Run) -> Result<Vec<(String, Rows)>, Error> {
    let folder = run.tokens.join("dev");
    let read = |domain: &String| {
        let path = folder.join(format!("{domain}.bin"));
        Ok((
            domain.clone(),
            Rows::read(
                &path,
                run.settings.training.length,
                DEV_TOKENS,
                &run.lengths,
            )?,
        ))
    };
    run.settings.domains.keys().map(read).collect()
}

/// A file that lines are added to.
struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    fn open(path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(Error::io(path))?;
        Ok(Self {
            path: path.to_path_buf(),
            file,
        })
    }

    fn line(&mut self, columns: std::fmt::Arguments<'_>) -> Result<(), Error> {
        // One write, so that a line is never cut.
        self.file
            .write_all(format!("{columns}\n").as_bytes())
            .map_err(Error::io(&self.path))
    }
}
