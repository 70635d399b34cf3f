//! The coordinator: keeps the registry, and answers each request with what the workers say in time.

use super::aggregator::Strategy;
use super::log::TaskEnd;
use super::messages::{
    Acknowledgement, OracleRequest, OracleResult, Registration, WorkerInfo, WorkerName, WorkerResult,
};
use super::registry::{Outcome, Registry};
use super::{
    COORDINATOR, REQUEST_AGGREGATED, REQUEST_FAILED, REQUEST_OPENED, Site, WORKER_DEREGISTERED,
    WORKER_EVICTED, WORKER_REGISTERED,
};
use crate::kernel::{Duration, JoinSet};
use crate::net::{NodeId, Shutdown};
use crate::substrate::http::{HttpError, Method, Request, Response, Url, bad_json, no_route, too_large};
use futures::{FutureExt, select_biased};
use serde::Serialize;
use serde_json::json;
use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;

/// How often the registry is searched for stale workers.
const CLEAN_UP_EVERY: Duration = Duration::from_secs(1);
/// What it serves, for 404 and 405.
const ROUTES: [(&str, &str); 7] = [
    ("POST", "/register"),
    ("POST", "/request"),
    ("POST", "/heartbeat"),
    ("POST", "/deregister"),
    ("GET", "/workers"),
    ("GET", "/health"),
    ("GET", "/metrics"),
];

/// One coordinator process; all of it is lost in a crash.
#[derive(Clone)]
struct Coordinator {
    site: Site,
    node: NodeId,
    registry: Rc<RefCell<Registry>>,
    counters: Rc<RefCell<Counters>>,
}

/// What `GET /metrics` reports, since this coordinator started.
#[derive(Clone, Debug, Default, Serialize)]
struct Counters {
    requests: u64,
    requests_answered: u64,
    requests_failed: u64,
    tasks_in_time: u64,
    tasks_failed: u64,
    tasks_late: u64,
    registrations: u64,
    heartbeats: u64,
    evictions: u64,
}

