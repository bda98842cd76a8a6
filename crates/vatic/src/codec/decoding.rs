//! A frame of tokens as it is decoded, one token after the other, whoever foretells them.

use vatic_coder::Decoder;
use vatic_transformer::Predictions;

use super::foretold::Foretold;
use super::tokens::{CHUNK, experts, stats};
use super::{Setting, Sink};
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
    is_cut: bool,
    given: Given,
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
            is_cut: setting.is_cut,
            given: Given::default(),
        })
    }

    /// Decodes the next token of a stream, which `row` foretells; `None` after the last one of all, or that is certain.
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
        if self.is_cut && self.decoder.is_beyond() {
            return None;
        }
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

    /// Gives what is decoded of the content and has not been given yet, up to the first gap. Returns how many bytes have been given by now.
    pub(super) fn give(&mut self, sink: Sink) -> usize {
        self.given.go_on(&self.pieces, false, sink);
        self.given.all
    }

    /// Gives the rest, after the last token; before that, what can be given. A wrong length is told apart from wrong content nowhere:
    /// both mean damage.
    pub(super) fn finish(
        mut self,
        model: &Model,
        threads: Vec<ThreadTime>,
        sink: Sink,
    ) -> FrameStats {
        let is_whole = !self.is_cut && self.bytes >= self.length;
        self.given.go_on(&self.pieces, is_whole, sink);
        stats(model, self.tokens, self.pieces.len(), threads)
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

    /// The bytes of chunk `n` that there are, and whether it is whole.
    fn chunk(&self, n: usize) -> (&[u8], bool) {
        let start = match n.checked_sub(1).map(|before| self.ends.get(before)) {
            None => 0,
            Some(Some(&end)) => end,
            Some(None) => return (&[], false),
        };
        let end = self.ends.get(n);
        let bytes = &self.bytes[start..end.copied().unwrap_or(self.bytes.len())];
        (bytes, end.is_some())
    }
}

/// How far what [`pieces`](super::tokens::pieces) dealt out has been put together again.
#[derive(Default)]
pub(super) struct Given {
    round: usize,
    stream: usize,
    /// Bytes of this stream's chunk of this round.
    bytes: usize,
    /// Bytes of all that was given.
    all: usize,
}

impl Given {
    /// Gives what follows. Without the `end`, a chunk that is not whole has more to come, which goes before what other streams have.
    pub(super) fn go_on(&mut self, pieces: &[Piece], end: bool, sink: Sink) {
        let last = pieces.iter().map(|piece| piece.ends.len()).max();
        while self.round <= last.unwrap_or(0) {
            let Some(piece) = pieces.get(self.stream) else {
                (self.round, self.stream) = (self.round + 1, 0);
                continue;
            };
            let (chunk, whole) = piece.chunk(self.round);
            if chunk.len() > self.bytes {
                sink(&chunk[self.bytes..]);
                self.all += chunk.len() - self.bytes;
            }
            self.bytes = chunk.len();
            if !whole && !end {
                return;
            }
            (self.stream, self.bytes) = (self.stream + 1, 0);
        }
    }
}
