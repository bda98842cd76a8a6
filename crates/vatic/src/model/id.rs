//! What identifies a model.

use std::fmt;

/// A model's identity: the first 8 bytes of the BLAKE3 hash of its file. Shown as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelId(pub [u8; 8]);

impl ModelId {
    /// The byte by which files name a model that programs carry inside them.
    pub fn short(&self) -> [u8; 1] {
        [self.0[0]]
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

/// How a frame names its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModelRef {
    /// A model that some version of this program carries: the first byte of its identity. No two models that were
    /// ever shipped share it.
    Short([u8; 1]),
    /// Any other model.
    Full(ModelId),
}

impl ModelRef {
    /// Whether this names that model.
    pub fn names(&self, id: &ModelId) -> bool {
        match self {
            ModelRef::Short(short) => *short == id.short(),
            ModelRef::Full(full) => full == id,
        }
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModelRef::Short(id) => {
                hex(id, f)?;
                f.write_str("…")
            }
            ModelRef::Full(id) => id.fmt(f),
        }
    }
}

pub(crate) fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}
