//! Waiting for virtual time.

use crate::core::Core;
use crate::executor::Waiter;
use crate::tasks::TaskId;
use crate::time::Instant;
use crate::timer_queue::TimerKey;
use pin_project_lite::pin_project;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// The limit of a [`timeout`](crate::Ctx::timeout) passed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time limit passed first")
    }
}

impl Error for Elapsed {}

pin_project! {
    /// A future with a time limit: see [`timeout`](crate::Ctx::timeout) and [`Sleep::limit`].
    pub struct Timeout<F, L = Sleep> {
        // In place, where an async block would hold it twice: as captured and as awaited.
        #[pin]
        future: F,
        limit: L,
    }
}

impl<F, L> Timeout<F, L> {
    pub(crate) fn new(future: F, limit: L) -> Self {
        Timeout { future, limit }
    }
}

impl<F: Future, L: Future<Output = ()> + Unpin> Future for Timeout<F, L> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        Pin::new(this.limit).poll(cx).map(|()| Err(Elapsed))
    }
}

/// Ready at its deadline. Holds a timer from the first poll on, which is cancelled when the future is dropped.
pub struct Sleep {
    core: Rc<Core>,
    deadline: Instant,
    timer: Option<TimerKey>,
    /// The task that the timer will poll; none if it wakes a combinator's waker.
    task: Option<TaskId>,
}

impl Sleep {
    pub(crate) fn new(core: Rc<Core>, deadline: Instant) -> Self {
        Sleep { core, deadline, timer: None, task: None }
    }

    /// Runs `future` until the deadline at most, as [`timeout`](crate::Ctx::timeout) does, with this timer, which goes on
    /// afterwards: one for all that is waited for until then.
    pub fn limit<F: Future>(&mut self, future: F) -> Timeout<F, &mut Self> {
        Timeout::new(future, self)
    }
}

impl Sleep {
    /// Sees to it that whoever polls is woken.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    fn wait(&mut self, cx: &Context<'_>) {
        match self.core.executor.own_slot(cx) {
            Some(slot) if self.timer.is_none() => {
                self.task = Some(slot.id());
                self.timer = Some(self.core.start_timer_of(self.deadline, slot));
            }
            Some(slot) if Some(slot.id()) == self.task => {}
            _ => self.redirect(cx),
        }
    }

    /// Sees to it that whoever polls is woken who may be no task, or another one than before.
    #[cold]
    #[inline(never)]
    fn redirect(&mut self, cx: &Context<'_>) {
        let task = self.core.executor.current_task(cx);
        if task.is_some() && task == self.task {
            return;
        }
        let waiter = || task.map_or_else(|| Waiter::foreign(cx), Waiter::Task);
        match (self.timer, task) {
            (Some(key), _) => self.core.redirect_timer(key, waiter()),
            (None, Some(id)) => self.timer = Some(self.core.start_timer(self.deadline, id)),
            (None, None) => {
                self.timer = Some(self.core.start_foreign_timer(self.deadline, cx.waker().clone()));
            }
        }
        self.task = task;
    }

    /// A sleep that waits for nothing, in a loop, would keep its task from ever giving way.
    #[cold]
    #[inline(never)]
    fn ready_at_once(&self) -> Poll<()> {
        if self.core.executor.may_go_on() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Future for Sleep {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.core.now() >= this.deadline {
            return if this.timer.is_some() { Poll::Ready(()) } else { this.ready_at_once() };
        }
        this.wait(cx);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.timer {
            self.core.cancel_timer(key);
        }
    }
}
