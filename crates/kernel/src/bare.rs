//! The four things that safe Rust has no words for: a task's future in memory that is used again, a waker that costs nothing
//! until somebody keeps it, collections that need no flag (`leaf.rs`), and lists that lead to tasks without a number (`slot.rs`,
//! `slots.rs`). All of the kernel's `unsafe` is here, but for the hints of `foresight.rs`.
//!
//! **Blocks.** A [`Task`] owns one block of memory, which holds a future of the type that its pointer's table tells, and
//! which nothing else points at. The block comes from the global allocator, with the layout that [`layout_of`] gives for
//! the future's: so whoever has the task alone can give it back. A [`Pool`] keeps blocks that hold nothing any more, in a
//! list for each size. The lists are beside the blocks: of a crowd's each is cold, and is asked for before its turn.
//!
//! **Wakers.** The waker that [`Polling::lend`] lends to futures points at the `Polling` itself, which outlives the loan.
//! Only a copy of it can be kept or woken later, and a copy is a waker of safe make. What is reached through the pointer
//! may be used by any thread.
#![allow(unsafe_code)]

mod leaf;
mod slot;
mod slots;

pub(crate) use leaf::{Fixed, Leaf, Row};
pub(crate) use slot::{NOBODY, Slot, State};
pub(crate) use slots::{Due, Fired, Slots};

use crate::foresight::{Work, fetch_near, is_many, lines};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::task::{RawWaker, RawWakerVTable, Waker};

/// Blocks are multiples of this.
const STEP: usize = 32;
/// Larger ones are not kept.
const SIZES: usize = 64;
/// So many tasks later a vacant block is used.
const PUT_AHEAD: usize = 8;
/// What every allocator gives without further ado.
const ALIGN: usize = 2 * size_of::<usize>();

/// A future that is polled in place until it is dropped.
pub(crate) struct Task(NonNull<dyn Block>);

/// What is in a block, and knows which.
trait Block: Work {
    /// Drops it, and says its block's place among the sizes, or `SIZES`: one look into its table, where the size and the
    /// alignment are two, and sums.
    ///
    /// # Safety
    /// Nobody uses it any more.
    unsafe fn vacate(&mut self) -> usize;
}

impl<F: Work> Block for F {
    unsafe fn vacate(&mut self) -> usize {
        // SAFETY: it is dropped once, in its place.
        unsafe { ptr::drop_in_place(self) };
        const {
            match layout_of(Layout::new::<F>()).1 {
                Some(size) => size,
                None => SIZES,
            }
        }
    }
}

/// Blocks of memory that tasks have left behind.
pub(crate) struct Pool {
    /// By size: each was allocated with its layout, holds nothing, and is nobody else's.
    vacant: [Leaf<Vec<NonNull<u8>>>; SIZES],
}

/// How a block for such a value is allocated, and its place among the sizes, if it has one.
#[inline]
const fn layout_of(value: Layout) -> (Layout, Option<usize>) {
    let bytes = if value.size() == 0 { 1 } else { value.size() };
    let steps = bytes.div_ceil(STEP);
    if value.align() <= ALIGN && steps <= SIZES {
        return (kept(steps - 1), Some(steps - 1));
    }
    // SAFETY: as valid as the value's own, which has at most one byte less.
    (unsafe { Layout::from_size_align_unchecked(bytes, value.align()) }, None)
}

/// The layout of a block with this place among the sizes.
const fn kept(size: usize) -> Layout {
    // SAFETY: a power of two, and a size that is far from the largest.
    unsafe { Layout::from_size_align_unchecked((size + 1) * STEP, ALIGN) }
}

/// A new block.
#[cold]
fn allocate(block: Layout) -> NonNull<u8> {
    // SAFETY: the layouts of `layout_of` have at least one byte.
    let start = unsafe { alloc(block) };
    NonNull::new(start).unwrap_or_else(|| handle_alloc_error(block))
}

impl Default for Pool {
    fn default() -> Self {
        Pool { vacant: [const { Leaf::new(Vec::new()) }; SIZES] }
    }
}

impl Pool {
    /// Puts a future into a block.
    #[inline]
    pub(crate) fn put<F: Work + 'static>(&self, future: F) -> Task {
        let (block, size) = const { layout_of(Layout::new::<F>()) };
        let block = match size {
            Some(size) => self.take(size),
            None => allocate(block),
        };
        let block = block.cast::<F>();
        // SAFETY: the block is nobody else's, and has the size and the alignment that an `F` needs.
        unsafe { block.write(future) };
        Task(block)
    }

    /// A block with this place among the sizes.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    fn take(&self, size: usize) -> NonNull<u8> {
        let vacant = &self.vacant[size];
        let Some(block) = vacant.pop() else {
            return allocate(kept(size));
        };
        if is_many(vacant.len()) {
            self.fetch_vacant(size);
        }
        block
    }

    /// One of many finds its block in the cache.
    #[cold]
    #[inline(never)]
    fn fetch_vacant(&self, size: usize) {
        if let Some(ahead) = self.vacant[size].later(PUT_AHEAD) {
            lines(ahead.as_ptr(), kept(size).size());
        }
    }

    /// Drops a task, and keeps its block.
    pub(crate) fn drop(&self, task: Task) {
        let mut future = ManuallyDrop::new(task).0;
        // SAFETY: the task owns its block.
        let value = Layout::for_value(unsafe { future.as_ref() });
        // SAFETY: the task was handed over, so nothing points at the future but this.
        let size = unsafe { future.as_mut().vacate() };
        let start = future.cast();
        match self.vacant.get(size) {
            Some(vacant) => vacant.push(start),
            // SAFETY: it was allocated with this layout.
            None => unsafe { dealloc(start.as_ptr(), layout_of(value).0) },
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        for (size, vacant) in self.vacant.iter_mut().enumerate() {
            for block in vacant.get_mut().drain(..) {
                // SAFETY: each block in this list was allocated with this layout, and holds nothing.
                unsafe { dealloc(block.as_ptr(), kept(size)) };
            }
        }
    }
}

