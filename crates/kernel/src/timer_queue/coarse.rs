//! The coarse levels of the wheel: how their timers move down.

use super::{COARSE_BITS, COARSE_SLOTS, Entry, FINE_BITS, FINE_SLOTS, Link, SENTINELS, SOON_MAX, TimerQueue};
use crate::foresight::{fetch, is_crowd};

impl<T: Copy> TimerQueue<T> {
    /// Moves timers of coarse slots to the fine ones, which are empty. False when all are later than `limit`. Never moves
    /// the cursor past `limit`.
    #[inline(never)]
    pub(super) fn refill(&mut self, limit: u64) -> bool {
        while self.near == 0 && self.fine_summary == 0 {
            let Some(level) = self.coarse.iter().position(|&slots| slots != 0) else {
                return false;
            };
            let digit = self.coarse[level].trailing_zeros();
            let shift = FINE_BITS + COARSE_BITS * level as u32;
            let above = u64::MAX.checked_shl(shift + COARSE_BITS).unwrap_or(0);
            let start = (self.cursor & above) | u64::from(digit) << shift;
            if start > limit {
                return false;
            }
            debug_assert!(start > self.cursor, "the cursor's own coarse slots are empty");
            let slot = FINE_SLOTS + level * COARSE_SLOTS + digit as usize;
            let is_crowd = is_crowd(self.entries.len());
            let foresees = is_crowd && start >= self.foreseen;
            let Link { prev, next } = self.links[slot];
            if prev == next && !foresees && self.take_only(slot, next, limit) {
                return true;
            }
            if is_crowd {
                self.fetch_list(slot);
            }
            // Where they are later than the limit they move, too, so that nobody looks at all of them again and again.
            self.cursor = self.earliest(slot).min(limit);
            self.near_base = self.cursor & !63;
            self.cascade(slot, foresees.then(|| start.saturating_add(1 << shift)));
        }
        true
    }

    /// Moves the only timer of a coarse slot to its fine one, if it is due by the limit: where timers are far apart, most of
    /// them are alone when their time comes.
    #[inline]
    fn take_only(&mut self, slot: usize, node: u32, limit: u64) -> bool {
        let deadline = self.entries[node as usize - SENTINELS].deadline;
        if deadline > limit {
            return false;
        }
        self.links[slot] = Link { prev: slot as u32, next: slot as u32 };
        self.clear_bit(slot);
        self.cursor = deadline;
        self.near_base = deadline & !63;
        self.near = 1 << (deadline % 64);
        let fine = deadline as usize % FINE_SLOTS;
        self.links[fine] = Link { prev: node, next: node };
        self.links[node as usize] = Link { prev: fine as u32, next: fine as u32 };
        true
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
            self.place(node, deadline);
            node = next;
        }
        if self.soon.len() > SOON_MAX {
            // A finer slot is soon enough.
            self.soon.clear();
        } else if let Some(foreseen) = foreseen {
            self.foreseen = foreseen;
        }
    }

    /// The links lead from one to the next, and each is waited for: so it is gone through from both ends. The entries are
    /// fetched all at once.
    fn fetch_list(&self, slot: usize) {
        let Link { mut prev, mut next } = self.links[slot];
        loop {
            fetch(&self.entries[next as usize - SENTINELS]);
            if next == prev {
                return;
            }
            fetch(&self.entries[prev as usize - SENTINELS]);
            let after = self.links[next as usize].next;
            if after == prev {
                return;
            }
            (next, prev) = (after, self.links[prev as usize].prev);
        }
    }
}
