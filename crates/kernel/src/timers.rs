//! The timers of a simulation, and whom each wakes.
//!
//! Nearly all timers wake a task, and the event queue leads to the task's slot. A waker from elsewhere is kept in a table
//! beside it, so that what goes through the queue are plain words.
//!
//! Waking and dropping a foreign waker can run any code, so nothing is borrowed meanwhile.

use crate::bare::{Fired, Slot};
use crate::core::Core;
use crate::executor::Waiter;
use crate::tasks::TaskId;
use crate::time::Instant;
use crate::timer_queue::TimerKey;
use std::task::Waker;

#[derive(Default)]
pub(crate) struct Foreign {
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl Foreign {
    #[cold]
    fn add(&mut self, waker: Waker) -> usize {
        let place = self.free.pop().unwrap_or_else(|| {
            self.wakers.push(None);
            self.wakers.len() - 1
        });
        self.wakers[place] = Some(waker);
        place
    }

    #[cold]
    fn take(&mut self, place: usize) -> Option<Waker> {
        let waker = self.wakers.get_mut(place)?.take();
        self.free.push(place);
        waker
    }
}

impl Core {
    /// Sets a timer that wakes a task at `at`.
    #[inline]
    pub(crate) fn start_timer(&self, at: Instant, task: TaskId) -> TimerKey {
        self.executor.slots().start_timer(at.as_nanos(), task)
    }

    /// Sets a timer that wakes the task in a slot.
    #[inline]
    pub(crate) fn start_timer_of(&self, at: Instant, slot: &Slot) -> TimerKey {
        self.executor.slots().start_timer_of(at.as_nanos(), slot)
    }

    /// Sets a timer that wakes whom a foreign waker stands for.
    #[cold]
    pub(crate) fn start_foreign_timer(&self, at: Instant, waker: Waker) -> TimerKey {
        let place = self.foreign.borrow_mut().add(waker);
        self.executor.slots().start_foreign_timer(at.as_nanos(), place)
    }

    /// Stops a timer, unless it has fired, as most have.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn cancel_timer(&self, key: TimerKey) {
        if self.executor.slots().is_live(key) {
            self.stop_timer(key);
        }
    }

    #[inline(never)]
    fn stop_timer(&self, key: TimerKey) {
        let fired = self.executor.slots().cancel_timer(key);
        drop(fired.and_then(|fired| self.foreign_waker(fired)));
    }

    /// Sets whom a timer wakes, unless it has fired. It keeps its place.
    #[cold]
    pub(crate) fn redirect_timer(&self, key: TimerKey, waiter: Waiter) {
        let to = match waiter {
            Waiter::Task(id) => Ok(id),
            Waiter::Foreign(waker) => Err(self.foreign.borrow_mut().add(*waker)),
        };
        let slots = self.executor.slots();
        let before = match slots.redirect_timer(key, to) {
            Some(before) => self.foreign_waker(before),
            None => to.err().and_then(|place| self.take_foreign(place)),
        };
        drop(before);
    }

    /// Wakes whom a place in the table stands for. To be done once.
    #[cold]
    pub(crate) fn wake_foreign(&self, place: usize) {
        if let Some(waker) = self.take_foreign(place) {
            waker.wake();
        }
    }

    #[inline]
    fn foreign_waker(&self, fired: Fired<'_>) -> Option<Waker> {
        match fired {
            Fired::Task(_) => None,
            Fired::Foreign(place) => self.take_foreign(place),
        }
    }

    #[cold]
    #[inline(never)]
    fn take_foreign(&self, place: usize) -> Option<Waker> {
        self.foreign.borrow_mut().take(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Sim, Sink};
    use std::sync::Arc;
    use std::task::Wake;

    struct Idle;

    impl Wake for Idle {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn a_foreign_waker_is_dropped_as_soon_as_no_timer_is_set_for_it() {
        let (mut sim, idle) = (Sim::new(1, Sink::None), Arc::new(Idle));
        let (core, waker) = (sim.ctx().core, || Waker::from(Arc::clone(&idle)));
        let start = |at| core.start_foreign_timer(Instant::from_nanos(at), waker());
        let (cancelled, redirected, fired) = (start(5), start(5), start(3));
        let task = sim.ctx().spawn(std::future::pending());
        core.cancel_timer(cancelled);
        core.redirect_timer(redirected, Waiter::Task(task));
        assert_eq!(Arc::strong_count(&idle), 2);
        sim.run_until(Instant::from_nanos(4));
        assert_eq!(Arc::strong_count(&idle), 1);
        core.redirect_timer(fired, Waiter::Foreign(Box::new(waker())));
        core.cancel_timer(fired);
        assert_eq!(Arc::strong_count(&idle), 1);
        core.redirect_timer(redirected, Waiter::Foreign(Box::new(waker())));
        assert_eq!((Arc::strong_count(&idle), core.foreign.borrow().wakers.len()), (2, 3));
        sim.run_until(Instant::from_nanos(5));
        assert_eq!(Arc::strong_count(&idle), 1);
    }
}
