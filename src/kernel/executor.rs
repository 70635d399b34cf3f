//! The task slab, the ready queue and the wakers.
//!
//! A task is a boxed future in a slot that is reused; a [`TaskId`] names slot and generation, so an id of a task
//! that is gone is dead and harmless. The kernel's own primitives wake a task by its id. Code from elsewhere (the
//! combinators of `futures`) gets a real [`Waker`], which may be cloned, kept and woken from anywhere: it leaves the
//! slot's number in a shared list that the executor looks at before every ready task.
//!
//! Dropping a future can run any code, so no table is borrowed while one is dropped or polled.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

/// Names a task, also after it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskId {
    index: u32,
    generation: u32,
}

impl TaskId {
    const NONE: TaskId = TaskId { index: u32::MAX, generation: 0 };
}

/// A group of tasks that can be dropped together. Tasks inherit the scope of the task that spawned them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope(pub u32);

/// What the current task is busy with: the request, and the last record that it made or was told of.
/// Tasks inherit it from the task that spawned them; records take their causal parent from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The request's number; 0 for none.
    pub req: u64,
    /// The record that caused what happens now; 0 for none.
    pub cause: u64,
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

struct Slot {
    generation: u32,
    /// `None` while the task is being polled, and in a free slot.
    task: Option<Task>,
    /// Absent only while the task is being polled. Kept when the slot is reused.
    waker: Option<Waker>,
    state: State,
    queued: bool,
    scope: Scope,
    span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Waiting,
    Running,
    /// Aborted by itself or by something that it called: dropped as soon as its poll returns.
    AbortedWhileRunning,
}

/// Who is to be woken: one of the executor's tasks, or whatever a foreign waker stands for.
#[derive(Debug)]
pub(super) enum Waiter {
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

pub(super) struct Executor {
    slots: RefCell<Vec<Slot>>,
    free: RefCell<Vec<u32>>,
    ready: RefCell<VecDeque<TaskId>>,
    wakes: Arc<ForeignWakes>,
    current: Cell<TaskId>,
    /// The data pointer of the current task's waker: tells a waker of ours from a combinator's.
    current_waker: Cell<*const ()>,
    pub(super) scope: Cell<Scope>,
    pub(super) span: Cell<Span>,
}

impl Default for Executor {
    fn default() -> Self {
        Executor {
            slots: RefCell::default(),
            free: RefCell::default(),
            ready: RefCell::default(),
            wakes: Arc::default(),
            current: Cell::new(TaskId::NONE),
            current_waker: Cell::new(std::ptr::null()),
            scope: Cell::default(),
            span: Cell::default(),
        }
    }
}

impl Executor {
    pub(super) fn spawn(&self, scope: Scope, task: Task) -> TaskId {
        let span = self.span.get();
        let mut slots = self.slots.borrow_mut();
        let index = match self.free.borrow_mut().pop() {
            Some(index) => index,
            None => {
                let index = slots.len() as u32;
                let wakes = Arc::clone(&self.wakes);
                slots.push(Slot {
                    generation: 0,
                    task: None,
                    waker: Some(Waker::from(Arc::new(SlotWaker { index, wakes }))),
                    state: State::Free,
                    queued: false,
                    scope,
                    span,
                });
                index
            }
        };
        let slot = &mut slots[index as usize];
        slot.task = Some(task);
        slot.state = State::Waiting;
        slot.queued = true;
        slot.scope = scope;
        slot.span = span;
        let id = TaskId { index, generation: slot.generation };
        self.ready.borrow_mut().push_back(id);
        id
    }

    /// Puts a task into the ready queue, once, if it is still there.
    pub(super) fn wake(&self, waiter: Waiter) {
        match waiter {
            Waiter::Task(id) => {
                let mut slots = self.slots.borrow_mut();
                let slot = &mut slots[id.index as usize];
                if slot.generation == id.generation && !slot.queued {
                    slot.queued = true;
                    self.ready.borrow_mut().push_back(id);
                }
            }
            Waiter::Foreign(waker) => waker.wake(),
        }
    }

    /// Whom to wake on behalf of the future that is being polled with `cx`.
    pub(super) fn waiter(&self, cx: &Context<'_>) -> Waiter {
        match self.current_task(cx) {
            Some(id) => Waiter::Task(id),
            None => Waiter::Foreign(cx.waker().clone()),
        }
    }

