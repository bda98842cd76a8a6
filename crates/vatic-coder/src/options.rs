//! What takes part in coding.

use crate::contexts::{BYTE_CONTEXTS, USUAL};
use crate::thorough;

/// Which inputs and stages take part: a set of bits, for ablation. Encoder and decoder need the same set.
///
/// ```
/// use vatic_coder::Experts;
/// let experts = Experts::ALL.without(Experts::named("match").unwrap());
/// assert!(!experts.contains(Experts::named("match").unwrap()));
/// assert_eq!(Experts::named("crystal ball"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Experts(pub u64);

impl Experts {
    /// Everything (the default).
    pub const ALL: Experts = Experts(u64::MAX);
    /// Nothing: the transformer's weights are coded as they are, or, without one, every decision costs one bit.
    pub const NONE: Experts = Experts(0);

    /// Those of light work on tokens: what gains most for its time. Without `runs`, `head`, `t2`, `b6`, and the sets of weights `by-match` and
    /// `by-last`.
    pub const LIGHT: Experts = Experts(!(1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 14 | 1 << 16));

    /// The set with `other` taken out.
    pub const fn without(self, other: Experts) -> Experts {
        Experts(self.0 & !other.0)
    }

    /// The set with `other` put in.
    pub const fn with(self, other: Experts) -> Experts {
        Experts(self.0 | other.0)
    }

    /// What is in both sets.
    pub const fn and(self, other: Experts) -> Experts {
        Experts(self.0 & other.0)
    }

    /// Whether all of `other` takes part.
    pub const fn contains(self, other: Experts) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of all parts, each with its bit.
    pub fn names() -> impl Iterator<Item = (&'static str, Experts)> {
        let further = &BYTE_CONTEXTS[USUAL..];
        let sets = thorough::SETS.iter().map(|(name, _)| name);
        let names = NAMES.iter().chain(further).chain(sets);
        names
            .enumerate()
            .map(|(bit, &name)| (name, Experts(1 << bit)))
    }

    /// A part by its name; "all" and "none" too.
    pub fn named(name: &str) -> Option<Experts> {
        match name {
            "all" => Some(Experts::ALL),
            "none" => Some(Experts::NONE),
            _ => Experts::names()
                .find(|&(n, _)| n == name)
                .map(|(_, part)| part),
        }
    }
}

impl Default for Experts {
    fn default() -> Experts {
        Experts::ALL
    }
}

/// Names of the parts, by bit: experts, inputs, stages of mixing, contexts (see `contexts.rs`). Behind them come those that only thorough
/// work has: contexts, then sets of weights.
const NAMES: [&str; 34] = [
    "order0",
    "match",
    "short",
    "runs",
    "distances",
    "sharp",
    "head",
    "by-node",
    "by-match",
    "by-kinds",
    "by-last",
    "by-place",
    "last-layer",
    "map",
    "t2",
    "b4",
    "b6",
    "o2",
    "o3",
    "o5",
    "b2",
    "b3",
    "word",
    "pair",
    "column",
    "above",
    "record",
    "record2",
    "indirect",
    "kinds",
    "marks",
    "field",
    "cell",
    "leaps",
];

/// Settings of a [`Model`](crate::Model). A decoder needs the encoder's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What takes part.
    pub experts: Experts,
    /// Cap of the experts' tables in bytes, as a power of two (clamped to 16..=30). Small inputs take less.
    pub memory_log2: u8,
    /// Width of the transformer's hidden states, 0 if they are not known.
    pub width: usize,
    /// Whether to work thoroughly on single bytes: more contexts and sets of weights, for half the speed. Of no effect with any other
    /// vocabulary.
    pub thorough: bool,
    /// Whether to account for what each source alone would have paid ([`Model::report`](crate::Model::report)); slower.
    pub report: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            experts: Experts::ALL,
            memory_log2: 27,
            width: 0,
            thorough: false,
            report: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_work_is_done_by_these() {
        let resting: Vec<&str> = Experts::names()
            .filter(|&(_, part)| !Experts::LIGHT.contains(part))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(resting, ["runs", "head", "by-match", "by-last", "t2", "b6"]);
    }
}
