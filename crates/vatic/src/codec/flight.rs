//! Frames in flight: many small frames of tokens decoded side by side.
//!
//! A small frame has a stream or two, and a step of so few rows takes as long as reading all weights does. Frames know nothing of
//! each other, so each thread steps through the streams of many of them at once, one frame's after another's, and takes another
//! frame aboard when one has landed (continuous batching: Yu et al., Orca, OSDI 2022). No thread waits for another. Predictions depend
//! on nothing but their own stream, so what comes out is the same.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use web_time::Instant;

use vatic_transformer::Predictions;

use super::Setting;
use super::decoding::Decoding;
use super::foretold::Foretold;
use crate::error::{Error, Result};
use crate::model::{Model, Transformer};
use crate::parallel::on_threads;
use crate::stats::FrameStats;

/// The most streams that a thread steps through at once: more would hardly be faster.
pub(crate) const MOST_STREAMS: usize = 16;

/// The most memory that the experts of all frames under way should take, in bytes.
const ROOM: u64 = 256 << 20;

/// A frame of tokens to be decoded, in at most [`MOST_STREAMS`] streams.
pub(crate) struct Frame<'a> {
    pub payload: &'a [u8],
    /// Of its content, as far as it is known before.
    pub length: usize,
    pub streams_log2: u8,
    pub model: Model,
    pub setting: Setting,
}

impl Frame<'_> {
    fn streams(&self) -> usize {
        1 << self.streams_log2
    }

    /// What its experts take, roughly: the head's weights, and tables sized by the content, or as a prior has them.
    fn memory(&self) -> i64 {
        let head = self.model.width() * self.model.tokens() * 2;
        let prior = self.setting.prior.as_ref();
        let prior = prior.and_then(|prior| prior.tokens_state(&self.model).ok());
        let prior = prior.map_or(0, <[u8]>::len);
        head as i64 + self.length as i64 * 80 + prior as i64 * 8
    }
}

/// The content of a frame and what was done.
pub(crate) type Decoded = (Vec<u8>, FrameStats);

/// Decodes all frames, within so much memory if one of them does not need more; `landed` is called after each with its number.
pub(crate) fn decode(
    frames: &[Frame],
    threads: usize,
    max_memory: u64,
    landed: &(dyn Fn(usize) + Sync),
) -> Vec<Result<Decoded>> {
    let budget = ROOM.min(max_memory) as i64;
    let none = || Err(Error::corrupt("a frame was not decoded"));
    let mut results: Vec<Result<Decoded>> = frames.iter().map(|_| none()).collect();
    let mut waiting: Vec<usize> = (0..frames.len()).collect();
    // Those that take longest first, so that all threads end at about the same time.
    waiting.sort_by_key(|&n| Reverse(frames[n].length / frames[n].streams()));
    while let Some(&first) = waiting.first() {
        let model = &frames[first].model;
        let (same, others): (Vec<usize>, Vec<usize>) =
            (waiting.into_iter()).partition(|&n| frames[n].model.is(model));
        waiting = others;
        let planes = threads.clamp(1, same.len());
        let streams = same.iter().map(|&n| frames[n].streams());
        let (all, most) = (streams.clone().sum::<usize>(), streams.max().unwrap_or(1));
        // No more for each thread than memory allows, if all are to have as many.
        let memory: i64 = same.iter().map(|&n| frames[n].memory()).sum();
        let room = budget * all as i64 / (planes as i64 * memory).max(1);
        let seats = all
            .div_ceil(planes)
            .min(MOST_STREAMS)
            .min(room as usize)
            .max(most);
        let gate = Gate {
            frames,
            waiting: Mutex::new((VecDeque::from(same.clone()), budget)),
            landed,
        };
        let flown = on_threads(planes, planes, |_| Plane::new(model, seats)?.fly(&gate));
        match flown {
            Ok(parts) => {
                for (n, result) in parts.into_iter().flatten() {
                    results[n] = result;
                }
            }
            // The model cannot be run, so none of its frames can be decoded.
            Err(error) => {
                let what = match error {
                    Error::Model(what) => what,
                    other => other.to_string(),
                };
                for n in same {
                    results[n] = Err(Error::Model(what.clone()));
                }
            }
        }
    }
    results
}

/// Where frames wait, and land.
struct Gate<'a> {
    frames: &'a [Frame<'a>],
    /// Their numbers, and the memory that is left for more.
    waiting: Mutex<(VecDeque<usize>, i64)>,
    landed: &'a (dyn Fn(usize) + Sync),
}

impl<'a> Gate<'a> {
    /// The next frame, if it has no more than `free` streams, and there is memory for it or it is to go all the same (`always`).
    fn next(&self, free: usize, always: bool) -> Option<(usize, &'a Frame<'a>)> {
        let (waiting, room) = &mut *self.waiting();
        let frame = &self.frames[*waiting.front()?];
        if frame.streams() > free || !(always || frame.memory() <= *room) {
            return None;
        }
        *room -= frame.memory();
        waiting.pop_front().map(|number| (number, frame))
    }

    /// Tells that a frame has landed.
    fn lands(&self, number: usize) {
        self.waiting().1 += self.frames[number].memory();
        (self.landed)(number);
    }

