//! What is inside a frame: modes, and the choice between them.

mod bytes;
mod choose;
pub(crate) mod copied;
mod decoding;
pub(crate) mod filter;
pub(crate) mod flight;
mod foretold;
mod lockstep;
pub(crate) mod messages;
pub(crate) mod mixed;
mod stretches;
mod tokens;
pub(crate) mod unpacked;

use web_time::Instant;

use vatic_coder::BinaryCoder;

use crate::error::{Error, Result};
use crate::explain::Explanation;
use crate::format::{Header, Kind, Parts};
use crate::model::{Model, ModelRef};
use crate::options::{DecodeOptions, Mode, Options};
use crate::prior::Prior;
use crate::progress::Meter;
use crate::stats::{FrameStats, SourceBits};

use choose::Choice;
use filter::Filter;
pub(crate) use lockstep::Predictor;
use mixed::Mixed;
use tokens::Cut;
use unpacked::Unpacked;

/// A frame's payload, and what its header has to say about it.
pub(crate) struct Coded {
    pub kind: Kind,
    pub parts: Parts,
    pub payload: Vec<u8>,
    pub stats: FrameStats,
}

/// The probability of a bit of which nothing is known.
const HALF: u16 = 1 << 15;

/// What both directions need to know to code a frame.
#[derive(Clone)]
pub(crate) struct Setting {
    pub model: Option<Model>,
    pub memory_log2: u8,
    pub experts: Option<u64>,
    pub report: bool,
    pub prior: Option<Prior>,
    /// Whether experts work thoroughly where there is no transformer.
    pub thorough: bool,
    /// Whether work with the transformer is light: few experts beside a model that is [near](Model::near).
    pub light: bool,
    /// What stands in place of distances in machine code, where there is no transformer.
    pub filter: Option<Filter>,
    pub threads: usize,
    /// So many low bits of the content's length come first in the payload: those that a message's first bytes do not say.
    pub length_bits: u8,
    /// A message's payload of tokens then says in so many bits which of the models…
    pub model_bits: u8,
    /// …it was made with.
    pub place: usize,
    /// Whether the end of the payload is missing: only what is certain is decoded then.
    pub is_cut: bool,
    /// So many bytes of the content are wanted, the first ones: a decoder may stop when it has given them.
    pub wanted: usize,
}

impl Setting {
    pub(crate) fn of(options: &Options, model: Option<Model>) -> Setting {
        Setting {
            model,
            memory_log2: options.memory_log2,
            experts: options.experts,
            report: options.report,
            prior: options.prior.clone(),
            // What a prior has learnt is of the usual size.
            thorough: options.thorough && options.prior.is_none(),
            light: options.light && options.prior.is_none(),
            filter: None,
            threads: threads(options.threads),
            length_bits: 0,
            model_bits: 0,
            place: 0,
            is_cut: false,
            wanted: usize::MAX,
        }
    }

    /// A coder for content of that length.
    pub(crate) fn begin(&self, length: usize) -> vatic_coder::Encoder {
        let mut encoder = vatic_coder::Encoder::new();
        say(&mut encoder, length, self.length_bits);
        encoder
    }

    /// The same for content whose model has to be said as well.
    pub(crate) fn begin_tokens(&self, length: usize) -> vatic_coder::Encoder {
        let mut encoder = self.begin(length);
        say(&mut encoder, self.place, self.model_bits);
        encoder
    }

    /// A decoder of `payload`, and the content's length, of which `length` is what is known before.
    pub(crate) fn open<'a>(
        &self,
        payload: &'a [u8],
        length: usize,
    ) -> (vatic_coder::Decoder<'a>, usize) {
        open(payload, length, self.length_bits)
    }

    /// The same after [`begin_tokens`](Self::begin_tokens).
    pub(crate) fn open_tokens<'a>(
        &self,
        payload: &'a [u8],
        length: usize,
    ) -> (vatic_coder::Decoder<'a>, usize) {
        let (mut decoder, length) = self.open(payload, length);
        hear(&mut decoder, self.model_bits);
        (decoder, length)
    }

    pub(crate) fn coder(&self) -> vatic_coder::Options {
        vatic_coder::Options {
            experts: self
                .experts
                .map_or(vatic_coder::Experts::ALL, vatic_coder::Experts),
            memory_log2: self.memory_log2,
            thorough: self.thorough,
            report: self.report,
            ..vatic_coder::Options::default()
        }
    }
}

/// Codes the low bits of a number, the highest first.
fn say(encoder: &mut vatic_coder::Encoder, number: usize, bits: u8) {
    for bit in (0..bits).rev() {
        encoder.code(number >> bit & 1 == 1, HALF);
    }
}

