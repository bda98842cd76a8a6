//! Messages: one frame's payload in one stream, without a header.

use super::flight::{self, Frame};
use super::{Coded, Encoder, Setting, Sink, bytes, hear, suitable, tokens};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::options::Options;
use crate::progress::Meter;

/// A message's payload in one stream, in the mode that suits it, with so many low bits of its length.
pub(crate) fn encode(message: &[u8], length_bits: u8, options: &Options) -> Result<Option<Coded>> {
    let options = options
        .clone()
        .streams_log2(Some(0))
        .thorough(false)
        .light(false);
    let mut encoder = Encoder::new(&options)?;
    encoder.setting.length_bits = length_bits;
    encoder.setting.model_bits = model_bits(encoder.candidates.len());
    let plan = encoder.plan(message)?;
    plan.code(message, &Meter::new(&options.progress))
}

/// What [`encode`] made, and what is known of it.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    pub payload: &'a [u8],
    /// Its length but for the low bits, which the payload says, in so many bits.
    pub known: usize,
    pub length_bits: u8,
    pub by_bytes: bool,
}

impl Message<'_> {
    /// How it is decoded, if one of so many models may have made it.
    fn setting(&self, models: usize, options: &Options) -> Setting {
        Setting {
            length_bits: self.length_bits,
            model_bits: model_bits(models),
            thorough: false,
            light: false,
            ..Setting::of(options, None)
        }
    }

    /// The model that it was made with, if it was made with any.
    fn model(&self, models: &[Model], setting: &Setting) -> Result<Option<Model>> {
        if self.by_bytes {
            return Ok(None);
        }
        let mut decoder = setting.open(self.payload, self.known).0;
        match models.get(hear(&mut decoder, setting.model_bits)) {
            Some(model) => Ok(Some(model.clone())),
            None if models.is_empty() => Err(Error::corrupt(
                "a message was made with a model, and these settings have none",
            )),
            None => Err(Error::corrupt(
                "a message was made with a model that these settings have not",
            )),
        }
    }
}

/// The content of a message.
pub(crate) fn decode(message: &Message, options: &Options) -> Result<Vec<u8>> {
    let models = suitable(options)?;
    let setting = message.setting(models.len(), options);
    let meter = Meter::new(&options.progress);
    let (payload, known) = (message.payload, message.known);
    let mut content = Vec::new();
    let sink: Sink = &mut |bytes| content.extend_from_slice(bytes);
    match message.model(&models, &setting)? {
        Some(model) => tokens::decode(payload, known, 0, &setting, &model, &meter, sink)?,
        None => bytes::decode(payload, known, &setting, &meter, sink)?,
    };
    Ok(content)
}

/// The contents of several messages, those of tokens side by side.
pub(crate) fn decode_many(messages: &[Message], options: &Options) -> Vec<Result<Vec<u8>>> {
    // What is wrong with the models is told for each.
    let models = suitable(options).unwrap_or_default();
    let mut frames = Vec::new();
    let mut beside = vec![false; messages.len()];
    for (message, beside) in messages.iter().zip(&mut beside) {
        let setting = message.setting(models.len(), options);
        if let Ok(Some(model)) = message.model(&models, &setting) {
            *beside = true;
            frames.push(Frame {
                payload: message.payload,
                length: message.known,
                streams_log2: 0,
                model,
                setting,
            });
        }
    }
    let threads = super::threads(options.threads);
    let mut flown = if frames.len() < threads.max(2) {
        beside.fill(false);
        Vec::new()
    } else {
        flight::decode(&frames, threads, u64::MAX, &|_| ())
    }
    .into_iter();
    let content = |(message, beside): (&Message, bool)| match beside.then(|| flown.next()).flatten()
    {
        Some(decoded) => decoded.map(|(content, _)| content),
        None => decode(message, options),
    };
    messages.iter().zip(beside).map(content).collect()
}

/// In how many bits a message says which of so many models it was made with.
fn model_bits(models: usize) -> u8 {
    models.max(1).next_power_of_two().ilog2() as u8
}
