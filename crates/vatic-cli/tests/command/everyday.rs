//! What people do every day.

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{Place, noise, text};

#[test]
fn compresses_keeps_and_restores() {
    let place = Place::with_text();
    place
        .vatic(&["a.txt"])
        .assert()
        .success()
        .stdout("")
        .stderr(contains("a.txt.vtc").and(contains("bits/byte")));
    assert_eq!(place.names(), ["a.txt", "a.txt.vtc"]);
    assert_eq!(place.read("a.txt"), text());
    assert!(place.read("a.txt.vtc").len() < text().len() / 2);

    place.remove("a.txt");
    place
        .vatic(&["-d", "a.txt.vtc"])
        .assert()
        .success()
        .stdout("");
    assert_eq!(place.read("a.txt"), text());
    assert_eq!(place.names(), ["a.txt", "a.txt.vtc"]);
}

/// An archive, whose parts are taken apart and made again.
#[test]
fn what_deflate_compressed_becomes_smaller_and_comes_back() {
    let place = Place::new();
    let zip = include_bytes!("../../../vatic-unpack/tests/data/notes.zip");
    place.write("notes.zip", zip);
    place
        .vatic(&["-v", "--model", "none", "notes.zip"])
        .assert()
        .success()
        .stderr(contains("unpacked"));
    let length = place.read("notes.zip.vtc").len();
    assert!(length * 10 < zip.len() * 8, "{length} bytes");
    let listed = place.vatic(&["-l", "notes.zip.vtc"]).assert().success();
    listed.stdout(contains("(unpacked)"));
    place.remove("notes.zip");
    place.vatic(&["-d", "notes.zip.vtc"]).assert().success();
    assert_eq!(place.read("notes.zip"), zip);
    place
        .vatic(&["--no-unpack", "--model", "none", "-fq", "notes.zip"])
        .assert()
        .success();
    assert!(place.read("notes.zip.vtc").len() * 10 > zip.len() * 9);
}

#[test]
fn what_occurred_before_takes_no_room() {
    let place = Place::new();
    let content = noise(200_000).repeat(2);
    place.write("twice", &content);
    let args = ["--model", "none", "--frame-size", "64K", "-f", "twice"];
    let small = place.vatic(&[&args[..], &["-v"]].concat()).assert();
    small.success().stderr(contains("stored, copied"));
    assert!(place.read("twice.vtc").len() < 201_000);
    let listed = place.vatic(&["-l", "twice.vtc"]).assert().success();
    listed.stdout(contains("(stored), (copied)"));
    for args in [&["-dc", "twice.vtc"][..], &["--range", "0..", "twice.vtc"]] {
        place.vatic(args).assert().success().stdout(content.clone());
    }
    place.vatic(&["-df", "twice.vtc"]).assert().success();
    assert_eq!(place.read("twice"), content);
    let mut all = place.vatic(&[&args[..], &["--window", "0"]].concat());
    all.assert().success();
    assert!(place.read("twice.vtc").len() > content.len());
}

#[test]
fn any_bytes_come_back() {
    for content in [
        vec![],
        vec![0],
        b"x".to_vec(),
        noise(1),
        noise(70_000),
        vec![0; 100_000],
        text(),
    ] {
        let place = Place::new();
        place.write("x", &content);
        place
            .vatic(&["-q", "--frame-size", "64K", "x"])
            .assert()
            .success()
            .stderr("");
        place.remove("x");
        place.vatic(&["-dq", "x.vtc"]).assert().success().stderr("");
        assert_eq!(place.read("x"), content, "{} bytes", content.len());
        let frames = content.len() / 65536 + 1;
        assert!(
            place.read("x.vtc").len() <= content.len() + 16 * frames,
            "{} bytes",
            content.len()
        );
    }
}

