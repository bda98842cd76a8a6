//! The transformer as the codec sees it.

use std::sync::Arc;

use vatic_transformer::{Leaves, Model, Predictions, Row, Session};

use super::ModelId;
use crate::codec::Predictor;
use crate::error::{Error, Result};

/// A transformer's weights, ready to run.
pub(crate) struct Runtime(pub(super) Arc<Model>);

impl Runtime {
    pub(crate) fn new(file: &[u8]) -> Result<Runtime> {
        Ok(Runtime(Arc::new(
            Model::from_bytes(file).map_err(unusable)?,
        )))
    }

    /// Of a model inside the program.
    pub(crate) fn of_image(image: &'static [u8]) -> Result<Runtime> {
        Ok(Runtime(Arc::new(
            Model::from_image(image).map_err(unusable)?,
        )))
    }

    /// The same with windows of so many tokens at most.
    pub(crate) fn within(&self, most: usize) -> Runtime {
        Runtime(Arc::new(self.0.within(most)))
    }

    /// The vocabulary in the order of merges.
    pub(crate) fn tokens(&self) -> &[Vec<u8>] {
        self.0.tokens()
    }

    /// How often each token occurs, by id: what the tree is balanced by.
    pub(crate) fn counts(&self) -> &[u32] {
        self.0.tree_counts()
    }

    pub(crate) fn vocab(&self) -> usize {
        self.0.config().vocab
    }

    /// Of the hidden states.
    pub(crate) fn width(&self) -> usize {
        self.0.config().width
    }

    pub(crate) fn weights(&self) -> usize {
        self.0.config().multiply_adds()
    }

    /// The memory in bytes that the pasts of so many streams take, and what is computed for a token of each.
    pub(crate) fn pasts(&self, streams: usize) -> u64 {
        Session::memory(self.0.config(), streams, 1)
    }

    pub(crate) fn id(&self) -> ModelId {
        let [a, b, c, d, e, f, g, h, ..] = self.0.id();
        ModelId([a, b, c, d, e, f, g, h])
    }

    pub(crate) fn name(&self) -> &str {
        &self.0.config().name
    }

    pub(crate) fn file_bytes(&self) -> u64 {
        self.0.file_bytes() as u64
    }

    /// The first token of each group.
    pub(crate) fn group_starts(&self) -> &[u32] {
        self.0.group_starts()
    }

    pub(crate) fn predictor(&self, streams: usize, block: usize) -> Result<Transformer> {
        let session = Session::new(&self.0, streams, block).map_err(unusable)?;
        Ok(Transformer::new(session, streams))
    }

    /// The first predicts for all streams, and the others help it.
    pub(crate) fn team(&self, members: usize, streams: usize) -> Result<Vec<Transformer>> {
        let sessions = Session::team(&self.0, members, streams, 1).map_err(unusable)?;
        let predictor = |session| Transformer::new(session, streams);
        Ok(sessions.into_iter().map(predictor).collect())
    }

    pub(crate) fn split(&self, members: usize, block: usize) -> Result<Vec<Transformer>> {
        let sessions = Session::split(&self.0, members, 1, block).map_err(unusable)?;
        let predictor = |session| Transformer::new(session, 1);
        Ok(sessions.into_iter().map(predictor).collect())
    }

    pub(crate) fn leaves(&self) -> Result<Leaves> {
        Leaves::new(&self.0).map_err(unusable)
    }
}

/// Predicts for some streams.
pub(crate) struct Transformer {
    session: Session,
    rows: Vec<Row>,
    streams: usize,
}

impl Transformer {
    fn new(session: Session, streams: usize) -> Transformer {
        Transformer {
            session,
            rows: Vec::new(),
            streams,
        }
    }
}

impl Transformer {
    /// Takes a token for each of some streams, and puts what is foretold after it into the row of that number.
    pub(crate) fn step(
        &mut self,
        tokens: &[(usize, u16)],
        predictions: &mut Predictions,
    ) -> Result<()> {
        let row = |&(stream, token): &(usize, u16)| Row { stream, token };
        self.rows.clear();
        self.rows.extend(tokens.iter().map(row));
        (self.session.predict(&self.rows, predictions)).map_err(unusable)
    }

    /// Has a stream begin anew.
    pub(crate) fn reset(&mut self, stream: usize) {
        self.session.reset(stream);
    }
}

impl Predictor for Transformer {
    type Batch = Predictions;

    fn predict(&mut self, tokens: &[u16], batch: &mut Predictions) -> Result<usize> {
        let row = |(i, &token)| Row {
            stream: i % self.streams,
            token,
        };
        self.rows.clear();
        self.rows.extend(tokens.iter().enumerate().map(row));
        (self.session.predict(&self.rows, batch)).map_err(unusable)?;
        Ok(batch.len())
    }
}

pub(super) fn unusable(error: vatic_transformer::Error) -> Error {
    Error::Model(error.to_string())
}
