//! Sessions on several threads that share every product with a matrix: each reads its part of the weights, for the rows of all.
//!
//! A step of few rows takes as long as it takes to read the weights. Two sessions that each have half of the streams would read all of
//! them twice; two of a team read them once. The price is two meetings for each product. What is computed is the same to the last
//! bit: a product's outputs do not depend on each other.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use std::time::{Duration, Instant};

use crate::kernels::{Activations, Kernel};
use crate::numerics::Quantised;
use crate::packed::PANEL;
use crate::{Error, Packed};

/// How often a member looks whether the others have come before it goes to sleep: some 250 µs, longer than a coder takes for its
/// part of a step's tokens.
const LOOKS: u32 = 10_000;

/// Calls after which it is tried again whether they are quicker alone, and those of each trial; a trial's second half is timed.
const CYCLE: u32 = 1024;
const TRIAL: u32 = 16;

/// What the members have in common. Locks are never waited for: the meetings say whose time it is to use what.
struct Team {
    seats: Vec<Seat>,
    meeting: Meeting,
    /// Whether the last trial says that each had better compute its own rows. The first member decides.
    alone: AtomicBool,
}

/// What a member has for the others.
#[derive(Default)]
struct Seat {
    rows: RwLock<Rows>,
    /// Of the rows of all members with its panels of the weights.
    products: RwLock<Vec<f32>>,
}

/// Quantised rows.
#[derive(Default)]
struct Rows {
    levels: Vec<i8>,
    rows: Vec<Quantised>,
}

impl Rows {
    fn clear(&mut self) {
        self.levels.clear();
        self.rows.clear();
    }

    fn extend(&mut self, levels: &[i8], rows: &[Quantised]) {
        self.levels.extend_from_slice(levels);
        self.rows.extend_from_slice(rows);
    }
}

/// A session's place in a team. The team is over when it is dropped.
pub(crate) struct Member {
    team: Arc<Team>,
    number: usize,
    /// The rows of all members.
    all: Rows,
    calls: u32,
    /// Whether each computes its own rows for now.
    alone: bool,
    since: Instant,
    alone_took: Duration,
}

/// The members of a new team.
pub(crate) fn members(count: usize) -> impl Iterator<Item = Member> {
    let team = Arc::new(Team {
        seats: (0..count).map(|_| Seat::default()).collect(),
        meeting: Meeting::new(count),
        alone: AtomicBool::new(false),
    });
    (0..count).map(move |number| Member {
        team: Arc::clone(&team),
        number,
        all: Rows::default(),
        calls: 0,
        alone: false,
        since: Instant::now(),
        alone_took: Duration::ZERO,
    })
}

impl Member {
    /// Ends the team.
    pub fn leave(&self) {
        self.team.meeting.end();
    }

    /// Begins a call, of which each member makes as many as the others. Where other work keeps the cores busy, members wait for each
    /// other far longer than they compute; so both ways are tried now and then, and the quicker one is taken. The results are
    /// the same.
    ///
    /// # Errors
    /// [`Error::Team`] if another member has left.
    pub fn begin(&mut self) -> Result<(), Error> {
        const TIMED: u32 = TRIAL / 2;
        const TOGETHER: u32 = TRIAL;
        const TOGETHER_TIMED: u32 = TRIAL + TIMED;
        const DECIDED: u32 = 2 * TRIAL;
        match self.calls % CYCLE {
            0 => self.alone = true,
            TIMED | TOGETHER_TIMED => self.since = Instant::now(),
            TOGETHER => {
                self.alone_took = self.since.elapsed();
                self.alone = false;
            }
            DECIDED => {
                if self.number == 0 {
                    let alone = self.alone_took < self.since.elapsed();
                    self.team.alone.store(alone, Ordering::Relaxed);
                }
                // Before the next decision all have been together again, so all see this one.
                self.team.meeting.attend()?;
                self.alone = self.team.alone.load(Ordering::Relaxed);
            }
            _ => {}
        }
        self.calls = self.calls.wrapping_add(1);
        Ok(())
    }

