//! [`Sim`], which owns a simulation, and [`Ctx`], which its tasks hold.

use crate::core::Core;
use crate::foresight::{Foresee, Foreseeing, Foretold, Plain};
use crate::join_handle::JoinHandle;
use crate::oneshot::oneshot;
use crate::rng::Stream;
use crate::sleep::{Sleep, Timeout};
use crate::stuck::Stuck;
use crate::tasks::{Scope, Span, TaskId};
use crate::time::{Duration, Instant};
use crate::trace::{Kind, Record, Sink, Trace};
use futures_util::FutureExt;
use std::cell::Ref;
use std::future::Future;
use std::panic::Location;
use std::rc::Rc;

/// A simulation: tasks, timers, virtual time, and the trace of what they did.
///
/// Playing it in pieces makes no difference to what happens:
///
/// ```
/// use glasshive_kernel::{Duration, Instant, Kind, Sim, Sink};
///
/// fn hash(play: impl Fn(&mut Sim)) -> u64 {
///     let mut sim = Sim::new(7, Sink::None);
///     let ctx = sim.ctx();
///     sim.ctx().spawn(async move {
///         for tick in 0..10 {
///             ctx.sleep(Duration::from_millis(3)).await;
///             ctx.record(Kind::new("tick"), 0, tick);
///         }
///     });
///     play(&mut sim);
///     sim.trace().hash()
/// }
///
/// let whole = hash(|sim| sim.run_until(Instant::from_millis(100)));
/// let by_instants = hash(|sim| while sim.run_instant(Instant::from_millis(100)) {});
/// assert_eq!(whole, by_instants);
/// ```
///
/// Dropping it drops all its tasks.
pub struct Sim {
    core: Rc<Core>,
}

impl Sim {
    /// An empty simulation at virtual zero.
    pub fn new(seed: u64, sink: Sink) -> Self {
        Sim { core: Rc::new(Core::new(seed, sink)) }
    }

    /// The handle that tasks hold.
    pub fn ctx(&self) -> Ctx {
        Ctx { core: Rc::clone(&self.core) }
    }

    /// Virtual time.
    pub fn now(&self) -> Instant {
        self.core.now()
    }

    /// Ends the run when one instant has more than `polls` polls, give or take a thirtieth part: see
    /// [`stuck`](Self::stuck). Without this a program that lets no time pass runs for ever.
    ///
    /// ```
    /// use glasshive_kernel::{Instant, Sim, Sink};
    ///
    /// let mut sim = Sim::new(1, Sink::None);
    /// sim.limit_polls(10_000);
    /// let ctx = sim.ctx();
    /// sim.ctx().spawn(async move {
    ///     loop {
    ///         // Meant: a millisecond from now.
    ///         ctx.sleep_until(Instant::from_millis(1)).await;
    ///     }
    /// });
    /// sim.run_until(Instant::from_millis(5));
    /// let stuck = sim.stuck().expect("it does not come to 5 ms");
    /// assert_eq!(stuck.at, Instant::from_millis(1));
    /// assert_eq!(stuck.busiest.len(), 1);
    /// ```
    pub fn limit_polls(&mut self, polls: u64) {
        self.core.executor.limit_polls(polls);
    }

    /// Why the simulation stands still: one instant had more polls than it may have. Nothing is run any more.
    pub fn stuck(&self) -> Option<&Stuck> {
        self.core.executor.stuck()
    }

    /// Runs everything that happens up to and including `limit`, and moves time there, unless it gets
    /// [`stuck`](Self::stuck) on the way.
    pub fn run_until(&mut self, limit: Instant) {
        self.run_until_records(limit, u64::MAX);
    }

    /// The same, but time stays at the end of the instant in which the trace comes to so many records.
    pub fn run_until_records(&mut self, limit: Instant, records: u64) {
        let core = &*self.core;
        core.run(limit, false, records);
        if self.stuck().is_none() && self.trace().count() < records {
            core.executor.now.set(core.now().max(limit));
        }
    }

    /// Runs the next instant at which anything happens, if it is not later than `limit`, to its end.
    /// Returns false, and leaves time alone, when nothing is left to do until then; also false when the simulation is
    /// [`stuck`](Self::stuck).
    pub fn run_instant(&mut self, limit: Instant) -> bool {
        self.core.run(limit, true, u64::MAX)
    }

    /// Moves time to `at` without running what happens there. Everything before must have been run.
    pub fn skip_to(&mut self, at: Instant) {
        assert!(at >= self.now(), "time does not go back");
        self.core.executor.now.set(at);
    }

    /// The trace so far.
    pub fn trace(&self) -> Ref<'_, Trace> {
        self.core.trace.borrow()
    }
}

