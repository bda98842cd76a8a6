//! Mixed frames: stretches of different kinds, each kind in a frame of its own within the frame, so that noise costs no time and what is
//! learnt from text goes on after it.

use std::collections::VecDeque;
use std::io::{Read, Seek, SeekFrom};

use web_time::Instant;

use super::stretches::{self, LEAST, Look};
use super::{Coded, Decoder, Encoder, Plan, Sink, choose};
use crate::error::{Error, Result};
use crate::format::{Header, Kind, Parts, checksum};
use crate::model::ModelRef;
use crate::options::Mode;
use crate::progress::Meter;
use crate::stats::FrameStats;

/// The most parts that a mixed frame may have.
const MOST_PARTS: usize = 4;
/// How many low bits of a stretch's number say which part it belongs to; the others are its length.
const PART_BITS: u32 = 2;

/// There is at most one stretch for so many bytes of content, so that the list of them takes little memory whatever is claimed.
const SHORTEST: usize = 1 << 10;

/// Text and what is neither text nor noise are told apart from so many bytes of each on: less would hardly repay what each learns for itself.
const APART: usize = 1 << 18;

/// What is to be coded apart.
pub(crate) struct Mixed {
    /// The part that each stretch belongs to, and its length in bytes.
    stretches: Vec<(usize, usize)>,
    parts: Vec<(Vec<u8>, Plan)>,
}

impl Mixed {
    /// How to code `content` in parts, if it has several that are best coded in different ways. `fine` makes parts of whatever can be told apart.
    pub(super) fn plan(content: &[u8], encoder: &Encoder, fine: bool) -> Result<Option<Plan>> {
        if !fine && content.len() <= LEAST && stretches::pictures(content).is_empty() {
            return Ok(None);
        }
        let mut looks = stretches::stretches(content, fine);
        if looks.len() < 2 {
            return Ok(None);
        }
        let mut noise = gather(content, &looks, &[Look::Noise]);
        if !noise.is_empty() && !choose::are_noise(&noise, &encoder.setting)? {
            // All bytes are equally frequent in it, and something foretells them all the same.
            noise.clear();
            let noisy = looks.iter_mut().filter(|(look, _)| *look == Look::Noise);
            noisy.for_each(|(look, _)| *look = Look::Other);
        }
        let gathered = |which: &[Look]| gather(content, &looks, which);
        let (text, other) = (gathered(&[Look::Text]), gathered(&[Look::Other]));
        let mut parts: Vec<(Vec<Look>, Vec<u8>, Plan)> = Vec::new();
        if !noise.is_empty() {
            parts.push((vec![Look::Noise], noise, encoder.stored()));
        }
        let pictures = gathered(&[Look::Picture]);
        if !pictures.is_empty() {
            let plan = Plan {
                mode: Mode::Bytes,
                ..encoder.stored()
            };
            parts.push((vec![Look::Picture], pictures, plan));
        }
        let apart = if fine { 1 } else { APART };
        let mut for_both = None;
        let mut for_each = None;
        if text.len().min(other.len()) >= apart {
            let (for_other, for_text) = (encoder.plan(&other)?, encoder.plan(&text)?);
            if for_other.mode == for_text.mode {
                for_both = Some(for_text);
            } else {
                for_each = Some((for_other, for_text));
            }
        }
        match for_each {
            // The transformer's part comes last, so that what it decodes can be given at once.
            Some((for_other, for_text)) => {
                let mut both = [
                    (vec![Look::Other], other, for_other),
                    (vec![Look::Text], text, for_text),
                ];
                both.sort_by_key(|(.., plan)| plan.mode == Mode::Tokens);
                parts.extend(both);
            }
            None if parts.is_empty() => return Ok(for_both),
            None => {
                let rest = vec![Look::Text, Look::Other];
                let content = gathered(&rest);
                if content.is_empty() {
                    return Ok(None);
                }
                let plan = for_both.map_or_else(|| encoder.plan(&content), Ok)?;
                parts.push((rest, content, plan));
            }
        }
        let mut stretches: Vec<(usize, usize)> = Vec::new();
        for (look, length) in looks {
            let part = parts.iter().position(|(looks, ..)| looks.contains(&look));
            let part = part.unwrap_or_default();
            match stretches.last_mut() {
                Some(last) if last.0 == part => last.1 += length,
                _ => stretches.push((part, length)),
            }
        }
        let parts = parts.into_iter().map(|(_, content, plan)| (content, plan));
        Ok(Some(Plan {
            mode: Mode::Mixed,
            mixed: Some(Mixed {
                stretches,
                parts: parts.collect(),
            }),
            ..encoder.stored()
        }))
    }

    /// Whether a transformer works on any part.
    pub(super) fn is_by_transformer(&self) -> bool {
        self.parts.iter().any(|(_, plan)| plan.is_by_transformer())
    }

