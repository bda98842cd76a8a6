//! From content to members.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use vatic_repeats::{Copy, Finder, recipe};

use crate::codec;
use crate::codec::copied::{self, Copied};
use crate::error::{Error, Result};
use crate::format::{Header, Kind, MAGIC, checksum};
use crate::member::{Found, FrameDecoder, Ready};
use crate::options::{DecodeOptions, Mode, Options};
use crate::progress::{Meter, Tally};
use crate::stats::{FrameStats, Stats};

/// Makes one member, frame by frame.
pub(crate) struct FrameEncoder {
    options: Options,
    codec: codec::Encoder,
    /// What finds what occurred before, if that is looked for.
    finder: Option<Finder>,
    tally: Arc<Tally>,
    /// Up to where in the member it is known that no stream goes on behind what has been read, or that it is cut in any case.
    looked: u64,
    /// Frames with content that were begun, and the bytes of it.
    begun: (u64, u64),
    started: bool,
    stats: Stats,
}

impl FrameEncoder {
    pub(crate) fn new(options: Options) -> Result<FrameEncoder> {
        options.check()?;
        let codec = codec::Encoder::new(&options)?;
        let window = options.window_log2().filter(|_| codec.is_free());
        Ok(FrameEncoder {
            // The longest distance has no number of its own among those of 32 bits.
            finder: window.map(|log2| Finder::new((1 << log2).min(u64::from(u32::MAX)))),
            codec,
            tally: Tally::new(&options.progress),
            options,
            looked: 0,
            begun: (0, 0),
            started: false,
            stats: Stats::default(),
        })
    }

    /// The same, whose progress `tally` hears of.
    pub(crate) fn telling(mut self, tally: &Arc<Tally>) -> Self {
        self.tally = tally.clone();
        self
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// What hears of all frames' progress.
    pub(crate) fn tally(&self) -> Arc<Tally> {
        self.tally.clone()
    }

    /// Appends the frame of `content`, or several of them, to `out`, and says how many bytes of it they have: all, unless there is more. Nothing at all is
    /// appended for no content, unless it is the last.
    pub(crate) fn frame(
        &mut self,
        content: &[u8],
        after: After,
        out: &mut Vec<u8>,
    ) -> Result<usize> {
        let mut rest = Some(content.into());
        while let Some(content) = rest {
            let begun;
            (begun, rest) = self.begin(content, after)?;
            out.extend(self.accept(begun.code()?));
            if after == After::More {
                break;
            }
        }
        Ok(content.len() - rest.map_or(0, |rest| rest.len()))
    }

    /// Decides how the next frame is coded, which is then done with no regard to other frames; what is left of `content`, if it does not take all
    /// of it, comes next, with what comes after it.
    pub(crate) fn begin<'a>(
        &mut self,
        content: Cow<'a, [u8]>,
        after: After,
    ) -> Result<(Begun<'a>, Option<Cow<'a, [u8]>>)> {
        let last = after == After::Nothing;
        let is_first = !self.started && (last || !content.is_empty());
        self.started |= is_first;
        let (content, rest) = match content.is_empty() {
            true => (Content::none(), None),
            false => self.content(content, after)?,
        };
        let last = last && rest.is_none();
        // What comes after this frame may be copied from it.
        let window =
            (self.options.window_log2()).filter(|_| self.finder.is_some() && is_first && !last);
        let (number, offset) = self.begun;
        self.begun.0 += u64::from(content.length > 0);
        self.begun.1 += content.length as u64;
        let begun = Begun {
            is_first,
            window,
            last,
            number,
            offset,
            memory: codec::memory(content.length, self.options.memory_log2),
            meter: self.tally.meter(),
            verify: self.options.verify.then(|| as_decoded(&self.options)),
            content,
        };
        Ok((begun, rest))
    }

