//! An account as one HTML page: the text coloured by what it costs, bars and curves.

use std::fmt::Write;

use super::account::Account;
use super::text;
use crate::html::{self, escape};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 240.0;
/// Room for the numbers beside and below a curve.
const LEFT: f64 = 48.0;
const BOTTOM: f64 = HEIGHT - 24.0;
/// Sources that have a bar.
const SOURCES: usize = 12;

/// The least bits of each colour, from the second on.
const SHADES: [f64; 6] = [0.5, 1.0, 2.0, 4.0, 8.0, 12.0];

const STYLE: &str = "\
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:14px/1.7 ui-monospace,monospace}
.own-line{fill:none;stroke:var(--own);stroke-width:2}.peer-line{fill:none;stroke:var(--peer);stroke-width:2}
.parts td,.parts th{padding:.1rem .35rem;font-size:12px}
";

/// The whole page.
pub fn page(account: &Account) -> String {
    let mut style = String::from(STYLE);
    for (n, percent) in [8, 16, 28, 42, 58, 76].into_iter().enumerate() {
        // Writing into a String cannot fail.
        let _ = writeln!(
            style,
            ".c{}{{background:color-mix(in srgb,var(--own) {percent}%,transparent)}}",
            n + 1
        );
    }
    let mut body = format!("<h1>{} explained</h1>\n<ul>\n", escape(&account.name));
    for note in text::notes(account) {
        let _ = writeln!(body, "<li>{}</li>", escape(&note));
    }
    body.push_str(
        "</ul>\n<h2>What each source of predictions would have paid alone, bits per byte</h2>\n",
    );
    body += &bars(account);
    body.push_str("<h2>Learning: bits per byte of all up to here</h2>\n<p>Coloured: paid. Grey: the transformer alone.</p>\n");
    body += &learning(account);
    body.push_str("<h2>Mutual information of two bytes, in bits, by their distance</h2>\n");
    body += &information(account);
    body.push_str("<h2>Empirical entropy of a byte, the bytes before it known</h2>\n");
    body += &entropies(account);
    if let Some(parts) = &account.parts {
        body += &parts.html();
    }
    body.push_str("<h2>The text</h2>\n<p>A token is the darker the more bits it cost (from 0.5, 1, 2, 4, 8 and 12 on). Point at one to read its account.</p>\n");
    body += &tokens(account);
    html::page(&format!("{} explained", account.name), &style, &body)
}

fn tokens(account: &Account) -> String {
    let mut out = String::from("<pre>");
    for token in &account.tokens {
        let shade = SHADES.iter().filter(|&&least| token.bits >= least).count();
        let class = match shade {
            0 => String::new(),
            shade => format!(" class=\"c{shade}\""),
        };
        let alone = token
            .transformer
            .map_or(String::new(), |bits| format!("; transformer {bits:.2}"));
        let _ = write!(
            out,
            "<span{class} title=\"{:.2} bits{alone}; best alone: {} {:.2}\">{}</span>",
            token.bits,
            escape(&token.best),
            token.best_bits,
            escape(&token.text)
        );
    }
    out.push_str("</pre>\n");
    out
}

fn bars(account: &Account) -> String {
    let paid = ("paid, all together", account.bits_per_byte, "own");
    let alone = account.sources.iter().take(SOURCES);
    let alone = alone.map(|source| (source.name.as_str(), source.bits_per_byte, "peer"));
    html::bars(
        "bits per byte by source",
        std::iter::once(paid).chain(alone),
    )
}

fn learning(account: &Account) -> String {
    let at = |bytes: u64| bytes as f64 / account.bytes.max(1) as f64;
    let paid = (account.learning.iter()).map(|point| (at(point.bytes), point.paid));
    let alone =
        (account.learning.iter()).filter_map(|point| Some((at(point.bytes), point.transformer?)));
    let label = format!("0 to {} bytes", account.bytes);
    curves(
        &label,
        &[(alone.collect(), "peer-line"), (paid.collect(), "own-line")],
    )
}

fn information(account: &Account) -> String {
    let last = account.mutual_information.last();
    let longest = last.map_or(2, |shared| shared.distance.max(2));
    let place = |distance: usize| (distance as f64).log2() / (longest as f64).log2();
    let points =
        (account.mutual_information.iter()).map(|shared| (place(shared.distance), shared.bits));
    let label = format!("distance 1 to {longest}, each step twice as far");
    curves(&label, &[(points.collect(), "own-line")])
}

/// Lines over 0…1 with a common scale that begins at 0.
fn curves(label: &str, lines: &[(Vec<(f64, f64)>, &str)]) -> String {
    let values = lines
        .iter()
        .flat_map(|line| line.0.iter().map(|point| point.1));
    let highest = values.fold(1e-3, f64::max) * 1.05;
    let x = |across: f64| LEFT + across * (WIDTH - LEFT - 8.0);
    let y = |value: f64| BOTTOM - value / highest * (BOTTOM - 8.0);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{0}\">\n\
         <text x=\"{LEFT}\" y=\"{1}\">{0}</text>\n",
        escape(label),
        HEIGHT - 6.0
    );
    for step in 0..=4 {
        let value = highest * f64::from(step) / 4.0;
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{0:.1}\" x2=\"{1}\" y2=\"{0:.1}\"/>\
             <text x=\"{2}\" y=\"{3:.1}\" text-anchor=\"end\">{value:.2}</text>",
            y(value),
            WIDTH - 8.0,
            LEFT - 6.0,
            y(value) + 4.0
        );
    }
    for (points, class) in lines {
        let points: Vec<String> = (points.iter())
            .map(|&(across, value)| format!("{:.1},{:.1}", x(across), y(value)))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline class=\"{class}\" points=\"{}\"/>",
            points.join(" ")
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn entropies(account: &Account) -> String {
    let mut out = String::from(
        "<div class=\"scroll\"><table>\n<tr><th>bytes known</th><th>bits per byte</th></tr>\n",
    );
    for (order, bits) in account.entropies.iter().enumerate() {
        let _ = writeln!(out, "<tr><td>{order}</td><td>{bits:.3}</td></tr>");
    }
    out.push_str("</table></div>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::super::account::tests::example;
    use super::*;

    #[test]
    fn the_page_is_whole_and_safe() {
        let mut account = example();
        account.parts = Some(super::super::parts::tests::example());
        let html = page(&account);
        html::check(
            &html,
            &[
                "svg", "table", "text", "pre", "span", "ul", "body", "html", "h2",
            ],
        );
        assert!(html.contains("&lt;i&gt;.txt") && !html.contains("<b>") && !html.contains("<i>"));
        assert!(html.contains("bits; transformer"));
    }
}
