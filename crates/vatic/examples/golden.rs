//! Writes the golden files of `tests/golden` anew: after a change of the format or of a model, and never otherwise.

#[path = "../tests/cases/mod.rs"]
mod cases;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden");
    std::fs::create_dir_all(folder)?;
    for case in cases::all()? {
        let decoded = match &case.decode {
            cases::Decode::Container(options) => vatic::decompress_with(&case.packed, options)?,
            cases::Decode::Message(options) => {
                vatic::message::decompress(&case.packed, options, 1 << 20)?
            }
        };
        if decoded != case.content {
            return Err(format!("{} does not decode to its content", case.name).into());
        }
        std::fs::write(format!("{folder}/{}", case.name), &case.packed)?;
        // The content beside it, for whoever tests another decoder.
        std::fs::write(format!("{folder}/{}.content", case.name), &case.content)?;
        if let Some(prior) = &case.prior {
            let name = case.name.replace(".vtc", ".vtp");
            std::fs::write(format!("{folder}/{name}"), prior.to_bytes())?;
        }
        println!(
            "{:40} {:>7} -> {:>7}",
            case.name,
            case.content.len(),
            case.packed.len()
        );
    }
    Ok(())
}
