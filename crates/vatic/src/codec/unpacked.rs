//! Unpacked frames: content whose deflate streams (those of gzip, zip, PNG, PDF), progressive JPEG pictures and Base64 were taken apart, so that what
//! they say can be foretold. The frame has two others within: the recipe by which they are made again, and the content with what they say in their place.

use std::io::{Read, Seek, SeekFrom};

use web_time::Instant;

use vatic_unpack::Picture;

use super::{Coded, Decoder, Encoder, Plan, Setting, Sink, bytes, mixed};
use crate::error::{Error, Result};
use crate::format::{Header, Kind, Parts, checksum};
use crate::options::Mode;
use crate::progress::Meter;
use crate::stats::FrameStats;

/// Streams have to be one byte of so many of the content at least: a frame that is unpacked is decoded whole before anything of it can be given.
const LEAST_SHARE: usize = 64;

/// A deflate stream says less than so many times its length. A progressive picture may say more (one run of blocks, of which there are 32767); what
/// does is left as it is, since no decoder would take it.
const MOST_SAID: usize = 1040;

/// What a stream says may have such streams again: a picture in a document in an archive. So many frames are unpacked, one within the other.
const DEEPEST: u8 = 4;

/// Content of up to so many bytes is also coded as it is, and stays so where that is smaller: a key or a signature may be more among text than
/// the text that it was.
const SMALL: usize = 1 << 15;

/// Pictures that deflate makes so many times smaller repeat themselves.
const REPEATED: usize = 10;

/// Of others one byte of so many is tried both ways, within these bounds.
const SAMPLED: usize = 8;
const LEAST_SAMPLE: usize = 1 << 16;
const MOST_SAMPLE: usize = 1 << 18;

/// Pixels of a sample may have so many percent of the size of its rows: as a rule they gain less on all of the picture…
const USUALLY: usize = 98;
/// …but not in thorough work, which learns more of a picture the longer that is.
const THOROUGHLY: usize = 102;

/// What is to be coded in place of content with such streams.
pub(crate) struct Unpacked {
    /// Bytes of the content proper.
    length: usize,
    recipe: (Vec<u8>, Box<Plan>),
    inside: Inside,
    /// How the content is coded as it is, if that is tried.
    as_it_is: Option<Box<Plan>>,
}

/// The content with what its streams say.
enum Inside {
    Content(Vec<u8>, Box<Plan>),
    /// Content that has streams of its own; its checksum.
    Unpacked(Box<Unpacked>, u32),
}

impl Unpacked {
    /// How to code `content`, if it has streams that can be taken apart, and how much of it from its beginning.
    pub(super) fn plan(content: &[u8], encoder: &Encoder) -> Result<Option<(Plan, usize)>> {
        let Some(unpacked) = apart(content, encoder.unpacked_size, false, encoder) else {
            return Ok(None);
        };
        let length = unpacked.used;
        if unpacked.streams == 0 {
            // The first one has more room in the next frame.
            let plan = encoder.plan_parts(&content[..length])?;
            return Ok(Some((plan, length)));
        }
        if !is_worth_it(&unpacked) {
            return Ok(None);
        }
        let mut unpacked = Unpacked::new(unpacked, 1, encoder)?;
        if length <= SMALL && encoder.mode != Mode::Unpacked {
            let plan = encoder.plan_parts(&content[..length])?;
            unpacked.as_it_is = Some(Box::new(plan));
        }
        let plan = Plan {
            mode: Mode::Unpacked,
            unpacked: Some(unpacked),
            ..encoder.stored()
        };
        Ok(Some((plan, length)))
    }

    /// `depth`: how many frames are unpacked, this one and those around it.
    fn new(unpacked: vatic_unpack::Unpacked, depth: u8, encoder: &Encoder) -> Result<Unpacked> {
        let for_recipe = Plan {
            mode: Mode::Bytes,
            ..encoder.stored()
        };
        let content = unpacked.content;
        let again = (depth < DEEPEST)
            .then(|| apart(&content, encoder.unpacked_again_size, true, encoder))
            .flatten()
            .filter(is_worth_it);
        let inside = match again {
            None => {
                let plan = encoder.plan_parts(&content)?;
                Inside::Content(content, Box::new(plan))
            }
            Some(again) => {
                let checksum = checksum(&content, 0);
                drop(content);
                let again = Unpacked::new(again, depth + 1, encoder)?;
                Inside::Unpacked(Box::new(again), checksum)
            }
        };
        Ok(Unpacked {
            length: unpacked.used,
            recipe: (unpacked.recipe, Box::new(for_recipe)),
            inside,
            as_it_is: None,
        })
    }

