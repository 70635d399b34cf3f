//! A worker: reads its agent, takes up a new configuration as a whole, and does its work as that says.

use super::messages::{Document, Running};
use super::{Fact, Site, agent_authority, worker_authority, worker_name};
use crate::kernel::Duration;
use crate::net::{NodeId, Shutdown};
use crate::substrate::body::Json;
use crate::substrate::http::{Method, Request, Response, Route, Url, no_route};
use futures::FutureExt;
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

/// What workers can answer.
pub(super) const QUERIES: [&str; 5] = ["BTC/USD", "ETH/USD", "EUR/USD", "SOL/USD", "XAU/USD"];
/// What it serves, for 404 and 405.
pub const ROUTES: [Route; 2] =
    [Route::new("GET", "/health", "liveness"), Route::new("GET", "/version", "the version that it works by")];

/// A configuration in use.
struct Applied {
    document: Json<Document>,
    /// Asks the agent for a newer one.
    question: Request,
    /// Workers can answer what it asks for.
    is_known: bool,
    /// From tick to tick.
    gap: Duration,
}

/// One worker process; all of it is lost in a crash.
#[derive(Clone)]
struct Worker {
    site: Site,
    node: NodeId,
    /// Which worker it is, counted from 1.
    number: u32,
    /// Where it reads.
    source: Url,
    /// Swapped as a whole: whoever works has one version or the other, never a mixture.
    applied: Rc<RefCell<Option<Rc<Applied>>>>,
    /// There is a new version, which the work has not seen. Reading and work are one task: nobody has to be woken.
    changed: Rc<Cell<bool>>,
}

pub(super) async fn run(site: Site, i: u32, agent: u32, node: NodeId, shutdown: Shutdown) {
    let source = Url::new(agent_authority(agent), "/config");
    let worker = Worker {
        number: i,
        source,
        applied: Rc::default(),
        changed: Rc::default(),
        site: site.clone(),
        node,
    };
    site.tell(Fact::WorkerStarted { worker: i });
    let handler = worker.clone();
    let listener = site.http.listen(&worker_authority(i));
    let serving = listener.serve(move |request| {
        let answer = route(&handler, &request);
        async move { answer }
    });
    let (mut serving, mut asked_to_end) = (pin!(serving), pin!(shutdown.requested()));
    let (mut reading, mut working) = (pin!(read_for_ever(&worker)), pin!(work_for_ever(&worker)));
    // In this order, until one of them ends.
    let ended = poll_fn(|cx| {
        ready_if(
            serving.poll_unpin(cx).is_ready()
                || reading.poll_unpin(cx).is_ready()
                || working.poll_unpin(cx).is_ready()
                || asked_to_end.poll_unpin(cx).is_ready(),
        )
    });
    ended.await;
}

fn ready_if(is_ready: bool) -> Poll<()> {
    if is_ready { Poll::Ready(()) } else { Poll::Pending }
}

// --- the configuration ------------------------------------------------------------------------------------------

async fn read_for_ever(worker: &Worker) {
    let ctx = worker.site.ctx();
    loop {
        let next = ctx.now() + worker.site.params.worker_interval;
        read(worker).await;
        ctx.sleep_until(next).await;
    }
}

/// Asks the agent for what is newer than what the worker runs. Whatever goes wrong, the worker goes on as before.
async fn read(worker: &Worker) {
    let Site { http, params, .. } = &worker.site;
    let request = worker.question();
    let Ok(response) = http.fetch_within(worker.node, request, params.client_timeout).await else { return };
    if response.status != 200 {
        return;
    }
    let (Some(etag), Ok(document)) = (response.header("ETag"), response.read::<Document>()) else { return };
    if worker.applied().is_none_or(|applied| applied.document.version < document.version) {
        let question = Request::get(worker.source.clone()).with_header("If-None-Match", etag.to_owned());
        let is_known = QUERIES.contains(&document.settings.query.as_str());
        let gap = Duration::from_secs_f64(1.0 / document.settings.rate);
        worker.apply(Applied { document, question, is_known, gap });
    }
}

impl Worker {
    fn applied(&self) -> Option<Rc<Applied>> {
        self.applied.borrow().clone()
    }

    /// Asks for what is newer than what it runs.
    fn question(&self) -> Request {
        let applied = self.applied.borrow();
        applied.as_ref().map_or_else(|| Request::get(self.source.clone()), |applied| applied.question.clone())
    }

    fn apply(&self, applied: Applied) {
        self.site.tell(Fact::WorkerApplied { worker: self.number, version: applied.document.version });
        *self.applied.borrow_mut() = Some(Rc::new(applied));
        self.changed.set(true);
    }
}

// --- the work ---------------------------------------------------------------------------------------------------

/// Answers the configured query at the configured rate. A new version counts from the tick before it on, so a higher
/// rate does not wait for a slow tick to end; one that comes at the very instant of a tick comes before it.
async fn work_for_ever(worker: &Worker) {
    let ctx = worker.site.ctx();
    let mut last = ctx.now();
    loop {
        let Some(applied) = worker.applied() else {
            poll_fn(|_| ready_if(worker.changed.take())).await;
            last = ctx.now();
            continue;
        };
        let mut tick = ctx.sleep_until(last + worker.site.net().work(worker.node, applied.gap));
        // In this order: both may be there.
        let is_tick = poll_fn(|cx| match worker.changed.take() {
            true => Poll::Ready(false),
            false => tick.poll_unpin(cx).map(|()| true),
        });
        if is_tick.await {
            last = ctx.now();
            answer(worker, &applied);
        }
    }
}

fn answer(worker: &Worker, applied: &Applied) {
    let (worker, version, site) = (worker.number, applied.document.version, &worker.site);
    site.tell(match applied.is_known {
        true => Fact::TickDone { worker, version },
        false => Fact::TickFailed { worker, version },
    });
}

fn route(worker: &Worker, request: &Request) -> Response {
    let (worker_id, applied) = (worker_name(worker.number), worker.applied());
    let version = applied.as_ref().map(|applied| applied.document.version);
    match (&request.method, request.url.path.as_str()) {
        (Method::Get, "/health") => {
            Response::json(200, &json!({"status": "ok", "worker_id": worker_id, "version": version}))
        }
        (Method::Get, "/version") => {
            let settings = applied.map(|applied| Rc::clone(&applied.document.settings));
            Response::json(200, &Running { worker_id, version, settings })
        }
        (method, path) => no_route(method, path, &ROUTES),
    }
}
