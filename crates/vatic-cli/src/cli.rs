//! The command line, defined once: help, completions and man pages are generated from here.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::size::{ByteRange, parse_range, parse_size};

const EXAMPLES: &str = "\
Levels:
  -1     model swift, four times as fast; text from 32 KiB on 1 to 4 % larger than after -2
  -2     swift, three times as fast; small files are quick to restore
  -3 -4  swift; small files as small as can be
  -5     model base; small files are restored up to three times as fast, text 1 to 3 % larger
  -6     base, small files as small as can be: what is done without a level
  -7 -8  the same; binaries, tables and images take twice the time and come out some 6 % smaller
  -9     model deep, a third as fast: the smallest results
  The higher, the less the model has to gain on samples of large data to be used: 12 % at -1, 5 % at -6, anything from -8 on.

Examples:
  vatic book.txt                     writes book.txt.vtc and keeps book.txt
  vatic -d book.txt.vtc              gives book.txt back
  vatic -dc book.txt.vtc | less      reads it without writing a file
  vatic report.docx mail.eml         what is compressed or in Base64 inside is taken apart
  vatic -l *.vtc                     what is inside: sizes, ratio, model, checksum
  vatic -t *.vtc                     checks that everything can be restored
  tar -I vatic -cf notes.tar.vtc notes
  vatic compare book.txt             against gzip, zstd, xz, brotli, bzip2 and PPMd
  vatic explain book.txt --format html -o book.html
                                     the text coloured by what each token costs

A file that is called like a subcommand (compare, learn, explain, man, completions) is written ./compare. Exit codes: 0 all went well, 1 a file failed (the others
were still done), 2 the command line was wrong.";

/// A lossless text compressor: a small transformer inside the program foretells the text, and what it foresees need not
/// be written down.
///
/// Without files, or with `-`, standard input is read and standard output written. Inputs are kept unless `--rm` is given,
/// and no file is overwritten without `-f`.
#[derive(Debug, Parser)]
#[command(
    name = "vatic",
    args_conflicts_with_subcommands = true,
    args_override_self = true,
    disable_version_flag = true,
    disable_help_subcommand = true,
    after_help = EXAMPLES
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    pub code: Code,
}

/// What `vatic [FILES]` takes: zstd's letters with zstd's meanings.
#[derive(Debug, Args)]
pub struct Code {
    /// Files to work on; `-` is standard input
    #[arg(value_name = "FILES", value_hint = clap::ValueHint::FilePath)]
    pub files: Vec<PathBuf>,

    /// Decompress
    #[arg(short, long, visible_alias = "uncompress", overrides_with = "compress")]
    pub decompress: bool,

    /// Compress (the default; undoes an earlier -d)
    #[arg(short = 'z', long, overrides_with = "decompress")]
    pub compress: bool,

    /// Test: decompress and check everything, write nothing
    #[arg(short, long, conflicts_with_all = ["list", "output", "remove"])]
    pub test: bool,

    /// List what is inside compressed files
    #[arg(short, long, conflicts_with_all = ["output", "remove"])]
    pub list: bool,

    /// Write to standard output
    #[arg(short = 'c', long = "stdout", visible_alias = "to-stdout")]
    pub stdout: bool,

