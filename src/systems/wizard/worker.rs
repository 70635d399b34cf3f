//! A worker process: takes jobs one by one, computes, and writes the results back.

use super::log::{ClaimEnd, Loss};
use super::queue::{self, Claimed, Line, Onward};
use super::{
    JOB_BURIED, JOB_DONE, JOB_FAILED, JOB_STARTED, Law, Mode, Params, Site, VALKEY, container_name, reaper,
    worker_name,
};
use crate::kernel::{Duration, Rng, Span};
use crate::net::{NodeId, Shutdown};
use crate::substrate::valkey::{Error, TIME_LIMIT, Valkey};
use futures::future;
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;

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
            if let Some(line) = Line::open(&self.site.wire, self.place.node, TIME_LIMIT).await {
                self.work_on(line).await;
            }
            if !self.stopping.get() {
                self.site.ctx().sleep(RETRY).await;
            }
        }
    }

    /// The same, until the connection breaks.
    async fn work_on(&self, mut line: Line) {
        let lmove = self.site.params.mode == Mode::Lmove;
        let open = OpenLine::new(&self.site, line.number());
        while !self.stopping.get() {
            match line.pop(lmove, BLOCK).await {
                Ok(Some(job)) => {
                    let hand = Hand::new(self, &job);
                    open.arrived();
                    self.handle(job, hand).await;
                }
                Ok(None) => {}
                Err(_) => return,
            }
        }
    }

    async fn handle(&self, job: Claimed, hand: Hand<'_>) {
        let ctx = self.site.ctx();
        ctx.set_span(Span { tag: job.payload.trace, ..ctx.span() });
        let at_ms = ctx.now().as_nanos() / 1_000_000;
        let attempt =
            self.insist(None, || queue::claim(&self.valkey, &job.payload.task_id, &self.me, at_ms)).await;
        let index = (job.payload.trace << ATTEMPT_BITS) | attempt.unsigned_abs();
        let drawn = work_of(&self.site.params, ctx.stream("job", "work").at(index));
        let net = self.site.net();
        let span = net.work(self.place.process, net.work(self.place.node, drawn));
        ctx.record(JOB_STARTED, 0, span.as_nanos());
        ctx.sleep(span).await;

        if ctx.stream("job", "failure").at(index).chance(self.site.params.fail) {
            ctx.record(JOB_FAILED, 0, attempt.unsigned_abs());
            self.fail(&job, attempt, &hand).await;
            return hand.release(ClaimEnd::Failed);
        }
        let sum = job.payload.a + job.payload.b;
        ctx.record(JOB_DONE, 0, sum.to_bits());
        let result = super::messages::number(sum).to_string();
        self.insist(Some(&hand), || queue::complete(&self.valkey, &job, &result, &self.by)).await;
        hand.release(ClaimEnd::Done);
    }

    /// A failed job is tried again, or goes to the dead letters.
    async fn fail(&self, job: &Claimed, attempt: i64, hand: &Hand<'_>) {
        let hand = Some(hand);
        let last = attempt >= i64::from(self.site.params.attempts);
        let why = format!("failed {attempt} times");
        if last {
            self.site.ctx().record(JOB_BURIED, 0, 0);
        }
        match (self.site.params.mode, last) {
            (Mode::Brpop, false) => self.insist(hand, || queue::retry(&self.valkey, job)).await,
            (Mode::Brpop, true) => self.insist(hand, || queue::bury(&self.valkey, job, &self.by, &why)).await,
            (Mode::Lmove, _) => {
                self.insist(hand, || {
                    self.move_on(job, if last { Onward::Bury(&self.by, &why) } else { Onward::Retry })
                })
                .await;
            }
        }
    }

    /// Only while the job is still this worker's: a reaper may have given it to another one.
    async fn move_on(&self, job: &Claimed, onward: Onward<'_>) -> Result<(), Error> {
        let hash = queue::watch(&self.valkey, job).await?;
        let claimed_by = hash.as_ref().and_then(|hash| queue::field(hash, "claimed_by"));
        if claimed_by == Some(&self.me) {
            queue::move_on(&self.valkey, job, onward).await.map(drop)
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
            hand.inspect(|hand| hand.settled.set(true));
            match attempt().await {
                Ok(done) => return done,
                // It is still on its way.
                Err(Error::TimedOut(_)) => {}
                Err(_) => drop(hand.inspect(|hand| hand.settled.set(false))),
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
struct OpenLine {
    site: Site,
    number: u64,
}

impl OpenLine {
    fn new(site: &Site, number: u64) -> Self {
        site.lines.borrow_mut().open(number);
        OpenLine { site: site.clone(), number }
    }

    fn arrived(&self) {
        self.site.lines.borrow_mut().arrived(self.number);
    }
}

impl Drop for OpenLine {
    fn drop(&mut self) {
        let on_the_way = self.site.lines.borrow_mut().close(self.number);
        if let Some(job) = on_the_way.filter(|_| self.site.params.mode == Mode::Brpop) {
            self.site.lose(&job, Loss::OnTheWay);
        }
    }
}

/// A job in a worker's hand, as the laboratory knows it. Dropped without being released, the worker has died.
struct Hand<'a> {
    worker: &'a Worker,
    job: String,
    /// The worker has told the store what became of it; the message arrives whatever becomes of the worker.
    settled: Cell<bool>,
    released: Cell<bool>,
}

impl<'a> Hand<'a> {
    fn new(worker: &'a Worker, job: &Claimed) -> Self {
        let id = job.payload.task_id.clone();
        let Place { container, worker: k, .. } = worker.place;
        let Site { log, .. } = &worker.site;
        log.borrow_mut().claimed(&id, container - 1, k - 1, worker.site.ctx().now());
        Hand { worker, job: id, settled: Cell::new(false), released: Cell::new(false) }
    }

    fn release(&self, end: ClaimEnd) {
        self.released.set(true);
        let Place { container, worker, .. } = self.worker.place;
        let Site { log, .. } = &self.worker.site;
        log.borrow_mut().released(&self.job, container - 1, worker - 1, end, self.worker.site.ctx().now());
    }
}

impl Drop for Hand<'_> {
    fn drop(&mut self) {
        if self.released.get() {
            return;
        }
        self.release(ClaimEnd::Died);
        let Worker { site, place, .. } = self.worker;
        if site.params.mode == Mode::Brpop && !self.settled.get() {
            let cause = if site.net().is_up(place.node) { Loss::WorkerDied } else { Loss::ContainerDied };
            site.lose(&self.job, cause);
        }
    }
}
