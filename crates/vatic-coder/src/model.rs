//! One frame's predictor: everything that sender and receiver learn in step.

use crate::learner::Learner;
use crate::learnt::Sizes;
use crate::logistic::cost;
use crate::predictor::{Node, Predictor, Usual};
use crate::range::BinaryCoder;
use crate::{Decoder, Encoder, Error, Experts, Options, Tree, Vocabulary, Weights};
use std::sync::Arc;

/// The most streams that a frame may be cut into.
pub const MAX_STREAMS: usize = 1024;

/// What one source alone would have paid, and what was paid: see [`Model::report`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Name of the input.
    pub name: &'static str,
    /// Bits in units of 2^-16.
    pub cost: u64,
}

/// The accounts of a frame so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Tokens coded.
    pub tokens: u64,
    /// Bits paid for them, in units of 2^-16 bit.
    pub paid: u64,
    /// What each input alone would have paid; empty unless [`Options::report`] is set.
    pub sources: Vec<Source>,
}

/// The predictor of one frame. An encoder and a decoder that feed it the same tokens in the same order hold the same state.
///
/// All streams of a frame share it; each has its own history. The order of coding is the caller's and must be the same on
/// both sides: token `t` of stream 0, of stream 1, …, then token `t + 1`, streams that have ended left out.
#[derive(Debug, Clone)]
pub struct Model {
    tree: Arc<Tree>,
    vocabulary: Arc<Vocabulary>,
    /// None: the transformer's weights are coded as they are.
    learner: Option<Learner>,
    options: Options,
    tokens: u64,
    paid: u64,
    /// Room for what is foretold.
    foretold: Vec<u8>,
}

impl Model {
    /// A predictor that has seen nothing. `length` is the content length of the frame in bytes; tables are sized by it,
    /// so an encoder and its decoder must give the same.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if vocabulary and tree differ in size, [`Error::Streams`] unless `streams` is 1 to 1024.
    pub fn new(
        vocabulary: &Arc<Vocabulary>,
        tree: &Arc<Tree>,
        options: &Options,
        streams: usize,
        length: u64,
    ) -> Result<Model, Error> {
        if vocabulary.len() != tree.len() {
            return Err(Error::Mismatch {
                tokens: vocabulary.len(),
                leaves: tree.len(),
            });
        }
        if streams == 0 || streams > MAX_STREAMS {
            return Err(Error::Streams(streams));
        }
        let learner = (options.experts != Experts::NONE).then(|| {
            let sizes = Sizes::new(length, options.memory_log2, vocabulary.is_single_bytes());
            Learner::new(vocabulary, options, streams, length, &sizes)
        });
        Ok(Model {
            tree: tree.clone(),
            vocabulary: vocabulary.clone(),
            learner,
            options: options.clone(),
            tokens: 0,
            paid: 0,
            foretold: Vec::new(),
        })
    }

    /// Codes `token` of a stream. With `weights`, the transformer takes part (but not beside the experts of
    /// [`Vocabulary::bytes`]).
    ///
    /// # Panics
    /// If `stream` is not below the number of streams, `token` is not in the vocabulary, the groups of `weights` are those of another tree, or
    /// their hidden state has another width than the options say.
    pub fn encode(
        &mut self,
        stream: usize,
        weights: Option<Weights>,
        token: u16,
        out: &mut Encoder,
    ) {
        assert!(
            usize::from(token) < self.tree.len(),
            "token {token} is not in the vocabulary"
        );
        self.code(stream, weights, token, out);
    }

    /// Decodes the next token of a stream; `weights` as the encoder had them. Any input gives some token.
    ///
    /// # Panics
    /// If `stream` is not below the number of streams, or the groups of `weights` are those of another tree.
    pub fn decode(&mut self, stream: usize, weights: Option<Weights>, input: &mut Decoder) -> u16 {
        self.code(stream, weights, 0, input)
    }

    /// Codes many bytes at one decision, if the experts foretell that many: how many of `ahead`, what comes next in stream 0,
    /// have been coded; often 0. To be called before each byte of a vocabulary of single bytes, on both sides.
    pub fn encode_leap(&mut self, ahead: &[u8], out: &mut Encoder) -> usize {
        let mut foretold = std::mem::take(&mut self.foretold);
        foretold.clear();
        let right = self.leap(ahead.len(), &mut foretold, out, |foretold| {
            ahead.starts_with(foretold)
        });
        let count = if right { foretold.len() } else { 0 };
        self.foretold = foretold;
        count
    }

    /// Appends to `content` the bytes that [`encode_leap`](Self::encode_leap) coded; `left` is how many are to come in all.
    pub fn decode_leap(
        &mut self,
        left: usize,
        content: &mut Vec<u8>,
        input: &mut Decoder,
    ) -> usize {
        let start = content.len();
        let right = self.leap(left, content, input, |_| false);
        if !right {
            content.truncate(start);
        }
        content.len() - start
    }

