//! What goes wrong: a sentence that names the file, exit code 1, no output left, the input untouched.

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{Place, noise, text};

/// Runs `vatic -d bad.vtc` on `content` and checks everything that must hold for any bad input.
fn refuses(content: &[u8], sentence: &str) {
    let place = Place::new();
    place.write("bad.vtc", content);
    for args in [
        &["-d", "bad.vtc"][..],
        &["-t", "bad.vtc"],
        &["-dc", "bad.vtc"],
    ] {
        place.vatic(args).assert().code(1).stderr(
            contains("vatic: bad.vtc: ")
                .and(contains(sentence))
                .and(contains("panicked").not()),
        );
        assert_eq!(place.names(), ["bad.vtc"], "{args:?}");
        assert_eq!(place.read("bad.vtc"), content, "{args:?}");
    }
}

fn compressed() -> Vec<u8> {
    Place::with_compressed().read("a.txt.vtc")
}

#[test]
fn a_pipe_gets_what_comes_before_damage_and_a_file_nothing() {
    let place = Place::new();
    let text: Vec<u8> = (0..60u32)
        .flat_map(|n| (0..5000u32).map(move |k| (k.wrapping_mul(k + n) % 251) as u8))
        .collect();
    place.write("a", &text);
    let args = ["-q", "--model", "none", "a"];
    place.vatic(&args).assert().success();
    let mut packed = place.read("a.vtc");
    let middle = packed.len() / 2;
    packed[middle] ^= 0x55;
    place.write("a.vtc", &packed);
    let piped = place.vatic(&["-dc", "a.vtc"]).assert().code(1);
    let piped = piped.get_output();
    let right = text.iter().zip(&piped.stdout);
    let right = right.take_while(|(a, b)| a == b).count();
    assert!(right > 1000 && piped.stdout.len() <= text.len());
    assert!(String::from_utf8_lossy(&piped.stderr).contains("damaged"));
    let file = std::fs::File::create(place.path("out")).unwrap();
    let status = place.process(&["-qqdc", "a.vtc"]).stdout(file).status();
    assert_eq!(status.unwrap().code(), Some(1));
    assert!(place.read("out").is_empty());
    // A half is worth as much as there is of it.
    place.write("half.vtc", &packed[..middle]);
    let half = place.vatic(&["-dc", "half.vtc"]).assert().code(1);
    let half = half.get_output();
    assert!(half.stdout.len() > 1000 && text.starts_with(&half.stdout));
    assert!(String::from_utf8_lossy(&half.stderr).contains("cut off"));
}

#[test]
fn garbage_and_other_formats() {
    refuses(b"", "not vatic data");
    refuses(&noise(5000), "not vatic data");
    refuses(&text(), "not vatic data");
    refuses(
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0",
        "not vatic data",
    );
}

#[test]
fn more_than_the_memory_that_is_allowed() {
    let place = Place::with_compressed();
    let before = place.names();
    for limit in ["-M100M", "--memory=100M"] {
        (place
            .vatic(&["-dkf", limit, "a.txt.vtc", "-o", "b.txt"])
            .assert())
        .code(1)
        .stderr(contains("vatic: a.txt.vtc: ").and(contains("bytes of memory")));
        assert_eq!(place.names(), before);
    }
    let allowed = ["-dk", "-M200M", "a.txt.vtc", "-o", "b.txt"];
    place.vatic(&allowed).assert().success();
    assert_eq!(place.read("b.txt"), text());
}

#[test]
fn truncated() {
    let whole = compressed();
    for length in [4, 5, 8, whole.len() / 2, whole.len() - 1] {
        refuses(&whole[..length], "cut off");
    }
}

#[test]
fn damaged() {
    let whole = compressed();
    for at in [whole.len() / 3, whole.len() / 2, whole.len() - 2] {
        let mut content = whole.clone();
        content[at] ^= 0x10;
        refuses(&content, "damaged");
    }
}

