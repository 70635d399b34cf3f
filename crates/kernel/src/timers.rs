//! The timers of a simulation: the event queue, and whom each timer wakes.
//!
//! Nearly all timers wake a task, and the queue holds the task's id. A waker from elsewhere is kept in a table beside
//! it, so that what goes through the queue is one plain word.
//!
//! Waking and dropping a foreign waker can run any code, so nothing is borrowed meanwhile.

use crate::executor::Waiter;
use crate::tasks::TaskId;
use crate::time::Instant;
use crate::timer_queue::{TimerKey, TimerQueue};
use std::cell::RefCell;
use std::task::Waker;

#[derive(Default)]
pub(crate) struct Timers {
    queue: RefCell<TimerQueue<TaskId>>,
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
    /// Sets a timer that wakes `waiter` at `at`.
    pub(crate) fn start(&self, at: Instant, waiter: Waiter) -> TimerKey {
        let target = self.target(waiter);
        self.queue.borrow_mut().insert(at.as_nanos(), target)
    }

    /// Stops a timer, unless it has fired.
    pub(crate) fn cancel(&self, key: TimerKey) {
        let target = self.queue.borrow_mut().cancel(key);
        drop(target.and_then(|target| self.foreign(target)));
    }

    /// Sets whom a timer wakes, unless it has fired. It keeps its place.
    #[cold]
    pub(crate) fn redirect(&self, key: TimerKey, waiter: Waiter) {
        let target = self.target(waiter);
        let before = self.queue.borrow_mut().replace(key, target).unwrap_or(target);
        drop(self.foreign(before));
    }

    /// Takes the next timer that is due by `limit`: when it is due, and what it wakes. Tells `foresee` whom the next
    /// ones wake, now and then.
    #[inline]
    pub(crate) fn pop(
        &self,
        limit: Instant,
        foresee: impl FnOnce(&mut Vec<TaskId>),
    ) -> Option<(Instant, TaskId)> {
        let mut queue = self.queue.borrow_mut();
        let (at, target) = queue.pop(limit.as_nanos())?;
        if let Some(soon) = queue.soon() {
            foresee(soon);
        }
        Some((Instant::from_nanos(at), target))
    }

    /// The foreign waker that a timer's target stands for; `None` if it is a task. To be asked once.
    pub(crate) fn foreign(&self, target: TaskId) -> Option<Waker> {
        target.foreign().and_then(|place| self.foreign.borrow_mut().take(place))
    }

    fn target(&self, waiter: Waiter) -> TaskId {
        match waiter {
            Waiter::Task(id) => id,
            Waiter::Foreign(waker) => self.foreign.borrow_mut().add(waker),
        }
    }
}
