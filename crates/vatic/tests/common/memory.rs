//! Decoding within bounds of memory.

use vatic::{DecodeOptions, Error};

/// Decodes with so much memory allowed, which is said to be enough or not.
pub fn decodes_within(packed: &[u8], content: &[u8], cases: &[(u64, bool)]) {
    for &(allowed, enough) in cases {
        let options = DecodeOptions::new().max_memory(allowed);
        match vatic::decompress_with(packed, &options) {
            Ok(decoded) => assert!(enough && decoded == content),
            Err(error) => assert!(
                !enough && matches!(error, Error::TooLarge { .. }),
                "{error}"
            ),
        }
    }
}
