//! Whole runs on a little text.

use std::{fs, path::Path, sync::Arc};

use indexmap::IndexMap;
use safetensors::SafeTensors;
use vatic_train::{
    Backend, Batch, Budget, Error, FineTune, Recipe, Rows, Run, Settings, StepReport, TokenGroups,
    Transformer, Vocabulary, Watch, Weights, encode, export, fine_tune, float_bits_per_byte,
    runtime_bits_per_byte, token_counts, train,
};
use vatic_transformer::{Config, Leaves, Model, Session};

/// Keeps what a run tells.
#[derive(Default)]
struct Notes {
    losses: Vec<f64>,
    dev: Vec<f64>,
}

impl Watch for Notes {
    fn step(&mut self, report: &StepReport) {
        self.losses.push(report.loss);
    }

    fn dev(&mut self, _: u64, _: bool, scores: &[(String, f64)]) {
        self.dev.push(scores[0].1);
    }
}

/// A text that can be learnt in a few steps, the bytes as vocabulary, and all of it encoded.
fn corpus(folder: &Path) -> Vocabulary {
    let text: String = (0..400)
        .map(|n| format!("the {} sheep sleep\n", ["red", "wet", "old"][n * n % 3]))
        .collect();
    fs::write(folder.join("text.txt"), text).unwrap();
    let list = folder.join("bytes.tsv");
    fs::write(
        &list,
        (0..256)
            .map(|byte| format!("{byte:02x}\n"))
            .collect::<String>(),
    )
    .unwrap();
    let vocabulary = Vocabulary::read(&list).unwrap();
    encode(
        &vocabulary,
        &[folder.join("text.txt")],
        &folder.join("tokens"),
        0.1,
    )
    .unwrap();
    vocabulary
}

fn run(folder: &Path, name: &str, vocabulary: &Vocabulary, steps: u64) -> Run {
    let model = Config {
        vocab: 256,
        groups: 32,
        width: 32,
        layers: 2,
        hidden: 64,
        windows: vec![8, 32],
        ..Config::default()
    };
    let training = Recipe {
        seed: 3,
        length: 32,
        rows: 4,
        muon_lr: 0.02,
        momentum: 0.95,
        weight_decay: 0.01,
        adam_lr: 0.01,
        warm_up_steps: 2,
        warm_down: 0.0,
        quantise_last: 0.0,
    };
    Run {
        settings: Settings {
            model,
            training,
            domains: IndexMap::from([("text".to_owned(), 1.0)]),
            tree: None,
        },
        tokens: folder.join("tokens"),
        lengths: vocabulary.lengths(),
        folder: folder.join(name),
        budget: Budget::Steps(steps),
        from: None,
        backend: Backend::default(),
        checkpoint_seconds: 1e9,
    }
}

