//! What contexts of two dimensions are for.

use super::common::noise;

/// The first bytes of a picture in rows of `width` pixels of so many bytes: hills between points of random height, and a little noise.
pub fn picture(bytes: usize, width: usize, pixel: usize) -> Vec<u8> {
    let heights: Vec<usize> = noise(1 << 14, 8).into_iter().map(usize::from).collect();
    let byte = |(at, noise): (usize, u8)| {
        let (x, y, colour) = (at / pixel % width, at / pixel / width, at % pixel);
        let height = |right: usize, down: usize| {
            let point = (x / 16 + right) + (y / 16 + down) * 101 + colour * 7919;
            let near = |on: usize, n: usize| if on == 1 { n % 16 } else { 16 - n % 16 };
            heights[point % heights.len()] * near(right, x) * near(down, y)
        };
        let height = height(0, 0) + height(1, 0) + height(0, 1) + height(1, 1);
        (height / 256) as u8 / 2 + noise % 4
    };
    noise(bytes, 9).into_iter().enumerate().map(byte).collect()
}
