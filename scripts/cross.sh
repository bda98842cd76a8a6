#!/usr/bin/env bash
# Builds the tests that hold the arithmetic contract for other processors and runs them under emulation.
#
#   scripts/cross.sh [aarch64|s390x|i686]...      (default: all)
#
# aarch64 checks the NEON kernels; s390x is big-endian, so a byte order that crept into a file or a hash shows there; i686 has
# addresses of 32 bits, so a length that does not fit into them does (it needs no emulation on an x86-64 machine).
#
# A target's standard library is rustup's where `rustup target add` has put it. Otherwise (a toolchain that cannot be
# extended) Debian's rustc is downloaded with apt and unpacked below target/, without installing anything: its packages
# carry the aarch64 standard library, and from its source package cargo builds the one for s390x, which Debian does not
# ship for so new a release.
set -euo pipefail
cd "$(dirname "$0")/.."

crates="vatic-tokenizer vatic-jpeg vatic-repeats vatic-coder vatic-unpack vatic-transformer"
export CARGO_TARGET_DIR=${CROSS_TARGET_DIR:-$PWD/target/cross}
kit=$CARGO_TARGET_DIR/kit
mkdir -p "$kit"

# Our own code optimised as in every test run; what the tests merely use need not be fast, but should build fast.
settings=(--config profile.dev.opt-level=1 --config profile.dev.debug=false)
for crate in $crates vatic; do settings+=(--config "profile.dev.package.$crate.opt-level=2"); done
# An emulated processor is some twenty times slower: fewer random cases there, the same fixed ones.
export PROPTEST_CASES=${PROPTEST_CASES:-8}

die() { printf 'cross: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

need_tools() { # What the emulated run needs besides Rust: a linker with the target's C library, and qemu's user mode.
    local processor=$1 debian=$2 missing=()
    have "$processor-linux-gnu-gcc" || missing+=("gcc-$processor-linux-gnu" "libc6-dev-$debian-cross")
    have "qemu-$processor-static" || missing+=(qemu-user-static)
    [ ${#missing[@]} -eq 0 ] || die "$processor needs more packages: apt-get install --no-install-recommends ${missing[*]}"
}

rustup_has() { [ -d "$(rustc --print sysroot)/lib/rustlib/$1-unknown-linux-gnu/lib" ]; }

# apt with lists of its own, so that foreign architectures never enter the system's.
prepare_apt() {
    [ "$(uname -m)" = x86_64 ] || die "this machine is no x86-64, and Debian's compiler is unpacked for that only; use 'rustup target add'"
    have apt-get && have dpkg || die "rustup has no standard library for the target and there is no apt; use 'rustup target add'"
    export APT_CONFIG=$kit/apt.conf
    mkdir -p "$kit"/{unpacked,debs,done,lists/partial,cache/archives/partial}
    : >"$kit/status"
    cat >"$APT_CONFIG" <<CONF
Dir::State::Lists "$kit/lists";
Dir::State::Status "$kit/status";
Dir::Cache "$kit/cache";
APT::Architecture "amd64";
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "";
CONF
    [ -e "$kit/done/lists" ] || apt-get update -qq
    : >"$kit/done/lists"
}

unpack() { # PACKAGE:ARCHITECTURE... into the kit, each once
    local wanted=() package
    for package in "$@"; do [ -e "$kit/done/$package" ] || wanted+=("$package"); done
    [ ${#wanted[@]} -gt 0 ] || return 0
    printf 'cross: unpacking %s\n' "${wanted[*]}"
    (cd "$kit/debs" && apt-get download -qq "${wanted[@]}")
    for package in "$kit"/debs/*.deb; do dpkg -x "$package" "$kit/unpacked"; done
    rm -f "$kit"/debs/*.deb
    for package in "${wanted[@]}"; do : >"$kit/done/$package"; done
}

# Makes cargo use the unpacked compiler; cargo itself stays the one that builds everything else.
use_kit() {
    local release
    prepare_apt
    release=$(apt-cache show rustc-web | sed -n 's/^Version: \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    [ -n "$release" ] || die "apt offers no package rustc-web"
    unpack rustc-web:amd64 libstd-rust-web-dev:amd64 "libstd-rust-web-$release:amd64" libllvm22:amd64 "$@"
    export RUSTC=$kit/unpacked/usr/bin/rustc RUSTDOC=$kit/unpacked/usr/bin/rustdoc
    export LD_LIBRARY_PATH=$kit/unpacked/usr/lib/x86_64-linux-gnu
    printf 'cross: %s\n' "$("$RUSTC" --version)"
}

run_tests() { # PROCESSOR [cargo arguments]...
    local processor=$1 target=$1-unknown-linux-gnu upper packages=() crate
    shift
    upper=$(printf %s "$target" | tr a-z- A-Z_)
    export "CARGO_TARGET_${upper}_LINKER=$processor-linux-gnu-gcc"
    export "CARGO_TARGET_${upper}_RUNNER=qemu-$processor-static -L /usr/$processor-linux-gnu"
    for crate in $crates; do packages+=(-p "$crate"); done
    printf 'cross: tests of %s and the golden files on %s\n' "$crates" "$target"
    cargo test --locked "${settings[@]}" "$@" --target "$target" "${packages[@]}" --lib --tests
    # Of the library what decides: the golden files, compressed and restored. (Its other tests would take an hour here.)
    cargo test --locked "${settings[@]}" "$@" --target "$target" -p vatic --test golden
}

aarch64() (
    need_tools aarch64 arm64
    rustup_has aarch64 || use_kit libstd-rust-web-dev:arm64
    run_tests aarch64
)

s390x() (
    need_tools s390x s390x
    if rustup_has s390x; then
        run_tests s390x
    else
        use_kit rust-web-src:all
        # Building the standard library is an unstable option of cargo; this variable lets a stable one accept it.
        export RUSTC_BOOTSTRAP=1
        run_tests s390x -Zbuild-std=std,panic_unwind,test
    fi
)

i686() (
    target=i686-unknown-linux-musl
    [ "$(uname -m)" = x86_64 ] || die "i686 needs an x86-64 machine"
    echo | gcc -m32 -include stdlib.h -x c -c -o /dev/null - 2>/dev/null ||
        die "i686 needs a C compiler for it: apt-get install --no-install-recommends gcc-multilib"
    [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ] || die "i686 needs its standard library: rustup target add $target"
    export CARGO_TARGET_I686_UNKNOWN_LINUX_MUSL_LINKER=rust-lld
    export CC_i686_unknown_linux_musl=gcc CFLAGS_i686_unknown_linux_musl=-m32
    export CARGO_FEATURE_PURE=1 # blake3 without its assembly, which needs the target's assembler
    printf 'cross: tests of %s, the golden files and the thorough frames on %s\n' "$crates" "$target"
    packages=()
    for crate in $crates; do packages+=(-p "$crate"); done
    cargo test --locked "${settings[@]}" --target "$target" "${packages[@]}" --lib --tests
    cargo test --locked "${settings[@]}" --target "$target" -p vatic --test golden --test thorough
)

[ $# -gt 0 ] || set -- aarch64 s390x i686
for processor in "$@"; do
    case $processor in
        aarch64 | s390x | i686) "$processor" ;;
        *) die "no such processor here: $processor (aarch64, s390x and i686 are)" ;;
    esac
done