    /// The frame.
    pub(super) fn code(&self, meter: &Meter) -> Result<Coded> {
        let start = Instant::now();
        let mut out = Vec::new();
        write_number(self.stretches.len() as u64, &mut out);
        for &(part, length) in &self.stretches {
            write_number((length as u64) << PART_BITS | part as u64, &mut out);
        }
        let mut sum = FrameStats::default();
        let mut done = 0;
        for (content, plan) in &self.parts {
            meter.rebase(done, out.len());
            let (header, coded) = plan.frame(content, false, checksum(content, 0), meter)?;
            header.write(&mut out);
            out.extend(coded.as_ref().map_or(content, |coded| &coded.payload));
            done += content.len();
            meter.at(
                content.len(),
                coded
                    .as_ref()
                    .map_or(content.len(), |coded| coded.payload.len()),
            );
            add(&mut sum, coded.map(|coded| coded.stats).unwrap_or_default());
        }
        meter.rebase(0, 0);
        sum.wall = start.elapsed();
        Ok(Coded {
            kind: Kind::Mixed,
            parts: Parts::default(),
            payload: out,
            stats: sum,
        })
    }
}

/// All stretches of those looks.
fn gather(content: &[u8], looks: &[(Look, usize)], which: &[Look]) -> Vec<u8> {
    let (mut rest, mut gathered) = (content, Vec::new());
    for (look, length) in looks {
        let (stretch, after) = rest.split_at(*length);
        if which.contains(look) {
            gathered.extend_from_slice(stretch);
        }
        rest = after;
    }
    gathered
}

/// Adds what was done with a part.
fn add(sum: &mut FrameStats, part: FrameStats) {
    sum.mode = Mode::Mixed;
    sum.tokens += part.tokens;
    sum.streams = sum.streams.max(part.streams).max(1);
    sum.model = part.model.or(sum.model.take());
    sum.threads.extend(part.threads);
    for source in part.sources {
        match sum.sources.iter_mut().find(|of| of.name == source.name) {
            Some(of) => of.bits += source.bits,
            None => sum.sources.push(source),
        }
    }
}

/// Decodes a mixed frame's payload as far as its first `wanted` bytes of content need it: parts that have none of them are passed over. Its
/// end may be missing (`is_cut`): then as much is given as is certain.
pub(super) fn decode(
    header: &Header,
    payload: &[u8],
    wanted: usize,
    decoder: &Decoder,
    meter: &Meter,
    sink: Sink,
) -> Result<FrameStats> {
    let is_cut = payload.len() < header.payload as usize;
    let mut rest = payload;
    let (stretches, lengths) = read_stretches(&mut rest, header.content as usize)?;
    let wanted = within(&stretches, wanted, lengths.len());
    let mut splice = Splice {
        stretches,
        parts: vec![VecDeque::new(); lengths.len()],
        sink,
    };
    let mut sum = FrameStats::default();
    let (mut done, mut missing) = (0, false);
    for (part, (&length, &wanted)) in lengths.iter().zip(&wanted).enumerate() {
        let inner = Header::read(&mut rest)?;
        if !matches!(inner.kind, Kind::Stored | Kind::Bytes | Kind::Tokens)
            || inner.last
            || inner.content as usize != length
        {
            return Err(Error::corrupt(
                "a part of a mixed frame is none, or has not the length of its stretches",
            ));
        }
        let there = rest.len().min(inner.payload as usize);
        missing |= there < inner.payload as usize;
        if missing && !is_cut {
            return Err(Error::corrupt("a part of a mixed frame is cut off"));
        }
        let (coded, after) = rest.split_at(there);
        rest = after;
        if wanted == 0 {
            continue;
        }
        meter.rebase(done, payload.len() - rest.len() - there);
        let (mut left, mut more) = (length, false);
        let stats = decoder.frame(&inner, coded, wanted, meter, &mut |bytes| {
            more |= bytes.len() > left;
            let bytes = &bytes[..bytes.len().min(left)];
            left -= bytes.len();
            splice.add(part, bytes);
        })?;
        if more || left > length - wanted && !missing {
            return Err(Error::corrupt(
                "a part of a mixed frame has not the length of its stretches",
            ));
        }
        done += length - left;
        add(&mut sum, stats);
        if missing {
            break;
        }
    }
    meter.rebase(0, 0);
    if !rest.is_empty() {
        return Err(Error::corrupt(
            "something follows a mixed frame's last part",
        ));
    }
    Ok(sum)
}

/// The model that a part of a mixed frame was made with, if any was; `payload` is read and passed over as far as that takes.
pub(crate) fn model_within(
    content: usize,
    payload: &mut (impl Read + Seek),
) -> Result<Option<ModelRef>> {
    let (_, lengths) = read_stretches(payload, content)?;
    for _ in lengths {
        let inner = Header::read(payload)?;
        if inner.parts.model.is_some() {
            return Ok(inner.parts.model);
        }
        let past = SeekFrom::Current(inner.payload.into());
        payload.seek(past).map_err(Error::Read)?;
    }
    Ok(None)
}

/// Stretches in order: the part that each belongs to, and its length in bytes.
type Stretches = VecDeque<(usize, usize)>;

