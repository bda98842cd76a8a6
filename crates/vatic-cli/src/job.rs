//! Failures: what they mean for the exit code, and what the user can do about them.

use std::io;
use std::process::ExitCode;

use anyhow::Context;

/// A command line that makes no sense, found only after it was parsed.
#[derive(Debug)]
pub struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// 2 for a wrong command line, 1 for everything else.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
}

/// Whether the reader of our output went away, which is no error.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Turns the library's error into a sentence that names the file and says what to do.
pub fn explain(error: vatic::Error, input: &str, output: &str) -> anyhow::Error {
    use vatic::Error;
    let advice = match error {
        Error::Write(error) => {
            return anyhow::Error::new(error).context(format!("{output}: cannot be written"));
        }
        Error::Read(error) => {
            return anyhow::Error::new(error).context(format!("{input}: cannot be read"));
        }
        // The library's own sentence says what to do where the command has nothing to add.
        Error::Checksum { .. } | Error::Corrupt { .. } => {
            "; fetch or copy it again from where it came"
        }
        Error::UnknownModel { .. } => " (--model FILE)",
        Error::UnknownPrior { .. } => " (-D FILE)",
        _ => "",
    };
    anyhow::anyhow!("{input}: {error}{advice}")
}

/// Shortens `with_context(|| format!("{name}: …"))`.
pub trait Naming<T> {
    fn of(self, name: &str, problem: &str) -> anyhow::Result<T>;
}

impl<T> Naming<T> for io::Result<T> {
    fn of(self, name: &str, problem: &str) -> anyhow::Result<T> {
        self.with_context(|| format!("{name}: {problem}"))
    }
}
