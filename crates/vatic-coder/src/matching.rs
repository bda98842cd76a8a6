//! The match model: follows the latest earlier place whose last tokens are the same, at any distance, in any stream.

use crate::adaptive::Adaptive;
use crate::history::Tokens;
use crate::prefetch::prefetch;
use crate::table::combine;

/// Longest length that is told apart.
const MAX_LENGTH: u32 = 65535;
/// Buckets of lengths; the first is for a match that was just lost.
pub const LENGTHS: usize = 16;

/// Bucket of a match length, 1..16 (0: none).
#[inline(always)]
fn bucket(length: u32) -> usize {
    match length {
        0..=6 => length as usize,
        7..=8 => 7,
        9..=12 => 8,
        13..=16 => 9,
        17..=24 => 10,
        25..=32 => 11,
        33..=64 => 12,
        65..=200 => 13,
        201..=1000 => 14,
        _ => 15,
    }
}

/// Where one stream stands in one candidate.
#[derive(Debug, Clone, Copy, Default)]
struct Candidate {
    stream: usize,
    at: usize,
    /// Tokens that agree up to here; 0: no candidate, or one that has just failed.
    length: u32,
    /// Outcomes of the last predictions, the latest lowest; 1 is a miss.
    misses: u8,
    /// The predicted token.
    token: Option<u16>,
}

/// Candidates of all streams for one minimum length.
#[derive(Debug, Clone)]
pub struct Matcher {
    /// Position after the latest occurrence, plus 1, by hash of the last `min` tokens.
    table: Vec<u32>,
    shift: u32,
    stream_bits: u32,
    min: usize,
    candidates: Vec<Candidate>,
    /// How often the expected bit came, by length, recent misses and decisions already right.
    confidence: Vec<Adaptive>,
    chosen: usize,
    expected: Option<bool>,
}

/// What the match model says about one decision.
#[derive(Debug, Clone, Copy, Default)]
pub struct Prediction {
    /// Log odds in steps, 0 if there is nothing to say.
    pub stretched: i32,
    /// Bucket of the length, 0 if there is nothing to say.
    pub length: usize,
}

impl Matcher {
    /// Looks for the last `min` tokens in a table of 2^`log2` places.
    pub fn new(min: usize, log2: u32, streams: usize) -> Matcher {
        let mut confidence = Vec::with_capacity(LENGTHS * 4 * 16);
        for index in 0..LENGTHS * 4 * 16 {
            let (length, misses, done) = (index / 64, index / 16 % 4, index % 16);
            // Odds grow with the length and with the decisions that were right, and fall with the misses.
            let odds = ((2 + length * 3 + done * 2) >> misses) as u32 + 1;
            confidence.push(Adaptive::new((65535 * odds / (odds + 1)) as u16, 2));
        }
        Matcher {
            table: vec![0; 1 << log2],
            shift: 32 - log2,
            stream_bits: streams.next_power_of_two().ilog2(),
            min,
            candidates: vec![Candidate::default(); streams],
            confidence,
            chosen: 0,
            expected: None,
        }
    }

    /// A [`hash`](Self::hash), and what the table has for it. To be called before [`advance`](Self::advance) and
    /// other work, so that the cache miss overlaps with it.
    #[inline(always)]
    pub fn look(&self, hash: Option<u32>) -> Option<(u32, u32)> {
        let hash = hash?;
        Some((hash, self.table[(hash >> self.shift) as usize]))
    }

    /// Has what [`look`](Self::look) will read brought into the cache.
    #[inline(always)]
    pub fn prefetch(&self, hash: Option<u32>) {
        if let Some(hash) = hash {
            prefetch(&self.table, (hash >> self.shift) as usize);
        }
    }

    /// Has the history before the place that was found brought into the cache.
    #[inline(always)]
    pub fn prefetch_candidate(&self, tokens: &Tokens, found: Option<(u32, u32)>) {
        if let Some(packed) = found.and_then(|(_, place)| place.checked_sub(1)) {
            let stream = (packed & ((1 << self.stream_bits) - 1)) as usize;
            tokens.prefetch(stream, (packed >> self.stream_bits) as usize);
        }
    }

