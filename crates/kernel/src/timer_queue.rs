//! The event queue: timers in (deadline, insertion) order, cancellable in O(1).
//!
//! A hierarchical timer wheel over all of `u64`: 4,096 slots of one tick, then nine aligned levels of 64 slots, each
//! 64 times as coarse as the one below. A timer goes to the level of the highest digit in which its deadline differs
//! from the cursor; when the first of a coarse slot are next, the cursor goes to the earliest of them, and the slot's timers
//! move down in order, each as far as it differs from that one: where timers are far apart, most move once. A timer can
//! reach a fine level directly only after the coarse slot above it was emptied, so ties keep their insertion order.
//!
//! Slots are circular doubly linked lists through one array, whose first entries are the slots' sentinels: removal
//! needs no search and no branch. Bitmaps find the next occupied slot in a few instructions, and without a branch that
//! nobody can foresee: a wrong guess costs more than all the rest.

use crate::foresight::{fetch, fetch_near, is_crowd, is_many};
use std::num::NonZeroU64;

mod coarse;

const FINE_BITS: u32 = 12;
const FINE_SLOTS: usize = 1 << FINE_BITS;
const COARSE_BITS: u32 = 6;
const COARSE_SLOTS: usize = 1 << COARSE_BITS;
/// 12 + 9 · 6 = 66 bits, so every `u64` deadline has a slot.
const COARSE_LEVELS: usize = 9;
/// So many at a time are foreseen, at most: what they touch has to fit into the cache.
const SOON_MAX: usize = 512;
/// So many timers later a free entry is used.
const INSERTED_AHEAD: usize = 8;
const SENTINELS: usize = FINE_SLOTS + COARSE_LEVELS * COARSE_SLOTS;

/// Names a timer until it fires or is cancelled; afterwards the key is dead and harmless.
///
/// One word, the entry's index above its generation: halves that are written apart and read as one would stall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerKey(NonZeroU64);

impl TimerKey {
    /// Of a timer that waits: its generation is odd.
    fn new(index: u32, generation: u32) -> Self {
        TimerKey(NonZeroU64::MIN | u64::from(generation) | u64::from(index) << 32)
    }

    fn index(self) -> u32 {
        (self.0.get() >> 32) as u32
    }

    fn generation(self) -> u32 {
        self.0.get() as u32
    }
}

#[derive(Clone, Copy)]
struct Link {
    prev: u32,
    next: u32,
}

struct Entry<T> {
    deadline: u64,
    /// Stays behind when the timer is gone.
    item: T,
    /// Odd while a timer waits. Another one for each that comes or goes.
    generation: u32,
}

/// Timers that carry an item of type `T` each.
///
/// ```
/// use glasshive_kernel::TimerQueue;
///
/// let mut queue = TimerQueue::default();
/// queue.insert(20, "b");
/// queue.insert(10, "a");
/// let tie = queue.insert(20, "c");
/// queue.insert(20, "d");
/// assert_eq!(queue.cancel(tie), Some("c"));
/// assert_eq!(queue.pop(15), Some((10, "a")));
/// assert_eq!(queue.pop(15), None, "the next is later");
/// assert_eq!(queue.pop(20), Some((20, "b")));
/// assert_eq!(queue.pop(20), Some((20, "d")));
/// ```
pub struct TimerQueue<T> {
    /// Not later than any deadline in the queue; deadlines are placed relative to it.
    cursor: u64,
    /// Sentinels, then one link per entry.
    links: Vec<Link>,
    entries: Vec<Entry<T>>,
    /// The entries that are vacant.
    free: Vec<u32>,
    /// The occupied slots of the 64 ticks from `near_base` on; what `fine` and `fine_summary` have in their place means
    /// nothing. All others come later. For themselves, since the processor does not know of two words of a table that they
    /// are not one: each pop would wait until the insertion before it knows its slot.
    near: u64,
    near_base: u64,
    fine: [u64; FINE_SLOTS / 64],
    /// Which words of `fine` are not zero.
    fine_summary: u64,
    coarse: [u64; COARSE_LEVELS],
    /// The items of the timers that are next, for whoever prepares for them; told of once each.
    soon: Vec<T>,
    /// The items of timers before this were put there.
    foreseen: u64,
}

impl<T> Default for TimerQueue<T> {
    fn default() -> Self {
        let links = (0..SENTINELS as u32).map(|i| Link { prev: i, next: i }).collect();
        TimerQueue {
            cursor: 0,
            links,
            entries: Vec::new(),
            free: Vec::new(),
            near: 0,
            near_base: 0,
            fine: [0; FINE_SLOTS / 64],
            fine_summary: 0,
            coarse: [0; COARSE_LEVELS],
            soon: Vec::new(),
            foreseen: 0,
        }
    }
}

