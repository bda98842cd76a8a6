//! Vocabularies, weights and round trips that the tests share.

use std::sync::Arc;
use vatic_coder::{Decoder, Encoder, Groups, Model, Options, Sums, Tree, Vocabulary, Weights};

/// A reproducible source of numbers.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as u32
    }
}

pub fn bytes() -> (Arc<Vocabulary>, Arc<Tree>) {
    (Arc::new(Vocabulary::bytes()), Arc::new(Tree::bytes()))
}

/// The same as tokens of a transformer.
pub fn single_tokens() -> (Arc<Vocabulary>, Arc<Tree>) {
    let tokens: Vec<[u8; 1]> = (0..=255).map(|byte| [byte]).collect();
    let vocabulary = Vocabulary::from_tokens(&tokens).unwrap();
    (Arc::new(vocabulary), Arc::new(Tree::bytes()))
}

/// 500 tokens: the bytes and some words, with counts as text has them.
pub fn words() -> (Arc<Vocabulary>, Arc<Tree>) {
    let mut numbers = Numbers(5);
    let mut tokens: Vec<Vec<u8>> = (0..=255u8).map(|byte| vec![byte]).collect();
    while tokens.len() < 500 {
        let word: Vec<u8> = (0..2 + numbers.next() % 6)
            .map(|_| b" etaoinsh\n,0"[numbers.next() as usize % 12])
            .collect();
        if !tokens.contains(&word) {
            tokens.push(word);
        }
    }
    tokens.sort();
    let counts: Vec<u32> = tokens
        .iter()
        .map(|_| 1 + 1000 / (1 + numbers.next() % 1000))
        .collect();
    (
        Arc::new(Vocabulary::from_tokens(&tokens).unwrap()),
        Arc::new(Tree::new(&counts).unwrap()),
    )
}

/// Weights of a step: none, or pseudo-random ones, the same on both sides.
pub fn weights(step: usize, leaves: usize) -> Option<Vec<u32>> {
    let mut numbers = Numbers(step as u64);
    match step % 5 {
        0 => None,
        1 => Some(vec![1; leaves]),
        2 => Some(
            (0..leaves)
                .map(|i| if i == step % leaves { 1 << 30 } else { 1 })
                .collect(),
        ),
        _ => Some(
            (0..leaves)
                .map(|_| 1 + (numbers.next() >> (numbers.next() % 31)) / leaves as u32)
                .collect(),
        ),
    }
}

/// What a transformer with two levels of output would foretell that gave these weights in one: groups have the sums of their leaves.
pub struct Foretold {
    groups: Groups,
    sums: Sums,
    of_groups: Vec<u32>,
    /// A hidden state of [`WIDTH`] levels.
    state: Vec<i8>,
}

/// Of the hidden states, no multiple of what vectors hold.
pub const WIDTH: usize = 37;

impl Foretold {
    pub fn new(groups: Groups) -> Foretold {
        Foretold {
            groups,
            sums: Sums::default(),
            of_groups: Vec::new(),
            state: Vec::new(),
        }
    }

    pub fn with<T>(&mut self, leaves: Option<&[u32]>, f: impl FnOnce(Option<Weights>) -> T) -> T {
        let Some(leaves) = leaves else { return f(None) };
        let groups = &self.groups;
        self.of_groups.clear();
        let sum = |n| leaves[groups.leaves(n)].iter().sum::<u32>();
        self.of_groups.extend((0..groups.len()).map(sum));
        self.state.clear();
        self.state
            .extend(leaves.iter().cycle().take(WIDTH).map(|&leaf| leaf as i8));
        let mut within =
            |n, weights: &mut [u32]| weights.copy_from_slice(&leaves[groups.leaves(n)]);
        f(Some(Weights::new(
            groups,
            &self.of_groups,
            &self.state,
            &mut within,
            &mut self.sums,
        )))
    }
}

/// Codes pieces in lockstep, checks the way back, and returns the coded bytes and the accounted bits (in 2^-16).
pub fn round_trip(
    (vocabulary, tree): &(Arc<Vocabulary>, Arc<Tree>),
    options: &Options,
    pieces: &[Vec<u16>],
    foretold: bool,
    prior: Option<&[u8]>,
) -> (Vec<u8>, u64) {
    let length = pieces.iter().map(Vec::len).sum::<usize>() as u64;
    let steps = pieces.iter().map(Vec::len).max().unwrap_or(0);
    let order = || {
        (0..steps)
            .flat_map(|t| (0..pieces.len()).map(move |s| (t, s)))
            .filter(|&(t, s)| t < pieces[s].len())
    };
    let new = || {
        let mut model = Model::new(vocabulary, tree, options, pieces.len(), length).unwrap();
        if let Some(prior) = prior {
            model.load(prior).unwrap();
        }
        model
    };
    let groups = Groups::balanced(tree, &vec![1; tree.len()], tree.len() / 8, 16);
    let mut room = Foretold::new(groups);
    let mut model = new();
    let mut encoder = Encoder::new();
    for (t, s) in order() {
        let leaves = if foretold {
            weights(t * 3 + s, vocabulary.len())
        } else {
            None
        };
        room.with(leaves.as_deref(), |w| {
            model.encode(s, w, pieces[s][t], &mut encoder);
        });
    }
    let report = model.report();
    assert_eq!(report.tokens, length);
    let coded = encoder.finish();
    let mut model = new();
    let mut decoder = Decoder::new(&coded);
    for (t, s) in order() {
        let leaves = if foretold {
            weights(t * 3 + s, vocabulary.len())
        } else {
            None
        };
        assert_eq!(
            room.with(leaves.as_deref(), |w| model.decode(s, w, &mut decoder)),
            pieces[s][t],
            "token {t} of stream {s}"
        );
    }
    (coded, report.paid)
}

pub fn to_tokens(data: &[u8]) -> Vec<u16> {
    data.iter().map(|&byte| byte.into()).collect()
}

pub const TEXT: &str = "id,name,value\n17,alpha,3.25\n18,beta,3.50\n19,gamma,3.75\n\
    It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness.\n";

/// FNV-1a, for golden values.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}
