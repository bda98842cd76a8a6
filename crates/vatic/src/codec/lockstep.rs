//! Streams in lockstep, the predictor's work beside the coder's.
//!
//! The order in which tokens are coded is fixed: token 0 of every stream, token 1 of every stream, and so on. What varies
//! is who computes when. Streams are split into groups of neighbours, each with a predictor of its own on a thread of its
//! own. An encoder knows all tokens: its predictors run ahead by as many steps as they have buffers, and the calling thread
//! codes. In a decoder a group's next prediction needs its tokens, so each thread decodes its group's own tokens when its turn
//! comes, and predicts while the others have theirs: the coder is handed on, and nobody has to be woken to use it. A prediction
//! depends on nothing but its own stream, so how streams are grouped changes no bit. An encoder's single stream is split between its
//! predictors, each of which takes a part of every block of tokens ([`vatic_transformer::Session::split`]). Where a step has few rows for the weights that it
//! reads, a decoder's predictors are a team that predicts for all streams together ([`vatic_transformer::Session::team`]). Threads are started
//! before the work is cut into as many parts as there are of them: the system may have fewer than were wanted.

mod pipeline;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use web_time::Instant;

use crate::error::Result;
use crate::parallel::{Waiting, joined};
use crate::stats::ThreadTime;

use pipeline::pipeline;

/// Predicts the next token of each of some streams.
pub(crate) trait Predictor: Send {
    /// What is foretold after some tokens, a row for each.
    type Batch: Default + Send;

    /// Takes tokens in turn, `tokens[i]` for stream `i % streams`, and puts what is foretold after each of them into the rows of
    /// `batch`: after token `i` into row `i`, unless it is one of several that split the rows; then its part of them. Returns the
    /// number of rows.
    fn predict(&mut self, tokens: &[u16], batch: &mut Self::Batch) -> Result<usize>;
}

/// The streams' tokens: known before, or as they are decoded.
#[derive(Clone, Copy)]
pub(crate) enum Transcript<'a> {
    /// An encoder's.
    Known(&'a [&'a [u16]]),
    /// A decoder's.
    Unknown,
}

/// Rows that a predictor takes at once where the tokens are known: enough that fetching the weights from beyond the core's own
/// caches is a small part of the work.
const ROWS: usize = 128;

/// The shape of the work.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub streams: usize,
    /// The token that predictors are fed before each stream's first.
    pub boundary: u16,
    pub threads: usize,
    /// How many predictors work as a team where the tokens are not known: the first predicts for all streams, and the others, which have
    /// none, help it. No more than one if each works by itself.
    pub team: usize,
    /// How many predictors split the rows of a single stream where the tokens are known.
    pub split: usize,
}

/// Some neighbouring streams that share a predictor.
#[derive(Clone, Copy)]
pub(crate) struct Group {
    first: usize,
    pub streams: usize,
    /// Steps that are predicted at once.
    pub block: usize,
}

impl Shape {
    /// How the streams are grouped: one group for each thread, so that every predictor is busy but for the moment in which
    /// the coder has its tokens, and two streams at least in each, since a batch of one waits for memory; of a team the first
    /// has all.
    pub(crate) fn groups(&self, transcript: Transcript) -> Vec<Group> {
        if let (true, Transcript::Known(&[piece, ..])) = (self.splits(transcript), transcript) {
            // Blocks of about the same length, so that none is left with next to nothing at the end.
            let steps = piece.len().max(1);
            let group = Group {
                first: 0,
                streams: 1,
                block: steps.div_ceil(steps.div_ceil(ROWS * self.split.min(4))),
            };
            return vec![group; self.split];
        }
        let groups = if self.teams(transcript) {
            self.team
        } else if self.threads == 1 {
            1
        } else {
            let most = (self.streams / 2).max(2).min(self.streams);
            self.threads.clamp(2, most.max(2)).min(most)
        };
        let team = self.teams(transcript);
        let start = |g| match g {
            1.. if team => self.streams,
            g => g * self.streams / groups,
        };
        let group = |g| {
            let streams = start(g + 1) - start(g);
            let block = if matches!(transcript, Transcript::Known(_)) {
                ROWS.div_ceil(streams)
            } else {
                1
            };
            Group {
                first: start(g),
                streams,
                block,
            }
        };
        (0..groups).map(group).collect()
    }

    /// How many threads are needed beside the calling one. With one group, only a known transcript leaves anything to do side by side.
    fn others(&self, transcript: Transcript) -> usize {
        let groups = self.groups(transcript).len();
        match transcript {
            _ if self.threads == 1 => 0,
            Transcript::Known(_) => groups,
            Transcript::Unknown => groups - 1,
        }
    }

    /// The same work where no more than so many threads are to be had beside the calling one, fewer than it needs.
    fn with_others(&self, others: usize, transcript: Transcript) -> Shape {
        let threads = match transcript {
            // Two at least predict, or the coder does it by itself.
            Transcript::Known(_) => others.max(1),
            Transcript::Unknown => others + 1,
        };
        Shape {
            threads,
            team: self.team.min(threads),
            split: self.split.min(threads),
            ..*self
        }
    }

