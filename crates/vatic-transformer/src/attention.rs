//! Attention of positions over their windows: whole-number products by the kernel, the softmax between them in `f32`.

// Lanes and rows are named by numbers.
#![allow(clippy::needless_range_loop)]

use crate::aligned::Aligned;
use crate::cache::{HEAD, POSITIONS, Panel};
use crate::numerics::{exp2, fold, fold_max, larger, largest, rint_bits};
use std::ops::Range;

/// The products of attention, whole numbers and so exact in every kernel.
pub(crate) trait Products {
    /// `(f32)(q · k) · (scale · scale of k)` for the positions of the panels: 16 for each.
    ///
    /// # Safety
    /// The CPU has the instructions of the implementing kernel.
    unsafe fn scores(
        query: &[i8; HEAD],
        scale: f32,
        panels: &[Panel],
        scores: &mut [[f32; POSITIONS]],
    );

    /// Adds `Σ wⱼ vⱼ` over whole panels to the sums of `H` sets of weights (0 to 2¹⁴, 16 for each panel).
    ///
    /// # Safety
    /// The CPU has the instructions of the implementing kernel.
    unsafe fn weigh<const H: usize>(
        weights: [&[[i16; POSITIONS]]; H],
        panels: &[Panel],
        sums: &mut [[i32; HEAD]; H],
    );

    /// Asks for keys, or values, that will be wanted soon.
    #[inline(always)]
    fn prefetch<T>(_what: &T) {}
}

/// Products of one query or set of weights at a time: for kernels that gain nothing from more.
pub(crate) trait Singly {
    /// `q · k` for the 16 positions of a panel.
    ///
    /// # Safety
    /// The CPU has the instructions of the implementing kernel.
    unsafe fn dots(query: &[i8; HEAD], panel: &Panel) -> [i32; POSITIONS];

    /// `Σ wⱼ vⱼ` as in [`Products::weigh`].
    ///
    /// # Safety
    /// The CPU has the instructions of the implementing kernel.
    unsafe fn weigh_one(weights: &[[i16; POSITIONS]], panels: &[Panel]) -> [i32; HEAD];

    /// As [`Products::prefetch`].
    #[inline(always)]
    fn prefetch<T>(_what: &T) {}
}

impl<K: Singly> Products for K {
    #[inline(always)]
    unsafe fn scores(
        query: &[i8; HEAD],
        scale: f32,
        panels: &[Panel],
        scores: &mut [[f32; POSITIONS]],
    ) {
        for (panel, to) in panels.iter().zip(scores) {
            // SAFETY: the caller's promise.
            let dots = unsafe { K::dots(query, panel) };
            // Into an array of its own first: the compiler need not fear that the scores lie over the scales.
            let mut scores = [0.0; POSITIONS];
            for i in 0..POSITIONS {
                scores[i] = dots[i] as f32 * (scale * panel.key_scales[i]);
            }
            *to = scores;
        }
    }

    #[inline(always)]
    unsafe fn weigh<const H: usize>(
        weights: [&[[i16; POSITIONS]]; H],
        panels: &[Panel],
        sums: &mut [[i32; HEAD]; H],
    ) {
        for (sums, weights) in sums.iter_mut().zip(weights) {
            // SAFETY: the caller's promise.
            let more = unsafe { K::weigh_one(weights, panels) };
            for (sum, more) in sums.iter_mut().zip(more) {
                *sum += more;
            }
        }
    }

    #[inline(always)]
    fn prefetch<T>(what: &T) {
        <K as Singly>::prefetch(what);
    }
}

/// Successive positions of a stream whose attention is computed at once: their windows are almost the same, and pass by once for all.
pub(crate) const ROWS: usize = 4;
/// Heads that are taken at once.
const MOST: usize = 4;
/// Panels that all queries pass by in turn, few enough for their keys or values to stay in the first-level cache.
const STRETCH: usize = 8;

