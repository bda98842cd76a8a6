//! `vatic learn`: what the experts learn from samples, kept as a prior.

use std::process::ExitCode;

use anyhow::{Result, bail};
use vatic::Prior;

use crate::cli::Learn;
use crate::files::{self, Source, Within};
use crate::job::Naming;
use crate::models;
use crate::output::{Existing, write_whole};
use crate::size::human;

/// Learns from all samples and writes the prior.
pub fn run(options: &Learn) -> Result<ExitCode> {
    let mut samples = Vec::new();
    for source in files::collect(&options.files, options.recursive, Within::Uncompressed) {
        match source? {
            Source::Stdin => bail!(
                "standard input: cannot be a sample, because samples are separate files; name files"
            ),
            Source::File(path) => samples
                .push(std::fs::read(&path).of(&path.display().to_string(), "cannot be read")?),
        }
    }
    if samples.is_empty() {
        bail!("there are no samples to learn from; name files, or directories with -r");
    }
    let slices: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    let prior = Prior::learn(&slices, &models::options(&options.engine, None)?)?;
    let bytes = prior.to_bytes();
    let existing = if options.force {
        Existing::Replace
    } else {
        Existing::Ask
    };
    write_whole(Some(&options.output), existing, &bytes)?;
    let learnt: usize = samples.iter().map(Vec::len).sum();
    eprintln!(
        "learnt from {} file(s) with {}; {} holds prior {} ({}); use it with -D, when decompressing as well",
        samples.len(),
        human(learnt as u64),
        options.output.display(),
        prior.id(),
        human(bytes.len() as u64)
    );
    Ok(ExitCode::SUCCESS)
}
