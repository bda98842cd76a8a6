//! Any bytes as coded data: the decoder always gives tokens of the vocabulary, and what it gave can be coded and decoded
//! again, with weights and without, whatever the counts of the tree are.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use vatic_coder::{
    Decoder, Encoder, Experts, Groups, Model, Options, Sums, Tree, Vocabulary, Weights,
};

const TOKENS: usize = 120;

/// Weights for one step, different for each and extreme now and then: what a transformer might say.
fn weights(seed: u8, step: usize, tokens: usize) -> Vec<u32> {
    let sure = usize::from(seed).wrapping_mul(31).wrapping_add(step * 7) % tokens;
    (0..tokens)
        .map(|id| {
            if id == sure {
                1 << 29
            } else {
                1 + (id as u32 * u32::from(seed)) % 50_000
            }
        })
        .collect()
}

fuzz_target!(|data: &[u8]| {
    let [shape, seed, coded @ ..] = data else {
        return;
    };
    let tokens: Vec<Vec<u8>> = match shape & 3 {
        0 => (0..=255).map(|byte| vec![byte]).collect(),
        1 => (0..300u16).map(|n| n.to_be_bytes().to_vec()).collect(),
        2 => vec![b"a".to_vec(), b"ab".to_vec(), b"b".to_vec()],
        _ => vec![b"only".to_vec()],
    };
    let counts: Vec<u32> = (0..tokens.len())
        .map(|id| 1 + u32::from(coded.get(id).copied().unwrap_or(0)).pow(3))
        .collect();
    let tree = Arc::new(Tree::new(&counts).unwrap());
    let streams = 1 + usize::from(shape >> 2 & 3);
    let transformer = shape & 16 == 0;
    // Single bytes without a transformer have experts of their own.
    let vocabulary = Arc::new(match shape & 3 {
        0 if !transformer => Vocabulary::bytes(),
        _ => Vocabulary::from_tokens(&tokens).unwrap(),
    });
    let experts = if shape & 32 == 0 || !transformer {
        Experts::ALL
    } else {
        Experts::NONE
    };
    let options = Options {
        experts,
        // Of effect with single bytes alone.
        thorough: shape & 32 != 0,
        memory_log2: 18,
        width: 24,
        ..Options::default()
    };
    let model = || Model::new(&vocabulary, &tree, &options, streams, 1000).unwrap();

    let groups = Groups::balanced(&tree, &counts, 1 + usize::from(shape >> 6) * 20, 64);
    let of_groups = |leaves: &[u32]| -> Vec<u32> {
        (0..groups.len())
            .map(|n| leaves[groups.leaves(n)].iter().sum())
            .collect()
    };
    let state = |leaves: &[u32]| -> Vec<i8> {
        let levels = leaves.iter().cycle().map(|&leaf| leaf as i8);
        levels.take(options.width).collect()
    };
    let mut sums = Sums::default();
    let mut decode = |bytes: &[u8]| -> Vec<u16> {
        let (mut model, mut input) = (model(), Decoder::new(bytes));
        (0..TOKENS)
            .map(|step| {
                let leaves = weights(*seed, step, tokens.len());
                let (of_groups, state) = (of_groups(&leaves), state(&leaves));
                let mut within =
                    |n, weights: &mut [u32]| weights.copy_from_slice(&leaves[groups.leaves(n)]);
                let weights = Weights::new(&groups, &of_groups, &state, &mut within, &mut sums);
                model.decode(step % streams, transformer.then_some(weights), &mut input)
            })
            .collect()
    };
    let first = decode(coded);
    assert!(first.iter().all(|&id| usize::from(id) < tokens.len()));

    let (mut model, mut output) = (model(), Encoder::new());
    let mut sums = Sums::default();
    for (step, &id) in first.iter().enumerate() {
        let leaves = weights(*seed, step, tokens.len());
        let (of_groups, state) = (of_groups(&leaves), state(&leaves));
        let mut within =
            |n, weights: &mut [u32]| weights.copy_from_slice(&leaves[groups.leaves(n)]);
        let weights = Weights::new(&groups, &of_groups, &state, &mut within, &mut sums);
        model.encode(
            step % streams,
            transformer.then_some(weights),
            id,
            &mut output,
        );
    }
    assert_eq!(decode(&output.finish()), first);
});
