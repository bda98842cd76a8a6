//! Sessions on several threads that compute the same rows together: each its part of the heads, of the hidden units and of every
//! matrix, so that each weight is read by one of them only.
//!
//! A step of few rows takes as long as it takes to read the weights, and two cores read twice as much as one. What is small (norms, the
//! residual stream) each computes for itself; four times a layer they hand over what the next product needs whole. What is computed
//! is the same to the last bit: outputs of a product do not depend on each other, nor do heads. (Shoeybi et al., Megatron-LM, 2019, share
//! the work of a transformer in the same way, with sums in place of two of the four exchanges; sums of `f32` have an order to keep.)

use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use web_time::Instant;

use crate::kernels::{Activations, Kernel};
use crate::meeting::{self, Place};
use crate::packed::PANEL;
use crate::{Error, Packed};

/// Calls after which it is tried again whether the first member is quicker alone, and those of each trial; a trial's second half is timed.
const CYCLE: u32 = 1024;
const TRIAL: u32 = 16;

/// A row of a call: its stream, its position there and its token.
pub(crate) type Fed = (usize, u64, u16);

/// A session's place in a team, the first of which takes the rows. The team is over when one is dropped.
pub(crate) struct Member {
    place: Place,
    /// The rows of the call that all compute.
    call: Arc<RwLock<Vec<Fed>>>,
    together: bool,
    trials: Trials,
}

/// Where other work keeps the cores busy, members wait for each other far longer than they compute; so both ways are tried now and then,
/// and the quicker one is taken. The results are the same.
struct Trials {
    calls: u32,
    alone: bool,
    since: Instant,
    alone_took: Duration,
}

/// The members of a new team.
pub(crate) fn members(count: usize) -> impl Iterator<Item = Member> {
    let call = Arc::new(RwLock::default());
    meeting::places(count).map(move |place| Member {
        place,
        call: Arc::clone(&call),
        together: false,
        trials: Trials {
            calls: 0,
            alone: true,
            since: Instant::now(),
            alone_took: Duration::ZERO,
        },
    })
}

impl Member {
    /// Whether it is the one that takes the rows and has the results.
    pub fn leads(&self) -> bool {
        self.place.number() == 0
    }

    /// Ends the team.
    pub fn leave(&self) {
        self.place.leave();
    }

    /// Whether the others compute the call that has been begun too.
    pub fn together(&self) -> bool {
        self.together
    }

    /// Begins the first member's call, and tells the others of its rows if they are to compute it too.
    ///
    /// # Errors
    /// [`Error::Team`] if another member has left.
    pub fn lead(&mut self, rows: &[Fed]) -> Result<(), Error> {
        self.together = !rows.is_empty() && !self.trials.alone();
        if self.together {
            let mut call = (self.call.write()).unwrap_or_else(PoisonError::into_inner);
            call.clear();
            call.extend_from_slice(rows);
            drop(call);
            self.place.meet()?;
        }
        Ok(())
    }

