//! Machine code with the addresses of what it calls and reads in place of the distances to it: a function that is called from a hundred
//! places is the same four bytes at each of them then, which experts can foretell. The method is known as a branch converter or BCJ
//! filter from 7-Zip and xz; that of x86-64 here takes the operands relative to the instruction pointer as well.
//!
//! Nothing is known of files' formats: bytes that look like such an instruction are taken for one, everywhere alike. Whether it is worth
//! anything is seen in the operands ([`Filter::suits`]).

/// What stands in place of distances in the content that experts see. `docs/format.md` §4.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Filter {
    /// Code for x86: calls and jumps.
    X86,
    /// Code for x86 of 64 bits: whatever is relative to the instruction pointer.
    X86_64,
    /// Code for 64-bit ARM.
    Arm64,
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Filter::X86 => "x86",
            Filter::X86_64 => "x86-64",
            Filter::Arm64 => "arm64",
        })
    }
}

/// Whether distances become addresses or the other way round.
#[derive(Clone, Copy)]
enum Way {
    Apply,
    Undo,
}

/// Operands are converted that are within 2^24 bytes of zero: their highest byte is 0 or 255, and stays so.
const X86_BITS: u32 = 25;
/// Pages are converted that are so near: the higher bits of the 21 are all the same.
const ARM64_PAGE_BITS: u32 = 18;

impl Filter {
    /// All there are.
    pub(crate) const ALL: [Filter; 3] = [Filter::X86, Filter::X86_64, Filter::Arm64];

    /// So many bytes have to lie ahead for an instruction to be looked at. What is left at the end stays as it is.
    const fn ahead(self) -> usize {
        match self {
            Filter::X86 | Filter::X86_64 => 8,
            Filter::Arm64 => 4,
        }
    }

    /// The filter that makes most operands of `content` the same as others, if one does that often enough to be worth having.
    pub(crate) fn suits(content: &[u8]) -> Option<Filter> {
        let (saved, filter) = Filter::ALL
            .into_iter()
            .rev()
            .map(|filter| (filter.saves(content), filter))
            .max_by_key(|&(saved, _)| saved)?;
        (saved > content.len() / WORTH).then_some(filter)
    }

    /// By how many there are fewer different operands if they are converted. Each of them would be new to experts, and cost one or two bytes.
    fn saves(self, content: &[u8]) -> usize {
        let mut values: [Vec<u32>; 2] = [Vec::new(), Vec::new()];
        let mut at = 0;
        while let Some(bytes) = content.get(at..at + self.ahead()) {
            let operand = self.operand(bytes, at, Way::Apply);
            at += self.step();
            if let Some((end, both)) = operand {
                at += end - self.step();
                for (values, value) in values.iter_mut().zip(both) {
                    values.push(value);
                }
            }
        }
        let [before, after] = values.map(|mut values| {
            values.sort_unstable();
            values.dedup();
            values.len()
        });
        before.saturating_sub(after)
    }

    /// `content` with addresses in place of distances.
    ///
    /// What looks like an instruction may begin within the operand of another. So the last one is converted first: whoever undoes this from
    /// the beginning on meets at each place what was there when it was converted, except for the operand itself.
    pub(crate) fn apply(self, content: &[u8]) -> Vec<u8> {
        let mut out = content.to_vec();
        self.apply_to(&mut out);
        out
    }

    /// The same in place.
    pub(crate) fn apply_to(self, bytes: &mut [u8]) {
        let places = (bytes.len() + 1).saturating_sub(self.ahead());
        for at in (0..places).step_by(self.step()).rev() {
            self.convert(&mut bytes[at..], at, Way::Apply);
        }
    }

    /// Makes all of it content again.
    pub(crate) fn undo_all(self, filtered: &mut [u8]) {
        self.undo(filtered, 0);
    }

