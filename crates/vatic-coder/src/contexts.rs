//! The contexts in which experts keep their histories: hashes of what came before the token.

use crate::history::{Recent, Tokens};
use crate::image::{self, Image};
use crate::jpeg::Jpeg;
use crate::table::combine;

/// Contexts of a token tree, by name. Those of tokens first, then bytes, words, columns and fields. (Longer ones are left
/// to the runs and the match models.)
pub const TOKEN_CONTEXTS: [&str; 10] = [
    "t2", "b4", "b6", "word", "pair", "column", "indirect", "marks", "field", "cell",
];

/// Contexts of the byte tree, by name: as many as the mixer has room for. Long ones are left to the match models here, too. Those beyond
/// [`USUAL`] are for thorough work: see `thorough.rs`.
pub const BYTE_CONTEXTS: [&str; 32] = [
    "o2",
    "o3",
    "o5",
    "b2",
    "b3",
    "word",
    "pair",
    "above",
    "record",
    "record2",
    "indirect",
    "kinds",
    "marks",
    "field", // and from here on for thorough work:
    "o1",
    "o8",
    "place",
    "gap",
    "far",
    "rough",
    "indirect2",
    "skip",
    "letters",
    "outline",
    "below",
    "record3",
    "ridge",
    "corner",
    "offset",
    "slope",
    "ramp",
    "coarse",
];

/// How many contexts of bytes are usual.
pub const USUAL: usize = 14;

/// Run contexts of a token tree.
pub const RUN_CONTEXTS: [&str; 3] = ["run2", "run4", "run6"];

/// What a stream remembers beyond its last bytes.
#[derive(Debug, Clone)]
pub struct Memory {
    /// By byte (or token): what followed it the last two times.
    follow: Vec<u32>,
    /// By byte: where it was last, and how far that was from the time before.
    seen: Vec<[u32; 2]>,
    /// By distance: how much speaks for records of this length.
    votes: Vec<u32>,
    /// The most likely length of a record, 0 if none.
    pub stride: usize,
    /// What is known of a picture.
    pub image: Image,
    /// What is known of a picture that JPEG has compressed.
    pub jpeg: Jpeg,
}

/// Longest record that is looked for.
const MAX_STRIDE: usize = 4096;

impl Memory {
    /// Nothing known.
    pub fn new(tokens: usize, single_bytes: bool, thorough: bool) -> Memory {
        Memory {
            follow: vec![0; tokens],
            seen: if single_bytes {
                vec![[0; 2]; 256]
            } else {
                Vec::new()
            },
            votes: if single_bytes {
                vec![0; MAX_STRIDE]
            } else {
                Vec::new()
            },
            stride: 0,
            image: Image::default(),
            jpeg: Jpeg::new(thorough),
        }
    }

    /// The length of a record: a picture's rows are some.
    #[inline(always)]
    pub fn record(&self) -> usize {
        match self.image.row() {
            0 => self.stride,
            row => row,
        }
    }

    /// What followed `token` the last two times, the latest lowest.
    #[inline(always)]
    fn followed(&self, token: u16) -> u32 {
        self.follow.get(usize::from(token)).copied().unwrap_or(0)
    }

    /// Learns that `token` came after `before`.
    #[inline(always)]
    pub fn follow(&mut self, before: u16, token: u16) {
        let entry = &mut self.follow[usize::from(before)];
        *entry = *entry << 16 | u32::from(token);
    }

    /// Looks for a record length: a byte that comes back at the same distance again votes for it.
    #[inline(always)]
    pub fn vote(&mut self, recent: &Recent, byte: u8) {
        let here = recent.position as u32;
        let [last, distance] = self.seen[usize::from(byte)];
        let now = here.wrapping_sub(last);
        if now == distance && now > 1 && (now as usize) < MAX_STRIDE {
            // Rare bytes and long distances say more.
            self.votes[now as usize] += now.ilog2() + 1;
            let votes = self.votes[now as usize];
            if votes > self.votes[self.stride] && votes > 64 {
                self.stride = now as usize;
            }
            if votes > 1 << 12 {
                self.votes.iter_mut().for_each(|votes| *votes /= 2);
            }
        }
        self.seen[usize::from(byte)] = [here, now];
    }
}

