//! What each expert and each stage of mixing is worth beside the transformer, and what it costs.
//!
//!     cargo run --release -p vatic --example ablation -- [--limit BYTES] [--streams N] [--parts] [--without NAME,NAME…]… MODEL FILES…
//!
//! The transformer predicts each file once; the predictions are kept (9 KB a token: mind the limit, 64 KiB of each file by
//! default) and coded with every part on, with none (`--experts none`: the transformer's probabilities alone) and, with `--parts`,
//! with each part left out in turn, or with `--without`, with several. The column "over" is what coding with none costs over the
//! entropy of the predictions; the experts' time is that of coding with all less that of coding with none.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use vatic_coder::{
    Decoder, Encoder, Experts, Groups, Model, Options, Sums, Tree, Vocabulary, Weights,
};
use vatic_tokenizer::Tokenizer;
use vatic_transformer::{Leaves, Predictions, Row, Session};

/// Tokens that the transformer takes at once.
const BLOCK: usize = 32;

struct Setup {
    transformer: Arc<vatic_transformer::Model>,
    tokenizer: Tokenizer,
    vocabulary: Arc<Vocabulary>,
    tree: Arc<Tree>,
    groups: Groups,
    boundary: u16,
    streams: usize,
}

/// The weights of all groups, of the tokens of the group that came, and what they were computed from.
struct Foretold {
    groups: Vec<u32>,
    leaves: Vec<u32>,
    state: Vec<i8>,
}

impl Foretold {
    /// Calls `code` with what was foretold, in the form that the coder takes.
    fn with<T>(&self, groups: &Groups, sums: &mut Sums, code: impl FnOnce(Weights) -> T) -> T {
        let mut within = |_: usize, weights: &mut [u32]| weights.copy_from_slice(&self.leaves);
        let weights = Weights::new(groups, &self.groups, &self.state, &mut within, sums);
        code(weights)
    }
}

/// A file's tokens, and what was foretold of each of them.
struct Predicted {
    name: String,
    bytes: usize,
    pieces: Vec<Vec<u16>>,
    /// `[stream][token]`.
    foretold: Vec<Vec<Foretold>>,
    /// Of the predictions, in bits.
    entropy: f64,
}

/// What it costs that `chosen` comes, in bits.
fn cost(weights: &[u32], chosen: usize) -> f64 {
    let total: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
    (total as f64 / f64::from(weights[chosen])).log2()
}

struct Coded {
    bytes: usize,
    /// Of encoding, per byte.
    nanos: f64,
}

impl Setup {
    fn new(file: &[u8], streams: usize) -> Result<Setup, Box<dyn Error>> {
        let transformer = Arc::new(vatic_transformer::Model::from_bytes(file)?);
        let mut by_id: Vec<&[u8]> = transformer.tokens().iter().map(Vec::as_slice).collect();
        by_id.sort_unstable();
        let boundary = by_id.binary_search(&&[0][..]).map_err(|_| "no boundary")? as u16;
        let tree = Tree::new(transformer.tree_counts())?;
        Ok(Setup {
            vocabulary: Arc::new(Vocabulary::from_tokens(&by_id)?),
            groups: Groups::new(&tree, transformer.group_starts())?,
            tree: Arc::new(tree),
            tokenizer: Tokenizer::from_tokens(transformer.tokens().to_vec())?,
            boundary,
            streams,
            transformer,
        })
    }

    fn predict(&self, path: &str, limit: usize) -> Result<Predicted, Box<dyn Error>> {
        let mut content = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        content.truncate(limit);
        let tokens = self.tokenizer.encode(&content);
        let mut entropy = 0.0;
        let pieces: Vec<Vec<u16>> = (tokens.chunks(tokens.len().div_ceil(self.streams).max(1)))
            .map(<[u16]>::to_vec)
            .collect();
        let mut all = Vec::new();
        for piece in &pieces {
            let mut session = Session::new(&self.transformer, 1, BLOCK)?;
            let mut leaves = Leaves::new(&self.transformer)?;
            let mut predictions = Predictions::default();
            let fed: Vec<Row> = std::iter::once(self.boundary)
                .chain(piece.iter().copied())
                .take(piece.len())
                .map(|token| Row { stream: 0, token })
                .collect();
            let mut foretold = Vec::new();
            for (rows, tokens) in fed.chunks(BLOCK).zip(piece.chunks(BLOCK)) {
                session.predict(rows, &mut predictions)?;
                for (row, &token) in tokens.iter().enumerate() {
                    let group = self.groups.of(token.into());
                    let place = usize::from(token) - self.groups.leaves(group).start;
                    let here = Foretold {
                        groups: predictions.groups(row).to_vec(),
                        leaves: leaves.weights(&predictions, row, group).to_vec(),
                        state: predictions.state(row).to_vec(),
                    };
                    entropy += cost(&here.groups, group) + cost(&here.leaves, place);
                    foretold.push(here);
                }
            }
            all.push(foretold);
        }
        Ok(Predicted {
            name: path.rsplit('/').next().unwrap_or(path).into(),
            bytes: content.len(),
            pieces,
            foretold: all,
            entropy,
        })
    }

