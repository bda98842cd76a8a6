//! Writes the golden files of `tests/golden` anew: after a change of the format or of a model, and never otherwise.

#[path = "../tests/cases/mod.rs"]
mod cases;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden");
    std::fs::create_dir_all(folder)?;
    for case in cases::all()? {
        std::fs::write(format!("{folder}/{}", case.name), &case.packed)?;
        // The content beside it, for whoever tests another decoder.
        std::fs::write(format!("{folder}/{}.content", case.name), &case.content)?;
        println!("{:40} {:>7} -> {:>7}", case.name, case.content.len(), case.packed.len());
    }
    Ok(())
}
