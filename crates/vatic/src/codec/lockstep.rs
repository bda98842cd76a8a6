//! Streams in lockstep, the predictor's work beside the coder's.
//!
//! The order in which tokens are coded is fixed: token 0 of every stream, token 1 of every stream, and so on. What varies
//! is who computes when. Streams are split into groups of neighbours, each with a predictor of its own on a thread of its
//! own; while the coder (the calling thread) is busy with one group's tokens, the predictors of the others work. A decoder
//! cannot do better, since a group's next prediction needs its tokens; an encoder knows them all, and lets each predictor
//! run ahead by as many steps as it has buffers. A prediction depends on nothing but its own stream, so how streams are
//! grouped changes no bit.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Predicts the next token of each of some streams.
pub(crate) trait Predictor: Send {
    /// Takes the latest token of each stream and writes the weights of the next one: a row of one weight per leaf for each
    /// stream, row after row.
    fn step(&mut self, tokens: &[u16], weights: &mut [u32]);
}

/// The streams' tokens: known before, or as they are decoded.
#[derive(Clone, Copy)]
pub(crate) enum Transcript<'a> {
    /// An encoder's.
    Known(&'a [&'a [u16]]),
    /// A decoder's.
    Unknown,
}

/// How many steps a predictor may be ahead of the coder, when the tokens are known.
const AHEAD: usize = 3;

/// The shape of the work.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub streams: usize,
    pub leaves: usize,
    /// The token that predictors are fed before each stream's first.
    pub boundary: u16,
    pub threads: usize,
}

impl Shape {
    /// How many streams each group has. A predictor is at its best with eight rows or more, and there must be groups enough
    /// for every thread to have one while the coder has another.
    pub(crate) fn groups(&self) -> Vec<usize> {
        let useful = (self.streams / 8).max(2).min(self.streams);
        let groups = if self.threads == 1 {
            1
        } else {
            useful.min(2 * self.threads)
        };
        (0..groups)
            .map(|g| (g + 1) * self.streams / groups - g * self.streams / groups)
            .collect()
    }
}

/// Runs the coder over all tokens of all streams: `code(stream, weights)` codes one token and returns it, or `None` after
/// the last one. There is one predictor for each of `shape.groups()`. Returns the time that the coder waited.
pub(crate) fn run<P: Predictor>(
    shape: &Shape,
    predictors: Vec<P>,
    transcript: Transcript,
    code: impl FnMut(usize, &[u32]) -> Option<u16>,
) -> Duration {
    let groups = shape.groups();
    debug_assert_eq!(predictors.len(), groups.len());
    // With one group, only a known transcript leaves anything to do side by side.
    if shape.threads == 1 || (groups.len() == 1 && matches!(transcript, Transcript::Unknown)) {
        alone(shape, &groups, predictors, code)
    } else {
        pipeline(shape, &groups, predictors, transcript, code)
    }
}

fn alone<P: Predictor>(
    shape: &Shape,
    groups: &[usize],
    mut predictors: Vec<P>,
    mut code: impl FnMut(usize, &[u32]) -> Option<u16>,
) -> Duration {
    let mut waited = Duration::ZERO;
    let mut tokens: Vec<Vec<u16>> = groups.iter().map(|&n| vec![shape.boundary; n]).collect();
    let mut weights = vec![0; shape.leaves * groups.iter().max().copied().unwrap_or(0)];
    loop {
        let mut first = 0;
        for (tokens, predictor) in tokens.iter_mut().zip(&mut predictors) {
            let start = Instant::now();
            let rows = &mut weights[..shape.leaves * tokens.len()];
            predictor.step(tokens, rows);
            waited += start.elapsed();
            if !code_group(first, rows, shape.leaves, tokens, &mut code) {
                return waited;
            }
            first += tokens.len();
        }
    }
}

/// Codes one token of each stream of a group and leaves them in `tokens`; `false` when there are no more.
fn code_group(
    first: usize,
    rows: &[u32],
    leaves: usize,
    tokens: &mut [u16],
    code: &mut impl FnMut(usize, &[u32]) -> Option<u16>,
) -> bool {
    for (i, (token, row)) in tokens.iter_mut().zip(rows.chunks_exact(leaves)).enumerate() {
        match code(first + i, row) {
            Some(coded) => *token = coded,
            None => return false,
        }
    }
    true
}

/// The coder's ends of the channels to one predictor.
struct Line {
    rows: Receiver<Vec<u32>>,
    used: SyncSender<Vec<u32>>,
    tokens: SyncSender<Vec<u16>>,
}

