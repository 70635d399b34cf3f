//! What is changed through a shared reference, and needs no flag that says whether somebody looks at it. Each such flag is written
//! and read again several times an event.
//!
//! **Leaves.** Each method of a [`Leaf`] takes and gives words, which are copied, and calls nothing but the collection's own
//! code, which knows of no leaf. So one call is over before the next begins, and no reference into the collection gets out.
//!
//! **Fixed values.** A [`Fixed`] makes its values in chunks, which it neither moves nor frees before it is dropped itself. So
//! there may be references to them while others are made.

use crate::timer_queue::{TimerKey, TimerQueue};
use std::cell::UnsafeCell;
use std::ptr::NonNull;

/// Values that stay where they are, however many more there will be. They are numbered.
pub(crate) struct Fixed<T>(Leaf<Vec<NonNull<[T; CHUNK]>>>);

/// So many values are made at a time.
const CHUNK: usize = 64;

impl<T> Default for Fixed<T> {
    fn default() -> Self {
        Fixed(Leaf(UnsafeCell::default()))
    }
}

impl<T> Fixed<T> {
    /// The value with this number, if there are so many.
    #[inline]
    pub(crate) fn get(&self, number: usize) -> Option<&T> {
        let chunk = self.0.get(number / CHUNK)?;
        // SAFETY: a chunk is freed with this, and not borrowed but for reading before.
        Some(&unsafe { chunk.as_ref() }[number % CHUNK])
    }

    /// The value with this number, which there has to be.
    #[inline]
    pub(crate) fn at(&self, number: usize) -> &T {
        self.get(number).unwrap_or_else(|| no_value(number))
    }
}

#[cold]
#[inline(never)]
fn no_value(number: usize) -> ! {
    panic!("no value has the number {number}")
}

impl<T: Default> Fixed<T> {
    /// Makes as many as are made at a time.
    #[cold]
    pub(crate) fn grow(&self) {
        let chunk = Box::new(std::array::from_fn(|_| T::default()));
        self.0.push(NonNull::from(Box::leak(chunk)));
    }
}

impl<T> Drop for Fixed<T> {
    fn drop(&mut self) {
        for chunk in self.0.get_mut().drain(..) {
            // SAFETY: each was leaked from a box, and nobody has it any more.
            drop(unsafe { Box::from_raw(chunk.as_ptr()) });
        }
    }
}

/// A collection of words that is changed through a shared reference.
pub(crate) struct Leaf<C>(UnsafeCell<C>);

impl<C: Default> Default for Leaf<C> {
    fn default() -> Self {
        Leaf(UnsafeCell::default())
    }
}

impl<C> Leaf<C> {
    pub(crate) const fn new(collection: C) -> Self {
        Leaf(UnsafeCell::new(collection))
    }

    pub(crate) fn get_mut(&mut self) -> &mut C {
        self.0.get_mut()
    }

    /// # Safety
    /// What is done with the reference does not come back to this leaf, and is over when the method is.
    #[expect(clippy::mut_from_ref, reason = "that is what it is for")]
    #[inline(always)]
    unsafe fn all(&self) -> &mut C {
        // SAFETY: so no two references to the collection meet.
        unsafe { &mut *self.0.get() }
    }
}