    /// Write to FILE (`-` is standard output)
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with = "stdout")]
    pub output: Option<PathBuf>,

    /// Put all results into directory DIR, under their own names
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, conflicts_with_all = ["output", "stdout"])]
    pub output_dir_flat: Option<PathBuf>,

    /// Overwrite without asking, and use a terminal for compressed data; with -dc, pass on files that are not compressed
    #[arg(short, long)]
    pub force: bool,

    /// Keep the input (the default; undoes an earlier --rm)
    #[arg(short, long, overrides_with = "remove")]
    pub keep: bool,

    /// Remove each input once its result is safely written
    #[arg(long = "rm", overrides_with = "keep")]
    pub remove: bool,

    /// Work through directories
    #[arg(short, long)]
    pub recursive: bool,

    /// Say less: once for no messages but errors, twice for none at all
    #[arg(short, long, action = ArgAction::Count)]
    pub quiet: u8,

    /// Say more: time, and the bits/byte that each source of predictions would have paid (the account takes time itself)
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,

    /// Show no progress bar
    #[arg(long)]
    pub no_progress: bool,

    /// Show version and models, and stop
    #[arg(short = 'V', long)]
    pub version: bool,

    #[command(flatten)]
    pub level: Level,

    #[command(flatten)]
    pub engine: Engine,

    #[command(flatten)]
    pub start: Start,

    /// Cut the input into frames of SIZE bytes that can be restored on their own (64K to 256M)
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub frame_size: Option<u64>,

    /// Copy what occurs again from up to SIZE bytes before its frame (up to 4G; 1G without this), of which so much is kept in a temporary file here and where it is restored; 0 copies nothing
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub window: Option<u64>,

    /// Leave what deflate has compressed (inside gzip, zip, PNG and PDF files) progressive JPEG pictures and Base64 as they are, which is quicker; without this they are taken apart, and made again when they are restored
    #[arg(long)]
    pub no_unpack: bool,

    /// Refuse to decode frames that may need more than SIZE of memory (2G): as a rule 128M and three bytes for each of their content
    #[arg(short = 'M', long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<u64>,

    /// Restore only bytes START up to END (not included) of the content; both may be left out. Implies -d, and -c unless -o or --output-dir-flat says where to.
    /// What is printed comes as it is decoded, which stops at END: a frame that is not decoded to its end is not checked
    #[arg(long, value_name = "START..END", value_parser = parse_range, conflicts_with_all = ["test", "list", "compress", "remove"])]
    pub range: Option<ByteRange>,

    /// Decode each frame again before it is written, and compare
    #[arg(long)]
    pub verify: bool,
}

/// What decides about the predictions; shared by the subcommands.
#[derive(Debug, Args)]
pub struct Engine {
    /// Model to compress with: `base` (the default), `swift` (three times as fast), `deep` (a third as fast, the smallest results), a
    /// model file, or `none`. When decompressing, a model file that may be needed
    #[arg(long, value_name = "NAME|FILE")]
    pub model: Option<String>,

    /// Use N threads (0: one for each core); the result is the same with any number
    #[arg(short = 'T', long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
}

/// Where to start from; shared by what does not learn a prior itself.
#[derive(Debug, Args)]
pub struct Start {
    /// Start from what was learnt before (see `vatic learn`); needed again to decompress
    #[arg(short = 'D', long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub prior: Option<PathBuf>,
}

/// Of several levels the last one counts, as with other compressors.
const LEVELS: [&str; 9] = [
    "level_1", "level_2", "level_3", "level_4", "level_5", "level_6", "level_7", "level_8",
    "level_9",
];

/// `-1` to `-4` compress with the model `swift`, `-5` to `-8` with `base`, `-9` with `deep`; `-6` is what is done without a level. The higher
/// the level, the less the transformer has to gain on large data to be used; `-1` works lightly beside it; `-1`, `-2` and `-5` make small files quicker
/// to restore; from `-7` on experts work thoroughly where they are alone.
#[derive(Debug, Args)]
pub struct Level {
    /// Fastest (-2 to -8 lie between: `vatic --help` tells what each does)
    #[arg(short = '1', long = "fast", overrides_with_all = LEVELS)]
    pub level_1: bool,
    #[arg(short = '2', hide = true, overrides_with_all = LEVELS)]
    pub level_2: bool,
    #[arg(short = '3', hide = true, overrides_with_all = LEVELS)]
    pub level_3: bool,
    #[arg(short = '4', hide = true, overrides_with_all = LEVELS)]
    pub level_4: bool,
    #[arg(short = '5', hide = true, overrides_with_all = LEVELS)]
    pub level_5: bool,
    #[arg(short = '6', hide = true, overrides_with_all = LEVELS)]
    pub level_6: bool,
    #[arg(short = '7', hide = true, overrides_with_all = LEVELS)]
    pub level_7: bool,
    #[arg(short = '8', hide = true, overrides_with_all = LEVELS)]
    pub level_8: bool,
    /// Smallest result
    #[arg(short = '9', long = "best", overrides_with_all = LEVELS)]
    pub level_9: bool,
}

