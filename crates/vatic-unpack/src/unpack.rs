//! From data with deflate streams to their content and a recipe.

use crate::base64::{self, Taken};
use crate::blocks::{Block, Blocks, Form, MOST_TOKENS};
use crate::codes::Token;
use crate::find::{BETWEEN, Candidate, candidate};
use crate::guess::rules;
use crate::numbers::write;
use crate::pack::{
    BASE64, COUNT_SHIFT, FIXED, LAST, LENGTH_BASE, OWN, PIXELS, PROGRESSIVE, STORED, USUAL, deflate,
};
use crate::progressive::apart;
use crate::rows::Rows;
use crate::search::{Chains, Foreteller, Rules};
use crate::{Error, MAX_CONTENT};

/// Streams of fewer bytes stay as they are.
pub const LEAST: usize = 96;
/// A recipe may have one byte for so many of its stream.
const WORTH: usize = 2;
/// Steps of work that may be done in any case (some tenths of a second), and for each byte of data: what was made to be slow is left as it is.
pub const LEAST_STEPS: u64 = 1 << 26;
const STEPS: u64 = 512;
/// And so many for each byte of what streams say, of all that has room: a picture of a screen says fifty times what its stream has.
const STEPS_OF_CONTENT: u64 = 64;
/// A stream that has no room after more than this part of it was filled is left for the next one.
const WASTE: usize = 8;
/// So many tokens say what rules a stream was written by.
const SAMPLE: usize = 1 << 14;

/// Data whose deflate streams were taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// The data with the content of its streams in their place.
    pub content: Vec<u8>,
    /// How [`pack`](crate::pack) makes the data again from that.
    pub recipe: Vec<u8>,
    /// How many streams were taken apart.
    pub streams: usize,
    /// How many bytes of the data they were.
    pub bytes: usize,
    /// How many bytes of the data this is: all, or as many from the beginning as had room.
    pub used: usize,
}

/// Takes the deflate streams in `data` apart, as far as they can be made again from little. Their content and everything between them are at most
/// `most` bytes, so it ends before a stream whose content has no room any more (which may be the first one: there are none in it then). Of a stream
/// that would hardly have more room by itself as many blocks are taken apart as there is room for. None if there are no streams.
pub fn unpack(data: &[u8], most: usize) -> Option<Unpacked> {
    unpack_with(data, most, false, &mut |_| true)
}

