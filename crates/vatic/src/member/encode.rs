//! From content to members.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use crate::codec;
use crate::error::{Error, Result};
use crate::format::{Header, Kind, MAGIC, checksum};
use crate::member::{Found, FrameDecoder};
use crate::options::{DecodeOptions, Mode, Options};
use crate::progress::{Meter, Tally};
use crate::stats::{FrameStats, Stats};

/// Makes one member, frame by frame.
pub(crate) struct FrameEncoder {
    options: Options,
    codec: codec::Encoder,
    tally: Arc<Tally>,
    /// Frames with content that were begun, and the bytes of it.
    begun: (u64, u64),
    started: bool,
    stats: Stats,
}

impl FrameEncoder {
    pub(crate) fn new(options: Options) -> Result<FrameEncoder> {
        options.check()?;
        Ok(FrameEncoder {
            codec: codec::Encoder::new(&options)?,
            tally: Tally::new(&options.progress),
            options,
            begun: (0, 0),
            started: false,
            stats: Stats::default(),
        })
    }

    /// The same, whose progress `tally` hears of.
    pub(crate) fn telling(mut self, tally: &Arc<Tally>) -> Self {
        self.tally = tally.clone();
        self
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// What hears of all frames' progress.
    pub(crate) fn tally(&self) -> Arc<Tally> {
        self.tally.clone()
    }

    /// Appends the frame of `content`, or several of them, to `out`. Nothing at all is appended for no content, unless it is the last.
    pub(crate) fn frame(&mut self, content: &[u8], last: bool, out: &mut Vec<u8>) -> Result<()> {
        let mut rest = Some(content.into());
        while let Some(content) = rest {
            let begun;
            (begun, rest) = self.begin(content, last)?;
            out.extend(self.accept(begun.code()?));
        }
        Ok(())
    }

    /// Decides how the next frame is coded, which is then done with no regard to other frames; what is left of `content`, if it does not take all
    /// of it, comes next.
    pub(crate) fn begin<'a>(
        &mut self,
        content: Cow<'a, [u8]>,
        last: bool,
    ) -> Result<(Begun<'a>, Option<Cow<'a, [u8]>>)> {
        let (plan, used) = match content.is_empty() {
            true => (None, 0),
            false => {
                let (plan, used) = self.codec.plan_frame(&content)?;
                (Some(plan), used)
            }
        };
        let (content, rest) = divide(content, used);
        let last = last && rest.is_none();
        let (number, offset) = self.begun;
        self.begun.0 += u64::from(plan.is_some());
        self.begun.1 += content.len() as u64;
        let is_first = !self.started && (last || plan.is_some());
        self.started |= is_first;
        let begun = Begun {
            is_first,
            last,
            number,
            offset,
            memory: codec::memory(content.len(), self.options.memory_log2),
            meter: self.tally.meter(),
            verify: self.options.verify.then(|| as_decoded(&self.options)),
            plan,
            content,
        };
        Ok((begun, rest))
    }

    /// Notes what was done; the frame's bytes.
    pub(crate) fn accept(&mut self, made: Made) -> Vec<u8> {
        self.stats.coded_bytes += made.bytes.len() as u64;
        if let Some(stats) = made.stats {
            self.stats.content_bytes += stats.content_bytes;
            self.stats.frames.push(stats);
        }
        made.bytes
    }
}

/// The first so many bytes, and the others if there are any.
fn divide(content: Cow<[u8]>, at: usize) -> (Cow<[u8]>, Option<Cow<[u8]>>) {
    if at == content.len() {
        return (content, None);
    }
    match content {
        Cow::Borrowed(content) => {
            let (first, rest) = content.split_at(at);
            (first.into(), Some(rest.into()))
        }
        Cow::Owned(mut content) => {
            let rest = content.split_off(at);
            (content.into(), Some(rest.into()))
        }
    }
}

/// Settings to decode what was made with these.
fn as_decoded(options: &Options) -> DecodeOptions {
    let decode = DecodeOptions {
        threads: options.threads,
        max_memory: u64::MAX,
        ..DecodeOptions::default()
    };
    let decode = (options.candidates().into_iter()).fold(decode, DecodeOptions::model);
    match &options.prior {
        Some(prior) => decode.prior(prior.clone()),
        None => decode,
    }
}

/// A frame of which it is known how it is to be coded.
pub(crate) struct Begun<'a> {
    content: Cow<'a, [u8]>,
    /// None where there is no content.
    plan: Option<codec::Plan>,
    is_first: bool,
    last: bool,
    number: u64,
    /// Where its content begins in the member.
    offset: u64,
    memory: u64,
    meter: Meter,
    verify: Option<DecodeOptions>,
}

/// What is told of a frame that is stored.
fn stored() -> FrameStats {
    FrameStats {
        mode: Mode::Stored,
        ..FrameStats::default()
    }
}

/// A frame's bytes, with the magic number before the first one, and what was done if it has content.
pub(crate) struct Made {
    bytes: Vec<u8>,
    stats: Option<FrameStats>,
}

impl Begun<'_> {
    /// Whether it keeps all threads busy by itself.
    pub(crate) fn takes_all_threads(&self) -> bool {
        self.plan
            .as_ref()
            .is_some_and(codec::Plan::takes_all_threads)
    }

    /// The memory in bytes that coding it takes, roughly, if it takes one thread.
    pub(crate) fn memory(&self) -> u64 {
        self.memory
    }

    pub(crate) fn code(mut self) -> Result<Made> {
        let mut bytes = Vec::new();
        if self.is_first {
            bytes.extend(MAGIC);
        }
        let stats = match self.plan.take() {
            Some(plan) => Some(self.content_frame(plan, &mut bytes)?),
            None if self.last => {
                Header::control(Kind::End, 0, true).write(&mut bytes);
                None
            }
            None => None,
        };
        Ok(Made { bytes, stats })
    }

    fn content_frame(&mut self, mut plan: codec::Plan, out: &mut Vec<u8>) -> Result<FrameStats> {
        let sum = checksum(&self.content, self.offset);
        let filter = match &mut self.content {
            Cow::Owned(content) => plan.filter(content),
            Cow::Borrowed(_) => None,
        };
        let made = plan.frame(&self.content, self.last, sum, &self.meter);
        if let (Some(filter), Cow::Owned(content)) = (filter, &mut self.content) {
            filter.undo_all(content);
        }
        let (header, coded) = made?;
        let content: &[u8] = &self.content;
        let payload = coded.as_ref().map_or(content, |coded| &coded.payload);
        let start = out.len();
        header.write(out);
        out.extend(payload);
        if let Some(options) = &self.verify {
            self.verify(&out[start..], options)?;
        }
        let payload_bytes = payload.len() as u64;
        let mut stats = coded.map_or_else(stored, |coded| coded.stats);
        stats.content_bytes = content.len() as u64;
        stats.payload_bytes = payload_bytes;
        self.meter.at(content.len(), out.len());
        Ok(stats)
    }

    /// Decodes the frame as it is written, and compares.
    fn verify(&self, frame: &[u8], options: &DecodeOptions) -> Result<()> {
        let mut payload = frame;
        let decoded = Header::read(&mut payload).and_then(|header| {
            let found = Found {
                header,
                frame: self.number,
                offset: self.offset,
            };
            FrameDecoder::new(options.clone()).frame(&found, payload)
        });
        match decoded {
            Ok(decoded) if decoded == *self.content => Ok(()),
            _ => Err(Error::Verification { frame: self.number }),
        }
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
