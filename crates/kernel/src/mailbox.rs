//! Messages for one task, which may still be on their way.

use crate::core::Core;
use crate::executor::{Waiter, dismiss};
use crate::sim::Ctx;
use crate::time::Instant;
use crate::timer_queue::TimerKey;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::task::{Context, Poll};

/// Why a message was not taken; it is handed back.
#[derive(Debug, PartialEq, Eq)]
pub enum SendError<T> {
    /// The queue is at its capacity.
    Full(T),
    /// The receiver is gone.
    Closed(T),
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendError::Full(_) => "the channel is full",
            SendError::Closed(_) => "the receiver is gone",
        })
    }
}

impl<T: fmt::Debug> Error for SendError<T> {}

/// What a [`channel`](crate::channel) is inside: a bounded queue of messages that one task takes as they arrive.
///
/// For structures that are shared anyway, and of which there are many: it has no allocation of its own for its first
/// message.
///
/// ```
/// use glasshive_kernel::{Instant, Mailbox, Sim, Sink};
/// use std::rc::Rc;
///
/// let mut sim = Sim::new(1, Sink::None);
/// let (ctx, mailbox) = (sim.ctx(), Rc::new(Mailbox::new(2)));
/// assert_eq!(mailbox.send_at(&ctx, Instant::from_millis(20), "later"), Ok(()));
/// let taker = Rc::clone(&mailbox);
/// sim.ctx().spawn(async move {
///     assert_eq!(taker.recv(&ctx).await, "later");
///     assert_eq!(ctx.now(), Instant::from_millis(20));
///     taker.close(&ctx);
/// });
/// sim.run_until(Instant::from_millis(20));
/// assert!(mailbox.send_at(&sim.ctx(), Instant::from_millis(30), "too late").is_err());
/// ```
pub struct Mailbox<T>(RefCell<State<T>>);

struct State<T> {
    queue: Queue<T>,
    capacity: u32,
    open: bool,
    receiver: Receiver,
}

/// The same for all kinds of messages.
#[derive(Default)]
struct Receiver {
    /// The receiver, while it waits.
    waiting: Option<Waiter>,
    /// Wakes the waiting receiver when the first message arrives.
    timer: Option<TimerKey>,
}

/// In order of arrival, then of sending. Most hold one message at a time, and it lies here itself.
struct Queue<T> {
    first: Option<(Instant, T)>,
    /// Behind a pointer that most leave empty.
    #[expect(clippy::box_collection, reason = "an empty queue in place is four words in each mailbox")]
    others: Option<Box<VecDeque<(Instant, T)>>>,
}

impl<T> Queue<T> {
    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.as_ref().map_or(0, |others| others.len())
    }

    /// When the first arrives.
    fn next(&self) -> Option<Instant> {
        self.first.as_ref().map(|&(at, _)| at)
    }

    /// True if it is the first now.
    #[inline]
    fn insert(&mut self, at: Instant, message: T) -> bool {
        let Some(first) = self.next() else {
            self.first = Some((at, message));
            return true;
        };
        self.insert_other(first, at, message);
        at < first
    }

    #[inline(never)]
    fn insert_other(&mut self, first: Instant, at: Instant, message: T) {
        let others = self.others.get_or_insert_default();
        if at < first {
            if let Some(second) = self.first.replace((at, message)) {
                others.push_front(second);
            }
        } else if others.back().is_some_and(|&(last, _)| at < last) {
            let place = others.partition_point(|&(other, _)| other <= at);
            others.insert(place, (at, message));
        } else {
            others.push_back((at, message));
        }
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
        let first = self.first.take();
        if self.others.is_some() {
            self.move_up();
        }
        first.map(|(_, message)| message)
    }

    #[inline(never)]
    fn move_up(&mut self) {
        self.first = self.others.as_mut().and_then(|others| others.pop_front());
    }
}

impl<T> Mailbox<T> {
    /// Holds at most `capacity` messages, those on their way included.
    pub fn new(capacity: usize) -> Self {
        let queue = Queue { first: None, others: None };
        let capacity = u32::try_from(capacity).unwrap_or(u32::MAX);
        Mailbox(RefCell::new(State { queue, capacity, open: true, receiver: Receiver::default() }))
    }

    /// Sends a message that arrives at `at`.
    pub fn send_at(&self, ctx: &Ctx, at: Instant, message: T) -> Result<(), SendError<T>> {
        self.send(&ctx.core, at, message)
    }

    pub(crate) fn send(&self, core: &Core, at: Instant, message: T) -> Result<(), SendError<T>> {
        let state = &mut *self.0.borrow_mut();
        if !state.open {
            return Err(SendError::Closed(message));
        }
        if state.queue.len() >= state.capacity as usize {
            return Err(SendError::Full(message));
        }
        if state.queue.insert(at, message) {
            state.receiver.arm(core, at);
        }
        debug_assert!(
            state.receiver.timer.is_none() || state.receiver.waiting.is_some(),
            "a timer wakes somebody who waits"
        );
        Ok(())
    }

    /// The next message, once it has arrived.
    pub fn recv(&self, ctx: &Ctx) -> impl Future<Output = T> {
        poll_fn(|cx| self.poll_recv(ctx, cx))
    }

    /// [`recv`](Self::recv) for hand-written futures.
    pub fn poll_recv(&self, ctx: &Ctx, cx: &mut Context<'_>) -> Poll<T> {
        match self.poll_next(&ctx.core, cx, false) {
            Poll::Ready(Some(message)) => Poll::Ready(message),
            _ => Poll::Pending,
        }
    }