    /// The current task, if `cx` is its own and not one that a combinator made.
    pub(super) fn current_task(&self, cx: &Context<'_>) -> Option<TaskId> {
        (cx.waker().data() == self.current_waker.get()).then(|| self.current.get())
    }

    /// Polls ready tasks, in order, until none is left.
    pub(super) fn run_ready(&self) {
        loop {
            if self.wakes.any.load(Ordering::Acquire) {
                self.collect_foreign_wakes();
            }
            let next = self.ready.borrow_mut().pop_front();
            match next {
                Some(id) => self.poll(id),
                None => return,
            }
        }
    }

    /// True when a task is to be polled before time may move.
    pub(super) fn has_ready(&self) -> bool {
        self.wakes.any.load(Ordering::Acquire) || !self.ready.borrow().is_empty()
    }

    fn collect_foreign_wakes(&self) {
        self.wakes.any.store(false, Ordering::Release);
        let woken = mem::take(&mut *self.wakes.slots.lock().unwrap_or_else(PoisonError::into_inner));
        for index in woken {
            let generation = self.slots.borrow()[index as usize].generation;
            self.wake(Waiter::Task(TaskId { index, generation }));
        }
    }

    /// Polls a task now; does nothing if it is gone.
    pub(super) fn poll(&self, id: TaskId) {
        let Some((mut task, waker)) = self.begin(id) else {
            return;
        };
        let before = self.current.replace(id);
        let waker_before = self.current_waker.replace(waker.data());
        let done = task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        self.current.set(before);
        self.current_waker.set(waker_before);
        let ended = self.end(id, task, waker, done);
        drop(ended);
    }

    fn begin(&self, id: TaskId) -> Option<(Task, Waker)> {
        let mut slots = self.slots.borrow_mut();
        let slot = &mut slots[id.index as usize];
        if slot.generation != id.generation || slot.state != State::Waiting {
            return None;
        }
        slot.queued = false;
        slot.state = State::Running;
        self.scope.set(slot.scope);
        self.span.set(slot.span);
        Some((slot.task.take()?, slot.waker.take()?))
    }

    /// Puts the task back, or frees its slot and returns it to be dropped.
    fn end(&self, id: TaskId, task: Task, waker: Waker, done: bool) -> Option<Task> {
        let mut slots = self.slots.borrow_mut();
        let slot = &mut slots[id.index as usize];
        slot.waker = Some(waker);
        slot.span = self.span.replace(Span::default());
        self.scope.set(Scope::default());
        if !done && slot.state == State::Running {
            slot.state = State::Waiting;
            slot.task = Some(task);
            return None;
        }
        self.release(id.index, slot);
        Some(task)
    }

    fn release(&self, index: u32, slot: &mut Slot) {
        slot.state = State::Free;
        slot.queued = false;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.borrow_mut().push(index);
    }

    /// Drops a task: at once, or when its poll returns if it is the one that runs. A task that has ended stays so.
    pub(super) fn abort(&self, id: TaskId) {
        let dropped = {
            let mut slots = self.slots.borrow_mut();
            let Some(slot) = slots.get_mut(id.index as usize) else {
                return;
            };
            if slot.generation != id.generation {
                return;
            }
            match slot.state {
                State::Waiting => {
                    self.release(id.index, slot);
                    slot.task.take()
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
    pub(super) fn abort_scope(&self, scope: Scope) {
        let doomed: Vec<TaskId> = {
            let slots = self.slots.borrow();
            let of_scope = |slot: &Slot| slot.scope == scope && slot.state != State::Free;
            (0_u32..)
                .zip(slots.iter())
                .filter(|(_, slot)| of_scope(slot))
                .map(|(index, slot)| TaskId { index, generation: slot.generation })
                .collect()
        };
        for id in doomed {
            self.abort(id);
        }
    }

    /// Drops all tasks; what a dropped task spawns is dropped too.
    pub(super) fn clear(&self) {
        loop {
            let doomed: Vec<Task> =
                self.slots.borrow_mut().iter_mut().filter_map(|slot| slot.task.take()).collect();
            if doomed.is_empty() {
                return;
            }
            drop(doomed);
        }
    }

    pub(super) fn is_finished(&self, id: TaskId) -> bool {
        self.slots.borrow()[id.index as usize].generation != id.generation
    }
}
