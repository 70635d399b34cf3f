//! A bounded channel with one receiver, whose messages may still be on their way.
//!
//! [`Sender::send_at`] is how everything that travels is modelled: the message waits in the receiver's queue and
//! becomes visible at its instant of arrival, at the cost of one timer. Messages that arrive at one instant come out
//! in the order in which they were sent.

use crate::core::Core;
use crate::foresight::fetch;
use crate::mailbox::{Mailbox, SendError};
use crate::sim::Ctx;
use crate::time::Instant;
use std::cell::Cell;
use std::future::{Future, poll_fn};
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
        mailbox: Mailbox::new(capacity),
        senders: Cell::new(1),
    });
    (Sender(Rc::clone(&shared)), Receiver(shared))
}

/// Puts messages into a channel.
pub struct Sender<T>(Rc<Shared<T>>);

/// Takes messages out of a channel.
pub struct Receiver<T>(Rc<Shared<T>>);

struct Shared<T> {
    core: Rc<Core>,
    mailbox: Mailbox<T>,
    senders: Cell<usize>,
}

impl<T> Sender<T> {
    /// Sends a message that is there at once.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.send_at(self.0.core.now(), message)
    }

    /// Sends a message that arrives at `at`.
    pub fn send_at(&self, at: Instant, message: T) -> Result<(), SendError<T>> {
        self.0.mailbox.send(&self.0.core, at, message)
    }

    /// For [`Foresee`](crate::Foresee): fetches what sending a message will touch, so many steps from this sender. False
    /// after the last step.
    pub fn foresee(&self, step: usize) -> bool {
        match step {
            0 => {
                fetch(&*self.0);
                true
            }
            _ => self.0.mailbox.foresee(&self.0.core, step - 1),
        }
    }

    /// True when the receiver is gone.
    pub fn is_closed(&self) -> bool {
        !self.0.mailbox.is_open()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.senders.set(self.0.senders.get() + 1);
        Sender(Rc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let left = self.0.senders.get() - 1;
        self.0.senders.set(left);
        if left == 0 {
            self.0.mailbox.wake_if_empty(&self.0.core);
        }
    }
}

impl<T> Receiver<T> {
    /// The next message, once it has arrived; `None` when no sender and no message is left.
    pub fn recv(&mut self) -> impl Future<Output = Option<T>> {
        poll_fn(|cx| self.poll_recv(cx))
    }

    /// [`recv`](Self::recv) for hand-written futures.
    #[inline]
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.mailbox.poll_next(&self.0.core, cx, self.0.senders.get() == 0)
    }

    /// How many messages are in the channel, those on their way included.
    pub fn len(&self) -> usize {
        self.0.mailbox.len()
    }

    /// True when no message is in the channel or on its way.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What was queued is dropped with the receiver; its own destructors see a closed channel.
impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.0.mailbox.shut(&self.0.core);
    }
}
