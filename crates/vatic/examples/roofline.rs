//! The whole compressor beside what its matrix work alone would need: a Markdown table for every kernel that this CPU runs.
//!
//!     cargo run --release -p vatic --example roofline -- [--model NAME] [--threads N] [--sizes 64K,1M,10M] [FILE]
//!
//! The roofline of a text is the time of its multiply-adds in matrices (attention, coder and experts not counted) at the
//! rate that the kernel's inner loop reaches in the first-level cache with the same number of threads, measured in the same
//! run. Kernels but the fastest are measured on texts of up to 64 KiB. Without a file the fixtures'
//! English text is used, over and over: for speed, not for size.

use std::error::Error;
use std::process::Command;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use vatic::{DecodeOptions, Mode, Model, Options};
use vatic_transformer::kernels::{Product, names};

/// The longest text that all kernels are measured on.
const SHORT: usize = 64 << 10;
/// Text that comes with the repository.
const TEXTS: [&str; 2] = [
    include_str!("../../../fixtures/story.txt"),
    include_str!("../../../fixtures/handbook.md"),
];

/// Multiply-adds per second of all threads together: 24 rows by one panel with long rows, in each thread's own cache.
fn peak(kernel: &str, threads: usize) -> f64 {
    let (rows, inputs, outputs) = (24, 480, 16);
    let time = Duration::from_millis(400);
    let barrier = Barrier::new(threads);
    let each = || {
        let mut product = Product::new(kernel, rows, inputs, outputs);
        let mut best: f64 = 0.0;
        for _ in 0..3 {
            barrier.wait();
            let (start, mut runs) = (Instant::now(), 0u64);
            while start.elapsed() < time {
                (0..50).for_each(|_| std::hint::black_box(&mut product).run());
                runs += 50;
            }
            let work = runs * (rows * inputs * outputs) as u64;
            best = best.max(work as f64 / start.elapsed().as_secs_f64());
        }
        best
    };
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(each)).collect();
        handles
            .into_iter()
            .map(|handle| handle.join().expect("no panic"))
            .sum()
    })
}

/// `64K`, `1M` or a plain number.
fn size(text: &str) -> Result<usize, Box<dyn Error>> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'K') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M') => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    Ok(digits.parse::<usize>()? * unit)
}

/// Rows of the table for the kernel that `VATIC_KERNEL` names.
fn measure(
    kernel: &str,
    model: &str,
    threads: usize,
    sizes: &[usize],
    text: &[u8],
) -> Result<(), Box<dyn Error>> {
    let choice = Model::named(model).ok_or_else(|| format!("there is no model {model}"))?;
    let file = format!(
        "{}/../../models/{model}/model.safetensors",
        env!("CARGO_MANIFEST_DIR")
    );
    let transformer = vatic_transformer::Model::from_bytes(&std::fs::read(file)?)?;
    let work = transformer.config().multiply_adds() as f64;
    let peak = peak(kernel, threads);
    for &size in sizes.iter().filter(|&&size| size <= text.len()) {
        let content = &text[..size];
        let options = Options::new()
            .model(Some(choice.clone()))
            .threads(threads)
            .mode(Mode::Tokens);
        // The fastest of three on short texts: the machine's other work only ever adds time.
        let runs = if size <= 1 << 20 { 3 } else { 1 };
        let (mut there, mut back) = (f64::MAX, f64::MAX);
        let (mut tokens, mut bytes) = (0, 0);
        for _ in 0..runs {
            let mut packed = Vec::new();
            let start = Instant::now();
            let stats = vatic::copy_compress(content, &mut packed, &options)?;
            there = there.min(start.elapsed().as_secs_f64());
            let start = Instant::now();
            let decode = DecodeOptions::new().threads(threads);
            if vatic::decompress_with(&packed, &decode)? != content {
                return Err("the text did not come back".into());
            }
            back = back.min(start.elapsed().as_secs_f64());
            tokens = stats.frames.iter().map(|frame| frame.tokens).sum::<u64>();
            bytes = packed.len();
        }
        let least = tokens as f64 * work / peak;
        let speed = |seconds: f64| size as f64 / 1000.0 / seconds;
        println!(
            "| {model} | {kernel} | {threads} | {:.0} | {} | {bytes} | {:.0} | {:.0} | {:.0} | {:.0} % | {:.0} % |",
            peak / 1e9,
            size >> 10,
            speed(least),
            speed(there),
            speed(back),
            least / there * 100.0,
            least / back * 100.0
        );
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut threads = std::thread::available_parallelism()?.get();
    let mut sizes = vec![64 << 10, 1 << 20, 10 << 20];
    let mut text = None;
    let mut model = Model::shipped().next().map(|model| model.name.to_string());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} wants a value"));
        match arg.as_str() {
            "--threads" => threads = value()?.parse::<usize>()?.max(1),
            "--model" => model = Some(value()?),
            "--sizes" => sizes = value()?.split(',').map(size).collect::<Result<_, _>>()?,
            file => text = Some(std::fs::read(file).map_err(|error| format!("{file}: {error}"))?),
        }
    }
    let model = model.ok_or("there is no model inside; build with its feature")?;
    let longest = sizes.iter().copied().max().unwrap_or(0);
    let text = text.unwrap_or_else(|| {
        let bytes = TEXTS.iter().flat_map(|text| text.bytes());
        bytes.cycle().take(longest).collect()
    });
    // A process uses one kernel: each has one of its own.
    match std::env::var("VATIC_KERNEL") {
        Ok(kernel) if !kernel.is_empty() => measure(&kernel, &model, threads, &sizes, &text),
        _ => {
            println!(
                "| model | kernel | threads | peak GMAC/s | KiB | coded bytes | roofline KB/s | compress KB/s | restore KB/s | of roofline | restoring |"
            );
            println!("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
            let short: Vec<String> = sizes
                .iter()
                .filter(|&&size| size <= SHORT)
                .map(|size| size.to_string())
                .collect();
            for (n, kernel) in names().enumerate() {
                let sizes = ["--sizes".to_string(), short.join(",")];
                let sizes = if n == 0 { &[][..] } else { &sizes };
                if n > 0 && short.is_empty() {
                    continue;
                }
                let done = Command::new(std::env::current_exe()?)
                    .args(std::env::args().skip(1))
                    .args(sizes)
                    .env("VATIC_KERNEL", kernel)
                    .status()?;
                if !done.success() {
                    return Err(format!("the measurement with {kernel} failed").into());
                }
            }
            Ok(())
        }
    }
}
