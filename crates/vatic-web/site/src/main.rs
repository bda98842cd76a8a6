//! `vatic-web-site MODULE PAGE OUT MODELS…`: puts together in the directory OUT what a web server has to give to browsers, all of it static: the
//! files of the directory PAGE, the WebAssembly that the compiler made (MODULE) as a module for browsers, and the models with a list of them.
//!
//! The module is made by what the command `wasm-bindgen` consists of, in the version that the library was built with.

#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use vatic::Model;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [module, page, out, models @ ..] = arguments.as_slice() else {
        bail!("usage: vatic-web-site MODULE.wasm PAGE OUT MODEL.safetensors…");
    };
    let folder = out.join("models");
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    Bindgen::new()
        .input_path(module)
        .out_name("vatic")
        .web(true)?
        .omit_default_module_path(false)
        .typescript(false)
        .generate(out)
        .with_context(|| format!("no module could be made of {}", module.display()))?;
    for entry in fs::read_dir(page).with_context(|| format!("{} cannot be read", page.display()))? {
        let entry = entry?;
        copy(&entry.path(), &out.join(entry.file_name()))?;
    }
    let list: Vec<Value> = (models.iter())
        .map(|model| add(model, &folder))
        .collect::<Result<_>>()?;
    let path = out.join("models.json");
    fs::write(&path, serde_json::to_vec_pretty(&list)?)
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// Puts a model among the others; what the page has to know of it.
fn add(path: &Path, folder: &Path) -> Result<Value> {
    let model = Model::from_file(path)
        .with_context(|| format!("{} is no model that can be used", path.display()))?;
    let file = format!("{}.safetensors", model.name());
    copy(path, &folder.join(&file))?;
    Ok(json!({
        "name": model.name(),
        "id": model.id().to_string(),
        "bytes": model.file_bytes(),
        "file": format!("models/{file}"),
    }))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to)
        .map(drop)
        .with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))
}
