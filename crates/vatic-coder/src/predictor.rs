//! Experts, mixer and maps at work on one token: everything that is learnt, and how it predicts a decision.

mod fresh;

use crate::adaptive::Adaptive;
use crate::contexts::{self, Memory, RUN_CONTEXTS, TOKEN_CONTEXTS};
use crate::head::Head;
use crate::histories::Histories;
use crate::history::{Recent, Tokens};
use crate::layout::{CORRECTION, Layout};
use crate::leaps::Leaps;
use crate::learnt::Sizes;
use crate::logistic::{beyond, cost, log_odds, squash};
use crate::matching::{Matcher, Prediction};
use crate::mixer::{LANES, MAX_INPUT};
use crate::mixing::{Mixing, Situation};
use crate::runs::Runs;
use crate::table::{LEVELS, combine};
use crate::thorough::{self, Outline};
use crate::{MAX_DEPTH, Source};

/// Depth below which each node of the tree has a vector of weights.
const PATH: usize = 10;
/// The same of a vocabulary of single bytes, whose tree has no more levels as a rule.
const BYTE_PATH: usize = 8;
/// Upper bits of a hash that choose a vector of weights.
const HASHED: u32 = 11;
// Sets of weights, by number. (The first is by node; the second by match where there are tokens.)
const BY_PLACE: usize = 1;
const BY_KINDS: usize = 2;
const BY_LAST: usize = 3;
/// Depth from which on the kinds of the last bytes choose another vector.
const DEEP: usize = 4;

/// Which parts are on.
#[derive(Debug, Clone, Copy)]
struct Switches {
    order0: bool,
    long: bool,
    short: bool,
    runs: bool,
    sharp: bool,
    distances: bool,
    leaps: bool,
    scans: bool,
}

/// The decision at hand.
#[derive(Debug, Clone, Copy)]
pub struct Node {
    /// First id of the interval.
    pub lo: usize,
    /// Split point, and the node's name.
    pub mid: u16,
    /// End of the interval.
    pub hi: usize,
    /// Decisions made before.
    pub depth: usize,
    /// Sums of the transformer's weights left and right; both 0 without it.
    pub left: u32,
    /// See `left`.
    pub right: u32,
    /// Names of the nodes below, 0 where there is a leaf.
    pub children: [u16; 2],
}

/// What a stream keeps for itself.
#[derive(Debug, Clone)]
pub struct Stream<const C: usize> {
    recent: Recent,
    memory: Memory,
    outline: Outline,
    /// Contexts of the next token, if they are known already.
    ahead: Option<Ahead<C>>,
}

/// The contexts of a token.
#[derive(Debug, Clone, Copy)]
struct Ahead<const C: usize> {
    /// Hashes for the long and the short match.
    matches: [Option<u32>; 2],
    histories: [u32; C],
    runs: [u32; RUN_CONTEXTS.len()],
    /// Vectors of weights chosen by the kinds of the last bytes, near the root and below.
    kinds: [usize; 2],
    /// The vector chosen by the last two tokens.
    pair: usize,
    /// Where in a line or a record the byte stands.
    place: usize,
    /// Whether the byte is one of a scan, and whether its first bits need other histories than those before.
    scan: bool,
    fresh: bool,
}

/// A context told from the others by its number.
#[inline(always)]
fn numbered(context: u32, number: usize) -> u32 {
    context.wrapping_add((number as u32).wrapping_mul(0x9E37_79B1))
}

/// All that is learnt in a frame: with up to `C` contexts, `V` vectors of inputs and `S` sets of weights.
#[derive(Debug, Clone)]
pub struct Predictor<const C: usize, const V: usize, const S: usize> {
    on: Switches,
    pub(crate) sizes: Sizes,
    bytes: bool,
    names: Vec<&'static str>,
    layout: Layout,
    pub(crate) streams: Vec<Stream<C>>,
    /// The last list is what a prior brought.
    pub(crate) tokens: Tokens,
    /// Contexts in use, as indices into the mode's list.
    active: Vec<usize>,
    run_active: Vec<usize>,
    pub(crate) histories: Histories<C>,
    pub(crate) order0: Vec<Adaptive>,
    pub(crate) long: Matcher,
    pub(crate) short: Matcher,
    pub(crate) runs: Runs,
    pub(crate) head: Head,
    pub(crate) leaps: Leaps,
    pub(crate) mixing: Mixing<V, S>,
    // Of the token at hand:
    contexts: [u32; C],
    local: usize,
    /// Vectors of weights chosen by the kinds of the last bytes, near the root and below.
    kinds: [usize; 2],
    /// The vector chosen by the last two tokens.
    pair: usize,
    /// Where in a line or a record the byte stands.
    place: usize,
    /// Whether the byte is one of a scan, of the only stream.
    scan: bool,
    /// The decisions so far, below a leading one.
    path: usize,
    // Of the decision at hand:
    inputs: [[i32; LANES]; V],
    /// What each source alone says of it, if accounts are kept: inputs say it beside the transformer.
    alone: [[i32; LANES]; V],
    /// What each source alone would have paid.
    costs: Option<Vec<u64>>,
}

