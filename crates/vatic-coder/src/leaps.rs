//! Leaps: while a long match holds, one decision says that many bytes come as it foretells. What repeats itself at length
//! (zeros, copies) then costs next to no time, and as little space as byte by byte.

use crate::adaptive::Adaptive;

/// Bytes of the shortest and the longest leap.
const SHORTEST: usize = 64;
const LONGEST: usize = 2048;
/// The match is at least so many times as long as the leap: shorter matches end soon, and contexts often see where.
const SHARE: usize = 16;
/// Lengths of leaps: the powers of two between them.
const LENGTHS: usize = (LONGEST / SHORTEST).ilog2() as usize + 1;

/// How long leaps are, and how often they succeed.
#[derive(Debug, Clone)]
pub struct Leaps {
    /// How often a leap was right, by its length and whether one failed in this match.
    confidence: Vec<Adaptive>,
    /// The most bytes of the next leap.
    most: usize,
    chosen: usize,
}

impl Leaps {
    /// None made.
    pub fn new() -> Leaps {
        let odds = 8;
        Leaps {
            confidence: vec![Adaptive::new((65535 * odds / (odds + 1)) as u16, 2); LENGTHS * 2],
            most: LONGEST,
            chosen: 0,
        }
    }

    /// Bytes of the leap to try, given the length of the match, and its probability (16 bits); none while the match is short,
    /// fewer than that are left, or leaps
    /// failed again and again in this match.
    pub fn next(&mut self, length: usize, left: usize) -> Option<(usize, u16)> {
        let Some(log2) = (length / SHARE).checked_ilog2() else {
            self.most = LONGEST;
            return None;
        };
        let bytes = (1 << log2).min(self.most);
        let bytes = bytes.min(left.checked_ilog2().map_or(0, |log2| 1 << log2));
        if bytes < SHORTEST {
            return None;
        }
        let failed = usize::from(self.most < LONGEST);
        self.chosen = (bytes / SHORTEST).ilog2() as usize * 2 + failed;
        let probability = self.confidence[self.chosen].probability();
        Some((bytes, probability.clamp(1, 65535)))
    }

    /// Learns whether the leap of so many bytes was right.
    pub fn update(&mut self, bytes: usize, right: bool) {
        self.confidence[self.chosen].update(right, 255);
        self.most = if right {
            (self.most * 2).min(LONGEST)
        } else {
            bytes / 4
        };
    }

    /// Learnt confidences, for saving and loading.
    pub fn confidence_mut(&mut self) -> &mut [Adaptive] {
        &mut self.confidence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaps_grow_with_the_match_and_shrink_when_they_fail() {
        let mut leaps = Leaps::new();
        assert_eq!(leaps.next(0, 1000), None);
        assert_eq!(leaps.next(1023, 1000), None);
        assert_eq!(leaps.next(1024, 63), None);
        assert_eq!(leaps.next(1024, 64).unwrap().0, 64);
        assert_eq!(leaps.next(5000, 1000).unwrap().0, 256);
        assert_eq!(leaps.next(5000, 200).unwrap().0, 128);
        assert_eq!(leaps.next(65535, 1 << 20).unwrap().0, LONGEST);
        leaps.update(LONGEST, false);
        assert_eq!(leaps.next(65535, 1 << 20).unwrap().0, LONGEST / 4);
        leaps.update(LONGEST / 4, true);
        assert_eq!(leaps.next(65535, 1 << 20).unwrap().0, LONGEST / 2);
        for _ in 0..4 {
            if let Some((bytes, _)) = leaps.next(65535, 1 << 20) {
                leaps.update(bytes, false);
            }
        }
        assert_eq!(leaps.next(65535, 1 << 20), None, "until the match is lost");
        assert_eq!(leaps.next(0, 1 << 20), None);
        assert!(leaps.next(65535, 1 << 20).is_some());
    }
}
