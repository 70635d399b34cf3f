//! What leads to slots: the lists of those that are ready, that a timer will wake, or that are free.
//!
//! [`Slots`] neither moves nor frees a slot before it is dropped itself. So no number needs to be looked up: each of these lists
//! leads to slots of the table that it belongs to. A [`Due`] goes back to the table that it is from.

use super::slot::{NOBODY, Slot, State};
use super::{Block, Fixed, Keep, Leaf, Lent, Polling, Row, Task};
use crate::tasks::{Span, TaskId};
use crate::timer_queue::{TimerKey, TimerQueue};
use std::cell::Cell;
use std::mem;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::task::{Context, Waker};

/// A poll that has not returned. When it panics, its task is dropped.
struct Turn<'a> {
    current: &'a AtomicPtr<Slot>,
    due: Due<'a>,
    task: NonNull<dyn Block>,
}

impl Drop for Turn<'_> {
    #[cold]
    fn drop(&mut self) {
        self.current.store(ptr::null_mut(), Ordering::Relaxed);
        if self.due.has_its_slot() {
            mem::forget(self.due.slot.task.take());
            self.due.slot.state.set(State::AbortedWhileRunning);
        }
        drop(Task(self.task));
    }
}

/// Leads to a task that is to be polled, if it is still there.
#[derive(Clone, Copy)]
struct Target {
    slot: NonNull<Slot>,
    generation: u32,
}

/// Whom a timer wakes: the task, or none and a place in the table of foreign wakers.
#[derive(Clone, Copy)]
struct Aim {
    slot: Option<NonNull<Slot>>,
    number: u32,
}

/// The same, while the table is borrowed.
#[derive(Clone, Copy)]
pub(crate) struct Due<'a> {
    slot: &'a Slot,
    generation: u32,
}

impl<'a> Due<'a> {
    #[inline]
    pub(crate) fn slot(self) -> &'a Slot {
        self.slot
    }

    /// False when its slot was released, and may be another's.
    #[inline]
    fn has_its_slot(self) -> bool {
        self.slot.generation() == self.generation
    }
}

/// A timer has fired.
pub(crate) enum Fired<'a> {
    Task(Due<'a>),
    Foreign(usize),
}

/// All slots, in the order of their numbers.
pub(crate) struct Slots<K> {
    slots: Fixed<Slot>,
    polling: Polling<K>,
    /// Where one is whom no task polls: in no scope.
    nobody: Slot,
    /// How many slots have had a task.
    count: Cell<u32>,
    free: Leaf<Vec<NonNull<Slot>>>,
    ready: Leaf<Row<Target>>,
    timers: Leaf<TimerQueue<Aim>>,
}

impl<K: Keep + Default> Default for Slots<K> {
    fn default() -> Self {
        Slots::new(K::default())
    }
}

impl<K: Keep> Slots<K> {
    pub(crate) fn new(keep: K) -> Self {
        Slots {
            slots: Fixed::default(),
            polling: Polling::new(keep),
            nobody: Slot::default(),
            count: Cell::default(),
            free: Leaf::default(),
            ready: Leaf::default(),
            timers: Leaf::default(),
        }
    }

    /// The slot with this number, if there ever was one.
    #[inline]
    pub(crate) fn get(&self, number: usize) -> Option<&Slot> {
        self.slots.get(number)
    }

