//! The learnt state as bytes: the difference to the state of a predictor that has seen nothing, with runs of zeros left out.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `VXP` and the version |
//! | 8 | fingerprint of vocabulary, set of experts and width of the hidden state |
//! | 3 | sizes of the tables of histories, of runs, and of the last map, as powers of two |
//! | 4, 2n | number of tokens to be remembered, and they |
//! | … | the state: (number of zero bytes, number of others, these) repeated, numbers as LEB128 |
//!
//! All numbers little-endian.

use crate::adaptive::Adaptive;
use crate::learnt::{Field, Sizes};
use crate::mixer::MAX_WEIGHT;
use crate::predictor::Predictor;
use crate::{Error, Options, Vocabulary};

const MAGIC: [u8; 4] = *b"VXP\x05";
/// Tokens that are kept for matches.
const REMEMBERED: usize = 1 << 16;

/// Tells vocabularies, sets of experts and widths of the hidden state apart (FNV-1a, 64 bits).
fn fingerprint(vocabulary: &Vocabulary, options: &Options) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let mut hash = options
        .experts
        .0
        .to_le_bytes()
        .into_iter()
        .chain((options.width as u32).to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, step);
    if options.thorough && vocabulary.is_single_bytes() {
        hash = step(hash, 1);
    }
    for id in 0..vocabulary.len() {
        let token = vocabulary.token(id as u16);
        hash = (token.len() as u32)
            .to_le_bytes()
            .into_iter()
            .fold(hash, step);
        hash = token.iter().copied().fold(hash, step);
    }
    hash
}

/// Writes a field's elements.
fn write(field: Field, out: &mut Vec<u8>) {
    match field {
        Field::Bytes(all) => out.extend_from_slice(all),
        Field::Words(all) => all.iter().for_each(|x| out.extend(x.to_le_bytes())),
        Field::Shorts(all) => all.iter().for_each(|x| out.extend(x.to_le_bytes())),
        Field::Longs(all) => all.iter().for_each(|x| out.extend(x.to_le_bytes())),
        Field::Weights(all) => all.iter().for_each(|x| out.extend(x.to_le_bytes())),
        Field::Adaptive(all) => all.iter().for_each(|x| out.extend(x.0.to_le_bytes())),
        Field::Quads(all) => all.iter().for_each(|x| out.extend(x.to_le_bytes())),
    }
}

/// Changes a field's elements by a difference.
fn change<const N: usize, T>(
    all: &mut [T],
    difference: &mut Difference,
    get: impl Fn(&T) -> [u8; N],
    set: impl Fn([u8; N]) -> T,
) {
    let mut at = 0;
    while at < all.len() {
        // Long stretches that did not change are the rule.
        let same = difference.zeros() / N;
        if same > 0 {
            let same = same.min(all.len() - at);
            difference.skip(same * N);
            at += same;
            continue;
        }
        let old = get(&all[at]);
        all[at] = set(std::array::from_fn(|n| old[n] ^ difference.next()));
        at += 1;
    }
}

/// Reads the runs of a difference.
struct Difference<'a> {
    rest: &'a [u8],
    zeros: usize,
    others: usize,
    /// More was asked for than there is, or a number was no number.
    broken: bool,
}

impl Difference<'_> {
    fn number(&mut self) -> usize {
        let mut value = 0u64;
        for shift in (0..63).step_by(7) {
            let Some((&byte, rest)) = self.rest.split_first() else {
                break;
            };
            self.rest = rest;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return usize::try_from(value).unwrap_or(usize::MAX);
            }
        }
        self.broken = true;
        usize::MAX
    }

    /// Zero bytes that come next.
    fn zeros(&mut self) -> usize {
        if self.zeros == 0 && self.others == 0 && !self.broken {
            self.zeros = self.number();
            self.others = self.number();
            // A run of nothing is written by nobody.
            self.broken |= self.zeros == 0 && self.others == 0;
        }
        // What is broken is read as zeros, to its end.
        if self.broken { usize::MAX } else { self.zeros }
    }

    fn skip(&mut self, count: usize) {
        self.zeros = self.zeros.saturating_sub(count);
    }

    fn next(&mut self) -> u8 {
        if self.zeros() > 0 {
            self.skip(1);
            return 0;
        }
        match self.rest.split_first() {
            Some((&byte, rest)) if self.others > 0 => {
                (self.rest, self.others) = (rest, self.others - 1);
                byte
            }
            _ => {
                // Two empty runs, or the end.
                self.broken = true;
                0
            }
        }
    }
}