    /// Undoes it from the beginning of `bytes` on, which is that place of the content; how many bytes are content again.
    fn undo(self, bytes: &mut [u8], start: usize) -> usize {
        let places = (bytes.len() + 1).saturating_sub(self.ahead());
        let mut at = 0;
        while at < places {
            self.convert(&mut bytes[at..], start + at, Way::Undo);
            at += self.step();
        }
        at
    }

    /// Converts the operand of the instruction that may begin with `bytes`, at `place`.
    #[inline(always)]
    fn convert(self, bytes: &mut [u8], place: usize, way: Way) {
        if let Some((end, [_, value])) = self.operand(bytes, place, way) {
            bytes[end - 4..end].copy_from_slice(&value.to_le_bytes());
        }
    }

    /// Instructions begin at each multiple of so many bytes.
    const fn step(self) -> usize {
        match self {
            Filter::X86 | Filter::X86_64 => 1,
            Filter::Arm64 => 4,
        }
    }

    /// The four bytes that are to be converted of an instruction that begins with `bytes` at `place`: where they end, and what they are
    /// before and after. There are at least as many bytes as [`ahead`](Self::ahead) says. It is an operand after it was converted if, and
    /// only if, it was one before.
    #[inline(always)]
    fn operand(self, bytes: &[u8], place: usize, way: Way) -> Option<(usize, [u32; 2])> {
        match self {
            Filter::X86 => x86(bytes, place, way, branch(bytes)?),
            Filter::X86_64 => x86(bytes, place, way, relative(bytes)?),
            Filter::Arm64 => arm64(bytes, place, way),
        }
    }
}

/// A filter is used if it leaves one different operand fewer for so many bytes.
const WORTH: usize = 512;

/// Adds `offset` when a filter is applied, and takes it away when it is undone.
fn shift(value: u32, offset: usize, way: Way) -> u32 {
    match way {
        Way::Apply => value.wrapping_add(offset as u32),
        Way::Undo => value.wrapping_sub(offset as u32),
    }
}

/// The number in the low `bits` bits, with its sign.
fn signed(value: u32, bits: u32) -> u32 {
    ((value << (32 - bits)) as i32 >> (32 - bits)) as u32
}

/// Where the distance stands in a call or a jump that begins so, and how many bytes of it follow.
#[inline(always)]
fn branch(bytes: &[u8]) -> Option<(usize, usize)> {
    matches!(bytes[0], 0xE8 | 0xE9).then_some((1, 0))
}

/// The same of any instruction that has one.
#[inline(always)]
fn relative(bytes: &[u8]) -> Option<(usize, usize)> {
    /// The operand in memory is given by its distance from the next instruction.
    fn is_relative(modrm: u8) -> bool {
        modrm & 0xC7 == 0x05
    }
    match (bytes[0], bytes[1]) {
        // call and jmp to where the memory says
        (0xFF, 0x15 | 0x25) => Some((2, 0)),
        // add, sub, xor, cmp, movsxd, test, mov, lea
        (0x01 | 0x03 | 0x2B | 0x33 | 0x38..=0x3B | 0x63 | 0x85 | 0x88..=0x8B | 0x8D, modrm)
            if is_relative(modrm) =>
        {
            Some((2, 0))
        }
        // Instructions of two bytes, but for jumps on a condition, which are short.
        (0x0F, second) if second & 0xF0 != 0x80 && is_relative(bytes[2]) => Some((3, 0)),
        // The same with a number of one byte, and of four.
        (0x80 | 0x83 | 0xC6 | 0xF6, 0x05 | 0x3D) => Some((2, 1)),
        (0x81 | 0xC7, 0x05 | 0x3D) => Some((2, 4)),
        _ => branch(bytes),
    }
}

#[inline(always)]
fn x86(
    bytes: &[u8],
    place: usize,
    way: Way,
    (before, behind): (usize, usize),
) -> Option<(usize, [u32; 2])> {
    let (end, value) = (before + 4, word(&bytes[before..]));
    if signed(value, X86_BITS) != value {
        return None;
    }
    let converted = signed(shift(value, place + end + behind, way), X86_BITS);
    Some((end, [value, converted]))
}

