//! Any bytes as a compressed file: listing, decoding and restoring a range give a result or an error, within the memory
//! that was allowed, alone and beside others. What decodes must be what was listed, and must survive being compressed again.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use vatic::{DecodeOptions, Options};

/// Longer contents take the time of many short ones and show nothing new.
const LONGEST: u64 = 8 << 10;

fuzz_target!(|data: &[u8]| {
    let Ok(info) = vatic::info::list(Cursor::new(data)) else {
        // Headers that cannot be listed cannot be decoded either. Only the first frames may come out before the error;
        // no more memory than such content needs keeps them short.
        let little = DecodeOptions::new()
            .threads(1)
            .max_memory((64 << 10) + 3 * LONGEST);
        assert!(vatic::decompress_with(data, &little).is_err());
        return;
    };
    if info.content_bytes > LONGEST {
        return;
    }
    let options = DecodeOptions::new().threads(1).max_memory(64 << 20);
    let whole = vatic::decompress_with(data, &options);
    // Frames one after the other give the same, or as much of it as there is before the same error.
    let mut out = Vec::new();
    let options = options.threads(2);
    let copied = vatic::copy_decompress(data, &mut out, &options);
    let mut ahead = Vec::new();
    let options = options.read_ahead(true);
    let copied_ahead = vatic::copy_decompress(data, &mut ahead, &options);
    assert_eq!(out, ahead);
    let mut at_once = Vec::new();
    let copied_at_once = vatic::copy_decompress(data, &mut at_once, &options.clone().at_once(true));
    assert!(at_once.starts_with(&out) && at_once.len() as u64 <= info.content_bytes);
    let results = [copied, copied_ahead, copied_at_once];
    let results = results.map(|done| done.map(|_| ()).map_err(|error| error.to_string()));
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
    if results[0].is_ok() {
        assert_eq!(at_once, out);
    }
    if let Ok(whole) = &whole {
        assert_eq!(whole, &out);
    }
    for together in vatic::decompress_many(&[data, data], &options) {
        assert_eq!(together.is_ok(), whole.is_ok());
        if let (Ok((content, _)), Ok(whole)) = (&together, &whole) {
            assert_eq!(content, whole);
        }
    }
    let mut part = Vec::new();
    let range = info.content_bytes / 3..info.content_bytes / 3 * 2;
    let ranged = vatic::decompress_range(Cursor::new(data), range.clone(), &mut part, &options);
    let mut part_at_once = Vec::new();
    let options = options.at_once(true);
    let ranged_at_once = vatic::decompress_range(
        Cursor::new(data),
        range.clone(),
        &mut part_at_once,
        &options,
    );
    if let Ok(content) = whole {
        assert_eq!(content.len() as u64, info.content_bytes);
        assert!(ranged.is_ok() && ranged_at_once.is_ok());
        assert_eq!(part, &content[range.start as usize..range.end as usize]);
        assert_eq!(part_at_once, part);
        let again = vatic::compress(&content, &Options::new().model(None).threads(1)).unwrap();
        assert_eq!(vatic::decompress(&again).unwrap(), content);
    }
});
