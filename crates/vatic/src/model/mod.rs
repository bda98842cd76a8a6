//! Models: handles to them, those inside the program, and finding the one that data names.

mod id;
mod measure;
mod runtime;
mod shipped;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use vatic_coder::{Groups, Tree, Vocabulary};
use vatic_tokenizer::Tokenizer;
use vatic_transformer::Leaves;

use crate::error::{Error, Result};

pub(crate) use id::hex;
pub use id::{ModelId, ModelRef};
use runtime::Runtime;
pub(crate) use runtime::Transformer;
use shipped::{SHIPPED, Shipped};

/// The byte between documents in what models are trained on; its token is what every stream's prediction starts from.
const BOUNDARY: &[u8] = &[0];

/// How many tokens a model looks back at most in light work, the one at hand among them.
const NEAR: usize = 128;

/// A transformer with its vocabulary. Cheap to clone: clones share everything.
#[derive(Clone)]
pub struct Model(Arc<Inner>);

struct Inner {
    runtime: Runtime,
    id: ModelId,
    name: String,
    file_bytes: u64,
    shipped: bool,
    vocabulary: Arc<Vocabulary>,
    tree: Arc<Tree>,
    groups: Arc<Groups>,
    boundary: u16,
    /// Made when it is wanted: decoding never wants it.
    tokenizer: Arc<OnceLock<Tokenizer>>,
    /// The same for light work, made when it is wanted; of a model for light work, none.
    near: OnceLock<Model>,
    is_near: bool,
}

/// What can be told of a model inside the program without making it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShippedModel {
    /// The name that [`Model::named`] takes.
    pub name: &'static str,
    /// What data names it by.
    pub id: ModelId,
    /// The size of its file in bytes.
    pub file_bytes: u64,
}

impl Model {
    /// The model `base`, inside the program. It is what is taken if nothing else is asked for.
    #[cfg(feature = "model-base")]
    pub fn base() -> Model {
        Model::named("base").expect("compiled in")
    }

    /// The model `swift`, inside the program: three times as fast as `base`.
    #[cfg(feature = "model-swift")]
    pub fn swift() -> Model {
        Model::named("swift").expect("compiled in")
    }

    /// The model `deep`, inside the program: the smallest results, a third as fast as `base`.
    #[cfg(feature = "model-deep")]
    pub fn deep() -> Model {
        Model::named("deep").expect("compiled in")
    }

    /// The model of that name inside the program, if there is one.
    pub fn named(name: &str) -> Option<Model> {
        shipped::named(name).map(Shipped::model)
    }

    /// The models inside the program, without making any of them. The first is what is taken if nothing else is asked for.
    ///
    /// ```
    /// for model in vatic::Model::shipped() {
    ///     assert_eq!(vatic::Model::named(model.name).unwrap().id(), model.id);
    /// }
    /// ```
    pub fn shipped() -> impl Iterator<Item = ShippedModel> {
        SHIPPED.iter().map(|shipped| ShippedModel {
            name: shipped.name,
            id: shipped.id,
            file_bytes: shipped.file_bytes(),
        })
    }

    /// The model that is taken if nothing else is asked for, unless there is none inside the program. It takes some milliseconds when
    /// it is first asked for.
    pub fn preset() -> Option<Model> {
        SHIPPED.first().map(Shipped::model)
    }

    /// A model from the bytes of its file.
    ///
    /// # Errors
    /// [`Error::Model`] when it is no model that this program can run.
    pub fn from_bytes(bytes: &[u8]) -> Result<Model> {
        let model = Model::build(Runtime::new(bytes)?, false)?;
        // A copy of a model inside the program is that model, and is named in data as that.
        Ok(shipped::find(ModelRef::Full(model.id())).map_or(model, Shipped::model))
    }

