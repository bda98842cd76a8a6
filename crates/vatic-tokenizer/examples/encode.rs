//! Encodes files to raw little-endian 16-bit ids, each document after a NUL token, for the trainers.
//!
//!     cargo run --release -p vatic-tokenizer --example encode -- VOCABULARY OUT_DIR FILES…

use std::{env, fs, path::Path};

use vatic_tokenizer::{Tokenizer, parse_vocabulary};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = env::args().skip(1);
    let usage = "usage: encode VOCABULARY OUT_DIR FILES…";
    let vocabulary = fs::read_to_string(args.next().ok_or(usage)?)?;
    let tokenizer = Tokenizer::from_tokens(parse_vocabulary(&vocabulary)?)?;
    let out = args.next().ok_or(usage)?;
    for file in args {
        let text = fs::read(&file)?;
        let ids = tokenizer.encode(&text);
        let name = Path::new(&file).file_stem().ok_or(usage)?.to_string_lossy();
        let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        fs::write(Path::new(&out).join(format!("{name}.bin")), bytes)?;
        println!(
            "{name}: {} bytes, {} tokens, {:.2} bytes/token",
            text.len(),
            ids.len(),
            text.len() as f64 / ids.len() as f64
        );
    }
    Ok(())
}
