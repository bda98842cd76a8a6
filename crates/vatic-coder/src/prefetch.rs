//! Asks for cache lines before they are needed: the tables of histories are larger than any cache.

/// Has the cache line of `slice[index]` fetched, without waiting for it. Where there is no instruction for it, nothing happens;
/// nor does anything if `index` is outside.
#[inline(always)]
pub fn prefetch<T>(slice: &[T], index: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if let Some(element) = slice.get(index) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the instruction is part of every x86-64 processor, and only a hint about an address that is valid here.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(element).cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = (slice, index);
}
