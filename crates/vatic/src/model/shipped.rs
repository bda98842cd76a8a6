//! The models inside the program, each made when it is first wanted.

use std::sync::OnceLock;

use super::runtime::Runtime;
use super::{Model, ModelId, ModelRef};

/// A model's file, compiled in, with what can be told of it without reading it.
pub(crate) struct Shipped {
    pub name: &'static str,
    pub id: ModelId,
    file: &'static [u8],
    model: OnceLock<Model>,
}

impl Shipped {
    const fn new(name: &'static str, id: [u8; 8], file: &'static [u8]) -> Shipped {
        Shipped {
            name,
            id: ModelId(id),
            file,
            model: OnceLock::new(),
        }
    }

    /// Whether it was wanted before.
    pub fn is_made(&self) -> bool {
        self.model.get().is_some()
    }

    pub fn model(&self) -> Model {
        let model = self.model.get_or_init(|| {
            match Runtime::new(self.file).and_then(|r| Model::build(r, true)) {
                Ok(model) => model,
                // The file is compiled in, and a test loads it.
                Err(error) => unreachable!("the model inside the program is unusable: {error}"),
            }
        });
        model.clone()
    }
}

/// A model of that name, with the first bytes of the BLAKE3 hash of its file.
macro_rules! shipped {
    ($name:literal, $id:expr) => {
        Shipped::new(
            $name,
            $id,
            include_bytes!(concat!("../../../../models/", $name, "/model.safetensors")),
        )
    };
}

/// The one for all kinds of text, then its specialists. No two have the same first byte of identity: data names them by it.
pub(crate) static SHIPPED: [Shipped; COUNT] = [
    #[cfg(feature = "model-swift")]
    shipped!("swift", [0x0f, 0xe6, 0x35, 0xc9, 0xae, 0xdc, 0x98, 0x87]),
    #[cfg(feature = "model-specialists")]
    shipped!(
        "swift-prose",
        [0x7f, 0xaf, 0xd7, 0x37, 0xd4, 0x59, 0x9c, 0xb4]
    ),
    #[cfg(feature = "model-specialists")]
    shipped!(
        "swift-articles",
        [0x0c, 0xd0, 0x84, 0x08, 0x59, 0x36, 0xdc, 0xef]
    ),
    #[cfg(feature = "model-specialists")]
    shipped!(
        "swift-source",
        [0xe7, 0x1d, 0x50, 0x32, 0x50, 0x4d, 0xb9, 0xd9]
    ),
    #[cfg(feature = "model-specialists")]
    shipped!(
        "swift-world",
        [0xa5, 0x63, 0x7d, 0x15, 0xd7, 0x58, 0x82, 0x90]
    ),
];

const COUNT: usize =
    cfg!(feature = "model-swift") as usize + 4 * cfg!(feature = "model-specialists") as usize;

pub(crate) fn named(name: &str) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|shipped| shipped.name == name)
}

pub(crate) fn find(name: ModelRef) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|shipped| name.names(&shipped.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_each_is_so() {
        for shipped in &SHIPPED {
            let model = shipped.model();
            assert_eq!((model.name(), model.id()), (shipped.name, shipped.id));
            let short = ModelRef::Short(shipped.id.short());
            assert_eq!(find(short).unwrap().name, shipped.name);
        }
    }
}