/// Decodes so many bits.
fn hear(decoder: &mut vatic_coder::Decoder<'_>, bits: u8) -> usize {
    (0..bits).fold(0, |number, _| {
        number << 1 | usize::from(decoder.code(false, HALF))
    })
}

/// Up to so many bytes of content all of it is coded both ways where samples do not say clearly which one is better.
const MODERATE: usize = 1 << 20;

/// What bytes take of the time, roughly, where both ways are tried, and what tokens take, in percent.
const FIRST_WAY: (u64, u64) = (0, 20);
const SECOND_WAY: (u64, u64) = (20, 100);

/// Whether bytes leave so little of so many bytes of content that tokens are not worth their time, many times as much: it repeats itself,
/// and is long enough for experts to have learnt more of it than a transformer brings along (`docs/decisions.md`, "What repeats itself").
fn is_little(by_bytes: u64, content: usize) -> bool {
    content > 1 << 17 && by_bytes * 32 < content as u64
}

/// From so many bytes of content on work is light, if that is asked for: with less there is no time to be saved, and more to be lost.
const LEAST_LIGHT: usize = 1 << 15;

/// Plans how frames are coded.
pub(crate) struct Encoder {
    setting: Setting,
    candidates: Vec<Model>,
    mode: Mode,
    least_gain: u32,
    cut: Cut,
    /// Whether streams are taken apart, what a frame may grow to by that, and what that may grow to if it has such streams again.
    unpack: bool,
    unpacked_size: usize,
    unpacked_again_size: usize,
}

impl Encoder {
    pub(crate) fn new(options: &Options) -> Result<Encoder> {
        Ok(Encoder {
            setting: Setting::of(options, None),
            candidates: suitable(options)?,
            mode: options.mode,
            least_gain: options.least_gain,
            unpack: options.unpack,
            unpacked_size: options.frame_size / 4 * 5,
            unpacked_again_size: options.frame_size.saturating_mul(2),
            cut: match options.streams_log2 {
                Some(log2) => Cut::Into(log2),
                None if options.quick => Cut::Quick,
                None => Cut::Well,
            },
        })
    }

    /// The setting for a frame of `content`, with its model.
    fn setting(&self, content: &[u8]) -> Result<Setting> {
        let place = choose::model(content, &self.setting, &self.candidates)?;
        let light =
            self.setting.light && (self.mode == Mode::Tokens || content.len() >= LEAST_LIGHT);
        let model = self.candidates.get(place);
        Ok(Setting {
            model: model.map(|model| if light { model.near() } else { model.clone() }),
            light,
            place,
            ..self.setting.clone()
        })
    }

    /// The model for a frame of `content`.
    pub(crate) fn choose(&self, content: &[u8]) -> Result<Option<Model>> {
        Ok(self.setting(content)?.model)
    }

    /// How a frame of `content` is best coded, with its streams taken apart if it has such, and how much of it then goes into the frame.
    pub(crate) fn plan_frame(&self, content: &[u8]) -> Result<(Plan, usize)> {
        if self.unpack
            && matches!(self.mode, Mode::Auto | Mode::Mixed | Mode::Unpacked)
            && let Some(plan) = Unpacked::plan(content, self)?
        {
            return Ok(plan);
        }
        Ok((self.plan_parts(content)?, content.len()))
    }

    /// How `content` is best coded, in parts of different kinds if it has such.
    fn plan_parts(&self, content: &[u8]) -> Result<Plan> {
        let fine = self.mode == Mode::Mixed;
        if (fine || matches!(self.mode, Mode::Auto | Mode::Unpacked))
            && let Some(plan) = Mixed::plan(content, self, fine)?
        {
            return Ok(plan);
        }
        self.plan(content)
    }

    /// How `content` is best coded in one way.
    pub(crate) fn plan(&self, content: &[u8]) -> Result<Plan> {
        let auto = matches!(self.mode, Mode::Auto | Mode::Mixed | Mode::Unpacked);
        if auto && stretches::are_pictures(content) {
            return Ok(Plan {
                mode: Mode::Bytes,
                ..self.stored()
            });
        }
        if auto && choose::is_noise(content, &self.setting)? {
            return Ok(self.stored());
        }
        let setting = match self.mode {
            Mode::Stored | Mode::Bytes => self.setting.clone(),
            _ => self.setting(content)?,
        };
        let choice = match auto {
            true => choose::mode(content, &setting, self.least_gain)?,
            false => Choice::clear(self.mode),
        };
        Ok(Plan {
            mode: choice.mode,
            // Samples of a large frame say enough, unless the smallest result is wanted at any price.
            needed_gain: (choice.close && (setting.thorough || content.len() <= MODERATE))
                .then_some(self.least_gain),
            setting,
            ..self.stored()
        })
    }

