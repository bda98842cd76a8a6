//! The transformer as the codec sees it.

use super::ModelId;
use crate::codec::Predictor;
use crate::error::{Error, Result};

/// A transformer's weights.
pub(crate) struct Runtime(());

impl Runtime {
    pub(crate) fn from_vec(_bytes: Vec<u8>) -> Result<Runtime> {
        Err(Error::Model("no runtime".into()))
    }
    pub(crate) fn tokens(&self) -> Vec<Vec<u8>> {
        vec![]
    }
    pub(crate) fn counts(&self) -> Vec<u32> {
        vec![]
    }
    pub(crate) fn leaves(&self) -> usize {
        0
    }
    pub(crate) fn id(&self) -> ModelId {
        ModelId([0; 8])
    }
    pub(crate) fn name(&self) -> String {
        "".into()
    }
    pub(crate) fn file_bytes(&self) -> u64 {
        0
    }
    pub(crate) fn predictions(&self, _streams: usize) -> Predictions {
        Predictions
    }
}

pub(crate) struct Predictions;

impl Predictor for Predictions {
    fn step(&mut self, _tokens: &[u16], _weights: &mut [u32]) {}
}
