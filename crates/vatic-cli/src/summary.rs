//! What is said of a file when it is done.

use std::collections::BTreeMap;
use std::time::Duration;

use vatic::{FrameStats, Stats};

use crate::run::Task;
use crate::say::say;
use crate::size::{figures, grouped, human};

/// Says on standard error what was done with `input`; `verbose` says more. It took so long, unless it was done together with other
/// files.
pub fn report(
    task: Task,
    verbose: u8,
    input: &str,
    output: &str,
    stats: &Stats,
    took: Option<Duration>,
) {
    let result = if task == Task::Test {
        "all right"
    } else {
        output
    };
    say!("{input}: {}, {result}", summary(task, stats));
    if verbose > 0 {
        let time = match took.map(|took| took.as_secs_f64()) {
            Some(took) => {
                let speed = stats.content_bytes as f64 / took.max(1e-9);
                format!("{} s, {}/s", figures(took), human(speed as u64))
            }
            None => "together with other files".into(),
        };
        let mut modes: Vec<_> = stats.frames.iter().map(how).collect();
        modes.dedup();
        let (frames, modes) = (stats.frames.len(), modes.join(", "));
        say!("  {time}, {frames} frame(s): {modes}");
    }
    if let Some(line) = sources(stats) {
        say!("  {line}");
    }
    if verbose > 1 {
        for (number, frame) in stats.frames.iter().enumerate() {
            say!(
                "  frame {number}: {}, {} bytes -> {} in {} tokens and {} stream(s), {} s",
                how(frame),
                grouped(frame.content_bytes),
                grouped(frame.payload_bytes),
                grouped(frame.tokens),
                frame.streams,
                figures(frame.wall.as_secs_f64())
            );
            for (number, thread) in frame.threads.iter().enumerate() {
                say!(
                    "    thread {number}: predicting {} s, coding {} s, waiting {} s",
                    figures(thread.predicting.as_secs_f64()),
                    figures(thread.coding.as_secs_f64()),
                    figures(thread.waiting.as_secs_f64())
                );
            }
        }
    }
}

/// A frame's mode, and the model that predicted it.
fn how(frame: &FrameStats) -> String {
    match &frame.model {
        Some(model) => format!("{} by {model}", frame.mode),
        None => frame.mode.to_string(),
    }
}

/// What each source of predictions would have paid alone, the best first; none if there was no account.
fn sources(stats: &Stats) -> Option<String> {
    let mut bits = BTreeMap::<&str, (f64, u64)>::new();
    for frame in &stats.frames {
        for source in &frame.sources {
            let (sum, bytes) = bits.entry(&source.name).or_default();
            *sum += source.bits;
            *bytes += frame.content_bytes;
        }
    }
    let mut each: Vec<_> = (bits.into_iter())
        .filter(|&(_, (_, bytes))| bytes > 0)
        .map(|(name, (sum, bytes))| (name, sum / bytes as f64))
        .collect();
    each.sort_by(|a, b| a.1.total_cmp(&b.1));
    let list: Vec<_> = (each.iter())
        .map(|(name, bits)| format!("{name} {bits:.2}"))
        .collect();
    (!list.is_empty()).then(|| format!("bits/byte by source, each alone: {}", list.join(", ")))
}

/// `152,089 -> 33,000 bytes (21.70 %, 1.736 bits/byte)`, or the other way round.
pub fn summary(task: Task, stats: &Stats) -> String {
    let (content, coded) = (grouped(stats.content_bytes), grouped(stats.coded_bytes));
    if task != Task::Compress {
        return format!("{coded} -> {content} bytes");
    }
    if stats.content_bytes == 0 {
        return format!("0 -> {coded} bytes");
    }
    let percent = stats.coded_bytes as f64 * 100.0 / stats.content_bytes as f64;
    format!(
        "{content} -> {coded} bytes ({percent:.2} %, {:.3} bits/byte)",
        stats.bits_per_byte()
    )
}