    fn stored(&self) -> Plan {
        Plan {
            setting: self.setting.clone(),
            mode: Mode::Stored,
            needed_gain: None,
            cut: self.cut,
            is_filtered: false,
            mixed: None,
            unpacked: None,
        }
    }
}

/// How a frame is to be coded.
pub(crate) struct Plan {
    setting: Setting,
    mode: Mode,
    /// Bytes are tried as well, and taken unless tokens are by so many percent smaller; that takes a twentieth of the time more with `base`.
    needed_gain: Option<u32>,
    cut: Cut,
    /// Whether a filter was looked for, and applied if one suits.
    is_filtered: bool,
    /// Its parts, if it is mixed.
    mixed: Option<Mixed>,
    /// What is coded in its place, if it is unpacked.
    unpacked: Option<Unpacked>,
}

impl Plan {
    /// Whether all threads work on the frame. Bytes are foretold one after the other.
    pub(crate) fn takes_all_threads(&self) -> bool {
        self.mixed.is_some() || self.unpacked.is_some() || self.is_by_transformer()
    }

    /// Whether a transformer works on any of it, as far as that is known.
    pub(crate) fn is_by_transformer(&self) -> bool {
        match (&self.mixed, &self.unpacked) {
            (Some(mixed), _) => mixed.is_by_transformer(),
            (_, Some(unpacked)) => unpacked.is_by_transformer(),
            _ => self.mode == Mode::Tokens && self.setting.model.is_some(),
        }
    }

    /// Applies the filter that suits `content` in place, where it is certain that it will be coded as bytes: a copy of it less to be kept. It is
    /// to be undone when the frame has been made.
    pub(crate) fn filter(&mut self, content: &mut [u8]) -> Option<Filter> {
        if self.mode != Mode::Bytes {
            return None;
        }
        self.is_filtered = true;
        self.setting.filter = bytes::filter(content, &self.setting);
        if let Some(filter) = self.setting.filter {
            filter.apply_to(content);
        }
        self.setting.filter
    }

    /// The header of the frame of `content`, and what was made of it; `None` if it is stored.
    pub(crate) fn frame(
        &self,
        content: &[u8],
        last: bool,
        checksum: u32,
        meter: &Meter,
    ) -> Result<(Header, Option<Coded>)> {
        let stored = Header {
            kind: Kind::Stored,
            last,
            content: content.len() as u32,
            payload: content.len() as u32,
            parts: Parts::default(),
            checksum,
        };
        if let Some(coded) = self.code(content, meter)? {
            let header = Header {
                kind: coded.kind,
                payload: coded.payload.len() as u32,
                parts: coded.parts,
                ..stored
            };
            let size = coded.payload.len() + header.size();
            if coded.payload.len() <= content.len() && size < content.len() + stored.size() {
                return Ok((header, Some(coded)));
            }
        }
        Ok((stored, None))
    }

    /// The frame of `content`, for which this was planned, or `None` when it is best stored.
    pub(crate) fn code(&self, content: &[u8], meter: &Meter) -> Result<Option<Coded>> {
        if let Some(mixed) = &self.mixed {
            return mixed.code(meter).map(Some);
        }
        if let Some(unpacked) = &self.unpacked {
            return unpacked.code(content, meter);
        }
        let start = Instant::now();
        let mut coded = match (self.mode, &self.setting.model) {
            (Mode::Stored, _) => return Ok(None),
            (Mode::Tokens, Some(model)) => self.by_tokens(content, model, meter)?,
            _ if self.is_filtered => bytes::encode_filtered(content, &self.setting, meter)?,
            _ => bytes::encode_best(content, &self.setting, meter)?,
        };
        coded.stats.wall = start.elapsed();
        Ok(Some(coded))
    }

    /// Coded as tokens; as bytes if those were to be tried and are smaller.
    fn by_tokens(&self, content: &[u8], model: &Model, meter: &Meter) -> Result<Coded> {
        let tokens = || tokens::encode(content, &self.setting, model, self.cut, meter);
        let Some(gain) = self.needed_gain else {
            return tokens();
        };
        meter.way(content.len(), FIRST_WAY);
        let by_bytes = bytes::encode_best(content, &self.setting, meter)?;
        let bytes = by_bytes.payload.len() as u64;
        meter.way(content.len(), SECOND_WAY);
        let coded = if !self.setting.thorough && is_little(bytes, content.len()) {
            meter.at(content.len(), by_bytes.payload.len());
            by_bytes
        } else {
            let by_tokens = tokens()?;
            match by_tokens.payload.len() as u64 * u64::from(100 + gain) {
                tokens if bytes * 100 < tokens => by_bytes,
                _ => by_tokens,
            }
        };
        meter.way(content.len(), (0, 100));
        Ok(coded)
    }
}

