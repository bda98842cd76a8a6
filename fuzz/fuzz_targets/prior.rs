//! Any bytes as a prior: an error, or a prior that works and is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vatic::{DecodeOptions, Options, Prior};

fuzz_target!(|data: &[u8]| {
    let Ok(prior) = Prior::from_bytes(data) else {
        return;
    };
    assert_eq!(prior.to_bytes(), data);
    let content = b"{\"at\": 1, \"level\": \"info\"}\n".repeat(3);
    // A prior names the model that it was learnt with; one that is not here is an error, not a crash.
    for options in [Options::new(), Options::new().model(None)] {
        if let Ok(packed) =
            vatic::compress(&content, &options.threads(1).prior(Some(prior.clone())))
        {
            let restored = vatic::decompress_with(
                &packed,
                &DecodeOptions::new().threads(1).prior(prior.clone()),
            );
            assert_eq!(restored.unwrap(), content);
        }
    }
});
