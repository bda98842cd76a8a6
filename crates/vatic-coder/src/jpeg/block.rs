//! A block of coefficients, and where each of them stands.

/// Where each coefficient stands in its block, in the order of the scan: down and across.
pub static PLACES: [[u8; 2]; 64] = zigzag();

const fn zigzag() -> [[u8; 2]; 64] {
    let mut places = [[0; 2]; 64];
    let (mut down, mut across, mut n) = (0u8, 0u8, 0);
    while n < 64 {
        places[n] = [down, across];
        let up = (down + across).is_multiple_of(2);
        if up && across == 7 {
            down += 1;
        } else if up && down == 0 {
            across += 1;
        } else if up {
            (down, across) = (down - 1, across + 1);
        } else if down == 7 {
            across += 1;
        } else if across == 0 {
            down += 1;
        } else {
            (down, across) = (down + 1, across - 1);
        }
        n += 1;
    }
    places
}

/// The number of a coefficient in the order of the scan, by its place down and across.
pub static NUMBERS: [[u8; 8]; 8] = numbers();

const fn numbers() -> [[u8; 8]; 8] {
    let mut numbers = [[0; 8]; 8];
    let mut n = 0;
    while n < 64 {
        let [down, across] = PLACES[n];
        numbers[down as usize][across as usize] = n as u8;
        n += 1;
    }
    numbers
}

/// A block of coefficients as they are in the stream, in the order of the scan.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    pub coefficients: [i16; 64],
    /// Which of them are not zero, by bit.
    pub mask: u64,
    /// What the first one adds to that of the block before.
    pub difference: i16,
}

/// Of nothing, and where there is none.
pub static EMPTY: Block = Block {
    coefficients: [0; 64],
    mask: 0,
    difference: 0,
};

impl Block {
    /// The symbol that the coefficients from number `at` on would begin with: zeros passed over times 16, and the next one's length in bits.
    #[inline(always)]
    pub fn symbol(&self, at: usize) -> u32 {
        let rest = self.mask.checked_shr(at as u32).unwrap_or(0);
        if rest == 0 {
            return 0;
        }
        let run = rest.trailing_zeros();
        if run > 15 {
            return 0xF0;
        }
        run << 4 | length(self.coefficients[at + run as usize].into())
    }

    /// A coefficient, by its number; 0 beyond the last.
    #[inline(always)]
    pub fn at(&self, n: usize) -> i32 {
        self.coefficients.get(n).copied().unwrap_or(0).into()
    }

    /// The sum of all sizes from number `at` on.
    #[inline(always)]
    pub fn sum(&self, at: usize) -> u32 {
        let mut mask = self.mask & u64::MAX.checked_shl(at as u32).unwrap_or(0);
        let mut sum = 0;
        while mask > 0 {
            sum += self.at(mask.trailing_zeros() as usize).unsigned_abs();
            mask &= mask - 1;
        }
        sum
    }

    /// How many from number `at` on are not zero.
    #[inline(always)]
    pub fn left(&self, at: usize) -> u32 {
        self.mask.checked_shr(at as u32).unwrap_or(0).count_ones()
    }
}

/// How many bits a number's size takes.
#[inline(always)]
pub fn length(number: i32) -> u32 {
    32 - number.unsigned_abs().leading_zeros()
}
