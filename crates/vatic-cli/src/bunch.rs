//! Several files at once. Small ones are done in bunches, since the transformer predicts for many in little more time than for one;
//! larger ones in a line, since those without much text keep one thread busy each.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::iter;
use std::mem;
use std::vec;

use anyhow::Result;
use vatic::Stats;

use crate::files::Source;
use crate::input::Opened;
use crate::worker::{Size, Worker};

/// The most files in a bunch, and the most bytes of content: a bunch's results appear together, which should not take minutes.
const MOST_FILES: usize = 256;
const MOST_BYTES: u64 = 1 << 20;

/// Does all inputs; `done` hears of each, and may end it. They are done in their order where their results go to one place.
pub fn each(
    worker: &Worker,
    sources: Vec<Result<Source>>,
    mut done: impl FnMut(Result<Stats>) -> Result<()>,
) -> Result<()> {
    let mut queue = Queue {
        several: sources.len() > 1,
        sources: sources.into_iter(),
        ahead: None,
    };
    let mut bunch = Bunch::default();
    while let Some(next) = queue.next(worker) {
        if worker.keeps_order() && !matches!(next, Ok((_, Size::Small(_)))) {
            bunch.finish(worker, &mut done)?;
        }
        match next {
            Ok((opened, Size::Small(bytes))) => {
                if !bunch.has_room(bytes) {
                    bunch.finish(worker, &mut done)?;
                }
                bunch.push(opened, bytes);
            }
            Ok((opened, Size::Medium)) => {
                in_line(worker, opened, &mut queue, &mut bunch, &mut done)?;
            }
            Ok((opened, Size::Large)) => done(worker.file(opened, None))?,
            Err(error) => done(Err(error))?,
        }
    }
    bunch.finish(worker, &mut done)
}

/// Does `first` and the files of medium size after it, side by side where they keep one thread busy each. Small ones on the way go into the
/// bunch, as long as there is room.
fn in_line(
    worker: &Worker,
    first: Opened,
    queue: &mut Queue,
    bunch: &mut Bunch,
    done: &mut impl FnMut(Result<Stats>) -> Result<()>,
) -> Result<()> {
    let meter = worker.meter_of_several();
    let waiting = RefCell::new(VecDeque::new());
    let mut first = Some(first);
    let inputs = iter::from_fn(|| {
        let mut opened = match first.take() {
            Some(first) => first,
            None => loop {
                match queue.next(worker)? {
                    Ok((opened, Size::Medium)) => break opened,
                    Ok((opened, Size::Small(bytes)))
                        if !worker.keeps_order() && bunch.has_room(bytes) =>
                    {
                        bunch.push(opened, bytes);
                    }
                    other => {
                        queue.ahead = Some(other);
                        return None;
                    }
                }
            },
        };
        let content = opened.take_content();
        meter.more(content.len() as u64);
        meter.label(opened.name());
        waiting.borrow_mut().push_back(opened);
        Some(content)
    });
    let ended = worker.each(inputs, &meter, |made| {
        match waiting.borrow_mut().pop_front() {
            Some(opened) => meter.aside(|| done(worker.file(opened, Some(made)))),
            None => Ok(()),
        }
    });
    meter.finish();
    ended
}

/// Inputs that wait to be opened.
struct Queue {
    /// Whether there are more than one in all.
    several: bool,
    sources: vec::IntoIter<Result<Source>>,
    /// The one that was opened already.
    ahead: Option<Result<(Opened, Size)>>,
}

impl Queue {
    fn next(&mut self, worker: &Worker) -> Option<Result<(Opened, Size)>> {
        if let Some(ahead) = self.ahead.take() {
            return Some(ahead);
        }
        let source = self.sources.next()?;
        Some(source.and_then(|source| {
            let mut opened = worker.open(source)?;
            let size = match self.several {
                true => worker.read_whole(&mut opened),
                false => Size::Large,
            };
            Ok((opened, size))
        }))
    }
}

/// Files that wait to be done together.
#[derive(Default)]
struct Bunch {
    files: Vec<Opened>,
    bytes: u64,
}

impl Bunch {
    fn has_room(&self, bytes: u64) -> bool {
        self.files.len() < MOST_FILES && self.bytes + bytes <= MOST_BYTES
    }

    fn push(&mut self, opened: Opened, bytes: u64) {
        self.bytes += bytes;
        self.files.push(opened);
    }

    /// Does them; there are none then.
    fn finish(
        &mut self,
        worker: &Worker,
        done: &mut impl FnMut(Result<Stats>) -> Result<()>,
    ) -> Result<()> {
        let files = mem::take(self).files;
        let mut made = match files.len() {
            0 | 1 => Vec::new(),
            _ => worker.together(&files),
        }
        .into_iter();
        (files.into_iter()).try_for_each(|file| done(worker.file(file, made.next())))
    }
}
