//! Many inputs at once.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use crate::codec::flight::{self, Decoded};
use crate::codec::{self, Decoder};
use crate::error::{Error, Result};
use crate::member::{Found, FrameDecoder, Scanner};
use crate::options::{DecodeOptions, Hook, Meter, Options, Progress};
use crate::parallel::on_threads;
use crate::stats::Stats;
use crate::{bufread, copy};

/// Content of up to so many bytes is coded beside others; more than that keeps all threads busy by itself.
const SMALL: usize = 1 << 17;

/// Compresses each of some inputs: the same bytes as [`compress`](crate::compress) gives, and what was done. Small ones (up to 128 KiB) are
/// compressed side by side, each by one thread.
///
/// ```
/// let notes = ["Tea at four.", "Bring the maps."];
/// let packed = vatic::compress_many(&notes, &vatic::Options::new());
/// for (note, packed) in notes.iter().zip(packed) {
///     assert_eq!(packed?.0, vatic::compress(note.as_bytes(), &vatic::Options::new())?);
/// }
/// # Ok::<(), vatic::Error>(())
/// ```
///
/// # Errors
/// Each result is what [`compress`](crate::compress) would have returned.
pub fn compress_many<T: AsRef<[u8]> + Sync>(
    inputs: &[T],
    options: &Options,
) -> Vec<Result<(Vec<u8>, Stats)>> {
    let threads = codec::threads(options.threads);
    let sum = Sum::new(&options.progress);
    let mut results = empty(inputs.len());
    let is_small = |&n: &usize| inputs[n].as_ref().len() <= SMALL;
    let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..inputs.len()).partition(is_small);
    if small.len() < threads.max(2) {
        large.append(&mut small);
    }
    let mut alone = options.clone().threads(1);
    alone.progress = None;
    let compressed = on_threads(threads, small.len(), |n| {
        let content = inputs[small[n]].as_ref();
        let result = copy::compress_with_stats(content, &alone);
        let coded = result.as_ref().map_or(0, |(packed, _)| packed.len());
        sum.add(content.len() as u64, coded as u64);
        Ok(result)
    });
    for (n, result) in small.into_iter().zip(compressed.into_iter().flatten()) {
        results[n] = result;
    }
    for n in large {
        let mut options = options.clone();
        options.progress = sum.hook();
        results[n] = copy::compress_with_stats(inputs[n].as_ref(), &options);
        if let Ok((_, stats)) = &results[n] {
            sum.add(stats.content_bytes, stats.coded_bytes);
        }
    }
    results
}

/// Decompresses each of some inputs: the content as [`decompress_with`](crate::decompress_with) gives it, and what was done. The
/// transformer predicts for many small ones (up to 128 KiB of content) in one step, which makes them several times as fast as one after the other.
///
/// ```
/// let packed = vatic::compress(b"some text", &vatic::Options::new())?;
/// let results = vatic::decompress_many(&[&packed[..], b"no vatic data", &packed[..7]], &vatic::DecodeOptions::new());
/// assert_eq!(results[0].as_ref().unwrap().0, b"some text");
/// assert!(matches!(results[1], Err(vatic::Error::NotVatic)));
/// assert!(matches!(results[2], Err(vatic::Error::Truncated)));
/// # Ok::<(), vatic::Error>(())
/// ```
///
/// # Errors
/// Each result is what [`decompress_with`](crate::decompress_with) would have returned; of several errors in one input, those of
/// headers come first.
pub fn decompress_many<T: AsRef<[u8]> + Sync>(
    inputs: &[T],
    options: &DecodeOptions,
) -> Vec<Result<(Vec<u8>, Stats)>> {
    let threads = codec::threads(options.threads);
    let sum = Sum::new(&options.progress);
    let decoder = Decoder::new(options);
    let mut results = empty(inputs.len());
    // Frames of small inputs: those of tokens, and others, which need one thread each.
    let (mut beside, mut others) = (Vec::new(), Vec::new());
    let mut small = Vec::new();
    let mut large = Vec::new();
    for (n, input) in inputs.iter().enumerate() {
        match frames(input.as_ref(), &decoder) {
            Err(error) => results[n] = Err(error),
            Ok(None) => large.push(n),
            Ok(Some(frames)) => {
                let mut places = Vec::with_capacity(frames.len());
                for &(found, payload) in &frames {
                    places.push(match decoder.beside(&found.header, payload) {
                        Ok(Some(frame)) => {
                            beside.push(frame);
                            Place::Beside(beside.len() - 1)
                        }
                        // What cannot be had here is told when it is decoded.
                        _ => {
                            others.push((found, payload));
                            Place::Other(others.len() - 1)
                        }
                    });
                }
                small.push((n, frames, places));
            }
        }
    }
    if beside.len() < threads.max(2) {
        large.extend(small.drain(..).map(|(n, ..)| n));
        large.sort_unstable();
    } else {
        let landed = |content: usize, payload: &[u8]| sum.add(content as u64, payload.len() as u64);
        let mut flown = flight::decode(&beside, threads, &|n| {
            landed(beside[n].length, beside[n].payload);
        });
        let decoded = on_threads(threads, others.len(), |n| {
            let (found, payload) = &others[n];
            let meter = Meter::default();
            let single = options.clone().threads(1);
            let result = Decoder::new(&single).frame(&found.header, payload, &meter);
            landed(found.header.content as usize, payload);
            Ok(result)
        });
        let mut decoded = decoded.unwrap_or_default();
        for (n, frames, places) in small {
            let mut take = |place| {
                let slot = match place {
                    Place::Beside(at) => flown.get_mut(at),
                    Place::Other(at) => decoded.get_mut(at),
                };
                slot.map_or_else(nothing, |slot| mem::replace(slot, nothing()))
            };
            results[n] = joined(inputs[n].as_ref(), &frames, options, |k| take(places[k]));
        }
    }
    for n in large {
        let mut options = options.clone();
        options.progress = sum.hook();
        let mut decoder = bufread::Decoder::with_options(inputs[n].as_ref(), options);
        results[n] = decoder.all().map(|all| (all, decoder.stats().clone()));
        if let Ok((_, stats)) = &results[n] {
            sum.add(stats.content_bytes, stats.coded_bytes);
        }
    }
    results
}

