//! Looking inside without decoding: headers only.

use std::collections::{BTreeSet, VecDeque};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;

pub use crate::codec::filter::Filter;
use crate::codec::{self, copied, mixed, unpacked};
use crate::error::{Error, Result};
use crate::format::{Counted, Header, Kind};
use crate::member::{Found, FrameDecoder, Scanner, ahead};
use crate::model::ModelRef;
use crate::options::{DecodeOptions, Mode};
use crate::prior::PriorId;
use crate::stats::Stats;

/// What the headers of some vatic data say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// Members, each with a magic number, one after the other.
    pub members: u64,
    /// Bytes of content, the uncompressed side.
    pub content_bytes: u64,
    /// Bytes of vatic data.
    pub coded_bytes: u64,
    /// Frames of other people's data, which decoders pass over.
    pub skippable: u64,
    /// Every frame that has content, in order.
    pub frames: Vec<FrameInfo>,
}

/// What one frame's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameInfo {
    /// The number of the member it belongs to, from 0.
    pub member: u64,
    /// Where its payload begins in the data.
    pub payload_offset: u64,
    /// Bytes of payload.
    pub payload_bytes: u64,
    /// Where its content begins in the content of all members together.
    pub content_offset: u64,
    /// Bytes of content.
    pub content_bytes: u64,
    /// How it is coded.
    pub mode: Mode,
    /// Streams coded in lockstep.
    pub streams: u32,
    /// Whether experts worked thoroughly ([`Options::thorough`](crate::Options::thorough)).
    pub thorough: bool,
    /// Whether work beside the transformer was light ([`Options::light`](crate::Options::light)).
    pub light: bool,
    /// What was done to machine code in it.
    pub filter: Option<Filter>,
    /// The model it was made with; of a mixed frame, that of its part of text. What is said of an unpacked one is how what was unpacked is coded.
    pub model: Option<ModelRef>,
    /// The prior it was made with.
    pub prior: Option<PriorId>,
    /// log2 of the cap of the experts' tables in bytes; `None` when it is stored.
    pub memory_log2: Option<u8>,
    /// The checksum of its content.
    pub checksum: u32,
}

impl FrameInfo {
    /// Notes what a header says of how it is coded: the frame's own, or that of the frame within it.
    fn tell(&mut self, header: &Header) {
        let parts = &header.parts;
        self.streams = 1 << parts.streams_log2;
        self.thorough = parts.thorough;
        self.light = parts.light;
        self.filter = parts.filter;
        self.model = parts.model;
        self.prior = parts.prior;
        let coded = matches!(header.kind, Kind::Bytes | Kind::Tokens);
        self.memory_log2 = coded.then_some(parts.memory_log2);
    }
}

/// Reads the headers of `reader` and passes over everything else.
///
/// ```
/// let packed = vatic::compress(&[b'a'; 1000], &vatic::Options::new())?;
/// let info = vatic::info::list(std::io::Cursor::new(&packed))?;
/// assert_eq!((info.content_bytes, info.coded_bytes, info.frames.len()), (1000, packed.len() as u64, 1));
/// # Ok::<(), vatic::Error>(())
/// ```
///
/// # Errors
/// The same as decoding has for headers; [`Error::Truncated`] when a payload is not all there.
pub fn list(reader: impl Read + Seek) -> Result<Info> {
    scan(reader).map(|(info, ..)| info)
}

