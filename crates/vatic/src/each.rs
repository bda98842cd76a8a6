//! Inputs as they come, one after the other. A frame of bytes keeps one thread busy, whatever there are, so inputs of one such frame are
//! done side by side; others have all threads for themselves.

use std::borrow::Cow;
use std::ops::Range;
use std::result;
use std::sync::Arc;
use std::thread;

use crate::codec;
use crate::copy;
use crate::error::Result;
use crate::format::Kind;
use crate::member::{After, Found, FrameDecoder, FrameEncoder, ROOM, Scanner};
use crate::options::{DecodeOptions, Options};
use crate::parallel::Line;
use crate::progress::Tally;
use crate::stats::Stats;

/// Compresses inputs as they come: `done` gets of each what [`compress`](crate::compress) gives, and what was done, in their order, and may
/// end it. An input of one frame that takes one thread, as those without much text do, is compressed beside the next ones: up to as
/// many inputs as there are threads are asked for before the first is done.
///
/// ```
/// let inputs = [&b"Tea at four."[..], &[0; 100_000]];
/// let mut sizes = Vec::new();
/// vatic::compress_each(inputs, &vatic::Options::new(), |result| {
///     let (packed, _stats) = result?;
///     sizes.push(packed.len());
///     Ok::<_, vatic::Error>(())
/// })?;
/// assert!(sizes.iter().all(|&size| size < 30));
/// # Ok::<(), vatic::Error>(())
/// ```
///
/// # Errors
/// What `done` returns, which ends it.
pub fn compress_each<'a, E>(
    inputs: impl IntoIterator<Item = impl Into<Cow<'a, [u8]>>>,
    options: &Options,
    done: impl FnMut(Result<Output>) -> result::Result<(), E>,
) -> result::Result<(), E> {
    compress(inputs, options, &Tally::new(&options.progress), done)
}

/// Decompresses inputs as they come: `done` gets of each what [`decompress_with`](crate::decompress_with) gives, and what was done, in their
/// order, and may end it. Those of one frame that takes one thread are decompressed beside the next ones, as
/// [`compress_each`] does.
///
/// ```
/// let packed = vatic::compress(b"one", &vatic::Options::new())?;
/// let inputs = [&packed[..], b"no vatic data", &packed[..]];
/// let mut contents = Vec::new();
/// let ended = vatic::decompress_each(inputs, &vatic::DecodeOptions::new(), |result| {
///     contents.push(result?.0);
///     Ok(())
/// });
/// assert!(matches!(ended, Err(vatic::Error::NotVatic)));
/// assert_eq!(contents, [b"one"]);
/// # Ok::<(), vatic::Error>(())
/// ```
///
/// # Errors
/// What `done` returns, which ends it.
pub fn decompress_each<'a, E>(
    inputs: impl IntoIterator<Item = impl Into<Cow<'a, [u8]>>>,
    options: &DecodeOptions,
    done: impl FnMut(Result<Output>) -> result::Result<(), E>,
) -> result::Result<(), E> {
    decompress(inputs, options, &Tally::new(&options.progress), done)
}

/// What an input became, and what was done.
type Output = (Vec<u8>, Stats);

/// [`compress_each`]; `tally` hears of all of it.
pub(crate) fn compress<'a, E>(
    inputs: impl IntoIterator<Item = impl Into<Cow<'a, [u8]>>>,
    options: &Options,
    tally: &Arc<Tally>,
    done: impl FnMut(Result<Output>) -> result::Result<(), E>,
) -> result::Result<(), E> {
    let most = codec::memory(options.frame_size, options.memory_log2);
    let jobs = inputs.into_iter().map(|content| {
        let content = content.into();
        if content.len() > options.frame_size {
            let options = options.clone().progress(tally.part());
            return Job::all_threads(move || copy::compress_with_stats(&content, &options));
        }
        let mut encoder = match FrameEncoder::new(options.clone()) {
            Ok(encoder) => encoder.telling(tally),
            Err(error) => return Job::all_threads(|| Err(error)),
        };
        let (begun, rest) = match encoder.begin(content, After::Nothing) {
            Ok(begun) => begun,
            Err(error) => return Job::all_threads(|| Err(error)),
        };
        Job {
            memory: (!begun.takes_all_threads()).then(|| begun.memory()),
            work: Box::new(move || {
                let mut packed = encoder.accept(begun.code()?);
                if let Some(rest) = rest {
                    encoder.frame(&rest, After::Nothing, &mut packed)?;
                }
                Ok((packed, encoder.stats().clone()))
            }),
        }
    });
    each(options.threads, ROOM, most, jobs, tally, done)
}

