//! The sums of an account as aligned text.

use std::fmt::Write;

use super::account::{Account, Point, Token};
use crate::size::grouped;
use crate::table;

/// Sources that are listed.
const SOURCES: usize = 12;
/// Dearest tokens that are listed.
const DEAREST: usize = 12;

/// Lines about the whole, for all forms of the report.
pub fn notes(account: &Account) -> Vec<String> {
    let mut notes = vec![format!(
        "{} bytes in {} tokens cost {} bytes: {:.3} bits per byte (model {}, one stream)",
        grouped(account.bytes),
        grouped(account.tokens.len() as u64),
        grouped((account.bits / 8.0).ceil() as u64),
        account.bits_per_byte,
        account.model
    )];
    if account.bytes < account.input_bytes {
        notes.push(format!(
            "this is the beginning of {} bytes; --limit takes more",
            grouped(account.input_bytes)
        ));
    }
    let (half, cheap) = shares(account);
    if account.bits > 0.0 {
        notes.push(format!(
            "half of the bits went into {half:.1} % of the tokens; {cheap:.1} % of the tokens cost less than one bit each"
        ));
    }
    notes
}

/// Percent of the tokens that took half of the bits, and of those below one bit.
fn shares(account: &Account) -> (f64, f64) {
    let mut bits: Vec<f64> = account.tokens.iter().map(|token| token.bits).collect();
    bits.sort_by(|a, b| b.total_cmp(a));
    let mut left = account.bits / 2.0;
    let dear = bits.iter().take_while(|&&bits| {
        let more = left > 0.0;
        left -= bits;
        more
    });
    let percent = |count: usize| count as f64 * 100.0 / bits.len().max(1) as f64;
    (
        percent(dear.count()),
        percent(bits.iter().filter(|&&bits| bits < 1.0).count()),
    )
}

/// The tokens that cost most, with what stands before each.
pub fn dearest(account: &Account) -> Vec<(String, &Token)> {
    let mut order: Vec<usize> = (0..account.tokens.len()).collect();
    order.sort_by(|&a, &b| account.tokens[b].bits.total_cmp(&account.tokens[a].bits));
    order
        .into_iter()
        .take(DEAREST)
        .map(|n| {
            let before = &account.tokens[n.saturating_sub(8)..n];
            let before: String = before.iter().map(|token| token.text.as_str()).collect();
            (before, &account.tokens[n])
        })
        .collect()
}

/// The whole report.
pub fn table(account: &Account) -> String {
    let mut out = format!("{}\n", account.name);
    for note in notes(account) {
        // Writing into a String cannot fail.
        let _ = writeln!(out, "- {note}");
    }
    let bits = |bits: f64| format!("{bits:.3}");
    let sources = account
        .sources
        .iter()
        .take(SOURCES)
        .map(|source| vec![source.name.clone(), bits(source.bits_per_byte)]);
    out += "\nWhat each source of predictions would have paid alone, bits per byte\n";
    out += &table::render(&["source", "alone"], sources, 1..2);
    let whole = |point: &Point| {
        vec![grouped(point.bytes), bits(point.paid), {
            point.transformer.map_or("-".into(), bits)
        }]
    };
    let tenths = account.learning.iter().skip(9).step_by(10).map(whole);
    out += "\nBits per byte of all up to here\n";
    out += &table::render(&["bytes", "paid", "transformer alone"], tenths, 0..3);
    let entropies = (account.entropies.iter().enumerate())
        .map(|(order, &entropy)| vec![order.to_string(), bits(entropy)]);
    out += "\nEmpirical entropy of a byte, the bytes before it known (a bound for those only who know all counts)\n";
    out += &table::render(&["known", "bits"], entropies, 0..2);
    let shared = (account.mutual_information.iter())
        .map(|shared| vec![shared.distance.to_string(), format!("{:.4}", shared.bits)]);
    out += "\nMutual information of two bytes by distance, less what the same bytes in random order show\n";
    out += &table::render(&["distance", "bits"], shared, 0..2);
    if let Some(parts) = &account.parts {
        out += &parts.table();
    }
    let dearest = dearest(account).into_iter().map(|(before, token)| {
        vec![
            format!("{:.1}", token.bits),
            token
                .transformer
                .map_or("-".into(), |bits| format!("{bits:.1}")),
            format!("{} {:.1}", token.best, token.best_bits),
            format!("{}[{}]", before.escape_debug(), token.text.escape_debug()),
        ]
    });
    out += "\nThe tokens that cost most, in brackets\n";
    out += &table::render(
        &["bits", "transformer", "best source", "where"],
        dearest,
        0..2,
    );
    out
}
