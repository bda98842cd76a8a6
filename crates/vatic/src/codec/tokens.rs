//! Frames of tokens: the transformer and the experts, over the tree of the model's tokens.

use vatic_coder::Encoder;

use super::decoding::Decoding;
use super::foretold::Foretold;
use super::lockstep::{self, Group, Shape, Transcript};
use super::{Coded, Setting, Sink, coder_error, parts, sources};
use crate::error::{Error, Result};
use crate::explain::{Explanation, TokenCost};
use crate::format::{Kind, MAX_STREAMS_LOG2};
use crate::model::{Model, Transformer};
use crate::options::Mode;
use crate::progress::Meter;
use crate::stats::{FrameStats, ThreadTime};

/// Tokens between two reports to the meter.
const REPORT: usize = 1 << 12;

/// Weights for each stream from which on a decoder's predictors read them together: reading is then most of what they do. Measured
/// with `base` and `deep` (docs/decisions.md).
const TEAM_WEIGHTS: usize = 5 << 20;

/// Beyond this the meetings would take longer than the reading.
const MOST_IN_TEAM: usize = 8;

/// Tokens that a stream takes in one go before the next stream's turn comes.
///
/// Were each stream one long stretch of the frame, all parts of the frame would be coded at once, and the experts would have seen
/// little of what lies near: of xml (Silesia) 64 such streams cost 11 %. In turns, 8 streams cost 3 %, and most of that is the price
/// of any cut.
pub(super) const CHUNK: usize = 1 << 12;

/// The tokens dealt to `streams` streams: [`CHUNK`] to each in turn while there are enough for all, then the rest in equal
/// parts, the first ones a token longer where it does not come out even.
pub(crate) fn pieces(tokens: &[u16], streams: usize) -> Vec<Vec<u16>> {
    let mut pieces = vec![Vec::with_capacity(tokens.len() / streams + 1); streams];
    let (rounds, rest) = tokens.split_at(tokens.len() - tokens.len() % (CHUNK * streams));
    for (n, chunk) in rounds.chunks_exact(CHUNK).enumerate() {
        pieces[n % streams].extend_from_slice(chunk);
    }
    let (length, longer) = (rest.len() / streams, rest.len() % streams);
    let mut rest = rest;
    for (s, piece) in pieces.iter_mut().enumerate() {
        let (part, after) = rest.split_at(length + usize::from(s < longer));
        piece.extend_from_slice(part);
        rest = after;
    }
    pieces
}

/// Into how many streams a frame is cut. At a cut the transformer and the experts lose sight of what came before, and a decoder has
/// more to do at once; docs/decisions.md has what the one costs and the other brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// A stream for each 8,192 tokens: below 0.5 % for files of 64 KB and more, nothing for smaller ones.
    Well,
    /// A stream for each 450 tokens up to 8, with which a decoder is nearly as fast as with 16: 1 to 3 % for small texts (10 for small code), which are
    /// restored up to three times as fast.
    Quick,
    /// This many, as log2.
    Into(u8),
}

/// The most streams that are of use to two cores: a step of 16 is half as fast as their instructions allow, and one of 32 no faster.
const MOST_LOG2: u8 = 4;

impl Cut {
    /// For a frame of so many tokens, as log2.
    pub(crate) fn streams_log2(self, tokens: usize) -> u8 {
        let streams = match self {
            Cut::Well => (tokens / 8_192).max(1),
            Cut::Quick => (tokens / 450).clamp(1, 8).max(tokens / 8_192),
            Cut::Into(log2) => return log2.min(MAX_STREAMS_LOG2),
        };
        (streams.ilog2() as u8).min(MOST_LOG2)
    }
}

/// The experts as they are before the first token of a frame of `length` bytes.
pub(crate) fn experts(
    setting: &Setting,
    model: &Model,
    streams: usize,
    length: usize,
) -> Result<vatic_coder::Model> {
    let (vocabulary, tree) = (model.vocabulary(), model.tree());
    let options = setting.coder();
    let options = vatic_coder::Options {
        experts: match setting.light {
            true => options.experts.and(vatic_coder::Experts::LIGHT),
            false => options.experts,
        },
        width: model.width(),
        ..options
    };
    let mut experts = vatic_coder::Model::new(vocabulary, tree, &options, streams, length as u64)
        .map_err(coder_error)?;
    if let Some(prior) = &setting.prior {
        let state = prior.tokens_state(model)?;
        experts
            .load(state)
            .map_err(|error| Error::Prior(error.to_string()))?;
    }
    Ok(experts)
}

