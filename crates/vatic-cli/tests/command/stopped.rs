//! Stopped in the middle: no half file under the final name, and the input is whole.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::support::{Place, noise, text, vatic};

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

/// Whether the tests were started to ignore that signal, as under `nohup` or in the background of a script: so does what they start.
fn is_ignored(number: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Where nobody tells, SIGHUP has no handler, and ends the program as it is.
    mask.map_or(number == 1, |mask| mask >> (number - 1) & 1 == 1)
}

#[test]
fn ctrl_c_and_term_leave_nothing() {
    for (signal, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        if is_ignored(number) {
            eprintln!("SIG{signal} is ignored where these tests run: not tried");
            continue;
        }
        let (place, status) = stopped_by(signal);
        // It dies of the signal, so that a shell's loop around it ends too.
        assert_eq!(status.signal(), Some(number));
        assert_eq!(place.names(), ["other"]);
    }
}

/// One small file after the other is written: the signal comes at any point of that.
#[test]
fn stopped_among_many_files() {
    for delay in 0..8 {
        let place = Place::new();
        for n in 0..200 {
            place.write(&format!("d/{n}"), b"short");
        }
        let mut child = place
            .process(&["--model", "none", "-q", "-r", "d"])
            .spawn()
            .unwrap();
        while !place.path("d/0.vtc").exists() {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_micros(300 * delay));
        let sent = Command::new("kill").arg(child.id().to_string()).status();
        let stopped = child.wait().unwrap();
        // It may have been done before.
        assert!(stopped.success() || sent.unwrap().success() && stopped.signal() == Some(15));
        for entry in std::fs::read_dir(place.path("d")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(!name.ends_with(".tmp"), "{name} was left");
        }
    }
}

/// As under `nohup`, and in the background of a script.
#[test]
fn signals_that_are_ignored_stay_ignored() {
    let place = Place::with_text();
    for signal in ["HUP", "INT"] {
        let vatic = vatic();
        let script = format!(
            "trap '' {signal}; (cat a.txt; sleep 0.3; cat a.txt) | '{}' -q --model none -fo out.vtc & sleep 0.1; kill -s {signal} $!; wait $!",
            vatic.display()
        );
        let status = Command::new("sh")
            .args(["-c", &script])
            .current_dir(place.path(""))
            .status();
        assert!(status.unwrap().success(), "{signal}");
        let restored = place.vatic(&["-dc", "out.vtc"]).output().unwrap().stdout;
        assert_eq!(restored, text().repeat(2), "{signal}");
    }
}

#[test]
fn kill_leaves_no_half_file_under_the_final_name() {
    let (place, status) = stopped_by("KILL");
    assert_eq!(status.signal(), Some(9));
    assert!(!place.path("out.vtc").exists());
    assert_eq!(place.read("other"), b"untouched");
}
