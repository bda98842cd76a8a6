//! Frame headers, and the order in which blocks come in a scan (ITU-T T.81, A.2 and B.2.2).

/// Most components of a frame.
pub const COMPONENTS: usize = 4;
/// Most blocks of an MCU, the units in which a scan comes.
const MOST_BLOCKS: usize = 10;
/// Most blocks that have to be kept for those below: pictures of three full components may have some 20,000 pixels in a row.
const MOST_KEPT: usize = 1 << 14;

/// A component of the frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Component {
    /// By which scans name it.
    pub id: u8,
    /// Blocks of an MCU across.
    pub across: usize,
    /// And down.
    pub down: usize,
    /// Its quantisation table, 0 to 3.
    pub quantised: usize,
}

/// A frame header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// Pixels in a row, 1 at least.
    pub width: usize,
    /// Rows; 0 if it is not known.
    pub height: usize,
    /// One to four.
    pub components: Vec<Component>,
}

/// What a scan is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// MCUs in a row.
    pub across: usize,
    /// Rows of them; 0 if it is not known how many.
    pub down: usize,
    /// Whether an MCU is one block of the only component.
    pub alone: bool,
}

/// A component of a scan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    /// Which one of the frame, from 0.
    pub component: usize,
    /// Its codes for the first coefficient and for all others, 0 to 3.
    pub codes: [usize; 2],
}

impl Frame {
    /// Reads the body of a frame's segment, of eight bits a sample; none if it is not understood.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Frame> {
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

    /// Which component has this name, if one has it.
    #[must_use]
    pub fn component(&self, id: u8) -> Option<usize> {
        self.components.iter().position(|of| of.id == id)
    }

    /// The MCUs of a scan of these components.
    #[must_use]
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
    #[must_use]
    pub fn blocks(&self, part: &Part, grid: &Grid) -> [usize; 2] {
        let of = &self.components[part.component];
        if grid.alone {
            [1, 1]
        } else {
            [of.across, of.down]
        }
    }

    /// Whether a scan of these components, of whole blocks, is one that can be foretold: its MCUs are no larger than T.81 allows, and what has to
    /// be kept of the rows above has room.
    #[must_use]
    pub fn has_room(&self, parts: &[Part]) -> bool {
        let grid = self.grid(parts);
        let blocks = || parts.iter().map(|part| self.blocks(part, &grid));
        let in_all: usize = blocks().map(|[across, down]| across * down).sum();
        let kept: usize = blocks().map(|[across, down]| across * (down + 1)).sum();
        in_all <= MOST_BLOCKS && kept * grid.across <= MOST_KEPT
    }
}
