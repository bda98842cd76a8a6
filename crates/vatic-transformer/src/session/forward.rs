//! A call's way from tokens to predictions.

use super::{Buffers, Session, write};
use crate::attention::{ROWS, View};
use crate::cache::HEAD;
use crate::kernels::{Activations, Kernel};
use crate::mode::DefaultMode;
use crate::numerics::{LOG2_E, Quantised};
use crate::packed::PANEL;
use crate::team::Member;
use crate::watch::Part;
use crate::{Error, Packed, Predictions};

impl Session {
    /// Computes the rows that have been placed.
    pub(super) fn layers(&mut self, predictions: &mut Predictions) -> Result<(), Error> {
        if self.buffers.places.is_empty() {
            return Ok(());
        }
        predictions.resize(self.buffers.own.len(), &self.model);
        let _mode = DefaultMode::enter();
        self.embed();
        for layer in 0..self.caches.len() {
            self.attention(layer)?;
            self.mlp(layer)?;
        }
        self.head(predictions)
    }

    fn embed(&mut self) {
        let Buffers {
            places,
            own,
            x,
            e,
            cos,
            sin,
            ..
        } = &mut self.buffers;
        let width = self.model.config.width;
        let half = self.model.config.rope_dims / 2;
        for (n, &(_, position, token)) in places.iter().enumerate() {
            let at = n * half..(n + 1) * half;
            self.model
                .rope(position, &mut cos[at.clone()], &mut sin[at]);
            if own.contains(&n) {
                let at = (n - own.start) * width..(n - own.start + 1) * width;
                let x = &mut x[at.clone()];
                self.model.embed.row(usize::from(token), x);
                self.kernel.normalise(x);
                e[at].copy_from_slice(x);
            }
        }
    }

