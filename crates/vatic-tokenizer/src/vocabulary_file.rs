//! The text form of a vocabulary: a token a line, in hexadecimal, in merge order.

use crate::Error;

/// Reads the text form.
///
/// # Errors
///
/// [`Error::Line`] for a line that is not an even number of hexadecimal digits.
///
/// ```
/// assert_eq!(vatic_tokenizer::parse_vocabulary("61\n6162\n")?, [b"a".to_vec(), b"ab".to_vec()]);
/// # Ok::<(), vatic_tokenizer::Error>(())
/// ```
pub fn parse_vocabulary(text: &str) -> Result<Vec<Vec<u8>>, Error> {
    text.lines()
        .enumerate()
        .map(|(n, line)| parse_line(line.trim()).ok_or(Error::Line(n + 1)))
        .collect()
}

/// Writes the text form.
pub fn render_vocabulary(tokens: &[Vec<u8>]) -> String {
    let hex = |token: &Vec<u8>| {
        token
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
            + "\n"
    };
    tokens.iter().map(hex).collect()
}

fn parse_line(line: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = line
        .chars()
        .map(|c| c.to_digit(16).map(|digit| digit as u8))
        .collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(
        digits
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}