impl Level {
    /// The level that was asked for, if any.
    pub fn number(&self) -> Option<usize> {
        [
            self.level_1,
            self.level_2,
            self.level_3,
            self.level_4,
            self.level_5,
            self.level_6,
            self.level_7,
            self.level_8,
            self.level_9,
        ]
        .iter()
        .position(|&given| given)
        .map(|at| at + 1)
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compare with gzip, zstd, xz, brotli, bzip2 and PPMd on your own files
    Compare(Compare),
    /// Learn from sample files and write a prior that `-D` takes
    Learn(Learn),
    /// Show what each token of a text costs, and who foretold it
    Explain(Explain),
    /// Print the completions of a shell
    #[command(hide = true)]
    Completions { shell: clap_complete::Shell },
    /// Print the man page, or write all pages into a directory
    #[command(hide = true)]
    Man { directory: Option<PathBuf> },
}

/// Each peer is the real library at a named level, run on the whole file in memory; each result is decompressed again and
/// compared with the input before it counts. vatic runs on all cores (see -T), the peers on one; with the models `swift` and `base`,
/// or the one that --model names (`deep` takes minutes for a megabyte).
#[derive(Debug, Args)]
pub struct Compare {
    /// Files to compare on; `-` is standard input
    #[arg(value_name = "FILES", required = true, value_hint = clap::ValueHint::FilePath)]
    pub files: Vec<PathBuf>,

    /// Form of the report
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,

    /// Write the report to FILE
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Overwrite FILE
    #[arg(short, long)]
    pub force: bool,

    /// Take only the first SIZE bytes of each file; several sizes make several comparisons (1K,4K,16K)
    #[arg(long, value_name = "SIZE", value_delimiter = ',', value_parser = parse_size)]
    pub prefix: Vec<u64>,

    /// Run only these programs (parts of names, as `xz,zstd -22,vatic`)
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub only: Vec<String>,

    #[command(flatten)]
    pub level: Level,

    #[command(flatten)]
    pub engine: Engine,

    #[command(flatten)]
    pub start: Start,

    /// Show no progress bar
    #[arg(long)]
    pub no_progress: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned text
    Table,
    /// A Markdown table
    Markdown,
    /// Comma-separated values, one line for each file and program
    Csv,
    /// JSON
    Json,
    /// One self-contained page with charts
    Html,
}

/// What the part that learns while coding has learnt from the samples is kept as a prior, the counterpart of
/// `zstd --train`: files that resemble the samples become smaller with `-D PRIOR`, small ones most of all.
#[derive(Debug, Args)]
pub struct Learn {
    /// Files to learn from; directories with -r
    #[arg(value_name = "FILES", required = true, value_hint = clap::ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,

    /// Write the prior to FILE
    #[arg(short, long, value_name = "FILE", default_value = "prior.vtp", value_hint = clap::ValueHint::FilePath)]
    pub output: PathBuf,

    /// Overwrite FILE
    #[arg(short, long)]
    pub force: bool,

    /// Work through directories
    #[arg(short, long)]
    pub recursive: bool,

    #[command(flatten)]
    pub engine: Engine,
}

/// Codes a text and keeps the account: the bits of each token, what each source of predictions would have paid alone, bits per
/// byte as the text was learnt, and what counting alone says of it (entropies of order 0 to 4, mutual information by distance).
#[derive(Debug, Args)]
pub struct Explain {
    /// File to explain; `-` is standard input
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: PathBuf,

