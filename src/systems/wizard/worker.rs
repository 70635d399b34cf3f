//! A worker process: takes jobs one by one, computes, and writes the results back.

use super::fact::Fact;
use super::queue::{self, Claimed, Line, Onward, Verdict};
use super::{Law, Mode, Params, Site, VALKEY, container_name, reaper, worker_name};
use crate::kernel::{Duration, Instant, Rng, Span};
use crate::net::{NodeId, Shutdown};
use crate::substrate::valkey::{Error, Valkey};
use futures::future;
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;

/// How long a worker waits for a job before it looks whether it is to end.
const BLOCK: Duration = Duration::from_secs(2);
/// The pause after the store could not be reached.
const RETRY: Duration = Duration::from_millis(500);
/// Room for the attempts of one job in the index of its draws.
const ATTEMPT_BITS: u32 = 16;

/// Which worker process it is.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Counted from 1.
    pub(super) container: u32,
    /// Counted from 1.
    pub(super) worker: u32,
    /// The container, from which its messages come.
    pub(super) node: NodeId,
    /// The process.
    pub(super) process: NodeId,
}

pub(super) async fn run(site: Site, place: Place, shutdown: Shutdown) {
    if !site.net().is_up(place.node) {
        // There is no container to run in.
        return;
    }
    let valkey = Valkey::connect(&site.wire, place.node, VALKEY);
    let worker = Worker {
        by: container_name(place.container),
        me: worker_name(place.container, place.worker),
        valkey,
        place,
        stopping: Cell::new(false),
        site,
    };
    if worker.site.params.mode == Mode::Lmove && place.worker == 1 {
        let site = worker.site.clone();
        let reaping = async move { reaper::run(&site, place.container, place.node).await };
        worker.site.ctx().spawn(reaping);
    }
    let working = pin!(worker.work());
    let listening = pin!(async {
        shutdown.requested().await;
        // The job in hand is finished first, and one that is on the way too.
        worker.stopping.set(true);
        future::pending::<()>().await;
    });
    future::select(working, listening).await;
}

struct Worker {
    site: Site,
    place: Place,
    /// What results are signed with.
    by: String,
    me: String,
    valkey: Valkey,
    stopping: Cell<bool>,
}

impl Worker {
    /// Takes and does jobs until it is to end.
    async fn work(&self) {
        while !self.stopping.get() {
            let lmove = self.site.params.mode == Mode::Lmove;
            if let Some(line) = Line::open(&self.site.wire, self.place.node, lmove, BLOCK).await {
                self.work_on(line).await;
            }
            if !self.stopping.get() {
                self.site.ctx().sleep(RETRY).await;
            }
        }
    }

    /// The same, until the connection breaks.
    async fn work_on(&self, mut line: Line) {
        let open = OpenLine::new(self, line.number());
        while !self.stopping.get() {
            match line.pop().await {
                Ok(Some(job)) => {
                    let ctx = self.site.ctx();
                    ctx.set_span(Span { tag: job.payload.trace, ..ctx.span() });
                    let hand = Hand::new(self, &job, open.number);
                    self.handle(job, hand).await;
                }
                Ok(None) => {}
                Err(_) => return,
            }
        }
    }

    async fn handle(&self, job: Claimed, hand: Hand<'_>) {
        let ctx = self.site.ctx();
        let at_ms = ctx.now().as_nanos() / 1_000_000;
        let attempt =
            self.insist(None, || queue::claim(&self.valkey, &job.payload.task_id, &self.me, at_ms)).await;
        let index = (job.payload.trace << ATTEMPT_BITS) | attempt;
        let drawn = work_of(&self.site.params, ctx.stream("job", "work").at(index));
        let net = self.site.net();
        let span = net.work(self.place.process, net.work(self.place.node, drawn));
        hand.started(attempt, span);
        ctx.sleep(span).await;

        if ctx.stream("job", "failure").at(index).chance(self.site.params.fail) {
            let Place { container, worker, .. } = self.place;
            self.site.tell(Fact::Failed { id: hand.id(), container, worker, attempt });
            self.fail(&job, attempt, &hand).await;
            return hand.release(true);
        }
        let sum = job.payload.a + job.payload.b;
        self.site.tell(Fact::Computed { id: hand.id(), sum });
        let result = super::messages::number(sum).to_string();
        let complete = || async {
            self.valkey.ready().await?;
            // Not before: what waits for a connection dies with its worker.
            hand.tell();
            queue::complete(&self.valkey, &job, self.verdict(&result), attempt).await
        };
        self.insist(Some(&hand), complete).await;
        hand.release(false);
    }

