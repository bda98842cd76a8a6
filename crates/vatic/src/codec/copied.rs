//! Copied frames: content parts of which occurred before, in it or in frames before it. The frame has two others within: the recipe, which says what to
//! copy from where, and what is left.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use vatic_repeats::{Copy, recipe};

use super::{Decoder, Encoder, Plan, Sink, unpacked};
use crate::error::{Error, Result};
use crate::format::{Header, Kind, Parts};
use crate::options::Mode;
use crate::progress::Meter;
use crate::stats::FrameStats;

/// A copy takes this part of a stream at least, one of so many, or nothing of it: the rest of the stream can be taken apart no more.
const LEAST_SHARE: usize = 2;

/// Where no transformer works, copies from the same frame have so many bytes at least: experts follow what they have read at twenty megabytes a second,
/// and for less than it takes to begin anew behind a copy.
const LEAST_NEAR: usize = 1 << 16;

/// What of content is to be copied, as a recipe, and how that is coded.
pub(crate) struct Copied {
    /// Bytes of the content.
    pub length: usize,
    recipe: Vec<u8>,
    plan: Plan,
}

impl Encoder {
    /// Whether it is free to choose how frames are coded, and where they end.
    pub(crate) fn is_free(&self) -> bool {
        matches!(self.mode, Mode::Auto | Mode::Mixed | Mode::Unpacked)
    }

    /// Whether it takes streams apart.
    pub(crate) fn unpacks(&self) -> bool {
        self.is_free() && self.unpack
    }

    /// The copies without what would hurt more than it helps: the beginnings or ends of streams and of pictures, of which what is left could be
    /// foretold no more.
    pub(crate) fn trim(&self, content: &[u8], mut copies: Vec<Copy>) -> Vec<Copy> {
        if copies.is_empty() {
            return copies;
        }
        let pictures = vatic_coder::pictures(content).into_iter();
        let mut whole: Vec<(usize, Range<usize>)> = pictures.map(|of| (of.start, of)).collect();
        if self.unpack {
            let places = vatic_unpack::places(content).into_iter();
            whole.extend(places.map(|place| (place.header, place.stream)));
        }
        let mut cuts: Vec<Range<usize>> = (whole.into_iter())
            .filter(|(_, stream)| shared(&copies, stream) * LEAST_SHARE < stream.len())
            .map(|(header, stream)| header..stream.end)
            .collect();
        cuts.sort_by_key(|cut| cut.start);
        // One may be within another, as a picture in a document is.
        cuts.dedup_by(|cut, before| {
            let meets = cut.start <= before.end;
            if meets {
                before.end = before.end.max(cut.end);
            }
            meets
        });
        copies = copies
            .iter()
            .flat_map(|copy| without(copy, &cuts))
            .collect();
        copies.retain(|copy| copy.length >= vatic_repeats::LEAST);
        copies
    }

    /// What of so many bytes of content is to be copied.
    pub(crate) fn copied(&self, length: usize, copies: &[Copy]) -> Copied {
        Copied {
            length,
            recipe: recipe::write(copies),
            plan: Plan {
                mode: Mode::Bytes,
                ..self.stored()
            },
        }
    }
}

/// Drops copies that are of no use where no transformer works; whether there were any.
pub(crate) fn drop_short(copies: &mut Vec<Copy>) -> bool {
    let before = copies.len();
    copies.retain(|copy| copy.distance > copy.at as u64 || copy.length >= LEAST_NEAR);
    copies.len() < before
}

/// How many bytes of a stream are in copies, which stand in order.
fn shared(copies: &[Copy], stream: &Range<usize>) -> usize {
    let first = copies.partition_point(|copy| copy.end() <= stream.start);
    let copies = copies[first..]
        .iter()
        .take_while(|copy| copy.at < stream.end);
    copies
        .map(|copy| copy.end().min(stream.end) - copy.at.max(stream.start))
        .sum()
}

/// What of a copy is in none of the cuts, which stand apart in order.
fn without(copy: &Copy, cuts: &[Range<usize>]) -> Vec<Copy> {
    let first = cuts.partition_point(|cut| cut.end <= copy.at);
    let cuts = cuts[first..]
        .iter()
        .take_while(|cut| cut.start < copy.end());
    let (mut parts, mut at) = (Vec::new(), copy.at);
    for cut in cuts.chain([&(copy.end()..copy.end())]) {
        if cut.start > at {
            parts.push(Copy {
                at,
                length: cut.start - at,
                distance: copy.distance,
            });
        }
        at = at.max(cut.end);
    }
    parts
}

impl Copied {
    /// The frame, of which `rest` is what is left: its own header and payload, if there is any. `sum` is the content's checksum.
    pub(crate) fn frame(&self, rest: &[u8], sum: u32, last: bool) -> Result<(Header, Vec<u8>)> {
        let mut payload = Vec::new();
        unpacked::write_frame(&self.recipe, &self.plan, &Meter::default(), &mut payload)?;
        payload.extend(rest);
        let header = Header {
            kind: Kind::Copied,
            last,
            content: self.length as u32,
            payload: payload.len() as u32,
            parts: Parts::default(),
            checksum: sum,
        };
        Ok((header, payload))
    }

