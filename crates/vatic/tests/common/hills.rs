//! What contexts of two dimensions are for, from anybody's noise.

/// A picture without end, in rows of `width` pixels of so many bytes: hills between points of these heights, 16 pixels apart, and a little of the
/// noise.
pub fn picture(
    heights: Vec<u8>,
    noise: impl Iterator<Item = u8>,
    width: usize,
    pixel: usize,
) -> impl Iterator<Item = u8> {
    (0..).zip(noise).map(move |(at, noise)| {
        let (x, y, colour) = (at / pixel % width, at / pixel / width, at % pixel);
        let height = |right: usize, down: usize| {
            let point = (x / 16 + right) + (y / 16 + down) * 101 + colour * 7919;
            let near = |on: usize, n: usize| if on == 1 { n % 16 } else { 16 - n % 16 };
            usize::from(heights[point % heights.len()]) * near(right, x) * near(down, y)
        };
        let height = height(0, 0) + height(1, 0) + height(0, 1) + height(1, 1);
        (height / 256) as u8 / 2 + noise % 4
    })
}
