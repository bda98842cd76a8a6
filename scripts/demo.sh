#!/usr/bin/env bash
# Builds the command, sends every fixture through it and back, and compares it with the usual compressors.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release -p vatic-cli
vatic=${CARGO_TARGET_DIR:-target}/release/vatic
out=${CARGO_TARGET_DIR:-target}/demo
rm -rf "$out"
mkdir -p "$out"

files=()
for file in fixtures/*; do [ "$file" = fixtures/README.md ] || files+=("$file"); done

"$vatic" --version
printf '\n%-24s %10s %10s %12s\n' file bytes vatic bits/byte
for file in "${files[@]}"; do
    packed=$out/$(basename "$file").vtc
    restored=$out/$(basename "$file")
    "$vatic" --quiet -o "$packed" "$file"
    "$vatic" --quiet -d -o "$restored" "$packed"
    cmp "$file" "$restored"
    before=$(wc -c <"$file") after=$(wc -c <"$packed")
    printf '%-24s %10d %10d %12s\n' "$(basename "$file")" "$before" "$after" \
        "$(awk -v a="$after" -v b="$before" 'BEGIN { printf "%.3f", 8 * a / b }')"
done
printf '\nEach came back byte for byte. The same files beside other compressors:\n\n'
"$vatic" compare --no-progress "${files[@]}"