    /// Makes the candidate of a stream ready after its history grew by `token`; `found` is what [`look`](Self::look) gave.
    #[inline(always)]
    pub fn advance(
        &mut self,
        tokens: &Tokens,
        stream: usize,
        token: u16,
        found: Option<(u32, u32)>,
    ) {
        let here = tokens.len(stream);
        let candidate = &mut self.candidates[stream];
        if let Some(predicted) = candidate.token {
            let hit = predicted == token;
            candidate.misses = candidate.misses << 1 | u8::from(!hit);
            candidate.length = if hit {
                (candidate.length + 1).min(MAX_LENGTH)
            } else {
                0
            };
            candidate.at += 1;
        }
        if let Some((hash, place)) = found {
            if candidate.length == 0 && place != 0 {
                let packed = place - 1;
                let other = (packed & ((1 << self.stream_bits) - 1)) as usize;
                let at = (packed >> self.stream_bits) as usize;
                let length = tokens.common_suffix((stream, here), (other, at), 48);
                if length >= self.min {
                    let misses = if candidate.token.is_some() {
                        candidate.misses & 3
                    } else {
                        0
                    };
                    *candidate = Candidate {
                        stream: other,
                        at,
                        length: length as u32,
                        misses,
                        token: None,
                    };
                }
            }
            self.place(hash, here, stream);
        }
        let candidate = &mut self.candidates[stream];
        // A candidate that failed is followed a little further: records often differ in one place only.
        candidate.token = if candidate.length == 0
            && (candidate.token.is_none() || candidate.misses.count_ones() >= 8)
        {
            None
        } else {
            tokens.get(candidate.stream, candidate.at)
        };
        if candidate.token.is_none() {
            candidate.length = 0;
        }
    }

    /// Where the candidate of a stream goes on if it foretold the last token, `last`: stream, position and length of the match.
    #[inline(always)]
    pub fn held(&self, stream: usize, last: u16) -> Option<(usize, usize, usize)> {
        let candidate = &self.candidates[stream];
        (candidate.token == Some(last) && candidate.length > 0).then_some((
            candidate.stream,
            candidate.at + 1,
            candidate.length as usize + 1,
        ))
    }

    /// The stream went on by `count` tokens, up to `last`, as it stands before (`other`, `at`), a match of `length`.
    pub fn follow(
        &mut self,
        stream: usize,
        (other, at, length): (usize, usize, usize),
        count: usize,
        last: u16,
    ) {
        // As if the last of them had just been predicted: what comes next notes that it was right.
        self.candidates[stream] = Candidate {
            stream: other,
            at: at + count - 1,
            length: (length + count - 1).min(MAX_LENGTH as usize) as u32,
            misses: 0,
            token: Some(last),
        };
    }

    /// What the candidate of a stream says about the decision between `lo..mid` and `mid..hi`, after `done` decisions.
    #[inline(always)]
    pub fn predict(
        &mut self,
        stream: usize,
        lo: usize,
        mid: u16,
        hi: usize,
        done: usize,
    ) -> Prediction {
        self.expected = None;
        let candidate = &self.candidates[stream];
        let Some(token) = candidate.token else {
            return Prediction::default();
        };
        if !(lo..hi).contains(&usize::from(token)) {
            return Prediction::default();
        }
        let bit = token >= mid;
        let misses = (candidate.misses & 15).count_ones().min(3) as usize;
        let length = bucket(candidate.length);
        self.chosen = (length * 4 + misses) * 16 + done.min(15);
        self.expected = Some(bit);
        let stretched = self.confidence[self.chosen].stretched();
        Prediction {
            stretched: if bit { stretched } else { -stretched },
            length: length.max(1),
        }
    }

    /// Learns whether the expected bit came.
    #[inline(always)]
    pub fn update(&mut self, bit: bool) {
        if let Some(expected) = self.expected {
            self.confidence[self.chosen].update(bit == expected, 400);
        }
    }

    /// Enters the end of a stream's history.
    pub fn insert(&mut self, tokens: &Tokens, stream: usize) {
        if let Some(hash) = self.hash(tokens, stream) {
            self.place(hash, tokens.len(stream), stream);
        }
    }

    /// Hash of a stream's last `min` tokens, if there are so many.
    #[inline(always)]
    pub fn hash(&self, tokens: &Tokens, stream: usize) -> Option<u32> {
        fn of<T: Copy + Into<u32>>(history: &[T], min: usize) -> Option<u32> {
            let last = history.len().checked_sub(min)?;
            Some(
                history[last..]
                    .iter()
                    .rev()
                    .fold(0, |hash, &token| combine(hash, token.into())),
            )
        }
        match tokens {
            Tokens::Bytes(all) => of(&all[stream], self.min),
            Tokens::Wide(all) => of(&all[stream], self.min),
        }
    }

    /// Makes a position the latest one of its hash.
    #[inline(always)]
    fn place(&mut self, hash: u32, here: usize, stream: usize) {
        if here as u64 + 1 < 1 << (32 - self.stream_bits) {
            self.table[(hash >> self.shift) as usize] =
                ((here as u32) << self.stream_bits | stream as u32) + 1;
        }
    }

    /// Takes over the confidences of another.
    pub fn adopt(&mut self, other: &mut Matcher) {
        std::mem::swap(&mut self.confidence, &mut other.confidence);
    }

    /// Learnt confidences, for saving and loading.
    pub fn confidence_mut(&mut self) -> &mut [Adaptive] {
        &mut self.confidence
    }
}
