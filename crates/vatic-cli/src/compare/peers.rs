//! The programs that are compared: each the real library, at a named level.

use std::io::{Read, Write};

use anyhow::{Context, Result, bail};
use vatic::{DecodeOptions, Model, Options, Prior};

use super::report::ModelInfo;
use crate::cli::{Engine, Start};
use crate::models;

/// One way of compressing.
pub trait Codec {
    /// Compresses `data` as the program's own file would hold it.
    fn compress(&self, data: &[u8]) -> Result<Vec<u8>>;
    /// Restores what [`Codec::compress`] made from `length` bytes.
    fn decompress(&self, packed: &[u8], length: usize) -> Result<Vec<u8>>;
}

/// A program at one level; several variants where its users would try which is best.
pub struct Program {
    pub name: String,
    pub settings: String,
    /// Settings of each variant, and the variant.
    pub variants: Vec<(String, Box<dyn Codec>)>,
    /// The models it carries.
    pub models: Vec<ModelInfo>,
}

impl Program {
    fn one(name: &str, settings: &str, codec: impl Codec + 'static) -> Program {
        Program {
            name: name.into(),
            settings: settings.into(),
            variants: vec![(settings.into(), Box::new(codec))],
            models: vec![],
        }
    }
}

/// All programs, or those whose name contains one of `only`; vatic with the models for every day, or the one chosen.
pub fn all(
    engine: &Engine,
    start: &Start,
    level: Option<usize>,
    only: &[String],
) -> Result<Vec<Program>> {
    let mut programs = vec![
        Program::one("gzip", "-6", Gzip(6)),
        Program::one("gzip", "-9", Gzip(9)),
        Program::one(
            "zstd",
            "-3",
            Zstd {
                level: 3,
                long: false,
            },
        ),
        Program::one(
            "zstd",
            "-19",
            Zstd {
                level: 19,
                long: false,
            },
        ),
        Program::one(
            "zstd",
            "-22 --long",
            Zstd {
                level: 22,
                long: true,
            },
        ),
        Program::one("xz", "-9e", Xz),
        Program::one("brotli", "-11 -w 24", Brotli),
        Program::one("bzip2", "-9", Bzip2),
        Program {
            name: "PPMd".into(),
            settings: "best order".into(),
            variants: PPMD_ORDERS
                .iter()
                .map(|&order| (format!("order {order}"), Box::new(Ppmd(order)) as _))
                .collect(),
            models: vec![],
        },
    ];
    let prior = models::prior(start)?;
    let vatic_program = |level, model| vatic_program(engine, prior.clone(), level, model);
    match (&engine.model, &prior, level) {
        (Some(name), ..) => programs.push(vatic_program(level, models::by_name(name)?)?),
        (None, Some(prior), _) => {
            programs.push(vatic_program(level, models::learnt_with(prior)?)?);
        }
        (None, None, Some(level)) => {
            let model = Model::named(models::of_level(level));
            programs.push(vatic_program(Some(level), model)?);
        }
        (None, None, None) => {
            // The smallest results come last.
            let mut shipped: Vec<_> = Model::shipped()
                .filter(|model| models::everyday(model.name))
                .collect();
            shipped.sort_by_key(|model| model.file_bytes);
            for shipped in shipped {
                programs.push(vatic_program(None, Model::named(shipped.name))?);
            }
        }
    }
    programs.retain(|program| {
        let name = format!("{} {}", program.name, program.settings).to_lowercase();
        only.is_empty() || only.iter().any(|part| name.contains(&part.to_lowercase()))
    });
    if programs.is_empty() {
        bail!(
            "--only {}: no program is called so; there are gzip, zstd, xz, brotli, bzip2, PPMd and vatic",
            only.join(",")
        );
    }
    Ok(programs)
}

/// The models that the programs carry: if one is vatic with any, all those inside it, and the one given.
pub fn models(programs: &[Program]) -> Vec<ModelInfo> {
    let used: Vec<&ModelInfo> = programs.iter().flat_map(|p| &p.models).collect();
    if used.is_empty() {
        return vec![];
    }
    let inside = Model::shipped().map(|model| ModelInfo {
        name: model.name.into(),
        id: model.id.to_string(),
        bytes: model.file_bytes,
    });
    let mut models: Vec<ModelInfo> = inside.collect();
    for model in used {
        if models.iter().all(|other| other.id != model.id) {
            models.push(model.clone());
        }
    }
    models
}

