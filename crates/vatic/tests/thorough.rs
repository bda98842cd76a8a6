//! Thorough work on bytes: smaller, never larger than usual where both are tried, and nothing else changes.

mod common;
#[path = "common/records.rs"]
mod records;

use std::io::Cursor;

use common::noise;
use proptest::prelude::*;
use records::records;
use vatic::{DecodeOptions, Mode, Options, Prior};

fn plain() -> Options {
    Options::new().model(None).memory_log2(18).mode(Mode::Bytes)
}

fn table(n: usize) -> Vec<u8> {
    records(noise(n, 7), 40)
}

#[test]
fn what_has_neighbours_becomes_smaller() {
    let content = table(150_000);
    let usual = vatic::compress(&content, &plain()).unwrap();
    let thorough = vatic::compress(&content, &plain().thorough(true).threads(2)).unwrap();
    assert!(
        thorough.len() * 100 < usual.len() * 97,
        "{} {}",
        thorough.len(),
        usual.len()
    );
    // Nobody has to be told how it was made.
    assert!(vatic::decompress(&thorough).unwrap() == content);
    let info = vatic::info::list(Cursor::new(&thorough)).unwrap();
    assert_eq!(info.frames[0].mode, Mode::Bytes);
    // Each frame for itself, side by side.
    let options = plain().thorough(true).frame_size(1 << 16);
    let frames = vatic::compress(&content, &options).unwrap();
    let mut decoded = Vec::new();
    let ahead = DecodeOptions::new().read_ahead(true);
    vatic::copy_decompress(&frames[..], &mut decoded, &ahead).unwrap();
    assert!(decoded == content);
}

#[test]
fn messages_and_priors_stay_as_they_are() {
    let content = table(3000);
    let thorough = plain().thorough(true);
    let message = vatic::message::compress(&content, &thorough).unwrap();
    assert!(message == vatic::message::compress(&content, &plain()).unwrap());
    assert!(vatic::message::decompress(&message, &plain(), 3000).unwrap() == content);

    let learn = |options| Prior::learn(&[&content[..2000]], options).unwrap();
    let prior = learn(&thorough);
    assert!(prior.to_bytes() == learn(&plain()).to_bytes());
    let packed = |options: Options| {
        vatic::compress(&content[2000..], &options.prior(Some(prior.clone()))).unwrap()
    };
    assert!(packed(thorough) == packed(plain()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_content_comes_back_and_is_not_larger(
        pieces in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 1..300),
                (any::<u8>(), 1..2000usize).prop_map(|(byte, n)| vec![byte; n]),
                (1..3000usize).prop_map(table),
                (prop::collection::vec(any::<u8>(), 1..9), 1..200usize).prop_map(|(bytes, n)| bytes.repeat(n)),
                "\\PC{0,200}".prop_map(String::into_bytes),
            ],
            0..5,
        ),
        flip in any::<prop::sample::Index>(),
    ) {
        let content = pieces.concat();
        let mut packed = vatic::compress(&content, &plain().thorough(true)).unwrap();
        prop_assert!(packed.len() <= vatic::compress(&content, &plain()).unwrap().len());
        prop_assert_eq!(&vatic::decompress(&packed).unwrap(), &content);
        let at = flip.index(packed.len() * 8);
        packed[at / 8] ^= 1 << (at % 8);
        let most = DecodeOptions::new().max_memory(1 << 24);
        // A flip may lead to the same content, as bits behind the last decision do, but to no other.
        if let Ok(decoded) = vatic::decompress_with(&packed, &most) {
            prop_assert_eq!(decoded, content);
        }
    }
}
