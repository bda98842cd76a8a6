//! A step of all streams of the shipped models, windows full: time and tokens per second, one session on one thread and a team.
#![allow(missing_docs)]

use criterion::{
    BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use std::path::Path;
use std::sync::Arc;
use vatic_transformer::{Model, Session, kernels};

fn steps(criterion: &mut Criterion) {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    for name in ["swift", "base", "deep"] {
        let file = models.join(name).join("model.safetensors");
        let bytes = std::fs::read(file).expect("the shipped models are in the repository");
        criterion.bench_function(&format!("load/{name}"), |bencher| {
            bencher.iter_batched(
                || (),
                |()| Model::from_bytes(&bytes).unwrap(),
                BatchSize::PerIteration,
            );
        });
        let model = Arc::new(Model::from_bytes(&bytes).unwrap());
        // The plain kernel takes seconds for a step of the large one.
        let all = if name == "deep" { 1 } else { usize::MAX };
        for kernel in kernels::names().take(all) {
            let mut group = criterion.benchmark_group(format!("step/{name}/{kernel}"));
            for (streams, block) in [(1, 1), (8, 1), (32, 1), (64, 1), (1, 128)] {
                step(&mut group, &model, kernel, streams, block);
            }
        }
        let mut group = criterion.benchmark_group(format!("team/{name}"));
        for streams in [1, 2, 4, 8] {
            team(&mut group, &model, streams);
        }
    }
}

/// One session.
fn step(
    group: &mut BenchmarkGroup<WallTime>,
    model: &Arc<Model>,
    kernel: &str,
    streams: usize,
    block: usize,
) {
    let mut session = Session::with_kernel_named(model, streams, block, kernel).unwrap();
    let tokens = tokens(streams * block);
    let mut run = move || match block {
        1 => session.step(&tokens).unwrap(),
        _ => session.prefill(0, &tokens).unwrap(),
    };
    (0..600 / block).for_each(|_| run());
    group.sample_size(20);
    group.throughput(Throughput::Elements((streams * block) as u64));
    let id = BenchmarkId::from_parameter(format!("{streams}x{block}"));
    group.bench_function(id, |bencher| bencher.iter(&mut run));
}

/// As many sessions as there are cores, two to eight, that compute the same rows together.
fn team(group: &mut BenchmarkGroup<WallTime>, model: &Arc<Model>, streams: usize) {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let mut team = Session::team(model, cores.clamp(2, 8), streams, 1).unwrap();
    let mut first = team.remove(0);
    let tokens = tokens(streams);
    std::thread::scope(|scope| {
        for mut other in team {
            scope.spawn(move || while other.step(&[]).is_ok() {});
        }
        (0..600).for_each(|_| first.step(&tokens).unwrap());
        group.sample_size(20);
        group.throughput(Throughput::Elements(streams as u64));
        let id = BenchmarkId::from_parameter(streams);
        group.bench_function(id, |bencher| {
            bencher.iter(|| first.step(&tokens).unwrap());
        });
        // The others end when it does.
        drop(first);
    });
}

fn tokens(count: usize) -> Vec<u16> {
    (0..count).map(|n| (n * 7919 % 8192) as u16).collect()
}

criterion_group!(benches, steps);
criterion_main!(benches);
