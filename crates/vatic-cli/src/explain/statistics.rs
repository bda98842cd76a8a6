//! What can be said of a text by counting alone.

use std::collections::HashMap;

/// The empirical entropy of a byte given the `order` bytes before it, in bits (Shannon 1948, section 7).
///
/// A text that is short for so many contexts looks more regular than it is: it is a bound for those only who were told the
/// counts beforehand.
pub fn entropy(text: &[u8], order: usize) -> f64 {
    let count = |length: usize, last: usize| {
        let mut counts = HashMap::<&[u8], u32>::new();
        for window in text[..last].windows(length.max(1)) {
            *counts.entry(&window[..length]).or_default() += 1;
        }
        counts
    };
    let Some(places) = text.len().checked_sub(order).filter(|&places| places > 0) else {
        return 0.0;
    };
    let weight = |counts: HashMap<&[u8], u32>| -> f64 {
        let mut each: Vec<u32> = counts.into_values().collect();
        // In one order, so that the same text gives the same sum.
        each.sort_unstable();
        let terms = each.into_iter().map(f64::from).map(|n| n * n.log2());
        terms.sum()
    };
    let contexts = if order == 0 {
        places as f64 * (places as f64).log2()
    } else {
        weight(count(order, text.len() - 1))
    };
    (contexts - weight(count(order + 1, text.len()))) / places as f64
}

/// The mutual information between bytes that are so far apart, in bits, for each distance: what a byte tells of the one that comes
/// `distance` later. What the same bytes in random order show is taken off, since counts of few pairs always show some; not
/// below 0.
pub fn mutual_information(text: &[u8], distances: &[usize]) -> Vec<f64> {
    let chance = mutual(&shuffled(text), 1);
    let each = distances.iter().map(|&distance| mutual(text, distance));
    each.map(|bits| (bits - chance).max(0.0)).collect()
}

/// The bytes in an order that has nothing to do with theirs, always the same one (Fisher and Yates).
fn shuffled(text: &[u8]) -> Vec<u8> {
    let mut bytes = text.to_vec();
    let mut state = 1u64;
    for n in (1..bytes.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        bytes.swap(n, (state >> 33) as usize % (n + 1));
    }
    bytes
}

/// `H(a) + H(b) - H(a, b)` of the pairs that occur.
fn mutual(text: &[u8], distance: usize) -> f64 {
    let Some(pairs) = text
        .len()
        .checked_sub(distance)
        .filter(|&pairs| pairs > 0 && distance > 0)
    else {
        return 0.0;
    };
    let (mut first, mut second) = (vec![0u32; 256], vec![0u32; 256]);
    let mut both = vec![0u32; 1 << 16];
    for (&a, &b) in text.iter().zip(&text[distance..]) {
        first[usize::from(a)] += 1;
        second[usize::from(b)] += 1;
        both[usize::from(a) << 8 | usize::from(b)] += 1;
    }
    let entropy = |counts: &[u32]| -> f64 {
        let seen = counts.iter().filter(|&&count| count > 0);
        let shares = seen.map(|&count| f64::from(count) / pairs as f64);
        shares.map(|p| -p * p.log2()).sum()
    };
    entropy(&first) + entropy(&second) - entropy(&both)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize) -> Vec<u8> {
        let mut state = 1u64;
        let step = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 60) as u8
        };
        (0..n).map(step).collect()
    }

    #[test]
    fn entropies_of_known_texts() {
        assert_eq!(entropy(b"", 0), 0.0);
        assert_eq!(entropy(b"ab", 2), 0.0);
        assert_eq!(entropy(&[7; 100], 0), 0.0);
        let halves = b"ab".repeat(500);
        assert_eq!(entropy(&halves, 0), 1.0);
        assert!(entropy(&halves, 1).abs() < 1e-12);
        // Each byte twice in a row: half of them are a free choice between two.
        let text: Vec<u8> = noise(4000).iter().flat_map(|&bits| [bits & 1; 2]).collect();
        assert!((entropy(&text, 0) - 1.0).abs() < 0.01);
        assert!((entropy(&text, 1) - 0.811).abs() < 0.01);
    }

    #[test]
    fn mutual_information_of_known_texts() {
        assert_eq!(mutual_information(b"", &[1]), [0.0]);
        assert_eq!(mutual_information(b"abc", &[0, 1, 3, 9])[0], 0.0);
        let period = b"abcd".repeat(1000);
        assert!((mutual_information(&period, &[4])[0] - 2.0).abs() < 0.01);
        let chance = mutual_information(&noise(20_000), &[1, 3, 100]);
        assert!(chance.iter().all(|&bits| bits < 0.002), "{chance:?}");
    }
}
