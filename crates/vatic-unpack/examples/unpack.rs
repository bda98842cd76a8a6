//! Takes the deflate streams and progressive pictures in files apart and makes the files again: how many there were, of how many bytes, and what became of them.
//!
//!     cargo run --release -p vatic-unpack --example unpack -- FILES…

use std::time::Instant;

fn main() {
    for path in std::env::args().skip(1) {
        let data = std::fs::read(&path).expect("a file that can be read");
        let start = Instant::now();
        let Some(unpacked) = vatic_unpack::unpack(&data, vatic_unpack::MAX_CONTENT) else {
            println!("{:>10}  no streams  {path}", data.len());
            continue;
        };
        let apart = start.elapsed();
        let (mut again, start) = (Vec::with_capacity(data.len()), Instant::now());
        let mut give = |bytes: &[u8]| again.extend_from_slice(bytes);
        vatic_unpack::pack(
            &unpacked.content,
            &unpacked.recipe,
            unpacked.used,
            usize::MAX,
            &mut give,
        )
        .expect("what was taken apart");
        assert!(again == data[..unpacked.used], "{path} did not come back");
        println!(
            "{:>10}  {:>6} streams of {:>10} bytes, {:>10} of content, {:>8} of recipe, {:.2} s apart, {:.2} s together  {path}",
            data.len(),
            unpacked.streams,
            unpacked.bytes,
            unpacked.content.len(),
            unpacked.recipe.len(),
            apart.as_secs_f64(),
            start.elapsed().as_secs_f64(),
        );
    }
}
