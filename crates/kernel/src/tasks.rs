//! The slab of tasks: which there are, and in which scope.
//!
//! A task is a future in a block of its own, which a slot has that is reused (see `bare.rs`); a [`TaskId`] names slot and
//! generation, so an id of a task that is gone is dead and harmless. The tasks of one scope form a list through their slots,
//! so that a scope is dropped at the cost of its own tasks, however many others there are.

use crate::bare::{NOBODY, Pool, Slot, Slots, State, Task};
use crate::executor::Wakers;
use crate::foresight::{fetch, is_crowd};
use std::cell::RefCell;
use std::collections::BinaryHeap;
use std::iter::successors;
use std::mem;
use std::num::{NonZeroU32, NonZeroU64};
use std::panic::Location;

/// Names a task, also after it has ended.
///
/// One word, the slot's index above its generation: halves that are written apart and read as one would stall. It is never
/// zero, so that room for an id that may be missing is no larger than an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskId(NonZeroU64);

/// Scopes from 1 to below this have a list of their tasks.
const LISTED: u32 = 1 << 16;
/// The slot of the ready task that is polled so many tasks later is fetched, and the future at half the distance.
const READY_AHEAD: usize = 8;
/// So many tasks later a free slot is used.
const SPAWNED_AHEAD: usize = 16;

impl TaskId {
    pub(crate) fn new(index: u32, generation: NonZeroU32) -> Self {
        TaskId(NonZeroU64::from(generation) | u64::from(index) << 32)
    }

    pub(crate) fn index(self) -> usize {
        (self.0.get() >> 32) as usize
    }

    pub(crate) fn generation(self) -> u32 {
        self.0.get() as u32
    }
}

/// A group of tasks that can be dropped together. Tasks inherit the scope of the task that spawned them.
///
/// Scope 0, the default, is for what belongs nowhere. Dropping a scope costs as much as it has tasks, if its number is
/// from 1 to 65,535; in any other all tasks of the simulation are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope(pub u32);

/// What the current task is busy with: a tag, and the last record that it made or was told of.
/// Tasks inherit it from the task that spawned them; records take their causal parent from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// A number that says to what the work belongs: whoever builds on the kernel decides what is numbered, a request
    /// or a job. 0 for nothing.
    pub tag: u64,
    /// The record that caused what happens now; 0 for none.
    pub cause: u64,
}

#[derive(Default)]
pub(crate) struct Tasks {
    pub(crate) slots: Slots<Wakers>,
    pub(crate) pool: Pool,
    /// The first slot of each listed scope's list.
    first: RefCell<Vec<u32>>,
}

impl Tasks {
    /// The slot with this number, if there ever was one.
    #[inline]
    pub(crate) fn slot(&self, index: usize) -> Option<&Slot> {
        self.slots.get(index)
    }

    /// Looks at all slots, in order.
    fn each(&self, look: &mut dyn FnMut(u32, &Slot)) {
        (0..self.slots.count())
            .for_each(|index| self.slot(index).into_iter().for_each(|slot| look(index as u32, slot)));
    }

    /// Puts a task into a free slot, which there has to be, and into the ready queue. What is seldom done is left to others, as
    /// the last thing: so nothing has to be saved from it.
    #[inline]
    pub(crate) fn spawn(
        &self,
        scope: Scope,
        task: Task,
        span: Span,
        spawned_at: &'static Location<'static>,
    ) -> TaskId {
        let slot = self.slots.put(task);
        slot.scope.set(scope);
        slot.span.set(span);
        slot.spawned_at.set(spawned_at);
        let is_plain = !is_listed(scope) && !is_crowd(self.slots.count());
        if is_plain && self.slots.push_if_room(slot) {
            return slot.id();
        }
        self.spawned(slot, scope)
    }

    #[inline(never)]
    fn spawned(&self, slot: &Slot, scope: Scope) -> TaskId {
        self.slots.push(slot);
        if is_crowd(self.slots.count()) {
            self.fetch_free();
        }
        if is_listed(scope) {
            self.link(slot, scope);
        }
        slot.id()
    }

