# vatic: what can be done with the repository; `make help` lists it. Rust and a C compiler suffice for demo, test, test-large, bench,
# install, train and eval. lint and fixtures run python3, test-web and bench-web node, spec python3 with numpy, xxhash and blake3, fuzz-seeds a C++ compiler;
# cross, emulate, windows, miri, fuzz and deny say what they need.

CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=
RUN ?= target/run
MODEL ?= models/swift/model.safetensors
CONFIG ?= training/configs/swift.json
MINUTES ?= 120
SIZE ?= 2G
DIR ?=
FUZZ_SECONDS ?= 30
SIZES ?= 64K,1M,10M
VATIC = $(or $(CARGO_TARGET_DIR),target)/release/vatic

.PHONY: help demo test test-large bench bench-eval cross emulate windows miri web test-web bench-web spec lint lint-train deny fuzz fuzz-seeds install test-train train eval fixtures

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Build vatic, compress and restore every fixture, compare with gzip, zstd, xz, brotli, bzip2 and PPMd
	@scripts/demo.sh

test: ## All tests except the trainer's
	$(CARGO) test

test-large: ## A stream of SIZE (2G) through the command and back in bounded memory (long)
	SIZE=$(SIZE) scripts/large.sh

bench: ## Benchmarks of kernels, tokens, coder and tokenizer, the whole (SIZES) beside its roofline, the command on the fixtures
	$(CARGO) bench
	$(CARGO) run --release -p vatic --example roofline -- --sizes $(SIZES)
	$(CARGO) build --release -p vatic-cli
	$(VATIC) compare --no-progress $(filter-out fixtures/README.md,$(wildcard fixtures/*))

bench-eval: ## The whole command and its peers on your own files: make bench-eval DIR=path
	@test -d "$(DIR)" || { echo "usage: make bench-eval DIR=path (a directory of files to compress)" >&2; exit 2; }
	$(CARGO) build --release -p vatic-cli
	find "$(DIR)" -type f -print0 | sort -z | xargs -0 $(VATIC) compare --format markdown

cross: ## Tests on emulated aarch64 (NEON) and s390x (big-endian), and as 32-bit programs; downloads a compiler into target/ where rustup has none
	scripts/cross.sh

emulate: ## Tests on emulated older x86-64 processors (qemu-user-static)
	scripts/emulate.sh

windows: ## All tests but the trainer's as Windows programs, under Wine (mingw-w64, wine)
	scripts/windows.sh

miri: ## The portable paths of the crates that have unsafe code, transformer and coder, under Miri (nightly Rust with miri and rust-src)
	MIRIFLAGS=-Zmiri-disable-isolation PROPTEST_CASES=2 $(CARGO) +nightly miri test \
	    -p vatic-coder -p vatic-transformer --lib

web: ## The page that runs vatic in browsers, into target/web: static files for any web server
	scripts/web.sh

test-web: ## The same, and its module compared with the command, byte for byte (node)
	scripts/web.sh test

bench-web: ## The same, and the speed of its module in one thread (node)
	scripts/web.sh bench

spec: ## The golden files through a decoder written from docs/format.md alone (Python with numpy, xxhash and blake3)
	python3 tests/independent/decoder.py

lint: ## Format, clippy and rustdoc without warnings, fixtures as their script writes them
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy --all-targets -- -D warnings
	$(CARGO) clippy -p vatic-web -p vatic-web-site -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --lib
	python3 scripts/fixtures.py --check

lint-train: ## Clippy for the trainer (builds burn)
	$(CARGO) clippy -p vatic-train --all-targets -- -D warnings

deny: ## Licences and advisories of all dependencies (cargo-deny)
	$(CARGO) deny check

fuzz: ## Each fuzz target for FUZZ_SECONDS (30): container, round_trip, message, prior, model_file, tokenizer, coder, deflate, repeats (cargo-fuzz)
	FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz.sh

fuzz-seeds: ## Each fuzz target once over its seeds (needs a C++ compiler)
	scripts/fuzz-seeds.sh

install: ## The command, its man pages, completions and MIME type below PREFIX (/usr/local)
	$(CARGO) build --release -p vatic-cli
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/man/man1" \
	    "$(DESTDIR)$(PREFIX)/share/bash-completion/completions" "$(DESTDIR)$(PREFIX)/share/zsh/site-functions" \
	    "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d" "$(DESTDIR)$(PREFIX)/share/mime/packages"
	install -m 755 $(VATIC) "$(DESTDIR)$(PREFIX)/bin/vatic"
	ln -sf vatic "$(DESTDIR)$(PREFIX)/bin/unvatic"
	ln -sf vatic "$(DESTDIR)$(PREFIX)/bin/vcat"
	$(VATIC) man "$(DESTDIR)$(PREFIX)/share/man/man1"
	$(VATIC) completions bash >"$(DESTDIR)$(PREFIX)/share/bash-completion/completions/vatic"
	$(VATIC) completions zsh >"$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_vatic"
	$(VATIC) completions fish >"$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/vatic.fish"
	install -m 644 packaging/vatic-mime.xml "$(DESTDIR)$(PREFIX)/share/mime/packages/vatic.xml"

test-train: ## The trainer's tests (builds burn: several minutes)
	$(CARGO) test -p vatic-train

TRAINER = $(CARGO) run --release -p vatic-train --

train: ## Train a model on the texts in DIR (each file a domain of CONFIG) for MINUTES; goes on where RUN has a checkpoint
	@test -d "$(DIR)" || { echo "usage: make train DIR=texts [RUN=folder] [MINUTES=120] [CONFIG=file]" >&2; exit 2; }
	test -d "$(RUN)/tokens" || $(TRAINER) encode models/vocabulary.tsv "$(RUN)/tokens" "$(DIR)"/* --held-out 2
	$(TRAINER) train "$(CONFIG)" "$(RUN)/tokens" models/vocabulary.tsv "$(RUN)" --minutes $(MINUTES)

eval: ## Bits per byte of MODEL on the texts in DIR, in floating point and through the integer runtime
	@test -d "$(DIR)" || { echo "usage: make eval DIR=texts [MODEL=file]" >&2; exit 2; }
	rm -rf target/eval
	$(TRAINER) encode models/vocabulary.tsv target/eval "$(DIR)"/*
	$(TRAINER) eval "$(MODEL)" target/eval/train

fixtures: ## Write the generated fixtures again
	python3 scripts/fixtures.py
