//! Adaptors that read from any [`Read`] and are read from. The reader has to block: one that says
//! [`WouldBlock`](std::io::ErrorKind::WouldBlock) has failed, as one that says anything else but `Interrupted`.

use std::io::{self, BufReader, Read};

use crate::bufread;
use crate::error::Result;
use crate::options::{DecodeOptions, Options};
use crate::stats::Stats;

/// Reads content from a reader and gives vatic data.
///
/// ```
/// use std::io::Read;
///
/// let mut packed = Vec::new();
/// vatic::read::Encoder::new(&b"some text"[..], vatic::Options::new())?.read_to_end(&mut packed)?;
/// assert_eq!(vatic::decompress(&packed)?, b"some text");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Encoder<R>(bufread::Encoder<BufReader<R>>);

impl<R: Read> Encoder<R> {
    /// Compresses what `reader` gives.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for settings out of range, [`Error::OtherModel`](crate::Error::OtherModel) or [`Error::Prior`](crate::Error::Prior) for a prior
    /// that does not suit the model.
    pub fn new(reader: R, options: Options) -> Result<Encoder<R>> {
        Ok(Encoder(bufread::Encoder::new(
            BufReader::new(reader),
            options,
        )?))
    }
}

impl<R> Encoder<R> {
    /// What was done so far.
    pub fn stats(&self) -> &Stats {
        self.0.stats()
    }

    /// Gives the reader back. What was read ahead of need is lost.
    pub fn into_inner(self) -> R {
        self.0.into_inner().into_inner()
    }
}

impl<R: Read> Read for Encoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

/// Reads vatic data from a reader, any number of members one after the other, and gives the content.
///
/// ```
/// use std::io::Read;
///
/// let packed = vatic::compress(b"some text", &vatic::Options::new())?;
/// let mut text = String::new();
/// vatic::read::Decoder::new(&packed[..]).read_to_string(&mut text)?;
/// assert_eq!(text, "some text");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Decoder<R>(bufread::Decoder<BufReader<R>>);

impl<R: Read> Decoder<R> {
    /// Decompresses what `reader` gives, with the settings that suit most.
    pub fn new(reader: R) -> Decoder<R> {
        Decoder::with_options(reader, DecodeOptions::new())
    }

    /// Decompresses what `reader` gives.
    pub fn with_options(reader: R, options: DecodeOptions) -> Decoder<R> {
        Decoder(bufread::Decoder::with_options(
            BufReader::new(reader),
            options,
        ))
    }
}

impl<R> Decoder<R> {
    /// What was done so far.
    pub fn stats(&self) -> &Stats {
        self.0.stats()
    }

    /// Gives the reader back. What was read ahead of need is lost.
    pub fn into_inner(self) -> R {
        self.0.into_inner().into_inner()
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}