/// What an encoder is left with after the last token.
struct Done {
    experts: vatic_coder::Model,
    encoder: Encoder,
    tokens: usize,
    streams_log2: u8,
    threads: Vec<ThreadTime>,
}

/// What the experts learn from `content`.
pub(crate) fn learn(
    content: &[u8],
    setting: &Setting,
    model: &Model,
    meter: &Meter,
) -> Result<Vec<u8>> {
    let done = code(content, setting, model, Cut::Well, meter, |_, _| ())?;
    Ok(done.experts.save())
}

/// What each token of `content` costs in one stream; `setting` asks for the report.
pub(crate) fn explain(
    content: &[u8],
    setting: &Setting,
    model: &Model,
    meter: &Meter,
) -> Result<Explanation> {
    // Accounts are kept as sums: a token's are what they grew by.
    let sums = |experts: &vatic_coder::Model| {
        let report = experts.report();
        let names: Vec<&str> = report.sources.iter().map(|source| source.name).collect();
        let costs: Vec<u64> = report.sources.iter().map(|source| source.cost).collect();
        (names, costs, report.paid)
    };
    let bits = |now: u64, before: u64| (now - before) as f32 / 65536.0;
    let mut explanation = Explanation::default();
    let mut before: Option<(Vec<u64>, u64)> = None;
    code(
        content,
        setting,
        model,
        Cut::Into(0),
        meter,
        |experts, token| {
            let (names, costs, paid) = sums(experts);
            let (old, old_paid) = before.take().unwrap_or_else(|| (vec![0; costs.len()], 0));
            if explanation.sources.is_empty() {
                explanation.sources = names.into_iter().map(String::from).collect();
            }
            let cost = TokenCost {
                bytes: model.vocabulary().token(token).len(),
                bits: bits(paid, old_paid),
            };
            explanation.push(
                cost,
                costs.iter().zip(&old).map(|(&now, &old)| bits(now, old)),
            );
            before = Some((costs, paid));
        },
    )?;
    Ok(explanation)
}

pub(crate) fn encode(
    content: &[u8],
    setting: &Setting,
    model: &Model,
    cut: Cut,
    meter: &Meter,
) -> Result<Coded> {
    let done = code(content, setting, model, cut, meter, |_, _| ())?;
    let mut stats = stats(model, done.tokens, 1 << done.streams_log2, done.threads);
    stats.sources = sources(&done.experts);
    let parts = parts(setting, Some(model), done.streams_log2);
    Ok(Coded {
        kind: Kind::Tokens,
        parts,
        payload: done.encoder.finish(),
        stats,
    })
}

/// Codes `content`; `coded_one` is called after each token with the experts, which have learnt it.
fn code(
    content: &[u8],
    setting: &Setting,
    model: &Model,
    cut: Cut,
    meter: &Meter,
    mut coded_one: impl FnMut(&vatic_coder::Model, u16) + Send,
) -> Result<Done> {
    let tokens = model.tokenizer()?.encode(content);
    let streams_log2 = cut.streams_log2(tokens.len());
    let streams = 1 << streams_log2;
    let (count, pieces) = (tokens.len(), pieces(&tokens, streams));
    drop(tokens);
    let pieces: Vec<&[u16]> = pieces.iter().map(Vec::as_slice).collect();
    let mut experts = experts(setting, model, streams, content.len())?;
    let mut encoder = setting.begin_tokens(content.len());
    let mut foretold = Foretold::new(model)?;
    let mut next = vec![0; streams];
    let (mut coded, mut bytes) = (0, 0);
    let shape = shape(model, streams, setting.threads);
    let transcript = Transcript::Known(&pieces);
    let predictors = |shape: &Shape| predictors(model, shape, transcript);
    let threads = lockstep::run(&shape, transcript, predictors, |stream, batch, row| {
        let token = *pieces[stream].get(next[stream])?;
        next[stream] += 1;
        foretold.with(batch, row, |weights| {
            experts.encode(stream, Some(weights), token, &mut encoder);
        });
        coded_one(&experts, token);
        coded += 1;
        bytes += model.vocabulary().token(token).len();
        if coded % REPORT == 0 {
            meter.at(bytes, encoder.len());
        }
        Some(token)
    });
    debug_assert_eq!(coded, count);
    Ok(Done {
        experts,
        encoder,
        tokens: count,
        streams_log2,
        threads: threads?,
    })
}

