#!/usr/bin/env bash
# Runs each fuzz target (or those named) for a bounded time.
#
#   scripts/fuzz.sh [TARGET]...      FUZZ_SECONDS=30 for each
#
# Seeds are made by the present code (fuzz/examples/seeds.rs). What libFuzzer finds worth keeping grows fuzz/corpus/TARGET; what breaks a target is left in fuzz/artifacts/TARGET.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v cargo-fuzz >/dev/null || { echo "fuzz: cargo-fuzz is missing: cargo install cargo-fuzz --locked" >&2; exit 1; }
# cargo-fuzz needs the sanitizer flags of a nightly compiler; this variable lets a stable one accept them.
export RUSTC_BOOTSTRAP=1

cargo run --quiet --release --manifest-path fuzz/Cargo.toml --example seeds -- fuzz/seeds

targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo fuzz list)
for target in "${targets[@]}"; do
    printf 'fuzz: %s for %s seconds\n' "$target" "${FUZZ_SECONDS:-30}"
    mkdir -p "fuzz/corpus/$target"
    cargo fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="${FUZZ_SECONDS:-30}" -timeout=120 -rss_limit_mb=3000 -print_final_stats=1
done
