//! The burn model against the PyTorch one, on both backends. `training/parity.py` makes the fixtures.

use std::{fs, path::PathBuf};

use burn::tensor::{Int, Tensor, TensorData};
use safetensors::{SafeTensors, tensor::TensorView};
use vatic_train::{
    Backend, Batch, Pace, Settings, Trainer, Transformer, Vocabulary, Weights, quantise,
    token_counts,
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

#[test]
fn logits_and_losses_are_those_of_pytorch() {
    let bytes = fs::read(fixture("expected.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let (ids, [rows, length]) = tokens(&expected);
    let weights = Weights::read(&fixture("float.safetensors")).unwrap();
    for &backend in Backend::ALL {
        let device = backend.device();
        let model = Transformer::new(&weights, &device);
        let inputs: Vec<i64> = ids
            .chunks(length)
            .flat_map(|row| &row[..length - 1])
            .map(|id| i64::from(*id))
            .collect();
        let inputs =
            Tensor::<2, Int>::from_data(TensorData::new(inputs, [rows, length - 1]), &device);
        let logits = model
            .logits(inputs, false)
            .try_into_vec_as::<f32>()
            .unwrap();
        let error = relative_error(&logits, &floats(&expected.tensor("logits").unwrap()));
        assert!(error < 1e-4, "{backend:?}: logits differ by {error}");

        let nats = floats(&expected.tensor("nats").unwrap());
        // Where rounding falls on the other side of a tie, a simulated model may differ more than a float one.
        for (quantise, expected, most) in [(false, nats[0], 1e-5), (true, nats[1], 1e-3)] {
            let batch = Batch::new(&ids, length - 1, &device);
            let found = model
                .nats(batch.tokens, batch.targets, quantise)
                .mean()
                .into_scalar::<f32>();
            let error = (found / expected - 1.0).abs();
            assert!(
                error < most,
                "{backend:?}: {found} nats instead of {expected}, quantise: {quantise}"
            );
        }
        assert!(
            (nats[0] - nats[1]).abs() > 1e-4,
            "the fixture shows no effect of quantisation"
        );
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
    let settings = Settings::read(&fixture("config.json")).unwrap();
    let counts = token_counts(&fixture("train"), &settings.domains, settings.model.vocab).unwrap();
    let vocabulary = Vocabulary::read(&fixture("vocabulary.tsv")).unwrap();
    let mut file = quantise(&weights, &vocabulary, &counts).unwrap();
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
