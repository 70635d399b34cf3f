//! How many tasks a worker does at once: the others wait, first come, first served.

use crate::kernel::{Ctx, OneshotSender, oneshot};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// The queue is never searched for those who have left while it is shorter.
const SWEPT_FROM: usize = 16;

/// A worker's slots, and who waits for one.
pub(super) struct Slots {
    free: Cell<u32>,
    waiting: RefCell<VecDeque<OneshotSender<Slot>>>,
    /// At this length those who have left are taken out, so that they take no more room than those who wait.
    sweep_at: Cell<usize>,
}

/// The right to do one task, until it is dropped: the task is done, cancelled, or lost in a crash.
pub(in crate::systems::oracle) struct Slot(Rc<Slots>);

impl Slots {
    pub(super) fn new(count: u32) -> Rc<Self> {
        Rc::new(Slots {
            free: Cell::new(count),
            waiting: RefCell::default(),
            sweep_at: Cell::new(SWEPT_FROM),
        })
    }

    /// Waits for a slot; whoever stops waiting has left the queue.
    pub(super) async fn take(self: &Rc<Self>, ctx: &Ctx) -> Option<Slot> {
        if let Some(free) = self.free.get().checked_sub(1) {
            self.free.set(free);
            return Some(Slot(Rc::clone(self)));
        }
        let (sender, slot) = oneshot(ctx);
        self.line_up(sender);
        // Nobody drops a sender of one who waits.
        slot.await.ok()
    }

    fn line_up(&self, sender: OneshotSender<Slot>) {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() >= self.sweep_at.get() {
            waiting.retain(|sender| !sender.is_closed());
            self.sweep_at.set(SWEPT_FROM.max(2 * waiting.len()));
        }
        waiting.push_back(sender);
    }

    /// The first who still waits; all before have left.
    fn next(&self) -> Option<OneshotSender<Slot>> {
        let mut waiting = self.waiting.borrow_mut();
        while let Some(sender) = waiting.pop_front() {
            if !sender.is_closed() {
                return Some(sender);
            }
        }
        None
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let slots = &self.0;
        match slots.next() {
            // It is not closed, so it takes it.
            Some(next) => drop(next.send(Slot(Rc::clone(slots)))),
            None => slots.free.set(slots.free.get() + 1),
        }
    }
}
