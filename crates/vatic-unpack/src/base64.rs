//! Base64 (RFC 4648), as mails, certificates, notebooks and pages have what is no text in them: in lines of one length, or in one line. Where it is
//! taken for text its bits are hidden from whoever would foretell them: a byte begins in the middle of a character, and the same bytes look
//! otherwise at each third place.

use crate::Error;
use crate::numbers::{read, read_bytes, read_size, write};

/// Base64 of fewer characters stays as it is.
const LEAST: usize = 512;
/// And lines of fewer.
const SHORTEST_LINE: usize = 32;
/// The end of a line as strings of JSON and of programs have it.
const WRITTEN_ENDS: [&[u8]; 2] = [b"\\n", b"\\r\\n"];
/// So many bytes behind a line its end has to be (there may be a quotation mark before it), and so many the next one may be indented.
const NEAR: usize = 16;
const MOST_INDENTED: usize = 64;
/// Most bytes between two lines.
const MOST_BETWEEN: usize = 255;
/// Noise of fewer bytes stays as it is, among the text around it: it costs as much in either way, and more where it is taken for text.
const SMALL: usize = 1 << 12;
/// What looks like noise and may be none inside: PNG, gzip, zip, JPEG.
const PACKED: [&[u8]; 4] = [b"\x89PNG", b"\x1F\x8B", b"PK\x03\x04", b"\xFF\xD8\xFF"];
/// So many characters tell whether it is Base64.
const SAMPLE: usize = 2048;
/// Fills the last four characters up.
const FILL: u8 = b'=';

const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// By character: its six bits, or [`NONE`].
static VALUES: [u8; 256] = values();
const NONE: u8 = 0xFF;

const fn values() -> [u8; 256] {
    let (mut values, mut n) = ([NONE; 256], 0);
    while n < CHARACTERS.len() {
        values[CHARACTERS[n] as usize] = n as u8;
        n += 1;
    }
    values
}

fn is_character(byte: &u8) -> bool {
    VALUES[usize::from(*byte)] != NONE
}

/// How lines are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lines<'a> {
    /// Characters of a line; 0 if there is only one.
    width: usize,
    between: &'a [u8],
}

/// What was taken from the beginning of data.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    /// How many bytes of the data it was; none if it is no Base64, or too little.
    pub length: usize,
    pub content: Vec<u8>,
    pub recipe: Vec<u8>,
    /// So many bytes need not be looked at again.
    pub passed: usize,
}

/// Takes what `data` begins with, if that is Base64. Before it there should be no character of it.
pub fn take(data: &[u8]) -> Taken {
    let none = |passed: usize| Taken {
        length: 0,
        content: Vec::new(),
        recipe: Vec::new(),
        passed: passed.max(1),
    };
    let first = data.iter().take_while(|byte| is_character(byte)).count();
    if first < SHORTEST_LINE {
        return none(first);
    }
    let mut lines = lines(data, first);
    let (mut characters, mut length) = gather(data, &lines);
    if characters.len() < 2 * first {
        // Two words, or what comes behind the only line.
        (lines.width, lines.between) = (0, b"");
        (characters, length) = gather(data, &lines);
    }
    if characters.len() < LEAST {
        // The next line may be the first of others.
        return none(first);
    }
    if !is_likely(&characters) {
        return none(length);
    }
    let passed = length;
    length = filled(&data[length..], &characters, &lines).map_or_else(
        || {
            // Without its end it has whole bytes as well.
            characters.truncate(characters.len() / 4 * 4);
            lines.length(characters.len())
        },
        |more| length + more,
    );
    let content = decode(&characters);
    if content.len() < SMALL && is_noise(&content) {
        return none(passed);
    }
    let mut recipe = Vec::new();
    write(content.len() as u64, &mut recipe);
    lines.write(&mut recipe);
    Taken {
        length,
        content,
        recipe,
        passed,
    }
}

impl Taken {
    /// Whether this can be made again from it.
    pub fn is_same(&self, mut data: &[u8]) -> bool {
        let mut is_same = |bytes: &[u8]| {
            data = data.strip_prefix(bytes).ok_or(Error::Stream)?;
            Ok(())
        };
        let made = again(&self.content, &mut &self.recipe[..], &mut is_same);
        made.is_ok() && data.is_empty()
    }
}

/// How many bytes behind these characters fill their last four up, if they do: none where nothing has to. The bits that belong to no byte are zeros.
fn filled(data: &[u8], characters: &[u8], lines: &Lines) -> Option<usize> {
    let last = VALUES[usize::from(*characters.last()?)];
    let (fill, spare) = match characters.len() % 4 {
        0 => return Some(0),
        2 => (2, 0x0F),
        3 => (1, 0x03),
        _ => return None,
    };
    let mut rest = data;
    for at in characters.len()..characters.len() + fill {
        // They may be on a line of their own.
        if lines.width > 0 && at % lines.width == 0 {
            rest = rest.strip_prefix(lines.between)?;
        }
        rest = rest.strip_prefix(&[FILL])?;
    }
    (last & spare == 0).then_some(data.len() - rest.len())
}

/// How the lines are cut whose first one has so many characters.
fn lines(data: &[u8], first: usize) -> Lines<'_> {
    match between(&data[first..]) {
        Some(between) => Lines {
            width: first,
            between,
        },
        None => Lines {
            width: 0,
            between: b"",
        },
    }
}

