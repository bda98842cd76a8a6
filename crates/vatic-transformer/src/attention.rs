//! Attention of one position over its window: whole-number products by the kernel, the softmax between them in `f32`.

use crate::cache::{HEAD, POSITIONS, Panel};
use crate::numerics::{chunks, chunks_mut, exp2, fold, fold_max, larger, rint_bits};
use std::ops::Range;

/// The products of attention, whole numbers and so exact in every kernel.
pub(crate) trait Products {
    /// `(f32)(q · k) · (scale · scale of k)` for the positions of the panels: 16 for each.
    ///
    /// # Safety
    /// The CPU has the instructions of the implementing kernel.
    unsafe fn scores(query: &[i8; HEAD], scale: f32, panels: &[Panel], scores: &mut [f32]);

    /// `Σ wⱼ vⱼ` over whole panels, in the order of `panels`, for `H` sets of weights (0 to 2¹⁴, 16 for each panel).
    ///
    /// # Safety
    /// The CPU has the instructions of the implementing kernel.
    unsafe fn weigh<const H: usize>(
        weights: [&[[i16; POSITIONS]]; H],
        panels: [&[Panel]; 2],
    ) -> [[i32; HEAD]; H];
}

/// Products of one query or set of weights at a time: for kernels that gain nothing from more.
pub(crate) trait Singly {
    /// `q · k` for the 16 positions of a panel.
    ///
    /// # Safety
    /// The CPU has the instructions of the implementing kernel.
    unsafe fn dots(query: &[i8; HEAD], panel: &Panel) -> [i32; POSITIONS];

    /// As [`Products::weigh`].
    ///
    /// # Safety
    /// The CPU has the instructions of the implementing kernel.
    unsafe fn weigh_one(weights: &[[i16; POSITIONS]], panels: [&[Panel]; 2]) -> [i32; HEAD];
}

impl<K: Singly> Products for K {
    #[inline(always)]
    unsafe fn scores(query: &[i8; HEAD], scale: f32, panels: &[Panel], scores: &mut [f32]) {
        for (panel, to) in panels.iter().zip(chunks_mut(scores)) {
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
        panels: [&[Panel]; 2],
    ) -> [[i32; HEAD]; H] {
        let mut sums = [[0; HEAD]; H];
        for (sums, weights) in sums.iter_mut().zip(weights) {
            // SAFETY: the caller's promise.
            *sums = unsafe { K::weigh_one(weights, panels) };
        }
        sums
    }
}

/// Queries that are taken at once.
const MOST: usize = 4;
/// Panels that all those queries pass by in turn, few enough for their keys to stay in the first-level cache.
const STRETCH: usize = 8;

/// A window over a ring of panels, as two stretches in the order of positions.
pub(crate) struct View<'a> {
    panels: [&'a [Panel]; 2],
    /// The positions seen, counted from the first panel's beginning.
    seen: Range<usize>,
}

impl<'a> View<'a> {
    /// The `window` positions up to `position`, or all if there are fewer.
    pub fn new(ring: &'a [Panel], window: usize, position: u64) -> View<'a> {
        let first = (position + 1).saturating_sub(window as u64);
        let base = first / POSITIONS as u64;
        let count = (position / POSITIONS as u64 - base) as usize + 1;
        let start = (base % ring.len() as u64) as usize;
        let before_end = count.min(ring.len() - start);
        let offset = base * POSITIONS as u64;
        View {
            panels: [
                &ring[start..start + before_end],
                &ring[..count - before_end],
            ],
            seen: (first - offset) as usize..(position + 1 - offset) as usize,
        }
    }

    #[inline(always)]
    fn iter(&self) -> impl Iterator<Item = &'a Panel> {
        self.panels[0].iter().chain(self.panels[1])
    }

    /// Each position seen, from the first to the last: its panel, and its place in it.
    pub fn positions(&self) -> impl Iterator<Item = (&'a Panel, usize)> {
        self.iter()
            .flat_map(|panel| (0..POSITIONS).map(move |at| (panel, at)))
            .take(self.seen.end)
            .skip(self.seen.start)
    }

