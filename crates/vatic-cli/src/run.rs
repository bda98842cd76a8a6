//! `vatic [FILES]`: compress, decompress, test, list; one file after the other, and a failure does not stop the rest.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use vatic::{DecodeOptions, FrameStats, Options, Stats};

use crate::cli::Code;
use crate::files::{self, Source, Within};
use crate::job::{self, Naming, Usage};
use crate::output::{Existing, Output};
use crate::progress::Meter;
use crate::size::{figures, grouped, human};
use crate::{list, models};

/// What is done with each file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Compress,
    Decompress,
    Test,
}

/// Does what the command line says.
pub fn run(code: &Code) -> Result<ExitCode> {
    if code.version {
        return Ok(models::version());
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
    if code.list {
        return list::run(code, sources);
    }
    let worker = Worker::new(code, task)?;
    let several = sources.len() > 1;
    let (mut total, mut done, mut failed) = (Stats::default(), 0, false);
    for source in sources {
        match source.and_then(|source| worker.file(&source)) {
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
                    eprintln!("vatic: {error:#}");
                }
            }
        }
    }
    if several && code.quiet == 0 && !code.stdout {
        eprintln!("{done} files: {}", summary(task, &total));
    }
    Ok(ExitCode::from(u8::from(failed)))
}

struct Worker<'a> {
    code: &'a Code,
    task: Task,
    encode: Options,
    decode: DecodeOptions,
}

