//! Waiting for virtual time.

use super::executor::TaskId;
use super::sim::Core;
use super::time::Instant;
use super::timer_queue::TimerKey;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// The limit of a [`timeout`](super::Ctx::timeout) passed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

/// Ready at its deadline. Holds a timer from the first poll on, which is cancelled when the future is dropped.
pub struct Sleep {
    core: Rc<Core>,
    deadline: Instant,
    timer: Option<TimerKey>,
    /// The task that the timer will poll; `None` if it wakes a combinator's waker.
    task: Option<TaskId>,
}

impl Sleep {
    pub(super) fn new(core: Rc<Core>, deadline: Instant) -> Self {
        Sleep { core, deadline, timer: None, task: None }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.core.now() >= self.deadline {
            return Poll::Ready(());
        }
        let task = self.core.executor.current_task(cx);
        if self.timer.is_some() && task.is_some() && self.task == task {
            return Poll::Pending;
        }
        let waiter = self.core.executor.waiter(cx);
        let replaced = match self.timer {
            Some(key) => self.core.timers.borrow_mut().replace(key, waiter),
            None => {
                let key = self.core.timers.borrow_mut().insert(self.deadline.as_nanos(), waiter);
                self.timer = Some(key);
                None
            }
        };
        self.task = task;
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.timer {
            let cancelled = self.core.timers.borrow_mut().cancel(key);
            drop(cancelled);
        }
    }
}
