//! `vatic compare` and its formats.

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{Place, noise, text};

const PEERS: [&str; 9] = [
    "gzip -6",
    "gzip -9",
    "zstd -3",
    "zstd -19",
    "zstd -22 --long",
    "xz -9e",
    "brotli -11 -w 24",
    "bzip2 -9",
    "PPMd order",
];

#[test]
fn table_names_every_peer() {
    let place = Place::with_text();
    let output = place
        .vatic(&["compare", "a.txt"])
        .assert()
        .success()
        .stderr("")
        .get_output()
        .stdout
        .clone();
    let output = String::from_utf8(output).unwrap();
    for peer in PEERS {
        let line = output
            .lines()
            .find(|line| line.contains(peer))
            .unwrap_or_else(|| panic!("{peer}\n{output}"));
        assert!(line.ends_with("verified"), "{line}");
    }
    for own in ["vatic swift", "vatic base"] {
        let line = output.lines().find(|line| line.contains(own)).unwrap();
        assert!(line.ends_with("verified"), "{line}");
    }
    // The mark stands where the bytes are fewest.
    let bytes = |line: &str| -> Option<u64> {
        let before = line
            .strip_suffix("verified")?
            .split_whitespace()
            .rev()
            .nth(4)?;
        before.replace(',', "").parse().ok()
    };
    let least = output.lines().filter_map(bytes).min();
    let marked = output.lines().find(|line| line.starts_with('*')).unwrap();
    assert!(least.is_some() && bytes(marked) == least, "{output}");
    assert!(!output.contains("vatic deep"), "{output}");
    // What the program carries counts, whether it ran or not.
    assert!(
        output.contains("paid back") && output.contains("deep"),
        "{output}"
    );
}

#[test]
fn json_adds_up() {
    let place = Place::with_text();
    place.write("b.bin", &noise(3000));
    let output = place
        .vatic(&["compare", "--format", "json", "a.txt", "b.bin"])
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    let report: serde_json::Value = serde_json::from_slice(&output).unwrap();
    let inputs = report["inputs"].as_array().unwrap();
    assert_eq!(
        (inputs.len(), inputs[0]["bytes"].as_u64()),
        (2, Some(text().len() as u64))
    );
    for (at, total) in report["total"]["results"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
    {
        let bytes = |of: &serde_json::Value| of["results"][at]["bytes"].as_u64().unwrap();
        assert_eq!(
            total["bytes"].as_u64().unwrap(),
            bytes(&inputs[0]) + bytes(&inputs[1]),
            "{total}"
        );
        assert_eq!(total["verified"], true);
    }
    assert!(report["models"][0]["bytes"].as_u64().unwrap() > 0);
}

#[test]
fn csv_markdown_and_html() {
    let place = Place::with_text();
    let run = |format: &str| {
        let args = [
            "compare",
            "--only",
            "xz,gzip -9,vatic",
            "--format",
            format,
            "a.txt",
        ];
        String::from_utf8(
            place
                .vatic(&args)
                .assert()
                .success()
                .get_output()
                .stdout
                .clone(),
        )
        .unwrap()
    };
    let csv = run("csv");
    let rows: Vec<_> = csv::Reader::from_reader(csv.as_bytes())
        .records()
        .map(Result::unwrap)
        .collect();
    assert!(rows.iter().any(|row| &row[2] == "xz") && !rows.iter().any(|row| &row[2] == "brotli"));
    assert!(
        run("markdown")
            .lines()
            .any(|line| line.starts_with("| gzip -9 |"))
    );
    let html = run("html");
    assert!(
        html.starts_with("<!DOCTYPE html>")
            && html.trim_end().ends_with("</html>")
            && html.contains("<svg")
    );
}

#[test]
fn prefixes_and_standard_input() {
    let place = Place::with_text();
    let args = ["compare", "--only", "gzip -9", "--prefix", "1K,2K,1M", "-"];
    place
        .vatic(&args)
        .write_stdin(text())
        .assert()
        .success()
        .stdout(
            contains("standard input, first 1,024 bytes")
                .and(contains("first 2,048"))
                .and(contains("1,048,576").not()),
        );
}

#[test]
fn writes_a_file_and_does_not_overwrite_it() {
    let place = Place::with_text();
    let args = [
        "compare", "--only", "gzip", "--format", "html", "-o", "r.html", "a.txt",
    ];
    place.vatic(&args).assert().success().stdout("");
    place
        .vatic(&args)
        .assert()
        .code(1)
        .stderr(contains("r.html: already exists"));
    place.vatic(&args).arg("-f").assert().success();
    assert_eq!(place.names(), ["a.txt", "r.html"]);
}

#[test]
fn says_what_is_wrong() {
    let place = Place::with_text();
    place
        .vatic(&["compare", "missing"])
        .assert()
        .code(1)
        .stderr(contains("missing: there is no such file"));
    place
        .vatic(&["compare", "--only", "rar", "a.txt"])
        .assert()
        .code(1)
        .stderr(contains("rar").and(contains("PPMd")));
}

#[test]
fn an_empty_file_is_fine() {
    let place = Place::new();
    place.write("empty", b"");
    for format in ["table", "markdown", "csv", "json", "html"] {
        place
            .vatic(&["compare", "--format", format, "empty"])
            .assert()
            .success()
            .stdout(contains("NaN").not());
    }
}

#[test]
fn a_level_is_compared_as_it_compresses() {
    let place = Place::new();
    place.write("wave.bin", include_bytes!("../../../../fixtures/wave.bin"));
    let output = (place.vatic(&["compare", "-9", "--only", "vatic", "wave.bin"]))
        .assert()
        .success();
    let output = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    let line = output.lines().find(|line| line.contains("vatic -9 deep"));
    let columns: Vec<&str> = line.expect(&output).split_whitespace().collect();
    place.vatic(&["-9", "wave.bin"]).assert().success();
    let size = place.read("wave.bin.vtc").len();
    assert!(
        columns.contains(&&*format!("{},{:03}", size / 1000, size % 1000)),
        "{output}"
    );
    assert_eq!(output.matches("vatic -").count(), 1, "{output}");
}
