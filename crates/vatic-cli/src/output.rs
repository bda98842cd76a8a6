//! Where results go: a file that appears under its name only when it is whole, standard output, or nowhere.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tempfile::NamedTempFile;

use crate::{files, signals};

/// What to do when the file exists already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Replace it.
    Replace,
    /// Ask at the terminal where there is one, refuse otherwise.
    Ask,
    /// Refuse.
    Refuse,
}

/// Something to write a result to. Dropped without [`Output::finish`], it leaves nothing behind.
pub struct Output {
    kind: Kind,
    name: String,
}

enum Kind {
    Nowhere,
    Stdout(io::StdoutLock<'static>),
    /// A device or a pipe that was there before: written to as it is, never replaced.
    Device(File),
    /// A new file, under a temporary name beside the final one until it is complete.
    Beside {
        temporary: NamedTempFile,
        target: PathBuf,
        replace: bool,
    },
}

impl Output {
    pub fn nowhere() -> Output {
        Output {
            kind: Kind::Nowhere,
            name: "(nowhere)".into(),
        }
    }

    pub fn stdout() -> Output {
        Output {
            kind: Kind::Stdout(io::stdout().lock()),
            name: "standard output".into(),
        }
    }

    /// Prepares to write the file `target`. `private` keeps others from reading it before [`Output::finish`] has set the
    /// rights of the input; without an input to copy them from, the file has the usual rights of a new one.
    pub fn file(target: &Path, existing: Existing, private: bool) -> anyhow::Result<Output> {
        let name = files::shown(target);
        let mut replace = false;
        // A link that leads nowhere is there as well.
        let there = match std::fs::symlink_metadata(target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            there => {
                let link = there.with_context(|| format!("{name}: cannot be written"))?;
                Some(std::fs::metadata(target).unwrap_or(link))
            }
        };
        match there {
            Some(of) if of.is_file() && is_stdout(target) => return Ok(Output::stdout()),
            Some(metadata) if metadata.is_dir() => {
                bail!("{name}: is a directory, so no file of this name can be written")
            }
            Some(metadata) if !metadata.is_file() && !metadata.is_symlink() => {
                let device = File::options().write(true).open(target);
                let device =
                    device.with_context(|| format!("{name}: cannot be opened for writing"))?;
                return Ok(Output {
                    kind: Kind::Device(device),
                    name,
                });
            }
            Some(_) => {
                allow_overwriting(&name, existing)?;
                replace = true;
            }
            None => {}
        }
        let directory = match target.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        #[cfg(unix)]
        if !private {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666)); // less what the umask takes away
        }
        #[cfg(not(unix))]
        let _ = private;
        let temporary = signals::begin(|| builder.tempfile_in(directory)).map_err(|error| {
            match error.kind() {
                io::ErrorKind::NotFound if !directory.is_dir() => {
                    anyhow::anyhow!(
                        "{name}: directory {} does not exist; create it first",
                        files::shown(directory)
                    )
                }
                _ => anyhow::Error::new(plain(error)).context(format!(
                    "{name}: no file can be created in directory {}",
                    files::shown(directory)
                )),
            }
        })?;
        Ok(Output {
            kind: Kind::Beside {
                temporary,
                target: target.to_path_buf(),
                replace,
            },
            name,
        })
    }

    /// Where a report goes that is made of `inputs`: a new file, or standard output for `-` and no name at all. To be asked for before the
    /// work is done.
    pub fn report(
        target: Option<&Path>,
        force: bool,
        inputs: &[PathBuf],
    ) -> anyhow::Result<Output> {
        let Some(target) = target.filter(|target| *target != OsStr::new("-")) else {
            return Ok(Output::stdout());
        };
        let is_target = |input: &&PathBuf| same_file::is_same_file(input, target).unwrap_or(false);
        if let Some(input) = inputs.iter().find(is_target) {
            bail!(
                "{}: is also the output; choose another name with -o",
                files::shown(input)
            );
        }
        let existing = match force {
            true => Existing::Replace,
            false => Existing::Ask,
        };
        Output::file(target, existing, false)
    }

    /// Writes all of it, and completes it.
    pub fn complete(mut self, content: &[u8]) -> anyhow::Result<()> {
        self.write_all(content)
            .with_context(|| format!("{}: cannot be written", self.name))?;
        self.finish(None, false)
    }

    /// The name for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a person sees what is written.
    pub fn is_terminal(&self) -> bool {
        match &self.kind {
            Kind::Stdout(stdout) => stdout.is_terminal(),
            Kind::Device(device) => device.is_terminal(),
            _ => false,
        }
    }

    /// Whether somebody may read what is written while it is being written: a person, or a program at the other end of a pipe.
    pub fn is_read_along(&self) -> bool {
        match &self.kind {
            Kind::Nowhere | Kind::Beside { .. } => false,
            Kind::Device(_) => true,
            Kind::Stdout(_) => !same_file::Handle::stdout()
                .and_then(|stdout| stdout.as_file().metadata())
                .is_ok_and(|of| of.is_file()),
        }
    }

    /// Whether a file appears in the end.
    pub fn is_file(&self) -> bool {
        matches!(self.kind, Kind::Beside { .. })
    }

    /// Completes the result: everything is written out, a file gets rights, owner and times of the input (`like`) and its
    /// final name. With `durable` it has also reached the disk, so that the input can be removed.
    pub fn finish(mut self, like: Option<&Metadata>, durable: bool) -> anyhow::Result<()> {
        self.flush()
            .with_context(|| format!("{}: cannot be written", self.name))?;
        let Kind::Beside {
            temporary,
            target,
            replace,
        } = self.kind
        else {
            return Ok(());
        };
        let name = self.name;
        if let Some(like) = like {
            // What the file system cannot express does not spoil the content.
            let _ = copy_attributes(temporary.as_file(), like);
        }
        if durable {
            temporary
                .as_file()
                .sync_all()
                .with_context(|| format!("{name}: cannot be written to disk"))?;
        }
        let renamed = if replace {
            temporary.persist(&target)
        } else {
            temporary.persist_noclobber(&target)
        };
        match renamed {
            Ok(_) => {}
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                bail!(
                    "{name}: appeared while it was being written; it is left as it is, use -f to overwrite it"
                )
            }
            Err(error) => {
                return Err(error.error)
                    .with_context(|| format!("{name}: cannot be given its name"));
            }
        }
        signals::finished();
        if durable {
            sync_directory(&target);
        }
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match &mut self.kind {
            Kind::Nowhere => Ok(data.len()),
            Kind::Stdout(stdout) => stdout.write(data),
            Kind::Device(device) => device.write(data),
            Kind::Beside { temporary, .. } => temporary.as_file_mut().write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.kind {
            Kind::Nowhere => Ok(()),
            Kind::Stdout(stdout) => stdout.flush(),
            Kind::Device(device) => device.flush(),
            Kind::Beside { temporary, .. } => temporary.as_file_mut().flush(),
        }
    }
}

