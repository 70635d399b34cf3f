//! Polling, waking and dropping tasks.
//!
//! The kernel's own primitives wake a task by its id. Code from elsewhere (the combinators of `futures`) gets a real
//! [`Waker`], which may be cloned, kept and woken from anywhere: it leaves the slot's number in a shared list that the
//! executor looks at before every task.
//!
//! Every poll is counted, so that a simulation whose time stands still can be ended; see `stuck.rs`.
//!
//! Dropping a future can run any code, so no table is borrowed while one is dropped or polled.

use crate::bare::{Keep, Polling, Task};
use crate::foresight::{Work, fetch, is_crowd};
use crate::sorted::SortedMap;
use crate::stuck::{Polled, Stuck, Watch};
use crate::tasks::{Scope, Slot, Span, State, TaskId, Tasks};
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
struct Wakers {
    wakes: Arc<ForeignWakes>,
    made: Mutex<SortedMap<u32, Waker>>,
}

impl Keep for Wakers {
    fn waker(&self, task: u64) -> Waker {
        let index = TaskId::index_in(task);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Waker::from(Arc::new(SlotWaker { index, wakes: Arc::clone(&self.wakes) }));
        made.entry(index).or_insert_with(new).clone()
    }

    fn wake(&self, task: u64) {
        self.wakes.push(TaskId::index_in(task));
    }
}

impl Wakers {
    /// True if it is a copy of the waker that this task is polled with.
    #[cold]
    fn has_made(&self, task: TaskId, waker: &Waker) -> bool {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.get(&TaskId::index_in(task.number())).is_some_and(|own| own.will_wake(waker))
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
    polling: Polling<Wakers>,
    watch: Watch,
    pub(crate) now: Cell<Instant>,
    pub(crate) scope: Cell<Scope>,
    pub(crate) span: Cell<Span>,
}

impl Default for Executor {
    fn default() -> Self {
        Executor {
            tasks: Tasks::default(),
            polling: Polling::new(Wakers::default()),
            watch: Watch::default(),
            now: Cell::new(Instant::ZERO),
            scope: Cell::default(),
            span: Cell::default(),
        }
    }
}

impl Executor {
    /// Puts a future where it will be polled.
    #[inline]
    pub(crate) fn task(&self, work: impl Work + 'static) -> Task {
        self.tasks.pool.put(work)
    }

    #[inline(never)]
    pub(crate) fn spawn(&self, scope: Scope, task: Task, spawned_at: &'static Location<'static>) -> TaskId {
        if !self.tasks.has_free() {
            return self.spawn_in_new(scope, task, spawned_at);
        }
        self.tasks.spawn(scope, task, self.span.get(), spawned_at)
    }

    #[cold]
    #[inline(never)]
    fn spawn_in_new(&self, scope: Scope, task: Task, spawned_at: &'static Location<'static>) -> TaskId {
        self.tasks.add_free();
        self.spawn(scope, task, spawned_at)
    }

    /// Puts a task into the ready queue, once, if it is still there.
    pub(crate) fn wake(&self, waiter: Waiter) {
        match waiter {
            Waiter::Task(id) => {
                if let Some(slot) = self.tasks.slot(id.index())
                    && slot.is_of(id)
                    && !slot.queued.replace(true)
                {
                    self.tasks.ready.push_back(id);
                }
            }
            Waiter::Foreign(waker) => waker.wake_by_ref(),
        }
    }

    /// Whom to wake on behalf of the future that is being polled with `cx`.
    #[inline]
    pub(crate) fn waiter(&self, cx: &Context<'_>) -> Waiter {
        match self.current_task(cx) {
            Some(id) => Waiter::Task(id),
            None => Waiter::foreign(cx),
        }
    }

    /// The task that is being polled, if `cx` is its own and not one that a combinator made.
    #[inline]
    pub(crate) fn current_task(&self, cx: &Context<'_>) -> Option<TaskId> {
        let task = TaskId::of_number(self.polling.task())?;
        (self.polling.is_own(cx.waker()) || self.has_made(task, cx)).then_some(task)
    }

    #[cold]
    #[inline(never)]
    fn has_made(&self, task: TaskId, cx: &Context<'_>) -> bool {
        self.polling.keep().has_made(task, cx.waker())
    }

    /// Takes the next task that is to be polled before time may move.
    #[inline]
    pub(crate) fn next_ready(&self) -> Option<TaskId> {
        if self.polling.keep().wakes.any.load(Ordering::Acquire) {
            self.collect_foreign_wakes();
        }
        let next = self.tasks.ready.pop_front()?;
        if is_crowd(self.tasks.count()) {
            self.tasks.fetch_ready();
        }
        Some(next)
    }

    /// True when a task is to be polled before time may move.
    pub(crate) fn has_ready(&self) -> bool {
        self.polling.keep().wakes.any.load(Ordering::Acquire) || !self.tasks.ready.is_empty()
    }

    #[cold]
    fn collect_foreign_wakes(&self) {
        self.polling.keep().wakes.any.store(false, Ordering::Release);
        let woken = std::mem::take(
            &mut *self.polling.keep().wakes.slots.lock().unwrap_or_else(PoisonError::into_inner),
        );
        for index in woken {
            // A waker may be kept for longer than its task lived.
            let task = self.tasks.in_slot(index);
            if let Some(id) = task {
                self.wake(Waiter::Task(id));
            }
        }
    }

