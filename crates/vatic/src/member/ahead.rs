//! Whole inputs, with frames side by side. A large frame of tokens keeps all threads busy by itself, but one of bytes only one thread (its
//! decisions come one after the other), and a small one of tokens is a batch of a row or two. Frames are coded with no regard to each other (what some copy from others is put in when its turn comes), so the next
//! ones are begun while the first are under way, as many as there are threads and memory for. The same bytes come out, in the same order.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{BufRead, Cursor};
use std::mem;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use super::{After, Found, FrameDecoder, FrameEncoder, Ready, Scanner};
use crate::codec::{self, copied, flight};
use crate::error::{Error, Result};
use crate::format::{Counted, Header, Kind};
use crate::many::SMALL;
use crate::options::{DecodeOptions, Options};
use crate::parallel::Line;
use crate::stats::Stats;

/// The most memory in bytes that frames under way should take, by what they may need at most: that of two of the usual size, which take
/// some 350 MB in truth.
pub(crate) const ROOM: u64 = 512 << 20;

/// Compresses all contents of frames that `next` gives, which says of each whether it is the last, and takes what is left of the one before, with which it
/// begins. `give` gets the frames.
pub(crate) fn compress<'a>(
    options: &Options,
    mut next: impl FnMut(Option<Cow<'a, [u8]>>) -> Result<(Cow<'a, [u8]>, bool)>,
    mut give: impl FnMut(Vec<u8>) -> Result<()>,
) -> Result<Stats> {
    let mut encoder = FrameEncoder::new(options.clone())?;
    let tally = encoder.tally();
    let threads = codec::threads(options.threads);
    let most = codec::memory(options.frame_size, options.memory_log2);
    thread::scope(|scope| {
        let mut line = Line::new(scope, threads, ROOM);
        let mut all = || -> Result<()> {
            let mut left = None;
            loop {
                while !line.has_room(most)
                    && let Some(made) = line.take()
                {
                    give(encoder.accept(made?))?;
                }
                let (content, last) = next(left.take())?;
                let mut rest = Some(content);
                while let Some(content) = rest {
                    let begun;
                    (begun, rest) = encoder.begin(content, After::of(last))?;
                    if !last {
                        left = rest.take();
                    }
                    let is_only = last && rest.is_none() && line.is_empty();
                    if begun.takes_all_threads() || threads < 2 || is_only {
                        while let Some(made) = line.take() {
                            give(encoder.accept(made?))?;
                        }
                        give(encoder.accept(begun.code()?))?;
                    } else {
                        line.send(begun.memory(), move || begun.code());
                    }
                }
                if last {
                    while let Some(made) = line.take() {
                        give(encoder.accept(made?))?;
                    }
                    return Ok(());
                }
            }
        };
        all().inspect_err(|_| tally.give_up())
    })?;
    Ok(encoder.stats().clone())
}

/// Decompresses everything that `reader` gives; `give` gets the content of each frame, or parts of it at once if `options` say so. If a frame
/// must be given before more is read (not `ahead`), they are decoded one after the other.
pub(crate) fn decompress(
    reader: impl BufRead,
    options: &DecodeOptions,
    ahead: bool,
    give: impl FnMut(Vec<u8>) -> Result<()>,
) -> Result<Stats> {
    let mut reader = Counted {
        inner: reader,
        count: 0,
    };
    let mut scanner = Scanner::default();
    let next = |decoder: &mut FrameDecoder| {
        let mut payload = Vec::new();
        let found = decoder.read(&mut scanner, &mut reader, &mut payload)?;
        Ok(found.map(|found| Coded {
            found,
            payload,
            wanted: found.header.content as usize,
        }))
    };
    decode(options, ahead, next, give)
}

/// A frame as it was read.
pub(crate) struct Coded {
    pub found: Found,
    pub payload: Vec<u8>,
    /// So many bytes of its content are wanted, the first ones. What is not given at once is decoded whole all the same, to be checked.
    pub wanted: usize,
}

impl Coded {
    fn is_cut(&self) -> bool {
        self.found.is_cut(&self.payload)
    }
}

