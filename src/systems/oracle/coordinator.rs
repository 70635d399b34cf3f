//! The coordinator: keeps the registry, and answers each request with what the workers say in time.

mod endpoints;
mod over_http;
mod request;

pub(super) use request::{Answer, Answers, Taken};

use super::admission::Admission;
use super::broker::Link;
use super::fact::Fact;
use super::messages::{OracleRequest, WorkerInfo};
use super::registry::{Known, Member, Outcome, Registry};
use super::report::{Reports, Trigger};
use super::{COORDINATOR, Site};
use crate::kernel::{Duration, Instant};
use crate::net::{NodeId, Shutdown};
use crate::substrate::http::{Besides, Method, Request, Response, Route, bad_json, no_route, too_large};
use futures::future::{Either, lazy};
use futures::{FutureExt, select_biased};
use serde::Serialize;
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;

/// How often the registry is searched for stale workers.
const CLEAN_UP_EVERY: Duration = Duration::from_secs(1);
/// What it serves, for 404 and 405.
pub const ROUTES: [Route; 8] = [
    Route::new("POST", "/register", "adds a worker to the registry"),
    Route::new(
        "POST",
        "/heartbeat",
        "a sign of life; 404 to one that is not registered, 410 to one that was deregistered",
    ),
    Route::new("POST", "/deregister", "removes a worker"),
    Route::new("POST", "/request", "asks all workers, and answers with the aggregate"),
    Route::new("GET", "/report", "the last report of `?query=`, its age, and whether it is stale"),
    Route::new("GET", "/workers", "the registry, with reliability scores"),
    Route::new("GET", "/health", "liveness"),
    Route::new("GET", "/metrics", "its own counters since it started, and its registry"),
];

/// The first of them that are there without a registry.
const ROUTES_OF_ALL: usize = 3;

/// What it serves over NATS.
pub const ROUTES_OVER_NATS: &[Route] = ROUTES.split_at(ROUTES_OF_ALL).1;

/// One coordinator process; all of it is lost in a crash.
pub(super) struct Coordinator {
    pub(super) site: Rc<Site>,
    pub(super) node: NodeId,
    /// How it reaches the workers over a broker.
    link: Option<Rc<dyn Link>>,
    registry: Rc<RefCell<Registry>>,
    counters: Rc<RefCell<Counters>>,
    admission: Rc<RefCell<Admission>>,
    reports: Rc<RefCell<Reports>>,
    /// What was last said of late answers, and after which time.
    late: RefCell<(Duration, Rc<str>)>,
    /// When it next looks for silent workers.
    due: Rc<Cell<Instant>>,
}

/// What `GET /metrics` reports, since this coordinator started.
#[derive(Clone, Debug, Default, Serialize)]
struct Counters {
    requests: u64,
    requests_answered: u64,
    requests_failed: u64,
    requests_limited: u64,
    tasks_in_time: u64,
    tasks_failed: u64,
    tasks_late: u64,
    results_dropped: u64,
    registrations: u64,
    heartbeats: u64,
    evictions: u64,
    reports: u64,
}

pub(super) async fn run(site: Rc<Site>, node: NodeId, shutdown: Shutdown) {
    let coordinator = Rc::new(Coordinator {
        registry: Rc::default(),
        counters: Rc::default(),
        admission: Rc::default(),
        reports: Rc::default(),
        late: RefCell::default(),
        due: Rc::default(),
        link: site.broker.as_ref().map(|broker| broker.link()),
        node,
        site: site.clone(),
    });
    *site.registry.borrow_mut() = Rc::downgrade(&coordinator.registry);
    *site.reports.borrow_mut() = Rc::downgrade(&coordinator.reports);
    let listener = site.http.listen(COORDINATOR);
    let handler = Rc::clone(&coordinator);
    let besides = match coordinator.link {
        None => Besides::At(Rc::clone(&coordinator.due)),
        Some(_) => Besides::Anything,
    };
    let serve = listener.serve_peers(besides, move |request, peer| route(Rc::clone(&handler), request, peer));
    let mut serving = pin!(serve.fuse());
    let mut tending = pin!(tend(&coordinator).fuse());
    let mut asked_to_end = pin!(shutdown.requested().fuse());
    select_biased! {
        () = serving => {}
        () = tending => {}
        () = asked_to_end => {}
    }
}

