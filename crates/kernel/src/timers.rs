//! The timers of a simulation: the event queue, and whom each timer wakes.
//!
//! Nearly all timers wake a task, and the queue holds the task's id. A waker from elsewhere is kept in a table beside
//! it, so that what goes through the queue is one plain word.
//!
//! Waking and dropping a foreign waker can run any code, so nothing is borrowed meanwhile.

use crate::bare::Leaf;
use crate::executor::Waiter;
use crate::tasks::TaskId;
use crate::time::Instant;
use crate::timer_queue::{TimerKey, TimerQueue};
use std::cell::RefCell;
use std::task::Waker;

#[derive(Default)]
pub(crate) struct Timers {
    queue: Leaf<TimerQueue<TaskId>>,
    foreign: RefCell<Foreign>,
}

#[derive(Default)]
struct Foreign {
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl Foreign {
    #[cold]
    fn add(&mut self, waker: Waker) -> TaskId {
        let place = self.free.pop().unwrap_or_else(|| {
            self.wakers.push(None);
            self.wakers.len() - 1
        });
        self.wakers[place] = Some(waker);
        TaskId::of_foreign(place)
    }

    #[cold]
    fn take(&mut self, place: usize) -> Option<Waker> {
        self.free.push(place);
        self.wakers[place].take()
    }
}

impl Timers {
    /// Sets a timer that wakes a task at `at`.
    #[inline]
    pub(crate) fn start(&self, at: Instant, task: TaskId) -> TimerKey {
        self.queue.insert(at.as_nanos(), task)
    }

    /// Sets a timer that wakes whom a foreign waker stands for.
    #[cold]
    pub(crate) fn start_foreign(&self, at: Instant, waker: Waker) -> TimerKey {
        let target = self.foreign.borrow_mut().add(waker);
        self.start(at, target)
    }

    /// Stops a timer, unless it has fired, as most have.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn cancel(&self, key: TimerKey) {
        if self.queue.is_live(key) {
            self.stop(key);
        }
    }

    #[inline(never)]
    fn stop(&self, key: TimerKey) {
        let target = self.queue.cancel(key);
        drop(target.and_then(|target| self.foreign(target)));
    }

    /// Sets whom a timer wakes, unless it has fired. It keeps its place.
    #[cold]
    pub(crate) fn redirect(&self, key: TimerKey, waiter: Waiter) {
        let target = match waiter {
            Waiter::Task(id) => id,
            Waiter::Foreign(waker) => self.foreign.borrow_mut().add(*waker),
        };
        let before = self.queue.replace(key, target).unwrap_or(target);
        drop(self.foreign(before));
    }

    /// Takes the next timer that is due by `limit`: when it is due, and what it wakes.
    #[inline]
    pub(crate) fn pop(&self, limit: Instant) -> Option<(Instant, TaskId)> {
        let (at, target) = self.queue.pop(limit.as_nanos())?;
        Some((Instant::from_nanos(at), target))
    }

    /// True when it pays to know whom the next ones wake.
    #[inline]
    pub(crate) fn are_many(&self) -> bool {
        self.queue.are_many()
    }

    /// Whom the timer wakes that is next, if that is easily told.
    #[inline]
    pub(crate) fn next(&self) -> Option<TaskId> {
        self.queue.next()
    }

    /// Now and then, whom the next ones wake.
    #[inline]
    pub(crate) fn take_soon(&self) -> Option<Vec<TaskId>> {
        self.queue.take_soon()
    }

    /// Wakes whom a timer's target stands for that is no task. To be done once.
    #[cold]
    pub(crate) fn wake_foreign(&self, target: TaskId) {
        if let Some(waker) = self.foreign(target) {
            waker.wake();
        }
    }

    fn foreign(&self, target: TaskId) -> Option<Waker> {
        target.foreign().and_then(|place| self.foreign.borrow_mut().take(place))
    }
}
