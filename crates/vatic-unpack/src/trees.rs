//! The codes that zlib would choose for a block: Huffman's, made by a heap whose ties are broken as zlib breaks them.

use crate::bits::Writer;
use crate::codes::{self, LENGTHS, MAX_BITS, MAX_LENGTH_BITS, ORDER};

/// Nodes, of which the two least frequent ones are joined next.
struct Heap {
    /// The first is the least one; each is not above the two behind it in a binary tree.
    nodes: Vec<usize>,
    /// Of all nodes there have been, those of single symbols first.
    frequencies: Vec<u32>,
    /// Of each node's subtree; less deep ones come first where frequencies are equal.
    depths: Vec<u8>,
}

impl Heap {
    /// Of the symbols that occur, and of as many more as it takes to have two.
    fn new(frequencies: &[u32]) -> Heap {
        let mut heap = Heap {
            nodes: (0..frequencies.len())
                .filter(|&n| frequencies[n] > 0)
                .collect(),
            frequencies: frequencies.to_vec(),
            depths: vec![0; frequencies.len()],
        };
        while heap.nodes.len() < 2 {
            let forced = match heap.nodes.last() {
                Some(&last) if last < 2 => last + 1,
                _ => 0,
            };
            heap.frequencies[forced] = 1;
            heap.nodes.push(forced);
        }
        for place in (0..heap.nodes.len() / 2).rev() {
            heap.sink(place);
        }
        heap
    }

    fn is_before(&self, a: usize, b: usize) -> bool {
        let rank = |node: usize| (self.frequencies[node], self.depths[node]);
        rank(a) <= rank(b)
    }

    /// Lets the node at `place` sink until it is before those below it.
    fn sink(&mut self, mut place: usize) {
        let node = self.nodes[place];
        loop {
            let left = 2 * place + 1;
            let Some(&first) = self.nodes.get(left) else {
                break;
            };
            let below = match self.nodes.get(left + 1) {
                Some(&second) if self.is_before(second, first) => left + 1,
                _ => left,
            };
            if self.is_before(node, self.nodes[below]) {
                break;
            }
            self.nodes[place] = self.nodes[below];
            place = below;
        }
        self.nodes[place] = node;
    }

    /// Puts a node of both in the place of the two least frequent ones.
    fn join(&mut self) -> [usize; 2] {
        let first = self.nodes.swap_remove(0);
        self.sink(0);
        let second = self.nodes[0];
        let both = [first, second];
        let frequencies = both.map(|node| self.frequencies[node]);
        let depths = both.map(|node| self.depths[node]);
        self.nodes[0] = self.frequencies.len();
        self.frequencies
            .push(frequencies[0].saturating_add(frequencies[1]));
        self.depths.push(depths[0].max(depths[1]).saturating_add(1));
        self.sink(0);
        both
    }
}

/// The lengths of the codes of symbols that are so frequent, at most `longest`. At least two symbols get a code.
pub fn lengths(frequencies: &[u32], longest: usize) -> Vec<u8> {
    let symbols = frequencies.len();
    let mut heap = Heap::new(frequencies);
    let mut fathers = vec![0; symbols + heap.nodes.len()];
    // Sons before fathers, the root last.
    let mut order = Vec::with_capacity(fathers.len());
    while heap.nodes.len() > 1 {
        let father = heap.frequencies.len();
        for son in heap.join() {
            fathers[son] = father;
            order.push(son);
        }
    }
    order.push(heap.nodes[0]);
    limited(&order, &fathers, symbols, longest)
}

/// Lengths from a tree whose nodes stand in `order`. Leaves that are too deep come up, and others go down for them.
fn limited(order: &[usize], fathers: &[usize], symbols: usize, longest: usize) -> Vec<u8> {
    let mut depths = vec![0usize; fathers.len()];
    let mut counts = [0usize; MAX_BITS + 1];
    let mut too_deep = 0usize;
    for &node in order.iter().rev().skip(1) {
        let mut depth = depths[fathers[node]] + 1;
        if depth > longest {
            depth = longest;
            too_deep += 1;
        }
        depths[node] = depth;
        if node < symbols {
            counts[depth] += 1;
        }
    }
    let mut lengths = vec![0; symbols];
    if too_deep == 0 {
        for &leaf in order.iter().filter(|&&node| node < symbols) {
            lengths[leaf] = depths[leaf] as u8;
        }
        return lengths;
    }
    while too_deep > 0 {
        let mut depth = longest - 1;
        while counts[depth] == 0 {
            depth -= 1;
        }
        counts[depth] -= 1;
        counts[depth + 1] += 2;
        counts[longest] -= 1;
        too_deep = too_deep.saturating_sub(2);
    }
    let mut leaves = order.iter().filter(|&&node| node < symbols);
    for depth in (1..=longest).rev() {
        for &leaf in leaves.by_ref().take(counts[depth]) {
            lengths[leaf] = depth as u8;
        }
    }
    lengths
}

