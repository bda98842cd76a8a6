//! What came before, as far back as it may be asked for: a little of it in memory, more in a temporary file that has no name, so that memory stays flat.

use std::fmt;
use std::io;

#[cfg(not(target_family = "wasm"))]
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
};

use crate::Error;

/// Up to so many bytes are kept in memory.
#[cfg(not(target_family = "wasm"))]
const IN_MEMORY: u64 = 4 << 20;
/// There are no files.
#[cfg(target_family = "wasm")]
const IN_MEMORY: u64 = u64::MAX;

/// The last bytes of something that grows.
pub struct Past {
    /// The most bytes that are kept.
    window: u64,
    /// All bytes that there were.
    end: u64,
    store: Store,
    /// The last of them, which are not in the store yet: they may come in small pieces.
    tail: Vec<u8>,
}

/// So many bytes are stored together.
const TOGETHER: usize = 1 << 16;

/// Each byte has its place: where it was in all, modulo the window.
enum Store {
    Memory(Vec<u8>),
    #[cfg(not(target_family = "wasm"))]
    File(File),
    /// Why there is none.
    Lost(io::ErrorKind, String),
}

impl Past {
    /// Nothing yet, of which the last `window` bytes will be kept.
    #[must_use]
    pub fn new(window: u64) -> Past {
        Past {
            window,
            end: 0,
            store: Store::Memory(Vec::new()),
            tail: Vec::new(),
        }
    }

    /// How many bytes are kept.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.end.min(self.window)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end == 0
    }

    /// Adds to the end. If that fails, [`read`](Past::read) tells why.
    pub fn append(&mut self, bytes: &[u8]) {
        if self.window == 0 || matches!(self.store, Store::Lost(..)) {
            // It is enough to know how much there was.
        } else if self.tail.len() + bytes.len() <= TOGETHER {
            self.tail.extend_from_slice(bytes);
        } else {
            self.settle();
            self.try_to_store(bytes, self.end);
        }
        self.end += bytes.len() as u64;
    }

    /// Stores what is not in the store yet.
    fn settle(&mut self) {
        if self.tail.is_empty() {
            return;
        }
        let mut tail = std::mem::take(&mut self.tail);
        self.try_to_store(&tail, self.end - tail.len() as u64);
        tail.clear();
        self.tail = tail;
    }

    fn try_to_store(&mut self, bytes: &[u8], at: u64) {
        if let Err(error) = self.store(bytes, at) {
            self.store = Store::Lost(error.kind(), error.to_string());
        }
    }

    /// Adds so many bytes that will not be asked for, which takes no room in a file.
    pub fn skip(&mut self, bytes: u64) {
        if bytes == 0 {
            return;
        }
        self.settle();
        let end = self.end + bytes;
        #[cfg(not(target_family = "wasm"))]
        if let Err(error) = self.move_to_file(end) {
            self.store = Store::Lost(error.kind(), error.to_string());
        }
        if let Store::Memory(memory) = &mut self.store {
            let there = end.min(self.window) as usize;
            memory.resize(memory.len().max(there), 0);
        }
        self.end = end;
    }

    /// Copies to `out` what begins `back` bytes before the end.
    ///
    /// # Errors
    /// [`Error::Beyond`] if less is kept or it ends first, [`Error::Past`] if it cannot be read.
    pub fn read(&mut self, back: u64, out: &mut [u8]) -> Result<(), Error> {
        if back > self.len() || out.len() as u64 > back {
            return Err(Error::Beyond);
        }
        if out.is_empty() {
            return Ok(());
        }
        self.settle();
        let place = (self.end - back) % self.window;
        // Up to where the places begin again.
        let (first, second) = out.split_at_mut(self.until_turn(place, out.len()));
        self.read_at(place, first)?;
        self.read_at(0, second)
    }

    /// How many of so many bytes there are between a place and the turn.
    fn until_turn(&self, place: u64, bytes: usize) -> usize {
        (bytes as u64).min(self.window - place) as usize
    }

    fn read_at(&mut self, place: u64, out: &mut [u8]) -> Result<(), Error> {
        match &mut self.store {
            Store::Memory(bytes) => {
                let place = place as usize;
                out.copy_from_slice(&bytes[place..place + out.len()]);
                Ok(())
            }
            #[cfg(not(target_family = "wasm"))]
            Store::File(file) => read_at(file, place, out).map_err(Error::Past),
            Store::Lost(kind, why) => Err(Error::Past(io::Error::new(*kind, why.clone()))),
        }
    }

    /// What is in memory goes to a file if so many bytes in all are more than memory has.
    #[cfg(not(target_family = "wasm"))]
    fn move_to_file(&mut self, end: u64) -> io::Result<()> {
        if let Store::Memory(kept) = &self.store
            && self.window > IN_MEMORY
            && end > IN_MEMORY
        {
            let mut file = temporary()?;
            file.write_all(kept)?;
            self.store = Store::File(file);
        }
        Ok(())
    }

    /// Stores bytes that begin `at` so many of all.
    fn store(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        #[cfg(not(target_family = "wasm"))]
        self.move_to_file(at + bytes.len() as u64)?;
        // Of more than a window only the end is kept.
        let kept = self.until_turn(0, bytes.len());
        let bytes_kept = &bytes[bytes.len() - kept..];
        let place = (at + (bytes.len() - kept) as u64) % self.window;
        let (first, second) = bytes_kept.split_at(self.until_turn(place, kept));
        match &mut self.store {
            Store::Memory(memory) => {
                put(memory, place as usize, first);
                put(memory, 0, second);
                Ok(())
            }
            #[cfg(not(target_family = "wasm"))]
            Store::File(file) => {
                write_at(file, place, first)?;
                write_at(file, 0, second)
            }
            Store::Lost(..) => Ok(()),
        }
    }
}

impl fmt::Debug for Past {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Past")
            .field("window", &self.window)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// Bytes at a place in memory, which grows with them.
fn put(memory: &mut Vec<u8>, place: usize, bytes: &[u8]) {
    if memory.len() < place + bytes.len() {
        memory.resize(place + bytes.len(), 0);
    }
    memory[place..place + bytes.len()].copy_from_slice(bytes);
}

/// A file without a name, in the directory for large ones: where `TMPDIR` says, or `/var/tmp`, since `/tmp` is memory on many systems.
#[cfg(not(target_family = "wasm"))]
fn temporary() -> io::Result<File> {
    let large = std::path::Path::new("/var/tmp");
    if cfg!(unix) && std::env::var_os("TMPDIR").is_none() && large.is_dir() {
        return tempfile::tempfile_in(large).or_else(|_| tempfile::tempfile());
    }
    tempfile::tempfile()
}

#[cfg(not(target_family = "wasm"))]
fn read_at(file: &mut File, place: u64, out: &mut [u8]) -> io::Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    file.seek(SeekFrom::Start(place))?;
    file.read_exact(out)
}

#[cfg(not(target_family = "wasm"))]
fn write_at(file: &mut File, place: u64, bytes: &[u8]) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    file.seek(SeekFrom::Start(place))?;
    file.write_all(bytes)
}
