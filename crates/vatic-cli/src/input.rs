//! What is worked on: an open file, standard input, or what was read of a file already.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::mem;
use std::path::Path;

use crate::files::Source;

/// The first bytes, enough to recognise compressed data.
pub fn peek(input: &mut Input) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    input
        .by_ref()
        .take(vatic::MAGIC.len() as u64)
        .read_to_end(&mut start)?;
    Ok(start)
}

/// Whether a file has the length and the time of its last change that it had before.
pub fn is_unchanged(before: &Metadata, path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|now| {
        let changed = |of: &Metadata| of.modified().ok();
        (now.len(), changed(&now)) == (before.len(), changed(before))
    })
}

/// An input, and what the file system says of it.
pub struct Opened {
    pub source: Source,
    pub input: Input,
    /// None of standard input.
    pub metadata: Option<Metadata>,
}

impl Opened {
    /// Its name for messages.
    pub fn name(&self) -> String {
        self.source.name()
    }

    /// What was read of it, which it has no longer then.
    pub fn take_content(&mut self) -> Vec<u8> {
        match mem::replace(&mut self.input, Input::Memory(io::Cursor::default())) {
            Input::Memory(content) => content.into_inner(),
            _ => Vec::new(),
        }
    }

    /// What was read of it already, if that is all.
    pub fn content(&self) -> &[u8] {
        match &self.input {
            Input::Memory(content) => content.get_ref(),
            _ => &[],
        }
    }
}

/// Where an input's bytes come from.
pub enum Input {
    Stdin(io::Stdin),
    File(File),
    Memory(io::Cursor<Vec<u8>>),
}

impl Input {
    /// Whether all of it is there already, as it is not where somebody may still be writing: a regular file, or one that standard input
    /// was taken from.
    pub fn is_file(&self) -> bool {
        let is_file = |file: &File| file.metadata().is_ok_and(|of| of.is_file());
        match self {
            Input::Memory(_) => true,
            Input::File(file) => is_file(file),
            Input::Stdin(_) => {
                same_file::Handle::stdin().is_ok_and(|stdin| is_file(stdin.as_file()))
            }
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Input::Stdin(stdin) => stdin.read(buffer),
            Input::File(file) => file.read(buffer),
            Input::Memory(content) => content.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_was_written_to_has_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        std::fs::write(&path, b"one").unwrap();
        let before = std::fs::metadata(&path).unwrap();
        assert!(is_unchanged(&before, &path));
        let longer = |bytes: &[u8]| File::options().append(true).open(&path)?.write_all(bytes);
        longer(b", two").unwrap();
        assert!(!is_unchanged(&before, &path));
        // The same length at another time.
        let before = std::fs::metadata(&path).unwrap();
        let later = before.modified().unwrap() + std::time::Duration::from_secs(1);
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(later)
            .unwrap();
        assert!(!is_unchanged(&before, &path));
        std::fs::remove_file(&path).unwrap();
        assert!(!is_unchanged(&before, &path));
    }
}