#[test]
fn writes_where_it_is_told() {
    let place = Place::with_text();
    place.vatic(&["a.txt", "-o", "b.vtc"]).assert().success();
    place
        .vatic(&["-d", "b.vtc", "-o", "c.txt"])
        .assert()
        .success();
    assert_eq!(place.read("c.txt"), text());
    assert_eq!(place.names(), ["a.txt", "b.vtc", "c.txt"]);

    let out = place
        .vatic(&["-dc", "b.vtc"])
        .assert()
        .success()
        .stderr("")
        .get_output()
        .stdout
        .clone();
    assert_eq!(out, text());
    let out = place
        .vatic(&["-d", "b.vtc", "-o", "-"])
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    assert_eq!(out, text());
}

#[test]
fn pipes_without_files() {
    let place = Place::new();
    for args in [vec![], vec!["-"], vec!["-c"]] {
        let packed = place
            .vatic(&args)
            .write_stdin(text())
            .assert()
            .success()
            .stderr("")
            .get_output()
            .stdout
            .clone();
        assert!(packed.len() < text().len() / 2);
        let back = place
            .vatic(&["-d"])
            .write_stdin(packed)
            .assert()
            .success()
            .stderr("")
            .get_output()
            .stdout
            .clone();
        assert_eq!(back, text());
    }
    place
        .vatic(&["-o", "a.vtc"])
        .write_stdin(text())
        .assert()
        .success();
    place
        .vatic(&["-d", "-", "-o", "a"])
        .write_stdin(place.read("a.vtc"))
        .assert()
        .success();
    assert_eq!(place.read("a"), text());
}

#[test]
fn joined_results_decode_as_one() {
    let place = Place::with_text();
    place.write("b.txt", b"and more");
    let packed = place
        .vatic(&["-c", "a.txt", "b.txt"])
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    let back = place
        .vatic(&["-d"])
        .write_stdin(packed)
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    assert_eq!(back, [text(), b"and more".to_vec()].concat());
}