    /// Form of the report
    #[arg(long, value_enum, default_value_t = ExplainFormat::Table)]
    pub format: ExplainFormat,

    /// Write the report to FILE
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Overwrite FILE
    #[arg(short, long)]
    pub force: bool,

    /// Take only the first SIZE bytes (at most 16M)
    #[arg(long, value_name = "SIZE", default_value = "256K", value_parser = parse_size)]
    pub limit: u64,

    /// Look into the transformer too: what each attention head and each layer saves of the first 4,096 tokens, found by
    /// leaving it out, and how far each head looks
    #[arg(long)]
    pub parts: bool,

    #[command(flatten)]
    pub engine: Engine,

    #[command(flatten)]
    pub start: Start,

    /// Show no progress bar
    #[arg(long)]
    pub no_progress: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExplainFormat {
    /// Sums, as aligned text
    Table,
    /// One self-contained page: the text coloured by what it costs, and curves
    Html,
    /// Everything, token by token
    Json,
}

impl Cli {
    /// Reads the arguments of this process; wrong ones end it with exit code 2.
    pub fn from_command_line() -> Cli {
        let mut cli = Cli::parse_from(with_name_meaning(wild::args_os().collect()));
        let code = &mut cli.code;
        // A part of a file is not to be called as the whole is.
        code.stdout |=
            code.range.is_some() && code.output.is_none() && code.output_dir_flat.is_none();
        cli
    }

    /// The definition itself, for what is generated from it.
    pub fn definition() -> clap::Command {
        Cli::command()
    }
}

/// A program called `unvatic` decompresses and one called `vcat` prints, as `gunzip` and `zcat` do.
fn with_name_meaning(mut args: Vec<OsString>) -> Vec<OsString> {
    let name = args.first().map(PathBuf::from);
    let name = name
        .as_deref()
        .and_then(|path| path.file_stem())
        .and_then(|stem| stem.to_str());
    let flags: &[&str] = match name {
        Some("unvatic") => &["-d"],
        Some("vcat" | "vaticcat") => &["-d", "-c", "-f"],
        _ => &[],
    };
    if args.is_empty() {
        args.push("vatic".into());
    }
    args.splice(1..1, flags.iter().map(OsString::from));
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::definition().debug_assert();
    }

    #[test]
    fn names_have_meanings() {
        let parse = |args: &[&str]| {
            Cli::parse_from(with_name_meaning(args.iter().map(OsString::from).collect()))
        };
        assert!(parse(&["/usr/bin/unvatic", "a.vtc"]).code.decompress);
        let vcat = parse(&["vcat", "a.vtc"]).code;
        assert!(vcat.decompress && vcat.stdout && vcat.force);
        assert!(!parse(&["vatic", "a"]).code.decompress);
    }

    #[test]
    fn letters_are_as_in_zstd() {
        let code = Cli::parse_from(["vatic", "-dcfqq", "-T2", "-5", "a", "--", "-b"]).code;
        assert!(code.decompress && code.stdout && code.force);
        assert_eq!(
            (code.quiet, code.engine.threads, code.level.number()),
            (2, 2, Some(5))
        );
        assert_eq!(code.files, [PathBuf::from("a"), PathBuf::from("-b")]);
        // The last of a pair wins.
        assert!(!Cli::parse_from(["vatic", "--rm", "-k", "a"]).code.remove);
        assert!(Cli::parse_from(["vatic", "-k", "--rm", "a"]).code.remove);
        assert!(!Cli::parse_from(["vatic", "-d", "-z", "a"]).code.decompress);
    }

    #[test]
    fn a_file_may_be_called_like_a_subcommand() {
        let cli = Cli::parse_from(["vatic", "--", "compare"]);
        assert!(cli.command.is_none());
        assert_eq!(cli.code.files, [PathBuf::from("compare")]);
    }
}
