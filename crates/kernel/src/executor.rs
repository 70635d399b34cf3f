//! Polling, waking and dropping tasks.
//!
//! The kernel's own primitives wake a task by its id. Code from elsewhere (the combinators of `futures`) gets a real
//! [`Waker`], which may be cloned, kept and woken from anywhere: it leaves the slot's number in a shared list that the
//! executor looks at before every ready task.
//!
//! Every poll is counted, so that a simulation whose time stands still can be ended; see `stuck.rs`.
//!
//! Dropping a future can run any code, so no table is borrowed while one is dropped or polled.

use crate::foresight::{fetch, is_crowd};
use crate::stuck::{Polled, Stuck, Watch};
use crate::tasks::{Scope, Span, State, Task, TaskId, Tasks};
use crate::time::Instant;
use std::cell::{Cell, Ref, RefCell};
use std::mem;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

/// Who is to be woken: one of the executor's tasks, or whatever a foreign waker stands for.
#[derive(Debug)]
pub(crate) enum Waiter {
    Task(TaskId),
    Foreign(Waker),
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

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut slots = self.wakes.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.push(self.index);
        self.wakes.any.store(true, Ordering::Release);
    }
}

pub(crate) struct Executor {
    tasks: RefCell<Tasks>,
    /// One for each slot that was ever polled. Borrowed during a poll.
    wakers: RefCell<Vec<Waker>>,
    wakes: Arc<ForeignWakes>,
    current: Cell<TaskId>,
    /// The data pointer of the current task's waker: tells a waker of ours from a combinator's.
    current_waker: Cell<*const ()>,
    watch: Watch,
    pub(crate) now: Cell<Instant>,
    pub(crate) scope: Cell<Scope>,
    pub(crate) span: Cell<Span>,
}

impl Default for Executor {
    fn default() -> Self {
        Executor {
            tasks: RefCell::default(),
            wakers: RefCell::default(),
            wakes: Arc::default(),
            current: Cell::new(TaskId::NONE),
            current_waker: Cell::new(std::ptr::null()),
            watch: Watch::default(),
            now: Cell::new(Instant::ZERO),
            scope: Cell::default(),
            span: Cell::default(),
        }
    }
}

impl Executor {
    pub(crate) fn spawn(&self, scope: Scope, task: Task, spawned_at: &'static Location<'static>) -> TaskId {
        let mut tasks = self.tasks.borrow_mut();
        let id = tasks.spawn(scope, task, self.span.get(), spawned_at);
        if is_crowd(tasks.slots.len()) {
            self.fetch_waker(id);
        }
        id
    }

    fn fetch_waker(&self, id: TaskId) {
        self.wakers.borrow().get(id.index()).map(fetch);
    }

    /// Puts a task into the ready queue, once, if it is still there.
    pub(crate) fn wake(&self, waiter: Waiter) {
        match waiter {
            Waiter::Task(id) => {
                let tasks = &mut *self.tasks.borrow_mut();
                if is_crowd(tasks.slots.len()) {
                    self.fetch_waker(id);
                }
                let slot = &mut tasks.slots[id.index()];
                if slot.generation.get() == id.generation() && !slot.queued {
                    slot.queued = true;
                    tasks.ready.push_back(id);
                }
            }
            Waiter::Foreign(waker) => waker.wake(),
        }
    }

    /// Whom to wake on behalf of the future that is being polled with `cx`.
    pub(crate) fn waiter(&self, cx: &Context<'_>) -> Waiter {
        match self.current_task(cx) {
            Some(id) => Waiter::Task(id),
            None => Waiter::Foreign(cx.waker().clone()),
        }
    }

    /// The current task, if `cx` is its own and not one that a combinator made.
    pub(crate) fn current_task(&self, cx: &Context<'_>) -> Option<TaskId> {
        let task = self.current.get();
        // Between polls the pointer is null, and so may a foreign waker's be.
        (cx.waker().data() == self.current_waker.get() && task != TaskId::NONE).then_some(task)
    }

    /// Polls ready tasks, in order, until none is left. False when time stands still.
    #[must_use]
    pub(crate) fn run_ready(&self) -> bool {
        loop {
            if self.wakes.any.load(Ordering::Acquire) {
                self.collect_foreign_wakes();
            }
            let next = {
                let mut tasks = self.tasks.borrow_mut();
                let next = tasks.ready.pop_front();
                if is_crowd(tasks.slots.len()) {
                    tasks.fetch_ready();
                }
                next
            };
            match next {
                Some(id) => self.poll(id),
                None => return self.stuck().is_none(),
            }
        }
    }

    /// True when a task is to be polled before time may move.
    pub(crate) fn has_ready(&self) -> bool {
        self.wakes.any.load(Ordering::Acquire) || !self.tasks.borrow().ready.is_empty()
    }

    #[cold]
    fn collect_foreign_wakes(&self) {
        self.wakes.any.store(false, Ordering::Release);
        let woken = mem::take(&mut *self.wakes.slots.lock().unwrap_or_else(PoisonError::into_inner));
        for index in woken {
            // A waker may be kept for longer than its task lived.
            let task = self.tasks.borrow().in_slot(index);
            if let Some(id) = task {
                self.wake(Waiter::Task(id));
            }
        }
    }

    /// Fetches what these tasks will touch.
    #[cold]
    pub(crate) fn foresee(&self, soon: &mut Vec<TaskId>) {
        let mut step = 0;
        while !soon.is_empty() {
            soon.retain(|&id| self.foresee_task(id, step));
            step += 1;
        }
    }

