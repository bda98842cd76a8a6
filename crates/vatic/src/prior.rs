//! Learnt state as a thing to keep: what experts and mixer learnt from samples, for other data of the same kind.

use std::fmt;
use std::sync::Arc;

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush, MZStatus};

use crate::codec;
use crate::error::{Error, Result};
use crate::format::MAX_FRAME_SIZE;
use crate::model::{Model, ModelId, hex};
use crate::options::Options;

const MAGIC: [u8; 4] = [0xF6, b'v', b'p', 1];
/// Bytes before the states: magic number, model, and the length of each state.
const HEADER: usize = 28;
/// The most bytes that both states may have: what is read may claim no more, whatever a stream of zeros would inflate to.
const MOST: usize = 1 << 30;
/// How hard a prior is compressed; what is gained beyond is not worth waiting for.
const LEVEL: u8 = 6;

/// A prior's identity: the first 8 bytes of the BLAKE3 hash of what its file holds, with which the file ends. Shown as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PriorId(pub [u8; 8]);

impl fmt::Display for PriorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

/// What was learnt from samples: the counterpart of zstd's dictionaries. Data compressed with it names it, and decodes only
/// with it. Cheap to clone.
///
/// ```
/// use vatic::{DecodeOptions, Options, Prior};
///
/// let record = |n: u32| format!(r#"{{"id": {n}, "kind": "measurement", "unit": "degrees Celsius", "value": {}}}"#, n % 40);
/// let samples: Vec<String> = (0..200).map(record).collect();
/// let samples: Vec<&[u8]> = samples.iter().map(|sample| sample.as_bytes()).collect();
/// let options = Options::new().model(None).memory_log2(18);
/// let prior = Prior::learn(&samples, &options)?;
///
/// let record = record(1007);
/// let plain = vatic::compress(record.as_bytes(), &options)?;
/// let packed = vatic::compress(record.as_bytes(), &options.prior(Some(prior.clone())))?;
/// assert!(packed.len() < plain.len());
/// assert_eq!(vatic::decompress_with(&packed, &DecodeOptions::new().prior(prior))?, record.as_bytes());
/// # Ok::<(), vatic::Error>(())
/// ```
#[derive(Clone)]
pub struct Prior(Arc<Inner>);

struct Inner {
    id: PriorId,
    /// The model whose tokens `tokens` is about; none if it was learnt without one, and `tokens` is empty then.
    model: Option<ModelId>,
    tokens: Vec<u8>,
    bytes: Vec<u8>,
}

impl Prior {
    /// Learns from samples, with the model and the memory that `options` name (data that is to use the prior must be
    /// compressed with the same).
    ///
    /// # Errors
    /// [`Error::Setting`] when there is nothing to learn from, or more than 256 MiB, or more was learnt than a prior can hold (1 GiB).
    pub fn learn(samples: &[&[u8]], options: &Options) -> Result<Prior> {
        // The byte between documents is 0, as it was in what the models were trained on.
        let content = samples.join(&0);
        if content.is_empty() {
            return Err(Error::setting("there is nothing to learn from"));
        }
        if content.len() > MAX_FRAME_SIZE {
            return Err(Error::setting(format!(
                "{} bytes are too many to learn from; {MAX_FRAME_SIZE} (256 MiB) is the most",
                content.len()
            )));
        }
        let options = options.clone().prior(None);
        let model = options.model_for(&content)?;
        let (bytes, tokens) = codec::learn(&content, model.clone(), &options)?;
        if tokens.len().saturating_add(bytes.len()) > MOST {
            return Err(Error::setting(
                "so much was learnt that no prior could hold it; learn from less, or with less memory",
            ));
        }
        Ok(Prior::build(model.map(|model| model.id()), tokens, bytes))
    }

    fn build(model: Option<ModelId>, tokens: Vec<u8>, bytes: Vec<u8>) -> Prior {
        let mut inner = Inner {
            id: PriorId([0; 8]),
            model,
            tokens,
            bytes,
        };
        inner.id = identity(&inner.write());
        Prior(Arc::new(inner))
    }

    /// The bytes to keep it as.
    pub fn to_bytes(&self) -> Vec<u8> {
        let plain = self.0.write();
        let (header, states) = plain.split_at(HEADER);
        let mut out = header.to_vec();
        out.extend(compress_to_vec_zlib(states, LEVEL));
        out.extend(self.0.id.0);
        out
    }