impl Task {
    /// Its future, to be looked at.
    pub(crate) fn work(&self) -> &dyn Work {
        // SAFETY: the task owns its block, which holds a future until it is dropped.
        unsafe { self.0.as_ref() }
    }

    /// Has the beginning of the future at hand.
    #[inline]
    pub(crate) fn fetch_near(&self) {
        let start: *const u8 = self.0.as_ptr().cast();
        #[cfg(target_arch = "wasm32")]
        // SAFETY: each block has so many bytes, and nobody writes to this one meanwhile. Whether they hold anything does not
        // matter to what is read.
        unsafe {
            start.cast::<std::mem::MaybeUninit<u8>>().read_volatile();
        }
        fetch_near(start);
    }
}

/// Where there is no pool at hand the block goes back to where it came from.
impl Drop for Task {
    fn drop(&mut self) {
        // SAFETY: as in `Pool::drop`.
        unsafe {
            let (block, _) = layout_of(Layout::for_value(self.0.as_ref()));
            self.0.as_mut().vacate();
            dealloc(self.0.as_ptr().cast(), block);
        }
    }
}

/// Makes wakers that can be kept.
pub(crate) trait Keep: Send + Sync {
    /// A waker for the task in the slot with this number.
    fn waker(&self, slot: u32) -> Waker;
    /// Wakes that task.
    fn wake(&self, slot: u32);
}

/// A waker on loan.
pub(crate) struct Lent<'a> {
    waker: ManuallyDrop<Waker>,
    polling: PhantomData<&'a ()>,
}

/// Who is being polled, and the waker that it is polled with.
struct Polling<K> {
    /// The slot of the task that is being polled.
    current: AtomicPtr<Slot>,
    keep: K,
}

impl<K: Keep> Polling<K> {
    const TABLE: RawWakerVTable = RawWakerVTable::new(Self::copy, Self::wake, Self::wake, |_| {});

    fn new(keep: K) -> Self {
        Polling { current: AtomicPtr::default(), keep }
    }

    /// True if the waker is the one that was lent, and no copy of it.
    #[inline]
    fn is_own(&self, waker: &Waker) -> bool {
        ptr::eq(waker.data(), (&raw const *self).cast())
    }

    /// The waker that tasks are polled with.
    fn lend(&self) -> Lent<'_> {
        // SAFETY: `TABLE` keeps the contract: it is called with a pointer to this, which outlives the waker, since the waker
        // is never dropped, and never moved from where it is; copies do not point here.
        let waker = unsafe { Waker::new((&raw const *self).cast(), &Self::TABLE) };
        Lent { waker: ManuallyDrop::new(waker), polling: PhantomData }
    }

    /// # Safety
    /// `data` is what `lend` has put beside `TABLE`, and what it has lent is not given back.
    unsafe fn of<'a>(data: *const ()) -> &'a Self {
        // SAFETY: who has the waker has borrowed it.
        unsafe { &*data.cast() }
    }

    /// The number of the slot whose task is being polled, for which its waker asks.
    fn slot(&self) -> Option<u32> {
        let slot = NonNull::new(self.current.load(Ordering::Relaxed))?;
        // SAFETY: who asks has a waker that was lent, so the slot is there; and its number is never written again.
        Some(unsafe { (*slot.as_ptr()).name.index.get() })
    }

    unsafe fn copy(data: *const ()) -> RawWaker {
        // SAFETY: a waker that was lent is used before it is given back.
        let polling = unsafe { Self::of(data) };
        // Its parts go into the copy, which drops them. Who has ended is not woken any more.
        let waker = polling.slot().map_or(Waker::noop().clone(), |slot| polling.keep.waker(slot));
        let waker = ManuallyDrop::new(waker);
        RawWaker::new(waker.data(), waker.vtable())
    }

    unsafe fn wake(data: *const ()) {
        // SAFETY: as in `copy`.
        let polling = unsafe { Self::of(data) };
        if let Some(slot) = polling.slot() {
            polling.keep.wake(slot);
        }
    }
}

#[cfg(test)]
mod tests;
