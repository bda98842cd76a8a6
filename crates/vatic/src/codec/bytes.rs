//! Frames of bytes: experts over the tree of 256 leaves, no transformer.

use std::sync::{Arc, OnceLock};

use vatic_coder::{Encoder, Model, Tree, Vocabulary};

use super::choose::is_text;
use super::filter::{Filter, Undo};
use super::stretches::are_pictures;
use super::{Coded, Setting, Sink, coder_error, parts, sources};
use crate::error::{Error, Result};
use crate::format::Kind;
use crate::options::Mode;
use crate::progress::Meter;
use crate::stats::FrameStats;

/// Bytes between two reports to the meter.
const REPORT: usize = 1 << 16;

fn alphabet() -> &'static (Arc<Vocabulary>, Arc<Tree>) {
    static ALPHABET: OnceLock<(Arc<Vocabulary>, Arc<Tree>)> = OnceLock::new();
    ALPHABET.get_or_init(|| (Arc::new(Vocabulary::bytes()), Arc::new(Tree::bytes())))
}

/// The experts as they are before the first byte of a frame of `length` bytes.
pub(crate) fn experts(setting: &Setting, length: usize) -> Result<Model> {
    let (vocabulary, tree) = alphabet();
    let mut model =
        Model::new(vocabulary, tree, &setting.coder(), 1, length as u64).map_err(coder_error)?;
    if let Some(prior) = &setting.prior {
        model
            .load(prior.bytes_state())
            .map_err(|error| Error::Prior(error.to_string()))?;
    }
    Ok(model)
}

/// What the experts learn from `content`.
pub(crate) fn learn(content: &[u8], setting: &Setting, meter: &Meter) -> Result<Vec<u8>> {
    Ok(code(content, setting, meter)?.0.save())
}

fn code(content: &[u8], setting: &Setting, meter: &Meter) -> Result<(Model, Encoder)> {
    let mut model = experts(setting, content.len())?;
    let mut encoder = setting.begin(content.len());
    let (mut rest, mut report) = (content, REPORT);
    while let Some((&byte, after)) = rest.split_first() {
        match model.encode_leap(rest, &mut encoder) {
            0 => {
                model.encode(0, None, byte.into(), &mut encoder);
                rest = after;
            }
            leapt => rest = &rest[leapt..],
        }
        let done = content.len() - rest.len();
        if done >= report || rest.is_empty() {
            meter.at(done, encoder.len());
            meter.is_wanted()?;
            report = done + REPORT;
        }
    }
    Ok((model, encoder))
}

/// Up to this length both ways of working are tried, if thorough work is asked for: more experts need more to learn from.
const SMALL: usize = 1 << 16;

/// The filter that suits it.
pub(crate) fn filter(content: &[u8], setting: &Setting) -> Option<Filter> {
    // A prior has learnt from what was not filtered, and the scan of a picture can be read as it is only.
    let may = setting.prior.is_none() && !is_text(content) && !are_pictures(content);
    may.then(|| Filter::suits(content)).flatten()
}

/// Coded through the filter that suits it, and thoroughly if the setting says so, unless that makes it larger.
pub(crate) fn encode_best(content: &[u8], setting: &Setting, meter: &Meter) -> Result<Coded> {
    let Some(filter) = filter(content, setting) else {
        return encode_filtered(content, setting, meter);
    };
    let setting = Setting {
        filter: Some(filter),
        ..setting.clone()
    };
    encode_filtered(&filter.apply(content), &setting, meter)
}

/// The same when the filter that the setting names has been applied.
pub(crate) fn encode_filtered(content: &[u8], setting: &Setting, meter: &Meter) -> Result<Coded> {
    let coded = encode(content, setting, meter)?;
    if !setting.thorough || content.len() > SMALL {
        return Ok(coded);
    }
    let usual = Setting {
        thorough: false,
        ..setting.clone()
    };
    let usual = encode(content, &usual, &Meter::default())?;
    if usual.payload.len() <= coded.payload.len() {
        return Ok(usual);
    }
    Ok(coded)
}

pub(crate) fn encode(content: &[u8], setting: &Setting, meter: &Meter) -> Result<Coded> {
    let (model, encoder) = code(content, setting, meter)?;
    let stats = FrameStats {
        mode: Mode::Bytes,
        tokens: content.len() as u64,
        streams: 1,
        sources: sources(&model),
        ..FrameStats::default()
    };
    Ok(Coded {
        kind: Kind::Bytes,
        parts: parts(setting, None, 0),
        payload: encoder.finish(),
        stats,
    })
}

pub(crate) fn decode(
    payload: &[u8],
    length: usize,
    setting: &Setting,
    meter: &Meter,
    sink: Sink,
) -> Result<FrameStats> {
    let (mut decoder, length) = setting.open(payload, length);
    let mut model = experts(setting, length)?;
    let mut undo = Undo::new(setting.filter);
    let end = length.min(setting.wanted.saturating_add(undo.ahead()));
    let (mut done, mut ended) = (0, false);
    while done < end && !ended {
        let part = undo.next();
        let uncertain = part.len();
        while part.len() - uncertain < REPORT.min(end - done) {
            // A leap may go beyond what is wanted: it depends on all that is left, as it did for the encoder.
            let (before, coded) = (part.len(), done + part.len() - uncertain);
            if model.decode_leap(length - coded, part, &mut decoder) == 0 {
                part.push(model.decode(0, None, &mut decoder) as u8);
            }
            if setting.is_cut && decoder.is_beyond() {
                part.truncate(before);
                ended = true;
                break;
            }
        }
        done += part.len() - uncertain;
        sink(undo.content(done == length));
        meter.within(done, payload.len(), length);
        meter.is_wanted()?;
    }
    let stats = FrameStats {
        mode: Mode::Bytes,
        tokens: done as u64,
        streams: 1,
        ..FrameStats::default()
    };
    Ok(stats)
}
