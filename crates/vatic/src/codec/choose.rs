//! Which model and which mode suit a frame: asked of the frame itself, for a small part of what coding it costs.

use super::tokens::{self, Cut};
use super::{Setting, bytes};
use crate::error::Result;
use crate::model::Model;
use crate::options::Mode;
use crate::parallel::on_threads;
use crate::progress::Meter;

/// Below this length (for text; twice that for all else) no sample is large enough to say anything: text is tokens, and
/// for the rest both ways are tried.
const SMALL: usize = 1 << 15;

/// A sample is this part of the frame…
const SAMPLE: usize = 40;
/// …and its stretches have so many bytes at least, if a larger one is to follow…
const LEAST: usize = 1 << 11;
/// …and all of it never more than so many.
const MAX_SAMPLE: usize = 1 << 18;

/// Of the stretches that decide there is one in so many bytes of the frame, within these bounds.
const SPACING: usize = 1 << 16;
const STRETCHES: std::ops::RangeInclusive<usize> = 2..=16;

/// The trials by which a model is chosen for so many bytes: how long their stretches are, and how many models are left after it.
/// The first ones have few stretches. Up to 512 bytes all of it is tried; a longer message is answered at once only if its trials
/// are short.
fn trials(bytes: usize) -> &'static [(usize, usize)] {
    match bytes {
        0..=512 => &[(256, 1)],
        513..2048 => &[(64, 2), (256, 1)],
        _ => &[(256, 2), (512, 1)],
    }
}

/// Which of the models predicts `content` best, by its place among them; the first of equals.
pub(crate) fn model(content: &[u8], setting: &Setting, models: &[Model]) -> Result<usize> {
    // Experts would learn the same beside any of them.
    let alone = Setting {
        experts: Some(vatic_coder::Experts::NONE.0),
        prior: None,
        report: false,
        threads: 1,
        ..setting.clone()
    };
    let quiet = Meter::default();
    let mut places: Vec<usize> = (0..models.len()).collect();
    let (fewest, most) = STRETCHES.into_inner();
    for &(length, left) in trials(content.len()) {
        if places.len() <= left {
            continue;
        }
        let stretches = match left {
            1 => (content.len() / SPACING).clamp(fewest, most),
            _ => fewest,
        };
        let sample = sample(content, stretches, length);
        let mut sizes = on_threads(setting.threads, places.len(), |n| {
            let model = &models[places[n]];
            let coded = tokens::encode(&sample, &alone, model, Cut::Into(0), &quiet)?;
            Ok((coded.payload.len(), places[n]))
        })?;
        sizes.sort_unstable();
        sizes.truncate(left);
        places = sizes.into_iter().map(|(_, place)| place).collect();
    }
    Ok(places.first().copied().unwrap_or(0))
}

/// So many stretches of so many bytes of it, evenly spaced; all of it if it has no more.
fn sample(content: &[u8], stretches: usize, length: usize) -> Vec<u8> {
    if content.len() <= stretches * length {
        return content.to_vec();
    }
    let step = (content.len() - length) / (2 * stretches);
    let starts = (0..stretches).map(|n| step * (2 * n + 1));
    starts
        .flat_map(|at| &content[at..][..length])
        .copied()
        .collect()
}

/// Whether nothing makes `content` smaller.
pub(crate) fn is_noise(content: &[u8], setting: &Setting) -> Result<bool> {
    if !looks_random(content) {
        return Ok(false);
    }
    let sample = &content[content.len() / 2..][..(content.len() / 2).min(1 << 15)];
    stays_large(sample, setting)
}

/// The same of stretches that look like noise each.
pub(super) fn are_noise(gathered: &[u8], setting: &Setting) -> Result<bool> {
    stays_large(&sample(gathered, 8, 1 << 12), setting)
}

/// Whether experts leave nearly all of it.
fn stays_large(sample: &[u8], setting: &Setting) -> Result<bool> {
    let coded = bytes::encode(sample, setting, &Meter::default())?;
    Ok(coded.payload.len() > sample.len() - sample.len() / 256)
}

/// The mode for a frame, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub mode: Mode,
    /// Whether samples say tokens, but not so clearly that all of it could not be smaller as bytes.
    pub close: bool,
}

impl Choice {
    /// There is no doubt.
    pub(crate) fn clear(mode: Mode) -> Choice {
        Choice { mode, close: false }
    }
}

/// Samples that tokens make less than so many percent smaller than bytes do leave it open.
const CLEAR: usize = 60;

/// By how many percent more than the frame itself tokens make samples of so many bytes smaller, as a rule: a transformer brings along what
/// experts have yet to learn.
fn flattery(sample: usize) -> usize {
    match sample {
        0..8192 => 10,
        8192..16_384 => 7,
        16_384..32_768 => 4,
        32_768..65_536 => 2,
        _ => 0,
    }
}

