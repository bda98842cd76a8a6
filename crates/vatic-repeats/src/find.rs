//! What occurred before: in the content at hand, or in any that came before it.

use crate::Error;
use crate::index::Index;
use crate::past::Past;
use crate::recipe::{self, Copy};
use crate::sample::{REACH, Sample, samples};
use crate::splice::Splice;

/// Copies from before the content at hand have so many bytes at least: a predictor would have to learn all of them again.
const LEAST_FAR: usize = 1 << 9;
/// Copies from the content at hand have so many, and are from so far back: a predictor that has just read the same foretells it for little, and takes time.
const LEAST_NEAR: usize = 1 << 12;
const NEAREST: usize = 1 << 12;
/// In content of fewer bytes than these nothing is found.
pub const LEAST: usize = LEAST_FAR;
/// What occurred in the content at hand as well, if only in part, is copied from before it where that part is less than one of so many.
const PART: usize = 4;

/// Places are noted for one of so many bytes, as log2, where there may be very many of them: one of 256 is a sample.
const PLACES_LOG2: u32 = 8;
/// Nor for more than 2^this.
const MOST_PLACES_LOG2: u32 = 24;
/// How much of the past is read at a time, at first and at most.
const PIECES: (usize, usize) = (1 << 12, 1 << 18);

/// Finds copies in one content after the other.
#[derive(Debug)]
pub struct Finder {
    past: Past,
    /// Places in all content that was kept, modulo 2^32.
    far: Index,
    /// How much that is.
    kept: u64,
    /// The content at hand: its samples, and the places of those that are in no copy.
    samples: Vec<Sample>,
    near: Index,
    piece: Vec<u8>,
}

impl Finder {
    /// One that looks back so many bytes before the content at hand, below 2^32; 0: only in the content at hand.
    #[must_use]
    pub fn new(window: u64) -> Finder {
        let most_log2 = window.max(1).ilog2().saturating_sub(PLACES_LOG2);
        Finder {
            past: Past::new(window),
            far: Index::new(most_log2.min(MOST_PLACES_LOG2)),
            kept: 0,
            samples: Vec::new(),
            near: Index::new(MOST_PLACES_LOG2),
            piece: Vec::new(),
        }
    }

    /// What can be copied in `content` (below 2^32 bytes), which comes after all that was [kept](Finder::keep), in order.
    pub fn find(&mut self, content: &[u8]) -> Vec<Copy> {
        let mut copies: Vec<Copy> = Vec::new();
        self.samples.clear();
        self.near.clear();
        // Up to there everything is copied.
        let mut end = 0;
        for sample in samples(content) {
            self.samples.push(sample);
            let here = sample.end as usize;
            if here < end {
                continue;
            }
            if let Some(copy) = self.copy(content, sample, end, copies.last()) {
                end = copy.end();
                copies.push(copy);
            } else {
                self.near.put(sample, sample.end);
            }
        }
        copies
    }

    /// Whether `rest` and what is copied, from all that was kept, are the content.
    ///
    /// # Errors
    /// What [`Splice`] fails with.
    pub fn is_right(
        &mut self,
        content: &[u8],
        copies: &[Copy],
        rest: &[u8],
    ) -> Result<bool, Error> {
        let mut splice = Splice::new(recipe::write(copies), content.len())?;
        splice.push(rest, &mut self.past)?;
        Ok(splice.finish()? == content)
    }

    /// Notes that what was last asked about begins with `content`, and that this is past now.
    pub fn keep(&mut self, content: &[u8]) {
        let of_it = |sample: &&Sample| sample.end as usize <= content.len();
        for &sample in self.samples.iter().take_while(of_it) {
            let place = self.kept.wrapping_add(sample.end.into()) as u32;
            self.far.put(sample, place);
        }
        self.past.append(content);
        self.kept += content.len() as u64;
    }

