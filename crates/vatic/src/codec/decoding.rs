//! A frame of tokens as it is decoded, one token after the other, whoever foretells them.

use vatic_coder::Decoder;
use vatic_transformer::Predictions;

use super::Setting;
use super::foretold::Foretold;
use super::tokens::{CHUNK, experts, stats};
use crate::error::Result;
use crate::model::Model;
use crate::stats::{FrameStats, ThreadTime};

/// What a decoder knows of a frame so far.
pub(super) struct Decoding<'a> {
    decoder: Decoder<'a>,
    experts: vatic_coder::Model,
    pieces: Vec<Piece>,
    /// Of the content, in bytes.
    length: usize,
    bytes: usize,
    tokens: usize,
}

impl<'a> Decoding<'a> {
    /// Before the first token.
    pub(super) fn new(
        payload: &'a [u8],
        length: usize,
        streams_log2: u8,
        setting: &Setting,
        model: &Model,
    ) -> Result<Decoding<'a>> {
        let streams = 1 << streams_log2;
        let (decoder, length) = setting.open_tokens(payload, length);
        Ok(Decoding {
            decoder,
            experts: experts(setting, model, streams, length)?,
            pieces: (0..streams).map(|_| Piece::default()).collect(),
            length,
            bytes: 0,
            tokens: 0,
        })
    }

    /// Decodes the next token of a stream, which `row` foretells; `None` after the last one of all.
    pub(super) fn token(
        &mut self,
        stream: usize,
        foretold: &mut Foretold,
        predictions: &Predictions,
        row: usize,
    ) -> Option<u16> {
        // Every token has bytes, so the end of the content is the end of the tokens.
        if self.bytes >= self.length {
            return None;
        }
        let token = foretold.with(predictions, row, |weights| {
            (self.experts).decode(stream, Some(weights), &mut self.decoder)
        });
        let text = foretold.model().vocabulary().token(token);
        self.pieces[stream].push(text);
        self.bytes += text.len();
        self.tokens += 1;
        Some(token)
    }

    /// Tokens decoded.
    pub(super) fn tokens(&self) -> usize {
        self.tokens
    }

    /// Bytes decoded, of how many.
    pub(super) fn progress(&self) -> (usize, usize) {
        (self.bytes.min(self.length), self.length)
    }

    /// The content, after the last token. A wrong length is told apart from wrong content nowhere: both mean damage.
    pub(super) fn finish(self, model: &Model, threads: Vec<ThreadTime>) -> (Vec<u8>, FrameStats) {
        let stats = stats(model, self.tokens, self.pieces.len(), threads);
        (join(&self.pieces), stats)
    }
}

/// The bytes of a stream as they are decoded, and where its chunks end.
#[derive(Default)]
pub(super) struct Piece {
    bytes: Vec<u8>,
    tokens: usize,
    ends: Vec<usize>,
}

impl Piece {
    pub(super) fn push(&mut self, token: &[u8]) {
        self.bytes.extend_from_slice(token);
        self.tokens += 1;
        if self.tokens.is_multiple_of(CHUNK) {
            self.ends.push(self.bytes.len());
        }
    }

    /// Chunk `n`; empty if there is none.
    fn chunk(&self, n: usize) -> &[u8] {
        let start = match n.checked_sub(1).map(|before| self.ends.get(before)) {
            None => 0,
            Some(Some(&end)) => end,
            Some(None) => return &[],
        };
        &self.bytes[start..self.ends.get(n).copied().unwrap_or(self.bytes.len())]
    }
}

/// What [`pieces`] dealt out, put together again.
pub(super) fn join(pieces: &[Piece]) -> Vec<u8> {
    let rounds = pieces.iter().map(|piece| piece.ends.len() + 1).max();
    let mut content = Vec::with_capacity(pieces.iter().map(|piece| piece.bytes.len()).sum());
    for round in 0..rounds.unwrap_or(0) {
        for piece in pieces {
            content.extend_from_slice(piece.chunk(round));
        }
    }
    content
}
