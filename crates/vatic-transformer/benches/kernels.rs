//! Products of matrices: multiply-adds per second by kernel, shape and batch, beside the kernel's own peak.
#![allow(missing_docs)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vatic_transformer::kernels::{Product, names, peak};

fn kernels(criterion: &mut Criterion) {
    for kernel in names() {
        println!("{kernel}: peak {:.1} GMAC/s", peak(kernel) / 1e9);
        let mut group = criterion.benchmark_group(format!("linear/{kernel}"));
        group.sample_size(20);
        for (outputs, inputs) in [(320, 192), (576, 192), (192, 576), (1024, 192), (1536, 384)] {
            for rows in [1, 4, 8, 16, 64] {
                let mut product = Product::new(kernel, rows, inputs, outputs);
                group.throughput(Throughput::Elements((rows * inputs * outputs) as u64));
                let id = BenchmarkId::new(format!("{outputs}x{inputs}"), rows);
                group.bench_function(id, |bencher| bencher.iter(|| product.run()));
            }
        }
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
