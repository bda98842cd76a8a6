//! Settings for compressing and for decompressing.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::format::{
    DEFAULT_MEMORY_LOG2, MAX_FRAME_SIZE, MAX_STREAMS_LOG2, MEMORY_LOG2, MIN_FRAME_SIZE, WINDOW_LOG2,
};
use crate::model::Model;
use crate::prior::Prior;
use crate::progress::{Hook, Progress};

/// How a frame is coded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Whatever a measurement of the frame says (only in [`Options`], never in what is reported).
    #[default]
    Auto,
    /// The content as it is, for what nothing makes smaller.
    Stored,
    /// Experts that learn from the frame itself, over its bytes.
    Bytes,
    /// The transformer and the experts, over the model's tokens.
    Tokens,
    /// Stretches of different kinds, such as texts and images in an archive, each kind coded in its own way. Asked for in [`Options`], it takes
    /// apart whatever can be told apart.
    Mixed,
    /// Content whose deflate streams (inside gzip, zip, PNG, PDF), progressive JPEG pictures and Base64 were taken apart, and what they say coded in one
    /// of the other ways.
    Unpacked,
    /// Content parts of which occurred before, which are copied from there; what is left is coded in one of the other ways.
    Copied,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Mode::Auto => "auto",
            Mode::Stored => "stored",
            Mode::Bytes => "bytes",
            Mode::Tokens => "tokens",
            Mode::Mixed => "mixed",
            Mode::Unpacked => "unpacked",
            Mode::Copied => "copied",
        })
    }
}

/// The models to choose from.
#[derive(Clone, Debug, Default)]
pub(crate) enum Candidates {
    /// The one that is taken if nothing else is asked for.
    #[default]
    Preset,
    Given(Vec<Model>),
}

/// Percent, see [`Options::least_gain`].
const DEFAULT_LEAST_GAIN: u32 = 5;

/// Bytes, see [`Options::window`].
const DEFAULT_WINDOW: u64 = 1 << 30;

/// Settings for compressing, set one after the other.
///
/// ```
/// let options = vatic::Options::new().threads(1).frame_size(1 << 20);
/// let packed = vatic::compress(b"the same bytes, whatever the number of threads", &options)?;
/// # assert_eq!(packed, vatic::compress(b"the same bytes, whatever the number of threads", &options.threads(2))?);
/// # Ok::<(), vatic::Error>(())
/// ```
#[derive(Clone)]
pub struct Options {
    pub(crate) models: Candidates,
    pub(crate) threads: usize,
    pub(crate) frame_size: usize,
    pub(crate) memory_log2: u8,
    pub(crate) streams_log2: Option<u8>,
    pub(crate) quick: bool,
    pub(crate) mode: Mode,
    pub(crate) least_gain: u32,
    pub(crate) thorough: bool,
    pub(crate) light: bool,
    pub(crate) unpack: bool,
    pub(crate) window: u64,
    pub(crate) verify: bool,
    pub(crate) report: bool,
    pub(crate) experts: Option<u64>,
    pub(crate) prior: Option<Prior>,
    pub(crate) progress: Option<Hook>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            models: Candidates::Preset,
            threads: 0,
            frame_size: 32 << 20,
            memory_log2: DEFAULT_MEMORY_LOG2,
            streams_log2: None,
            quick: false,
            mode: Mode::Auto,
            least_gain: DEFAULT_LEAST_GAIN,
            thorough: false,
            light: false,
            unpack: true,
            window: DEFAULT_WINDOW,
            verify: false,
            report: false,
            experts: None,
            prior: None,
            progress: None,
        }
    }
}

impl Options {
    /// The settings that suit most: the first model inside the program (`base`, unless it was built without), all cores, frames of 32 MiB.
    pub fn new() -> Options {
        Options::default()
    }

    /// The model to predict with; `None` leaves the transformer out, and experts over bytes do all the work.
    pub fn model(self, model: Option<Model>) -> Options {
        self.models(model)
    }

