//! What is to be copied, as bytes: for each copy three numbers, of how much of the rest comes before it, how long it is, and how much farther back it
//! is from than the copy before. Copies from one old version of something are mostly from equally far back.

use crate::Error;
use crate::numbers::{fold, read, unfold, write as write_number};

/// Content that is equal to what stands so far before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Where it begins in the content.
    pub at: usize,
    /// How many bytes it has.
    pub length: usize,
    /// How many bytes before `at` that begins which it is equal to: in the content or before it.
    pub distance: u64,
}

impl Copy {
    /// Where it ends in the content.
    #[must_use]
    pub fn end(&self) -> usize {
        self.at + self.length
    }
}

/// The recipe for copies that follow each other.
#[must_use]
pub fn write(copies: &[Copy]) -> Vec<u8> {
    let (mut out, mut end, mut distance) = (Vec::new(), 0, 0);
    for copy in copies {
        write_number((copy.at - end) as u64, &mut out);
        write_number(copy.length as u64, &mut out);
        let now = copy.distance as i64;
        write_number(fold(now - distance), &mut out);
        (end, distance) = (copy.end(), now);
    }
    out
}

/// All of the content that is in none of the copies, which follow each other.
#[must_use]
pub fn rest(content: &[u8], copies: &[Copy]) -> Vec<u8> {
    let mut rest = Vec::new();
    let mut end = 0;
    for copy in copies {
        rest.extend_from_slice(&content[end..copy.at]);
        end = copy.end();
    }
    rest.extend_from_slice(&content[end..]);
    rest
}

/// The copies that a recipe tells of, in order.
#[derive(Clone, Debug)]
pub struct Copies<R> {
    recipe: R,
    read: usize,
    /// Of the content, how much there is in all and how much was told of.
    length: usize,
    at: usize,
    distance: i64,
}

impl<R: AsRef<[u8]>> Copies<R> {
    /// Those of the recipe of so many bytes of content.
    #[must_use]
    pub fn new(recipe: R, length: usize) -> Copies<R> {
        Copies {
            recipe,
            read: 0,
            length,
            at: 0,
            distance: 0,
        }
    }

    fn read(&mut self) -> Result<Copy, Error> {
        let recipe = self.recipe.as_ref();
        let mut rest = &recipe[self.read..];
        let too_long = Error::Recipe("there is more to be copied than the content has room for");
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let (gap, length) = (size(read(&mut rest)?), size(read(&mut rest)?));
        // Both numbers have 35 bits at most.
        let distance = self.distance + unfold(read(&mut rest)?);
        self.read = recipe.len() - rest.len();
        let at = self.at.saturating_add(gap);
        self.at = at.saturating_add(length);
        self.distance = distance;
        if self.at > self.length {
            return Err(too_long);
        }
        if length == 0 {
            return Err(Error::Recipe("nothing is to be copied somewhere"));
        }
        let distance = u64::try_from(distance)
            .ok()
            .filter(|&distance| distance > 0);
        Ok(Copy {
            at,
            length,
            distance: distance.ok_or(Error::Recipe("something is to be copied from itself"))?,
        })
    }
}

impl<R: AsRef<[u8]>> Iterator for Copies<R> {
    type Item = Result<Copy, Error>;

    /// The next copy. After an error there are no more.
    fn next(&mut self) -> Option<Result<Copy, Error>> {
        if self.read == self.recipe.as_ref().len() {
            return None;
        }
        let copy = self.read();
        if copy.is_err() {
            self.read = self.recipe.as_ref().len();
        }
        Some(copy)
    }
}

/// How many of the first `wanted` of so many bytes of content are not copied, and how many of all.
///
/// # Errors
/// [`Error::Recipe`] for one that was not made for content of this length.
pub fn rest_length(recipe: &[u8], length: usize, wanted: usize) -> Result<(usize, usize), Error> {
    let (mut first, mut all) = (wanted.min(length), length);
    for copy in Copies::new(recipe, length) {
        let copy = copy?;
        first -= copy.end().min(wanted).saturating_sub(copy.at);
        all -= copy.length;
    }
    Ok((first, all))
}