/// The windows of a few successive positions over a ring of panels, as two stretches in the order of positions.
pub(crate) struct View<'a> {
    panels: [&'a [Panel]; 2],
    window: usize,
    rows: usize,
    /// Positions from the first panel's beginning to the first row's, which it sees.
    end: usize,
    /// The panels of the next view, if they are to be fetched from afar meanwhile.
    next: [&'a [Panel]; 2],
}

impl<'a> View<'a> {
    /// For each of `rows` positions from `position` on, the `window` positions up to it, or all if there are fewer.
    pub fn new(ring: &'a [Panel], window: usize, position: u64, rows: usize) -> View<'a> {
        let first = (position + 1).saturating_sub(window as u64);
        let base = first / POSITIONS as u64;
        let last = position + rows as u64 - 1;
        let count = (last / POSITIONS as u64 - base) as usize + 1;
        let start = (base % ring.len() as u64) as usize;
        let before_end = count.min(ring.len() - start);
        View {
            panels: [
                &ring[start..start + before_end],
                &ring[..count - before_end],
            ],
            window,
            rows,
            end: (position + 1 - base * POSITIONS as u64) as usize,
            next: [&[]; 2],
        }
    }

    /// Has the keys and values of `next` brought into the core's own caches while these are computed with.
    pub fn fetching(self, next: &View<'a>) -> View<'a> {
        let next = next.panels;
        View { next, ..self }
    }

    /// The next view's panel with this number, if there is one.
    #[inline(always)]
    fn next(&self, number: usize) -> Option<&'a Panel> {
        let [first, second] = self.next;
        let before = first.len();
        first.get(number).or_else(|| second.get(number - before))
    }

    #[inline(always)]
    fn iter(&self) -> impl Iterator<Item = &'a Panel> {
        self.panels[0].iter().chain(self.panels[1])
    }

    /// Parts that stay in the nearest cache, and the number of panels before each.
    #[inline(always)]
    fn stretches(&self) -> impl Iterator<Item = (usize, &'a [Panel])> {
        let before = self.panels[0].len();
        let parts = self.panels.into_iter().zip([0, before]);
        parts.flat_map(|(part, at)| (at..).step_by(STRETCH).zip(part.chunks(STRETCH)))
    }

    /// The positions that a row sees, counted from the first panel's beginning.
    fn seen(&self, row: usize) -> Range<usize> {
        let end = self.end + row;
        end.saturating_sub(self.window)..end
    }

    /// Each position that a row sees, from the first to the last: its panel, and its place in it.
    pub fn positions(&self, row: usize) -> impl Iterator<Item = (&'a Panel, usize)> {
        let seen = self.seen(row);
        self.iter()
            .flat_map(|panel| (0..POSITIONS).map(move |at| (panel, at)))
            .take(seen.end)
            .skip(seen.start)
    }

    fn len(&self) -> usize {
        self.panels[0].len() + self.panels[1].len()
    }
}

/// What a row sees of some panels: all, but for the lanes before `first` of the first and those from `last` on of the last.
struct Seen {
    panels: Range<usize>,
    first: usize,
    last: usize,
}

impl Seen {
    #[inline(always)]
    fn new(seen: Range<usize>) -> Seen {
        let panels = seen.start / POSITIONS..seen.end.div_ceil(POSITIONS);
        Seen {
            first: seen.start % POSITIONS,
            last: seen.end - (panels.end - 1) * POSITIONS,
            panels,
        }
    }

    /// Puts `other` into the lanes of the first panel that are not seen.
    #[inline(always)]
    fn hide_before(&self, lanes: &mut [f32; POSITIONS], other: f32) {
        for i in 0..POSITIONS {
            lanes[i] = if i < self.first { other } else { lanes[i] };
        }
    }

    /// Puts `other` into the lanes of the last panel that are not seen.
    #[inline(always)]
    fn hide_after(&self, lanes: &mut [f32; POSITIONS], other: f32) {
        for i in 0..POSITIONS {
            lanes[i] = if i < self.last { lanes[i] } else { other };
        }
    }
}

/// Room for the scores of a few heads of a few rows; made once.
pub(crate) struct Scratch {
    panels: usize,
    /// For each row and head, `panels`.
    scores: Aligned<[f32; POSITIONS]>,
    weights: Aligned<[i16; POSITIONS]>,
    value_scales: Aligned<[f32; POSITIONS]>,
}

impl Scratch {
    pub fn new(panels: usize) -> Scratch {
        Scratch {
            panels,
            scores: Aligned::new(ROWS * MOST * panels),
            weights: Aligned::new(ROWS * MOST * panels),
            value_scales: Aligned::new(panels),
        }
    }

    /// Where the scores or weights of a row and head begin.
    #[inline(always)]
    fn at(&self, row: usize, head: usize) -> usize {
        (row * MOST + head) * self.panels
    }
}

/// Attention of the query heads that share one key and value head, for the rows of a view (at most [`ROWS`]); `queries` and `out` hold 64
/// numbers for each head of each row, one after the other.
///
/// # Safety
/// The CPU has the instructions of `P`.
#[inline(always)]
pub(crate) unsafe fn attend<P: Products>(
    queries: &[i8],
    query_scales: &[f32],
    view: &View,
    scratch: &mut Scratch,
    out: &mut [f32],
) {
    for (to, panel) in scratch.value_scales.iter_mut().zip(view.iter()) {
        *to = panel.value_scales;
    }
    let mut value_max = [0f32; ROWS];
    for row in 0..view.rows {
        let seen = Seen::new(view.seen(row));
        value_max[row] = largest_seen(&scratch.value_scales[seen.panels.clone()], &seen, 0.0);
    }
    let queries = queries.as_chunks::<HEAD>().0;
    let out = out.as_chunks_mut::<HEAD>().0;
    let heads = queries.len() / view.rows;
    let mut first = 0;
    while first < heads {
        // SAFETY: the caller's promise.
        first += unsafe {
            match heads - first {
                1 => {
                    some_heads::<P, 1>(queries, query_scales, first, view, scratch, &value_max, out)
                }
                2 => {
                    some_heads::<P, 2>(queries, query_scales, first, view, scratch, &value_max, out)
                }
                3 => {
                    some_heads::<P, 3>(queries, query_scales, first, view, scratch, &value_max, out)
                }
                _ => some_heads::<P, MOST>(
                    queries,
                    query_scales,
                    first,
                    view,
                    scratch,
                    &value_max,
                    out,
                ),
            }
        };
    }
}

/// `H` heads of each row, from the row's head `first` on; returns `H`.
///
/// # Safety
/// The CPU has the instructions of `P`.
#[inline(always)]
unsafe fn some_heads<P: Products, const H: usize>(
    queries: &[[i8; HEAD]],
    query_scales: &[f32],
    first: usize,
    view: &View,
    scratch: &mut Scratch,
    value_max: &[f32; ROWS],
    out: &mut [[f32; HEAD]],
) -> usize {
    let heads = queries.len() / view.rows;
    for (at, stretch) in view.stretches() {
        for row in 0..view.rows {
            for h in 0..H {
                // A part of the next view's before each head's, so that fetching and computing go side by side.
                if first == 0 && row == 0 {
                    for number in (at + h..at + stretch.len()).step_by(H) {
                        if let Some(panel) = view.next(number) {
                            P::prefetch(&panel.keys);
                        }
                    }
                }
                let n = row * heads + first + h;
                let from = scratch.at(row, h) + at;
                let scores = &mut scratch.scores[from..from + stretch.len()];
                // SAFETY: the caller's promise.
                unsafe { P::scores(&queries[n], query_scales[n], stretch, scores) };
            }
        }
    }
    let panels = view.len();
    for row in 0..view.rows {
        let seen = Seen::new(view.seen(row));
        for h in 0..H {
            let at = scratch.at(row, h);
            let weights = &mut scratch.weights[at..at + panels];
            weights[..seen.panels.start].fill([0; POSITIONS]);
            weights[seen.panels.end..].fill([0; POSITIONS]);
            softmax(
                &mut scratch.scores[at..at + panels][seen.panels.clone()],
                &seen,
                &scratch.value_scales[seen.panels.clone()],
                value_max[row],
                &mut weights[seen.panels.clone()],
            );
        }
    }
    let mut sums = [[[0; HEAD]; H]; ROWS];
    for (at, stretch) in view.stretches() {
        for (row, sums) in sums.iter_mut().enumerate().take(view.rows) {
            if first == 0 && row == 0 {
                for number in at..at + stretch.len() {
                    if let Some(panel) = view.next(number) {
                        P::prefetch(&panel.values);
                        P::prefetch(&panel.key_excess);
                        P::prefetch(&panel.key_scales);
                        P::prefetch(&panel.value_scales);
                    }
                }
            }
            let mut weights: [&[[i16; POSITIONS]]; H] = [&[]; H];
            for (h, weights) in weights.iter_mut().enumerate() {
                let from = scratch.at(row, h) + at;
                *weights = &scratch.weights[from..from + stretch.len()];
            }
            // SAFETY: the caller's promise.
            unsafe { P::weigh(weights, stretch, sums) };
        }
    }
    for row in 0..view.rows {
        let nothing = value_max[row].is_nan() || value_max[row] <= 1e-30;
        let factor = value_max[row] / 16384.0;
        for (h, sums) in sums[row].iter().enumerate() {
            let out = &mut out[row * heads + first + h];
            for i in 0..HEAD {
                out[i] = if nothing {
                    0.0
                } else {
                    sums[i] as f32 * factor
                };
            }
        }
    }
    H
}

/// The largest of what is seen and `least`.
#[inline(always)]
fn largest_seen(chunks: &[[f32; POSITIONS]], seen: &Seen, least: f32) -> f32 {
    let end = chunks.len() - 1;
    let (mut before, mut after) = (chunks[0], chunks[end]);
    seen.hide_before(&mut before, least);
    if end == 0 {
        after = before;
    }
    seen.hide_after(&mut after, least);
    let mut lanes = largest(&chunks[end.min(1)..end], least, |score| score);
    for i in 0..POSITIONS {
        lanes[i] = larger(lanes[i], after[i]);
        // The only chunk has been looked at.
        lanes[i] = if end > 0 {
            larger(lanes[i], before[i])
        } else {
            lanes[i]
        };
    }
    fold_max(lanes)
}

/// One head's weights of the positions from its scores, which are used up.
#[inline(always)]
fn softmax(
    scores: &mut [[f32; POSITIONS]],
    seen: &Seen,
    value_scales: &[[f32; POSITIONS]],
    value_max: f32,
    weights: &mut [[i16; POSITIONS]],
) {
    let max = largest_seen(scores, seen, f32::MIN);
    let end = scores.len() - 1;
    exponentials(&mut scores[0], max);
    if end > 0 {
        exponentials(&mut scores[end], max);
    }
    seen.hide_before(&mut scores[0], 0.0);
    seen.hide_after(&mut scores[end], 0.0);
    let mut sums = scores[0];
    // In one pass, so that the sums need not wait for each other alone.
    for chunk in &mut scores[end.min(1)..end] {
        exponentials(chunk, max);
        for i in 0..POSITIONS {
            sums[i] += chunk[i];
        }
    }
    if end > 0 {
        for i in 0..POSITIONS {
            sums[i] += scores[end][i];
        }
    }
    // The largest term is 1, so this changes nothing unless all scores are NaN.
    let unit = 16384.0 / (larger(1.0, fold(sums)) * value_max);
    // One loop over all: of two, the outer one would be turned into vectors.
    let terms = scores
        .as_flattened()
        .iter()
        .zip(value_scales.as_flattened());
    for (to, (score, scale)) in weights.as_flattened_mut().iter_mut().zip(terms) {
        *to = rint_bits(score * scale * unit) as i16;
    }
}

#[inline(always)]
fn exponentials(scores: &mut [f32; POSITIONS], max: f32) {
    for score in scores {
        *score = exp2(*score - max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_of_what_is_seen_is_neither_hidden_nor_nan() {
        for chunks in 1..=7 {
            for (first, last) in [(0, 16), (0, 1), (15, 16), (3, 9)] {
                let (start, end) = (first, (chunks - 1) * POSITIONS + last);
                let seen = Seen::new(start..end);
                for broken in start..end {
                    // What is not seen is larger than all that is.
                    let mut scores = vec![[1e9; POSITIONS]; chunks];
                    let flat = scores.as_flattened_mut();
                    for n in start..end {
                        flat[n] = (n * 5 % 97) as f32;
                    }
                    flat[broken] = f32::NAN;
                    let expected = flat[start..end].iter().copied().fold(-1.0, f32::max);
                    assert_eq!(largest_seen(&scores, &seen, -1.0), expected);
                }
            }
        }
    }
}
