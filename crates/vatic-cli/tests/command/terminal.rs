//! What only shows on a terminal, seen through a pseudo-terminal.

use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};

use crate::support::{Place, noise, text};

/// Long enough for a busy machine; a test that passes never waits for it.
const PATIENCE_MS: u64 = 60_000;

fn at_terminal(place: &Place, args: &[&str]) -> PtySession {
    spawn_command(place.process(args), Some(PATIENCE_MS)).unwrap()
}

/// Waits for the end: what was still said, and the exit code.
fn ends(mut session: PtySession) -> (String, i32) {
    let said = session.exp_eof().unwrap();
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => (said, code),
        other => panic!("{other:?}: {said}"),
    }
}

#[test]
fn asks_before_it_overwrites() {
    let place = Place::with_compressed();
    place.write("a.txt.vtc", b"precious");
    let mut session = at_terminal(&place, &["a.txt"]);
    session
        .exp_string("a.txt.vtc already exists; overwrite it (y/n)?")
        .unwrap();
    session.send_line("n").unwrap();
    let (said, code) = ends(session);
    assert!(said.contains("not overwritten") && code == 1, "{said}");
    assert_eq!(place.read("a.txt.vtc"), b"precious");

    let mut session = at_terminal(&place, &["a.txt"]);
    session.exp_string("(y/n)?").unwrap();
    session.send_line("yes").unwrap();
    assert_eq!(ends(session).1, 0);
    place.remove("a.txt");
    place.vatic(&["-d", "a.txt.vtc"]).assert().success();
    assert_eq!(place.read("a.txt"), text());
}

#[test]
fn quiet_never_asks() {
    let place = Place::with_compressed();
    let (said, code) = ends(at_terminal(&place, &["-q", "a.txt"]));
    assert!(said.contains("already exists") && code == 1, "{said}");
}

#[test]
fn keeps_binary_off_the_terminal() {
    let place = Place::with_compressed();
    let (said, code) = ends(at_terminal(&place, &["-c", "a.txt"]));
    assert!(
        said.contains("standard output: is a terminal") && code == 1,
        "{said}"
    );
    let (said, code) = ends(at_terminal(&place, &["-d", "-"]));
    assert!(
        said.contains("standard input: is a terminal") && code == 1,
        "{said}"
    );
    // Text may be shown.
    let (said, code) = ends(at_terminal(&place, &["-dc", "a.txt.vtc"]));
    assert!(said.contains("The lighthouse book") && code == 0, "{said}");
}

#[test]
fn nothing_to_do_is_explained() {
    let (said, code) = ends(at_terminal(&Place::new(), &[]));
    assert!(
        said.contains("nothing to do: name a file") && said.contains("--help") && code == 2,
        "{said}"
    );
}

#[test]
fn quick_work_shows_no_bar_and_no_escape_codes() {
    let place = Place::new();
    place.write("a", &noise(100));
    let (said, code) = ends(at_terminal(&place, &["a"]));
    assert!(
        !said.contains('\x1b') && said.lines().count() == 1 && code == 0,
        "{said:?}"
    );
}
