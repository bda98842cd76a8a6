//! The golden files still decode, and compressing still gives them, byte for byte, with any number of threads.
//! `cargo run -p vatic --example golden` writes them anew.
#![cfg(all(
    feature = "model-base",
    feature = "model-swift",
    feature = "model-deep"
))]

mod cases;

use cases::Decode;

fn golden(name: &str) -> Vec<u8> {
    let path = format!("{}/../../tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{path}: {error}; write it with the example `golden`"))
}

#[test]
fn golden_files_decode_and_are_made_again() {
    let mut different = Vec::new();
    for case in cases::all().unwrap() {
        let packed = golden(case.name);
        let decoded = match &case.decode {
            Decode::Container(options) => vatic::decompress_with(&packed, options),
            Decode::Message(options) => vatic::message::decompress(&packed, options, 1 << 20),
        };
        assert_eq!(
            golden(&format!("{}.content", case.name)),
            case.content,
            "{}: the content has changed",
            case.name
        );
        if let Some(prior) = &case.prior {
            let kept = golden(&case.name.replace(".vtc", ".vtp"));
            let kept = vatic::Prior::from_bytes(&kept).unwrap();
            assert_eq!(kept.id(), prior.id(), "{}: the prior is another", case.name);
        }
        match decoded {
            Ok(decoded) if decoded == case.content && packed == case.packed => {}
            Ok(decoded) if decoded == case.content => {
                different.push(format!("{} is made differently now", case.name))
            }
            Ok(_) => different.push(format!("{} decodes to something else", case.name)),
            Err(error) => different.push(format!("{}: {error}", case.name)),
        }
    }
    assert!(different.is_empty(), "{different:#?}");
}

#[test]
fn golden_files_of_machine_code_name_their_filters() {
    for (name, filter) in [
        ("bytes-x86.vtc", Some(vatic::info::Filter::X86)),
        ("bytes-x86-64.vtc", Some(vatic::info::Filter::X86_64)),
        ("bytes-arm64.vtc", Some(vatic::info::Filter::Arm64)),
        ("bytes.vtc", None),
    ] {
        let info = vatic::info::list(std::io::Cursor::new(golden(name))).unwrap();
        assert_eq!(info.frames[0].filter, filter, "{name}");
    }
}

#[test]
fn golden_files_of_tokens_name_the_model_and_the_streams() {
    let info = vatic::info::list(std::io::Cursor::new(golden("tokens-streams.vtc"))).unwrap();
    let frame = &info.frames[0];
    assert_eq!((frame.mode, frame.streams), (vatic::Mode::Tokens, 16));
    assert!(frame.model.unwrap().names(&vatic::Model::swift().id()));
}
