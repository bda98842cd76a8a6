//! The contexts in which the bits of a scan are foretold, and what chooses the weights.

use super::block::{Block, NUMBERS, PLACES, length};
use super::scan::Phase;
use super::{Jpeg, Next};
use crate::contexts::BYTE_CONTEXTS;
use crate::table::combine;

/// How many contexts there are: as many as of other bytes, the usual ones first.
const CONTEXTS: usize = BYTE_CONTEXTS.len();
/// How many are usual.
const USUAL: usize = 14;

/// What the next bits are foretold from.
#[derive(Debug, Clone, Default)]
pub struct Outlook {
    contexts: [u32; CONTEXTS],
    kind: Kind,
    /// How large the next coefficient should be, in classes.
    expected: u32,
    /// What stands in its place to the left and above.
    beside: u32,
    /// How many coefficients are left there.
    left: u32,
    /// How large the ones there are.
    around: u32,
    /// The symbol before.
    symbol: u32,
}

/// What kind of bits they are.
#[derive(Debug, Clone, Copy, Default)]
enum Kind {
    /// A code word for a first coefficient.
    First,
    /// One for any other.
    Code,
    /// A coefficient's size and sign.
    Value,
    /// Markers, and what fills bytes.
    #[default]
    Other,
}

/// A size in classes that grow with it, four to each doubling.
#[inline(always)]
fn fine(size: u32) -> u32 {
    if size < 4 {
        size
    } else {
        let log2 = size.ilog2();
        4 * (log2 - 1) + (size >> (log2 - 2) & 3)
    }
}

/// The same with a sign.
#[inline(always)]
fn signed(number: i32) -> u32 {
    fine(number.unsigned_abs()) << 1 | u32::from(number < 0)
}

/// Two classes to each doubling.
#[inline(always)]
fn rough(size: u32) -> u32 {
    if size < 2 {
        size
    } else {
        let log2 = size.ilog2();
        2 * log2 + (size >> (log2 - 1) & 1)
    }
}

/// One byte for each.
#[inline(always)]
fn all<const N: usize>(parts: [u32; N]) -> u32 {
    parts.iter().rev().fold(0, |all, part| all << 8 | part)
}

impl Jpeg {
    /// Looks around for the next bits.
    pub fn look(&mut self) {
        let at = self.scan.at();
        self.outlook = match (self.next, at.phase) {
            (Next::Bits, Phase::Code { .. }) if at.next == 0 => self.first(0),
            (Next::Bits, Phase::Code { .. }) => self.code(),
            (Next::Bits, Phase::Value { size, .. }) if at.next == 0 => self.first(size),
            (Next::Bits, Phase::Value { size, .. }) => self.value(size),
            (next, _) => Outlook {
                contexts: [combine(953, next as u32); CONTEXTS],
                ..Outlook::default()
            },
        };
    }

    /// The contexts of the next bits, as many as there is room for.
    #[inline(always)]
    pub fn contexts(&self, out: &mut [u32]) {
        out.copy_from_slice(&self.outlook.contexts[..out.len()]);
    }

    /// The vectors of weights for the next bit, the usual sets first; the last layer's; a hash for the map.
    #[inline(always)]
    pub fn situation(&self) -> ([usize; 8], usize, u32) {
        let Outlook {
            kind,
            expected,
            beside,
            left,
            around,
            symbol,
            ..
        } = self.outlook;
        let at = self.scan.at();
        let (n, colour) = match kind {
            Kind::Other => (0, 0),
            _ => (at.next as u32 & 63, u32::from(at.plane > 0)),
        };
        let (kind, node) = (kind as u32, u32::from(self.node()));
        let known = node.ilog2().min(7);
        let sets = [
            kind << 6 | n,
            expected.min(31) << 6 | known << 3 | kind << 1 | colour,
            (node & 511) << 2 | kind,
            beside << 3 | known,
            n << 6 | left.min(63),
            around.min(31) << 6 | known << 3 | kind << 1 | colour,
            beside,
            symbol << 3 | known,
        ];
        (
            sets.map(|set| set as usize),
            (kind << 3 | known) as usize,
            combine(node, colour << 6 | kind << 8 | expected << 10),
        )
    }

    /// The usual contexts, and with thorough work the others.
    #[inline(always)]
    fn gather(
        &self,
        usual: [u32; USUAL],
        more: impl FnOnce() -> [u32; CONTEXTS - USUAL],
    ) -> [u32; CONTEXTS] {
        let mut contexts = [0; CONTEXTS];
        contexts[..USUAL].copy_from_slice(&usual);
        if self.thorough {
            contexts[USUAL..].copy_from_slice(&more());
        }
        contexts
    }

