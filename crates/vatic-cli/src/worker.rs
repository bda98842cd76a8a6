//! From one input to its result.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::io::{self, IsTerminal, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, bail};
use vatic::info::Info;
use vatic::{DecodeOptions, Mode, Options, Stats};

use crate::cli::Code;
use crate::files::{self, Source};
use crate::input::{Input, Opened, is_unchanged, peek};
use crate::job::{self, Naming};
use crate::models;
use crate::output::{Existing, Output};
use crate::progress::Meter;
use crate::run::Task;
use crate::summary;

/// Content of up to so many bytes is read to be done together with that of other files: what the library takes for small.
const SMALL: u64 = 1 << 17;

/// What has more is done by itself: it is read and written frame by frame.
const MEDIUM: u64 = 32 << 20;

/// How an input is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Together with others, read already; so many bytes of content.
    Small(u64),
    /// In a line with others, read already.
    Medium,
    /// By itself.
    Large,
}

/// How compressed data of so many bytes is done, if it is not large.
fn of_content(info: &Info, length: u64) -> Option<Size> {
    if info.content_bytes.max(length) <= SMALL {
        return Some(Size::Small(info.content_bytes));
    }
    // Others keep all threads busy.
    let one = matches!(&info.frames[..], [frame] if frame.mode == Mode::Bytes);
    (one && info.content_bytes.max(length) <= MEDIUM).then_some(Size::Medium)
}

/// What the library makes of one of several inputs.
pub type Made = vatic::Result<(Vec<u8>, Stats)>;

/// Does it to one file after the other.
pub struct Worker<'a> {
    code: &'a Code,
    task: Task,
    encode: Options,
    decode: DecodeOptions,
    /// The files that were written, or begun: none of them is written twice.
    targets: RefCell<HashSet<PathBuf>>,
}

