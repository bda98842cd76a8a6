//! Small files are done in bunches, since the transformer predicts for many in little more time than for one.

use std::mem;

use anyhow::Result;
use vatic::Stats;

use crate::files::Source;
use crate::worker::{Opened, Worker};

/// The most files in a bunch, and the most bytes of content: a bunch's results appear together, which should not take minutes.
const MOST_FILES: usize = 256;
const MOST_BYTES: u64 = 1 << 20;

/// Does all inputs in their order; `done` hears of each, and may end it.
pub fn each(
    worker: &Worker,
    sources: Vec<Result<Source>>,
    mut done: impl FnMut(Result<Stats>) -> Result<()>,
) -> Result<()> {
    let several = sources.len() > 1;
    let mut bunch = Bunch::default();
    for source in sources {
        let mut opened = source.and_then(|source| worker.open(source));
        let small = match &mut opened {
            Ok(opened) if several => worker.read_small(opened),
            _ => None,
        };
        match (opened, small) {
            (Ok(opened), Some(bytes)) => {
                if bunch.files.len() == MOST_FILES || bunch.bytes + bytes > MOST_BYTES {
                    bunch.finish(worker, &mut done)?;
                }
                bunch.bytes += bytes;
                bunch.files.push(opened);
            }
            (opened, _) => {
                bunch.finish(worker, &mut done)?;
                done(opened.and_then(|opened| worker.file(opened, None)))?;
            }
        }
    }
    bunch.finish(worker, &mut done)
}

/// Files that wait to be done together.
#[derive(Default)]
struct Bunch {
    files: Vec<Opened>,
    bytes: u64,
}

impl Bunch {
    /// Does them; there are none then.
    fn finish(
        &mut self,
        worker: &Worker,
        done: &mut impl FnMut(Result<Stats>) -> Result<()>,
    ) -> Result<()> {
        let files = mem::take(self).files;
        let mut made = match files.len() {
            0 | 1 => Vec::new(),
            _ => worker.together(&files),
        }
        .into_iter();
        (files.into_iter()).try_for_each(|file| done(worker.file(file, made.next())))
    }
}
