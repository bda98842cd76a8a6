//! The sequential picture: a frame, and one scan of all its components with typical codes.

use super::SEQUENTIAL;
use super::bits::{Reader, Writer, number, size};
use super::planes::{Block, Planes, all, count};
use super::scan::{CODES, SCAN};
use crate::Error;
use vatic_jpeg::{COMPONENTS, Frame, Huffman};

/// A difference of first coefficients takes so many bits at most, and any other coefficient, if the picture is to be one that others can read.
const LARGEST: [u32; 2] = [11, 10];

/// What comes before the scan: that its codes are the typical ones, whatever was said of codes before, which a segment that names none stands for;
/// and that it has all components, of which the first has the codes for brightness, and whole blocks.
fn header(frame: &Frame) -> Vec<u8> {
    let count = frame.components.len() as u8;
    let mut header = vec![0xFF, CODES, 0, 2, 0xFF, SCAN, 0, 6 + 2 * count, count];
    for (component, part) in frame.components.iter().zip(all(frame)) {
        header.extend([component.id, (part.codes[0] << 4 | part.codes[1]) as u8]);
    }
    header.extend([0, 63, 0]);
    header
}

/// The typical codes, by class and number.
fn codes() -> Result<[[Huffman; 2]; 2], Error> {
    let code = |class, number| Huffman::typical(class, number).ok_or(Error::Picture);
    Ok([[code(0, 0)?, code(0, 1)?], [code(1, 0)?, code(1, 1)?]])
}

/// Writes it, from the frame on, of which the segment behind the marker is `frame`.
pub fn write(planes: &Planes, frame: &[u8]) -> Result<Vec<u8>, Error> {
    let words = codes()?.map(|class| class.map(|code| code.words()));
    let mut out = vec![0xFF, SEQUENTIAL];
    out.extend(frame);
    out.extend(header(&planes.frame));
    let mut give = |bytes: &[u8]| {
        out.extend(bytes);
        Ok(())
    };
    let mut bits = Writer::new(&mut give);
    let parts = all(&planes.frame);
    let walk = planes.walk(&parts);
    let mut last = [0; COMPONENTS];
    let mut put = |class: usize, code: usize, zeros: u8, value: i32| {
        if size(value) > LARGEST[class] {
            return Err(Error::Picture);
        }
        let symbol = zeros << 4 | size(value) as u8;
        bits.put(words[class][code][usize::from(symbol)])?;
        bits.put(number(value))
    };
    for mcu in 0..walk.mcus {
        for (part, place) in walk.blocks(mcu) {
            let (block, [_, code]) = (planes.block(place), parts[part].codes);
            let first = i32::from(block[0]);
            put(0, code, 0, first - last[part])?;
            last[part] = first;
            let mut zeros = 0;
            for &value in &block[1..] {
                if value == 0 {
                    zeros += 1;
                    continue;
                }
                while zeros > 15 {
                    put(1, code, 15, 0)?;
                    zeros -= 16;
                }
                put(1, code, zeros, value.into())?;
                zeros = 0;
            }
            if zeros > 0 {
                put(1, code, 0, 0)?;
            }
        }
    }
    bits.finish()?;
    Ok(out)
}

/// Reads one that is all of `content`, with so much memory at most: its coefficients, and the frame's segment without the marker.
pub fn read(content: &[u8], memory: usize) -> Result<(Planes, &[u8]), Error> {
    let (frame, segment, data) = open(content).ok_or(Error::Picture)?;
    // A block takes four bits at least.
    let blocks = count(&frame).filter(|&count| count <= 2 * data.len());
    let needs = blocks
        .ok_or(Error::Picture)?
        .saturating_mul(size_of::<Block>());
    if needs > memory {
        return Err(Error::Memory(needs));
    }
    let mut planes = Planes::new(frame).ok_or(Error::Picture)?;
    match read_scan(data, &codes()?, &mut planes) {
        Some(used) if used == data.len() => Ok((planes, segment)),
        _ => Err(Error::Picture),
    }
}

/// The frame, its segment, and the bits of the scan; none if that is no scan that can be foretold.
fn open(content: &[u8]) -> Option<(Frame, &[u8], &[u8])> {
    let segment = content.strip_prefix(&[0xFF, SEQUENTIAL])?;
    let length = u16::from_be_bytes(*segment.first_chunk()?).into();
    let (segment, rest) = segment.split_at_checked(length)?;
    let frame = Frame::read(segment.get(2..)?)?;
    let mut components = frame.components.iter().enumerate();
    let are_named = components.all(|(n, of)| frame.component(of.id) == Some(n));
    if !are_named || !frame.has_room(&all(&frame)) {
        return None;
    }
    let data = rest.strip_prefix(&header(&frame)[..])?;
    Some((frame, segment, data))
}

/// Reads the coefficients; how many bytes that took.
fn read_scan(data: &[u8], codes: &[[Huffman; 2]; 2], planes: &mut Planes) -> Option<usize> {
    let parts = all(&planes.frame);
    let walk = planes.walk(&parts);
    let mut reader = Reader::new(data);
    let mut last = [0i32; COMPONENTS];
    for mcu in 0..walk.mcus {
        for (part, place) in walk.blocks(mcu) {
            let (block, [_, code]) = (planes.block_mut(place), parts[part].codes);
            let size = reader.symbol(&codes[0][code])?.into();
            last[part] += reader.number(size)?;
            block[0] = i16::try_from(last[part]).ok()?;
            let mut at = 1;
            while at < 64 {
                let symbol = reader.symbol(&codes[1][code])?;
                let (zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
                match (zeros, size) {
                    (0, 0) => break,
                    (_, 0) => at += 16,
                    _ => {
                        at += zeros;
                        *block.get_mut(at)? = reader.number(size)? as i16;
                        at += 1;
                    }
                }
            }
        }
    }
    Some(reader.used())
}
