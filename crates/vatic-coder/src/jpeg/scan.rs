//! A scan of a baseline JPEG stream, bit by bit: which coefficient of which block the next bit is about, and what is known around it.

use super::block::{Block, EMPTY, PLACES};
use super::segments::Segments;
use vatic_jpeg::{COMPONENTS, Frame, Huffman};

/// What a wave of each frequency is worth at the edge of a block, in 256ths.
const EDGE: [i64; 8] = [181, 256, 256, 256, 256, 256, 256, 256];

/// What the next bit belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A code word, of which so many bits are known.
    Code { word: u32, length: usize },
    /// A coefficient's size and sign, of which so many bits are known.
    Value {
        value: u32,
        length: usize,
        size: usize,
    },
    /// Nothing: what fills the last byte.
    Rest,
}

/// A code word's start.
const CODE: Phase = Phase::Code { word: 0, length: 0 };

/// A component's blocks.
#[derive(Debug, Clone, Copy, Default)]
struct Plane {
    /// Of an MCU, across and down.
    across: usize,
    down: usize,
    /// Codes of the first coefficient and of all others, and the table of steps.
    codes: [usize; 2],
    steps: usize,
    /// Where its blocks start, and how many there are in a row.
    start: usize,
    row: usize,
    /// The first coefficient of the block before.
    last: i32,
    /// What the last two blocks' first ones added.
    differences: [i32; 2],
}

/// So many MCUs without an end.
const ENDLESS: usize = usize::MAX;

/// A scan under way.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    planes: [Plane; COMPONENTS],
    /// The blocks of an MCU: plane, place across and down.
    unit: Vec<[u8; 3]>,
    /// MCUs in a row, and in all.
    across: usize,
    count: usize,
    /// MCUs between restarts.
    restart: usize,
    /// MCUs done, and since the last restart.
    done: usize,
    since: usize,
    /// Of each component the rows of the MCUs under way, and the one above.
    blocks: Vec<Block>,
    at: At,
}

/// The block under way.
#[derive(Debug, Clone)]
pub struct At {
    /// Its place in the unit, its plane, and its place among the blocks.
    nth: usize,
    pub plane: usize,
    place: usize,
    /// Blocks to the left, above, above to the left and to the right, if there are such, and the one before of another component.
    around: [Option<usize>; 5],
    /// The coefficient that comes next.
    pub next: usize,
    pub phase: Phase,
    /// The code word is right so far.
    pub lost: bool,
    /// The last two symbols of the block.
    pub symbols: [u8; 2],
    /// The sum of all sizes of the block but the first.
    pub sum: u32,
    /// By column, what is missing at the upper edge to go on from the block above; by row, at the left edge, in 256ths.
    edges: [[i64; 8]; 2],
}

impl Default for At {
    fn default() -> At {
        At {
            nth: 0,
            plane: 0,
            place: 0,
            around: [None; 5],
            next: 0,
            phase: Phase::Rest,
            lost: false,
            symbols: [0; 2],
            sum: 0,
            edges: [[0; 8]; 2],
        }
    }
}

impl Scan {
    /// Begins the scan that the segments announce.
    pub fn begin(&mut self, segments: &Segments, frame: &Frame) {
        let grid = frame.grid(&segments.parts);
        self.unit.clear();
        let mut start = 0;
        for (n, part) in segments.parts.iter().enumerate() {
            let [across, down] = frame.blocks(part, &grid);
            let row = across * grid.across;
            self.planes[n] = Plane {
                across,
                down,
                codes: part.codes,
                steps: frame.components[part.component].quantised,
                start,
                row,
                ..Plane::default()
            };
            start += (down + 1) * row;
            for y in 0..down {
                self.unit
                    .extend((0..across).map(|x| [n as u8, x as u8, y as u8]));
            }
        }
        if self.blocks.len() < start {
            self.blocks.resize(start, EMPTY);
        }
        self.across = grid.across;
        self.count = match grid.down {
            0 => ENDLESS,
            down => grid.across * down,
        };
        (self.restart, self.done, self.since) = (segments.restart, 0, 0);
        self.at.nth = 0;
        self.open(segments);
    }

