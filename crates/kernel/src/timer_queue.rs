//! The event queue: timers in (deadline, insertion) order, cancellable in O(1).
//!
//! A hierarchical timer wheel over all of `u64`: 4,096 slots of one tick, then nine aligned levels of 64 slots, each
//! 64 times as coarse as the one below. A timer goes to the level of the highest digit in which its deadline differs
//! from the cursor; when the first of a coarse slot are next, the cursor goes to the earliest of them, and the slot's timers
//! move down in order, each as far as it differs from that one: where timers are far apart, most move once. A timer can
//! reach a fine level directly only after the coarse slot above it was emptied, so ties keep their insertion order.
//!
//! Slots are circular doubly linked lists through one array, whose first entries are the slots' sentinels: removal
//! needs no search and no branch. Bitmaps find the next occupied slot in a few instructions.

use crate::foresight::{fetch, is_crowd};
use std::num::{NonZeroU32, NonZeroU64};

const FINE_BITS: u32 = 12;
const FINE_SLOTS: usize = 1 << FINE_BITS;
const COARSE_BITS: u32 = 6;
const COARSE_SLOTS: usize = 1 << COARSE_BITS;
/// 12 + 9 · 6 = 66 bits, so every `u64` deadline has a slot.
const COARSE_LEVELS: usize = 9;
/// So many at a time are foreseen, at most: what they touch has to fit into the cache.
const SOON_MAX: usize = 256;
/// So many timers later a free entry is used.
const INSERTED_AHEAD: usize = 8;
const SENTINELS: usize = FINE_SLOTS + COARSE_LEVELS * COARSE_SLOTS;

/// Names a timer until it fires or is cancelled; afterwards the key is dead and harmless.
///
/// One word, the entry's index above its generation: halves that are written apart and read as one would stall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerKey(NonZeroU64);

impl TimerKey {
    fn new(index: u32, generation: NonZeroU32) -> Self {
        TimerKey(NonZeroU64::from(generation) | u64::from(index) << 32)
    }