/// The same, and `is_better` says of each picture whether its content is to have pixels in place of the filtered rows that the stream says. With
/// `all` it is all of `data`, to its end: streams whose content has no room beside everything else, the stream itself included, stay
/// as they are, and it is none if `data` itself is longer than `most`, or if there are no other streams.
///
/// ```
/// # use std::io::Write;
/// # let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
/// # zlib.write_all((0..200u32).map(|n| format!("{} so it goes, ", n * n)).collect::<String>().as_bytes())?;
/// # let stream = zlib.finish()?; // of 3,700 bytes
/// let two = stream.repeat(2);
/// let [first, all] = [false, true].map(|all| vatic_unpack::unpack_with(&two, 6_000, all, &mut |_| true).expect("a stream"));
/// assert_eq!((first.streams, first.used), (1, stream.len()));
/// assert_eq!((all.streams, all.used), (1, two.len()));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn unpack_with(
    data: &[u8],
    most: usize,
    all: bool,
    is_better: &mut dyn FnMut(&Picture) -> bool,
) -> Option<Unpacked> {
    let extent = match all {
        true => Extent::All,
        false => Extent::Beginning,
    };
    let most = most.min(MAX_CONTENT);
    let mut unpacked = Unpacked {
        content: Vec::new(),
        recipe: Vec::new(),
        streams: 0,
        bytes: 0,
        used: data.len(),
    };
    // Everything before was dealt with.
    let (mut done, mut at) = (0, 0);
    // And there is no Base64 before this.
    let mut passed = 0;
    let mut work = Work {
        steps: Steps::new(LEAST_STEPS + data.len() as u64 * STEPS),
        steps_of_content: most as u64 * STEPS_OF_CONTENT,
        chains: Chains::new(),
        is_better,
    };
    while at < data.len() && work.steps.0 > 0 {
        // Beside what has to be there in any case.
        let room = |start: usize| {
            let beside = match extent {
                Extent::Beginning => start - done,
                Extent::All => data.len() - done,
            };
            most.checked_sub(unpacked.content.len() + beside)
        };
        let mut found = match data[at] {
            0xFF => room(at)
                .and_then(|room| picture(data, at, room, &mut work.steps))
                .filter(|(_, stream)| !stream.is_cut || extent == Extent::Beginning),
            _ => candidate(data, at).and_then(|candidate| {
                let start = candidate.pieces.first()?.start;
                let stream = Stream::new(data, &candidate, room(start)?, extent, &mut work)?;
                Some((start, stream))
            }),
        };
        if found.is_none() && at >= passed {
            let taken = base64::take(&data[at..]);
            passed = at + taken.passed;
            found = text(data, taken, at, room(at), extent, &mut work.steps);
        }
        let Some((start, stream)) = found else {
            at += 1;
            continue;
        };
        if stream.is_cut && (unpacked.streams > 0 || at > most / WASTE) {
            unpacked.used = at;
            break;
        }
        if stream.end == start {
            at += 1;
            continue;
        }
        let gap = &data[done..start];
        write(gap.len() as u64, &mut unpacked.recipe);
        unpacked.recipe.extend(&stream.recipe);
        unpacked.content.extend(gap);
        unpacked.content.extend(&stream.content);
        unpacked.streams += 1;
        unpacked.bytes += stream.end - start;
        (done, at) = (stream.end, stream.end);
    }
    let room = most - unpacked.content.len();
    unpacked.used = unpacked.used.min(done.saturating_add(room));
    unpacked.content.extend(&data[done..unpacked.used]);
    let mut recipe = Vec::new();
    write(unpacked.streams as u64, &mut recipe);
    recipe.append(&mut unpacked.recipe);
    unpacked.recipe = recipe;
    let is_wanted = match extent {
        Extent::Beginning => unpacked.streams > 0 || (1..data.len()).contains(&unpacked.used),
        Extent::All => unpacked.streams > 0 && unpacked.used == data.len(),
    };
    is_wanted.then_some(unpacked)
}

/// How much of the data has to be dealt with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// As much as there is room for.
    Beginning,
    /// All of it.
    All,
}

/// What is needed for stream after stream.
pub struct Work<'a> {
    pub steps: Steps,
    /// What there is left to be had for content.
    steps_of_content: u64,
    pub chains: Chains,
    is_better: &'a mut dyn FnMut(&Picture) -> bool,
}

/// A stream that says rows of pixels, each of which was filtered.
#[derive(Debug)]
pub struct Picture<'a> {
    rows: Rows,
    text: &'a [u8],
    content: &'a [u8],
    coded: usize,
}

impl Picture<'_> {
    /// Bytes of the stream that says them.
    #[must_use]
    pub fn coded(&self) -> usize {
        self.coded
    }

    /// Some rows from the middle, `most` bytes or one row: as the stream says them, and their pixels.
    #[must_use]
    pub fn sample(&self, most: usize) -> (&[u8], &[u8]) {
        let (filtered, pixels) = self.rows.sample(self.text.len(), most);
        (&self.text[filtered], &self.content[pixels])
    }

    /// Bytes of all rows.
    #[must_use]
    pub fn size(&self) -> usize {
        self.text.len()
    }
}

/// Steps that may still be done.
pub struct Steps(u64);

impl Steps {
    /// So many.
    pub fn new(steps: u64) -> Steps {
        Steps(steps)
    }

    /// Takes off what was done; none if that was too much.
    pub fn spend(&mut self, done: u64) -> Option<()> {
        self.0 = self.0.saturating_sub(done);
        (self.0 > 0).then_some(())
    }
}

/// A stream that was taken apart.
struct Stream {
    content: Vec<u8>,
    recipe: Vec<u8>,
    /// Where it ends in the data.
    end: usize,
    /// Whether there was no room for all of it.
    is_cut: bool,
}

