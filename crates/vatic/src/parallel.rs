//! Jobs that do not depend on each other, on several threads. Where the system has no more threads to give (the number of a user's, or of a
//! container's, may be limited), what they would have done is done by those there are.

use std::collections::VecDeque;
use std::io;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, Scope, ScopedJoinHandle};

use crate::error::Result;

/// The results of `work` for 0, 1, 2… below `jobs`, done by up to `threads` threads. If some fail, the error is one of theirs.
pub(crate) fn on_threads<T: Send>(
    threads: usize,
    jobs: usize,
    work: impl Fn(usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    if threads.min(jobs) < 2 {
        return (0..jobs).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let some = || -> Result<Vec<(usize, T)>> {
        std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed))
            .take_while(|&n| n < jobs)
            .map(|n| Ok((n, work(n)?)))
            .collect()
    };
    let parts: Vec<Result<Vec<(usize, T)>>> = thread::scope(|scope| {
        // This thread works as well, so all is done whether there are others or not.
        let others: Vec<_> = (1..threads.min(jobs))
            .map_while(|_| spawn(scope, some).ok())
            .collect();
        let own = some();
        others.into_iter().map(joined).chain([own]).collect()
    });
    let mut results = Vec::with_capacity(jobs);
    for part in parts {
        results.extend(part?);
    }
    results.sort_unstable_by_key(|&(n, _)| n);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

/// Starts a thread, if there is one to be had.
fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    #[cfg(test)]
    limit::take_one()?;
    thread::Builder::new().spawn_scoped(scope, work)
}

/// What a thread returned; its panic goes on here.
pub(crate) fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// A thread that waits for what it is to work on, which can be done elsewhere if there is no thread. It ends when this is dropped.
pub(crate) struct Waiting<'scope, W, T> {
    hand: SyncSender<W>,
    thread: ScopedJoinHandle<'scope, Option<T>>,
}

impl<'scope, W: Send + 'scope, T: Send + 'scope> Waiting<'scope, W, T> {
    fn start(
        scope: &'scope Scope<'scope, '_>,
        work: impl FnOnce(W) -> T + Send + 'scope,
    ) -> io::Result<Waiting<'scope, W, T>> {
        let (hand, handed) = sync_channel(1);
        let thread = spawn(scope, move || handed.recv().ok().map(work))?;
        Ok(Waiting { hand, thread })
    }

    /// So many of them; if there are not as many to be had, the error says how many there are.
    pub(crate) fn several(
        scope: &'scope Scope<'scope, '_>,
        count: usize,
        work: impl FnOnce(W) -> T + Copy + Send + 'scope,
    ) -> Result<Vec<Waiting<'scope, W, T>>, usize> {
        let all: Vec<_> = (0..count)
            .map_while(|_| Waiting::start(scope, work).ok())
            .collect();
        match all.len() == count {
            true => Ok(all),
            false => Err(all.len()),
        }
    }

    /// Gives it what it works on. It returns something for that.
    pub(crate) fn begin(self, on: W) -> ScopedJoinHandle<'scope, Option<T>> {
        // It waits for nothing else.
        let _ = self.hand.send(on);
        self.thread
    }
}

/// Jobs under way, each in a thread of its own, while others are still being found. Results are taken in the order of the jobs. A job for which
/// there is no thread is done when it comes.
pub(crate) struct Line<'scope, 'env, T> {
    scope: &'scope Scope<'scope, 'env>,
    threads: usize,
    /// The most memory that all of them should take, and what each takes, in bytes.
    room: u64,
    under_way: VecDeque<(u64, Job<'scope, T>)>,
}

enum Job<'scope, T> {
    UnderWay(ScopedJoinHandle<'scope, Option<T>>),
    Done(T),
}

impl<'scope, 'env, T: Send + 'scope> Line<'scope, 'env, T> {
    pub(crate) fn new(
        scope: &'scope Scope<'scope, 'env>,
        threads: usize,
        room: u64,
    ) -> Line<'scope, 'env, T> {
        Line {
            scope,
            threads,
            room,
            under_way: VecDeque::new(),
        }
    }