    /// Whether the predictors split the rows of a single stream.
    pub(crate) fn splits(&self, transcript: Transcript) -> bool {
        self.streams == 1 && self.split > 1 && matches!(transcript, Transcript::Known(_))
    }

    /// Whether the predictors work as a team.
    pub(crate) fn teams(&self, transcript: Transcript) -> bool {
        self.team > 1 && matches!(transcript, Transcript::Unknown)
    }
}

/// Runs the coder over all tokens of all streams: `code(stream, batch, row)` codes one token, foretold by that row, and returns it,
/// or `None` after the last one. `predictors` makes one for each of a shape's groups; the shape is that of fewer threads if there are not as
/// many to be had. Returns how each thread spent its time, the calling one first.
pub(crate) fn run<P: Predictor>(
    shape: &Shape,
    transcript: Transcript,
    predictors: impl Fn(&Shape) -> Result<Vec<P>>,
    mut code: impl FnMut(usize, &P::Batch, usize) -> Option<u16> + Send,
) -> Result<Vec<ThreadTime>> {
    let mut shape = *shape;
    loop {
        let groups = shape.groups(transcript);
        let feeders = || -> Result<Vec<Feeder<P>>> {
            let predictors = predictors(&shape)?;
            debug_assert_eq!(predictors.len(), groups.len());
            let feeders = groups.iter().zip(predictors);
            Ok(feeders
                .map(|(&group, predictor)| Feeder {
                    predictor,
                    known: match transcript {
                        Transcript::Known(pieces) => Some(&pieces[group.first..][..group.streams]),
                        Transcript::Unknown => None,
                    },
                    tokens: vec![shape.boundary; group.streams],
                    step: 0,
                    block: group.block,
                    boundary: shape.boundary,
                })
                .collect())
        };
        let done = match transcript {
            _ if shape.others(transcript) == 0 => return alone(&groups, feeders()?, code),
            Transcript::Unknown => in_turn(&groups, feeders, &mut code),
            Transcript::Known(_) => {
                let split = shape.splits(transcript);
                pipeline(&groups, feeders, split, &mut code)
            }
        };
        match done {
            Ok(done) => return done,
            Err(TooFew(there_are)) => shape = shape.with_others(there_are, transcript),
        }
    }
}

/// Only so many threads are to be had beside the calling one; nothing was done.
struct TooFew(usize);

/// Predictions made and not yet used.
#[derive(Default)]
struct Rows<B> {
    batch: B,
    len: usize,
    used: usize,
}

/// A predictor and the tokens that it is to be fed.
struct Feeder<'a, P> {
    predictor: P,
    known: Option<&'a [&'a [u16]]>,
    /// What it is fed next: the latest token of each stream when they are not known.
    tokens: Vec<u16>,
    step: usize,
    block: usize,
    boundary: u16,
}

impl<P: Predictor> Feeder<'_, P> {
    /// Fills `rows` with the next predictions; `false` when there are none to make.
    fn fill(&mut self, rows: &mut Rows<P::Batch>) -> Result<bool> {
        if let Some(pieces) = self.known {
            self.tokens.clear();
            for step in self.step..self.step + self.block {
                // Longer pieces come first, so the streams that go on are always the first ones.
                for piece in pieces.iter().take_while(|piece| piece.len() > step) {
                    self.tokens.push(if step == 0 {
                        self.boundary
                    } else {
                        piece[step - 1]
                    });
                }
            }
            self.step += self.block;
        }
        rows.used = 0;
        rows.len = self.predictor.predict(&self.tokens, &mut rows.batch)?;
        Ok(!self.tokens.is_empty())
    }
}

/// Does something, and adds the time that it took to `sum`.
fn timed<T>(sum: &mut Duration, what: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = what();
    *sum += start.elapsed();
    result
}

/// Codes one token of each stream of a group, leaving them in `tokens`; `false` when there are no more.
fn code_group<B>(
    group: &Group,
    rows: &mut Rows<B>,
    tokens: &mut Vec<u16>,
    code: &mut impl FnMut(usize, &B, usize) -> Option<u16>,
) -> bool {
    tokens.clear();
    for stream in group.first..group.first + group.streams {
        if rows.used == rows.len {
            return false;
        }
        let Some(token) = code(stream, &rows.batch, rows.used) else {
            return false;
        };
        rows.used += 1;
        tokens.push(token);
    }
    true
}