/// What is between a line, behind which this is, and the next one, if there is a next one: the line's end, and what the next is indented by.
fn between(data: &[u8]) -> Option<&[u8]> {
    if data.first() == Some(&FILL) {
        return None;
    }
    let written = WRITTEN_ENDS.iter().find(|end| data.starts_with(end));
    let end = match written {
        Some(end) => end.len(),
        None => data.iter().take(NEAR).position(|&byte| byte == b'\n')? + 1,
    };
    let next = data[end..]
        .iter()
        .take(MOST_INDENTED)
        .position(is_character)?;
    Some(&data[..end + next])
}

/// The characters of all lines, of which the last one may be shorter, and how many bytes they are.
fn gather(data: &[u8], lines: &Lines) -> (Vec<u8>, usize) {
    let (mut characters, mut at) = (Vec::new(), 0);
    loop {
        let most = if lines.width > 0 {
            lines.width
        } else {
            usize::MAX
        };
        let line = data[at..]
            .iter()
            .take(most)
            .take_while(|byte| is_character(byte));
        let length = line.count();
        characters.extend(&data[at..at + length]);
        at += length;
        let next = data[at..].strip_prefix(lines.between);
        let goes_on = next.is_some_and(|next| next.first().is_some_and(is_character));
        if length < most || !goes_on {
            return (characters, at);
        }
        at += lines.between.len();
    }
}

/// Whether it is Base64 and not what else is written without spaces: names, numbers, the bases of a genome.
fn is_likely(characters: &[u8]) -> bool {
    let sample = &characters[..characters.len().min(SAMPLE)];
    let share = |of: fn(&u8) -> bool, parts: usize| {
        sample.iter().filter(|&byte| of(byte)).count() * parts >= sample.len()
    };
    let mut is_there = [false; 256];
    sample
        .iter()
        .for_each(|&byte| is_there[usize::from(byte)] = true);
    share(u8::is_ascii_uppercase, 16)
        && share(u8::is_ascii_lowercase, 16)
        && share(u8::is_ascii_digit, 64)
        && is_there.iter().filter(|&&there| there).count() >= 24
}

/// Whether all bytes are equally frequent, and it is nothing that can be taken apart.
fn is_noise(content: &[u8]) -> bool {
    let mut counts = [0u64; 256];
    content
        .iter()
        .for_each(|&byte| counts[usize::from(byte)] += 1);
    // Pairs of equal bytes: in noise one in 256 is expected, and 23/n of that the deviation; in what is compressed there are up to 3 % more.
    let pairs = counts.iter().map(|&count| count * count.saturating_sub(1));
    let pairs: u64 = pairs.sum();
    let length = content.len() as u64;
    let is_packed = PACKED.iter().any(|start| content.starts_with(start));
    pairs * 256 * 100 < length * length * 103 + length * 4500 && !is_packed
}

/// The bytes of as many characters.
fn decode(characters: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(characters.len() / 4 * 3 + 2);
    for four in characters.chunks(4) {
        let bits = four.iter().fold(0u32, |bits, &character| {
            bits << 6 | u32::from(VALUES[usize::from(character)])
        });
        let bytes = (bits << (32 - 6 * four.len())).to_be_bytes();
        content.extend(&bytes[..four.len() * 6 / 8]);
    }
    content
}

impl<'a> Lines<'a> {
    /// The bytes of lines of so many characters.
    fn length(&self, characters: usize) -> usize {
        let cuts = match self.width {
            0 => 0,
            width => characters.saturating_sub(1) / width,
        };
        characters + cuts * self.between.len()
    }

    fn write(&self, recipe: &mut Vec<u8>) {
        write(self.width as u64, recipe);
        if self.width > 0 {
            write(self.between.len() as u64, recipe);
            recipe.extend(self.between);
        }
    }

    fn read(recipe: &mut &'a [u8]) -> Result<Lines<'a>, Error> {
        let width = read_size(recipe)?;
        let between: &[u8] = match width {
            0 => &[],
            _ => {
                let length = read_size(recipe)?;
                if length > MOST_BETWEEN {
                    return Err(Error::Recipe("there is too much between two lines"));
                }
                read_bytes(recipe, length)?
            }
        };
        Ok(Lines { width, between })
    }
}

/// Makes the characters again of what `content` begins with; how much of that it took.
pub fn again(
    content: &[u8],
    recipe: &mut &[u8],
    give: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<usize, Error> {
    let length = usize::try_from(read(recipe)?).map_err(|_| Error::Length)?;
    let content = content.get(..length).ok_or(Error::Length)?;
    let lines = Lines::read(recipe)?;
    let mut column = 0;
    for piece in content.chunks(3 << 10) {
        let mut text = Vec::with_capacity(lines.length(piece.len().div_ceil(3) * 4));
        for three in piece.chunks(3) {
            let bits = three
                .iter()
                .fold(0u32, |bits, &byte| bits << 8 | u32::from(byte));
            let bits = bits << (24 - 8 * three.len());
            for n in 0..4 {
                if lines.width > 0 && column == lines.width {
                    text.extend(lines.between);
                    column = 0;
                }
                column += 1;
                text.push(match n <= three.len() {
                    true => CHARACTERS[(bits >> (18 - 6 * n) & 63) as usize],
                    false => FILL,
                });
            }
        }
        give(&text)?;
    }
    Ok(length)
}

#[cfg(test)]
mod tests;
