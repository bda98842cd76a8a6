//! Bits per byte through the integer runtime: what a compressed file would pay for the transformer alone.

use std::{num::NonZero, sync::Arc, thread};

use vatic_transformer::{Leaves, Model, Session};

use crate::{Error, Rows};

/// Tokens fed in one call.
const BLOCK: usize = 64;

/// Bits per byte of `rows` under the runtime, on all cores.
///
/// # Errors
///
/// [`Error::Runtime`] when it refuses the tokens, or `VATIC_KERNEL` names no kernel.
pub fn runtime_bits_per_byte(model: &Arc<Model>, rows: &Rows) -> Result<f64, Error> {
    let rows_of: Vec<&[u16]> = rows.iter().collect();
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = rows_of.len().div_ceil(threads).max(1);
    let sums: Result<Vec<f64>, Error> = thread::scope(|scope| {
        let workers: Vec<_> = rows_of
            .chunks(share)
            .map(|part| scope.spawn(move || bits(model, part)))
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    Ok(sums?.into_iter().sum::<f64>() / rows.bytes as f64)
}

/// The bits of all tokens of `rows` but the first of each.
fn bits(model: &Arc<Model>, rows: &[&[u16]]) -> Result<f64, Error> {
    let refused = |e: vatic_transformer::Error| Error::Runtime(e.to_string());
    let mut session = Session::new(model, 1, BLOCK).map_err(refused)?;
    let mut leaves = Leaves::new(model).map_err(refused)?;
    let mut sum = 0.0;
    for row in rows {
        session.reset(0);
        let (tokens, targets) = (&row[..row.len() - 1], &row[1..]);
        for (tokens, targets) in tokens.chunks(BLOCK).zip(targets.chunks(BLOCK)) {
            session.prefill(0, tokens).map_err(refused)?;
            let predictions = session.predictions();
            for (i, target) in targets.iter().enumerate() {
                sum += leaves.bits(predictions, i, *target);
            }
        }
    }
    Ok(sum)
}