/// How many threads vatic uses.
pub fn threads(engine: &Engine) -> usize {
    match engine.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}

fn vatic_program(
    engine: &Engine,
    prior: Option<Prior>,
    level: Option<usize>,
    model: Option<Model>,
) -> Result<Program> {
    let name = model.as_ref().map_or("without model", Model::name);
    let settings = match level {
        Some(level) => format!("-{level} {name}"),
        None => name.to_string(),
    };
    let info = |model: &Model| ModelInfo {
        name: model.name().into(),
        id: model.id().to_string(),
        bytes: model.file_bytes(),
    };
    let encode = Options::new()
        .model(model.clone())
        .threads(engine.threads)
        .prior(prior.clone());
    let encode = models::at_level(encode, level);
    let decode = DecodeOptions::new().threads(engine.threads);
    let decode = model.iter().cloned().fold(decode, DecodeOptions::model);
    let decode = prior.into_iter().fold(decode, DecodeOptions::prior);
    // The first use of a model unpacks it and checks the machine's arithmetic: once per process, not per file.
    let warm = vatic::compress(b"vatic", &encode).context("vatic cannot be run")?;
    vatic::decompress_with(&warm, &decode).context("vatic cannot be run")?;
    Ok(Program {
        models: model.iter().map(info).collect(),
        ..Program::one("vatic", &settings, Vatic { encode, decode })
    })
}

struct Gzip(u32);

impl Codec for Gzip {
    fn compress(&self, data: &[u8]) -> Result<Vec<u8>> {
        let mut encoder =
            flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(self.0));
        encoder.write_all(data)?;
        Ok(encoder.finish()?)
    }

    fn decompress(&self, packed: &[u8], length: usize) -> Result<Vec<u8>> {
        all_of(flate2::read::GzDecoder::new(packed), length)
    }
}

/// `long` is what `zstd --ultra -22 --long` sets: long-distance matching, a window of 128 MiB at least.
struct Zstd {
    level: i32,
    long: bool,
}

impl Codec for Zstd {
    fn compress(&self, data: &[u8]) -> Result<Vec<u8>> {
        use zstd::zstd_safe::CParameter;
        let mut compressor = zstd::bulk::Compressor::new(self.level)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true))?; // as the command does
        if self.long {
            compressor.set_parameter(CParameter::EnableLongDistanceMatching(true))?;
            compressor.set_parameter(CParameter::WindowLog(27))?;
        }
        Ok(compressor.compress(data)?)
    }

    fn decompress(&self, packed: &[u8], length: usize) -> Result<Vec<u8>> {
        Ok(zstd::bulk::decompress(packed, length)?)
    }
}

struct Xz;

impl Codec for Xz {
    fn compress(&self, data: &[u8]) -> Result<Vec<u8>> {
        use liblzma::stream::{Check, PRESET_EXTREME, Stream};
        let stream = Stream::new_easy_encoder(9 | PRESET_EXTREME, Check::Crc64)?;
        let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
        encoder.write_all(data)?;
        Ok(encoder.finish()?)
    }

    fn decompress(&self, packed: &[u8], length: usize) -> Result<Vec<u8>> {
        all_of(liblzma::read::XzDecoder::new(packed), length)
    }
}

/// The largest window that every brotli decoder opens (2^24 bytes).
struct Brotli;

impl Codec for Brotli {
    fn compress(&self, data: &[u8]) -> Result<Vec<u8>> {
        let params = brotli::enc::BrotliEncoderParams {
            quality: 11,
            lgwin: 24,
            size_hint: data.len(),
            ..Default::default()
        };
        let mut packed = Vec::new();
        brotli::BrotliCompress(&mut &data[..], &mut packed, &params)?;
        Ok(packed)
    }

    fn decompress(&self, packed: &[u8], length: usize) -> Result<Vec<u8>> {
        all_of(brotli::Decompressor::new(packed, 1 << 16), length)
    }
}

struct Bzip2;

