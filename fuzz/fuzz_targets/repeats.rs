//! Contents made of pieces of the same things, as the bytes say: what is copied is taken out and put back. And any bytes as a recipe: an error, or content of
//! the length that was asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vatic_repeats::{Finder, Past, Splice, recipe};

/// Bytes that hardly repeat, of one of a few kinds.
fn thing(kind: u8, length: usize) -> impl Iterator<Item = u8> {
    let mut state = u64::from(kind & 3);
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(length)
}

fuzz_target!(|data: &[u8]| {
    let (window, mut contents) = match data.first() {
        None => return,
        Some(&byte) => (1 << (byte & 15) >> (byte >> 4 & 8), vec![Vec::new()]),
    };
    for piece in data[1..].chunks_exact(3).take(40) {
        let [kind, start, length] = [piece[0], piece[1], piece[2]];
        let (start, length) = (usize::from(start) * 16, usize::from(length) * 64);
        if kind & 0x40 != 0 {
            contents.push(Vec::new());
        }
        if let Some(content) = contents.last_mut() {
            content.extend(thing(kind, start + length).skip(start));
        }
    }
    let mut finder = Finder::new(window);
    let mut past = Past::new(window);
    for content in contents {
        let copies = finder.find(&content);
        let rest = recipe::rest(&content, &copies);
        let mut splice = Splice::new(recipe::write(&copies), content.len()).unwrap();
        splice.push(&[], &mut past).unwrap();
        splice.push(&rest, &mut past).unwrap();
        assert!(splice.finish().unwrap() == content);
        finder.keep(&content);
        past.append(&content);
    }
    let (length, told) = (4 * data.len(), data.to_vec());
    if let Ok((_, rest)) = recipe::rest_length(&told, length, length)
        && let Ok(mut splice) = Splice::new(told, length)
        && splice.push(&vec![7; rest], &mut past).is_ok()
    {
        assert_eq!(
            splice.finish().map(|content| content.len()).ok(),
            Some(length)
        );
    }
});
