//! A directory of its own for each test, and the command in it.

use std::path::PathBuf;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

pub struct Place {
    directory: TempDir,
}

impl Place {
    pub fn new() -> Place {
        Place {
            directory: TempDir::new().unwrap(),
        }
    }

    /// A place with `a.txt`, a text, in it.
    pub fn with_text() -> Place {
        let place = Place::new();
        place.write("a.txt", &text());
        place
    }

    /// A place with `a.txt` and `a.txt.vtc`.
    pub fn with_compressed() -> Place {
        let place = Place::with_text();
        place.vatic(&["-q", "a.txt"]).assert().success();
        place
    }

    /// The command with arguments; whatever it reads from standard input is empty unless the test says otherwise.
    pub fn vatic(&self, args: &[&str]) -> Command {
        let mut command = Command::new(vatic());
        command.current_dir(self.directory.path()).args(args);
        command
    }

    /// The same, for what assert_cmd's command cannot do.
    pub fn process(&self, args: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(vatic());
        command.current_dir(self.directory.path()).args(args);
        command
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, content: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).unwrap();
    }

    /// Everything in the directory, hidden files too: nothing may be left behind.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

pub fn vatic() -> PathBuf {
    cargo_bin("vatic")
}

/// A few KB of English that differ from line to line.
pub fn text() -> Vec<u8> {
    let keepers = [
        "Anna",
        "old Bertil",
        "the harbour master",
        "a boy from the village",
    ];
    let findings = [
        "the lamp was clean",
        "the oil ran low",
        "fog lay on the water",
        "nothing had changed",
    ];
    let mut out = String::from(
        "The lighthouse book, as it was kept in the last year before the light went out.\n\n",
    );
    for night in 1..=60 {
        let (keeper, finding) = (keepers[night * 7 % 4], findings[night * night % 4]);
        out.push_str(&format!(
            "On night {night}, {keeper} climbed the {} steps and wrote that {finding}.\n",
            80 + night % 9
        ));
    }
    out.into_bytes()
}

/// Bytes that nothing compresses.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}
