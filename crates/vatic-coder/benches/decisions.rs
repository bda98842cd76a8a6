//! Time per decision: the range coder alone, a transformer's weights alone, and everything, on bytes and on tokens.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use vatic_coder::{
    BinaryCoder, Decoder, Encoder, Experts, Groups, Model, Options, Sums, Tree, Vocabulary, Weights,
};

/// 64 KiB that are neither noise nor repetition: digits of a linear congruence, in words and lines.
fn text() -> Vec<u8> {
    let mut seed = 7u32;
    let mut text = Vec::new();
    while text.len() < 1 << 16 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let word = [
            " the", " of", " coder", " tree", " learns", ", and", ".\n", " 1984", " token", " a",
        ][(seed >> 24) as usize % 10];
        text.extend_from_slice(word.as_bytes());
    }
    text
}

fn range_coder(c: &mut Criterion) {
    const N: u64 = 100_000;
    let probability = |i: u64| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as u16 | 1;
    let mut group = c.benchmark_group("range coder");
    group.throughput(Throughput::Elements(N));
    let encode = || {
        let mut encoder = Encoder::new();
        for i in 0..N {
            encoder.code(probability(i + 1) < probability(i), probability(i));
        }
        encoder.finish()
    };
    group.bench_function("encode a decision", |b| b.iter(encode));
    let coded = encode();
    group.bench_function("decode a decision", |b| {
        b.iter(|| {
            let mut decoder = Decoder::new(&coded);
            (0..N)
                .filter(|&i| decoder.code(false, probability(i)))
                .count()
        });
    });
    group.finish();
}

fn bytes(c: &mut Criterion) {
    let text = text();
    let (vocabulary, tree) = (Arc::new(Vocabulary::bytes()), Arc::new(Tree::bytes()));
    let mut group = c.benchmark_group("byte tree");
    group
        .throughput(Throughput::Elements(text.len() as u64 * 8))
        .sample_size(10);
    let model = || {
        Model::new(
            &vocabulary,
            &tree,
            &Options::default(),
            1,
            text.len() as u64,
        )
        .expect("a model")
    };
    let encode = || {
        let (mut model, mut encoder) = (model(), Encoder::new());
        for &byte in &text {
            model.encode(0, None, byte.into(), &mut encoder);
        }
        encoder.finish()
    };
    group.bench_function("encode a decision", |b| b.iter(encode));
    let coded = encode();
    group.bench_function("decode a decision", |b| {
        b.iter(|| {
            let (mut model, mut decoder) = (model(), Decoder::new(&coded));
            text.iter()
                .fold(0, |sum, _| sum ^ model.decode(0, None, &mut decoder))
        });
    });
    group.finish();
    c.bench_function("model of a message of 1 KB", |b| {
        b.iter(|| {
            black_box(
                Model::new(&vocabulary, &tree, &Options::default(), 1, 1000).expect("a model"),
            )
        });
    });
}

fn tokens(c: &mut Criterion) {
    const LEAVES: usize = 8192;
    let tokens: Vec<[u8; 2]> = (0..LEAVES as u16).map(u16::to_be_bytes).collect();
    let vocabulary = Arc::new(Vocabulary::from_tokens(&tokens).expect("a vocabulary"));
    let tree = Arc::new(Tree::new(&[1; LEAVES]).expect("a tree"));
    let groups = Groups::balanced(&tree, &[1; LEAVES], 1024, 32);
    let weights: Vec<u32> = (0..groups.len() as u32)
        .map(|i| 1 + (1 << 30) / (100 + (i * 2503) % 1024 * 40))
        .collect();
    let mut within = |_: usize, weights: &mut [u32]| weights.fill(1 << 20);
    let state: Vec<i8> = (0..192).map(|i| (i * 37) as i8).collect();
    let ids: Vec<u16> = (0..2000u32).map(|i| (i * i % 1999) as u16 * 4).collect();
    let mut group = c.benchmark_group("token tree of 13 levels");
    group
        .throughput(Throughput::Elements(ids.len() as u64 * 13))
        .sample_size(10);
    for (name, experts) in [
        ("weights alone", Experts::NONE),
        ("everything", Experts::ALL),
    ] {
        let options = Options {
            experts,
            width: state.len(),
            ..Options::default()
        };
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut model = Model::new(&vocabulary, &tree, &options, 1, 8000).expect("a model");
                let (mut encoder, mut sums) = (Encoder::new(), Sums::default());
                for &id in &ids {
                    let weights = Weights::new(&groups, &weights, &state, &mut within, &mut sums);
                    model.encode(0, Some(weights), id, &mut encoder);
                }
                encoder.finish()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, range_coder, bytes, tokens);
criterion_main!(benches);
