//! The report as one HTML page that needs nothing else: no scripts, no fonts, no network.

use std::fmt::Write;

use super::chart;
use super::report::{InputResults, Report};
use super::text;
use crate::size::{figures, grouped};

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

/// The whole page.
pub fn page(report: &Report) -> String {
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>vatic {0} compared</title>\n\
         <style>\n{STYLE}\n</style>\n</head>\n<body>\n<h1>vatic {0} beside other compressors</h1>\n<ul>\n",
        report.version
    );
    for note in text::notes(report) {
        let _ = writeln!(html, "<li>{}</li>", escape(&note));
    }
    html.push_str("</ul>\n");
    if let Some(whole) = report.whole() {
        let _ = writeln!(html, "<h2>Size against speed: {}</h2>", escape(&whole.name));
        html.push_str(&chart::scatter(
            whole,
            "compress, MB/s; upwards: bits per byte",
            |measured| measured.compress_mb_s,
        ));
        html.push_str(&chart::scatter(
            whole,
            "decompress, MB/s; upwards: bits per byte",
            |measured| measured.decompress_mb_s,
        ));
    }
    for input in report.total.iter().chain(&report.inputs) {
        let _ = writeln!(
            html,
            "<h2>{} ({} bytes)</h2>\n<p>Bits per byte, the fewer the better</p>",
            escape(&input.name),
            grouped(input.bytes)
        );
        html.push_str(&chart::bars(input));
        html.push_str(&table(input));
    }
    html.push_str("</body>\n</html>\n");
    html
}

fn table(input: &InputResults) -> String {
    let mut html = String::from(
        "<div class=\"scroll\"><table>\n<tr><th>program</th><th>bytes</th><th>ratio</th><th>bits/byte</th>\
         <th>compress MB/s</th><th>decompress MB/s</th><th>round trip</th></tr>\n",
    );
    let number = |value: Option<f64>| value.map_or("-".to_string(), figures);
    for measured in &input.results {
        let _ = writeln!(
            html,
            "<tr{}><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            if measured.best {
                " class=\"smallest\""
            } else {
                ""
            },
            escape(&measured.title()),
            measured.bytes.map_or("-".into(), grouped),
            measured
                .ratio
                .map_or("-".into(), |ratio| format!("{ratio:.3}")),
            measured
                .bits_per_byte
                .map_or("-".into(), |bits| format!("{bits:.3}")),
            number(measured.compress_mb_s),
            number(measured.decompress_mb_s),
            if measured.verified {
                "verified"
            } else {
                "FAILED"
            },
        );
    }
    html.push_str("</table></div>\n");
    html
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

#[cfg(test)]
mod tests {
    use super::super::report::tests::example;
    use super::*;

    #[test]
    fn the_page_is_whole_and_safe() {
        let html = page(&example());
        assert!(html.contains("a &lt;b&gt; &amp; |c|.txt") && !html.contains("<b>"));
        for element in [
            "svg", "table", "tr", "td", "div", "text", "circle", "ul", "body", "html",
        ] {
            let opened = html.matches(&format!("<{element} ")).count()
                + html.matches(&format!("<{element}>")).count();
            assert_eq!(
                opened,
                html.matches(&format!("</{element}>")).count(),
                "{element}"
            );
            assert!(opened > 0, "{element}");
        }
        for outside in ["http", "src=", "url(", "NaN", "inf"] {
            assert!(!html.contains(outside), "{outside}");
        }
    }
}
