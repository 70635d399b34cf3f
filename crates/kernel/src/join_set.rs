//! A set of tasks whose results are taken in the order in which they end.

use crate::executor::{Waiter, dismiss};
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
/// It has room for so many at first.
const ROOM_MIN: usize = 16;

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
    /// In the order of their start; those that have ended are swept out when there is no more room.
    members: Vec<TaskId>,
    shared: Rc<Shared<T>>,
}

struct Shared<T> {
    ctx: Ctx,
    /// Members that run.
    running: Cell<usize>,
    /// Results that were not taken: the first of them, as most are taken before the next comes, and the others.
    done: Cell<usize>,
    first: Cell<Option<T>>,
    others: RefCell<VecDeque<T>>,
    waiting: Cell<Option<Waiter>>,
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
        let shared = Shared {
            ctx: ctx.clone(),
            running: Cell::default(),
            done: Cell::default(),
            first: Cell::default(),
            others: RefCell::default(),
            waiting: Cell::default(),
        };
        JoinSet { members: ctx.core.take_room(), shared: Rc::new(shared) }
    }

    /// Starts a task of this set.
    #[track_caller]
    pub fn spawn(&mut self, future: impl Future<Output = T> + 'static) -> TaskId {
        let member = self.join();
        let id = self.shared.ctx.spawn(Joined { future, member });
        self.add(id)
    }

    /// Starts a task of this set that knows what it will touch: see [`Foresee`].
    #[track_caller]
    pub fn spawn_foreseeing(&mut self, future: impl Foresee<Output = T> + 'static) -> TaskId {
        let (member, ctx) = (self.join(), &self.shared.ctx);
        let id = ctx.spawn_foreseeing(ctx.scope(), Joined { future, member });
        self.add(id)
    }

    #[inline]
    fn join(&mut self) -> Member<T> {
        self.shared.running.set(self.shared.running.get() + 1);
        Member(Some(Rc::clone(&self.shared)))
    }

    #[inline]
    fn add(&mut self, id: TaskId) -> TaskId {
        if self.members.len() == self.members.capacity() {
            self.make_room();
        }
        self.members.push(id);
        id
    }

    /// Room for several times as many as there are, or for as many again as still run.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self) {
        let before = self.members.len();
        if before < SWEEP_MIN {
            self.members.reserve(ROOM_MIN.max(3 * before));
            return;
        }
        let ctx = &self.shared.ctx;
        self.members.retain(|&id| !ctx.is_finished(id));
        self.members.reserve(SWEEP_MIN.max(self.members.len()));
    }

    /// The result of the next task to end; `None` when all have been returned. A member that was aborted from outside
    /// has none, and is not waited for.
    pub fn join_next(&mut self) -> impl Future<Output = Option<T>> {
        poll_fn(|cx| {
            let shared = &*self.shared;
            let output = shared.take();
            if output.is_none() && shared.running.get() > 0 {
                dismiss(shared.waiting.replace(Some(shared.ctx.core.executor.waiter(cx))));
                return Poll::Pending;
            }
            Poll::Ready(output)
        })
    }
}

impl<T> JoinSet<T> {
    /// Drops all members that still run. Results that have come already can still be taken.
    pub fn abort_all(&mut self) {
        self.shared.ctx.core.executor.abort_all(&mut self.members);
    }

    /// How many members run, or have a result that was not taken.
    pub fn len(&self) -> usize {
        self.shared.running.get() + self.shared.done.get()
    }

    /// True when no member runs and all results were taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Member<T> {
    #[inline]
    fn end(&mut self, output: T) {
        if let Some(shared) = self.0.take() {
            Shared::end(shared, output);
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
    /// A member has come to its end. Not a part of each future's own code, which has little else to do.
    #[inline(never)]
    fn end(shared: Rc<Self>, output: T) {
        shared.running.set(shared.running.get() - 1);
        shared.put(output);
        shared.wake();
    }

    #[inline]
    fn wake(&self) {
        if let Some(waiter) = self.waiting.take() {
            self.ctx.core.executor.wake(waiter);
        }
    }

    #[inline]
    fn put(&self, output: T) {
        let before = self.done.replace(self.done.get() + 1);
        if before == 0 {
            self.first.set(Some(output));
        } else {
            self.put_other(output);
        }
    }

    #[inline(never)]
    fn put_other(&self, output: T) {
        self.others.borrow_mut().push_back(output);
    }

    #[inline]
    fn take(&self) -> Option<T> {
        let left = self.done.get().checked_sub(1)?;
        self.done.set(left);
        let output = self.first.take();
        if left > 0 {
            self.move_up();
        }
        output
    }

    #[inline(never)]
    fn move_up(&self) {
        self.first.set(self.others.borrow_mut().pop_front());
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        // Whoever waited has given up.
        dismiss(self.shared.waiting.take());
        self.abort_all();
        self.shared.ctx.core.keep_room(std::mem::take(&mut self.members));
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

    #[test]
    fn results_come_in_the_order_in_which_members_end_however_late_they_are_taken() {
        for seed in 0..50 {
            let mut sim = Sim::new(seed, Sink::None);
            let (ctx, rounds) = (sim.ctx(), Rc::new(Cell::new(0)));
            let counted = Rc::clone(&rounds);
            sim.ctx().spawn(async move {
                let (mut rng, mut set) = (ctx.stream("set", "naps").at(0), JoinSet::new(&ctx));
                // Of members whose result was not taken: when they end, and their number.
                let mut left = Vec::new();
                for round in 0..200 {
                    for _ in 0..rng.below(4) {
                        let (nap, number, task) =
                            (1 + rng.below(20), left.len() as u64 + 1_000 * round, ctx.clone());
                        let end = ctx.now() + Duration::from_nanos(nap);
                        left.push((end, number));
                        set.spawn(async move {
                            task.sleep_until(end).await;
                            number
                        });
                    }
                    ctx.sleep(Duration::from_nanos(rng.below(8))).await;
                    for _ in 0..rng.below(4).min(set.shared.done.get() as u64) {
                        left.sort();
                        assert_eq!(set.join_next().await, Some(left.remove(0).1), "seed {seed}");
                    }
                    assert_eq!(set.len(), left.len());
                    counted.set(round + 1);
                }
                left.sort();
                for (_, number) in left {
                    assert_eq!(set.join_next().await, Some(number), "seed {seed}");
                }
                assert!(set.join_next().await.is_none() && set.is_empty());
                counted.set(0);
            });
            sim.run_until(Instant::from_nanos(100_000));
            assert_eq!(rounds.get(), 0, "it came to its end");
        }
    }

    #[test]
    fn a_set_takes_the_room_that_the_one_before_has_left_unless_it_is_large() {
        let sim = Sim::new(1, Sink::None);
        let room_after = |members: usize| {
            let mut set = JoinSet::new(&sim.ctx());
            for _ in 0..members {
                set.spawn(std::future::pending::<()>());
            }
            drop(set);
            let next = JoinSet::<u8>::new(&sim.ctx());
            assert!(next.is_empty() && next.members.is_empty());
            next.members.capacity()
        };
        assert_eq!(room_after(0), 0);
        assert!((100..=1_024).contains(&room_after(100)));
        assert!(room_after(5_000) <= 1_024);
    }
}