impl Stream {
    /// One that begins here and has no room.
    fn cut(start: usize) -> Stream {
        Stream {
            content: Vec::new(),
            recipe: Vec::new(),
            end: start,
            is_cut: true,
        }
    }

    /// Takes the stream at `candidate` apart, as many whole blocks of it as there are and as their content has room; where everything has to be
    /// dealt with, all of them or none.
    fn new(
        data: &[u8],
        candidate: &Candidate,
        room: usize,
        extent: Extent,
        work: &mut Work,
    ) -> Option<Stream> {
        let (first, others) = candidate.pieces.split_first()?;
        let gathered: Vec<u8>;
        let coded = match others {
            [] => &data[first.clone()],
            _ => {
                let length = candidate.pieces.iter().map(|piece| piece.len() as u64 + 1);
                work.steps.spend(length.sum())?;
                let pieces = candidate.pieces.iter();
                gathered = pieces
                    .flat_map(|piece| &data[piece.clone()])
                    .copied()
                    .collect();
                &gathered
            }
        };
        let mut content = Vec::new();
        let mut blocks = Blocks::new(coded);
        let (mut count, mut sample, mut sampled) = (0, Vec::new(), 0);
        let is_cut = loop {
            match blocks.next(&mut content, room) {
                Ok(Some(block)) => {
                    count += 1;
                    if sampled < SAMPLE {
                        sampled += block.tokens.len();
                        sample.push(block);
                    }
                }
                other => break other.is_err_and(|error| error == Error::Length),
            }
        };
        let (bits, bytes) = (blocks.position(), blocks.position().div_ceil(8));
        work.steps.spend(blocks.work())?;
        if is_cut && extent == Extent::All {
            return None;
        }
        if bytes < LEAST {
            // If that is for want of room, it has to be known.
            return is_cut.then(|| Stream::cut(first.start));
        }
        let more = work
            .steps_of_content
            .min(content.len() as u64 * STEPS_OF_CONTENT);
        work.steps_of_content -= more;
        work.steps.0 += more;
        let rules = rules(&content, &sample, candidate.window_bits, work)?;
        drop(sample);
        let rest = match bits % 8 {
            0 => 0,
            used => coded[bytes - 1] >> used,
        };
        let blocks = write_blocks(coded, count, &content, rules, bytes / WORTH, work)?;
        let rows = candidate.rows.filter(|rows| rows.has_some(content.len()));
        let picture = rows.and_then(|rows| {
            let undone = rows.undo(&content);
            let picture = Picture {
                rows,
                text: &content,
                content: &undone,
                coded: bytes,
            };
            (work.is_better)(&picture).then_some((rows, undone))
        });
        let mut recipe = Vec::new();
        let is_picture = if picture.is_some() { PIXELS } else { 0 };
        let number = rules.to_number() | is_picture;
        write(number, &mut recipe);
        let after_number = recipe.len();
        let end = write_pieces(data, candidate, bytes, &mut recipe);
        write(content.len() as u64, &mut recipe);
        if let Some((rows, undone)) = picture {
            for number in rows.numbers() {
                write(number, &mut recipe);
            }
            content = undone;
        }
        write(rest.into(), &mut recipe);
        recipe.extend(blocks);
        // Whatever was thought of it: it is taken apart if it can be made again.
        let mut rest = &data[first.start..end];
        let mut is_same = |bytes: &[u8]| {
            rest = rest.strip_prefix(bytes).ok_or(Error::Stream)?;
            Ok(())
        };
        let recipe_after = &mut &recipe[after_number..];
        let made = deflate(
            number,
            &content,
            recipe_after,
            &mut work.chains,
            &mut is_same,
        );
        let made = made.is_ok() && rest.is_empty();
        made.then_some(Stream {
            content,
            recipe,
            end,
            is_cut,
        })
    }
}

/// The progressive picture at `at`, if there is one; where its frame begins. If there is no room for its content there is none of it.
fn picture(data: &[u8], at: usize, room: usize, steps: &mut Steps) -> Option<(usize, Stream)> {
    let picture = apart(&data[at..], room, steps)?;
    let start = at + picture.before;
    let mut recipe = Vec::new();
    write(PROGRESSIVE, &mut recipe);
    recipe.extend(picture.recipe);
    let stream = Stream {
        content: picture.content,
        recipe,
        end: start + picture.length,
        is_cut: picture.length == 0,
    };
    (stream.is_cut || stream.recipe.len() <= picture.length / WORTH).then_some((start, stream))
}

