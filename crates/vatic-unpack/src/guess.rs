//! By which rules a stream was written.

use crate::blocks::{Block, Form};
use crate::search::{Foreteller, Rules};
use crate::unpack::Work;

/// The rules that lead to most of the tokens of a stream's first blocks. None if that would take too long, or if no level leads to half of them: then
/// the others of zlib's settings do not either.
pub fn rules(content: &[u8], sample: &[Block], window_bits: u8, work: &mut Work) -> Option<Rules> {
    let window_bits = window_bits.max(9);
    let mut windows = vec![window_bits, 15];
    windows.dedup();
    let tokens: usize = sample.iter().map(|block| block.tokens.len()).sum();
    let mut best = (usize::MAX, None);
    for window_bits in windows {
        for (hash_bits, filtered) in [(15, false), (16, false), (15, true), (16, true)] {
            for level in [6, 9, 1, 8, 7, 5, 4, 3, 2] {
                let rules = Rules {
                    level,
                    filtered,
                    hash_bits,
                    window_bits,
                };
                let wrong = mistakes(content, sample, rules, best.0, work)?;
                if wrong < best.0 {
                    best = (wrong, Some(rules));
                }
                if best.0 == 0 {
                    break;
                }
            }
            if best.0 > tokens / 2 {
                return None;
            }
        }
    }
    best.1
}

/// How many tokens are not what the rules lead to; `most` where they are so many or more.
fn mistakes(
    content: &[u8],
    sample: &[Block],
    rules: Rules,
    most: usize,
    work: &mut Work,
) -> Option<usize> {
    let Work { steps, chains, .. } = work;
    let mut foreteller = Foreteller::new(content, rules, chains);
    let mut wrong = 0;
    for block in sample {
        if let Form::Stored(length) = block.form {
            foreteller.skip(length);
        }
        for &token in &block.tokens {
            let foretold = foreteller.next();
            wrong += usize::from(token != foretold);
            if wrong >= most {
                steps.spend(foreteller.steps())?;
                return Some(wrong);
            }
            foreteller.go_on(token, foretold);
        }
    }
    steps.spend(foreteller.steps())?;
    Some(wrong)
}