    /// Whether a transformer works on what is inside.
    pub(super) fn is_by_transformer(&self) -> bool {
        match &self.inside {
            Inside::Content(_, plan) => plan.is_by_transformer(),
            Inside::Unpacked(unpacked, _) => unpacked.is_by_transformer(),
        }
    }

    /// The frame of `content`, or `None` when that is best stored.
    pub(super) fn code(&self, content: &[u8], meter: &Meter) -> Result<Option<Coded>> {
        let start = Instant::now();
        let coded = self.payload(self.length, meter)?;
        meter.scale(1, 1);
        meter.rebase(0, 0);
        if let Some(plan) = &self.as_it_is
            && let Some(other) = plan.code(content, &Meter::default())?
            && let least = coded.as_ref().map(|(payload, _)| payload.len())
            && least.is_none_or(|least| other.payload.len() <= least)
        {
            return Ok(Some(other));
        }
        Ok(coded.map(|(payload, stats)| Coded {
            kind: Kind::Unpacked,
            parts: Parts::default(),
            payload,
            stats: FrameStats {
                mode: Mode::Unpacked,
                wall: start.elapsed(),
                ..stats
            },
        }))
    }

    /// The two frames within, and what is to be said of the second one; that is told of as `told` bytes. None if a frame that is unpacked
    /// within has become longer than its content, which no frame may be.
    fn payload(&self, told: usize, meter: &Meter) -> Result<Option<(Vec<u8>, FrameStats)>> {
        let mut payload = Vec::new();
        // The recipe is small: nobody waits for it.
        let (recipe, plan) = &self.recipe;
        write_frame(recipe, plan, &Meter::default(), &mut payload)?;
        let stats = match &self.inside {
            Inside::Content(content, plan) => {
                meter.scale(told, content.len());
                write_frame(content, plan, meter, &mut payload)?
            }
            Inside::Unpacked(unpacked, checksum) => {
                let Some((inside, stats)) = unpacked
                    .payload(told, meter)?
                    .filter(|(inside, _)| inside.len() <= unpacked.length)
                else {
                    return Ok(None);
                };
                let header = Header {
                    kind: Kind::Unpacked,
                    last: false,
                    content: unpacked.length as u32,
                    payload: inside.len() as u32,
                    parts: Parts::default(),
                    checksum: *checksum,
                };
                header.write(&mut payload);
                payload.extend(inside);
                stats
            }
        };
        Ok(Some((payload, stats)))
    }
}

/// The content with its streams taken apart.
fn apart(
    content: &[u8],
    most: usize,
    all: bool,
    encoder: &Encoder,
) -> Option<vatic_unpack::Unpacked> {
    let mut is_better = |picture: &Picture| has_better_pixels(picture, &encoder.setting);
    vatic_unpack::unpack_with(content, most, all, &mut is_better)
}

/// Whether pixels become smaller than the filtered rows of them: where things occur again, as on pictures of a screen, always; of photographs
/// some rows are tried both ways.
fn has_better_pixels(picture: &Picture, setting: &Setting) -> bool {
    if picture.size() / REPEATED >= picture.coded() {
        return true;
    }
    let length = (picture.size() / SAMPLED).clamp(LEAST_SAMPLE, MOST_SAMPLE);
    let (rows, pixels) = picture.sample(length);
    let size = |sample: &[u8]| {
        let coded = bytes::encode(sample, setting, &Meter::default());
        coded.map_or(usize::MAX, |coded| coded.payload.len())
    };
    let percent = match setting.thorough {
        true => THOROUGHLY,
        false => USUALLY,
    };
    size(pixels).saturating_mul(100) <= size(rows).saturating_mul(percent)
}

