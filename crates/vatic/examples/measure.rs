//! What each file costs in each mode, and how long it takes: `measure [--model NAME] [--threads N] [--streams LOG2] [--experts HEX] [--light] FILES…`

use std::time::{Duration, Instant};

use vatic::{DecodeOptions, Mode, Options};

/// `predicting/coding/waiting` of each thread, in percent of its time.
fn shares(threads: &[vatic::ThreadTime]) -> String {
    let share = |thread: &vatic::ThreadTime| {
        let parts = [thread.predicting, thread.coding, thread.waiting];
        let whole = parts.iter().sum::<Duration>().as_secs_f64().max(1e-9);
        parts
            .map(|part| format!("{:.0}", part.as_secs_f64() * 100.0 / whole))
            .join("/")
    };
    threads.iter().map(share).collect::<Vec<_>>().join(" ")
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = Options::new();
    let mut decode = DecodeOptions::new();
    let mut modes = vec![Mode::Auto];
    let mut limit = usize::MAX;
    let mut args = std::env::args().skip(1);
    println!(
        "{:28} {:>6} {:>10} {:>9} {:>6} {:>7} {:>8} {:>8}  threads, restoring",
        "file", "mode", "bytes", "packed", "b/B", "streams", "KB/s", "KB/s -d"
    );
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} wants a value"));
        match arg.as_str() {
            "--threads" => {
                let threads = value()?.parse()?;
                (options, decode) = (options.threads(threads), decode.threads(threads));
            }
            "--model" => {
                let name = value()?;
                let model = vatic::Model::named(&name)
                    .ok_or_else(|| format!("there is no model {name}"))?;
                options = options.model(Some(model));
            }
            "--streams" => options = options.streams_log2(Some(value()?.parse()?)),
            "--experts" => options = options.experts(Some(u64::from_str_radix(&value()?, 16)?)),
            "--light" => options = options.light(true),
            "--memory" => options = options.memory_log2(value()?.parse()?),
            "--limit" => limit = value()?.parse()?,
            "--modes" => modes = vec![Mode::Auto, Mode::Bytes, Mode::Tokens],
            file => {
                let mut content = std::fs::read(file)?;
                content.truncate(limit);
                for &mode in &modes {
                    let mut packed = Vec::new();
                    let start = Instant::now();
                    let stats = vatic::copy_compress(
                        &content[..],
                        &mut packed,
                        &options.clone().mode(mode),
                    )?;
                    let there = start.elapsed().as_secs_f64();
                    let start = Instant::now();
                    let mut back = Vec::new();
                    let restored = vatic::copy_decompress(&packed[..], &mut back, &decode)?;
                    let again = start.elapsed().as_secs_f64();
                    assert!(back == content, "{file} did not come back");
                    let name = file.rsplit('/').next().unwrap_or(file);
                    let speed = |seconds: f64| content.len() as f64 / 1000.0 / seconds;
                    let first = stats.frames.first().cloned().unwrap_or_default();
                    println!(
                        "{name:28} {:>6} {:>10} {:>9} {:>6.3} {:>7} {:>8.1} {:>8.1}  {}, {}",
                        if mode == Mode::Auto { first.mode } else { mode },
                        content.len(),
                        packed.len(),
                        stats.bits_per_byte(),
                        first.streams,
                        speed(there),
                        speed(again),
                        shares(&first.threads),
                        restored
                            .frames
                            .first()
                            .map(|frame| shares(&frame.threads))
                            .unwrap_or_default(),
                    );
                }
            }
        }
    }
    Ok(())
}
