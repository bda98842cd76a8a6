//! Jobs that do not depend on each other, on several threads.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
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
        let threads: Vec<_> = (0..threads.min(jobs)).map(|_| scope.spawn(some)).collect();
        threads.into_iter().map(joined).collect()
    });
    let mut results = Vec::with_capacity(jobs);
    for part in parts {
        results.extend(part?);
    }
    results.sort_unstable_by_key(|&(n, _)| n);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// Jobs under way, each in a thread of its own, while others are still being found. Results are taken in the order of the jobs.
pub(crate) struct Line<'scope, 'env, T> {
    scope: &'scope Scope<'scope, 'env>,
    threads: usize,
    /// The most memory that all of them should take, and what each takes, in bytes.
    room: u64,
    under_way: VecDeque<(u64, ScopedJoinHandle<'scope, T>)>,
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
    pub(crate) fn send(&mut self, memory: u64, job: impl FnOnce() -> T + Send + 'scope) {
        self.under_way.push_back((memory, self.scope.spawn(job)));
    }

    /// The result of the first, when it is there; `None` if nothing is under way.
    pub(crate) fn take(&mut self) -> Option<T> {
        let (_, first) = self.under_way.pop_front()?;
        Some(joined(first))
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
