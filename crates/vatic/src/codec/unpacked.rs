//! Unpacked frames: content whose deflate streams (those of gzip, zip, PNG, PDF) were taken apart, so that what they say can be foretold. The
//! frame has two others within: the recipe by which the streams are made again, and the content with what they say in their place.

use std::io::{Read, Seek, SeekFrom};
use std::time::Instant;

use super::{Coded, Decoder, Encoder, Plan, Sink, mixed};
use crate::error::{Error, Result};
use crate::format::{Header, Kind, Parts, checksum};
use crate::options::Mode;
use crate::progress::Meter;
use crate::stats::FrameStats;

/// Streams have to be one byte of so many of the content at least: a frame that is unpacked is decoded whole before anything of it can be given.
const LEAST_SHARE: usize = 64;

/// A deflate stream says less than so many times its length.
const MOST_SAID: usize = 1040;

/// What is to be coded in place of content with deflate streams.
pub(crate) struct Unpacked {
    /// Bytes of the content proper.
    length: usize,
    recipe: (Vec<u8>, Box<Plan>),
    content: (Vec<u8>, Box<Plan>),
}

impl Unpacked {
    /// How to code `content`, if it has deflate streams that can be taken apart, and how much of it from its beginning.
    pub(super) fn plan(content: &[u8], encoder: &Encoder) -> Result<Option<(Plan, usize)>> {
        let Some(unpacked) = vatic_deflate::unpack(content, encoder.unpacked_size) else {
            return Ok(None);
        };
        let length = unpacked.used;
        if unpacked.streams == 0 {
            // The first one has more room in the next frame.
            let plan = encoder.plan_parts(&content[..length])?;
            return Ok(Some((plan, length)));
        }
        if unpacked.bytes < length / LEAST_SHARE || unpacked.recipe.len() > length {
            return Ok(None);
        }
        let for_recipe = Plan {
            mode: Mode::Bytes,
            ..encoder.stored()
        };
        let for_content = encoder.plan_parts(&unpacked.content)?;
        let plan = Plan {
            mode: Mode::Unpacked,
            unpacked: Some(Unpacked {
                length,
                recipe: (unpacked.recipe, Box::new(for_recipe)),
                content: (unpacked.content, Box::new(for_content)),
            }),
            ..encoder.stored()
        };
        Ok(Some((plan, length)))
    }

    /// The frame.
    pub(super) fn code(&self, meter: &Meter) -> Result<Coded> {
        let start = Instant::now();
        let mut payload = Vec::new();
        let mut sum = FrameStats::default();
        // The recipe is small: nobody waits for it.
        for ((content, plan), meter) in [(&self.recipe, &Meter::default()), (&self.content, meter)]
        {
            meter.scale(self.length, content.len());
            let (header, coded) = plan.frame(content, false, checksum(content, 0), meter)?;
            header.write(&mut payload);
            payload.extend(coded.as_ref().map_or(content, |coded| &coded.payload));
            sum = coded.map(|coded| coded.stats).unwrap_or_default();
        }
        meter.scale(1, 1);
        meter.rebase(0, 0);
        sum.mode = Mode::Unpacked;
        sum.wall = start.elapsed();
        Ok(Coded {
            kind: Kind::Unpacked,
            parts: Parts::default(),
            payload,
            stats: sum,
        })
    }
}

/// Decodes an unpacked frame's payload. Of one whose end is missing nothing is certain.
pub(super) fn decode(
    header: &Header,
    payload: &[u8],
    decoder: &Decoder,
    meter: &Meter,
    sink: Sink,
) -> Result<FrameStats> {
    if payload.len() < header.payload as usize {
        return Ok(FrameStats::default());
    }
    let mut rest = payload;
    let mut within = Decoder {
        beside: u64::from(header.content),
        ..decoder.clone()
    };
    let size = header.content as usize;
    let kinds = [Kind::Stored, Kind::Bytes, Kind::Tokens, Kind::Mixed];
    let (recipe, _) = part(
        &mut rest,
        &kinds[..2],
        size,
        &within,
        (&Meter::default(), size),
    )?;
    within.beside += recipe.len() as u64;
    let most = size.saturating_mul(MOST_SAID);
    let (content, mut stats) = part(&mut rest, &kinds, most, &within, (meter, size))?;
    meter.scale(1, 1);
    meter.rebase(0, 0);
    if !rest.is_empty() {
        return Err(Error::corrupt(
            "something follows an unpacked frame's parts",
        ));
    }
    vatic_deflate::pack(&content, &recipe, size, &mut |bytes| sink(bytes))
        .map_err(|error| Error::corrupt(error.to_string()))?;
    stats.mode = Mode::Unpacked;
    Ok(stats)
}

/// Decodes a frame within, of one of these kinds and at most so many bytes. What is told of it is told as that part of `size` bytes.
fn part(
    rest: &mut &[u8],
    kinds: &[Kind],
    most: usize,
    decoder: &Decoder,
    (meter, size): (&Meter, usize),
) -> Result<(Vec<u8>, FrameStats)> {
    let header = Header::read(rest)?;
    if !kinds.contains(&header.kind) || header.last {
        return Err(Error::corrupt("a part of an unpacked frame is none"));
    }
    let Some((payload, after)) = rest.split_at_checked(header.payload as usize) else {
        return Err(Error::corrupt("a part of an unpacked frame is cut off"));
    };
    *rest = after;
    let (length, mut content) = (header.content as usize, Vec::new());
    if length > most {
        return Err(Error::corrupt("a part of an unpacked frame is too long"));
    }
    meter.scale(size, length);
    let mut more = false;
    let stats = decoder.frame(&header, payload, length, meter, &mut |bytes| {
        let left = length - content.len();
        more |= bytes.len() > left;
        content.extend_from_slice(&bytes[..bytes.len().min(left)]);
    })?;
    if more || content.len() < length {
        return Err(Error::corrupt(
            "a part of an unpacked frame has not the length that it should have",
        ));
    }
    Ok((content, stats))
}

/// The header of the content within, and of the model that was used if that is mixed; `payload` is read as far as that takes.
pub(crate) fn header_within(payload: &mut (impl Read + Seek)) -> Result<Header> {
    let recipe = Header::read(payload)?;
    let past = SeekFrom::Current(recipe.payload.into());
    payload.seek(past).map_err(Error::Read)?;
    let mut header = Header::read(payload)?;
    if header.kind == Kind::Mixed {
        header.parts.model = mixed::model_within(header.content as usize, payload)?;
    }
    Ok(header)
}
