//! Where deflate streams may be: behind the headers of gzip, zip and zlib (as in PDF files), and cut into pieces in PNG images.

use std::ops::Range;

use crate::rows::Rows;

/// A place where a stream may begin.
#[derive(Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its bytes: one piece, which may end anywhere before the end, or several with [`BETWEEN`] bytes between.
    pub pieces: Vec<Range<usize>>,
    /// log2 of the window that it was written with, as far as its header says.
    pub window_bits: u8,
    /// The rows of pixels that it says, as far as is said where it is.
    pub rows: Option<Rows>,
}

/// Bytes between two pieces: the checksum of one chunk of a PNG image, length and name of the next.
pub const BETWEEN: usize = 12;

const PNG: &[u8] = b"\x89PNG\r\n\x1A\n";
const WINDOW: u8 = 15;
/// Names and comments in gzip headers are shorter than this, and images have fewer chunks before their data, or are left as they are.
const LONGEST_NAME: usize = 1024;
const MOST_CHUNKS: usize = 64;
/// The body of an image's first chunk has so many bytes.
const HEADER: usize = 13;
/// Dictionaries of streams in PDF files are looked at no further.
const LONGEST_DICTIONARY: usize = 512;

/// The stream that may begin behind a header at `at`.
pub fn candidate(data: &[u8], at: usize) -> Option<Candidate> {
    let here = &data[at..];
    let (start, window_bits, rows) = match here.first()? {
        0x1F => (gzip(here)?, WINDOW, None),
        b'P' => (zip(here)?, WINDOW, None),
        0x89 => return png(data, at),
        _ => (2, zlib(here)?, predictor(&data[..at])),
    };
    let start = at + start;
    (start < data.len()).then(|| Candidate {
        pieces: std::iter::once(start..data.len()).collect(),
        window_bits,
        rows,
    })
}

/// Length of a gzip member's header (RFC 1952).
fn gzip(data: &[u8]) -> Option<usize> {
    let [0x1F, 0x8B, 8, flags, ..] = *data else {
        return None;
    };
    if flags & 0xE0 != 0 {
        return None;
    }
    let mut at = 10;
    if flags & 4 != 0 {
        at += 2 + number(data, at, 2)?;
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let mut name = data.get(at..)?.iter().take(LONGEST_NAME);
            at += name.position(|&byte| byte == 0)? + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    Some(at)
}

/// Length of the header of a zip file's entry, if that is deflated.
fn zip(data: &[u8]) -> Option<usize> {
    let is_deflated = data.starts_with(b"PK\x03\x04") && number(data, 8, 2)? == 8;
    let is_encrypted = number(data, 6, 2)? & 1 == 1;
    (is_deflated && !is_encrypted).then_some(30 + number(data, 26, 2)? + number(data, 28, 2)?)
}

/// log2 of the window that a zlib header (RFC 1950) names.
fn zlib(data: &[u8]) -> Option<u8> {
    let [method, flags, ..] = *data else {
        return None;
    };
    let is_sound = method & 15 == 8 && method >> 4 <= 7 && flags & 32 == 0;
    let check = u16::from_be_bytes([method, flags]);
    (is_sound && check.is_multiple_of(31)).then_some((method >> 4) + 8)
}

/// The rows in a stream of a PDF file that begins behind `data`, if its dictionary says that they are filtered as PNG has them (ISO 32000-2,
/// 7.4.4.4).
fn predictor(data: &[u8]) -> Option<Rows> {
    let data = data.strip_suffix(b"\n")?;
    let data = data.strip_suffix(b"\r").unwrap_or(data);
    let data = data.strip_suffix(b"stream")?;
    let dictionary = &data[data.len().saturating_sub(LONGEST_DICTIONARY)..];
    let start = dictionary.windows(4).rposition(|bytes| bytes == b" obj")?;
    let value = |name: &[u8]| {
        let mut names = dictionary[start..].windows(name.len());
        let behind = start + names.position(|bytes| bytes == name)? + name.len();
        let digits = dictionary[behind..].trim_ascii_start();
        let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
        std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
    };
    let (samples, bits) = (value(b"/Colors"), value(b"/BitsPerComponent"));
    (value(b"/Predictor")? >= 10).then_some(())?;
    Rows::of_image(value(b"/Columns")?, samples.unwrap_or(1), bits.unwrap_or(8))
}

/// The rows of a PNG image, of whose first chunk this is the body, if it has one picture and not seven smaller ones.
fn header(body: &[u8]) -> Option<Rows> {
    let [_, _, _, _, _, _, _, _, bits, colours, _, 0, 0] = *body else {
        return None;
    };
    let samples = match colours {
        0 | 3 => 1,
        4 => 2,
        2 => 3,
        6 => 4,
        _ => return None,
    };
    Rows::of_image(big_endian(body, 0)?, samples, bits.into())
}

/// The stream of a PNG image, of whose chunks it takes all named IDAT.
fn png(data: &[u8], at: usize) -> Option<Candidate> {
    if !data[at..].starts_with(PNG) {
        return None;
    }
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let (mut at, mut others, mut rows) = (at + PNG.len(), 0, None);
    while let Some(length) = big_endian(data, at) {
        let body = at + 8;
        let is_data = data.get(at + 4..body)? == b"IDAT";
        if is_data {
            pieces.push(body..body.saturating_add(length).min(data.len()));
        } else {
            if others == 0 && data[at + 4..].starts_with(b"IHDR") {
                rows = data.get(body..body + length.min(HEADER)).and_then(header);
            }
            others += 1;
            if !pieces.is_empty() || others > MOST_CHUNKS {
                break;
            }
        }
        at = body.checked_add(length)?.checked_add(4)?;
    }
    let first = pieces.first_mut()?;
    let window_bits = zlib(data.get(first.clone())?)?;
    first.start += 2;
    Some(Candidate {
        pieces,
        window_bits,
        rows,
    })
}

/// A number of so many bytes, the lowest first.
fn number(data: &[u8], at: usize, bytes: usize) -> Option<usize> {
    let bytes = data.get(at..at + bytes)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |n, &byte| n << 8 | usize::from(byte)),
    )
}

