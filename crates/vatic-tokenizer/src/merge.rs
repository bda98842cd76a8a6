//! The textbook algorithm with a heap: nothing to prepare, for texts so short that preparing would take longer.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A merge that may be made: the lowest rank first, then the leftmost. Bounds are those of the two parts.
type Merge = Reverse<(u16, usize, usize, usize)>;

/// The parts of `text` when merges are made by rank until none is left; `rank` gives a token's by its bytes. Takes
/// n log n steps for n bytes.
pub(crate) fn parts(text: &[u8], rank: impl Fn(&[u8]) -> Option<u16>) -> Vec<&[u8]> {
    let len = text.len();
    // By a part's start: its end, and the start of the part before. An end of 0: no part starts here any more.
    let mut end: Vec<usize> = (1..=len).collect();
    let mut before: Vec<usize> = (0..=len).map(|at| at.saturating_sub(1)).collect();
    let merge = |a: usize, b: usize, c: usize| -> Option<Merge> {
        Some(Reverse((rank(&text[a..c])?, a, b, c)))
    };
    let mut heap: BinaryHeap<Merge> = (0..len.saturating_sub(1))
        .filter_map(|at| merge(at, at + 1, at + 2))
        .collect();
    while let Some(Reverse((_, a, b, c))) = heap.pop() {
        if end[a] != b || end[b] != c {
            continue; // One of the two has become part of something else.
        }
        (end[a], end[b]) = (c, 0);
        before[c] = a;
        if a > 0 {
            heap.extend(merge(before[a], a, c));
        }
        if c < len {
            heap.extend(merge(a, c, end[c]));
        }
    }
    let mut parts = Vec::new();
    let mut at = 0;
    while at < len {
        parts.push(&text[at..end[at]]);
        at = end[at];
    }
    parts
}
