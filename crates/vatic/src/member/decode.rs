//! From frames back to content.

use std::io::{BufRead, Read};
use std::sync::Arc;

use vatic_repeats::{Past, Splice};

use crate::codec::copied::wrong;
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
    kept: Kept,
    /// The frame whose content is being put together as it comes, and how much of that was given.
    open: Option<(Splice, usize)>,
}

/// What was decoded of a member, as far as its frames may copy from it.
struct Kept {
    /// The number of the member, and whether it said so.
    member: u64,
    is_told: bool,
    /// Where in the member the past ends.
    at: u64,
    past: Past,
}

impl Kept {
    fn nothing(member: u64) -> Kept {
        Kept {
            member,
            is_told: false,
            at: 0,
            past: Past::new(0),
        }
    }

    /// What comes before the frame `found`: nothing, if its member said nothing. What was not decoded of it will not be asked for.
    fn before(&mut self, found: &Found) -> &mut Past {
        if self.member != found.member {
            *self = Kept::nothing(found.member);
        }
        self.past.skip(found.offset.saturating_sub(self.at));
        self.at = self.at.max(found.offset);
        &mut self.past
    }

    /// Adds content of that frame.
    fn add(&mut self, found: &Found, content: &[u8]) {
        if self.member == found.member {
            self.past.append(content);
            self.at += content.len() as u64;
        }
    }
}

/// A frame as it was decoded, with no regard to others.
pub(crate) struct Ready {
    /// Its content, or what is left of it…
    pub content: Vec<u8>,
    /// …where this says what is copied.
    pub recipe: Option<Vec<u8>>,
    pub stats: FrameStats,
}

impl From<Decoded> for Ready {
    fn from((content, stats): Decoded) -> Ready {
        Ready {
            content,
            recipe: None,
            stats,
        }
    }
}

impl FrameDecoder {
    pub(crate) fn new(options: DecodeOptions) -> FrameDecoder {
        FrameDecoder {
            codec: codec::Decoder::new(&options),
            tally: Tally::new(&options.progress),
            stats: Stats::default(),
            kept: Kept::nothing(0),
            open: None,
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
            self.note(found)?;
            return Ok(Vec::new());
        }
        if found.is_cut(payload) {
            return Err(Error::Truncated);
        }
        let ready = self.begin(found).decode(payload)?;
        self.accept(found, ready)
    }

