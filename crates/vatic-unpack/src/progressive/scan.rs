//! What is to be known of a scan before its bits: the segments in front of it, which coefficients it says, and the rules of its runs.

use super::write::Counts;
use crate::Error;
use crate::numbers::{read as read_number, read_bytes, read_size, write as write_number};
use vatic_jpeg::{Frame, Huffman, Part};

/// Codes, by class (first coefficients, all others) and number.
pub type Codes = [[Option<Huffman>; 4]; 2];

/// Markers of segments: codes, the interval of restarts, a scan.
pub const CODES: u8 = 0xC4;
pub const INTERVAL: u8 = 0xDD;
pub const SCAN: u8 = 0xDA;

/// Stands in a code's name if it is not the usual one.
const OWN: u8 = 0x80;
/// Most bytes of a segment, without its length.
const LONGEST: usize = 0xFFFF - 2;
/// Most codes that are told in front of a scan: of each class and number one.
const MOST_CODES: usize = 8;
/// Most blocks of a run.
pub const LONGEST_RUN: u32 = 0x7FFF;
/// The bits of a block are put off until its run ends, as long as there are not more than these: libjpeg has room for 1000, and a block may have 63.
const MOST_BITS: usize = 937;

/// A scan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    pub before: Vec<Segment>,
    /// Its header.
    header: Vec<u8>,
    pub parts: Vec<Part>,
    /// The first coefficient and the last one.
    pub band: [usize; 2],
    /// Whether it says one more bit of what other scans said.
    pub refines: bool,
    /// How many bits are left for others to say.
    pub low: u32,
    /// Most blocks of a run.
    pub most_run: u32,
    /// Whether there is a limit to what is put off.
    pub has_limit: bool,
    /// How many blocks there are before the end of a run that would go on.
    pub ends: Vec<usize>,
}

/// A segment in front of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Codes by name (class times 16, and number); those that are usual for the scan need not be told.
    Codes(Vec<(u8, Option<Huffman>)>),
    /// Any other: its marker and what it says.
    Other(u8, Vec<u8>),
}

impl Scan {
    /// A scan with such a header; none if there is no such scan in a progressive frame.
    pub fn new(before: Vec<Segment>, header: &[u8], frame: &Frame) -> Option<Scan> {
        let (&count, rest) = header.split_first()?;
        let (pairs, rest) = rest.split_at_checked(2 * usize::from(count))?;
        let &[first, last, bits] = rest else {
            return None;
        };
        let mut parts: Vec<Part> = Vec::new();
        for &[id, codes] in pairs.as_chunks::<2>().0 {
            let part = Part {
                component: frame.component(id)?,
                codes: [codes >> 4, codes & 15].map(usize::from),
            };
            let is_new = parts.iter().all(|of| of.component != part.component);
            if !is_new || part.codes.iter().any(|&code| code > 3) {
                return None;
            }
            parts.push(part);
        }
        let band = [first, last].map(usize::from);
        let is_right = match band {
            [0, last] => last == 0 && !parts.is_empty(),
            [first, last] => first <= last && last < 64 && parts.len() == 1,
        };
        let (high, low) = (bits >> 4, bits & 15);
        (is_right && low < 14 && (high == 0 || high == low + 1)).then(|| Scan {
            before,
            header: header.to_vec(),
            parts,
            band,
            refines: high > 0,
            low: low.into(),
            most_run: LONGEST_RUN,
            has_limit: true,
            ends: Vec::new(),
        })
    }

    /// Whether it has runs of blocks.
    fn has_runs(&self) -> bool {
        self.band[0] > 0
    }

    /// Whether a run of so many blocks, of which so many bits were put off, ends by the rules.
    pub fn ends(&self, run: u32, bits: usize) -> bool {
        run >= self.most_run || self.has_limit && bits > MOST_BITS
    }

    /// The interval of restarts, if it is told before.
    pub fn interval(&self) -> Option<usize> {
        self.before.iter().rev().find_map(|segment| match segment {
            Segment::Other(INTERVAL, body) => Some(u16::from_be_bytes(*body.first_chunk()?).into()),
            _ => None,
        })
    }

    /// Whether more codes are told before than there are.
    pub fn has_too_many_codes(&self) -> bool {
        let told = self.before.iter().map(|segment| match segment {
            Segment::Codes(codes) => codes.len(),
            Segment::Other(..) => 0,
        });
        told.sum::<usize>() > MOST_CODES
    }

    /// Whether some of them are the usual ones.
    pub fn has_usual_codes(&self) -> bool {
        self.before.iter().any(|segment| match segment {
            Segment::Codes(codes) => codes.iter().any(|(_, code)| code.is_none()),
            Segment::Other(..) => false,
        })
    }

    /// Leaves out the codes that are usual where symbols occur so often.
    pub fn leave_out(&mut self, counts: &Counts) {
        for segment in &mut self.before {
            let Segment::Codes(codes) = segment else {
                continue;
            };
            for (name, code) in codes {
                if *code == counts.usual(*name) {
                    *code = None;
                }
            }
        }
    }

