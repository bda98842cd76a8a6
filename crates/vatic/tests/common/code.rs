//! Machine code, or what looks like it: what filters are for.

use super::common::noise;

/// Instructions of x86-64 that call and read some forty places, bytes of others between them, and at last one that is cut off.
pub fn x86_64(instructions: usize) -> Vec<u8> {
    let before: [&[u8]; 10] = [
        &[0xE8],
        &[0x48, 0x8B, 0x05],
        &[0xE8],
        &[0x48, 0x8D, 0x3D],
        &[0xFF, 0x15],
        &[0xE9],
        &[0x66, 0x0F, 0x6F, 0x05],
        &[0x83, 0x3D],
        &[0xC7, 0x05],
        // A jump on a condition, which stays as it is.
        &[0x0F, 0x84],
    ];
    let mut code = Vec::new();
    for pair in noise(2 * instructions, 5).chunks_exact(2) {
        let (kind, target) = (usize::from(pair[0]) % before.len(), u32::from(pair[1]) % 40);
        code.extend(before[kind]);
        let next = code.len() as u32 + 4;
        code.extend((0x4000 + 300 * target).wrapping_sub(next).to_le_bytes());
        code.extend(&pair[..usize::from(pair[0]) % 3]);
    }
    // Instructions that begin within the operands of others.
    code.extend([
        0xE8, 0xE8, 0, 0xFF, 0xE8, 0, 0x0F, 0xE8, 0xFF, 0, 0x8B, 0x05, 0, 0, 0xE8, 0xFF, 0, 0, 0,
    ]);
    code.extend([0xE8, 0, 0]);
    code
}

/// Calls of some thirty places, bytes of others between them.
pub fn x86(instructions: usize) -> Vec<u8> {
    let mut code = Vec::new();
    for pair in noise(2 * instructions, 7).chunks_exact(2) {
        code.push(0xE8 + pair[0] % 2);
        let next = code.len() as u32 + 4;
        let target = 0x1000 + 70 * (u32::from(pair[1]) % 30);
        code.extend(target.wrapping_sub(next).to_le_bytes());
        code.extend(&pair[..usize::from(pair[0]) % 3]);
    }
    code
}

/// Instructions of 64-bit ARM that call and read some forty places, and others; at last a part of one.
pub fn arm64(instructions: usize) -> Vec<u8> {
    let mut code = Vec::new();
    for pair in noise(2 * instructions, 6).chunks_exact(2) {
        let (at, target) = (code.len() as u32, u32::from(pair[1]) % 40);
        let pages = (8 * target).wrapping_sub(at >> 12);
        let instruction = match pair[0] % 4 {
            // bl
            0 | 1 => 0x25 << 26 | (0x4000 + 75 * target).wrapping_sub(at / 4) & 0x03FF_FFFF,
            // adrp
            2 => 0x9000_0000 | (pages & 3) << 29 | (pages & 0x1F_FFFC) << 3 | (target % 8),
            // add, of the register that adrp is about.
            _ => 0x9100_0000 | (target % 8) << 5 | (target % 8),
        };
        code.extend(instruction.to_le_bytes());
    }
    code.extend([1, 0, 0]);
    code
}
