//! Any bytes as a message: an error or at most as many bytes as were allowed; and as what a message carries: it comes
//! back, at most two bytes longer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vatic::{Model, Options, message};

/// Few bytes: under the sanitizer a token takes the transformer milliseconds.
const LONGEST: usize = 512;

fuzz_target!(|data: &[u8]| {
    for options in [
        Options::new().threads(1).model(Model::named("swift")),
        Options::new().threads(1).model(None),
    ] {
        if let Ok(content) = message::decompress(data, &options, LONGEST) {
            assert!(content.len() <= LONGEST);
        }
        let content = &data[..data.len().min(LONGEST)];
        let packed = message::compress(content, &options).unwrap();
        assert!(packed.len() <= content.len() + 2);
        assert_eq!(
            message::decompress(&packed, &options, LONGEST).unwrap(),
            content
        );
    }
});
