//! One frame's header: parsed from a reader, written to a buffer.

use std::io::{self, Read};

use super::{DEFAULT_MEMORY_LOG2, MAX_FRAME_SIZE, MAX_STREAMS_LOG2, MEMORY_LOG2, WINDOW_LOG2};
use crate::codec::filter::Filter;
use crate::error::{Error, Result};
use crate::model::{ModelId, ModelRef};
use crate::prior::PriorId;

const STORED: u8 = 0;
const BYTES: u8 = 1;
const TOKENS: u8 = 2;
const CONTROL: u8 = 3;

const CONTROL_END: u8 = 0;
const CONTROL_SKIPPABLE: u8 = 1;
const CONTROL_MIXED: u8 = 2;
const CONTROL_UNPACKED: u8 = 3;
const CONTROL_COPIED: u8 = 4;
const CONTROL_WINDOW: u8 = 5;

const LAST: u8 = 1 << 5;

/// The class in the descriptor that says "a settings byte follows", which has the class proper.
const SETTINGS: u8 = 3;
/// By class: bits of the content length less one, and of the payload length. Together they are whole bytes; class 3 needs
/// a settings byte, class 2 holds what frames of the usual size come to when they shrink to a quarter.
const LENGTH_BITS: [[u32; 2]; 4] = [[12, 12], [20, 20], [25, 23], [28, 28]];
const HAS_MEMORY: u8 = 1 << 2;
const HAS_PRIOR: u8 = 1 << 3;
const HAS_FULL_MODEL: u8 = 1 << 4;
const HAS_EXPERTS: u8 = 1 << 5;
const IS_LIGHT: u8 = 1 << 6;
const RESERVED: u8 = 1 << 7;

/// In the detail of frames of bytes: experts work thoroughly.
const THOROUGH: u8 = 1;
/// The rest of it, and what it says.
const FILTERS: [Option<Filter>; 4] = [
    None,
    Some(Filter::X86),
    Some(Filter::X86_64),
    Some(Filter::Arm64),
];

/// How a frame of bytes is coded, as its detail.
fn bytes_detail(parts: &Parts) -> u8 {
    let filter = FILTERS.iter().position(|&filter| filter == parts.filter);
    let thorough = if parts.thorough { THOROUGH } else { 0 };
    thorough | (filter.unwrap_or_default() as u8) << 1
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The content as it is.
    Stored,
    /// Experts over the tree of 256 bytes.
    Bytes,
    /// Transformer and experts over the tree of the model's tokens.
    Tokens,
    /// Stretches of different kinds: frames of the others within a frame.
    Mixed,
    /// Content whose deflate streams, progressive pictures and Base64 were taken apart: two frames of the others within a frame.
    Unpacked,
    /// Content parts of which occurred before: what to copy from where, and a frame of the others with what is left, within a frame.
    Copied,
    /// No content; says that what comes may be copied from so far before a frame, as log2.
    Window {
        /// In [`WINDOW_LOG2`].
        log2: u8,
    },
    /// No content; ends a member whose writer did not know that the frame before was the last.
    End,
    /// Data of somebody else's, to be passed over.
    Skippable,
}

/// The fields that only frames of kind `Bytes` and `Tokens` have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// log2 of the number of streams; 0 for `Bytes`.
    pub streams_log2: u8,
    /// Whether experts worked thoroughly; only for `Bytes`.
    pub thorough: bool,
    /// Whether work was light; only for `Tokens`.
    pub light: bool,
    /// What stands in place of distances; only for `Bytes`.
    pub filter: Option<Filter>,
    /// The model, for `Tokens`.
    pub model: Option<ModelRef>,
    /// log2 of the cap of the experts' tables in bytes.
    pub memory_log2: u8,
    /// Which experts take part; `None` for all.
    pub experts: Option<u64>,
    /// The learnt state that the experts start from.
    pub prior: Option<PriorId>,
}

