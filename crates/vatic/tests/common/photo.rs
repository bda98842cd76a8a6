//! What JPEG makes of a picture, in the ways that cameras and programs choose: a small encoder for tests.

/// How a picture is compressed.
#[derive(Clone, Debug)]
pub struct Photo {
    /// In pixels.
    pub width: usize,
    pub height: usize,
    /// By component: how many of its blocks an MCU has across and down.
    pub factors: Vec<[usize; 2]>,
    /// All steps of its tables.
    pub step: i32,
    /// MCUs between restarts; 0: none.
    pub restart: usize,
    /// Each component has a scan of its own.
    pub apart: bool,
}

/// cos(n π / 16) in 4096ths.
const WAVE: [i64; 9] = [4096, 4017, 3784, 3406, 2896, 2276, 1567, 799, 0];

fn cosine(sixteenths: usize) -> i64 {
    match sixteenths % 32 {
        n @ 0..=8 => WAVE[n],
        n @ 9..=16 => -WAVE[16 - n],
        n @ 17..=24 => -WAVE[n - 16],
        n => WAVE[32 - n],
    }
}

/// A block's coefficient, `down` and `across`.
fn coefficient(samples: &[[i64; 8]; 8], down: usize, across: usize) -> i32 {
    let mut sum = 0;
    for (y, row) in samples.iter().enumerate() {
        for (x, sample) in row.iter().enumerate() {
            sum += sample * cosine((2 * y + 1) * down) * cosine((2 * x + 1) * across) / 4096;
        }
    }
    for wave in [down, across] {
        if wave == 0 {
            sum = sum * 2896 / 4096;
        }
    }
    (sum / 4 / 4096) as i32
}

/// Places of the coefficients, down and across, in the order of a scan.
fn zigzag() -> Vec<[usize; 2]> {
    let mut places: Vec<[usize; 2]> = (0..64).map(|n| [n / 8, n % 8]).collect();
    places.sort_by_key(|&[down, across]| {
        let diagonal = down + across;
        (diagonal, if diagonal % 2 == 0 { across } else { down })
    });
    places
}

#[derive(Default)]
struct Bits {
    out: Vec<u8>,
    held: u32,
    count: usize,
}

impl Bits {
    fn put(&mut self, bits: u32, count: usize) {
        for n in (0..count).rev() {
            self.held = self.held << 1 | (bits >> n & 1);
            self.count += 1;
            if self.count == 8 {
                self.out.push(self.held as u8);
                if self.held as u8 == 0xFF {
                    self.out.push(0);
                }
                (self.held, self.count) = (0, 0);
            }
        }
    }

    /// Fills the last byte with ones.
    fn fill(&mut self) {
        while self.count > 0 {
            self.put(1, 1);
        }
    }

    /// A code word for `symbol`, and a number of so many bits.
    fn code(&mut self, symbols: &[u8], short: usize, symbol: u8, number: i32, size: usize) {
        let n = symbols.iter().position(|&of| of == symbol).unwrap();
        match n.checked_sub(short) {
            None => self.put(n as u32, 4),
            Some(beyond) => self.put(((short << 5) + beyond) as u32, 9),
        }
        let number = if number < 0 { number - 1 } else { number };
        self.put(number as u32 & ((1 << size) - 1), size);
    }
}

fn length(number: i32) -> usize {
    (32 - number.unsigned_abs().leading_zeros()) as usize
}

/// Symbols of first coefficients, words of four bits; those of all others, of which the first have four bits and the rest nine.
fn symbols() -> [(Vec<u8>, usize); 2] {
    let mut others: Vec<u8> = (0..16u8)
        .flat_map(|run| (1..=10).map(move |size| run << 4 | size))
        .collect();
    others.extend([0x00, 0xF0]);
    others.sort_by_key(|&symbol| (symbol >> 4) + 2 * (symbol & 15));
    [((0..12).collect(), 12), (others, 8)]
}

fn segment(marker: u8, body: &[u8], out: &mut Vec<u8>) {
    out.extend([0xFF, marker]);
    out.extend((body.len() as u16 + 2).to_be_bytes());
    out.extend(body);
}