/// What it does besides answering, for ever.
async fn tend(coordinator: &Coordinator) {
    if let Some(link) = &coordinator.link {
        return link.tend(coordinator).await;
    }
    clean_up(coordinator).await;
}

/// Removes stale workers for ever.
pub(super) async fn clean_up(coordinator: &Coordinator) {
    let ctx = coordinator.site.ctx();
    loop {
        coordinator.due.set(ctx.now() + CLEAN_UP_EVERY);
        ctx.sleep(CLEAN_UP_EVERY).await;
        let stale = coordinator.site.params.stale;
        let evicted = coordinator.registry.borrow_mut().evict_stale(ctx.now(), stale);
        coordinator.counters.borrow_mut().evictions += evicted.len() as u64;
        for member in evicted {
            coordinator.site.tell(Fact::WorkerEvicted(member));
        }
    }
}

/// Nearly all are heartbeats: the room that a client's request needs stands behind a pointer.
fn route(
    coordinator: Rc<Coordinator>,
    request: Request,
    peer: NodeId,
) -> impl Future<Output = Response> + use<> {
    match (&request.method, request.url.path.as_str()) {
        (Method::Post, "/request") => Either::Left(Box::pin(take_up(coordinator, request, peer))),
        _ => Either::Right(lazy(move |_| respond(&coordinator, &request, peer))),
    }
}

async fn take_up(coordinator: Rc<Coordinator>, request: Request, peer: NodeId) -> Response {
    if let Some(refusal) = too_large(&request) {
        return refusal;
    }
    match (admit(&coordinator, peer), OracleRequest::of(&request)) {
        (Some(refusal), _) | (None, Err(refusal)) => refusal,
        (None, Ok(body)) => request::submit(&coordinator, &body).await,
    }
}

fn respond(coordinator: &Coordinator, request: &Request, peer: NodeId) -> Response {
    if let Some(refusal) = too_large(request) {
        return refusal;
    }
    let routes = match coordinator.site.params.has_broker() {
        true => ROUTES_OVER_NATS,
        false => &ROUTES[..],
    };
    let is_there = |path: &str| routes.iter().any(|route| route.path == path);
    let answer = match (&request.method, request.url.path.as_str()) {
        (method, path) if !is_there(path) => Ok(no_route(method, path, routes)),
        (Method::Post, "/register") => request.read().map(|body| endpoints::register(coordinator, &body)),
        (Method::Post, "/heartbeat") => {
            request.read().map(|body| endpoints::heartbeat(coordinator, peer, &body))
        }
        (Method::Post, "/deregister") => request.read().map(|body| endpoints::deregister(coordinator, &body)),
        (Method::Get, "/report") => Ok(report(coordinator, &request.url.query)),
        (Method::Get, "/workers") => Ok(Response::json(200, &coordinator.workers())),
        (Method::Get, "/health") => {
            let workers = coordinator.registry.borrow().len();
            let health = match &coordinator.link {
                Some(link) => link.health(workers),
                None => json!({"status": "ok", "workers": workers}),
            };
            Ok(Response::json(200, &health))
        }
        (Method::Get, "/metrics") => Ok(metrics(coordinator)),
        (method, path) => Ok(no_route(method, path, routes)),
    };
    answer.unwrap_or_else(|error| bad_json(&error))
}

// --- what it says of itself ---------------------------------------------------------------------------------------

fn metrics(coordinator: &Coordinator) -> Response {
    let counters = coordinator.counters.borrow();
    Response::json(200, &json!({"counters": &*counters, "workers": coordinator.workers()}))
}

/// The last report of a query, the run's own unless `?query=` names another.
fn report(coordinator: &Coordinator, query: &str) -> Response {
    let Coordinator { site, reports, .. } = coordinator;
    let asked = endpoints::parameter(query, "query");
    let query = asked.as_deref().unwrap_or(&site.params.query);
    reports.borrow().respond(&Trigger::from(&*site.params), query, site.ctx().now())
}

