#!/usr/bin/env bash
# Runs each fuzz target (or those named) for a bounded time.
#
#   scripts/fuzz.sh [TARGET]...      FUZZ_SECONDS=30 for each
#
# What libFuzzer finds worth keeping grows fuzz/corpus/TARGET; what breaks a target is left in fuzz/artifacts/TARGET.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v cargo-fuzz >/dev/null || { echo "fuzz: cargo-fuzz is missing: cargo install cargo-fuzz --locked" >&2; exit 1; }
# cargo-fuzz needs the sanitizer flags of a nightly compiler; this variable lets a stable one accept them.
export RUSTC_BOOTSTRAP=1

targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo fuzz list)
for target in "${targets[@]}"; do
    printf 'fuzz: %s for %s seconds\n' "$target" "${FUZZ_SECONDS:-30}"
    mkdir -p "fuzz/corpus/$target"
    # Seeds that the repository keeps are read; what is found goes into the corpus, which it does not keep.
    seeds=()
    [ -d "fuzz/seeds/$target" ] && seeds+=("fuzz/seeds/$target")
    cargo fuzz run "$target" "fuzz/corpus/$target" "${seeds[@]}" -- \
        -max_total_time="${FUZZ_SECONDS:-30}" -timeout=20 -rss_limit_mb=3000 -print_final_stats=1
done
