//! Sessions on several threads that split the rows of every call between them: each computes its part of the tokens of the same
//! streams, from one end of the model to the other.
//!
//! A token's row needs nothing of the others but their keys and values, so these are what is exchanged, once in each layer. That suits
//! the successive tokens of few streams, which are many rows; where rows are few, the products are shared instead (`team`).

use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use crate::Error;
use crate::team::Meeting;

/// What the members have in common. Locks are never waited for: the meetings say whose time it is to use what.
struct Split {
    meeting: Meeting,
    /// Keys and values of each member's rows, in turn in the one and the other: while some still read those of a layer, others write
    /// those of the next.
    seats: Vec<[RwLock<Vec<f32>>; 2]>,
}

/// A session's place among those that split the rows. When it is dropped, the others cannot go on.
pub(crate) struct Member {
    split: Arc<Split>,
    number: usize,
    turn: usize,
    /// One row.
    row: Vec<f32>,
}

pub(crate) fn members(count: usize) -> impl Iterator<Item = Member> {
    let split = Arc::new(Split {
        meeting: Meeting::new(count),
        seats: (0..count).map(|_| Default::default()).collect(),
    });
    (0..count).map(move |number| Member {
        split: Arc::clone(&split),
        number,
        turn: 0,
        row: Vec::new(),
    })
}

impl Member {
    /// Which of so many rows are this member's.
    pub fn part(&self, rows: usize) -> Range<usize> {
        self.split.part(self.number, rows)
    }

    /// Gives keys and values of this member's part of `rows` rows to the others, and calls `keep` with those of all rows.
    ///
    /// # Errors
    /// [`Error::Team`] if another member has left.
    pub fn exchange<'a>(
        &mut self,
        rows: usize,
        own: impl Iterator<Item = &'a [f32]>,
        mut keep: impl FnMut(usize, &mut [f32]),
    ) -> Result<(), Error> {
        let Member {
            split,
            number,
            turn,
            row,
        } = self;
        *turn = 1 - *turn;
        let mut seat =
            (split.seats[*number][*turn].write()).unwrap_or_else(PoisonError::into_inner);
        seat.clear();
        own.for_each(|row| seat.extend_from_slice(row));
        drop(seat);
        split.meeting.attend()?;
        for (n, seat) in split.seats.iter().enumerate() {
            let part = split.part(n, rows);
            let seat = seat[*turn].read().unwrap_or_else(PoisonError::into_inner);
            // Without rows there is nothing in it.
            let width = seat.len().checked_div(part.len()).unwrap_or(0).max(1);
            for (at, from) in part.zip(seat.chunks_exact(width)) {
                row.clear();
                row.extend_from_slice(from);
                keep(at, row);
            }
        }
        Ok(())
    }

    /// Tells the others that they cannot go on.
    pub fn leave(&self) {
        self.split.meeting.end();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Split {
    fn part(&self, number: usize, rows: usize) -> Range<usize> {
        let start = |n| rows * n / self.seats.len();
        start(number)..start(number + 1)
    }
}