/// Tasks hold the core and the core holds the tasks: dropping them ends the circle.
impl Drop for Sim {
    fn drop(&mut self) {
        self.core.executor.clear();
    }
}

/// A task's handle to the simulation. Cheap to clone.
///
/// ```
/// use glasshive_kernel::{Duration, Elapsed, Instant, Scope, Sim, Sink};
///
/// const SERVER: Scope = Scope(1);
///
/// let mut sim = Sim::new(1, Sink::None);
/// let ctx = sim.ctx();
/// sim.ctx().spawn(async move {
///     let (second, hour) = (Duration::from_secs(1), Duration::from_secs(3600));
///     assert_eq!(ctx.timeout(second, ctx.sleep(hour)).await, Err(Elapsed));
///     assert_eq!(ctx.timeout(hour, ctx.sleep(second)).await, Ok(()));
///
///     let server = ctx.clone();
///     let task = ctx.spawn_in(SERVER, async move {
///         // It starts others in its own scope, and they die with it.
///         let helper = server.clone();
///         server.spawn(async move { helper.sleep(hour).await });
///         server.sleep(hour).await;
///     });
///     ctx.sleep(second).await;
///     ctx.abort_scope(SERVER);
///     assert!(ctx.is_finished(task));
/// });
/// sim.run_until(Instant::from_millis(10_000));
/// ```
#[derive(Clone)]
pub struct Ctx {
    pub(crate) core: Rc<Core>,
}

impl Ctx {
    /// Virtual time.
    pub fn now(&self) -> Instant {
        self.core.now()
    }

    /// Waits for `span`; dropping the future cancels its timer.
    pub fn sleep(&self, span: Duration) -> Sleep {
        self.sleep_until(self.now() + span)
    }

