//! An encoder's predictors, which know all tokens: each runs ahead of the coder on a thread of its own.

use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use web_time::Instant;

use super::{Feeder, Group, Predictor, Rows, TooFew, code_group, timed};
use crate::error::Result;
use crate::parallel::{Waiting, joined};
use crate::stats::ThreadTime;

/// How many buffers a predictor may fill before the coder has emptied one, when the tokens are known.
const AHEAD: usize = 3;

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

/// A predictor's ends.
struct Ahead<'a, P: Predictor> {
    feeder: Feeder<'a, P>,
    free: Receiver<Rows<P::Batch>>,
    filled: SyncSender<Result<Rows<P::Batch>>>,
}

/// Predictors ahead of the coder, which knows the tokens.
pub(super) fn pipeline<'a, P: Predictor + 'a>(
    groups: &[Group],
    feeders: impl FnOnce() -> Result<Vec<Feeder<'a, P>>>,
    split: bool,
    mut code: impl FnMut(usize, &P::Batch, usize) -> Option<u16>,
) -> Result<Result<Vec<ThreadTime>>, TooFew> {
    thread::scope(|scope| {
        let waiting = Waiting::several(scope, groups.len(), feed).map_err(TooFew)?;
        let feeders = match feeders() {
            Ok(feeders) => feeders,
            Err(error) => return Ok(Err(error)),
        };
        let (mut lines, mut threads) = (Vec::new(), Vec::new());
        for (thread, feeder) in waiting.into_iter().zip(feeders) {
            let (filled, rows) = sync_channel(AHEAD);
            // The coder holds one buffer more, the current one.
            let (used, free) = sync_channel(AHEAD + 1);
            (0..AHEAD).for_each(|_| _ = used.send(Rows::default()));
            threads.push(thread.begin(Ahead {
                feeder,
                free,
                filled,
            }));
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
        let threads = threads.into_iter().filter_map(joined);
        let times = [time].into_iter().chain(threads).collect();
        Ok(coded.map(|()| times))
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
fn feed<P: Predictor>(ahead: Ahead<P>) -> ThreadTime {
    let Ahead {
        mut feeder,
        free,
        filled: send,
    } = ahead;
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
