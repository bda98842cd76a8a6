//! `vatic compare`: this program beside others, on the user's own files.

mod chart;
mod html;
mod measure;
mod peers;
mod report;
mod text;

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::cli::{Compare, Format};
use crate::files;
use crate::job::Naming;
use crate::output::Output;
use crate::progress::Meter;
use crate::size::grouped;
use report::{InputResults, Report};

/// Measures every program on every input and writes the report.
pub fn run(options: &Compare) -> Result<ExitCode> {
    let output = Output::report(options.output.as_deref(), options.force, &options.files)?;
    let programs = peers::all(
        &options.engine,
        &options.start,
        options.level.number(),
        &options.only,
    )?;
    let mut inputs = Vec::new();
    for path in &options.files {
        inputs.extend(prefixes(
            &files::short_name(path),
            read(path)?,
            &options.prefix,
        ));
    }
    let work = inputs
        .iter()
        .map(|(_, data)| data.len() * programs.len())
        .sum::<usize>() as u64;
    let meter = Meter::new(!options.no_progress, String::new(), Some(work));
    let mut results = Vec::new();
    let mut before = 0;
    for (name, data) in inputs {
        let mut measured = Vec::new();
        for program in &programs {
            meter.label(format!("{} {} on {name}", program.name, program.settings));
            meter.at(before);
            measured.push(measure::measure(program, &data));
            before += data.len() as u64;
        }
        results.push(InputResults::new(name, data.len() as u64, measured));
    }
    meter.finish();

    // Prefixes of one file overlap, so their sum would mean nothing.
    let with_total = options.prefix.len() <= 1;
    let report = Report::new(
        peers::threads(&options.engine),
        peers::models(&programs),
        results,
        with_total,
    );
    let text = match options.format {
        Format::Table => text::table(&report),
        Format::Markdown => text::markdown(&report),
        Format::Csv => text::csv(&report)?,
        Format::Json => text::json(&report)?,
        Format::Html => html::page(&report),
    };
    output.complete(text.as_bytes())?;
    let failures = report.failures();
    if !failures.is_empty() {
        bail!(
            "not everything could be compressed and restored: {}",
            failures.join("; ")
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut data = Vec::new();
    if path == OsStr::new("-") {
        std::io::stdin()
            .lock()
            .read_to_end(&mut data)
            .of("standard input", "cannot be read")?;
    } else {
        files::open(path)?
            .read_to_end(&mut data)
            .of(&files::shown(path), "cannot be read")?;
    }
    Ok(data)
}

/// The whole file, or its beginnings; those that would be the whole file are taken once.
fn prefixes(name: &str, data: Vec<u8>, sizes: &[u64]) -> Vec<(String, Vec<u8>)> {
    let mut cut: Vec<_> = sizes
        .iter()
        .filter(|&&size| size < data.len() as u64)
        .copied()
        .collect();
    let whole = cut.len() < sizes.len() || sizes.is_empty();
    cut.sort_unstable();
    cut.dedup();
    let mut inputs: Vec<_> = cut
        .into_iter()
        .map(|size| {
            (
                format!("{name}, first {} bytes", grouped(size)),
                data[..size as usize].to_vec(),
            )
        })
        .collect();
    if whole {
        inputs.push((name.to_string(), data));
    }
    inputs
}

#[cfg(test)]
mod tests {
    use super::prefixes;

    #[test]
    fn prefixes_are_cut_once() {
        let lengths = |sizes: &[u64]| -> Vec<usize> {
            prefixes("a", vec![0; 100], sizes)
                .into_iter()
                .map(|(_, data)| data.len())
                .collect()
        };
        assert_eq!(lengths(&[]), [100]);
        assert_eq!(lengths(&[10]), [10]);
        assert_eq!(lengths(&[50, 10, 10]), [10, 50]);
        assert_eq!(lengths(&[10, 100, 1000]), [10, 100]);
    }
}
