//! The code that programs make for what they have counted (ITU-T T.81, K.2).

use crate::Huffman;

/// Stands for the word of ones only, which no symbol may have.
const RESERVED: usize = 256;
/// Words are not longer before they are made shorter.
const LONGEST: usize = 32;

impl Huffman {
    /// The code for symbols that occur so often, as T.81 (K.2) makes it; none if none of them does, or if a word would be longer than 32 bits
    /// before words are made shorter.
    ///
    /// ```
    /// let mut counts = [0; 256];
    /// (counts[7], counts[8], counts[9]) = (100, 20, 1);
    /// let code = vatic_jpeg::Huffman::usual(&counts).expect("a code");
    /// assert_eq!((code.symbol(0b0, 1), code.symbol(0b10, 2), code.symbol(0b110, 3)), (Some(7), Some(8), Some(9)));
    /// ```
    #[must_use]
    pub fn usual(counts: &[u64; 256]) -> Option<Huffman> {
        let mut left = [0u64; RESERVED + 1];
        left[..RESERVED].copy_from_slice(counts);
        left[RESERVED] = 1;
        let mut lengths = [0usize; RESERVED + 1];
        let mut next = [None; RESERVED + 1];
        // The two least frequent are put together, of equal ones those with the highest number, until there is one.
        loop {
            let least = |but: Option<usize>| {
                let some = (0..=RESERVED).filter(|&n| left[n] > 0 && Some(n) != but);
                some.min_by_key(|&n| (left[n], RESERVED - n))
            };
            let first = least(None)?;
            let Some(second) = least(Some(first)) else {
                break;
            };
            left[first] = left[first].checked_add(left[second])?;
            left[second] = 0;
            let lengthen = |from: usize, lengths: &mut [usize; RESERVED + 1]| {
                let mut last = from;
                lengths[last] += 1;
                while let Some(n) = next[last] {
                    last = n;
                    lengths[last] += 1;
                }
                last
            };
            let end = lengthen(first, &mut lengths);
            lengthen(second, &mut lengths);
            next[end] = Some(second);
        }
        let mut many = [0usize; LONGEST + 1];
        for &length in lengths.iter().filter(|&&length| length > 0) {
            *many.get_mut(length)? += 1;
        }
        // Two words that are too long: one takes the place of what they began with, the other that of a shorter word, which it then begins with.
        for long in (17..=LONGEST).rev() {
            while many[long] > 0 {
                let short = (1..long - 1).rev().find(|&length| many[length] > 0)?;
                many[long] -= 2;
                many[long - 1] += 1;
                many[short + 1] += 2;
                many[short] -= 1;
            }
        }
        let longest = (1..=16).rev().find(|&length| many[length] > 0)?;
        many[longest] -= 1;
        let mut symbols: Vec<u8> = (0..=255).filter(|&n| lengths[usize::from(n)] > 0).collect();
        symbols.sort_by_key(|&symbol| lengths[usize::from(symbol)]);
        let counts = std::array::from_fn(|n| many[n + 1] as u8);
        Huffman::new(counts, symbols)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_symbol_has_a_word_and_none_is_of_ones_only(
            counts in prop::collection::vec((any::<u8>(), prop_oneof![1u64..4, 1u64..100_000, 1u64..1 << 40]), 1..200),
        ) {
            let mut all = [0; 256];
            counts.iter().for_each(|&(symbol, count)| all[usize::from(symbol)] = count);
            // Counts of forty bits may lead to words that are too long to begin with.
            let Some(code) = Huffman::usual(&all) else {
                prop_assert!(counts.iter().any(|&(_, count)| count >= 100_000));
                return Ok(());
            };
            for (count, word) in all.iter().zip(code.words()) {
                prop_assert_eq!(*count > 0, word.length > 0);
                prop_assert!(word.length == 0 || word.bits + 1 < 1 << word.length);
            }
        }
    }

    #[test]
    fn words_that_are_too_long_are_made_shorter() {
        // Each as frequent as all before it: its word is one bit shorter.
        let mut counts = [0; 256];
        (0..24).for_each(|n| counts[n] = 1 << n);
        let words = Huffman::usual(&counts).unwrap().words();
        let lengths: Vec<u32> = words[..24].iter().map(|word| word.length).collect();
        assert!(lengths.is_sorted_by(|a, b| a >= b), "{lengths:?}");
        assert_eq!((lengths[0], lengths[23]), (16, 1));
        let room: f64 = lengths.iter().map(|&n| 0.5f64.powi(n as i32)).sum();
        assert!(room < 1.0 && room > 0.999);
    }

    #[test]
    fn of_nothing_there_is_none() {
        assert_eq!(Huffman::usual(&[0; 256]), None);
        let mut one = [0; 256];
        one[3] = 9;
        assert_eq!(Huffman::usual(&one).unwrap().symbol(0, 1), Some(3));
    }
}
