//! The coefficients that a scan says.

use super::bits::Reader;
use super::planes::{Block, Planes};
use super::scan::{Codes, Scan};
use vatic_jpeg::{COMPONENTS, Huffman};

/// Reads the scan that `data` begins with; how long it is. Where a run of blocks ends and another one follows at once goes to the scan's ends, and
/// what the longest run has to its most. None if it is no such scan.
pub fn read(
    data: &[u8],
    scan: &mut Scan,
    codes: &Codes,
    interval: usize,
    planes: &mut Planes,
) -> Option<usize> {
    let walk = planes.walk(&scan.parts);
    let mut reader = Reader::new(data);
    let mut last = [0; COMPONENTS];
    let mut runs = Runs {
        code: codes[1][scan.parts[0].codes[1]].as_ref(),
        low: scan.low,
        band: scan.band,
        left: 0,
        is_one: false,
        is_all: false,
        longest: 1,
    };
    for mcu in 0..walk.mcus {
        let is_restart = interval > 0 && mcu > 0 && mcu % interval == 0;
        if is_restart {
            reader.restart(mcu / interval)?;
            (last, runs.left) = (Default::default(), 0);
        }
        // A run ended with the block before…
        let ended = runs.is_one && runs.left == 0 && !is_restart;
        runs.is_one = runs.left > 0;
        for (part, place) in walk.blocks(mcu) {
            let block = planes.block_mut(place);
            match (scan.band[0], scan.refines) {
                (0, false) => {
                    let code = codes[0][scan.parts[part].codes[0]].as_ref()?;
                    let size = reader.symbol(code)?;
                    last[part] += reader.number(u32::from(size).min(16))?;
                    block[0] = i16::try_from(i64::from(last[part]) << scan.low).ok()?;
                }
                (0, true) => block[0] |= (reader.bit()? << scan.low) as i16,
                (_, false) => runs.first(block, &mut reader)?,
                (_, true) => runs.refine(block, &mut reader)?,
            }
        }
        // …and all of this one is of another: it would have gone on.
        if ended && runs.is_all {
            scan.ends.push(mcu);
        }
    }
    scan.most_run = runs.longest;
    Some(reader.used())
}

/// Blocks of all coefficients but the first.
struct Runs<'a> {
    code: Option<&'a Huffman>,
    low: u32,
    band: [usize; 2],
    /// Blocks of the run under way that are to come.
    left: u32,
    /// Whether the last block is one of a run, from some coefficient on.
    is_one: bool,
    /// And from its first one on.
    is_all: bool,
    /// Blocks of the longest run.
    longest: u32,
}

impl Runs<'_> {
    /// Begins a run, with the block at hand from coefficient `at` on.
    fn run(&mut self, at: usize, length: u32, reader: &mut Reader) -> Option<()> {
        (self.is_one, self.is_all) = (true, at == self.band[0]);
        self.left = (1 << length) + reader.bits(length)?;
        self.longest = self.longest.max(self.left);
        Some(())
    }

    fn first(&mut self, block: &mut Block, reader: &mut Reader) -> Option<()> {
        let [mut at, last] = self.band;
        self.is_all = self.left > 0;
        if self.left > 0 {
            self.left -= 1;
            return Some(());
        }
        while at <= last {
            let symbol = reader.symbol(self.code?)?;
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            match (run, size) {
                (15, 0) => at += 16,
                (_, 0) => {
                    self.run(at, run, reader)?;
                    self.left -= 1;
                    return Some(());
                }
                _ => {
                    at += run as usize;
                    let value = reader.number(size)?;
                    let place = block[..=last].get_mut(at)?;
                    *place = i16::try_from(i64::from(value) << self.low).ok()?;
                    at += 1;
                }
            }
        }
        Some(())
    }

    fn refine(&mut self, block: &mut Block, reader: &mut Reader) -> Option<()> {
        let [mut at, last] = self.band;
        let one = 1i16 << self.low;
        self.is_all = self.left > 0;
        while self.left == 0 && at <= last {
            let symbol = reader.symbol(self.code?)?;
            let mut zeros = symbol >> 4;
            let new = match symbol & 15 {
                0 if zeros < 15 => {
                    self.run(at, zeros.into(), reader)?;
                    break;
                }
                0 => 0,
                1 if reader.bit()? > 0 => one,
                1 => -one,
                _ => return None,
            };
            while at <= last {
                let place = &mut block[at];
                if *place != 0 {
                    more(place, one, reader)?;
                } else if zeros == 0 {
                    *place = new;
                    break;
                } else {
                    zeros -= 1;
                }
                at += 1;
            }
            if new != 0 && at > last {
                return None;
            }
            at += 1;
        }
        if self.left > 0 {
            self.left -= 1;
            let rest = block[..=last].iter_mut().skip(at);
            for place in rest.filter(|place| **place != 0) {
                more(place, one, reader)?;
            }
        }
        Some(())
    }
}

/// One more bit of a coefficient that is not zero.
fn more(place: &mut i16, one: i16, reader: &mut Reader) -> Option<()> {
    if reader.bit()? > 0 {
        *place = place.checked_add(if *place > 0 { one } else { -one })?;
    }
    Some(())
}