    /// A failed job is tried again, or goes to the dead letters.
    async fn fail(&self, job: &Claimed, attempt: u64, hand: &Hand<'_>) {
        let last = attempt >= u64::from(self.site.params.attempts);
        let why = format!("failed {attempt} times");
        if last {
            self.site.tell(Fact::Condemned { id: hand.id() });
        }
        let onward = || if last { Onward::Bury(self.verdict(&why)) } else { Onward::Retry };
        self.insist(Some(hand), || self.move_on(job, hand, onward())).await;
    }

    fn verdict<'a>(&'a self, text: &'a str) -> Verdict<'a> {
        Verdict { by: &self.by, text, ttl: self.site.params.task_ttl }
    }

    /// Only while the job is still this worker's: a reaper may have given it to another one, or the word may have been
    /// carried out although no answer came.
    async fn move_on(&self, job: &Claimed, hand: &Hand<'_>, onward: Onward<'_>) -> Result<(), Error> {
        let listed = self.site.params.mode == Mode::Lmove;
        let hash = queue::watch(&self.valkey, job, listed).await?;
        let claimed_by = hash.as_ref().and_then(|hash| hash.get("claimed_by"));
        if claimed_by.is_some_and(|by| by == self.me) {
            hand.tell();
            queue::move_on(&self.valkey, job, listed, onward).await.map(drop)
        } else {
            queue::unwatch(&self.valkey).await
        }
    }

    /// Tries until the store has answered. A try whose answer never came may have been carried out.
    async fn insist<T, F: Future<Output = Result<T, Error>>>(
        &self,
        hand: Option<&Hand<'_>>,
        attempt: impl Fn() -> F,
    ) -> T {
        loop {
            match attempt().await {
                Ok(done) => return done,
                // It is still on its way.
                Err(Error::TimedOut(_)) => {}
                Err(_) => drop(hand.inspect(|hand| hand.told.set(None))),
            }
            self.site.ctx().sleep(RETRY).await;
        }
    }
}

/// How long a job takes.
pub(super) fn work_of(params: &Params, mut rng: Rng) -> Duration {
    let mean = params.work.as_secs_f64();
    match params.law {
        Law::Uniform => params.work.scale(rng.uniform(0.5, 1.5)),
        Law::Exponential => Duration::from_secs_f64(rng.exponential(mean)),
        Law::Constant => params.work,
    }
}

/// A worker's line, as the laboratory knows it: gone when this is dropped.
struct OpenLine<'a> {
    worker: &'a Worker,
    number: u64,
}

impl<'a> OpenLine<'a> {
    fn new(worker: &'a Worker, number: u64) -> Self {
        worker.site.tell(Fact::LineOpened { line: number });
        OpenLine { worker, number }
    }
}

impl Drop for OpenLine<'_> {
    fn drop(&mut self) {
        let Worker { site, place, .. } = self.worker;
        site.tell_about(place.process, 0, Fact::LineClosed { line: self.number });
    }
}

/// A job in a worker's hand, as the laboratory knows it. Dropped without being released, the worker has died.
struct Hand<'a> {
    worker: &'a Worker,
    job: Rc<str>,
    submission: u64,
    /// When the worker last told the store what became of it; the message arrives whatever becomes of the worker.
    told: Cell<Option<Instant>>,
    released: Cell<bool>,
}

impl<'a> Hand<'a> {
    fn new(worker: &'a Worker, job: &Claimed, line: u64) -> Self {
        let Place { container, worker: k, .. } = worker.place;
        let id = Rc::clone(&job.payload.task_id);
        worker.site.tell(Fact::Claimed { id: Rc::clone(&id), container, worker: k, line });
        let submission = job.payload.trace;
        Hand { worker, job: id, submission, told: Cell::new(None), released: Cell::new(false) }
    }

    fn id(&self) -> Rc<str> {
        Rc::clone(&self.job)
    }

    fn started(&self, attempt: u64, work: Duration) {
        let Place { container, worker, .. } = self.worker.place;
        let work_ns = work.as_nanos();
        self.worker.site.tell(Fact::Started { id: self.id(), container, worker, attempt, work_ns });
    }

    /// The worker tells the store what became of it.
    fn tell(&self) {
        self.told.set(Some(self.worker.site.ctx().now()));
    }

    fn release(&self, failed: bool) {
        self.released.set(true);
        let Place { container, worker, .. } = self.worker.place;
        self.worker.site.tell(Fact::Released { id: self.id(), container, worker, failed });
    }
}

impl Drop for Hand<'_> {
    fn drop(&mut self) {
        if self.released.get() {
            return;
        }
        let Worker { site, place, .. } = self.worker;
        let &Place { container, worker, node, process } = place;
        let told_ns = self.told.get().map(Instant::as_nanos);
        let with_container = !site.net().is_up(node);
        let fact = Fact::Dropped { id: self.id(), container, worker, told_ns, with_container };
        site.tell_about(process, self.submission, fact);
    }
}
