//! The golden cases: one for each feature of the format, made by the example `golden` and checked by the test `golden`.

#[path = "../common/base64.rs"]
mod base64;
#[path = "../common/code.rs"]
mod code;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/hills.rs"]
mod hills;
#[path = "../common/photo.rs"]
mod photo;
#[path = "../common/records.rs"]
mod records;

use common::noise;
use photo::Photo;
use records::records;
use vatic::{DecodeOptions, Mode, Model, Options, Prior, Result};

/// Something that was compressed.
pub struct Case {
    /// The file's name in `tests/golden`.
    pub name: &'static str,
    /// What it decodes to.
    pub content: Vec<u8>,
    /// What it is.
    pub packed: Vec<u8>,
    /// What it decodes with.
    pub decode: Decode,
    /// The prior that it needs, which is kept beside it.
    pub prior: Option<Prior>,
}

/// How a case is decoded.
pub enum Decode {
    /// As data with a container.
    Container(DecodeOptions),
    /// As a message.
    Message(Options),
}

const STORY: &[u8] = include_bytes!("../../../../fixtures/story.txt");
const ORDERS: &[u8] = include_bytes!("../../../../fixtures/orders.json");
const STATIONS: &[u8] = include_bytes!("../../../../fixtures/stations.csv");
const WAVE: &[u8] = include_bytes!("../../../../fixtures/wave.bin");

// Files as other programs write them.
const GZIP: &[u8] = include_bytes!("../../../vatic-unpack/tests/data/story.gz");
const ZIP: &[u8] = include_bytes!("../../../vatic-unpack/tests/data/notes.zip");
const PNG: &[u8] = include_bytes!("../../../vatic-unpack/tests/data/hills.png");
const INSIDE: &[u8] = include_bytes!("../../../vatic-unpack/tests/data/inside.gz");
const SCREEN: &[u8] = include_bytes!("../../../vatic-unpack/tests/data/screen.png");
const FLUSHED: &[u8] = include_bytes!("../../../vatic-unpack/tests/data/flushed.zz");
const LEVELS: &[u8] = include_bytes!("../../../vatic-unpack/tests/data/levels.zz");
const OTHERS: &[u8] = include_bytes!("../../../vatic-unpack/tests/data/miniz.zz");
const SCANS: &[u8] = include_bytes!("../../../vatic-unpack/tests/data/scans.jpg");
const RESTARTS: &[u8] = include_bytes!("../../../vatic-unpack/tests/data/restarts.jpg");

/// The beginning of a picture in rows of so many pixels of so many bytes.
fn picture(width: usize, pixel: usize) -> Vec<u8> {
    let (heights, noise) = (noise(1 << 14, 8), noise(120_000, 9));
    hills::picture(heights, noise.into_iter(), width, pixel).collect()
}

/// What JPEG makes of such pixels, with colours at half the size, and a smaller one of grey within it.
fn jpeg(width: usize, height: usize, restart: usize) -> Vec<u8> {
    let grey = Photo {
        width: width / 4,
        height: height / 4,
        factors: vec![[1, 1]],
        step: 9,
        restart: 3,
        apart: true,
    };
    let photo = Photo {
        width,
        height,
        factors: vec![[2, 2], [1, 1], [1, 1]],
        step: 3,
        restart,
        apart: false,
    };
    let inside = [b"Exif\0\0", &grey.jpeg(&picture(width / 4, 1), &[])[..]].concat();
    photo.jpeg(&picture(width, 3), &inside)
}

/// Base64 as mails have it, as certificates have it, and as pages have it.
fn letter() -> Vec<u8> {
    use base64::lines;
    let text = str::from_utf8(&STORY[..1200]).unwrap_or("No text.");
    let mut letter = format!("Subject: the notes\r\n\r\n{text}\r\n\r\n");
    letter += &lines(ZIP, 76, "\r\n");
    letter += "\r\n\r\n-----BEGIN NUMBERS-----\n";
    letter += &lines(&STORY[2000..3000], 64, "\n");
    letter += "\n-----END NUMBERS-----\n<img src=\"data:image/png;base64,";
    letter += &lines(SCREEN, 0, "");
    letter += "\">\n";
    letter.into_bytes()
}

