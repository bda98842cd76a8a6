//! What each head and layer of the transformer saves, costs and looks at.

use std::fmt::Write;

use serde::Serialize;
use vatic::{Anatomy, Explanation, PartAccount};

use super::statistics::mutual_information;
use crate::html::escape;
use crate::size::grouped;
use crate::table;

/// Tokens that are coded once without each part.
pub const TOKENS: usize = 4096;

/// The transformer's parts, and what the text's tokens tell of each other.
#[derive(Serialize)]
pub struct Parts {
    /// Tokens and bytes that this was measured on.
    pub tokens: usize,
    pub bytes: usize,
    /// What the transformer alone pays for them.
    pub bits_per_byte: f64,
    /// The distances in tokens that stand together: the last of each. The first is the token itself, at 0.
    pub distances: Vec<usize>,
    /// Mutual information of the first bytes of two tokens that are so far apart, in bits; none at distance 0.
    pub mutual_information: Vec<f64>,
    pub parts: Vec<Part>,
}

#[derive(Serialize)]
pub struct Part {
    pub layer: usize,
    /// None: the layer's feed-forward part.
    pub head: Option<usize>,
    /// Bits per byte that the text costs more without it.
    pub saved: f64,
    /// For each token.
    pub multiply_adds: u64,
    /// The distance within which half of the attention lies.
    pub half_within: Option<usize>,
    /// The share of attention at each of `distances`.
    pub attention: Vec<f64>,
}

impl Parts {
    pub fn new(text: &[u8], explanation: &Explanation, anatomy: &Anatomy) -> Parts {
        let longest = anatomy.parts.iter().map(|part| part.attention.len()).max();
        let distances = octaves(longest.unwrap_or(0));
        let mut place = 0;
        let mut firsts = Vec::with_capacity(explanation.tokens.len());
        for token in &explanation.tokens {
            firsts.push(text[place]);
            place += token.bytes;
        }
        let bytes = anatomy.bytes.max(1) as f64;
        Parts {
            tokens: anatomy.tokens,
            bytes: anatomy.bytes,
            bits_per_byte: anatomy.bits / bytes,
            mutual_information: mutual_information(&firsts, &distances),
            parts: (anatomy.parts.iter())
                .map(|part| Part {
                    layer: part.layer,
                    head: part.head,
                    saved: part.saved / bytes,
                    multiply_adds: part.multiply_adds,
                    half_within: half_within(&part.attention),
                    attention: shares(part, &distances),
                })
                .collect(),
            distances,
        }
    }

    fn name(part: &Part) -> String {
        match part.head {
            Some(head) => format!("layer {}, head {}", part.layer + 1, head + 1),
            None => format!("layer {}, feed-forward", part.layer + 1),
        }
    }

    /// What it is about, in a sentence.
    pub fn note(&self) -> String {
        format!(
            "measured on the first {} tokens ({} bytes), which cost the transformer alone {:.3} bits per byte; a part's saving is what \
             they cost more when it alone is left out",
            grouped(self.tokens as u64),
            grouped(self.bytes as u64),
            self.bits_per_byte
        )
    }

    /// As aligned text.
    pub fn table(&self) -> String {
        let rows = self.parts.iter().map(|part| {
            let half = part.half_within;
            vec![
                Parts::name(part),
                format!("{:.4}", part.saved),
                grouped(part.multiply_adds),
                format!("{:.3}", part.saved * 1e6 / part.multiply_adds as f64),
                half.map_or(String::new(), |half| half.to_string()),
            ]
        });
        let header = [
            "part",
            "saves",
            "multiply-adds",
            "saves per million",
            "half of attention within",
        ];
        format!(
            "\nThe parts of the transformer, in bits per byte: {}\n{}",
            self.note(),
            table::render(&header, rows, 1..5)
        )
    }

