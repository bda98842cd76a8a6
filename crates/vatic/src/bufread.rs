//! Adaptors that read from a [`BufRead`] and are read from. The reader has to block, as those of [`read`](crate::read).

use std::io::{self, BufRead, Read};

use crate::error::{Error, Result};
use crate::format::Counted;
use crate::member::{After, FrameDecoder, FrameEncoder, FrameSource, Scanner};
use crate::options::{DecodeOptions, Options};
use crate::stats::Stats;

/// Reads content from a reader and gives vatic data.
///
/// ```
/// use std::io::Read;
///
/// let mut packed = Vec::new();
/// vatic::bufread::Encoder::new(&b"some text"[..], vatic::Options::new())?.read_to_end(&mut packed)?;
/// assert_eq!(vatic::decompress(&packed)?, b"some text");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Encoder<R> {
    source: FrameSource<R>,
    encoder: FrameEncoder,
    content: Vec<u8>,
    ready: Ready,
}

impl<R: BufRead> Encoder<R> {
    /// Compresses what `reader` gives.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings out of range, [`Error::OtherModel`] or [`Error::Prior`] for a prior
    /// that does not suit the model.
    pub fn new(reader: R, options: Options) -> Result<Encoder<R>> {
        let source = FrameSource::new(reader, options.frame_size);
        Ok(Encoder {
            source,
            encoder: FrameEncoder::new(options)?,
            content: Vec::new(),
            ready: Ready::default(),
        })
    }
}

impl<R> Encoder<R> {
    /// What was done so far.
    pub fn stats(&self) -> &Stats {
        self.encoder.stats()
    }

    /// The reader underneath.
    pub fn get_ref(&self) -> &R {
        &self.source.reader
    }

    /// Gives the reader back.
    pub fn into_inner(self) -> R {
        self.source.reader
    }
}

impl<R: BufRead> Read for Encoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Encoder {
            source,
            encoder,
            content,
            ready,
        } = self;
        ready.give(out, |bytes| {
            let last = source.next(content)?;
            let used = encoder.frame(content, After::of(last), bytes)?;
            content.drain(..used);
            Ok(!last)
        })
    }
}

/// Reads vatic data from a reader, any number of members one after the other, and gives the content. The reader is read
/// to its end.
///
/// ```
/// use std::io::Read;
///
/// let packed = vatic::compress(b"some text", &vatic::Options::new())?;
/// let mut text = String::new();
/// vatic::bufread::Decoder::new(&packed[..]).read_to_string(&mut text)?;
/// assert_eq!(text, "some text");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Decoder<R> {
    reader: Counted<R>,
    scanner: Scanner,
    decoder: FrameDecoder,
    payload: Vec<u8>,
    ready: Ready,
}

impl<R: BufRead> Decoder<R> {
    /// Decompresses what `reader` gives, with the settings that suit most.
    pub fn new(reader: R) -> Decoder<R> {
        Decoder::with_options(reader, DecodeOptions::new())
    }

    /// Decompresses what `reader` gives.
    pub fn with_options(reader: R, options: DecodeOptions) -> Decoder<R> {
        Decoder {
            reader: Counted {
                inner: reader,
                count: 0,
            },
            scanner: Scanner::default(),
            decoder: FrameDecoder::new(options),
            payload: Vec::new(),
            ready: Ready::default(),
        }
    }

    /// The content of the next frame that has any; `None` at the end.
    fn next_frame(&mut self) -> Result<Option<Vec<u8>>> {
        let Decoder {
            reader,
            scanner,
            decoder,
            payload,
            ..
        } = self;
        while let Some(found) = decoder.read(scanner, reader, payload)? {
            let content = decoder.frame(&found, payload)?;
            if !content.is_empty() {
                return Ok(Some(content));
            }
        }
        Ok(None)
    }
}

impl<R> Decoder<R> {
    /// What was done so far.
    pub fn stats(&self) -> &Stats {
        self.decoder.stats()
    }

    /// The reader underneath.
    pub fn get_ref(&self) -> &R {
        &self.reader.inner
    }

    /// Gives the reader back.
    pub fn into_inner(self) -> R {
        self.reader.inner
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut ready = std::mem::take(&mut self.ready);
        let read = ready.give(out, |bytes| {
            let content = self.next_frame()?;
            let more = content.is_some();
            *bytes = content.unwrap_or_default();
            Ok(more)
        });
        self.ready = ready;
        read
    }
}

/// Bytes made and not yet given.
#[derive(Default)]
struct Ready {
    bytes: Vec<u8>,
    given: usize,
    state: State,
}

#[derive(Default, PartialEq)]
enum State {
    #[default]
    More,
    Ended,
    Failed,
}

impl Ready {
    /// Copies to `out` what there is, after asking `make` for more if there is nothing; `make` says whether it can make
    /// more after that.
    fn give(
        &mut self,
        out: &mut [u8],
        mut make: impl FnMut(&mut Vec<u8>) -> Result<bool>,
    ) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        while self.given == self.bytes.len() {
            match self.state {
                State::Ended => return Ok(0),
                // Data that failed has no end: whoever reads on must not take it for one.
                State::Failed => {
                    return Err(io::Error::other(
                        "reading goes on after an error in vatic data",
                    ));
                }
                State::More => {}
            }
            self.bytes.clear();
            self.given = 0;
            match make(&mut self.bytes) {
                Ok(true) => {}
                Ok(false) => self.state = State::Ended,
                Err(error) => {
                    self.bytes.clear();
                    self.state = State::Failed;
                    return Err(error.into());
                }
            }
        }
        let n = out.len().min(self.bytes.len() - self.given);
        out[..n].copy_from_slice(&self.bytes[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

/// What [`Error`] a reader of this crate failed with, if it was one.
///
/// ```
/// use std::io::Read;
///
/// let failure = vatic::read::Decoder::new(&b"no vatic data"[..]).read_to_end(&mut Vec::new()).unwrap_err();
/// assert!(matches!(vatic::error_of(&failure), Some(vatic::Error::NotVatic)));
/// ```
pub fn error_of(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}