    /// What goes into the next frame, and what is left of the content.
    fn content<'a>(
        &mut self,
        content: Cow<'a, [u8]>,
        after: After,
    ) -> Result<(Content<'a>, Option<Cow<'a, [u8]>>)> {
        let last = after == After::Nothing;
        let here = match after {
            After::More => &content[..self.end(&content)],
            _ => &content,
        };
        let mut copies = self.copies(here);
        let mut left = left_of(here, &copies);
        let mut planned = self.plan(&left)?;
        let is_by_transformer = |plan: &codec::Plan| plan.is_by_transformer();
        if !planned.0.as_ref().is_some_and(is_by_transformer) && copied::drop_short(&mut copies) {
            left = left_of(here, &copies);
            planned = self.plan(&left)?;
        }
        let (plan, used) = planned;
        if copies.is_empty() {
            self.keep(&content, used, last);
            let (content, rest) = divide(content, used);
            let content = Content {
                length: content.len(),
                plan,
                bytes: content,
                copied: None,
            };
            return Ok((content, rest));
        }
        let (copies, length) = up_to(copies, used, left.len(), here.len());
        if self.options.verify && !self.is_right(&content[..length], &copies, &left[..used]) {
            let frame = self.begun.0;
            return Err(Error::Verification { frame });
        }
        self.keep(&content, length, last);
        let sum = checksum(&content[..length], self.begun.1);
        let mut left = left.into_owned();
        left.truncate(used);
        let (_, rest) = divide(content, length);
        let content = Content {
            length,
            plan,
            bytes: left.into(),
            // All that was used may come before the first of them.
            copied: (!copies.is_empty()).then(|| (self.codec.copied(length, &copies), sum)),
        };
        Ok((content, rest))
    }

    /// How much of content is best coded before the rest is known: all, or what stands before a stream or picture that goes on behind it. If that were less than
    /// half, the stream is as long as a frame, and is cut in any case.
    fn end(&mut self, content: &[u8]) -> usize {
        if !self.codec.unpacks() {
            return content.len();
        }
        let from = self.looked.saturating_sub(self.begun.1) as usize;
        let from = from.min(content.len());
        let unfinished = vatic_unpack::unfinished(&content[from..]).map(|at| from + at);
        let worth = |&at: &usize| at >= content.len() / 2 && at > 0;
        let end = unfinished.filter(worth).unwrap_or(content.len());
        self.looked = self.begun.1 + end as u64;
        end
    }

    /// Whether what is left and what is copied are the content.
    fn is_right(&mut self, content: &[u8], copies: &[Copy], left: &[u8]) -> bool {
        let right = (self.finder.as_mut()).map(|finder| finder.is_right(content, copies, left));
        matches!(right, Some(Ok(true)))
    }

    /// How what is left is coded, if anything is, and how much of it goes into the frame.
    fn plan(&self, left: &[u8]) -> Result<(Option<codec::Plan>, usize)> {
        if left.is_empty() {
            return Ok((None, 0));
        }
        let (plan, used) = self.codec.plan_frame(left)?;
        Ok((Some(plan), used))
    }

    /// What of `content` occurred before.
    fn copies(&mut self, content: &[u8]) -> Vec<Copy> {
        let copies = match &mut self.finder {
            Some(finder) => finder.find(content),
            None => Vec::new(),
        };
        self.codec.trim(content, copies)
    }

    /// Notes that so much of the content goes into a frame, if anything comes after it.
    fn keep(&mut self, content: &[u8], used: usize, last: bool) {
        if let Some(finder) = &mut self.finder
            && !(last && used == content.len())
        {
            finder.keep(&content[..used]);
        }
    }

    /// Notes what was done; the frame's bytes.
    pub(crate) fn accept(&mut self, made: Made) -> Vec<u8> {
        self.stats.coded_bytes += made.bytes.len() as u64;
        if let Some(stats) = made.stats {
            self.stats.content_bytes += stats.content_bytes;
            self.stats.frames.push(stats);
        }
        made.bytes
    }
}

/// What comes after some content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// Nothing: it is the last.
    Nothing,
    /// Nothing yet, so all of it is coded now.
    Later,
    /// More of it: what of this is better coded together with that waits for it.
    More,
}

impl After {
    /// What comes after the last content, or after another.
    pub(crate) fn of(last: bool) -> After {
        match last {
            true => After::Nothing,
            false => After::More,
        }
    }
}

