//! From content to members.

use std::io::Read;

use crate::codec;
use crate::error::{Error, Result};
use crate::format::{Header, Kind, MAGIC, Parts, checksum};
use crate::member::{Found, FrameDecoder};
use crate::options::{DecodeOptions, Meter, Mode, Options, Progress};
use crate::stats::{FrameStats, Stats};

/// Makes one member, frame by frame.
pub(crate) struct FrameEncoder {
    options: Options,
    codec: codec::Encoder,
    verifier: Option<FrameDecoder>,
    started: bool,
    stats: Stats,
}

impl FrameEncoder {
    pub(crate) fn new(options: Options) -> Result<FrameEncoder> {
        options.check()?;
        let codec = codec::Encoder::new(&options)?;
        let verifier = options.verify.then(|| {
            let decode = DecodeOptions {
                threads: options.threads,
                max_memory: u64::MAX,
                ..DecodeOptions::default()
            };
            let decode = (options.candidates().into_iter()).fold(decode, DecodeOptions::model);
            FrameDecoder::new(match &options.prior {
                Some(prior) => decode.prior(prior.clone()),
                None => decode,
            })
        });
        Ok(FrameEncoder {
            options,
            codec,
            verifier,
            started: false,
            stats: Stats::default(),
        })
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Appends the frame of `content` to `out`. Nothing at all is appended for no content, unless it is the last.
    pub(crate) fn frame(&mut self, content: &[u8], last: bool, out: &mut Vec<u8>) -> Result<()> {
        if content.is_empty() && !last {
            return Ok(());
        }
        let start = out.len();
        if !self.started {
            out.extend(MAGIC);
            self.started = true;
        }
        if content.is_empty() {
            Header::control(Kind::End, 0, true).write(out);
        } else {
            self.content_frame(content, last, out)?;
        }
        self.stats.coded_bytes += (out.len() - start) as u64;
        Ok(())
    }

    fn content_frame(&mut self, content: &[u8], last: bool, out: &mut Vec<u8>) -> Result<()> {
        let offset = self.stats.content_bytes;
        let before = Progress {
            content_bytes: offset,
            coded_bytes: self.stats.coded_bytes,
        };
        let meter = Meter::new(&self.options.progress, before);
        let mut stats = FrameStats {
            mode: Mode::Stored,
            ..FrameStats::default()
        };
        let mut header = Header {
            kind: Kind::Stored,
            last,
            content: content.len() as u32,
            payload: content.len() as u32,
            parts: Parts::default(),
            checksum: checksum(content, offset),
        };
        let stored_size = content.len() + header.size();
        let mut payload = content;
        let coded = self.codec.frame(content, &meter)?;
        if let Some(coded) = &coded {
            let coded_header = Header {
                kind: coded.kind,
                payload: coded.payload.len() as u32,
                parts: coded.parts,
                ..header
            };
            if coded.payload.len() <= content.len()
                && coded.payload.len() + coded_header.size() < stored_size
            {
                header = coded_header;
                payload = &coded.payload;
                stats = coded.stats.clone();
            }
        }
        if let Some(verifier) = &mut self.verifier {
            let frame = self.stats.frames.len() as u64;
            let found = Found {
                header,
                frame,
                offset,
            };
            match verifier.frame(&found, payload) {
                Ok(decoded) if decoded == content => {}
                _ => return Err(Error::Verification { frame }),
            }
        }
        header.write(out);
        out.extend(payload);
        stats.content_bytes = content.len() as u64;
        stats.payload_bytes = payload.len() as u64;
        self.stats.content_bytes += content.len() as u64;
        self.stats.frames.push(stats);
        meter.at(content.len(), header.size() + payload.len());
        Ok(())
    }
}

/// Cuts what a reader gives into contents of frames, and knows which one is the last.
pub(crate) struct FrameSource<R> {
    pub reader: R,
    frame_size: usize,
    /// The byte that was read ahead to see whether there is more.
    ahead: Vec<u8>,
}

impl<R: Read> FrameSource<R> {
    pub(crate) fn new(reader: R, frame_size: usize) -> FrameSource<R> {
        FrameSource {
            reader,
            frame_size,
            ahead: Vec::new(),
        }
    }

    /// Fills `content` with the next frame's content and says whether it is the last.
    pub(crate) fn next(&mut self, content: &mut Vec<u8>) -> Result<bool> {
        content.clear();
        content.append(&mut self.ahead);
        let room = (self.frame_size - content.len()) as u64;
        self.reader
            .by_ref()
            .take(room)
            .read_to_end(content)
            .map_err(Error::Read)?;
        if content.len() < self.frame_size {
            return Ok(true);
        }
        self.reader
            .by_ref()
            .take(1)
            .read_to_end(&mut self.ahead)
            .map_err(Error::Read)?;
        Ok(self.ahead.is_empty())
    }
}
