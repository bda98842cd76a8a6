//! Any bytes as a model file: an error, or a model that runs and gives every token a weight.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use vatic_transformer::{Model, ModelFile, Session};

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
    let mut session = Session::new(&Arc::new(model), 2, 1).unwrap();
    for tokens in [[0, last], [last, 1]] {
        session.step(&tokens).unwrap();
        for stream in 0..2 {
            let weights = session.weights(stream);
            assert!(weights.iter().all(|&weight| weight >= 1));
            assert!(weights.iter().map(|&weight| u64::from(weight)).sum::<u64>() <= 1 << 31);
        }
    }
});
