//! Encoding speed: ordinary text beside input made to be hard. Linear time means that all stay within a small factor.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use vatic_tokenizer::{Tokenizer, parse_vocabulary};

const SIZE: usize = 10_000_000;

fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..size).map(step).collect()
}

fn encode(c: &mut Criterion) {
    let tokens = parse_vocabulary(include_str!("../../../models/vocabulary.tsv"))
        .expect("the shipped vocabulary");
    let tokenizer = Tokenizer::from_tokens(tokens.clone()).expect("the shipped vocabulary");
    let prose: Vec<u8> = include_bytes!("../../../fixtures/story.txt")
        .iter()
        .copied()
        .cycle()
        .take(SIZE)
        .collect();
    let inputs = [
        ("prose", prose),
        ("one letter", vec![b'a'; SIZE]),
        ("abab", b"ab".repeat(SIZE / 2)),
        ("random bytes", noise(SIZE)),
    ];
    let mut group = c.benchmark_group("tokenizer");
    group
        .sample_size(10)
        .throughput(Throughput::Bytes(SIZE as u64));
    for (name, input) in &inputs {
        group.bench_function(format!("encode 10 MB of {name}"), |b| {
            b.iter(|| tokenizer.encode(input))
        });
    }
    group.finish();
    c.bench_function("tokenizer/build", |b| {
        b.iter(|| Tokenizer::from_tokens(tokens.clone()))
    });
}

criterion_group!(benches, encode);
criterion_main!(benches);