#[test]
fn followed_by_something_else() {
    refuses(&[compressed(), noise(100)].concat(), "no vatic data");
}

#[test]
fn a_model_that_is_not_here() {
    let place = Place::with_compressed();
    let mut content = place.read("a.txt.vtc");
    let info = vatic::info::list(std::io::Cursor::new(&content)).unwrap();
    let id = match info.frames[0]
        .model
        .expect("the text is coded with a model")
    {
        vatic::ModelRef::Short(id) => id.to_vec(),
        vatic::ModelRef::Full(id) => id.0.to_vec(),
    };
    // What stands before the payload: …, the model, 4 bytes of checksum.
    let payload = info.frames[0].payload_bytes as usize;
    let at = content.len() - payload - 4 - id.len();
    assert_eq!(content[at..at + id.len()], id);
    content[at] ^= 0xff;
    refuses(&content, "--model FILE");
    refuses(&content, "was made by model");

    place
        .vatic(&["--model", "nonesuch", "a.txt", "-o", "x"])
        .assert()
        .code(1)
        .stderr(contains("nonesuch").and(contains("swift")));
    place
        .vatic(&["--model", "a.txt", "a.txt", "-o", "x"])
        .assert()
        .code(1)
        .stderr(contains("--model a.txt"));
    assert_eq!(place.names(), ["a.txt", "a.txt.vtc"]);
}

#[test]
fn one_bad_file_does_not_stop_the_others() {
    let place = Place::with_text();
    place.write("b.txt", b"b");
    place
        .vatic(&["a.txt", "missing.txt", "b.txt"])
        .assert()
        .code(1)
        .stderr(contains("vatic: missing.txt: there is no such file"));
    assert_eq!(place.names(), ["a.txt", "a.txt.vtc", "b.txt", "b.txt.vtc"]);
    place.write("a.txt.vtc", b"garbage");
    place.remove("a.txt");
    place.remove("b.txt");
    place
        .vatic(&["-d", "a.txt.vtc", "b.txt.vtc"])
        .assert()
        .code(1);
    assert_eq!(place.names(), ["a.txt.vtc", "b.txt", "b.txt.vtc"]);
}

#[test]
fn a_name_without_the_suffix() {
    let place = Place::with_compressed();
    std::fs::rename(place.path("a.txt.vtc"), place.path("b")).unwrap();
    place
        .vatic(&["-d", "b"])
        .assert()
        .code(1)
        .stderr(contains("b: does not end in .vtc").and(contains("-o")));
    assert_eq!(place.names(), ["a.txt", "b"]);
}

#[test]
fn never_onto_its_own_input() {
    let place = Place::with_text();
    place
        .vatic(&["-f", "a.txt", "-o", "a.txt"])
        .assert()
        .code(1)
        .stderr(contains("a.txt: is also the output"));
    place
        .vatic(&["-f", "a.txt", "-o", "./a.txt"])
        .assert()
        .code(1);
    assert_eq!(place.read("a.txt"), text());
    // `vatic -c a.txt >> a.txt` would feed itself.
    let append = std::fs::File::options()
        .append(true)
        .open(place.path("a.txt"))
        .unwrap();
    let output = place
        .process(&["-c", "a.txt"])
        .stdout(append)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(place.read("a.txt"), text());
}

