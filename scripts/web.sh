#!/usr/bin/env bash
# Builds the page that runs vatic in browsers: static files for any web server, in OUT (target/web). With the argument `test`, what it does is
# then compared with what the command does, in Node, after the transformer's own tests have run there; with `bench`, its speed is measured there.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${OUT:-target/web}
target=${CARGO_TARGET_DIR:-target}
triple=wasm32-unknown-unknown

case "${1-}" in
"" | test | bench) ;;
*)
    echo "web: '$1' is neither 'test' nor 'bench'" >&2
    exit 2
    ;;
esac

need() {
    rustc --print target-libdir --target "$1" | xargs test -d ||
        rustup target add "$1" ||
        { echo "web: there is no standard library of Rust for $1; it comes with 'rustup target add $1'" >&2; exit 1; }
}

need $triple
# Vectors of 128 bits: all browsers have had them since 2023.
RUSTFLAGS="-C target-feature=+simd128" cargo build --release --target $triple -p vatic-web
rm -rf "$out"
cargo run --release --quiet -p vatic-web-site -- "$target/$triple/release/vatic_web.wasm" crates/vatic-web/page "$out" \
    models/swift/model.safetensors models/base/model.safetensors models/deep/model.safetensors
if [ $# -gt 0 ]; then
    command -v node >/dev/null || { echo "web: node is missing: apt-get install --no-install-recommends nodejs (18 or later)" >&2; exit 1; }
fi
case "${1-}" in
test)
    # A system without threads on the same vectors: kernel against kernel, and the bits of every other machine.
    need wasm32-wasip1
    CARGO_TARGET_WASM32_WASIP1_RUNNER="node --no-warnings ../vatic-web/tests/wasi.mjs" RUSTFLAGS="-C target-feature=+simd128" \
        cargo test --release --target wasm32-wasip1 -p vatic-transformer --lib --tests
    cargo build --release -p vatic-cli
    SITE=$out VATIC=$target/release/vatic exec node --test --test-reporter=spec crates/vatic-web/tests/module.test.mjs
    ;;
bench)
    SITE=$out exec node crates/vatic-web/benches/speed.mjs
    ;;
esac
printf 'The page is in %s; look at it with, for example:\n    python3 -m http.server --bind 127.0.0.1 --directory %s 8000\n' "$out" "$out"