/// How many bytes of each part, the first ones, are among the first `wanted` bytes of the content.
fn within(stretches: &Stretches, mut wanted: usize, parts: usize) -> Vec<usize> {
    let mut within = vec![0; parts];
    for &(part, length) in stretches {
        let here = length.min(wanted);
        within[part] += here;
        wanted -= here;
    }
    within
}

/// A mixed frame's stretches, and the lengths of all parts.
fn read_stretches(rest: &mut impl Read, content: usize) -> Result<(Stretches, Vec<usize>)> {
    let wrong = || Error::corrupt("a mixed frame's stretches are not those of its content");
    let count = read_number(rest)?;
    if count > content.div_ceil(SHORTEST) as u64 {
        return Err(wrong());
    }
    let mut stretches = VecDeque::new();
    let mut lengths = vec![0usize; MOST_PARTS];
    let mut left = content;
    for _ in 0..count {
        let number = read_number(rest)?;
        let part = (number & ((1 << PART_BITS) - 1)) as usize;
        let length = usize::try_from(number >> PART_BITS).map_err(|_| wrong())?;
        let sum = lengths.get_mut(part).ok_or_else(wrong)?;
        left = left.checked_sub(length).ok_or_else(wrong)?;
        *sum += length;
        if length == 0 {
            return Err(wrong());
        }
        stretches.push_back((part, length));
    }
    let parts = lengths.iter().take_while(|&&length| length > 0).count();
    if left > 0 || lengths[parts..].iter().any(|&length| length > 0) {
        return Err(wrong());
    }
    lengths.truncate(parts);
    Ok((stretches, lengths))
}

/// Puts stretches of parts, which come one after the other, into the order of the content.
struct Splice<'a> {
    /// Those that are still to be given.
    stretches: Stretches,
    /// What there is of each part and has not been given.
    parts: Vec<VecDeque<u8>>,
    sink: Sink<'a>,
}

impl Splice<'_> {
    /// More of a part; all that can be given now is given.
    fn add(&mut self, part: usize, bytes: &[u8]) {
        self.parts[part].extend(bytes);
        while let Some((part, length)) = self.stretches.front_mut() {
            let there = &mut self.parts[*part];
            while *length > 0 && !there.is_empty() {
                let bytes = there.as_slices().0;
                let n = bytes.len().min(*length);
                (self.sink)(&bytes[..n]);
                there.drain(..n);
                *length -= n;
            }
            if *length > 0 {
                return;
            }
            self.stretches.pop_front();
        }
    }
}

/// Writes seven bits a byte, the lowest first; all bytes but the last have the highest bit.
fn write_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads such a number of at most five bytes.
fn read_number(rest: &mut impl Read) -> Result<u64> {
    let mut number = 0;
    for place in 0..5 {
        let mut byte = [0];
        rest.read_exact(&mut byte).map_err(Error::reading)?;
        let [byte] = byte;
        number |= u64::from(byte & 0x7F) << (7 * place);
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Error::corrupt(
        "a mixed frame has a number of more than five bytes",
    ))
}

#[cfg(all(test, feature = "model-swift"))]
mod tests {
    use super::*;
    use crate::codec::{Cut, Setting, tokens};
    use crate::model::Model;
    use crate::options::{DecodeOptions, Options};

    /// A mixed frame with one part of tokens, which the frame says has so many bytes.
    fn claimed(coded: &Coded, length: usize) -> Result<Vec<u8>> {
        let part = Header {
            kind: coded.kind,
            last: false,
            content: length as u32,
            payload: coded.payload.len() as u32,
            parts: coded.parts,
            checksum: 0,
        };
        let mut payload = Vec::new();
        write_number(1, &mut payload);
        write_number((length as u64) << PART_BITS, &mut payload);
        part.write(&mut payload);
        payload.extend(&coded.payload);
        let whole = Header {
            kind: Kind::Mixed,
            payload: payload.len() as u32,
            parts: Parts::default(),
            ..part
        };
        let (mut content, meter) = (Vec::new(), Meter::default());
        let decoder = Decoder::new(&DecodeOptions::new());
        let mut sink = |bytes: &[u8]| content.extend_from_slice(bytes);
        decode(&whole, &payload, length, &decoder, &meter, &mut sink).map(|_| content)
    }

    #[test]
    fn a_part_that_ends_within_a_token_is_rejected() {
        let text = b"Considerably extraordinary circumstances";
        let model = Model::swift();
        let setting = Setting::of(&Options::new(), Some(model.clone()));
        let meter = Meter::default();
        let coded = tokens::encode(text, &setting, &model, Cut::Into(0), &meter).unwrap();
        assert_eq!(claimed(&coded, text.len()).unwrap(), text);
        let shorter = (1..text.len()).map(|length| claimed(&coded, length).ok());
        let (mut right, mut rejected) = (0, 0);
        for (length, content) in shorter.enumerate() {
            match content {
                Some(content) => {
                    assert_eq!(content, text[..=length]);
                    right += 1;
                }
                None => rejected += 1,
            }
        }
        // Those that end with a token are other frames, and right ones.
        assert!(right < 15 && rejected > 20, "{right} {rejected}");
    }
}
