//! The container: bytes that describe frames. `docs/format.md` is the specification; this is its code.

mod header;

pub(crate) use header::{Counted, Header, Kind, Parts};

/// The version of the format that this crate writes and reads: the last byte of [`MAGIC`].
pub const FORMAT_VERSION: u8 = 5;

/// The first four bytes of every member. `F6` occurs in no ASCII and no UTF-8 text; the last byte is the version.
pub const MAGIC: [u8; 4] = [0xF6, b'v', b't', FORMAT_VERSION];

/// The most bytes that compressing adds to one-frame data, whatever it is.
pub const MAX_OVERHEAD: usize = 16;

/// The most content that one frame may have, in bytes.
pub const MAX_FRAME_SIZE: usize = 1 << 28;

/// The least content that [`Options::frame_size`](crate::Options::frame_size) accepts, in bytes.
pub const MIN_FRAME_SIZE: usize = 1 << 16;

/// The log2 of the smallest and the largest cap of the experts' tables that a frame may name, in bytes.
pub const MEMORY_LOG2: std::ops::RangeInclusive<u8> = 16..=30;

/// The cap of the experts' tables that a frame has when it names none: log2 of bytes.
pub const DEFAULT_MEMORY_LOG2: u8 = 27;

/// The log2 of the smallest and the largest window that a member may name, in bytes.
pub const WINDOW_LOG2: std::ops::RangeInclusive<u8> = 16..=32;

/// The log2 of the largest number of streams in a frame.
pub const MAX_STREAMS_LOG2: u8 = 7;

/// Whether data that begins so is vatic's, of any version.
///
/// ```
/// let packed = vatic::compress(b"hello", &vatic::Options::new())?;
/// assert!(vatic::looks_like(&packed));
/// assert!(!vatic::looks_like(b"hello"));
/// # Ok::<(), vatic::Error>(())
/// ```
pub fn looks_like(start: &[u8]) -> bool {
    start.len() >= 4 && start[..3] == MAGIC[..3]
}

/// The checksum that a frame carries: the low half of XXH3-64 over its content, seeded with where that content begins in
/// the member, so that a frame lost, doubled or moved within a member is noticed too.
pub(crate) fn checksum(content: &[u8], offset: u64) -> u32 {
    xxhash_rust::xxh3::xxh3_64_with_seed(content, offset) as u32
}

/// The same over content that comes in parts.
pub(crate) struct Checksum(xxhash_rust::xxh3::Xxh3);

impl Checksum {
    pub(crate) fn new(offset: u64) -> Checksum {
        Checksum(xxhash_rust::xxh3::Xxh3::with_seed(offset))
    }

    pub(crate) fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    pub(crate) fn finish(&self) -> u32 {
        self.0.digest() as u32
    }
}