    /// Whether all of it is done.
    pub fn is_done(&self) -> bool {
        self.done >= self.count
    }

    /// Whether a restart comes next.
    pub fn is_restart(&self) -> bool {
        self.restart > 0 && self.since >= self.restart
    }

    /// After a restart nothing is known of the blocks before.
    pub fn restart(&mut self, segments: &Segments) {
        self.since = 0;
        for plane in &mut self.planes {
            (plane.last, plane.differences) = (0, [0; 2]);
        }
        self.open(segments);
    }

    /// The block under way and what is known of it.
    pub fn at(&self) -> &At {
        &self.at
    }

    /// The block under way.
    pub fn block(&self) -> &Block {
        &self.blocks[self.at.place]
    }

    /// Left, above, above to the left and right, and of another component.
    #[inline(always)]
    pub fn around(&self) -> [&Block; 5] {
        self.at.around.map(|place| match place {
            Some(place) => &self.blocks[place],
            None => &EMPTY,
        })
    }

    /// What the last two first coefficients added.
    pub fn differences(&self) -> [i32; 2] {
        self.planes[self.at.plane].differences
    }

    /// The first coefficient of the block before.
    pub fn last(&self) -> i32 {
        self.planes[self.at.plane].last
    }

    /// What coefficient `n` would have to be for the picture to go on evenly from the block to the left and from the one above, in 8ths of a step.
    /// Where one of them is missing, the other stands for it; nothing is expected beyond the last coefficient.
    #[inline(always)]
    pub fn expected(&self, n: usize, segments: &Segments) -> [i32; 2] {
        let Some(&place) = PLACES.get(n) else {
            return [0; 2];
        };
        let [down, across] = place.map(usize::from);
        let step = i64::from(segments.steps[self.planes[self.at.plane].steps][n]);
        let of = |edge: i64, wave: usize| {
            let expected = (edge * 8).div_euclid(EDGE[wave] * step);
            expected.clamp(-(1 << 14), 1 << 14) as i32
        };
        let [above, left] = &self.at.edges;
        let both = [of(left[down], across), of(above[across], down)];
        match self.at.around {
            [Some(_), Some(_), ..] => both,
            [Some(_), None, ..] => [both[0]; 2],
            [None, Some(_), ..] => [both[1]; 2],
            _ => [0; 2],
        }
    }

    /// Begins a block, the next of the unit.
    fn open(&mut self, segments: &Segments) {
        if self.is_done() || self.is_restart() {
            self.at.phase = Phase::Rest;
            return;
        }
        let [plane, dx, dy] = self.unit[self.at.nth].map(usize::from);
        let other = self.at.nth.checked_sub(1).map(|_| self.at.place);
        let other = match plane {
            0 => None,
            _ if self.at.plane != plane => other,
            // The same one that the block before had.
            _ => self.at.around[4],
        };
        let of = self.planes[plane];
        let x = self.done % self.across * of.across + dx;
        let y = self.done / self.across * of.down + dy;
        let place = |x: usize, y: usize| of.start + y % (of.down + 1) * of.row + x;
        let left = x.checked_sub(1);
        let above = y.checked_sub(1);
        // What is above to the right of an MCU's last column but the first row is to come yet.
        let right = (x + 1 < of.row && (dy == 0 || dx + 1 < of.across)).then_some(x + 1);
        self.at = At {
            nth: self.at.nth,
            plane,
            place: place(x, y),
            around: [
                left.map(|x| place(x, y)),
                above.map(|y| place(x, y)),
                left.zip(above).map(|(x, y)| place(x, y)),
                right.zip(above).map(|(x, y)| place(x, y)),
                other,
            ],
            phase: CODE,
            ..At::default()
        };
        self.blocks[self.at.place] = EMPTY;
        let [left, above, ..] = self.around();
        let (left, above) = (*left, *above);
        let steps = &segments.steps[of.steps];
        for (of_above, block) in [(true, &above), (false, &left)] {
            let mut mask = block.mask;
            while mask > 0 {
                let n = mask.trailing_zeros() as usize;
                mask &= mask - 1;
                let [down, across] = PLACES[n].map(usize::from);
                let size = i64::from(block.coefficients[n]) * i64::from(steps[n]);
                let (edge, wave, line) = if of_above {
                    (0, down, across)
                } else {
                    (1, across, down)
                };
                let size = EDGE[wave] * size;
                // At the far edge every other wave is upside down.
                self.at.edges[edge][line] += if wave % 2 == 0 { size } else { -size };
            }
        }
    }