    /// The models to choose from, such as one for all kinds of text and one's own: each frame is predicted by the one that predicts
    /// samples of it best, the earlier one of equals. Trying takes a small part of the time of a large frame, and a large one of a
    /// kilobyte's.
    ///
    /// ```
    /// # #[cfg(feature = "model-swift")] {
    /// use vatic::{Model, Options};
    ///
    /// let options = Options::new().models([Model::swift()]);
    /// assert_eq!(options.model_for(b"any text").unwrap().unwrap().name(), "swift");
    /// # }
    /// ```
    pub fn models(mut self, models: impl IntoIterator<Item = Model>) -> Options {
        self.models = Candidates::Given(models.into_iter().collect());
        self
    }

    /// How many threads may work; 0, the default, for as many as the machine runs at once. The result is the same with
    /// any number.
    pub fn threads(mut self, threads: usize) -> Options {
        self.threads = threads;
        self
    }

    /// How many bytes of content go into one frame, from 64 KiB to 256 MiB; 32 MiB if not set. Nothing is learnt across
    /// frames, so larger ones compress better; smaller ones need less memory and let
    /// [`decompress_range`](crate::decompress_range) skip more.
    pub fn frame_size(mut self, bytes: usize) -> Options {
        self.frame_size = bytes;
        self
    }

    /// The most memory that the experts' tables may take, here and where the data is decoded: log2 of bytes, from 16 to
    /// 30, 27 if not set. Small inputs take less by themselves.
    pub fn memory_log2(mut self, log2: u8) -> Options {
        self.memory_log2 = log2;
        self
    }

    /// Into how many streams a frame is cut, as log2, at most 7; `None`, the default, chooses by the frame's length. More
    /// streams are faster and compress less.
    pub fn streams_log2(mut self, log2: Option<u8>) -> Options {
        self.streams_log2 = log2;
        self
    }

    /// Cuts a frame into as many streams as are of use (unless [`streams_log2`](Options::streams_log2) says how many): files of 4 to 500 KB
    /// are restored up to three times as fast, and come out larger: texts 1 to 3 %, small files of code up to 10 %.
    pub fn quick(mut self, quick: bool) -> Options {
        self.quick = quick;
        self
    }

    /// Forces every frame into one mode (one that comes out larger than its content is stored all the same).
    pub fn mode(mut self, mode: Mode) -> Options {
        self.mode = mode;
        self
    }

    /// By how many percent the transformer has to make a large frame smaller than experts alone would, for its time to be worth
    /// it: it takes some ten times as long as they do. 5 if not set; 0 for the smallest result at any price. Samples of the frame
    /// decide; where they leave it open, frames of up to 1 MiB are coded both ways.
    pub fn least_gain(mut self, percent: u32) -> Options {
        self.least_gain = percent;
        self
    }

    /// Where the transformer is of no use, lets experts work twice as long in both directions: binaries, tables and texts in languages that no
    /// model knows come out some 6 % smaller. Messages, and what is coded with a prior, stay as they are.
    pub fn thorough(mut self, thorough: bool) -> Options {
        self.thorough = thorough;
        self
    }

    /// Lets the transformer look back no more than 128 tokens, and some of the experts beside it rest: texts of 32 KiB and more take a fifth less time
    /// in both directions, and come out 1 to 4 % larger, code 5. Messages, and what is coded with a prior, stay as they are.
    ///
    /// ```
    /// # #[cfg(feature = "model-swift")] {
    /// use vatic::{Model, Options};
    ///
    /// let options = Options::new().model(Some(Model::swift())).light(true);
    /// let packed = vatic::compress(b"not much to be learnt here", &options)?;
    /// assert_eq!(vatic::decompress(&packed)?, b"not much to be learnt here");
    /// # }
    /// # Ok::<(), vatic::Error>(())
    /// ```
    pub fn light(mut self, light: bool) -> Options {
        self.light = light;
        self
    }

    /// Whether deflate streams, as gzip, zip (and all that is made of it: office documents, e-books, packages), PNG and PDF files have inside, and
    /// progressive JPEG pictures and Base64 are taken apart, so that
    /// what they say can be foretold; decoding makes them again, bit for bit. On if not set. What they say may be several times as long
    /// as they are, and takes as long as if it had been given as it is. Frames are cut where it would grow beyond five quarters of [`frame_size`](Options::frame_size).
    /// What would be cut by a frame's end begins the next one, unless that makes the frame less than half as long.
    pub fn unpack(mut self, unpack: bool) -> Options {
        self.unpack = unpack;
        self
    }

