//! Any bytes as a model file: an error, or a model that runs and gives every group and every token a weight.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use vatic_transformer::{Leaves, Model, ModelFile, Session};

fuzz_target!(|data: &[u8]| {
    let file = ModelFile::from_bytes(data);
    let Ok(model) = Model::from_bytes(data) else {
        return;
    };
    // What runs can be taken apart and written again.
    let written = file.unwrap().to_bytes().unwrap();
    assert_eq!(
        Model::from_bytes(&written).unwrap().config(),
        model.config()
    );
    let last = (model.config().vocab - 1) as u16;
    let model = Arc::new(model);
    let mut session = Session::new(&model, 2, 1).unwrap();
    let mut leaves = Leaves::new(&model).unwrap();
    let check = |weights: &[u32]| {
        assert!(weights.iter().all(|&weight| weight >= 1));
        assert!(weights.iter().map(|&weight| u64::from(weight)).sum::<u64>() <= 1 << 31);
    };
    for tokens in [[0, last], [last, 1]] {
        session.step(&tokens).unwrap();
        for stream in 0..2 {
            let predictions = session.predictions();
            check(predictions.groups(stream));
            for group in 0..model.group_starts().len() {
                check(leaves.weights(predictions, stream, group));
            }
        }
    }
});