/// Whether so much was taken apart that content is better coded so.
fn is_worth_it(unpacked: &vatic_unpack::Unpacked) -> bool {
    unpacked.bytes >= unpacked.used / LEAST_SHARE
        && unpacked.recipe.len() <= unpacked.used
        && unpacked.content.len() <= unpacked.used.saturating_mul(MOST_SAID)
}

/// Writes the frame of `content` as it was planned.
pub(super) fn write_frame(
    content: &[u8],
    plan: &Plan,
    meter: &Meter,
    payload: &mut Vec<u8>,
) -> Result<FrameStats> {
    let (header, coded) = plan.frame(content, false, checksum(content, 0), meter)?;
    header.write(payload);
    payload.extend(coded.as_ref().map_or(content, |coded| &coded.payload));
    Ok(coded.map(|coded| coded.stats).unwrap_or_default())
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
    let size = header.content as usize;
    let (depth, told) = decoder.around.unwrap_or((0, size));
    let mut within = Decoder {
        beside: decoder.beside + u64::from(header.content),
        around: Some((depth + 1, told)),
        ..decoder.clone()
    };
    let all = [
        Kind::Stored,
        Kind::Bytes,
        Kind::Tokens,
        Kind::Mixed,
        Kind::Unpacked,
    ];
    let kinds = match depth + 1 < DEEPEST {
        true => &all[..],
        false => &all[..4],
    };
    let (recipe, _) = part(
        &mut rest,
        &kinds[..2],
        size,
        &within,
        (&Meter::default(), size),
    )?;
    within.beside += recipe.len() as u64;
    let most = size.saturating_mul(MOST_SAID);
    let (content, mut stats) = part(&mut rest, kinds, most, &within, (meter, told))?;
    if depth == 0 {
        meter.scale(1, 1);
        meter.rebase(0, 0);
    }
    if !rest.is_empty() {
        return Err(Error::corrupt(
            "something follows an unpacked frame's parts",
        ));
    }
    // The tables are gone by now; what is left stands beside the coefficients of pictures.
    let beside = within.beside + content.len() as u64;
    let allowed = decoder.options.max_memory;
    let memory = usize::try_from(allowed.saturating_sub(beside)).unwrap_or(usize::MAX);
    let packed = vatic_unpack::pack(&content, &recipe, size, memory, &mut |bytes| sink(bytes));
    packed.map_err(|error| match error {
        vatic_unpack::Error::Memory(needs) => Error::TooLarge {
            needs: beside + needs as u64,
            allowed,
        },
        error => Error::corrupt(error.to_string()),
    })?;
    stats.mode = Mode::Unpacked;
    Ok(stats)
}

/// Decodes a frame within, of one of these kinds and at most so many bytes. What is told of it is told as that part of `size` bytes.
pub(super) fn part(
    rest: &mut &[u8],
    kinds: &[Kind],
    most: usize,
    decoder: &Decoder,
    (meter, size): (&Meter, usize),
) -> Result<(Vec<u8>, FrameStats)> {
    let header = Header::read(rest)?;
    if !kinds.contains(&header.kind) || header.last {
        return Err(Error::corrupt("a part of a frame is none"));
    }
    let Some((payload, after)) = rest.split_at_checked(header.payload as usize) else {
        return Err(Error::corrupt("a part of a frame is cut off"));
    };
    *rest = after;
    let (length, mut content) = (header.content as usize, Vec::new());
    if length > most {
        return Err(Error::corrupt("a part of a frame is too long"));
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
            "a part of a frame has not the length that it should have",
        ));
    }
    Ok((content, stats))
}

/// The header of the content within, however deep, and of the model that was used if that is mixed; `payload` is read as far as that takes.
pub(crate) fn header_within(payload: &mut (impl Read + Seek)) -> Result<Header> {
    for _ in 0..DEEPEST {
        let recipe = Header::read(payload)?;
        let past = SeekFrom::Current(recipe.payload.into());
        payload.seek(past).map_err(Error::Read)?;
        let mut header = Header::read(payload)?;
        match header.kind {
            Kind::Unpacked => continue,
            Kind::Mixed => {
                header.parts.model = mixed::model_within(header.content as usize, payload)?;
            }
            _ => {}
        }
        return Ok(header);
    }
    Err(Error::corrupt("a part of a frame is none"))
}
