//! The slab of tasks: which there are, in which scope, and which are ready.
//!
//! A task is a boxed future in a slot that is reused; a [`TaskId`] names slot and generation, so an id of a task that is
//! gone is dead and harmless. The tasks of one scope form a list through their slots, so that a scope is dropped at the
//! cost of its own tasks, however many others there are.

use crate::foresight::{Work, fetch, is_crowd};
use std::collections::{BinaryHeap, VecDeque};
use std::iter::successors;
use std::num::{NonZeroU32, NonZeroU64};
use std::panic::Location;
use std::pin::Pin;

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
    /// No task at all.
    pub(crate) const NONE: TaskId = TaskId(NonZeroU64::MAX);

    pub(crate) fn new(index: u32, generation: NonZeroU32) -> Self {
        TaskId(NonZeroU64::from(generation) | u64::from(index) << 32)
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

    pub(crate) fn foreign(self) -> Option<usize> {
        let index = (self.0.get() >> 32) as u32;
        (index & FOREIGN != 0).then_some((index & !FOREIGN) as usize)
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

pub(crate) type Task = Pin<Box<dyn Work>>;

/// One line of the cache, and aligned to it: with many tasks each visit finds it cold.
#[repr(align(64))]
pub(crate) struct Slot {
    pub(crate) generation: NonZeroU32,
    /// `None` while the task is being polled, and in a free slot.
    pub(crate) task: Option<Task>,
    pub(crate) state: State,
    pub(crate) queued: bool,
    pub(crate) scope: Scope,
    /// The slots before and after this one in the list of its scope.
    before: u32,
    after: u32,
    pub(crate) span: Span,
    pub(crate) spawned_at: &'static Location<'static>,
}

impl Slot {
    /// The slots that are touched when it joins or leaves its list.
    pub(crate) fn beside(&self) -> [u32; 2] {
        [self.before, self.after]
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
    pub(crate) slots: Vec<Slot>,
    free: Vec<u32>,
    pub(crate) ready: VecDeque<TaskId>,
    /// The first slot of each listed scope's list.
    first: Vec<u32>,
}

impl Tasks {
    /// Puts a task into a slot, and into the ready queue.
    pub(crate) fn spawn(
        &mut self,
        scope: Scope,
        task: Task,
        span: Span,
        spawned_at: &'static Location<'static>,
    ) -> TaskId {
        let index = self.free.pop().unwrap_or_else(|| self.add_slot(spawned_at));
        let slot = &mut self.slots[index as usize];
        let is_free = slot.state == State::Free && slot.task.is_none() && !slot.queued;
        debug_assert!(is_free, "a free slot holds no task");
        slot.task = Some(task);
        slot.state = State::Waiting;
        slot.queued = true;
        slot.scope = scope;
        slot.span = span;
        slot.spawned_at = spawned_at;
        let id = TaskId::new(index, slot.generation);
        self.ready.push_back(id);
        if is_crowd(self.slots.len()) {
            self.fetch_free();
        }
        if is_listed(scope) {
            self.link(index, scope);
        }
        id
    }

    /// Fetches what ready tasks will touch whose turn comes soon.
    pub(crate) fn fetch_ready(&self) {
        if let (Some(next), Some(later)) = (self.ready.get(READY_AHEAD / 2), self.ready.get(READY_AHEAD)) {
            fetch(&self.slots[later.index()]);
            if let Some(task) = &self.slots[next.index()].task {
                fetch(&**task);
            }
        }
    }

    /// One of a crowd finds its slot in the cache.
    fn fetch_free(&self) {
        if let Some(place) = self.free.len().checked_sub(SPAWNED_AHEAD) {
            fetch(&self.slots[self.free[place] as usize]);
        }
    }

    fn add_slot(&mut self, spawned_at: &'static Location<'static>) -> u32 {
        debug_assert!(self.slots.len() < FOREIGN as usize, "indices above this mark foreign wakers");
        self.slots.push(Slot {
            generation: NonZeroU32::MIN,
            task: None,
            state: State::Free,
            queued: false,
            scope: Scope::default(),
            before: NOBODY,
            after: NOBODY,
            span: Span::default(),
            spawned_at,
        });
        (self.slots.len() - 1) as u32
    }

    /// The task in a slot, if there is one.
    pub(crate) fn in_slot(&self, index: u32) -> Option<TaskId> {
        let slot = &self.slots[index as usize];
        (slot.state != State::Free).then(|| TaskId::new(index, slot.generation))
    }

    /// Frees the slot of a task that is over.
    #[inline]
    pub(crate) fn release(&mut self, id: TaskId) {
        let index = id.index() as u32;
        let slot = &mut self.slots[id.index()];
        let is_its = slot.state != State::Free && slot.generation.get() == id.generation();
        debug_assert!(is_its && slot.task.is_none(), "only a task that is over frees its slot");
        slot.state = State::Free;
        slot.queued = false;
        slot.generation = slot.generation.checked_add(1).unwrap_or(NonZeroU32::MIN);
        let scope = slot.scope;
        if is_listed(scope) {
            self.unlink(index, scope);
        }
        self.free.push(index);
    }

    #[inline(never)]
    fn link(&mut self, index: u32, scope: Scope) {
        let scope = scope.0 as usize;
        if self.first.len() <= scope {
            self.first.resize(scope + 1, NOBODY);
        }
        let after = std::mem::replace(&mut self.first[scope], index);
        if let Some(slot) = self.slots.get_mut(after as usize) {
            slot.before = index;
        }
        let slot = &mut self.slots[index as usize];
        (slot.before, slot.after) = (NOBODY, after);
    }

    #[inline(never)]
    fn unlink(&mut self, index: u32, scope: Scope) {
        let Slot { before, after, .. } = self.slots[index as usize];
        match self.slots.get_mut(before as usize) {
            Some(slot) => slot.after = after,
            None => {
                debug_assert_eq!(
                    self.first[scope.0 as usize], index,
                    "who has nobody before it is the first"
                );
                self.first[scope.0 as usize] = after;
            }
        }
        if let Some(slot) = self.slots.get_mut(after as usize) {
            slot.before = before;
        }
    }

    /// The tasks of a scope, in the order of their slots.
    pub(crate) fn of_scope(&self, scope: Scope) -> Vec<TaskId> {
        let id = |index: u32| TaskId::new(index, self.slots[index as usize].generation);
        if is_listed(scope) {
            let first = self.first.get(scope.0 as usize).copied().unwrap_or(NOBODY);
            let next = |index: u32| (index != NOBODY).then_some(index);
            let indices: BinaryHeap<u32> =
                successors(next(first), |&index| next(self.slots[index as usize].after)).collect();
            return indices.into_sorted_vec().into_iter().map(id).collect();
        }
        let belongs = |slot: &Slot| slot.scope == scope && slot.state != State::Free;
        (0_u32..).zip(&self.slots).filter(|(_, slot)| belongs(slot)).map(|(index, _)| id(index)).collect()
    }
}

fn is_listed(scope: Scope) -> bool {
    scope.0.wrapping_sub(1) < LISTED - 1
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;
    use crate::foresight::Plain;

    fn add(tasks: &mut Tasks) -> TaskId {
        let forever = Box::pin(Plain::new(std::future::pending()));
        tasks.spawn(Scope(1), forever, Span::default(), Location::caller())
    }

    #[test]
    #[should_panic(expected = "a free slot holds no task")]
    fn a_slot_has_one_task() {
        let mut tasks = Tasks::default();
        add(&mut tasks);
        tasks.free.push(0);
        add(&mut tasks);
    }

    #[test]
    #[should_panic(expected = "only a task that is over frees its slot")]
    fn who_waits_keeps_its_slot() {
        let mut tasks = Tasks::default();
        let id = add(&mut tasks);
        tasks.release(id);
    }

    #[test]
    #[should_panic(expected = "who has nobody before it is the first")]
    fn a_scope_knows_its_first_task() {
        let mut tasks = Tasks::default();
        let id = add(&mut tasks);
        tasks.first[1] = NOBODY;
        tasks.slots[0].task = None;
        tasks.release(id);
    }
}
