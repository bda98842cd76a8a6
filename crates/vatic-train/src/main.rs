//! The command `vatic-train`: encode text, train, evaluate, fine-tune and export models.

mod cli;
mod watch;

use std::{fs, path::Path, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context, Result, bail};
use clap::Parser;
use vatic_train::{
    Budget, FineTune, Rows, Run, Settings, Transformer, Vocabulary, Weights, domains, encode,
    export, fine_tune, float_bits_per_byte, parameters, runtime_bits_per_byte, train,
};
use vatic_transformer::{Model, ModelFile};

use cli::{Cli, Command, Common};
use watch::Terminal;

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vatic-train: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Encode {
            vocabulary,
            out,
            texts,
            held_out,
        } => {
            for text in encode(
                &Vocabulary::read(&vocabulary)?,
                &texts,
                &out,
                held_out / 100.0,
            )? {
                let per_token = text.bytes as f64 / (text.train + text.dev).max(1) as f64;
                let (domain, bytes, train, dev) = (text.domain, text.bytes, text.train, text.dev);
                println!(
                    "{domain}: {bytes} bytes, {per_token:.2} a token; {train} tokens to train on, {dev} held out"
                );
            }
        }
        Command::Train {
            config,
            tokens,
            vocabulary,
            folder,
            from,
            common,
        } => {
            let settings = Settings::read(&config)?;
            let (millions, adds) = (
                parameters(&settings.model) as f64 / 1e6,
                settings.model.multiply_adds(),
            );
            println!(
                "{millions:.2} M parameters, {:.2} M multiply-adds a token, attention aside",
                adds as f64 / 1e6
            );
            let run = Run {
                settings,
                tokens,
                lengths: Vocabulary::read(&vocabulary)?.lengths(),
                folder,
                budget: budget(&common),
                from: from.as_deref().map(Weights::read).transpose()?,
                backend: common.backend,
                checkpoint_seconds: common.checkpoint_minutes * 60.0,
            };
            train(&run, &mut Terminal::new(run.budget))?;
        }
        Command::FineTune {
            model,
            text,
            folder,
            out,
            length,
            rows,
            common,
        } => {
            let with = FineTune {
                budget: budget(&common),
                backend: common.backend,
                length,
                rows,
                checkpoint_seconds: common.checkpoint_minutes * 60.0,
            };
            let tuned = fine_tune(
                &model,
                &text,
                &folder,
                &out,
                &with,
                &mut Terminal::new(with.budget),
            )?;
            println!(
                "text held out: {:.3} bits/byte before, {:.3} after; {} written",
                tuned.before,
                tuned.after,
                out.display()
            );
        }
        Command::Export {
            float,
            vocabulary,
            out,
        } => {
            if let Some(folder) = out.parent() {
                fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            }
            export(
                &Weights::read(&float)?,
                &Vocabulary::read(&vocabulary)?,
                &out,
            )?;
            println!("{}: {} bytes", out.display(), fs::metadata(&out)?.len());
        }
        Command::Eval {
            model,
            tokens,
            float,
            vocabulary,
            length,
            most,
            backend,
        } => {
            evaluate(
                &model,
                &tokens,
                float.as_deref(),
                vocabulary.as_deref(),
                (length, most),
                backend,
            )?;
        }
    }
    Ok(())
}

fn budget(common: &Common) -> Budget {
    match (common.steps, common.minutes) {
        (Some(steps), _) => Budget::Steps(steps),
        (None, minutes) => Budget::Seconds(minutes.unwrap_or(0.0) * 60.0),
    }
}

/// Prints a table: a line per domain, bits per byte of the float model, of simulated quantisation and of the runtime.
fn evaluate(
    path: &Path,
    folders: &[PathBuf],
    float: Option<&Path>,
    vocabulary: Option<&Path>,
    (length, most): (usize, usize),
    backend: vatic_train::Backend,
) -> Result<()> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let runtime = ModelFile::from_bytes(&bytes)
        .is_ok()
        .then(|| Model::from_bytes(&bytes).map(Arc::new))
        .transpose()?;
    let lengths = match (vocabulary, &runtime) {
        (Some(vocabulary), _) => Vocabulary::read(vocabulary)?.lengths(),
        (None, Some(_)) => Vocabulary::read(path)?.lengths(),
        (None, None) => bail!(
            "{}: float weights have no vocabulary in them: name it with --vocabulary",
            path.display()
        ),
    };
    let weights = Weights::read(float.unwrap_or(path))?;
    if lengths.len() != weights.config().vocab {
        bail!(
            "the vocabulary has {} tokens, the model {}",
            lengths.len(),
            weights.config().vocab
        );
    }
    let device = backend.device();
    let model = Transformer::new(&weights, &device);
    println!(
        "{:<20} {:>10} {:>8} {:>10} {:>8}",
        "bits per byte of", "bytes", "float", "simulated", "runtime"
    );
    let (mut sums, mut all) = ([0.0; 3], 0);
    for folder in folders {
        let dev = folder.join("dev");
        let folder = if dev.is_dir() { &dev } else { folder };
        for domain in domains(folder)? {
            let rows = Rows::read(
                &folder.join(format!("{domain}.bin")),
                length,
                most,
                &lengths,
            )?;
            let scores = [
                float_bits_per_byte(&model, &rows, false, &device)?,
                float_bits_per_byte(&model, &rows, true, &device)?,
                runtime
                    .as_ref()
                    .map_or(Ok(f64::NAN), |model| runtime_bits_per_byte(model, &rows))?,
            ];
            line(&domain, rows.bytes, scores);
            all += rows.bytes;
            sums.iter_mut()
                .zip(scores)
                .for_each(|(sum, score)| *sum += score * rows.bytes as f64);
        }
    }
    line("all", all, sums.map(|sum| sum / all as f64));
    Ok(())
}

fn line(name: &str, bytes: u64, [float, simulated, runtime]: [f64; 3]) {
    let runtime = if runtime.is_nan() {
        "-".to_owned()
    } else {
        format!("{runtime:.4}")
    };
    println!("{name:<20} {bytes:>10} {float:>8.4} {simulated:>10.4} {runtime:>8}");
}
