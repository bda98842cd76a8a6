//! A step of all streams of a model with the shape of `swift` (random weights), windows full: time and tokens per second.
#![allow(missing_docs)]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::sync::Arc;
use vatic_transformer::{Config, Model, ModelFile, Session, kernels};

fn swift() -> Vec<u8> {
    let config = Config {
        name: "swift".into(),
        width: 192,
        layers: 6,
        heads: 3,
        kv_heads: 1,
        hidden: 576,
        windows: vec![128, 128, 256, 128, 128, 256],
        ..Config::default()
    };
    ModelFile::random(&config, 1).to_bytes().unwrap()
}

fn step(criterion: &mut Criterion) {
    let bytes = swift();
    criterion.bench_function("load", |bencher| {
        bencher.iter_batched(
            || (),
            |()| Model::from_bytes(&bytes).unwrap(),
            BatchSize::PerIteration,
        );
    });
    let model = Arc::new(Model::from_bytes(&bytes).unwrap());
    for kernel in kernels::names() {
        let mut group = criterion.benchmark_group(format!("step/{kernel}"));
        group.sample_size(20);
        for (streams, block) in [(1, 1), (8, 1), (32, 1), (64, 1), (1, 64)] {
            let mut session = Session::with_kernel_named(&model, streams, block, kernel).unwrap();
            let tokens: Vec<u16> = (0..streams * block)
                .map(|n| (n * 7919 % 8192) as u16)
                .collect();
            let mut run = move || match block {
                1 => session.step(&tokens).unwrap(),
                _ => session.prefill(0, &tokens).unwrap(),
            };
            (0..300 / block).for_each(|_| run());
            group.throughput(Throughput::Elements((streams * block) as u64));
            let id = BenchmarkId::from_parameter(format!("{streams}x{block}"));
            group.bench_function(id, |bencher| bencher.iter(&mut run));
        }
    }
}

criterion_group!(benches, step);
criterion_main!(benches);