/// Runs of lengths as symbols of the alphabet for lengths: symbol, bits that follow, and their number.
fn runs(lengths: &[u8], out: &mut Vec<(usize, u32, u32)>) {
    let mut before = None;
    let mut rest = lengths;
    while let Some(&length) = rest.first() {
        let (most, least) = match length {
            0 => (138, 3),
            // The first of a run is written itself, unless the run goes on from the one before.
            _ if before == Some(length) => (6, 3),
            _ => (7, 4),
        };
        let run = rest.iter().take(most).take_while(|&&l| l == length).count();
        let symbol = usize::from(length);
        if run < least {
            out.extend(std::iter::repeat_n((symbol, 0, 0), run));
        } else if length > 0 {
            let repeated = match before == Some(length) {
                true => run,
                false => {
                    out.push((symbol, 0, 0));
                    run - 1
                }
            };
            out.push((16, repeated as u32 - 3, 2));
        } else if run <= 10 {
            out.push((17, run as u32 - 3, 3));
        } else {
            out.push((18, run as u32 - 11, 7));
        }
        before = Some(length);
        rest = &rest[run..];
    }
}

/// Without the zeros at the end.
fn trimmed(lengths: &[u8]) -> &[u8] {
    let end = lengths.iter().rposition(|&length| length > 0);
    &lengths[..end.map_or(0, |last| last + 1)]
}

/// Writes the lengths of a block's codes as zlib does.
pub fn write(literals: &[u8], distances: &[u8], out: &mut Writer) {
    let (literals, distances) = (trimmed(literals), trimmed(distances));
    let mut all = Vec::new();
    runs(literals, &mut all);
    runs(distances, &mut all);
    let mut frequencies = [0; LENGTHS];
    all.iter()
        .for_each(|&(symbol, ..)| frequencies[symbol] += 1);
    let lengths = lengths(&frequencies, MAX_LENGTH_BITS);
    let last = ORDER.iter().rposition(|&symbol| lengths[symbol] > 0);
    let count = last.map_or(0, |last| last + 1).max(4);
    out.put(literals.len() as u32 - 257, 5);
    out.put(distances.len() as u32 - 1, 5);
    out.put(count as u32 - 4, 4);
    for &symbol in &ORDER[..count] {
        out.put(lengths[symbol].into(), 3);
    }
    let codes = codes::codes(&lengths);
    for (symbol, more, bits) in all {
        let (code, length) = codes[symbol];
        out.put(code, length);
        out.put(more, bits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_huffman() {
        assert_eq!(lengths(&[1, 1, 2, 4, 0], 15), [3, 3, 2, 1, 0]);
        // Two symbols at least.
        assert_eq!(lengths(&[0, 0, 0], 15), [1, 1, 0]);
        assert_eq!(lengths(&[0, 7, 0], 15), [0, 1, 1]);
        assert_eq!(lengths(&[0, 0, 0, 7], 15), [1, 0, 0, 1]);
    }

    /// As zlib has them for the same frequencies.
    #[test]
    fn leaves_that_are_too_deep_come_up() {
        let mut fibonacci = vec![1, 1];
        while fibonacci.len() < 20 {
            fibonacci.push(fibonacci[fibonacci.len() - 1] + fibonacci[fibonacci.len() - 2]);
        }
        let expected = [
            15, 15, 15, 15, 15, 15, 15, 15, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1,
        ];
        assert_eq!(lengths(&fibonacci, 15), expected);
        let halves: Vec<u32> = (0..19).rev().map(|n| 1 << n).collect();
        let expected = [
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 15, 15, 15, 15, 15,
        ];
        assert_eq!(lengths(&halves, 15), expected);
    }

    #[test]
    fn no_length_is_above_the_longest() {
        let frequencies: Vec<u32> = (0..19).map(|n| 1 << n).collect();
        let lengths = lengths(&frequencies, 7);
        assert!(lengths.iter().all(|&length| (1..=7).contains(&length)));
        let kraft: u32 = lengths.iter().map(|&length| 128 >> length).sum();
        assert_eq!(kraft, 128);
    }
}