    /// How far before a frame something may be copied from that occurs again in it, in bytes, up to 4 GiB; 1 GiB if not set. It is rounded up to a power of two;
    /// with 0 nothing is copied, from the same frame neither (experts find repetitions there all the same). Here and where the data is decoded so much of the content is kept in a temporary file, if
    /// there is as much (4 MiB of it are kept in memory), and here up to 16 bytes of memory are taken for each 256 bytes of it. Nothing is kept of content of one frame.
    ///
    /// ```
    /// let mut state = 1u32;
    /// let noise = std::iter::repeat_with(|| {
    ///     state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    ///     (state >> 24) as u8
    /// });
    /// let twice = noise.take(150_000).collect::<Vec<u8>>().repeat(2);
    /// let options = vatic::Options::new().model(None).frame_size(1 << 16);
    /// let packed = vatic::compress(&twice, &options)?;
    /// assert!(packed.len() < 151_000);
    /// assert!(vatic::compress(&twice, &options.window(0))?.len() > 300_000);
    /// assert_eq!(vatic::decompress(&packed)?, twice);
    /// # Ok::<(), vatic::Error>(())
    /// ```
    pub fn window(mut self, bytes: u64) -> Options {
        self.window = bytes;
        self
    }

    /// The window as log2, if there is one.
    pub(crate) fn window_log2(&self) -> Option<u8> {
        let log2 = self.window.checked_next_power_of_two()?.ilog2() as u8;
        (self.window > 0).then_some(log2.max(*WINDOW_LOG2.start()))
    }

    /// Decodes every frame again before it is written and compares: twice the time, for those who delete the original.
    pub fn verify(mut self, verify: bool) -> Options {
        self.verify = verify;
        self
    }

    /// Collects the bits that each source of predictions would have paid, for [`FrameStats::sources`](crate::FrameStats).
    pub fn report(mut self, report: bool) -> Options {
        self.report = report;
        self
    }

    /// Which experts take part, as a set of bits; `None` for all. An ablation switch.
    #[doc(hidden)]
    pub fn experts(mut self, experts: Option<u64>) -> Options {
        self.experts = experts;
        self
    }

    /// Starts from what was learnt from other data. Decoding then needs the same prior.
    pub fn prior(mut self, prior: Option<Prior>) -> Options {
        self.prior = prior;
        self
    }

    /// Calls `hook` now and then with how far the work has come, from whatever thread does it.
    pub fn progress(mut self, hook: impl Fn(Progress) + Send + Sync + 'static) -> Options {
        self.progress = Some(Arc::new(hook));
        self
    }

    /// The model that predicts `content` if it is one frame of tokens; none if these settings have none. With a prior, the one
    /// that the prior was learnt with.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings out of range, and [`Error::OtherModel`] for a prior of a model that is none of these.
    pub fn model_for(&self, content: &[u8]) -> Result<Option<Model>> {
        self.check()?;
        crate::codec::Encoder::new(self)?.choose(content)
    }

    /// The models to choose from, as these settings say.
    pub(crate) fn candidates(&self) -> Vec<Model> {
        match &self.models {
            Candidates::Preset => Model::preset().into_iter().collect(),
            Candidates::Given(models) => models.clone(),
        }
    }

    /// Whether every setting is within its range.
    pub(crate) fn check(&self) -> Result<()> {
        let (size, log2) = (self.frame_size, self.memory_log2);
        if !(MIN_FRAME_SIZE..=MAX_FRAME_SIZE).contains(&size) {
            return Err(Error::setting(format!(
                "a frame size of {size} bytes is out of range; it may be {MIN_FRAME_SIZE} (64 KiB) to {MAX_FRAME_SIZE} (256 MiB)"
            )));
        }
        if !MEMORY_LOG2.contains(&log2) {
            return Err(Error::setting(format!(
                "a memory of 2^{log2} bytes is out of range; it may be 2^16 to 2^30"
            )));
        }
        if let Some(log2) = self.streams_log2.filter(|&log2| log2 > MAX_STREAMS_LOG2) {
            return Err(Error::setting(format!(
                "2^{log2} streams are out of range; there may be 2^0 to 2^{MAX_STREAMS_LOG2}"
            )));
        }
        if self.window > 1 << WINDOW_LOG2.end() {
            return Err(Error::setting(format!(
                "a window of {} bytes is out of range; it may be up to 2^32 (4 GiB)",
                self.window
            )));
        }
        if matches!(self.mode, Mode::Copied) {
            return Err(Error::setting(
                "a frame is copied as far as it occurred before, which cannot be asked for",
            ));
        }
        if self.mode == Mode::Tokens && self.candidates().is_empty() {
            return Err(Error::setting(
                "coding tokens needs a model, and none was given",
            ));
        }
        Ok(())
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("models", &self.models)
            .field("threads", &self.threads)
            .field("frame_size", &self.frame_size)
            .field("memory_log2", &self.memory_log2)
            .field("streams_log2", &self.streams_log2)
            .field("quick", &self.quick)
            .field("mode", &self.mode)
            .field("least_gain", &self.least_gain)
            .field("thorough", &self.thorough)
            .field("light", &self.light)
            .field("unpack", &self.unpack)
            .field("window", &self.window)
            .field("verify", &self.verify)
            .finish_non_exhaustive()
    }
}