    /// Fetches what a task will touch that is found so many steps from its slot. False after the last.
    pub(crate) fn foresee_task(&self, id: TaskId, step: usize) -> bool {
        let tasks = self.tasks.borrow();
        let Some(slot) = tasks.slots.get(id.index()) else {
            return false;
        };
        match step {
            0 => {
                fetch(slot);
                self.fetch_waker(id);
                true
            }
            1 => {
                let beside = slot.beside().into_iter().filter_map(|index| tasks.slots.get(index as usize));
                beside.for_each(fetch);
                slot.task.as_deref().map(fetch).is_some()
            }
            _ => slot.task.as_deref().is_some_and(|task| task.foresee(step - 2)),
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
        let current = self.current.get();
        current == TaskId::NONE || !self.watch.is_due() || self.look(current)
    }

    #[cold]
    fn look(&self, id: TaskId) -> bool {
        let polled = {
            let slot = &self.tasks.borrow().slots[id.index()];
            Polled { scope: slot.scope, spawned_at: slot.spawned_at, span: slot.span }
        };
        self.watch.look(self.now.get(), polled)
    }

    /// Polls a task now; does nothing if it is gone, or when time stands still.
    pub(crate) fn poll(&self, id: TaskId) {
        debug_assert!(self.current.get() == TaskId::NONE, "a task does not poll another");
        if self.watch.is_due() && !self.look(id) {
            return;
        }
        let Some(mut task) = self.begin(id) else {
            return;
        };
        let done = {
            let mut wakers = self.wakers.borrow();
            if wakers.len() <= id.index() {
                drop(wakers);
                wakers = self.add_wakers(id.index());
            }
            let waker = &wakers[id.index()];
            self.current.set(id);
            self.current_waker.set(waker.data());
            task.as_mut().poll(&mut Context::from_waker(waker)).is_ready()
        };
        self.current.set(TaskId::NONE);
        self.current_waker.set(std::ptr::null());
        let ended = self.end(id, task, done);
        drop(ended);
    }

    #[cold]
    fn add_wakers(&self, index: usize) -> Ref<'_, Vec<Waker>> {
        let mut wakers = self.wakers.borrow_mut();
        while wakers.len() <= index {
            let waker = SlotWaker { index: wakers.len() as u32, wakes: Arc::clone(&self.wakes) };
            wakers.push(Waker::from(Arc::new(waker)));
        }
        drop(wakers);
        self.wakers.borrow()
    }

    fn begin(&self, id: TaskId) -> Option<Task> {
        let slot = &mut self.tasks.borrow_mut().slots[id.index()];
        if slot.generation.get() != id.generation() || slot.state != State::Waiting {
            return None;
        }
        debug_assert!(slot.task.is_some(), "a task that waits is in its slot");
        slot.queued = false;
        slot.state = State::Running;
        self.scope.set(slot.scope);
        self.span.set(slot.span);
        slot.task.take()
    }

    /// Puts the task back, or frees its slot and returns it to be dropped.
    fn end(&self, id: TaskId, task: Task, done: bool) -> Option<Task> {
        let mut tasks = self.tasks.borrow_mut();
        let slot = &mut tasks.slots[id.index()];
        debug_assert!(
            slot.generation.get() == id.generation() && slot.task.is_none(),
            "its slot waits for it"
        );
        slot.span = self.span.replace(Span::default());
        self.scope.set(Scope::default());
        if !done && slot.state == State::Running {
            slot.state = State::Waiting;
            // `begin` has left it empty: nothing is there to be dropped.
            mem::forget(slot.task.replace(task));
            return None;
        }
        tasks.release(id);
        Some(task)
    }

    /// Drops a task: at once, or when its poll returns if it is the one that runs. A task that has ended stays so.
    pub(crate) fn abort(&self, id: TaskId) {
        let dropped = {
            let mut tasks = self.tasks.borrow_mut();
            let Some(slot) = tasks.slots.get_mut(id.index()) else {
                return;
            };
            if slot.generation.get() != id.generation() {
                return;
            }
            match slot.state {
                State::Waiting => {
                    let task = slot.task.take();
                    tasks.release(id);
                    task
                }
                State::Running => {
                    slot.state = State::AbortedWhileRunning;
                    None
                }
                State::Free | State::AbortedWhileRunning => None,
            }
        };
        drop(dropped);
    }

    /// Drops every task of `scope`, in slot order.
    pub(crate) fn abort_scope(&self, scope: Scope) {
        let doomed = self.tasks.borrow().of_scope(scope);
        for id in doomed {
            self.abort(id);
        }
    }

    /// Drops all tasks; what a dropped task spawns is dropped too.
    pub(crate) fn clear(&self) {
        loop {
            let doomed: Vec<Task> =
                self.tasks.borrow_mut().slots.iter_mut().filter_map(|slot| slot.task.take()).collect();
            if doomed.is_empty() {
                return;
            }
            drop(doomed);
        }
    }

    pub(crate) fn is_finished(&self, id: TaskId) -> bool {
        self.tasks.borrow().slots[id.index()].generation.get() != id.generation()
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
        let tasks = sim.ctx().core.executor.tasks.borrow().slots.len();
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
        std::mem::forget(executor.tasks.borrow_mut().slots[id.index()].task.take());
        executor.poll(id);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "its slot waits for it")]
    fn a_task_goes_back_to_the_slot_that_it_came_from() {
        let (sim, id) = stopped();
        let executor = &sim.ctx().core.executor;
        let task = executor.begin(id).expect("it waits");
        sim.ctx().core.executor.tasks.borrow_mut().release(id);
        let _ = executor.end(id, task, false);
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
