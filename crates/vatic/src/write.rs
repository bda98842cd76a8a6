//! Adaptors that are written to and write to a [`Write`]. The writer has to block: after an error of its own, whatever it is but `Interrupted`,
//! an adaptor goes on no more.

use std::io::{self, Write};
use std::mem;

use crate::error::{Error, Result};
use crate::format::Counted;
use crate::member::{After, Found, FrameDecoder, FrameEncoder, Scanner};
use crate::options::{DecodeOptions, Options};
use crate::stats::Stats;

/// Takes content and writes vatic data. The end must be told, with [`finish`](Encoder::finish) or by
/// [`auto_finish`](Encoder::auto_finish): data without it is cut off. [`flush`](Write::flush) ends the current frame, so
/// that all that was written so far can be decoded.
///
/// ```
/// use std::io::Write;
///
/// let mut encoder = vatic::write::Encoder::new(Vec::new(), vatic::Options::new())?;
/// encoder.write_all(b"some text")?;
/// let packed = encoder.finish()?;
/// assert_eq!(vatic::decompress(&packed)?, b"some text");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Encoder<W> {
    writer: W,
    encoder: FrameEncoder,
    frame_size: usize,
    content: Vec<u8>,
    out: Vec<u8>,
    failed: bool,
}

impl<W: Write> Encoder<W> {
    /// Compresses to `writer`.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings out of range, [`Error::OtherModel`] or [`Error::Prior`] for a prior
    /// that does not suit the model.
    pub fn new(writer: W, options: Options) -> Result<Encoder<W>> {
        let frame_size = options.frame_size;
        let encoder = FrameEncoder::new(options)?;
        Ok(Encoder {
            writer,
            encoder,
            frame_size,
            content: Vec::new(),
            out: Vec::new(),
            failed: false,
        })
    }

    /// Writes what is left and the end, and gives the writer back.
    ///
    /// # Errors
    /// Whatever [`compress`](crate::compress) fails with, and [`Error::Write`] when the writer fails.
    pub fn finish(mut self) -> Result<W> {
        self.end()?;
        Ok(self.writer)
    }

    /// Finishes by itself when it is dropped. Errors are lost then, unless
    /// [`on_finish`](AutoFinishEncoder::on_finish) asks for them.
    pub fn auto_finish(self) -> AutoFinishEncoder<W> {
        AutoFinishEncoder {
            encoder: Some(self),
            on_finish: None,
        }
    }

    fn end(&mut self) -> Result<()> {
        self.emit(After::Nothing)?;
        self.writer.flush().map_err(Error::Write)
    }

    fn emit(&mut self, after: After) -> Result<()> {
        if self.failed {
            return Err(Error::Write(io::Error::other(
                "writing goes on after an error",
            )));
        }
        self.failed = true;
        self.out.clear();
        let used = (self.encoder).frame(&self.content, after, &mut self.out)?;
        self.content.drain(..used);
        self.writer.write_all(&self.out).map_err(Error::Write)?;
        self.failed = false;
        Ok(())
    }
}

impl<W> Encoder<W> {
    /// What was done so far.
    pub fn stats(&self) -> &Stats {
        self.encoder.stats()
    }

    /// The writer underneath.
    pub fn get_ref(&self) -> &W {
        &self.writer
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        // A full frame waits for the next byte, which tells that it is not the last.
        if self.content.len() == self.frame_size && !data.is_empty() {
            self.emit(After::More)?;
        }
        let n = data.len().min(self.frame_size - self.content.len());
        self.content.extend(&data[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.emit(After::Later)?;
        self.writer.flush()
    }
}

type OnFinish<W> = Box<dyn FnOnce(Result<W>) + Send>;

/// An [`Encoder`] that finishes when it is dropped.
pub struct AutoFinishEncoder<W: Write> {
    encoder: Option<Encoder<W>>,
    on_finish: Option<OnFinish<W>>,
}

impl<W: Write> AutoFinishEncoder<W> {
    /// Calls `hook` with how finishing went.
    pub fn on_finish(
        mut self,
        hook: impl FnOnce(Result<W>) + Send + 'static,
    ) -> AutoFinishEncoder<W> {
        self.on_finish = Some(Box::new(hook));
        self
    }

    fn encoder(&mut self) -> io::Result<&mut Encoder<W>> {
        self.encoder
            .as_mut()
            .ok_or_else(|| io::Error::other("the encoder is finished"))
    }
}

impl<W: Write> Write for AutoFinishEncoder<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.encoder()?.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder()?.flush()
    }
}

impl<W: Write> Drop for AutoFinishEncoder<W> {
    fn drop(&mut self) {
        if let Some(encoder) = self.encoder.take() {
            let finished = encoder.finish();
            if let Some(hook) = self.on_finish.take() {
                hook(finished);
            }
        }
    }
}

