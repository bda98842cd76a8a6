//! Nothing is lost or hidden by an unlucky command line.

use std::process::Stdio;

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{Place, noise, text};

#[test]
fn of_several_options_the_last_one_counts() {
    let place = Place::with_text();
    for args in [
        &["-q", "-f", "-1", "-9", "-f", "-1", "a.txt"][..],
        &["-q", "-f", "--fast", "-T1", "-T2", "a.txt"],
    ] {
        place.vatic(args).assert().success();
        (place.vatic(&["-l", "a.txt.vtc"]).assert()).stdout(contains("swift"));
    }
    place.vatic(&["-tc", "a.txt.vtc"]).assert().success();
    (place.vatic(&["-lc", "a.txt.vtc"]).assert()).stdout(contains("a.txt.vtc"));
}

#[test]
fn a_part_is_not_taken_for_the_whole() {
    let place = Place::with_compressed();
    place.remove("a.txt");
    (place.vatic(&["--range", "3..7", "a.txt.vtc"]).assert())
        .success()
        .stdout(text()[3..7].to_vec());
    (place
        .vatic(&["--range", "3..7", "--rm", "-o", "x", "a.txt.vtc"])
        .assert())
    .code(2);
    assert_eq!(place.names(), ["a.txt.vtc"]);
    (place
        .vatic(&["--range", "3..7", "-o", "x", "a.txt.vtc"])
        .assert())
    .stderr(contains("4 bytes"));
    assert_eq!(place.read("x"), text()[3..7]);
}

#[test]
fn no_result_replaces_another_of_the_same_run() {
    let place = Place::new();
    place.write("d/n", b"one");
    place.write("e/n", b"two");
    place.write("out/other", b"");
    let args = ["-1", "-f", "--rm", "--output-dir-flat", "out", "d/n", "e/n"];
    (place.vatic(&args).assert())
        .code(1)
        .stderr(contains("n: its result would be called"));
    assert_eq!(place.read("e/n"), b"two");
    (place.vatic(&["-dc", "out/n.vtc"]).assert()).stdout("one");
}

#[test]
fn unfinished_files_of_others_are_left_alone() {
    let place = Place::new();
    place.write("d/a", b"whole");
    place.write("d/.vatic-x1.tmp", b"ha");
    place.vatic(&["-1", "-r", "d"]).assert().success();
    assert!(!place.path("d/.vatic-x1.tmp.vtc").exists());
    assert!(place.path("d/a.vtc").exists());
}

#[cfg(unix)]
#[test]
fn names_do_not_move_the_cursor() {
    let place = Place::new();
    (place.vatic(&["no\u{1b}[31m"]).assert())
        .code(1)
        .stderr(contains("no\\u{1b}[31m: there is no such file"));
}

#[test]
fn reports_are_refused_before_the_work() {
    let place = Place::with_text();
    place.write("x", b"precious");
    for args in [
        // What would be wrong with it otherwise is found later.
        &["compare", "--only", "nothing", "-o", "x", "a.txt"][..],
        &["explain", "--model", "none", "-o", "x", "a.txt"],
        &["learn", "--model", "missing", "-o", "x", "a.txt"],
    ] {
        (place.vatic(args).assert())
            .code(1)
            .stderr(contains("x: already exists"));
    }
    for args in [
        &["compare", "-f", "-o", "a.txt", "a.txt"][..],
        &["explain", "-f", "-o", "a.txt", "a.txt"],
        &["learn", "-f", "-o", "a.txt", "a.txt"],
    ] {
        (place.vatic(args).assert())
            .code(1)
            .stderr(contains("a.txt: is also the output"));
    }
    assert_eq!(
        (place.read("x"), place.read("a.txt")),
        (b"precious".to_vec(), text())
    );
}

#[test]
fn an_empty_text_costs_nothing() {
    let place = Place::new();
    place.write("empty", b"");
    for format in ["table", "json", "html"] {
        (place
            .vatic(&["explain", "--model", "swift", "--format", format, "empty"])
            .assert())
        .success()
        .stdout(contains("-0.0").not());
    }
}