impl Default for Parts {
    fn default() -> Parts {
        Parts {
            streams_log2: 0,
            thorough: false,
            light: false,
            filter: None,
            model: None,
            memory_log2: DEFAULT_MEMORY_LOG2,
            experts: None,
            prior: None,
        }
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub kind: Kind,
    /// Whether the member ends with this frame.
    pub last: bool,
    /// Bytes that the frame decodes to; 0 for `End` and `Skippable`.
    pub content: u32,
    /// Bytes that follow the header.
    pub payload: u32,
    /// The fields of coded frames.
    pub parts: Parts,
    /// The content's checksum; 0 for `End` and `Skippable`.
    pub checksum: u32,
}

impl Header {
    /// A frame without content: `End`, `Window`, or `Skippable` with so many bytes of data.
    pub(crate) fn control(kind: Kind, payload: u32, last: bool) -> Header {
        Header {
            kind,
            last,
            content: 0,
            payload,
            parts: Parts::default(),
            checksum: 0,
        }
    }

    /// How many bytes [`write`](Header::write) appends.
    pub(crate) fn size(&self) -> usize {
        let mut out = Vec::with_capacity(40);
        self.write(&mut out);
        out.len()
    }

    /// Appends the header's bytes.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let last = if self.last { LAST } else { 0 };
        match self.kind {
            Kind::End => out.push(CONTROL | CONTROL_END << 2 | last),
            Kind::Skippable => {
                out.push(CONTROL | CONTROL_SKIPPABLE << 2 | last);
                out.extend(self.payload.to_le_bytes());
            }
            Kind::Window { log2 } => out.extend([CONTROL | CONTROL_WINDOW << 2 | last, log2]),
            Kind::Mixed | Kind::Unpacked | Kind::Copied => {
                let detail = match self.kind {
                    Kind::Mixed => CONTROL_MIXED,
                    Kind::Unpacked => CONTROL_UNPACKED,
                    _ => CONTROL_COPIED,
                };
                out.push(CONTROL | detail << 2 | last);
                for field in [self.content, self.payload, self.checksum] {
                    out.extend(field.to_le_bytes());
                }
            }
            Kind::Stored => {
                let length = self.content.to_le_bytes();
                let class = 3 - (self.content.leading_zeros() as u8 / 8).min(3);
                out.push(STORED | last | class << 6);
                out.extend(&length[..usize::from(class) + 1]);
                out.extend(self.checksum.to_le_bytes());
            }
            Kind::Bytes | Kind::Tokens => self.write_coded(last, out),
        }
    }

    fn write_coded(&self, last: u8, out: &mut Vec<u8>) {
        let parts = &self.parts;
        let content = self.content - 1;
        let fits = |[c, p]: [u32; 2]| content >> c == 0 && self.payload >> p == 0;
        let class = LENGTH_BITS.iter().position(|&bits| fits(bits)).unwrap_or(3) as u8;
        let mut settings = 0;
        if parts.memory_log2 != DEFAULT_MEMORY_LOG2 {
            settings |= HAS_MEMORY;
        }
        if parts.prior.is_some() {
            settings |= HAS_PRIOR;
        }
        if matches!(parts.model, Some(ModelRef::Full(_))) {
            settings |= HAS_FULL_MODEL;
        }
        if parts.experts.is_some() {
            settings |= HAS_EXPERTS;
        }
        if parts.light {
            settings |= IS_LIGHT;
        }
        let (kind, detail) = match self.kind {
            Kind::Bytes => (BYTES, bytes_detail(parts)),
            _ => (TOKENS, parts.streams_log2),
        };
        let descriptor = kind | detail << 2 | last;
        if settings == 0 && class != SETTINGS {
            out.push(descriptor | class << 6);
        } else {
            out.extend([descriptor | SETTINGS << 6, settings | class]);
        }
        let [c, p] = LENGTH_BITS[usize::from(class)];
        let lengths = u64::from(content) | u64::from(self.payload) << c;
        out.extend(&lengths.to_le_bytes()[..(c + p) as usize / 8]);
        match parts.model {
            Some(ModelRef::Short(id)) => out.extend(id),
            Some(ModelRef::Full(id)) => out.extend(id.0),
            None => {}
        }
        if settings & HAS_MEMORY != 0 {
            out.push(parts.memory_log2);
        }
        if let Some(experts) = parts.experts {
            out.extend(experts.to_le_bytes());
        }
        if let Some(prior) = parts.prior {
            out.extend(prior.0);
        }
        out.extend(self.checksum.to_le_bytes());
    }