impl<'a> Worker<'a> {
    fn new(code: &'a Code, task: Task) -> Result<Worker<'a>> {
        let (mut encode, mut decode) = (Options::new(), DecodeOptions::new());
        if task == Task::Compress {
            encode = models::options(&code.engine, code.level.number())?
                .verify(code.verify)
                .report(code.verbose > 0);
            if let Some(size) = code.frame_size {
                encode = encode.frame_size(size as usize); // checked to be at most 256 MiB
            }
        } else {
            decode = models::decode_options(&code.engine)?;
            if let Some(most) = code.memory {
                decode = decode.max_memory(most);
            }
        }
        Ok(Worker {
            code,
            task,
            encode,
            decode,
        })
    }

    /// One input, from opening it to removing it where that was asked for.
    fn file(&self, source: &Source) -> Result<Stats> {
        let started = Instant::now();
        let (mut input, metadata) = self.open(source)?;
        let mut output = self.output(source, metadata.as_ref())?;
        let meter = self.meter(source, metadata.as_ref(), &output);
        let result = self.process(source, &mut input, &mut output, &meter);
        meter.finish();
        let stats = result?;

        let regular = metadata.as_ref().filter(|metadata| metadata.is_file());
        let remove = self.code.remove && output.is_file();
        let (into_file, name) = (output.is_file(), output.name().to_string());
        output.finish(regular, remove)?;
        drop(input);
        if remove && let Source::File(path) = source {
            std::fs::remove_file(path)
                .of(&source.name(), "is compressed, but cannot be removed")?;
        }
        if self.code.quiet == 0 && (into_file || self.task == Task::Test || self.code.verbose > 0) {
            self.report(&source.name(), &name, &stats, started.elapsed());
        }
        Ok(stats)
    }

    fn open(&self, source: &Source) -> Result<(Input, Option<Metadata>)> {
        let Source::File(path) = source else {
            if self.task != Task::Compress && io::stdin().is_terminal() && !self.code.force {
                bail!(
                    "standard input: is a terminal, and nobody types compressed data; name a file, or use -f"
                );
            }
            return Ok((Input::Stdin(io::stdin()), None));
        };
        let name = source.name();
        let file = files::open(path)?;
        let metadata = file.metadata().of(&name, "cannot be read")?;
        if self.task != Task::Test && self.makes_file_beside() && !metadata.is_file() {
            bail!("{name}: is not a regular file; say where the result goes with -c or -o");
        }
        if self.code.remove && path.is_symlink() && !self.code.force {
            bail!(
                "{name}: is a symbolic link, so --rm would remove only the link; use -k, or -f to do it"
            );
        }
        Ok((Input::File(file), Some(metadata)))
    }

    /// Whether results go into files named after the inputs.
    fn makes_file_beside(&self) -> bool {
        !self.code.stdout && self.code.output.is_none() && self.task != Task::Test
    }

    fn output(&self, source: &Source, metadata: Option<&Metadata>) -> Result<Output> {
        let code = self.code;
        let to_stdout = code.stdout
            || code
                .output
                .as_deref()
                .is_some_and(|path| path == Path::new("-"))
            || (code.output.is_none() && *source == Source::Stdin);
        if self.task == Task::Test {
            return Ok(Output::nowhere());
        }
        if to_stdout {
            let output = Output::stdout();
            if self.task == Task::Compress && output.is_terminal() && !code.force {
                bail!(
                    "standard output: is a terminal, and compressed data would upset it; use -o FILE or > FILE, or -f"
                );
            }
            if let (Source::File(path), Ok(stdout)) = (source, same_file::Handle::stdout())
                && metadata.is_some_and(Metadata::is_file)
                && same_file::Handle::from_path(path).is_ok_and(|input| input == stdout)
            {
                bail!(
                    "{}: is also the output, which would overwrite it while it is read; choose another file",
                    source.name()
                );
            }
            return Ok(output);
        }
        let directory = code.output_dir_flat.as_deref();
        let target = match (&code.output, source, self.task) {
            (Some(path), _, _) => path.clone(),
            (None, Source::File(path), Task::Compress) => files::compressed_name(path, directory),
            (None, Source::File(path), _) => files::restored_name(path, directory)?,
            (None, Source::Stdin, _) => {
                bail!("standard input: has no name for a result; give one with -o")
            }
        };
        if let Source::File(path) = source
            && metadata.is_some_and(Metadata::is_file)
            && same_file::is_same_file(path, &target).unwrap_or(false)
        {
            bail!(
                "{}: is also the output; choose another name with -o",
                source.name()
            );
        }
        let existing = match (code.force, code.quiet > 0 || *source == Source::Stdin) {
            (true, _) => Existing::Replace,
            // Standard input is data, so no answer can be read from it.
            (false, true) => Existing::Refuse,
            (false, false) => Existing::Ask,
        };
        Output::file(&target, existing, metadata.is_some_and(Metadata::is_file))
    }

    fn meter(&self, source: &Source, metadata: Option<&Metadata>, output: &Output) -> Meter {
        let total = metadata
            .filter(|metadata| metadata.is_file())
            .map(Metadata::len);
        // Of a part of a file it is not known beforehand how much has to be read.
        let total = if self.code.range.is_some() {
            None
        } else {
            total
        };
        let wanted = !self.code.no_progress && self.code.quiet == 0 && !output.is_terminal();
        Meter::new(wanted, source.name(), total)
    }

    fn process(
        &self,
        source: &Source,
        input: &mut Input,
        output: &mut Output,
        meter: &Meter,
    ) -> Result<Stats> {
        let (input_name, output_name) = (source.name(), output.name().to_string());
        let meter = meter.clone();
        if self.task == Task::Compress {
            let options = self
                .encode
                .clone()
                .progress(move |at| meter.at(at.content_bytes));
            return vatic::copy_compress(input, output, &options)
                .map_err(|error| job::explain(error, &input_name, &output_name));
        }
        let options = self
            .decode
            .clone()
            .progress(move |at| meter.at(at.coded_bytes));
        if let Some(range) = self.code.range {
            let Input::File(file) = input else {
                bail!("standard input: has no random access, which --range needs; give a file");
            };
            return vatic::decompress_range(file, range.start..range.end, output, &options)
                .map_err(|error| job::explain(error, &input_name, &output_name));
        }
        // `vcat` and `vatic -dcf` show any file, compressed or not, as zcat -f does.
        let pass_on = self.code.force && self.code.stdout;
        let start = if pass_on {
            peek(input).of(&input_name, "cannot be read")?
        } else {
            vec![]
        };
        let pass_on = pass_on && !vatic::looks_like(&start);
        let mut input = io::Cursor::new(start).chain(input);
        if pass_on {
            let bytes = io::copy(&mut input, output).of(&input_name, "cannot be passed on")?;
            return Ok(Stats {
                content_bytes: bytes,
                coded_bytes: bytes,
                frames: vec![],
            });
        }
        vatic::copy_decompress(input, output, &options)
            .map_err(|error| job::explain(error, &input_name, &output_name))
    }

    fn report(&self, input: &str, output: &str, stats: &Stats, took: Duration) {
        let result = if self.task == Task::Test {
            "all right"
        } else {
            output
        };
        eprintln!("{input}: {}, {result}", summary(self.task, stats));
        if self.code.verbose > 0 {
            let speed = stats.content_bytes as f64 / took.as_secs_f64().max(1e-9);
            let mut modes: Vec<_> = stats.frames.iter().map(how).collect();
            modes.dedup();
            eprintln!(
                "  {} s, {}/s, {} frame(s): {}",
                figures(took.as_secs_f64()),
                human(speed as u64),
                stats.frames.len(),
                modes.join(", ")
            );
        }
        if let Some(line) = sources(stats) {
            eprintln!("  {line}");
        }
        if self.code.verbose > 1 {
            for (number, frame) in stats.frames.iter().enumerate() {
                eprintln!(
                    "  frame {number}: {}, {} bytes -> {} in {} tokens and {} stream(s), {} s",
                    how(frame),
                    grouped(frame.content_bytes),
                    grouped(frame.payload_bytes),
                    grouped(frame.tokens),
                    frame.streams,
                    figures(frame.wall.as_secs_f64())
                );
                for (number, thread) in frame.threads.iter().enumerate() {
                    eprintln!(
                        "    thread {number}: predicting {} s, coding {} s, waiting {} s",
                        figures(thread.predicting.as_secs_f64()),
                        figures(thread.coding.as_secs_f64()),
                        figures(thread.waiting.as_secs_f64())
                    );
                }
            }
        }
    }
}

/// A frame's mode, and the model that predicted it.
fn how(frame: &FrameStats) -> String {
    match &frame.model {
        Some(model) => format!("{} by {model}", frame.mode),
        None => frame.mode.to_string(),
    }
}

/// What each source of predictions would have paid alone, the best first; none if there was no account.
fn sources(stats: &Stats) -> Option<String> {
    let mut bits = BTreeMap::<&str, (f64, u64)>::new();
    for frame in &stats.frames {
        for source in &frame.sources {
            let (sum, bytes) = bits.entry(&source.name).or_default();
            *sum += source.bits;
            *bytes += frame.content_bytes;
        }
    }
    let mut each: Vec<_> = (bits.into_iter())
        .filter(|&(_, (_, bytes))| bytes > 0)
        .map(|(name, (sum, bytes))| (name, sum / bytes as f64))
        .collect();
    each.sort_by(|a, b| a.1.total_cmp(&b.1));
    let list: Vec<_> = (each.iter())
        .map(|(name, bits)| format!("{name} {bits:.2}"))
        .collect();
    (!list.is_empty()).then(|| format!("bits/byte by source, each alone: {}", list.join(", ")))
}

/// `152,089 -> 33,000 bytes (21.70 %, 1.736 bits/byte)`, or the other way round.
fn summary(task: Task, stats: &Stats) -> String {
    let (content, coded) = (grouped(stats.content_bytes), grouped(stats.coded_bytes));
    if task != Task::Compress {
        return format!("{coded} -> {content} bytes");
    }
    if stats.content_bytes == 0 {
        return format!("0 -> {coded} bytes");
    }
    let percent = stats.coded_bytes as f64 * 100.0 / stats.content_bytes as f64;
    format!(
        "{content} -> {coded} bytes ({percent:.2} %, {:.3} bits/byte)",
        stats.bits_per_byte()
    )
}

/// The first bytes, enough to recognise compressed data.
fn peek(input: &mut Input) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    input
        .by_ref()
        .take(vatic::MAGIC.len() as u64)
        .read_to_end(&mut start)?;
    Ok(start)
}

/// An open input.
enum Input {
    Stdin(io::Stdin),
    File(File),
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Input::Stdin(stdin) => stdin.read(buffer),
            Input::File(file) => file.read(buffer),
        }
    }
}
