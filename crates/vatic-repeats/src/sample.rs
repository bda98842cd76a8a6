//! Places that are chosen by their content: wherever the same 64 bytes stand, they are chosen again, or never. A *gear* hash (Xia et al., "Ddelta",
//! Performance Evaluation 79, 2014) is shifted by one bit for each byte, so that it forgets what is farther back by itself.

/// A hash has to do with so many bytes.
pub const REACH: usize = 64;
/// One place of 2^this is chosen, on average…
const RATE: u32 = 8;
/// …but none within so many bytes behind another, where all of them would be.
const SPACING: usize = 32;

/// A number for each byte, from the generator *SplitMix64* (Steele et al. 2014).
static GEAR: [u64; 256] = {
    let mut gear = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut x = (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        gear[n] = x ^ (x >> 31);
        n += 1;
    }
    gear
};

/// A place, right behind the bytes that it was chosen for, and what they are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    pub end: u32,
    pub key: u32,
}

/// The places in `content`, which is shorter than 2^32 bytes.
pub fn samples(content: &[u8]) -> impl Iterator<Item = Sample> {
    let (mut hash, mut next) = (0u64, REACH);
    content.iter().enumerate().filter_map(move |(n, &byte)| {
        hash = (hash << 1).wrapping_add(GEAR[usize::from(byte)]);
        if hash >> (64 - RATE) != 0 || n + 1 < next {
            return None;
        }
        next = n + 1 + SPACING;
        Some(Sample {
            end: n as u32 + 1,
            key: (hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32,
        })
    })
}