    /// Appends what is foretold to `out` and codes whether it is right.
    #[inline(always)]
    fn leap<C: BinaryCoder>(
        &mut self,
        left: usize,
        out: &mut Vec<u8>,
        coder: &mut C,
        is_right: impl Fn(&[u8]) -> bool,
    ) -> bool {
        let start = out.len();
        let Some(learner) = &mut self.learner else {
            return false;
        };
        let Some(probability) = learner.foretell(left, out) else {
            return false;
        };
        let foretold = &out[start..];
        let right = coder.code(is_right(foretold), probability);
        self.paid += u64::from(cost(probability, right));
        if right {
            self.tokens += foretold.len() as u64;
        }
        learner.leap(foretold, right);
        right
    }

    #[inline]
    fn code<C: BinaryCoder>(
        &mut self,
        stream: usize,
        weights: Option<Weights>,
        token: u16,
        coder: &mut C,
    ) -> u16 {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
            && std::arch::is_x86_feature_detected!("lzcnt")
        {
            // SAFETY: the CPU has these features, as was just checked; the function needs nothing else.
            return unsafe { self.code_avx2(stream, weights, token, coder) };
        }
        self.code_portable(stream, weights, token, coder)
    }

    /// The same source compiled for wider vectors: integer arithmetic gives the same result.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
    fn code_avx2<C: BinaryCoder>(
        &mut self,
        stream: usize,
        weights: Option<Weights>,
        token: u16,
        coder: &mut C,
    ) -> u16 {
        self.code_portable(stream, weights, token, coder)
    }

    #[inline(always)]
    fn code_portable<C: BinaryCoder>(
        &mut self,
        stream: usize,
        mut weights: Option<Weights>,
        token: u16,
        coder: &mut C,
    ) -> u16 {
        assert!(
            (weights.as_ref()).is_none_or(|w| w.leaf_count() == self.tree.len()),
            "the groups of the weights are those of another tree"
        );
        if self.learner.is_some() && self.vocabulary.is_single_bytes() {
            weights = None;
        }
        let path = Path {
            tree: &self.tree,
            vocabulary: &self.vocabulary,
            paid: &mut self.paid,
        };
        self.tokens += 1;
        match &mut self.learner {
            None => path.walk(None::<&mut Usual>, stream, weights, token, coder),
            Some(Learner::Light(predictor)) => {
                path.walk(Some(predictor), stream, weights, token, coder)
            }
            Some(Learner::Usual(predictor)) => {
                path.walk(Some(predictor), stream, weights, token, coder)
            }
            Some(Learner::Thorough(predictor)) => {
                path.walk(Some(predictor), stream, weights, token, coder)
            }
        }
    }

    /// What was paid so far.
    pub fn report(&self) -> Report {
        Report {
            tokens: self.tokens,
            paid: self.paid,
            sources: (self.learner.as_ref()).map_or(Vec::new(), Learner::sources),
        }
    }

    /// The learnt state as bytes: a prior for other frames of the same vocabulary and the same experts. It holds what
    /// differs from the state of a model that has seen nothing, and the last 65,536 tokens for matches.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use vatic_coder::{Encoder, Model, Options, Tree, Vocabulary};
    /// let (vocabulary, tree) = (Arc::new(Vocabulary::bytes()), Arc::new(Tree::bytes()));
    /// let new = || Model::new(&vocabulary, &tree, &Options::default(), 1, 60);
    /// let code = |model: &mut Model| {
    ///     let mut encoder = Encoder::new();
    ///     for byte in r#"{"name":"Eilis","town":"Galway"}"#.bytes() {
    ///         model.encode(0, None, byte.into(), &mut encoder);
    ///     }
    ///     encoder.finish().len()
    /// };
    /// let mut teacher = new()?;
    /// let unprepared = code(&mut teacher);
    /// let mut pupil = new()?;
    /// pupil.load(&teacher.save())?;
    /// assert!(code(&mut pupil) * 3 < unprepared);
    /// # Ok::<(), vatic_coder::Error>(())
    /// ```
    pub fn save(&self) -> Vec<u8> {
        self.learner.as_ref().map_or(Vec::new(), |learner| {
            learner.save(&self.vocabulary, &self.options)
        })
    }

    /// Starts from a saved state instead of from nothing. To be called before the first token is coded; tables grow to
    /// the size of the saved ones if they are smaller. Any bytes are safe, but only a checksum, which is the caller's, tells
    /// whether they are the right ones.
    ///
    /// # Errors
    /// [`Error::Prior`] if the bytes are no saved state, one of another vocabulary, version or set of experts, or larger
    /// than the memory that [`Options::memory_log2`] allows. The model is unchanged then.
    pub fn load(&mut self, prior: &[u8]) -> Result<(), Error> {
        match &mut self.learner {
            Some(learner) => learner.load(prior, &self.vocabulary, &self.options),
            None if prior.is_empty() => Ok(()),
            None => Err(Error::Prior("the experts are switched off")),
        }
    }
}

