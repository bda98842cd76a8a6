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

/// From the quickest to the strongest. No two have the same first byte of identity: data names them by it.
pub(crate) static SHIPPED: [Shipped; COUNT] = [
    #[cfg(feature = "model-swift")]
    Shipped::new(
        "swift",
        SWIFT_ID,
        include_bytes!("../../../../models/swift/model.safetensors"),
    ),
];

const COUNT: usize = cfg!(feature = "model-swift") as usize;

/// The first bytes of the BLAKE3 hash of `models/swift/model.safetensors`.
#[cfg(feature = "model-swift")]
const SWIFT_ID: [u8; 8] = [0x0f, 0xe6, 0x35, 0xc9, 0xae, 0xdc, 0x98, 0x87];

/// The one that is used when none is chosen.
pub(crate) fn default() -> Option<&'static Shipped> {
    SHIPPED.last()
}

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
