//! What is shown of a text: its tokens, what they cost, and sums of that.

use serde::Serialize;
use vatic::Explanation;

use super::parts::Parts;
use super::statistics::{entropy, mutual_information};

/// Orders of the empirical entropies.
const ORDERS: usize = 5;
/// Points of the curve of learning.
const POINTS: usize = 100;

/// All that a report shows.
#[derive(Serialize)]
pub struct Account {
    pub name: String,
    pub version: &'static str,
    pub model: String,
    /// Of the whole input; the tokens may be those of its beginning only.
    pub input_bytes: u64,
    pub bytes: u64,
    pub bits: f64,
    pub bits_per_byte: f64,
    /// What each source alone would have paid, in bits per byte, the best first.
    pub sources: Vec<Source>,
    /// Bits per byte up to a place, at some places.
    pub learning: Vec<Point>,
    /// Empirical entropies of a byte given 0, 1, 2… bytes before it.
    pub entropies: Vec<f64>,
    pub mutual_information: Vec<Shared>,
    /// If they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<Parts>,
    pub tokens: Vec<Token>,
}

#[derive(Serialize)]
pub struct Source {
    pub name: String,
    pub bits_per_byte: f64,
}

/// Bits per byte of all up to here.
#[derive(Serialize)]
pub struct Point {
    pub bytes: u64,
    pub paid: f64,
    pub transformer: Option<f64>,
}

/// Bits that a byte tells of the one so far away.
#[derive(Serialize)]
pub struct Shared {
    pub distance: usize,
    pub bits: f64,
}

/// One token, or several that make up a character together.
#[derive(Serialize)]
pub struct Token {
    pub text: String,
    pub bits: f64,
    /// What the transformer alone would have paid.
    pub transformer: Option<f64>,
    /// The source that would have paid least alone, and what.
    pub best: String,
    pub best_bits: f64,
}

impl Account {
    pub fn new(
        name: String,
        model: String,
        input_bytes: u64,
        text: &[u8],
        explanation: &Explanation,
    ) -> Account {
        let per_byte = |bits: f64| bits / text.len().max(1) as f64;
        let mut sums = vec![0.0; explanation.sources.len()];
        for n in 0..explanation.tokens.len() {
            for (sum, &bits) in sums.iter_mut().zip(explanation.alone(n)) {
                *sum += f64::from(bits);
            }
        }
        let mut sources: Vec<Source> = (explanation.sources.iter().zip(&sums))
            .map(|(name, &bits)| Source {
                name: name.clone(),
                bits_per_byte: per_byte(bits),
            })
            .collect();
        let distances: Vec<usize> = distances(text.len()).collect();
        sources.sort_by(|a, b| a.bits_per_byte.total_cmp(&b.bits_per_byte));
        Account {
            name,
            version: env!("CARGO_PKG_VERSION"),
            model,
            input_bytes,
            bytes: text.len() as u64,
            bits: explanation.bits(),
            bits_per_byte: per_byte(explanation.bits()),
            sources,
            learning: learning(text.len(), explanation),
            entropies: (0..ORDERS).map(|order| entropy(text, order)).collect(),
            mutual_information: (distances.iter().zip(mutual_information(text, &distances)))
                .map(|(&distance, bits)| Shared { distance, bits })
                .collect(),
            parts: None,
            tokens: tokens(text, explanation),
        }
    }
}

/// 1, 2, 3, 4, 6, 8, 12, 16… up to an eighth of the text.
fn distances(length: usize) -> impl Iterator<Item = usize> {
    std::iter::once(1)
        .chain((1..).flat_map(|n| [1usize << n, 3 << (n - 1)]))
        .take_while(move |&distance| distance <= (length / 8).min(8192))
}

fn transformer(explanation: &Explanation) -> Option<usize> {
    explanation
        .sources
        .iter()
        .position(|name| name == "transformer")
}

