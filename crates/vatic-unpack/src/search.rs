//! How zlib looks for matches: chains of earlier places with the same hash of three bytes, followed for some steps, and one byte of
//! patience. Whoever follows the same rules over the same bytes foretells every token that zlib writes.

use crate::codes::{MAX_MATCH, MIN_MATCH, Token};
use crate::{Error, MAX_CONTENT};

/// Bytes that zlib wants to see ahead; matches never reach so near to the end of its window.
const AHEAD: usize = MAX_MATCH + MIN_MATCH + 1;
/// Matches of the least length that are farther away than this are not worth it.
const TOO_FAR: usize = 4096;
/// Up to this length matches are not taken from data that was filtered.
const FILTERED: usize = 5;

/// How a level searches: from a match of length `good` on with a quarter of the effort; no more than to find a better one than
/// `lazy`; no further than to a match of length `nice`; at most `chain` places.
struct Effort {
    good: usize,
    lazy: usize,
    nice: usize,
    chain: usize,
}

const fn effort(good: usize, lazy: usize, nice: usize, chain: usize) -> Effort {
    Effort {
        good,
        lazy,
        nice,
        chain,
    }
}

/// Levels 1 to 9.
static EFFORTS: [Effort; 9] = [
    effort(4, 4, 8, 4),
    effort(4, 5, 16, 8),
    effort(4, 6, 32, 32),
    effort(4, 4, 16, 16),
    effort(8, 16, 32, 32),
    effort(8, 16, 128, 128),
    effort(8, 32, 128, 256),
    effort(32, 128, 258, 1024),
    effort(32, 258, 258, 4096),
];

/// The last level without patience.
const LAST_FAST: u8 = 3;

const MAX_HASH_BITS: u8 = 16;
const MAX_WINDOW_BITS: u8 = 15;

/// What zlib was told, as far as matches depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// 1 to 9.
    pub level: u8,
    /// Whether short matches are left out (`Z_FILTERED`).
    pub filtered: bool,
    /// log2 of the size of the hash table, 8 to 16.
    pub hash_bits: u8,
    /// log2 of the size of the window, 9 to 15.
    pub window_bits: u8,
}

impl Rules {
    /// As one number.
    pub fn to_number(self) -> u64 {
        u64::from(self.level)
            | (u64::from(self.filtered) << 4)
            | (u64::from(self.hash_bits - 8) << 5)
            | (u64::from(self.window_bits - 9) << 9)
    }

    /// From such a number.
    pub fn from_number(number: u64) -> Result<Rules, Error> {
        let rules = Rules {
            level: (number & 15) as u8,
            filtered: (number >> 4) & 1 == 1,
            hash_bits: ((number >> 5) & 15) as u8 + 8,
            window_bits: ((number >> 9) & 7) as u8 + 9,
        };
        let known = (1..=9).contains(&rules.level)
            && rules.hash_bits <= MAX_HASH_BITS
            && rules.window_bits <= MAX_WINDOW_BITS
            && number >> 12 == 0;
        known
            .then_some(rules)
            .ok_or(Error::Recipe("it names a level that there is not"))
    }
}

/// The tables of a search, which serve one stream after the other without being cleared.
pub struct Chains {
    /// The last place with each hash, above `base`.
    head: Vec<u32>,
    /// For each place in the window the one before with the same hash, above `base`.
    before: Vec<u32>,
    /// What is not above this is no place. The first place is none either, so nothing matches the first byte.
    base: u32,
    /// The highest number that may have been noted.
    top: u32,
}

impl Chains {
    pub fn new() -> Chains {
        Chains {
            head: vec![0; 1 << MAX_HASH_BITS],
            before: vec![0; 1 << MAX_WINDOW_BITS],
            base: 0,
            top: 0,
        }
    }

    /// Forgets everything, for content of that length.
    fn clear(&mut self, length: usize) {
        self.base = self.top;
        self.top = self.base.saturating_add(length as u32);
        if self.top == u32::MAX {
            *self = Chains::new();
            self.top = length as u32;
        }
    }

    /// The place that a number stands for; 0 for none.
    #[inline(always)]
    fn place(&self, number: u32) -> usize {
        number.saturating_sub(self.base) as usize
    }
}

/// Says what the next token of a stream would be.
pub struct Foreteller<'a> {
    content: &'a [u8],
    effort: &'static Effort,
    rules: Rules,
    chains: &'a mut Chains,
    /// Where the next token begins.
    place: usize,
    /// The first place that chains do not hold yet.
    inserted: usize,
    /// The match at `place`, if it was looked for while the last byte waited for it.
    waiting: Option<Match>,
    /// How many places were looked at.
    steps: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Match {
    length: usize,
    start: usize,
}

