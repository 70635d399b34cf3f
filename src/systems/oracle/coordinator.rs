//! The coordinator: keeps the registry, and answers each request with what the workers say in time.

mod endpoints;
mod over_http;

use super::admission::Admission;
use super::aggregator::{self, Strategy, is_usable};
use super::log::TaskEnd;
use super::messages::{OracleRequest, OracleResult, WorkerInfo, WorkerResult};
#[cfg(feature = "all-systems")]
use super::nats::coordinator::Link;
use super::registry::{Outcome, Registry};
use super::report::{Reports, Trigger};
use super::{COORDINATOR, Params, REQUEST_AGGREGATED, REQUEST_FAILED, REQUEST_OPENED, Site, WORKER_EVICTED};
use crate::kernel::{Duration, Instant};
use crate::net::{NodeId, Shutdown};
use crate::substrate::body::Json;
use crate::substrate::http::{Method, Request, Response, Route, bad_json, no_route, too_large};
use futures::{FutureExt, select_biased};
use serde::Serialize;
use serde_json::json;
use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;

/// How often the registry is searched for stale workers.
const CLEAN_UP_EVERY: Duration = Duration::from_secs(1);
/// Answers are at most this far from the aggregate, relative to it, so that a mean of distances stays a number.
const DISTANCE_MAX: f64 = 1e6;
/// What it serves, for 404 and 405.
pub const ROUTES: [Route; 8] = [
    Route::new("POST", "/register", "adds a worker to the registry"),
    Route::new("POST", "/heartbeat", "a sign of life; 404 to one that is not registered"),
    Route::new("POST", "/deregister", "removes a worker"),
    Route::new("POST", "/request", "asks all workers, and answers with the aggregate"),
    Route::new("GET", "/report", "the last report of `?query=`, its age, and whether it is stale"),
    Route::new("GET", "/workers", "the registry, with reliability scores"),
    Route::new("GET", "/health", "liveness"),
    Route::new("GET", "/metrics", "its own counters since it started, and its registry"),
];

/// The first of them that are there without a registry.
const ROUTES_OF_ALL: usize = 3;