/// The most memory in bytes for coding a frame with so many bytes of content: content and payload, the tokens of a coded frame beside
/// them, and the experts' tables.
fn needs(content: usize, tables: u64) -> u64 {
    content as u64 * 3 + tables
}

/// The same for a mixed frame, in which parts wait for those before them; and for each of its parts, of which one is decoded at a time.
fn needs_mixed(content: usize, tables: u64) -> u64 {
    content as u64 * 4 + tables
}

/// The memory in bytes that a frame of bytes takes while it is coded, roughly: small ones have small tables.
pub(crate) fn memory(content: usize, memory_log2: u8) -> u64 {
    needs(content, (1 << memory_log2).min(content as u64 * 160))
}

/// Decodes frames.
#[derive(Clone)]
pub(crate) struct Decoder {
    options: DecodeOptions,
    /// The content's length of the mixed frame whose parts are decoded.
    whole: Option<usize>,
    /// The memory in bytes of what stands beside the frame, of which it is a part.
    beside: u64,
    /// The unpacked frames around it: how many there are, and the content's length of the outermost.
    around: Option<(u8, usize)>,
}

impl Decoder {
    pub(crate) fn new(options: &DecodeOptions) -> Decoder {
        Decoder {
            options: options.clone(),
            whole: None,
            beside: 0,
            around: None,
        }
    }

    /// Whether all that the frame asks for is allowed and at hand.
    pub(crate) fn admit(&self, header: &Header) -> Result<()> {
        self.setting(header).map(|_| ())
    }

    /// The frame of `header` as one to be decoded beside others, if it is of that kind: tokens, in a few streams.
    pub(crate) fn beside<'a>(
        &self,
        header: &Header,
        payload: &'a [u8],
    ) -> Result<Option<flight::Frame<'a>>> {
        let parts = &header.parts;
        if header.kind != Kind::Tokens || 1 << parts.streams_log2 > flight::MOST_STREAMS {
            return Ok(None);
        }
        let setting = self.setting(header)?;
        Ok(setting.model.clone().map(|model| flight::Frame {
            payload,
            length: header.content as usize,
            streams_log2: parts.streams_log2,
            model,
            setting,
        }))
    }

    fn setting(&self, header: &Header) -> Result<Setting> {
        let parts = &header.parts;
        let tables = if matches!(header.kind, Kind::Bytes | Kind::Tokens) {
            1 << parts.memory_log2
        } else {
            0
        };
        let content = header.content as usize;
        let experts = match (self.whole, header.kind) {
            (Some(whole), _) => needs_mixed(whole, tables),
            (None, Kind::Mixed) => needs_mixed(content, tables),
            (None, _) => needs(content, tables),
        };
        let experts = experts + self.beside;
        self.allow(header, experts)?;
        let prior = parts
            .prior
            .map(|id| crate::prior::find(id, &self.options.priors))
            .transpose()?;
        let model = parts
            .model
            .map(|name| crate::model::find(name, &self.options.models))
            .transpose()?;
        let model = model.map(|model| if parts.light { model.near() } else { model });
        if let Some(model) = &model {
            let pasts = model.pasts(1 << parts.streams_log2);
            self.allow(header, experts.saturating_add(pasts))?;
        }
        Ok(Setting {
            model,
            memory_log2: parts.memory_log2,
            experts: parts.experts,
            report: false,
            prior,
            thorough: parts.thorough,
            light: parts.light,
            filter: parts.filter,
            threads: threads(self.options.threads),
            length_bits: 0,
            model_bits: 0,
            place: 0,
            is_cut: false,
            wanted: usize::MAX,
        })
    }

    /// An error if a frame needs more memory than is allowed.
    fn allow(&self, header: &Header, needs: u64) -> Result<()> {
        let allowed = self.options.max_memory;
        if needs > allowed && header.content > 0 {
            return Err(Error::TooLarge { needs, allowed });
        }
        Ok(())
    }

    /// Gives the content of a frame as it is decoded; whether it is the right one is for the checksum to say. It may end when the first
    /// `wanted` bytes have been given. If the payload's end is missing, this is as much of it as is certain.
    pub(crate) fn frame(
        &self,
        header: &Header,
        payload: &[u8],
        wanted: usize,
        meter: &Meter,
        sink: Sink,
    ) -> Result<FrameStats> {
        let start = Instant::now();
        let setting = Setting {
            is_cut: payload.len() < header.payload as usize,
            wanted,
            ..self.setting(header)?
        };
        let length = header.content as usize;
        let mut stats = match (header.kind, &setting.model) {
            (Kind::Stored, _) => {
                sink(payload);
                FrameStats {
                    mode: Mode::Stored,
                    streams: 1,
                    ..FrameStats::default()
                }
            }
            (Kind::Mixed, _) => {
                let within = Decoder {
                    whole: Some(length),
                    ..self.clone()
                };
                mixed::decode(header, payload, wanted, &within, meter, sink)?
            }
            (Kind::Unpacked, _) => unpacked::decode(header, payload, self, meter, sink)?,
            (Kind::Tokens, Some(model)) => {
                let streams_log2 = header.parts.streams_log2;
                tokens::decode(payload, length, streams_log2, &setting, model, meter, sink)?
            }
            (Kind::Bytes, _) => bytes::decode(payload, length, &setting, meter, sink)?,
            _ => return Err(Error::corrupt("a frame has no content to decode by itself")),
        };
        stats.wall = start.elapsed();
        Ok(stats)
    }
}

