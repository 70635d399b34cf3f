//! A set of tasks whose results are taken in the order in which they end.

use crate::executor::Waiter;
use crate::sim::Ctx;
use crate::tasks::TaskId;
use futures_util::FutureExt;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;

/// Tasks that belong together. Dropping the set drops those that still run: that is how work is cancelled.
pub struct JoinSet<T> {
    members: Vec<TaskId>,
    /// Spawned and not yet returned by [`join_next`](Self::join_next).
    pending: usize,
    shared: Rc<Shared<T>>,
}

struct Shared<T> {
    ctx: Ctx,
    results: RefCell<Results<T>>,
}

struct Results<T> {
    done: VecDeque<T>,
    waiting: Option<Waiter>,
}

impl<T: 'static> JoinSet<T> {
    /// An empty set.
    pub fn new(ctx: &Ctx) -> Self {
        JoinSet {
            members: Vec::new(),
            pending: 0,
            shared: Rc::new(Shared {
                ctx: ctx.clone(),
                results: RefCell::new(Results { done: VecDeque::new(), waiting: None }),
            }),
        }
    }

    /// Starts a task of this set.
    #[track_caller]
    pub fn spawn(&mut self, future: impl Future<Output = T> + 'static) -> TaskId {
        let shared = Rc::clone(&self.shared);
        // Not an async block: that would hold the future twice, as captured and as awaited.
        let id = self.shared.ctx.spawn(future.map(move |output| {
            let mut results = shared.results.borrow_mut();
            results.done.push_back(output);
            let waiting = results.waiting.take();
            drop(results);
            if let Some(waiter) = waiting {
                shared.ctx.core.executor.wake(waiter);
            }
        }));
        self.members.push(id);
        self.pending += 1;
        id
    }

    /// The result of the next task to end; `None` when all have been returned. A member that was aborted from
    /// outside never ends: wait under a timeout where that can happen.
    pub async fn join_next(&mut self) -> Option<T> {
        if self.pending == 0 {
            return None;
        }
        let output = poll_fn(|cx| {
            let mut results = self.shared.results.borrow_mut();
            match results.done.pop_front() {
                Some(output) => Poll::Ready(output),
                None => {
                    results.waiting = Some(self.shared.ctx.core.executor.waiter(cx));
                    Poll::Pending
                }
            }
        })
        .await;
        self.pending -= 1;
        Some(output)
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        for &id in &self.members {
            self.shared.ctx.abort(id);
        }
    }
}
