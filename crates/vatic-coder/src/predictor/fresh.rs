//! A predictor that has seen nothing.

use super::{BYTE_PATH, HASHED, PATH, Predictor, Stream, Switches, USUAL_SETS};
use crate::adaptive::Adaptive;
use crate::contexts::{self, Memory, RUN_CONTEXTS};
use crate::head::Head;
use crate::histories::Histories;
use crate::history::{PLACES, Recent, Tokens};
use crate::layout::Layout;
use crate::leaps::Leaps;
use crate::learnt::Sizes;
use crate::matching::{LENGTHS, Matcher};
use crate::mixer::LANES;
use crate::mixing::{self, Mixing, Stages};
use crate::runs::Runs;
use crate::thorough::{self, Outline};
use crate::{Experts, MAX_DEPTH, Options, Vocabulary};

/// Whether a part is on.
fn has(options: &Options, name: &str) -> bool {
    Experts::named(name).is_some_and(|part| options.experts.contains(part))
}

impl<const C: usize, const V: usize, const S: usize> Predictor<C, V, S> {
    /// Whether it has room for the contexts and inputs that `options` switch on, over a vocabulary of tokens.
    pub fn has_room(vocabulary: &Vocabulary, options: &Options) -> bool {
        let has = |name: &str| has(options, name);
        let contexts = (contexts::TOKEN_CONTEXTS.iter())
            .filter(|name| has(name))
            .count();
        let runs = if has("runs") { RUN_CONTEXTS.len() } else { 0 };
        let layout = Layout::new(contexts, has("distances"), runs, false);
        !vocabulary.is_single_bytes() && contexts <= C && layout.constant < V * LANES
    }

    /// Knows nothing; for `length` bytes in all.
    pub fn new(
        vocabulary: &Vocabulary,
        options: &Options,
        streams: usize,
        length: u64,
        sizes: &Sizes,
    ) -> Self {
        let has = |name: &str| has(options, name);
        let bytes = vocabulary.is_single_bytes();
        let names = match (bytes, Self::THOROUGH) {
            (true, true) => &contexts::BYTE_CONTEXTS[..],
            (true, false) => &contexts::BYTE_CONTEXTS[..contexts::USUAL],
            _ => &contexts::TOKEN_CONTEXTS[..],
        };
        let active: Vec<usize> = (0..names.len()).filter(|&n| has(names[n])).collect();
        let run_active: Vec<usize> = (0..RUN_CONTEXTS.len())
            .filter(|_| (!bytes || Self::THOROUGH) && has("runs"))
            .collect();
        let per_stream = length / streams as u64 + 1;
        let layout = Layout::new(active.len(), has("distances"), run_active.len(), bytes);
        let mut inputs: Vec<&'static str> = active.iter().map(|&n| names[n]).collect();
        inputs.resize(layout.runs, "");
        inputs.extend(run_active.iter().map(|&n| RUN_CONTEXTS[n]));
        inputs.extend(["order0", "match", "short"]);
        if !bytes {
            inputs.push("transformer");
        }
        // Name and number of vectors of each set of weights, and the last layer's vectors.
        let mut sets = [("", 1); S];
        let last = if bytes {
            sets[..USUAL_SETS].copy_from_slice(&[
                ("by-node", 1 << BYTE_PATH),
                ("by-place", PLACES * 8),
                ("by-kinds", 1 << HASHED),
                ("by-last", 256 * 8),
            ]);
            LENGTHS * 8
        } else {
            sets[..USUAL_SETS].copy_from_slice(&[
                ("by-node", (1 << PATH) + MAX_DEPTH * 4),
                ("by-match", 2 + LENGTHS / 4),
                ("by-kinds", 1 << HASHED),
                ("by-last", 1 << HASHED),
            ]);
            LENGTHS
        };
        if Self::THOROUGH {
            sets[USUAL_SETS..].copy_from_slice(&thorough::SETS);
        }
        Predictor {
            on: Switches {
                order0: has("order0"),
                long: has("match"),
                short: has("short"),
                runs: !run_active.is_empty(),
                sharp: has("sharp"),
                distances: layout.runs > layout.distances,
                leaps: bytes && has("match") && has("leaps"),
                // A code word may reach from one byte into the next, and other streams' bytes come between.
                scans: bytes && streams == 1,
            },
            sizes: *sizes,
            bytes,
            names: inputs,
            layout,
            streams: (0..streams)
                .map(|_| Stream {
                    recent: Recent::new(per_stream),
                    memory: Memory::new(vocabulary.len(), bytes, Self::THOROUGH),
                    outline: if Self::THOROUGH {
                        Outline::new()
                    } else {
                        Outline::default()
                    },
                    ahead: None,
                })
                .collect(),
            tokens: Tokens::new(vocabulary, streams + 1),
            histories: Histories::new(active.len(), sizes.histories),
            active,
            order0: vec![Adaptive::EVEN; vocabulary.len()],
            long: Matcher::new(if bytes { 16 } else { 6 }, sizes.places, streams + 1),
            short: Matcher::new(if bytes { 6 } else { 3 }, sizes.places, streams + 1),
            runs: Runs::new(
                if run_active.is_empty() {
                    0
                } else {
                    RUN_CONTEXTS.len()
                },
                sizes.runs,
            ),
            run_active,
            head: Head::new(
                vocabulary.len(),
                if has("head") { options.width } else { 0 },
                sizes.head,
            ),
            leaps: Leaps::new(),
            mixing: Mixing::new(
                Stages {
                    sets: std::array::from_fn(|n| has(sets[n].0)),
                    last: has("last-layer"),
                    map: has("map"),
                },
                &layout.initial_weights(false, Self::ALONE),
                (sets.map(|(_, size)| size), last),
                match bytes {
                    true if Self::THOROUGH => [&thorough::RATES, &mixing::BYTE_LAST_RATES],
                    true => [&mixing::BYTE_RATES, &mixing::BYTE_LAST_RATES],
                    false => [&mixing::TOKEN_RATES, &mixing::TOKEN_LAST_RATES],
                },
                sizes.map,
            ),
            contexts: [0; C],
            local: 1,
            kinds: [0; 2],
            pair: 0,
            place: 0,
            scan: false,
            path: 1,
            inputs: [[0; LANES]; V],
            alone: [[0; LANES]; V],
            costs: options.report.then(|| vec![0; V * LANES]),
        }
    }
}