fn learning(length: usize, explanation: &Explanation) -> Vec<Point> {
    let at = transformer(explanation);
    let mut points = Vec::new();
    let (mut bytes, mut paid, mut foretold) = (0, 0.0, 0.0);
    for (n, token) in explanation.tokens.iter().enumerate() {
        bytes += token.bytes;
        paid += f64::from(token.bits);
        foretold += at.map_or(0.0, |at| f64::from(explanation.alone(n)[at]));
        if bytes * POINTS >= length * (points.len() + 1) {
            points.push(Point {
                bytes: bytes as u64,
                paid: paid / bytes as f64,
                transformer: at.map(|_| foretold / bytes as f64),
            });
        }
    }
    points
}

fn tokens(text: &[u8], explanation: &Explanation) -> Vec<Token> {
    let at = transformer(explanation);
    let mut tokens = Vec::new();
    let (mut start, mut end) = (0, 0);
    // Of the tokens that have not made whole characters yet.
    let (mut bits, mut alone) = (0.0, vec![0.0; explanation.sources.len()]);
    for (n, token) in explanation.tokens.iter().enumerate() {
        end += token.bytes;
        bits += f64::from(token.bits);
        for (sum, &bits) in alone.iter_mut().zip(explanation.alone(n)) {
            *sum += f64::from(bits);
        }
        let piece = &text[start..end];
        let cut = std::str::from_utf8(piece).is_err_and(|error| error.error_len().is_none());
        if cut && n + 1 < explanation.tokens.len() {
            continue;
        }
        let best = (0..alone.len()).min_by(|&a, &b| alone[a].total_cmp(&alone[b]));
        tokens.push(Token {
            text: readable(piece),
            bits,
            transformer: at.map(|at| alone[at]),
            best: best.map_or_else(String::new, |best| explanation.sources[best].clone()),
            best_bits: best.map_or(0.0, |best| alone[best]),
        });
        (start, bits) = (end, 0.0);
        alone.fill(0.0);
    }
    tokens
}

/// The text, with `\x1b` for what is none.
fn readable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() && !matches!(c, '\n' | '\t') {
                text.extend(c.escape_default());
            } else {
                text.push(c);
            }
        }
        text.extend(chunk.invalid().escape_ascii().map(char::from));
    }
    text
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// An account of a text with everything in it that is hard to show.
    pub fn example() -> Account {
        let text = "A <b>tale</b> of \u{65E5}\u{672C}\r\n\u{1b}[31m & \"more\" "
            .repeat(8)
            .into_bytes();
        let text = [&text[..], b"\xFF\xFE \xE6"].concat();
        let explanation = vatic::explain(&text, &vatic::Options::new()).unwrap();
        Account::new(
            "<i>.txt".into(),
            "swift".into(),
            text.len() as u64,
            &text,
            &explanation,
        )
    }

    #[test]
    fn it_adds_up() {
        let account = example();
        let bits: f64 = account.tokens.iter().map(|token| token.bits).sum();
        assert!((bits - account.bits).abs() < 1e-6 * bits);
        let last = account.learning.last().unwrap();
        assert_eq!(last.bytes, account.bytes);
        assert!((last.paid - account.bits_per_byte).abs() < 1e-9);
        let transformer = |source: &&Source| source.name == "transformer";
        let whole = account.sources.iter().find(transformer).unwrap();
        assert!((last.transformer.unwrap() - whole.bits_per_byte).abs() < 1e-6);
        assert_eq!(account.entropies.len(), ORDERS);
        assert!(account.entropies.is_sorted_by(|a, b| a + 0.02 >= *b));
    }

    #[test]
    fn every_byte_is_shown_and_none_can_do_harm() {
        let text: String = example()
            .tokens
            .iter()
            .map(|token| token.text.as_str())
            .collect();
        assert!(text.starts_with("A <b>tale</b> of \u{65E5}\u{672C}\\r\n\\u{1b}[31m & "));
        assert!(text.ends_with("\\xff\\xfe \\xe6"), "{text}");
    }

    #[test]
    fn distances_double() {
        assert_eq!(distances(100).collect::<Vec<_>>(), [1, 2, 3, 4, 6, 8, 12]);
        assert_eq!(distances(0).count(), 0);
    }
}
