//! Parts that are left out, and attention that is watched.

mod common;

use common::{config, model, tokens};
use std::sync::Arc;
use vatic_transformer::{Matrix, Model, ModelFile, Part, Session};

/// The weights of all groups after each of the tokens.
fn groups(session: &mut Session, tokens: &[u16]) -> Vec<Vec<u32>> {
    session.reset(0);
    session.prefill(0, tokens).unwrap();
    (0..tokens.len())
        .map(|row| session.predictions().groups(row).to_vec())
        .collect()
}

/// Sets these columns to zero.
fn erase(matrix: &mut Matrix, columns: std::ops::Range<usize>) {
    let rows = matrix.scale.len();
    let width = matrix.weight.len() / rows;
    for row in matrix.weight.chunks_exact_mut(width) {
        row[columns.clone()].fill(0);
    }
}

#[test]
fn without_a_part_it_is_the_model_whose_part_writes_nothing() {
    let config = config();
    let (whole, tokens) = (model(), tokens(40));
    let mut session = Session::new(&whole, 1, 40).unwrap();
    let all = groups(&mut session, &tokens);
    let mut parts: Vec<Part> = (0..config.layers)
        .flat_map(|layer| (0..config.heads).map(move |head| Part::Head { layer, head }))
        .collect();
    parts.extend((0..config.layers).map(|layer| Part::Mlp { layer }));
    for part in parts {
        let mut file = ModelFile::random(&config, common::SEED);
        match part {
            Part::Head { layer, head } => {
                erase(&mut file.layers[layer].out, head * 64..(head + 1) * 64);
            }
            Part::Mlp { layer } => erase(&mut file.layers[layer].down, 0..config.hidden),
        }
        let less = Arc::new(Model::from_bytes(&file.to_bytes().unwrap()).unwrap());
        let expected = groups(&mut Session::new(&less, 1, 40).unwrap(), &tokens);
        session.leave_out(Some(part));
        assert!(groups(&mut session, &tokens) == expected, "{part:?}");
        assert!(expected != all, "{part:?}");
    }
    session.leave_out(None);
    assert!(groups(&mut session, &tokens) == all);
}

#[test]
fn attention_by_distance_adds_up_within_the_window() {
    let (model, tokens) = (model(), tokens(200));
    let config = model.config();
    let mut session = Session::new(&model, 1, 50).unwrap();
    let plain = groups(&mut session, &tokens[..50]);
    session.watch_attention(true);
    session.reset(0);
    for block in tokens.chunks(50) {
        session.prefill(0, block).unwrap();
    }
    for (layer, &window) in config.windows.iter().enumerate() {
        for head in 0..config.heads {
            let sums = session.attention_by_distance(layer, head);
            assert_eq!(sums.len(), window);
            let whole: f64 = sums.iter().sum();
            assert!((whole - 200.0).abs() < 1e-6, "{whole}");
            // The first token sees itself alone, and only tokens that have as many before them see the farthest.
            assert!(sums[0] >= 1.0);
            assert!(sums[window - 1] <= 200.0 - (window - 1) as f64);
            assert!(sums.iter().all(|&sum| sum > 0.0));
        }
    }
    // Watching changes nothing.
    session.watch_attention(false);
    assert!(groups(&mut session, &tokens[..50]) == plain);
}
