//! Base64 as other programs write it.

/// The characters of `content`, with `between` after each `width` of them (0: none).
pub fn lines(content: &[u8], width: usize, between: &str) -> String {
    let characters: Vec<char> = ('A'..='Z')
        .chain('a'..='z')
        .chain('0'..='9')
        .chain(['+', '/'])
        .collect();
    let mut text = String::new();
    let mut count = 0;
    let mut put = |character| {
        if width > 0 && count > 0 && count % width == 0 {
            text += between;
        }
        text.push(character);
        count += 1;
    };
    for three in content.chunks(3) {
        let bytes = [0, 1, 2].map(|n| u32::from(three.get(n).copied().unwrap_or(0)));
        let bits = bytes[0] << 16 | bytes[1] << 8 | bytes[2];
        for n in 0..4 {
            match n <= three.len() {
                true => put(characters[(bits >> (18 - 6 * n) & 63) as usize]),
                false => put('='),
            }
        }
    }
    text
}