impl<T: Copy> TimerQueue<T> {
    /// Adds a timer. A deadline that has passed fires next, after those of its instant.
    ///
    /// What is seldom done is left to others, as the last thing: so nothing has to be saved from it.
    #[inline(never)]
    pub fn insert(&mut self, deadline: u64, item: T) -> TimerKey {
        let deadline = deadline.max(self.cursor);
        if deadline < self.near_base {
            return self.insert_before(deadline, item);
        }
        let Some(index) = self.free.pop() else {
            return self.insert_new(deadline, item);
        };
        let key = self.fill(index, deadline, item);
        if is_crowd(self.entries.len()) {
            return self.fetch_free(key);
        }
        key
    }

    #[cold]
    #[inline(never)]
    fn insert_new(&mut self, deadline: u64, item: T) -> TimerKey {
        self.free.push(self.entries.len() as u32);
        self.entries.push(Entry { deadline: 0, item, generation: 0 });
        self.links.push(Link { prev: 0, next: 0 });
        self.insert(deadline, item)
    }

    /// A timer comes before those that were thought to be next.
    #[cold]
    #[inline(never)]
    fn insert_before(&mut self, deadline: u64, item: T) -> TimerKey {
        self.clear_near();
        let slots = std::mem::take(&mut self.near);
        if slots != 0 {
            self.set_fine(self.near_base as usize % FINE_SLOTS / 64, slots);
        }
        self.near_base = deadline & !63;
        self.insert(deadline, item)
    }

    /// Puts a timer into an entry that was vacant.
    #[inline]
    fn fill(&mut self, index: u32, deadline: u64, item: T) -> TimerKey {
        let entry = &mut self.entries[index as usize];
        entry.deadline = deadline;
        entry.item = item;
        entry.generation = entry.generation.wrapping_add(1);
        let key = TimerKey::new(index, entry.generation);
        self.place(index + SENTINELS as u32, deadline);
        key
    }

    /// One of a crowd finds its entry in the cache. Gives back the key that it is given.
    #[cold]
    #[inline(never)]
    fn fetch_free(&self, key: TimerKey) -> TimerKey {
        if let Some(place) = self.free.len().checked_sub(INSERTED_AHEAD) {
            let ahead = self.free[place] as usize;
            fetch(&self.entries[ahead]);
            fetch(&self.links[ahead + SENTINELS]);
        }
        key
    }

    /// Removes a timer and returns its item, or `None` when it fired or was cancelled before.
    pub fn cancel(&mut self, key: TimerKey) -> Option<T> {
        self.live(key)?;
        Some(self.remove(key.index()))
    }

    /// True until a timer fires or is cancelled.
    #[inline]
    pub(crate) fn is_live(&self, key: TimerKey) -> bool {
        let entry = self.entries.get(key.index() as usize);
        entry.is_some_and(|entry| entry.generation == key.generation())
    }

    /// Exchanges the item of a timer that still waits, keeping its place; returns the old one.
    pub fn replace(&mut self, key: TimerKey, item: T) -> Option<T> {
        let entry = self.live(key)?;
        Some(std::mem::replace(&mut entry.item, item))
    }

    /// Takes the earliest timer whose deadline is at most `limit`; among equal deadlines, the first inserted.
    #[inline]
    pub fn pop(&mut self, limit: u64) -> Option<(u64, T)> {
        if self.near == 0 && !self.advance(limit) {
            return None;
        }
        let bit = u64::from(self.near.trailing_zeros() % 64);
        let deadline = self.near_base | bit;
        if deadline > limit {
            return None;
        }
        debug_assert!(deadline >= self.cursor, "time does not go back");
        self.cursor = deadline;
        let slot = deadline as usize % FINE_SLOTS;
        let node = self.links[slot].next;
        let next = self.links[node as usize].next;
        self.links[slot].next = next;
        self.links[next as usize].prev = slot as u32;
        // Whether it was the last of its instant nobody can predict: without a branch.
        self.near &= !(u64::from(next == slot as u32) << bit);
        Some((deadline, self.release(node - SENTINELS as u32)))
    }

    /// True when there are so many timers that it pays to know the next ones.
    #[inline]
    pub(crate) fn are_many(&self) -> bool {
        is_many(self.entries.len())
    }

    /// The item of the timer that is next, if that is easily told. The entry of the one after it is asked for.
    #[inline]
    pub(crate) fn next(&self) -> Option<T> {
        if self.near == 0 {
            return None;
        }
        let slot = (self.near_base | u64::from(self.near.trailing_zeros() % 64)) as usize % FINE_SLOTS;
        let node = self.links[slot].next as usize;
        let entry = self.entries.get(node.wrapping_sub(SENTINELS))?;
        let after = (self.links[node].next as usize).wrapping_sub(SENTINELS);
        fetch_near(self.entries.as_ptr().wrapping_add(after).cast());
        Some(entry.item)
    }

