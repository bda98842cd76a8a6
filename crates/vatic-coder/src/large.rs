//! Large tables in large pages, where the system has them.
//!
//! A look-up goes to any place of a table. In pages of 4 KiB the processor has to find most of these places' addresses in memory, too,
//! before it can fetch what is there.

use bytemuck::Pod;
use memmap2::MmapMut;
use std::ops::{Deref, DerefMut};

/// From so many bytes on: two of the usual large pages.
const LARGE: usize = 4 << 20;

/// Numbers, zero at first.
#[derive(Debug)]
pub enum Large<T> {
    /// Anonymous pages of the system's.
    Pages(MmapMut),
    /// Where they are few, or the system gives none.
    Heap(Vec<T>),
}

impl<T: Pod> Large<T> {
    /// So many zeros.
    pub fn new(length: usize) -> Large<T> {
        let heap = || Large::Heap(vec![T::zeroed(); length]);
        // The interpreter of the undefined-behaviour checks knows no advice.
        if length * size_of::<T>() < LARGE || cfg!(miri) {
            return heap();
        }
        let Ok(pages) = MmapMut::map_anon(length * size_of::<T>()) else {
            return heap();
        };
        // Only advice: without it everything works as well, in small pages.
        #[cfg(target_os = "linux")]
        let _ = pages.advise(memmap2::Advice::HugePage);
        Large::Pages(pages)
    }
}

impl<T: Pod> Clone for Large<T> {
    fn clone(&self) -> Large<T> {
        let mut copy = Large::new(self.len());
        copy.copy_from_slice(self);
        copy
    }
}

impl<T: Pod> Deref for Large<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        match self {
            Large::Pages(pages) => bytemuck::cast_slice(pages),
            Large::Heap(numbers) => numbers,
        }
    }
}

impl<T: Pod> DerefMut for Large<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Large::Pages(pages) => bytemuck::cast_slice_mut(pages),
            Large::Heap(numbers) => numbers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_or_many_numbers_are_zero_and_keep_what_is_written() {
        // An interpreter has only one kind, and would take minutes for many.
        let many = if cfg!(miri) { 2000 } else { LARGE / 2 + 1 };
        for length in [0, 1, 1000, many] {
            let mut numbers = Large::<i16>::new(length);
            assert_eq!(numbers.len(), length);
            assert!(numbers.iter().all(|&number| number == 0));
            if let Some(last) = numbers.last_mut() {
                *last = 7;
                assert_eq!(numbers.clone().last(), Some(&7));
            }
        }
    }
}
