//! Writes the seeds that fuzzing starts from, made by the code under test so that they always fit the present formats:
//!
//!     cargo run --example seeds -- FOLDER        (FOLDER/<target>/<name>)

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use vatic::{Mode, Model, Options, Prior, message};
use vatic_transformer::{Config, ModelFile};

/// A prior's bytes as the target takes them, which compresses its states and puts the identity at the end itself.
fn plain(prior: &Prior) -> Result<Vec<u8>, Box<dyn Error>> {
    let bytes = prior.to_bytes();
    let (header, rest) = bytes.split_at(28);
    let states = miniz_oxide::inflate::decompress_to_vec_zlib(&rest[..rest.len() - 8])
        .map_err(|error| error.to_string())?;
    Ok([header, &states].concat())
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: seeds FOLDER")?);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let put = |target: &str, name: &str, bytes: &[u8]| -> std::io::Result<()> {
        fs::create_dir_all(folder.join(target))?;
        fs::write(folder.join(target).join(name), bytes)
    };

    let bytes_only = Options::new().model(None).threads(1);
    let mut texts = vec![("empty".to_string(), Vec::new()), ("one".into(), vec![0])];
    for entry in fs::read_dir(fixtures)? {
        let path = entry?.path();
        let mut text = fs::read(&path)?;
        text.truncate(1500);
        texts.push((
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            text,
        ));
    }
    let (one, two) = (&texts[texts.len() - 1].1, &texts[texts.len() - 2].1);
    let noise = (0..4096u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8 ^ (n >> 4) as u8);
    let mixed = [one.repeat(3), noise.collect(), two.repeat(3)].concat();
    for (name, options) in [
        ("mixed.bytes", &bytes_only),
        ("mixed.tokens", &Options::new()),
    ] {
        let options = options.clone().mode(Mode::Mixed).threads(1);
        put("container", name, &vatic::compress(&mixed, &options)?)?;
    }
    let mut records = one.repeat(2);
    for at in 24..records.len() {
        let mean = (u16::from(records[at - 1]) + u16::from(records[at - 24])) / 2;
        records[at] = (mean as u8).wrapping_add(records[at] & 3);
    }
    let thorough = bytes_only.clone().mode(Mode::Bytes).thorough(true);
    let thorough = vatic::compress(&records, &thorough)?;
    let info = vatic::info::list(std::io::Cursor::new(&thorough))?;
    assert!(info.frames[0].thorough, "it is smaller that way");
    put("container", "thorough", &thorough)?;
    // What no fixture is: machine code, and pictures.
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden");
    for name in [
        "bytes-x86",
        "bytes-x86-64",
        "bytes-arm64",
        "bytes-picture",
        "bytes-picture-thorough",
        "unpacked-gzip",
        "unpacked-zip",
        "unpacked-png",
        "unpacked-others",
        "unpacked-pixels",
        "unpacked-inside",
        "unpacked-progressive",
        "unpacked-base64",
        "copied",
    ] {
        put(
            "container",
            name,
            &fs::read(format!("{golden}/{name}.vtc"))?,
        )?;
    }
    let pieces = [
        [0, 0, 200],
        [1, 9, 255],
        [0x40, 3, 190],
        [0x41, 0, 20],
        [0x80, 3, 255],
    ];
    put("repeats", "pieces", &[&[15], &pieces.concat()[..]].concat())?;
    put("repeats", "recipe", &[2, 3, 2, 0, 1, 2, 200, 0, 130, 1])?;
    let others = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/vatic-unpack/tests/data"
    );
    for name in [
        "story.gz",
        "notes.zip",
        "hills.png",
        "screen.png",
        "flushed.zz",
        "miniz.zz",
        "hills.jpg",
        "restarts.jpg",
        "grey.jpg",
        "scans.jpg",
    ] {
        let data = fs::read(format!("{others}/{name}"))?;
        put("deflate", name, &data)?;
        put("round_trip", name, &[&[0, 0], &data[..]].concat())?;
        if let Some(unpacked) = vatic_unpack::unpack(&data, 1 << 20)
            && let Ok(length) = u8::try_from(unpacked.recipe.len())
        {
            let parts = [&[length][..], &unpacked.recipe, &unpacked.content];
            put("deflate", &format!("{name}.parts"), &parts.concat())?;
        }
    }
    for (name, text) in &texts {
        put("tokenizer", name, text)?;
        put(
            "round_trip",
            name,
            &[&[name.len() as u8, text.len() as u8], text.as_slice()].concat(),
        )?;
        put("message", &format!("{name}.content"), text)?;
        put(
            "message",
            &format!("{name}.bytes"),
            &message::compress(text, &bytes_only)?,
        )?;
        put(
            "message",
            &format!("{name}.tokens"),
            &message::compress(text, &Options::new().threads(1))?,
        )?;
        put("coder", name, text)?;
        put(
            "container",
            &format!("{name}.bytes"),
            &vatic::compress(text, &bytes_only.clone().mode(Mode::Bytes))?,
        )?;
        put(
            "container",
            &format!("{name}.stored"),
            &vatic::compress(text, &bytes_only.clone().mode(Mode::Stored))?,
        )?;
        put(
            "container",
            &format!("{name}.tokens"),
            &vatic::compress(text, &Options::new().threads(1))?,
        )?;
    }

    let two = [
        vatic::skippable(b"a note")?,
        vatic::compress(b"one, two, one, two", &bytes_only)?,
    ]
    .concat();
    put("container", "skippable", &two)?;
    put("container", "concatenated", &[two.clone(), two].concat())?;

    let samples: Vec<&[u8]> = texts
        .iter()
        .map(|(_, text)| &text[..text.len().min(300)])
        .collect();
    put(
        "prior",
        "bytes",
        &plain(&Prior::learn(
            &samples,
            &bytes_only.clone().memory_log2(16),
        )?)?,
    )?;
    if let Some(model) = Model::preset() {
        let options = Options::new().model(Some(model)).threads(1).memory_log2(16);
        put(
            "prior",
            "tokens",
            &plain(&Prior::learn(&samples, &options)?)?,
        )?;
    }

    let config = Config {
        vocab: 256,
        groups: 32,
        width: 16,
        hidden: 16,
        windows: vec![4],
        rope_period: 16,
        ..Config::default()
    };
    put(
        "model_file",
        "smallest",
        &ModelFile::random(&config, 1).to_bytes()?,
    )?;
    let config = Config {
        layers: 2,
        heads: 2,
        windows: vec![2, 8],
        vocab: 272,
        ..config
    };
    put(
        "model_file",
        "two-layers",
        &ModelFile::random(&config, 2).to_bytes()?,
    )?;
    put(
        "tokenizer",
        "vocabulary",
        vatic_tokenizer::render_vocabulary(&ModelFile::random(&config, 2).tokens).as_bytes(),
    )?;
    Ok(())
}