#[test]
fn a_model_learns_and_its_model_file_predicts_as_well() {
    let home = tempfile::tempdir().unwrap();
    let vocabulary = corpus(home.path());
    let mut notes = Notes::default();
    let weights = train(&run(home.path(), "run", &vocabulary, 60), &mut notes).unwrap();
    let (first, last) = (notes.losses[0], notes.losses[59]);
    assert!(
        last < first / 3.0,
        "the loss fell from {first} to {last} only"
    );
    let logged = fs::read_to_string(home.path().join("run/log.csv")).unwrap();
    assert!(
        logged.starts_with("50,6400,") && logged.lines().count() == 1,
        "{logged}"
    );
    assert_eq!(
        fs::read_to_string(home.path().join("run/dev.csv"))
            .unwrap()
            .lines()
            .count(),
        2
    );
    assert_eq!(
        Weights::read(&home.path().join("run/float.safetensors")).unwrap(),
        weights
    );

    let path = home.path().join("model.safetensors");
    export(&weights, &vocabulary, &path).unwrap();
    let model = Arc::new(Model::from_bytes(&fs::read(&path).unwrap()).unwrap());
    let rows = Rows::read(
        &home.path().join("tokens/dev/text.bin"),
        32,
        640,
        &vocabulary.lengths(),
    )
    .unwrap();
    let device = Backend::default().device();
    let float = Transformer::new(&weights, &device);
    let [exact, simulated] = [false, true]
        .map(|quantise| float_bits_per_byte(&float, &rows, quantise, &device).unwrap());
    let runtime = runtime_bits_per_byte(&model, &rows).unwrap();
    assert!(
        (runtime / exact - 1.0).abs() < 0.03,
        "runtime {runtime}, float {exact} bits/byte"
    );
    assert!(
        (runtime / simulated - 1.0).abs() < 0.02,
        "runtime {runtime}, simulated {simulated} bits/byte"
    );

    // Token by token, too: the runtime's scores are the float model's logits, but for what rounding takes.
    let row = rows.iter().next().unwrap();
    let batch = Batch::new(row, row.len() - 1, &device);
    let hidden = float.hidden(batch.tokens, false);
    let groups: Vec<usize> = batch
        .targets
        .iter()
        .map(|id| weights.groups().of(*id))
        .collect();
    let logits = float.group_logits(hidden.clone(), false);
    let logits = logits.try_into_vec_as::<f32>().unwrap();
    let of_leaves = float.leaf_logits(hidden, &groups, false);
    let of_leaves = of_leaves.try_into_vec_as::<f32>().unwrap();
    let mut session = Session::new(&model, 1, row.len()).unwrap();
    session.keep_scores(true);
    session.prefill(0, &row[..row.len() - 1]).unwrap();
    let mut leaves = Leaves::new(&model).unwrap();
    let most = weights.groups().largest();
    let mut levels: [Vec<(f32, f32)>; 2] = Default::default();
    for (position, &group) in groups.iter().enumerate() {
        let scores = session.scores(position).iter().copied();
        levels[0].extend(scores.zip(logits[position * 32..].iter().copied()));
        let scores = leaves.scores(session.predictions(), position, group);
        let scores = scores.iter().copied();
        levels[1].extend(scores.zip(of_leaves[position * most..].iter().copied()));
    }
    for level in levels {
        let difference = |(score, logit): &(f32, f32)| score * std::f32::consts::LN_2 - logit;
        let error: f32 = level.iter().map(|pair| difference(pair).powi(2)).sum();
        let size: f32 = level.iter().map(|(_, logit)| logit.powi(2)).sum();
        let error = (error / size).sqrt();
        assert!(error < 0.05, "the scores differ from the logits by {error}");
    }
}

/// The largest difference between two models' weights.
fn difference(a: &Weights, b: &Weights) -> f32 {
    let differences = a.tensors().iter().flat_map(|(name, tensor)| {
        let other = &b.tensors()[name].values;
        tensor.values.iter().zip(other).map(|(a, b)| (a - b).abs())
    });
    differences.fold(0.0, f32::max)
}

#[test]
fn a_resumed_run_goes_on_as_an_uninterrupted_one() {
    for &backend in Backend::ALL {
        let home = tempfile::tempdir().unwrap();
        let vocabulary = corpus(home.path());
        let go = |name: &str, steps: u64| {
            let mut notes = Notes::default();
            let run = Run {
                backend,
                ..run(home.path(), name, &vocabulary, steps)
            };
            let weights = train(&run, &mut notes).unwrap();
            (notes, weights)
        };
        let (whole, expected) = go("whole", 7);
        let (first, _) = go("parts", 4);
        let (second, found) = go("parts", 7);
        // On flex to the last bit. ndarray multiplies in an order that follows how a matrix lies in memory, and a matrix
        // that was just read lies otherwise than one that was just computed. Without the optimiser's state, or with
        // other batches, the weights would differ by about the learning rate: 0.01.
        let flex = format!("{backend:?}") == "Flex";
        let most = if flex { 0.0 } else { 1e-5 };
        let losses = [first.losses, second.losses].concat();
        assert_eq!(losses.len(), 7);
        assert!(
            losses
                .iter()
                .zip(&whole.losses)
                .all(|(a, b)| (a - b).abs() <= f64::from(most)),
            "{backend:?}: {losses:?} instead of {:?}",
            whole.losses
        );
        let error = difference(&found, &expected);
        assert!(error <= most, "{backend:?}: the weights differ by {error}");
        let (none, same) = go("parts", 7);
        assert!(
            none.losses.is_empty() && same == found,
            "{backend:?}: a run that is over goes on"
        );
    }
}

