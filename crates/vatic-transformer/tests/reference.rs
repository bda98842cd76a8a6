//! The whole-number runtime against the model's mathematics in f64, which keeps all positions and quantises nothing.

mod common;

use common::{config, tokens};
use std::sync::Arc;
use vatic_transformer::{Leaves, Matrix, Model, ModelFile, Session};

fn product(matrix: &Matrix, x: &[f64]) -> Vec<f64> {
    (matrix.weight.chunks_exact(x.len()).zip(&matrix.scale))
        .map(|(row, &scale)| {
            row.iter()
                .zip(x)
                .map(|(&w, x)| f64::from(w) * x)
                .sum::<f64>()
                * f64::from(scale)
        })
        .collect()
}

fn rms(x: &[f64]) -> Vec<f64> {
    let r = 1.0 / (x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64 + 1e-6).sqrt();
    x.iter().map(|x| x * r).collect()
}

fn rotate(head: &mut [f64], file: &ModelFile, position: usize) {
    let half = file.rope_freq.len();
    for i in 0..half {
        let angle = std::f64::consts::TAU * f64::from(file.rope_freq[i]) * position as f64
            / file.config.rope_period as f64;
        let (a, b) = (head[i], head[i + half]);
        head[i] = a * angle.cos() - b * angle.sin();
        head[i + half] = a * angle.sin() + b * angle.cos();
    }
}

type Heads = Vec<Vec<f64>>;

/// Logits of the groups and of all tokens in natural units, after each token.
fn forward(file: &ModelFile, tokens: &[u16]) -> Vec<[Vec<f64>; 2]> {
    let config = &file.config;
    let width = config.width;
    let mut past: Vec<Vec<(Heads, Heads)>> = vec![Vec::new(); config.layers];
    let mut logits = Vec::new();
    for (t, &token) in tokens.iter().enumerate() {
        let row = &file.embed.weight[usize::from(token) * width..][..width];
        let scale = f64::from(file.embed.scale[usize::from(token)]);
        let e = rms(&row
            .iter()
            .map(|&w| f64::from(w) * scale)
            .collect::<Vec<_>>());
        let mut x = e.clone();
        for (layer, past) in file.layers.iter().zip(&mut past) {
            let mix = layer.mix.map(f64::from);
            x = x
                .iter()
                .zip(&e)
                .map(|(x, e)| mix[0] * x + mix[1] * e)
                .collect();
            let qkv = product(&layer.qkv, &rms(&x));
            let heads: Vec<Vec<f64>> = qkv.chunks_exact(64).map(<[f64]>::to_vec).collect();
            let (queries, rest) = heads.split_at(config.heads);
            let (keys, values) = rest.split_at(config.kv_heads);
            let turned = |head: &Vec<f64>| {
                let mut head = rms(head);
                rotate(&mut head, file, t);
                head
            };
            past.push((keys.iter().map(turned).collect(), values.to_vec()));
            let window = config.windows[file
                .layers
                .iter()
                .position(|l| std::ptr::eq(l, layer))
                .unwrap()];
            let seen = &past[(t + 1).saturating_sub(window)..];
            let mut attended = Vec::new();
            for (head, query) in queries.iter().enumerate() {
                let query = turned(query);
                let group = head * config.kv_heads / config.heads;
                let scores: Vec<f64> = (seen.iter())
                    .map(|(keys, _)| {
                        let dot: f64 = query.iter().zip(&keys[group]).map(|(q, k)| q * k).sum();
                        f64::from(layer.gain[head]) * dot / 8.0
                    })
                    .collect();
                let max = scores.iter().fold(f64::MIN, |a, &b| a.max(b));
                let sum: f64 = scores.iter().map(|score| (score - max).exp()).sum();
                for i in 0..64 {
                    let weigh = |(score, (_, values)): (&f64, &(_, Vec<Vec<f64>>))| {
                        (score - max).exp() / sum * values[group][i]
                    };
                    attended.push(scores.iter().zip(seen).map(weigh).sum());
                }
            }
            let y = product(&layer.out, &attended);
            x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
            let hidden = product(&layer.up, &rms(&x));
            let hidden: Vec<f64> = hidden.iter().map(|u| u.max(0.0).powi(2)).collect();
            let y = product(&layer.down, &hidden);
            x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
        }
        let state: Vec<f64> = (rms(&x).iter().zip(&file.offset))
            .map(|(x, offset)| x - f64::from(*offset))
            .collect();
        let outputs = [
            (&file.head, &file.head_bias),
            (&file.embed, &file.embed_bias),
        ];
        logits.push(outputs.map(|(matrix, bias)| {
            let logits = product(matrix, &state);
            logits
                .iter()
                .zip(bias)
                .map(|(l, &b)| l + f64::from(b))
                .collect()
        }));
    }
    logits
}

