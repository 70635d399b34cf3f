//! The slab of tasks: which there are, in which scope, and which are ready.
//!
//! A task is a future in a block of its own (see `bare.rs`), which a slot owns that is reused; a [`TaskId`] names slot and
//! generation, so an id of a task that is gone is dead and harmless. The tasks of one scope form a list through their slots, so that a scope is dropped at the
//! cost of its own tasks, however many others there are.

use crate::bare::{Fixed, Leaf, Pool, Row, Task};
use crate::foresight::{fetch, is_crowd};
use std::cell::{Cell, RefCell};
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

/// In place of the slot that comes before or after in a list, when there is none.
const NOBODY: u32 = u32::MAX;
/// Scopes from 1 to below this have a list of their tasks.
const LISTED: u32 = 1 << 16;
/// The slot of the ready task that is polled so many tasks later is fetched, and the future at half the distance.
const READY_AHEAD: usize = 8;
/// So many tasks later a free slot is used.
const SPAWNED_AHEAD: usize = 16;
/// Marks an id that is no task's but a place in the table of foreign wakers.
const FOREIGN: u32 = 1 << 31;

impl TaskId {
    pub(crate) fn new(index: u32, generation: NonZeroU32) -> Self {
        TaskId(NonZeroU64::from(generation) | u64::from(index) << 32)
    }

    /// One number for all of it, which is not 0.
    pub(crate) fn number(self) -> u64 {
        self.0.get()
    }

    pub(crate) fn of_number(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(TaskId)
    }

    /// The slot that is in such a number.
    pub(crate) fn index_in(number: u64) -> u32 {
        (number >> 32) as u32
    }

    pub(crate) fn index(self) -> usize {
        (self.0.get() >> 32) as usize
    }

    pub(crate) fn generation(self) -> u32 {
        self.0.get() as u32
    }

    pub(crate) fn of_foreign(place: usize) -> Self {
        TaskId::new(place as u32 | FOREIGN, NonZeroU32::MIN)
    }

    #[inline]
    pub(crate) fn is_foreign(self) -> bool {
        self.index() as u32 & FOREIGN != 0
    }