    /// The segments in front of it and its own, as the picture has them; the codes told there are put in their places.
    pub fn segments(&self, codes: &mut Codes, counts: &Counts) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        for segment in &self.before {
            match segment {
                Segment::Other(marker, body) => write_segment(*marker, body, &mut out),
                Segment::Codes(all) => {
                    let mut body = Vec::new();
                    for (name, code) in all {
                        let code = code.clone().or_else(|| counts.usual(*name));
                        let code = code.ok_or(Error::Recipe("a code is not told"))?;
                        body.push(*name);
                        body.extend(code.bytes());
                        *place(codes, *name).ok_or(Error::Recipe(NO_PLACE))? = Some(code);
                    }
                    write_segment(CODES, &body, &mut out);
                }
            }
        }
        write_segment(SCAN, &self.header, &mut out);
        Ok(out)
    }

    /// What usually stands in front of it: the codes that it uses, each in a segment of its own, and each the usual one.
    fn usual_segments(&self) -> Vec<Segment> {
        let mut names: Vec<u8> = Vec::new();
        for part in &self.parts {
            let name = match (self.has_runs(), self.refines) {
                (true, _) => 1 << 4 | part.codes[1],
                (false, false) => part.codes[0],
                (false, true) => continue,
            };
            if !names.contains(&(name as u8)) {
                names.push(name as u8);
            }
        }
        let segment = |name| Segment::Codes(vec![(name, None)]);
        names.into_iter().map(segment).collect()
    }

    /// Appends it to a recipe.
    pub fn write(&self, recipe: &mut Vec<u8>) {
        if self.before == self.usual_segments() {
            recipe.push(0);
        } else {
            write_number(self.before.len() as u64 + 1, recipe);
            self.before.iter().for_each(|segment| segment.write(recipe));
        }
        recipe.extend(&self.header);
        if self.has_runs() {
            let flags = u32::from(!self.has_limit) << 1 | u32::from(!self.ends.is_empty());
            write_number(((LONGEST_RUN - self.most_run) << 2 | flags).into(), recipe);
            if !self.ends.is_empty() {
                write_number(self.ends.len() as u64, recipe);
            }
            let mut last = 0;
            for &end in &self.ends {
                write_number((end - last) as u64, recipe);
                last = end;
            }
        }
    }

    /// Takes one from a recipe.
    pub fn read(recipe: &mut &[u8], frame: &Frame) -> Result<Scan, Error> {
        let told = read_number(recipe)?;
        let before = (1..told).map(|_| Segment::read(recipe));
        let before = before.collect::<Result<Vec<Segment>, Error>>()?;
        let &count = recipe.first().ok_or(Error::Recipe("it ends early"))?;
        let header = read_bytes(recipe, 4 + 2 * usize::from(count))?;
        let scan = Scan::new(before, header, frame);
        let mut scan = scan.ok_or(Error::Recipe("a picture has a scan that is none"))?;
        if told == 0 {
            scan.before = scan.usual_segments();
        }
        if scan.has_too_many_codes() {
            return Err(Error::Recipe("a scan has too many codes"));
        }
        if scan.has_runs() {
            let rules = read_number(recipe)?;
            let shorter = u32::try_from(rules >> 2).ok();
            scan.most_run = (shorter.and_then(|by| LONGEST_RUN.checked_sub(by)))
                .filter(|&most| most > 0)
                .ok_or(Error::Recipe("a run of blocks is none"))?;
            scan.has_limit = rules & 2 == 0;
            let count = match rules & 1 {
                0 => 0,
                _ => read_number(recipe)?,
            };
            let mut end = 0usize;
            for _ in 0..count {
                end = end.checked_add(read_size(recipe)?).ok_or(Error::Length)?;
                scan.ends.push(end);
            }
        }
        Ok(scan)
    }
}

impl Segment {
    /// Appends it to a recipe.
    fn write(&self, recipe: &mut Vec<u8>) {
        match self {
            Segment::Codes(codes) => {
                recipe.push(CODES);
                write_number(codes.len() as u64, recipe);
                for (name, code) in codes {
                    recipe.push(name | if code.is_some() { OWN } else { 0 });
                    recipe.extend(code.iter().flat_map(Huffman::bytes));
                }
            }
            Segment::Other(marker, body) => {
                recipe.push(*marker);
                write_number(body.len() as u64, recipe);
                recipe.extend(body);
            }
        }
    }

    /// Takes one from a recipe.
    fn read(recipe: &mut &[u8]) -> Result<Segment, Error> {
        let marker = read_bytes(recipe, 1)?[0];
        if marker == CODES {
            let codes = (0..read_number(recipe)?).map(|_| read_code(recipe));
            return Ok(Segment::Codes(codes.collect::<Result<_, Error>>()?));
        }
        let length = read_size(recipe)?;
        if length > LONGEST {
            return Err(Error::Recipe("a segment is too long"));
        }
        Ok(Segment::Other(marker, read_bytes(recipe, length)?.to_vec()))
    }
}

const NO_PLACE: &str = "there is no place for a code";

/// The place of a code.
pub fn place(codes: &mut Codes, name: u8) -> Option<&mut Option<Huffman>> {
    let [class, number] = [name >> 4, name & 15].map(usize::from);
    codes.get_mut(class)?.get_mut(number)
}

/// A code of a recipe, with its name.
fn read_code(recipe: &mut &[u8]) -> Result<(u8, Option<Huffman>), Error> {
    let &[name] = read_bytes(recipe, 1)? else {
        return Err(Error::Recipe(NO_PLACE));
    };
    if name & OWN == 0 {
        return Ok((name, None));
    }
    let (code, rest) = Huffman::read(recipe).ok_or(Error::Recipe("a code is none"))?;
    *recipe = rest;
    Ok((name & !OWN, Some(code)))
}

fn write_segment(marker: u8, body: &[u8], out: &mut Vec<u8>) {
    out.extend([0xFF, marker]);
    out.extend((body.len() as u16 + 2).to_be_bytes());
    out.extend(body);
}