impl<'a> Worker<'a> {
    pub fn new(code: &'a Code, task: Task) -> Result<Worker<'a>> {
        let (mut encode, mut decode) = (Options::new(), DecodeOptions::new());
        if task == Task::Compress {
            encode = models::options(&code.engine, Some(&code.start), code.level.number())?
                .verify(code.verify)
                .unpack(!code.no_unpack)
                .report(code.verbose > 0);
            if let Some(size) = code.frame_size {
                encode = encode.frame_size(size as usize); // checked to be at most 256 MiB
            }
            if let Some(size) = code.window {
                encode = encode.window(size);
            }
        } else {
            decode = models::decode_options(&code.engine, &code.start)?;
            if let Some(most) = code.memory {
                decode = decode.max_memory(most);
            }
        }
        Ok(Worker {
            code,
            task,
            encode,
            decode,
            targets: RefCell::default(),
        })
    }

    /// One input, from what was read of it to removing it where that was asked for. `made` is its result if it was done together with
    /// others.
    pub fn file(&self, opened: Opened, made: Option<Made>) -> Result<Stats> {
        let started = Instant::now();
        let Opened {
            source,
            mut input,
            metadata,
        } = opened;
        let mut output = self.output(&source, metadata.as_ref())?;
        let together = made.is_some();
        let stats = match made {
            Some(made) => self.write(&source, made, &mut output),
            None => {
                let meter = self.meter(&source, metadata.as_ref(), &output);
                let stats = self.process(&source, &mut input, &mut output, &meter);
                meter.finish();
                stats
            }
        }?;

        let regular = metadata.as_ref().filter(|metadata| metadata.is_file());
        let remove = self.code.remove && output.is_file();
        let (into_file, name) = (output.is_file(), output.name().to_string());
        output.finish(regular, remove)?;
        drop(input);
        if remove && let Source::File(path) = &source {
            if regular.is_some_and(|before| !is_unchanged(before, path)) {
                bail!(
                    "{}: changed after it was opened, so it is not removed; its result may lack what is new",
                    source.name()
                );
            }
            let problem = match self.task {
                Task::Compress => "is compressed, but cannot be removed",
                _ => "is restored, but cannot be removed",
            };
            std::fs::remove_file(path).of(&source.name(), problem)?;
        }
        if self.code.quiet == 0 && (into_file || self.task == Task::Test || self.code.verbose > 0) {
            let took = (!together).then(|| started.elapsed());
            let verbose = self.code.verbose;
            summary::report(self.task, verbose, &source.name(), &name, &stats, took);
        }
        Ok(stats)
    }

    fn write(&self, source: &Source, made: Made, output: &mut Output) -> Result<Stats> {
        let (bytes, stats) =
            made.map_err(|error| job::explain(error, &source.name(), output.name()))?;
        (output.write_all(&bytes)).of(output.name(), "cannot be written")?;
        Ok(stats)
    }

    /// The results of several inputs that were read whole, made together.
    pub fn together(&self, inputs: &[Opened]) -> Vec<Made> {
        let contents: Vec<&[u8]> = inputs.iter().map(Opened::content).collect();
        let total: usize = contents.iter().map(|content| content.len()).sum();
        let label = format!("{} files", contents.len());
        let meter = Meter::new(self.shows_progress(), label, Some(total as u64));
        let shown = meter.clone();
        let made = if self.task == Task::Compress {
            let options = self.encode.clone();
            let options = options.progress(move |at| shown.at(at.content_bytes));
            vatic::compress_many(&contents, &options)
        } else {
            let options = self.decode.clone();
            let options = options.progress(move |at| shown.at(at.coded_bytes));
            vatic::decompress_many(&contents, &options)
        };
        meter.finish();
        made
    }

    /// Does inputs one after the other, as they come, those side by side that keep one thread busy each.
    pub fn each(
        &self,
        inputs: impl Iterator<Item = Vec<u8>>,
        meter: &Meter,
        done: impl FnMut(Made) -> Result<()>,
    ) -> Result<()> {
        let shown = meter.clone();
        if self.task == Task::Compress {
            let options = self.encode.clone();
            let options = options.progress(move |at| shown.at(at.content_bytes));
            vatic::compress_each(inputs, &options, done)
        } else {
            let options = self.decode.clone();
            let options = options.progress(move |at| shown.at(at.coded_bytes));
            vatic::decompress_each(inputs, &options, done)
        }
    }

    /// A bar for several inputs, of which it is not known yet how many there are.
    pub fn meter_of_several(&self) -> Meter {
        Meter::new(self.shows_progress(), String::new(), Some(0))
    }

    /// Reads the whole of an input, and closes the file, if it may be done together with others: a regular file that is not large, whose result,
    /// as far as can be told, may be written.
    pub fn read_whole(&self, opened: &mut Opened) -> Size {
        let may = self.code.range.is_none() && self.may_write(&opened.source);
        let regular = opened.metadata.as_ref().filter(|of| of.is_file());
        let (Input::File(file), Some(metadata), true) = (&mut opened.input, regular, may) else {
            return Size::Large;
        };
        match self.read_if_not_large(file, metadata.len()) {
            Some((bytes, size)) => {
                opened.input = Input::Memory(io::Cursor::new(bytes));
                size
            }
            // Whatever is wrong is found again, and told, when it is done by itself.
            None => {
                let _ = file.rewind();
                Size::Large
            }
        }
    }

    fn read_if_not_large(&self, file: &mut File, length: u64) -> Option<(Vec<u8>, Size)> {
        let size = match self.task {
            Task::Compress => Some(length),
            _ => None,
        };
        let size = match size {
            Some(length) if length > MEDIUM => return None,
            Some(length) if length > SMALL => Size::Medium,
            Some(length) => Size::Small(length),
            None => of_content(&vatic::info::list(&mut *file).ok()?, length)?,
        };
        // What goes to one place may be read along: all that is there of it is given at once.
        if size == Size::Medium && self.task != Task::Compress && self.keeps_order() {
            return None;
        }
        file.rewind().ok()?;
        let mut bytes = Vec::new();
        file.take(length + 1).read_to_end(&mut bytes).ok()?;
        (bytes.len() as u64 == length).then_some((bytes, size))
    }

    /// Whether nobody has to be asked before an input's result is written, and no reason is known why it could not be.
    fn may_write(&self, source: &Source) -> bool {
        if !self.makes_file_beside() {
            return self.task == Task::Test || self.code.force || !io::stdout().is_terminal();
        }
        self.target(source).is_ok_and(|target| {
            let directory = target.parent().filter(|path| *path != Path::new(""));
            (self.code.force || !target.exists()) && directory.is_none_or(Path::is_dir)
        })
    }

    fn shows_progress(&self) -> bool {
        !self.code.no_progress && self.code.quiet == 0
    }

    /// Opens an input.
    pub fn open(&self, source: Source) -> Result<Opened> {
        let Source::File(path) = &source else {
            if self.task != Task::Compress && io::stdin().is_terminal() && !self.code.force {
                bail!(
                    "standard input: is a terminal, and nobody types compressed data; name a file, or use -f"
                );
            }
            return Ok(Opened {
                source,
                input: Input::Stdin(io::stdin()),
                metadata: None,
            });
        };
        let name = source.name();
        // Asked before it is opened, since opening a pipe waits for its other end.
        if std::fs::metadata(path).is_ok_and(|of| !of.is_file() && !of.is_dir()) {
            if self.makes_file_beside() {
                bail!("{name}: is not a regular file; say where the result goes with -c or -o");
            }
            if self.code.remove {
                bail!(
                    "{name}: is not a regular file, so --rm would remove more than its content; use -k"
                );
            }
        }
        let file = files::open(path)?;
        let metadata = file.metadata().of(&name, "cannot be read")?;
        if self.code.remove && path.is_symlink() && !self.code.force {
            bail!(
                "{name}: is a symbolic link, so --rm would remove only the link; use -k, or -f to do it"
            );
        }
        Ok(Opened {
            source,
            input: Input::File(file),
            metadata: Some(metadata),
        })
    }

    /// Whether results go to one place, one after the other.
    pub fn keeps_order(&self) -> bool {
        self.task != Task::Test && !self.makes_file_beside()
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
        let upset =
            |output: &Output| self.task == Task::Compress && output.is_terminal() && !code.force;
        if to_stdout {
            let output = Output::stdout();
            if upset(&output) {
                bail!(
                    "standard output: is a terminal, and compressed data would upset it; use -o FILE or > FILE, or -f"
                );
            }
            let input = match source {
                Source::File(path) if metadata.is_some_and(Metadata::is_file) => {
                    same_file::Handle::from_path(path)
                }
                Source::File(_) => Err(io::ErrorKind::Unsupported.into()),
                Source::Stdin => same_file::Handle::stdin(),
            };
            if let (Ok(input), Ok(stdout)) = (input, same_file::Handle::stdout())
                && input == stdout
                && stdout.as_file().metadata().is_ok_and(|of| of.is_file())
            {
                bail!(
                    "{}: is also the output, which would overwrite it while it is read; choose another file",
                    source.name()
                );
            }
            return Ok(output);
        }
        let target = self.target(source)?;
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
        if !self.targets.borrow_mut().insert(target.clone()) {
            bail!(
                "{}: its result would be called {}, as that of another input was; give them different directories",
                source.name(),
                files::shown(&target)
            );
        }
        let output = Output::file(&target, existing, metadata.is_some_and(Metadata::is_file))?;
        if upset(&output) {
            bail!(
                "{}: is a terminal, and compressed data would upset it; choose a file, or use -f",
                output.name()
            );
        }
        Ok(output)
    }

    /// The file that an input's result goes to.
    fn target(&self, source: &Source) -> Result<PathBuf> {
        let directory = self.code.output_dir_flat.as_deref();
        Ok(match (&self.code.output, source, self.task) {
            (Some(path), _, _) => path.clone(),
            (None, Source::File(path), Task::Compress) => files::compressed_name(path, directory),
            (None, Source::File(path), _) => files::restored_name(path, directory)?,
            (None, Source::Stdin, _) => {
                bail!("standard input: has no name for a result; give one with -o")
            }
        })
    }

    fn meter(&self, source: &Source, metadata: Option<&Metadata>, output: &Output) -> Meter {
        let total = metadata
            .filter(|metadata| metadata.is_file())
            .map(Metadata::len);
        // Of a part of a file it is not known beforehand how much has to be read, nor how much of that decoded.
        let total = if self.code.range.is_some() {
            None
        } else {
            total
        };
        let wanted = self.shows_progress() && !output.is_terminal();
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
        let options = (self.decode.clone())
            .read_ahead(input.is_file())
            .at_once(output.is_read_along())
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
}
