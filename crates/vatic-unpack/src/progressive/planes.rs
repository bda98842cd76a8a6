//! The coefficients of a picture.

use vatic_jpeg::{Frame, Part};

/// A block's coefficients, in the order of a scan.
pub type Block = [i16; 64];

/// Most blocks of a picture, 64 MiB of coefficients: 21 million pixels if there are two blocks of colour for four of brightness.
const MOST_BLOCKS: usize = 1 << 19;

/// All blocks of a picture, those included that only fill up its last MCUs.
pub struct Planes {
    pub frame: Frame,
    /// By component: how many blocks it has in a row, and where they start.
    places: Vec<(usize, usize)>,
    blocks: Vec<Block>,
}

/// How many blocks the picture has; none if it has no height.
pub fn count(frame: &Frame) -> Option<usize> {
    let parts = all(frame);
    let grid = frame.grid(&parts);
    let of_each = parts.iter().map(|part| frame.blocks(part, &grid));
    let of_mcu = of_each.map(|[across, down]| across * down).sum();
    let count = grid.across.checked_mul(grid.down)?.checked_mul(of_mcu)?;
    (count > 0).then_some(count)
}

/// A scan of all components, each with the typical codes for it.
pub fn all(frame: &Frame) -> Vec<Part> {
    let typical = |component: usize| Part {
        component,
        codes: [component.min(1); 2],
    };
    (0..frame.components.len()).map(typical).collect()
}

impl Planes {
    /// All zeros; none if there are too many.
    pub fn new(frame: Frame) -> Option<Planes> {
        let count = count(&frame).filter(|&count| count <= MOST_BLOCKS)?;
        let parts = all(&frame);
        let (grid, mut start) = (frame.grid(&parts), 0);
        let mut places = Vec::new();
        for part in &parts {
            let [across, down] = frame.blocks(part, &grid);
            let row = grid.across * across;
            places.push((row, start));
            start += row * grid.down * down;
        }
        Some(Planes {
            frame,
            places,
            blocks: vec![[0; 64]; count],
        })
    }

    pub fn block(&self, place: usize) -> &Block {
        &self.blocks[place]
    }

    pub fn block_mut(&mut self, place: usize) -> &mut Block {
        &mut self.blocks[place]
    }

    /// The order in which a scan of these components has their blocks.
    pub fn walk(&self, parts: &[Part]) -> Walk {
        let grid = self.frame.grid(parts);
        let mut units = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            let (row, start) = self.places[part.component];
            let [across, down] = self.frame.blocks(part, &grid);
            for n in 0..across * down {
                units.push(Unit {
                    part: number,
                    start: start + n / across * row + n % across,
                    row: row * down,
                    across,
                });
            }
        }
        Walk {
            mcus: grid.across * grid.down,
            across: grid.across,
            units,
        }
    }
}

/// A block of each MCU.
struct Unit {
    part: usize,
    /// Where the first MCU has it, how far on those below have it, and those beside.
    start: usize,
    row: usize,
    across: usize,
}

/// The order of the blocks of a scan.
pub struct Walk {
    pub mcus: usize,
    across: usize,
    units: Vec<Unit>,
}

impl Walk {
    /// The blocks of an MCU: which of the scan's components each is of, and where it is.
    #[inline(always)]
    pub fn blocks(&self, mcu: usize) -> impl Iterator<Item = (usize, usize)> {
        let (x, y) = (mcu % self.across, mcu / self.across);
        self.units
            .iter()
            .map(move |unit| (unit.part, unit.start + y * unit.row + x * unit.across))
    }

    /// How many there are in all.
    pub fn count(&self) -> usize {
        self.mcus * self.units.len()
    }
}