    /// Reads one header.
    ///
    /// # Errors
    /// [`Error::Truncated`] when the reader ends first, [`Error::Corrupt`] and [`Error::Unsupported`] for what no writer of
    /// this version makes.
    pub(crate) fn read(reader: &mut impl Read) -> Result<Header> {
        let [descriptor] = bytes(reader)?;
        let last = descriptor & LAST != 0;
        let field = descriptor >> 2 & 7;
        let class = descriptor >> 6;
        match descriptor & 3 {
            CONTROL => read_control(reader, field, last, class),
            STORED => {
                if field != 0 {
                    return Err(Error::corrupt(
                        "a stored frame claims to have several streams",
                    ));
                }
                let mut length = [0; 4];
                fill(reader, &mut length[..usize::from(class) + 1])?;
                let content = plausible_content(u32::from_le_bytes(length))?;
                let checksum = u32::from_le_bytes(bytes(reader)?);
                Ok(Header {
                    kind: Kind::Stored,
                    last,
                    content,
                    payload: content,
                    parts: Parts::default(),
                    checksum,
                })
            }
            kind => read_coded(reader, kind, field, last, class),
        }
    }
}

fn read_control(reader: &mut impl Read, field: u8, last: bool, class: u8) -> Result<Header> {
    if class != 0 {
        return Err(Error::corrupt(
            "a frame of a kind without length classes has one",
        ));
    }
    match field {
        CONTROL_END if last => Ok(Header::control(Kind::End, 0, true)),
        CONTROL_END => Err(Error::corrupt("an end frame does not end anything")),
        CONTROL_SKIPPABLE => Ok(Header::control(
            Kind::Skippable,
            u32::from_le_bytes(bytes(reader)?),
            last,
        )),
        CONTROL_WINDOW => {
            let [log2] = bytes(reader)?;
            if last || !WINDOW_LOG2.contains(&log2) {
                return Err(Error::corrupt(format!(
                    "a frame asks for a window of 2^{log2} bytes, or ends with that"
                )));
            }
            Ok(Header::control(Kind::Window { log2 }, 0, false))
        }
        CONTROL_MIXED | CONTROL_UNPACKED | CONTROL_COPIED => {
            let content = plausible_content(u32::from_le_bytes(bytes(reader)?))?;
            let payload = plausible_payload(u32::from_le_bytes(bytes(reader)?), content)?;
            Ok(Header {
                kind: match field {
                    CONTROL_MIXED => Kind::Mixed,
                    CONTROL_UNPACKED => Kind::Unpacked,
                    _ => Kind::Copied,
                },
                last,
                content,
                payload,
                parts: Parts::default(),
                checksum: u32::from_le_bytes(bytes(reader)?),
            })
        }
        other => Err(Error::Unsupported {
            what: format!("a frame of kind {other}"),
        }),
    }
}

