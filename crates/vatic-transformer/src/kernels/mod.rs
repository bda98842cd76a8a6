//! The kernels: one file for each set of instructions, all behind one trait, all with the same bits.
//!
//! The fastest that the CPU runs is chosen when a [`crate::Session`] is made. The environment variable `VATIC_KERNEL` forces
//! one by name, for tests. Before a kernel is used for the first time it is compared with the portable one on random and
//! extreme inputs; one that differs is passed over.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512vnni;
#[cfg(target_arch = "x86_64")]
mod avxvnni;
mod check;
mod choose;
mod measure;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    all(target_arch = "wasm32", target_feature = "simd128")
))]
mod tile;

use crate::Packed;
use crate::attention::{Products, Scratch, View};
use crate::numerics::{self, Quantised};
use crate::packed::PANEL;
pub use choose::KernelName;
pub use choose::names;
pub(crate) use choose::{best, named};
#[doc(hidden)]
pub use measure::{Product, peak};
use std::ops::Range;

/// Rows of quantised activations, `padded_inputs` apart.
pub(crate) struct Activations<'a> {
    pub levels: &'a [i8],
    pub rows: &'a [Quantised],
    /// Length of a row: a multiple of 4.
    pub length: usize,
}

/// The product with a packed matrix, exact in every kernel.
pub(crate) trait Linear {
    /// `out[row][n] = (f32)(x[row] · w[n]) · (scale[row] · scale[n])`, or that added to `out`, for the outputs of `panels` only:
    /// rows of `out` are 16 numbers for each panel long.
    ///
    /// # Safety
    /// The CPU has the instructions of the implementing kernel.
    unsafe fn linear(
        x: &Activations,
        weights: &Packed,
        panels: Range<usize>,
        out: &mut [f32],
        add: bool,
    );
}

/// All that a session computes with vectors.
pub(crate) trait Kernel: Sync {
    fn name(&self) -> &'static str;
    fn linear(
        &self,
        x: &Activations,
        weights: &Packed,
        panels: Range<usize>,
        out: &mut [f32],
        add: bool,
    );
    fn attend(
        &self,
        queries: &[i8],
        query_scales: &[f32],
        view: &View,
        scratch: &mut Scratch,
        out: &mut [f32],
    );
    fn normalise(&self, x: &mut [f32]);
    fn mix(&self, x: &mut [f32], e: &[f32], mix: [f32; 2]);
    fn norm_quantise(&self, x: &[f32], q: &mut [i8]) -> Quantised;
    fn quantise(&self, x: &[f32], q: &mut [i8]) -> Quantised;
    fn relu2_quantise(&self, x: &mut [f32], q: &mut [i8]) -> Quantised;
    /// A query or key head: the norm and `factor` go into the scale, then rotated.
    fn rotate_quantise(
        &self,
        x: &mut [f32],
        rope: (&[f32], &[f32]),
        factor: f32,
        q: &mut [i8],
    ) -> f32;
    /// From the bits of scores to weights, in place; those outside `seen` do not count.
    fn weights(&self, weights: &mut [u32], seen: Range<usize>);
}

