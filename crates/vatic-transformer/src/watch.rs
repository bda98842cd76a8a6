//! How far attention looks, and parts that are left out: what the parts of a transformer are worth is measured so.

use crate::attention::View;

/// A part of a transformer that can do without, as far as the arithmetic is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// One attention head.
    Head {
        /// Counted from 0.
        layer: usize,
        /// Counted from 0.
        head: usize,
    },
    /// The feed-forward part of a layer.
    Mlp {
        /// Counted from 0.
        layer: usize,
    },
}

/// Sums of attention by distance, for each head of each layer.
pub(crate) struct Watch {
    heads: usize,
    /// For (layer, head), by distance in tokens.
    sums: Vec<Vec<f64>>,
    scores: Vec<f64>,
}

impl Watch {
    /// For layers with these windows, and so many heads in each.
    pub fn new(windows: &[usize], heads: usize) -> Watch {
        let sums = windows
            .iter()
            .flat_map(|&window| vec![vec![0.0; window]; heads])
            .collect();
        Watch {
            heads,
            sums,
            scores: Vec::new(),
        }
    }

    /// The sums of one head.
    pub fn of(&self, layer: usize, head: usize) -> &[f64] {
        &self.sums[layer * self.heads + head]
    }

    /// Adds what the query of a view's row, whose scores come out in bits, pays to each position that it sees. For reports alone: not
    /// fast, and its powers are not the same on every machine.
    pub fn add(
        &mut self,
        layer: usize,
        head: usize,
        query: &[i8],
        scale: f32,
        view: &View,
        row: usize,
    ) {
        self.scores.clear();
        for (panel, at) in view.positions(row) {
            let mut dot = 0;
            for (query, keys) in query.as_chunks::<4>().0.iter().zip(&panel.keys) {
                for (&query, &key) in query.iter().zip(&keys[at]) {
                    dot += i32::from(query) * i32::from(key);
                }
            }
            self.scores
                .push(f64::from(dot) * f64::from(scale * panel.key_scales[at]));
        }
        let largest = self.scores.iter().copied().fold(f64::MIN, f64::max);
        for score in &mut self.scores {
            *score = (*score - largest).exp2();
        }
        let unit = 1.0 / self.scores.iter().sum::<f64>();
        let sums = &mut self.sums[layer * self.heads + head];
        for (sum, weight) in sums.iter_mut().zip(self.scores.iter().rev()) {
            *sum += weight * unit;
        }
    }
}
