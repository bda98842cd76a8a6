//! What of files occurred before in them: how much is copied in frames of so many bytes (`--frame BYTES`, 32 MiB without it), in how many copies, and how
//! long the recipes are.

use std::fs::File;
use std::io::Read;

use vatic_repeats::{Finder, recipe};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut frame = 32 << 20;
    let mut files = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--frame" => frame = arguments.next().ok_or("--frame needs a number")?.parse()?,
            _ => files.push(argument),
        }
    }
    println!(
        "{:>13} {:>13} {:>7} {:>8}  file",
        "bytes", "copied", "copies", "recipes"
    );
    for name in files {
        let mut file = File::open(&name).map_err(|error| format!("{name}: {error}"))?;
        let mut finder = Finder::new(1 << 30);
        let (mut bytes, mut copied, mut copies, mut told) = (0, 0, 0, 0);
        loop {
            let mut content = Vec::new();
            file.by_ref().take(frame).read_to_end(&mut content)?;
            if content.is_empty() {
                break;
            }
            let found = finder.find(&content);
            bytes += content.len();
            copied += found.iter().map(|copy| copy.length).sum::<usize>();
            copies += found.len();
            told += recipe::write(&found).len();
            finder.keep(&content);
        }
        println!("{bytes:>13} {copied:>13} {copies:>7} {told:>8}  {name}");
    }
    Ok(())
}
