//! Polling, waking and dropping tasks.
//!
//! The kernel's own primitives wake a task by its id. Code from elsewhere (the combinators of `futures`) gets a real
//! [`Waker`], which may be cloned, kept and woken from anywhere: it leaves the slot's number in a shared list that the
//! executor looks at before every task.
//!
//! Every poll is counted, so that a simulation whose time stands still can be ended; see `stuck.rs`.
//!
//! Dropping a future can run any code, so no table is borrowed while one is dropped or polled.

use crate::bare::{Due, Keep, Lent, Slot, Slots, Task};
use crate::foresight::{Work, fetch, is_crowd};
use crate::sorted::SortedMap;
use crate::stuck::{Polled, Stuck, Watch};
use crate::tasks::{Scope, Span, TaskId, Tasks};
use crate::time::Instant;
use std::cell::Cell;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

/// Who is to be woken: one of the executor's tasks, or whatever a foreign waker stands for.
#[derive(Debug)]
pub(crate) enum Waiter {
    Task(TaskId),
    /// Boxed, as few are: with this a waiter that may be missing is two words, not three.
    Foreign(Box<Waker>),
}

impl Waiter {
    #[cold]
    pub(crate) fn foreign(cx: &Context<'_>) -> Self {
        Waiter::Foreign(Box::new(cx.waker().clone()))
    }
}

/// Drops a waiter. Nearly always there is nothing to be done.
#[inline]
pub(crate) fn dismiss(waiter: Option<Waiter>) {
    if let Some(Waiter::Foreign(waker)) = waiter {
        drop_foreign(waker);
    }
}

#[cold]
#[inline(never)]
fn drop_foreign(_: Box<Waker>) {}

/// Slots that real wakers have woken since the executor last looked.
#[derive(Default)]
struct ForeignWakes {
    any: AtomicBool,
    slots: Mutex<Vec<u32>>,
}

struct SlotWaker {
    index: u32,
    wakes: Arc<ForeignWakes>,
}

/// Makes real wakers, one for each slot whose task wants to keep one.
#[derive(Default)]
pub(crate) struct Wakers {
    wakes: Arc<ForeignWakes>,
    made: Mutex<SortedMap<u32, Waker>>,
}

impl Keep for Wakers {
    fn waker(&self, index: u32) -> Waker {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Waker::from(Arc::new(SlotWaker { index, wakes: Arc::clone(&self.wakes) }));
        made.entry(index).or_insert_with(new).clone()
    }

    fn wake(&self, index: u32) {
        self.wakes.push(index);
    }
}

impl Wakers {
    /// True if it is a copy of the waker that this task is polled with.
    #[cold]
    fn has_made(&self, task: TaskId, waker: &Waker) -> bool {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.get(&(task.index() as u32)).is_some_and(|own| own.will_wake(waker))
    }
}

impl ForeignWakes {
    fn push(&self, index: u32) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.push(index);
        self.any.store(true, Ordering::Release);
    }
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wakes.push(self.index);
    }
}

pub(crate) struct Executor {
    tasks: Tasks,
    watch: Watch,
    pub(crate) now: Cell<Instant>,
}

impl Default for Executor {
    fn default() -> Self {
        Executor { tasks: Tasks::default(), watch: Watch::default(), now: Cell::new(Instant::ZERO) }
    }
}

#[cold]
#[inline(never)]
#[expect(clippy::boxed_local, reason = "it is dropped here")]
fn wake_foreign(waker: Box<Waker>) {
    waker.wake_by_ref();
}

impl Executor {
    /// Puts a future where it will be polled.
    #[inline]
    pub(crate) fn task(&self, work: impl Work + 'static) -> Task {
        self.tasks.pool.put(work)
    }

    /// Starts a task in the scope of the current one.
    #[inline(never)]
    pub(crate) fn spawn_here(&self, task: Task, spawned_at: &'static Location<'static>) -> TaskId {
        self.start(self.scope(), task, spawned_at)
    }

    #[inline(never)]
    pub(crate) fn spawn(&self, scope: Scope, task: Task, spawned_at: &'static Location<'static>) -> TaskId {
        self.start(scope, task, spawned_at)
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn start(&self, scope: Scope, task: Task, spawned_at: &'static Location<'static>) -> TaskId {
        if !self.slots().has_free() {
            return self.spawn_in_new(scope, task, spawned_at);
        }
        self.tasks.spawn(scope, task, self.span(), spawned_at)
    }

    #[cold]
    #[inline(never)]
    fn spawn_in_new(&self, scope: Scope, task: Task, spawned_at: &'static Location<'static>) -> TaskId {
        self.slots().add_free();
        self.spawn(scope, task, spawned_at)
    }

    /// Puts a task into the ready queue, once, if it is still there.
    pub(crate) fn wake(&self, waiter: Waiter) {
        match waiter {
            Waiter::Task(id) => self.slots().wake(id),
            Waiter::Foreign(waker) => wake_foreign(waker),
        }
    }

    /// Whom to wake on behalf of the future that is being polled with `cx`.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn waiter(&self, cx: &Context<'_>) -> Waiter {
        match self.own_slot(cx) {
            Some(slot) => Waiter::Task(slot.id()),
            None => self.other_waiter(cx),
        }
    }