/// Decodes the frames that `next` reads, which says when there are no more; as [`decompress`].
pub(crate) fn decode(
    options: &DecodeOptions,
    ahead: bool,
    mut next: impl FnMut(&mut FrameDecoder) -> Result<Option<Coded>>,
    give: impl FnMut(Vec<u8>) -> Result<()>,
) -> Result<Stats> {
    let decoder = FrameDecoder::new(options.clone());
    let tally = decoder.tally();
    let threads = codec::threads(options.threads);
    let ahead = ahead && threads > 1;
    thread::scope(|scope| {
        let mut under_way = UnderWay {
            line: Line::new(scope, threads, ROOM.min(options.max_memory)),
            chunks: VecDeque::new(),
            bunch: Bunch::new(),
            threads,
            max_memory: options.max_memory,
            at_once: options.at_once,
            decoder,
            give,
        };
        let mut all = || -> Result<()> {
            loop {
                match next(&mut under_way.decoder) {
                    Ok(Some(coded)) => under_way.frame(coded, ahead)?,
                    // Whatever is wrong here, what came before it is as good as it was.
                    Ok(None) => return under_way.finish(),
                    Err(error) => return under_way.finish().and(Err(error)),
                }
            }
        };
        all().inspect_err(|_| tally.give_up())?;
        Ok(under_way.decoder.stats().clone())
    })
}

/// Frames that are being decoded, or are about to be; only one of `line` and `bunch` has any.
struct UnderWay<'scope, 'env, G> {
    decoder: FrameDecoder,
    threads: usize,
    max_memory: u64,
    /// Whether content is to be given before its frame is known to be right.
    at_once: bool,
    /// Frames that take a thread each.
    line: Line<'scope, 'env, Result<Ready>>,
    /// What each of them gives at once, and how much of its content is wanted.
    chunks: VecDeque<(Found, usize, Receiver<Vec<u8>>)>,
    bunch: Bunch,
    give: G,
}

impl<G: FnMut(Vec<u8>) -> Result<()>> UnderWay<'_, '_, G> {
    /// Takes one more frame.
    fn frame(&mut self, coded: Coded, ahead: bool) -> Result<()> {
        let header = &coded.found.header;
        if header.content == 0 {
            if let Kind::Window { .. } = header.kind {
                self.finish()?;
            }
            return self.decoder.note(&coded.found);
        }
        if coded.is_cut() && !self.at_once {
            return self.finish().and(Err(Error::Truncated));
        }
        let stops = self.at_once && coded.wanted < header.content as usize;
        if ahead && is_small(header) && !coded.is_cut() && !stops {
            self.land(0)?;
            self.bunch.content += header.content as usize;
            self.bunch.frames.push((coded.found, coded.payload));
            if self.bunch.is_full() {
                self.fly()?;
            }
        } else if ahead
            && (takes_one_thread(&coded) || header.kind == Kind::Stored && !self.line.is_empty())
        {
            self.fly()?;
            self.send(coded)?;
        } else if self.at_once {
            self.finish()?;
            self.send(coded)?;
            self.land(0)?;
        } else {
            self.finish()?;
            let content = self.decoder.frame(&coded.found, &coded.payload)?;
            (self.give)(content)?;
        }
        Ok(())
    }

    /// Begins to decode a frame, when there is room for it.
    fn send(&mut self, coded: Coded) -> Result<()> {
        let header = &coded.found.header;
        let memory = codec::memory(header.content as usize, header.parts.memory_log2);
        while !self.line.has_room(memory) {
            self.land(self.line.len() - 1)?;
        }
        let (sender, chunks) = mpsc::channel();
        let (frame, at_once) = (self.decoder.begin(&coded.found), self.at_once);
        let (found, wanted) = (coded.found, coded.wanted);
        self.line.send(memory, move || {
            if !at_once {
                return frame.decode(&coded.payload);
            }
            // If nobody takes it any more, that is found out by other means.
            let mut sink = |bytes: &[u8]| sender.send(bytes.to_vec()).unwrap_or_default();
            let frame = frame.up_to(coded.wanted);
            let stats = frame.stream(&coded.payload, &mut sink)?;
            Ok((Vec::new(), stats).into())
        });
        self.chunks.push_back((found, wanted, chunks));
        Ok(())
    }

