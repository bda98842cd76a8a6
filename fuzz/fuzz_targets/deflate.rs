//! Any bytes as data with deflate streams and progressive pictures: they come back, from the beginning and all of them. And as content and recipe, divided at what the
//! first byte says: an error, or as many bytes as were asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vatic_unpack::{pack, unpack, unpack_with};

/// Small, so that what a stream claims to say takes no time.
const ROOM: usize = 1 << 16;
/// For a picture's coefficients: two blocks of 128 bytes for each byte.
const MEMORY: usize = 256 * ROOM;

fuzz_target!(|data: &[u8]| {
    let all = unpack_with(data, ROOM, true, &mut |picture| picture.size() % 2 == 0);
    assert!(all.as_ref().is_none_or(|all| all.used == data.len()));
    for unpacked in [unpack(data, ROOM), all].into_iter().flatten() {
        assert!(unpacked.content.len() <= ROOM);
        let mut again = Vec::new();
        let mut give = |bytes: &[u8]| again.extend_from_slice(bytes);
        pack(
            &unpacked.content,
            &unpacked.recipe,
            unpacked.used,
            MEMORY,
            &mut give,
        )
        .unwrap();
        assert!(again == data[..unpacked.used]);
    }
    if let Some((&at, rest)) = data.split_first() {
        let (recipe, content) = rest.split_at(rest.len().min(usize::from(at)));
        let (size, mut given) = (4 * content.len(), 0);
        let done = pack(content, recipe, size, MEMORY, &mut |bytes| {
            given += bytes.len()
        });
        assert!(given <= size && (done.is_err() || given == size));
    }
});
