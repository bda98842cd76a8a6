//! Where sessions on several threads wait for each other, and what they hand over.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use crate::Error;

/// How often a member looks whether the others have come before it goes to sleep: some 250 µs, longer than a coder takes for its
/// part of a step's tokens.
const LOOKS: u32 = 10_000;

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

/// Numbers that members give to each other, a meeting for each exchange.
struct Table {
    meeting: Meeting,
    /// What each gives, in turn in the one and the other: while some still read the last one, others write the next. Locks are
    /// never waited for: the meetings say whose time it is to use what.
    seats: Vec<[RwLock<Vec<f32>>; 2]>,
}

/// A member's place at the table. When it is dropped, the others cannot go on.
pub(crate) struct Place {
    table: Arc<Table>,
    number: usize,
    turn: usize,
}

/// Places for so many members.
pub(crate) fn places(count: usize) -> impl Iterator<Item = Place> {
    let table = Arc::new(Table {
        meeting: Meeting::new(count),
        seats: (0..count).map(|_| Default::default()).collect(),
    });
    (0..count).map(move |number| Place {
        table: Arc::clone(&table),
        number,
        turn: 0,
    })
}

impl Place {
    pub fn number(&self) -> usize {
        self.number
    }

    pub fn members(&self) -> usize {
        self.table.seats.len()
    }

    /// A member's part of so many things.
    pub fn part(&self, number: usize, things: usize) -> Range<usize> {
        let start = |n| things * n / self.members();
        start(number)..start(number + 1)
    }

    /// Returns when all members have called it as often as this one.
    ///
    /// # Errors
    /// [`Error::Team`] if another member has left.
    pub fn meet(&self) -> Result<(), Error> {
        self.table.meeting.attend()
    }

    /// Lays what `fill` writes before the others, and returns when all have done so.
    ///
    /// # Errors
    /// [`Error::Team`] if another member has left.
    pub fn give(&mut self, fill: impl FnOnce(&mut Vec<f32>)) -> Result<(), Error> {
        self.turn = 1 - self.turn;
        let seat = &self.table.seats[self.number][self.turn];
        let mut seat = seat.write().unwrap_or_else(PoisonError::into_inner);
        fill(&mut seat);
        drop(seat);
        self.meet()
    }

    /// What a member gave at the last exchange.
    pub fn given(&self, number: usize) -> RwLockReadGuard<'_, Vec<f32>> {
        let seat = &self.table.seats[number][self.turn];
        seat.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the others that they cannot go on.
    pub fn leave(&self) {
        self.table.meeting.end();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}
