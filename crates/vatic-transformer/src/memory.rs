//! Memory for a model's weights: in large pages, where the system has them.
//!
//! All weights pass by for every token, and one that is fed by few streams waits for them. In pages of 4 KiB addresses have to be
//! looked up more often, and what fetches ahead stops at the end of a page; how much that costs depends on the machine (nothing that
//! could be told from noise to a fifth). What was packed when the program was built stays where it lies in the program.

use crate::packed::Line;
use memmap2::MmapMut;

/// Lines of weights.
pub(crate) enum Memory {
    /// Anonymous pages of the system's.
    Pages(MmapMut),
    /// Where the system gives none.
    Heap(Vec<Line>),
    /// Packed before, and part of the program.
    Program(&'static [Line]),
}

impl Memory {
    /// So many lines; what they hold does not matter.
    pub fn new(lines: usize) -> Memory {
        // The interpreter of the undefined-behaviour checks knows no advice.
        if cfg!(miri) {
            return Memory::Heap(vec![Line::ZERO; lines]);
        }
        match MmapMut::map_anon(lines * size_of::<Line>()) {
            Ok(pages) => {
                // Only advice: without it everything works as well, in small pages.
                #[cfg(target_os = "linux")]
                let _ = pages.advise(memmap2::Advice::HugePage);
                Memory::Pages(pages)
            }
            Err(_) => Memory::Heap(vec![Line::ZERO; lines]),
        }
    }

    #[inline(always)]
    pub fn lines(&self) -> &[Line] {
        match self {
            Memory::Pages(pages) => bytemuck::cast_slice(pages),
            Memory::Heap(lines) => lines,
            Memory::Program(lines) => lines,
        }
    }

    /// To fill new memory.
    pub fn lines_mut(&mut self) -> &mut [Line] {
        match self {
            Memory::Pages(pages) => bytemuck::cast_slice_mut(pages),
            Memory::Heap(lines) => lines,
            Memory::Program(_) => unreachable!("it is filled already"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_there() {
        for lines in [1, 3, 40_000] {
            let mut memory = Memory::new(lines);
            assert_eq!(memory.lines().len(), lines);
            memory.lines_mut()[lines - 1].0[63] = 7;
            assert_eq!(memory.lines()[lines - 1].0[63], 7);
        }
        assert!(Memory::new(0).lines().is_empty());
    }
}