    /// The copy that has a sample in it, if it begins at `from` at least and is worth it. `last` is the one before.
    fn copy(
        &mut self,
        content: &[u8],
        sample: Sample,
        from: usize,
        last: Option<&Copy>,
    ) -> Option<Copy> {
        let here = sample.end as usize;
        let near = self.near.get(sample.key).and_then(|place| {
            let place = place as usize;
            let is_same = content[place - REACH..place] == content[here - REACH..here];
            is_same.then_some(here - place)
        });
        let repeats_itself = near.is_some_and(|distance| distance < NEAREST);
        if repeats_itself || is_even(&content[here - REACH..here]) {
            return None;
        }
        let near = near.and_then(|distance| self.extend(content, here, distance as u64, from));
        let known = near.map_or(0, |copy| copy.length);
        let near = near.filter(|copy| copy.length >= LEAST_NEAR);
        let latest = self.far.get(sample.key).map(|place| {
            let now = self.kept.wrapping_add(here as u64) as u32;
            u64::from(now.wrapping_sub(place))
        });
        // What is equal in many places may go on from where the copy before is from.
        let going_on = last.map(|copy| copy.distance);
        let latest = latest.filter(|_| latest != going_on);
        let mut best = near;
        for distance in [going_on, latest].into_iter().flatten() {
            let far = match self.is_same(content, here, distance) {
                true => self.extend(content, here, distance, from),
                false => None,
            };
            if let Some(far) = far
                && far.length >= LEAST_FAR
                && far.length / PART >= known
                && best.is_none_or(|best| far.length > best.length)
            {
                best = Some(far);
            }
        }
        best
    }

    /// Whether what a sample was chosen for stands there, before the content.
    fn is_same(&mut self, content: &[u8], here: usize, distance: u64) -> bool {
        let Some(back) = (distance + REACH as u64).checked_sub(here as u64) else {
            return false;
        };
        let there = self.past(back, REACH);
        there.is_some_and(|there| *there == content[here - REACH..here])
    }

    /// All that is equal to what stands `distance` before it, around `here`.
    fn extend(&mut self, content: &[u8], here: usize, distance: u64, from: usize) -> Option<Copy> {
        let after = self.after(content, here, distance)?;
        let before = self.before(content, here, distance, from)?;
        Some(Copy {
            at: here - before,
            length: before + after,
            distance,
        })
        .filter(|copy| copy.length > 0)
    }

    /// How many bytes from `here` on are equal to those `distance` before them.
    fn after(&mut self, content: &[u8], here: usize, distance: u64) -> Option<usize> {
        let (mut at, mut most) = (here, PIECES.0);
        while at < content.len() {
            let (equal, of) = if let Some(back) = distance.checked_sub(at as u64 + 1) {
                let back = back + 1;
                let of = (content.len() - at).min(most);
                let of = of.min(usize::try_from(back).unwrap_or(of));
                let piece = self.past(back, of)?;
                (common(&content[at..], piece), of)
            } else {
                let place = at - distance as usize;
                let of = content.len() - at;
                (common(&content[at..], &content[place..]), of)
            };
            at += equal;
            if equal < of {
                break;
            }
            most = (2 * most).min(PIECES.1);
        }
        Some(at - here)
    }

    /// How many bytes before `here`, and not before `from`, are.
    fn before(&mut self, content: &[u8], here: usize, distance: u64, from: usize) -> Option<usize> {
        let (mut at, mut most) = (here, PIECES.0);
        while at > from {
            let (equal, of) = if distance < at as u64 {
                let place = at - distance as usize;
                let of = (at - from).min(place);
                (common_end(&content[..at], &content[place - of..place]), of)
            } else {
                let back = distance - at as u64;
                let left = self.past.len().saturating_sub(back);
                let of = (at - from).min(most);
                let of = of.min(usize::try_from(left).unwrap_or(of));
                if of == 0 {
                    break;
                }
                let piece = self.past(back + of as u64, of)?;
                (common_end(&content[..at], piece), of)
            };
            at -= equal;
            if equal < of {
                break;
            }
            most = (2 * most).min(PIECES.1);
        }
        Some(here - at)
    }

    /// So many bytes of the past, from so far before the content on; none if there are none.
    fn past(&mut self, back: u64, length: usize) -> Option<&[u8]> {
        self.piece.resize(length, 0);
        let read = self.past.read(back, &mut self.piece);
        read.is_ok().then_some(&self.piece)
    }
}

/// Whether all bytes are the same.
fn is_even(bytes: &[u8]) -> bool {
    bytes.windows(2).all(|pair| pair[0] == pair[1])
}

/// How many bytes agree from the beginning on.
fn common(a: &[u8], b: &[u8]) -> usize {
    let (heads, _) = a.as_chunks::<16>();
    let (others, _) = b.as_chunks::<16>();
    let whole = 16 * heads.iter().zip(others).take_while(|(x, y)| x == y).count();
    let rest = a[whole..].iter().zip(&b[whole..]);
    whole + rest.take_while(|(x, y)| x == y).count()
}

/// How many bytes agree at the end.
fn common_end(a: &[u8], b: &[u8]) -> usize {
    let both = a.iter().rev().zip(b.iter().rev());
    both.take_while(|(x, y)| x == y).count()
}
