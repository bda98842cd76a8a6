//! How far the work has come.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// How far the work has come, as told to the hook of [`Options::progress`](crate::Options::progress).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of content (the uncompressed side) dealt with so far.
    pub content_bytes: u64,
    /// Bytes of vatic data (the compressed side) dealt with so far; inside a frame this is an estimate.
    pub coded_bytes: u64,
}

impl Progress {
    pub(crate) fn new(content_bytes: u64, coded_bytes: u64) -> Progress {
        Progress {
            content_bytes,
            coded_bytes,
        }
    }
}

pub(crate) type Hook = Arc<dyn Fn(Progress) + Send + Sync>;

/// The sum of what all parts of the work have come to. The hook, if there is one, hears of it; several frames may be under way at once.
#[derive(Default)]
pub(crate) struct Tally {
    hook: Option<Hook>,
    done: Mutex<Progress>,
    given_up: AtomicBool,
}

impl Tally {
    pub(crate) fn new(hook: &Option<Hook>) -> Arc<Tally> {
        Arc::new(Tally {
            hook: hook.clone(),
            ..Tally::default()
        })
    }

    /// A meter for one more part of the work.
    pub(crate) fn meter(self: &Arc<Self>) -> Meter {
        Meter {
            tally: self.clone(),
            own: Mutex::default(),
            base: Mutex::default(),
            way: Mutex::default(),
            scale: Mutex::default(),
        }
    }

    /// A hook for one more part of the work.
    pub(crate) fn part(self: &Arc<Self>) -> impl Fn(Progress) + Send + Sync + 'static {
        let meter = self.meter();
        move |at| meter.stands(at)
    }

    /// Adds a part that is done.
    pub(crate) fn add(&self, part: Progress) {
        self.replace(Progress::default(), part);
    }

    /// Tells all parts under way that nobody wants them any more.
    pub(crate) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    fn replace(&self, before: Progress, now: Progress) {
        if let Some(hook) = &self.hook {
            // The hook is called before others may add, so that it hears of more each time.
            let mut done = locked(&self.done);
            done.content_bytes = done.content_bytes + now.content_bytes - before.content_bytes;
            done.coded_bytes = done.coded_bytes + now.coded_bytes - before.coded_bytes;
            hook(*done);
        }
    }
}

/// What one part of the work has come to.
#[derive(Default)]
pub(crate) struct Meter {
    tally: Arc<Tally>,
    own: Mutex<Progress>,
    /// What came before the part at hand.
    base: Mutex<Progress>,
    /// Which of several ways of coding that part is tried, if it is one of several.
    way: Mutex<Option<Way>>,
    /// So many bytes of content are told of for how many that are reported.
    scale: Mutex<Option<(u64, u64)>>,
}

/// One of several ways in which the same content is coded, of which each has a share of its progress.
#[derive(Clone, Copy)]
struct Way {
    length: u64,
    /// In percent: where its share begins and ends.
    share: (u64, u64),
}

impl Meter {
    /// The meter of work that has one part.
    pub(crate) fn new(hook: &Option<Hook>) -> Meter {
        Tally::new(hook).meter()
    }

    /// Reports that so many bytes of this part are done.
    pub(crate) fn at(&self, content: usize, coded: usize) {
        let base = *locked(&self.base);
        let content = match *locked(&self.way) {
            None => content as u64,
            Some(Way { length, share }) => {
                (length * share.0 + content as u64 * (share.1 - share.0)) / 100
            }
        };
        self.stands(Progress {
            content_bytes: base.content_bytes + content,
            coded_bytes: base.coded_bytes + coded as u64,
        });
    }

    /// The same where so many bytes of content of `length` are done, and the coded bytes are what that is of `coded`.
    pub(crate) fn within(&self, content: usize, coded: usize, length: usize) {
        let part = coded as u64 * content as u64 / length.max(1) as u64;
        self.at(content, part as usize);
    }

    /// From now on what is reported is that of one way to code all of so many bytes, which counts as this part of it, in percent.
    pub(crate) fn way(&self, length: usize, share: (u64, u64)) {
        let length = length as u64;
        *locked(&self.way) = (share != (0, 100)).then_some(Way { length, share });
    }

    /// From now on so many bytes of content are told of for as many as `reported` are.
    pub(crate) fn scale(&self, content: usize, reported: usize) {
        *locked(&self.scale) = Some((content as u64, reported.max(1) as u64));
    }

    /// From now on what is reported comes after so many bytes.
    pub(crate) fn rebase(&self, content: usize, coded: usize) {
        *locked(&self.base) = Progress::new(content as u64, coded as u64);
    }

    /// The same.
    pub(crate) fn stands(&self, mut now: Progress) {
        if let Some((content, reported)) = *locked(&self.scale) {
            now.content_bytes = (now.content_bytes * content) / reported;
        }
        let mut own = locked(&self.own);
        self.tally.replace(*own, now);
        *own = now;
    }

    /// An error if nobody wants this part of the work any more.
    pub(crate) fn is_wanted(&self) -> Result<()> {
        match self.tally.given_up.load(Ordering::Relaxed) {
            true => Err(Error::setting(
                "this was given up when something else failed",
            )),
            false => Ok(()),
        }
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_under_way_at_once_are_summed() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let hook: Hook = Arc::new(move |at| log.lock().unwrap().push(at));
        let tally = Tally::new(&Some(hook));
        let (one, two) = (tally.meter(), tally.meter());
        one.at(10, 3);
        two.at(100, 7);
        one.at(20, 4);
        tally.add(Progress::new(0, 1000));
        two.at(90, 7);
        let sums = [(10, 3), (110, 10), (120, 11), (120, 1011), (110, 1011)];
        let sums = sums.map(|(content, coded)| Progress::new(content, coded));
        assert_eq!(*seen.lock().unwrap(), sums);
    }

    #[test]
    fn ways_share_the_progress() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let hook: Hook = Arc::new(move |at| log.lock().unwrap().push(at.content_bytes));
        let meter = Tally::new(&Some(hook)).meter();
        meter.way(200, (0, 80));
        meter.at(100, 0);
        meter.at(200, 0);
        meter.way(200, (80, 100));
        meter.at(0, 0);
        meter.at(100, 0);
        meter.way(200, (0, 100));
        meter.at(200, 0);
        assert_eq!(*seen.lock().unwrap(), [80, 160, 160, 180, 200]);
    }

    #[test]
    fn all_parts_hear_that_they_are_given_up() {
        let tally = Tally::new(&None);
        let meter = tally.meter();
        assert!(meter.is_wanted().is_ok());
        tally.give_up();
        assert!(meter.is_wanted().is_err());
        assert!(tally.meter().is_wanted().is_err());
    }
}