impl<T: Copy> Leaf<Vec<T>> {
    #[inline]
    pub(crate) fn push(&self, word: T) {
        // SAFETY: a vector's own code.
        unsafe { self.all() }.push(word);
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<T> {
        // SAFETY: likewise.
        unsafe { self.all() }.pop()
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        // SAFETY: likewise.
        unsafe { self.all() }.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // SAFETY: likewise.
        unsafe { self.all() }.is_empty()
    }

    #[inline]
    pub(crate) fn get(&self, place: usize) -> Option<T> {
        // SAFETY: likewise.
        unsafe { self.all() }.get(place).copied()
    }

    /// The one that is popped so many times later than the next.
    #[inline]
    pub(crate) fn later(&self, pops: usize) -> Option<T> {
        // SAFETY: likewise.
        let list = unsafe { self.all() };
        list.get(list.len().wrapping_sub(1 + pops)).copied()
    }
}

/// Words that come out in the order in which they went in. It is empty again and again, and who finds it so has it begin anew:
/// a ring would have to look for its end each time. Only who finds no room looks for words that are out.
pub(crate) struct Row<T> {
    words: Vec<T>,
    /// How many of them are out.
    out: usize,
}

impl<T> Default for Row<T> {
    fn default() -> Self {
        Row { words: Vec::new(), out: 0 }
    }
}

impl<T: Copy> Row<T> {
    /// Makes room: where half of the words are out, the others are moved to the front.
    #[cold]
    fn make_room(&mut self) {
        if self.out >= self.words.len().div_ceil(2) {
            self.words.drain(..self.out);
            self.out = 0;
        } else {
            self.words.reserve(1);
        }
    }
}

impl<T: Copy> Leaf<Row<T>> {
    #[inline]
    pub(crate) fn push_back(&self, word: T) {
        if !self.push_if_room(word) {
            self.push_after_all(word);
        }
    }

    /// False when that would take more than a few instructions, and nothing was done.
    #[inline]
    pub(crate) fn push_if_room(&self, word: T) -> bool {
        // SAFETY: a vector's own code.
        let words = &mut unsafe { self.all() }.words;
        let has_room = words.len() < words.capacity();
        if has_room {
            words.push(word);
        }
        has_room
    }

    #[cold]
    #[inline(never)]
    fn push_after_all(&self, word: T) {
        // SAFETY: likewise.
        let row = unsafe { self.all() };
        row.make_room();
        row.words.push(word);
    }

    #[inline]
    pub(crate) fn pop_front(&self) -> Option<T> {
        // SAFETY: likewise.
        let row = unsafe { self.all() };
        let Some(&word) = row.words.get(row.out) else {
            row.words.clear();
            row.out = 0;
            return None;
        };
        row.out += 1;
        Some(word)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // SAFETY: likewise.
        let row = unsafe { self.all() };
        row.out == row.words.len()
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        // SAFETY: likewise.
        unsafe { self.all() }.words.capacity()
    }

    pub(crate) fn peek(&self, place: usize) -> Option<T> {
        // SAFETY: likewise.
        let row = unsafe { self.all() };
        row.words.get(row.out + place).copied()
    }
}

/// The items are words that carry no code, so all that runs is the queue's.
impl<T: Copy> Leaf<TimerQueue<T>> {
    #[inline]
    pub(crate) fn insert(&self, deadline: u64, item: T) -> TimerKey {
        // SAFETY: the event queue's own code.
        unsafe { self.all() }.insert(deadline, item)
    }

    #[inline]
    pub(crate) fn is_live(&self, key: TimerKey) -> bool {
        // SAFETY: likewise.
        unsafe { self.all() }.is_live(key)
    }

    #[inline]
    pub(crate) fn cancel(&self, key: TimerKey) -> Option<T> {
        // SAFETY: likewise.
        unsafe { self.all() }.cancel(key)
    }

    pub(crate) fn replace(&self, key: TimerKey, item: T) -> Option<T> {
        // SAFETY: likewise.
        unsafe { self.all() }.replace(key, item)
    }

    #[inline]
    pub(crate) fn pop(&self, limit: u64) -> Option<(u64, T)> {
        // SAFETY: likewise.
        unsafe { self.all() }.pop(limit)
    }

    #[inline]
    pub(crate) fn are_many(&self) -> bool {
        // SAFETY: likewise.
        unsafe { self.all() }.are_many()
    }

    #[inline]
    pub(crate) fn next(&self) -> Option<T> {
        // SAFETY: likewise.
        unsafe { self.all() }.next()
    }

    /// The items of timers that come soon, if there are any to be told of.
    #[inline]
    pub(crate) fn take_soon(&self) -> Option<Vec<T>> {
        // SAFETY: likewise.
        unsafe { self.all() }.soon().map(std::mem::take)
    }
}