    /// Takes notice of a frame without content.
    pub(crate) fn note(&mut self, found: &Found) -> Result<()> {
        let Kind::Window { log2 } = found.header.kind else {
            return Ok(());
        };
        if self.kept.member == found.member && self.kept.is_told {
            return Err(Error::corrupt(
                "a member says twice from how far back it copies",
            ));
        }
        self.kept = Kept {
            member: found.member,
            is_told: true,
            at: found.offset,
            past: Past::new(1 << log2),
        };
        Ok(())
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

    /// Puts a frame's content together, which comes after all that was accepted before, and notes what was done; the content.
    pub(crate) fn accept(&mut self, found: &Found, ready: Ready) -> Result<Vec<u8>> {
        let past = self.kept.before(found);
        let content = match ready.recipe {
            None => ready.content,
            Some(recipe) => {
                let length = found.header.content as usize;
                let mut splice = Splice::new(recipe, length).map_err(wrong)?;
                splice.push(&ready.content, past).map_err(wrong)?;
                let content = splice.finish().map_err(wrong)?;
                if checksum(&content, found.offset) != found.header.checksum {
                    return Err(found.is_wrong());
                }
                content
            }
        };
        self.kept.add(found, &content);
        self.done(ready.stats);
        Ok(content)
    }

    fn done(&mut self, stats: FrameStats) {
        self.stats.content_bytes += stats.content_bytes;
        self.stats.frames.push(stats);
    }

    /// More of what [`stream`](Pending::stream) gives of a frame: the content that it makes. `wanted` bytes of that are wanted, the first ones.
    pub(crate) fn part(&mut self, found: &Found, part: Vec<u8>, wanted: usize) -> Result<Vec<u8>> {
        if found.header.kind != Kind::Copied {
            self.kept.before(found);
            self.kept.add(found, &part);
            return Ok(part);
        }
        let past = self.kept.before(found);
        let (splice, given) = match &mut self.open {
            Some(open) => {
                open.0.push(&part, past).map_err(wrong)?;
                open
            }
            None => {
                let splice = Splice::new(part, found.header.content as usize);
                let open = self.open.insert((splice.map_err(wrong)?, 0));
                open.0.push(&[], past).map_err(wrong)?;
                open
            }
        };
        let content = splice.content();
        let content = &content[*given..content.len().min(wanted).max(*given)];
        *given += content.len();
        Ok(content.to_vec())
    }

    /// Checks a frame whose parts were given, and notes what was done.
    pub(crate) fn end(&mut self, found: &Found, stats: FrameStats) -> Result<()> {
        self.done(stats);
        let Some((splice, _)) = self.open.take() else {
            return Ok(());
        };
        if splice.content().len() < found.header.content as usize {
            // No more was wanted.
            return Ok(());
        }
        let content = splice.finish().map_err(wrong)?;
        if checksum(&content, found.offset) != found.header.checksum {
            return Err(found.is_wrong());
        }
        self.kept.add(found, &content);
        Ok(())
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

    /// Its content, if it is the right one; of a copied one what is left, which shows whether it is when it has been put together.
    pub(crate) fn decode(&self, payload: &[u8]) -> Result<Ready> {
        let (mut content, mut recipe) = (Vec::new(), None);
        let mut is_recipe = self.found.header.kind == Kind::Copied;
        let mut sink = |bytes: &[u8]| match is_recipe {
            true => {
                recipe = Some(bytes.to_vec());
                is_recipe = false;
            }
            false => content.extend_from_slice(bytes),
        };
        let stats = self.stream(payload, &mut sink)?;
        Ok(Ready {
            content,
            recipe,
            stats,
        })
    }

    /// Gives its content as it is decoded, no more than there should be. Whether it was the right one is known in the end, if that was reached:
    /// decoding stops when what is wanted has been given. Of a copied frame it gives the recipe, all at once, and then what is left.
    pub(crate) fn stream(&self, payload: &[u8], sink: Sink) -> Result<FrameStats> {
        let header = &self.found.header;
        if header.kind == Kind::Copied {
            return self.stream_rest(payload, sink);
        }
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
            return Err(self.found.is_wrong());
        }
        self.done(payload, &mut stats);
        Ok(stats)
    }

    fn stream_rest(&self, payload: &[u8], sink: Sink) -> Result<FrameStats> {
        let header = &self.found.header;
        let open = self.codec.open(header, payload, self.wanted)?;
        sink(&open.recipe);
        let (mut left, mut more) = (open.length, false);
        let mut part = |bytes: &[u8]| {
            more |= bytes.len() > left;
            let bytes = &bytes[..bytes.len().min(left)];
            left -= bytes.len();
            sink(bytes);
        };
        let mut stats = self.codec.rest(header, &open, &self.meter, &mut part)?;
        if self.found.is_cut(payload) {
            return Err(Error::Truncated);
        }
        let is_whole = self.wanted >= header.content as usize;
        if more || is_whole && left > 0 {
            return Err(self.found.is_wrong());
        }
        stats.payload_bytes = payload.len() as u64;
        stats.content_bytes = self.wanted as u64;
        if is_whole {
            self.is_done(payload);
        }
        Ok(stats)
    }

    /// What it was decoded to, if that is the right content.
    pub(crate) fn check(&self, (content, mut stats): Decoded, payload: &[u8]) -> Result<Decoded> {
        let header = &self.found.header;
        if content.len() != header.content as usize
            || checksum(&content, self.found.offset) != header.checksum
        {
            return Err(self.found.is_wrong());
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
}