    /// Ready with none when no message is there nor on its way, and none can come.
    pub(crate) fn poll_next(&self, core: &Core, cx: &Context<'_>, is_last: bool) -> Poll<Option<T>> {
        let state = &mut *self.0.borrow_mut();
        match state.queue.next() {
            Some(at) if at <= core.now() => {
                if !state.receiver.may_take(core) {
                    return Poll::Pending;
                }
                Poll::Ready(state.queue.pop())
            }
            None if is_last => Poll::Ready(None),
            next => {
                state.receiver.wait(core, cx, next);
                Poll::Pending
            }
        }
    }

    /// Takes no more messages. What was queued is dropped; its own destructors see a closed mailbox.
    pub fn close(&self, ctx: &Ctx) {
        self.shut(&ctx.core);
    }

    pub(crate) fn shut(&self, core: &Core) {
        let queue = {
            let mut state = self.0.borrow_mut();
            state.receiver.disarm(core);
            state.open = false;
            state.receiver.waiting = None;
            if state.queue.first.is_none() {
                return;
            }
            let empty = Queue { first: None, others: None };
            std::mem::replace(&mut state.queue, empty)
        };
        drop(queue);
    }

    /// The last sender is gone: a receiver for whom nothing is left waits in vain.
    pub(crate) fn wake_if_empty(&self, core: &Core) {
        let mut state = self.0.borrow_mut();
        if state.queue.len() == 0
            && let Some(waiter) = state.receiver.waiting.take()
        {
            core.executor.wake(waiter);
        }
    }

    /// For [`Foresee`](crate::Foresee): fetches what sending a message will touch.
    pub(crate) fn foresee(&self, core: &Core, step: usize) -> bool {
        match self.0.borrow().receiver.waiting {
            Some(Waiter::Task(id)) => core.executor.foresee_task(id, step),
            _ => false,
        }
    }

    /// Looks at the first message, there or on its way: for [`Foresee`](crate::Foresee).
    pub fn peek<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.0.borrow().queue.first.as_ref().map(|(_, message)| look(message))
    }

    pub(crate) fn is_open(&self) -> bool {
        self.0.borrow().open
    }

    /// How many messages are in it, those on their way included.
    pub fn len(&self) -> usize {
        self.0.borrow().queue.len()
    }

    /// True when no message is there or on its way.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Receiver {
    /// Waits for the first message, which is on its way if it is known when it arrives.
    #[inline]
    fn wait(&mut self, core: &Core, cx: &Context<'_>, next: Option<Instant>) {
        let before = self.waiting.replace(core.executor.waiter(cx));
        dismiss(before);
        if let Some(at) = next {
            self.arm(core, at);
        }
    }

    /// A message is there, and is taken unless the answer is false.
    #[inline]
    fn may_take(&mut self, core: &Core) -> bool {
        // A receiver that never has to wait would keep its task from ever giving way.
        let before = self.waiting.take();
        if before.is_none() && !core.executor.may_go_on() {
            return false;
        }
        dismiss(before);
        self.disarm(core);
        true
    }

    /// Sees to it that the receiver is woken at `at` if it waits: by a timer, or right away.
    fn arm(&mut self, core: &Core, at: Instant) {
        match self.waiting {
            None => {}
            // Nearly always.
            Some(Waiter::Task(id)) if at > core.now() && self.timer.is_none() => {
                self.timer = Some(core.start_timer(at, id));
            }
            Some(_) => self.arm_otherwise(core, at),
        }
    }

    #[inline(never)]
    fn arm_otherwise(&mut self, core: &Core, at: Instant) {
        self.disarm(core);
        if at <= core.now() {
            if let Some(waiter) = self.waiting.take() {
                core.executor.wake(waiter);
            }
            return;
        }
        match &self.waiting {
            Some(Waiter::Foreign(waker)) => {
                self.timer = Some(core.start_foreign_timer(at, (**waker).clone()));
            }
            _ => self.arm(core, at),
        }
    }

    #[inline]
    fn disarm(&mut self, core: &Core) {
        if let Some(key) = self.timer.take() {
            core.cancel_timer(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Duration, Sim, Sink};
    use std::cell::Cell;
    use std::rc::Rc;

    #[test]
    fn a_message_that_overtakes_the_first_leaves_no_timer_behind() {
        let mut sim = Sim::new(1, Sink::None);
        let (mailbox, ctx) = (Rc::new(Mailbox::new(2)), sim.ctx());
        let (own, polls, taken) = (Rc::clone(&mailbox), Rc::new(Cell::new(0)), Rc::new(Cell::new(None)));
        let (counted, noted) = (Rc::clone(&polls), Rc::clone(&taken));
        sim.ctx().spawn(poll_fn(move |cx| {
            counted.set(counted.get() + 1);
            if noted.get().is_none()
                && let Poll::Ready(message) = own.poll_recv(&ctx, cx)
            {
                noted.set(Some((message, ctx.now())));
            }
            Poll::Pending
        }));
        sim.run_until(Instant::from_nanos(1));
        for at in [20, 10] {
            assert!(mailbox.send_at(&sim.ctx(), Instant::from_nanos(at), at).is_ok());
        }
        sim.run_until(Instant::from_nanos(9));
        assert_eq!((polls.get(), taken.get()), (1, None));
        sim.run_until(Instant::ZERO + Duration::from_nanos(50));
        assert_eq!((polls.get(), taken.get()), (2, Some((10, Instant::from_nanos(10)))));
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "a timer wakes somebody who waits")]
    fn nobody_is_to_be_woken_where_nobody_waits() {
        use crate::timer_queue::TimerQueue;
        let (ctx, mailbox) = (Sim::new(1, Sink::None).ctx(), Mailbox::new(1));
        mailbox.0.borrow_mut().receiver.timer = Some(TimerQueue::default().insert(0, ()));
        let _ = mailbox.send_at(&ctx, Instant::ZERO, ());
    }
}