/// The refusal of a client that asks too often.
fn admit(coordinator: &Coordinator, client: NodeId) -> Option<Response> {
    let Coordinator { site, admission, counters, .. } = coordinator;
    let refusal = admission.borrow_mut().refuse(client, &site.params, site.ctx().now())?;
    counters.borrow_mut().requests_limited += 1;
    let status = refusal.status;
    site.tell(Fact::RequestFailed { status, code: "rate_limited", client: client.0, closing: None });
    Some(refusal)
}

impl Coordinator {
    /// Whether it is time to look for silent workers.
    pub(super) fn is_due(&self) -> bool {
        self.due.get() <= self.site.ctx().now()
    }

    /// A worker over a broker has sent something. Without presence that is how the coordinator gets to know it. Returns what it
    /// knows it as, and its node.
    pub(super) fn meet(&self, worker: &Rc<str>) -> (Known, u32) {
        if let Some(member) = self.registry.borrow_mut().heard(worker, self.site.ctx().now()) {
            return (member.into(), member.node);
        }
        if self.site.params.presence {
            return (Rc::clone(worker).into(), self.peer(worker));
        }
        let member = self.add_over_broker(worker);
        (Known::from(&member), member.node)
    }

    /// A worker over a broker says that it is there.
    pub(super) fn is_there(&self, worker: &Rc<str>) {
        if self.registry.borrow_mut().heard(worker, self.site.ctx().now()).is_some() {
            self.counters.borrow_mut().heartbeats += 1;
            return;
        }
        let member = self.add_over_broker(worker);
        self.counters.borrow_mut().registrations += 1;
        self.site.tell(Fact::WorkerRegistered(member));
    }

    /// A worker over a broker says goodbye.
    pub(super) fn has_left(&self, worker: &str) {
        if let Some(member) = self.registry.borrow_mut().deregister(worker) {
            self.site.tell(Fact::WorkerDeregistered(member));
        }
    }

    /// Those of whom it knows now, in the order in which it got to know them.
    pub(super) fn members(&self) -> Rc<[Member]> {
        self.registry.borrow_mut().members()
    }

    fn add_over_broker(&self, worker: &Rc<str>) -> Member {
        let (node, now) = (self.peer(worker), self.site.ctx().now());
        self.registry.borrow_mut().register(worker, "nats://localhost:4222", node, now)
    }

    /// A result came when its request was closed.
    pub(super) fn drop_result(&self, worker: &Known, node: u32) {
        self.site.tell(Fact::ResultDropped { worker: node });
        self.counters.borrow_mut().results_dropped += 1;
        if !self.site.params.presence {
            // Otherwise that it was late is known since the request was closed.
            self.note(worker, Outcome::TimedOut);
        }
    }

    fn note(&self, worker: &Known, outcome: Outcome) {
        let mut counters = self.counters.borrow_mut();
        match outcome {
            Outcome::Answered(_) => counters.tasks_in_time += 1,
            Outcome::Failed => counters.tasks_failed += 1,
            Outcome::TimedOut => counters.tasks_late += 1,
        }
        self.registry.borrow_mut().note(worker, outcome);
    }

    /// Publishes an aggregate if it is far enough from the last report, or that is too old.
    fn consider_report(&self, query: &Rc<str>, value: f64) {
        let (ctx, mut reports) = (self.site.ctx(), self.reports.borrow_mut());
        let trigger = Trigger::from(&*self.site.params);
        if let Some(cause) = reports.consider(&trigger, query, ctx.span().tag, value, ctx.now()) {
            self.counters.borrow_mut().reports += 1;
            let round = reports.last(query).map_or(0, |report| report.round);
            self.site.tell(Fact::ReportPublished { query: Rc::clone(query), value, cause, round });
        }
    }

    fn workers(&self) -> Vec<WorkerInfo> {
        self.registry.borrow().entries().map(WorkerInfo::from).collect()
    }

    /// The node behind a worker's id, for the trace; 0 for a name that is no node's.
    pub(super) fn peer(&self, id: &str) -> u32 {
        self.site.net().find(id).map_or(0, |node| node.0)
    }
}