/// Hashes of all contexts of a token tree.
pub fn of_tokens(
    out: &mut [u32; TOKEN_CONTEXTS.len()],
    tokens: &Tokens,
    stream: usize,
    recent: &Recent,
    memory: &Memory,
) {
    let len = tokens.len(stream);
    let t = |back: usize| {
        len.checked_sub(back)
            .and_then(|at| tokens.get(stream, at))
            .map_or(0x1_0000, u32::from)
    };
    let (t1, t2) = (t(1), t(2));
    out[0] = combine(combine(1, t1), t2);
    let last = recent.last;
    for (n, bytes) in [4, 6].into_iter().enumerate() {
        let part = last & ((1 << (8 * bytes)) - 1);
        out[1 + n] = combine(combine(100 + n as u32, part as u32), (part >> 32) as u32);
    }
    let b1 = last as u32 & 0xFF;
    let within = recent.word != 0;
    let (word, before) = if within {
        (recent.word, recent.previous_word)
    } else {
        (recent.previous_word, recent.second_word)
    };
    out[3] = combine(combine(200 + u32::from(within), word), b1);
    out[4] = combine(combine(202 + u32::from(within), word), before);
    let (column, up) = above(recent);
    out[5] = combine(combine(400, column), up & 0xFF);
    let followed = u16::try_from(t1).map_or(0, |t1| memory.followed(t1));
    out[6] = combine(combine(500, t1), followed);
    let fields = &recent.fields;
    out[7] = combine(combine(600, fields.marks), b1);
    out[8] = field(recent);
    let same = u32::from(fields.same);
    out[9] = combine(
        combine(602, under(recent)),
        combine(same, combine(word, b1)),
    );
}

/// Column of the next byte (up to 255), and the two bytes above it, 0 where the line above is shorter.
#[inline(always)]
fn above(recent: &Recent) -> (u32, u32) {
    let column = recent.column();
    let above = recent.above + column;
    let up = if above < recent.line {
        u32::from(recent.at(above)) | u32::from(recent.at(above + 1)) << 8
    } else {
        0
    };
    (column.min(255) as u32, up)
}

/// The four bytes from the one that stands above the next byte, in the same field; 0 where there is none.
#[inline(always)]
pub fn under(recent: &Recent) -> u32 {
    let Some(at) = recent.fields.above(recent.position) else {
        return 0;
    };
    (0..4).fold(0, |all, n| all | u32::from(recent.at(at + n)) << (8 * n))
}

/// Hash of what stands above in the same field, and of how well this line resembles the one above so far.
#[inline(always)]
fn field(recent: &Recent) -> u32 {
    let fields = &recent.fields;
    let at = combine(
        fields.number as u32,
        fields.misses.min(3) << 1 | u32::from(fields.same),
    );
    combine(combine(601, under(recent)), at)
}

/// The contexts that a picture's take the places of: pair, marks, above, field, indirect, b3.
pub const OF_TEXT: [usize; image::USUAL] = [6, 12, 7, 13, 10, 4];

/// Hashes of the usual contexts of the byte tree.
pub fn of_bytes<const C: usize>(out: &mut [u32; C], recent: &Recent, memory: &Memory) {
    let last = recent.last;
    for (n, order) in [2, 3, 5].into_iter().enumerate() {
        let part = last & ((1 << (8 * order)) - 1);
        out[n] = combine(combine(order, part as u32), (part >> 32) as u32);
    }
    let b = |back: usize| (last >> (8 * (back - 1))) as u32 & 0xFF;
    out[3] = combine(300, b(2));
    out[4] = combine(301, b(3));
    out[5] = combine(combine(200, recent.word), b(1));
    out[6] = combine(combine(202, recent.word), recent.previous_word);
    let (_, up) = above(recent);
    out[7] = combine(combine(401, up), b(1));
    let stride = memory.record();
    let (north, north2) = if stride > 0 {
        (
            u32::from(recent.back(stride)),
            u32::from(recent.back(2 * stride)),
        )
    } else {
        (b(4), b(8))
    };
    out[8] = combine(402, north | b(1) << 8);
    out[9] = combine(combine(403, north | north2 << 8), stride as u32);
    out[10] = combine(combine(500, b(1)), memory.followed(b(1) as u16));
    out[11] = combine(405, recent.kinds);
    out[12] = combine(combine(600, recent.fields.marks), b(1));
    out[13] = field(recent);
}

/// Hashes of the run contexts: the last 2, 4 and 6 tokens.
pub fn of_runs(out: &mut [u32; RUN_CONTEXTS.len()], tokens: &Tokens, stream: usize) {
    let len = tokens.len(stream);
    let t = |back: usize| {
        len.checked_sub(back)
            .and_then(|at| tokens.get(stream, at))
            .map_or(0x1_0000, u32::from)
    };
    let mut hash = 601;
    for (n, out) in out.iter_mut().enumerate() {
        hash = combine(combine(hash, t(2 * n + 1)), t(2 * n + 2));
        *out = hash;
    }
}
