//! One value, handed over once.

use crate::core::Core;
use crate::executor::Waiter;
use crate::sim::Ctx;
use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// The value will never come: who was to give it is gone, as a task that was aborted or a sender that was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cancelled: who was to give the value is gone")
    }
}

impl Error for Cancelled {}

/// A way for one value, from one task to another.
///
/// ```
/// use glasshive_kernel::{Cancelled, Duration, Instant, Sim, Sink, oneshot};
///
/// let mut sim = Sim::new(1, Sink::None);
/// let (ctx, (sender, answer), (nobody, no_answer)) = (sim.ctx(), oneshot(&sim.ctx()), oneshot::<u32>(&sim.ctx()));
/// sim.ctx().spawn(async move {
///     assert_eq!(answer.await, Ok(42));
///     assert_eq!(no_answer.await, Err(Cancelled));
/// });
/// sim.ctx().spawn(async move {
///     ctx.sleep(Duration::from_millis(5)).await;
///     assert_eq!(sender.send(42), Ok(()));
///     drop(nobody);
/// });
/// sim.run_until(Instant::from_millis(5));
/// ```
pub fn oneshot<T>(ctx: &Ctx) -> (OneshotSender<T>, OneshotReceiver<T>) {
    let state = RefCell::new(State { value: None, open: true, waiting: None });
    let shared = Rc::new(Shared { core: Rc::clone(&ctx.core), state });
    (OneshotSender(Rc::clone(&shared)), OneshotReceiver(shared))
}

/// Gives the value.
pub struct OneshotSender<T>(Rc<Shared<T>>);

/// Ready with the value once it was sent; [`Cancelled`] when it never will be.
pub struct OneshotReceiver<T>(Rc<Shared<T>>);

struct Shared<T> {
    core: Rc<Core>,
    state: RefCell<State<T>>,
}

struct State<T> {
    value: Option<T>,
    /// Both ends are there.
    open: bool,
    waiting: Option<Waiter>,
}

impl<T> OneshotSender<T> {
    /// Hands the value over; it comes back when nobody waits for it any more.
    pub fn send(self, value: T) -> Result<(), T> {
        let mut state = self.0.state.borrow_mut();
        if !state.open {
            return Err(value);
        }
        state.value = Some(value);
        // Dropping the sender wakes the receiver.
        Ok(())
    }

    /// True when the receiver is gone.
    pub fn is_closed(&self) -> bool {
        !self.0.state.borrow().open
    }
}

impl<T> Drop for OneshotSender<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.borrow_mut();
        state.open = false;
        let waiting = state.waiting.take();
        drop(state);
        if let Some(waiter) = waiting {
            self.0.core.executor.wake(waiter);
        }
    }
}

impl<T> Future for OneshotReceiver<T> {
    type Output = Result<T, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Shared { core, state } = &*self.0;
        let mut state = state.borrow_mut();
        if state.open {
            state.waiting = Some(core.executor.waiter(cx));
            return Poll::Pending;
        }
        Poll::Ready(state.value.take().ok_or(Cancelled))
    }
}

impl<T> OneshotReceiver<T> {
    /// True when awaiting it would not wait.
    pub fn is_ready(&self) -> bool {
        !self.0.state.borrow().open
    }
}

/// A value that nobody took is dropped with the receiver.
impl<T> Drop for OneshotReceiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.borrow_mut();
        state.open = false;
        let left = (state.value.take(), state.waiting.take());
        drop(state);
        drop(left);
    }
}