/// A number of four bytes, the highest first.
fn big_endian(data: &[u8], at: usize) -> Option<usize> {
    let (bytes, _) = data.get(at..)?.split_first_chunk()?;
    Some(u32::from_be_bytes(*bytes) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_passed_over() {
        let gzip = b"\x1F\x8B\x08\x1E....\x00\x03\x02\x00abname\x00comment\x00##DATA";
        // Where the one piece begins, which reaches to the end.
        let found = |data: &[u8]| {
            let pieces = candidate(data, 0)?.pieces;
            assert_eq!((pieces.len(), pieces[0].end), (1, data.len()));
            Some(pieces[0].start)
        };
        assert_eq!(found(gzip), Some(gzip.len() - 4));
        let mut zip = b"PK\x03\x04\x14\0\0\0\x08\0".to_vec();
        zip.extend([0; 16]);
        zip.extend(b"\x04\0\x02\0nameexDATA");
        assert_eq!(found(&zip), Some(zip.len() - 4));
        zip[6] = 1;
        assert_eq!(found(&zip), None, "encrypted");
        assert_eq!(found(b"\x78\x9CDATA"), Some(2));
        assert_eq!(found(b"\x78\x9DDATA"), None);
        for length in 0..gzip.len() - 4 {
            assert_eq!(found(&gzip[..length]), None, "{length}");
        }
    }

    #[test]
    fn a_pdf_file_says_what_rows_it_has() {
        let rows = |dictionary: &str| {
            let before = format!("4 0 obj\n<</Colors 9>>\n5 0 obj\n<<{dictionary}>>\nstream\n");
            let pdf = [before.as_bytes(), b"\x78\x9CDATA"].concat();
            candidate(&pdf, before.len()).unwrap().rows
        };
        let parameters = "/Width 7/DecodeParms<</Predictor 15 /Columns 50";
        assert_eq!(rows(&format!("{parameters}/Colors 3>>")), Rows::new(3, 150));
        assert_eq!(
            rows(&format!("{parameters}/BitsPerComponent 1>>")),
            Rows::new(1, 7)
        );
        assert_eq!(rows(&format!("{parameters}/Colors x>>")), Rows::new(1, 50));
        assert_eq!(rows("/Predictor 2/Columns 50"), None);
        assert_eq!(rows("/Predictor 12"), None);
        assert_eq!(rows("/Predictor 12/Columns 99999999999999999999"), None);
        assert_eq!(predictor(b"/Predictor 12/Columns 5>>stream\n"), None);
    }

    #[test]
    fn a_png_image_has_its_stream_in_pieces() {
        let mut png = PNG.to_vec();
        for (name, body) in [
            (b"IHDR", &b"............."[..]),
            (b"IDAT", b"\x58\x85AB"),
            (b"IDAT", b"CDE"),
            (b"IEND", b""),
        ] {
            png.extend((body.len() as u32).to_be_bytes());
            png.extend(name);
            png.extend(body);
            png.extend(b"crc.");
        }
        let found = candidate(&png, 0).unwrap();
        let parts: Vec<&[u8]> = (found.pieces.iter())
            .map(|piece| &png[piece.clone()])
            .collect();
        assert_eq!((parts, found.window_bits), (vec![&b"AB"[..], b"CDE"], 13));
        assert_eq!(found.rows, None, "a header of points");
        // 300 by 2 pixels of three bytes, and those in passes.
        png[16..29].copy_from_slice(b"\0\0\x01\x2C\0\0\0\x02\x08\x02\0\0\0");
        assert_eq!(candidate(&png, 0).unwrap().rows, Rows::new(3, 900));
        png[28] = 1;
        assert_eq!(candidate(&png, 0).unwrap().rows, None);
        assert_eq!(found.pieces[1].start - found.pieces[0].end, BETWEEN);
    }
}
