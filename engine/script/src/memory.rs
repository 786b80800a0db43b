//! How much memory a thread holds: an allocator that counts.
//!
//! Rhai's own limits do not bound memory: closures, call frames and curried pointers escape them
//! and reach gigabytes while every limit passes. So the binary installs [`CountingAllocator`], and
//! a script is stopped when its thread holds too much. Nothing here decides what too much is.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    // Constant and without a destructor: touching these never allocates, also while a thread ends.
    static HELD: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

/// An allocator, counting per thread what is taken from it and given back.
///
/// The binary that evaluates scripts installs it, otherwise the memory budget of a script can not
/// be held and [`Scripts::new`](crate::Scripts::new) refuses to work:
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: beistand_script::CountingAllocator = beistand_script::CountingAllocator::system();
/// # fn main() {
/// assert!(beistand_script::budget_is_enforced());
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct CountingAllocator<A = System>(A);

impl CountingAllocator {
    /// Counts over the system's allocator.
    pub const fn system() -> Self {
        Self(System)
    }
}

impl<A> CountingAllocator<A> {
    /// Counts over another allocator.
    pub const fn over(allocator: A) -> Self {
        Self(allocator)
    }
}

/// Whether this program counts its memory, that is: whether [`CountingAllocator`] is installed.
pub fn budget_is_enforced() -> bool {
    let before = HELD.get();
    let probe = std::hint::black_box(Box::new([0_u8; 64]));
    let counted = HELD.get() != before;
    drop(probe);
    counted
}

/// Bytes that this thread took and did not give back. Below zero where it freed what others took.
pub(crate) fn held() -> i64 {
    HELD.get()
}

/// The most this thread held since [`reset_peak`].
pub(crate) fn peak() -> i64 {
    PEAK.get()
}

/// Starts a new measurement of [`peak`].
pub(crate) fn reset_peak() {
    PEAK.set(HELD.get());
}

/// A layout never exceeds `isize::MAX` bytes, so the fallback is never taken.
fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn count(change: i64) {
    let held = HELD.get().wrapping_add(change);
    HELD.set(held);
    if held > PEAK.get() {
        PEAK.set(held);
    }
}

#[expect(unsafe_code, reason = "an allocator can not be written without; it only counts")]
// SAFETY: every call goes to the allocator below with its arguments unchanged, and its answer is
// handed on unchanged. Counting neither allocates nor panics.
unsafe impl<A: GlobalAlloc> GlobalAlloc for CountingAllocator<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, handed on.
        let block = unsafe { self.0.alloc(layout) };
        if !block.is_null() {
            count(signed(layout.size()));
        }
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, handed on.
        let block = unsafe { self.0.alloc_zeroed(layout) };
        if !block.is_null() {
            count(signed(layout.size()));
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, handed on.
        unsafe { self.0.dealloc(block, layout) };
        count(-signed(layout.size()));
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise, handed on.
        let moved = unsafe { self.0.realloc(block, layout, size) };
        if !moved.is_null() {
            // Both blocks may exist for a moment; the peak counts the new one on top.
            count(signed(size));
            count(-signed(layout.size()));
        }
        moved
    }
}
