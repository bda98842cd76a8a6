//! The command line.

use std::path::PathBuf;

use clap::builder::TypedValueParser as _;
use clap::{ArgGroup, Args, Parser, Subcommand};
use vatic_train::Backend;

/// Trains, evaluates, fine-tunes and exports vatic's transformer.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What all that trains has in common.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("budget").required(true).args(["minutes", "steps"]))]
pub struct Common {
    /// How long the whole run is, with the time before a resumption
    #[arg(long, value_name = "N", value_parser = positive)]
    pub minutes: Option<f64>,
    /// How many steps the whole run has, with those before a resumption
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// The backend of burn
    #[arg(long, value_enum, default_value_t = Backend::default())]
    pub backend: Backend,
    /// Minutes between two checkpoints, each with an evaluation
    #[arg(long, value_name = "N", default_value_t = 12.0, value_parser = positive)]
    pub checkpoint_minutes: f64,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Encode texts to token files: OUT/train/<name>.bin and OUT/dev/<name>.bin
    Encode {
        /// The vocabulary: its text form or a model file
        vocabulary: PathBuf,
        /// The folder to write to
        out: PathBuf,
        /// Texts: a file is a domain, a folder is one of all files in it
        #[arg(required = true)]
        texts: Vec<PathBuf>,
        /// Percent of each file, at its end, to hold out for evaluation
        #[arg(long, value_name = "PERCENT", default_value_t = 0.0, value_parser = percent)]
        held_out: f64,
    },
    /// Train a model, or go on training it when RUN_DIR has a checkpoint
    Train {
        /// Shape, recipe and domains, as in training/configs
        config: PathBuf,
        /// A folder with train/<domain>.bin and dev/<domain>.bin
        tokens: PathBuf,
        /// The vocabulary: its text form or a model file
        vocabulary: PathBuf,
        /// The folder for checkpoint, float weights and logs
        #[arg(value_name = "RUN_DIR")]
        folder: PathBuf,
        /// Begin with these weights: float ones, or a model file
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        #[command(flatten)]
        common: Common,
    },
    /// Train a shipped model further on one's own text; the result is for `vatic --model`
    FineTune {
        /// The model file to begin with
        model: PathBuf,
        /// A text, or a folder of texts
        text: PathBuf,
        /// The folder for tokens, checkpoint and logs
        #[arg(value_name = "RUN_DIR")]
        folder: PathBuf,
        /// The model file to write
        out: PathBuf,
        /// Tokens in a row
        #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
        length: usize,
        /// Rows in a batch
        #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
        rows: usize,
        #[command(flatten)]
        common: Common,
    },
    /// Bits per byte of each domain: float, with simulated quantisation, and through the integer runtime
    Eval {
        /// A model file, or float weights (then without the runtime)
        model: PathBuf,
        /// Folders of token files, or with a folder dev/ of them
        #[arg(required = true)]
        tokens: Vec<PathBuf>,
        /// The float weights that the model file was made of
        #[arg(long, value_name = "FILE")]
        float: Option<PathBuf>,
        /// The vocabulary, where the model has none in it
        #[arg(long, value_name = "FILE")]
        vocabulary: Option<PathBuf>,
        /// Tokens in a row, which is predicted from nothing but itself
        #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
        length: usize,
        /// Tokens of each domain, from its beginning
        #[arg(long = "tokens-each", value_name = "N", default_value_t = 16_384)]
        most: usize,
        /// The backend of burn
        #[arg(long, value_enum, default_value_t = Backend::default())]
        backend: Backend,
    },
    /// Make the model file: quantise, and join tables and tokenizer
    Export {
        /// The float weights, with the token tree and its groups
        float: PathBuf,
        /// The vocabulary: its text form or a model file
        vocabulary: PathBuf,
        /// The model file to write
        out: PathBuf,
    },
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "a number above zero is needed".into())
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (0.0..100.0).contains(number));
    number.ok_or_else(|| "a number from 0 to below 100 is needed".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