/// How files are called until they are complete.
const PREFIX: &str = ".vatic-";
const SUFFIX: &str = ".tmp";

/// Whether a file is called like one that is not complete.
pub fn is_temporary(name: &OsStr) -> bool {
    name.to_str()
        .is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX))
}

/// Whether a regular file is what standard output goes to, as /dev/stdout may be: it is not to be replaced by another.
fn is_stdout(target: &Path) -> bool {
    same_file::Handle::from_path(target)
        .and_then(|target| Ok(target == same_file::Handle::stdout()?))
        .unwrap_or(false)
}

/// tempfile's errors name the temporary path, which means nothing to the user.
fn plain(error: io::Error) -> io::Error {
    let inner = (error.get_ref())
        .and_then(|inner| inner.source())
        .and_then(|inner| inner.downcast_ref::<io::Error>())
        .and_then(io::Error::raw_os_error);
    match error.raw_os_error().or(inner) {
        Some(number) => io::Error::from_raw_os_error(number),
        None => error.kind().into(),
    }
}

fn allow_overwriting(name: &str, existing: Existing) -> anyhow::Result<()> {
    let may_ask = io::stdin().is_terminal() && io::stderr().is_terminal();
    match existing {
        Existing::Replace => return Ok(()),
        Existing::Ask if may_ask => {
            // If the question cannot be asked, nobody will answer it.
            let _ = write!(
                io::stderr(),
                "vatic: {name} already exists; overwrite it (y/n)? "
            );
            let mut answer = String::new();
            io::stdin()
                .lock()
                .read_line(&mut answer)
                .context("no answer can be read from the terminal")?;
            if answer.trim().to_ascii_lowercase().starts_with('y') {
                return Ok(());
            }
            bail!("{name}: not overwritten");
        }
        Existing::Ask | Existing::Refuse => {}
    }
    bail!("{name}: already exists; use -f to overwrite it, or -o to choose another name")
}

#[cfg(unix)]
fn copy_attributes(file: &File, like: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};

    let mut mode = like.mode() & 0o777;
    if fchown(file, Some(like.uid()), Some(like.gid())).is_err()
        && fchown(file, None, Some(like.gid())).is_err()
    {
        // The file belongs to another group than the input: neither that group nor others may do what not both could.
        let both = (mode >> 3) & mode & 0o7;
        mode = (mode & 0o700) | (both << 3) | both;
    }
    file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    copy_times(file, like)
}

#[cfg(not(unix))]
fn copy_attributes(file: &File, like: &Metadata) -> io::Result<()> {
    copy_times(file, like)?;
    file.set_permissions(like.permissions())
}

fn copy_times(file: &File, like: &Metadata) -> io::Result<()> {
    let mut times = std::fs::FileTimes::new().set_modified(like.modified()?);
    if let Ok(accessed) = like.accessed() {
        times = times.set_accessed(accessed);
    }
    file.set_times(times)
}

/// The new name itself is on disk only when its directory is.
fn sync_directory(target: &Path) {
    let directory = target
        .parent()
        .filter(|parent| *parent != Path::new(""))
        .unwrap_or(Path::new("."));
    if let Ok(directory) = File::open(directory) {
        // Not every file system can do this; the file's content is safe in any case.
        let _ = directory.sync_all();
    }
}
