//! The thread's floating-point mode: rounding to nearest even, denormals computed.

/// While this lives, the thread computes in the default mode; dropping it restores the mode found.
pub(crate) struct DefaultMode {
    found: Option<Word>,
}

#[cfg(target_arch = "x86_64")]
type Word = u32;
#[cfg(not(target_arch = "x86_64"))]
type Word = u64;

impl DefaultMode {
    pub(crate) fn enter() -> DefaultMode {
        let found = read();
        if found & MASK == DEFAULT & MASK {
            return DefaultMode { found: None };
        }
        write(DEFAULT);
        DefaultMode { found: Some(found) }
    }
}

impl Drop for DefaultMode {
    fn drop(&mut self) {
        if let Some(found) = self.found {
            write(found);
        }
    }
}

/// MXCSR: all exceptions masked, nearest even, neither flush-to-zero nor denormals-are-zero.
#[cfg(target_arch = "x86_64")]
const DEFAULT: Word = 0x1f80;
/// All but the six sticky exception flags.
#[cfg(target_arch = "x86_64")]
const MASK: Word = 0xffc0;

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn read() -> Word {
    let mut word = 0;
    // SAFETY: stmxcsr stores 4 bytes to the address given, which is a live u32.
    unsafe {
        std::arch::asm!("stmxcsr [{}]", in(reg) &mut word, options(nostack, preserves_flags))
    };
    word
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn write(word: Word) {
    // SAFETY: ldmxcsr loads 4 bytes from a live u32; the word is the default or was read from this register, so valid.
    unsafe {
        std::arch::asm!("ldmxcsr [{}]", in(reg) &word, options(nostack, preserves_flags, readonly))
    };
}

/// FPCR: nearest even, no flush-to-zero, no default-NaN, no traps.
#[cfg(not(target_arch = "x86_64"))]
const DEFAULT: Word = 0;
#[cfg(not(target_arch = "x86_64"))]
const MASK: Word = 0x07ff_9f07;

#[cfg(all(target_arch = "aarch64", not(miri)))]
fn read() -> Word {
    let word;
    // SAFETY: reading FPCR has no effect on memory.
    unsafe {
        std::arch::asm!("mrs {}, fpcr", out(reg) word, options(nomem, nostack, preserves_flags))
    };
    word
}

#[cfg(all(target_arch = "aarch64", not(miri)))]
fn write(word: Word) {
    // SAFETY: the word is the default or was read from this register, so valid.
    unsafe { std::arch::asm!("msr fpcr, {}", in(reg) word, options(nostack, preserves_flags)) };
}

/// Other architectures have no mode that Rust programs come across, and Miri knows no assembly.
#[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn read() -> Word {
    DEFAULT
}

#[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn write(_: Word) {}
