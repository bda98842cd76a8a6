use crate::Error;
use serde::{Deserialize, Serialize};

/// The shape of a model, kept as JSON in its file's metadata under `"vatic"`.
///
/// ```
/// use vatic_transformer::Config;
/// let small = Config { name: "small".into(), width: 192, layers: 6, heads: 3, kv_heads: 1, hidden: 768,
///     windows: vec![128, 128, 256, 128, 128, 512], ..Config::default() };
/// small.validate()?;
/// assert_eq!(small.multiply_adds(), 2_555_904); // per token, attention aside
/// # Ok::<(), vatic_transformer::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Version of the file format: [`Config::FORMAT`].
    pub format: u32,
    /// The preset's name, for people.
    pub name: String,
    /// Number of tokens, a multiple of 16 in 256..=65536.
    pub vocab: usize,
    /// Number of groups of neighbouring tokens that the head predicts first: a multiple of 16 in 16..=`vocab`.
    pub groups: usize,
    /// Width of the residual stream, a multiple of 16 in 16..=4096.
    pub width: usize,
    /// Number of layers, 1..=64.
    pub layers: usize,
    /// Query heads, 1..=64.
    pub heads: usize,
    /// Key and value heads; each serves `heads / kv_heads` query heads.
    pub kv_heads: usize,
    /// Width of a head: 64.
    pub head_dim: usize,
    /// Width of the MLP's hidden layer, a multiple of 16 in 16..=16384.
    pub hidden: usize,
    /// For each layer, the number of positions attended to (the current one included), 1..=8192 and at most `rope_period`.
    pub windows: Vec<usize>,
    /// Leading dimensions of each head that are rotated by position: even, 0..=64.
    pub rope_dims: usize,
    /// Positions after which all rotations repeat: a multiple of 4 in 4..=65536.
    pub rope_period: usize,
}

impl Default for Config {
    /// The common fields of the shipped models; shape fields are those of a small model.
    fn default() -> Config {
        Config {
            format: Config::FORMAT,
            name: String::new(),
            vocab: 8192,
            groups: 1024,
            width: 64,
            layers: 1,
            heads: 1,
            kv_heads: 1,
            head_dim: 64,
            hidden: 64,
            windows: vec![128],
            rope_dims: 32,
            rope_period: 2048,
        }
    }
}

/// The most positions that all heads of keys and values of a stream may look back: 72 MB of them.
const MAX_PAST: usize = 1 << 19;

impl Config {
    /// The format of model files that this version reads and writes.
    pub const FORMAT: u32 = 3;

    /// Checks every field against its range.
    ///
    /// # Errors
    /// [`Error::Version`] or [`Error::Config`] with the first field that is out of its range.
    pub fn validate(&self) -> Result<(), Error> {
        if self.format != Config::FORMAT {
            return Err(Error::Version {
                found: self.format,
                known: Config::FORMAT,
            });
        }
        let multiple = |field, value: usize, of: usize, low: usize, high: usize, rule| {
            if (low..=high).contains(&value) && value.is_multiple_of(of) {
                Ok(())
            } else {
                Err(Error::config(field, value, rule))
            }
        };
        multiple(
            "vocab",
            self.vocab,
            16,
            256,
            65536,
            "a multiple of 16 in 256..=65536",
        )?;
        multiple(
            "groups",
            self.groups,
            16,
            16,
            self.vocab,
            "a multiple of 16 in 16..=vocab",
        )?;
        multiple(
            "width",
            self.width,
            16,
            16,
            4096,
            "a multiple of 16 in 16..=4096",
        )?;
        multiple("layers", self.layers, 1, 1, 64, "in 1..=64")?;
        multiple("heads", self.heads, 1, 1, 64, "in 1..=64")?;
        multiple("kv_heads", self.kv_heads, 1, 1, 64, "in 1..=64")?;
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err(Error::config(
                "kv_heads",
                self.kv_heads,
                "a divisor of heads",
            ));
        }
        multiple("head_dim", self.head_dim, 64, 64, 64, "64")?;
        multiple(
            "hidden",
            self.hidden,
            16,
            16,
            16384,
            "a multiple of 16 in 16..=16384",
        )?;
        multiple("rope_dims", self.rope_dims, 2, 0, 64, "even and in 0..=64")?;
        multiple(
            "rope_period",
            self.rope_period,
            4,
            4,
            65536,
            "a multiple of 4 in 4..=65536",
        )?;
        if self.windows.len() != self.layers {
            return Err(Error::config(
                "windows",
                self.windows.len(),
                "as many as layers",
            ));
        }
        for &window in &self.windows {
            multiple("windows", window, 1, 1, 8192, "in 1..=8192")?;
            if window > self.rope_period {
                return Err(Error::config("windows", window, "at most rope_period"));
            }
        }
        let past = self.windows.iter().sum::<usize>() * self.kv_heads;
        if past > MAX_PAST {
            let rule = "together at most 524288 positions over all kv_heads of a stream";
            return Err(Error::config("windows", past, rule));
        }
        Ok(())
    }

    /// Rows of the matrix that makes queries, keys and values.
    pub fn qkv_rows(&self) -> usize {
        (self.heads + 2 * self.kv_heads) * self.head_dim
    }

    /// Multiply-adds of all matrix products for one token, those of attention (`2 · 64 · heads · window` per layer) and of the few
    /// tokens of one group aside.
    pub fn multiply_adds(&self) -> usize {
        let layer = self.width * (self.qkv_rows() + self.heads * self.head_dim + 2 * self.hidden);
        self.layers * layer + self.groups * self.width
    }
}
