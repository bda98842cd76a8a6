//! Adaptive probabilities: what followed so far, quickly learnt and then averaged ever more slowly.

use crate::logistic::{LIMIT, NAT, squash, stretch};
use crate::prefetch::prefetch;

/// 32768 / (n + 1.5) for the number of times `n` that an entry was updated.
pub static RECIPROCALS: [i32; 1024] = {
    let mut table = [0; 1024];
    let mut n = 0;
    while n < 1024 {
        table[n] = 65536 / (2 * n as i32 + 3);
        n += 1;
    }
    table
};

/// A probability (16 bits) with the weight of `n` updates as an entry: 22 bits of probability above 10 of count.
pub fn fresh(probability: u16, n: u32) -> u32 {
    u32::from(probability) << 16 | n.min(1023)
}

/// A probability with 22 bits and the number of its updates with 10, in one word.
///
/// The rate is 1/(n + 1.5) until `n` reaches a limit: an average at first, then an exponential one that forgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adaptive(pub u32);

impl Adaptive {
    /// Even odds, nothing seen.
    pub const EVEN: Adaptive = Adaptive(1 << 31);

    /// A given probability (16 bits) with the weight of `n` updates.
    pub fn new(probability: u16, n: u32) -> Adaptive {
        Adaptive(fresh(probability, n))
    }

    /// Probability, 16 bits.
    #[inline(always)]
    pub fn probability(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Log odds in steps.
    #[inline(always)]
    pub fn stretched(self) -> i32 {
        stretch(self.probability())
    }

    /// Learns a bit. The product stays within 31 bits: 16 of the distance, 15 of the rate.
    #[inline(always)]
    pub fn update(&mut self, bit: bool, limit: u32) {
        let n = self.0 & 1023;
        let p = (self.0 >> 10) as i32;
        let target = if bit { (1 << 22) - 1 } else { 0 };
        let p = p + ((((target - p) >> 6) * RECIPROCALS[n as usize]) >> 9);
        self.0 = (p as u32) << 10 | (n + u32::from(n < limit));
    }
}

/// Points on the domain at which an [`Apm`] keeps a probability: one per nat.
pub const POINTS: usize = (2 * LIMIT / NAT) as usize + 1;

/// An adaptive probability map (secondary symbol estimation): what a probability turned out to mean in a small
/// context, interpolated between points of the logistic domain.
#[derive(Debug, Clone)]
pub struct Apm {
    points: Vec<u16>,
    last: usize,
    rate: u32,
}

impl Apm {
    /// The identity in each of `contexts` contexts; learns with a rate of 2^-`rate`.
    pub fn new(contexts: usize, rate: u32) -> Apm {
        let identity: Vec<u16> = (0..POINTS as i32)
            .map(|point| squash(point * NAT - LIMIT))
            .collect();
        Apm {
            points: identity.repeat(contexts),
            last: 0,
            rate,
        }
    }

    /// Has the points of a context brought into the cache.
    #[inline(always)]
    pub fn prefetch(&self, context: usize) {
        prefetch(&self.points, context * POINTS);
        prefetch(&self.points, context * POINTS + POINTS - 1);
    }

    /// The refined probability (16 bits) of log odds `x` in a context.
    #[inline(always)]
    pub fn refine(&mut self, x: i32, context: usize) -> u16 {
        let offset = (x.clamp(-LIMIT, LIMIT) + LIMIT) as usize;
        let low = (offset / NAT as usize).min(POINTS - 2);
        let part = (offset - low * NAT as usize) as u32;
        let base = context * POINTS + low;
        let (a, b) = (
            u32::from(self.points[base]),
            u32::from(self.points[base + 1]),
        );
        self.last = base + usize::from(part >= 128);
        ((a * (256 - part) + b * part) >> 8) as u16
    }

    /// Learns the bit that followed the last [`refine`](Self::refine).
    #[inline(always)]
    pub fn update(&mut self, bit: bool) {
        let point = &mut self.points[self.last];
        if bit {
            *point += (65535 - *point) >> self.rate;
        } else {
            *point -= *point >> self.rate;
        }
    }

    /// The learnt points, for saving.
    pub fn points_mut(&mut self) -> &mut [u16] {
        &mut self.points
    }

    /// Twice as many contexts: those from the middle on start as copies.
    pub fn double(&mut self) {
        self.points.extend_from_within(..);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adaptive_probability_finds_the_share_of_ones() {
        let mut p = Adaptive::EVEN;
        for i in 0..4000 {
            p.update(i % 4 == 0, 1023);
        }
        assert!(
            (i32::from(p.probability()) - 16384).abs() < 200,
            "{}",
            p.probability()
        );
        for _ in 0..100_000 {
            p.update(true, 1023);
        }
        assert!(p.probability() > 65500);
        for _ in 0..100_000 {
            p.update(false, 30);
        }
        assert!(p.probability() < 40);
        assert_eq!(Adaptive::new(777, 5).probability(), 777);
    }

    #[test]
    fn an_apm_starts_as_the_identity_and_learns() {
        let mut apm = Apm::new(3, 6);
        for x in (-LIMIT..=LIMIT).step_by(7) {
            let (p, q) = (i32::from(squash(x)), i32::from(apm.refine(x, 2)));
            assert!((p - q).abs() <= 1600, "{x}: {p} {q}");
        }
        for _ in 0..1000 {
            apm.refine(0, 1);
            apm.update(true);
        }
        assert!(apm.refine(0, 1) > 60000);
        assert!((i32::from(apm.refine(0, 0)) - 32768).abs() < 100);
    }
}