    fn waiting(&self) -> MutexGuard<'_, (VecDeque<usize>, i64)> {
        (self.waiting.lock()).unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one thread has under way.
struct Plane<'a> {
    model: &'a Model,
    predictor: Transformer,
    foretold: Foretold<'a>,
    /// Streams of the predictor that no frame has.
    free: Vec<usize>,
    aboard: Vec<Aboard<'a>>,
    results: Vec<(usize, Result<Decoded>)>,
}

/// A frame under way.
struct Aboard<'a> {
    number: usize,
    decoding: Decoding<'a>,
    /// The predictor's streams that are its own, and the latest token of each.
    seats: Vec<(usize, u16)>,
    since: Instant,
}

impl<'a> Plane<'a> {
    fn new(model: &'a Model, seats: usize) -> Result<Plane<'a>> {
        Ok(Plane {
            model,
            predictor: model.predictor(seats, 1)?,
            foretold: Foretold::new(model)?,
            free: (0..seats).rev().collect(),
            aboard: Vec::new(),
            results: Vec::new(),
        })
    }

    /// Decodes frames until none wait; the results with their numbers.
    fn fly(mut self, gate: &Gate<'a>) -> Result<Vec<(usize, Result<Decoded>)>> {
        let (mut rows, mut predictions) = (Vec::new(), Predictions::default());
        loop {
            while let Some((number, frame)) = gate.next(self.free.len(), self.aboard.is_empty()) {
                self.board(number, frame, gate);
            }
            if self.aboard.is_empty() {
                return Ok(self.results);
            }
            rows.clear();
            (self.aboard.iter()).for_each(|frame| rows.extend_from_slice(&frame.seats));
            self.predictor.step(&rows, &mut predictions)?;
            self.take(&predictions, gate);
        }
    }

    fn board(&mut self, number: usize, frame: &Frame<'a>, gate: &Gate) {
        let (payload, setting) = (frame.payload, &frame.setting);
        let (length, log2) = (frame.length, frame.streams_log2);
        match Decoding::new(payload, length, log2, setting, self.model) {
            Ok(decoding) => {
                let seats = self.free.split_off(self.free.len() - frame.streams());
                seats.iter().for_each(|&seat| self.predictor.reset(seat));
                let boundary = self.model.boundary();
                self.aboard.push(Aboard {
                    number,
                    decoding,
                    seats: seats.into_iter().map(|seat| (seat, boundary)).collect(),
                    since: Instant::now(),
                });
            }
            Err(error) => {
                self.results.push((number, Err(error)));
                gate.lands(number);
            }
        }
    }

    /// Decodes the next token of each stream of each frame; of those that end, the results.
    fn take(&mut self, predictions: &Predictions, gate: &Gate) {
        let mut first = 0;
        let mut at = 0;
        while let Some(frame) = self.aboard.get_mut(at) {
            let foretold = &mut self.foretold;
            let goes_on = (frame.seats.iter_mut().enumerate()).all(|(stream, (_, token))| {
                let next = (frame.decoding).token(stream, foretold, predictions, first + stream);
                next.inspect(|&next| *token = next).is_some()
            });
            first += frame.seats.len();
            if goes_on {
                at += 1;
                continue;
            }
            let frame = self.aboard.remove(at);
            self.free.extend(frame.seats.iter().map(|&(seat, _)| seat));
            let mut content = Vec::new();
            let mut sink = |bytes: &[u8]| content.extend_from_slice(bytes);
            let mut stats = frame.decoding.finish(self.model, Vec::new(), &mut sink);
            stats.wall = frame.since.elapsed();
            self.results.push((frame.number, Ok((content, stats))));
            gate.lands(frame.number);
        }
    }
}

#[cfg(all(test, feature = "model-swift"))]
mod tests {
    use super::*;
    use crate::options::Options;

    #[test]
    fn a_frame_waits_for_memory_and_seats() {
        let frame = |streams_log2| Frame {
            payload: &[],
            length: 1 << 20,
            streams_log2,
            model: Model::swift(),
            setting: Setting::of(&Options::new(), None),
        };
        let frames: Vec<Frame> = [0, 0, 1, 0, 3].map(frame).into();
        let gate = Gate {
            frames: &frames,
            waiting: Mutex::new(((0..frames.len()).collect(), ROOM as i64)),
            landed: &|_| (),
        };
        let next = |free, always| gate.next(free, always).map(|(number, _)| number);
        assert_eq!(next(16, false), Some(0));
        assert_eq!(next(1, false), Some(1));
        assert_eq!(next(1, true), None, "it has two streams");
        assert_eq!(next(2, false), Some(2));
        assert_eq!(next(16, false), None, "three of 83 MiB leave too little");
        assert_eq!(next(16, true), Some(3), "nobody else's frame would end");
        gate.lands(0);
        assert_eq!(next(16, false), None);
        gate.lands(1);
        assert_eq!(next(7, false), None);
        assert_eq!(next(8, false), Some(4));
        assert_eq!(next(16, true), None);
        (2..5).for_each(|number| gate.lands(number));
        assert_eq!(gate.waiting().1, ROOM as i64);
    }
}
