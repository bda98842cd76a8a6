use crate::Matrix;
use crate::memory::Memory;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Columns of a panel: results that are computed side by side.
pub(crate) const PANEL: usize = 16;
/// Added to the weights to make them unsigned, for instructions that multiply u8 by i8.
pub(crate) const BIAS: i32 = 64;

/// A cache line, so that no kernel's load is split between two.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
pub(crate) struct Line(pub [u8; 64]);

impl Line {
    pub const ZERO: Line = Line([0; 64]);
}

/// A matrix packed for all kernels alike: `[outputs / 16][inputs / 4][16][4]`, weights plus 64 as u8, padded with zero weights.
///
/// Sixteen outputs of four inputs fill a cache line: one register of AVX-512, two of AVX2, four of NEON. Biased weights are
/// in 1..=127, valid as u8 and as i8; the product's excess of `64 · Σx` is subtracted.
#[derive(Clone)]
pub struct Packed {
    outputs: usize,
    inputs: usize,
    memory: Arc<Memory>,
    /// Of its first line there.
    start: usize,
    scale: Vec<f32>,
}

impl Packed {
    /// Packs a matrix with `matrix.scale.len()` outputs (its rows), all of whose weights are within ±63.
    pub fn new(matrix: &Matrix) -> Packed {
        let packed = Packed::all(&[matrix]).pop();
        packed.expect("there is one for each matrix")
    }

    /// Packs some matrices, one after the other in the same memory.
    pub(crate) fn all(matrices: &[&Matrix]) -> Vec<Packed> {
        let shapes: Vec<Shape> = matrices.iter().map(|matrix| Shape::of(matrix)).collect();
        Packed::place(matrices, &shapes, Packed::fill(matrices, &shapes))
    }

    /// Matrices whose weights have been packed before, one after the other; those of `matrices`, if any, are not looked at. `None`
    /// if `lines` are not as many as matrices of so many columns need.
    pub(crate) fn ready(
        matrices: &[&Matrix],
        columns: &[usize],
        lines: &'static [Line],
    ) -> Option<Vec<Packed>> {
        let shapes: Vec<Shape> = (matrices.iter().zip(columns))
            .map(|(matrix, &columns)| Shape::new(matrix.scale.len(), columns))
            .collect();
        let enough = lines.len() == shapes.iter().map(Shape::lines).sum::<usize>();
        enough.then(|| Packed::place(matrices, &shapes, Memory::Program(lines)))
    }

    /// The weights of some matrices, packed, one after the other.
    fn fill(matrices: &[&Matrix], shapes: &[Shape]) -> Memory {
        let mut memory = Memory::new(shapes.iter().map(Shape::lines).sum());
        let mut rest = memory.lines_mut();
        let jobs: Vec<_> = (matrices.iter().zip(shapes))
            .map(|(matrix, shape)| {
                let lines = rest.split_off_mut(..shape.lines());
                let lines = lines.expect("there are as many lines as all need");
                (*matrix, shape, lines)
            })
            .collect();
        pack_all(jobs);
        memory
    }

    fn place(matrices: &[&Matrix], shapes: &[Shape], memory: Memory) -> Vec<Packed> {
        let memory = Arc::new(memory);
        let mut start = 0;
        let place = |(matrix, shape): (&&Matrix, &Shape)| {
            let mut scale = matrix.scale.clone();
            scale.resize(shape.panels * PANEL, 0.0);
            let packed = Packed {
                outputs: matrix.scale.len(),
                inputs: shape.inputs,
                memory: Arc::clone(&memory),
                start,
                scale,
            };
            start += shape.lines();
            packed
        };
        matrices.iter().zip(shapes).map(place).collect()
    }

    /// All lines of the memory that it shares with others.
    pub(crate) fn memory(&self) -> &[Line] {
        self.memory.lines()
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
        &self.memory.lines()[self.start + panel * self.quads()..][..self.quads()]
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

/// Lines that are packed on one thread: a fraction of a millisecond, far longer than a thread takes to start.
const LINES_ALONE: usize = 1 << 14;

/// Packs matrices, on all cores where they are large: it is most of what a short message waits for.
fn pack_all(jobs: Vec<(&Matrix, &Shape, &mut [Line])>) {
    let lines: usize = jobs.iter().map(|(_, shape, _)| shape.lines()).sum();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let jobs = Mutex::new(jobs);
    let work = || {
        while let Some((matrix, shape, lines)) = next(&jobs) {
            shape.pack(matrix, lines);
        }
    };
    thread::scope(|scope| {
        for _ in 1..cores.min(lines / LINES_ALONE) {
            // Where there are no more threads to be had, those there are do all of it.
            if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
}

fn next<T>(jobs: &Mutex<Vec<T>>) -> Option<T> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

/// Four weights with [`BIAS`] added to each: without a carry, since it is added to seven bits of each byte and the eighth is put
/// back.
fn biased(weights: [i8; 4]) -> [u8; 4] {
    const BIASES: u32 = u32::from_ne_bytes([BIAS as u8; 4]);
    const SIGNS: u32 = u32::from_ne_bytes([0x80; 4]);
    let weights = u32::from_ne_bytes(weights.map(|weight| weight as u8));
    (((weights & !SIGNS) + BIASES) ^ (weights & SIGNS)).to_ne_bytes()
}

/// The packed form of a matrix.
struct Shape {
    inputs: usize,
    panels: usize,
    quads: usize,
}

impl Shape {
    fn of(matrix: &Matrix) -> Shape {
        let outputs = matrix.scale.len();
        Shape::new(
            outputs,
            matrix.weight.len().checked_div(outputs).unwrap_or(0),
        )
    }

    fn new(outputs: usize, inputs: usize) -> Shape {
        Shape {
            inputs,
            panels: outputs.div_ceil(PANEL),
            quads: inputs.div_ceil(4),
        }
    }

    fn lines(&self) -> usize {
        self.panels * self.quads
    }

    fn pack(&self, matrix: &Matrix, lines: &mut [Line]) {
        // Without rows or columns there are no lines.
        let Some(panel) = Some(self.quads).filter(|&quads| quads > 0) else {
            return;
        };
        let panels = lines.chunks_exact_mut(panel);
        for (panel, rows) in panels.zip(matrix.weight.chunks(PANEL * self.inputs)) {
            // What lies beyond the last row or column is zero.
            if rows.len() < PANEL * self.inputs || !self.inputs.is_multiple_of(4) {
                panel.fill(Line([BIAS as u8; 64]));
            }
            for (output, row) in rows.chunks_exact(self.inputs).enumerate() {
                let (quads, rest) = row.as_chunks();
                for (line, &quad) in panel.iter_mut().zip(quads) {
                    line.0.as_chunks_mut().0[output] = biased(quad);
                }
                for (to, &weight) in panel[quads.len()..]
                    .iter_mut()
                    .flat_map(|line| &mut line.0[4 * output..])
                    .zip(rest)
                {
                    *to = (weight + BIAS as i8) as u8;
                }
            }
        }
    }
}