#[inline(always)]
fn arm64(bytes: &[u8], place: usize, way: Way) -> Option<(usize, [u32; 2])> {
    let code = word(bytes);
    let converted = if code >> 26 == 0x25 {
        // bl: a distance in instructions.
        0x25 << 26 | shift(code, place / 4, way) & 0x03FF_FFFF
    } else if code & 0x9F00_0000 == 0x9000_0000 {
        // adrp: a distance in pages of 4 KiB, its two lowest bits apart.
        let pages = signed(code >> 29 & 3 | code >> 3 & 0x1F_FFFC, 21);
        if signed(pages, ARM64_PAGE_BITS) != pages {
            return None;
        }
        let pages = signed(shift(pages, place >> 12, way), ARM64_PAGE_BITS);
        code & 0x9F00_001F | (pages & 3) << 29 | (pages & 0x1F_FFFC) << 3
    } else {
        return None;
    };
    Some((4, [code, converted]))
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// Undoes a filter on content that comes in parts.
pub(crate) struct Undo {
    filter: Option<Filter>,
    /// Where `part` begins in the content.
    start: usize,
    /// What is not content yet, and then what came last.
    part: Vec<u8>,
    /// How much at the beginning of `part` is content.
    done: usize,
}

impl Undo {
    /// Without a filter everything stays as it is.
    pub(crate) fn new(filter: Option<Filter>) -> Undo {
        Undo {
            filter,
            start: 0,
            part: Vec::new(),
            done: 0,
        }
    }

    /// How many bytes beyond those that are wanted have to be known.
    pub(crate) fn ahead(&self) -> usize {
        self.filter.map_or(0, Filter::ahead)
    }

    /// The place for what comes next, to be appended; what was content is forgotten.
    pub(crate) fn next(&mut self) -> &mut Vec<u8> {
        self.part.drain(..self.done);
        self.start += self.done;
        self.done = 0;
        &mut self.part
    }

    /// The content as far as what was appended says; at the end, all that is left.
    pub(crate) fn content(&mut self, at_end: bool) -> &[u8] {
        self.done = match self.filter {
            Some(filter) => {
                let certain = filter.undo(&mut self.part, self.start);
                if at_end { self.part.len() } else { certain }
            }
            None => self.part.len(),
        };
        &self.part[..self.done]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn undone(filter: Option<Filter>, filtered: &[u8], lengths: &[usize]) -> Vec<u8> {
        let (mut undo, mut out, mut rest) = (Undo::new(filter), Vec::new(), filtered);
        for &length in lengths.iter().cycle() {
            let (part, after) = rest.split_at(length.min(rest.len()));
            undo.next().extend_from_slice(part);
            rest = after;
            out.extend_from_slice(undo.content(rest.is_empty()));
            if rest.is_empty() {
                return out;
            }
        }
        unreachable!("lengths are not all 0")
    }

    /// Bytes that are instructions more often than any would be.
    fn code() -> impl Strategy<Value = Vec<u8>> {
        let x86 = prop::sample::select(vec![
            0xE8, 0xE9, 0xFF, 0x15, 0x8B, 0x05, 0x0F, 0x3D, 0x80, 0xC7, 0, 0xFF, 0x48,
        ]);
        let bytes = prop_oneof![3 => x86, 1 => any::<u8>()];
        let arm64 = prop_oneof![
            any::<u32>().prop_map(|code| code | 0x9000_0000),
            any::<u32>().prop_map(|code| 0x25 << 26 | code >> 6),
            any::<u32>().prop_map(|code| code & 0x60FF_FFFF | 0x9000_0000),
        ];
        prop_oneof![
            prop::collection::vec(bytes, 0..400),
            prop::collection::vec(arm64, 0..100)
                .prop_map(|codes| codes.into_iter().flat_map(u32::to_le_bytes).collect()),
        ]
    }

    proptest! {
        #[test]
        fn content_comes_back_in_parts_of_any_length(content in code(), lengths in prop::collection::vec(1..40usize, 1..5)) {
            for filter in Filter::ALL {
                let mut filtered = filter.apply(&content);
                prop_assert_eq!(&undone(Some(filter), &filtered, &lengths), &content);
                filter.undo_all(&mut filtered);
                prop_assert_eq!(&filtered, &content);
            }
            prop_assert_eq!(&undone(None, &content, &lengths), &content);
        }

        /// A decoder meets what no encoder made.
        #[test]
        fn everything_is_the_filtered_form_of_something(filtered in code()) {
            for filter in Filter::ALL {
                prop_assert_eq!(filter.apply(&undone(Some(filter), &filtered, &[7])), &filtered[..]);
            }
        }
    }

    /// `count` instructions, the nth of which calls the target `n % targets`, with something between them.
    fn calls(count: usize, targets: usize, call: impl Fn(&mut Vec<u8>, usize)) -> Vec<u8> {
        let mut code = Vec::new();
        for n in 0..count {
            call(&mut code, 4096 * (n % targets));
            let other = [0x1F, 0x20, 0x03, 0xD5];
            (0..n % 5).for_each(|_| code.extend(other));
        }
        code
    }

    fn x86_call(code: &mut Vec<u8>, target: usize) {
        code.push(0xE8);
        let next = code.len() + 4;
        code.extend((target as u32).wrapping_sub(next as u32).to_le_bytes());
    }

    fn x86_64_load(code: &mut Vec<u8>, target: usize) {
        code.extend([0x48, 0x8B, 0x0D]);
        let next = code.len() + 4;
        code.extend((target as u32).wrapping_sub(next as u32).to_le_bytes());
    }

    fn arm64_call(code: &mut Vec<u8>, target: usize) {
        let distance = (target as u32 / 4).wrapping_sub(code.len() as u32 / 4);
        code.extend((0x25 << 26 | distance & 0x03FF_FFFF).to_le_bytes());
    }

    #[test]
    fn calls_of_one_target_become_the_same() {
        let code = calls(1000, 10, x86_call);
        assert_eq!(Filter::suits(&code), Some(Filter::X86));
        let filtered = Filter::X86.apply(&code);
        assert_eq!(filtered[..5], [0xE8, 0, 0, 0, 0]);
        let third = [0xE8, 0x00, 0x20, 0, 0];
        let found = filtered.windows(5).filter(|bytes| *bytes == third).count();
        assert_eq!(found, 100);

        // Where nothing else is relative, both are as good, and the simpler one is taken.
        assert_eq!(Filter::X86_64.apply(&code), filtered);

        let code = calls(1000, 10, x86_64_load);
        assert_eq!(Filter::suits(&code), Some(Filter::X86_64));
        let filtered = Filter::X86_64.apply(&code);
        let third = [0x8B, 0x0D, 0x00, 0x20, 0, 0];
        let found = filtered.windows(6).filter(|bytes| *bytes == third).count();
        assert_eq!(found, 100);

        let code = calls(1000, 10, arm64_call);
        assert_eq!(Filter::suits(&code), Some(Filter::Arm64));
        let filtered = Filter::Arm64.apply(&code);
        let third = [0x00, 0x08, 0, 0x94];
        let found = filtered.windows(4).filter(|bytes| *bytes == third).count();
        assert_eq!(found, 100);
    }

    #[test]
    fn what_is_no_code_is_left_alone() {
        let text = "Übermut tut selten gut, und sehr gut tut er nie. ".repeat(100);
        assert_eq!(Filter::suits(text.as_bytes()), None);
        // The same distance again and again, as in a table.
        let table: Vec<u8> = (0..1000u32)
            .flat_map(|n| [0xE8, n as u8 % 7, 0, 0, 0])
            .collect();
        assert_eq!(Filter::suits(&table), None);
        assert_eq!(Filter::suits(&[]), None);
        assert_eq!(Filter::suits(&[0xE8; 7]), None);
    }
}
