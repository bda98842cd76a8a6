//! Packs the models that the library carries, so that no program has to do it when it starts.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::var("OUT_DIR")?;
    println!("cargo::rerun-if-changed=build.rs");
    for name in ["base", "swift", "deep"] {
        let feature = format!("CARGO_FEATURE_MODEL_{}", name.to_uppercase());
        if env::var_os(feature).is_none() {
            continue;
        }
        let path = format!("../../models/{name}/model.safetensors");
        println!("cargo::rerun-if-changed={path}");
        let file = fs::read(&path).map_err(|error| format!("{path}: {error}"))?;
        let image = vatic_transformer::Model::image(&file);
        let image = image.map_err(|error| format!("{path}: {error}"))?;
        let out = Path::new(&out);
        fs::write(out.join(format!("{name}.image")), image)?;
        fs::write(out.join(format!("{name}.length")), file.len().to_string())?;
    }
    Ok(())
}