pub(super) async fn run(site: Site, node: NodeId, shutdown: Shutdown) {
    let coordinator =
        Coordinator { registry: Rc::default(), counters: Rc::default(), node, site: site.clone() };
    *site.registry.borrow_mut() = Rc::downgrade(&coordinator.registry);
    let listener = site.http.listen(COORDINATOR);
    let handler = coordinator.clone();
    let mut serving = pin!(listener.serve(move |request| route(handler.clone(), request)).fuse());
    let mut cleaning = pin!(clean_up(&coordinator).fuse());
    let mut asked_to_end = pin!(shutdown.requested().fuse());
    select_biased! {
        () = serving => {}
        () = cleaning => {}
        () = asked_to_end => {}
    }
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

async fn route(coordinator: Coordinator, request: Request) -> Response {
    if let Some(refusal) = too_large(&request) {
        return refusal;
    }
    let answer = match (&request.method, request.url.path.as_str()) {
        (Method::Post, "/register") => request.json().map(|body| register(&coordinator, &body)),
        (Method::Post, "/heartbeat") => request.json().map(|body| heartbeat(&coordinator, &body)),
        (Method::Post, "/deregister") => request.json().map(|body| deregister(&coordinator, &body)),
        (Method::Post, "/request") => match request.json() {
            Ok(body) => Ok(submit(&coordinator, body).await),
            Err(error) => Err(error),
        },
        (Method::Get, "/workers") => Ok(Response::json(200, &coordinator.workers())),
        (Method::Get, "/health") => Ok(Response::json(
            200,
            &json!({"status": "ok", "workers": coordinator.registry.borrow().entries().len()}),
        )),
        (Method::Get, "/metrics") => Ok(metrics(&coordinator)),
        (method, path) => Ok(no_route(method, path, &ROUTES)),
    };
    answer.unwrap_or_else(|error| bad_json(&error))
}

// --- the registry -----------------------------------------------------------------------------------------------

fn register(coordinator: &Coordinator, body: &Registration) -> Response {
    if body.id.is_empty() {
        return Response::error(
            400,
            "invalid_field",
            "id is empty; it names the worker",
            json!({"field": "id"}),
        );
    }
    if let Err(why) = check_endpoint(&body.endpoint) {
        let message = format!("endpoint: {why}");
        return Response::error(400, "invalid_field", &message, json!({"field": "endpoint"}));
    }
    let ctx = coordinator.site.ctx();
    coordinator.registry.borrow_mut().register(&body.id, &body.endpoint, ctx.now());
    coordinator.counters.borrow_mut().registrations += 1;
    ctx.record(WORKER_REGISTERED, coordinator.peer(&body.id), 0);
    acknowledge("registered", format!("Worker {} successfully registered", body.id))
}

/// `/task` is put after it. Behind a query that would be no path, and a coordinator registered as its own worker
/// with `/request?` would ask itself for ever, without any time passing.
fn check_endpoint(endpoint: &str) -> Result<(), String> {
    endpoint.parse::<Url>().map_err(|error| error.to_string())?;
    match endpoint.contains(['?', '#']) {
        true => Err(format!("{endpoint:?} has a query or a fragment, and /task cannot follow it")),
        false => Ok(()),
    }
}

fn heartbeat(coordinator: &Coordinator, body: &WorkerName) -> Response {
    if !coordinator.registry.borrow_mut().seen(&body.id, coordinator.site.ctx().now()) {
        return unknown_worker(&body.id);
    }
    coordinator.counters.borrow_mut().heartbeats += 1;
    acknowledge("alive", format!("Worker {} is registered", body.id))
}

fn deregister(coordinator: &Coordinator, body: &WorkerName) -> Response {
    if !coordinator.registry.borrow_mut().deregister(&body.id) {
        return unknown_worker(&body.id);
    }
    coordinator.site.ctx().record(WORKER_DEREGISTERED, coordinator.peer(&body.id), 0);
    acknowledge("deregistered", format!("Worker {} successfully deregistered", body.id))
}

fn acknowledge(status: &str, message: String) -> Response {
    Response::json(200, &Acknowledgement { status: status.to_owned(), message })
}

fn unknown_worker(id: &str) -> Response {
    let message = format!("worker {id} is not registered; register it again");
    Response::error(404, "unknown_worker", &message, json!({"id": id}))
}

fn metrics(coordinator: &Coordinator) -> Response {
    let log = coordinator.site.log.borrow();
    let analysis = log.last_analysis();
    let counters = coordinator.counters.borrow();
    Response::json(
        200,
        &json!({"counters": &*counters, "workers": coordinator.workers(), "analysis": analysis}),
    )
}

// --- a request --------------------------------------------------------------------------------------------------

/// What became of one task.
enum Answer {
    Value(WorkerResult),
    Failed(WorkerResult),
}

async fn submit(coordinator: &Coordinator, body: OracleRequest) -> Response {
    let Coordinator { site, .. } = coordinator;
    let ctx = site.ctx();
    let number = ctx.span().req;
    let task = OracleRequest { id: format!("req-{number:05}"), query: body.query };
    let asked: Vec<(String, String)> =
        coordinator.registry.borrow().entries().iter().map(|e| (e.id.clone(), e.endpoint.clone())).collect();
    ctx.record(REQUEST_OPENED, 0, asked.len() as u64);
    coordinator.counters.borrow_mut().requests += 1;
    let ids = asked.iter().map(|(id, _)| id.clone());
    let first = site.log.borrow_mut().opened(number, ctx.now(), site.params.timeout, ids);
    // The number under which the log follows this.
    let logged = first.then_some(number);
    if asked.is_empty() {
        let message = "no worker is registered, so nobody can be asked";
        return fail(coordinator, "no_workers", message, json!({"request_id": task.id}));
    }

    let answers = fan_out(coordinator, &task, &asked, logged).await;
    conclude(coordinator, task, &asked, answers, logged)
}

/// Asks all workers at once and waits, at most the timeout. Whatever still runs then is cancelled.
async fn fan_out(
    coordinator: &Coordinator,
    task: &OracleRequest,
    asked: &[(String, String)],
    logged: Option<u64>,
) -> Vec<Option<Answer>> {
    let Coordinator { site, .. } = coordinator;
    let mut tasks = JoinSet::new(site.ctx());
    for (i, (id, endpoint)) in asked.iter().enumerate() {
        let (coordinator, task, id, endpoint) =
            (coordinator.clone(), task.clone(), id.clone(), endpoint.clone());
        tasks.spawn(async move { (i, ask(&coordinator, task, id, &endpoint).await) });
    }
    let mut answers: Vec<Option<Answer>> = asked.iter().map(|_| None).collect();
    let all_in = async {
        while let Some((i, answer)) = tasks.join_next().await {
            let (result, end) = match &answer {
                Answer::Value(result) => (result, TaskEnd::InTime),
                Answer::Failed(result) => (result, TaskEnd::Failed),
            };
            if let Some(number) = logged {
                site.log.borrow_mut().arrived(number, i, site.ctx().now(), result, end);
            }
            answers[i] = Some(answer);
        }
    };
    // Some answers missing is what the caller looks at, not the error.
    let _ = site.ctx().timeout(site.params.timeout, all_in).await;
    answers
}

async fn ask(coordinator: &Coordinator, task: OracleRequest, id: String, endpoint: &str) -> Answer {
    let ctx = coordinator.site.ctx();
    let sent_at = ctx.now();
    let url = format!("{}/task", endpoint.trim_end_matches('/')).parse::<Url>();
    let answer = match url {
        Ok(url) => coordinator.site.http.fetch(coordinator.node, Request::post_json(url, &task)).await,
        Err(_) => Err(HttpError::Refused),
    };
    if answer.is_ok() {
        // Any answer is a sign of life, also one that says that the task failed.
        coordinator.registry.borrow_mut().seen(&id, ctx.now());
    }
    match answer.map(|response| (response.status, response.parse::<WorkerResult>())) {
        // The registry's name counts: a worker may be registered under another one than its own.
        Ok((200, Ok(result))) if result.value.is_finite() && result.err.is_none() => {
            Answer::Value(WorkerResult { worker_id: id, ..result })
        }
        Ok((_, Ok(result))) => {
            Answer::Failed(WorkerResult { worker_id: id, value: 0.0, reliable: false, ..result })
        }
        Ok((status, Err(_))) => Answer::Failed(missing(
            id,
            task.id,
            format!("status {status} without a worker result"),
            ctx.now().since(sent_at),
        )),
        Err(error) => Answer::Failed(missing(id, task.id, error.to_string(), ctx.now().since(sent_at))),
    }
}

/// The entry of a worker that gave no result of its own.
fn missing(worker_id: String, request_id: String, err: String, response_time: Duration) -> WorkerResult {
    WorkerResult { worker_id, request_id, value: 0.0, err: Some(err), response_time, reliable: false }
}

/// Leaves out failed and late workers, aggregates the rest, updates the registry, and answers.
fn conclude(
    coordinator: &Coordinator,
    task: OracleRequest,
    asked: &[(String, String)],
    answers: Vec<Option<Answer>>,
    logged: Option<u64>,
) -> Response {
    let Coordinator { site, .. } = coordinator;
    let (ctx, params) = (site.ctx(), &site.params);
    let values: Vec<f64> = answers
        .iter()
        .filter_map(|answer| match answer {
            Some(Answer::Value(result)) => Some(result.value),
            _ => None,
        })
        .collect();
    let aggregate = params.strategy.aggregate(&values, params.step);

    let (mut failed, mut late) = (0, 0);
    let worker_responses: Vec<WorkerResult> = asked
        .iter()
        .zip(answers)
        .map(|((id, _), answer)| {
            let (result, outcome) = match answer {
                Some(Answer::Value(result)) => {
                    let distance = aggregate.map_or(0.0, |a| relative_distance(result.value, a.value));
                    (result, Outcome::Answered(distance))
                }
                Some(Answer::Failed(result)) => {
                    failed += 1;
                    (result, Outcome::Failed)
                }
                None => {
                    late += 1;
                    let err = format!("no answer within {}", params.timeout);
                    (missing(id.clone(), task.id.clone(), err, params.timeout), Outcome::TimedOut)
                }
            };
            coordinator.note(id, outcome);
            result
        })
        .collect();
    if let Some(number) = logged {
        site.log.borrow_mut().closed(number, ctx.now(), &worker_responses, params);
    }

    let Some(aggregate) = aggregate else {
        let details = json!({"request_id": task.id, "asked": asked.len(), "failed": failed, "late": late});
        let message = format!("none of {} workers answered: {failed} failed, {late} late", asked.len());
        return fail(coordinator, "all_workers_failed", &message, details);
    };
    coordinator.counters.borrow_mut().requests_answered += 1;
    ctx.record(REQUEST_AGGREGATED, 0, aggregate.value.to_bits());
    let reliability_note = note(params.strategy, asked.len(), failed, late, aggregate.support);
    let result = OracleResult {
        request_id: task.id,
        final_value: aggregate.value,
        worker_responses,
        reliability_note,
    };
    Response::json(200, &result)
}

fn relative_distance(value: f64, aggregate: f64) -> f64 {
    if aggregate == 0.0 { 0.0 } else { ((value - aggregate) / aggregate).abs() }
}

/// How far the result can be relied upon, in words.
fn note(strategy: Strategy, asked: usize, failed: usize, late: usize, support: usize) -> String {
    let answered = asked - failed - late;
    let mut note = match failed + late {
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

    fn workers(&self) -> Vec<WorkerInfo> {
        self.registry.borrow().entries().iter().map(WorkerInfo::from).collect()
    }

    /// The node behind a worker's id, for the trace; 0 for a name that is no node's.
    fn peer(&self, id: &str) -> u32 {
        self.site.net().find(id).map_or(0, |node| node.0)
    }
}