    /// Reads what [`to_bytes`](Prior::to_bytes) gave.
    ///
    /// # Errors
    /// [`Error::Prior`] for anything else, as far as 64 bits of a hash can tell.
    pub fn from_bytes(data: &[u8]) -> Result<Prior> {
        let wrong = |what: &str| Error::Prior(what.into());
        if !data.starts_with(&MAGIC[..3]) {
            return Err(wrong("it does not begin as a prior does"));
        }
        if data.get(3).is_some_and(|&version| version != MAGIC[3]) {
            return Err(wrong("it is in a version that this program does not know"));
        }
        let cut = || wrong("it is cut off");
        let (header, rest) = data.split_first_chunk::<HEADER>().ok_or_else(cut)?;
        let eight = |at: usize| std::array::from_fn(|n| header[at + n]);
        let length = |at| usize::try_from(u64::from_le_bytes(eight(at))).map_err(|_| cut());
        let (tokens, bytes) = (length(12)?, length(20)?);
        let all = tokens.saturating_add(bytes);
        if all > MOST {
            return Err(wrong("it claims to be larger than a prior can be"));
        }
        let (stream, id) = rest.split_last_chunk::<8>().ok_or_else(cut)?;
        let mut plain = header.to_vec();
        inflate_onto(&mut plain, stream, all).ok_or_else(|| wrong("it is cut off or damaged"))?;
        if identity(&plain) != PriorId(*id) {
            return Err(wrong("it is damaged"));
        }
        let (tokens, bytes) = plain[HEADER..].split_at(tokens);
        let model = eight(4);
        Ok(Prior(Arc::new(Inner {
            id: PriorId(*id),
            model: (model != [0; 8]).then_some(ModelId(model)),
            tokens: tokens.to_vec(),
            bytes: bytes.to_vec(),
        })))
    }

    /// What data names it by.
    pub fn id(&self) -> PriorId {
        self.0.id
    }

    /// The model it was learnt with.
    pub fn model(&self) -> Option<ModelId> {
        self.0.model
    }

    pub(crate) fn bytes_state(&self) -> &[u8] {
        &self.0.bytes
    }

    pub(crate) fn tokens_state(&self, model: &Model) -> Result<&[u8]> {
        match self.0.model {
            Some(id) if id == model.id() => Ok(&self.0.tokens),
            Some(needs) => Err(Error::OtherModel {
                needs,
                has: model.id(),
            }),
            None => Err(Error::Prior(
                "it was learnt without a model and can only be used without one".into(),
            )),
        }
    }
}

/// Appends what a zlib stream holds, if that is so many bytes and nothing follows it. Grows with what is there and not with what is claimed.
fn inflate_onto(out: &mut Vec<u8>, mut stream: &[u8], length: usize) -> Option<()> {
    let mut state = InflateState::new_boxed(DataFormat::Zlib);
    let mut part = vec![0; 1 << 16];
    let whole = out.len() + length;
    loop {
        let result = inflate(&mut state, stream, &mut part, MZFlush::None);
        stream = &stream[result.bytes_consumed..];
        out.extend_from_slice(&part[..result.bytes_written]);
        match result.status {
            Ok(MZStatus::StreamEnd) => {
                return (out.len() == whole && stream.is_empty()).then_some(());
            }
            Ok(MZStatus::Ok) if result.bytes_written > 0 && out.len() <= whole => {}
            _ => return None,
        }
    }
}

/// What a prior of these bytes is called.
fn identity(bytes: &[u8]) -> PriorId {
    let hash = blake3::hash(bytes);
    PriorId(std::array::from_fn(|n| hash.as_bytes()[n]))
}

impl Inner {
    /// Its header and its states, as they are.
    fn write(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(self.model.map_or([0; 8], |id| id.0));
        out.extend((self.tokens.len() as u64).to_le_bytes());
        out.extend((self.bytes.len() as u64).to_le_bytes());
        out.extend(&self.tokens);
        out.extend(&self.bytes);
        out
    }
}

impl fmt::Debug for Prior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prior({})", self.0.id)
    }
}

/// The prior that a frame names.
pub(crate) fn find(id: PriorId, given: &[Prior]) -> Result<Prior> {
    given
        .iter()
        .find(|prior| prior.id() == id)
        .cloned()
        .ok_or_else(|| Error::UnknownPrior {
            needs: id,
            has: match given {
                [] => "none was given".into(),
                given => {
                    let ids: Vec<String> =
                        given.iter().map(|prior| prior.id().to_string()).collect();
                    format!("{} was given", ids.join(", "))
                }
            },
        })
}