impl Codec for Bzip2 {
    fn compress(&self, data: &[u8]) -> Result<Vec<u8>> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
        encoder.write_all(data)?;
        Ok(encoder.finish()?)
    }

    fn decompress(&self, packed: &[u8], length: usize) -> Result<Vec<u8>> {
        all_of(bzip2::read::BzDecoder::new(packed), length)
    }
}

/// The orders that are tried; 7-Zip's own levels use 4 to 32.
const PPMD_ORDERS: [u32; 6] = [3, 4, 6, 8, 16, 32];

/// Enough memory that the model is not thrown away before the end, up to 256 MB; more than needed would only be time
/// spent on clearing it. Both sides know the length.
fn ppmd_memory(length: usize) -> u32 {
    length.saturating_mul(64).clamp(1 << 20, 256 << 20) as u32
}

/// PPMd variant H as in 7z archives, the bare stream without an archive around it.
struct Ppmd(u32);

impl Codec for Ppmd {
    fn compress(&self, data: &[u8]) -> Result<Vec<u8>> {
        let mut encoder =
            ppmd_rust::Ppmd7Encoder::new(Vec::new(), self.0, ppmd_memory(data.len()))?;
        encoder.write_all(data)?;
        Ok(encoder.finish(false)?)
    }

    fn decompress(&self, packed: &[u8], length: usize) -> Result<Vec<u8>> {
        let mut data = vec![0; length];
        ppmd_rust::Ppmd7Decoder::new(packed, self.0, ppmd_memory(length))?.read_exact(&mut data)?;
        Ok(data)
    }
}

struct Vatic {
    encode: Options,
    decode: DecodeOptions,
}

impl Codec for Vatic {
    fn compress(&self, data: &[u8]) -> Result<Vec<u8>> {
        Ok(vatic::compress(data, &self.encode)?)
    }

    fn decompress(&self, packed: &[u8], _length: usize) -> Result<Vec<u8>> {
        Ok(vatic::decompress_with(packed, &self.decode)?)
    }
}

fn all_of(mut reader: impl Read, length: usize) -> Result<Vec<u8>> {
    let mut data = Vec::with_capacity(length);
    reader.read_to_end(&mut data)?;
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> Vec<u8> {
        (0..3000)
            .flat_map(|n: u32| format!("line {n}: the square of {n} is {}\n", n * n).into_bytes())
            .collect()
    }

    #[test]
    fn every_peer_gives_the_input_back() {
        let codecs: [&dyn Codec; 8] = [
            &Gzip(6),
            &Gzip(9),
            &Zstd {
                level: 3,
                long: false,
            },
            &Zstd {
                level: 22,
                long: true,
            },
            &Xz,
            &Brotli,
            &Bzip2,
            &Ppmd(6),
        ];
        for (number, codec) in codecs.iter().enumerate() {
            for data in [text(), vec![], vec![7], vec![0; 100_000]] {
                let packed = codec.compress(&data).unwrap();
                assert_eq!(
                    codec.decompress(&packed, data.len()).unwrap(),
                    data,
                    "codec {number}, {} bytes",
                    data.len()
                );
            }
            assert!(
                codec.compress(&text()).unwrap().len() < text().len() / 3,
                "codec {number}"
            );
        }
    }

    /// A level that is silently ignored would make the comparison unfair.
    #[test]
    fn levels_arrive() {
        let size = |codec: &dyn Codec| codec.compress(&text()).unwrap().len();
        assert!(
            size(&Zstd {
                level: 19,
                long: false
            }) < size(&Zstd {
                level: 3,
                long: false
            })
        );
        assert!(size(&Gzip(9)) <= size(&Gzip(6)) && size(&Gzip(6)) < size(&Gzip(1)));
        // The extreme preset is told by its dictionary of 64 MiB, written in the block header: property byte 28.
        let packed = Xz.compress(&text()).unwrap();
        assert_eq!(packed[12..17], [2, 0, 0x21, 1, 28]);
        // Brotli's first byte names the window: 24 bits are 0b...1111 in the low four (RFC 7932, section 9.1).
        assert_eq!(Brotli.compress(&text()).unwrap()[0] & 0x0f, 0x0f);
    }
}
