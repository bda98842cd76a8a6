//! `vatic explain`: where the bits of a text go.

mod account;
mod page;
mod parts;
mod statistics;
mod text;

use std::ffi::OsStr;
use std::io::Read;
use std::process::ExitCode;

use anyhow::{Result, bail};
use vatic::Options;

use crate::cli::{Explain, ExplainFormat};
use crate::files;
use crate::job::Naming;
use crate::models;
use crate::output::Output;
use crate::progress::Meter;
use account::Account;
use parts::Parts;

/// Accounts take some 200 bytes for each byte of text.
const LIMIT: u64 = 16 << 20;

/// Codes the text and writes the report.
pub fn run(options: &Explain) -> Result<ExitCode> {
    let output = Output::report(
        options.output.as_deref(),
        options.force,
        std::slice::from_ref(&options.file),
    )?;
    let limit = options.limit.min(LIMIT);
    let (name, text, input_bytes) = read(options, limit)?;
    let settings = models::options(&options.engine, Some(&options.start), None)?;
    let Some(model) = settings.model_for(&text)? else {
        bail!("--model none: only what a model foretells can be explained; choose a model");
    };
    let settings = settings.model(Some(model.clone()));
    let meter = Meter::new(!options.no_progress, name.clone(), Some(text.len() as u64));
    let shown = meter.clone();
    let settings: Options = settings.progress(move |progress| shown.at(progress.content_bytes));
    let explanation = vatic::explain(&text, &settings)?;
    let mut account = Account::new(name, model.name().into(), input_bytes, &text, &explanation);
    if options.parts {
        meter.label("looking into the model".into());
        let anatomy = vatic::anatomy(&text, &settings, parts::TOKENS)?;
        account.parts = Some(Parts::new(&text, &explanation, &anatomy));
    }
    meter.finish();
    let report = match options.format {
        ExplainFormat::Table => text::table(&account),
        ExplainFormat::Html => page::page(&account),
        ExplainFormat::Json => serde_json::to_string(&account)? + "\n",
    };
    output.complete(report.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The input's name, its first `limit` bytes, and its length.
fn read(options: &Explain, limit: u64) -> Result<(String, Vec<u8>, u64)> {
    let mut text = Vec::new();
    let path = &options.file;
    let short = files::short_name(path);
    if path == OsStr::new("-") {
        let name = &short;
        let mut input = std::io::stdin().lock();
        (&mut input)
            .take(limit)
            .read_to_end(&mut text)
            .of(name, "cannot be read")?;
        let rest = std::io::copy(&mut input, &mut std::io::sink()).of(name, "cannot be read")?;
        let length = text.len() as u64 + rest;
        return Ok((short, text, length));
    }
    let name = files::shown(path);
    let file = files::open(path)?;
    let length = file.metadata().of(&name, "cannot be read")?.len();
    file.take(limit)
        .read_to_end(&mut text)
        .of(&name, "cannot be read")?;
    // Special files have no length.
    let length = length.max(text.len() as u64);
    Ok((short, text, length))
}
