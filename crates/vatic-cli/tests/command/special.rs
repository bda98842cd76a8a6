//! Links, pipes, devices, and messages that nobody can hear.

use std::fs::{File, symlink_metadata};
use std::os::unix::fs::{FileTypeExt, symlink};
use std::process::Command;

use predicates::str::contains;

use crate::support::{Place, text};

fn make_pipe(place: &Place, name: &str) {
    let made = Command::new("mkfifo").arg(place.path(name)).status();
    assert!(made.unwrap().success());
}

#[test]
fn a_pipe_is_neither_waited_for_nor_removed() {
    let place = Place::with_text();
    make_pipe(&place, "f");
    for args in [
        &["f"][..],
        &["-d", "f"],
        &["--rm", "-o", "x", "f"],
        &["-l", "f"],
    ] {
        (place.vatic(args).assert())
            .code(1)
            .stderr(contains("f: is not a regular file"));
    }
    assert!(
        symlink_metadata(place.path("f"))
            .unwrap()
            .file_type()
            .is_fifo()
    );
}

#[test]
fn a_link_that_leads_nowhere_is_in_the_way() {
    let place = Place::with_text();
    symlink("nowhere", place.path("a.txt.vtc")).unwrap();
    (place.vatic(&["-1", "a.txt"]).assert())
        .code(1)
        .stderr(contains("a.txt.vtc: already exists"));
    (place.vatic(&["-1", "-f", "a.txt"]).assert()).success();
    (place.vatic(&["-dc", "a.txt.vtc"]).assert()).stdout(text());
    assert!(!place.path("nowhere").exists());
}

#[test]
fn what_standard_output_goes_to_is_not_replaced() {
    let place = Place::with_text();
    symlink("/dev/stdout", place.path("out")).unwrap();
    let into = |args: &[&str], name: &str, append: bool| {
        let mut options = File::options();
        options.write(true).create(true).append(append);
        let file = options.open(place.path(name)).unwrap();
        place.process(args).stdout(file).output().unwrap()
    };
    let output = into(&["-1", "-f", "-q", "a.txt", "-o", "out"], "x", false);
    assert!(output.status.success(), "{output:?}");
    assert!(
        symlink_metadata(place.path("out"))
            .unwrap()
            .file_type()
            .is_symlink()
    );
    (place.vatic(&["-dc", "x"]).assert()).stdout(text());
    // An input that grows by what is made of it would never end.
    let stdin = File::open(place.path("a.txt")).unwrap();
    let file = File::options()
        .append(true)
        .open(place.path("a.txt"))
        .unwrap();
    let output = place.process(&["-1"]).stdin(stdin).stdout(file).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(place.read("a.txt"), text());
}

#[cfg(target_os = "linux")]
#[test]
fn messages_that_cannot_be_written_stop_nothing() {
    let place = Place::new();
    for name in ["a", "b", "c"] {
        place.write(name, &text());
    }
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let output = (place.process(&["-1", "a", "b", "missing", "c"]))
        .stderr(full())
        .output();
    assert_eq!(output.unwrap().status.code(), Some(1));
    assert_eq!(place.names(), ["a", "a.vtc", "b", "b.vtc", "c", "c.vtc"]);
    for args in [&["-V"][..], &["-l", "a.vtc"]] {
        let output = place.process(args).stdout(full()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(
            said.contains("standard output: cannot be written"),
            "{said}"
        );
    }
}