    /// The product of a member's own rows with a matrix, put into `out` or added to it, while the others do the same with theirs.
    ///
    /// # Errors
    /// [`Error::Team`] if another member has left.
    pub fn product(
        &mut self,
        kernel: &dyn Kernel,
        own: &Activations,
        weights: &Packed,
        out: &mut [f32],
        add: bool,
    ) -> Result<(), Error> {
        if self.alone {
            if !own.rows.is_empty() {
                kernel.linear(own, weights, 0..weights.panels(), out, add);
            }
            return Ok(());
        }
        let Member {
            team, number, all, ..
        } = self;
        let seat = &team.seats[*number];
        let mut rows = write(&seat.rows);
        rows.clear();
        rows.extend(own.levels, own.rows);
        drop(rows);
        team.meeting.attend()?;

        all.clear();
        let mut before = 0;
        for (n, seat) in team.seats.iter().enumerate() {
            if n == *number {
                before = all.rows.len();
            }
            let rows = read(&seat.rows);
            all.extend(&rows.levels, &rows.rows);
        }
        let panels = team.panels(weights, *number);
        let mut products = write(&seat.products);
        products.resize(all.rows.len() * panels.len() * PANEL, 0.0);
        let x = Activations {
            levels: &all.levels,
            rows: &all.rows,
            length: own.length,
        };
        if !x.rows.is_empty() {
            kernel.linear(&x, weights, panels, &mut products, false);
        }
        drop(products);
        team.meeting.attend()?;

        for (n, seat) in team.seats.iter().enumerate() {
            let panels = team.panels(weights, n);
            let columns = panels.start * PANEL..panels.end * PANEL;
            if columns.is_empty() {
                continue;
            }
            let products = read(&seat.products);
            let products = products.chunks_exact(columns.len()).skip(before);
            for (out, products) in out.chunks_exact_mut(weights.padded_outputs()).zip(products) {
                let out = &mut out[columns.clone()];
                if add {
                    (out.iter_mut().zip(products)).for_each(|(out, product)| *out += product);
                } else {
                    out.copy_from_slice(products);
                }
            }
        }
        Ok(())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Team {
    /// The part of a matrix that a member computes with.
    fn panels(&self, weights: &Packed, number: usize) -> Range<usize> {
        let start = |n| weights.panels() * n / self.seats.len();
        start(number)..start(number + 1)
    }
}

/// Where members wait for each other.
pub(crate) struct Meeting {
    members: usize,
    arrived: AtomicUsize,
    /// How often all have been there.
    rounds: AtomicUsize,
    over: AtomicBool,
    /// How many are asleep; held while `rounds` or `over` changes, so that nobody falls asleep meanwhile.
    asleep: Mutex<usize>,
    changed: Condvar,
}

impl Meeting {
    pub fn new(members: usize) -> Meeting {
        Meeting {
            members,
            arrived: AtomicUsize::new(0),
            rounds: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            asleep: Mutex::new(0),
            changed: Condvar::new(),
        }
    }

    /// Returns when all members have called it as often as this one; then it has been a success, even if one of them has left since.
    pub fn attend(&self) -> Result<(), Error> {
        if self.over.load(Ordering::Acquire) {
            return Err(Error::Team);
        }
        let round = self.rounds.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.members {
            self.arrived.store(0, Ordering::Relaxed);
            self.announce(|| self.rounds.store(round.wrapping_add(1), Ordering::Release));
            return Ok(());
        }
        let all_there = || self.rounds.load(Ordering::Acquire) != round;
        let done = || all_there() || self.over.load(Ordering::Acquire);
        let mut looks = 0..LOOKS;
        while !done() && looks.next().is_some() {
            std::hint::spin_loop();
        }
        if !done() {
            let mut asleep = self.asleep();
            while !done() {
                *asleep += 1;
                asleep = (self.changed.wait(asleep)).unwrap_or_else(PoisonError::into_inner);
                *asleep -= 1;
            }
        }
        if all_there() {
            Ok(())
        } else {
            Err(Error::Team)
        }
    }

    fn announce(&self, change: impl FnOnce()) {
        let asleep = self.asleep();
        change();
        if *asleep > 0 {
            self.changed.notify_all();
        }
    }

    /// No meeting takes place any more; who waits for one, waits no longer.
    pub fn end(&self) {
        self.announce(|| self.over.store(true, Ordering::Release));
    }

    fn asleep(&self) -> MutexGuard<'_, usize> {
        self.asleep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Matrix, kernels};

    const INPUTS: usize = 8;
    const OUTPUTS: usize = 40;

    #[test]
    fn members_compute_what_one_does() {
        let kernel = kernels::named("portable").unwrap();
        let matrix = Matrix {
            weight: (0..OUTPUTS * INPUTS)
                .map(|n| ((n * 37 % 127) as i32 - 63) as i8)
                .collect(),
            scale: (0..OUTPUTS).map(|n| 0.01 + n as f32 / 64.0).collect(),
        };
        let weights = Packed::new(&matrix);
        // A member without rows, one with one, one with two.
        let rows: Vec<Rows> = (0..3usize).map(rows_of).collect();
        let own = |rows: &Rows, compute: &mut dyn FnMut(&Activations, &mut [f32])| {
            let mut out = vec![1.5; rows.rows.len() * weights.padded_outputs()];
            let x = Activations {
                levels: &rows.levels,
                rows: &rows.rows,
                length: INPUTS,
            };
            compute(&x, &mut out);
            out
        };
        for add in [false, true] {
            let together: Vec<Vec<f32>> = std::thread::scope(|scope| {
                let threads: Vec<_> = (members(rows.len()).zip(&rows))
                    .map(|(mut member, rows)| {
                        let weights = &weights;
                        scope.spawn(move || {
                            // Twice, so that the second product follows on the heels of the first.
                            own(rows, &mut |x, out| {
                                let before = out.to_vec();
                                member.product(kernel, x, weights, out, add).unwrap();
                                out.copy_from_slice(&before);
                                member.product(kernel, x, weights, out, add).unwrap();
                            })
                        })
                    })
                    .collect();
                (threads.into_iter())
                    .map(|thread| thread.join().unwrap())
                    .collect()
            });
            for (rows, together) in rows.iter().zip(together) {
                let alone = own(rows, &mut |x, out| {
                    kernel.linear(x, &weights, 0..weights.panels(), out, add);
                });
                assert_eq!(together, alone, "add: {add}");
            }
        }
    }

    fn rows_of(count: usize) -> Rows {
        let levels: Vec<i8> = (0..count * INPUTS)
            .map(|n| ((n * 91 % 255) as i32 - 127) as i8)
            .collect();
        let quantised = |levels: &[i8]| Quantised {
            scale: 0.02 + f32::from(levels[0].unsigned_abs()) / 100.0,
            sum: levels.iter().map(|&level| i32::from(level)).sum(),
        };
        Rows {
            rows: levels.chunks_exact(INPUTS).map(quantised).collect(),
            levels,
        }
    }
}