fn read_coded(
    reader: &mut impl Read,
    kind: u8,
    detail: u8,
    last: bool,
    class: u8,
) -> Result<Header> {
    let (streams_log2, thorough, filter) = if kind == BYTES {
        let filter = FILTERS[usize::from(detail >> 1) & 3];
        (0, detail & THOROUGH != 0, filter)
    } else {
        (detail, false, None)
    };
    debug_assert!(streams_log2 <= MAX_STREAMS_LOG2);
    let (class, settings) = if class == SETTINGS {
        let [settings] = bytes(reader)?;
        if settings & RESERVED != 0 {
            return Err(Error::Unsupported {
                what: format!("settings {settings:#04x}"),
            });
        }
        (settings & 3, settings & !3)
    } else {
        (class, 0)
    };
    if settings & HAS_FULL_MODEL != 0 && kind == BYTES {
        return Err(Error::corrupt("a frame of bytes names a model"));
    }
    let light = settings & IS_LIGHT != 0;
    if light && kind == BYTES {
        return Err(Error::corrupt(
            "a frame of bytes claims that work beside a model was light",
        ));
    }
    let [c, p] = LENGTH_BITS[usize::from(class)];
    let mut lengths = [0; 8];
    fill(reader, &mut lengths[..(c + p) as usize / 8])?;
    let lengths = u64::from_le_bytes(lengths);
    let content = (lengths & ((1 << c) - 1)) as u32 + 1;
    let payload = plausible_payload((lengths >> c) as u32, content)?;
    let mut parts = Parts {
        streams_log2,
        thorough,
        light,
        filter,
        ..Parts::default()
    };
    if kind == TOKENS {
        parts.model = Some(if settings & HAS_FULL_MODEL != 0 {
            ModelRef::Full(ModelId(bytes(reader)?))
        } else {
            ModelRef::Short(bytes(reader)?)
        });
    }
    if settings & HAS_MEMORY != 0 {
        let [memory_log2] = bytes(reader)?;
        if !MEMORY_LOG2.contains(&memory_log2) {
            return Err(Error::corrupt(format!(
                "a frame asks for tables of 2^{memory_log2} bytes"
            )));
        }
        parts.memory_log2 = memory_log2;
    }
    if settings & HAS_EXPERTS != 0 {
        parts.experts = Some(u64::from_le_bytes(bytes(reader)?));
    }
    if settings & HAS_PRIOR != 0 {
        if thorough || light {
            let how = if light { "lightly" } else { "thoroughly" };
            return Err(Error::corrupt(format!(
                "a frame that was coded {how} names a prior"
            )));
        }
        parts.prior = Some(PriorId(bytes(reader)?));
    }
    let kind = if kind == BYTES {
        Kind::Bytes
    } else {
        Kind::Tokens
    };
    Ok(Header {
        kind,
        last,
        content,
        payload,
        parts,
        checksum: u32::from_le_bytes(bytes(reader)?),
    })
}

fn plausible_content(content: u32) -> Result<u32> {
    match content {
        0 => Err(Error::corrupt("a frame claims to have no content")),
        n if n as usize > MAX_FRAME_SIZE => Err(Error::corrupt(format!(
            "a frame claims {n} bytes of content; {MAX_FRAME_SIZE} is the most that a frame has"
        ))),
        n => Ok(n),
    }
}

fn plausible_payload(payload: u32, content: u32) -> Result<u32> {
    if payload > content {
        return Err(Error::corrupt(
            "a frame is larger than its content, which no writer makes",
        ));
    }
    Ok(payload)
}

fn bytes<const N: usize>(reader: &mut impl Read) -> Result<[u8; N]> {
    let mut out = [0; N];
    fill(reader, &mut out)?;
    Ok(out)
}

fn fill(reader: &mut impl Read, out: &mut [u8]) -> Result<()> {
    reader.read_exact(out).map_err(Error::reading)
}

/// Counts what is read through it.
pub(crate) struct Counted<R> {
    pub inner: R,
    pub count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(out)?;
        self.count += n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts() -> impl Strategy<Value = (Kind, Parts)> {
        let model = prop_oneof![
            any::<[u8; 1]>().prop_map(ModelRef::Short),
            any::<[u8; 8]>().prop_map(|id| ModelRef::Full(ModelId(id))),
        ];
        let prior = proptest::option::of(any::<[u8; 8]>().prop_map(PriorId));
        (
            any::<bool>(),
            any::<bool>(),
            prop::sample::select(&FILTERS[..]),
            0..=7u8,
            model,
            MEMORY_LOG2,
            proptest::option::of(any::<u64>()),
            prior,
        )
            .prop_map(
                |(tokens, unusual, filter, streams_log2, model, memory_log2, experts, prior)| {
                    if tokens {
                        (
                            Kind::Tokens,
                            Parts {
                                streams_log2,
                                light: unusual,
                                model: Some(model),
                                memory_log2,
                                experts,
                                prior: prior.filter(|_| !unusual),
                                ..Parts::default()
                            },
                        )
                    } else {
                        (
                            Kind::Bytes,
                            Parts {
                                thorough: unusual,
                                filter,
                                memory_log2,
                                experts,
                                prior: prior.filter(|_| !unusual),
                                ..Parts::default()
                            },
                        )
                    }
                },
            )
    }

