//! A model as it lies in memory: made when a program is built, so that the program starts without packing and hashing.
//!
//! ```text
//! u64 length of the rest | u64 length of the file | 32 bytes of identity | 16 zeros | packed weights | the rest
//! ```
//! Numbers have their lowest byte first. The weights are lines of 64 bytes, and so lie aligned where the image does. The rest is the
//! model file without them. An image belongs to the version of this crate that made it, and is no format for exchange.

use crate::packed::Line;
use crate::{Config, Error, Model, ModelFile, Packed};

const HEADER: usize = size_of::<Line>();

impl Model {
    /// The image of a model file.
    ///
    /// # Errors
    /// Those of [`ModelFile::from_bytes`].
    pub fn image(file: &[u8]) -> Result<Vec<u8>, Error> {
        let content = ModelFile::from_bytes(file)?;
        let rest = content.write(false)?;
        let packed = Packed::all(&content.matrices());
        let lines = packed.first().map_or(&[][..], Packed::memory);
        let mut image = Vec::with_capacity(HEADER + size_of_val(lines) + rest.len());
        image.extend((rest.len() as u64).to_le_bytes());
        image.extend((file.len() as u64).to_le_bytes());
        image.extend(blake3::hash(file).as_bytes());
        image.resize(HEADER, 0);
        image.extend_from_slice(bytemuck::cast_slice(lines));
        image.extend(rest);
        Ok(image)
    }

    /// A model from its [image](Model::image), whose weights stay where they are. The identity is what the image says, and
    /// weights are not checked again.
    ///
    /// ```
    /// #[repr(align(64))]
    /// struct Aligned<T>(T);
    /// // In earnest: Aligned(*include_bytes!(…)), of what the build script wrote.
    /// static IMAGE: Aligned<[u8; 64]> = Aligned([0; 64]);
    /// assert!(vatic_transformer::Model::from_image(&IMAGE.0).is_err());
    /// ```
    ///
    /// # Errors
    /// [`Error::Format`] if it is no image or does not lie at a multiple of 64 bytes; those of [`ModelFile::from_bytes`].
    pub fn from_image(image: &'static [u8]) -> Result<Model, Error> {
        let broken = || Error::Format("this is no image of a model".into());
        let (header, body) = image.split_at_checked(HEADER).ok_or_else(broken)?;
        let (numbers, id) = header[..48].split_at(16);
        let number = |n: usize| {
            let bytes = numbers.as_chunks::<8>().0[n];
            usize::try_from(u64::from_le_bytes(bytes)).ok()
        };
        let weights = number(0).and_then(|rest| body.len().checked_sub(rest));
        let (weights, rest) = body.split_at(weights.ok_or_else(broken)?);
        let lines = bytemuck::try_cast_slice(weights).map_err(|_| {
            Error::Format("the image does not lie at a multiple of 64 bytes".into())
        })?;
        let file = ModelFile::read(rest, false)?;
        let columns = columns(&file.config);
        let packed = Packed::ready(&file.matrices(), &columns, lines).ok_or_else(broken)?;
        let id = id.try_into().expect("it is 32 bytes long");
        Ok(Model::new(file, packed, id, number(1).ok_or_else(broken)?))
    }
}

/// The columns of all matrices, in the order of [`ModelFile::matrices`].
fn columns(config: &Config) -> Vec<usize> {
    let (width, heads) = (config.width, config.heads * config.head_dim);
    let layer = [width, heads, width, config.hidden];
    let layers = (0..config.layers).flat_map(|_| layer);
    [width, width].into_iter().chain(layers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Session;
    use std::sync::{Arc, Mutex};

    fn file() -> Vec<u8> {
        let config = Config {
            name: "tiny".into(),
            vocab: 256,
            groups: 48,
            width: 16,
            layers: 1,
            heads: 1,
            kv_heads: 1,
            hidden: 48,
            windows: vec![37],
            rope_dims: 32,
            rope_period: 64,
            ..Config::default()
        };
        let file = ModelFile::random(&config, 3);
        file.to_bytes().expect("a random model is sound")
    }

    /// The bytes at a multiple of 64, plus `off`, for as long as the program runs, as part of which an image lies.
    fn placed(bytes: &[u8], off: usize) -> &'static [u8] {
        static ALL: Mutex<Vec<&'static [Line]>> = Mutex::new(Vec::new());
        let mut lines = vec![Line::ZERO; (bytes.len() + off).div_ceil(size_of::<Line>())];
        bytemuck::cast_slice_mut(&mut lines)[off..off + bytes.len()].copy_from_slice(bytes);
        let lines: &'static [Line] = lines.leak();
        ALL.lock().unwrap().push(lines);
        &bytemuck::cast_slice(lines)[off..off + bytes.len()]
    }

    #[test]
    fn an_image_is_the_model() {
        let file = file();
        let plain = Arc::new(Model::from_bytes(&file).unwrap());
        let image = placed(&Model::image(&file).unwrap(), 0);
        let ready = Arc::new(Model::from_image(image).unwrap());
        assert_eq!(ready.id(), plain.id());
        assert_eq!(ready.file_bytes(), file.len());
        assert_eq!(ready.tokens(), plain.tokens());
        let groups = |model: &Arc<Model>| {
            let mut session = Session::new(model, 1, 8).unwrap();
            session.prefill(0, &[0, 3, 2, 5, 1]).unwrap();
            session.predictions().groups(4).to_vec()
        };
        assert_eq!(groups(&ready), groups(&plain));
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let image = Model::image(&file()).unwrap();
        let refused = |bytes: &[u8], off| Model::from_image(placed(bytes, off)).is_err();
        for length in [0, 7, 63, 64, 65, image.len() / 2, image.len() - 1] {
            assert!(refused(&image[..length], 0), "{length}");
        }
        assert!(refused(&image, 1));
        let line = [&image[..64], &[0; 64], &image[64..]].concat();
        assert!(refused(&line, 0), "a line too many");
        let mut endless = image.clone();
        endless[..8].fill(0xFF);
        assert!(refused(&endless, 0));
        assert!(!refused(&image, 0));
    }
}
