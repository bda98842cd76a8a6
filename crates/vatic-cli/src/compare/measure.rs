//! Size, speed and proof for one program on one input.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::peers::{Codec, Program};
use super::report::{Measured, Outcome};

/// Short work is repeated until this much time has gone by, and its fastest run counts: a single run of a few
/// microseconds would measure the caches.
const LONG_ENOUGH: Duration = Duration::from_millis(100);
const MOST_RUNS: usize = 100;

/// Compresses and restores `data`, with the best of the program's variants.
pub fn measure(program: &Program, data: &[u8]) -> Measured {
    let mut best: Option<(String, Outcome)> = None;
    let mut error = None;
    for (settings, codec) in &program.variants {
        match try_out(codec.as_ref(), data) {
            Ok(outcome)
                if best
                    .as_ref()
                    .is_none_or(|(_, other)| outcome.bytes < other.bytes) =>
            {
                best = Some((settings.clone(), outcome));
            }
            Ok(_) => {}
            Err(failure) => error = Some(format!("{failure:#}")),
        }
    }
    let (settings, outcome) = match best {
        Some((settings, outcome)) if error.is_none() => (settings, Some(outcome)),
        _ => (program.settings.clone(), None),
    };
    Measured::new(program, settings, data.len() as u64, outcome, error)
}

fn try_out(codec: &dyn Codec, data: &[u8]) -> Result<Outcome> {
    let (packed, compress_time) = timed(|| codec.compress(data))?;
    let (restored, decompress_time) = timed(|| codec.decompress(&packed, data.len()))?;
    if restored != data {
        bail!("what came back is not what went in");
    }
    Ok(Outcome {
        bytes: packed.len() as u64,
        compress_time,
        decompress_time,
    })
}

fn timed<T>(work: impl Fn() -> Result<T>) -> Result<(T, Duration)> {
    let begin = Instant::now();
    let mut fastest = Duration::MAX;
    for _ in 0..MOST_RUNS {
        let started = Instant::now();
        let result = work()?;
        fastest = fastest.min(started.elapsed());
        if begin.elapsed() >= LONG_ENOUGH {
            return Ok((result, fastest));
        }
    }
    Ok((work()?, fastest))
}