/// The one for tokens with few experts, for speed.
pub type Light = Predictor<8, 3, USUAL_SETS>;
/// The usual one, of tokens and of single bytes.
pub type Usual = Predictor<16, 4, USUAL_SETS>;
/// The one for thorough work on single bytes.
pub type Thorough = Predictor<32, 9, 8>;

/// Sets of weights of the usual one.
const USUAL_SETS: usize = 4;

impl<const C: usize, const V: usize, const S: usize> Predictor<C, V, S> {
    /// Whether it is for thorough work.
    const THOROUGH: bool = S > USUAL_SETS;
    /// The weight with which each expert starts where there is no transformer.
    const ALONE: i32 = if Self::THOROUGH { 4000 } else { 10_000 };

    /// What each source alone would have paid.
    pub fn sources(&self) -> Vec<Source> {
        let costs = self.costs.iter().flatten();
        let named = self
            .names
            .iter()
            .zip(costs)
            .filter(|(name, _)| !name.is_empty());
        named.map(|(&name, &cost)| Source { name, cost }).collect()
    }

    /// Sizes of its tables.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Computes the contexts of the next token of a stream and has what is known of them brought into the cache.
    #[inline(always)]
    fn look_ahead(&self, stream: usize, root: u16) -> Ahead<C> {
        let hash = |on: bool, matcher: &Matcher| {
            let hash = on.then(|| matcher.hash(&self.tokens, stream)).flatten();
            matcher.prefetch(hash);
            hash
        };
        let matches = [
            hash(self.on.long, &self.long),
            hash(self.on.short, &self.short),
        ];
        let Stream {
            recent,
            memory,
            outline,
            ..
        } = &self.streams[stream];
        let (mut histories, mut of_tokens) = ([0; C], [0; TOKEN_CONTEXTS.len()]);
        let (scan, fresh) = (memory.jpeg.is_scan(), memory.jpeg.is_fresh());
        if scan {
            if fresh {
                memory.jpeg.contexts(&mut histories);
            }
        } else if self.bytes {
            contexts::of_bytes(&mut histories, recent, memory);
            if Self::THOROUGH {
                thorough::contexts(&mut histories, recent, memory, outline);
            }
            if memory.image.row() > 0 {
                let slots = if Self::THOROUGH {
                    &thorough::OF_TEXT[..]
                } else {
                    &contexts::OF_TEXT[..]
                };
                memory.image.contexts(recent, slots, &mut histories);
            }
        } else {
            contexts::of_tokens(&mut of_tokens, &self.tokens, stream, recent, memory);
        }
        let upper = |hash: u32| (hash >> (32 - HASHED)) as usize;
        let kinds = [0, 1].map(|below| upper(combine(700 + below, recent.kinds & 0xFFFF)));
        // The first context of tokens is that of the last two.
        let pair = upper(of_tokens[0]);
        self.mixing.prefetch(BY_KINDS, kinds[0]);
        self.mixing.prefetch(BY_KINDS, kinds[1]);
        let place = match self.bytes {
            true if memory.image.row() > 0 => memory.image.place(recent),
            true => recent.place(),
            false => 0,
        };
        if self.bytes {
            self.mixing.prefetch(BY_PLACE, place * 8);
        } else {
            self.mixing.prefetch(BY_LAST, pair);
        }
        // Those in use move to the front; each is told from the others by its place.
        for (k, &index) in self.active.iter().enumerate() {
            let context = if self.bytes {
                histories[index]
            } else {
                of_tokens[index]
            };
            histories[k] = numbered(context, index);
        }
        if !scan {
            self.histories.prefetch(&histories, root);
        } else if fresh {
            self.histories.prefetch(&histories, memory.jpeg.node());
        }
        let mut runs = [0; RUN_CONTEXTS.len()];
        if self.on.runs {
            contexts::of_runs(&mut runs, &self.tokens, stream);
            for &n in &self.run_active {
                self.runs.prefetch(runs[n]);
            }
        }
        Ahead {
            matches,
            histories,
            runs,
            kinds,
            pair,
            place,
            scan,
            fresh,
        }
    }

