//! A task whose result somebody awaits.

use crate::oneshot::{Cancelled, OneshotReceiver};
use crate::sim::Ctx;
use crate::tasks::TaskId;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The result of a task that [`Ctx::spawn_joined`] started: ready when the task has ended, with [`Cancelled`] when it was
/// aborted. The task runs on when its handle is dropped.
///
/// ```
/// use glasshive_kernel::{Cancelled, Duration, Instant, Sim, Sink};
///
/// let mut sim = Sim::new(1, Sink::None);
/// let ctx = sim.ctx();
/// sim.ctx().spawn(async move {
///     let nap = |ms| {
///         let ctx = ctx.clone();
///         async move {
///             ctx.sleep(Duration::from_millis(ms)).await;
///             ctx.now()
///         }
///     };
///     let (short, long) = (ctx.spawn_joined(nap(10)), ctx.spawn_joined(nap(1_000)));
///     assert_eq!(short.await, Ok(Instant::from_millis(10)));
///     long.abort();
///     assert_eq!(long.await, Err(Cancelled));
/// });
/// sim.run_until(Instant::from_millis(10));
/// ```
pub struct JoinHandle<T> {
    ctx: Ctx,
    id: TaskId,
    result: OneshotReceiver<T>,
}

impl<T> JoinHandle<T> {
    pub(crate) fn new(ctx: Ctx, id: TaskId, result: OneshotReceiver<T>) -> Self {
        JoinHandle { ctx, id, result }
    }

    /// The task.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Drops the task, unless it has ended.
    pub fn abort(&self) {
        self.ctx.abort(self.id);
    }

    /// True once the task has run to its end or was aborted.
    pub fn is_finished(&self) -> bool {
        self.ctx.is_finished(self.id)
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.result).poll(cx)
    }
}
