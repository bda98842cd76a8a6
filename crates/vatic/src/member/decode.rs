//! From frames back to content.

use std::io::{BufRead, Read};
use std::sync::Arc;

use crate::codec::flight::{Decoded, Frame};
use crate::codec::{self, Sink};
use crate::error::{Error, Result};
use crate::format::{Checksum, Counted, Header, Kind, checksum};
use crate::member::{Found, Scanner};
use crate::options::DecodeOptions;
use crate::progress::{Meter, Progress, Tally};
use crate::stats::{FrameStats, Stats};

/// Decodes frames and checks them.
pub(crate) struct FrameDecoder {
    codec: codec::Decoder,
    tally: Arc<Tally>,
    stats: Stats,
}

impl FrameDecoder {
    pub(crate) fn new(options: DecodeOptions) -> FrameDecoder {
        FrameDecoder {
            codec: codec::Decoder::new(&options),
            tally: Tally::new(&options.progress),
            stats: Stats::default(),
        }
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

    /// The content of the frame `found`, whose payload is `payload`; empty for frames without content.
    pub(crate) fn frame(&mut self, found: &Found, payload: &[u8]) -> Result<Vec<u8>> {
        if found.header.content == 0 {
            return Ok(Vec::new());
        }
        if found.is_cut(payload) {
            return Err(Error::Truncated);
        }
        let decoded = self.begin(found).decode(payload)?;
        Ok(self.accept(decoded))
    }

    /// The frame `found`, which has content, as one that can be decoded with no regard to others.
    pub(crate) fn begin(&self, found: &Found) -> Pending {
        Pending {
            found: *found,
            wanted: found.header.content as usize,
            codec: self.codec.clone(),
            meter: self.tally.meter(),
        }
    }

    /// The same as one to be decoded beside others, if it is of that kind.
    pub(crate) fn beside<'a>(&self, found: &Found, payload: &'a [u8]) -> Option<Frame<'a>> {
        self.codec.beside(&found.header, payload).ok().flatten()
    }

    /// Notes what was done with a frame; its content.
    pub(crate) fn accept(&mut self, (content, stats): Decoded) -> Vec<u8> {
        self.stats.content_bytes += stats.content_bytes;
        self.stats.frames.push(stats);
        content
    }

    /// Adds to the bytes that were read. So many of them are a payload, which is reported as it is decoded.
    pub(crate) fn count(&mut self, bytes: u64, payload: usize) {
        self.stats.coded_bytes += bytes;
        self.tally.add(Progress::new(0, bytes - payload as u64));
    }

    /// Reads the next header and its payload, of a frame that is allowed; `None` at the end. If the payload is cut off, what there is of it
    /// is read: it is shorter than the header says.
    pub(crate) fn read(
        &mut self,
        scanner: &mut Scanner,
        reader: &mut Counted<impl BufRead>,
        payload: &mut Vec<u8>,
    ) -> Result<Option<Found>> {
        let before = reader.count;
        let Some(found) = scanner.next(reader)? else {
            return Ok(None);
        };
        self.admit(&found.header)?;
        match self.payload(&found.header, reader, payload) {
            Err(Error::Truncated) if found.header.content > 0 => {}
            other => other?,
        }
        self.count(reader.count - before, payload.len());
        Ok(Some(found))
    }

    /// Whether what the frame asks for is allowed and at hand; costs nothing.
    pub(crate) fn admit(&self, header: &Header) -> Result<()> {
        self.codec.admit(header)
    }

    /// Reads the payload that `header` announces into `payload`, which grows with what is there and not with what is
    /// claimed; passes over what is to be skipped.
    pub(crate) fn payload(
        &mut self,
        header: &Header,
        reader: &mut impl Read,
        payload: &mut Vec<u8>,
    ) -> Result<()> {
        payload.clear();
        let claimed = u64::from(header.payload);
        let mut rest = reader.take(claimed);
        let read = if header.kind == Kind::Skippable {
            std::io::copy(&mut rest, &mut std::io::sink())
        } else {
            rest.read_to_end(payload).map(|n| n as u64)
        };
        if read.map_err(Error::reading)? < claimed {
            Err(Error::Truncated)
        } else {
            Ok(())
        }
    }
}

/// A frame that is to be decoded.
pub(crate) struct Pending {
    found: Found,
    /// So many bytes of its content are wanted, the first ones.
    wanted: usize,
    codec: codec::Decoder,
    meter: Meter,
}

impl Pending {
    /// The same when no more than the first `wanted` bytes of its content are to be given.
    pub(crate) fn up_to(mut self, wanted: usize) -> Pending {
        self.wanted = self.wanted.min(wanted);
        self
    }

    /// Its content, if it is the right one.
    pub(crate) fn decode(&self, payload: &[u8]) -> Result<Decoded> {
        let mut content = Vec::new();
        let mut sink = |bytes: &[u8]| content.extend_from_slice(bytes);
        let stats = self.stream(payload, &mut sink)?;
        Ok((content, stats))
    }

    /// Gives its content as it is decoded, no more than there should be. Whether it was the right one is known in the end, if that was reached:
    /// decoding stops when what is wanted has been given.
    pub(crate) fn stream(&self, payload: &[u8], sink: Sink) -> Result<FrameStats> {
        let header = &self.found.header;
        let mut sum = Checksum::new(self.found.offset);
        let (content, wanted) = (header.content as usize, self.wanted);
        let (mut done, mut more) = (0, false);
        let mut part = |bytes: &[u8]| {
            let (left, missing) = (content - done, wanted.saturating_sub(done));
            more |= bytes.len() > left;
            let bytes = &bytes[..bytes.len().min(left)];
            done += bytes.len();
            sum.update(bytes);
            if missing > 0 {
                sink(&bytes[..bytes.len().min(missing)]);
            }
        };
        let mut stats = (self.codec).frame(header, payload, wanted, &self.meter, &mut part)?;
        if self.found.is_cut(payload) {
            return Err(Error::Truncated);
        }
        if done < content && done >= wanted {
            stats.content_bytes = done as u64;
            stats.payload_bytes = payload.len() as u64;
            return Ok(stats);
        }
        if done < content || more || sum.finish() != header.checksum {
            return Err(self.is_wrong());
        }
        self.done(payload, &mut stats);
        Ok(stats)
    }

    /// What it was decoded to, if that is the right content.
    pub(crate) fn check(&self, (content, mut stats): Decoded, payload: &[u8]) -> Result<Decoded> {
        let header = &self.found.header;
        if content.len() != header.content as usize
            || checksum(&content, self.found.offset) != header.checksum
        {
            return Err(self.is_wrong());
        }
        self.done(payload, &mut stats);
        Ok((content, stats))
    }

    fn done(&self, payload: &[u8], stats: &mut FrameStats) {
        stats.content_bytes = self.found.header.content.into();
        stats.payload_bytes = payload.len() as u64;
        self.is_done(payload);
    }

    /// Reports that it is decoded.
    pub(crate) fn is_done(&self, payload: &[u8]) {
        let content = self.found.header.content as usize;
        self.meter.at(content, payload.len());
    }

    fn is_wrong(&self) -> Error {
        Error::Checksum {
            frame: self.found.frame,
        }
    }
}
