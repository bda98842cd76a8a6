//! The models inside the program, each made when it is first wanted: `build.rs` has packed their weights, which are used where they lie.

use std::sync::OnceLock;

use super::runtime::Runtime;
use super::{Model, ModelId, ModelRef};

/// As weights have to lie, so that they can be used where they are.
#[repr(align(64))]
struct Aligned<T: ?Sized>(T);

/// A model, compiled in as its [image](vatic_transformer::Model::image), with what can be told of it without making it.
pub(crate) struct Shipped {
    pub name: &'static str,
    pub id: ModelId,
    image: &'static Aligned<[u8]>,
    file_bytes: u64,
    model: OnceLock<Model>,
}

impl Shipped {
    #[cfg_attr(
        not(any(
            feature = "model-base",
            feature = "model-swift",
            feature = "model-deep"
        )),
        expect(dead_code)
    )]
    const fn new(
        name: &'static str,
        id: [u8; 8],
        image: &'static Aligned<[u8]>,
        file_bytes: u64,
    ) -> Shipped {
        Shipped {
            name,
            id: ModelId(id),
            image,
            file_bytes,
            model: OnceLock::new(),
        }
    }

    /// The length of its file.
    pub fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    pub fn model(&self) -> Model {
        let model = self.model.get_or_init(|| {
            match Runtime::of_image(&self.image.0).and_then(|r| Model::build(r, true)) {
                Ok(model) => model,
                // The image is compiled in, and a test loads it.
                Err(error) => unreachable!("the model inside the program is unusable: {error}"),
            }
        });
        model.clone()
    }
}

/// `feature name identity`, the last being the first bytes of the BLAKE3 hash of the model's file, as `vatic -V` shows them.
macro_rules! shipped {
    ($($feature:literal $name:literal $id:literal)*) => {
        /// The first is what is taken if nothing else is asked for. No two have the same first byte of identity: data names them by it.
        pub(crate) static SHIPPED: [Shipped; 0 $(+ cfg!(feature = $feature) as usize)*] = [$(
            #[cfg(feature = $feature)]
            {
                static IMAGE: &Aligned<[u8]> =
                    &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".image")));
                let file_bytes = include!(concat!(env!("OUT_DIR"), "/", $name, ".length"));
                Shipped::new($name, u64::to_be_bytes($id), IMAGE, file_bytes)
            },
        )*];

        /// All of them, whether they were built in or not.
        const KNOWN: &[ModelId] = &[$(ModelId(u64::to_be_bytes($id)),)*];
    };
}

shipped! {
    "model-base" "base" 0x8c065d21179d8402
    "model-swift" "swift" 0xea2ea02e1bda5bf9
    "model-deep" "deep" 0x65cd25fcf1f98cf3
}

pub(crate) fn named(name: &str) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|shipped| shipped.name == name)
}

pub(crate) fn find(name: ModelRef) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|shipped| name.names(&shipped.id))
}

/// Whether a model is one of those that data names by a single byte; others may begin with the same one.
pub(crate) fn is_known(id: ModelId) -> bool {
    KNOWN.contains(&id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_begin_alike() {
        let mut first: Vec<u8> = KNOWN.iter().flat_map(|id| id.short()).collect();
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), KNOWN.len());
    }

    #[test]
    fn what_is_told_of_each_is_so() {
        for shipped in &SHIPPED {
            let model = shipped.model();
            let told = (shipped.name, shipped.id, shipped.file_bytes());
            assert_eq!((model.name(), model.id(), model.file_bytes()), told);
            let short = ModelRef::Short(shipped.id.short());
            assert_eq!(find(short).unwrap().name, shipped.name);
            let tokens = model.runtime().tokens().to_vec();
            assert!(vatic_tokenizer::Tokenizer::from_tokens(tokens).is_ok());
        }
    }
}
