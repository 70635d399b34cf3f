//! Where a task is.
//!
//! A [`Slot`] has a task or none, and knows whether the task is being polled, which is done in its place: as long as it is,
//! nobody takes the task out, and nobody polls it or looks at it.

use super::Task;
use crate::foresight::fetch;
use crate::tasks::{Scope, Span, TaskId};
use std::cell::Cell;
use std::mem;
use std::num::NonZeroU32;
use std::panic::Location;

/// In place of the slot that comes before or after in a list, when there is none.
pub(crate) const NOBODY: u32 = u32::MAX;

/// One line of the cache, and aligned to it: with many tasks each visit finds it cold. It stays where it is, and so can be
/// looked at while its task is polled.
#[repr(align(64))]
pub(crate) struct Slot {
    pub(super) name: Name,
    /// There is one while the state is not `Free`, unless its poll has panicked. Who is being polled is with whoever polls, too.
    pub(super) task: Cell<Option<Task>>,
    pub(super) state: Cell<State>,
    pub(super) queued: Cell<bool>,
    pub(crate) scope: Cell<Scope>,
    /// The slots before and after this one in the list of its scope.
    pub(crate) before: Cell<u32>,
    pub(crate) after: Cell<u32>,
    pub(crate) span: Cell<Span>,
    pub(crate) spawned_at: Cell<&'static Location<'static>>,
}

/// Names the task, or the next one that will be here: its id, whose halves lie beside each other to be read at once.
#[repr(C, align(8))]
pub(super) struct Name {
    pub(super) generation: Cell<NonZeroU32>,
    /// Set before the slot has its first task, and never again: other threads may read it.
    pub(super) index: Cell<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Free,
    Waiting,
    /// Its task is being polled, or looked at.
    Running,
    /// Aborted by itself or by something that it called: dropped as soon as its poll returns. Or that has panicked.
    AbortedWhileRunning,
}

impl Default for Slot {
    fn default() -> Self {
        Slot {
            name: Name { generation: Cell::new(NonZeroU32::MIN), index: Cell::new(NOBODY) },
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
    /// Names its task, or the next one if it has none.
    #[inline]
    pub(crate) fn id(&self) -> TaskId {
        TaskId::new(self.name.index.get(), self.name.generation.get())
    }

    #[inline]
    pub(super) fn generation(&self) -> u32 {
        self.name.generation.get().get()
    }

    /// From now on the name is the next task's.
    #[inline]
    pub(super) fn rename(&self) {
        self.name.generation.set(next(self.name.generation.get()));
    }

    #[inline]
    pub(crate) fn state(&self) -> State {
        self.state.get()
    }

    /// True while the slot is the task's that `id` names.
    #[inline]
    pub(crate) fn is_of(&self, id: TaskId) -> bool {
        self.id() == id
    }

    /// The slots that are touched when it joins or leaves its list.
    pub(crate) fn beside(&self) -> [u32; 2] {
        [self.before.get(), self.after.get()]
    }

    /// Has the slot and the beginning of the future at hand.
    #[inline]
    pub(crate) fn fetch_near(&self) {
        self.look(Task::fetch_near);
    }

    /// What its task says of what it will touch.
    pub(crate) fn foresee(&self, step: usize) -> bool {
        self.look(|task| task.work().foresee(step)).unwrap_or(false)
    }

    /// Fetches the future of its task. False when there is none.
    pub(crate) fn fetch_task(&self) -> bool {
        self.look(|task| fetch(task.work())).is_some()
    }

    /// Puts a task into the slot, which has none.
    #[inline]
    pub(super) fn put(&self, task: Task) {
        debug_assert!(self.state.get() == State::Free, "a free slot holds no task");
        // Nothing is there to be dropped.
        mem::forget(self.task.replace(Some(task)));
        self.state.set(State::Waiting);
    }

    /// Takes the task out that waits. One that is being polled is marked.
    #[inline]
    pub(crate) fn take(&self) -> Option<Task> {
        if self.state.get() == State::Waiting {
            self.state.set(State::Free);
            return self.task.take();
        }
        if self.state.get() == State::Running {
            self.state.set(State::AbortedWhileRunning);
        }
        None
    }

    /// Looks at the task that waits. Nothing else looks at it meanwhile.
    #[inline]
    fn look<R>(&self, look: impl FnOnce(&Task) -> R) -> Option<R> {
        if self.state.get() != State::Waiting {
            return None;
        }
        self.state.set(State::Running);
        let pause = Pause(self);
        // SAFETY: who waits is there, and nobody takes it out before the end of the pause.
        let seen = unsafe { &*self.task.as_ptr() }.as_ref().map(look);
        drop(pause);
        seen
    }
}

/// None is 0.
fn next(generation: NonZeroU32) -> NonZeroU32 {
    generation.checked_add(1).unwrap_or(NonZeroU32::MIN)
}

/// The task waits again afterwards.
struct Pause<'a>(&'a Slot);

impl Drop for Pause<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.state.set(State::Waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_task_in_a_slot_has_another_name_which_is_not_zero() {
        for (generation, next) in [(1, 2), (7, 8), (u32::MAX - 1, u32::MAX), (u32::MAX, 1)] {
            let slot = Slot::default();
            slot.name.index.set(5);
            slot.name.generation.set(NonZeroU32::new(generation).expect("none is 0"));
            let before = slot.id();
            slot.rename();
            assert!(!slot.is_of(before));
            assert_eq!((slot.id().index(), slot.id().generation(), slot.generation()), (5, next, next));
        }
    }
}