    proptest! {
        #[test]
        fn coded_headers_come_back(
            (kind, parts) in parts(), bits in 1..=28u32, a in any::<u32>(), b in any::<u32>(),
            last in any::<bool>(), checksum in any::<u32>(),
        ) {
            let content = a % (1 << bits) + 1;
            let header = Header { kind, last, content, payload: b % (content + 1), parts, checksum };
            let mut out = Vec::new();
            header.write(&mut out);
            let mut rest = &out[..];
            prop_assert_eq!(Header::read(&mut rest).unwrap(), header);
            prop_assert!(rest.is_empty());
            for cut in 0..out.len() {
                prop_assert!(matches!(Header::read(&mut &out[..cut]), Err(Error::Truncated)));
            }
        }

        #[test]
        fn stored_headers_come_back(bits in 0..=28u32, a in any::<u32>(), last in any::<bool>(), checksum in any::<u32>()) {
            let content = a % (1 << bits) + 1;
            let header = Header { kind: Kind::Stored, last, content, payload: content, parts: Parts::default(), checksum };
            let mut out = Vec::new();
            header.write(&mut out);
            prop_assert!(out.len() <= 9);
            prop_assert_eq!(Header::read(&mut &out[..]).unwrap(), header);
        }

        #[test]
        fn any_bytes_are_a_header_or_an_error(data in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(header) = Header::read(&mut &data[..]) {
                prop_assert!(header.content as usize <= MAX_FRAME_SIZE);
                prop_assert!(header.kind == Kind::Skippable || header.payload <= header.content);
            }
        }
    }

    #[test]
    fn a_thorough_frame_has_no_prior() {
        let descriptor = |detail: u8| [BYTES | detail << 2 | 3 << 6, HAS_PRIOR, 1, 0, 0];
        let read =
            |detail| Header::read(&mut [&descriptor(detail)[..], &[0; 12]].concat().as_slice());
        assert!(read(0).is_ok_and(|header| header.parts.prior.is_some()));
        // What a prior has learnt is of the usual size.
        assert!(matches!(read(THOROUGH), Err(Error::Corrupt { .. })));
    }

    #[test]
    fn a_light_frame_has_a_model_and_no_prior() {
        let read = |kind: u8, settings: u8| {
            let descriptor = [kind | 3 << 6, settings, 1, 0, 0];
            Header::read(&mut [&descriptor[..], &[0; 20]].concat().as_slice())
        };
        assert!(read(TOKENS, IS_LIGHT).is_ok_and(|header| header.parts.light));
        assert!(read(TOKENS, HAS_PRIOR).is_ok_and(|header| !header.parts.light));
        for (kind, settings) in [(TOKENS, IS_LIGHT | HAS_PRIOR), (BYTES, IS_LIGHT)] {
            assert!(matches!(read(kind, settings), Err(Error::Corrupt { .. })));
        }
        let newer = read(TOKENS, RESERVED);
        assert!(matches!(newer, Err(Error::Unsupported { .. })));
    }

    #[test]
    fn a_one_frame_file_of_text_has_16_bytes_of_overhead() {
        let parts = Parts {
            streams_log2: 5,
            model: Some(ModelRef::Short([1])),
            ..Parts::default()
        };
        let size = |content: u32| {
            let mut out = Vec::new();
            Header {
                kind: Kind::Tokens,
                last: true,
                content,
                payload: (content / 4).saturating_sub(1),
                parts,
                checksum: 1,
            }
            .write(&mut out);
            out.len() + 4
        };
        assert_eq!(
            [size(1 << 12), size(1 << 20), size(1 << 25), size(1 << 28)],
            [13, 15, 16, 18]
        );
    }
}