    /// As part of a page.
    pub fn html(&self) -> String {
        let mut out = format!(
            "<h2>The parts of the transformer: bits per byte that each saves, and how far each head looks</h2>\n<p>{}. \
             Attention: percent of a head's at each distance in tokens (0 is the token itself). Mutual information: of the first bytes of \
             two tokens so far apart, in bits.</p>\n<div class=\"scroll\"><table class=\"parts\">\n<tr><th>part</th><th>saves</th><th>per \
             million multiply-adds</th>",
            escape(&self.note())
        );
        let mut from = 0;
        for &to in &self.distances {
            // Writing into a String cannot fail.
            let _ = match to - from {
                0 => write!(out, "<th>{to}</th>"),
                _ => write!(out, "<th>{from}\u{2013}{to}</th>"),
            };
            from = to + 1;
        }
        out.push_str("</tr>\n<tr><td>mutual information</td><td></td><td></td>");
        for (&distance, bits) in self.distances.iter().zip(&self.mutual_information) {
            let bits = if distance == 0 {
                String::new()
            } else {
                format!("{bits:.2}")
            };
            let _ = write!(out, "<td>{bits}</td>");
        }
        out.push_str("</tr>\n");
        for part in &self.parts {
            let _ = write!(
                out,
                "<tr><td>{}</td><td>{:.4}</td><td>{:.3}</td>",
                Parts::name(part),
                part.saved,
                part.saved * 1e6 / part.multiply_adds as f64
            );
            for share in &part.attention {
                let percent = share * 100.0;
                let _ = write!(
                    out,
                    "<td style=\"background:color-mix(in srgb,var(--own) {percent:.0}%,transparent)\">{percent:.0}</td>"
                );
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</table></div>\n");
        out
    }
}

/// 0, 1, 2, 4, 8… until everything below `length` is within.
fn octaves(length: usize) -> Vec<usize> {
    let powers = (0..).map(|n| 1usize << n);
    let mut before = 0;
    let within = powers.take_while(|&last| std::mem::replace(&mut before, last) + 1 < length);
    std::iter::once(0).chain(within).collect()
}

fn shares(part: &PartAccount, distances: &[usize]) -> Vec<f64> {
    let length = part.attention.len();
    let mut from = 0;
    (distances.iter().take_while(|_| length > 0))
        .map(|&last| {
            let to = (last + 1).clamp(from, length.max(from));
            let share = part
                .attention
                .get(from..to)
                .map_or(0.0, |part| part.iter().sum());
            from = to;
            share
        })
        .collect()
}

fn half_within(attention: &[f64]) -> Option<usize> {
    let mut sum = 0.0;
    attention.iter().position(|weight| {
        sum += weight;
        sum >= 0.5
    })
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Parts of a small text.
    pub fn example() -> Parts {
        let text = b"one two three four five six seven eight nine ten ".repeat(4);
        let options = vatic::Options::new();
        let explanation = vatic::explain(&text, &options).unwrap();
        let anatomy = vatic::anatomy(&text, &options, 20).unwrap();
        Parts::new(&text, &explanation, &anatomy)
    }

    #[test]
    fn distances_stand_together_by_octaves() {
        assert_eq!(octaves(0), [0]);
        assert_eq!(octaves(1), [0]);
        assert_eq!(octaves(2), [0, 1]);
        assert_eq!(octaves(3), [0, 1, 2]);
        assert_eq!(octaves(4), [0, 1, 2, 4]);
        assert_eq!(octaves(5), [0, 1, 2, 4]);
        assert_eq!(octaves(6), [0, 1, 2, 4, 8]);
        assert_eq!(octaves(128), [0, 1, 2, 4, 8, 16, 32, 64, 128]);
    }

    #[test]
    fn all_attention_is_shown() {
        let parts = example();
        assert_eq!(parts.tokens, 20);
        assert_eq!(parts.mutual_information.len(), parts.distances.len());
        for part in &parts.parts {
            assert!(part.multiply_adds > 0);
            let sum: f64 = part.attention.iter().sum();
            assert_eq!(part.head.is_some(), (sum - 1.0).abs() < 1e-6, "{sum}");
        }
        assert_eq!(half_within(&[0.2, 0.2, 0.2, 0.4]), Some(2));
        assert_eq!(half_within(&[]), None);
        // Without the first layer's feed-forward part nothing is understood.
        let first = parts.parts.iter().find(|part| part.head.is_none());
        assert!(first.unwrap().saved > 0.0);
    }

    #[test]
    fn tables_have_a_row_for_each_part() {
        let parts = example();
        assert_eq!(parts.table().lines().count(), parts.parts.len() + 3);
        let html = parts.html();
        assert_eq!(html.matches("<tr>").count(), parts.parts.len() + 2);
        assert!(html.contains("layer 2, head 1") && html.contains("3\u{2013}4"));
    }
}
