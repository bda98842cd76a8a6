//! From frames back to content.

use std::io::Read;

use crate::codec;
use crate::error::{Error, Result};
use crate::format::{Header, Kind, checksum};
use crate::member::Found;
use crate::options::{DecodeOptions, Meter, Progress};
use crate::stats::{FrameStats, Stats};

/// Decodes frames and checks them.
pub(crate) struct FrameDecoder {
    options: DecodeOptions,
    codec: codec::Decoder,
    stats: Stats,
}

impl FrameDecoder {
    pub(crate) fn new(options: DecodeOptions) -> FrameDecoder {
        FrameDecoder {
            codec: codec::Decoder::new(&options),
            options,
            stats: Stats::default(),
        }
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The content of the frame `found`, whose payload is `payload`; empty for frames without content.
    pub(crate) fn frame(&mut self, found: &Found, payload: &[u8]) -> Result<Vec<u8>> {
        let header = &found.header;
        if matches!(header.kind, Kind::End | Kind::Skippable) {
            return Ok(Vec::new());
        }
        let before = Progress {
            content_bytes: self.stats.content_bytes,
            coded_bytes: self.stats.coded_bytes,
        };
        let meter = Meter::new(&self.options.progress, before);
        let decoded = self.codec.frame(header, payload, &meter)?;
        let content = self.accept(found, payload, decoded)?;
        meter.at(content.len(), payload.len());
        Ok(content)
    }

    /// The content of the frame `found`, whose payload was decoded, if it is the right one.
    pub(crate) fn accept(
        &mut self,
        found: &Found,
        payload: &[u8],
        (content, mut stats): (Vec<u8>, FrameStats),
    ) -> Result<Vec<u8>> {
        let header = &found.header;
        if content.len() != header.content as usize
            || checksum(&content, found.offset) != header.checksum
        {
            return Err(Error::Checksum { frame: found.frame });
        }
        stats.content_bytes = content.len() as u64;
        stats.payload_bytes = payload.len() as u64;
        self.stats.frames.push(stats);
        self.stats.content_bytes += content.len() as u64;
        Ok(content)
    }

    /// Adds to the bytes that were read.
    pub(crate) fn count(&mut self, bytes: u64) {
        self.stats.coded_bytes += bytes;
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