/// Settings for decompressing, set one after the other.
#[derive(Clone)]
pub struct DecodeOptions {
    pub(crate) threads: usize,
    pub(crate) max_memory: u64,
    pub(crate) models: Vec<Model>,
    pub(crate) priors: Vec<Prior>,
    pub(crate) read_ahead: bool,
    pub(crate) at_once: bool,
    pub(crate) progress: Option<Hook>,
}

impl Default for DecodeOptions {
    fn default() -> DecodeOptions {
        DecodeOptions {
            threads: 0,
            max_memory: 2 << 30,
            models: Vec::new(),
            priors: Vec::new(),
            read_ahead: false,
            at_once: false,
            progress: None,
        }
    }
}

impl DecodeOptions {
    /// All cores, at most 2 GiB of memory, the models inside the program.
    pub fn new() -> DecodeOptions {
        DecodeOptions::default()
    }

    /// How many threads may work; 0, the default, for as many as the machine runs at once.
    pub fn threads(mut self, threads: usize) -> DecodeOptions {
        self.threads = threads;
        self
    }

    /// The most memory in bytes that a frame may ask for: three bytes for each byte of content (four in frames of parts), its tables, and what
    /// the transformer keeps of the past of its streams; more is [`Error::TooLarge`], before any of it is allocated.
    pub fn max_memory(mut self, bytes: u64) -> DecodeOptions {
        self.max_memory = bytes;
        self
    }

    /// Adds a model to those inside the program. May be called several times.
    pub fn model(mut self, model: Model) -> DecodeOptions {
        self.models.push(model);
        self
    }

    /// Adds a prior that frames may name. May be called several times.
    pub fn prior(mut self, prior: Prior) -> DecodeOptions {
        self.priors.push(prior);
        self
    }

    /// The same without a hook.
    pub(crate) fn quiet(mut self) -> DecodeOptions {
        self.progress = None;
        self
    }

    /// Whether [`copy_decompress`](crate::copy_decompress) may read on before it has written what it has read, so that frames that do not
    /// keep all threads busy are decoded side by side. Right for files; wrong for a connection whose other end may wait
    /// for an answer to what it has sent. Off if not set; what is in memory is always decoded so.
    pub fn read_ahead(mut self, ahead: bool) -> DecodeOptions {
        self.read_ahead = ahead;
        self
    }

    /// Whether [`copy_decompress`](crate::copy_decompress) writes what it decodes at once, and not only when the whole of a frame (32 MiB as a rule,
    /// which is minutes of text) has the right checksum. What was damaged is still an error, but by then wrong content may have been written,
    /// as other compressors do; of a frame that is cut off, what is certain is written. [`decompress_range`](crate::decompress_range) then also stops
    /// where the range ends, and checks its last frame only if that is decoded to its end. For people who read along, and for pipes; off if not set.
    pub fn at_once(mut self, at_once: bool) -> DecodeOptions {
        self.at_once = at_once;
        self
    }

    /// Calls `hook` now and then with how far the work has come, from whatever thread does it.
    pub fn progress(mut self, hook: impl Fn(Progress) + Send + Sync + 'static) -> DecodeOptions {
        self.progress = Some(Arc::new(hook));
        self
    }
}

impl fmt::Debug for DecodeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodeOptions")
            .field("threads", &self.threads)
            .field("max_memory", &self.max_memory)
            .field("models", &self.models)
            .finish_non_exhaustive()
    }
}