/// [`decompress_each`]; `tally` hears of all of it.
pub(crate) fn decompress<'a, E>(
    inputs: impl IntoIterator<Item = impl Into<Cow<'a, [u8]>>>,
    options: &DecodeOptions,
    tally: &Arc<Tally>,
    done: impl FnMut(Result<Output>) -> result::Result<(), E>,
) -> result::Result<(), E> {
    let jobs = inputs.into_iter().map(|input| {
        let input = input.into();
        let Some((found, payload)) = only_frame(&input) else {
            let options = options.clone().progress(tally.part());
            return Job::all_threads(move || copy::decompress_with_stats(&input, &options));
        };
        let mut decoder = FrameDecoder::new(options.clone()).telling(tally);
        let header = &found.header;
        Job {
            memory: Some(codec::memory(
                header.content as usize,
                header.parts.memory_log2,
            )),
            work: Box::new(move || {
                decoder.count(input.len() as u64, payload.len());
                let content = decoder.frame(&found, &input[payload])?;
                Ok((content, decoder.stats().clone()))
            }),
        }
    });
    let room = ROOM.min(options.max_memory);
    each(options.threads, room, 0, jobs, tally, done)
}

/// The only frame of `input` with content and the place of its payload, if it is one of bytes and all else is in order.
fn only_frame(input: &[u8]) -> Option<(Found, Range<usize>)> {
    let (mut scanner, mut rest, mut only) = (Scanner::default(), input, None);
    while let Some(found) = scanner.next(&mut rest).ok()? {
        let start = input.len() - rest.len();
        let (payload, after) = rest.split_at_checked(found.header.payload as usize)?;
        rest = after;
        if let Kind::Window { .. } = found.header.kind {
            return None;
        }
        if found.header.content > 0 {
            if only.is_some() || found.header.kind != Kind::Bytes {
                return None;
            }
            only = Some((found, start..start + payload.len()));
        }
    }
    only
}

/// What is to be done with an input.
struct Job<'a> {
    /// The memory in bytes that it takes if it takes one thread; `None` if it takes all of them.
    memory: Option<u64>,
    work: Box<dyn FnOnce() -> Result<Output> + Send + 'a>,
}

impl<'a> Job<'a> {
    fn all_threads(work: impl FnOnce() -> Result<Output> + Send + 'a) -> Job<'a> {
        Job {
            memory: None,
            work: Box::new(work),
        }
    }
}

/// Does the jobs, those beside each other that take one thread, within so many bytes of `room`; before the next is asked for, there has to
/// be room for `most`.
fn each<'a, E>(
    threads: usize,
    room: u64,
    most: u64,
    mut jobs: impl Iterator<Item = Job<'a>>,
    tally: &Tally,
    mut done: impl FnMut(Result<Output>) -> result::Result<(), E>,
) -> result::Result<(), E> {
    let threads = codec::threads(threads);
    thread::scope(|scope| {
        let mut line = Line::new(scope, threads, room);
        let mut all = || {
            loop {
                while !line.has_room(most)
                    && let Some(output) = line.take()
                {
                    done(output)?;
                }
                let Some(Job { memory, work }) = jobs.next() else {
                    break;
                };
                // Whoever has all threads for itself waits until nothing else is under way.
                let needs = memory.filter(|_| threads > 1).unwrap_or(u64::MAX);
                while !line.has_room(needs)
                    && let Some(output) = line.take()
                {
                    done(output)?;
                }
                match memory {
                    Some(memory) if threads > 1 => line.send(memory, work),
                    _ => done(work())?,
                }
            }
            while let Some(output) = line.take() {
                done(output)?;
            }
            Ok(())
        };
        let all = all();
        if all.is_err() {
            tally.give_up();
        }
        all
    })
}