/// Where a frame's content is to be found.
#[derive(Clone, Copy)]
enum Place {
    Beside(usize),
    Other(usize),
}

/// What stands in a place until something is known.
fn nothing<T>() -> Result<T> {
    Err(Error::corrupt("it was not decoded"))
}

fn empty<T>(len: usize) -> Vec<Result<T>> {
    (0..len).map(|_| nothing()).collect()
}

/// Frames with their payloads.
type Frames<'a> = Vec<(Found, &'a [u8])>;

/// An input's frames that have content; `None` if it is a large one.
fn frames<'a>(mut rest: &'a [u8], decoder: &Decoder) -> Result<Option<Frames<'a>>> {
    let (mut scanner, mut frames, mut content) = (Scanner::default(), Vec::new(), 0);
    while let Some(found) = scanner.next(&mut rest)? {
        decoder.admit(&found.header)?;
        let payload = found.header.payload as usize;
        let Some((payload, after)) = rest.split_at_checked(payload) else {
            return Err(Error::Truncated);
        };
        rest = after;
        if found.header.content > 0 {
            frames.push((found, payload));
            content += found.header.content as usize;
        }
        // A large one is read in the order in which its errors come.
        if content > SMALL {
            return Ok(None);
        }
    }
    Ok(Some(frames))
}

/// Checks the frames of an input and puts their contents together.
fn joined(
    input: &[u8],
    frames: &[(Found, &[u8])],
    options: &DecodeOptions,
    mut decoded: impl FnMut(usize) -> Result<Decoded>,
) -> Result<(Vec<u8>, Stats)> {
    let mut decoder = FrameDecoder::new(options.clone());
    let mut all = Vec::new();
    for (n, (found, payload)) in frames.iter().enumerate() {
        all.append(&mut decoder.accept(found, payload, decoded(n)?)?);
    }
    decoder.count(input.len() as u64);
    Ok((all, decoder.stats().clone()))
}

/// How far all inputs together have come.
struct Sum<'a> {
    hook: &'a Option<Hook>,
    done: Mutex<Progress>,
}

impl Sum<'_> {
    fn new(hook: &Option<Hook>) -> Sum<'_> {
        Sum {
            hook,
            done: Mutex::new(Progress::default()),
        }
    }

    /// Adds what was done, and reports the sum.
    fn add(&self, content: u64, coded: u64) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.content_bytes += content;
        done.coded_bytes += coded;
        if let Some(hook) = self.hook {
            hook(*done);
        }
    }

    /// A hook for one more input, which reports what was done before as well.
    fn hook(&self) -> Option<Hook> {
        let before = *self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let hook = self.hook.clone()?;
        Some(Arc::new(move |at: Progress| {
            hook(Progress {
                content_bytes: before.content_bytes + at.content_bytes,
                coded_bytes: before.coded_bytes + at.coded_bytes,
            });
        }))
    }
}