    /// How many slots there are.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.count.get() as usize
    }

    #[inline]
    pub(crate) fn has_free(&self) -> bool {
        !self.free.is_empty()
    }

    /// Makes a free slot.
    #[cold]
    pub(crate) fn add_free(&self) {
        let number = self.count.get();
        debug_assert!(number < NOBODY, "there is a number that no slot has");
        self.count.set(number + 1);
        if self.slots.get(number as usize).is_none() {
            self.slots.grow();
        }
        let slot = self.slots.at(number as usize);
        slot.name.index.set(number);
        self.free.push(NonNull::from(slot));
    }

    /// # Safety
    /// It is in one of this table's lists.
    #[inline]
    unsafe fn at(&self, slot: NonNull<Slot>) -> &Slot {
        // SAFETY: so it is one of this table's slots, which are only borrowed for reading.
        unsafe { slot.as_ref() }
    }

    /// The slot that is used so many tasks later.
    pub(crate) fn free_later(&self, tasks: usize) -> Option<&Slot> {
        // SAFETY: it is in the list.
        self.free.later(tasks).map(|slot| unsafe { self.at(slot) })
    }

    /// Puts a task into a free slot, which there has to be.
    #[inline]
    pub(crate) fn put(&self, task: Task) -> &Slot {
        let slot = self.free.pop().unwrap_or_else(|| no_free());
        // SAFETY: it was in the list.
        let slot = unsafe { self.at(slot) };
        slot.put(task);
        slot.queued.set(true);
        slot
    }

    /// Frees the slot of a task that was taken out.
    #[inline]
    pub(crate) fn release(&self, slot: &Slot) {
        debug_assert!(slot.state.get() == State::Free, "only a task that is over frees its slot");
        slot.queued.set(false);
        slot.rename();
        self.free.push(self.pointer(slot));
    }

    /// What leads to one of this table's slots.
    #[inline]
    fn pointer(&self, slot: &Slot) -> NonNull<Slot> {
        let own = || self.get(slot.id().index()).is_some_and(|own| ptr::eq(own, slot));
        debug_assert!(own(), "a slot is in the lists of its own table");
        NonNull::from(slot)
    }

    #[inline]
    fn target(&self, slot: &Slot) -> Target {
        Target { slot: self.pointer(slot), generation: slot.generation() }
    }

    /// The task that is being polled.
    #[inline]
    pub(crate) fn current(&self) -> Option<&Slot> {
        let slot = NonNull::new(self.polling.current.load(Ordering::Relaxed));
        // SAFETY: it was borrowed for longer than it is here.
        slot.map(|slot| unsafe { slot.as_ref() })
    }

    /// The slot of the task that is being polled, or a place for who is none.
    #[inline]
    pub(crate) fn here(&self) -> &Slot {
        self.current().unwrap_or(&self.nobody)
    }

    /// Nobody is polled, and what was said of nobody does not count any more.
    #[inline]
    pub(crate) fn leave(&self) {
        self.nobody.span.set(Span::default());
    }

    /// What makes the wakers.
    #[inline]
    pub(crate) fn keep(&self) -> &K {
        &self.polling.keep
    }

    /// The waker that tasks are polled with.
    pub(crate) fn lend(&self) -> Lent<'_> {
        self.polling.lend()
    }

    /// True if the waker is the one that was lent, and no copy of it.
    #[inline]
    pub(crate) fn is_own(&self, waker: &Waker) -> bool {
        self.polling.is_own(waker)
    }

    /// Polls a task if it is still there. When it is over it comes back, with its slot, which is to be released, unless it was.
    #[inline]
    pub(crate) fn poll<'a>(&self, due: Due<'a>, waker: &Lent<'_>) -> Option<(Task, Option<&'a Slot>)> {
        let slot = due.slot;
        if !due.has_its_slot() || slot.state.get() != State::Waiting {
            return None;
        }
        slot.queued.set(false);
        slot.state.set(State::Running);
        let current = &self.polling.current;
        current.store((&raw const *slot).cast_mut(), Ordering::Relaxed);
        // SAFETY: it is only read.
        let Some(&Task(mut task)) = unsafe { &*slot.task.as_ptr() }.as_ref() else {
            // SAFETY: who waits is there.
            unsafe { std::hint::unreachable_unchecked() }
        };
        let turn = Turn { current, due, task };
        // SAFETY: it is not moved nor used for anything else before it is dropped: nobody takes it out, polls it or looks at it
        // while the state is another, and when its slot is released meanwhile nothing but this leads to it.
        let is_over = unsafe { Pin::new_unchecked(task.as_mut()) }
            .poll(&mut Context::from_waker(&waker.waker))
            .is_ready();
        mem::forget(turn);
        current.store(ptr::null_mut(), Ordering::Relaxed);
        // Who is in a slot that was released meanwhile is not being polled any more.
        if !is_over && slot.state.get() == State::Running {
            slot.state.set(State::Waiting);
            return None;
        }
        if !due.has_its_slot() {
            return Some((Task(task), None));
        }
        slot.state.set(State::Free);
        mem::forget(slot.task.take());
        Some((Task(task), Some(slot)))
    }

    /// The task that is being polled has no slot any more, which is to be released, and is over when its poll returns.
    pub(crate) fn end(&self) -> Option<&Slot> {
        let slot = self.current()?;
        self.polling.current.store(ptr::null_mut(), Ordering::Relaxed);
        // Whoever polls it has it.
        mem::forget(slot.task.take());
        slot.state.set(State::Free);
        Some(slot)
    }

    /// Puts a task into the ready queue, once, if it is still there.
    pub(crate) fn wake(&self, id: TaskId) {
        if let Some(slot) = self.get(id.index())
            && slot.is_of(id)
            && !slot.queued.replace(true)
        {
            self.ready.push_back(self.target(slot));
        }
    }

    /// Puts the task that was put into a slot into the ready queue. False when that would take more than a few instructions,
    /// and nothing was done.
    #[inline]
    pub(crate) fn push_if_room(&self, slot: &Slot) -> bool {
        self.ready.push_if_room(self.target(slot))
    }

    pub(crate) fn push(&self, slot: &Slot) {
        self.ready.push_back(self.target(slot));
    }

    /// Takes the next of the ready queue.
    #[inline]
    pub(crate) fn pop_ready(&self) -> Option<Due<'_>> {
        let Target { slot, generation } = self.ready.pop_front()?;
        // SAFETY: it was in the list.
        Some(Due { slot: unsafe { self.at(slot) }, generation })
    }

    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The slot of the task that is ready after so many others.
    pub(crate) fn ready_later(&self, tasks: usize) -> Option<&Slot> {
        // SAFETY: it is in the list.
        self.ready.peek(tasks).map(|Target { slot, .. }| unsafe { self.at(slot) })
    }

    /// Whom a timer is to wake.
    fn aim(&self, id: TaskId) -> Aim {
        match self.get(id.index()) {
            Some(slot) => Aim { slot: Some(NonNull::from(slot)), number: id.generation() },
            None => Aim { slot: None, number: u32::MAX },
        }
    }

    /// Sets a timer that wakes a task.
    #[inline]
    pub(crate) fn start_timer(&self, at: u64, id: TaskId) -> TimerKey {
        self.timers.insert(at, self.aim(id))
    }

    /// Sets a timer that wakes the task in a slot.
    #[inline]
    pub(crate) fn start_timer_of(&self, at: u64, slot: &Slot) -> TimerKey {
        let Target { slot, generation } = self.target(slot);
        self.timers.insert(at, Aim { slot: Some(slot), number: generation })
    }

    /// Sets a timer for whom a waker stands that is kept elsewhere.
    pub(crate) fn start_foreign_timer(&self, at: u64, place: usize) -> TimerKey {
        self.timers.insert(at, Aim { slot: None, number: place as u32 })
    }

    /// Takes the next timer that is due by `limit`: when it is due, and what it wakes.
    #[inline]
    pub(crate) fn pop_timer(&self, limit: u64) -> Option<(u64, Fired<'_>)> {
        let (at, aim) = self.timers.pop(limit)?;
        Some((at, self.fired(aim)))
    }

    #[inline]
    fn fired(&self, aim: Aim) -> Fired<'_> {
        match aim.slot {
            // SAFETY: `aim` and `target` have made it of this table's.
            Some(slot) => Fired::Task(Due { slot: unsafe { self.at(slot) }, generation: aim.number }),
            None => Fired::Foreign(aim.number as usize),
        }
    }

    /// True until a timer fires or is cancelled.
    #[inline]
    pub(crate) fn is_live(&self, key: TimerKey) -> bool {
        self.timers.is_live(key)
    }

    /// Stops a timer; gives back whom it would have woken.
    pub(crate) fn cancel_timer(&self, key: TimerKey) -> Option<Fired<'_>> {
        self.timers.cancel(key).map(|aim| self.fired(aim))
    }

    /// Has another task or foreign waker woken by a timer that still waits; gives back whom it would have woken.
    pub(crate) fn redirect_timer(&self, key: TimerKey, to: Result<TaskId, usize>) -> Option<Fired<'_>> {
        let aim = match to {
            Ok(id) => self.aim(id),
            Err(place) => Aim { slot: None, number: place as u32 },
        };
        self.timers.replace(key, aim).map(|aim| self.fired(aim))
    }

    /// True when it pays to know whom the next timers wake.
    #[inline]
    pub(crate) fn timers_are_many(&self) -> bool {
        self.timers.are_many()
    }

    /// The slot of the task that is woken next, if that is easily told.
    #[inline]
    pub(crate) fn next_timer(&self) -> Option<&Slot> {
        // SAFETY: as in `fired`.
        self.timers.next()?.slot.map(|slot| unsafe { self.at(slot) })
    }

    /// Now and then, the slots of the tasks that are woken next.
    #[inline]
    pub(crate) fn take_soon(&self) -> Option<Vec<&Slot>> {
        self.timers.take_soon().map(|soon| {
            // SAFETY: as in `fired`.
            soon.into_iter().filter_map(|aim| aim.slot.map(|slot| unsafe { self.at(slot) })).collect()
        })
    }
}

#[cold]
#[inline(never)]
fn no_free() -> ! {
    panic!("there is a free slot")
}

#[cfg(test)]
mod tests;
