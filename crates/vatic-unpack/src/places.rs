//! Where the streams are that could be taken apart, without doing so: for who wants to cut data elsewhere.

use std::ops::Range;

use crate::MAX_CONTENT;
use crate::base64;
use crate::blocks::Blocks;
use crate::find::candidate;
use crate::progressive::apart;
use crate::unpack::{LEAST, LEAST_STEPS, STEPS, Steps};

/// Where a stream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where the header begins by which it is known.
    pub header: usize,
    /// The stream itself; of an image, all of its pieces and what is between them.
    pub stream: Range<usize>,
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
            });
        }
        match found {
            Some(place) => {
                at = place.stream.end;
                places.push(place);
            }
            None => at += 1,
        }
    }
    places
}

fn picture(data: &[u8], at: usize, steps: &mut Steps) -> Option<Place> {
    let picture = apart(&data[at..], MAX_CONTENT, steps)?;
    let start = at + picture.before;
    (picture.length > 0).then_some(Place {
        header: at,
        stream: start..start + picture.length,
    })
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
    while let Ok(Some(_)) = blocks.next(&mut content, MAX_CONTENT) {}
    steps.spend(blocks.work())?;
    let bytes = blocks.position().div_ceil(8);
    let end = match candidate.pieces.len() {
        1 => first.start + bytes,
        _ => last.end,
    };
    (bytes >= LEAST).then_some(Place {
        header: at,
        stream: first.start..end,
    })
}
