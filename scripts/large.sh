#!/usr/bin/env bash
# Sends a long stream through the command and back: lengths beyond 32 bits, and memory that does not grow with them.
#
#   SIZE=2G scripts/large.sh         (numbers as head -c takes them; 5G passes the 32-bit lengths)
#
# The stream is mostly zeros with a line of text every MiB, as a disk image has; what is written to disk is the last GiB that may be copied from, in temporary files.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release -p vatic-cli
vatic=${CARGO_TARGET_DIR:-target}/release/vatic

content() {
    local n=0
    # Ends by the broken pipe when head has enough.
    (while head -c 1M /dev/zero && printf 'the mebibyte %d ends here\n' $((n += 1)); do :; done) 2>/dev/null | head -c "${SIZE:-2G}" || true
}

# 3 GiB of address space for each of the two processes, whatever the size of the stream.
ulimit -v $((3 << 20))
packed=$(mktemp)
trap 'rm -f "$packed"' EXIT
content | "$vatic" --quiet -c >"$packed"
printf 'large: %s became %d bytes\n' "${SIZE:-2G}" "$(wc -c <"$packed")"
"$vatic" -l "$packed"
"$vatic" -dc "$packed" | cmp - <(content)
printf 'large: restored byte for byte\n'