/// LEB128.
fn write_number(mut value: usize, out: &mut Vec<u8>) {
    while value >= 128 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The difference as runs. Fewer than four zeros do not end a run of others.
fn write_runs(difference: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while at < difference.len() {
        let start = at
            + difference[at..]
                .iter()
                .take_while(|&&byte| byte == 0)
                .count();
        let mut end = start;
        while end < difference.len() {
            let next = difference[end..]
                .iter()
                .take_while(|&&byte| byte != 0)
                .count()
                + end;
            let gap = difference[next..]
                .iter()
                .take(4)
                .take_while(|&&byte| byte == 0)
                .count();
            if gap == 4 || next + gap == difference.len() {
                end = next;
                break;
            }
            end = next + gap;
        }
        write_number(start - at, out);
        write_number(end - start, out);
        out.extend_from_slice(&difference[start..end]);
        at = end;
    }
}

/// What a predictor has learnt.
pub fn save<const C: usize, const V: usize, const S: usize>(
    predictor: &Predictor<C, V, S>,
    vocabulary: &Vocabulary,
    options: &Options,
) -> Vec<u8> {
    let sizes = predictor.sizes();
    let mut out = MAGIC.to_vec();
    out.extend(fingerprint(vocabulary, options).to_le_bytes());
    out.extend([sizes.histories as u8, sizes.runs as u8, sizes.map as u8]);
    let tokens = predictor.recall(REMEMBERED);
    out.extend((tokens.len() as u32).to_le_bytes());
    tokens
        .iter()
        .for_each(|token| out.extend(token.to_le_bytes()));
    let mut state = Vec::new();
    predictor
        .clone()
        .visit(&mut |field| write(field, &mut state));
    let mut fresh = Vec::with_capacity(state.len());
    Predictor::<C, V, S>::new(vocabulary, options, 1, 0, &sizes)
        .visit(&mut |field| write(field, &mut fresh));
    state
        .iter_mut()
        .zip(&fresh)
        .for_each(|(byte, fresh)| *byte ^= fresh);
    write_runs(&state, &mut out);
    out
}

/// Lets a predictor start from what another has learnt.
pub fn load<const C: usize, const V: usize, const S: usize>(
    predictor: &mut Predictor<C, V, S>,
    prior: &[u8],
    vocabulary: &Vocabulary,
    options: &Options,
) -> Result<(), Error> {
    let cut = Error::Prior("it is cut short");
    let (head, rest) = prior.split_first_chunk::<19>().ok_or(cut.clone())?;
    if head[..3] != MAGIC[..3] {
        return Err(Error::Prior("it is not a saved state"));
    }
    if head[3] != MAGIC[3] {
        return Err(Error::Prior("it was saved by another version"));
    }
    if head[4..12] != fingerprint(vocabulary, options).to_le_bytes() {
        return Err(Error::Prior(
            "it belongs to another vocabulary or other experts",
        ));
    }
    let most = Sizes::new(1 << 32, options.memory_log2, vocabulary.is_single_bytes());
    let sizes = Sizes {
        histories: head[12].into(),
        runs: head[13].into(),
        map: head[14].into(),
        ..predictor.sizes()
    };
    if sizes.histories < 6
        || sizes.histories > most.histories
        || sizes.runs > most.runs
        || sizes.map > most.map
    {
        return Err(Error::Prior(
            "its tables are larger than the memory limit allows",
        ));
    }
    let count = u32::from_le_bytes([head[15], head[16], head[17], head[18]]) as usize;
    if count > REMEMBERED {
        return Err(Error::Prior("it remembers more tokens than it may"));
    }
    let (tokens, rest) = rest.split_at_checked(count * 2).ok_or(cut.clone())?;
    let tokens: Vec<u16> = tokens
        .as_chunks()
        .0
        .iter()
        .map(|&token| u16::from_le_bytes(token))
        .collect();
    if tokens
        .iter()
        .any(|&token| usize::from(token) >= vocabulary.len())
    {
        return Err(Error::Prior(
            "it remembers tokens that the vocabulary does not have",
        ));
    }
    let mut other = Predictor::<C, V, S>::new(vocabulary, options, 1, 0, &sizes);
    let mut difference = Difference {
        rest,
        zeros: 0,
        others: 0,
        broken: false,
    };
    other.visit(&mut |field| {
        let d = &mut difference;
        match field {
            Field::Bytes(all) => change(all, d, |&x| [x], |[x]| x),
            Field::Words(all) => change(all, d, |x| x.to_le_bytes(), u16::from_le_bytes),
            Field::Shorts(all) => change(all, d, |x| x.to_le_bytes(), i16::from_le_bytes),
            Field::Longs(all) => change(all, d, |x| x.to_le_bytes(), u32::from_le_bytes),
            Field::Weights(all) => {
                change(
                    all,
                    d,
                    |x| x.to_le_bytes(),
                    |x| i32::from_le_bytes(x).clamp(-MAX_WEIGHT, MAX_WEIGHT),
                );
            }
            Field::Adaptive(all) => change(
                all,
                d,
                |x| x.0.to_le_bytes(),
                |x| Adaptive(u32::from_le_bytes(x)),
            ),
            Field::Quads(all) => change(all, d, |x| x.to_le_bytes(), u64::from_le_bytes),
        }
    });
    if difference.broken || !difference.rest.is_empty() {
        return Err(Error::Prior(
            "its tables do not fit: it is damaged, or was learnt with another memory",
        ));
    }
    predictor.adopt(other);
    predictor.remember(&tokens);
    Ok(())
}