#[test]
fn directories_that_cannot_be_written() {
    let place = Place::with_text();
    place
        .vatic(&["a.txt", "-o", "no/such/dir/x"])
        .assert()
        .code(1)
        .stderr(contains("does not exist"));
    std::fs::create_dir(place.path("d")).unwrap();
    place
        .vatic(&["-f", "a.txt", "-o", "d"])
        .assert()
        .code(1)
        .stderr(contains("d: is a directory"));
    if cfg!(target_os = "linux") {
        // Nobody can create files there, not even root.
        place
            .vatic(&["a.txt", "-o", "/proc/x"])
            .assert()
            .code(1)
            .stderr(contains("/proc/x: no file can be created"));
    }
    assert_eq!(place.names(), ["a.txt", "d"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let place = Place::with_text();
    place.write("a.txt", &noise(200_000));
    for args in [
        vec!["-c", "a.txt"],
        vec!["-c", "--frame-size", "64K", "a.txt"],
    ] {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = place.process(&args).stdout(full).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(
            stderr.contains("standard output: cannot be written: No space left"),
            "{stderr}"
        );
    }
    place
        .vatic(&["--rm", "a.txt", "-o", "/dev/full"])
        .assert()
        .code(1)
        .stderr(contains("/dev/full: cannot be written"));
    // A device is written to, not replaced, and its input is not removed for it.
    place
        .vatic(&["--rm", "-f", "a.txt", "-o", "/dev/null"])
        .assert()
        .success();
    assert_eq!(place.names(), ["a.txt"]);
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
}

#[cfg(unix)]
#[test]
fn no_directory_for_what_came_before() {
    let place = Place::new();
    // More than is kept in memory, and the beginning of it again.
    let mut content = noise(5 << 20);
    content.extend_from_within(..100_000);
    place.write("a.bin", &content);
    let without = |args: &[&str]| place.vatic(args).env("TMPDIR", "/nowhere/at/all").assert();
    let args = ["--model", "none", "--frame-size", "1M", "a.bin", "-fo"];
    without(&[&args[..], &["b.vtc"]].concat()).success();
    place
        .vatic(&[&args[..], &["c.vtc"]].concat())
        .assert()
        .success();
    // What cannot be copied is coded.
    assert!(place.read("b.vtc").len() > content.len());
    assert!(place.read("c.vtc").len() < content.len() - 99_000);
    without(&["-d", "b.vtc"]).success();
    let before = place.names();
    for args in [
        &["-d", "c.vtc"][..],
        &["-t", "c.vtc"],
        &["--range", "5M..", "c.vtc"],
    ] {
        without(args).code(1).stdout("").stderr(
            contains("vatic: c.vtc: ").and(contains("name a directory with room in TMPDIR")),
        );
        assert_eq!(place.names(), before);
    }
    without(&["--range", "1M..1000010", "c.vtc"]).code(2);
    without(&["--range", "1000000..1000010", "c.vtc"]).success();
    place.vatic(&["-d", "c.vtc"]).assert().success();
    assert_eq!(place.read("c"), content);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read() {
    let place = Place::new();
    // Opens and then fails to be read.
    place
        .vatic(&["/proc/self/mem", "-o", "x"])
        .assert()
        .code(1)
        .stderr(contains("/proc/self/mem: cannot be read"));
    assert!(place.names().is_empty());
}

#[test]
fn command_lines_that_make_no_sense() {
    let place = Place::with_text();
    let wrong = [
        &["--nonsense"][..],
        &["-t", "-o", "x", "a.txt"],
        &["-l", "--rm", "a.txt"],
        &["--frame-size", "1", "a.txt"],
        &["--frame-size", "many", "a.txt"],
        &["--window", "5G", "a.txt"],
        &["-o", "x", "a.txt", "a.txt"],
        &["-c", "-o", "x", "a.txt"],
        &["compare"],
        &["learn"],
    ];
    for args in wrong {
        place
            .vatic(args)
            .assert()
            .code(2)
            .stdout("")
            .stderr(predicate::str::is_empty().not());
    }
    assert_eq!(place.names(), ["a.txt"]);
}

#[cfg(unix)]
#[test]
fn a_link_is_not_removed_for_its_target() {
    let place = Place::with_text();
    std::os::unix::fs::symlink("a.txt", place.path("link")).unwrap();
    place
        .vatic(&["--rm", "link"])
        .assert()
        .code(1)
        .stderr(contains("link: is a symbolic link"));
    place.vatic(&["link"]).assert().success();
    assert_eq!(place.names(), ["a.txt", "link", "link.vtc"]);
}
