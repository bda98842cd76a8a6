//! The logistic domain: `stretch(p) = ln(p / (1 - p))` and its inverse, from tables computed by integers at build time.
//!
//! Probabilities have 16 bits. The domain reaches to ±12 nats, further than the ±8 of the lpaq family: a token takes a dozen
//! decisions, most of them near certain, and what each costs at least adds up.

/// Steps per nat.
pub const NAT: i32 = 256;
/// The ends of the domain, ±12 nats.
pub const LIMIT: i32 = 12 * NAT;

static SQUASHED: [u16; 2 * LIMIT as usize + 1] = squash_table();
static STRETCHED: [i16; 1 << 12] = stretch_table();

/// e^(-k/512) for k in 0..=2*LIMIT+1 would be a long table; this iterates it: `Q62 * e^(-1/512)`.
const fn decay(value: u64, factor: u64) -> u64 {
    ((value as u128 * factor as u128) >> 62) as u64
}

/// e^(-1/512) with 62 bits after the point, by its power series.
const fn half_step() -> u64 {
    let mut sum: i128 = 0;
    let mut term: i128 = 1 << 62;
    let mut k: i128 = 0;
    while term != 0 {
        sum += term;
        k += 1;
        term = -term / (512 * k);
    }
    sum as u64
}

/// 2^32 / (1 + e) for e with 62 bits after the point.
const fn logistic(e: u64) -> u64 {
    ((1u128 << 94) / ((1u128 << 62) + e as u128)) as u64
}

const fn squash_table() -> [u16; 2 * LIMIT as usize + 1] {
    let factor = half_step();
    let mut table = [0u16; 2 * LIMIT as usize + 1];
    let mut e = 1u64 << 62;
    let mut x = 0;
    while x <= LIMIT as usize {
        let p = (logistic(e) + (1 << 15)) >> 16;
        let p = if p > 65535 { 65535 } else { p };
        table[LIMIT as usize + x] = p as u16;
        table[LIMIT as usize - x] = (65536 - p) as u16;
        e = decay(decay(e, factor), factor);
        x += 1;
    }
    table
}

const fn stretch_table() -> [i16; 1 << 12] {
    let factor = half_step();
    let mut table = [0i16; 1 << 12];
    // Upper half: the middle of entry i lies nearest to step x while it is below logistic(x + 1/2 step).
    let mut i = 1 << 11;
    let mut x = 0;
    let mut e = decay(1 << 62, factor);
    while i < 1 << 12 {
        while ((i as u64) << 20) + (1 << 19) >= logistic(e) {
            e = decay(decay(e, factor), factor);
            x += 1;
        }
        table[i] = x;
        table[(1 << 12) - 1 - i] = -x;
        i += 1;
    }
    table
}

/// The probability (16 bits, 1..=65535) at `x` steps; clipped to the domain.
#[inline(always)]
pub fn squash(x: i32) -> u16 {
    SQUASHED[(x.clamp(-LIMIT, LIMIT) + LIMIT) as usize]
}

/// How far log odds are from those `foretold`, within the domain: what an expert has to say beyond the transformer.
#[inline(always)]
pub fn beyond(odds: i32, foretold: i32) -> i32 {
    (odds - foretold).clamp(-LIMIT, LIMIT)
}

/// Log odds in steps of 1/256 nat of a probability of 16 bits, of which 12 are looked at: within ±9 nats.
#[inline(always)]
pub fn stretch(p: u16) -> i32 {
    i32::from(STRETCHED[usize::from(p >> 4)])
}

/// log2(1 + i/256) with 16 bits after the point, by repeated squaring.
static LOG2: [u32; 257] = log2_table();

const fn log2_table() -> [u32; 257] {
    let mut table = [0u32; 257];
    let mut i = 0;
    while i <= 256 {
        let mut m = ((256 + i) as u64) << 23; // 1..=2 with 31 bits after the point
        let mut log = 0u32;
        let mut bit = 1u32 << 16;
        if m >= 1 << 32 {
            m >>= 1;
            log += bit;
        }
        while bit > 1 {
            bit >>= 1;
            m = (m * m) >> 31;
            if m >= 1 << 32 {
                m >>= 1;
                log += bit;
            }
        }
        table[i] = log;
        i += 1;
    }
    table
}

/// log2 of a positive integer with 16 bits after the point (linear between 257 points: within 0.00001).
#[inline(always)]
pub fn log2(value: u32) -> u32 {
    let value = value.max(1);
    let exponent = value.ilog2();
    let mantissa = (value << (31 - exponent)) & 0x7fff_ffff;
    let (index, rest) = ((mantissa >> 23) as usize, mantissa >> 7 & 0xffff);
    let (low, high) = (LOG2[index], LOG2[index + 1]);
    (exponent << 16) + low + (((high - low) * rest) >> 16)
}

/// What a decision costs that had this probability, in bits with 16 bits after the point.
#[inline(always)]
pub fn cost(probability_of_true: u16, bit: bool) -> u32 {
    let p = u32::from(probability_of_true);
    (16 << 16) - log2(if bit { p } else { 65536 - p })
}

/// Log odds in steps of `right` against `left`, clipped to the domain.
#[inline(always)]
pub fn log_odds(right: u32, left: u32) -> i32 {
    let bits = log2(right) as i32 - log2(left) as i32;
    // ln 2 * 256 steps = 177.445678 per bit; bits have 16 bits after the point.
    let steps = (i64::from(bits) * 11_629_080 + (1 << 31)) >> 32;
    (steps as i32).clamp(-LIMIT, LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_match_the_real_functions() {
        for x in -LIMIT..=LIMIT {
            let p = 65536.0 / (1.0 + (-f64::from(x) / 256.0).exp());
            assert!(
                (f64::from(squash(x)) - p.clamp(1.0, 65535.0)).abs() <= 0.51,
                "{x}"
            );
        }
        for p in (8..=65535u16).step_by(16) {
            let x = (f64::from(p) / (65536.0 - f64::from(p))).ln() * 256.0;
            assert!(
                (f64::from(stretch(p)) - x).abs() <= 0.51,
                "{p}: {} {x}",
                stretch(p)
            );
        }
        assert!((0..65535u16).all(|p| stretch(p) <= stretch(p + 1)));
    }

    #[test]
    fn logarithms_match_the_real_ones() {
        let step = if cfg!(miri) { 997 } else { 1 };
        for value in (1..200_000u32)
            .step_by(step)
            .chain([1 << 30, u32::MAX, 3 << 29])
        {
            let real = f64::from(value).log2();
            assert!(
                (f64::from(log2(value)) / 65536.0 - real).abs() < 6e-5,
                "{value}"
            );
        }
        for (right, left) in [(1u32, 1u32), (3, 1), (1, 1000), (1 << 30, 77), (1, 1 << 31)] {
            let real = (f64::from(right) / f64::from(left)).ln() * 256.0;
            assert!((f64::from(log_odds(right, left)) - real.clamp(-3072.0, 3072.0)).abs() <= 0.6);
        }
        assert_eq!(
            (cost(32768, true), cost(32768, false), cost(1, true)),
            (1 << 16, 1 << 16, 16 << 16)
        );
    }
}