/// One coordinator process; all of it is lost in a crash.
#[derive(Clone)]
pub(super) struct Coordinator {
    pub(super) site: Site,
    pub(super) node: NodeId,
    /// How it reaches the workers over NATS.
    #[cfg(feature = "all-systems")]
    link: Option<Rc<Link>>,
    registry: Rc<RefCell<Registry>>,
    counters: Rc<RefCell<Counters>>,
    admission: Rc<RefCell<Admission>>,
    reports: Rc<RefCell<Reports>>,
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

pub(super) async fn run(site: Site, node: NodeId, shutdown: Shutdown) {
    let coordinator = Coordinator {
        registry: Rc::default(),
        counters: Rc::default(),
        admission: Rc::default(),
        reports: Rc::default(),
        #[cfg(feature = "all-systems")]
        link: site.bus.clone().map(|bus| Rc::new(Link::new(bus))),
        node,
        site: site.clone(),
    };
    *site.registry.borrow_mut() = Rc::downgrade(&coordinator.registry);
    let listener = site.http.listen(COORDINATOR);
    let handler = coordinator.clone();
    let serve = listener.serve_peers(move |request, peer| route(handler.clone(), request, peer));
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
    #[cfg(feature = "all-systems")]
    if let Some(link) = &coordinator.link {
        return link.receive(coordinator).await;
    }
    clean_up(coordinator).await;
}

/// Removes stale workers for ever.
async fn clean_up(coordinator: &Coordinator) {
    let ctx = coordinator.site.ctx();
    loop {
        ctx.sleep(CLEAN_UP_EVERY).await;
        let stale = coordinator.site.params.stale;
        let evicted = coordinator.registry.borrow_mut().evict_stale(ctx.now(), stale);
        for id in &evicted {
            ctx.record(WORKER_EVICTED, coordinator.peer(id), 0);
        }
        coordinator.counters.borrow_mut().evictions += evicted.len() as u64;
    }
}

async fn route(coordinator: Coordinator, request: Request, peer: NodeId) -> Response {
    if let Some(refusal) = too_large(&request) {
        return refusal;
    }
    let routes = match coordinator.site.params.has_broker() {
        true => &ROUTES[ROUTES_OF_ALL..],
        false => &ROUTES[..],
    };
    let is_there = |path: &str| routes.iter().any(|route| route.path == path);
    let answer = match (&request.method, request.url.path.as_str()) {
        (method, path) if !is_there(path) => Ok(no_route(method, path, routes)),
        (Method::Post, "/register") => request.read().map(|body| endpoints::register(&coordinator, &body)),
        (Method::Post, "/heartbeat") => request.read().map(|body| endpoints::heartbeat(&coordinator, &body)),
        (Method::Post, "/deregister") => {
            request.read().map(|body| endpoints::deregister(&coordinator, &body))
        }
        (Method::Post, "/request") => match (admit(&coordinator, peer), request.read()) {
            (Some(refusal), _) => Ok(refusal),
            (None, Ok(body)) => Ok(submit(&coordinator, &body).await),
            (None, Err(error)) => Err(error),
        },
        (Method::Get, "/report") => Ok(report(&coordinator, &request.url.query)),
        (Method::Get, "/workers") => Ok(Response::json(200, &coordinator.workers())),
        (Method::Get, "/health") => Ok(Response::json(
            200,
            &json!({"status": "ok", "workers": coordinator.registry.borrow().entries().len()}),
        )),
        (Method::Get, "/metrics") => Ok(metrics(&coordinator)),
        (method, path) => Ok(no_route(method, path, routes)),
    };
    answer.unwrap_or_else(|error| bad_json(&error))
}

// --- what it says of itself ---------------------------------------------------------------------------------------

fn metrics(coordinator: &Coordinator) -> Response {
    let log = coordinator.site.log.borrow();
    let analysis = log.last_analysis();
    let counters = coordinator.counters.borrow();
    Response::json(
        200,
        &json!({"counters": &*counters, "workers": coordinator.workers(), "analysis": analysis}),
    )
}

/// The last report of a query, the run's own unless `?query=` names another.
fn report(coordinator: &Coordinator, query: &str) -> Response {
    let Coordinator { site, reports, .. } = coordinator;
    let asked = endpoints::parameter(query, "query");
    let query = asked.as_deref().unwrap_or(&site.params.query);
    reports.borrow().respond(&Trigger::from(&*site.params), query, site.ctx().now())
}

// --- a request --------------------------------------------------------------------------------------------------

/// What became of one task.
pub(super) enum Answer {
    Value(WorkerResult),
    Failed(WorkerResult),
}

impl Answer {
    /// A result's worth. The name that the coordinator knows counts: a worker may be registered under another one than its
    /// own.
    pub(super) fn of(result: WorkerResult, worker_id: String) -> Self {
        if is_usable(result.value) && result.err.is_none() {
            return Answer::Value(WorkerResult { worker_id, ..result });
        }
        let err = result.err.or_else(|| Some("its answer is not usable".to_owned()));
        Answer::Failed(WorkerResult { worker_id, value: 0.0, err, reliable: false, ..result })
    }