    /// Begins another member's call: waits until the first one has rows to share, and takes them.
    ///
    /// # Errors
    /// [`Error::Team`] if another member has left.
    pub fn follow(&mut self, rows: &mut Vec<Fed>) -> Result<(), Error> {
        self.together = true;
        self.place.meet()?;
        rows.clone_from(&self.call.read().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    /// This member's part of the heads, each with all of its queries.
    pub fn heads(&self, heads: usize) -> Range<usize> {
        self.place.part(self.place.number(), heads)
    }

    /// The product of all rows with this member's part of a matrix, exchanged for those of the others: put into `out` or added to it.
    ///
    /// # Errors
    /// [`Error::Team`] if another member has left.
    pub fn product(
        &mut self,
        kernel: &dyn Kernel,
        x: &Activations,
        weights: &Packed,
        out: &mut [f32],
        add: bool,
    ) -> Result<(), Error> {
        let part = self.place.part(self.place.number(), weights.panels());
        self.give(|seat| {
            let length = x.rows.len() * part.len() * PANEL;
            if seat.len() < length {
                seat.resize(length, 0.0);
            }
            kernel.linear(x, weights, part, &mut seat[..length], false);
        })?;
        self.take(weights.panels(), PANEL, out, add);
        Ok(())
    }

    /// Gives this member's part of the columns of each row, written by `fill` row after row.
    ///
    /// # Errors
    /// [`Error::Team`] if another member has left.
    pub fn give(&mut self, fill: impl FnOnce(&mut Vec<f32>)) -> Result<(), Error> {
        self.place.give(fill)
    }

    /// Puts what all have given into `rows`, or adds it to them. A row has `parts` parts of `width` columns each, divided among the members as
    /// [`Member::heads`] says.
    pub fn take(&self, parts: usize, width: usize, rows: &mut [f32], add: bool) {
        for n in 0..self.place.members() {
            let part = self.place.part(n, parts);
            let columns = part.start * width..part.end * width;
            if columns.is_empty() {
                continue;
            }
            let given = self.place.given(n);
            let given = given.chunks_exact(columns.len());
            for (row, given) in rows.chunks_exact_mut(parts * width).zip(given) {
                let row = &mut row[columns.clone()];
                if add {
                    (row.iter_mut().zip(given)).for_each(|(to, product)| *to += product);
                } else {
                    row.copy_from_slice(given);
                }
            }
        }
    }
}

impl Trials {
    /// Whether the next call is the first member's alone.
    fn alone(&mut self) -> bool {
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
            DECIDED => self.alone = self.alone_took < self.since.elapsed(),
            _ => {}
        }
        self.calls = self.calls.wrapping_add(1);
        self.alone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::Quantised;
    use crate::{Matrix, kernels};

    const INPUTS: usize = 8;
    const OUTPUTS: usize = 40;

    #[test]
    #[cfg_attr(target_family = "wasm", ignore = "has no threads")]
    fn members_compute_what_one_does() {
        let kernel = kernels::named("portable").unwrap();
        let matrix = Matrix {
            weight: (0..OUTPUTS * INPUTS)
                .map(|n| ((n * 37 % 127) as i32 - 63) as i8)
                .collect(),
            scale: (0..OUTPUTS).map(|n| 0.01 + n as f32 / 64.0).collect(),
        };
        let weights = Packed::new(&matrix);
        let levels: Vec<i8> = (0..2 * INPUTS)
            .map(|n| ((n * 91 % 255) as i32 - 127) as i8)
            .collect();
        let quantised = |levels: &[i8]| Quantised {
            scale: 0.02 + f32::from(levels[0].unsigned_abs()) / 100.0,
            sum: levels.iter().map(|&level| i32::from(level)).sum(),
        };
        let rows: Vec<Quantised> = levels.chunks_exact(INPUTS).map(quantised).collect();
        let x = &Activations {
            levels: &levels,
            rows: &rows,
            length: INPUTS,
        };
        let out = |compute: &mut dyn FnMut(&mut [f32])| {
            let mut out = vec![1.5; rows.len() * weights.padded_outputs()];
            compute(&mut out);
            out
        };
        for add in [false, true] {
            let alone = out(&mut |out| kernel.linear(x, &weights, 0..weights.panels(), out, add));
            // More members than there are panels, too: some have no part.
            for count in [2, 3, 5] {
                let together: Vec<Vec<f32>> = std::thread::scope(|scope| {
                    let compute = |mut member: Member| {
                        out(&mut |out| {
                            // Thrice, so that the next product follows on the heels of the last.
                            for _ in 0..2 {
                                let mut unused = out.to_vec();
                                member
                                    .product(kernel, x, &weights, &mut unused, add)
                                    .unwrap();
                            }
                            member.product(kernel, x, &weights, out, add).unwrap();
                        })
                    };
                    let threads: Vec<_> = (members(count))
                        .map(|member| scope.spawn(move || compute(member)))
                        .collect();
                    (threads.into_iter())
                        .map(|thread| thread.join().unwrap())
                        .collect()
                });
                assert!(
                    together.iter().all(|out| *out == alone),
                    "{count}, add: {add}"
                );
            }
        }
    }
}