fn pipeline<P: Predictor>(
    shape: &Shape,
    groups: &[usize],
    predictors: Vec<P>,
    transcript: Transcript,
    mut code: impl FnMut(usize, &[u32]) -> Option<u16>,
) -> Duration {
    let ahead = if matches!(transcript, Transcript::Known(_)) {
        AHEAD
    } else {
        1
    };
    let mut waited = Duration::ZERO;
    thread::scope(|scope| {
        let mut lines = Vec::new();
        let mut first = 0;
        for (&streams, predictor) in groups.iter().zip(predictors) {
            let (send_rows, rows) = sync_channel(ahead);
            let (used, free) = sync_channel(ahead);
            let (tokens, known) = sync_channel(1);
            for _ in 0..ahead {
                // The channel has room for exactly these.
                let _ = used.send(vec![0; shape.leaves * streams]);
            }
            let source = match transcript {
                Transcript::Known(pieces) => Source::Known(&pieces[first..first + streams]),
                Transcript::Unknown => Source::Told(known),
            };
            let boundary = vec![shape.boundary; streams];
            scope.spawn(move || predict(predictor, boundary, source, &free, &send_rows));
            lines.push(Line { rows, used, tokens });
            first += streams;
        }
        // Leaving this closure drops the channels, at which every predictor ends.
        loop {
            let mut first = 0;
            for (line, &streams) in lines.iter().zip(groups) {
                let start = Instant::now();
                // A predictor ends before its tokens do only if it panicked, which the scope passes on.
                let Ok(rows) = line.rows.recv() else { return };
                waited += start.elapsed();
                let mut tokens = vec![shape.boundary; streams];
                if !code_group(first, &rows, shape.leaves, &mut tokens, &mut code) {
                    return;
                }
                let _ = line.used.send(rows);
                if matches!(transcript, Transcript::Unknown) {
                    let _ = line.tokens.send(tokens);
                }
                first += streams;
            }
        }
    });
    waited
}

/// Where a predictor's thread has its tokens from.
enum Source<'a> {
    Known(&'a [&'a [u16]]),
    Told(Receiver<Vec<u16>>),
}

/// A predictor's thread: predicts, hands over, learns what came, until nobody listens.
fn predict<P: Predictor>(
    mut predictor: P,
    mut tokens: Vec<u16>,
    source: Source,
    free: &Receiver<Vec<u32>>,
    send: &SyncSender<Vec<u32>>,
) {
    for t in 0.. {
        let Ok(mut rows) = free.recv() else { return };
        predictor.step(&tokens, &mut rows);
        if send.send(rows).is_err() {
            return;
        }
        match &source {
            Source::Known(pieces) => {
                // The last step of all may have tokens for the first streams only; the coder stops there.
                for (token, piece) in tokens.iter_mut().zip(*pieces) {
                    match piece.get(t) {
                        Some(&next) => *token = next,
                        None => return,
                    }
                }
            }
            Source::Told(told) => match told.recv() {
                Ok(next) => tokens = next,
                Err(_) => return,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A predictor whose weights depend on all that a stream was fed.
    struct Toy(Vec<u32>);

    impl Predictor for Toy {
        fn step(&mut self, tokens: &[u16], weights: &mut [u32]) {
            for ((state, &token), row) in self
                .0
                .iter_mut()
                .zip(tokens)
                .zip(weights.chunks_exact_mut(5))
            {
                *state = state
                    .wrapping_mul(747_796_405)
                    .wrapping_add(u32::from(token) + 1);
                row.iter_mut()
                    .enumerate()
                    .for_each(|(i, weight)| *weight = *state >> (i + 9));
            }
        }
    }

    fn log(shape: Shape, pieces: &[&[u16]], known: bool) -> Vec<(usize, Vec<u32>, u16)> {
        let predictors = shape.groups().iter().map(|&n| Toy(vec![0; n])).collect();
        let mut next = vec![0; pieces.len()];
        let mut log = Vec::new();
        let transcript = if known {
            Transcript::Known(pieces)
        } else {
            Transcript::Unknown
        };
        run(&shape, predictors, transcript, |stream, weights| {
            let token = *pieces[stream].get(next[stream])?;
            next[stream] += 1;
            log.push((stream, weights.to_vec(), token));
            Some(token)
        });
        log
    }

    #[test]
    fn groups_and_threads_change_nothing() {
        let tokens: Vec<u16> = (0..997u32).map(|i| (i * i % 5) as u16).collect();
        for streams in [1, 2, 8, 32, 64] {
            let pieces = crate::codec::tokens::pieces(&tokens, streams);
            let shape = Shape {
                streams,
                leaves: 5,
                boundary: 0,
                threads: 1,
            };
            let plain = log(shape, &pieces, false);
            assert_eq!(plain.len(), tokens.len());
            for threads in [1, 2, 5] {
                let shape = Shape { threads, ..shape };
                assert_eq!(shape.groups().iter().sum::<usize>(), streams);
                assert_eq!(log(shape, &pieces, true), plain);
                assert_eq!(log(shape, &pieces, false), plain);
            }
        }
    }

    #[test]
    fn every_token_is_coded_once_in_order() {
        let tokens = [1, 2, 3, 4, 0, 1, 2];
        let pieces = crate::codec::tokens::pieces(&tokens, 4);
        let shape = Shape {
            streams: 4,
            leaves: 5,
            boundary: 0,
            threads: 2,
        };
        let order: Vec<(usize, u16)> = log(shape, &pieces, true)
            .iter()
            .map(|entry| (entry.0, entry.2))
            .collect();
        assert_eq!(
            order,
            [(0, 1), (1, 3), (2, 0), (3, 2), (0, 2), (1, 4), (2, 1)]
        );
    }
}
