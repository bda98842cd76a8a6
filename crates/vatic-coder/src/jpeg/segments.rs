//! The marker segments of a JPEG stream (ITU-T T.81, annex B): what a scan needs to be read.

use crate::history::Recent;
use std::sync::{Arc, LazyLock};
use vatic_jpeg::{Frame, Huffman, Part};

/// Markers that start a stream, and the first byte of the next.
const START: u64 = 0xFF_D8_FF;

/// Whether a marker's segment is read or may be passed over: sequential frames, tables, scans, what applications add, comments.
pub fn is_read(marker: u8) -> bool {
    matches!(
        marker,
        0xC0 | 0xC1 | 0xC4 | 0xDA | 0xDB | 0xDD | 0xE0..=0xEF | 0xFE
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No stream, or not one that is understood.
    Outside,
    /// A marker's first byte is to come.
    Marker,
    /// Its second.
    Code,
    /// The length of its segment, of which so much is known.
    Length(u8, Option<u8>),
    /// The segment itself, of which so many bytes are to come of so many.
    Body {
        marker: u8,
        left: usize,
        length: usize,
    },
}

/// Reads segments as they come.
#[derive(Debug, Clone)]
pub struct Segments {
    state: State,
    /// Where the application's segment ends that may have a stream within (a small picture of the large one).
    outer: Option<usize>,
    /// Frame, if one has begun.
    pub frame: Option<Frame>,
    /// By table: the 64 steps, in the order of the scan.
    pub steps: [[u16; 64]; 4],
    /// By kind (first coefficients, all others) and table. Until others are named they are the typical ones, as in the frames of films; and again
    /// where a segment for codes names none.
    pub codes: Codes,
    /// MCUs between two restarts; 0 if there are none.
    pub restart: usize,
    /// Components of the scan that begins.
    pub parts: Vec<Part>,
}

impl Default for Segments {
    fn default() -> Segments {
        Segments {
            state: State::Outside,
            outer: None,
            frame: None,
            steps: [[1; 64]; 4],
            codes: typical(),
            restart: 0,
            parts: Vec::new(),
        }
    }
}

impl Segments {
    /// Whether the segment within which all this stood has just ended; then what follows are segments again.
    #[inline(always)]
    pub fn is_past(&mut self, position: usize) -> bool {
        let past = self.outer == Some(position);
        if past {
            // Each picture has its own, and none as long as none is named.
            (self.state, self.outer, self.restart) = (State::Marker, None, 0);
        }
        past
    }

    /// What follows a scan: a marker, or nothing that is understood.
    pub fn resume(&mut self, is_marker: bool) {
        self.state = match is_marker {
            true => State::Marker,
            false => State::Outside,
        };
    }

    /// Reads the last byte of `recent`: whether a scan begins with the next.
    #[inline(always)]
    pub fn push(&mut self, recent: &Recent) -> bool {
        if self.state == State::Outside {
            if recent.last & 0xFF_FF_FF == START {
                (self.state, self.frame, self.restart) = (State::Code, None, 0);
            }
            return false;
        }
        self.step(recent)
    }

    fn step(&mut self, recent: &Recent) -> bool {
        let byte = recent.back(1);
        self.state = match self.state {
            State::Outside => State::Outside,
            State::Marker if byte == 0xFF => State::Code,
            State::Marker => State::Outside,
            State::Code => match byte {
                0xFF => State::Code,
                marker if is_read(marker) => State::Length(marker, None),
                _ => State::Outside,
            },
            State::Length(marker, None) => State::Length(marker, Some(byte)),
            State::Length(marker, Some(high)) => {
                let length = usize::from(u16::from_be_bytes([high, byte]));
                match length.checked_sub(2) {
                    None => State::Outside,
                    Some(0) => match self.read(marker, &[]) {
                        Some(false) => State::Marker,
                        _ => State::Outside,
                    },
                    Some(length) if (0xE0..0xF0).contains(&marker) && self.outer.is_none() => {
                        self.outer = Some(recent.position + length);
                        State::Outside
                    }
                    Some(length) => State::Body {
                        marker,
                        left: length,
                        length,
                    },
                }
            }
            State::Body {
                marker,
                left: 1,
                length,
            } => {
                let body: Vec<u8> = (1..=length).rev().map(|back| recent.back(back)).collect();
                match self.read(marker, &body) {
                    Some(true) => return true,
                    Some(false) => State::Marker,
                    None => State::Outside,
                }
            }
            State::Body {
                marker,
                left,
                length,
            } => State::Body {
                marker,
                left: left - 1,
                length,
            },
        };
        false
    }

    /// Reads a segment: whether a scan begins after it; nothing if it is not understood.
    pub fn read(&mut self, marker: u8, body: &[u8]) -> Option<bool> {
        match marker {
            0xC0 | 0xC1 => self.frame = Some(Frame::read(body)?),
            0xC4 => self.read_codes(body)?,
            0xDB => self.read_steps(body)?,
            0xDD => self.restart = u16::from_be_bytes(*body.first_chunk()?).into(),
            0xDA => {
                self.parts = self.scan(body)?;
                return Some(true);
            }
            _ => {}
        }
        Some(false)
    }

    fn read_codes(&mut self, mut body: &[u8]) -> Option<()> {
        if body.is_empty() {
            self.codes = typical();
        }
        while let Some((&kind, rest)) = body.split_first() {
            let (code, rest) = Huffman::read(rest)?;
            let table = self
                .codes
                .get_mut(usize::from(kind >> 4))?
                .get_mut(usize::from(kind & 15))?;
            *table = Some(Arc::new(code));
            body = rest;
        }
        Some(())
    }

    fn read_steps(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((&kind, mut rest)) = body.split_first() {
            let steps = self.steps.get_mut(usize::from(kind & 15))?;
            for step in steps {
                let number;
                (number, rest) = match kind >> 4 {
                    0 => rest.split_first().map(|(&x, rest)| (u16::from(x), rest))?,
                    _ => rest
                        .split_first_chunk()
                        .map(|(&x, rest)| (u16::from_be_bytes(x), rest))?,
                };
                *step = number.max(1);
            }
            body = rest;
        }
        Some(())
    }

    fn scan(&self, body: &[u8]) -> Option<Vec<Part>> {
        let frame = self.frame.as_ref()?;
        let (&count, rest) = body.split_first()?;
        let (pairs, rest) = rest.split_at_checked(2 * usize::from(count))?;
        // All coefficients of a block at once: anything else is a scan of a progressive frame.
        if rest != [0, 63, 0] || !(1..=frame.components.len()).contains(&usize::from(count)) {
            return None;
        }
        let mut parts: Vec<Part> = Vec::new();
        for &[id, tables] in pairs.as_chunks::<2>().0 {
            let component = frame.component(id)?;
            let codes = [tables >> 4, tables & 15].map(usize::from);
            for (of_kind, &code) in self.codes.iter().zip(&codes) {
                of_kind.get(code)?.as_ref()?;
            }
            if parts.iter().any(|part| part.component == component) {
                return None;
            }
            parts.push(Part { component, codes });
        }
        frame.has_room(&parts).then_some(parts)
    }
}

/// Codes, by class and number. They are shared: pictures begin often, in data that has been made for that.
type Codes = [[Option<Arc<Huffman>>; 4]; 2];

static TYPICAL: LazyLock<Codes> = LazyLock::new(|| {
    let code = |class, number| Huffman::typical(class, number).map(Arc::new);
    std::array::from_fn(|class| std::array::from_fn(|number| code(class, number)))
});

/// The typical codes in their places.
fn typical() -> Codes {
    TYPICAL.clone()
}
