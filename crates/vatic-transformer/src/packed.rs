use crate::Matrix;

/// Columns of a panel: results that are computed side by side.
pub(crate) const PANEL: usize = 16;
/// Added to the weights to make them unsigned, for instructions that multiply u8 by i8.
pub(crate) const BIAS: i32 = 64;

/// A cache line, so that no kernel's load is split between two.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Line(pub [u8; 64]);

/// A matrix packed for all kernels alike: `[outputs / 16][inputs / 4][16][4]`, weights plus 64 as u8, padded with zero weights.
///
/// Sixteen outputs of four inputs fill a cache line: one register of AVX-512, two of AVX2, four of NEON. Biased weights are
/// in 1..=127, valid as u8 and as i8; the product's excess of `64 · Σx` is subtracted.
pub struct Packed {
    outputs: usize,
    inputs: usize,
    lines: Vec<Line>,
    scale: Vec<f32>,
}

impl Packed {
    /// Packs a matrix with `matrix.scale.len()` outputs (its rows), all of whose weights are within ±63.
    pub fn new(matrix: &Matrix) -> Packed {
        let outputs = matrix.scale.len();
        let inputs = matrix.weight.len().checked_div(outputs).unwrap_or(0);
        let (panels, quads) = (outputs.div_ceil(PANEL), inputs.div_ceil(4));
        let mut lines = vec![Line([BIAS as u8; 64]); panels * quads];
        for (output, row) in matrix.weight.chunks_exact(inputs.max(1)).enumerate() {
            let panel = &mut lines[output / PANEL * quads..][..quads];
            let at = output % PANEL * 4;
            let (whole, rest) = row.as_chunks::<4>();
            for (line, quad) in panel.iter_mut().zip(whole) {
                line.0[at..at + 4].copy_from_slice(&quad.map(|weight| (weight + BIAS as i8) as u8));
            }
            for (n, &weight) in rest.iter().enumerate() {
                panel[quads - 1].0[at + n] = (weight + BIAS as i8) as u8;
            }
        }
        let mut scale = matrix.scale.clone();
        scale.resize(panels * PANEL, 0.0);
        Packed {
            outputs,
            inputs,
            lines,
            scale,
        }
    }

    /// Number of outputs (rows of the matrix).
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Number of inputs (columns of the matrix).
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Outputs with padding: the length of a row of results, a multiple of 16.
    pub fn padded_outputs(&self) -> usize {
        self.scale.len()
    }

    /// Inputs with padding: the length of a row of activations, a multiple of 4.
    pub fn padded_inputs(&self) -> usize {
        4 * self.quads()
    }

    pub(crate) fn panels(&self) -> usize {
        self.scale.len() / PANEL
    }

    pub(crate) fn quads(&self) -> usize {
        self.inputs.div_ceil(4)
    }

    /// The `quads()` lines of a panel.
    #[inline(always)]
    pub(crate) fn panel(&self, panel: usize) -> &[Line] {
        &self.lines[panel * self.quads()..][..self.quads()]
    }

    #[inline(always)]
    pub(crate) fn scale(&self) -> &[f32] {
        &self.scale
    }

    /// One row of the matrix, scaled.
    pub(crate) fn row(&self, output: usize, row: &mut [f32]) {
        let (at, scale) = (output % PANEL * 4, self.scale[output]);
        for (line, values) in self.panel(output / PANEL).iter().zip(row.chunks_mut(4)) {
            for (value, &weight) in values.iter_mut().zip(&line.0[at..]) {
                *value = (i32::from(weight) - BIAS) as f32 * scale;
            }
        }
    }
}