#[test]
fn a_pipe_gives_what_it_has_before_it_waits_for_more() {
    use std::io::{Read, Write};
    use std::process::Stdio;
    let place = Place::with_compressed();
    let (text, packed) = (place.read("a.txt"), place.read("a.txt.vtc"));
    let mut child = place
        .process(&["-dc"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut to, mut from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    // Whoever sends waits for what was sent to come out before it sends more.
    for _ in 0..3 {
        to.write_all(&packed).unwrap();
        let mut out = vec![0; text.len()];
        from.read_exact(&mut out).unwrap();
        assert_eq!(out, text);
    }
    drop(to);
    assert_eq!(from.read_to_end(&mut Vec::new()).unwrap(), 0);
    assert!(child.wait().unwrap().success());
    // A file on standard input may be read ahead of need.
    place.write("three.vtc", &packed.repeat(3));
    let file = std::fs::File::open(place.path("three.vtc")).unwrap();
    let done = place.process(&["-dc"]).stdin(file).output().unwrap();
    assert!(done.status.success());
    assert_eq!(done.stdout, text.repeat(3));
}

#[test]
fn tests_without_writing() {
    let place = Place::with_compressed();
    place
        .vatic(&["-t", "a.txt.vtc"])
        .assert()
        .success()
        .stdout("")
        .stderr(contains("all right"));
    place
        .vatic(&["-tq", "a.txt.vtc"])
        .assert()
        .success()
        .stderr("");
    place
        .vatic(&["-t"])
        .write_stdin(place.read("a.txt.vtc"))
        .assert()
        .success();
    assert_eq!(place.names(), ["a.txt", "a.txt.vtc"]);
}

#[test]
fn does_not_overwrite_unless_forced() {
    let place = Place::with_compressed();
    place.write("a.txt.vtc", b"precious");
    place
        .vatic(&["a.txt"])
        .assert()
        .code(1)
        .stderr(contains("a.txt.vtc: already exists").and(contains("-f")));
    assert_eq!(place.read("a.txt.vtc"), b"precious");
    place.vatic(&["-f", "a.txt"]).assert().success();
    place.write("a.txt", b"precious");
    place
        .vatic(&["-d", "a.txt.vtc"])
        .assert()
        .code(1)
        .stderr(contains("a.txt: already exists"));
    assert_eq!(place.read("a.txt"), b"precious");
    place.vatic(&["-df", "a.txt.vtc"]).assert().success();
    assert_eq!(place.read("a.txt"), text());
    assert_eq!(place.names(), ["a.txt", "a.txt.vtc"]);
}

#[test]
fn removes_the_input_when_asked() {
    let place = Place::with_text();
    place.vatic(&["--rm", "a.txt"]).assert().success();
    assert_eq!(place.names(), ["a.txt.vtc"]);
    place.vatic(&["--rm", "-d", "a.txt.vtc"]).assert().success();
    assert_eq!(place.names(), ["a.txt"]);
    place.vatic(&["--rm", "-k", "a.txt"]).assert().success();
    assert_eq!(place.names(), ["a.txt", "a.txt.vtc"]);
    // What goes to standard output may be lost, so the input stays.
    place
        .vatic(&["--rm", "-dc", "a.txt.vtc"])
        .assert()
        .success();
    assert_eq!(place.names(), ["a.txt", "a.txt.vtc"]);
}

#[test]
fn works_through_directories() {
    let place = Place::new();
    for name in ["d/a.txt", "d/e/b.txt", "d/old.vtc"] {
        place.write(name, &text());
    }
    place
        .vatic(&["d"])
        .assert()
        .code(1)
        .stderr(contains("d: is a directory").and(contains("-r")));
    place.vatic(&["-r", "d"]).assert().success();
    assert!(place.path("d/a.txt.vtc").exists() && place.path("d/e/b.txt.vtc").exists());
    assert!(!place.path("d/old.vtc.vtc").exists());
    place.remove("d/old.vtc");
    place.remove("d/e/b.txt");
    place.vatic(&["-drf", "d"]).assert().success();
    assert_eq!(place.read("d/e/b.txt"), text());
}

/// What is small is done together; it must not show.
#[test]
fn many_small_files_are_done_as_if_one_by_one() {
    let place = Place::new();
    let texts: Vec<Vec<u8>> = (0..6)
        .map(|n| text()[n * 50..n * 300 + 60].to_vec())
        .collect();
    for (n, text) in texts.iter().enumerate() {
        place.write(&format!("d/{n}.txt"), text);
    }
    place.write("d/empty.txt", b"");
    place.write("d/2.txt.vtc", b"precious");
    place
        .vatic(&["-1", "-r", "d"])
        .assert()
        .code(1)
        .stderr(contains("2.txt.vtc: already exists").and(contains("6 files")));
    assert_eq!(place.read("d/2.txt.vtc"), b"precious");
    place.vatic(&["-1", "-qf", "d/2.txt"]).assert().success();
    for (n, text) in texts.iter().enumerate() {
        place.write("one.txt", text);
        place.vatic(&["-1", "-qf", "one.txt"]).assert().success();
        assert_eq!(
            place.read("one.txt.vtc"),
            place.read(&format!("d/{n}.txt.vtc")),
            "{n}"
        );
    }
    // All to standard output, in their order.
    let names: Vec<String> = (0..6).map(|n| format!("d/{n}.txt.vtc")).collect();
    let arguments: Vec<&str> = ["-dc"]
        .into_iter()
        .chain(names.iter().map(String::as_str))
        .collect();
    place
        .vatic(&arguments)
        .assert()
        .success()
        .stdout(texts.concat());
    // What fails is told in its place, and stops no other.
    let mut damaged = place.read("d/3.txt.vtc");
    *damaged.last_mut().unwrap() ^= 0x10;
    place.write("d/3.txt.vtc", &damaged);
    place.write("d/4.txt.vtc", b"no vatic data");
    place
        .vatic(&["-t", "-v", "-r", "d"])
        .assert()
        .code(1)
        .stderr(
            contains("3.txt.vtc: frame 0 is damaged")
                .and(contains("4.txt.vtc: this is not vatic data"))
                .and(contains("5.txt.vtc: ").and(contains("together with other files")))
                .and(contains("5 files")),
        );
    for n in 0..6 {
        place.remove(&format!("d/{n}.txt"));
    }
    place.remove("d/empty.txt");
    place
        .vatic(&["-d", "--rm", "-q", "-r", "d"])
        .assert()
        .code(1);
    for (n, text) in texts.iter().enumerate() {
        let restored = place.path(&format!("d/{n}.txt"));
        let wrong = n == 3 || n == 4;
        assert_eq!(restored.exists(), !wrong, "{n}");
        assert_eq!(place.path(&format!("d/{n}.txt.vtc")).exists(), wrong, "{n}");
        if !wrong {
            assert_eq!(place.read(&format!("d/{n}.txt")), *text);
        }
    }
    assert_eq!(place.read("d/empty.txt"), b"");
}

#[test]
fn collects_results_in_one_directory() {
    let place = Place::new();
    place.write("d/a.txt", &text());
    place.write("e/b.txt", b"b");
    std::fs::create_dir(place.path("out")).unwrap();
    place
        .vatic(&["--output-dir-flat", "out", "d/a.txt", "e/b.txt"])
        .assert()
        .success()
        .stderr(contains("2 files"));
    place
        .vatic(&[
            "-d",
            "--output-dir-flat",
            ".",
            "out/a.txt.vtc",
            "out/b.txt.vtc",
        ])
        .assert()
        .success();
    assert_eq!(
        (place.read("a.txt"), place.read("b.txt")),
        (text(), b"b".to_vec())
    );
}

#[test]
fn names_that_look_like_options() {
    let place = Place::new();
    place.write("-d", &text());
    place.vatic(&["--", "-d"]).assert().success();
    assert_eq!(place.names(), ["-d", "-d.vtc"]);
}

#[test]
fn levels_choose_the_model() {
    let place = Place::with_text();
    for (args, model) in [
        (&[][..], "base"),
        (&["-1"], "swift"),
        (&["-4"], "swift"),
        (&["-5"], "base"),
        (&["-8"], "base"),
        (&["-9"], "deep"),
        (&["-9", "--model", "swift"], "swift"),
    ] {
        (place.vatic(args).args(["-f", "a.txt"]).assert()).success();
        let listed = place.vatic(&["-l", "a.txt.vtc"]).assert().success();
        let listed = String::from_utf8(listed.get_output().stdout.clone()).unwrap();
        assert!(listed.contains(&format!(" {model} ")), "{args:?} {listed}");
    }
}

/// -1 works lightly on what is not small, and says so.
#[test]
fn the_lowest_level_works_lightly() {
    let place = Place::new();
    let story = include_bytes!("../../../../fixtures/story.txt");
    let text = [&story[..], &story.to_ascii_uppercase()].concat();
    assert!(text.len() > 1 << 15);
    place.write("a.txt", &text);
    place.write("small.txt", &story[..3000]);
    let listed = |level: &str| {
        (place.vatic(&[level, "-kf", "a.txt", "small.txt"]).assert()).success();
        (place.vatic(&["-t", "a.txt.vtc", "small.txt.vtc"]).assert()).success();
        let listed = place.vatic(&["-l", "a.txt.vtc", "small.txt.vtc"]).assert();
        let listed = String::from_utf8(listed.get_output().stdout.clone()).unwrap();
        let light = |line: &&str| line.contains("swift ea… (light)");
        (listed.lines().filter(light).map(str::to_owned)).collect::<Vec<_>>()
    };
    assert!(matches!(&listed("-1")[..], [line] if line.contains("a.txt.vtc")));
    assert_eq!(listed("-2"), [""; 0]);
}

/// From -7 on binaries are worked on thoroughly; what another program made of them is as large as before.
#[test]
fn the_higher_levels_make_binaries_smaller() {
    let place = Place::new();
    place.write("wave.bin", include_bytes!("../../../../fixtures/wave.bin"));
    let size = |level: &str| {
        (place.vatic(&[level, "-kf", "wave.bin"]).assert()).success();
        (place.vatic(&["-t", "wave.bin.vtc"]).assert()).success();
        place.read("wave.bin.vtc").len()
    };
    let [usual, thorough, best] = ["-6", "-7", "-9"].map(size);
    assert!(
        thorough * 100 < usual * 97 && best <= thorough,
        "{usual} {thorough} {best}"
    );
}

#[test]
fn levels_models_and_threads_decode_alike() {
    let place = Place::with_text();
    for args in [
        vec!["-1"],
        vec!["-9"],
        vec!["--fast"],
        vec!["--best"],
        vec!["--model", "none"],
        vec!["--model", "swift", "-9"],
        vec!["-T1"],
        vec!["--verify"],
    ] {
        let packed = place
            .vatic(&args)
            .arg("-c")
            .arg("a.txt")
            .assert()
            .success()
            .get_output()
            .stdout
            .clone();
        let back = place
            .vatic(&["-d"])
            .write_stdin(packed)
            .assert()
            .success()
            .get_output()
            .stdout
            .clone();
        assert_eq!(back, text(), "{args:?}");
    }
    let threads = |n: &str| {
        place
            .vatic(&["-c", n, "a.txt"])
            .assert()
            .success()
            .get_output()
            .stdout
            .clone()
    };
    assert_eq!(threads("-T1"), threads("-T2"));
}

#[test]
fn a_prior_that_was_learnt_helps_and_is_needed() {
    let place = Place::with_text();
    place.write("sample.txt", &text());
    place
        .vatic(&["learn", "sample.txt", "-o", "p.vtp"])
        .assert()
        .success()
        .stderr(contains("p.vtp"));
    place
        .vatic(&["learn", "sample.txt", "-o", "p.vtp"])
        .assert()
        .code(1)
        .stderr(contains("p.vtp: already exists"));
    place.vatic(&["-D", "p.vtp", "a.txt"]).assert().success();
    place.remove("a.txt");
    place.vatic(&["-d", "a.txt.vtc"]).assert().code(1).stderr(
        contains("a.txt.vtc:")
            .and(contains("prior"))
            .and(contains("-D")),
    );
    place
        .vatic(&["-d", "-D", "p.vtp", "a.txt.vtc"])
        .assert()
        .success();
    assert_eq!(place.read("a.txt"), text());
    place
        .vatic(&["-D", "a.txt", "a.txt", "-o", "x"])
        .assert()
        .code(1)
        .stderr(contains("vatic learn"));
}

#[test]
fn a_prior_brings_the_model_it_was_learnt_with() {
    let place = Place::with_text();
    place.write("sample.txt", &text());
    for model in ["swift", "base"] {
        (place.vatic(&["learn", "--model", model, "sample.txt", "-fo", "p.vtp"]))
            .assert()
            .success();
        // Whatever the level.
        for level in ["-1", "-9"] {
            (place.vatic(&[level, "-fD", "p.vtp", "a.txt"]).assert()).success();
            let listed = place.vatic(&["-l", "a.txt.vtc"]).assert().success();
            let listed = String::from_utf8(listed.get_output().stdout.clone()).unwrap();
            assert!(listed.contains(&format!(" {model} ")), "{level} {listed}");
            (place.vatic(&["-dcD", "p.vtp", "a.txt.vtc"]).assert())
                .success()
                .stdout(text());
        }
        let other = if model == "base" { "swift" } else { "base" };
        (place
            .vatic(&["compare", "--only", "vatic", "-D", "p.vtp", "a.txt"])
            .assert())
        .success()
        .stdout(contains(format!("vatic {model}")).and(contains(other).not()));
        (place
            .vatic(&["--model", other, "-fD", "p.vtp", "a.txt"])
            .assert())
        .code(1)
        .stderr(contains("a.txt").and(contains("prior")));
    }
    // One that was learnt without a model, too.
    (place.vatic(&["learn", "--model", "none", "sample.txt", "-fo", "p.vtp"]))
        .assert()
        .success();
    (place.vatic(&["-fD", "p.vtp", "a.txt"]).assert()).success();
    (place.vatic(&["-dcD", "p.vtp", "a.txt.vtc"]).assert())
        .success()
        .stdout(text());
    (place.vatic(&["compare", "--only", "vatic", "-D", "p.vtp", "a.txt"]))
        .assert()
        .success()
        .stdout(contains("vatic without model"));
}

#[test]
fn says_as_much_as_asked() {
    let place = Place::with_text();
    place.vatic(&["-vv", "a.txt"]).assert().success().stderr(
        contains("frame 0")
            .and(contains("by source"))
            .and(contains("transformer "))
            .and(contains("tokens by base")),
    );
    place
        .vatic(&["-q", "a.txt"])
        .assert()
        .code(1)
        .stderr(contains("already exists"));
    place.vatic(&["-qq", "a.txt"]).assert().code(1).stderr("");
    place
        .vatic(&["-V"])
        .assert()
        .success()
        .stdout(predicates::str::starts_with("vatic "));
    place
        .vatic(&["--help"])
        .assert()
        .success()
        .stdout(contains("--output-dir-flat").and(contains("compare")));
}

#[cfg(unix)]
#[test]
fn rights_and_times_are_kept() {
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, SystemTime};

    let place = Place::with_text();
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    std::fs::set_permissions(place.path("a.txt"), std::fs::Permissions::from_mode(0o640)).unwrap();
    std::fs::File::options()
        .write(true)
        .open(place.path("a.txt"))
        .unwrap()
        .set_modified(then)
        .unwrap();
    let check = |name: &str| {
        let metadata = std::fs::metadata(place.path(name)).unwrap();
        assert_eq!(
            (
                metadata.permissions().mode() & 0o7777,
                metadata.modified().unwrap()
            ),
            (0o640, then),
            "{name}"
        );
    };
    place.vatic(&["--rm", "a.txt"]).assert().success();
    check("a.txt.vtc");
    place.vatic(&["-d", "a.txt.vtc"]).assert().success();
    check("a.txt");
    // Without an input file to copy them from, the usual rights of a new file.
    place
        .vatic(&["-o", "b.vtc"])
        .write_stdin(text())
        .assert()
        .success();
    let mode = std::fs::metadata(place.path("b.vtc"))
        .unwrap()
        .permissions()
        .mode();
    place.write("fresh", b"");
    assert_eq!(
        mode,
        std::fs::metadata(place.path("fresh"))
            .unwrap()
            .permissions()
            .mode()
    );
}

#[cfg(unix)]
#[test]
fn other_names_of_the_program_have_meanings() {
    let place = Place::with_compressed();
    place.remove("a.txt");
    place.write("plain", b"not compressed\n");
    for name in ["unvatic", "vcat"] {
        std::os::unix::fs::symlink(crate::support::vatic(), place.path(name)).unwrap();
    }
    let run = |name: &str, files: &[&str]| {
        std::process::Command::new(place.path(name))
            .current_dir(place.path(""))
            .args(files)
            .output()
            .unwrap()
    };
    let shown = run("vcat", &["a.txt.vtc", "plain"]);
    assert!(shown.status.success());
    assert_eq!(
        shown.stdout,
        [text(), b"not compressed\n".to_vec()].concat()
    );
    assert!(run("unvatic", &["a.txt.vtc"]).status.success());
    assert_eq!(place.read("a.txt"), text());
}
