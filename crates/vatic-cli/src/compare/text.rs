//! The report as a table, Markdown, CSV and JSON.

use anyhow::Result;

use super::report::{InputResults, Measured, Report};
use crate::size::{figures, grouped, human};
use crate::table;

const HEADER: [&str; 8] = [
    "",
    "program",
    "bytes",
    "ratio",
    "bits/byte",
    "compress MB/s",
    "decompress MB/s",
    "round trip",
];

/// Aligned text for a terminal.
pub fn table(report: &Report) -> String {
    let mut out = String::new();
    for input in report.inputs.iter().chain(&report.total) {
        out.push_str(&format!(
            "{} ({} bytes)\n",
            input.name,
            grouped(input.bytes)
        ));
        out.push_str(&table::render(&HEADER, input.results.iter().map(row), 2..7));
        out.push('\n');
    }
    for note in notes(report) {
        out.push_str(&note);
        out.push('\n');
    }
    out
}

/// Tables for a README.
pub fn markdown(report: &Report) -> String {
    let mut out = String::new();
    for input in report.inputs.iter().chain(&report.total) {
        let name = input
            .name
            .replace('\\', "\\\\")
            .replace('|', "\\|")
            .replace('<', "&lt;");
        out.push_str(&format!("### {name} ({} bytes)\n\n", grouped(input.bytes)));
        out.push_str("| program | bytes | ratio | bits/byte | compress MB/s | decompress MB/s | round trip |\n");
        out.push_str("|---|--:|--:|--:|--:|--:|---|\n");
        for measured in &input.results {
            let mut cells = row(measured).split_off(1);
            if measured.best {
                cells[0] = format!("**{}**", cells[0]);
                cells[1] = format!("**{}**", cells[1]);
            }
            out.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        out.push('\n');
    }
    for note in notes(report) {
        out.push_str(&format!("- {note}\n"));
    }
    out
}

/// One line for each input and program, and for the sums.
pub fn csv(report: &Report) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "input",
        "input_bytes",
        "program",
        "settings",
        "bytes",
        "ratio",
        "bits_per_byte",
        "compress_mb_s",
        "decompress_mb_s",
        "verified",
        "best",
    ])?;
    let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.6}"));
    for input in report.inputs.iter().chain(&report.total) {
        for measured in &input.results {
            writer.write_record([
                input.name.clone(),
                input.bytes.to_string(),
                measured.program.clone(),
                measured.settings.clone(),
                measured
                    .bytes
                    .map_or(String::new(), |bytes| bytes.to_string()),
                number(measured.ratio),
                number(measured.bits_per_byte),
                number(measured.compress_mb_s),
                number(measured.decompress_mb_s),
                measured.verified.to_string(),
                measured.best.to_string(),
            ])?;
        }
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// Everything, for programs.
pub fn json(report: &Report) -> Result<String> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}

/// The cells of one line, as [`HEADER`] names them.
fn row(measured: &Measured) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or("-".to_string(), figures);
    vec![
        if measured.best { "*" } else { "" }.into(),
        measured.title(),
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
        }
        .into(),
    ]
}

/// What the numbers come to, and how they were got.
pub fn notes(report: &Report) -> Vec<String> {
    let mut notes: Vec<String> = report.whole().and_then(lead).into_iter().collect();
    if let Some(payback) = &report.payback {
        let models = format!(
            "vatic carries {} of models ({})",
            human(payback.model_bytes),
            payback.models.join(", ")
        );
        notes.push(match payback.content_bytes {
            Some(bytes) => format!(
                "{models}; against xz -9e that is paid back from {} of content like this on.",
                human(bytes)
            ),
            None => format!(
                "{models}; on content like this xz -9e is smaller, so that is never paid back."
            ),
        });
    }
    notes.push(format!(
        "MB/s are millions of bytes of content per second, in memory; vatic with {} thread(s), the others with one. \
         PPMd is the bare stream of 7-Zip's variant with up to 256 MB, the order the best of 3, 4, 6, 8, 16, 32.",
        report.threads
    ));
    notes
}

fn lead(whole: &InputResults) -> Option<String> {
    let (own, other, percent) = whole.lead()?;
    let (size, name) = (own.title(), other.title());
    Some(if percent >= 0.0 {
        format!(
            "{size} is {percent:.1} % smaller than the best of the others ({name}) on {}.",
            whole.name
        )
    } else {
        format!(
            "{size} is {:.1} % larger than the best of the others ({name}) on {}.",
            -percent, whole.name
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::example;
    use super::*;

    #[test]
    fn table_marks_the_best_and_failures() {
        let text = table(&example());
        let best = text.lines().find(|line| line.starts_with('*')).unwrap();
        assert!(
            best.contains("vatic -x") && best.contains("200,000"),
            "{text}"
        );
        assert!(text.contains("FAILED"));
        assert!(text.contains("paid back from 100 MB"), "{text}");
    }

    #[test]
    fn markdown_keeps_its_columns() {
        let text = markdown(&example());
        assert!(text.contains(r"### a &lt;b> & \|c\|.txt"));
        for line in text.lines().filter(|line| line.starts_with('|')) {
            assert_eq!(line.matches('|').count(), 8, "{line}");
        }
    }

    #[test]
    fn csv_reads_back() {
        let text = csv(&example()).unwrap();
        let rows: Vec<csv::StringRecord> = csv::Reader::from_reader(text.as_bytes())
            .records()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(rows.len(), 9); // two inputs and the total, three programs each
        assert_eq!((&rows[3][0], &rows[3][4]), ("d,e.txt", "100000"));
    }
}
