//! Which files are worked on, and what their results are called.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::job::Naming;
use crate::output;

/// The ending of compressed files.
pub const SUFFIX: &str = "vtc";

/// Where data comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Stdin,
    File(PathBuf),
}

impl Source {
    /// The name for messages.
    pub fn name(&self) -> String {
        match self {
            Source::Stdin => "standard input".into(),
            Source::File(path) => shown(path),
        }
    }
}

/// A path for messages: what would move the cursor or break the line is shown as an escape.
pub fn shown(path: &Path) -> String {
    let mut shown = String::new();
    for character in path.display().to_string().chars() {
        match character.is_control() {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    shown
}

/// What an argument is called in reports: without the directories before it.
pub fn short_name(path: &Path) -> String {
    if path == OsStr::new("-") {
        return "standard input".into();
    }
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// Which files of a directory are taken with `-r`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// All but compressed ones: compressing is the task, and running it again must not pack results a second time.
    Uncompressed,
    /// Only compressed ones.
    Compressed,
}

/// The inputs that the arguments name, directories opened where `recursive` asks for it. A file that cannot be had is an
/// error in its place, so that the others are still done.
pub fn collect(
    arguments: &[PathBuf],
    recursive: bool,
    within: Within,
) -> Vec<anyhow::Result<Source>> {
    let mut sources = Vec::new();
    for path in arguments {
        if path == OsStr::new("-") {
            sources.push(Ok(Source::Stdin));
        } else if !path.is_dir() {
            sources.push(Ok(Source::File(path.clone())));
        } else if !recursive {
            sources.push(Err(anyhow::anyhow!(
                "{}: is a directory; use -r for the files in it, or tar -I vatic for one archive",
                shown(path)
            )));
        } else {
            sources.extend(walk(path, within));
        }
    }
    sources
}

fn walk(directory: &Path, within: Within) -> impl Iterator<Item = anyhow::Result<Source>> {
    walkdir::WalkDir::new(directory)
        .sort_by_file_name()
        .into_iter()
        .filter_map(move |entry| match entry {
            // What another run has not finished yet, or was killed over, is nobody's file.
            Ok(entry) if output::is_temporary(entry.file_name()) => None,
            Ok(entry) if entry.file_type().is_file() => {
                let compressed = is_compressed_name(entry.path());
                (compressed == (within == Within::Compressed))
                    .then(|| Ok(Source::File(entry.into_path())))
            }
            // Directories are entered, symbolic links and devices within them left alone.
            Ok(_) => None,
            Err(error) => {
                let name = shown(error.path().unwrap_or(Path::new("?")));
                let reason = error
                    .into_io_error()
                    .map_or("links run in a circle".into(), |error| error.to_string());
                Some(Err(anyhow::anyhow!("{name}: cannot be read: {reason}")))
            }
        })
}

fn is_compressed_name(path: &Path) -> bool {
    path.extension() == Some(OsStr::new(SUFFIX))
}

/// `book.txt` becomes `book.txt.vtc`, in `directory` if one is given.
pub fn compressed_name(input: &Path, directory: Option<&Path>) -> PathBuf {
    let mut name = OsString::from(input);
    name.push(".");
    name.push(SUFFIX);
    place(PathBuf::from(name), directory)
}

/// `book.txt.vtc` becomes `book.txt`, in `directory` if one is given.
pub fn restored_name(input: &Path, directory: Option<&Path>) -> anyhow::Result<PathBuf> {
    if !is_compressed_name(input) {
        bail!(
            "{}: does not end in .{SUFFIX}, so the name of the result is unknown; give it with -o, or use -c",
            shown(input)
        );
    }
    Ok(place(input.with_extension(""), directory))
}

fn place(path: PathBuf, directory: Option<&Path>) -> PathBuf {
    match (directory, path.file_name()) {
        (Some(directory), Some(name)) => directory.join(name),
        _ => path,
    }
}

/// Opens an input file.
pub fn open(path: &Path) -> anyhow::Result<File> {
    let name = shown(path);
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => bail!("{name}: is a directory, not a file"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("{name}: there is no such file; check the name")
        }
        _ => File::open(path).of(&name, "cannot be opened"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_results() {
        assert_eq!(
            compressed_name(Path::new("a/b.txt"), None),
            Path::new("a/b.txt.vtc")
        );
        assert_eq!(
            compressed_name(Path::new("a/b.txt"), Some(Path::new("out"))),
            Path::new("out/b.txt.vtc")
        );
        assert_eq!(
            restored_name(Path::new("a/b.txt.vtc"), None).unwrap(),
            Path::new("a/b.txt")
        );
        assert_eq!(
            restored_name(Path::new("b.tar.vtc"), Some(Path::new("out"))).unwrap(),
            Path::new("out/b.tar")
        );
        assert!(restored_name(Path::new("b.txt"), None).is_err());
        assert_eq!(shown(Path::new("a\n\u{1b}[31mä")), "a\\n\\u{1b}[31mä");
        // A file that is called nothing but the suffix has no name left.
        assert!(restored_name(Path::new("a/.vtc"), None).is_err());
    }
}
