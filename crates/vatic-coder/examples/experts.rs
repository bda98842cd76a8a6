//! Codes files with the experts alone, over the byte tree or a token tree, and prints what came of it.
//!
//!     cargo run --release -p vatic-coder --example experts -- [OPTIONS] FILES…
//!
//!     --tokens VOCABULARY.tsv   token tree (greedy longest match); otherwise the byte tree
//!     --without NAME            leave a part out (repeatable); --ablation does so for each part in turn
//!     --thorough                more contexts and sets of weights (byte tree only)
//!     --streams N --memory LOG2 --limit BYTES --no-verify --report

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::LazyLock;
use std::time::Instant;
use vatic_coder::{Decoder, Encoder, Experts, Model, Options, Tree, Vocabulary};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Nanoseconds that this thread has computed, where Linux tells; else that have passed.
fn cpu_time() -> u64 {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .unwrap_or_else(|| START.elapsed().as_nanos() as u64)
}

struct Setup {
    vocabulary: Arc<Vocabulary>,
    tree: Arc<Tree>,
    ids: Option<HashMap<Vec<u8>, u16>>,
    longest: usize,
    streams: usize,
    verify: bool,
}

fn setup(tokens: Option<&str>) -> Setup {
    let Some(path) = tokens else {
        let (vocabulary, tree) = (Arc::new(Vocabulary::bytes()), Arc::new(Tree::bytes()));
        return Setup {
            vocabulary,
            tree,
            ids: None,
            longest: 1,
            streams: 1,
            verify: true,
        };
    };
    let text = std::fs::read_to_string(path).expect("the vocabulary");
    let mut tokens: Vec<Vec<u8>> = text
        .lines()
        .map(|line| {
            (0..line.len() / 2)
                .map(|i| u8::from_str_radix(&line[2 * i..2 * i + 2], 16).expect("hex"))
                .collect()
        })
        .collect();
    // Merge order stands in for frequency: Zipf's law.
    let rank: HashMap<Vec<u8>, usize> = tokens
        .iter()
        .cloned()
        .enumerate()
        .map(|(n, t)| (t, n))
        .collect();
    tokens.sort();
    let counts: Vec<u32> = tokens
        .iter()
        .map(|t| (10_000_000 / (100 + rank[t])) as u32)
        .collect();
    let ids = tokens
        .iter()
        .enumerate()
        .map(|(id, t)| (t.clone(), id as u16))
        .collect();
    Setup {
        longest: tokens.iter().map(Vec::len).max().unwrap_or(1),
        vocabulary: Arc::new(Vocabulary::from_tokens(&tokens).expect("a vocabulary")),
        tree: Arc::new(Tree::new(&counts).expect("a tree")),
        ids: Some(ids),
        streams: 1,
        verify: true,
    }
}

fn tokenize(setup: &Setup, data: &[u8]) -> Vec<u16> {
    let Some(ids) = &setup.ids else {
        return data.iter().map(|&b| b.into()).collect();
    };
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < data.len() {
        let longest = setup.longest.min(data.len() - at);
        let (id, len) = (1..=longest)
            .rev()
            .find_map(|len| ids.get(&data[at..at + len]).map(|&id| (id, len)))
            .expect("a byte token");
        tokens.push(id);
        at += len;
    }
    tokens
}