/// Compiles the whole of the arithmetic for a set of CPU features. The `f32` part is the same Rust source for all, written so
/// that the compiler turns it into vector instructions; it never changes the order of `f32` operations nor fuses them.
macro_rules! define_kernel {
    ($kernel:ident, $name:literal, [$($feature:literal)?]) => {
        #[doc = concat!("The kernel `", $name, "`: a value of it exists only where the CPU runs it.")]
        pub(crate) struct $kernel {
            _private: (),
        }

        impl crate::kernels::Kernel for $kernel {
            fn name(&self) -> &'static str {
                $name
            }

            crate::kernels::define_kernel!(@method $kernel [$($feature)?] linear(
                x: &crate::kernels::Activations, weights: &crate::packed::Packed, panels: std::ops::Range<usize>,
                out: &mut [f32], add: bool));
            crate::kernels::define_kernel!(@method $kernel [$($feature)?] attend(
                queries: &[i8], query_scales: &[f32], view: &crate::attention::View,
                scratch: &mut crate::attention::Scratch, out: &mut [f32]));
            crate::kernels::define_kernel!(@method $kernel [$($feature)?] normalise(x: &mut [f32]));
            crate::kernels::define_kernel!(@method $kernel [$($feature)?] mix(x: &mut [f32], e: &[f32], mix: [f32; 2]));
            crate::kernels::define_kernel!(@method $kernel [$($feature)?] norm_quantise(
                x: &[f32], q: &mut [i8]) -> crate::numerics::Quantised);
            crate::kernels::define_kernel!(@method $kernel [$($feature)?] quantise(
                x: &[f32], q: &mut [i8]) -> crate::numerics::Quantised);
            crate::kernels::define_kernel!(@method $kernel [$($feature)?] relu2_quantise(
                x: &mut [f32], q: &mut [i8]) -> crate::numerics::Quantised);
            crate::kernels::define_kernel!(@method $kernel [$($feature)?] rotate_quantise(
                x: &mut [f32], rope: (&[f32], &[f32]), factor: f32, q: &mut [i8]) -> f32);
            crate::kernels::define_kernel!(@method $kernel [$($feature)?] weights(weights: &mut [u32], seen: std::ops::Range<usize>));
        }
    };
    (@method $kernel:ident [$($feature:literal)?] $method:ident($($argument:ident: $kind:ty),*) $(-> $result:ty)?) => {
        fn $method(&self, $($argument: $kind),*) $(-> $result)? {
            $(#[target_feature(enable = $feature)])?
            fn compiled($($argument: $kind),*) $(-> $result)? {
                // SAFETY: compiled for the features of this kernel.
                #[allow(unused_unsafe)]
                unsafe { crate::kernels::generic::$method::<$kernel>($($argument),*) }
            }
            // SAFETY: a value of this type exists only where the CPU has the features.
            #[allow(unused_unsafe)]
            unsafe { compiled($($argument),*) }
        }
    };
}
pub(crate) use define_kernel;

/// The bodies that [`define_kernel`] compiles for each kernel.
///
/// # Safety
/// For all of them: the CPU has the instructions of `K`.
// The f32 part is the same for all kernels and does not use `K`; the macro names it all the same.
#[allow(clippy::extra_unused_type_parameters)]
pub(crate) mod generic {
    use super::*;

    #[inline(always)]
    pub unsafe fn linear<K: Linear>(
        x: &Activations,
        weights: &Packed,
        panels: Range<usize>,
        out: &mut [f32],
        add: bool,
    ) {
        assert!(x.length == weights.padded_inputs() && x.levels.len() == x.rows.len() * x.length);
        assert!(panels.start <= panels.end && panels.end <= weights.panels());
        assert_eq!(out.len(), x.rows.len() * panels.len() * PANEL);
        // SAFETY: the caller's promise.
        unsafe { K::linear(x, weights, panels, out, add) }
    }

    #[inline(always)]
    pub unsafe fn attend<K: Products>(
        queries: &[i8],
        query_scales: &[f32],
        view: &View,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        // SAFETY: the caller's promise.
        unsafe { crate::attention::attend::<K>(queries, query_scales, view, scratch, out) }
    }

    #[inline(always)]
    pub unsafe fn normalise<K>(x: &mut [f32]) {
        numerics::normalise(x);
    }

    #[inline(always)]
    pub unsafe fn mix<K>(x: &mut [f32], e: &[f32], mix: [f32; 2]) {
        numerics::mix(x, e, mix);
    }

    #[inline(always)]
    pub unsafe fn norm_quantise<K>(x: &[f32], q: &mut [i8]) -> Quantised {
        numerics::norm_quantise(x, q)
    }

    #[inline(always)]
    pub unsafe fn quantise<K>(x: &[f32], q: &mut [i8]) -> Quantised {
        numerics::quantise(x, 1.0, q)
    }

    #[inline(always)]
    pub unsafe fn relu2_quantise<K>(x: &mut [f32], q: &mut [i8]) -> Quantised {
        numerics::relu2(x);
        numerics::quantise(x, 1.0, q)
    }

    #[inline(always)]
    pub unsafe fn rotate_quantise<K>(
        x: &mut [f32],
        (cos, sin): (&[f32], &[f32]),
        factor: f32,
        q: &mut [i8],
    ) -> f32 {
        let factor = numerics::inverse_rms(x) * factor;
        numerics::rotate(x, cos, sin);
        numerics::quantise(x, factor, q).scale
    }

    #[inline(always)]
    pub unsafe fn weights<K>(weights: &mut [u32], seen: Range<usize>) {
        numerics::weights(weights, seen);
    }
}