impl<'a> Foreteller<'a> {
    /// At the beginning of `content`, which is shorter than 2^32 bytes.
    pub fn new(content: &'a [u8], rules: Rules, chains: &'a mut Chains) -> Foreteller<'a> {
        debug_assert!(content.len() <= MAX_CONTENT);
        chains.clear(content.len());
        Foreteller {
            content,
            effort: &EFFORTS[usize::from(rules.level) - 1],
            rules,
            chains,
            place: 0,
            inserted: 0,
            waiting: None,
            steps: 0,
        }
    }

    /// How many places were looked at so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    fn is_fast(&self) -> bool {
        self.rules.level <= LAST_FAST
    }

    /// The farthest that a match may be away.
    fn reach(&self) -> usize {
        (1 << self.rules.window_bits) - AHEAD
    }

    fn slot(&self, place: usize) -> usize {
        place & ((1 << self.rules.window_bits) - 1)
    }

    /// The place before one that is held, with the same hash; 0 for none.
    #[inline(always)]
    fn before(&self, place: usize) -> usize {
        self.chains.place(self.chains.before[self.slot(place)])
    }

    /// Has chains hold all places before `end` that they do not hold yet, and that have the bytes for a hash.
    #[inline(always)]
    fn insert(&mut self, end: usize) {
        let shift = u32::from(self.rules.hash_bits).div_ceil(MIN_MATCH as u32);
        let mask = (1 << self.rules.hash_bits) - 1;
        let last = end.min((self.content.len() + 1).saturating_sub(MIN_MATCH));
        while self.inserted < last {
            let place = self.inserted;
            let bytes = &self.content[place..place + MIN_MATCH];
            let hash = bytes
                .iter()
                .fold(0, |hash, &byte| (hash << shift) ^ usize::from(byte));
            let slot = self.slot(place);
            let head = &mut self.chains.head[hash & mask];
            self.chains.before[slot] = *head;
            *head = self.chains.base + place as u32;
            self.inserted += 1;
        }
        self.inserted = self.inserted.max(end);
    }

    /// The best match at a place that chains hold, longer than `longer`; its length is the least one less one if there is none.
    #[inline(always)]
    fn search(&mut self, place: usize, longer: usize) -> Match {
        let none = Match {
            length: MIN_MATCH - 1,
            start: 0,
        };
        let left = self.content.len() - place;
        let mut start = self.before(place);
        if left < MIN_MATCH || longer >= left || start == 0 || place - start > self.reach() {
            return none;
        }
        let most = left.min(MAX_MATCH);
        let nice = self.effort.nice.min(left);
        let mut chain = match longer >= self.effort.good {
            true => self.effort.chain / 4,
            false => self.effort.chain,
        };
        let limit = place.saturating_sub(self.reach());
        let here = &self.content[place..place + most];
        let mut best = Match {
            length: longer,
            start: 0,
        };
        loop {
            self.steps += 1;
            let there = &self.content[start..start + most];
            // `best.length` is below `most`, or the search would have ended.
            if there[best.length] == here[best.length] {
                let length = common(there, here);
                if length > best.length {
                    best = Match { length, start };
                    if length >= nice {
                        break;
                    }
                }
            }
            start = self.before(start);
            chain -= 1;
            if start <= limit || chain == 0 {
                break;
            }
        }
        let length = best.length;
        let far = length == MIN_MATCH && place - best.start > TOO_FAR;
        let short = self.rules.filtered && length <= FILTERED;
        match length > longer && (self.is_fast() || !far && !short) {
            true => best,
            false => none,
        }
    }

    /// The next token, if zlib goes on from here; a byte at the end of the content.
    pub fn next(&mut self) -> Token {
        let place = self.place;
        let found = match self.waiting {
            Some(found) => found,
            None => {
                self.insert(place + 1);
                self.search(place, MIN_MATCH - 1)
            }
        };
        self.waiting = None;
        if found.length < MIN_MATCH {
            return Token::BYTE;
        }
        if !self.is_fast() && found.length < self.effort.lazy {
            self.insert(place + 2);
            let next = self.search(place + 1, found.length);
            if next.length > found.length {
                self.waiting = Some(next);
                return Token::BYTE;
            }
        }
        Token {
            length: found.length as u16,
            distance: (place - found.start) as u16,
        }
    }

    /// Goes on behind the token that came; `foretold` is what [`next`](Self::next) said.
    pub fn go_on(&mut self, token: Token, foretold: Token) {
        if token != foretold || token != Token::BYTE {
            self.waiting = None;
        }
        let end = self.place + usize::from(token.length);
        let is_long = self.is_fast()
            && token.distance > 0
            && (usize::from(token.length) > self.effort.lazy
                || self.content.len() - end < MIN_MATCH);
        if is_long {
            self.inserted = self.inserted.max(end);
        }
        self.insert(end);
        self.place = end;
    }

    /// Passes over bytes that were stored.
    pub fn skip(&mut self, length: usize) {
        self.waiting = None;
        self.place += length;
        self.insert(self.place);
    }
}

/// How many bytes agree.
#[inline(always)]
fn common(a: &[u8], b: &[u8]) -> usize {
    let (heads, _) = a.as_chunks::<8>();
    let (others, _) = b.as_chunks::<8>();
    for (n, (x, y)) in heads.iter().zip(others).enumerate() {
        let differ = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if differ != 0 {
            return 8 * n + differ.trailing_zeros() as usize / 8;
        }
    }
    let whole = 8 * heads.len();
    let rest = a[whole..].iter().zip(&b[whole..]);
    whole + rest.take_while(|(x, y)| x == y).count()
}