/// Size, nanoseconds per byte of encoding, and the report.
fn code(
    setup: &Setup,
    data: &[u8],
    tokens: &[u16],
    options: &Options,
    report: bool,
) -> (usize, f64) {
    let new = || {
        Model::new(
            &setup.vocabulary,
            &setup.tree,
            options,
            setup.streams,
            data.len() as u64,
        )
        .expect("a model")
    };
    let piece = tokens.len().div_ceil(setup.streams).max(1);
    let pieces: Vec<&[u16]> = tokens.chunks(piece).collect();
    let start = cpu_time();
    let mut model = new();
    let mut encoder = Encoder::new();
    if setup.ids.is_none() && setup.streams == 1 {
        let mut rest = data;
        while let Some((&byte, after)) = rest.split_first() {
            match model.encode_leap(rest, &mut encoder) {
                0 => {
                    model.encode(0, None, byte.into(), &mut encoder);
                    rest = after;
                }
                leapt => rest = &rest[leapt..],
            }
        }
    } else {
        for t in 0..piece {
            for (s, piece) in pieces.iter().enumerate() {
                if let Some(&token) = piece.get(t) {
                    model.encode(s, None, token, &mut encoder);
                }
            }
        }
    }
    let coded = encoder.finish();
    let nanos = (cpu_time() - start) as f64 / data.len().max(1) as f64;
    if report {
        let report = model.report();
        println!(
            "  {} tokens, paid {:.1} bytes",
            report.tokens,
            report.paid as f64 / 65536.0 / 8.0
        );
        for source in report.sources {
            println!(
                "  {:12} {:.4} bits/byte",
                source.name,
                source.cost as f64 / 65536.0 / data.len() as f64
            );
        }
    }
    if setup.verify && setup.ids.is_none() && setup.streams == 1 {
        let mut model = new();
        let mut decoder = Decoder::new(&coded);
        let mut restored = Vec::new();
        while restored.len() < data.len() {
            let left = data.len() - restored.len();
            if model.decode_leap(left, &mut restored, &mut decoder) == 0 {
                restored.push(model.decode(0, None, &mut decoder) as u8);
            }
        }
        assert!(restored == data, "the bytes did not come back");
    } else if setup.verify {
        let mut model = new();
        let mut decoder = Decoder::new(&coded);
        for t in 0..piece {
            for (s, piece) in pieces.iter().enumerate() {
                if let Some(&token) = piece.get(t) {
                    assert_eq!(
                        model.decode(s, None, &mut decoder),
                        token,
                        "token {t} of stream {s}"
                    );
                }
            }
        }
    }
    (coded.len(), nanos)
}

fn main() {
    let mut args = std::env::args().skip(1);
    let mut options = Options::default();
    let (mut files, mut tokens, mut streams, mut limit, mut verify, mut ablation) =
        (Vec::new(), None, 1, usize::MAX, true, false);
    while let Some(arg) = args.next() {
        let mut value = || args.next().expect("a value");
        match arg.as_str() {
            "--tokens" => tokens = Some(value()),
            "--without" => {
                options.experts = options
                    .experts
                    .without(Experts::named(&value()).expect("a part's name"))
            }
            "--streams" => streams = value().parse().expect("a number"),
            "--thorough" => options.thorough = true,
            "--memory" => options.memory_log2 = value().parse().expect("a number"),
            "--limit" => limit = value().parse().expect("a number"),
            "--no-verify" => verify = false,
            "--ablation" => ablation = true,
            "--report" => options.report = true,
            _ => files.push(arg),
        }
    }
    let setup = Setup {
        streams,
        verify,
        ..setup(tokens.as_deref())
    };
    let mut inputs = Vec::new();
    for file in &files {
        let mut data = std::fs::read(file).expect("a readable file");
        data.truncate(limit);
        let tokens = tokenize(&setup, &data);
        inputs.push((file, data, tokens));
    }
    let run = |options: &Options, each: bool| {
        let (mut total, mut bytes, mut nanos) = (0, 0, 0.0);
        for (file, data, tokens) in &inputs {
            let (size, ns) = code(&setup, data, tokens, options, each && options.report);
            if each {
                let bits = size as f64 * 8.0 / data.len().max(1) as f64;
                println!(
                    "{:>10} -> {size:>9}  {bits:.4} bits/byte  {ns:>6.0} ns/byte  {}",
                    data.len(),
                    file.rsplit('/').next().unwrap_or(file)
                );
            }
            total += size;
            bytes += data.len();
            nanos += ns * data.len() as f64;
        }
        (
            total as f64 * 8.0 / bytes as f64,
            nanos / bytes as f64,
            total,
        )
    };
    let (bits, nanos, total) = run(&options, true);
    println!("total {total}  {bits:.4} bits/byte  {nanos:.0} ns/byte");
    if ablation {
        for (name, part) in Experts::names() {
            let (b, n, _) = run(
                &Options {
                    experts: options.experts.without(part),
                    ..options.clone()
                },
                false,
            );
            if b != bits {
                println!(
                    "without {name:10} {b:.4} bits/byte ({:+.2} %)  {:+.0} ns/byte",
                    (b / bits - 1.0) * 100.0,
                    n - nanos
                );
            }
        }
    }
}
