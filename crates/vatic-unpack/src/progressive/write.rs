//! The bits of a scan, made from coefficients as libjpeg makes them.

use super::bits::{self, Writer, size};
use super::planes::{Block, Planes};
use super::scan::{Codes, Scan};
use crate::Error;
use vatic_jpeg::{Huffman, Word};

/// Symbol for sixteen zeros.
const SIXTEEN: u8 = 0xF0;

/// What takes the symbols and bits of a scan.
pub trait Out {
    /// A symbol of a code.
    fn symbol(&mut self, class: usize, code: usize, symbol: u8) -> Result<(), Error>;
    fn bits(&mut self, bits: Word) -> Result<(), Error>;
    fn restart(&mut self, number: usize) -> Result<(), Error>;
}

/// How often each symbol of each code occurs.
pub struct Counts([[[u64; 256]; 4]; 2]);

impl Default for Counts {
    fn default() -> Counts {
        Counts([[[0; 256]; 4]; 2])
    }
}

impl Counts {
    /// The usual code of this name.
    pub fn usual(&self, name: u8) -> Option<Huffman> {
        let [class, number] = [name >> 4, name & 15].map(usize::from);
        Huffman::usual(self.0.get(class)?.get(number)?)
    }
}

impl Out for Counts {
    #[inline(always)]
    fn symbol(&mut self, class: usize, code: usize, symbol: u8) -> Result<(), Error> {
        self.0[class][code][usize::from(symbol)] += 1;
        Ok(())
    }

    fn bits(&mut self, _: Word) -> Result<(), Error> {
        Ok(())
    }

    fn restart(&mut self, _: usize) -> Result<(), Error> {
        Ok(())
    }
}

/// Writes words of codes.
pub struct Words<'a, 'g> {
    words: [[Option<Box<[Word; 256]>>; 4]; 2],
    out: Writer<'a, 'g>,
}

impl<'a, 'g> Words<'a, 'g> {
    pub fn new(
        codes: &Codes,
        give: &'a mut (dyn FnMut(&[u8]) -> Result<(), Error> + 'g),
    ) -> Words<'a, 'g> {
        let words = |code: &Option<Huffman>| code.as_ref().map(|code| Box::new(code.words()));
        Words {
            words: codes.each_ref().map(|of| of.each_ref().map(words)),
            out: Writer::new(give),
        }
    }

    /// Fills the last byte.
    pub fn finish(self) -> Result<(), Error> {
        self.out.finish()
    }
}

impl Out for Words<'_, '_> {
    #[inline(always)]
    fn symbol(&mut self, class: usize, code: usize, symbol: u8) -> Result<(), Error> {
        let words = self.words[class][code].as_ref();
        let word = words.map_or(Word::default(), |words| words[usize::from(symbol)]);
        if word.length == 0 {
            return Err(Error::Picture);
        }
        self.out.put(word)
    }

    #[inline(always)]
    fn bits(&mut self, bits: Word) -> Result<(), Error> {
        self.out.put(bits)
    }

    fn restart(&mut self, number: usize) -> Result<(), Error> {
        self.out.restart(number)
    }
}

/// Writes a scan with a restart after each `interval` MCUs (0: none); which of the ends of its runs had to be told.
pub fn write(
    planes: &Planes,
    scan: &Scan,
    interval: usize,
    out: &mut impl Out,
) -> Result<Vec<usize>, Error> {
    let walk = planes.walk(&scan.parts);
    let mut last = [0; vatic_jpeg::COMPONENTS];
    let mut runs = Runs::new(scan);
    for mcu in 0..walk.mcus {
        if interval > 0 && mcu > 0 && mcu % interval == 0 {
            runs.end(out)?;
            out.restart(mcu / interval)?;
            last = Default::default();
        }
        for (part, place) in walk.blocks(mcu) {
            let block = planes.block(place);
            match (scan.band[0], scan.refines) {
                (0, false) => {
                    let value = i32::from(block[0]) >> scan.low;
                    let more = value - last[part];
                    last[part] = value;
                    let code = scan.parts[part].codes[0];
                    out.symbol(0, code, size(more) as u8)?;
                    out.bits(bits::number(more))?;
                }
                (0, true) => out.bits(bit(u32::from(block[0] as u16) >> scan.low))?,
                (_, false) => runs.first(block, out)?,
                (_, true) => runs.refine(block, out)?,
            }
        }
        runs.next(mcu + 1, out)?;
    }
    runs.end(out)?;
    Ok(runs.told)
}

/// The lowest bit.
fn bit(of: u32) -> Word {
    Word {
        bits: of & 1,
        length: 1,
    }
}