    /// Fetches what ready tasks will touch whose turn comes soon.
    #[cold]
    pub(crate) fn fetch_ready(&self) {
        if let (Some(next), Some(later)) =
            (self.slots.ready_later(READY_AHEAD / 2), self.slots.ready_later(READY_AHEAD))
        {
            fetch(later);
            next.fetch_task();
        }
    }

    /// One of a crowd finds its slot in the cache.
    #[cold]
    fn fetch_free(&self) {
        self.slots.free_later(SPAWNED_AHEAD - 1).map(fetch);
    }

    /// The task in a slot, if there is one.
    pub(crate) fn in_slot(&self, index: u32) -> Option<TaskId> {
        let slot = self.slot(index as usize)?;
        (slot.state() != State::Free).then(|| slot.id())
    }

    /// Frees the slot of a task that was taken out.
    #[inline]
    pub(crate) fn release(&self, slot: &Slot) {
        let scope = slot.scope.get();
        if is_listed(scope) {
            self.unlink(slot, scope);
        }
        self.slots.release(slot);
    }

    #[inline(never)]
    fn link(&self, slot: &Slot, scope: Scope) {
        let (index, scope) = (slot.id().index() as u32, scope.0 as usize);
        let mut first = self.first.borrow_mut();
        if first.len() <= scope {
            first.resize(scope + 1, NOBODY);
        }
        let after = mem::replace(&mut first[scope], index);
        if let Some(slot) = self.neighbour(after) {
            slot.before.set(index);
        }
        slot.before.set(NOBODY);
        slot.after.set(after);
    }

    #[inline(never)]
    fn unlink(&self, slot: &Slot, scope: Scope) {
        let [before, after] = slot.beside();
        match self.neighbour(before) {
            Some(slot) => slot.after.set(after),
            None => {
                let first = &mut self.first.borrow_mut()[scope.0 as usize];
                debug_assert_eq!(*first, slot.id().index() as u32, "who has nobody before it is the first");
                *first = after;
            }
        }
        if let Some(slot) = self.neighbour(after) {
            slot.before.set(before);
        }
    }

    fn neighbour(&self, index: u32) -> Option<&Slot> {
        if index == NOBODY { None } else { self.slot(index as usize) }
    }

    /// The tasks of a scope, in the order of their slots.
    pub(crate) fn of_scope(&self, scope: Scope) -> Vec<TaskId> {
        if is_listed(scope) {
            let first = self.first.borrow().get(scope.0 as usize).copied().unwrap_or(NOBODY);
            let next = |index: u32| (index != NOBODY).then_some(index);
            let indices: BinaryHeap<u32> =
                successors(next(first), |&index| next(self.slot(index as usize)?.after.get())).collect();
            return indices.into_sorted_vec().into_iter().filter_map(|index| self.in_slot(index)).collect();
        }
        let mut found = Vec::new();
        self.each(&mut |index, slot| {
            if slot.scope.get() == scope {
                found.extend(self.in_slot(index));
            }
        });
        found
    }

    /// Takes all tasks out of their slots.
    pub(crate) fn take_all(&self) -> Vec<Task> {
        let mut taken = Vec::new();
        self.each(&mut |_, slot| taken.extend(slot.take()));
        taken
    }
}

fn is_listed(scope: Scope) -> bool {
    scope.0.wrapping_sub(1) < LISTED - 1
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;
    use crate::foresight::Plain;

    #[test]
    #[should_panic(expected = "who has nobody before it is the first")]
    fn a_scope_knows_its_first_task() {
        let tasks = Tasks::default();
        tasks.slots.add_free();
        let forever = tasks.pool.put(Plain::new(std::future::pending()));
        let id = tasks.spawn(Scope(1), forever, Span::default(), Location::caller());
        tasks.first.borrow_mut()[1] = NOBODY;
        let slot = tasks.slot(id.index()).expect("it was added");
        drop(slot.take());
        tasks.release(slot);
    }
}