    fn attention(&mut self, number: usize) -> Result<(), Error> {
        let Buffers {
            places,
            own,
            by_stream,
            x,
            e,
            qkv,
            part,
            attended,
            cos,
            sin,
            levels,
            rows,
            key,
            value,
            queries,
            query_scales,
            results,
            attention,
            ..
        } = &mut self.buffers;
        let (kernel, config, far) = (self.kernel, &self.model.config, self.far);
        let (heads, groups, width) = (config.heads, config.kv_heads, config.width);
        let half = config.rope_dims / 2;
        let layer = &self.model.layers[number];
        let group = heads / groups;
        let mut team = (self.team.as_mut()).filter(|member| member.together());
        // Those of the key heads whose attention is computed here.
        let own_heads = (team.as_ref()).map_or(0..groups, |member| member.heads(groups));
        let caches = &self.caches[number][own_heads.clone()];
        let mut caches: Vec<_> = caches.iter().map(write).collect();
        let rows = &mut rows[..own.len()];
        for (n, row) in rows.iter_mut().enumerate() {
            let x = &mut x[n * width..][..width];
            kernel.mix(x, &e[n * width..][..width], layer.mix);
            *row = kernel.norm_quantise(x, &mut levels[n * width..][..width]);
        }
        let stride = config.qkv_rows();
        if team.is_some() {
            let x = activations(levels, rows, &layer.qkv);
            // Queries, keys and values.
            for (before, each) in [(0, group), (heads, 1), (heads + groups, 1)] {
                let at = |head: usize| (before + head * each) * HEAD;
                let columns = at(own_heads.start)..at(own_heads.end);
                if columns.is_empty() {
                    continue;
                }
                let part = &mut part[..rows.len() * columns.len()];
                let panels = columns.start / PANEL..columns.end / PANEL;
                kernel.linear(&x, &layer.qkv, panels, part, false);
                let part = part.chunks_exact(columns.len());
                for (row, part) in qkv.chunks_exact_mut(stride).zip(part) {
                    row[columns.clone()].copy_from_slice(part);
                }
            }
        } else {
            linear(kernel, &mut None, levels, rows, &layer.qkv, qkv, false)?;
        }
        let rope = |n: usize| (&cos[n * half..][..half], &sin[n * half..][..half]);
        let mut keep = |n: usize, keys_values: &mut [f32]| {
            let (stream, position, _) = places[n];
            let (keys, values) = keys_values.split_at_mut(groups * HEAD);
            for (head, cache) in own_heads.clone().zip(&mut caches) {
                let at = head * HEAD..(head + 1) * HEAD;
                let key_scale = kernel.rotate_quantise(&mut keys[at.clone()], rope(n), 1.0, key);
                let value_scale = kernel.quantise(&values[at], value).scale;
                cache.put(stream, position, (key, key_scale), (value, value_scale));
            }
        };
        if let Some(member) = &mut self.split {
            let given = qkv.chunks_exact(stride).take(own.len());
            member.exchange(places.len(), given.map(|row| &row[heads * HEAD..]), keep)?;
        } else {
            for (n, row) in qkv.chunks_exact_mut(stride).take(own.len()).enumerate() {
                keep(n, &mut row[heads * HEAD..]);
            }
        }
        let own_places = &places[own.clone()];
        let stream_of = |row: u32| own_places[row as usize].0;
        let streams = by_stream.chunk_by(|&a, &b| stream_of(a) == stream_of(b));
        let mut parts = streams.flat_map(|rows| rows.chunks(ROWS)).peekable();
        while let Some(rows) = parts.next() {
            let view = |rows: &[u32], head: usize| {
                let (stream, position, _) = own_places[rows[0] as usize];
                let cache = &caches[head - own_heads.start];
                View::new(cache.ring_of(stream), cache.window, position, rows.len())
            };
            let next = parts.peek().copied();
            for head in own_heads.clone() {
                let at = head * group;
                for (r, &n) in rows.iter().enumerate() {
                    let n = n as usize;
                    let rope = rope(own.start + n);
                    let from = qkv[n * stride + at * HEAD..][..group * HEAD].chunks_exact_mut(HEAD);
                    let to = queries[r * group * HEAD..].chunks_exact_mut(HEAD);
                    for (i, (q, to)) in from.zip(to).enumerate() {
                        query_scales[r * group + i] =
                            kernel.rotate_quantise(q, rope, layer.gain[at + i], to);
                    }
                }
                // Single rows are those of many streams, whose pasts together are more than the nearest caches hold.
                let next = if head + 1 < own_heads.end {
                    Some(view(rows, head + 1))
                } else {
                    next.map(|rows| view(rows, own_heads.start))
                };
                let view = view(rows, head);
                let view = match next.filter(|_| far && rows.len() == 1) {
                    Some(next) => view.fetching(&next),
                    None => view,
                };
                let queries = &queries[..rows.len() * group * HEAD];
                let results = &mut results[..queries.len()];
                kernel.attend(queries, query_scales, &view, attention, results);
                for (&n, result) in rows.iter().zip(results.chunks_exact(group * HEAD)) {
                    attended[(n as usize * heads + at) * HEAD..][..group * HEAD]
                        .copy_from_slice(result);
                }
                if let Some(watch) = &mut self.watch {
                    for (i, query) in queries.chunks_exact(HEAD).enumerate() {
                        let (row, head) = (i / group, at + i % group);
                        watch.add(number, head, query, query_scales[i], &view, row);
                    }
                }
            }
        }
        drop(caches);
        if let Some(member) = &mut team {
            let attended = &mut attended[..rows.len() * heads * HEAD];
            let each = group * HEAD;
            let own = own_heads.start * each..own_heads.end * each;
            member.give(|seat| {
                seat.clear();
                for row in attended.chunks_exact(heads * HEAD) {
                    seat.extend_from_slice(&row[own.clone()]);
                }
            })?;
            member.take(groups, each, attended, false);
        }
        for (n, row) in rows.iter_mut().enumerate() {
            let at = n * heads * HEAD..(n + 1) * heads * HEAD;
            *row = kernel.quantise(&attended[at.clone()], &mut levels[at]);
        }
        if let Some(Part::Head { layer, head }) = self.left_out
            && layer == number
        {
            silence(head, heads, levels, rows);
        }
        linear(kernel, &mut self.team, levels, rows, &layer.out, x, true)
    }