    /// Waits until `deadline`, or not at all if it has passed.
    pub fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep::new(Rc::clone(&self.core), deadline)
    }

    /// Runs `future` for at most `limit`; then it is dropped, and with it all that it had under way.
    /// At the very instant of the limit a result that is ready wins.
    pub fn timeout<F: Future>(&self, limit: Duration, future: F) -> Timeout<F> {
        Timeout::new(future, self.sleep(limit))
    }

    /// Starts a task in the scope of the current one. It runs on when the returned id is dropped.
    #[track_caller]
    pub fn spawn(&self, future: impl Future<Output = ()> + 'static) -> TaskId {
        let executor = &self.core.executor;
        executor.spawn_here(executor.task(Plain::new(future)), Location::caller())
    }

    /// Starts a task in `scope`.
    #[track_caller]
    pub fn spawn_in(&self, scope: Scope, future: impl Future<Output = ()> + 'static) -> TaskId {
        let executor = &self.core.executor;
        executor.spawn(scope, executor.task(Plain::new(future)), Location::caller())
    }

    /// Starts a task in `scope` that knows what it will touch: see [`Foresee`].
    #[track_caller]
    pub fn spawn_foreseeing(&self, scope: Scope, future: impl Foresee<Output = ()> + 'static) -> TaskId {
        let executor = &self.core.executor;
        executor.spawn(scope, executor.task(Foreseeing::new(future)), Location::caller())
    }

    /// [`spawn_in`](Self::spawn_in) for a task that does not know what it will touch, but `foresee` does: see
    /// [`Foresee::foresee`].
    #[track_caller]
    pub fn spawn_foretold(
        &self,
        scope: Scope,
        foresee: impl Fn(usize) -> bool + 'static,
        future: impl Future<Output = ()> + 'static,
    ) -> TaskId {
        let executor = &self.core.executor;
        executor.spawn(scope, executor.task(Foretold::new(foresee, future)), Location::caller())
    }

    /// The last that the current task does: it has ended, as far as others can tell, and the next task that is started takes its
    /// place. What happens from here on is no task's doing; the poll has to return, and what the task holds is dropped then.
    ///
    /// ```
    /// use glasshive_kernel::{Duration, Instant, Scope, Sim, Sink};
    ///
    /// let mut sim = Sim::new(1, Sink::None);
    /// let ctx = sim.ctx();
    /// let message = sim.ctx().spawn(async move {
    ///     ctx.sleep(Duration::from_millis(20)).await;
    ///     ctx.end();
    ///     // It goes on as another one, elsewhere.
    ///     ctx.clone().spawn_in(Scope(7), async move { assert_eq!(ctx.scope(), Scope(7)) });
    /// });
    /// sim.run_until(Instant::from_millis(20));
    /// assert!(sim.ctx().is_finished(message));
    /// ```
    pub fn end(&self) {
        self.core.executor.end();
    }

    /// For [`Foresee`]: fetches what a task will touch that is found so many steps from its id. False after the last step.
    pub fn foresee(&self, task: TaskId, step: usize) -> bool {
        self.core.executor.foresee_task(task, step)
    }

    /// Starts a task in the scope of the current one, whose result the handle awaits.
    #[track_caller]
    pub fn spawn_joined<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> JoinHandle<T> {
        let (sender, result) = oneshot(self);
        // When nobody wants the result any more it is dropped.
        let id = self.spawn(future.map(move |output| drop(sender.send(output))));
        JoinHandle::new(self.clone(), id, result)
    }

    /// Drops a task. One that has ended stays ended; the current one is dropped when it next waits.
    pub fn abort(&self, task: TaskId) {
        self.core.executor.abort(task);
    }

    /// Drops every task of `scope`.
    pub fn abort_scope(&self, scope: Scope) {
        self.core.executor.abort_scope(scope);
    }

    /// True once a task has run to its end or was aborted.
    pub fn is_finished(&self, task: TaskId) -> bool {
        self.core.executor.is_finished(task)
    }

    /// The random stream of `purpose` at `entity`.
    pub fn stream(&self, entity: &str, purpose: &str) -> Stream {
        Stream::new(self.core.seed, entity, purpose)
    }

    /// The scope of the current task.
    pub fn scope(&self) -> Scope {
        self.core.executor.scope()
    }

    /// What the current task is busy with.
    pub fn span(&self) -> Span {
        self.core.executor.span()
    }

    /// Says what the current task is busy with from here on.
    pub fn set_span(&self, span: Span) {
        self.core.executor.set_span(span);
    }

    /// Records an event in the current task's scope, caused by the task's last event. Returns its number.
    pub fn record(&self, kind: Kind, peer: u32, value: u64) -> u64 {
        let executor = &self.core.executor;
        let span = executor.span();
        let n = self.record_in(executor.scope(), span, kind, peer, value);
        executor.set_span(Span { cause: n, ..span });
        n
    }

    /// Records an event in the current task's scope that several others caused, such as a sum of answers: the last of
    /// `causes` stands in the record, [`Trace::causes`] gives all. Without any, this is [`record`](Self::record).
    ///
    /// ```
    /// use glasshive_kernel::{Kind, Sim, Sink};
    ///
    /// const ANSWER: Kind = Kind::new("answer");
    /// const MEAN: Kind = Kind::new("mean");
    ///
    /// let sim = Sim::new(1, Sink::Full);
    /// let ctx = sim.ctx();
    /// let answers = [ctx.record(ANSWER, 0, 40), ctx.record(ANSWER, 0, 44)];
    /// let mean = ctx.record_joined(MEAN, 0, 42, &answers);
    /// assert_eq!(sim.trace().causes(mean), answers);
    /// assert_eq!(sim.trace().causes(answers[1]), [answers[0]]);
    /// ```
    pub fn record_joined(&self, kind: Kind, peer: u32, value: u64, causes: &[u64]) -> u64 {
        let executor = &self.core.executor;
        let span = executor.span();
        let record = self.new_record(executor.scope(), span, kind, peer, value);
        let n = self.core.trace.borrow_mut().push_joined(record, causes);
        executor.set_span(Span { cause: n, ..span });
        n
    }

    /// Records an event of another scope or cause; the current task's span stays as it is.
    pub fn record_in(&self, scope: Scope, span: Span, kind: Kind, peer: u32, value: u64) -> u64 {
        let record = self.new_record(scope, span, kind, peer, value);
        self.core.trace.borrow_mut().push(record)
    }

    /// Says of record `n` what its fields cannot hold; notes come in the order of their records. Only
    /// [`Sink::Annotated`] keeps them: with any other `text` is not called.
    ///
    /// ```
    /// use glasshive_kernel::{Kind, Sim, Sink};
    ///
    /// let sim = Sim::new(1, Sink::Annotated);
    /// let n = sim.ctx().record(Kind::new("answer"), 0, 42);
    /// sim.ctx().note(n, || "as everybody knows".to_owned());
    /// assert_eq!(sim.trace().note_of(n), Some("as everybody knows"));
    ///
    /// let sim = Sim::new(1, Sink::Full);
    /// sim.ctx().note(1, || unreachable!("nobody asked"));
    /// ```
    pub fn note(&self, n: u64, text: impl FnOnce() -> String) {
        if self.core.trace.borrow().takes_notes() {
            let text = text();
            self.core.trace.borrow_mut().note(n, text);
        }
    }

    fn new_record(&self, scope: Scope, span: Span, kind: Kind, peer: u32, value: u64) -> Record {
        let (tag, cause) = (span.tag, span.cause);
        Record { n: 0, at: self.now(), node: scope.0, kind, tag, cause, peer, value }
    }
}

#[cfg(test)]
mod tests;
