//! Small records with what was learnt from others of their kind: `vatic learn` beside `zstd --train`.
//!
//!     cargo run --release -p vatic-cli --example records -- [--record BYTES] FILES…
//!
//! A file's lines are gathered to records of at least so many bytes (1024 by default). Both learn from the first half of
//! the records; the other half is compressed, each record on its own: by vatic as messages and by zstd -19 without magic
//! number, size and checksum, alone and with what was learnt. Each record is restored and compared.

use std::error::Error;

use vatic::{Options, Prior, message};
use zstd::dict::DecoderDictionary;
use zstd::zstd_safe::CParameter;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Bytes of zstd's magic number, which records in a database do without.
const MAGIC: usize = 4;

/// Whole lines, at least `least` bytes to a record.
fn records(content: &[u8], least: usize) -> Vec<&[u8]> {
    let (mut records, mut start) = (Vec::new(), 0);
    for (at, &byte) in content.iter().enumerate() {
        if byte == b'\n' && at + 1 - start >= least {
            records.push(&content[start..=at]);
            start = at + 1;
        }
    }
    records
}

fn by_vatic(records: &[&[u8]], options: &Options) -> Result<usize> {
    let mut sum = 0;
    for &record in records {
        let packed = message::compress(record, options)?;
        let back = message::decompress(&packed, options, record.len())?;
        assert!(back == record, "a record did not come back");
        sum += packed.len();
    }
    Ok(sum)
}

fn by_zstd(records: &[&[u8]], dictionary: &[u8]) -> Result<usize> {
    let mut compressor = zstd::bulk::Compressor::with_dictionary(19, dictionary)?;
    compressor.set_parameter(CParameter::ContentSizeFlag(false))?;
    compressor.set_parameter(CParameter::ChecksumFlag(false))?;
    compressor.set_parameter(CParameter::DictIdFlag(false))?;
    let dictionary = DecoderDictionary::copy(dictionary);
    let mut decompressor = zstd::bulk::Decompressor::with_prepared_dictionary(&dictionary)?;
    let mut sum = 0;
    for &record in records {
        let packed = compressor.compress(record)?;
        let back = decompressor.decompress(&packed, record.len())?;
        assert!(back == record, "a record did not come back");
        sum += packed.len() - MAGIC;
    }
    Ok(sum)
}

fn main() -> Result<()> {
    let (mut least, mut files) = (1024, Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--record" => least = args.next().ok_or("--record wants a number")?.parse()?,
            _ => files.push(arg),
        }
    }
    if files.is_empty() {
        return Err("usage: records [--record BYTES] FILES…".into());
    }
    println!("| file | records | bytes | zstd -19 | with dictionary | vatic | with prior |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for file in &files {
        let content = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
        let all = records(&content, least);
        let (samples, rest) = all.split_at(all.len() / 2);
        // The size that zstd's own command takes, or less where there is less to learn from.
        let room = (112 << 10).min(samples.concat().len() / 2);
        let dictionary = zstd::dict::from_samples(samples, room)
            .map_err(|error| format!("{file}: zstd finds too few samples in it: {error}"))?;
        let plain = Options::new();
        let taught = plain.clone().prior(Some(Prior::learn(samples, &plain)?));
        println!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            file.rsplit('/').next().unwrap_or(file),
            rest.len(),
            rest.concat().len(),
            by_zstd(rest, &[])?,
            by_zstd(rest, &dictionary)?,
            by_vatic(rest, &plain)?,
            by_vatic(rest, &taught)?
        );
    }
    Ok(())
}