    /// The result, and what the log calls it.
    pub(super) fn judged(&self) -> (&WorkerResult, TaskEnd) {
        match self {
            Answer::Value(result) => (result, TaskEnd::InTime),
            Answer::Failed(result) => (result, TaskEnd::Failed),
        }
    }
}

/// What the workers made of a task, by their names, in the order of the result; over HTTP also of those who did not
/// answer.
type Answers = Vec<(String, Option<Answer>)>;

/// The refusal of a client that asks too often.
fn admit(coordinator: &Coordinator, client: NodeId) -> Option<Response> {
    let Coordinator { site, admission, counters, .. } = coordinator;
    let refusal = admission.borrow_mut().refuse(client, &site.params, site.ctx().now())?;
    counters.borrow_mut().requests_limited += 1;
    site.ctx().record(REQUEST_FAILED, client.0, u64::from(refusal.status));
    Some(refusal)
}

async fn submit(coordinator: &Coordinator, body: &OracleRequest) -> Response {
    let Coordinator { site, .. } = coordinator;
    let ctx = site.ctx();
    let number = ctx.span().tag;
    let task = Json::new(OracleRequest { id: format!("req-{number:05}"), query: body.query.clone() });
    #[cfg(feature = "all-systems")]
    if let (Some(link), Some(bus)) = (&coordinator.link, &site.bus) {
        let client = link.client();
        let hearers = if client.is_ok() { site.hearers(bus) } else { Vec::new() };
        // How many are asked, it cannot know.
        let (opened_at, logged) = open(coordinator, &task, 0, hearers.into_iter());
        let client = match client {
            Ok(client) => client,
            Err(error) => {
                if let Some(number) = logged {
                    site.log.borrow_mut().closed(number, ctx.now(), &[], &[], &site.params);
                }
                let details = json!({"request_id": task.id});
                return fail(coordinator, "nats_unavailable", &error.to_string(), details);
            }
        };
        let answers = link.ask(coordinator, &client, &task, logged).await;
        return conclude(coordinator, &task, answers, opened_at, logged);
    }
    let asked: Vec<(String, String)> =
        coordinator.registry.borrow().entries().iter().map(|e| (e.id.clone(), e.endpoint.clone())).collect();
    let (opened_at, logged) = open(coordinator, &task, asked.len(), asked.iter().map(|(id, _)| id.clone()));
    if asked.is_empty() {
        let message = "no worker is registered, so nobody can be asked";
        return fail(coordinator, "no_workers", message, json!({"request_id": task.id}));
    }

    let answers = over_http::fan_out(coordinator, &task, &asked, logged).await;
    conclude(coordinator, &task, answers, opened_at, logged)
}

/// Takes up a request: when, and the number under which the log follows it.
fn open(
    coordinator: &Coordinator,
    task: &OracleRequest,
    asked: usize,
    ids: impl Iterator<Item = String>,
) -> (Instant, Option<u64>) {
    let Coordinator { site, counters, .. } = coordinator;
    let (now, number) = (site.ctx().now(), site.ctx().span().tag);
    site.ctx().record(REQUEST_OPENED, 0, asked as u64);
    counters.borrow_mut().requests += 1;
    let truth = site.truth(&task.query);
    let first = site.log.borrow_mut().opened(number, now, site.params.timeout, truth, ids);
    (now, first.then_some(number))
}

/// The entry of a worker that gave no result of its own.
fn missing(worker_id: String, request_id: String, err: String, response_time: Duration) -> WorkerResult {
    WorkerResult { worker_id, request_id, value: 0.0, err: Some(err), response_time, reliable: false }
}

/// Leaves out failed and late workers, aggregates the rest, updates the registry, and answers.
fn conclude(
    coordinator: &Coordinator,
    task: &OracleRequest,
    answers: Answers,
    opened_at: Instant,
    logged: Option<u64>,
) -> Response {
    let Coordinator { site, .. } = coordinator;
    let (ctx, params) = (site.ctx(), &site.params);
    // As they were before these answers.
    let weights = coordinator.registry.borrow().scores(answers.iter().map(|(id, _)| id.as_str()));
    let used = answers.iter().zip(&weights).filter_map(|((_, answer), weight)| match answer {
        Some(Answer::Value(result)) => Some((result.value, *weight)),
        _ => None,
    });
    let (values, used_weights): (Vec<f64>, Vec<f64>) = used.unzip();
    let aggregate =
        params.strategy.of(&aggregator::Answers::weighted(&values, &used_weights), &params.knobs());
    let waited = ctx.now().since(opened_at);
    let has_quorum = params.quorum > 0 && values.len() >= params.quorum as usize;

    let (mut failed, mut late) = (0, 0);
    let asked = answers.len();
    let worker_responses: Vec<WorkerResult> = answers
        .into_iter()
        .map(|(id, answer)| {
            let (result, outcome) = match answer {
                Some(Answer::Value(result)) => {
                    let distance = aggregate.map_or(0.0, |a| relative_distance(result.value, a.value));
                    (result, Some(Outcome::Answered(distance)))
                }
                Some(Answer::Failed(result)) => {
                    failed += 1;
                    (result, Some(Outcome::Failed))
                }
                None => {
                    late += 1;
                    // Nobody is blamed for what the coordinator did not wait for.
                    let (err, outcome) = match has_quorum {
                        true => (format!("not awaited: {} had answered", params.quorum), None),
                        false => (format!("no answer within {waited}"), Some(Outcome::TimedOut)),
                    };
                    (missing(id.clone(), task.id.clone(), err, waited), outcome)
                }
            };
            if let Some(outcome) = outcome {
                coordinator.note(&id, outcome);
            }
            result
        })
        .collect();
    if let Some(number) = logged {
        site.log.borrow_mut().closed(number, ctx.now(), &worker_responses, &weights, params);
    }

    let Some(aggregate) = aggregate else {
        let details = json!({"request_id": task.id, "asked": asked, "failed": failed, "late": late});
        if values.is_empty() {
            let message = match params.has_broker() {
                true => {
                    format!("no worker answered within {waited}: {failed} failed, the others are not known")
                }
                false => format!("none of {asked} workers answered: {failed} failed, {late} late"),
            };
            return fail(coordinator, "all_workers_failed", &message, details);
        }
        let strategy = params.strategy.name();
        let message = format!("{strategy} has no aggregate: none of {} values is valid to it", values.len());
        return fail(coordinator, "no_aggregate", &message, details);
    };
    coordinator.counters.borrow_mut().requests_answered += 1;
    coordinator.consider_report(&task.query, aggregate.value);
    ctx.record(REQUEST_AGGREGATED, 0, aggregate.value.to_bits());
    let mut reliability_note = note(params, asked, failed, late, aggregate.support);
    if has_quorum && (late > 0 || params.has_broker()) {
        reliability_note += &format!("; a quorum of {} was enough", params.quorum);
    }
    let result = OracleResult {
        request_id: task.id.clone(),
        final_value: aggregate.value,
        worker_responses,
        reliability_note,
    };
    Response::of(200, Json::new(result))
}

fn relative_distance(value: f64, aggregate: f64) -> f64 {
    if aggregate == 0.0 { 0.0 } else { ((value - aggregate) / aggregate).abs().min(DISTANCE_MAX) }
}

/// How far the result can be relied upon, in words.
fn note(params: &Params, asked: usize, failed: usize, late: usize, support: usize) -> String {
    let (strategy, answered) = (params.strategy, asked - failed - late);
    let mut note = match failed + late {
        missing if params.has_broker() => {
            let warning = if missing > answered { "Warning: " } else { "" };
            format!("{warning}{answered} workers answered, {failed} failed; how many were asked is not known")
        }
        0 => "All workers responded successfully".to_owned(),
        missing if 2 * missing > asked => {
            format!(
                "Warning: partial result, only {answered} of {asked} workers responded: {failed} failed, {late} late"
            )
        }
        _ => format!("{answered} of {asked} workers responded: {failed} failed, {late} late"),
    };
    if strategy == Strategy::Majority && 2 * support <= answered {
        note += &format!("; no majority: the commonest value has {support} of {answered} votes");
    }
    note
}

fn fail(coordinator: &Coordinator, code: &str, message: &str, details: serde_json::Value) -> Response {
    coordinator.counters.borrow_mut().requests_failed += 1;
    coordinator.site.ctx().record(REQUEST_FAILED, 0, 503);
    Response::error(503, code, message, details)
}

#[cfg(feature = "all-systems")]
impl Coordinator {
    /// A worker that nobody has announced has sent a result.
    pub(super) fn meet(&self, worker: &str) {
        let (mut registry, now) = (self.registry.borrow_mut(), self.site.ctx().now());
        if !registry.seen(worker, now) {
            registry.register(worker, "nats://localhost:4222", now);
        }
    }