    #[cold]
    #[inline(never)]
    fn other_waiter(&self, cx: &Context<'_>) -> Waiter {
        self.current_task(cx).map_or_else(|| Waiter::foreign(cx), Waiter::Task)
    }

    /// The slot of the task that is being polled, if `cx` is its own and no copy of it.
    #[inline]
    pub(crate) fn own_slot(&self, cx: &Context<'_>) -> Option<&Slot> {
        self.slots().current().filter(|_| self.slots().is_own(cx.waker()))
    }

    /// The task that is being polled, if `cx` is its own and not one that a combinator made.
    #[cold]
    pub(crate) fn current_task(&self, cx: &Context<'_>) -> Option<TaskId> {
        let task = self.slots().current()?.id();
        let (keep, waker) = (self.slots().keep(), cx.waker());
        (self.slots().is_own(waker) || keep.has_made(task, waker)).then_some(task)
    }

    /// Takes the next task that is to be polled before time may move.
    #[inline]
    pub(crate) fn next_ready(&self, woken: &AtomicBool) -> Option<Due<'_>> {
        if woken.load(Ordering::Acquire) {
            self.collect_foreign_wakes();
        }
        let next = self.slots().pop_ready()?;
        if is_crowd(self.slots().count()) {
            self.tasks.fetch_ready();
        }
        Some(next)
    }

    /// What says that real wakers have woken somebody.
    pub(crate) fn woken(&self) -> &AtomicBool {
        &self.slots().keep().wakes.any
    }

    /// True when a task is to be polled before time may move.
    pub(crate) fn has_ready(&self) -> bool {
        self.slots().keep().wakes.any.load(Ordering::Acquire) || self.slots().has_ready()
    }

    #[cold]
    fn collect_foreign_wakes(&self) {
        self.slots().keep().wakes.any.store(false, Ordering::Release);
        let woken = std::mem::take(
            &mut *self.slots().keep().wakes.slots.lock().unwrap_or_else(PoisonError::into_inner),
        );
        for index in woken {
            // A waker may be kept for longer than its task lived.
            let task = self.tasks.in_slot(index);
            if let Some(id) = task {
                self.slots().wake(id);
            }
        }
    }

    /// Fetches what these tasks will touch.
    #[cold]
    pub(crate) fn foresee(&self, mut soon: Vec<&Slot>) {
        let mut step = 0;
        while !soon.is_empty() {
            soon.retain(|slot| self.foresee_slot(slot, step));
            step += 1;
        }
    }

    /// Fetches what a task will touch that is found so many steps from its slot. False after the last.
    pub(crate) fn foresee_task(&self, id: TaskId, step: usize) -> bool {
        self.slots().get(id.index()).is_some_and(|slot| self.foresee_slot(slot, step))
    }

    fn foresee_slot(&self, slot: &Slot, step: usize) -> bool {
        match step {
            0 => {
                fetch(slot);
                true
            }
            1 => {
                let beside = slot.beside().into_iter().filter_map(|index| self.slots().get(index as usize));
                beside.for_each(fetch);
                slot.fetch_task()
            }
            _ => slot.foresee(step - 2),
        }
    }

    /// From now on one instant may have about `polls` polls.
    pub(crate) fn limit_polls(&self, polls: u64) {
        self.watch.limit(polls);
    }

    /// Why nothing is polled any more.
    pub(crate) fn stuck(&self) -> Option<&Stuck> {
        self.watch.stuck()
    }

    /// To be asked by a primitive that is ready at once, time and again if need be, and so might keep its task from
    /// ever giving way. When the answer is false it says that it is pending, and is never polled again.
    pub(crate) fn may_go_on(&self) -> bool {
        self.slots().current().is_none_or(|slot| !self.watch.is_due() || self.look(slot))
    }

    #[cold]
    #[inline(never)]
    fn look(&self, slot: &Slot) -> bool {
        let (scope, spawned_at) = (slot.scope.get(), slot.spawned_at.get());
        self.watch.look(self.now.get(), Polled { scope, spawned_at, span: slot.span.get() })
    }

    /// The waker that tasks are polled with.
    pub(crate) fn lend(&self) -> Lent<'_> {
        self.slots().lend()
    }

    /// Polls a task now; does nothing if it is gone, or when time stands still.
    #[inline]
    pub(crate) fn poll(&self, due: Due<'_>, waker: &Lent<'_>) {
        debug_assert!(self.slots().current().is_none(), "a task does not poll another");
        if self.watch.is_due() && !self.look(due.slot()) {
            return;
        }
        if let Some((task, slot)) = self.slots().poll(due, waker) {
            self.leave();
            if let Some(slot) = slot {
                self.tasks.release(slot);
            }
            self.tasks.pool.drop(task);
        }
    }

    /// The current task has come to its end, and is dropped when its poll returns.
    pub(crate) fn end(&self) {
        if let Some(slot) = self.slots().end() {
            self.leave();
            self.tasks.release(slot);
        }
    }

    /// The slots of all tasks.
    #[inline]
    pub(crate) fn slots(&self) -> &Slots<Wakers> {
        &self.tasks.slots
    }

    /// The scope of the task that is being polled.
    #[inline]
    pub(crate) fn scope(&self) -> Scope {
        self.slots().here().scope.get()
    }

    /// What it is busy with.
    #[inline]
    pub(crate) fn span(&self) -> Span {
        self.slots().here().span.get()
    }

    #[inline]
    pub(crate) fn set_span(&self, span: Span) {
        self.slots().here().span.set(span);
    }

    /// What happens from here on is no task's doing.
    #[inline]
    pub(crate) fn leave(&self) {
        self.slots().leave();
    }

    /// Drops a task: at once, or when its poll returns if it is the one that runs. A task that has ended stays so.
    pub(crate) fn abort(&self, id: TaskId) {
        if let Some(slot) = self.slots().get(id.index())
            && slot.is_of(id)
            && let Some(task) = slot.take()
        {
            self.tasks.release(slot);
            self.tasks.pool.drop(task);
        }
    }

    /// Drops these tasks, in order, and forgets them.
    #[inline(never)]
    pub(crate) fn abort_all(&self, tasks: &mut Vec<TaskId>) {
        tasks.drain(..).for_each(|id| self.abort(id));
    }

    /// Drops every task of `scope`, in slot order.
    pub(crate) fn abort_scope(&self, scope: Scope) {
        let doomed = self.tasks.of_scope(scope);
        for id in doomed {
            self.abort(id);
        }
    }

    /// Drops all tasks; what a dropped task spawns is dropped too.
    pub(crate) fn clear(&self) {
        loop {
            let doomed = self.tasks.take_all();
            if doomed.is_empty() {
                return;
            }
            drop(doomed);
        }
    }

    pub(crate) fn is_finished(&self, id: TaskId) -> bool {
        !self.slots().get(id.index()).is_some_and(|slot| slot.is_of(id))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Duration, Instant, Sim, Sink};

    #[test]
    fn the_slot_of_a_task_that_has_ended_is_used_again() {
        let mut sim = Sim::new(1, Sink::None);
        for round in 1..=1_000 {
            for _ in 0..3 {
                let ctx = sim.ctx();
                sim.ctx().spawn(async move { ctx.sleep(Duration::from_nanos(5)).await });
            }
            let aborted = sim.ctx().spawn(std::future::pending());
            sim.ctx().abort(aborted);
            sim.run_until(Instant::from_nanos(round * 10));
        }
        let tasks = sim.ctx().core.executor.slots().count();
        assert!(tasks <= 4, "{tasks} slots for four tasks at a time");
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "a task does not poll another")]
    fn no_task_is_polled_by_one() {
        let mut sim = Sim::new(1, Sink::None);
        let id = sim.ctx().spawn(std::future::pending());
        sim.run_until(Instant::from_nanos(1));
        let ctx = sim.ctx();
        sim.ctx().spawn(async move {
            let executor = &ctx.core.executor;
            executor.slots().wake(id);
            let due = executor.slots().pop_ready().expect("it was woken");
            executor.poll(due, &executor.lend());
        });
        sim.run_until(Instant::from_nanos(2));
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "no timer is left from the past")]
    fn time_does_not_go_back() {
        let mut sim = Sim::new(1, Sink::None);
        let ctx = sim.ctx();
        sim.ctx().spawn(async move { ctx.sleep(Duration::from_nanos(5)).await });
        sim.run_until(Instant::from_nanos(1));
        sim.ctx().core.executor.now.set(Instant::from_nanos(9));
        sim.run_until(Instant::from_nanos(9));
    }
}
