//! What is known of a picture that JPEG has compressed. Its bits are words of a Huffman code, which knows nothing of what stands around a
//! coefficient; here the words are read as they are coded, and each bit is foretold from the block so far, from the blocks beside and above it,
//! and from the edges at which the picture goes on. (The idea of foretelling the bits of the stream as it is, in place of undoing it, is that of
//! paq's JPEG models, Mahoney 2007; that of the edges is found there and in Lepton, Horn et al. 2017.) Baseline and extended sequential
//! pictures (ITU-T T.81) of eight bits are read; all else is coded as any bytes are.

mod block;
mod contexts;
mod find;
mod scan;
mod segments;

use crate::history::Recent;
use crate::table::LEVELS;
use contexts::Outlook;
pub use find::pictures;
use scan::{Phase, Scan};
use segments::Segments;

/// What the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// None of a scan.
    Other,
    /// Eight bits of it.
    Bits,
    /// The zero that follows a byte of ones.
    Zero,
    /// The first byte of a restart's marker.
    Mark,
    /// The second.
    Restart,
}

/// Reads a stream of bytes that may hold pictures.
#[derive(Debug, Clone)]
pub struct Jpeg {
    segments: Segments,
    scan: Scan,
    next: Next,
    /// Bits of the byte so far, below a leading one.
    path: u32,
    /// Bits since the histories were fetched.
    since: usize,
    /// Whether they have to be fetched for the next bit.
    fresh: bool,
    outlook: Outlook,
    /// Whether all contexts are wanted.
    thorough: bool,
}

impl Jpeg {
    /// At the beginning of a stream, of which all contexts are wanted or only the usual ones.
    pub fn new(thorough: bool) -> Jpeg {
        Jpeg {
            segments: Segments::default(),
            scan: Scan::default(),
            next: Next::Other,
            path: 1,
            since: 0,
            fresh: false,
            outlook: Outlook::default(),
            thorough,
        }
    }

    /// Whether the next byte is one of a scan.
    #[inline(always)]
    pub fn is_scan(&self) -> bool {
        self.next != Next::Other
    }

    /// Whether the next bit needs other histories than the one before.
    #[inline(always)]
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// They have been fetched.
    #[inline(always)]
    pub fn fetched(&mut self) {
        (self.fresh, self.since) = (false, 0);
    }

    /// The node below which the next bits are, within their context.
    #[inline(always)]
    pub fn node(&self) -> u16 {
        let node = match (self.next, self.scan.at().phase) {
            (Next::Bits, Phase::Code { word, length }) => 1 << length | word,
            (Next::Bits, Phase::Value { value, length, .. }) => 1 << length | value,
            _ => self.path,
        };
        node as u16
    }

    /// Takes a bit of a byte of the scan.
    #[inline(always)]
    pub fn bit(&mut self, bit: bool) {
        self.path = self.path << 1 | u32::from(bit);
        self.since += 1;
        let end = self.next == Next::Bits && self.scan.push(bit, &self.segments);
        if end {
            self.look();
        }
        self.fresh |= end || self.since == LEVELS;
    }

    /// Takes the last byte of `recent`, whose bits have been taken if it is one of a scan.
    #[inline(always)]
    pub fn byte(&mut self, recent: &Recent) {
        let past = self.segments.is_past(recent.position);
        if past {
            self.next = Next::Other;
        } else if self.next == Next::Other {
            if self.segments.push(recent) {
                self.begin();
            }
        } else {
            self.follow(recent.back(1));
        }
    }

    /// The same of a byte whose bits were coded otherwise.
    pub fn skip(&mut self, recent: &Recent) {
        if self.is_scan() {
            let byte = recent.back(1);
            (0..8).rev().for_each(|n| self.bit(byte >> n & 1 > 0));
        }
        self.byte(recent);
        self.look();
        self.fresh = true;
    }

    fn begin(&mut self) {
        let Some(frame) = self.segments.frame.take() else {
            return;
        };
        self.scan.begin(&self.segments, &frame);
        self.segments.frame = Some(frame);
        (self.next, self.path, self.fresh) = (Next::Bits, 1, true);
        self.look();
    }

    fn follow(&mut self, byte: u8) {
        self.path = 1;
        let lost = self.scan.at().lost;
        let before = self.next;
        self.next = match (self.next, byte) {
            _ if lost => Next::Other,
            (Next::Bits, 0xFF) => Next::Zero,
            (Next::Bits, _) | (Next::Zero, 0) => {
                if self.scan.is_done() {
                    Next::Other
                } else if self.scan.is_restart() {
                    Next::Mark
                } else {
                    Next::Bits
                }
            }
            (Next::Mark, 0xFF) => Next::Restart,
            (Next::Restart, 0xD0..=0xD7) => {
                self.scan.restart(&self.segments);
                Next::Bits
            }
            _ => Next::Other,
        };
        if self.next == Next::Other {
            // Where all of it was there.
            let is_marker = match before {
                Next::Bits => !lost,
                Next::Zero => byte == 0,
                _ => false,
            };
            self.segments.resume(is_marker);
        }
        if self.next != before || before != Next::Bits {
            self.look();
            self.fresh = true;
        }
    }
}

#[cfg(test)]
mod tests;
