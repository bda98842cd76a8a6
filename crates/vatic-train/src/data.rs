//! Token files and random batches of them.
//!
//! A token file is a text's ids, 16 bits each, little endian, end to end; documents follow a NUL token.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use burn::tensor::{Device, Int, Tensor, TensorData};
use indexmap::IndexMap;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::Error;

/// Tokens and, for each of them, the token after it.
pub struct Batch {
    /// Ids [rows, length].
    pub tokens: Tensor<2, Int>,
    /// The id that follows each, one row after the other. They stay out of the device's memory, since which tensors are
    /// needed depends on the groups that they are in.
    pub targets: Vec<u16>,
}

impl Batch {
    /// Cuts `ids`, rows of `length` + 1 end to end, into tokens and targets.
    pub fn new(ids: &[u16], length: usize, device: &Device) -> Self {
        let shifted = |by: usize| {
            ids.chunks_exact(length + 1)
                .flat_map(move |row| &row[by..by + length])
        };
        let tokens: Vec<i64> = shifted(0).map(|&id| i64::from(id)).collect();
        let shape = [tokens.len() / length, length];
        Self {
            tokens: Tensor::from_data(TensorData::new(tokens, shape), device),
            targets: shifted(1).copied().collect(),
        }
    }
}

/// Reads all ids of a token file, or its first `most`.
///
/// # Errors
///
/// When the file cannot be read, or holds an id that is not below `vocab`.
pub fn read_tokens(path: &Path, most: usize, vocab: usize) -> Result<Vec<u16>, Error> {
    let file = File::open(path).map_err(Error::io(path))?;
    let mut bytes = Vec::new();
    file.take((most as u64).saturating_mul(2))
        .read_to_end(&mut bytes)
        .map_err(Error::io(path))?;
    let ids: Vec<u16> = bytes
        .as_chunks()
        .0
        .iter()
        .map(|id| u16::from_le_bytes(*id))
        .collect();
    check_ids(path, &ids, vocab)?;
    Ok(ids)
}

fn check_ids(path: &Path, ids: &[u16], vocab: usize) -> Result<(), Error> {
    match ids.iter().find(|id| usize::from(**id) >= vocab) {
        Some(id) => Err(Error::file(
            path,
            format!("token {id} is not in a vocabulary of {vocab}: encode the text again"),
        )),
        None => Ok(()),
    }
}

/// Writes ids as a token file.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write_tokens(path: &Path, ids: &[u16]) -> Result<(), Error> {
    let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
    fs::write(path, bytes).map_err(Error::io(path))
}

/// The names of the token files in `folder`, without `.bin`, sorted.
///
/// # Errors
///
/// When the folder cannot be read or holds no token file.
pub fn domains(folder: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "bin") {
            names.extend(
                path.file_stem()
                    .map(|stem| stem.to_string_lossy().into_owned()),
            );
        }
    }
    names.sort();
    if names.is_empty() {
        return Err(Error::file(
            folder,
            "there are no token files (.bin) in it; make some with `vatic-train encode`",
        ));
    }
    Ok(names)
}

/// Random windows of the domains' token files, a domain drawn by its weight for each row.
///
/// The batch of a step depends on nothing but the seed and the step's number, so a resumed run reads what an
/// uninterrupted one would have read.
#[derive(Debug)]
pub struct Sampler {
    files: Vec<TokenFile>,
    length: usize,
    seed: u64,
    vocab: usize,
}

#[derive(Debug)]
struct TokenFile {
    path: PathBuf,
    file: File,
    tokens: u64,
    /// The part of the rows that come from this file or from one before it.
    upto: f64,
}

impl Sampler {
    /// Opens `<domain>.bin` in `folder` for each domain.
    ///
    /// # Errors
    ///
    /// When a file cannot be opened, or is too short for one row of `length` tokens and their successors.
    pub fn open(
        folder: &Path,
        domains: &IndexMap<String, f64>,
        length: usize,
        seed: u64,
        vocab: usize,
    ) -> Result<Self, Error> {
        let total: f64 = domains.values().sum();
        let mut sum = 0.0;
        let mut files = Vec::new();
        for (domain, weight) in domains {
            let path = folder.join(format!("{domain}.bin"));
            let file = File::open(&path).map_err(Error::io(&path))?;
            let tokens = file.metadata().map_err(Error::io(&path))?.len() / 2;
            if tokens <= length as u64 {
                return Err(Error::file(
                    &path,
                    format!("{tokens} tokens are too few for rows of {length} and one more"),
                ));
            }
            sum += weight / total;
            files.push(TokenFile {
                path,
                file,
                tokens,
                upto: sum,
            });
        }
        Ok(Self {
            files,
            length,
            seed,
            vocab,
        })
    }

    /// The ids of `rows` rows for step `step`, each row `length` + 1 long.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or holds an id that is not in the vocabulary.
    pub fn ids(&mut self, step: u64, rows: usize) -> Result<Vec<u16>, Error> {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        seed[8..16].copy_from_slice(&step.to_le_bytes());
        let mut rng = StdRng::from_seed(seed);
        let mut ids = Vec::with_capacity(rows * (self.length + 1));
        let mut bytes = vec![0; 2 * (self.length + 1)];
        for _ in 0..rows {
            let draw: f64 = rng.random();
            let last = self.files.len() - 1;
            let source = self
                .files
                .iter()
                .position(|file| draw < file.upto)
                .unwrap_or(last);
            let source = &mut self.files[source];
            let start = rng.random_range(0..source.tokens - self.length as u64);
            read_at(&mut source.file, 2 * start, &mut bytes).map_err(Error::io(&source.path))?;
            let begin = ids.len();
            ids.extend(bytes.as_chunks().0.iter().map(|id| u16::from_le_bytes(*id)));
            check_ids(&source.path, &ids[begin..], self.vocab)?;
        }
        Ok(ids)
    }
}

fn read_at(file: &mut File, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_follow_the_weights_and_depend_on_the_step_alone() {
        let folder = tempfile::tempdir().unwrap();
        write_tokens(&folder.path().join("a.bin"), &[1; 9]).unwrap();
        write_tokens(&folder.path().join("b.bin"), &[2; 500]).unwrap();
        let domains = IndexMap::from([("a".to_owned(), 3.0), ("b".to_owned(), 1.0)]);
        let mut sampler = Sampler::open(folder.path(), &domains, 8, 7, 256).unwrap();
        let ids = sampler.ids(5, 400).unwrap();
        let from_a = ids.iter().filter(|id| **id == 1).count() / 9;
        assert!((260..340).contains(&from_a), "{from_a} of 400");
        assert_eq!(sampler.ids(5, 400).unwrap(), ids);
        assert_ne!(sampler.ids(6, 400).unwrap(), ids);
        assert!(
            Sampler::open(folder.path(), &domains, 9, 7, 256).is_err(),
            "a.bin has no row of 9 and one more"
        );
        assert!(
            Sampler::open(folder.path(), &domains, 8, 7, 2)
                .unwrap()
                .ids(5, 400)
                .is_err(),
            "2 is no token of 2"
        );
    }
}
