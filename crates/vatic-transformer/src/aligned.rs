//! Numbers that begin at a cache line, so that no kernel's load or store of a whole register is split between two.

use crate::packed::Line;
use bytemuck::Pod;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// A vector of numbers, aligned to 64 bytes.
#[derive(Clone)]
pub(crate) struct Aligned<T> {
    lines: Vec<Line>,
    length: usize,
    kind: PhantomData<T>,
}

impl<T: Pod> Aligned<T> {
    /// So many zeros.
    pub fn new(length: usize) -> Aligned<T> {
        let mut numbers = Aligned::default();
        numbers.resize(length);
        numbers
    }

    /// Makes it so long; what is new is zero, or what was there before it was made shorter.
    pub fn resize(&mut self, length: usize) {
        let lines = (length * size_of::<T>()).div_ceil(size_of::<Line>());
        if lines > self.lines.len() {
            self.lines.resize(lines, Line::ZERO);
        }
        self.length = length;
    }
}

impl<T> Default for Aligned<T> {
    fn default() -> Aligned<T> {
        Aligned {
            lines: Vec::new(),
            length: 0,
            kind: PhantomData,
        }
    }
}

impl<T: Pod> Deref for Aligned<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        &bytemuck::cast_slice(&self.lines)[..self.length]
    }
}

impl<T: Pod> DerefMut for Aligned<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.length]
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for Aligned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_at_a_line_and_are_as_many_as_asked_for() {
        let mut numbers = Aligned::<f32>::new(3);
        for length in [0, 1, 16, 17, 1000] {
            numbers.resize(length);
            assert_eq!(numbers.len(), length);
            assert_eq!(numbers.as_ptr().addr() % 64, 0);
        }
        numbers[999] = 1.0;
        assert_eq!(
            numbers.clone()[990..],
            [0., 0., 0., 0., 0., 0., 0., 0., 0., 1.]
        );
        assert_eq!(Aligned::<i8>::new(65)[..], [0; 65]);
    }
}