fn alone<P: Predictor>(
    groups: &[Group],
    mut feeders: Vec<Feeder<P>>,
    mut code: impl FnMut(usize, &P::Batch, usize) -> Option<u16>,
) -> Result<Vec<ThreadTime>> {
    let mut time = ThreadTime::default();
    let start = Instant::now();
    let mut rows: Vec<Rows<P::Batch>> = groups.iter().map(|_| Rows::default()).collect();
    let mut tokens = Vec::new();
    loop {
        for ((group, feeder), rows) in groups.iter().zip(&mut feeders).zip(&mut rows) {
            if rows.used == rows.len {
                let more = timed(&mut time.predicting, || feeder.fill(rows))?;
                if !more {
                    time.coding = start.elapsed() - time.predicting;
                    return Ok(vec![time]);
                }
            }
            if !code_group(group, rows, &mut tokens, &mut code) {
                time.coding = start.elapsed() - time.predicting;
                return Ok(vec![time]);
            }
            if feeder.known.is_none() {
                feeder.tokens.clone_from(&tokens);
            }
        }
    }
}

/// How often a thread looks whether its turn has come before it goes to sleep: some 50 µs, about as long as a turn takes, while
/// waking up may take longer than that.
const LOOKS: u32 = 2_000;

/// The number of no group: there are no more turns.
const OVER: usize = usize::MAX;

/// The coder, and whose turn it is to use it.
struct Turns<F> {
    /// A group's number, or [`OVER`].
    turn: AtomicUsize,
    /// Held while the turn changes, so that nobody falls asleep meanwhile.
    gate: Mutex<()>,
    changed: Condvar,
    code: Mutex<F>,
}

impl<F> Turns<F> {
    fn new(code: F) -> Turns<F> {
        Turns {
            turn: AtomicUsize::new(0),
            gate: Mutex::new(()),
            changed: Condvar::new(),
            code: Mutex::new(code),
        }
    }

    /// Whether it is a group's turn; `None` while it is another's.
    fn is(&self, group: usize) -> Option<bool> {
        match self.turn.load(Ordering::Acquire) {
            OVER => Some(false),
            turn => (turn == group).then_some(true),
        }
    }

    /// Waits for a group's turn; `false` if there are no more.
    fn wait(&self, group: usize) -> bool {
        for _ in 0..LOOKS {
            if let Some(mine) = self.is(group) {
                return mine;
            }
            std::hint::spin_loop();
        }
        let mut gate = self.gate();
        loop {
            if let Some(mine) = self.is(group) {
                return mine;
            }
            gate = (self.changed.wait(gate)).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives the turn to a group, unless they are over.
    fn pass(&self, group: usize) {
        let gate = self.gate();
        if self.turn.load(Ordering::Acquire) != OVER {
            self.turn.store(group, Ordering::Release);
        }
        drop(gate);
        self.changed.notify_all();
    }

    fn gate(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends all turns when its thread ends, for whatever reason, so that the others do not wait for ever.
struct Ends<'a, F>(&'a Turns<F>);

impl<F> Drop for Ends<'_, F> {
    fn drop(&mut self) {
        self.0.pass(OVER);
    }
}

/// A thread for each group, which predicts its tokens and codes them when its turn comes.
fn in_turn<'a, P: Predictor + 'a>(
    groups: &[Group],
    feeders: impl FnOnce() -> Result<Vec<Feeder<'a, P>>>,
    code: impl FnMut(usize, &P::Batch, usize) -> Option<u16> + Send,
) -> Result<Result<Vec<ThreadTime>>, TooFew> {
    let turns = Turns::new(code);
    // Those of a team that have no streams are the last ones.
    let taking = groups.iter().filter(|group| group.streams > 0).count();
    let work = |(number, mut feeder): (usize, Feeder<P>)| -> Result<ThreadTime> {
        let _ends = Ends(&turns);
        let (mut rows, mut tokens) = (Rows::default(), Vec::new());
        let mut time = ThreadTime::default();
        loop {
            match timed(&mut time.predicting, || feeder.fill(&mut rows)) {
                // A team is over when its first has ended.
                _ if turns.is(number) == Some(false) => return Ok(time),
                other => other?,
            };
            if groups[number].streams == 0 {
                continue;
            }
            if !timed(&mut time.waiting, || turns.wait(number)) {
                return Ok(time);
            }
            let more = timed(&mut time.coding, || {
                let mut code = turns.code.lock().unwrap_or_else(PoisonError::into_inner);
                code_group(&groups[number], &mut rows, &mut tokens, &mut *code)
            });
            if !more {
                return Ok(time);
            }
            turns.pass((number + 1) % taking);
            feeder.tokens.clone_from(&tokens);
        }
    };
    thread::scope(|scope| {
        let others = Waiting::several(scope, groups.len() - 1, &work).map_err(TooFew)?;
        let mut feeders = match feeders() {
            Ok(feeders) => feeders.into_iter().enumerate(),
            Err(error) => return Ok(Err(error)),
        };
        let first = feeders.next();
        let others: Vec<_> = (others.into_iter().zip(feeders))
            .map(|(thread, feeder)| thread.begin(feeder))
            .collect();
        let first = first.map(work);
        // All are joined before any failure is told.
        let others: Vec<_> = others.into_iter().filter_map(joined).collect();
        Ok(first.into_iter().chain(others).collect())
    })
}

#[cfg(test)]
mod tests;