    /// Whether this is the recipe that was written.
    pub(crate) fn is(&self, recipe: &[u8]) -> bool {
        self.recipe == recipe
    }
}

/// A copied frame's parts.
pub(crate) struct Open<'a> {
    pub recipe: Vec<u8>,
    /// The frame of what is left, if anything is.
    rest: Option<(Header, &'a [u8])>,
    /// How much that is, and how much of it is wanted.
    pub length: usize,
    wanted: usize,
    content: usize,
}

impl Decoder {
    /// Opens a copied frame of whose content the first `wanted` bytes are. Its end may be missing, but not that of the recipe.
    pub(crate) fn open<'a>(
        &self,
        header: &Header,
        payload: &'a [u8],
        wanted: usize,
    ) -> Result<Open<'a>> {
        let is_cut = payload.len() < header.payload as usize;
        let content = header.content as usize;
        let within = self.within_copied(header, 0);
        let mut rest = payload;
        let told = (&Meter::default(), content);
        let kinds = [Kind::Stored, Kind::Bytes];
        let recipe = unpacked::part(&mut rest, &kinds, content, &within, told);
        let (recipe, _) = recipe.map_err(|error| match error {
            Error::Corrupt { .. } if is_cut => Error::Truncated,
            error => error,
        })?;
        let (wanted, length) = recipe::rest_length(&recipe, content, wanted).map_err(wrong)?;
        let inside = match length {
            0 => None,
            _ => Some(Header::read(&mut rest)?),
        };
        let inside =
            inside.map(|inside| (inside, &rest[..rest.len().min(inside.payload as usize)]));
        let after = rest.len() - inside.as_ref().map_or(0, |(_, payload)| payload.len());
        let is_rest = |inside: &Header| {
            let kinds = [
                Kind::Stored,
                Kind::Bytes,
                Kind::Tokens,
                Kind::Mixed,
                Kind::Unpacked,
            ];
            kinds.contains(&inside.kind) && !inside.last && inside.content as usize == length
        };
        if after > 0 || inside.as_ref().is_some_and(|(inside, _)| !is_rest(inside)) {
            return Err(Error::corrupt(
                "what was left of a copied frame has not the length that it should have",
            ));
        }
        if let Some((inside, payload)) = &inside
            && payload.len() < inside.payload as usize
            && !is_cut
        {
            return Err(Error::corrupt("what was left of a copied frame is cut off"));
        }
        Ok(Open {
            recipe,
            rest: inside,
            length,
            wanted,
            content,
        })
    }

    /// Gives what is left of a copied frame, as much as is wanted.
    pub(crate) fn rest(
        &self,
        header: &Header,
        open: &Open,
        meter: &Meter,
        sink: Sink,
    ) -> Result<FrameStats> {
        let mut stats = match &open.rest {
            None => FrameStats::default(),
            Some((inside, payload)) => {
                let within = self.within_copied(header, open.recipe.len());
                meter.scale(open.content, open.length);
                let stats = within.frame(inside, payload, open.wanted, meter, sink)?;
                meter.scale(1, 1);
                stats
            }
        };
        stats.mode = Mode::Copied;
        Ok(stats)
    }

    /// For what is within a copied frame.
    fn within_copied(&self, header: &Header, recipe: usize) -> Decoder {
        Decoder {
            beside: self.beside + u64::from(header.content) + recipe as u64,
            around: Some((0, header.content as usize)),
            ..self.clone()
        }
    }
}

/// What is wrong with a recipe or with what came before.
pub(crate) fn wrong(error: vatic_repeats::Error) -> Error {
    match error {
        vatic_repeats::Error::Past(error) => Error::Past(error),
        error => Error::corrupt(error.to_string()),
    }
}

/// What stands before a copied frame's content and is copied, as how far before its beginning it ends and begins.
pub(crate) fn sources(recipe: &[u8], content: usize) -> impl Iterator<Item = Result<Range<u64>>> {
    recipe::Copies::new(recipe, content).filter_map(|copy| {
        copy.map_err(wrong)
            .map(|copy| {
                let back = copy.distance.saturating_sub(copy.at as u64);
                let source = back.saturating_sub(copy.length as u64)..back;
                (back > 0).then_some(source)
            })
            .transpose()
    })
}

/// What is within a copied frame, whose payload is read as far as that takes: the header of what is left, or its own if nothing is.
pub(crate) fn header_within(header: &Header, payload: &mut (impl Read + Seek)) -> Result<Header> {
    let start = payload.stream_position().map_err(Error::Read)?;
    let recipe = Header::read(payload)?;
    let past = SeekFrom::Current(recipe.payload.into());
    let rest = payload.seek(past).map_err(Error::Read)?;
    match rest - start < u64::from(header.payload) {
        true => Header::read(payload),
        false => Ok(*header),
    }
}