/// The Base64 at `at`, if it is some; where it begins. If there is no room for its content there is none of it.
fn text(
    data: &[u8],
    taken: Taken,
    at: usize,
    room: Option<usize>,
    extent: Extent,
    steps: &mut Steps,
) -> Option<(usize, Stream)> {
    steps.spend(taken.passed as u64)?;
    if taken.length == 0 || !taken.is_same(&data[at..at + taken.length]) {
        return None;
    }
    let has_room = room.is_some_and(|room| taken.content.len() <= room);
    if !has_room {
        return (extent == Extent::Beginning).then(|| (at, Stream::cut(at)));
    }
    let mut recipe = Vec::new();
    write(BASE64, &mut recipe);
    recipe.extend(taken.recipe);
    let stream = Stream {
        content: taken.content,
        recipe,
        end: at + taken.length,
        is_cut: false,
    };
    Some((at, stream))
}

/// Writes how the stream of so many bytes is cut; where it ends in the data.
fn write_pieces(data: &[u8], candidate: &Candidate, bytes: usize, recipe: &mut Vec<u8>) -> usize {
    let (mut left, mut number) = (bytes, 0);
    let mut cuts = Vec::new();
    for piece in &candidate.pieces {
        if left <= piece.len() {
            write(number, recipe);
            recipe.append(&mut cuts);
            return piece.start + left;
        }
        left -= piece.len();
        number += 1;
        write(piece.len() as u64, &mut cuts);
        cuts.extend(&data[piece.end..piece.end + BETWEEN]);
    }
    data.len()
}

/// The blocks of a stream as a recipe has them, and what is not as foretold. None if that takes more than `most` bytes.
fn write_blocks(
    coded: &[u8],
    count: u64,
    content: &[u8],
    rules: Rules,
    most: usize,
    work: &mut Work,
) -> Option<Vec<u8>> {
    let Work { steps, chains, .. } = work;
    let mut recipe = Vec::new();
    let (mut foreteller, mut before) = (Foreteller::new(content, rules, chains), 0);
    let mut corrections = Vec::new();
    let (mut number, mut skip) = (0, 0);
    let mut blocks = Blocks::new(coded);
    let mut said = Vec::with_capacity(content.len());
    write(count, &mut recipe);
    for _ in 0..count {
        let block = blocks.next(&mut said, usize::MAX).ok()??;
        write_shape(&block, &mut recipe);
        if let Form::Stored(length) = block.form {
            foreteller.skip(length);
        }
        for token in block.tokens {
            let foretold = foreteller.next();
            foreteller.go_on(token, foretold);
            if token == foretold {
                skip += 1;
                continue;
            }
            write(skip, &mut corrections);
            (number, skip) = (number + 1, 0);
            match token {
                Token::BYTE => write(0, &mut corrections),
                Token { length, distance } => {
                    write(u64::from(length) - LENGTH_BASE, &mut corrections);
                    write(distance.into(), &mut corrections);
                }
            }
        }
        steps.spend(foreteller.steps() - before)?;
        before = foreteller.steps();
        if recipe.len() + corrections.len() > most {
            return None;
        }
    }
    write(number, &mut recipe);
    recipe.append(&mut corrections);
    Some(recipe)
}

fn write_shape(block: &Block, recipe: &mut Vec<u8>) {
    let last = if block.is_last { LAST } else { 0 };
    let (form, count) = match &block.form {
        Form::Stored(length) => (STORED, *length),
        Form::Fixed => (FIXED, block.tokens.len()),
        Form::Usual => (USUAL, block.tokens.len()),
        Form::Own(_) => (OWN, block.tokens.len()),
    };
    debug_assert!(count <= MOST_TOKENS);
    write(form | last | (count as u64) << COUNT_SHIFT, recipe);
    if let Form::Own(bits) = &block.form {
        write(bits.count as u64, recipe);
        recipe.extend(&bits.bytes);
    }
}
