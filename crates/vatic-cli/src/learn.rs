//! `vatic learn`: what the experts learn from samples, kept as a prior.

use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use vatic::Prior;

use crate::cli::Learn;
use crate::files::{self, Source, Within};
use crate::job::Naming;
use crate::models;
use crate::output::Output;
use crate::say::say;
use crate::size::human;

/// Learns from all samples and writes the prior.
pub fn run(options: &Learn) -> Result<ExitCode> {
    let output = Output::report(Some(&options.output), options.force, &options.files)?;
    if output.is_terminal() && !options.force {
        bail!(
            "{}: is a terminal, and a prior would upset it; use -o FILE, or -f",
            output.name()
        );
    }
    let is_output = |path: &Path| same_file::is_same_file(path, &options.output).unwrap_or(false);
    let mut samples = Vec::new();
    for source in files::collect(&options.files, options.recursive, Within::Uncompressed) {
        match source? {
            // What was learnt before is no sample, where nobody named it.
            Source::File(path)
                if !options.files.contains(&path) && (is_prior(&path) || is_output(&path)) => {}
            Source::Stdin => bail!(
                "standard input: cannot be a sample, because samples are separate files; name files"
            ),
            Source::File(path) => {
                samples.push(std::fs::read(&path).of(&files::shown(&path), "cannot be read")?)
            }
        }
    }
    if samples.is_empty() {
        bail!("there are no samples to learn from; name files, or directories with -r");
    }
    let slices: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    let prior = Prior::learn(&slices, &models::options(&options.engine, None, None)?)?;
    let bytes = prior.to_bytes();
    let name = output.name().to_string();
    output.complete(&bytes)?;
    let learnt: usize = samples.iter().map(Vec::len).sum();
    say!(
        "learnt from {} file(s) with {}; {} holds prior {} ({}); use it with -D, when decompressing as well",
        samples.len(),
        human(learnt as u64),
        name,
        prior.id(),
        human(bytes.len() as u64)
    );
    Ok(ExitCode::SUCCESS)
}

/// Whether a file is called like a prior.
fn is_prior(path: &Path) -> bool {
    path.extension() == Some(OsStr::new("vtp"))
}
