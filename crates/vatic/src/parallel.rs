//! Jobs that do not depend on each other, on several threads.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

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
        let joined = |thread: thread::ScopedJoinHandle<_>| {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        threads.into_iter().map(joined).collect()
    });
    let mut results = Vec::with_capacity(jobs);
    for part in parts {
        results.extend(part?);
    }
    results.sort_unstable_by_key(|&(n, _)| n);
    Ok(results.into_iter().map(|(_, result)| result).collect())
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
}
