//! Where the streams are that could be taken apart, without doing so: for who wants to cut data elsewhere.

use std::ops::Range;

use crate::MAX_CONTENT;
use crate::base64;
use crate::blocks::Blocks;
use crate::find::{BETWEEN, candidate};
use crate::progressive::apart;
use crate::unpack::{LEAST, LEAST_STEPS, Steps};

/// Steps of work for each byte of data: what was made to be slow is not looked at to its end.
const STEPS: u64 = 64;
/// So much of what a stream says is kept, and its blocks say no more than that at once.
const WINDOW: usize = 1 << 15;
const MOST_SAID: usize = 1 << 24;

/// Where a stream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where the header begins by which it is known.
    pub header: usize,
    /// The stream itself, as far as there is something of it; of an image, all of its pieces and what is between them.
    pub stream: Range<usize>,
    /// Whether it goes on behind the end of the data, or may do so.
    pub is_cut: bool,
}

/// The places of the deflate streams, progressive pictures and Base64 in `data`, in order. Whether they can be made again is not looked at.
///
/// ```
/// use std::io::Write;
///
/// let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
/// gzip.write_all((0..200u32).map(|n| format!("{} so it goes, ", n * n)).collect::<String>().as_bytes())?;
/// let file = [&b"before"[..], &gzip.finish()?, b"after"].concat();
/// let places = vatic_unpack::places(&file);
/// assert_eq!(places.len(), 1);
/// // Ten bytes of header, and eight behind the stream.
/// assert_eq!((places[0].header, &places[0].stream), (6, &(16..file.len() - 5 - 8)));
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn places(data: &[u8]) -> Vec<Place> {
    let mut places = Vec::new();
    walk(data, picture, |place| places.push(place));
    places
}

/// Where the stream or JPEG picture of any kind begins, its header before it, that goes on behind the end of `data`, or may do so: who wants to cut data
/// about there had better do it here.
///
/// ```
/// let content: Vec<u8> = (0..20_000u32).map(|n| (n * n >> 9) as u8 & 31).collect();
/// let stream = miniz_oxide::deflate::compress_to_vec_zlib(&content, 6);
/// let data = [&b"before"[..], &stream].concat();
/// assert_eq!(vatic_unpack::unfinished(&data[..data.len() / 2]), Some(6));
/// assert_eq!(vatic_unpack::unfinished(&data), None);
/// ```
#[must_use]
pub fn unfinished(data: &[u8]) -> Option<usize> {
    let mut last = None;
    walk(data, jpeg, |place| last = Some(place));
    last.filter(|place| place.is_cut).map(|place| place.header)
}

/// Tells of all places in order. `picture` finds the one that begins with a byte FF.
fn walk(
    data: &[u8],
    picture: impl Fn(&[u8], usize, &mut Steps) -> Option<Place>,
    mut tell: impl FnMut(Place),
) {
    let mut steps = Steps::new(LEAST_STEPS + data.len() as u64 * STEPS);
    let (mut at, mut passed) = (0, 0);
    while at < data.len() && steps.spend(0).is_some() {
        let mut found = match data[at] {
            0xFF => picture(data, at, &mut steps),
            _ => stream(data, at, &mut steps),
        };
        if found.is_none() && at >= passed {
            let taken = base64::take(&data[at..]);
            passed = at + taken.passed;
            let is_some = steps.spend(taken.passed as u64).is_some() && taken.length > 0;
            found = is_some.then(|| Place {
                header: at,
                stream: at..at + taken.length,
                is_cut: passed >= data.len(),
            });
        }
        match found {
            Some(place) => {
                at = match place.is_cut {
                    true => data.len(),
                    false => place.stream.end,
                };
                tell(place);
            }
            None => at += 1,
        }
    }
}

/// A progressive picture that can be taken apart.
fn picture(data: &[u8], at: usize, steps: &mut Steps) -> Option<Place> {
    let picture = apart(&data[at..], MAX_CONTENT, steps)?;
    let start = at + picture.before;
    (picture.length > 0).then_some(Place {
        header: at,
        stream: start..start + picture.length,
        is_cut: false,
    })
}

/// A JPEG picture of any kind, by its markers alone (ITU-T T.81, B.1.1).
fn jpeg(data: &[u8], at: usize, steps: &mut Steps) -> Option<Place> {
    if !data[at..].starts_with(&[0xFF, 0xD8, 0xFF]) {
        return None;
    }
    let place = |end: usize, is_cut| Place {
        header: at,
        stream: at..end,
        is_cut,
    };
    let (mut next, mut has_frame) = (at + 2, false);
    loop {
        let marker = match data.get(next..next + 2) {
            Some(&[0xFF, marker]) => marker,
            None => return Some(place(data.len(), true)),
            Some(_) => return None,
        };
        steps.spend(1)?;
        match marker {
            0xFF => {
                next += 1;
                continue;
            }
            0xD9 => return has_frame.then(|| place(next + 2, false)),
            0xC0..=0xCF | 0xDA..=0xFE => {}
            _ => return None,
        }
        has_frame |= matches!(marker, 0xC0..=0xC3);
        let length = match data.get(next + 2..next + 4) {
            Some(&[high, low]) => usize::from(u16::from_be_bytes([high, low])),
            _ => return Some(place(data.len(), true)),
        };
        if length < 2 {
            return None;
        }
        next += 2 + length;
        if marker == 0xDA {
            let scan = data.get(next..).unwrap_or_default();
            let is_marker = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xD0..=0xD7);
            let length = scan.windows(2).position(is_marker).unwrap_or(scan.len());
            steps.spend(length as u64)?;
            next += length;
        }
        if next >= data.len() {
            return Some(place(data.len(), true));
        }
    }
}

fn stream(data: &[u8], at: usize, steps: &mut Steps) -> Option<Place> {
    let candidate = candidate(data, at)?;
    let (first, last) = (candidate.pieces.first()?, candidate.pieces.last()?);
    let gathered: Vec<u8>;
    let coded = match &candidate.pieces[..] {
        [piece] => &data[piece.clone()],
        pieces => {
            steps.spend(pieces.iter().map(|piece| piece.len() as u64 + 1).sum())?;
            let pieces = pieces.iter().flat_map(|piece| &data[piece.clone()]);
            gathered = pieces.copied().collect();
            &gathered
        }
    };
    let (mut content, mut blocks) = (Vec::new(), Blocks::new(coded));
    while let Ok(Some(_)) = blocks.next(&mut content, MOST_SAID) {
        // Blocks look back no farther.
        content.drain(..content.len().saturating_sub(WINDOW));
    }
    steps.spend(blocks.work())?;
    let bytes = blocks.position().div_ceil(8);
    // Two bytes are soon taken for the header of zlib's.
    let is_certain = first.start > at + 2 || last.len() >= LEAST;
    let is_cut = blocks.is_cut() && last.end + BETWEEN >= data.len() && is_certain;
    let end = match candidate.pieces.len() {
        _ if is_cut => data.len(),
        1 => first.start + bytes,
        _ => last.end,
    };
    (is_cut || bytes >= LEAST).then_some(Place {
        header: at,
        stream: first.start..end,
        is_cut,
    })
}
