//! The shortest ways through the library.

use std::borrow::Cow;
use std::io::{BufReader, Read, Write};

use crate::error::{Error, Result};
use crate::format::{Header, Kind, MAGIC};
use crate::member::{FrameSource, ahead};
use crate::options::{DecodeOptions, Options};
use crate::stats::Stats;

/// Compresses `data`.
///
/// ```
/// let packed = vatic::compress(b"to be or not to be", &vatic::Options::new())?;
/// assert!(packed.len() <= 18 + vatic::MAX_OVERHEAD);
/// # Ok::<(), vatic::Error>(())
/// ```
///
/// # Errors
/// [`Error::Setting`] for settings out of range, [`Error::Model`] for a model that cannot be used, [`Error::OtherModel`] or [`Error::Prior`] for a prior that does
/// not suit the model, [`Error::Verification`] with [`Options::verify`].
pub fn compress(data: &[u8], options: &Options) -> Result<Vec<u8>> {
    compress_with_stats(data, options).map(|(packed, _)| packed)
}

/// The same, with what was done.
pub(crate) fn compress_with_stats(data: &[u8], options: &Options) -> Result<(Vec<u8>, Stats)> {
    let (mut out, mut at) = (Vec::new(), 0);
    let next = |left: Option<Cow<[u8]>>| {
        at -= left.map_or(0, |left| left.len());
        let content = &data[at..data.len().min(at.saturating_add(options.frame_size))];
        at += content.len();
        Ok((content.into(), at == data.len()))
    };
    let stats = ahead::compress(options, next, |frame| {
        out.extend(frame);
        Ok(())
    })?;
    Ok((out, stats))
}

/// Decompresses `data`, whether it is one member or several, with the models inside the program.
///
/// ```
/// let mut packed = vatic::compress(b"one, ", &vatic::Options::new())?;
/// packed.extend(vatic::compress(b"two", &vatic::Options::new())?);
/// assert_eq!(vatic::decompress(&packed)?, b"one, two");
/// # Ok::<(), vatic::Error>(())
/// ```
///
/// # Errors
/// Every [`Error`] that data can cause.
pub fn decompress(data: &[u8]) -> Result<Vec<u8>> {
    decompress_with(data, &DecodeOptions::new())
}

/// Decompresses `data` with settings: other models, priors, limits.
///
/// # Errors
/// Every [`Error`] that data can cause.
pub fn decompress_with(data: &[u8], options: &DecodeOptions) -> Result<Vec<u8>> {
    decompress_with_stats(data, options).map(|(content, _)| content)
}

/// The same, with what was done.
pub(crate) fn decompress_with_stats(
    data: &[u8],
    options: &DecodeOptions,
) -> Result<(Vec<u8>, Stats)> {
    let mut all = Vec::new();
    let options = &options.clone().at_once(false);
    let stats = ahead::decompress(data, options, true, |content| {
        if all.is_empty() {
            all = content;
        } else {
            all.extend(content);
        }
        Ok(())
    })?;
    Ok((all, stats))
}

/// Compresses everything that `reader` gives to `writer`. [`Error::Read`] and [`Error::Write`] tell which side failed. The next frame may be
/// read before one is written.
///
/// # Errors
/// [`Error::Read`], [`Error::Write`], and what [`compress`] fails with.
pub fn copy_compress(
    reader: impl Read,
    mut writer: impl Write,
    options: &Options,
) -> Result<Stats> {
    let mut source = FrameSource::new(reader, options.frame_size);
    let next = |left: Option<Cow<[u8]>>| {
        let mut content = left.map_or_else(Vec::new, Cow::into_owned);
        let last = source.next(&mut content)?;
        Ok((content.into(), last))
    };
    let stats = ahead::compress(options, next, |frame| {
        writer.write_all(&frame).map_err(Error::Write)
    })?;
    writer.flush().map_err(Error::Write)?;
    Ok(stats)
}

/// Decompresses everything that `reader` gives to `writer`. [`Error::Read`] and [`Error::Write`] tell which side failed. Each frame is written
/// and flushed before the next one is read, unless [`DecodeOptions::read_ahead`] says that this need not be;
/// [`DecodeOptions::at_once`] writes parts of frames.
///
/// # Errors
/// Every [`Error`] that data can cause, [`Error::Read`], [`Error::Write`].
pub fn copy_decompress(
    reader: impl Read,
    mut writer: impl Write,
    options: &DecodeOptions,
) -> Result<Stats> {
    let reader = BufReader::new(reader);
    let may_wait = options.read_ahead && !options.at_once;
    let stats = ahead::decompress(reader, options, options.read_ahead, |content| {
        writer.write_all(&content).map_err(Error::Write)?;
        match may_wait {
            true => Ok(()),
            false => writer.flush().map_err(Error::Write),
        }
    })?;
    writer.flush().map_err(Error::Write)?;
    Ok(stats)
}

/// A member that holds `data` and no content: whoever decodes passes over it. It may stand before, between and after other
/// members, for notes, signatures, indexes.
///
/// ```
/// let mut packed = vatic::skippable(b"made on a rainy day")?;
/// packed.extend(vatic::compress(b"text", &vatic::Options::new())?);
/// assert_eq!(vatic::decompress(&packed)?, b"text");
/// # Ok::<(), vatic::Error>(())
/// ```
///
/// # Errors
/// [`Error::Setting`] when `data` has 4 GiB or more.
pub fn skippable(data: &[u8]) -> Result<Vec<u8>> {
    let length = u32::try_from(data.len()).map_err(|_| {
        Error::setting(format!(
            "{} bytes are too many for a skippable frame (4 GiB)",
            data.len()
        ))
    })?;
    let mut out = MAGIC.to_vec();
    Header::control(Kind::Skippable, length, true).write(&mut out);
    out.extend(data);
    Ok(out)
}
