//! Streams in lockstep, the predictor's work beside the coder's.
//!
//! The order in which tokens are coded is fixed: token 0 of every stream, token 1 of every stream, and so on. What varies
//! is who computes when. Streams are split into groups of neighbours, each with a predictor of its own on a thread of its
//! own. An encoder knows all tokens: its predictors run ahead by as many steps as they have buffers, and the calling thread
//! codes. In a decoder a group's next prediction needs its tokens, so each thread decodes its group's own tokens when its turn
//! comes, and predicts while the others have theirs: the coder is handed on, and nobody has to be woken to use it. A prediction
//! depends on nothing but its own stream, so how streams are grouped changes no bit. An encoder's single stream is split between its
//! predictors, each of which takes a part of every block of tokens ([`vatic_transformer::Session::split`]). Where a step has few rows for the weights that it
//! reads, a decoder's predictors are a team that predicts for all streams together ([`vatic_transformer::Session::team`]).

use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::stats::ThreadTime;

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

/// How many buffers a predictor may fill before the coder has emptied one, when the tokens are known.
const AHEAD: usize = 3;

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
/// or `None` after the last one. `predictors` has one for each of `shape.groups(transcript)`. Returns how each
/// thread spent its time, the calling one first.
pub(crate) fn run<P: Predictor>(
    shape: &Shape,
    predictors: Vec<P>,
    transcript: Transcript,
    code: impl FnMut(usize, &P::Batch, usize) -> Option<u16> + Send,
) -> Result<Vec<ThreadTime>> {
    let groups = shape.groups(transcript);
    debug_assert_eq!(predictors.len(), groups.len());
    let feeders: Vec<Feeder<P>> = groups
        .iter()
        .zip(predictors)
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
        .collect();
    // With one group, only a known transcript leaves anything to do side by side.
    if shape.threads == 1 || (groups.len() == 1 && matches!(transcript, Transcript::Unknown)) {
        alone(&groups, feeders, code)
    } else if matches!(transcript, Transcript::Unknown) {
        in_turn(&groups, feeders, code)
    } else {
        let split = shape.splits(transcript);
        pipeline(&groups, feeders, split, code)
    }
}

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
fn in_turn<P: Predictor>(
    groups: &[Group],
    feeders: Vec<Feeder<P>>,
    code: impl FnMut(usize, &P::Batch, usize) -> Option<u16> + Send,
) -> Result<Vec<ThreadTime>> {
    let turns = Turns::new(code);
    // Those of a team that have no streams are the last ones.
    let taking = groups.iter().filter(|group| group.streams > 0).count();
    let work = |number: usize, mut feeder: Feeder<P>| -> Result<ThreadTime> {
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
        let mut feeders = feeders.into_iter().enumerate();
        let first = feeders.next();
        let others: Vec<_> = feeders
            .map(|(number, feeder)| scope.spawn(move || work(number, feeder)))
            .collect();
        let first = first.map(|(number, feeder)| work(number, feeder));
        // All are joined before any failure is told.
        let others: Vec<_> = others.into_iter().map(joined).collect();
        first.into_iter().chain(others).collect()
    })
}

/// What a thread returned; its panic goes on here.
fn joined<T>(thread: thread::ScopedJoinHandle<T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The coder's ends of the channels to one predictor.
struct Line<B> {
    rows: Receiver<Result<Rows<B>>>,
    used: SyncSender<Rows<B>>,
    current: Rows<B>,
}

impl<B> Line<B> {
    /// Waits for the next predictions and gives the old ones' buffer back; `false` when there are none.
    fn receive(&mut self) -> Result<bool> {
        match self.rows.recv() {
            Ok(rows) => {
                let used = mem::replace(&mut self.current, rows?);
                // The predictor may have come to its end; it needs no buffer then.
                let _ = self.used.send(used);
                Ok(true)
            }
            // The predictor made all its predictions (had it panicked, the scope would pass that on).
            Err(_) => Ok(false),
        }
    }
}

/// Predictors ahead of the coder, which knows the tokens.
fn pipeline<P: Predictor>(
    groups: &[Group],
    feeders: Vec<Feeder<P>>,
    split: bool,
    mut code: impl FnMut(usize, &P::Batch, usize) -> Option<u16>,
) -> Result<Vec<ThreadTime>> {
    thread::scope(|scope| {
        let (mut lines, mut threads) = (Vec::new(), Vec::new());
        for feeder in feeders {
            let (send_rows, rows) = sync_channel(AHEAD);
            // The coder holds one buffer more, the current one.
            let (used, free) = sync_channel(AHEAD + 1);
            (0..AHEAD).for_each(|_| _ = used.send(Rows::default()));
            threads.push(scope.spawn(move || feed(feeder, &free, &send_rows)));
            lines.push(Line {
                rows,
                used,
                current: Rows::default(),
            });
        }
        let mut time = ThreadTime::default();
        let start = Instant::now();
        let coded = if split {
            code_parts(&mut lines, &mut time.waiting, &mut code)
        } else {
            code_all(groups, &mut lines, &mut time.waiting, &mut code)
        };
        time.coding = start.elapsed() - time.waiting;
        // At which every predictor ends.
        drop(lines);
        let threads = threads.into_iter().map(joined);
        let times = [time].into_iter().chain(threads).collect();
        coded.map(|()| times)
    })
}

/// The coder's part: all tokens in their order, until there are none.
fn code_all<B>(
    groups: &[Group],
    lines: &mut [Line<B>],
    waiting: &mut Duration,
    code: &mut impl FnMut(usize, &B, usize) -> Option<u16>,
) -> Result<()> {
    let mut tokens = Vec::new();
    loop {
        for (line, group) in lines.iter_mut().zip(groups) {
            if line.current.used == line.current.len && !timed(waiting, || line.receive())? {
                return Ok(());
            }
            if !code_group(group, &mut line.current, &mut tokens, code) {
                return Ok(());
            }
        }
    }
}

/// As [`code_all`], of one stream, each block of which is split between the lines.
fn code_parts<B>(
    lines: &mut [Line<B>],
    waiting: &mut Duration,
    code: &mut impl FnMut(usize, &B, usize) -> Option<u16>,
) -> Result<()> {
    loop {
        for line in &mut *lines {
            if !timed(waiting, || line.receive())? {
                return Ok(());
            }
            let Rows { batch, len, used } = &mut line.current;
            while used < len {
                if code(0, batch, *used).is_none() {
                    return Ok(());
                }
                *used += 1;
            }
        }
    }
}

/// A predictor's thread: predicts and hands over until there is nothing more or nobody listens.
fn feed<P: Predictor>(
    mut feeder: Feeder<P>,
    free: &Receiver<Rows<P::Batch>>,
    send: &SyncSender<Result<Rows<P::Batch>>>,
) -> ThreadTime {
    let mut time = ThreadTime::default();
    while let Ok(mut rows) = timed(&mut time.waiting, || free.recv()) {
        let filled = match timed(&mut time.predicting, || feeder.fill(&mut rows)) {
            Ok(true) => Ok(rows),
            Ok(false) => break,
            Err(error) => Err(error),
        };
        if timed(&mut time.waiting, || send.send(filled)).is_err() {
            break;
        }
    }
    time
}

#[cfg(test)]
mod tests;