    /// Makes ready for the next token of a stream, from the root of the tree. If the transformer takes part, `state` is its hidden
    /// state (empty if that is not known).
    #[inline(always)]
    pub fn begin(&mut self, stream: usize, root: u16, state: Option<&[i8]>) {
        self.head.begin(state.unwrap_or_default());
        self.head.prefetch(root);
        if state.is_some() && self.mixing.is_fresh() {
            self.mixing
                .set_weights(&self.layout.initial_weights(true, Self::ALONE));
        }
        let ahead = match self.streams[stream].ahead.take() {
            Some(ahead) => ahead,
            None => self.look_ahead(stream, root),
        };
        self.scan = ahead.scan;
        let mut first = root;
        if ahead.scan {
            let jpeg = &mut self.streams[stream].memory.jpeg;
            first = jpeg.node();
            if ahead.fresh {
                jpeg.fetched();
            }
        }
        if !ahead.scan || ahead.fresh {
            self.contexts = ahead.histories;
        }
        // Whatever reads large tables does so first and uses it last: cache misses overlap.
        let long = self.long.look(ahead.matches[0]);
        let short = self.short.look(ahead.matches[1]);
        self.long.prefetch_candidate(&self.tokens, long);
        self.short.prefetch_candidate(&self.tokens, short);
        if !ahead.scan || ahead.fresh {
            self.histories.fetch(&self.contexts, first);
            self.local = 1;
        }
        for &n in &self.run_active {
            self.runs.find(n, ahead.runs[n]);
        }
        let len = self.tokens.len(stream);
        let last = len
            .checked_sub(1)
            .and_then(|at| self.tokens.get(stream, at));
        if let Some(last) = last {
            if self.on.long {
                self.long.advance(&self.tokens, stream, last, long);
            }
            if self.on.short {
                self.short.advance(&self.tokens, stream, last, short);
            }
        }
        (self.kinds, self.pair, self.place) = (ahead.kinds, ahead.pair, ahead.place);
        self.path = 1;
    }

    /// Within a byte of a scan: fetches other histories if the next bit needs such.
    #[inline(always)]
    fn refresh(&mut self, stream: usize) {
        let jpeg = &mut self.streams[stream].memory.jpeg;
        if !jpeg.is_fresh() {
            return;
        }
        let mut contexts = [0; C];
        jpeg.contexts(&mut contexts);
        for (k, &index) in self.active.iter().enumerate() {
            self.contexts[k] = numbered(contexts[index], index);
        }
        let node = jpeg.node();
        jpeg.fetched();
        self.histories.store();
        self.histories.fetch(&self.contexts, node);
        self.local = 1;
    }