    fn index(self) -> u32 {
        (self.0.get() >> 32) as u32
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
    generation: NonZeroU32,
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
    free: Vec<u32>,
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
    pub fn insert(&mut self, deadline: u64, item: T) -> TimerKey {
        let deadline = deadline.max(self.cursor);
        let (index, generation) = match self.free.pop() {
            Some(index) => {
                let entry = &mut self.entries[index as usize];
                entry.deadline = deadline;
                entry.item = item;
                let generation = entry.generation;
                if is_crowd(self.entries.len()) {
                    self.fetch_free();
                }
                (index, generation)
            }
            None => {
                let generation = NonZeroU32::MIN;
                self.entries.push(Entry { deadline, item, generation });
                self.links.push(Link { prev: 0, next: 0 });
                ((self.entries.len() - 1) as u32, generation)
            }
        };
        self.link(index + SENTINELS as u32, self.slot_of(deadline));
        TimerKey::new(index, generation)
    }

    /// One of a crowd finds its entry in the cache.
    fn fetch_free(&self) {
        if let Some(place) = self.free.len().checked_sub(INSERTED_AHEAD) {
            let ahead = self.free[place] as usize;
            fetch(&self.entries[ahead]);
            fetch(&self.links[ahead + SENTINELS]);
        }
    }

    /// Removes a timer and returns its item, or `None` when it fired or was cancelled before.
    pub fn cancel(&mut self, key: TimerKey) -> Option<T> {
        self.live(key)?;
        Some(self.remove(key.index()))
    }

    /// Exchanges the item of a timer that still waits, keeping its place; returns the old one.
    pub fn replace(&mut self, key: TimerKey, item: T) -> Option<T> {
        let entry = self.live(key)?;
        Some(std::mem::replace(&mut entry.item, item))
    }

    /// Takes the earliest timer whose deadline is at most `limit`; among equal deadlines, the first inserted.
    pub fn pop(&mut self, limit: u64) -> Option<(u64, T)> {
        let slot = self.next_slot(limit)?;
        let node = self.links[slot].next;
        let next = self.links[node as usize].next;
        self.links[slot].next = next;
        self.links[next as usize].prev = slot as u32;
        if next == slot as u32 {
            self.clear_bit(slot);
        }
        Some((self.cursor, self.release(node - SENTINELS as u32)))
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
        (TimerKey::new(key.index(), entry.generation) == key).then_some(entry)
    }

    fn release(&mut self, index: u32) -> T {
        self.free.push(index);
        let entry = &mut self.entries[index as usize];
        entry.generation = entry.generation.checked_add(1).unwrap_or(NonZeroU32::MIN);
        entry.item
    }

    fn slot_of(&self, deadline: u64) -> usize {
        debug_assert!(deadline >= self.cursor, "nothing is placed in the past");
        let differs = deadline ^ self.cursor;
        if differs < FINE_SLOTS as u64 {
            return deadline as usize & (FINE_SLOTS - 1);
        }
        let level = (63 - differs.leading_zeros() - FINE_BITS) / COARSE_BITS;
        let digit = (deadline >> (FINE_BITS + COARSE_BITS * level)) as usize & (COARSE_SLOTS - 1);
        FINE_SLOTS + level as usize * COARSE_SLOTS + digit
    }

    /// The fine slot that holds the earliest timers, with the cursor moved to their deadline; `None` when they are
    /// later than `limit`. Never moves the cursor past `limit`.
    fn next_slot(&mut self, limit: u64) -> Option<usize> {
        loop {
            if self.fine_summary != 0 {
                let word = self.fine_summary.trailing_zeros() as usize;
                let slot = word * 64 + self.fine[word].trailing_zeros() as usize;
                let deadline = (self.cursor & !(FINE_SLOTS as u64 - 1)) | slot as u64;
                if deadline > limit {
                    return None;
                }
                debug_assert!(deadline >= self.cursor, "time does not go back");
                self.cursor = deadline;
                return Some(slot);
            }
            let level = self.coarse.iter().position(|&slots| slots != 0)?;
            let digit = self.coarse[level].trailing_zeros();
            let shift = FINE_BITS + COARSE_BITS * level as u32;
            let above = u64::MAX.checked_shl(shift + COARSE_BITS).unwrap_or(0);
            let start = (self.cursor & above) | u64::from(digit) << shift;
            if start > limit {
                return None;
            }
            debug_assert!(start > self.cursor, "the cursor's own coarse slots are empty");
            let slot = FINE_SLOTS + level * COARSE_SLOTS + digit as usize;
            let is_crowd = is_crowd(self.entries.len());
            if is_crowd {
                self.fetch_list(slot);
            }
            // Where they are later than the limit they move, too, so that nobody looks at all of them again and again.
            self.cursor = self.earliest(slot).min(limit);
            let foresees = is_crowd && start >= self.foreseen;
            self.cascade(slot, foresees.then(|| start.saturating_add(1 << shift)));
        }
    }

    /// The earliest deadline in a slot that is not empty.
    fn earliest(&self, slot: usize) -> u64 {
        let mut node = self.links[slot].next;
        let mut earliest = u64::MAX;
        while node != slot as u32 {
            earliest = earliest.min(self.entries[node as usize - SENTINELS].deadline);
            node = self.links[node as usize].next;
        }
        earliest
    }

    /// Moves the timers of the coarse slot that the cursor has entered to finer slots, in order. Those of them that are to
    /// be foreseen are before `foreseen`.
    fn cascade(&mut self, slot: usize, foreseen: Option<u64>) {
        let mut node = self.links[slot].next;
        let sentinel = slot as u32;
        self.links[slot] = Link { prev: sentinel, next: sentinel };
        self.clear_bit(slot);
        while node != sentinel {
            let next = self.links[node as usize].next;
            let Entry { deadline, item, .. } = self.entries[node as usize - SENTINELS];
            if foreseen.is_some() {
                self.soon.push(item);
            }
            self.link(node, self.slot_of(deadline));
            node = next;
        }
        if self.soon.len() > SOON_MAX {
            // A finer slot is soon enough.
            self.soon.clear();
        } else if let Some(foreseen) = foreseen {
            self.foreseen = foreseen;
        }
    }

    /// The links lie close together, and lead from one to the next; the entries are fetched all at once.
    fn fetch_list(&self, slot: usize) {
        let mut node = self.links[slot].next;
        while node != slot as u32 {
            fetch(&self.entries[node as usize - SENTINELS]);
            node = self.links[node as usize].next;
        }
    }

    fn link(&mut self, node: u32, slot: usize) {
        debug_assert_eq!(self.links.len(), SENTINELS + self.entries.len(), "each entry has its link");
        let last = self.links[slot].prev;
        self.links[node as usize] = Link { prev: last, next: slot as u32 };
        self.links[last as usize].next = node;
        self.links[slot].prev = node;
        if slot < FINE_SLOTS {
            self.fine[slot / 64] |= 1 << (slot % 64);
            self.fine_summary |= 1 << (slot / 64);
        } else {
            let coarse = slot - FINE_SLOTS;
            self.coarse[coarse / COARSE_SLOTS] |= 1 << (coarse % COARSE_SLOTS);
        }
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
        if slot < FINE_SLOTS {
            self.fine[slot / 64] &= !(1 << (slot % 64));
            if self.fine[slot / 64] == 0 {
                self.fine_summary &= !(1 << (slot / 64));
            }
        } else {
            let coarse = slot - FINE_SLOTS;
            self.coarse[coarse / COARSE_SLOTS] &= !(1 << (coarse % COARSE_SLOTS));
        }
    }
}

#[cfg(test)]
mod tests;