/// log₂ of the sum of 2ˣ.
fn log_sum(bits: &[f64]) -> f64 {
    let max = bits.iter().fold(f64::MIN, |a, &b| a.max(b));
    max + bits.iter().map(|b| (b - max).exp2()).sum::<f64>().log2()
}

/// Past the windows and the rope's period, no position may be lost or mixed up: each would show as a jump of the error.
#[test]
fn runtime_follows_the_mathematics_past_windows_and_period() {
    let file = ModelFile::random(&config(), 7);
    let model = Arc::new(Model::from_bytes(&file.to_bytes().unwrap()).unwrap());
    let tokens = tokens(400);
    let mut session = Session::new(&model, 1, 9).unwrap();
    session.keep_scores(true);
    let mut leaves = Leaves::new(&model).unwrap();
    let expected = forward(&file, &tokens);
    let mut divergence = 0.0;
    for (piece, expected) in tokens.chunks(9).zip(expected.chunks(9)) {
        session.prefill(0, piece).unwrap();
        let predictions = session.predictions();
        for (row, [groups, tokens]) in expected.iter().enumerate() {
            let scores = floats(session.scores(row));
            divergence += compare(groups, &scores, predictions.groups(row));
            let mut all = Vec::new();
            for group in 0..model.group_starts().len() {
                let scores = floats(leaves.scores(predictions, row, group));
                let weights = leaves.weights(predictions, row, group);
                check_weights(&scores, weights);
                all.extend(scores);
            }
            check_scores(&bits(tokens), &all);
        }
    }
    let mean = divergence / tokens.len() as f64;
    println!("mean divergence {mean} bits");
    assert!(mean < 0.02, "mean divergence {mean} bits per token");
}

fn floats(scores: &[f32]) -> Vec<f64> {
    scores.iter().map(|&score| f64::from(score)).collect()
}

fn bits(logits: &[f64]) -> Vec<f64> {
    let in_bits = |logit| logit * std::f64::consts::LOG2_E;
    logits.iter().map(in_bits).collect()
}

fn check_scores(expected: &[f64], scores: &[f64]) {
    assert_eq!(expected.len(), scores.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let size = norm(&mut expected.iter().copied());
    let error = norm(&mut expected.iter().zip(scores).map(|(e, s)| e - s));
    assert!(error < 0.1 * size, "error {error} of {size}");
}

fn check_weights(scores: &[f64], weights: &[u32]) {
    assert_eq!(scores.len(), weights.len());
    let log_sum = log_sum(scores);
    let sum: f64 = weights.iter().map(|&w| f64::from(w)).sum();
    for (&weight, score) in weights.iter().zip(scores) {
        let probability = (score - log_sum).exp2();
        assert!((f64::from(weight) / sum - probability).abs() < 1e-6 * probability + 4e-9);
    }
}

/// The divergence of what the runtime foretells from what the mathematics does, in bits.
fn compare(logits: &[f64], scores: &[f64], weights: &[u32]) -> f64 {
    let expected = bits(logits);
    check_scores(&expected, scores);
    check_weights(scores, weights);
    let (p, q) = (log_sum(&expected), log_sum(scores));
    (expected.iter().zip(scores))
        .map(|(e, s)| (e - p).exp2() * (e - p - s + q))
        .sum()
}
