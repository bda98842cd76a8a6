//! Sessions on several threads that split the rows of every call between them: each computes its part of the tokens of the same
//! streams, from one end of the model to the other.
//!
//! A token's row needs nothing of the others but their keys and values, so these are what is exchanged, once in each layer. That suits
//! the successive tokens of few streams, which are many rows; where rows are few, the matrices are shared instead (`team`).

use std::ops::Range;

use crate::Error;
use crate::meeting::{Place, places};

/// A session's place among those that split the rows. When it is dropped, the others cannot go on.
pub(crate) struct Member {
    place: Place,
    /// One row.
    row: Vec<f32>,
}

pub(crate) fn members(count: usize) -> impl Iterator<Item = Member> {
    places(count).map(|place| Member {
        place,
        row: Vec::new(),
    })
}

impl Member {
    /// Which of so many rows are this member's.
    pub fn part(&self, rows: usize) -> Range<usize> {
        self.place.part(self.place.number(), rows)
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
        let Member { place, row } = self;
        place.give(|seat| {
            seat.clear();
            own.for_each(|row| seat.extend_from_slice(row));
        })?;
        for n in 0..place.members() {
            let part = place.part(n, rows);
            let seat = place.given(n);
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
        self.place.leave();
    }
}