#[test]
fn a_checkpoint_that_is_damaged_or_of_another_model_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let vocabulary = corpus(home.path());
    let mut run = run(home.path(), "run", &vocabulary, 1);
    train(&run, &mut Notes::default()).unwrap();
    let hidden = std::mem::replace(&mut run.settings.model.hidden, 32);
    let refused = train(&run, &mut Notes::default()).unwrap_err();
    assert!(refused.to_string().contains("another model"), "{refused}");

    run.settings.model.hidden = hidden;
    let checkpoint = home.path().join("run/checkpoint.safetensors");
    let whole = fs::read(&checkpoint).unwrap();
    let state = SafeTensors::deserialize(&whole).unwrap();
    let state = state.tensor("optimiser").unwrap().data().as_ptr() as usize;
    let state = state - whole.as_ptr() as usize;
    for at in [state, state + 100, state + 10_000] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x20;
        fs::write(&checkpoint, damaged).unwrap();
        let refused = train(&run, &mut Notes::default()).unwrap_err();
        assert!(refused.to_string().contains("damaged"), "{refused}");
    }
    for bytes in [&b"no checkpoint"[..], &[], &whole[..whole.len() - 1]] {
        fs::write(&checkpoint, bytes).unwrap();
        assert!(matches!(
            train(&run, &mut Notes::default()),
            Err(Error::File { .. })
        ));
    }
}

#[test]
fn fine_tuning_a_model_file_helps_on_its_text() {
    let home = tempfile::tempdir().unwrap();
    let vocabulary = corpus(home.path());
    let weights = train(
        &run(home.path(), "run", &vocabulary, 40),
        &mut Notes::default(),
    )
    .unwrap();
    let (model, tuned) = (
        home.path().join("model.safetensors"),
        home.path().join("tuned.safetensors"),
    );
    export(&weights, &vocabulary, &model).unwrap();

    let mine = home.path().join("mine.txt");
    fs::write(&mine, "seven wild geese fly by\n".repeat(300)).unwrap();
    let with = FineTune {
        budget: Budget::Steps(40),
        backend: Backend::default(),
        length: 32,
        rows: 4,
        checkpoint_seconds: 1e9,
    };
    let folder = home.path().join("tuning");
    let scores = fine_tune(&model, &mine, &folder, &tuned, &with, &mut Notes::default()).unwrap();

    let rows = Rows::read(
        &folder.join("tokens/dev/mine.bin"),
        32,
        640,
        &vocabulary.lengths(),
    )
    .unwrap();
    let score = |path: &Path| {
        let model = Model::from_bytes(&fs::read(path).unwrap()).unwrap();
        assert_eq!(model.tree_counts(), weights.groups().counts());
        assert_eq!(model.group_starts(), weights.groups().starts());
        runtime_bits_per_byte(&Arc::new(model), &rows).unwrap()
    };
    // The model's groups stay, though the text would make others.
    let (before, after) = (score(&model), score(&tuned));
    let domains = IndexMap::from([("mine".to_owned(), 1.0)]);
    let counts = token_counts(&folder.join("tokens/train"), &domains, 256).unwrap();
    let others = TokenGroups::balanced(counts, 32).unwrap();
    assert_ne!(others.starts(), weights.groups().starts());
    assert!(
        after < before * 0.9,
        "{before} bits/byte before, {after} after"
    );
    assert_eq!((scores.before, scores.after), (before, after));

    // The same again is over at once; with another text it would be the wrong checkpoint.
    let again = |text: &str| {
        fs::write(&mine, text.repeat(300)).unwrap();
        fine_tune(&model, &mine, &folder, &tuned, &with, &mut Notes::default())
    };
    assert_eq!(again("seven wild geese fly by\n").unwrap(), scores);
    let refused = again("seven wild swans fly by\n").unwrap_err();
    assert!(refused.to_string().contains("another text"), "{refused}");
}
