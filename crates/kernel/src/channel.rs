//! A bounded channel with one receiver, whose messages may still be on their way.
//!
//! [`Sender::send_at`] is how everything that travels is modelled: the message waits in the receiver's queue and
//! becomes visible at its instant of arrival, at the cost of one timer. Messages that arrive at one instant come out
//! in the order in which they were sent.

use crate::executor::Waiter;
use crate::sim::{Core, Ctx};
use crate::time::Instant;
use crate::timer_queue::TimerKey;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A channel that holds at most `capacity` messages, those on their way included.
///
/// ```
/// use glasshive_kernel::{Instant, SendError, Sim, Sink, channel};
///
/// let mut sim = Sim::new(1, Sink::None);
/// let (sender, mut receiver) = channel(&sim.ctx(), 2);
/// // It overtakes the one that was sent before it.
/// assert_eq!(sender.send_at(Instant::from_millis(20), "slow"), Ok(()));
/// assert_eq!(sender.send_at(Instant::from_millis(10), "fast"), Ok(()));
/// assert_eq!(sender.send("one too many"), Err(SendError::Full("one too many")));
/// drop(sender);
///
/// let ctx = sim.ctx();
/// sim.ctx().spawn(async move {
///     assert_eq!(receiver.recv().await, Some("fast"));
///     assert_eq!(ctx.now(), Instant::from_millis(10));
///     assert_eq!(receiver.recv().await, Some("slow"));
///     assert_eq!(receiver.recv().await, None, "nobody is left to send");
/// });
/// sim.run_until(Instant::from_millis(20));
/// ```
pub fn channel<T>(ctx: &Ctx, capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(Shared {
        core: Rc::clone(&ctx.core),
        state: RefCell::new(State {
            queue: VecDeque::new(),
            capacity,
            senders: 1,
            open: true,
            waiting: None,
            timer: None,
        }),
    });
    (Sender(Rc::clone(&shared)), Receiver(shared))
}

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

/// Puts messages into a channel.
pub struct Sender<T>(Rc<Shared<T>>);

/// Takes messages out of a channel.
pub struct Receiver<T>(Rc<Shared<T>>);

struct Shared<T> {
    core: Rc<Core>,
    state: RefCell<State<T>>,
}

struct State<T> {
    /// In order of arrival, then of sending.
    queue: VecDeque<(Instant, T)>,
    capacity: usize,
    senders: usize,
    open: bool,
    /// The receiver, while it waits.
    waiting: Option<Waiter>,
    /// Wakes the waiting receiver when the first message arrives.
    timer: Option<TimerKey>,
}

impl<T> Sender<T> {
    /// Sends a message that is there at once.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.send_at(self.0.core.now(), message)
    }

    /// Sends a message that arrives at `at`.
    pub fn send_at(&self, at: Instant, message: T) -> Result<(), SendError<T>> {
        let mut state = self.0.state.borrow_mut();
        if !state.open {
            return Err(SendError::Closed(message));
        }
        if state.queue.len() >= state.capacity {
            return Err(SendError::Full(message));
        }
        let first = state.queue.is_empty() || at < state.queue[0].0;
        match state.queue.back() {
            Some(&(last, _)) if at < last => {
                let place = state.queue.partition_point(|&(other, _)| other <= at);
                state.queue.insert(place, (at, message));
            }
            _ => state.queue.push_back((at, message)),
        }
        if first && state.waiting.is_some() {
            self.0.arm(&mut state, at);
        }
        debug_assert!(state.timer.is_none() || state.waiting.is_some(), "a timer wakes somebody who waits");
        Ok(())
    }

    /// True when the receiver is gone.
    pub fn is_closed(&self) -> bool {
        !self.0.state.borrow().open
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.state.borrow_mut().senders += 1;
        Sender(Rc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.borrow_mut();
        state.senders -= 1;
        if state.senders == 0
            && state.queue.is_empty()
            && let Some(waiter) = state.waiting.take()
        {
            self.0.core.executor.wake(waiter);
        }
    }
}

impl<T> Receiver<T> {
    /// The next message, once it has arrived; `None` when no sender and no message is left.
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// [`recv`](Self::recv) for hand-written futures.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let shared = &*self.0;
        let mut state = shared.state.borrow_mut();
        match state.queue.front() {
            Some(&(at, _)) if at <= shared.core.now() => {
                // A receiver that never has to wait would keep its task from ever giving way.
                if state.waiting.take().is_none() && !shared.core.executor.may_go_on() {
                    return Poll::Pending;
                }
                shared.disarm(&mut state);
                Poll::Ready(state.queue.pop_front().map(|(_, message)| message))
            }
            None if state.senders == 0 => Poll::Ready(None),
            first => {
                let first = first.map(|&(at, _)| at);
                state.waiting = Some(shared.core.executor.waiter(cx));
                if let Some(at) = first {
                    shared.arm(&mut state, at);
                }
                Poll::Pending
            }
        }
    }

    /// How many messages are in the channel, those on their way included.
    pub fn len(&self) -> usize {
        self.0.state.borrow().queue.len()
    }

    /// True when no message is in the channel or on its way.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What was queued is dropped with the receiver; its own destructors see a closed channel.
impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let queue = {
            let mut state = self.0.state.borrow_mut();
            self.0.disarm(&mut state);
            state.open = false;
            state.waiting = None;
            std::mem::take(&mut state.queue)
        };
        drop(queue);
    }
}

impl<T> Shared<T> {
    /// Sees to it that the waiting receiver is woken at `at`: by a timer, or right away.
    fn arm(&self, state: &mut State<T>, at: Instant) {
        self.disarm(state);
        if at <= self.core.now() {
            if let Some(waiter) = state.waiting.take() {
                self.core.executor.wake(waiter);
            }
            return;
        }
        let waiter = match &state.waiting {
            Some(Waiter::Task(id)) => Waiter::Task(*id),
            Some(Waiter::Foreign(waker)) => Waiter::Foreign(waker.clone()),
            None => return,
        };
        state.timer = Some(self.core.timers.start(at, waiter));
    }

    fn disarm(&self, state: &mut State<T>) {
        if let Some(key) = state.timer.take() {
            self.core.timers.cancel(key);
        }
    }
}