    /// The probability (16 bits) of "right" at a node.
    #[inline(always)]
    pub fn predict(&mut self, stream: usize, node: &Node) -> u16 {
        if self.scan {
            if node.depth > 0 {
                self.refresh(stream);
            }
        } else if node.depth > 0 && node.depth.is_multiple_of(LEVELS) {
            self.histories.store();
            self.histories.fetch(&self.contexts, node.mid);
            self.local = 1;
        }
        let layout = self.layout;
        let known = node.left | node.right != 0;
        let foretold = if known {
            log_odds(node.right, node.left)
        } else {
            0
        };
        let (mut odds, mut distances) = ([0; C], [0; C]);
        self.histories
            .predict(self.local, foretold, &mut odds, &mut distances);
        // What says nothing is no opinion, and moves nothing.
        let beyond = |odds: i32| match odds {
            0 => 0,
            _ => beyond(odds, foretold),
        };
        let inputs = self.inputs.as_flattened_mut();
        // Whole arrays are copied, of which unused contexts at the end are overwritten by what comes next.
        inputs[..C].copy_from_slice(&odds);
        if self.on.distances {
            inputs[layout.distances..layout.distances + C].copy_from_slice(&distances);
        }
        let mut runs = [0; RUN_CONTEXTS.len()];
        for (n, &run) in self.run_active.iter().enumerate() {
            runs[n] = self
                .runs
                .predict(run, node.lo, node.mid, node.hi, node.depth);
            inputs[layout.runs + n] = beyond(runs[n]);
        }
        inputs[layout.plain] = if self.on.order0 {
            self.order0[usize::from(node.mid)].stretched()
        } else {
            0
        };
        let follow = |on: bool, matcher: &mut Matcher| {
            if on {
                matcher.predict(stream, node.lo, node.mid, node.hi, node.depth)
            } else {
                Prediction::default()
            }
        };
        let long = follow(self.on.long, &mut self.long);
        let short = follow(self.on.short, &mut self.short);
        inputs[layout.plain + 1] = beyond(long.stretched);
        inputs[layout.plain + 2] = beyond(short.stretched);
        let depth = node.depth.min(MAX_DEPTH - 1);
        if !self.bytes {
            let inputs = &mut inputs[layout.foretold..layout.constant];
            inputs[0] = foretold;
            if known {
                if self.on.sharp {
                    inputs[1] = (i32::from(squash(foretold)) - 32768) >> 5;
                }
                // In larger units than others, so that its weights learn faster.
                let correction = self.head.predict(node.mid, foretold);
                inputs[CORRECTION] = (3 * correction).clamp(-MAX_INPUT, MAX_INPUT);
            } else {
                inputs[1..=CORRECTION].fill(0);
            }
        }
        inputs[layout.constant] = 256;
        if self.costs.is_some() {
            self.alone = self.inputs;
            let alone = self.alone.as_flattened_mut();
            for (context, odds) in alone[..layout.distances].iter_mut().enumerate() {
                *odds = self.histories.alone(context);
            }
            alone[layout.runs..layout.plain].copy_from_slice(&runs[..layout.plain - layout.runs]);
            alone[layout.plain + 1..layout.foretold]
                .copy_from_slice(&[long.stretched, short.stretched]);
        }
        let recent = &self.streams[stream].recent;
        let last = recent.last as u32;
        let known_contexts = self.histories.found;
        let order = known_contexts * 4 / (self.active.len() + 1);
        let level = depth.min(7);
        let mut sets = [0; S];
        sets[..USUAL_SETS].copy_from_slice(&[
            if depth < if self.bytes { BYTE_PATH } else { PATH } {
                self.path
            } else if self.bytes {
                0
            } else {
                (1 << PATH) + depth * 4 + order
            },
            match long.length {
                _ if self.bytes => self.place * 8 + level,
                0 => usize::from(short.length > 0),
                length => 2 + length / 4,
            },
            self.kinds[usize::from(depth >= DEEP)],
            if self.bytes {
                (last & 0xFF) as usize * 8 + level
            } else {
                self.pair
            },
        ]);
        if Self::THOROUGH {
            let Stream { recent, memory, .. } = &self.streams[stream];
            sets[USUAL_SETS..].copy_from_slice(&thorough::sets(
                recent,
                memory.stride,
                level,
                [long.length, short.length],
                order,
            ));
        }
        let scan = self
            .scan
            .then(|| self.streams[stream].memory.jpeg.situation());
        if let Some((all, ..)) = scan {
            sets.copy_from_slice(&all[..S]);
        }
        let at = Situation {
            sets,
            last: if let Some((_, last, _)) = scan {
                last
            } else if self.bytes {
                short.length * 8 + order
            } else {
                long.length
            },
            hash: match scan {
                Some((.., hash)) => hash,
                None => combine(
                    u32::from(node.mid),
                    if self.bytes {
                        recent.kinds & 0xFFFF
                    } else {
                        last & 0xFF
                    },
                ),
            },
        };
        let probability = self.mixing.mix(&self.inputs, &at);
        // What the next levels need, most likely.
        let child = node.children[usize::from(probability >> 15)];
        if child != 0 {
            self.head.prefetch(child);
            if (node.depth + 1).is_multiple_of(LEVELS) && !self.scan {
                self.histories.prefetch(&self.contexts, child);
            }
        }
        probability
    }