/// Blocks of all coefficients but the first, and runs of such blocks as have nothing more.
struct Runs<'a> {
    scan: &'a Scan,
    code: usize,
    /// Blocks of the run under way.
    run: u32,
    /// Bits of them that are put off until it ends.
    bits: Vec<bool>,
    /// How many ends that the scan tells were passed.
    passed: usize,
    /// Those that had to be told.
    told: Vec<usize>,
}

impl Runs<'_> {
    fn new(scan: &Scan) -> Runs<'_> {
        Runs {
            scan,
            code: scan.parts[0].codes[1],
            run: 0,
            bits: Vec::new(),
            passed: 0,
            told: Vec::new(),
        }
    }

    fn symbol(&mut self, symbol: u8, out: &mut impl Out) -> Result<(), Error> {
        out.symbol(1, self.code, symbol)
    }

    /// Ends the run under way, if there is one.
    fn end(&mut self, out: &mut impl Out) -> Result<(), Error> {
        if self.run == 0 {
            return Ok(());
        }
        let length = self.run.ilog2();
        self.symbol((length as u8) << 4, out)?;
        out.bits(Word {
            bits: self.run & ((1 << length) - 1),
            length,
        })?;
        self.run = 0;
        put_off(&mut self.bits, 0, out)
    }

    /// Ends it if the rules say so or it is told, after so many blocks.
    fn next(&mut self, blocks: usize, out: &mut impl Out) -> Result<(), Error> {
        let mut is_told = false;
        while let Some(&end) = self.scan.ends.get(self.passed)
            && end <= blocks
        {
            is_told |= end == blocks;
            self.passed += 1;
        }
        if self.run == 0 {
            return Ok(());
        }
        let by_rules = self.scan.ends(self.run, self.bits.len());
        if is_told && !by_rules {
            self.told.push(blocks);
        }
        if is_told || by_rules {
            self.end(out)?;
        }
        Ok(())
    }

    /// A block of which nothing was said.
    fn first(&mut self, block: &Block, out: &mut impl Out) -> Result<(), Error> {
        let mut zeros = 0u8;
        for &coefficient in self.band(block) {
            // Towards zero.
            let value = i32::from(coefficient) / (1 << self.scan.low);
            if value == 0 {
                zeros += 1;
                continue;
            }
            self.end(out)?;
            while zeros > 15 {
                self.symbol(SIXTEEN, out)?;
                zeros -= 16;
            }
            let bits = bits::number(value);
            self.symbol(zeros << 4 | bits.length as u8, out)?;
            out.bits(bits)?;
            zeros = 0;
        }
        self.run += u32::from(zeros > 0);
        Ok(())
    }

    /// A block of which one more bit is to be said.
    fn refine(&mut self, block: &Block, out: &mut impl Out) -> Result<(), Error> {
        let size = |coefficient: i16| u32::from(coefficient.unsigned_abs()) >> self.scan.low;
        let band = self.band(block);
        // What is not zero any more; behind the last of these there are bits only.
        let new = band.iter().rposition(|&coefficient| size(coefficient) == 1);
        let mut zeros = 0u8;
        // Bits since the last symbol.
        let mut since = self.bits.len();
        for (n, &coefficient) in band.iter().enumerate() {
            let size = size(coefficient);
            if size == 0 {
                zeros += 1;
                continue;
            }
            while zeros > 15 && new.is_some_and(|new| n <= new) {
                since = self.end_before(since, out)?;
                self.symbol(SIXTEEN, out)?;
                zeros -= 16;
                put_off(&mut self.bits, since, out)?;
            }
            if size > 1 {
                self.bits.push(size & 1 > 0);
                continue;
            }
            since = self.end_before(since, out)?;
            self.symbol(zeros << 4 | 1, out)?;
            out.bits(bit((coefficient > 0).into()))?;
            put_off(&mut self.bits, since, out)?;
            zeros = 0;
        }
        self.run += u32::from(zeros > 0 || self.bits.len() > since);
        Ok(())
    }

    /// Ends the run of the blocks before, to which all bits but those from `since` on belong; where these are then.
    fn end_before(&mut self, since: usize, out: &mut impl Out) -> Result<usize, Error> {
        if self.run == 0 {
            return Ok(since);
        }
        let own = self.bits.split_off(since);
        self.end(out)?;
        self.bits = own;
        Ok(0)
    }

    fn band<'b>(&self, block: &'b Block) -> &'b [i16] {
        let [first, last] = self.scan.band;
        &block[first..=last]
    }
}

/// Gives the bits that were put off, from `since` on.
fn put_off(bits: &mut Vec<bool>, since: usize, out: &mut impl Out) -> Result<(), Error> {
    for one in bits.drain(since..) {
        out.bits(bit(one.into()))?;
    }
    Ok(())
}
