//! Text files to token files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{Error, Vocabulary, write_tokens};

/// The token that begins each document: the byte 0.
const BOUNDARY: u8 = 0;
/// A piece of text is held out as a whole, from the end of its file.
const SMALLEST_HELD_OUT: usize = 2;

/// What became of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The name of the domain.
    pub domain: String,
    /// Bytes of text.
    pub bytes: usize,
    /// Tokens to train on.
    pub train: usize,
    /// Tokens held out.
    pub dev: usize,
}

/// Encodes texts into `out/train/<domain>.bin` and, when a part is held out, `out/dev/<domain>.bin`.
///
/// Each file among `texts` is a domain of its own, called after the file; a folder is one domain of all the files in it
/// and below, called after the folder, each file after a NUL byte: the token that the model takes for the beginning of
/// a document. `held_out`, from 0 to 1, is the part at the end of each file that is kept apart for evaluation.
///
/// # Errors
///
/// When a file cannot be read or written, or two texts have the same name.
pub fn encode(
    vocabulary: &Vocabulary,
    texts: &[PathBuf],
    out: &Path,
    held_out: f64,
) -> Result<Vec<Encoded>, Error> {
    let tokenizer = vocabulary
        .tokenizer()
        .map_err(|e| Error::Config(e.to_string()))?;
    let mut done: Vec<Encoded> = Vec::new();
    for path in texts {
        let name = path.canonicalize().map_err(Error::io(path))?;
        let name = if name.is_dir() {
            name.file_name()
        } else {
            name.file_stem()
        };
        let domain = name
            .unwrap_or("text".as_ref())
            .to_string_lossy()
            .into_owned();
        if done.iter().any(|other| other.domain == domain) {
            return Err(Error::file(
                path,
                format!("there is another text called {domain}"),
            ));
        }
        let mut files = Vec::new();
        collect(path, &mut files)?;
        let mut encoded = Encoded {
            domain,
            bytes: 0,
            train: 0,
            dev: 0,
        };
        let (mut train, mut dev) = (Vec::new(), Vec::new());
        for file in &files {
            let mut text = fs::read(file).map_err(Error::io(file))?;
            encoded.bytes += text.len();
            if text.first() != Some(&BOUNDARY) {
                text.insert(0, BOUNDARY);
            }
            let ids = tokenizer.encode(&text);
            let kept = ids.len() - (ids.len() as f64 * held_out.clamp(0.0, 1.0)) as usize;
            let kept = if ids.len() - kept < SMALLEST_HELD_OUT {
                ids.len()
            } else {
                kept
            };
            train.extend_from_slice(&ids[..kept]);
            dev.extend_from_slice(&ids[kept..]);
        }
        (encoded.train, encoded.dev) = (train.len(), dev.len());
        for (part, ids) in [("train", train), ("dev", dev)] {
            if !ids.is_empty() {
                let folder = out.join(part);
                fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
                write_tokens(&folder.join(format!("{}.bin", encoded.domain)), &ids)?;
            }
        }
        done.push(encoded);
    }
    Ok(done)
}

/// The files at and below `path`, in the order of their names; hidden ones and links are left out.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    if !path.is_dir() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(Error::io(path))? {
        let entry = entry.map_err(Error::io(path))?;
        let kind = entry.file_type().map_err(Error::io(path))?;
        if !kind.is_symlink() && !entry.file_name().to_string_lossy().starts_with('.') {
            entries.push(entry.path());
        }
    }
    entries.sort();
    entries.iter().try_for_each(|entry| collect(entry, files))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_tokens;

    #[test]
    fn a_folder_becomes_one_domain_and_its_end_is_held_out() {
        let home = tempfile::tempdir().unwrap();
        let (texts, out) = (home.path().join("mine"), home.path().join("out"));
        fs::create_dir_all(texts.join("below")).unwrap();
        fs::write(texts.join("below/b.txt"), "0123456789").unwrap();
        fs::write(texts.join("a.txt"), "ABCDEFGHI").unwrap();
        fs::write(texts.join(".hidden"), "no").unwrap();
        let list = home.path().join("bytes.tsv");
        fs::write(
            &list,
            (0..256)
                .map(|byte| format!("{byte:02x}\n"))
                .collect::<String>(),
        )
        .unwrap();
        let vocabulary = Vocabulary::read(&list).unwrap();
        let done = encode(&vocabulary, &[texts], &out, 0.2).unwrap();
        assert_eq!(
            done,
            [Encoded {
                domain: "mine".into(),
                bytes: 19,
                train: 17,
                dev: 4
            }]
        );
        let text = |part: &str| {
            let ids = read_tokens(&out.join(part).join("mine.bin"), 99, 256).unwrap();
            String::from_utf8(ids.iter().map(|id| *id as u8).collect()).unwrap()
        };
        assert_eq!(
            (text("train"), text("dev")),
            ("\x00ABCDEFG\x0001234567".into(), "HI89".into())
        );
    }
}
