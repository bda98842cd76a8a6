#!/usr/bin/env bash
# Runs the tests that hold the arithmetic contract on emulated older x86-64 processors.
#
#   scripts/emulate.sh [CPU]...      (default: Nehalem, which has SSE4.2 only, and Haswell, which has AVX2 and FMA)
#
# The test programs are among those of `make test`; qemu hides the instructions that the named processor lacks, so that the
# choice of kernels is really made there, and an instruction used without asking ends the test.
set -euo pipefail
cd "$(dirname "$0")/.."

die() { printf 'emulate: %s\n' "$*" >&2; exit 1; }
[ "$(uname -m)" = x86_64 ] || die "this machine is no x86-64: its test programs cannot be run as such"
command -v qemu-x86_64-static >/dev/null || die "qemu is missing: apt-get install --no-install-recommends qemu-user-static"

# An emulated processor is some twenty times slower: fewer random cases there, the same fixed ones.
export PROPTEST_CASES=${PROPTEST_CASES:-8}
[ $# -gt 0 ] || set -- Nehalem Haswell
for cpu in "$@"; do
    printf 'emulate: tests on %s\n' "$cpu"
    # qemu warns about features of the real processor that it does not emulate: not about us.
    emulated() {
        CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="qemu-x86_64-static -cpu $cpu" \
            cargo test "$@" 2> >(grep -v "TCG doesn't support requested feature" >&2)
    }
    emulated -p vatic-tokenizer -p vatic-jpeg -p vatic-repeats -p vatic-coder -p vatic-unpack -p vatic-transformer --lib --tests
    # Of the library what decides: the golden files, compressed and restored. (Its other tests would take an hour here.)
    emulated -p vatic --test golden
done
# AVX2 without LZCNT, which then executes as another instruction: code compiled for it must not be chosen.
printf 'emulate: the coder without LZCNT\n'
cpu=max,abm=off
emulated -p vatic-coder --lib --tests
