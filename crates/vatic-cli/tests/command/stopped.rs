//! Stopped in the middle: no half file under the final name, and the input is whole.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::support::{Place, noise};

/// Starts compressing standard input to `out.vtc`, sends `signal` when the file is under way, and waits for the end.
fn stopped_by(signal: &str) -> (Place, ExitStatus) {
    let place = Place::new();
    place.write("other", b"untouched");
    let args = ["--model", "none", "--frame-size", "64K", "-o", "out.vtc"];
    let mut child = place
        .process(&args)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&noise(300_000)).unwrap();
    let under_way = || place.names().iter().any(|name| name.starts_with(".vatic-"));
    while !under_way() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(
        Command::new("kill")
            .args(["-s", signal, &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let status = child.wait().unwrap();
    drop(stdin);
    (place, status)
}

#[test]
fn ctrl_c_and_term_leave_nothing() {
    for (signal, number) in [("INT", 2), ("TERM", 15)] {
        let (place, status) = stopped_by(signal);
        // It dies of the signal, so that a shell's loop around it ends too.
        assert_eq!(status.signal(), Some(number));
        assert_eq!(place.names(), ["other"]);
    }
}

#[test]
fn kill_leaves_no_half_file_under_the_final_name() {
    let (place, status) = stopped_by("KILL");
    assert_eq!(status.signal(), Some(9));
    assert!(!place.path("out.vtc").exists());
    assert_eq!(place.read("other"), b"untouched");
}