    /// Puts a coefficient in its place.
    fn put(&mut self, n: usize, value: i32, segments: &Segments) {
        let value = value.clamp(i16::MIN.into(), i16::MAX.into());
        let block = &mut self.blocks[self.at.place];
        block.coefficients[n] = value as i16;
        block.mask |= u64::from(value != 0) << n;
        if n > 0 {
            self.at.sum += value.unsigned_abs();
        }
        let [down, across] = PLACES[n].map(usize::from);
        let size =
            i64::from(value) * i64::from(segments.steps[self.planes[self.at.plane].steps][n]);
        self.at.edges[0][across] -= EDGE[down] * size;
        self.at.edges[1][down] -= EDGE[across] * size;
    }

    /// Takes the next bit: whether it was the last of a code word or of a coefficient.
    #[inline(always)]
    pub fn push(&mut self, bit: bool, segments: &Segments) -> bool {
        match &mut self.at.phase {
            Phase::Rest => false,
            Phase::Code { word, length } => {
                *word = *word << 1 | u32::from(bit);
                *length += 1;
                let codes = self.planes[self.at.plane].codes;
                let kind = usize::from(self.at.next > 0);
                let table = segments.codes[kind][codes[kind] & 3].as_deref();
                let symbol = table.and_then(|table: &Huffman| table.symbol(*word, *length));
                match symbol {
                    Some(symbol) => {
                        self.take(symbol, segments);
                        true
                    }
                    None if *length == 16 => {
                        self.lose();
                        true
                    }
                    None => false,
                }
            }
            Phase::Value {
                value,
                length,
                size,
            } => {
                *value = *value << 1 | u32::from(bit);
                *length += 1;
                if length < size {
                    return false;
                }
                let (value, size) = (*value as i32, *size);
                let positive = value >> (size - 1) > 0;
                let value = if positive {
                    value
                } else {
                    value - (1 << size) + 1
                };
                self.value(value, segments);
                true
            }
        }
    }

    /// What cannot be in a scan was: it is none.
    fn lose(&mut self) {
        (self.at.phase, self.at.lost) = (Phase::Rest, true);
    }

    fn take(&mut self, symbol: u8, segments: &Segments) {
        let (run, size) = match self.at.next {
            0 => (0, usize::from(symbol)),
            _ => (usize::from(symbol >> 4), usize::from(symbol & 15)),
        };
        if size > 15 {
            return self.lose();
        }
        if self.at.next > 0 {
            self.at.symbols = [symbol, self.at.symbols[0]];
        }
        let next = self.at.next + run;
        match (size, run) {
            (0, _) if self.at.next == 0 => self.value(0, segments),
            (0, 0) => self.close(segments),
            (0, 15) if next < 63 => (self.at.next, self.at.phase) = (next + 1, CODE),
            (0, _) => self.lose(),
            _ if next > 63 => self.lose(),
            _ => {
                self.at.next = next;
                self.at.phase = Phase::Value {
                    value: 0,
                    length: 0,
                    size,
                };
            }
        }
    }

    fn value(&mut self, value: i32, segments: &Segments) {
        let n = self.at.next;
        let mut coefficient = value;
        if n == 0 {
            let plane = &mut self.planes[self.at.plane];
            plane.last = (plane.last + value).clamp(i16::MIN.into(), i16::MAX.into());
            coefficient = plane.last;
            plane.differences = [value, plane.differences[0]];
            self.blocks[self.at.place].difference = value as i16;
        }
        self.put(n, coefficient, segments);
        (self.at.next, self.at.phase) = (n + 1, CODE);
        if n == 63 {
            self.close(segments);
        }
    }

    /// The block is done.
    fn close(&mut self, segments: &Segments) {
        self.at.nth += 1;
        if self.at.nth == self.unit.len() {
            self.at.nth = 0;
            self.done = self.done.saturating_add(1);
            self.since += 1;
        }
        self.open(segments);
    }
}