/// The mode for `content` that is no noise: bytes or tokens. In a large frame tokens have to save at least `least_gain` percent.
pub(crate) fn mode(content: &[u8], setting: &Setting, least_gain: u32) -> Result<Choice> {
    let Some(model) = &setting.model else {
        return Ok(Choice::clear(Mode::Bytes));
    };
    if content.len() < SMALL && is_text(content) {
        return Ok(Choice::clear(Mode::Tokens));
    }
    if content.len() < 2 * SMALL && !is_text(content) {
        return Ok(match both(content, setting, model, Cut::Into(0))? {
            (by_bytes, by_tokens) if by_bytes < by_tokens => Choice::clear(Mode::Bytes),
            _ => Choice::clear(Mode::Tokens),
        });
    }
    let length = (content.len() / SAMPLE).clamp(SMALL / SAMPLE, MAX_SAMPLE) / 2;
    // Small samples first. What a transformer brings along counts most in them, and experts learn: where tokens gain nothing there,
    // or half of what they should on a larger one, more of them would only take time, and in data that is no text they take much.
    let least_gain = least_gain.min(1000) as usize;
    let trials = [
        (length / 16, 100),
        (length / 4, 100 + least_gain / 2),
        (length, 100 + least_gain + flattery(2 * length)),
    ];
    let mut close = false;
    for (length, percent) in trials
        .into_iter()
        .filter(|trial| trial.0 >= LEAST.min(length))
    {
        // Two stretches, since files tend to begin with something else than what they are made of.
        let mut sample = content[content.len() / 4..][..length].to_vec();
        sample.extend(&content[content.len() / 4 * 3..][..length]);
        let (by_bytes, by_tokens) = both(&sample, setting, model, Cut::Well)?;
        if by_bytes * 100 < by_tokens * percent {
            return Ok(Choice::clear(Mode::Bytes));
        }
        close = by_bytes * 100 < by_tokens * (100 + CLEAR);
    }
    Ok(Choice {
        mode: Mode::Tokens,
        close,
    })
}

/// The sizes of all of it as bytes and as tokens. As tokens it counts as large without being coded where the bytes' way
/// leaves next to nothing: there is nothing to be gained, and the bytes' way leaps over such data a hundred times as fast.
fn both(sample: &[u8], setting: &Setting, model: &Model, cut: Cut) -> Result<(usize, usize)> {
    let quiet = Meter::default();
    let by_bytes = bytes::encode_best(sample, setting, &quiet)?.payload.len();
    if by_bytes < sample.len() / 256 {
        return Ok((by_bytes, sample.len()));
    }
    let by_tokens = tokens::encode(sample, setting, model, cut, &quiet)?
        .payload
        .len();
    Ok((by_bytes, by_tokens))
}

/// Whether it is UTF-8 with hardly a control character, as text is and little else.
pub(super) fn is_text(content: &[u8]) -> bool {
    let odd = content
        .iter()
        .filter(|&&byte| byte < 32 && !b"\t\n\r\x0c".contains(&byte))
        .count();
    // A frame may end within a character.
    let whole = match std::str::from_utf8(content) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    whole && odd <= content.len() / 500
}

/// Whether nothing plain is to be gained: all bytes equally frequent, and no stretch that occurs twice.
fn looks_random(content: &[u8]) -> bool {
    content.len() >= 512 && is_even(content) && !repeats(content)
}

/// Whether all bytes are equally frequent in it.
pub(super) fn is_even(content: &[u8]) -> bool {
    let mut counts = [0u32; 256];
    content
        .iter()
        .for_each(|&byte| counts[usize::from(byte)] += 1);
    // Pairs drawn at random agree in 1 of 256 cases if all bytes are equally frequent and more often otherwise; text
    // stands at 1 in 15. Up to 5 % over the least is let through here.
    let n = content.len() as f64;
    let pairs: f64 = counts
        .iter()
        .map(|&count| f64::from(count) * (f64::from(count) - 1.0))
        .sum();
    pairs / (n * (n - 1.0)) < 1.05 / 256.0
}

/// Whether a noticeable part of it occurred before, at any distance: eight-byte stretches whose hash begins with six zero
/// bits are remembered, wherever they are, so both occurrences of a long stretch are sampled at the same places.
fn repeats(content: &[u8]) -> bool {
    let slots = (content.len() / 16).next_power_of_two();
    let mut seen = vec![0u32; slots];
    let mut again = 0;
    for window in content.windows(8) {
        let value = window
            .iter()
            .fold(0u64, |value, &byte| value << 8 | u64::from(byte));
        let hash = value.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        if hash >> 58 == 0 {
            let slot = &mut seen[(hash >> 20) as usize % slots];
            let mark = (hash as u32) | 1;
            again += usize::from(*slot == mark);
            *slot = mark;
        }
    }
    again * 64 > content.len() / 200
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize) -> Vec<u8> {
        let mut state = 1u64;
        let step = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        (0..n).map(step).collect()
    }

    #[test]
    fn samples_are_spread_over_the_content() {
        let content: Vec<u8> = (0..=255).collect();
        assert_eq!(sample(&content, 2, 128), content);
        assert_eq!(sample(&content, 2, 3), [63, 64, 65, 189, 190, 191]);
        assert!(sample(&[], 2, 3).is_empty());
        for length in 0..300 {
            let content = vec![7; length];
            assert_eq!(sample(&content, 16, 10).len(), length.min(160));
        }
    }

    #[test]
    fn noise_is_random_and_noise_twice_is_not() {
        let once = noise(100_000);
        assert!(looks_random(&once));
        assert!(looks_random(&once[..600]));
        assert!(!looks_random(&[&once[..], &once[..]].concat()));
        assert!(!looks_random(&b"text is not random at all ".repeat(100)));
    }

    #[test]
    fn text_is_text_even_when_cut_within_a_character() {
        let text = "Übermut tut selten gut.\n".repeat(20);
        assert!(is_text(text.as_bytes()));
        assert!(is_text(&text.as_bytes()[..text.len() - 24 + 1]));
        assert!(!is_text(&noise(1000)));
        assert!(!is_text(&[0; 1000]));
    }
}
