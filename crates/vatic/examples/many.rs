//! How long small files take one after the other and all together, with each model inside the program.
//!
//! ```text
//! cargo run --release -p vatic --example many -- SIZE FILE…
//! ```
//!
//! The small files are pieces of those named, of SIZE bytes. Every one is restored and compared.

use std::time::{Duration, Instant};

use vatic::{DecodeOptions, Model, Options, compress, compress_many, decompress, decompress_many};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let piece: usize = arguments.next().ok_or("SIZE FILE…")?.parse()?;
    let whole: Vec<Vec<u8>> = arguments.map(std::fs::read).collect::<Result<_, _>>()?;
    let pieces = whole.iter().flat_map(|file| file.chunks(piece.max(1)));
    let files: Vec<Vec<u8>> = pieces.map(<[u8]>::to_vec).collect();
    let size: usize = files.iter().map(Vec::len).sum();
    if size == 0 {
        return Err("SIZE FILE…".into());
    }
    for name in Model::shipped().map(|model| model.name) {
        let options = Options::new().model(Model::named(name));
        let (alone, packed) = timed(|| {
            let packed = files.iter().map(|file| compress(file, &options));
            packed.collect::<Result<Vec<_>, _>>()
        });
        let packed = packed?;
        let (together, same) = timed(|| compress_many(&files, &options));
        for (packed, result) in packed.iter().zip(same) {
            assert_eq!(*packed, result?.0);
        }
        let coded: usize = packed.iter().map(Vec::len).sum();
        let speed = |time: Duration| size as f64 / 1e3 / time.as_secs_f64();
        println!("{name}: {} files, {size} -> {coded} bytes", files.len());
        println!(
            "  compressing {:.1} KB/s, together {:.1}",
            speed(alone),
            speed(together)
        );
        let (alone, restored) = timed(|| {
            let restored = packed.iter().map(|packed| decompress(packed));
            restored.collect::<Result<Vec<_>, _>>()
        });
        assert!(restored? == files);
        let (together, same) = timed(|| decompress_many(&packed, &DecodeOptions::new()));
        for (file, result) in files.iter().zip(same) {
            assert!(*file == result?.0);
        }
        println!(
            "  restoring {:.1} KB/s, together {:.1}",
            speed(alone),
            speed(together)
        );
    }
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}
