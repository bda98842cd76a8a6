#!/usr/bin/env bash
# Builds the command and all tests for Windows (x86-64, GNU) and runs them under Wine.
#
#   scripts/windows.sh [arguments of cargo test]...
#
# What it builds lies in target/windows, the command at the end in target/windows/x86_64-pc-windows-gnu/release/vatic.exe.
set -euo pipefail
cd "$(dirname "$0")/.."

target=x86_64-pc-windows-gnu
export CARGO_TARGET_DIR=${WINDOWS_TARGET_DIR:-$PWD/target/windows}
export WINEPREFIX=$CARGO_TARGET_DIR/wine WINEDEBUG=-all

die() { printf 'windows: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
have x86_64-w64-mingw32-gcc && have wine ||
    die "packages are missing: apt-get install --no-install-recommends gcc-mingw-w64-x86-64 g++-mingw-w64-x86-64 wine wine64"
[ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ] || die "the standard library is missing: rustup target add $target"

mkdir -p "$WINEPREFIX"
wine cmd /c ver >/dev/null 2>&1 || true # the first start makes the prefix
system=$WINEPREFIX/drive_c/windows/system32
if [ ! -e "$system/bcryptprimitives.dll" ]; then
    # Rust's standard library takes its random numbers from there; Wine has it from version 9 on.
    cat >"$CARGO_TARGET_DIR/random.c" <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) { return SystemFunction036(data, (ULONG)length); }
C
    x86_64-w64-mingw32-gcc -shared -O1 -o "$system/bcryptprimitives.dll" "$CARGO_TARGET_DIR/random.c" -ladvapi32
fi

export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine
cargo test --locked --target "$target" --no-fail-fast "$@"
cargo build --locked --release --target "$target" -p vatic-cli
wine "$CARGO_TARGET_DIR/$target/release/vatic.exe" --version
