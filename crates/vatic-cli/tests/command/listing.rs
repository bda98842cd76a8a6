//! `vatic -l`.

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{Place, text};

#[test]
fn shows_sizes_model_and_checksum() {
    let place = Place::with_compressed();
    let checksum = {
        let content = place.read("a.txt.vtc");
        let info = vatic::info::list(std::io::Cursor::new(&content)).unwrap();
        format!("{:08x}", info.frames[0].checksum)
    };
    let length = text().len().to_string();
    let grouped = format!(
        "{},{}",
        &length[..length.len() - 3],
        &length[length.len() - 3..]
    );
    place.vatic(&["-l", "a.txt.vtc"]).assert().success().stdout(
        contains("a.txt.vtc")
            .and(contains(grouped))
            .and(contains("base"))
            .and(contains(checksum)),
    );
}

/// The model of a mixed frame stands inside it, behind whatever comes before.
#[test]
fn shows_what_coded_the_parts_of_a_frame() {
    let place = Place::new();
    let mixed = include_bytes!("../../../../tests/golden/mixed.vtc");
    let thorough = include_bytes!("../../../../tests/golden/bytes-thorough.vtc");
    place.write("mixed.vtc", mixed);
    // What comes after it is found.
    place.write("both.vtc", &[&mixed[..], thorough].concat());
    let listed = |name: &str| {
        let output = place.vatic(&["-l", name]).assert().success();
        String::from_utf8(output.get_output().stdout.clone()).unwrap()
    };
    let alone = listed("mixed.vtc");
    assert!(alone.contains("swift ea… (mixed)"), "{alone}");
    let both = listed("both.vtc");
    assert!(
        both.contains("swift ea… (mixed), (bytes, thorough)"),
        "{both}"
    );
    // What is wrong inside is for the decoder to say.
    let mut wrong = mixed.to_vec();
    wrong[17..30].fill(0xFF);
    place.write("wrong.vtc", &wrong);
    let wrong = listed("wrong.vtc");
    assert!(wrong.contains(" (mixed)"), "{wrong}");
    place.vatic(&["-t", "wrong.vtc"]).assert().code(1);
}

#[test]
fn adds_up_several_files_and_reports_bad_ones() {
    let place = Place::with_compressed();
    place.write("bad.vtc", b"garbage");
    place
        .vatic(&["-l", "a.txt.vtc", "bad.vtc", "a.txt.vtc"])
        .assert()
        .code(1)
        .stdout(contains("2 files"))
        .stderr(contains("bad.vtc: this is not vatic data"));
    place
        .vatic(&["-l"])
        .write_stdin(place.read("a.txt.vtc"))
        .assert()
        .code(1)
        .stderr(contains("standard input"));
}

#[test]
fn shows_each_frame_when_verbose() {
    let place = Place::new();
    place.write("a", &vec![b'a'; 200_000]);
    place
        .vatic(&["-q", "--model", "none", "--frame-size", "64K", "a"])
        .assert()
        .success();
    place
        .vatic(&["-lv", "a.vtc"])
        .assert()
        .success()
        .stdout(contains("196,608").and(contains("checksum")));
}

#[test]
fn finds_truncation() {
    let place = Place::with_compressed();
    let whole = place.read("a.txt.vtc");
    place.write("cut.vtc", &whole[..whole.len() - 1]);
    place
        .vatic(&["-l", "cut.vtc"])
        .assert()
        .code(1)
        .stderr(contains("cut.vtc: the data is cut off"));
}