    /// For a block's first coefficient: of its code word (`size` 0), or of what it adds, of so many bits.
    fn first(&self, size: usize) -> Outlook {
        let scan = &self.scan;
        let [left, above, corner, right, other] = scan.around();
        let last = scan.last();
        let [el, ea] = scan.expected(0, &self.segments).map(|e| e - 8 * last);
        let e = el + ea;
        let [d1, d2] = scan.differences();
        let [l, a, c, r] =
            [left, above, corner, right].map(|block| i32::from(block.coefficients[0]) - last);
        let o = i32::from(other.difference);
        let [nl, na, nc] = [left, above, corner].map(|block| rough(block.left(1)));
        let name = combine(950, all([scan.at().plane as u32, size as u32]));
        let named = |value| combine(name, value);
        let usual = [
            signed(e / 4),
            all([signed(e), signed(el - ea)]),
            all([signed(el / 4), signed(ea / 4)]),
            all([signed(d1), signed(d2)]),
            all([signed(l), signed(a)]),
            all([signed(a), signed(c)]),
            all([signed(a + l - c), rough((a - c).unsigned_abs())]),
            all([signed(o), signed(e / 8)]),
            all([signed(r), signed(a)]),
            all([nl, na, nc]),
            all([nl, na, signed(e / 8)]),
            all([signed(e / 2), signed(o / 2)]),
            all([signed(l), signed(e / 8)]),
            all([signed(e / 8), signed(a)]),
        ];
        let more = || {
            [
                all([signed(e / 8), signed(d1)]),
                all([signed(o), signed(d1)]),
                signed(e),
                all([signed(el), signed(d1)]),
                all([signed(ea), signed(a)]),
                all([signed(l), signed(a), signed(c)]),
                all([signed(e / 4), nl + na]),
                all([signed(d1), signed(d2), signed(o / 2)]),
                all([signed(e / 4), signed(d1 / 2)]),
                all([signed(el / 8), signed(ea / 8), signed(o / 4)]),
                0,
                all([signed(a + l - c), signed(e / 8)]),
                all([signed(r), signed(c)]),
                all([nl, na, signed(d1)]),
                signed(o),
                all([signed(e / 4), signed(r)]),
                all([rough(e.unsigned_abs()), rough(d1.unsigned_abs())]),
                all([signed(e / 4), signed(o / 4), signed(a / 4)]),
            ]
        };
        Outlook {
            contexts: self.gather(usual.map(named), || more().map(named)),
            kind: if size == 0 { Kind::First } else { Kind::Value },
            expected: rough(e.unsigned_abs() / 4),
            beside: (size as u32) << 4 | length(d1).min(15),
            left: 0,
            around: rough((a - l).unsigned_abs()),
            symbol: 0,
        }
    }

    /// For the code word of any other: how many zeros come, and how large the next one is.
    fn code(&self) -> Outlook {
        let (scan, at) = (&self.scan, self.scan.at());
        let n = at.next;
        let (around, block) = (scan.around(), scan.block());
        let [left, above, ..] = around;
        let [sl, sa, so] = [around[0], around[1], around[4]].map(|block| block.symbol(n));
        let [s1, s2] = at.symbols.map(u32::from);
        let expected = |n| scan.expected(n, &self.segments);
        let either = |n| {
            let [left, above] = expected(n);
            (left + above).unsigned_abs()
        };
        let [el, ea] = expected(n).map(i32::unsigned_abs);
        let [e, e2] = [n, n + 1].map(either);
        let size = |block: &Block, n: usize| block.at(n).unsigned_abs();
        let beside = size(left, n) + size(above, n);
        let [down, across] = PLACES[n & 63].map(usize::from);
        let within = |down: Option<usize>, across: Option<usize>| {
            (down.zip(across)).map_or(0, |(down, across)| {
                size(block, NUMBERS[down][across].into())
            })
        };
        let near =
            within(down.checked_sub(1), Some(across)) + within(Some(down), across.checked_sub(1));
        let (count, rest) = (block.left(1), left.left(n) + above.left(n));
        let (tl, ta) = (left.sum(n), above.sum(n));
        let bits = |block: &Block, n| length(block.at(n)).min(7);
        let at_all = combine(951, at.plane as u32);
        let at_n = combine(at_all, n as u32 + 1);
        let here = |value| combine(at_n, value);
        let anywhere = |value| combine(at_all, value);
        let usual = [
            anywhere(all([sl, sa])),
            anywhere(all([sl, sa, s1])),
            here(all([rough(el), rough(ea)])),
            anywhere(all([fine(beside), rough(near)])),
            here(all([rest, count])),
            here(all([s1, s2])),
            here(all([rough(at.sum), count])),
            anywhere(all([rough(near), rough(e)])),
            here(all([so, s1])),
            anywhere(all([so, rough(e)])),
            here(all([sl, rough(e2)])),
            here(all([
                bits(left, n),
                bits(above, n),
                bits(left, n + 1),
                bits(above, n + 1),
            ])),
            anywhere(all([fine(tl + ta), rough(near)])),
            anywhere(all([s1, rough(rest)])),
        ];
        let more = || {
            let last = |block: &Block| 64 - block.mask.leading_zeros();
            let [sc, sr] = [around[2], around[3]].map(|block| block.symbol(n));
            let coming: [u32; 6] = std::array::from_fn(|more| either(n + more));
            let e3 = coming[2];
            let many = coming.iter().filter(|&&e| e >= 8).count() as u32;
            let most = coming[2..].iter().copied().max().unwrap_or(0);
            [
                anywhere(all([last(left), last(above)])),
                anywhere(all([fine(beside), rough(rest)])),
                here(all([fine(e / 2), fine(e2 / 2)])),
                anywhere(all([rough(e), rough(beside), rough(rest)])),
                here(all([sa, rough(e)])),
                anywhere(all([sr, sa])),
                here(all([sc, rest])),
                here(all([sl, sa])),
                here(all([so, rough(e)])),
                anywhere(all([many, rough(most), rough(e)])),
                anywhere(all([signed(block.difference.into()), rough(at.sum)])),
                here(fine(tl + ta)),
                here(all([fine(beside), rough(near)])),
                anywhere(all([so, rough(beside)])),
                anywhere(all([s1, s2, rough(e)])),
                here(all([s1, rough(e)])),
                anywhere(all([many, rest, count])),
                anywhere(all([rough(e), rough(e2), rough(e3)])),
            ]
        };
        let class = |symbol: u32| (symbol & 15).min(3) << 2 | (symbol >> 4).min(3);
        Outlook {
            contexts: self.gather(usual, more),
            kind: Kind::Code,
            expected: rough(e),
            beside: class(sl) << 4 | class(sa),
            left: rest,
            around: rough(beside),
            symbol: s1,
        }
    }

