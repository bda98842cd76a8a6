//! vatic for browsers: what a page's script calls. The models are not inside; the page loads those it wants.

#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::io::Cursor;

use js_sys::{Float32Array, Function, Uint32Array};
use vatic::{DecodeOptions, Explanation, Model, Options};
use wasm_bindgen::prelude::*;

thread_local! {
    /// What hears of the progress: WebAssembly has one thread here, and functions of JavaScript stay in it.
    static HOOK: RefCell<Option<Function>> = const { RefCell::new(None) };
}

fn said(error: vatic::Error) -> JsError {
    JsError::new(&error.to_string())
}

/// Tells the hook how many bytes of content are done.
fn tell(progress: vatic::Progress) {
    HOOK.with_borrow(|hook| {
        if let Some(hook) = hook {
            // What the page does with it is its own affair.
            let _ = hook.call1(&JsValue::NULL, &(progress.content_bytes as f64).into());
        }
    });
}

/// The models that were loaded, and what is done with them.
#[wasm_bindgen]
#[derive(Default)]
pub struct Vatic {
    models: Vec<Model>,
}

#[wasm_bindgen]
impl Vatic {
    /// Without a model.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Vatic {
        Vatic::default()
    }

    /// Adds the model of which these are the bytes of the file; its name.
    pub fn add(&mut self, file: &[u8]) -> Result<String, JsError> {
        let model = Model::from_bytes(file).map_err(said)?;
        let name = model.name().to_string();
        self.models.retain(|other| other.id() != model.id());
        self.models.push(model);
        Ok(name)
    }

    fn options(&self, model: &str) -> Result<Options, JsError> {
        let found = self.models.iter().find(|other| other.name() == model);
        let found =
            found.ok_or_else(|| JsError::new(&format!("the model {model} was not loaded")))?;
        Ok(Options::new().model(Some(found.clone())).progress(tell))
    }

    /// `content` compressed with that model, as the command does it unless told otherwise. `hook` hears of the bytes that are done.
    pub fn compress(
        &self,
        content: &[u8],
        model: &str,
        hook: Option<Function>,
    ) -> Result<Vec<u8>, JsError> {
        HOOK.set(hook);
        vatic::compress(content, &self.options(model)?).map_err(said)
    }

    /// What `data` was made of. `hook` hears of the bytes that are done.
    pub fn decompress(&self, data: &[u8], hook: Option<Function>) -> Result<Vec<u8>, JsError> {
        HOOK.set(hook);
        let options = (self.models.iter()).fold(DecodeOptions::new(), |options, model| {
            options.model(model.clone())
        });
        vatic::decompress_with(data, &options.progress(tell)).map_err(said)
    }

    /// What each token of `text` costs.
    pub fn explain(&self, text: &[u8], model: &str) -> Result<Account, JsError> {
        HOOK.set(None);
        let explanation = vatic::explain(text, &self.options(model)?).map_err(said)?;
        Ok(Account(explanation))
    }
}

/// Whether `data` begins as vatic's does.
#[wasm_bindgen(js_name = looksLike)]
pub fn looks_like(data: &[u8]) -> bool {
    vatic::looks_like(data)
}

/// What the headers of some data say.
#[wasm_bindgen]
pub struct List {
    models: Vec<String>,
    bytes: u64,
}

#[wasm_bindgen]
impl List {
    /// The models it was made with, as it names them: by the first digits of their identities.
    #[wasm_bindgen(getter)]
    pub fn models(&self) -> Vec<String> {
        self.models.clone()
    }

    /// The bytes of its content.
    #[wasm_bindgen(getter)]
    pub fn bytes(&self) -> f64 {
        self.bytes as f64
    }
}

/// What the headers of `data` say.
#[wasm_bindgen]
pub fn listed(data: &[u8]) -> Result<List, JsError> {
    let info = vatic::info::list(Cursor::new(data)).map_err(said)?;
    let models = info.frames.iter().filter_map(|frame| frame.model);
    let mut models: Vec<String> = models
        .map(|model| model.to_string().trim_end_matches('…').to_string())
        .collect();
    models.sort_unstable();
    models.dedup();
    Ok(List {
        models,
        bytes: info.content_bytes,
    })
}

/// What each token of a text costs, and what each source of predictions would have paid for it alone.
#[wasm_bindgen]
pub struct Account(Explanation);

#[wasm_bindgen]
impl Account {
    /// The lengths of the tokens in bytes.
    pub fn lengths(&self) -> Uint32Array {
        let lengths: Vec<u32> = (self.0.tokens.iter())
            .map(|token| token.bytes as u32)
            .collect();
        Uint32Array::from(lengths.as_slice())
    }

    /// What was paid for each of them, in bits.
    pub fn bits(&self) -> Float32Array {
        let bits: Vec<f32> = self.0.tokens.iter().map(|token| token.bits).collect();
        Float32Array::from(bits.as_slice())
    }

    /// The names of the sources of predictions.
    pub fn sources(&self) -> Vec<String> {
        self.0.sources.clone()
    }

    /// What each source would have paid for each token, in bits, token after token.
    pub fn alone(&self) -> Float32Array {
        let tokens = 0..self.0.tokens.len();
        let alone: Vec<f32> = tokens.flat_map(|n| self.0.alone(n)).copied().collect();
        Float32Array::from(alone.as_slice())
    }
}