    /// Whether there is a thread and memory for one more; always if nothing is under way.
    pub(crate) fn has_room(&self, memory: u64) -> bool {
        let taken: u64 = self.under_way.iter().map(|(memory, _)| memory).sum();
        self.under_way.is_empty()
            || self.under_way.len() < self.threads && taken.saturating_add(memory) <= self.room
    }

    /// How many are under way.
    pub(crate) fn len(&self) -> usize {
        self.under_way.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Starts one more.
    pub(crate) fn send<J: FnOnce() -> T + Send + 'scope>(&mut self, memory: u64, job: J) {
        let job = match Waiting::start(self.scope, |job: J| job()) {
            Ok(thread) => Job::UnderWay(thread.begin(job)),
            Err(_) => Job::Done(job()),
        };
        self.under_way.push_back((memory, job));
    }

    /// The result of the first, when it is there; `None` if nothing is under way.
    pub(crate) fn take(&mut self) -> Option<T> {
        match self.under_way.pop_front()?.1 {
            Job::UnderWay(thread) => joined(thread),
            Job::Done(result) => Some(result),
        }
    }
}

/// A limit of threads, as systems have them: how many more a test's thread may start.
#[cfg(test)]
pub(crate) mod limit {
    use std::cell::Cell;
    use std::io;

    thread_local! {
        static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
    }

    /// Does something that may start no more than so many threads.
    pub(crate) fn of<T>(threads: usize, work: impl FnOnce() -> T) -> T {
        let before = LEFT.replace(threads);
        let result = work();
        LEFT.set(before);
        result
    }

    pub(super) fn take_one() -> io::Result<()> {
        match LEFT.get() {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            left => {
                LEFT.set(left - 1);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn results_stand_in_the_order_of_the_jobs() {
        for threads in [0, 1, 2, 3, 20] {
            for jobs in [0, 1, 2, 7] {
                let results = on_threads(threads, jobs, |n| Ok(n * n)).unwrap();
                assert!(results.into_iter().eq((0..jobs).map(|n| n * n)));
                let failed = on_threads(threads, jobs, |n| match n {
                    1 => Err(Error::corrupt("this one")),
                    n => Ok(n),
                });
                assert_eq!(failed.is_err(), jobs > 1);
            }
        }
    }

    #[test]
    fn what_has_no_thread_is_done_all_the_same() {
        for threads in 0..3 {
            limit::of(threads, || {
                let squares = on_threads(4, 9, |n| Ok(n * n)).unwrap();
                assert!(squares.into_iter().eq((0..9).map(|n| n * n)));
            });
            limit::of(threads, || {
                thread::scope(|scope| {
                    let mut line = Line::new(scope, 4, 100);
                    (0..4).for_each(|n| line.send(1, move || n));
                    assert_eq!(line.len(), 4);
                    let results: Vec<i32> = std::iter::from_fn(|| line.take()).collect();
                    assert_eq!(results, [0, 1, 2, 3]);
                });
            });
            limit::of(threads, || {
                thread::scope(|scope| {
                    let few = Waiting::several(scope, 3, |n: usize| n).err();
                    assert_eq!(few, Some(threads));
                });
            });
        }
    }

    #[test]
    fn a_line_keeps_the_order_and_its_room() {
        let gate = std::sync::Barrier::new(2);
        thread::scope(|scope| {
            let mut line = Line::new(scope, 2, 100);
            assert!(line.take().is_none());
            assert!(line.has_room(1000), "or it would never be done");
            // The first cannot end before the second has begun.
            line.send(40, || {
                gate.wait();
                1
            });
            assert!(line.has_room(60) && !line.has_room(61) && !line.has_room(u64::MAX));
            line.send(60, || {
                gate.wait();
                2
            });
            assert!(!line.has_room(0), "both threads are busy");
            assert_eq!(
                (line.take(), line.take(), line.take()),
                (Some(1), Some(2), None)
            );
        });
    }
}
