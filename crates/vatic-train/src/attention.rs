//! Causal attention over a sliding window, in blocks.

use burn::tensor::{Tensor, activation::softmax};

use crate::config::HEAD_DIM;

/// What is added to the score of a position out of sight: its exponential is zero, and unlike an infinity it cannot
/// turn into no number on the way back.
const OUT_OF_SIGHT: f32 = -1e9;

/// Softmax attention of `q` [batch, heads, time, 64] over the last `window` positions of `k` and `v`
/// [batch, kv heads, time, 64]. Query head h reads kv head h · kv heads / heads (Ainslie et al., GQA, 2023).
///
/// Where the window divides the time, queries are cut into blocks of a window's length, each of which sees its own
/// block of keys and the one before (Beltagy et al., Longformer, 2020): time × 2 windows of work instead of time².
pub(crate) fn attend(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, window: usize) -> Tensor<4> {
    let [batch, heads, time, dim] = q.dims();
    let kv_heads = k.dims()[1];
    let (pairs, group) = (batch * kv_heads, heads / kv_heads);
    let blocks = if window < time && time.is_multiple_of(window) {
        time / window
    } else {
        1
    };
    let length = time / blocks;
    // The query heads that share a kv head stand below each other, so that one product serves them all.
    let q = q
        .reshape([pairs, group, blocks, length, dim])
        .swap_dims(1, 2)
        .reshape([pairs, blocks, group * length, dim]);
    let seen = |t: Tensor<4>| {
        let t = t.reshape([pairs, blocks, length, dim]);
        if blocks == 1 {
            return t;
        }
        let nothing = Tensor::zeros([pairs, 1, length, dim], &t.device());
        let before = Tensor::cat(vec![nothing, t.clone().narrow(1, 0, blocks - 1)], 1);
        Tensor::cat(vec![before, t], 2)
    };
    let (k, v) = (seen(k), seen(v));
    let hidden = out_of_sight(blocks, group, length, window);
    let keys = k.dims()[2];
    let bias = Tensor::<1>::from_floats(hidden.as_slice(), &q.device()).reshape([
        1,
        blocks,
        group * length,
        keys,
    ]);
    let scores = q
        .mul_scalar(1.0 / (HEAD_DIM as f32).sqrt())
        .matmul(k.swap_dims(2, 3))
        + bias;
    let attended = softmax(scores, 3).matmul(v);
    attended
        .reshape([pairs, blocks, group, length, dim])
        .swap_dims(1, 2)
        .reshape([batch, heads, time, dim])
}

/// For each block, query and key: 0 where the query sees the key, else [`OUT_OF_SIGHT`].
fn out_of_sight(blocks: usize, group: usize, length: usize, window: usize) -> Vec<f32> {
    let lead = if blocks == 1 { 0 } else { length };
    let mut bias = Vec::with_capacity(blocks * group * length * (length + lead));
    for block in 0..blocks {
        for _ in 0..group {
            for query in 0..length {
                bias.extend((0..length + lead).map(|key| {
                    // The first block has nothing before it.
                    let exists = block > 0 || key >= lead;
                    let distance = (query + lead).checked_sub(key);
                    let sees = exists && distance.is_some_and(|distance| distance < window);
                    if sees { 0.0 } else { OUT_OF_SIGHT }
                }));
            }
        }
    }
    bias
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_see_what_the_whole_sees() {
        // Every visible (query, key) pair of the blocked form, as absolute positions, against the definition.
        for (time, window) in [(12, 4), (12, 5), (12, 12), (12, 20), (12, 1)] {
            let blocks = if window < time && time % window == 0 {
                time / window
            } else {
                1
            };
            let length = time / blocks;
            let lead = if blocks == 1 { 0 } else { length };
            let bias = out_of_sight(blocks, 1, length, window);
            let mut seen = Vec::new();
            for (i, _) in bias.iter().enumerate().filter(|(_, bias)| **bias == 0.0) {
                let (row, key) = (i / (length + lead), i % (length + lead));
                let block = row / length;
                seen.push((row, block * length + key - lead));
            }
            let all = (0..time)
                .flat_map(|q| (0..=q).filter(move |k| q - k < window).map(move |k| (q, k)));
            assert_eq!(
                seen,
                all.collect::<Vec<_>>(),
                "time {time}, window {window}"
            );
        }
    }
}