#[test]
fn priors_are_no_samples_and_damaged_ones_no_priors() {
    let place = Place::new();
    place.write("d/a", &text());
    let learn = |args: &[&str]| {
        let learn = ["learn", "--model", "none", "-r", "d"];
        (place.vatic(&[&learn, args].concat()).assert()).success()
    };
    learn(&["-o", "d/p.vtp"]).stderr(contains("learnt from 1 file(s)"));
    let prior = place.read("d/p.vtp");
    learn(&["-fo", "d/p.vtp"]).stderr(contains("learnt from 1 file(s)"));
    learn(&["-o", "other"]).stderr(contains("learnt from 1 file(s)"));
    assert!(prior == place.read("d/p.vtp") && prior == place.read("other"));

    place.write("cut", &prior[..prior.len() - 100]);
    let mut flipped = prior.clone();
    flipped[prior.len() / 2] ^= 4;
    place.write("flipped", &flipped);
    place.write("more", &[&prior[..], b"!"].concat());
    for (name, problem) in [
        ("cut", "cut off or damaged"),
        ("flipped", "damaged"),
        ("more", "damaged"),
    ] {
        (place
            .vatic(&["--model", "none", "-D", name, "d/a"])
            .assert())
        .code(1)
        .stderr(contains(problem).and(contains(name)));
    }
}

/// Files without text take one thread each, so they are done side by side; it must not show.
#[test]
fn files_of_medium_size_are_done_as_if_one_by_one() {
    let place = Place::new();
    let sizes = [140_000, 5_000, 200_000, 300, 150_000];
    for (n, &size) in sizes.iter().enumerate() {
        // Smaller by some percent.
        let content: Vec<u8> = noise(size).iter().map(|byte| byte & 0x7F).collect();
        place.write(&format!("d/{n}"), &content);
    }
    place.write("d/t", &text().repeat(40));
    place.write("d/2.vtc", b"precious");
    let quick = ["-1", "-T3"];
    (place.vatic(&[&quick[..], &["-r", "d"]].concat()).assert())
        .code(1)
        .stderr(contains("2.vtc: already exists").and(contains("5 files")));
    assert_eq!(place.read("d/2.vtc"), b"precious");
    let one = |name: &str| {
        let output = place.vatic(&["-1", "-qc", &format!("d/{name}")]).output();
        output.unwrap().stdout
    };
    for name in ["0", "1", "3", "4", "t"] {
        assert!(place.read(&format!("d/{name}.vtc")) == one(name), "{name}");
    }
    place
        .vatic(&["-1", "-qf", "--rm", "-T3", "-r", "d"])
        .assert()
        .success();
    assert!(!place.path("d/2").exists());
    let names = ["4", "t", "0", "3", "2", "1"];
    let packed: Vec<String> = names.iter().map(|name| format!("d/{name}.vtc")).collect();
    let packed: Vec<&str> = packed.iter().map(String::as_str).collect();
    place
        .vatic(&[&["-t", "-T3"], &packed[..]].concat())
        .assert()
        .success();
    let all = place
        .vatic(&[&["-dc", "-T3"], &packed[..]].concat())
        .output();
    place.vatic(&["-dq", "-T3", "-r", "d"]).assert().success();
    let contents = names.map(|name| place.read(&format!("d/{name}"))).concat();
    assert!(all.unwrap().stdout == contents);
    assert_eq!(
        place.read("d/2").len() + place.read("d/1").len(),
        sizes[2] + sizes[1]
    );
}

#[test]
fn a_failure_is_told_though_the_reader_went_away() {
    let place = Place::new();
    place.write("a", &noise(3_000_000));
    place
        .vatic(&["-q", "--model", "none", "--frame-size", "64K", "a"])
        .assert()
        .success();
    let ends = |args: &[&str]| {
        let mut child = place
            .process(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, said) = ends(&["-dc", "missing.vtc", "a.vtc"]);
    assert_eq!(
        (code, said.contains("missing.vtc")),
        (Some(1), true),
        "{said}"
    );
    // What was to be kept is not all there.
    let (code, said) = ends(&["-c", "--model", "none", "--frame-size", "64K", "a"]);
    assert_eq!(
        (code, said.contains("standard output")),
        (Some(1), true),
        "{said}"
    );
}