/// What the headers say, those of all frames with content, and those of windows.
fn scan(mut reader: impl Read + Seek) -> Result<(Info, Vec<Found>, Vec<Found>)> {
    let length = reader.seek(SeekFrom::End(0)).map_err(Error::Read)?;
    reader.rewind().map_err(Error::Read)?;
    let mut reader = Counted {
        inner: std::io::BufReader::with_capacity(512, reader),
        count: 0,
    };
    let mut scanner = Scanner::default();
    let mut info = Info {
        coded_bytes: length,
        ..Info::default()
    };
    let (mut all, mut windows) = (Vec::new(), Vec::new());
    while let Some(found) = scanner.next(&mut reader)? {
        let header = &found.header;
        if u64::from(header.payload) > length.saturating_sub(reader.count) {
            return Err(Error::Truncated);
        }
        if header.content > 0 {
            let mut frame = FrameInfo {
                member: scanner.members - 1,
                payload_offset: reader.count,
                payload_bytes: header.payload.into(),
                content_offset: info.content_bytes,
                content_bytes: header.content.into(),
                mode: match header.kind {
                    Kind::Tokens => Mode::Tokens,
                    Kind::Bytes => Mode::Bytes,
                    Kind::Mixed => Mode::Mixed,
                    Kind::Unpacked => Mode::Unpacked,
                    Kind::Copied => Mode::Copied,
                    _ => Mode::Stored,
                },
                streams: 1,
                thorough: false,
                light: false,
                filter: None,
                model: None,
                prior: None,
                memory_log2: None,
                checksum: header.checksum,
            };
            frame.tell(header);
            info.frames.push(frame);
            info.content_bytes += u64::from(header.content);
            all.push(found);
        }
        info.skippable += u64::from(header.kind == Kind::Skippable);
        if let Kind::Window { .. } = header.kind {
            windows.push(found);
        }
        if matches!(header.kind, Kind::Mixed | Kind::Unpacked | Kind::Copied)
            && let Some(frame) = info.frames.last_mut()
        {
            // What is wrong inside is for the decoder to say.
            if let Ok(inside) = header_within(header, &mut reader.inner) {
                frame.tell(&inside);
            }
            let payload = SeekFrom::Start(reader.count);
            reader.inner.seek(payload).map_err(Error::Read)?;
        }
        reader
            .inner
            .seek_relative(header.payload.into())
            .map_err(Error::Read)?;
        reader.count += u64::from(header.payload);
    }
    info.members = scanner.members;
    Ok((info, all, windows))
}

/// The header that says how a frame with others within is coded: its own with the model of what is within, or that of the content within.
fn header_within(header: &Header, payload: &mut (impl Read + Seek)) -> Result<Header> {
    let mut header = *header;
    if header.kind == Kind::Copied {
        header = copied::header_within(&header, payload)?;
    }
    match header.kind {
        Kind::Mixed => {
            header.parts.model = mixed::model_within(header.content as usize, payload)?;
            Ok(header)
        }
        Kind::Unpacked => unpacked::header_within(payload),
        _ => Ok(header),
    }
}

/// Decodes everything, checks it and throws it away.
///
/// # Errors
/// The same as decoding has.
pub fn check(reader: impl Read, options: &DecodeOptions) -> Result<Stats> {
    crate::copy_decompress(reader, std::io::sink(), options)
}

