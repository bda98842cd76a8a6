//! Any bytes as a prior: an error, or a prior that works and is written as it was read. Lengths and identity are put right and its
//! states compressed, so that what is in it is read at all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vatic::{DecodeOptions, Options, Prior};

/// Bytes of a prior before its states; the last 16 are the lengths of these.
const HEADER: usize = 28;

fuzz_target!(|data: &[u8]| {
    let _ = Prior::from_bytes(data);
    let Some((header, states)) = data.split_first_chunk::<HEADER>() else {
        return;
    };
    if !header.starts_with(b"\xF6vp\x01") {
        return;
    }
    let mut file = header.to_vec();
    let claimed = u64::from_le_bytes(header[12..20].try_into().unwrap());
    let tokens = claimed.min(states.len() as u64);
    file[12..20].copy_from_slice(&tokens.to_le_bytes());
    file[20..].copy_from_slice(&(states.len() as u64 - tokens).to_le_bytes());
    file.extend(states);
    let identity = blake3::hash(&file);
    file.truncate(HEADER);
    file.extend(miniz_oxide::deflate::compress_to_vec_zlib(states, 1));
    file.extend(&identity.as_bytes()[..8]);
    let prior = Prior::from_bytes(&file).unwrap();
    let again = Prior::from_bytes(&prior.to_bytes()).unwrap();
    assert_eq!(again.id(), prior.id());
    let content = b"{\"at\": 1, \"level\": \"info\"}\n".repeat(3);
    // A prior names the model that it was learnt with; one that is not here is an error, not a crash.
    for options in [Options::new(), Options::new().model(None)] {
        let options = options
            .threads(1)
            .memory_log2(16)
            .prior(Some(prior.clone()));
        if let Ok(packed) = vatic::compress(&content, &options) {
            let restored = vatic::decompress_with(
                &packed,
                &DecodeOptions::new().threads(1).prior(prior.clone()),
            );
            assert_eq!(restored.unwrap(), content);
        }
    }
});
