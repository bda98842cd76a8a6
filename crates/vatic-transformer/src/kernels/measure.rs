//! What the benchmarks measure.

use super::{Activations, Kernel, choose::named};
use crate::numerics::Quantised;
use crate::random::Random;
use crate::{Matrix, Packed};

use web_time::Instant;

/// The product of some rows with a matrix, filled at random.
pub struct Product {
    kernel: &'static dyn Kernel,
    weights: Packed,
    levels: Vec<i8>,
    rows: Vec<Quantised>,
    out: Vec<f32>,
}

impl Product {
    /// # Panics
    /// If no such kernel runs here.
    pub fn new(kernel: &str, rows: usize, inputs: usize, outputs: usize) -> Product {
        let mut random = Random::new(5);
        let weights = Packed::new(&Matrix {
            weight: (0..inputs * outputs)
                .map(|_| random.below(127) as i8 - 63)
                .collect(),
            scale: vec![0.01; outputs],
        });
        let length = weights.padded_inputs();
        Product {
            kernel: named(kernel).expect("a kernel that this CPU runs"),
            levels: (0..rows * length)
                .map(|_| random.below(255) as u8 as i8)
                .map(|level| level.max(-127))
                .collect(),
            rows: vec![Quantised { scale: 0.1, sum: 3 }; rows],
            out: vec![0.0; rows * weights.padded_outputs()],
            weights,
        }
    }

    /// Computes it once.
    pub fn run(&mut self) {
        let x = Activations {
            levels: &self.levels,
            rows: &self.rows,
            length: self.weights.padded_inputs(),
        };
        let panels = 0..self.weights.panels();
        (self.kernel).linear(&x, &self.weights, panels, &mut self.out, false);
    }
}

/// The most multiply-adds per second that a kernel's inner loop reaches here on one thread: 24 rows by one panel with long rows,
/// all in the first-level cache.
///
/// # Panics
/// If no such kernel runs here.
pub fn peak(kernel: &str) -> f64 {
    let (rows, inputs, outputs) = (24, 480, 16);
    let mut product = Product::new(kernel, rows, inputs, outputs);
    let mut best = f64::MAX;
    for _ in 0..200 {
        let start = Instant::now();
        for _ in 0..20 {
            std::hint::black_box(&mut product).run();
        }
        best = best.min(start.elapsed().as_secs_f64() / 20.0);
    }
    (rows * inputs * outputs) as f64 / best
}
