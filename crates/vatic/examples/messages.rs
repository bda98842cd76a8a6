//! What messages of one size cost and how long they take, with each model inside the program, and how long it takes to make it.
//!
//! ```text
//! cargo run --release -p vatic --example messages -- SIZE PIECES FILE…
//! ```
//!
//! For each file that many pieces are taken from places spread over it. Every message is restored and compared; times are medians.

use std::time::Instant;

use vatic::{Model, Options, message};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut number = || -> Result<usize, Failure> {
        Ok(arguments.next().ok_or("SIZE PIECES FILE…")?.parse()?)
    };
    let (size, pieces) = (number()?, number()?);
    let texts: Vec<Vec<u8>> = arguments.map(std::fs::read).collect::<Result<_, _>>()?;
    if texts.is_empty() || pieces == 0 {
        return Err("SIZE PIECES FILE…".into());
    }
    for name in Model::shipped().map(|model| model.name) {
        let began = Instant::now();
        let model = Model::named(name);
        let made = began.elapsed().as_secs_f64() * 1e3;
        let options = &Options::new().model(model);
        let (mut bytes, mut times) = (0, [vec![], vec![]]);
        let mut all = Vec::new();
        for text in &texts {
            let room = text
                .len()
                .checked_sub(size)
                .ok_or("a file is shorter than SIZE")?;
            for n in 0..pieces {
                let piece = &text[(n * 104_729 + 777) % (room + 1)..][..size];
                let began = Instant::now();
                let packed = message::compress(piece, options)?;
                let between = Instant::now();
                let back = message::decompress(&packed, options, size)?;
                times[1].push(between.elapsed());
                times[0].push(between - began);
                assert_eq!(back, piece);
                bytes += packed.len();
                all.push(packed);
            }
        }
        times.iter_mut().for_each(|times| times.sort_unstable());
        let [compress, restore] = times.map(|times| times[times.len() / 2].as_secs_f64() * 1e3);
        let began = Instant::now();
        for result in message::decompress_many(&all, options, size) {
            result?;
        }
        let together = began.elapsed().as_secs_f64() * 1e3 / all.len() as f64;
        let bits = bytes as f64 * 8.0 / (size * pieces * texts.len()) as f64;
        println!(
            "{name}: made in {made:.1} ms; {bits:.4} bits per byte, {compress:.1} ms to compress, {restore:.1} ms to restore ({together:.1} if all are restored together)"
        );
    }
    Ok(())
}
