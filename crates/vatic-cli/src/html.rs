//! What the pages that the command writes have in common: they need nothing else, no scripts, no fonts, no network.

use std::fmt::Write;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1d2129;--paper:#fff;--line:#d5d9e0;--own:#b5482a;--peer:#7d8aa3;--best:#3d7d5c}
@media(prefers-color-scheme:dark){:root{--ink:#e4e7ec;--paper:#16191f;--line:#363c47;--own:#e8795a;--peer:#8d9ab3;--best:#68b08c}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:760px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2.5rem}
svg{width:100%;height:auto;margin:.5rem 0}svg text{font-size:12px;fill:var(--ink)}
.own{fill:var(--own)}.peer{fill:var(--peer)}.best{fill:var(--best)}.grid{stroke:var(--line)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .5rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}tr.smallest{font-weight:600}";

/// A page with this title and, after the common one, a style of its own. `body` is what stands in it, as HTML.
pub fn page(title: &str, style: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <style>\n{STYLE}\n{style}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        escape(title)
    )
}

/// A bar for each row of a label, a value and a class (`own`, `peer` or `best`), in their order.
pub fn bars<'a>(label: &str, rows: impl IntoIterator<Item = (&'a str, f64, &'a str)>) -> String {
    const WIDTH: f64 = 720.0;
    const LABELS: f64 = 150.0;
    const ROW: f64 = 24.0;
    let rows: Vec<_> = rows.into_iter().collect();
    let longest = rows.iter().map(|row| row.1).fold(1e-9, f64::max);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">\n",
        ROW * rows.len() as f64,
        escape(label)
    );
    for (at, (name, value, class)) in rows.iter().enumerate() {
        let (top, length) = (at as f64 * ROW, value / longest * (WIDTH - LABELS - 60.0));
        let middle = top + ROW * 0.66;
        // Writing into a String cannot fail.
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{middle:.1}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{class}\" x=\"{LABELS}\" y=\"{:.1}\" width=\"{length:.1}\" height=\"{}\" rx=\"2\"/>\
             <text x=\"{:.1}\" y=\"{middle:.1}\">{value:.3}</text>",
            LABELS - 8.0,
            escape(name),
            top + 3.0,
            ROW - 6.0,
            LABELS + length + 6.0,
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Makes text safe within elements and attributes: file names may hold anything.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Panics where elements are left open or the page needs something from outside: for the tests of pages.
#[cfg(test)]
pub fn check(html: &str, elements: &[&str]) {
    for element in elements {
        let opened = html.matches(&format!("<{element} ")).count()
            + html.matches(&format!("<{element}>")).count();
        assert_eq!(
            opened,
            html.matches(&format!("</{element}>")).count(),
            "{element}"
        );
        assert!(opened > 0, "{element}");
    }
    for outside in ["http", "src=", "url(", "NaN", ",inf", ">inf"] {
        assert!(!html.contains(outside), "{outside}");
    }
}