    pub(crate) fn foreign(self) -> Option<usize> {
        self.is_foreign().then_some((self.index() as u32 & !FOREIGN) as usize)
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

/// One line of the cache, and aligned to it: with many tasks each visit finds it cold. It stays where it is, and so can be
/// looked at while its task is polled.
#[repr(align(64))]
pub(crate) struct Slot {
    pub(crate) generation: Cell<NonZeroU32>,
    /// `None` while the task is being polled, and in a free slot.
    pub(crate) task: Cell<Option<Task>>,
    pub(crate) state: Cell<State>,
    pub(crate) queued: Cell<bool>,
    pub(crate) scope: Cell<Scope>,
    /// The slots before and after this one in the list of its scope.
    before: Cell<u32>,
    after: Cell<u32>,
    pub(crate) span: Cell<Span>,
    pub(crate) spawned_at: Cell<&'static Location<'static>>,
}

impl Default for Slot {
    fn default() -> Self {
        Slot {
            generation: Cell::new(NonZeroU32::MIN),
            task: Cell::new(None),
            state: Cell::new(State::Free),
            queued: Cell::new(false),
            scope: Cell::default(),
            before: Cell::new(NOBODY),
            after: Cell::new(NOBODY),
            span: Cell::default(),
            spawned_at: Cell::new(Location::caller()),
        }
    }
}

impl Slot {
    /// The slots that are touched when it joins or leaves its list.
    pub(crate) fn beside(&self) -> [u32; 2] {
        [self.before.get(), self.after.get()]
    }

    /// True while the slot is the task's that `id` names.
    #[inline]
    pub(crate) fn is_of(&self, id: TaskId) -> bool {
        self.generation.get().get() == id.generation()
    }

    /// Has the slot and the beginning of the future at hand.
    #[inline]
    pub(crate) fn fetch_near(&self) {
        self.with_task(Task::fetch_near);
    }

    /// Puts a task into the slot, which has none.
    #[inline]
    pub(crate) fn put(&self, task: Task) {
        // Nothing is there to be dropped.
        mem::forget(self.task.replace(Some(task)));
    }

    /// Looks at what is in the slot. Nothing else looks into it meanwhile.
    fn with_task<R>(&self, look: impl FnOnce(&Task) -> R) -> Option<R> {
        let task = self.task.take()?;
        let seen = look(&task);
        self.put(task);
        Some(seen)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Free,
    Waiting,
    Running,
    /// Aborted by itself or by something that it called: dropped as soon as its poll returns.
    AbortedWhileRunning,
}

#[derive(Default)]
pub(crate) struct Tasks {
    slots: Fixed<Slot>,
    pub(crate) pool: Pool,
    /// How many slots have had a task.
    count: Cell<u32>,
    free: Leaf<Vec<u32>>,
    pub(crate) ready: Leaf<Row<TaskId>>,
    /// The first slot of each listed scope's list.
    first: RefCell<Vec<u32>>,
}

impl Tasks {
    /// The slot with this number, if there ever was one.
    #[inline]
    pub(crate) fn slot(&self, index: usize) -> Option<&Slot> {
        self.slots.get(index)
    }

    /// How many slots there are.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.count.get() as usize
    }

    /// Looks at all slots, in order.
    fn each(&self, look: &mut dyn FnMut(u32, &Slot)) {
        (0..self.count.get())
            .for_each(|index| self.slot(index as usize).into_iter().for_each(|slot| look(index, slot)));
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
        let index = self.free.pop().unwrap_or_default();
        let slot = self.slots.at(index as usize);
        let is_free = slot.state.get() == State::Free && !slot.queued.get();
        debug_assert!(is_free && slot.with_task(|_| ()).is_none(), "a free slot holds no task");
        slot.put(task);
        slot.state.set(State::Waiting);
        slot.queued.set(true);
        slot.scope.set(scope);
        slot.span.set(span);
        slot.spawned_at.set(spawned_at);
        let id = TaskId::new(index, slot.generation.get());
        let is_plain = !is_listed(scope) && !is_crowd(self.count());
        if is_plain && self.ready.push_if_room(id) {
            return id;
        }
        self.spawned(id, slot, scope)
    }

    #[inline(never)]
    fn spawned(&self, id: TaskId, slot: &Slot, scope: Scope) -> TaskId {
        self.ready.push_back(id);
        if is_crowd(self.count()) {
            self.fetch_free();
        }
        if is_listed(scope) {
            self.link(id.index() as u32, slot, scope);
        }
        id
    }

    /// Fetches what ready tasks will touch whose turn comes soon.
    #[cold]
    pub(crate) fn fetch_ready(&self) {
        if let (Some(next), Some(later)) = (self.ready.peek(READY_AHEAD / 2), self.ready.peek(READY_AHEAD)) {
            self.slot(later.index()).map(fetch);
            self.fetch_task(next.index());
        }
    }

    /// Fetches the future of the task in a slot. False when there is none.
    pub(crate) fn fetch_task(&self, index: usize) -> bool {
        self.slot(index).and_then(|slot| slot.with_task(|task| fetch(task.work()))).is_some()
    }

    /// What the task in a slot says of what it will touch.
    pub(crate) fn foresee(&self, index: usize, step: usize) -> bool {
        self.slot(index).and_then(|slot| slot.with_task(|task| task.work().foresee(step))).unwrap_or(false)
    }

    /// One of a crowd finds its slot in the cache.
    #[cold]
    fn fetch_free(&self) {
        if let Some(ahead) = self.free.later(SPAWNED_AHEAD - 1) {
            self.slot(ahead as usize).map(fetch);
        }
    }

    #[inline]
    pub(crate) fn has_free(&self) -> bool {
        !self.free.is_empty()
    }

    /// Makes a free slot.
    #[cold]
    pub(crate) fn add_free(&self) {
        let index = self.count.get();
        self.count.set(index + 1);
        debug_assert!(index < FOREIGN, "indices above this mark foreign wakers");
        if self.slot(index as usize).is_none() {
            self.slots.grow();
        }
        self.free.push(index);
    }

    /// The task in a slot, if there is one.
    pub(crate) fn in_slot(&self, index: u32) -> Option<TaskId> {
        let slot = self.slot(index as usize)?;
        (slot.state.get() != State::Free).then(|| TaskId::new(index, slot.generation.get()))
    }

    /// Frees the slot of a task that is over.
    #[inline]
    pub(crate) fn release(&self, id: TaskId, slot: &Slot) {
        let index = id.index() as u32;
        let is_its = slot.state.get() != State::Free && slot.is_of(id);
        debug_assert!(is_its && slot.with_task(|_| ()).is_none(), "only a task that is over frees its slot");
        slot.state.set(State::Free);
        slot.queued.set(false);
        slot.generation.set(slot.generation.get().checked_add(1).unwrap_or(NonZeroU32::MIN));
        let scope = slot.scope.get();
        if is_listed(scope) {
            self.unlink(index, slot, scope);
        }
        self.free.push(index);
    }

    #[inline(never)]
    fn link(&self, index: u32, slot: &Slot, scope: Scope) {
        let scope = scope.0 as usize;
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
    fn unlink(&self, index: u32, slot: &Slot, scope: Scope) {
        let [before, after] = slot.beside();
        match self.neighbour(before) {
            Some(slot) => slot.after.set(after),
            None => {
                let first = &mut self.first.borrow_mut()[scope.0 as usize];
                debug_assert_eq!(*first, index, "who has nobody before it is the first");
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
        self.each(&mut |_, slot| taken.extend(slot.task.take()));
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

    fn add(tasks: &Tasks) -> TaskId {
        let forever = tasks.pool.put(Plain::new(std::future::pending()));
        if !tasks.has_free() {
            tasks.add_free();
        }
        tasks.spawn(Scope(1), forever, Span::default(), Location::caller())
    }

    #[test]
    #[should_panic(expected = "a free slot holds no task")]
    fn a_slot_has_one_task() {
        let tasks = Tasks::default();
        add(&tasks);
        tasks.free.push(0);
        add(&tasks);
    }

    #[test]
    #[should_panic(expected = "only a task that is over frees its slot")]
    fn who_waits_keeps_its_slot() {
        let tasks = Tasks::default();
        let id = add(&tasks);
        tasks.release(id, tasks.slot(0).expect("it was added"));
    }

    #[test]
    #[should_panic(expected = "who has nobody before it is the first")]
    fn a_scope_knows_its_first_task() {
        let tasks = Tasks::default();
        let id = add(&tasks);
        tasks.first.borrow_mut()[1] = NOBODY;
        let slot = tasks.slot(0).expect("it was added");
        slot.task.set(None);
        tasks.release(id, slot);
    }
}
