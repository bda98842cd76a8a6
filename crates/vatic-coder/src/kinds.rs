//! Kinds of bytes: what is much the same for the purpose of trusting an expert.

/// The kind of a byte, 1..=15. (0 stands for a byte that has not come yet.)
#[inline(always)]
pub fn of(byte: u8) -> u8 {
    KINDS[usize::from(byte)]
}

static KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'a'..=b'z' => 1,
            b'A'..=b'Z' => 2,
            b'0'..=b'9' => 3,
            b' ' => 4,
            b'\n' => 5,
            b'.' | b'!' | b'?' => 6,
            b',' | b';' | b':' => 7,
            b'"' | b'\'' => 8,
            b'(' | b')' | b'[' | b']' | b'{' | b'}' => 9,
            b'<' | b'>' => 10,
            b'=' | b'+' | b'-' | b'*' | b'/' => 11,
            b'_' => 12,
            0..=31 => 13,
            128..=255 => 14,
            _ => 15,
        };
        byte += 1;
    }
    kinds
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_kind_of_four_bits() {
        assert!((0..=255).all(|byte| (1..=15).contains(&of(byte))));
        let kinds = |bytes: &[u8]| bytes.iter().map(|&byte| of(byte)).collect::<Vec<_>>();
        assert_eq!(
            kinds(b"aZ0 \n.,'(<=_"),
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
        );
        assert_eq!(kinds(b"\t\xC3#"), [13, 14, 15]);
    }
}