/// The first so many bytes, and the others if there are any.
fn divide(content: Cow<[u8]>, at: usize) -> (Cow<[u8]>, Option<Cow<[u8]>>) {
    if at == content.len() {
        return (content, None);
    }
    match content {
        Cow::Borrowed(content) => {
            let (first, rest) = content.split_at(at);
            (first.into(), Some(rest.into()))
        }
        Cow::Owned(mut content) => {
            let rest = content.split_off(at);
            (content.into(), Some(rest.into()))
        }
    }
}

/// What is in none of the copies.
fn left_of<'a>(content: &'a [u8], copies: &[Copy]) -> Cow<'a, [u8]> {
    match copies.is_empty() {
        true => content.into(),
        false => recipe::rest(content, copies).into(),
    }
}

/// The copies that are made before so many bytes of what is `left` of content are used up, and how much of the content that is: up to where the copy
/// after them begins, or as much as is used.
fn up_to(mut copies: Vec<Copy>, used: usize, left: usize, content: usize) -> (Vec<Copy>, usize) {
    if used == left {
        return (copies, content);
    }
    let mut copied = 0;
    let beyond = copies.iter().position(|copy| {
        let before = copy.at - copied;
        copied += copy.length;
        before >= used
    });
    copies.truncate(beyond.unwrap_or(copies.len()));
    let copied: usize = copies.iter().map(|copy| copy.length).sum();
    (copies, copied + used)
}

/// Settings to decode what was made with these.
fn as_decoded(options: &Options) -> DecodeOptions {
    let decode = DecodeOptions {
        threads: options.threads,
        max_memory: u64::MAX,
        ..DecodeOptions::default()
    };
    let decode = (options.candidates().into_iter()).fold(decode, DecodeOptions::model);
    match &options.prior {
        Some(prior) => decode.prior(prior.clone()),
        None => decode,
    }
}

/// What goes into a frame.
struct Content<'a> {
    /// How many bytes of content that is.
    length: usize,
    /// How it is coded; none where there is none.
    plan: Option<codec::Plan>,
    /// The content, or what is left of it…
    bytes: Cow<'a, [u8]>,
    /// …where some of it is copied, and the checksum of all of it.
    copied: Option<(Copied, u32)>,
}

impl Content<'_> {
    fn none() -> Self {
        Content {
            length: 0,
            plan: None,
            bytes: Cow::Borrowed(&[]),
            copied: None,
        }
    }
}

/// A frame of which it is known how it is to be coded.
pub(crate) struct Begun<'a> {
    content: Content<'a>,
    is_first: bool,
    /// What is told before the first frame of how far back later ones are copied from.
    window: Option<u8>,
    last: bool,
    number: u64,
    /// Where its content begins in the member.
    offset: u64,
    memory: u64,
    meter: Meter,
    verify: Option<DecodeOptions>,
}

/// What is told of a frame that is stored.
fn stored() -> FrameStats {
    FrameStats {
        mode: Mode::Stored,
        ..FrameStats::default()
    }
}

/// A frame's bytes, with the magic number before the first one, and what was done if it has content.
pub(crate) struct Made {
    bytes: Vec<u8>,
    stats: Option<FrameStats>,
}

