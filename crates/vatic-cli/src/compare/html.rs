//! The report as one HTML page that needs nothing else: no scripts, no fonts, no network.

use std::fmt::Write;

use super::chart;
use super::report::{InputResults, Report};
use super::text;
use crate::html::{escape, page as page_of};
use crate::size::{figures, grouped};

/// The whole page.
pub fn page(report: &Report) -> String {
    let title = format!("vatic {} compared", report.version);
    let mut html = format!(
        "<h1>vatic {} beside other compressors</h1>\n<ul>\n",
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
    page_of(&title, "", &html)
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

#[cfg(test)]
mod tests {
    use super::super::report::tests::example;
    use super::*;
    use crate::html::check;

    #[test]
    fn the_page_is_whole_and_safe() {
        let html = page(&example());
        assert!(html.contains("a &lt;b&gt; &amp; |c|.txt") && !html.contains("<b>"));
        check(
            &html,
            &[
                "svg", "table", "tr", "td", "div", "text", "circle", "ul", "body", "html",
            ],
        );
    }
}
