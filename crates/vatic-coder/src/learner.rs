//! A predictor of one of three sizes.

use crate::learnt::Sizes;
use crate::predictor::{Light, Predictor, Thorough, Usual};
use crate::prior;
use crate::{Error, Options, Source, Vocabulary};

/// A predictor with room for few experts, for the usual ones or for thorough work: which, is settled once for each token, and what works
/// on its decisions knows its sizes. One with more room than is needed predicts the same.
#[derive(Debug, Clone)]
pub enum Learner {
    Light(Box<Light>),
    Usual(Box<Usual>),
    Thorough(Box<Thorough>),
}

/// Does the same with a predictor of any size.
macro_rules! with {
    ($learner:expr, $predictor:ident => $what:expr) => {
        match $learner {
            Learner::Light($predictor) => $what,
            Learner::Usual($predictor) => $what,
            Learner::Thorough($predictor) => $what,
        }
    };
}

impl Learner {
    /// See [`Predictor::new`].
    pub fn new(
        vocabulary: &Vocabulary,
        options: &Options,
        streams: usize,
        length: u64,
        sizes: &Sizes,
    ) -> Learner {
        if options.thorough && vocabulary.is_single_bytes() {
            let predictor = Predictor::new(vocabulary, options, streams, length, sizes);
            Learner::Thorough(Box::new(predictor))
        } else if Light::has_room(vocabulary, options) {
            let predictor = Predictor::new(vocabulary, options, streams, length, sizes);
            Learner::Light(Box::new(predictor))
        } else {
            let predictor = Predictor::new(vocabulary, options, streams, length, sizes);
            Learner::Usual(Box::new(predictor))
        }
    }

    /// See [`Predictor::foretell`], for the only stream of a frame of bytes.
    #[inline(always)]
    pub fn foretell(&mut self, left: usize, out: &mut Vec<u8>) -> Option<u16> {
        with!(self, predictor => predictor.foretell(0, left, out))
    }

    /// See [`Predictor::leap`].
    #[inline(always)]
    pub fn leap(&mut self, bytes: &[u8], right: bool) {
        with!(self, predictor => predictor.leap(0, bytes, right));
    }

    /// What each source alone would have paid.
    pub fn sources(&self) -> Vec<Source> {
        with!(self, predictor => predictor.sources())
    }

    /// The learnt state as bytes.
    pub fn save(&self, vocabulary: &Vocabulary, options: &Options) -> Vec<u8> {
        with!(self, predictor => prior::save(predictor, vocabulary, options))
    }

    /// Takes over a learnt state.
    pub fn load(
        &mut self,
        prior: &[u8],
        vocabulary: &Vocabulary,
        options: &Options,
    ) -> Result<(), Error> {
        with!(self, predictor => prior::load(predictor, prior, vocabulary, options))
    }
}