/// Takes vatic data, in pieces of any size, and writes the content. The end must be told with
/// [`finish`](Decoder::finish), which is where data that was cut off is noticed.
///
/// ```
/// use std::io::Write;
///
/// let packed = vatic::compress(b"some text", &vatic::Options::new())?;
/// let mut decoder = vatic::write::Decoder::new(Vec::new());
/// for byte in packed {
///     decoder.write_all(&[byte])?;
/// }
/// assert_eq!(decoder.finish()?, b"some text");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Decoder<W> {
    writer: W,
    scanner: Scanner,
    decoder: FrameDecoder,
    /// Bytes that belong to a header, or to the payload of `found`, as far as they have come.
    pending: Vec<u8>,
    found: Option<Found>,
    /// Bytes of a skippable frame still to come.
    skip: u64,
    failed: bool,
}

impl<W: Write> Decoder<W> {
    /// Decompresses to `writer`, with the settings that suit most.
    pub fn new(writer: W) -> Decoder<W> {
        Decoder::with_options(writer, DecodeOptions::new())
    }

    /// Decompresses to `writer`.
    pub fn with_options(writer: W, options: DecodeOptions) -> Decoder<W> {
        Decoder {
            writer,
            scanner: Scanner::default(),
            decoder: FrameDecoder::new(options),
            pending: Vec::new(),
            found: None,
            skip: 0,
            failed: false,
        }
    }

    /// Checks that the data ended where it may end, and gives the writer back.
    ///
    /// # Errors
    /// [`Error::Truncated`] when data is missing, [`Error::NotVatic`] when there was none, [`Error::Write`] when the
    /// writer fails.
    pub fn finish(mut self) -> Result<W> {
        if self.failed {
            return Err(Error::corrupt("the decoder failed before it was finished"));
        }
        if self.found.is_some() || self.skip > 0 {
            return Err(Error::Truncated);
        }
        if !self.pending.is_empty() || !self.scanner.may_end() {
            // What is pending is the start of a header or of a magic number: the scanner knows the right word for it.
            return match self.scanner.next(&mut &self.pending[..]) {
                Err(error) => Err(error),
                Ok(_) => Err(Error::Truncated),
            };
        }
        self.writer.flush().map_err(Error::Write)?;
        Ok(self.writer)
    }

    fn take(&mut self, mut data: &[u8]) -> Result<()> {
        loop {
            if self.skip > 0 {
                let n = data
                    .len()
                    .min(usize::try_from(self.skip).unwrap_or(usize::MAX));
                data = &data[n..];
                self.skip -= n as u64;
                self.decoder.count(n as u64, 0);
            } else if let Some(found) = self.found {
                let wanted = found.header.payload as usize - self.pending.len();
                let n = data.len().min(wanted);
                self.pending.extend(&data[..n]);
                data = &data[n..];
                if n == wanted {
                    let payload = mem::take(&mut self.pending);
                    self.found = None;
                    self.decoder.count(payload.len() as u64, payload.len());
                    let content = self.decoder.frame(&found, &payload)?;
                    self.writer.write_all(&content).map_err(Error::Write)?;
                    continue;
                }
            } else if !data.is_empty() {
                data = self.header(data)?;
                if self.found.is_some() {
                    continue;
                }
            }
            if data.is_empty() {
                return Ok(());
            }
        }
    }

    /// Feeds the header that is pending one byte at a time, since only the header itself says how long it is.
    fn header<'a>(&mut self, data: &'a [u8]) -> Result<&'a [u8]> {
        self.pending.push(data[0]);
        let mut reader = Counted {
            inner: &self.pending[..],
            count: 0,
        };
        match self.scanner.next(&mut reader) {
            Ok(Some(found)) => {
                debug_assert_eq!(reader.count, self.pending.len() as u64);
                self.decoder.count(reader.count, 0);
                self.pending.clear();
                self.decoder.admit(&found.header)?;
                if found.header.content > 0 {
                    self.found = Some(found);
                } else {
                    self.decoder.note(&found)?;
                    self.skip = u64::from(found.header.payload);
                }
            }
            Ok(None) | Err(Error::Truncated) => {}
            Err(error) => return Err(error),
        }
        Ok(&data[1..])
    }
}

impl<W> Decoder<W> {
    /// What was done so far.
    pub fn stats(&self) -> &Stats {
        self.decoder.stats()
    }

    /// The writer underneath.
    pub fn get_ref(&self) -> &W {
        &self.writer
    }
}

impl<W: Write> Write for Decoder<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Err(io::Error::other(
                "writing goes on after an error in vatic data",
            ));
        }
        match self.take(data) {
            Ok(()) => Ok(data.len()),
            Err(error) => {
                self.failed = true;
                Err(error.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
