//! Which kernel runs.

use super::{Kernel, portable::Portable};
use crate::Error;
use std::sync::OnceLock;

/// The name of a kernel, as in the environment variable `VATIC_KERNEL`.
pub type KernelName = &'static str;

/// The kernels that this CPU runs, fastest first; the last one is the portable one.
pub(crate) fn available() -> &'static [&'static dyn Kernel] {
    static AVAILABLE: OnceLock<Vec<&'static dyn Kernel>> = OnceLock::new();
    AVAILABLE.get_or_init(|| {
        let mut kernels: Vec<&'static dyn Kernel> = Vec::new();
        #[cfg(target_arch = "x86_64")]
        if let Some(kernel) = super::avx2::Avx2::detect() {
            kernels.push(kernel);
        }
        kernels.push(Portable::get());
        kernels
    })
}

/// The kernel that `VATIC_KERNEL` names, or else the fastest.
pub(crate) fn best() -> Result<&'static dyn Kernel, Error> {
    match std::env::var("VATIC_KERNEL") {
        Ok(name) if !name.is_empty() => named(&name),
        _ => Ok(available()[0]),
    }
}

/// The kernel with the given name.
pub(crate) fn named(name: &str) -> Result<&'static dyn Kernel, Error> {
    let found = available().iter().find(|kernel| kernel.name() == name);
    found.copied().ok_or_else(|| Error::Kernel {
        asked: name.into(),
        available: names().collect::<Vec<_>>().join(", "),
    })
}

/// Names of the kernels that this CPU runs, fastest first.
pub fn names() -> impl Iterator<Item = KernelName> {
    available().iter().map(|kernel| kernel.name())
}
