//! `vatic -l`: what the headers say, as a table.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, bail};
use vatic::info::{FrameInfo, Info};
use vatic::{Mode, Model, ModelRef, ShippedModel};

use crate::cli::Code;
use crate::files::{self, Source};
use crate::job::{self, Naming};
use crate::say::say;
use crate::size::grouped;
use crate::table;

/// Lists every file; those that cannot be listed are reported and the rest is still shown.
pub fn run(code: &Code, sources: Vec<Result<Source>>) -> Result<ExitCode> {
    let mut listed = Vec::new();
    let mut failed = false;
    for source in sources {
        match source.and_then(|source| Ok((source.name(), headers(&source)?))) {
            Ok(item) => listed.push(item),
            Err(error) => {
                failed = true;
                if code.quiet < 2 {
                    say!("vatic: {error:#}");
                }
            }
        }
    }
    let known: Vec<ShippedModel> = Model::shipped().collect();
    let mut text = String::new();
    if !listed.is_empty() {
        text.push_str(&overview(&listed, &known));
    }
    if code.verbose > 0 {
        for (name, info) in &listed {
            text.push_str(&format!("\n{name}\n{}", frames(info, &known)));
        }
    }
    std::io::stdout()
        .write_all(text.as_bytes())
        .of("standard output", "cannot be written")?;
    Ok(ExitCode::from(u8::from(failed)))
}

fn headers(source: &Source) -> Result<Info> {
    let Source::File(path) = source else {
        bail!("standard input: cannot be listed without reading all of it; give a file, or use -t");
    };
    // Asked before it is opened, since opening a pipe waits for its other end.
    if std::fs::metadata(path).is_ok_and(|of| !of.is_file() && !of.is_dir()) {
        bail!(
            "{}: is not a regular file, so it cannot be listed without reading all of it; use -t",
            source.name()
        );
    }
    let file = files::open(path)?;
    vatic::info::list(file).map_err(|error| job::explain(error, &source.name(), ""))
}

fn overview(listed: &[(String, Info)], known: &[ShippedModel]) -> String {
    let header = [
        "frames",
        "compressed",
        "content",
        "ratio",
        "bits/byte",
        "model",
        "checksum",
        "file",
    ];
    let mut rows = Vec::new();
    let (mut frames, mut coded, mut content) = (0, 0, 0);
    for (name, info) in listed {
        frames += info.frames.len();
        coded += info.coded_bytes;
        content += info.content_bytes;
        let mut row = sizes(info.frames.len(), info.coded_bytes, info.content_bytes);
        row.extend([
            models(&info.frames, known),
            checksums(&info.frames),
            name.clone(),
        ]);
        rows.push(row);
    }
    if listed.len() > 1 {
        let mut row = sizes(frames, coded, content);
        row.extend([
            String::new(),
            String::new(),
            format!("{} files", listed.len()),
        ]);
        rows.push(row);
    }
    table::render(&header, rows, 0..5)
}

fn sizes(frames: usize, coded: u64, content: u64) -> Vec<String> {
    let (ratio, bits) = if coded == 0 || content == 0 {
        ("-".into(), "-".into())
    } else {
        (
            format!("{:.3}", content as f64 / coded as f64),
            format!("{:.3}", coded as f64 * 8.0 / content as f64),
        )
    };
    vec![
        frames.to_string(),
        grouped(coded),
        grouped(content),
        ratio,
        bits,
    ]
}

/// The models of all frames, each once, with what was coded without one.
fn models(frames: &[FrameInfo], known: &[ShippedModel]) -> String {
    let mut names: Vec<String> = Vec::new();
    for frame in frames {
        let mut name = match &frame.model {
            Some(model) if matches!(frame.mode, Mode::Mixed | Mode::Unpacked | Mode::Copied) => {
                let light = if frame.light { ", light" } else { "" };
                format!("{} ({}{light})", model_name(model, known), frame.mode)
            }
            Some(model) if frame.light => format!("{} (light)", model_name(model, known)),
            Some(model) => model_name(model, known),
            None => {
                let thorough = if frame.thorough { ", thorough" } else { "" };
                let filter = frame.filter.map(|filter| format!(", {filter}"));
                let filter = filter.unwrap_or_default();
                format!("({}{thorough}{filter})", frame.mode)
            }
        };
        if let Some(prior) = &frame.prior {
            name = format!("{name} + prior {prior}");
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

/// `swift 4f2a…` for a model inside the program, the bare identity of any other.
fn model_name(model: &ModelRef, known: &[ShippedModel]) -> String {
    match known.iter().find(|known| model.names(&known.id)) {
        Some(known) => format!("{} {model}", known.name),
        None => model.to_string(),
    }
}

/// The checksum of a file with one frame; of more there is one each, which -lv shows.
fn checksums(frames: &[FrameInfo]) -> String {
    match frames {
        [] => "-".into(),
        [frame] => format!("xxh {:08x}", frame.checksum),
        _ => "each frame".into(),
    }
}

fn frames(info: &Info, known: &[ShippedModel]) -> String {
    let header = [
        "frame",
        "member",
        "at",
        "compressed",
        "content at",
        "content",
        "streams",
        "mode",
        "model",
        "checksum",
    ];
    let rows = info.frames.iter().enumerate().map(|(number, frame)| {
        vec![
            number.to_string(),
            frame.member.to_string(),
            grouped(frame.payload_offset),
            grouped(frame.payload_bytes),
            grouped(frame.content_offset),
            grouped(frame.content_bytes),
            frame.streams.to_string(),
            frame.mode.to_string(),
            models(std::slice::from_ref(frame), known),
            format!("{:08x}", frame.checksum),
        ]
    });
    table::render(&header, rows, 0..7)
}