    /// A result came when its request was closed.
    pub(super) fn drop_result(&self, worker: &str) {
        self.counters.borrow_mut().results_dropped += 1;
        self.note(worker, Outcome::TimedOut);
    }
}

impl Coordinator {
    fn note(&self, id: &str, outcome: Outcome) {
        let mut counters = self.counters.borrow_mut();
        match outcome {
            Outcome::Answered(_) => counters.tasks_in_time += 1,
            Outcome::Failed => counters.tasks_failed += 1,
            Outcome::TimedOut => counters.tasks_late += 1,
        }
        self.registry.borrow_mut().note(id, outcome);
    }

    fn consider_report(&self, query: &str, value: f64) {
        let ctx = self.site.ctx();
        let trigger = Trigger::from(&*self.site.params);
        let cause = self.reports.borrow_mut().consider(&trigger, query, ctx.span().tag, value, ctx.now());
        self.counters.borrow_mut().reports += u64::from(cause.is_some());
    }

    fn workers(&self) -> Vec<WorkerInfo> {
        self.registry.borrow().entries().iter().map(WorkerInfo::from).collect()
    }

    /// The node behind a worker's id, for the trace; 0 for a name that is no node's.
    pub(super) fn peer(&self, id: &str) -> u32 {
        self.site.net().find(id).map_or(0, |node| node.0)
    }
}