    fn mlp(&mut self, layer: usize) -> Result<(), Error> {
        if self.left_out == Some(Part::Mlp { layer }) {
            return Ok(());
        }
        let Buffers {
            own,
            x,
            hidden,
            levels,
            rows,
            ..
        } = &mut self.buffers;
        let (kernel, config) = (self.kernel, &self.model.config);
        let layer = &self.model.layers[layer];
        let rows = &mut rows[..own.len()];
        for (n, row) in rows.iter_mut().enumerate() {
            let at = n * config.width..(n + 1) * config.width;
            *row = kernel.norm_quantise(&x[at.clone()], &mut levels[at]);
        }
        let team = &mut self.team;
        linear(kernel, team, levels, rows, &layer.up, hidden, false)?;
        for (n, row) in rows.iter_mut().enumerate() {
            let at = n * config.hidden..(n + 1) * config.hidden;
            *row = kernel.relu2_quantise(&mut hidden[at.clone()], &mut levels[at]);
        }
        linear(kernel, team, levels, rows, &layer.down, x, true)
    }

    /// The weights of all groups after each row, and what those of the leaves are computed from.
    fn head(&mut self, predictions: &mut Predictions) -> Result<(), Error> {
        let (kernel, config) = (self.kernel, &self.model.config);
        let (width, groups) = (config.width, config.groups);
        let Predictions {
            weights,
            levels,
            rows,
            ..
        } = predictions;
        for (n, row) in rows.iter_mut().enumerate() {
            let at = n * width..(n + 1) * width;
            let x = &mut self.buffers.x[at.clone()];
            kernel.normalise(x);
            kernel.mix(x, &self.model.offset, [1.0, -1.0]);
            *row = kernel.quantise(x, &mut levels[at]);
            row.scale *= LOG2_E;
        }
        // Scores become weights where they lie: half the memory to pass through the caches.
        let scores: &mut [f32] = bytemuck::cast_slice_mut(weights);
        for scores in scores.chunks_exact_mut(groups) {
            scores.copy_from_slice(&self.model.head_bias);
        }
        let team = &mut self.team;
        linear(kernel, team, levels, rows, &self.model.head, scores, true)?;
        if !self.team.as_ref().is_none_or(Member::leads) {
            predictions.clear();
            return Ok(());
        }
        if self.keep_scores {
            self.buffers.scores[..scores.len()].copy_from_slice(scores);
        }
        for weights in weights.chunks_exact_mut(groups) {
            kernel.weights(weights, 0..groups);
        }
        Ok(())
    }
}

/// Sets one head of `heads` to zero in quantised rows.
fn silence(head: usize, heads: usize, levels: &mut [i8], rows: &mut [Quantised]) {
    for (levels, row) in levels.chunks_exact_mut(heads * HEAD).zip(rows) {
        for level in levels.iter_mut().skip(head * HEAD).take(HEAD) {
            row.sum -= i32::from(*level);
            *level = 0;
        }
    }
}

/// The first of `levels`, as many rows as `rows` has, as what is multiplied with a matrix.
fn activations<'a>(levels: &'a [i8], rows: &'a [Quantised], weights: &Packed) -> Activations<'a> {
    Activations {
        levels: &levels[..rows.len() * weights.inputs()],
        rows,
        length: weights.inputs(),
    }
}

/// The product of as many rows as `rows` has with a matrix.
fn linear(
    kernel: &dyn Kernel,
    team: &mut Option<Member>,
    levels: &[i8],
    rows: &[Quantised],
    weights: &Packed,
    out: &mut [f32],
    add: bool,
) -> Result<(), Error> {
    let x = activations(levels, rows, weights);
    let out = &mut out[..rows.len() * weights.padded_outputs()];
    match team {
        Some(member) if member.together() => member.product(kernel, &x, weights, out, add)?,
        _ if rows.is_empty() => {}
        _ => kernel.linear(&x, weights, 0..weights.panels(), out, add),
    }
    Ok(())
}