/// Writes the bytes `range` of the content to `writer`, decoding only the frames that hold them, and those that they copy from, side by side where they do not keep all
/// threads busy. A range that reaches over the end of the content is cut there. What is told counts the bytes written as content.
///
/// Each frame is decoded whole and checked before anything of it is written. With [`DecodeOptions::at_once`] its bytes are written as they are
/// decoded, and decoding stops where the range ends: of a long frame that takes as long as the bytes up to there. The last frame
/// is then checked only if all of it was decoded, as it is if the range reaches to its end; those before it always are.
///
/// ```
/// let text = b"0123456789".repeat(20_000);
/// let packed = vatic::compress(&text, &vatic::Options::new().model(None).frame_size(1 << 16))?;
/// let mut part = Vec::new();
/// let options = vatic::DecodeOptions::new();
/// let stats = vatic::decompress_range(std::io::Cursor::new(&packed), 100_003..100_010, &mut part, &options)?;
/// assert_eq!(part, b"3456789");
/// assert_eq!(stats.frames.len(), 1); // of four
/// # Ok::<(), vatic::Error>(())
/// ```
///
/// # Errors
/// The same as decoding has for the frames that are needed and for all headers; [`Error::Setting`] when the range begins
/// after the end of the content.
pub fn decompress_range(
    mut reader: impl Read + Seek,
    range: Range<u64>,
    mut writer: impl Write,
    options: &DecodeOptions,
) -> Result<Stats> {
    let (info, found, windows) = scan(&mut reader)?;
    if range.start > info.content_bytes {
        return Err(Error::setting(format!(
            "the range begins at byte {} and the content has {} bytes",
            range.start, info.content_bytes
        )));
    }
    let needed = needed(&mut reader, &range, &info, &found, options)?;
    // Where the next bytes that are decoded stand in the content.
    let mut places: VecDeque<Range<u64>> = (needed.iter())
        .map(|&n| {
            info.frames[n].content_offset
                ..info.frames[n].content_offset + info.frames[n].content_bytes
        })
        .collect();
    // Windows come before the frames that stand behind them.
    let mut all: VecDeque<(Found, Option<&FrameInfo>)> = VecDeque::new();
    let mut windows = windows.into_iter().peekable();
    for &n in &needed {
        while let Some(window) = windows.next_if(|window| window.frame <= found[n].frame) {
            all.push_back((window, None));
        }
        all.push_back((found[n], Some(&info.frames[n])));
    }
    let mut written = 0;
    let next = |decoder: &mut FrameDecoder| {
        let Some((found, frame)) = all.pop_front() else {
            return Ok(None);
        };
        let (mut payload, mut wanted) = (Vec::new(), 0);
        if let Some(frame) = frame {
            decoder.admit(&found.header)?;
            read_payload(&mut reader, frame, decoder, &found, &mut payload)?;
            decoder.count(frame.payload_bytes, payload.len());
            // Others are needed whole, for what is copied from them.
            wanted = match range.start < frame.content_offset + frame.content_bytes {
                true => frame.content_bytes.min(range.end - frame.content_offset),
                false => frame.content_bytes,
            };
        }
        Ok(Some(ahead::Coded {
            found,
            payload,
            wanted: wanted as usize,
        }))
    };
    let give = |content: Vec<u8>| {
        let Some(place) = places.front_mut() else {
            return Ok(());
        };
        let (at, length) = (place.start, content.len() as u64);
        place.start += length;
        if place.is_empty() {
            places.pop_front();
        }
        let within = |place: u64| place.saturating_sub(at).min(length) as usize;
        let part = &content[within(range.start)..within(range.end)];
        if part.is_empty() {
            return Ok(());
        }
        written += part.len() as u64;
        writer.write_all(part).map_err(Error::Write)?;
        match options.at_once {
            true => writer.flush().map_err(Error::Write),
            false => Ok(()),
        }
    };
    let stats = ahead::decode(options, true, next, give)?;
    writer.flush().map_err(Error::Write)?;
    Ok(Stats {
        content_bytes: written,
        ..stats
    })
}

/// The numbers of the frames that hold the range, and of those that they copy from, in order.
fn needed(
    reader: &mut (impl Read + Seek),
    range: &Range<u64>,
    info: &Info,
    found: &[Found],
    options: &DecodeOptions,
) -> Result<Vec<usize>> {
    let decoder = codec::Decoder::new(options);
    let frames = |range: Range<u64>| {
        let first =
            (info.frames).partition_point(|of| of.content_offset + of.content_bytes <= range.start);
        let last = info
            .frames
            .partition_point(|of| of.content_offset < range.end);
        first..last.max(first)
    };
    let mut needed: BTreeSet<usize> = match range.is_empty() {
        true => BTreeSet::new(),
        false => frames(range.clone()).collect(),
    };
    let mut next = needed.last().copied();
    while let Some(n) = next {
        let (frame, header) = (&info.frames[n], &found[n].header);
        if header.kind == Kind::Copied {
            decoder.admit(header)?;
            let payload_at = SeekFrom::Start(frame.payload_offset);
            reader.seek(payload_at).map_err(Error::Read)?;
            let mut payload = Vec::new();
            (reader.by_ref().take(frame.payload_bytes))
                .read_to_end(&mut payload)
                .map_err(Error::Read)?;
            let open = decoder.open(header, &payload, frame.content_bytes as usize)?;
            for source in copied::sources(&open.recipe, frame.content_bytes as usize) {
                let source = source?;
                let place = |back: u64| frame.content_offset.saturating_sub(back);
                let sources = frames(place(source.end)..place(source.start));
                needed.extend(sources.filter(|&source| info.frames[source].member == frame.member));
            }
        }
        next = needed.range(..n).next_back().copied();
    }
    Ok(needed.into_iter().collect())
}

fn read_payload(
    reader: &mut (impl Read + Seek),
    frame: &FrameInfo,
    decoder: &mut FrameDecoder,
    found: &Found,
    payload: &mut Vec<u8>,
) -> Result<()> {
    let payload_at = SeekFrom::Start(frame.payload_offset);
    reader.seek(payload_at).map_err(Error::Read)?;
    decoder.payload(&found.header, reader, payload)
}