pub(crate) fn decode(
    payload: &[u8],
    length: usize,
    streams_log2: u8,
    setting: &Setting,
    model: &Model,
    meter: &Meter,
    sink: Sink,
) -> Result<FrameStats> {
    let mut decoding = Decoding::new(payload, length, streams_log2, setting, model)?;
    let mut foretold = Foretold::new(model)?;
    let mut report = REPORT;
    let shape = shape(model, 1 << streams_log2, setting.threads);
    let transcript = Transcript::Unknown;
    let predictors = |shape: &Shape| predictors(model, shape, transcript);
    let threads = lockstep::run(&shape, transcript, predictors, |stream, batch, row| {
        let token = decoding.token(stream, &mut foretold, batch, row)?;
        if decoding.tokens() == report {
            let (bytes, length) = decoding.progress();
            meter.within(bytes, payload.len(), length);
            let given = decoding.give(sink);
            meter.is_wanted().ok()?;
            if given >= setting.wanted {
                return None;
            }
            report += REPORT;
        }
        Some(token)
    })?;
    meter.is_wanted()?;
    Ok(decoding.finish(model, threads, sink))
}

fn shape(model: &Model, streams: usize, threads: usize) -> Shape {
    // Members wait for each other: one without a core of its own would keep all of them waiting.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let members = threads.min(cores).min(MOST_IN_TEAM);
    let few = model.weights() / streams >= TEAM_WEIGHTS;
    Shape {
        streams,
        boundary: model.boundary(),
        threads,
        team: if few { members } else { 1 },
        split: members,
    }
}

fn predictors(model: &Model, shape: &Shape, transcript: Transcript) -> Result<Vec<Transformer>> {
    let groups = shape.groups(transcript);
    if shape.teams(transcript) {
        return model.team(groups.len(), shape.streams);
    }
    if let (true, Some(group)) = (shape.splits(transcript), groups.first()) {
        return model.split(groups.len(), group.block);
    }
    let predictor = |group: Group| model.predictor(group.streams, group.block);
    groups.into_iter().map(predictor).collect()
}

pub(super) fn stats(
    model: &Model,
    tokens: usize,
    streams: usize,
    threads: Vec<ThreadTime>,
) -> FrameStats {
    FrameStats {
        mode: Mode::Tokens,
        model: Some(model.name().into()),
        tokens: tokens as u64,
        streams: streams as u32,
        threads,
        ..FrameStats::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::decoding::{Given, Piece};
    use super::*;

    #[test]
    fn cuts_are_few_or_many() {
        for (tokens, well, quick) in [
            (0, 1, 1),
            (500, 1, 1),
            (1_000, 1, 2),
            (3_599, 1, 4),
            (3_600, 1, 8),
            (16_384, 2, 8),
            (32_768, 4, 8),
            (1 << 24, 16, 16),
        ] {
            let streams = [Cut::Well, Cut::Quick].map(|cut| 1 << cut.streams_log2(tokens));
            assert_eq!(streams, [well, quick], "{tokens}");
        }
        assert_eq!(Cut::Into(9).streams_log2(1), MAX_STREAMS_LOG2);
    }

    #[test]
    fn what_is_dealt_comes_together_again() {
        for streams in [1, 2, 8, 16] {
            for length in [0, 1, 7, 16, 4095, 4096, 8192, 8193, 40_000, 65_536, 131_073] {
                let tokens: Vec<u16> = (0..length as u32)
                    .map(|n| (n.wrapping_mul(2_654_435_761) >> 16) as u16)
                    .collect();
                let dealt = pieces(&tokens, streams);
                assert!(
                    dealt.is_sorted_by(|a, b| a.len() == b.len() || a.len() == b.len() + 1),
                    "lockstep wants equal lengths, the longer ones first"
                );
                let decoded: Vec<Piece> = (dealt.iter())
                    .map(|tokens| {
                        let mut piece = Piece::default();
                        // Tokens are of different lengths.
                        let text = |token: u16| vec![token as u8; usize::from(token >> 8) % 5 + 1];
                        tokens.iter().for_each(|&token| piece.push(&text(token)));
                        piece
                    })
                    .collect();
                let whole = (tokens.iter())
                    .flat_map(|&token| vec![token as u8; usize::from(token >> 8) % 5 + 1]);
                let mut joined = Vec::new();
                let mut sink = |bytes: &[u8]| joined.extend_from_slice(bytes);
                Given::default().go_on(&decoded, true, &mut sink);
                assert!(joined.into_iter().eq(whole), "{streams} {length}");
            }
        }
    }
}