    /// Learns a decision.
    #[inline(always)]
    pub fn update(&mut self, node: &Node, bit: bool) {
        if let Some(costs) = &mut self.costs {
            for (paid, &odds) in costs.iter_mut().zip(self.alone.as_flattened()) {
                *paid += u64::from(cost(squash(odds), bit));
            }
        }
        self.mixing.update(&self.inputs, bit);
        self.histories.update(self.local, bit);
        for &n in &self.run_active {
            self.runs.update_bit(n, bit);
        }
        if self.on.order0 {
            self.order0[usize::from(node.mid)].update(bit, 255);
        }
        if self.on.long {
            self.long.update(bit);
        }
        if self.on.short {
            self.short.update(bit);
        }
        if node.left | node.right != 0 {
            self.head.update(bit);
        }
        self.local = self.local << 1 | usize::from(bit);
        if self.scan && node.children[usize::from(bit)] != 0 {
            self.streams[0].memory.jpeg.bit(bit);
        }
        self.path = self.path << 1 | usize::from(bit);
    }

    /// The bytes that the long match foretells, if it is so long that they may be coded at one decision, and its
    /// probability (16 bits); not more than `left`.
    #[inline(always)]
    pub fn foretell(&mut self, stream: usize, left: usize, out: &mut Vec<u8>) -> Option<u16> {
        if !self.on.leaps {
            return None;
        }
        let last = self
            .tokens
            .get(stream, self.tokens.len(stream).checked_sub(1)?)?;
        let (other, at, length) = self.long.held(stream, last).unwrap_or_default();
        let (count, probability) = self.leaps.next(length, left)?;
        let start = out.len();
        // A match may reach into what it foretells: zeros match the zeros one byte before.
        let here = self.tokens.len(stream);
        for at in at..at + count {
            let byte = match self.tokens.get(other, at) {
                Some(byte) => byte as u8,
                None if other == stream => out[start + at - here],
                None => {
                    out.truncate(start);
                    return None;
                }
            };
            out.push(byte);
        }
        Some(probability)
    }

    /// Learns whether the `bytes` that were foretold came, and takes them as coded if so.
    pub fn leap(&mut self, stream: usize, bytes: &[u8], right: bool) {
        self.leaps.update(bytes.len(), right);
        let last = self.tokens.len(stream).checked_sub(1);
        let last = last.and_then(|at| self.tokens.get(stream, at));
        let (true, Some(last), Some(&end)) = (right, last, bytes.last()) else {
            return;
        };
        if let Some(held) = self.long.held(stream, last) {
            self.long.follow(stream, held, bytes.len(), end.into());
            self.short.follow(stream, held, bytes.len(), end.into());
        }
        let Stream {
            recent,
            memory,
            outline,
            ahead,
        } = &mut self.streams[stream];
        *ahead = None;
        let mut before = last;
        for &byte in bytes {
            memory.follow(before, byte.into());
            before = byte.into();
            self.tokens.push(stream, before);
            recent.push(byte);
            memory.vote(recent, byte);
            if self.on.scans {
                memory.jpeg.skip(recent);
            }
            if Self::THOROUGH {
                outline.push(byte);
            }
        }
        memory.image.leap(recent);
    }

    /// Takes the token that the decisions led to as coded; `root`: of the tree. To be called before the last decision is learnt: what the
    /// next token needs is asked for, and arrives meanwhile or while other streams have their turn.
    #[inline(always)]
    pub fn advance(&mut self, stream: usize, token: u16, bytes: &[u8], root: u16) {
        let Stream {
            recent,
            memory,
            outline,
            ..
        } = &mut self.streams[stream];
        let before = self.tokens.len(stream).checked_sub(1);
        if let Some(before) = before.and_then(|at| self.tokens.get(stream, at)) {
            memory.follow(before, token);
        }
        self.tokens.push(stream, token);
        for &byte in bytes {
            recent.push(byte);
            if self.bytes {
                memory.vote(recent, byte);
                memory.image.push(recent);
                if self.on.scans {
                    if memory.jpeg.is_scan() {
                        memory.jpeg.bit(byte & 1 > 0);
                    }
                    memory.jpeg.byte(recent);
                }
            }
            if Self::THOROUGH {
                outline.push(byte);
            }
        }
        self.streams[stream].ahead = Some(self.look_ahead(stream, root));
    }

    /// Learns the token that the decisions led to.
    #[inline(always)]
    pub fn end(&mut self, token: u16, root: u16) {
        if root != 0 {
            self.histories.store();
        }
        for &n in &self.run_active {
            self.runs.update_token(n, token);
        }
    }
}
