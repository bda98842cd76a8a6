//! The comparison of a kernel with the portable one, bit for bit.

use super::{Activations, Kernel, portable::Portable};
use crate::attention::{ROWS, Scratch, View};
use crate::cache::{Cache, HEAD};
use crate::numerics::Quantised;
use crate::packed::PANEL;
use crate::random::Random;
use crate::{Matrix, Packed};
#[cfg(test)]
use std::ops::Range;

/// How the whole numbers of an input are drawn.
#[derive(Clone, Copy)]
enum Draw {
    Even,
    Highest,
    Lowest,
    Ends,
    /// Most are zero, as squared ReLU makes them.
    Gaps,
}

const DRAWS: [Draw; 5] = [
    Draw::Even,
    Draw::Highest,
    Draw::Lowest,
    Draw::Ends,
    Draw::Gaps,
];

fn draw(random: &mut Random, how: Draw, limit: i8, count: usize) -> Vec<i8> {
    let one = |random: &mut Random| match how {
        Draw::Even => (random.below(2 * limit as u64 + 1) as i16 - i16::from(limit)) as i8,
        Draw::Highest => limit,
        Draw::Lowest => -limit,
        Draw::Ends => [-limit, limit][random.below(2) as usize],
        Draw::Gaps => [0, 0, 0, 0, 0, 0, limit, -limit / 3][random.below(8) as usize],
    };
    (0..count).map(|_| one(random)).collect()
}

