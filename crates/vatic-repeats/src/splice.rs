//! Puts what was taken out back between what was left.

use crate::Error;
use crate::past::Past;
use crate::recipe::{Copies, Copy};

/// How much is read of the past at a time.
const PIECE: usize = 1 << 16;

/// Content that is being put together.
#[derive(Debug)]
pub struct Splice {
    copies: Copies<Vec<u8>>,
    /// The copy that comes next, when what stands before it is there.
    next: Option<Copy>,
    length: usize,
    content: Vec<u8>,
}

impl Splice {
    /// Content of so many bytes, made as `recipe` says.
    ///
    /// # Errors
    /// [`Error::Recipe`] if the first copy is none.
    pub fn new(recipe: Vec<u8>, length: usize) -> Result<Splice, Error> {
        let mut copies = Copies::new(recipe, length);
        Ok(Splice {
            next: copies.next().transpose()?,
            copies,
            length,
            content: Vec::new(),
        })
    }

    /// Takes more of the rest. All copies for which what stands before them is there are made: those that come first, with none of the rest.
    ///
    /// # Errors
    /// [`Error::Recipe`] if the recipe is damaged or there is more of the rest than the content has room for, and what [`Past::read`] fails with.
    pub fn push(&mut self, mut rest: &[u8], past: &mut Past) -> Result<(), Error> {
        loop {
            let end = self.next.map_or(self.length, |copy| copy.at);
            let (first, after) = rest.split_at(rest.len().min(end - self.content.len()));
            self.content.extend_from_slice(first);
            rest = after;
            match self.next {
                Some(copy) if self.content.len() == copy.at => {
                    self.copy(copy, past)?;
                    self.next = self.copies.next().transpose()?;
                }
                None if !rest.is_empty() => {
                    return Err(Error::Recipe("more was left than there is room for"));
                }
                _ => return Ok(()),
            }
        }
    }

    fn copy(&mut self, copy: Copy, past: &mut Past) -> Result<(), Error> {
        let mut left = copy.length;
        while left > 0 {
            let here = self.content.len();
            let some = if copy.distance > here as u64 {
                let back = copy.distance - here as u64;
                let some = left.min(PIECE).min(usize::try_from(back).unwrap_or(PIECE));
                self.content.resize(here + some, 0);
                past.read(back, &mut self.content[here..])?;
                some
            } else {
                // What is near may be longer than it is far: it repeats itself then.
                let start = here - copy.distance as usize;
                let some = left.min(here - start);
                self.content.extend_from_within(start..start + some);
                some
            };
            left -= some;
        }
        Ok(())
    }

    /// What there is of the content.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// All of the content.
    ///
    /// # Errors
    /// [`Error::Recipe`] if there is less of it than there should be.
    pub fn finish(self) -> Result<Vec<u8>, Error> {
        match self.content.len() == self.length && self.next.is_none() {
            true => Ok(self.content),
            false => Err(Error::Recipe("less was left than there should be")),
        }
    }
}
