//! Progressive JPEG pictures (ITU-T T.81, annex G), taken apart to the sequential picture of the same coefficients.
//!
//! A progressive picture says its coefficients in many scans: first those that matter most, without their lower bits, then more of them, then
//! the bits that are missing. What there is to know about a coefficient is scattered over the file, so such scans can hardly be foretold bit by
//! bit; coefficients in one place can be. The scans are made again from them by the rules of libjpeg, by which nearly all of them were
//! written, as Lepton (Horn et al. 2017) makes them: the recipe has the headers of the scans, the codes that are not the usual ones, and where
//! runs of blocks end that would go on by those rules.

mod apart;
mod bits;
mod planes;
mod read;
mod scan;
mod sequential;
mod write;

use crate::Error;
use crate::numbers::{read as read_number, read_size};
pub use apart::apart;
use scan::{Codes, Scan};
use write::{Counts, Words, write};

/// The markers of frames.
const PROGRESSIVE: u8 = 0xC2;
const SEQUENTIAL: u8 = 0xC0;
/// Most scans of a picture; programs make ten or so.
const MOST_SCANS: usize = 64;

/// What is made is given to this piece by piece.
type Give<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Error>;

/// Makes a picture again, from its frame to its last scan, from what `content` begins with, while its coefficients take so much memory at most; how
/// much of `content` it took.
pub fn again(
    content: &[u8],
    recipe: &mut &[u8],
    memory: usize,
    give: Give,
) -> Result<usize, Error> {
    let length = read_size(recipe)?;
    let content = content.get(..length).ok_or(Error::Length)?;
    let (planes, header) = sequential::read(content, memory)?;
    give(&[0xFF, PROGRESSIVE])?;
    give(header)?;
    let (mut codes, mut interval) = (Codes::default(), 0);
    let count = read_number(recipe)?;
    if count > MOST_SCANS as u64 {
        return Err(Error::Recipe("a picture has too many scans"));
    }
    for _ in 0..count {
        let scan = Scan::read(recipe, &planes.frame)?;
        interval = scan.interval().unwrap_or(interval);
        let mut counts = Counts::default();
        if scan.has_usual_codes() {
            write(&planes, &scan, interval, &mut counts)?;
        }
        give(&scan.segments(&mut codes, &counts)?)?;
        let mut words = Words::new(&codes, give);
        write(&planes, &scan, interval, &mut words)?;
        words.finish()?;
    }
    Ok(length)
}

#[cfg(test)]
mod tests;
