//! The `vatic` command: a lossless text compressor that foretells with a transformer.
//!
//! `main` decides what is to be done and turns the outcome into an exit code; everything else lives in the modules,
//! and everything about compression itself in the library crate `vatic`.
//!
//! Exit codes: 0 all went well, 1 something failed (the rest was still done), 2 the command line was wrong.

#![forbid(unsafe_code)]
// They end the program where nobody can hear it; say! does not.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod bunch;
mod cli;
mod compare;
mod completions;
mod explain;
mod files;
mod html;
mod input;
mod job;
mod learn;
mod list;
mod models;
mod output;
mod progress;
mod run;
mod say;
mod signals;
mod size;
mod summary;
mod table;
mod worker;

use std::process::ExitCode;

use cli::{Cli, Command};
use say::say;

fn main() -> ExitCode {
    let cli = Cli::from_command_line();
    let quietness = cli.code.quiet;
    let outcome = signals::install().and_then(|()| match cli.command {
        None => run::run(&cli.code),
        Some(Command::Compare(options)) => compare::run(&options),
        Some(Command::Learn(options)) => learn::run(&options),
        Some(Command::Explain(options)) => explain::run(&options),
        Some(Command::Completions { shell }) => completions::print(shell),
        Some(Command::Man { directory }) => completions::man(directory.as_deref()),
    });
    match outcome {
        Ok(code) => code,
        // The reader of our output went away (`vatic -dc book.vtc | head`): it has what it wanted.
        Err(error) if job::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            if quietness < 2 {
                say!("vatic: {error:#}");
            }
            job::exit_code(&error)
        }
    }
}