    fn len(&self) -> usize {
        self.panels[0].len() + self.panels[1].len()
    }
}

/// Room for the scores of a few heads of one row; made once.
pub(crate) struct Scratch {
    panels: usize,
    scores: Vec<f32>,
    value_scales: Vec<f32>,
    weights: Vec<[i16; POSITIONS]>,
}

impl Scratch {
    pub fn new(panels: usize) -> Scratch {
        Scratch {
            panels,
            scores: vec![0.0; MOST * panels * POSITIONS],
            value_scales: vec![0.0; panels * POSITIONS],
            weights: vec![[0; POSITIONS]; MOST * panels],
        }
    }
}

/// Attention of the query heads that share one key and value head; `queries` and `out` hold 64 numbers for each, one after the other.
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
    let lanes = view.len() * POSITIONS;
    let seen = view.seen.clone();
    let value_scales = &mut scratch.value_scales[..lanes];
    for (to, panel) in chunks_mut(value_scales).iter_mut().zip(view.iter()) {
        *to = panel.value_scales;
    }
    value_scales[..seen.start].fill(0.0);
    value_scales[seen.end..].fill(0.0);
    let mut largest = [0f32; 16];
    for chunk in chunks(value_scales) {
        for i in 0..16 {
            largest[i] = larger(largest[i], chunk[i]);
        }
    }
    let value_max = fold_max(largest);
    if value_max.is_nan() || value_max <= 1e-30 {
        out.fill(0.0);
        return;
    }
    let (mut queries, mut scales, mut outs) = (
        queries.as_chunks::<HEAD>().0,
        query_scales,
        out.as_chunks_mut::<HEAD>().0,
    );
    while !queries.is_empty() {
        // SAFETY: the caller's promise.
        let taken = unsafe {
            match queries.len() {
                1 => heads::<P, 1>(queries, scales, view, scratch, value_max, outs),
                2 => heads::<P, 2>(queries, scales, view, scratch, value_max, outs),
                3 => heads::<P, 3>(queries, scales, view, scratch, value_max, outs),
                _ => heads::<P, MOST>(queries, scales, view, scratch, value_max, outs),
            }
        };
        (queries, scales) = (&queries[taken..], &scales[taken..]);
        outs = &mut outs[taken..];
    }
}

/// The first `H` heads; returns `H`.
///
/// # Safety
/// The CPU has the instructions of `P`.
#[inline(always)]
unsafe fn heads<P: Products, const H: usize>(
    queries: &[[i8; HEAD]],
    query_scales: &[f32],
    view: &View,
    scratch: &mut Scratch,
    value_max: f32,
    outs: &mut [[f32; HEAD]],
) -> usize {
    let queries: &[[i8; HEAD]; H] = queries.first_chunk().expect("as many queries");
    let panels = view.len();
    let lanes = panels * POSITIONS;
    let room = scratch.panels * POSITIONS;
    let mut at = 0;
    for stretch in view.panels.iter().flat_map(|part| part.chunks(STRETCH)) {
        let length = stretch.len() * POSITIONS;
        for h in 0..H {
            let scores = &mut scratch.scores[h * room + at..][..length];
            // SAFETY: the caller's promise.
            unsafe { P::scores(&queries[h], query_scales[h], stretch, scores) };
        }
        at += length;
    }
    let value_scales = &scratch.value_scales[..lanes];
    for h in 0..H {
        let scores = &mut scratch.scores[h * room..][..lanes];
        let weights = &mut scratch.weights[h * scratch.panels..][..panels];
        softmax(scores, &view.seen, value_scales, value_max, weights);
    }
    let mut weights: [&[[i16; POSITIONS]]; H] = [&[]; H];
    for (h, weights) in weights.iter_mut().enumerate() {
        *weights = &scratch.weights[h * scratch.panels..][..panels];
    }
    // SAFETY: the caller's promise.
    let sums = unsafe { P::weigh(weights, view.panels) };
    let factor = value_max / 16384.0;
    for (out, sums) in outs.iter_mut().zip(&sums) {
        for i in 0..HEAD {
            out[i] = sums[i] as f32 * factor;
        }
    }
    H
}

/// One head's weights of the positions from its scores, which are used up.
#[inline(always)]
fn softmax(
    scores: &mut [f32],
    seen: &Range<usize>,
    value_scales: &[f32],
    value_max: f32,
    weights: &mut [[i16; POSITIONS]],
) {
    scores[..seen.start].fill(f32::MIN);
    scores[seen.end..].fill(f32::MIN);
    let mut largest = [f32::MIN; 16];
    for chunk in chunks(scores) {
        for i in 0..16 {
            largest[i] = larger(largest[i], chunk[i]);
        }
    }
    let max = fold_max(largest);
    // In one pass, so that the sums need not wait for each other alone. What is not seen lies in the first and the last chunk.
    let (last, rest) = (scores.len() / 16 - 1, seen.end % 16);
    let mut sums = [0f32; 16];
    for (n, chunk) in chunks_mut(scores).iter_mut().enumerate() {
        for score in chunk.iter_mut() {
            *score = exp2(*score - max);
        }
        if n == 0 {
            chunk[..seen.start].fill(0.0);
        }
        if n == last && rest > 0 {
            chunk[rest..].fill(0.0);
        }
        for i in 0..16 {
            sums[i] += chunk[i];
        }
    }
    // The largest term is 1, so this changes nothing unless all scores are NaN.
    let unit = 16384.0 / (larger(1.0, fold(sums)) * value_max);
    let terms = scores.iter().zip(value_scales);
    for (to, (score, scale)) in weights.as_flattened_mut().iter_mut().zip(terms) {
        *to = rint_bits(score * scale * unit) as i16;
    }
}
