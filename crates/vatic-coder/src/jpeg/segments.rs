//! The marker segments of a JPEG stream (ITU-T T.81, annex B): what a scan needs to be read.

use crate::history::Recent;

/// Markers that start a stream, and the first byte of the next.
const START: u64 = 0xFF_D8_FF;

/// Most components of a frame.
pub const COMPONENTS: usize = 4;
/// Most blocks of an MCU, the units in which a scan comes.
const MOST_BLOCKS: usize = 10;
/// Most blocks that have to be kept for those below: pictures of three full components may have some 20,000 pixels in a row.
const MOST_KEPT: usize = 1 << 14;

/// A Huffman code: by the length of a code word less one, the first word, how many there are, and the place of the first's symbol.
#[derive(Debug, Clone)]
pub struct Huffman {
    first: [u32; 16],
    count: [u32; 16],
    place: [usize; 16],
    symbols: Vec<u8>,
}

impl Huffman {
    /// From the numbers of code words of each length, and their symbols.
    fn new(counts: [u8; 16], symbols: Vec<u8>) -> Option<Huffman> {
        let (mut first, mut place) = ([0; 16], [0; 16]);
        let (mut word, mut at) = (0u32, 0);
        for (length, &count) in counts.iter().enumerate() {
            (first[length], place[length]) = (word, at);
            at += usize::from(count);
            word += u32::from(count);
            if word > 2 << length {
                return None;
            }
            word <<= 1;
        }
        let count = counts.map(u32::from);
        (at == symbols.len()).then_some(Huffman {
            first,
            count,
            place,
            symbols,
        })
    }

    /// The symbol of a code word of `length` bits (1 to 16), if it is one.
    #[inline(always)]
    pub fn symbol(&self, word: u32, length: usize) -> Option<u8> {
        let n = length - 1;
        let beyond = word.wrapping_sub(self.first[n]);
        if beyond >= self.count[n] {
            return None;
        }
        self.symbols.get(self.place[n] + beyond as usize).copied()
    }
}

/// Whether a marker's segment is read or may be passed over: sequential frames, tables, scans, what applications add, comments.
pub fn is_read(marker: u8) -> bool {
    matches!(
        marker,
        0xC0 | 0xC1 | 0xC4 | 0xDA | 0xDB | 0xDD | 0xE0..=0xEF | 0xFE
    )
}

/// A component of the frame.
#[derive(Debug, Clone, Copy, Default)]
pub struct Component {
    id: u8,
    /// Blocks of an MCU across and down.
    pub across: usize,
    pub down: usize,
    /// Its quantisation table.
    pub quantised: usize,
}

/// The frame header.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    pub width: usize,
    /// 0 if it is not known.
    pub height: usize,
    pub components: Vec<Component>,
}

/// What a scan is made of.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    /// MCUs in a row, and rows; 0 if it is not known how many.
    pub across: usize,
    pub down: usize,
    /// Whether an MCU is one block of the only component.
    pub alone: bool,
}

impl Frame {
    /// The MCUs of a scan.
    pub fn grid(&self, parts: &[Part]) -> Grid {
        let most = |of: fn(&Component) -> usize| self.components.iter().map(of).max().unwrap_or(1);
        let (width, height) = (8 * most(|of| of.across), 8 * most(|of| of.down));
        // A component alone comes in its own blocks.
        let [across, down] = match parts {
            [part] => {
                let of = &self.components[part.component];
                [of.across, of.down]
            }
            _ => [1, 1],
        };
        Grid {
            across: (self.width * across).div_ceil(width),
            down: (self.height * down).div_ceil(height),
            alone: parts.len() == 1,
        }
    }

    /// Blocks of a component in an MCU, across and down.
    pub fn blocks(&self, part: &Part, grid: &Grid) -> [usize; 2] {
        let of = &self.components[part.component];
        if grid.alone {
            [1, 1]
        } else {
            [of.across, of.down]
        }
    }
}

/// A component of a scan: which one of the frame, and its codes for the first coefficient and all others.
#[derive(Debug, Clone, Copy, Default)]
pub struct Part {
    pub component: usize,
    pub codes: [usize; 2],
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
    /// By kind (first coefficients, all others) and table.
    pub codes: [[Option<Huffman>; 4]; 2],
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
            codes: Default::default(),
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
                    Some(0) => State::Marker,
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
            0xC0 | 0xC1 => self.frame = Some(frame(body)?),
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
        while let Some((&kind, rest)) = body.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let all = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, rest) = rest.split_at_checked(all)?;
            let table = self
                .codes
                .get_mut(usize::from(kind >> 4))?
                .get_mut(usize::from(kind & 15))?;
            *table = Some(Huffman::new(*counts, symbols.to_vec())?);
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
            let component = frame.components.iter().position(|of| of.id == id)?;
            let codes = [tables >> 4, tables & 15].map(usize::from);
            for (of_kind, &code) in self.codes.iter().zip(&codes) {
                of_kind.get(code)?.as_ref()?;
            }
            if parts.iter().any(|part| part.component == component) {
                return None;
            }
            parts.push(Part { component, codes });
        }
        let grid = frame.grid(&parts);
        let blocks = || parts.iter().map(|part| frame.blocks(part, &grid));
        let in_all: usize = blocks().map(|[across, down]| across * down).sum();
        let kept: usize = blocks().map(|[across, down]| across * (down + 1)).sum();
        (in_all <= MOST_BLOCKS && kept * grid.across <= MOST_KEPT).then_some(parts)
    }
}

/// The header of a frame of eight bits.
fn frame(body: &[u8]) -> Option<Frame> {
    let (&[precision, h1, h0, w1, w0, count], rest) = body.split_first_chunk()?;
    let width = usize::from(u16::from_be_bytes([w1, w0]));
    let height = usize::from(u16::from_be_bytes([h1, h0]));
    let (of_each, []) = rest.as_chunks::<3>() else {
        return None;
    };
    if precision != 8 || width == 0 || of_each.len() != usize::from(count) {
        return None;
    }
    let components: Vec<Component> = of_each
        .iter()
        .map(|&[id, factors, table]| Component {
            id,
            across: usize::from(factors >> 4),
            down: usize::from(factors & 15),
            quantised: usize::from(table),
        })
        .collect();
    let right = |of: &Component| {
        (1..=4).contains(&of.across) && (1..=4).contains(&of.down) && of.quantised < 4
    };
    ((1..=COMPONENTS).contains(&components.len()) && components.iter().all(right)).then_some(
        Frame {
            width,
            height,
            components,
        },
    )
}
