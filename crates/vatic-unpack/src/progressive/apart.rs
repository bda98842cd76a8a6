//! From a progressive picture to the sequential one and a recipe.

use super::planes::{Planes, all, count};
use super::read::read;
use super::scan::{CODES, Codes, INTERVAL, LONGEST_RUN, SCAN, Scan, Segment, place};
use super::write::{Counts, write};
use super::{MOST_SCANS, PROGRESSIVE, again, sequential};
use crate::Error;
use crate::numbers::write as write_number;
use crate::unpack::Steps;
use vatic_jpeg::{Frame, Huffman};

/// The first bytes of a picture.
const START: &[u8] = &[0xFF, 0xD8, 0xFF];
/// The marker that ends it.
const END: u8 = 0xD9;
/// Steps for each byte of a scan, and for each block of one.
const STEPS_OF_BYTE: u64 = 64;
const STEPS_OF_BLOCK: u64 = 16;

/// A picture that was taken apart.
pub struct Apart {
    /// How many bytes come before its frame…
    pub before: usize,
    /// …and how many there are from there to the end of its last scan; none if there is no room for its content.
    pub length: usize,
    /// The sequential picture, from the frame on.
    pub content: Vec<u8>,
    pub recipe: Vec<u8>,
}

/// Takes the progressive picture that `data` begins with apart, if it does and the picture can be made again, to at most `room` bytes of content, those
/// before the frame included.
pub fn apart(data: &[u8], room: usize, steps: &mut Steps) -> Option<Apart> {
    if !data.starts_with(START) {
        return None;
    }
    let (mut rest, mut before) = (&data[2..], 2);
    let header = loop {
        let (marker, body, after) = segment(rest)?;
        steps.spend(body.len() as u64 + 4)?;
        match marker {
            PROGRESSIVE => break body,
            0xE0..=0xEF | 0xFE | 0xDB => {}
            _ => return None,
        }
        before += rest.len() - after.len();
        rest = after;
    };
    let frame = Frame::read(header)?;
    if !frame.has_room(&all(&frame)) {
        return None;
    }
    let blocks = count(&frame)?;
    steps.spend(blocks as u64 * STEPS_OF_BLOCK)?;
    let mut planes = Planes::new(frame)?;
    let from_frame = &data[before..];
    let (scans, length) = read_scans(from_frame, &mut planes, steps)?;
    let content = sequential::write(&planes, &from_frame[2..4 + header.len()]).ok()?;
    if before + content.len() > room {
        return Some(Apart {
            before,
            length: 0,
            content: Vec::new(),
            recipe: Vec::new(),
        });
    }
    // Other programs have other limits.
    [true, false].into_iter().find_map(|has_limit| {
        let mut recipe = Vec::new();
        write_number(content.len() as u64, &mut recipe);
        write_number(scans.len() as u64, &mut recipe);
        for (scan, interval) in &scans {
            let mut scan = scan.clone();
            scan.has_limit = has_limit;
            settle(&planes, &mut scan, *interval).ok()?;
            scan.write(&mut recipe);
        }
        // Whatever was thought of it: it is taken apart if it can be made again.
        let mut left = &from_frame[..length];
        let mut is_same = |bytes: &[u8]| {
            left = left.strip_prefix(bytes).ok_or(Error::Picture)?;
            Ok(())
        };
        let made =
            again(&content, &mut &recipe[..], usize::MAX, &mut is_same).is_ok() && left.is_empty();
        made.then(|| Apart {
            before,
            length,
            content: content.clone(),
            recipe,
        })
    })
}

/// The segment that `data` begins with: its marker, what it says, and what follows.
fn segment(data: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[0xFF, marker, high, low], rest) = data.split_first_chunk()? else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let (body, rest) = rest.split_at_checked(length.checked_sub(2)?)?;
    Some((marker, body, rest))
}

/// Reads all scans, each with the interval of restarts that it has, up to the end of the picture; where that is, seen from the frame.
fn read_scans(
    data: &[u8],
    planes: &mut Planes,
    steps: &mut Steps,
) -> Option<(Vec<(Scan, usize)>, usize)> {
    let (_, _, mut rest) = segment(data)?;
    let (mut scans, mut before) = (Vec::new(), Vec::new());
    let (mut codes, mut interval) = (Codes::default(), 0);
    while !rest.starts_with(&[0xFF, END]) {
        let (marker, body, after) = segment(rest)?;
        rest = after;
        steps.spend(body.len() as u64 + 4)?;
        match marker {
            CODES => before.push(Segment::Codes(read_codes(body, &mut codes)?)),
            INTERVAL | 0xE0..=0xEF | 0xFE | 0xDB => {
                before.push(Segment::Other(marker, body.to_vec()));
            }
            SCAN => {
                let mut scan = Scan::new(std::mem::take(&mut before), body, &planes.frame)?;
                if scan.has_too_many_codes() {
                    return None;
                }
                interval = scan.interval().unwrap_or(interval);
                let blocks = planes.walk(&scan.parts).count();
                steps.spend(blocks as u64 * STEPS_OF_BLOCK)?;
                let length = read(rest, &mut scan, &codes, interval, planes)?;
                steps.spend(length as u64 * STEPS_OF_BYTE)?;
                rest = &rest[length..];
                scans.push((scan, interval));
                if scans.len() > MOST_SCANS {
                    return None;
                }
            }
            _ => return None,
        }
    }
    let is_whole = !scans.is_empty() && before.is_empty();
    is_whole.then_some((scans, data.len() - rest.len()))
}

fn read_codes(mut body: &[u8], codes: &mut Codes) -> Option<Vec<(u8, Option<Huffman>)>> {
    let mut all = Vec::new();
    while let Some((&name, rest)) = body.split_first() {
        let (code, rest) = Huffman::read(rest)?;
        *place(codes, name)? = Some(code.clone());
        all.push((name, Some(code)));
        body = rest;
    }
    Some(all)
}

/// Leaves out which runs of a scan that was read end by the rules, and the codes that are usual.
fn settle(planes: &Planes, scan: &mut Scan, interval: usize) -> Result<(), Error> {
    // There are programs that know no runs; of all others the longest one says nothing.
    if scan.ends.is_empty() || scan.most_run > 1 {
        scan.most_run = LONGEST_RUN;
    }
    let mut counts = Counts::default();
    scan.ends = write(planes, scan, interval, &mut counts)?;
    scan.leave_out(&counts);
    Ok(())
}