    /// Gives all that is under way.
    fn finish(&mut self) -> Result<()> {
        self.fly()?;
        self.land(0)
    }

    /// Waits until no more than `left` frames of the line are under way.
    fn land(&mut self, left: usize) -> Result<()> {
        while self.line.len() > left {
            // There are no more when the frame is decoded.
            let Some((found, wanted, chunks)) = self.chunks.pop_front() else {
                return Ok(());
            };
            let mut wrong = None;
            for chunk in chunks {
                if wrong.is_none() {
                    match self.decoder.part(&found, chunk, wanted) {
                        Ok(content) => (self.give)(content)?,
                        Err(error) => wrong = Some(error),
                    }
                }
            }
            let Some(ready) = self.line.take() else {
                return Ok(());
            };
            // What is wrong within the frame comes before what is wrong with its copies.
            let ready = ready?;
            if let Some(error) = wrong {
                return Err(error);
            }
            match self.at_once {
                true => self.decoder.end(&found, ready.stats)?,
                false => (self.give)(self.decoder.accept(&found, ready)?)?,
            }
        }
        Ok(())
    }

    /// Decodes the bunch, side by side if there are enough of them.
    fn fly(&mut self) -> Result<()> {
        let frames = self.bunch.take();
        let beside: Vec<_> = (frames.iter())
            .filter_map(|(found, payload)| self.decoder.beside(found, payload))
            .collect();
        if beside.len() < frames.len() || beside.len() < self.threads.max(2) {
            for (found, payload) in &frames {
                (self.give)(self.decoder.frame(found, payload)?)?;
            }
            return Ok(());
        }
        let begun: Vec<_> = (frames.iter())
            .map(|(found, _)| self.decoder.begin(found))
            .collect();
        let flown = flight::decode(&beside, self.threads, self.max_memory, &|n| {
            begun[n].is_done(&frames[n].1)
        });
        for ((decoded, begun), (found, payload)) in flown.into_iter().zip(&begun).zip(&frames) {
            let decoded = begun.check(decoded?, payload)?;
            (self.give)(self.decoder.accept(found, decoded.into())?)?;
        }
        Ok(())
    }
}

/// Whether a frame is decoded by one thread, as bytes are, which come one after the other.
fn takes_one_thread(coded: &Coded) -> bool {
    let header = &coded.found.header;
    let kind = match header.kind {
        Kind::Copied => copied::header_within(header, &mut Cursor::new(&coded.payload))
            .map_or(Kind::Bytes, |within| within.kind),
        kind => kind,
    };
    kind == Kind::Bytes
}

/// Whether a frame is one of those that are decoded in bunches.
fn is_small(header: &Header) -> bool {
    header.kind == Kind::Tokens
        && header.content as usize <= SMALL
        && 1 << header.parts.streams_log2 <= flight::MOST_STREAMS
}

/// Small frames of tokens, to be decoded together.
struct Bunch {
    frames: Vec<(Found, Vec<u8>)>,
    content: usize,
    /// How much content makes it full. The first ones are small, so that whoever reads the beginning need not wait for much more.
    full: usize,
}

impl Bunch {
    const MOST_FRAMES: usize = 256;
    const FULL: std::ops::RangeInclusive<usize> = 1 << 16..=1 << 20;

    fn new() -> Bunch {
        Bunch {
            frames: Vec::new(),
            content: 0,
            full: *Bunch::FULL.start(),
        }
    }

    fn is_full(&self) -> bool {
        self.content >= self.full || self.frames.len() >= Bunch::MOST_FRAMES
    }

    /// Its frames; it has none then.
    fn take(&mut self) -> Vec<(Found, Vec<u8>)> {
        if self.is_full() {
            self.full = (2 * self.full).min(*Bunch::FULL.end());
        }
        self.content = 0;
        mem::take(&mut self.frames)
    }
}
