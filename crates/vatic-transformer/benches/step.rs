//! A step of all streams of models with the shapes of `swift` and `base` (random weights), windows full: time and tokens per
//! second.
#![allow(missing_docs)]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::sync::Arc;
use vatic_transformer::{Config, Model, ModelFile, Session, kernels};

fn swift() -> Config {
    Config {
        name: "swift".into(),
        width: 192,
        layers: 6,
        heads: 3,
        kv_heads: 1,
        hidden: 576,
        windows: vec![64, 32, 512, 64, 64, 512],
        ..Config::default()
    }
}

fn base() -> Config {
    Config {
        name: "base".into(),
        width: 384,
        layers: 8,
        heads: 6,
        kv_heads: 2,
        hidden: 1152,
        windows: vec![64, 64, 512, 64, 64, 64, 512, 64],
        ..Config::default()
    }
}

fn steps(criterion: &mut Criterion) {
    for config in [swift(), base()] {
        step(criterion, &config);
    }
}

fn step(criterion: &mut Criterion, config: &Config) {
    let name = &config.name;
    let bytes = ModelFile::random(config, 1).to_bytes().unwrap();
    criterion.bench_function(&format!("load/{name}"), |bencher| {
        bencher.iter_batched(
            || (),
            |()| Model::from_bytes(&bytes).unwrap(),
            BatchSize::PerIteration,
        );
    });
    let model = Arc::new(Model::from_bytes(&bytes).unwrap());
    for kernel in kernels::names() {
        let mut group = criterion.benchmark_group(format!("step/{name}/{kernel}"));
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
            (0..600 / block).for_each(|_| run());
            group.throughput(Throughput::Elements((streams * block) as u64));
            let id = BenchmarkId::from_parameter(format!("{streams}x{block}"));
            group.bench_function(id, |bencher| bencher.iter(&mut run));
        }
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
