//! What is generated from the definition of the command line.

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::Place;

#[test]
fn completions() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        place
            .vatic(&["completions", shell])
            .assert()
            .success()
            .stdout(contains("vatic").and(contains("output-dir-flat")));
    }
}

#[test]
fn man_pages() {
    let place = Place::new();
    place
        .vatic(&["man"])
        .assert()
        .success()
        .stdout(contains(".TH vatic").and(contains("decompress")));
    place.vatic(&["man", "man1"]).assert().success();
    for page in [
        "vatic.1",
        "vatic-compare.1",
        "vatic-learn.1",
        "vatic-explain.1",
    ] {
        assert!(
            String::from_utf8(place.read(&format!("man1/{page}")))
                .unwrap()
                .contains(".TH"),
            "{page}"
        );
    }
}