/// The way through the tree to a token.
struct Path<'a> {
    tree: &'a Tree,
    vocabulary: &'a Vocabulary,
    paid: &'a mut u64,
}

impl Path<'_> {
    /// Codes the decisions that lead to `token`, or decodes those that lead to some token.
    #[inline(always)]
    fn walk<T: BinaryCoder, const C: usize, const V: usize, const S: usize>(
        self,
        mut predictor: Option<&mut Predictor<C, V, S>>,
        stream: usize,
        mut weights: Option<Weights>,
        token: u16,
        coder: &mut T,
    ) -> u16 {
        let mut node = Node {
            lo: 0,
            mid: self.tree.root(),
            hi: self.tree.len(),
            depth: 0,
            left: 0,
            right: 0,
            children: [0; 2],
        };
        let mut below_lo = 0;
        let mut below_hi = weights.as_ref().map_or(0, |w| w.below(node.hi));
        if let Some(predictor) = &mut predictor {
            let state = weights.as_ref().map(Weights::state);
            predictor.begin(stream, node.mid, state);
        }
        while node.mid != 0 {
            node.children = self.tree.children(node.mid);
            let mut below_mid = 0;
            if let Some(weights) = &mut weights {
                if weights.enter(node.lo, node.hi) {
                    (below_lo, below_hi) = (0, weights.below(node.hi));
                }
                below_mid = weights.below(usize::from(node.mid));
                node.left = below_mid.wrapping_sub(below_lo).max(1);
                node.right = below_hi.wrapping_sub(below_mid).max(1);
            }
            let probability = match &mut predictor {
                Some(predictor) => predictor.predict(stream, &node),
                None if weights.is_some() => {
                    let all = u64::from(node.left) + u64::from(node.right);
                    ((u64::from(node.right) << 16) / all).clamp(1, 65535) as u16
                }
                None => 1 << 15,
            };
            let bit = coder.code(token >= node.mid, probability);
            *self.paid += u64::from(cost(probability, bit));
            let next = node.children[usize::from(bit)];
            if let Some(predictor) = &mut predictor {
                if next == 0 {
                    let token = if bit { usize::from(node.mid) } else { node.lo } as u16;
                    let bytes = self.vocabulary.token(token);
                    predictor.advance(stream, token, bytes, self.tree.root());
                }
                predictor.update(&node, bit);
            }
            if bit {
                (node.lo, below_lo) = (usize::from(node.mid), below_mid);
            } else {
                (node.hi, below_hi) = (usize::from(node.mid), below_mid);
            }
            node.mid = next;
            node.depth += 1;
        }
        let token = node.lo as u16;
        if let Some(predictor) = &mut predictor {
            // Of a single leaf nothing was to be decided.
            if node.depth == 0 {
                predictor.advance(stream, token, self.vocabulary.token(token), node.mid);
            }
            predictor.end(token, self.tree.root());
        }
        token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictor::{Light, Usual};

    /// Which predictor is taken is a matter of speed.
    #[test]
    fn more_room_than_is_needed_changes_nothing() {
        let tokens: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
        let tokens = (tokens.iter().map(Vec::as_slice)).chain([&b"ab"[..], b"the "]);
        let mut tokens: Vec<&[u8]> = tokens.collect();
        tokens.sort_unstable();
        let vocabulary = Arc::new(Vocabulary::from_tokens(&tokens).unwrap());
        let counts: Vec<u32> = (1..=vocabulary.len() as u32).collect();
        let tree = Arc::new(Tree::new(&counts).unwrap());
        let few = Experts::LIGHT.without(Experts::named("map").unwrap());
        for experts in [Experts::LIGHT, few, Experts(1 << 15 | 1 << 7)] {
            let options = Options {
                experts,
                ..Options::default()
            };
            assert!(Light::has_room(&vocabulary, &options));
            let coded = |usual: bool| {
                let mut model = Model::new(&vocabulary, &tree, &options, 2, 4000).unwrap();
                assert!(matches!(model.learner, Some(Learner::Light(_))));
                if usual {
                    let sizes = Sizes::new(4000, options.memory_log2, false);
                    let usual = Usual::new(&vocabulary, &options, 2, 4000, &sizes);
                    model.learner = Some(Learner::Usual(Box::new(usual)));
                }
                let mut encoder = Encoder::new();
                for step in 0..4000usize {
                    let token = (step * step / 7 + step / 900) % 19 * 13;
                    model.encode(step % 2, None, token as u16, &mut encoder);
                }
                encoder.finish()
            };
            assert!(coded(false) == coded(true));
        }
        assert!(!Light::has_room(&vocabulary, &Options::default()));
        assert!(!Light::has_room(
            &Vocabulary::bytes(),
            &Options {
                experts: Experts::LIGHT,
                ..Options::default()
            }
        ));
    }
}
