//! Many inputs at once.

use std::mem;

use crate::codec::flight;
use crate::codec::{self, Decoder};
use crate::copy;
use crate::each;
use crate::error::{Error, Result};
use crate::format::Kind;
use crate::member::{Found, FrameDecoder, Ready, Scanner};
use crate::options::{DecodeOptions, Options};
use crate::parallel::on_threads;
use crate::progress::{Progress, Tally};
use crate::stats::Stats;

/// Content of up to so many bytes is coded beside others; more than that keeps all threads busy by itself.
pub(crate) const SMALL: usize = 1 << 17;

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
    let tally = Tally::new(&options.progress);
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
        tally.add(Progress::new(content.len() as u64, coded as u64));
        Ok(result)
    });
    for (n, result) in small.into_iter().zip(compressed.into_iter().flatten()) {
        results[n] = result;
    }
    let rest = large.iter().map(|&n| inputs[n].as_ref());
    in_order(&large, &mut results, |done| {
        each::compress(rest, options, &tally, done)
    });
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
    let tally = Tally::new(&options.progress);
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
        let landed = |content: usize, payload: &[u8]| {
            tally.add(Progress::new(content as u64, payload.len() as u64));
        };
        let flown = flight::decode(&beside, threads, options.max_memory, &|n| {
            landed(beside[n].length, beside[n].payload);
        });
        let flown = flown.into_iter().map(|decoded| decoded.map(Ready::from));
        let mut flown: Vec<Result<Ready>> = flown.collect();
        let decoded = on_threads(threads, others.len(), |n| {
            let (found, payload) = &others[n];
            let single = options.clone().quiet().threads(1);
            let result = FrameDecoder::new(single).begin(found).decode(payload);
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
    let rest = large.iter().map(|&n| inputs[n].as_ref());
    in_order(&large, &mut results, |done| {
        each::decompress(rest, options, &tally, done)
    });
    results
}

/// Puts what `each` makes of inputs, one after the other, at their places.
fn in_order<T>(
    places: &[usize],
    results: &mut [Result<T>],
    each: impl FnOnce(&mut dyn FnMut(Result<T>) -> Result<()>) -> Result<()>,
) {
    let mut places = places.iter();
    let all = each(&mut |result| {
        if let Some(&place) = places.next() {
            results[place] = result;
        }
        Ok(())
    });
    debug_assert!(all.is_ok(), "nothing ends it");
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
        // What is copied from other frames is decoded after them.
        if matches!(found.header.kind, Kind::Window { .. } | Kind::Copied) {
            return Ok(None);
        }
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
    mut decoded: impl FnMut(usize) -> Result<Ready>,
) -> Result<(Vec<u8>, Stats)> {
    let mut decoder = FrameDecoder::new(options.clone().quiet());
    let mut all = Vec::new();
    for (n, (found, payload)) in frames.iter().enumerate() {
        let Ready { content, stats, .. } = decoded(n)?;
        let decoded = decoder
            .begin(found)
            .check((content, stats), payload)?
            .into();
        all.append(&mut decoder.accept(found, decoded)?);
    }
    decoder.count(input.len() as u64, input.len());
    Ok((all, decoder.stats().clone()))
}