    /// Codes a file; `verify`: and decodes it, to be sure.
    fn code(
        &self,
        file: &Predicted,
        experts: Experts,
        verify: bool,
    ) -> Result<Coded, Box<dyn Error>> {
        let options = Options {
            experts,
            width: self.transformer.config().width,
            ..Options::default()
        };
        let new = || {
            let (streams, length) = (self.streams, file.bytes as u64);
            Model::new(&self.vocabulary, &self.tree, &options, streams, length)
        };
        // As frames do: token t of every stream, then token t + 1.
        let order = |t: usize| {
            (file.pieces.iter().zip(&file.foretold).enumerate())
                .filter_map(move |(s, (piece, foretold))| Some((s, *piece.get(t)?, &foretold[t])))
        };
        let longest = file.pieces.iter().map(Vec::len).max().unwrap_or(0);
        let mut sums = Sums::default();
        let (mut model, mut encoder) = (new()?, Encoder::new());
        let start = Instant::now();
        for (stream, token, foretold) in (0..longest).flat_map(order) {
            foretold.with(&self.groups, &mut sums, |weights| {
                model.encode(stream, Some(weights), token, &mut encoder);
            });
        }
        let coded = encoder.finish();
        let nanos = start.elapsed().as_nanos() as f64 / file.bytes.max(1) as f64;
        if verify {
            let (mut model, mut decoder) = (new()?, Decoder::new(&coded));
            for (stream, token, foretold) in (0..longest).flat_map(order) {
                let decoded = foretold.with(&self.groups, &mut sums, |weights| {
                    model.decode(stream, Some(weights), &mut decoder)
                });
                assert_eq!(decoded, token);
            }
        }
        Ok(Coded {
            bytes: coded.len(),
            nanos,
        })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mut limit, mut streams, mut names) = (1 << 16, 1, Vec::new());
    // What is left out together, in the order of the table.
    let mut trials: Vec<(String, Experts)> = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} wants a value"));
        match arg.as_str() {
            "--limit" => limit = value()?.parse()?,
            "--streams" => streams = value()?.parse()?,
            "--parts" => trials.extend(
                Experts::names().map(|(name, part)| (name.into(), Experts::ALL.without(part))),
            ),
            "--without" => {
                let list = value()?;
                let mut left = Experts::ALL;
                for name in list.split(',') {
                    let part = Experts::named(name).ok_or_else(|| format!("no part {name:?}"))?;
                    left = left.without(part);
                }
                trials.push((list, left));
            }
            _ => names.push(arg),
        }
    }
    let [model, files @ ..] = names.as_slice() else {
        return Err("usage: ablation [--limit BYTES] [--streams N] [--parts] [--without NAME,NAME…]… MODEL FILES…".into());
    };
    let setup = Setup::new(&std::fs::read(model)?, streams)?;
    let per_byte = |coded: usize, bytes: usize| coded as f64 * 8.0 / bytes.max(1) as f64;
    println!(
        "| file | bytes | transformer alone | over its entropy | with experts | gain | experts, ns/byte |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut sums = vec![(0, 0.0); trials.len()];
    let (mut bytes, mut whole, mut nanos) = (0, 0, 0.0);
    for path in files {
        let file = setup.predict(path, limit)?;
        let alone = setup.code(&file, Experts::NONE, true)?;
        let all = setup.code(&file, Experts::ALL, true)?;
        println!(
            "| {} | {} | {:.4} | {:.3} % | {:.4} | {:.1} % | {:.0} |",
            file.name,
            file.bytes,
            per_byte(alone.bytes, file.bytes),
            (alone.bytes as f64 * 8.0 / file.entropy - 1.0) * 100.0,
            per_byte(all.bytes, file.bytes),
            (1.0 - all.bytes as f64 / alone.bytes as f64) * 100.0,
            all.nanos - alone.nanos
        );
        (bytes, whole, nanos) = (
            bytes + file.bytes,
            whole + all.bytes,
            nanos + all.nanos * file.bytes as f64,
        );
        for ((_, experts), (sum, time)) in trials.iter().zip(&mut sums) {
            let coded = setup.code(&file, *experts, false)?;
            *sum += coded.bytes;
            *time += coded.nanos * file.bytes as f64;
        }
    }
    if !trials.is_empty() {
        println!("\n| left out | bits/byte | worth | ns/byte |");
        println!("|---|---|---|---|");
        println!(
            "| nothing | {:.4} | | {:.0} |",
            per_byte(whole, bytes),
            nanos / bytes as f64
        );
        for ((name, _), (sum, time)) in trials.iter().zip(sums) {
            println!(
                "| {name} | {:.4} | {:+.2} % | {:+.0} |",
                per_byte(sum, bytes),
                (sum as f64 / whole as f64 - 1.0) * 100.0,
                (time - nanos) / bytes as f64
            );
        }
    }
    Ok(())
}
