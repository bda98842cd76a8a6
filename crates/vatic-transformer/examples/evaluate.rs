//! Bits per byte of a model file on encoded texts, through the integer runtime, without experts.
//!
//!     cargo run --release -p vatic-transformer --example evaluate -- MODEL TOKENS.bin…
//!
//! Each file is what the tokenizer's `encode` example writes (little-endian 16-bit ids). Its first 16,384 tokens are
//! coded in windows of 512, each from nothing: the measure that `training/train.py` logs for the float model.

use std::{env, fs, path::Path, sync::Arc};

use vatic_transformer::{Leaves, Model, Session};

const WINDOW: usize = 512;
const TOKENS: usize = 16_384;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = env::args().skip(1);
    let usage = "usage: evaluate MODEL TOKENS.bin…";
    let model = Arc::new(Model::from_bytes(&fs::read(args.next().ok_or(usage)?)?)?);
    let mut tokens: Vec<&[u8]> = model.tokens().iter().map(|token| &token[..]).collect();
    tokens.sort_unstable();
    let mut session = Session::new(&model, 1, WINDOW)?;
    let mut leaves = Leaves::new(&model)?;
    for file in args {
        let bytes = fs::read(&file)?;
        let ids: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|b| u16::from_le_bytes([b[0], b[1]]))
            .take(TOKENS + 1)
            .collect();
        let (mut bits, mut length) = (0.0, 0);
        for start in (0..ids.len().saturating_sub(WINDOW)).step_by(WINDOW) {
            session.reset(0);
            session.prefill(0, &ids[start..start + WINDOW])?;
            for (row, &next) in ids[start + 1..=start + WINDOW].iter().enumerate() {
                bits += leaves.bits(session.predictions(), row, next);
                length += tokens[usize::from(next)].len();
            }
        }
        let name = Path::new(&file)
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy();
        println!("{name:16} {:.4} bits/byte", bits / length as f64);
    }
    Ok(())
}