/// All of them.
pub fn all() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let mut add = |name, content: &[u8], options: Options| -> Result<()> {
        let packed = vatic::compress(content, &options)?;
        let decode = Decode::Container(DecodeOptions::new());
        cases.push(Case {
            name,
            content: content.to_vec(),
            packed,
            decode,
            prior: None,
        });
        Ok(())
    };
    let story = &STORY[..STORY.len().min(6000)];
    let options = || Options::new().model(Some(Model::swift()));
    add("empty.vtc", b"", options())?;
    add("byte.vtc", b"v", options())?;
    add("stored.vtc", &noise(700, 1), options())?;
    add(
        "bytes.vtc",
        &WAVE[..WAVE.len().min(6000)],
        options().mode(Mode::Bytes),
    )?;
    add(
        "bytes-settings.vtc",
        story,
        options().model(None).memory_log2(18),
    )?;
    // Zeros, and a copy whose match grows long enough to leap.
    add(
        "bytes-leaps.vtc",
        &[story, &[0; 5000], story].concat(),
        options().mode(Mode::Bytes),
    )?;
    // Records, and text in two ways of writing.
    let table = records(noise(5000, 3), 24);
    let capitals = story[..1500].to_ascii_uppercase();
    add(
        "bytes-thorough.vtc",
        &[&table, story, &[0; 3000], &capitals, &story[..2000]].concat(),
        options().mode(Mode::Bytes).thorough(true),
    )?;
    add(
        "bytes-x86.vtc",
        &code::x86(300),
        options().mode(Mode::Bytes),
    )?;
    add(
        "bytes-x86-64.vtc",
        &code::x86_64(500),
        options().mode(Mode::Bytes).thorough(true),
    )?;
    add(
        "bytes-arm64.vtc",
        &code::arm64(900),
        options().mode(Mode::Bytes),
    )?;
    // Its rows are found after 12288 bytes. What comes twice is leapt over.
    add(
        "bytes-picture.vtc",
        &picture(100, 3)[..15_000].repeat(2),
        options().mode(Mode::Bytes),
    )?;
    add(
        "bytes-picture-thorough.vtc",
        &picture(120, 2)[..15_000],
        options().mode(Mode::Bytes).thorough(true),
    )?;
    // Of what comes twice, the half is leapt over and the rest coded.
    let photo = jpeg(96, 48, 4);
    add(
        "bytes-jpeg.vtc",
        &[&photo[..], &photo[..photo.len() / 2], &jpeg(64, 40, 0)].concat(),
        options().mode(Mode::Bytes),
    )?;
    add(
        "bytes-jpeg-thorough.vtc",
        &photo,
        options().mode(Mode::Bytes).thorough(true),
    )?;
    add("tokens.vtc", story, options().mode(Mode::Tokens))?;
    add(
        "tokens-streams.vtc",
        story,
        options().mode(Mode::Tokens).streams_log2(Some(4)),
    )?;
    // More tokens than two streams take in their first turn.
    add(
        "tokens-turns.vtc",
        &STATIONS[..STATIONS.len().min(10_500)],
        options().mode(Mode::Tokens).streams_log2(Some(1)),
    )?;
    add(
        "tokens-more-streams-than-tokens.vtc",
        &story[..200],
        options().mode(Mode::Tokens).streams_log2(Some(7)),
    )?;
    add(
        "tokens-no-experts.vtc",
        &story[..3000],
        options().mode(Mode::Tokens).experts(Some(0)),
    )?;
    // Longer than a model sees in light work.
    add(
        "tokens-light.vtc",
        story,
        options()
            .mode(Mode::Tokens)
            .light(true)
            .streams_log2(Some(1)),
    )?;
    let base = || Options::new().model(Some(Model::base()));
    add("tokens-base.vtc", &story[..2500], base())?;
    let deep = || Options::new().model(Some(Model::deep()));
    add("tokens-deep.vtc", &story[..800], deep())?;
    add(
        "frames.vtc",
        &[story, &noise(66_000, 1)].concat(),
        options().frame_size(1 << 16).mode(Mode::Bytes),
    )?;

    // Two stretches of text with noise and a wave between them, which go into three parts.
    let block = 1 << 12;
    add(
        "mixed.vtc",
        &[
            &STORY[..block],
            &noise(block, 1),
            &WAVE[WAVE.len() - block..],
            &STORY[block..2 * block],
            b"\nThe end.\n",
        ]
        .concat(),
        options().mode(Mode::Mixed),
    )?;

    // Four parts: a picture's bounds are to the byte.
    add(
        "mixed-picture.vtc",
        &[
            &STORY[..block],
            &noise(block, 1),
            &WAVE[WAVE.len() - block..],
            &jpeg(192, 180, 0),
            b"\nThe end.\n",
        ]
        .concat(),
        options().mode(Mode::Mixed),
    )?;

    // What others have compressed: text; two texts and noise; a picture, whose stream is in pieces; one that was flushed, and one by another
    // program than zlib, which is coded in parts.
    add("unpacked-gzip.vtc", GZIP, options())?;
    add("unpacked-zip.vtc", ZIP, options().model(None))?;
    add("unpacked-png.vtc", PNG, options().model(None))?;
    add(
        "unpacked-flushed.vtc",
        FLUSHED,
        options().model(None).thorough(true),
    )?;
    add("unpacked-levels.vtc", LEVELS, options().model(None))?;
    add(
        "unpacked-others.vtc",
        &[&STORY[..block], &noise(block, 1), OTHERS, b" and so on"].concat(),
        options().mode(Mode::Mixed),
    )?;

    // Pixels in the place of filtered rows.
    add("unpacked-pixels.vtc", SCREEN, options().model(None))?;
    // Streams that say others, three deep.
    add("unpacked-inside.vtc", INSIDE, options().model(None))?;
    // Pictures in many scans, one of them with restarts, and one in a single scan between them.
    add(
        "unpacked-progressive.vtc",
        &[SCANS, &jpeg(64, 40, 0), RESTARTS].concat(),
        options().model(None),
    )?;

    // A letter with an archive in lines, a certificate of sorts, and a picture in one line.
    add("unpacked-base64.vtc", &letter(), options())?;

    let mut members = vatic::skippable(b"A note that decoders pass over.")?;
    members.extend(vatic::compress(b"First member. ", &options())?);
    let mut encoder = vatic::write::Encoder::new(members, options().model(None))?;
    // A flushed frame is not the last one: an end frame follows.
    let flushed = std::io::Write::write_all(&mut encoder, b"Second member.")
        .and_then(|()| std::io::Write::flush(&mut encoder));
    flushed.map_err(vatic::Error::Write)?;
    cases.push(Case {
        name: "members.vtc",
        content: b"First member. Second member.".to_vec(),
        packed: encoder.finish()?,
        decode: Decode::Container(DecodeOptions::new()),
        prior: None,
    });

    // What occurred before, in frames that are flushed: with tokens, with streams, and with nothing between.
    let edited = [&STORY[1500..3000], b"Not in the story. ", &STORY[100..1500]].concat();
    let archive = [
        &STORY[1000..2000],
        GZIP,
        &STORY[4000..5200],
        &STORY[1000..2000],
    ]
    .concat();
    let parts = [&STORY[..3000], &edited, &archive, &edited[..2000]];
    let mut encoder = vatic::write::Encoder::new(Vec::new(), options())?;
    for part in parts {
        std::io::Write::write_all(&mut encoder, part)
            .and_then(|()| std::io::Write::flush(&mut encoder))
            .map_err(vatic::Error::Write)?;
    }
    cases.push(Case {
        name: "copied.vtc",
        content: parts.concat(),
        packed: encoder.finish()?,
        decode: Decode::Container(DecodeOptions::new()),
        prior: None,
    });

    // Few, for priors that are small enough to keep.
    let samples: Vec<&[u8]> = ORDERS[..ORDERS.len().min(1200)]
        .split(|&byte| byte == b'\n')
        .collect();
    let record = &ORDERS[ORDERS.len() - ORDERS.len().min(300)..];
    for (name, model) in [
        ("prior.vtc", None),
        ("prior-tokens.vtc", Some(Model::swift())),
    ] {
        let settings = options().model(model).memory_log2(16);
        let prior = Prior::learn(&samples, &settings)?;
        let options = settings.prior(Some(prior.clone()));
        cases.push(Case {
            name,
            content: record.to_vec(),
            packed: vatic::compress(record, &options)?,
            decode: Decode::Container(DecodeOptions::new().prior(prior.clone())),
            prior: Some(prior),
        });
    }
    let swift = || Options::new().models([Model::swift()]);
    for (name, content, options) in [
        (
            "message.raw",
            &b"Arrived safely, all well. Send more tea."[..],
            swift(),
        ),
        // Says which of two models it was made with.
        (
            "message-models.raw",
            &STORY[..200],
            Options::new().models([Model::swift(), Model::base()]),
        ),
        ("message-stored.raw", &noise(20, 1), swift()),
        (
            "message-long.raw",
            &[story, &[0; 4000], story].concat(),
            swift().mode(Mode::Bytes),
        ),
    ] {
        let packed = vatic::message::compress(content, &options)?;
        cases.push(Case {
            name,
            content: content.to_vec(),
            packed,
            decode: Decode::Message(options),
            prior: None,
        });
    }
    Ok(cases)
}