/// Floats of many sizes, some of them 0.
fn floats(random: &mut Random, count: usize) -> Vec<f32> {
    let sizes = [0.0, 1e-3, 0.5, 1.0, 3.0, 40.0];
    (0..count)
        .map(|_| (random.factor() - 1.0) * sizes[random.below(6) as usize])
        .collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Whether all results of `kernel` have the bits of the portable kernel's, on about a millisecond's work.
pub(super) fn agrees(kernel: &dyn Kernel) -> bool {
    let mut random = Random::new(1);
    let shapes = [(1, 64, 80), (2, 36, 16), (9, 128, 48)];
    shapes.into_iter().all(|shape| {
        DRAWS
            .into_iter()
            .all(|how| linear_agrees(kernel, &mut random, shape, how))
    }) && DRAWS
        .into_iter()
        .all(|how| attention_agrees(kernel, &mut random, (3, 24, 45), how))
        && floats_agree(kernel, &mut random, 192)
}

/// Products of `(rows, inputs, outputs)`.
fn linear_agrees(
    kernel: &dyn Kernel,
    random: &mut Random,
    (rows, inputs, outputs): (usize, usize, usize),
    how: Draw,
) -> bool {
    let weights = Packed::new(&Matrix {
        weight: draw(random, how, 63, inputs * outputs),
        scale: (0..outputs).map(|_| random.factor()).collect(),
    });
    let length = weights.padded_inputs();
    let mut levels = Vec::new();
    for row in 0..rows {
        levels.extend(draw(
            random,
            DRAWS[(row + how as usize) % DRAWS.len()],
            127,
            inputs,
        ));
        levels.resize((row + 1) * length, 0);
    }
    let rows: Vec<Quantised> = (levels.chunks_exact(length))
        .map(|row| Quantised {
            scale: random.factor(),
            sum: row.iter().map(|&level| i32::from(level)).sum(),
        })
        .collect();
    let x = Activations {
        levels: &levels,
        rows: &rows,
        length,
    };
    // All of it, or without the first panel and the last.
    let inner = 1.min(weights.panels() - 1)..(weights.panels() - 1).max(1);
    let cases = [
        (false, 0..weights.panels()),
        (true, 0..weights.panels()),
        (false, inner),
    ];
    cases.into_iter().all(|(add, panels)| {
        let before = floats(random, rows.len() * panels.len() * PANEL);
        let (mut expected, mut found) = (before.clone(), before);
        Portable::get().linear(&x, &weights, panels.clone(), &mut expected, add);
        kernel.linear(&x, &weights, panels.clone(), &mut found, add);
        bits(&expected) == bits(&found)
    })
}

/// Attention of `heads` queries over a window, at positions up to `last`, which is past the ring's end.
fn attention_agrees(
    kernel: &dyn Kernel,
    random: &mut Random,
    (heads, window, last): (usize, usize, u64),
    how: Draw,
) -> bool {
    let mut cache = Cache::new(1, window, ROWS);
    let mut scratch = Scratch::new(Cache::ring(window, ROWS));
    let mut found = vec![0.0; ROWS * heads * HEAD];
    let mut expected = found.clone();
    (0..=last).all(|position| {
        let key = draw(random, how, 127, HEAD);
        let value = draw(random, how, 127, HEAD);
        cache.put(
            0,
            position,
            (&key, random.factor() / 127.0),
            (&value, random.factor() / 127.0),
        );
        if position % 7 != 0 && position != last {
            return true;
        }
        let rows = ROWS.min(1 + position as usize);
        let queries = draw(random, how, 127, rows * heads * HEAD);
        // One position has all the weight, or many have some.
        let size = [1.0, 1e-3, 1e-5][random.below(3) as usize];
        let scales: Vec<f32> = (0..rows * heads)
            .map(|_| (random.factor() - 1.0) / 127.0 * size)
            .collect();
        let first = position + 1 - rows as u64;
        let rings = cache.ring_of(0);
        // One row after the other, and all at once.
        for row in 0..rows {
            let view = View::new(rings, window, first + row as u64, 1);
            Portable::get().attend(
                &queries[row * heads * HEAD..][..heads * HEAD],
                &scales[row * heads..],
                &view,
                &mut scratch,
                &mut expected[row * heads * HEAD..][..heads * HEAD],
            );
        }
        let view = View::new(rings, window, first, rows);
        let found = &mut found[..queries.len()];
        kernel.attend(&queries, &scales, &view, &mut scratch, found);
        bits(&expected[..found.len()]) == bits(found)
    })
}

/// The `f32` part, on vectors of a length that is a multiple of 16 and at least 64.
fn floats_agree(kernel: &dyn Kernel, random: &mut Random, length: usize) -> bool {
    let input = floats(random, length);
    let (cos, sin) = (floats(random, 16), floats(random, 16));
    let run = |kernel: &dyn Kernel| {
        let (mut x, mut q) = (input.clone(), vec![0i8; length]);
        let mut levels = Vec::new();
        let mut numbers = Vec::new();
        let mut keep = |q: &[i8], Quantised { scale, sum }| {
            levels.extend_from_slice(q);
            numbers.extend([scale.to_bits(), sum as u32]);
        };
        let quantised = kernel.quantise(&x, &mut q);
        keep(&q, quantised);
        let quantised = kernel.norm_quantise(&x, &mut q);
        keep(&q, quantised);
        let mut head = input[..HEAD].to_vec();
        let scale = kernel.rotate_quantise(&mut head, (&cos, &sin), 0.3, &mut q[..HEAD]);
        keep(&q[..HEAD], Quantised { scale, sum: 0 });
        kernel.mix(&mut x, &input, [0.7, 0.4]);
        kernel.normalise(&mut x);
        numbers.extend(bits(&x));
        let mut weights = bits(&x);
        kernel.weights(&mut weights, 0..length);
        let mut part = bits(&x);
        kernel.weights(&mut part, 5..length - 7);
        weights.extend_from_slice(&part[5..length - 7]);
        let quantised = kernel.relu2_quantise(&mut x, &mut q);
        (levels, numbers, weights, bits(&x), quantised, q)
    };
    run(Portable::get()) == run(kernel)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::choose::detected;

    #[test]
    fn every_kernel_agrees_with_the_portable_one() {
        let mut random = Random::new(2);
        // An interpreter takes a second for what takes a processor a millisecond: small shapes have to do there.
        let (most, longest) = if cfg!(miri) { (3, 64) } else { (19, 8192) };
        let draws = if cfg!(miri) { &DRAWS[..1] } else { &DRAWS[..] };
        for kernel in detected() {
            assert!(cfg!(miri) || agrees(kernel), "{}", kernel.name());
            let inputs = [1, 3, 4, 5, 64, 100, 193, 768];
            for inputs in inputs.into_iter().filter(|&inputs| inputs <= longest) {
                for (rows, outputs) in
                    (1..=most).zip([1, 15, 16, 17, 33, 64, 80, 100, 129].into_iter().cycle())
                {
                    for &how in draws {
                        let shape = (rows, inputs, outputs);
                        let agrees = linear_agrees(kernel, &mut random, shape, how);
                        assert!(agrees, "{} with {shape:?}", kernel.name());
                    }
                }
            }
            for shape in [
                (1, 1, 20),
                (2, 2, 40),
                (3, 15, 70),
                (1, 16, 70),
                (4, 17, 70),
                (5, 128, 300),
            ]
            .into_iter()
            .filter(|&(_, _, last)| last <= longest as u64)
            {
                for &how in draws {
                    let agrees = attention_agrees(kernel, &mut random, shape, how);
                    assert!(agrees, "{} with {shape:?}", kernel.name());
                }
            }
            let lengths = [64, 80, 176, 192, 768, 8192];
            for length in lengths.into_iter().filter(|&length| length <= longest) {
                assert!(
                    floats_agree(kernel, &mut random, length),
                    "{} with {length}",
                    kernel.name()
                );
            }
        }
    }

    /// A kernel that is wrong in the last bit of one result does not pass.
    #[test]
    #[cfg_attr(
        miri,
        ignore = "minutes under an interpreter, and nothing unsafe in it"
    )]
    fn a_wrong_kernel_is_found_out() {
        struct Wrong;
        impl Kernel for Wrong {
            fn name(&self) -> &'static str {
                "wrong"
            }
            fn linear(
                &self,
                x: &Activations,
                weights: &Packed,
                panels: Range<usize>,
                out: &mut [f32],
                add: bool,
            ) {
                Portable::get().linear(x, weights, panels, out, add);
                if let Some(last) = out.last_mut() {
                    *last = f32::from_bits(last.to_bits() ^ 1);
                }
            }
            fn attend(
                &self,
                q: &[i8],
                s: &[f32],
                view: &View,
                scratch: &mut Scratch,
                out: &mut [f32],
            ) {
                Portable::get().attend(q, s, view, scratch, out);
            }
            fn normalise(&self, x: &mut [f32]) {
                Portable::get().normalise(x);
            }
            fn mix(&self, x: &mut [f32], e: &[f32], mix: [f32; 2]) {
                Portable::get().mix(x, e, mix);
            }
            fn norm_quantise(&self, x: &[f32], q: &mut [i8]) -> Quantised {
                Portable::get().norm_quantise(x, q)
            }
            fn quantise(&self, x: &[f32], q: &mut [i8]) -> Quantised {
                Portable::get().quantise(x, q)
            }
            fn relu2_quantise(&self, x: &mut [f32], q: &mut [i8]) -> Quantised {
                Portable::get().relu2_quantise(x, q)
            }
            fn rotate_quantise(
                &self,
                x: &mut [f32],
                rope: (&[f32], &[f32]),
                factor: f32,
                q: &mut [i8],
            ) -> f32 {
                Portable::get().rotate_quantise(x, rope, factor, q)
            }
            fn weights(&self, weights: &mut [u32], seen: Range<usize>) {
                Portable::get().weights(weights, seen);
            }
        }
        assert!(!agrees(&Wrong));
        assert!(agrees(Portable::get()));
    }
}
