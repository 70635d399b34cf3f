//! A set of tasks whose results are taken in the order in which they end.

use crate::executor::Waiter;
use crate::foresight::Foresee;
use crate::sim::Ctx;
use crate::tasks::TaskId;
use pin_project_lite::pin_project;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A set does not look for members that have ended before it has so many.
const SWEEP_MIN: usize = 128;

/// Tasks that belong together. Dropping the set drops those that still run: that is how work is cancelled.
///
/// ```
/// use glasshive_kernel::{Duration, Instant, JoinSet, Sim, Sink};
///
/// let mut sim = Sim::new(1, Sink::None);
/// let ctx = sim.ctx();
/// sim.ctx().spawn(async move {
///     let mut set = JoinSet::new(&ctx);
///     for ms in [30, 10, 20] {
///         let ctx = ctx.clone();
///         set.spawn(async move {
///             ctx.sleep(Duration::from_millis(ms)).await;
///             ms
///         });
///     }
///     assert_eq!(set.join_next().await, Some(10));
///     assert_eq!(set.join_next().await, Some(20));
///     assert_eq!(set.len(), 1);
///     // The one that still runs is dropped with the set.
/// });
/// sim.run_until(Instant::from_millis(100));
/// ```
pub struct JoinSet<T> {
    /// In the order of their start; those that have ended are swept out when they may be half of all.
    members: Vec<TaskId>,
    sweep_at: usize,
    shared: Rc<Shared<T>>,
}

struct Shared<T> {
    ctx: Ctx,
    /// Members that run.
    running: Cell<usize>,
    results: RefCell<Results<T>>,
}

struct Results<T> {
    /// Those not yet taken.
    done: VecDeque<T>,
    waiting: Option<Waiter>,
}

/// A member's tie to its set: tells it of the result, or that there will be none.
struct Member<T>(Option<Rc<Shared<T>>>);

pin_project! {
    /// A member. Not an async block: that would hold the future twice, as captured and as awaited.
    struct Joined<F, T> {
        #[pin]
        future: F,
        member: Member<T>,
    }
}

impl<F: Future<Output = T>, T> Future for Joined<F, T> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.future.poll(cx).map(|output| this.member.end(output))
    }
}

impl<F: Foresee<Output = T>, T> Foresee for Joined<F, T> {
    fn foresee(&self, step: usize) -> bool {
        self.future.foresee(step)
    }
}

impl<T: 'static> JoinSet<T> {
    /// An empty set.
    pub fn new(ctx: &Ctx) -> Self {
        let results = RefCell::new(Results { done: VecDeque::new(), waiting: None });
        JoinSet {
            members: Vec::new(),
            sweep_at: SWEEP_MIN,
            shared: Rc::new(Shared { ctx: ctx.clone(), running: Cell::new(0), results }),
        }
    }

    /// Starts a task of this set.
    #[track_caller]
    pub fn spawn(&mut self, future: impl Future<Output = T> + 'static) -> TaskId {
        let member = self.join();
        let id = self.shared.ctx.spawn(Joined { future, member });
        self.members.push(id);
        id
    }

    /// Starts a task of this set that knows what it will touch: see [`Foresee`].
    #[track_caller]
    pub fn spawn_foreseeing(&mut self, future: impl Foresee<Output = T> + 'static) -> TaskId {
        let (member, ctx) = (self.join(), &self.shared.ctx);
        let id = ctx.spawn_foreseeing(ctx.scope(), Joined { future, member });
        self.members.push(id);
        id
    }

    fn join(&mut self) -> Member<T> {
        if self.members.len() >= self.sweep_at {
            self.sweep();
        }
        self.shared.running.set(self.shared.running.get() + 1);
        Member(Some(Rc::clone(&self.shared)))
    }

    #[cold]
    fn sweep(&mut self) {
        let ctx = &self.shared.ctx;
        self.members.retain(|&id| !ctx.is_finished(id));
        self.sweep_at = SWEEP_MIN.max(2 * self.members.len());
    }

    /// The result of the next task to end; `None` when all have been returned. A member that was aborted from outside
    /// has none, and is not waited for.
    pub fn join_next(&mut self) -> impl Future<Output = Option<T>> {
        poll_fn(|cx| {
            let mut results = self.shared.results.borrow_mut();
            match results.done.pop_front() {
                None if self.shared.running.get() > 0 => {
                    results.waiting = Some(self.shared.ctx.core.executor.waiter(cx));
                    Poll::Pending
                }
                output => Poll::Ready(output),
            }
        })
    }
}

impl<T> JoinSet<T> {
    /// Drops all members that still run. Results that have come already can still be taken.
    pub fn abort_all(&mut self) {
        for id in self.members.drain(..) {
            self.shared.ctx.abort(id);
        }
    }

    /// How many members run, or have a result that was not taken.
    pub fn len(&self) -> usize {
        self.shared.running.get() + self.shared.results.borrow().done.len()
    }

    /// True when no member runs and all results were taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Member<T> {
    fn end(&mut self, output: T) {
        if let Some(shared) = self.0.take() {
            shared.running.set(shared.running.get() - 1);
            let mut results = shared.results.borrow_mut();
            results.done.push_back(output);
            let waiting = results.waiting.take();
            drop(results);
            if let Some(waiter) = waiting {
                shared.ctx.core.executor.wake(waiter);
            }
        }
    }
}

/// The task was aborted. Only when it was the last that could be waited for, somebody has to know.
impl<T> Drop for Member<T> {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.running.set(shared.running.get() - 1);
            if shared.running.get() == 0 {
                shared.wake();
            }
        }
    }
}

impl<T> Shared<T> {
    #[cold]
    fn wake(&self) {
        let waiting = self.results.borrow_mut().waiting.take();
        if let Some(waiter) = waiting {
            self.ctx.core.executor.wake(waiter);
        }
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        // Whoever waited has given up.
        let waiting = self.shared.results.borrow_mut().waiting.take();
        drop(waiting);
        self.abort_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Duration, Instant, Sim, Sink};

    #[test]
    fn what_a_set_knows_of_its_members_is_bounded_by_those_that_run() {
        let mut sim = Sim::new(1, Sink::None);
        let (ctx, done) = (sim.ctx(), Rc::new(Cell::new(false)));
        let at_end = Rc::clone(&done);
        sim.ctx().spawn(async move {
            let mut set = JoinSet::new(&ctx);
            let mut most = 0;
            for round in 0..3_000_u64 {
                // A few live long, most end at once.
                for long in [1, 1, 1, 1, 1, 1, 1, 100] {
                    let (ctx, nap) = (ctx.clone(), Duration::from_nanos(long));
                    set.spawn(async move { ctx.sleep(nap).await });
                }
                ctx.sleep(Duration::from_nanos(1)).await;
                while set.shared.running.get() + 8 < set.len() && set.join_next().await.is_some() {}
                most = most.max(set.members.len());
                assert!(round < 200 || set.shared.running.get() > 90);
            }
            assert!(most <= 3 * SWEEP_MIN, "{most}");
            at_end.set(true);
        });
        sim.run_until(Instant::from_nanos(10_000));
        assert!(done.get());
    }
}
