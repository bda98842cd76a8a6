//! `vatic [FILES]`: compress, decompress, test, list; a failure does not stop the rest.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use anyhow::{Result, bail};
use vatic::Stats;

use crate::cli::Code;
use crate::files::{self, Source, Within};
use crate::job::{self, Usage};
use crate::say::say;
use crate::summary::summary;
use crate::worker::Worker;
use crate::{bunch, list, models};

/// What is done with each file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    Compress,
    Decompress,
    Test,
}

/// Does what the command line says.
pub fn run(code: &Code) -> Result<ExitCode> {
    if code.version {
        return models::version();
    }
    let task = match (code.test, code.decompress || code.range.is_some()) {
        (true, _) => Task::Test,
        (false, true) => Task::Decompress,
        (false, false) => Task::Compress,
    };
    let within = if task == Task::Compress && !code.list {
        Within::Uncompressed
    } else {
        Within::Compressed
    };
    let mut sources = files::collect(&code.files, code.recursive, within);
    if code.files.is_empty() {
        if io::stdin().is_terminal() && !code.force {
            bail!(Usage("nothing to do: name a file, or give data on standard input; vatic --help tells more".into()));
        }
        sources.push(Ok(Source::Stdin));
    }
    if code.output.is_some() && sources.len() != 1 {
        let problem = format!(
            "-o names one file for {} inputs; use --output-dir-flat DIR, or -c > FILE",
            sources.len()
        );
        bail!(Usage(problem));
    }
    if let Some(size) = code.frame_size
        && !(vatic::MIN_FRAME_SIZE as u64..=vatic::MAX_FRAME_SIZE as u64).contains(&size)
    {
        bail!(Usage(format!(
            "--frame-size {size} is out of range; it may be 64K to 256M"
        )));
    }
    if let Some(size) = code
        .window
        .filter(|&size| size > 1 << vatic::WINDOW_LOG2.end())
    {
        bail!(Usage(format!(
            "--window {size} is out of range; it may be up to 4G"
        )));
    }
    if code.list {
        return list::run(code, sources);
    }
    let worker = Worker::new(code, task)?;
    let several = sources.len() > 1;
    let (mut total, mut done, mut failed) = (Stats::default(), 0, false);
    let ended = bunch::each(&worker, sources, |result| {
        match result {
            Ok(stats) => {
                total.content_bytes += stats.content_bytes;
                total.coded_bytes += stats.coded_bytes;
                done += 1;
            }
            // Nobody reads any more: there is no point in going on.
            Err(error) if job::is_broken_pipe(&error) => return Err(error),
            Err(error) => {
                failed = true;
                if code.quiet < 2 {
                    say!("vatic: {error:#}");
                }
            }
        }
        Ok(())
    });
    match ended {
        // Whoever reads what is restored has what he wanted, but what failed before has failed; and compressed data of which the end is
        // missing is of no use.
        Err(error) if job::is_broken_pipe(&error) && (failed || task == Task::Compress) => {
            if code.quiet < 2 && task == Task::Compress {
                say!("vatic: {error:#}");
            }
            return Ok(ExitCode::FAILURE);
        }
        ended => ended?,
    }
    if several && code.quiet == 0 && !code.stdout {
        say!("{done} files: {}", summary(task, &total));
    }
    Ok(ExitCode::from(u8::from(failed)))
}