impl Begun<'_> {
    /// Whether it keeps all threads busy by itself.
    pub(crate) fn takes_all_threads(&self) -> bool {
        let plan = self.content.plan.as_ref();
        plan.is_some_and(codec::Plan::takes_all_threads)
    }

    /// The memory in bytes that coding it takes, roughly, if it takes one thread.
    pub(crate) fn memory(&self) -> u64 {
        self.memory
    }

    pub(crate) fn code(mut self) -> Result<Made> {
        let mut bytes = Vec::new();
        if self.is_first {
            bytes.extend(MAGIC);
        }
        if let Some(log2) = self.window {
            Header::control(Kind::Window { log2 }, 0, false).write(&mut bytes);
        }
        let stats = match self.content.length {
            0 if self.last => {
                Header::control(Kind::End, 0, true).write(&mut bytes);
                None
            }
            0 => None,
            _ => Some(self.content_frame(&mut bytes)?),
        };
        Ok(Made { bytes, stats })
    }

    fn content_frame(&mut self, out: &mut Vec<u8>) -> Result<FrameStats> {
        let length = self.content.length;
        let start = out.len();
        let mut stats = match self.content.copied.take() {
            None => self.frame(self.offset, self.last, out)?,
            Some((copied, sum)) => {
                let mut rest = Vec::new();
                self.meter.scale(length, self.content.bytes.len());
                let stats = self.frame(0, false, &mut rest)?;
                self.meter.scale(1, 1);
                let (header, payload) = copied.frame(&rest, sum, self.last)?;
                header.write(out);
                out.extend(&payload);
                self.content.copied = Some((copied, sum));
                FrameStats {
                    mode: Mode::Copied,
                    payload_bytes: payload.len() as u64,
                    ..stats
                }
            }
        };
        if let Some(options) = &self.verify {
            self.verify(&out[start..], options)?;
        }
        stats.content_bytes = length as u64;
        self.meter.at(length, out.len());
        Ok(stats)
    }

    /// The frame of the content, or of what is left of it, if anything is.
    fn frame(&mut self, offset: u64, last: bool, out: &mut Vec<u8>) -> Result<FrameStats> {
        let Content { plan, bytes, .. } = &mut self.content;
        let Some(mut plan) = plan.take() else {
            return Ok(FrameStats::default());
        };
        let sum = checksum(bytes, offset);
        let filter = match bytes {
            Cow::Owned(content) => plan.filter(content),
            Cow::Borrowed(_) => None,
        };
        let made = plan.frame(bytes, last, sum, &self.meter);
        if let (Some(filter), Cow::Owned(content)) = (filter, bytes) {
            filter.undo_all(content);
        }
        let (header, coded) = made?;
        let content: &[u8] = &self.content.bytes;
        let payload = coded.as_ref().map_or(content, |coded| &coded.payload);
        header.write(out);
        out.extend(payload);
        let payload_bytes = payload.len() as u64;
        let mut stats = coded.map_or_else(stored, |coded| coded.stats);
        stats.payload_bytes = payload_bytes;
        Ok(stats)
    }

    /// Decodes the frame as it is written, and compares: whether what is copied is right was asked when it began.
    fn verify(&self, frame: &[u8], options: &DecodeOptions) -> Result<()> {
        let mut payload = frame;
        let decoded = Header::read(&mut payload).and_then(|header| {
            let found = Found {
                header,
                frame: self.number,
                member: 1,
                offset: self.offset,
            };
            FrameDecoder::new(options.clone())
                .begin(&found)
                .decode(payload)
        });
        let is_same = |ready: &Ready| {
            let recipe = match (&ready.recipe, &self.content.copied) {
                (None, None) => true,
                (Some(recipe), Some((copied, _))) => copied.is(recipe),
                _ => false,
            };
            recipe && ready.content == *self.content.bytes
        };
        match decoded {
            Ok(ready) if is_same(&ready) => Ok(()),
            _ => Err(Error::Verification { frame: self.number }),
        }
    }
}

/// Cuts what a reader gives into contents of frames, and knows which one is the last.
pub(crate) struct FrameSource<R> {
    pub reader: R,
    frame_size: usize,
    /// The byte that was read ahead to see whether there is more.
    ahead: Vec<u8>,
}

impl<R: Read> FrameSource<R> {
    pub(crate) fn new(reader: R, frame_size: usize) -> FrameSource<R> {
        FrameSource {
            reader,
            frame_size,
            ahead: Vec::new(),
        }
    }

    /// Fills `content` up to the next frame's content, behind what is left of the frame before (not all of it), and says whether it is the last.
    pub(crate) fn next(&mut self, content: &mut Vec<u8>) -> Result<bool> {
        content.append(&mut self.ahead);
        let room = (self.frame_size - content.len()) as u64;
        self.reader
            .by_ref()
            .take(room)
            .read_to_end(content)
            .map_err(Error::Read)?;
        if content.len() < self.frame_size {
            return Ok(true);
        }
        self.reader
            .by_ref()
            .take(1)
            .read_to_end(&mut self.ahead)
            .map_err(Error::Read)?;
        Ok(self.ahead.is_empty())
    }
}
