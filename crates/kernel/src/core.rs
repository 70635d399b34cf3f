//! What a simulation is inside, and how it is played.

use crate::bare::Fired;
use crate::executor::Executor;
use crate::foresight::CAN_FETCH;
use crate::tasks::TaskId;
use crate::time::Instant;
use crate::timers::Foreign;
use crate::trace::{Sink, Trace};
use std::cell::{Cell, RefCell};

/// What the simulation and all its tasks share.
pub(crate) struct Core {
    pub(crate) executor: Executor,
    pub(crate) foreign: RefCell<Foreign>,
    pub(crate) trace: RefCell<Trace>,
    pub(crate) seed: u64,
    /// Room for the members of the next set, which the one before has left.
    members: Cell<Vec<TaskId>>,
}

/// Room for more members is not kept.
const MEMBERS_MAX: usize = 1024;

impl Core {
    pub(crate) fn new(seed: u64, sink: Sink) -> Self {
        let trace = RefCell::new(Trace::new(sink));
        Core {
            executor: Executor::default(),
            foreign: RefCell::default(),
            trace,
            seed,
            members: Cell::default(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.executor.now.get()
    }

    /// Room for a set's members, if there is any to be used again.
    pub(crate) fn take_room(&self) -> Vec<TaskId> {
        self.members.take()
    }

    /// Keeps the room that a set has had. Nobody is in it any more.
    pub(crate) fn keep_room(&self, room: Vec<TaskId>) {
        debug_assert!(room.is_empty(), "who is left is no member of another set");
        if room.capacity() <= MEMBERS_MAX {
            self.members.set(room);
        }
    }

    /// Runs everything until `limit`, or of that only the first instant at which anything happens, or none after the one
    /// in which the trace comes to so many records. False when nothing happened, or when time stands still.
    pub(crate) fn run(&self, limit: Instant, one_instant: bool, records: u64) -> bool {
        let ran = self.play(limit, one_instant, records);
        self.executor.leave();
        ran
    }

    /// Has at hand what the next timers will need.
    #[inline]
    fn prepare(&self) {
        let slots = self.executor.slots();
        if let Some(next) = slots.next_timer() {
            next.fetch_near();
        }
        if CAN_FETCH && let Some(soon) = slots.take_soon() {
            self.executor.foresee(soon);
        }
    }

    #[inline(never)]
    fn play(&self, mut limit: Instant, one_instant: bool, records: u64) -> bool {
        let executor = &self.executor;
        if executor.stuck().is_some() {
            return false;
        }
        let (slots, waker, woken) = (executor.slots(), executor.lend(), executor.woken());
        let mut ran = executor.has_ready();
        if ran && one_instant {
            limit = self.now();
        }
        let counts = records < u64::MAX;
        loop {
            let due = match executor.next_ready(woken) {
                Some(due) => due,
                None => {
                    if executor.stuck().is_some() {
                        return false;
                    }
                    if counts && self.trace.borrow().count() >= records {
                        limit = self.now();
                    }
                    let Some((at, fired)) = slots.pop_timer(limit.as_nanos()) else {
                        return ran;
                    };
                    let at = Instant::from_nanos(at);
                    if slots.timers_are_many() {
                        self.prepare();
                    }
                    debug_assert!(at >= self.now(), "no timer is left from the past");
                    executor.now.set(at);
                    ran = true;
                    limit = if one_instant { at } else { limit };
                    match fired {
                        // A task is polled directly, without a trip through the ready queue.
                        Fired::Task(due) => due,
                        Fired::Foreign(place) => {
                            executor.leave();
                            self.wake_foreign(place);
                            continue;
                        }
                    }
                }
            };
            executor.poll(due, &waker);
        }
    }
}
