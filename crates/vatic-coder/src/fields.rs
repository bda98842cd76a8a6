//! Fields: what a line is made of, and what stands in the same field of the line above.
//!
//! Tables and logs rarely keep their columns, but they keep the order of their fields. So the line above is looked at where
//! the field of the same number starts, and not where the column is the same.

/// Fields of a line whose starts are remembered.
const MOST: usize = 256;

/// The fields of the current line and of the line above.
#[derive(Debug, Clone)]
pub struct Fields {
    /// Where the fields start, of the current line and of the line above; those after the first [`MOST`] are left out.
    starts: [Vec<usize>; 2],
    /// The number of the current field, and where it starts.
    pub number: usize,
    start: usize,
    /// Whether all its bytes so far are those that stand above.
    pub same: bool,
    /// Bytes of this line that are not what stands above.
    pub misses: u32,
    /// The last four bytes of this line that are neither part of a word nor blank, the latest lowest, below an LF.
    pub marks: u32,
}

impl Fields {
    /// The start of the first line.
    pub fn new() -> Fields {
        Fields {
            starts: [vec![0], Vec::new()],
            number: 0,
            start: 0,
            same: true,
            misses: 0,
            marks: 0,
        }
    }

    /// Where the byte stands that corresponds to the one at `position`, if the line above has the field.
    #[inline(always)]
    pub fn above(&self, position: usize) -> Option<usize> {
        let start = self.starts[1].get(self.number)?;
        Some(start + (position - self.start))
    }

    /// Takes the byte at `position`; `above` is what stands above it.
    #[inline(always)]
    pub fn push(&mut self, byte: u8, position: usize, above: Option<u8>) {
        if above != Some(byte) {
            self.same = false;
            self.misses = self.misses.saturating_add(1);
        }
        let word = byte.is_ascii_alphanumeric() || byte >= 128 || byte == b'_';
        if !word && !matches!(byte, b' ' | b'\t') {
            self.marks = self.marks << 8 | u32::from(byte);
        }
        if word || matches!(byte, b'.' | b'-') {
            return;
        }
        self.number += 1;
        self.start = position + 1;
        self.same = true;
        if byte == b'\n' {
            self.starts.swap(0, 1);
            self.starts[0].clear();
            (self.number, self.misses, self.marks) = (0, 0, b'\n'.into());
        }
        if self.starts[0].len() < MOST {
            self.starts[0].push(self.start);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &[u8]) -> Fields {
        let mut fields = Fields::new();
        for (position, &byte) in text.iter().enumerate() {
            let above = fields
                .above(position)
                .and_then(|at| text[..position].get(at));
            fields.push(byte, position, above.copied());
        }
        fields
    }

    #[test]
    fn the_same_field_is_above_though_columns_differ() {
        let text = b"id,12345,blue\nname,7,b";
        let fields = after(text);
        assert_eq!(fields.number, 2);
        let above = fields.above(text.len()).unwrap();
        assert_eq!(text[above], b'l');
        assert!(fields.same);
        assert!(!after(b"id,12345,blue\nname,7,g").same);
        assert_eq!(after(b"a 1\na 2 3").above(9), None, "no such field");
        assert_eq!(after(b"a 1").above(3), None, "no line above");
    }

    #[test]
    fn marks_and_misses_are_the_lines_own() {
        assert_eq!(after(b"f(x) + [y]").marks, u32::from_be_bytes(*b")+[]"));
        assert_eq!(after(b"f(x)\n{ 2").marks, u32::from_be_bytes(*b"\0\0\n{"));
        assert_eq!(after(b"a,b,c\na,c,c").misses, 1);
        assert_eq!(after(b"a,b,c\n").misses, 0);
    }

    #[test]
    fn long_lines_take_no_more_room() {
        let fields = after(&b",".repeat(10_000));
        assert_eq!((fields.starts[0].len(), fields.number), (MOST, 10_000));
    }
}
