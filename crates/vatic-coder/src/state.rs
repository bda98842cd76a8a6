//! Bit histories: what a context remembers of the decisions made in it, in one byte.
//!
//! A state stands for a pair of counts and the last bit. Small counts are exact; when a bit comes that speaks against
//! a long run, the other count is cut (recent evidence weighs more), as Mahoney's PAQ6 counters do.

/// The state of a context in which nothing has been seen.
pub const EMPTY: u8 = 0;

/// Largest count of the more frequent bit beside a given count of the rarer one.
const BOUNDS: [u8; 6] = [41, 26, 11, 7, 6, 5];

struct States {
    /// Counts of 0s and 1s, by state.
    counts: [[u8; 2]; 256],
    /// By state: the next one after a 0 and after a 1.
    next: [[u8; 2]; 256],
}

const STATES: States = states();

/// Whether the pair of counts has a state.
const fn allowed(a: u8, b: u8) -> bool {
    let (few, many) = if a < b { (a, b) } else { (b, a) };
    (few as usize) < BOUNDS.len() && many <= BOUNDS[few as usize]
}

const fn states() -> States {
    let mut counts = [[0u8; 2]; 256];
    // Number of the state by counts and last bit.
    let mut number = [[[0u8; 2]; 42]; 42];
    let mut n = 1usize;
    let mut total = 1;
    while total <= 42 {
        let mut ones = 0;
        while ones <= total {
            let zeros = total - ones;
            if zeros <= 41 && ones <= 41 && allowed(zeros as u8, ones as u8) {
                let mut last = 0;
                while last < 2 {
                    if (if last == 0 { zeros } else { ones }) > 0 {
                        counts[n] = [zeros as u8, ones as u8];
                        number[zeros][ones][last] = n as u8;
                        n += 1;
                    }
                    last += 1;
                }
            }
            ones += 1;
        }
        total += 1;
    }
    assert!(n <= 256);
    let mut next = [[0u8; 2]; 256];
    let mut state = 0;
    while state < n {
        let mut bit = 0;
        while bit < 2 {
            let mut same = counts[state][bit] + 1;
            let mut other = counts[state][1 - bit];
            if other > 2 {
                other = other / 2 + 1;
            }
            // Back to the nearest pair that has a state, keeping the proportion.
            while !(if bit == 0 {
                allowed(same, other)
            } else {
                allowed(other, same)
            }) {
                if same > other {
                    same -= 1;
                } else {
                    other -= 1;
                }
            }
            let (zeros, ones) = if bit == 0 {
                (same, other)
            } else {
                (other, same)
            };
            next[state][bit] = number[zeros as usize][ones as usize][bit];
            bit += 1;
        }
        state += 1;
    }
    States { counts, next }
}

static PRIORITY: [u8; 256] = {
    let mut table = [0; 256];
    let mut state = 0;
    while state < 256 {
        table[state] = STATES.counts[state][0] + STATES.counts[state][1];
        state += 1;
    }
    table
};

/// The state after one more bit.
#[cfg(test)]
pub fn next(state: u8, bit: bool) -> u8 {
    state ^ changes(bit)[usize::from(state)]
}

/// By bit and state: the bits in which the next state differs.
static CHANGES: [[u8; 256]; 2] = {
    let mut changes = [[0; 256]; 2];
    let mut state = 0;
    while state < 256 {
        changes[0][state] = state as u8 ^ STATES.next[state][0];
        changes[1][state] = state as u8 ^ STATES.next[state][1];
        state += 1;
    }
    changes
};

/// By state, the bits in which the state after one more bit differs from it.
#[inline(always)]
pub fn changes(bit: bool) -> &'static [u8; 256] {
    &CHANGES[usize::from(bit)]
}

/// How much is known in this state: what a table gives up last.
#[inline(always)]
pub fn priority(state: u8) -> u8 {
    PRIORITY[usize::from(state)]
}

/// Counts of 0s and 1s of a state.
pub fn counts(state: u8) -> [u8; 2] {
    STATES.counts[usize::from(state)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_follow_the_bits() {
        let mut state = EMPTY;
        for n in 1..=41 {
            state = next(state, true);
            assert_eq!(counts(state), [0, n]);
        }
        assert_eq!(next(state, true), state, "the longest run stays");
        let after = next(state, false);
        assert_eq!(counts(after), [1, 21], "one surprise cuts the run");
        assert_ne!(
            next(next(EMPTY, true), false),
            next(next(EMPTY, false), true),
            "the last bit is known"
        );
    }

    #[test]
    fn every_state_moves_towards_the_bit() {
        for state in 0..=255u8 {
            let [zeros, ones] = counts(state);
            if u32::from(zeros) + u32::from(ones) == 0 {
                continue;
            }
            for bit in [false, true] {
                let [after_zeros, after_ones] = counts(next(state, bit));
                let (same, other, same_after, other_after) = if bit {
                    (ones, zeros, after_ones, after_zeros)
                } else {
                    (zeros, ones, after_zeros, after_ones)
                };
                // same/(same+other) must not fall.
                assert!(
                    u32::from(same_after) * u32::from(same + other)
                        >= u32::from(same) * u32::from(same_after + other_after),
                    "{state} {bit}"
                );
                assert!(other_after <= other);
            }
        }
    }
}
