//! Which kernel runs.

use super::{Kernel, check, portable::Portable};
use crate::Error;
use std::sync::OnceLock;

/// The name of a kernel, as in the environment variable `VATIC_KERNEL`.
pub type KernelName = &'static str;

/// The kernels whose instructions this CPU has, fastest first; the last one is the portable one.
pub(super) fn detected() -> impl Iterator<Item = &'static dyn Kernel> {
    #[cfg(target_arch = "x86_64")]
    let fast = [
        super::avx512vnni::Avx512Vnni::detect().map(|kernel| kernel as &dyn Kernel),
        super::avxvnni::AvxVnni::detect().map(|kernel| kernel as &dyn Kernel),
        super::avx2::Avx2::detect().map(|kernel| kernel as &dyn Kernel),
    ];
    #[cfg(target_arch = "aarch64")]
    let fast = [
        super::neon::NeonDot::detect().map(|kernel| kernel as &dyn Kernel),
        super::neon::Neon::detect().map(|kernel| kernel as &dyn Kernel),
    ];
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let fast = [Some(super::simd128::Simd128::get() as &dyn Kernel)];
    #[cfg(not(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        all(target_arch = "wasm32", target_feature = "simd128")
    )))]
    let fast: [Option<&dyn Kernel>; 0] = [];
    fast.into_iter()
        .flatten()
        .chain([Portable::get() as &dyn Kernel])
}

/// The kernel that `VATIC_KERNEL` names, or else the fastest that gives the portable kernel's bits.
pub(crate) fn best() -> Result<&'static dyn Kernel, Error> {
    static BEST: OnceLock<&'static dyn Kernel> = OnceLock::new();
    match std::env::var("VATIC_KERNEL") {
        Ok(name) if !name.is_empty() => named(&name),
        _ => Ok(*BEST.get_or_init(|| {
            let portable: &dyn Kernel = Portable::get();
            let mut fast = detected().filter(|kernel| kernel.name() != portable.name());
            fast.find(|&kernel| check::agrees(kernel))
                .unwrap_or(portable)
        })),
    }
}

/// The kernel with the given name, whether it is right or not.
pub(crate) fn named(name: &str) -> Result<&'static dyn Kernel, Error> {
    let found = detected().find(|kernel| kernel.name() == name);
    found.ok_or_else(|| Error::Kernel {
        asked: name.into(),
        available: names().collect::<Vec<_>>().join(", "),
    })
}

/// Names of the kernels whose instructions this CPU has, fastest first; the last is `"portable"`.
pub fn names() -> impl Iterator<Item = KernelName> {
    detected().map(|kernel| kernel.name())
}