    /// For the size and sign of any other, of so many bits.
    fn value(&self, size: usize) -> Outlook {
        let (scan, at) = (&self.scan, self.scan.at());
        let n = at.next;
        let (around, block) = (scan.around(), scan.block());
        let [left, above, ..] = around;
        let [l, a, c, r, o] = around.map(|block| block.at(n));
        let [el, ea] = scan.expected(n, &self.segments);
        let e = el + ea;
        let [down, across] = PLACES[n & 63].map(usize::from);
        let within = |down: Option<usize>, across: Option<usize>| {
            (down.zip(across)).map_or(0, |(down, across)| block.at(NUMBERS[down][across].into()))
        };
        let (up, back) = (down.checked_sub(1), across.checked_sub(1));
        let (wu, wb, wi) = (
            within(up, Some(across)),
            within(Some(down), back),
            within(up, back),
        );
        let s1 = u32::from(at.symbols[0]);
        let count = block.left(1);
        let at_all = combine(952, all([at.plane as u32, size as u32]));
        let at_n = combine(at_all, n as u32 + 1);
        let here = |value| combine(at_n, value);
        let anywhere = |value| combine(at_all, value);
        let usual = [
            anywhere(signed(e / 2)),
            anywhere(all([signed(ea), rough(e.unsigned_abs())])),
            here(all([signed(e / 4), signed(l)])),
            anywhere(all([signed(e / 4), signed(a)])),
            here(all([signed(l), signed(a)])),
            here(all([signed(o), signed(e / 8)])),
            here(all([signed(wu), signed(wb)])),
            anywhere(all([signed(wu), signed(e / 8)])),
            here(all([signed(wb), signed(e / 8)])),
            anywhere(all([signed(wi), signed(wu), signed(wb)])),
            here(0),
            here(all([rough(at.sum), signed(e / 8)])),
            anywhere(all([signed(e / 4), signed(l), signed(a)])),
            anywhere(signed(o)),
        ];
        let more = || {
            [
                anywhere(all([signed(e), signed(el - ea)])),
                anywhere(all([signed(el), rough(e.unsigned_abs())])),
                here(all([signed(el / 2), signed(ea / 2)])),
                anywhere(all([signed(r), signed(a)])),
                here(s1),
                anywhere(all([signed(e / 4), s1])),
                here(all([signed(c), signed(l + a)])),
                anywhere(all([signed(o), signed(l), signed(a)])),
                anywhere(all([count, signed(e / 4)])),
                anywhere(all([signed(e / 2), signed(o)])),
                anywhere(count),
                anywhere(signed(l + a + c + r)),
                anywhere(all([signed(block.difference.into()), signed(e / 8)])),
                anywhere(all([left.left(n), above.left(n)])),
                anywhere(all([signed(e / 2), signed(wu)])),
                anywhere(all([signed(e / 2), signed(wb)])),
                here(signed(e / 2)),
                here(signed(l + a)),
            ]
        };
        Outlook {
            contexts: self.gather(usual, more),
            kind: Kind::Value,
            expected: rough(e.unsigned_abs() / 2).min(15) | u32::from(e < 0) << 4,
            beside: (size as u32).min(7) << 5 | length(l).min(3) << 3 | length(a).min(3) << 1,
            left: length(l + a) << 1 | u32::from(l + a < 0),
            around: rough(o.unsigned_abs()),
            symbol: s1,
        }
    }
}