impl Photo {
    /// The file, of a picture in as many colours as there are components. `inside` is what an application adds at its beginning: a smaller picture
    /// of it, say.
    pub fn jpeg(&self, pixels: &[u8], inside: &[u8]) -> Vec<u8> {
        let mut out = vec![0xFF, 0xD8];
        if !inside.is_empty() {
            segment(0xE1, inside, &mut out);
        }
        segment(0xDB, &[&[0][..], &[self.step as u8; 64]].concat(), &mut out);
        let mut frame = vec![8];
        frame.extend((self.height as u16).to_be_bytes());
        frame.extend((self.width as u16).to_be_bytes());
        frame.push(self.factors.len() as u8);
        for (n, [across, down]) in self.factors.iter().enumerate() {
            frame.extend([n as u8 + 1, (across << 4 | down) as u8, 0]);
        }
        segment(0xC0, &frame, &mut out);
        for (class, (symbols, short)) in symbols().iter().enumerate() {
            let mut counts = [0; 16];
            (counts[3], counts[8]) = (*short as u8, (symbols.len() - short) as u8);
            segment(
                0xC4,
                &[&[(class << 4) as u8][..], &counts, symbols].concat(),
                &mut out,
            );
        }
        if self.restart > 0 {
            segment(0xDD, &(self.restart as u16).to_be_bytes(), &mut out);
        }
        let all: Vec<usize> = (0..self.factors.len()).collect();
        let scans: Vec<Vec<usize>> = if self.apart {
            all.iter().map(|&n| vec![n]).collect()
        } else {
            vec![all]
        };
        for scan in scans {
            let mut header = vec![scan.len() as u8];
            scan.iter().for_each(|&n| header.extend([n as u8 + 1, 0]));
            header.extend([0, 63, 0]);
            segment(0xDA, &header, &mut out);
            self.scan(&scan, pixels, &mut out);
        }
        out.extend([0xFF, 0xD9]);
        out
    }

    fn scan(&self, scan: &[usize], pixels: &[u8], out: &mut Vec<u8>) {
        let most = [0, 1].map(|way| self.factors.iter().map(|of| of[way]).max().unwrap());
        let alone = scan.len() == 1;
        let units = |way: usize, size: usize| {
            let own = if alone { self.factors[scan[0]][way] } else { 1 };
            (size * own).div_ceil(8 * most[way])
        };
        let (across, down) = (units(0, self.width), units(1, self.height));
        let (symbols, places) = (symbols(), zigzag());
        let mut bits = Bits::default();
        let mut last = vec![0; self.factors.len()];
        for unit in 0..across * down {
            if self.restart > 0 && unit > 0 && unit % self.restart == 0 {
                bits.fill();
                bits.out
                    .extend([0xFF, 0xD0 + (unit / self.restart - 1) as u8 % 8]);
                last.fill(0);
            }
            for &n in scan {
                let [wide, high] = if alone { [1, 1] } else { self.factors[n] };
                for block in 0..wide * high {
                    let x = unit % across * wide + block % wide;
                    let y = unit / across * high + block / wide;
                    let mut samples = [[0; 8]; 8];
                    for (dy, row) in samples.iter_mut().enumerate() {
                        for (dx, sample) in row.iter_mut().enumerate() {
                            let px =
                                ((8 * x + dx) * most[0] / self.factors[n][0]).min(self.width - 1);
                            let py =
                                ((8 * y + dy) * most[1] / self.factors[n][1]).min(self.height - 1);
                            let at = (py * self.width + px) * self.factors.len() + n;
                            *sample = i64::from(pixels[at]) - 128;
                        }
                    }
                    let mut run = 0u8;
                    for (k, &[v, u]) in places.iter().enumerate() {
                        let value = coefficient(&samples, v, u) / self.step;
                        if k == 0 {
                            let more = value - last[n];
                            last[n] = value;
                            let (symbols, short) = &symbols[0];
                            bits.code(symbols, *short, length(more) as u8, more, length(more));
                        } else if value == 0 {
                            run += 1;
                        } else {
                            let (symbols, short) = &symbols[1];
                            while run > 15 {
                                bits.code(symbols, *short, 0xF0, 0, 0);
                                run -= 16;
                            }
                            bits.code(
                                symbols,
                                *short,
                                run << 4 | length(value) as u8,
                                value,
                                length(value),
                            );
                            run = 0;
                        }
                    }
                    if run > 0 {
                        bits.code(&symbols[1].0, symbols[1].1, 0, 0, 0);
                    }
                }
            }
        }
        bits.fill();
        out.extend(bits.out);
    }
}
