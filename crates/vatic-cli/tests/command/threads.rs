//! Where the system gives no threads: a limit of processes, of a user or a container, has been reached.

use predicates::str::contains;

use crate::support::{Place, noise, text};

/// No machine has so much memory for a thread's stack, so none can be started.
const TOO_MUCH: &str = "1152921504606846976";

/// The command, which can start no thread.
fn alone(place: &Place, args: &[&str]) -> assert_cmd::Command {
    let mut command = place.vatic(args);
    command.env("RUST_MIN_STACK", TOO_MUCH);
    command
}

/// The same bytes come out as with all threads, in both directions.
#[test]
fn all_is_done_by_the_one_that_there_is() {
    let place = Place::new();
    let story = include_bytes!("../../../../fixtures/story.txt");
    let wave = include_bytes!("../../../../fixtures/wave.bin");
    place.write("text", &text());
    place.write("story", story);
    place.write("wave", &[&wave[..], &noise(70_000)].concat().repeat(4));
    for (name, args) in [
        ("text", &["-T2"][..]),
        // A transformer of several streams.
        ("story", &["-T3", "-1"]),
        // Frames of one thread each, which are done side by side.
        ("wave", &["-T4", "--model", "none", "--frame-size", "64K"]),
    ] {
        let write = [&["-q", "--verify", "-c", name], args].concat();
        let with_all = place.vatic(&write).assert().success();
        let packed = &with_all.get_output().stdout;
        (alone(&place, &write).assert())
            .success()
            .stderr("")
            .stdout(packed.clone());
        place.write("packed.vtc", packed);
        let content = place.read(name);
        // Into a pipe, into a file, and a part of it.
        (alone(&place, &["-T4", "-dc", "packed.vtc"]).assert())
            .success()
            .stderr("")
            .stdout(content.clone());
        (alone(&place, &["-T4", "-qdf", "packed.vtc"]).assert()).success();
        assert!(place.read("packed") == content, "{name}");
        (alone(&place, &["--range", "1000..2000", "packed.vtc"]).assert())
            .success()
            .stdout(content[1000..2000].to_vec());
    }
}

/// Many files at once, small ones of text together and others side by side; and a prior for them.
#[test]
fn many_files_are_done_by_the_one_that_there_is() {
    let place = Place::new();
    for n in 0..6 {
        place.write(&format!("d/{n}"), &text()[n * 100..][..600]);
    }
    place.write("d/long", &text().repeat(60));
    place.write("d/longer", &text().repeat(80));
    let learn = ["learn", "-T4", "--model", "swift", "-o", "p", "d/0", "d/1"];
    (alone(&place, &learn).assert()).success();
    let write = ["-T4", "-1", "-q", "-D", "p", "-r", "d"];
    (alone(&place, &write).assert()).success().stderr("");
    for n in 0..6 {
        let name = format!("d/{n}.vtc");
        (place.vatic(&["-dc", "-D", "p", &name]).assert())
            .success()
            .stdout(text()[n * 100..][..600].to_vec());
    }
    let test = ["-T4", "-t", "-D", "p", "-r", "d"];
    (alone(&place, &test).assert())
        .success()
        .stderr(contains("8 files"));
}
