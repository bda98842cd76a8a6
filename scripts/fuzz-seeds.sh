#!/usr/bin/env bash
# Runs every fuzz target once over its seeds, without a sanitizer: they must build, and nothing may break them.
#
# What libFuzzer needs is a C++ compiler; without one there is nothing to run, and it is said.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v c++ >/dev/null || { echo "fuzz seeds: passed over, there is no C++ compiler (c++) for libFuzzer"; exit 0; }

target=${CARGO_TARGET_DIR:-$PWD/fuzz/target}
export CARGO_TARGET_DIR=$target
cargo run --quiet --release --manifest-path fuzz/Cargo.toml --example seeds -- fuzz/seeds
cargo build --quiet --release --manifest-path fuzz/Cargo.toml --bins
for source in fuzz/fuzz_targets/*.rs; do
    name=$(basename "$source" .rs)
    seeds=("fuzz/seeds/$name"/*)
    "$target/release/$name" -timeout=120 -rss_limit_mb=3000 "${seeds[@]}" 2>"$target/$name.log" || {
        tail -20 "$target/$name.log" >&2
        echo "fuzz seeds: $name fails" >&2
        exit 1
    }
    printf 'fuzz seeds: %s, %d seeds\n' "$name" "${#seeds[@]}"
done