/// Where content goes as it is decoded, in parts of any length.
pub(crate) type Sink<'a> = &'a mut (dyn FnMut(&[u8]) + Send);

/// The models to choose from: with a prior, those that it suits.
fn suitable(options: &Options) -> Result<Vec<Model>> {
    let mut models = options.candidates();
    if let Some(prior) = &options.prior {
        let refused = models
            .iter()
            .find_map(|model| prior.tokens_state(model).err());
        models.retain(|model| prior.tokens_state(model).is_ok());
        if let (true, Some(error)) = (models.is_empty(), refused) {
            return Err(error);
        }
    }
    Ok(models)
}

/// What experts learn from `content`: the state over bytes, and over the model's tokens if there is a model.
pub(crate) fn learn(
    content: &[u8],
    model: Option<Model>,
    options: &Options,
) -> Result<(Vec<u8>, Vec<u8>)> {
    let setting = Setting {
        thorough: false,
        light: false,
        ..Setting::of(options, model)
    };
    let meter = Meter::new(&options.progress);
    let tokens = match &setting.model {
        Some(model) => tokens::learn(content, &setting, model, &meter)?,
        None => Vec::new(),
    };
    Ok((bytes::learn(content, &setting, &meter)?, tokens))
}

/// What each token of `content` costs in one stream.
pub(crate) fn explain(content: &[u8], options: &Options) -> Result<Explanation> {
    let setting = Setting {
        report: true,
        ..Setting::of(options, options.model_for(content)?)
    };
    let Some(model) = &setting.model else {
        return Err(Error::setting(
            "explaining a text needs a model, and none was given",
        ));
    };
    let meter = Meter::new(&options.progress);
    tokens::explain(content, &setting, model, &meter)
}

/// A decoder of `payload` and the content's length, of which all but so many low bits are known before as `length`.
pub(crate) fn open(
    payload: &[u8],
    length: usize,
    length_bits: u8,
) -> (vatic_coder::Decoder<'_>, usize) {
    let mut decoder = vatic_coder::Decoder::new(payload);
    let rest = hear(&mut decoder, length_bits);
    (decoder, length + rest)
}

/// The header's fields for what `setting` says.
fn parts(setting: &Setting, model: Option<&Model>, streams_log2: u8) -> Parts {
    Parts {
        streams_log2,
        thorough: setting.thorough && model.is_none(),
        light: setting.light && model.is_some(),
        filter: setting.filter.filter(|_| model.is_none()),
        model: model.map(|model| {
            if model.is_known() {
                ModelRef::Short(model.id().short())
            } else {
                ModelRef::Full(model.id())
            }
        }),
        memory_log2: setting.memory_log2,
        experts: setting.experts,
        prior: setting.prior.as_ref().map(Prior::id),
    }
}

/// The accounts of a coder, for people.
fn sources(model: &vatic_coder::Model) -> Vec<SourceBits> {
    let bits = |source: vatic_coder::Source| SourceBits {
        name: source.name.into(),
        bits: source.cost as f64 / 65536.0,
    };
    model.report().sources.into_iter().map(bits).collect()
}

/// How many threads that setting means.
pub(crate) fn threads(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

/// A failure of the coder's own checks, which settings that were checked cannot cause.
fn coder_error(error: vatic_coder::Error) -> Error {
    Error::setting(format!("the coder refuses its settings: {error}"))
}
