//! The burn model against the PyTorch one, on both backends. `training/parity.py` makes the fixtures.

use std::{fs, path::PathBuf};

use burn::tensor::Tensor;
use safetensors::{SafeTensors, tensor::TensorView};
use vatic_train::{
    Backend, Batch, Pace, Settings, TokenGroups, Trainer, Transformer, Vocabulary, Weights,
    quantise, token_counts,
};
use vatic_transformer::ModelFile;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn floats(view: &TensorView<'_>) -> Vec<f32> {
    view.data()
        .as_chunks()
        .0
        .iter()
        .map(|value| f32::from_le_bytes(*value))
        .collect()
}

/// The ids of the fixture: rows, and ids in a row.
fn tokens(expected: &SafeTensors<'_>) -> (Vec<u16>, [usize; 2]) {
    let view = expected.tensor("tokens").unwrap();
    let ids = view
        .data()
        .as_chunks()
        .0
        .iter()
        .map(|id| i32::from_le_bytes(*id) as u16)
        .collect();
    (ids, [view.shape()[0], view.shape()[1]])
}

/// The largest difference, as a part of the largest value.
fn relative_error(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected
        .iter()
        .fold(0.0f32, |largest, value| largest.max(value.abs()));
    let error = found
        .iter()
        .zip(expected)
        .fold(0.0f32, |error, (a, b)| error.max((a - b).abs()));
    assert!(error.is_finite());
    error / largest
}

/// The two halves of a tensor: without and with simulated quantisation.
fn halves(expected: &SafeTensors<'_>, name: &str) -> [Vec<f32>; 2] {
    let mut first = floats(&expected.tensor(name).unwrap());
    let second = first.split_off(first.len() / 2);
    [first, second]
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as::<f32>().unwrap()
}

/// The nats that the chosen ones cost, one of each row of logits.
fn cost(logits: &[f32], chosen: &[usize]) -> f64 {
    let rows = logits.chunks(logits.len() / chosen.len()).zip(chosen);
    let cost = |(row, chosen): (&[f32], &usize)| {
        let exponentials = row.iter().map(|logit| f64::from(*logit).exp());
        exponentials.sum::<f64>().ln() - f64::from(row[*chosen])
    };
    rows.map(cost).sum()
}