    /// A model from its file.
    ///
    /// # Errors
    /// [`Error::Read`] when the file cannot be read, [`Error::Model`] when it is no model that this program can run.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Model> {
        Model::from_bytes(&std::fs::read(path).map_err(Error::Read)?)
    }

    fn build(runtime: Runtime, shipped: bool) -> Result<Model> {
        let tokens = runtime.tokens();
        let mut by_id: Vec<&[u8]> = tokens.iter().map(Vec::as_slice).collect();
        by_id.sort_unstable();
        let Ok(boundary) = by_id.binary_search(&BOUNDARY) else {
            return Err(Error::Model(
                "its vocabulary lacks the document boundary, byte 0".into(),
            ));
        };
        let vocabulary =
            Vocabulary::from_tokens(&by_id).map_err(|error| Error::Model(error.to_string()))?;
        let tree = Tree::new(runtime.counts()).map_err(|error| Error::Model(error.to_string()))?;
        if tree.len() != vocabulary.len() || runtime.vocab() != vocabulary.len() {
            return Err(Error::Model(format!(
                "it has {} tokens, {} counts and {} outputs, which should be as many",
                vocabulary.len(),
                tree.len(),
                runtime.vocab()
            )));
        }
        let groups = Groups::new(&tree, runtime.group_starts())
            .map_err(|error| Error::Model(error.to_string()))?;
        // Decoding finds its end by counting bytes, and coding any bytes needs every byte's token.
        if (0..=255u8).any(|byte| by_id.binary_search(&&[byte][..]).is_err()) {
            return Err(Error::Model(
                "its vocabulary lacks some of the 256 bytes".into(),
            ));
        }
        Ok(Model(Arc::new(Inner {
            id: runtime.id(),
            name: runtime.name().into(),
            file_bytes: runtime.file_bytes(),
            shipped,
            vocabulary: Arc::new(vocabulary),
            tree: Arc::new(tree),
            groups: Arc::new(groups),
            boundary: boundary as u16,
            tokenizer: Arc::default(),
            near: OnceLock::new(),
            is_near: false,
            runtime,
        })))
    }

    /// The name that its makers gave it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What data names it by.
    pub fn id(&self) -> ModelId {
        self.0.id
    }

    /// The size of its file in bytes.
    pub fn file_bytes(&self) -> u64 {
        self.0.file_bytes
    }

    /// Whether it is one of those inside the program.
    pub fn is_shipped(&self) -> bool {
        self.0.shipped
    }

    /// Whether data names it by a single byte: it is one of those that are shipped, though perhaps not inside this program.
    pub(crate) fn is_known(&self) -> bool {
        shipped::is_known(self.0.id)
    }

    /// The same for light work, which does not look as far back. Data names it by the same name, and says that work was light.
    pub(crate) fn near(&self) -> Model {
        if self.0.is_near {
            return self.clone();
        }
        let near = || {
            let Inner {
                runtime,
                vocabulary,
                tree,
                groups,
                tokenizer,
                ..
            } = &*self.0;
            Model(Arc::new(Inner {
                runtime: runtime.within(NEAR),
                name: self.0.name.clone(),
                vocabulary: Arc::clone(vocabulary),
                tree: Arc::clone(tree),
                groups: Arc::clone(groups),
                tokenizer: Arc::clone(tokenizer),
                near: OnceLock::new(),
                is_near: true,
                ..*self.0
            }))
        };
        self.0.near.get_or_init(near).clone()
    }

    /// Whether it predicts the same as another.
    pub(crate) fn is(&self, other: &Model) -> bool {
        (self.id(), self.0.is_near) == (other.id(), other.0.is_near)
    }

    /// The number of tokens in its vocabulary.
    pub fn tokens(&self) -> usize {
        self.0.vocabulary.len()
    }

    pub(crate) fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.0.vocabulary
    }

    pub(crate) fn tree(&self) -> &Arc<Tree> {
        &self.0.tree
    }

    /// Of the transformer's hidden states.
    pub(crate) fn width(&self) -> usize {
        self.0.runtime.width()
    }

    /// How many weights a step reads.
    pub(crate) fn weights(&self) -> usize {
        self.0.runtime.weights()
    }

    /// The memory in bytes that the pasts of so many streams take, and what is computed for a token of each.
    pub(crate) fn pasts(&self, streams: usize) -> u64 {
        self.0.runtime.pasts(streams)
    }

    pub(crate) fn boundary(&self) -> u16 {
        self.0.boundary
    }

    pub(crate) fn tokenizer(&self) -> Result<&Tokenizer> {
        if let Some(tokenizer) = self.0.tokenizer.get() {
            return Ok(tokenizer);
        }
        let tokens = self.0.runtime.tokens().to_vec();
        // Those inside the program are checked by a test, and not at every start.
        let tokenizer = match self.is_shipped() {
            true => Tokenizer::from_checked(tokens),
            false => Tokenizer::from_tokens(tokens),
        }
        .map_err(|error| Error::Model(error.to_string()))?;
        Ok(self.0.tokenizer.get_or_init(|| tokenizer))
    }

    pub(crate) fn groups(&self) -> &Groups {
        &self.0.groups
    }

    /// A predictor for so many streams, of so many tokens each at once.
    pub(crate) fn predictor(&self, streams: usize, block: usize) -> Result<Transformer> {
        self.0.runtime.predictor(streams, block)
    }

    /// Predictors for so many streams each, a token of each at once, that share the work of every step.
    pub(crate) fn team(&self, members: usize, streams: usize) -> Result<Vec<Transformer>> {
        self.0.runtime.team(members, streams)
    }

    /// So many predictors for the same single stream, each of which predicts a part of every block.
    pub(crate) fn split(&self, members: usize, block: usize) -> Result<Vec<Transformer>> {
        self.0.runtime.split(members, block)
    }

    /// The transformer alone, for measurements.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.0.runtime
    }

    /// What computes the weights of a group's tokens.
    pub(crate) fn leaves(&self) -> Result<Leaves> {
        self.0.runtime.leaves()
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Model({} {})", self.0.name, self.0.id)
    }
}

/// The model that a frame names: one inside the program, or one of those given.
pub(crate) fn find(name: ModelRef, given: &[Model]) -> Result<Model> {
    // A single byte names a model of those that are shipped, also where it is not inside the program but given.
    let may = |id| matches!(name, ModelRef::Full(_)) || shipped::is_known(id);
    if let Some(model) = (given.iter()).find(|model| name.names(&model.id()) && may(model.id())) {
        return Ok(model.clone());
    }
    if let Some(shipped) = shipped::find(name) {
        return Ok(shipped.model());
    }
    let given = given.iter().map(|model| (model.id(), model.name()));
    let shipped = SHIPPED.iter().map(|shipped| (shipped.id, shipped.name));
    let list: Vec<String> = given
        .chain(shipped)
        .map(|(id, name)| format!("{id} ({name})"))
        .collect();
    let has = if list.is_empty() {
        "no model".into()
    } else {
        list.join(" and ")
    };
    Err(Error::UnknownModel { needs: name, has })
}