    /// Hands out the items of timers that are next, some of which may be gone meanwhile.
    #[inline]
    pub(crate) fn soon(&mut self) -> Option<&mut Vec<T>> {
        (!self.soon.is_empty()).then_some(&mut self.soon)
    }

    /// How many timers wait.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// True when no timer waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn remove(&mut self, index: u32) -> T {
        self.unlink(index + SENTINELS as u32);
        self.release(index)
    }

    fn live(&mut self, key: TimerKey) -> Option<&mut Entry<T>> {
        let entry = self.entries.get_mut(key.index() as usize)?;
        (entry.generation == key.generation()).then_some(entry)
    }

    fn release(&mut self, index: u32) -> T {
        let entry = &mut self.entries[index as usize];
        entry.generation = entry.generation.wrapping_add(1);
        let item = entry.item;
        self.free.push(index);
        item
    }

    /// Puts an entry that is in no list into its slot's.
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn place(&mut self, node: u32, deadline: u64) {
        debug_assert!(deadline >= self.cursor, "nothing is placed in the past");
        debug_assert_eq!(self.links.len(), SENTINELS + self.entries.len(), "each entry has its link");
        let differs = deadline ^ self.near_base;
        let slot = if differs < FINE_SLOTS as u64 {
            debug_assert!(deadline >= self.near_base, "none comes before those that are next");
            let (word, bit) = (deadline as usize % FINE_SLOTS / 64, 1 << (deadline % 64));
            // Whether it is one of the next nobody can predict: without a branch.
            self.near |= if (deadline ^ self.near_base) < 64 { bit } else { 0 };
            self.set_fine(word, bit);
            deadline as usize % FINE_SLOTS
        } else {
            let level = (63 - differs.leading_zeros() - FINE_BITS) / COARSE_BITS;
            let digit = (deadline >> (FINE_BITS + COARSE_BITS * level)) as usize & (COARSE_SLOTS - 1);
            self.coarse[level as usize] |= 1 << digit;
            FINE_SLOTS + level as usize * COARSE_SLOTS + digit
        };
        // Not `self.links`: the compiler would look up where it lies again and again.
        let links = self.links.as_mut_slice();
        let last = std::mem::replace(&mut links[slot].prev, node);
        links[last as usize].next = node;
        links[node as usize] = Link { prev: last, next: slot as u32 };
    }

    #[inline]
    fn set_fine(&mut self, word: usize, slots: u64) {
        let before = self.fine[word % 64];
        self.fine[word % 64] = before | slots;
        // Most often others are there: a branch that is foreseen, where a write would make the next pop wait.
        if before == 0 {
            self.fine_summary |= 1 << word;
        }
    }

    /// Forgets what stands in the place of the next 64 ticks in `fine`.
    #[inline]
    fn clear_near(&mut self) {
        let word = self.near_base as usize % FINE_SLOTS / 64;
        self.fine[word] = 0;
        self.fine_summary &= !(1 << word);
    }

    /// Goes to the next 64 ticks that have timers. False when all are later than `limit`, or perhaps so.
    #[inline(never)]
    fn advance(&mut self, limit: u64) -> bool {
        self.clear_near();
        if self.fine_summary == 0 && !self.refill(limit) {
            return false;
        }
        if self.near == 0 {
            let word = self.fine_summary.trailing_zeros() as usize % 64;
            self.near = self.fine[word];
            self.near_base = (self.cursor & !(FINE_SLOTS as u64 - 1)) | (word as u64 * 64);
        }
        true
    }

    fn unlink(&mut self, node: u32) {
        let Link { prev, next } = self.links[node as usize];
        self.links[prev as usize].next = next;
        self.links[next as usize].prev = prev;
        if prev == next {
            // Only the sentinel is left.
            self.clear_bit(prev as usize);
        }
    }

    fn clear_bit(&mut self, slot: usize) {
        let bit = !(1 << (slot % 64));
        if slot >= FINE_SLOTS {
            self.coarse[(slot - FINE_SLOTS) / COARSE_SLOTS] &= bit;
        } else if slot / 64 == self.near_base as usize % FINE_SLOTS / 64 {
            self.near &= bit;
        } else {
            self.fine[slot / 64] &= bit;
            if self.fine[slot / 64] == 0 {
                self.fine_summary &= !(1 << (slot / 64));
            }
        }
    }
}

#[cfg(test)]
mod tests;
