//! `vatic explain` and its formats.

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{Place, noise, text};

#[test]
fn json_accounts_for_every_byte_and_bit() {
    let place = Place::with_text();
    let output = place
        .vatic(&["explain", "a.txt", "--format", "json", "--limit", "3K"])
        .assert()
        .success()
        .stderr("")
        .get_output()
        .stdout
        .clone();
    let json: serde_json::Value = serde_json::from_slice(&output).unwrap();
    assert_eq!(json["name"], "a.txt");
    assert_eq!(json["input_bytes"], text().len());
    assert_eq!(json["bytes"], 3072);
    let tokens = json["tokens"].as_array().unwrap();
    let shown: String = tokens
        .iter()
        .map(|token| token["text"].as_str().unwrap())
        .collect();
    assert_eq!(shown.as_bytes(), &text()[..3072]);
    let bits: f64 = tokens
        .iter()
        .map(|token| token["bits"].as_f64().unwrap())
        .sum();
    // What the command itself needs for those bytes, up to headers and rounding.
    place.write("b.txt", &text()[..3072]);
    place.vatic(&["-q", "b.txt"]).assert().success();
    let packed = place.read("b.txt.vtc").len() as f64;
    assert!((packed - bits / 8.0 - 13.0).abs() < 5.0, "{packed} {bits}");
}

#[test]
fn a_page_needs_nothing_else() {
    let place = Place::with_text();
    place
        .vatic(&["explain", "a.txt", "--format", "html", "-o", "a.html"])
        .assert()
        .success();
    let page = String::from_utf8(place.read("a.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert!(!page.contains("http") && !page.contains("<script"));
    // It is not overwritten unasked.
    place
        .vatic(&["explain", "a.txt", "--format", "html", "-o", "a.html"])
        .assert()
        .code(1)
        .stderr(contains("a.html"));
}

#[test]
fn the_parts_of_the_transformer_are_accounted_for() {
    let place = Place::with_text();
    let explain = ["explain", "a.txt", "--limit", "1K", "--parts"];
    place.vatic(&explain).assert().success().stdout(
        contains("The parts of the transformer")
            .and(contains("layer 1, head 1"))
            .and(contains("layer 1, feed-forward")),
    );
    let output = place
        .vatic(&[&explain[..], &["--format", "json"]].concat())
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let parts = &json["parts"];
    assert_eq!(parts["bytes"], 1024);
    let source = |source: &&serde_json::Value| source["name"] == "transformer";
    let alone = json["sources"].as_array().unwrap().iter().find(source);
    // Both know what the transformer alone pays.
    let both = [&alone.unwrap()["bits_per_byte"], &parts["bits_per_byte"]];
    let [a, b] = both.map(|bits| bits.as_f64().unwrap());
    assert!((a - b).abs() < 0.01, "{a} {b}");
}

#[test]
fn any_bytes_can_be_explained() {
    let place = Place::new();
    for content in [vec![], b"x".to_vec(), noise(2000), vec![0; 3000]] {
        for format in ["table", "html", "json"] {
            place
                .vatic(&["explain", "-", "--format", format])
                .write_stdin(content.clone())
                .assert()
                .success()
                .stdout(contains("bits").and(contains("NaN").not()));
        }
        place
            .vatic(&["explain", "-", "--parts"])
            .write_stdin(content)
            .assert()
            .success()
            .stdout(contains("layer 1, head 1").and(contains("NaN").not()));
    }
}

#[test]
fn without_a_model_there_is_nothing_to_explain() {
    let place = Place::with_text();
    place
        .vatic(&["explain", "--model", "none", "a.txt"])
        .assert()
        .code(1)
        .stderr(contains("--model none"));
    place
        .vatic(&["explain", "nowhere.txt"])
        .assert()
        .code(1)
        .stderr(contains("nowhere.txt"));
}