    /// Fetches what these tasks will touch.
    #[cold]
    pub(crate) fn foresee(&self, mut soon: Vec<TaskId>) {
        let mut step = 0;
        while !soon.is_empty() {
            soon.retain(|&id| self.foresee_task(id, step));
            step += 1;
        }
    }

    /// Fetches what a task will touch that is found so many steps from its slot. False after the last.
    pub(crate) fn foresee_task(&self, id: TaskId, step: usize) -> bool {
        let Some(slot) = self.tasks.slot(id.index()) else {
            return false;
        };
        match step {
            0 => {
                fetch(slot);
                true
            }
            1 => {
                let beside = slot.beside().into_iter().filter_map(|index| self.tasks.slot(index as usize));
                beside.for_each(fetch);
                self.tasks.fetch_task(id.index())
            }
            _ => self.tasks.foresee(id.index(), step - 2),
        }
    }

    /// Has the task at hand that is next.
    #[inline]
    pub(crate) fn fetch_near(&self, id: TaskId) {
        if let Some(slot) = self.tasks.slot(id.index()) {
            slot.fetch_near();
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
        TaskId::of_number(self.polling.task()).is_none_or(|id| !self.watch.is_due() || self.look(id))
    }

    #[cold]
    fn look(&self, id: TaskId) -> bool {
        self.tasks.slot(id.index()).is_some_and(|slot| {
            let (scope, spawned_at) = (slot.scope.get(), slot.spawned_at.get());
            self.watch.look(self.now.get(), Polled { scope, spawned_at, span: slot.span.get() })
        })
    }

    /// Polls a task now; does nothing if it is gone, or when time stands still.
    #[inline]
    pub(crate) fn poll(&self, id: TaskId) {
        debug_assert!(self.polling.task() == 0, "a task does not poll another");
        if self.watch.is_due() && !self.look(id) {
            return;
        }
        let Some((slot, mut task)) = self.begin(id) else {
            return;
        };
        let done = self.polling.poll(id.number(), &mut task).is_ready();
        self.end(id, slot, task, done);
    }

    #[inline]
    fn begin(&self, id: TaskId) -> Option<(&Slot, Task)> {
        let slot = self.tasks.slot(id.index()).filter(|slot| slot.is_of(id))?;
        let task = slot.task.take();
        debug_assert!(
            task.is_some() == (slot.state.get() == State::Waiting),
            "a task that waits is in its slot"
        );
        slot.queued.set(false);
        slot.state.set(State::Running);
        self.scope.set(slot.scope.get());
        self.span.set(slot.span.get());
        Some((slot, task?))
    }

    /// Puts the task back, or frees its slot and drops it.
    #[inline]
    fn end(&self, id: TaskId, slot: &Slot, task: Task, done: bool) {
        debug_assert!(slot.is_of(id) && slot.state.get() != State::Free, "its slot waits for it");
        slot.span.set(self.span.get());
        if !done && slot.state.get() == State::Running {
            slot.state.set(State::Waiting);
            slot.put(task);
        } else {
            self.leave();
            self.tasks.release(id, slot);
            self.tasks.pool.drop(task);
        }
    }

    /// What happens from here on is no task's doing.
    #[inline]
    pub(crate) fn leave(&self) {
        self.scope.set(Scope::default());
        self.span.set(Span::default());
    }

    /// Drops a task: at once, or when its poll returns if it is the one that runs. A task that has ended stays so.
    pub(crate) fn abort(&self, id: TaskId) {
        let Some(slot) = self.tasks.slot(id.index()).filter(|slot| slot.is_of(id)) else {
            return;
        };
        match slot.state.get() {
            State::Waiting => {
                let task = slot.task.take();
                self.tasks.release(id, slot);
                if let Some(task) = task {
                    self.tasks.pool.drop(task);
                }
            }
            State::Running => slot.state.set(State::AbortedWhileRunning),
            State::Free | State::AbortedWhileRunning => {}
        }
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
        !self.tasks.slot(id.index()).is_some_and(|slot| slot.is_of(id))
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
        let tasks = sim.ctx().core.executor.tasks.count();
        assert!(tasks <= 4, "{tasks} slots for four tasks at a time");
    }

    #[cfg(debug_assertions)]
    fn stopped() -> (Sim, crate::TaskId) {
        let mut sim = Sim::new(1, Sink::None);
        let id = sim.ctx().spawn_in(crate::Scope(1), std::future::pending());
        sim.run_until(Instant::from_nanos(1));
        (sim, id)
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "a task does not poll another")]
    fn no_task_is_polled_by_one() {
        let (mut sim, id) = stopped();
        let ctx = sim.ctx();
        sim.ctx().spawn(async move { ctx.core.executor.poll(id) });
        sim.run_until(Instant::from_nanos(2));
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "a task that waits is in its slot")]
    fn who_waits_can_be_polled() {
        let (sim, id) = stopped();
        let executor = &sim.ctx().core.executor;
        std::mem::forget(executor.tasks.slot(id.index()).expect("it waits").task.take());
        executor.poll(id);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "its slot waits for it")]
    fn a_task_goes_back_to_the_slot_that_it_came_from() {
        let (sim, id) = stopped();
        let executor = &sim.ctx().core.executor;
        let (slot, task) = executor.begin(id).expect("it waits");
        executor.tasks.release(id, slot);
        executor.end(id, slot, task, false);
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
