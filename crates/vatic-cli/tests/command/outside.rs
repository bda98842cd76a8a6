//! Together with other programs.

use std::io::Read;
use std::process::Stdio;

use crate::support::{Place, noise};

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    place.write("a", &noise(3_000_000));
    place
        .vatic(&["-q", "--model", "none", "--frame-size", "64K", "a"])
        .assert()
        .success();
    let mut child = place
        .process(&["-dc", "a.vtc"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut start = [0; 10];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut start).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!(start, noise(10)[..]);
    assert_eq!(
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap().as_str()
        ),
        (Some(0), "")
    );
}

#[cfg(unix)]
#[test]
fn tar_packs_and_unpacks_with_it() {
    use std::process::Command;

    use crate::support::{text, vatic};

    let has_tar = Command::new("tar")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.stdout.starts_with(b"tar (GNU tar)"));
    if !has_tar {
        return;
    }
    let place = Place::new();
    place.write("notes/a.txt", &text());
    place.write("notes/deep/b.bin", &noise(1000));
    let tar = |args: &[&str]| {
        let output = Command::new("tar")
            .arg("-I")
            .arg(vatic())
            .args(args)
            .current_dir(place.path(""))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        String::from_utf8(output.stdout).unwrap()
    };
    tar(&["-cf", "notes.tar.vtc", "notes"]);
    assert!(tar(&["-tf", "notes.tar.vtc"]).contains("notes/deep/b.bin"));
    std::fs::remove_dir_all(place.path("notes")).unwrap();
    tar(&["-xf", "notes.tar.vtc"]);
    assert_eq!(
        (place.read("notes/a.txt"), place.read("notes/deep/b.bin")),
        (text(), noise(1000))
    );
    place.vatic(&["-t", "notes.tar.vtc"]).assert().success();
}
