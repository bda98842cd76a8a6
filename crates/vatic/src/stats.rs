//! What was done, in numbers.

use std::time::Duration;

use crate::options::Mode;

/// What was done with a whole input.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Bytes of content, the uncompressed side.
    pub content_bytes: u64,
    /// Bytes of vatic data, headers included.
    pub coded_bytes: u64,
    /// One entry for each frame that has content.
    pub frames: Vec<FrameStats>,
}

impl Stats {
    /// Bits of vatic data per byte of content; 0 for no content.
    pub fn bits_per_byte(&self) -> f64 {
        if self.content_bytes == 0 {
            0.0
        } else {
            self.coded_bytes as f64 * 8.0 / self.content_bytes as f64
        }
    }
}

/// What was done with one frame.
#[derive(Clone, Debug, Default)]
pub struct FrameStats {
    /// How the frame is coded.
    pub mode: Mode,
    /// The model that predicted it, by name; none but for frames of tokens, and mixed ones with a part of tokens.
    pub model: Option<String>,
    /// Bytes of content.
    pub content_bytes: u64,
    /// Bytes of payload, without the header.
    pub payload_bytes: u64,
    /// Tokens coded (bytes, in byte mode; 0 when stored).
    pub tokens: u64,
    /// Streams coded in lockstep.
    pub streams: u32,
    /// Time from the frame's first byte in to its last byte out.
    pub wall: Duration,
    /// How each thread that worked on the frame spent its time; empty but for frames of tokens, and mixed ones with a part of tokens.
    pub threads: Vec<ThreadTime>,
    /// What each source of predictions would have paid alone; empty unless asked for with
    /// [`Options::report`](crate::Options::report).
    pub sources: Vec<SourceBits>,
}

/// How a thread spent its time on a frame of tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadTime {
    /// In the transformer.
    pub predicting: Duration,
    /// In the experts, the mixer and the range coder.
    pub coding: Duration,
    /// For another thread.
    pub waiting: Duration,
}

/// The bits that one source of predictions would have paid for a frame by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceBits {
    /// The source's name.
    pub name: String,
    /// Bits over the whole frame.
    pub bits: f64,
}