#[test]
fn logits_and_losses_are_those_of_pytorch() {
    let bytes = fs::read(fixture("expected.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let (ids, [_, length]) = tokens(&expected);
    let weights = Weights::read(&fixture("float.safetensors")).unwrap();
    for &backend in Backend::ALL {
        let device = backend.device();
        let model = Transformer::new(&weights, &device);
        let batch = Batch::new(&ids, length - 1, &device);
        let groups: Vec<usize> = batch
            .targets
            .iter()
            .map(|id| weights.groups().of(*id))
            .collect();
        let places: Vec<usize> = (batch.targets.iter().zip(&groups))
            .map(|(id, group)| usize::from(*id) - weights.groups().tokens(*group).start)
            .collect();

        let hidden = model.hidden(batch.tokens.clone(), false);
        let [float, simulated] = halves(&expected, "hidden");
        let error = relative_error(&values(hidden.clone()), &float);
        println!("{backend:?}: hidden rows differ by {error:.1e}");
        assert!(error < 1e-4, "{backend:?}: hidden rows differ by {error}");
        // Where rounding falls on the other side of a tie, a row and some after it differ by whole steps. Were anything
        // quantised otherwise, all would.
        let found = values(model.hidden(batch.tokens.clone(), true));
        let width = hidden.dims()[1];
        let rows = found.chunks(width).zip(simulated.chunks(width));
        let same = rows
            .map(|(found, expected)| relative_error(found, expected))
            .filter(|error| *error < 1e-4)
            .count();
        let all = groups.len();
        println!("{backend:?}: {same} of {all} simulated rows are the same");
        assert!(
            same > all / 2,
            "{backend:?}: {same} of {all} simulated rows are the same"
        );

        let of_groups = halves(&expected, "group_logits");
        let of_leaves = halves(&expected, "leaf_logits");
        let nats = halves(&expected, "nats").concat();
        for (quantise, n, most) in [(false, 0, 1e-5), (true, 1, 1e-3)] {
            let found = values(model.group_logits(hidden.clone(), quantise));
            let error = relative_error(&found, &of_groups[n]);
            println!("{backend:?}, {quantise}: group logits differ by {error:.1e}");
            assert!(error < 1e-4, "{backend:?}: group logits differ by {error}");

            let found = values(model.leaf_logits(hidden.clone(), &groups, quantise));
            let (beyond, within): (Vec<_>, Vec<_>) = (found.into_iter().zip(&of_leaves[n]))
                .partition(|(_, expected)| **expected == f32::NEG_INFINITY);
            assert!(beyond.iter().all(|(found, _)| *found < -1e8));
            let (found, expected): (Vec<f32>, Vec<f32>) = within.into_iter().unzip();
            let error = relative_error(&found, &expected);
            println!("{backend:?}, {quantise}: leaf logits differ by {error:.1e}");
            assert!(error < 1e-4, "{backend:?}: leaf logits differ by {error}");

            let found = model.nats(&batch, quantise).into_scalar::<f32>();
            let error = (found / nats[n] - 1.0).abs();
            println!("{backend:?}, {quantise}: nats differ by {error:.1e}");
            assert!(
                error < most,
                "{backend:?}: {found} nats instead of {}, quantise: {quantise}",
                nats[n]
            );
            // The rows that rounding changes blur that; from the logits of the same rows it must come out exactly.
            let rows = model.hidden(batch.tokens.clone(), quantise);
            let of_leaves = values(model.leaf_logits(rows.clone(), &groups, quantise));
            let of_groups = values(model.group_logits(rows, quantise));
            let exact = cost(&of_groups, &groups) + cost(&of_leaves, &places);
            let error = (f64::from(found) / exact - 1.0).abs();
            println!(
                "{backend:?}, {quantise}: nats differ from those of the logits by {error:.1e}"
            );
            assert!(
                error < 1e-5,
                "{backend:?}: {found} nats, {exact} by the logits"
            );
        }
        // The fixture must show what it is for: quantisation, and both kinds of targets.
        for logits in [&of_groups, &of_leaves] {
            let finite = |n: usize| -> Vec<f32> {
                let values = logits[n].iter().copied();
                values.filter(|value| value.is_finite()).collect()
            };
            assert!(relative_error(&finite(0), &finite(1)) > 1e-3);
        }
        let alone = |group: &&usize| weights.groups().tokens(**group).len() == 1;
        let alone = groups.iter().filter(alone).count();
        assert!(alone > 0 && alone < groups.len(), "{alone} have their own");
    }
}

#[test]
fn training_steps_are_those_of_pytorch() {
    let bytes = fs::read(fixture("expected.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let (ids, _) = tokens(&expected);
    let recipe = Settings::read(&fixture("config.json")).unwrap().training;
    let weights = Weights::read(&fixture("float.safetensors")).unwrap();
    for &backend in Backend::ALL {
        let mut trainer = Trainer::new(&weights, &recipe, backend.device());
        for _ in 0..3 {
            trainer
                .step(
                    &ids,
                    Pace {
                        rate: 1.0,
                        quantise: false,
                    },
                )
                .unwrap();
        }
        let trained = trainer.model().weights().unwrap();
        for (name, tensor) in trained.tensors() {
            let expected = floats(&expected.tensor(&format!("after.{name}")).unwrap());
            // Of the embedding, the row of the first token is kept.
            let start = if name == "embed.weight" {
                usize::from(ids[0]) * tensor.shape[1]
            } else {
                0
            };
            let (now, before) = (
                &tensor.values[start..][..expected.len()],
                &weights.tensors()[name].values[start..],
            );
            let change = |values: &[f32]| {
                values
                    .iter()
                    .zip(before)
                    .map(|(a, b)| a - b)
                    .collect::<Vec<_>>()
            };
            let error = relative_error(&change(now), &change(&expected));
            println!("{backend:?}: the change of {name} differs by {error:.1e}");
            assert!(
                error < 2e-2,
                "{backend:?}: the change of {name} differs by {error}"
            );
        }
    }
}

#[test]
fn the_model_file_is_the_one_that_pytorch_exports() {
    let expected = ModelFile::from_bytes(&fs::read(fixture("model.safetensors")).unwrap()).unwrap();
    let weights = Weights::read(&fixture("float.safetensors")).unwrap();
    let vocabulary = Vocabulary::read(&fixture("vocabulary.tsv")).unwrap();
    let mut file = quantise(&weights, &vocabulary).unwrap();
    // The cosines come from two libraries.
    assert!(
        file.rope_cos
            .iter()
            .zip(&expected.rope_cos)
            .all(|(a, b)| (a - b).abs() < 1e-7)
    );
    file.rope_cos.clone_from(&expected.rope_cos);
    assert!(file == expected, "the two exporters differ");
    assert_eq!(
        Vocabulary::read(&fixture("model.safetensors")).unwrap(),
        vocabulary
    );
}

#[test]
fn new_weights_get_the_groups_that_pytorch_makes() {
    let expected = Weights::read(&fixture("float.safetensors")).unwrap();
    let settings = Settings::read(&fixture("config.json")).unwrap();
    assert_eq!(&settings.model, expected.config());
    let counts = token_counts(&fixture("train"), &settings.domains, settings.model.vocab).unwrap();
    let groups = TokenGroups::balanced(counts, settings.model.groups).unwrap();
    assert_eq!(&groups, expected.groups());
}
