//! A worker: registers, sends heartbeats, and answers tasks late, wrongly or not at all, as an oracle's source does.

use super::fact::Fact;
use super::messages::{OracleRequest, Registration, WorkerName, WorkerResult};
use super::{COORDINATOR, Params, Site, lie, model, truth, worker_authority};
use crate::kernel::{Duration, Stream, fetch};
use crate::net::{NodeId, Shutdown};
use crate::substrate::body::{Json, Message};
use crate::substrate::http::{Besides, HttpError, Method, Request, Response, Route, Url, no_route};
use futures::future::{Either, ready};
use serde_json::json;
use std::cell::Cell;
use std::future::Future;
use std::ops::Deref;
use std::rc::Rc;

/// How long a worker waits for the coordinator to answer a registration or a heartbeat.
const CALL_LIMIT: Duration = Duration::from_secs(2);
/// The pause after a registration that failed: doubled each time, up to the maximum.
const RETRY_MIN: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(4);
/// How often a worker that shuts down looks whether its last tasks are done.
const DRAIN_POLL: Duration = Duration::from_millis(10);

/// What it serves.
pub const ROUTES: [Route; 2] = [
    Route::new("POST", "/task", "works on a task; 500 when it fails"),
    Route::new("GET", "/health", "liveness"),
];

/// One worker process.
pub(super) struct Worker {
    pub(super) site: Rc<Site>,
    pub(super) node: NodeId,
    pub(super) id: Rc<str>,
    endpoint: Rc<str>,
    delays: Stream,
    failures: Stream,
    noises: Stream,
    pub(super) model: model::AtWorker,
    /// Which worker it is, counted from 0.
    pub(super) index: usize,
}

pub(super) async fn run(site: Rc<Site>, i: u32, node: NodeId, shutdown: Shutdown) {
    let id = site.net().name(node);
    let ctx = site.ctx().clone();
    let worker = Rc::new(Worker {
        endpoint: format!("http://{}", worker_authority(i)).into(),
        delays: ctx.stream(&id, "delay"),
        failures: ctx.stream(&id, "failure"),
        noises: ctx.stream(&id, "noise"),
        model: site.model.at_worker(i as usize - 1, &site.params),
        index: i as usize - 1,
        site: site.clone(),
        node,
        id,
    });
    if let Some(broker) = &site.broker {
        return broker.serve(&worker, &shutdown).await;
    }
    let (handler, listener) = (Rc::clone(&worker), site.http.listen(&worker_authority(i)));
    // A task of its own: what is woken for each request is small.
    let serve = listener.serve_peers(Besides::Nothing, move |request, peer| route(&handler, request, peer));
    let serving = ctx.spawn(serve);
    let (here, beat) = (Rc::clone(&worker), worker.tells("/heartbeat", worker.name()));
    let (beating, url) = (Rc::clone(&worker), beat.url.clone());
    let foresee = move |step| {
        match step {
            0 => {
                fetch(&*url);
                fetch(&*beating);
            }
            _ => {
                // What it is answered names it.
                fetch(&*beating.id);
                beating.site.http.foresee(&url);
            }
        }
        step == 0
    };
    let presence =
        ctx.spawn_foretold(ctx.scope(), foresee, async move { stay_registered(&here, &beat).await });
    shutdown.requested().await;
    ctx.abort(presence);
    ctx.abort(serving);
    // The port is closed by now; no more tasks come once the coordinator knows.
    let _ = tell(&worker, &worker.tells("/deregister", worker.name())).await;
    drain(&worker).await;
}

/// Waits until the worker's last tasks are done.
pub(super) async fn drain(worker: &Worker) {
    while worker.busy().get() > 0 {
        worker.site.ctx().sleep(DRAIN_POLL).await;
    }
}

// --- presence ---------------------------------------------------------------------------------------------------

/// Registers and sends heartbeats; never ends.
async fn stay_registered(worker: &Worker, beat: &Request) {
    let Params { register, heartbeat, .. } = *worker.site.params;
    let ctx = worker.site.ctx();
    if !register {
        return std::future::pending().await;
    }
    // In a box, since it is over soon: what beats is visited time and again, and so is small.
    Box::pin(register_until_accepted(worker)).await;
    if heartbeat == Duration::ZERO {
        return std::future::pending().await;
    }
    loop {
        ctx.sleep(heartbeat).await;
        let answer = tell(worker, beat).await;
        if answer.is_ok_and(|response| response.status == 404) {
            // The coordinator has forgotten this worker: it restarted, or evicted it.
            Box::pin(register_until_accepted(worker)).await;
        }
    }
}

async fn register_until_accepted(worker: &Worker) {
    let ctx = worker.site.ctx();
    let (id, endpoint) = (Rc::clone(&worker.id), Rc::clone(&worker.endpoint));
    let registration = worker.tells("/register", Json::new(Registration { id, endpoint }));
    let mut pause = RETRY_MIN;
    while !tell(worker, &registration).await.is_ok_and(|response| response.status == 200) {
        ctx.sleep(pause).await;
        pause = (pause + pause).min(RETRY_MAX);
    }
}

fn tell(worker: &Worker, request: &Request) -> impl Future<Output = Result<Response, HttpError>> + use<> {
    worker.site.http.fetch_within(worker.node, request.clone(), CALL_LIMIT)
}

// --- tasks ------------------------------------------------------------------------------------------------------

/// Reads the request first: what the work does not need is not kept while it lasts. One of these futures stands for each
/// task under way, and so it is small.
fn route(worker: &Rc<Worker>, request: Request, peer: NodeId) -> impl Future<Output = Response> + use<> {
    let task = match (&request.method, request.url.path.as_str()) {
        (Method::Post, "/task") => OracleRequest::of(&request),
        (Method::Get, "/health") => Err(Response::json(
            200,
            &json!({"status": "ok", "worker_id": &*worker.id, "tasks": worker.busy().get()}),
        )),
        (method, path) => Err(no_route(method, path, &ROUTES)),
    };
    let worker = Rc::clone(worker);
    match task {
        Err(response) => Either::Left(ready(response)),
        Ok(task) => Either::Right(async move {
            let busy = Busy::new(worker);
            let _turn = match busy.model.turn(busy.site.ctx()) {
                Some(turn) => Some(turn.await),
                None => None,
            };
            let delay = busy.begin(&task);
            busy.site.ctx().sleep(delay).await;
            let result = busy.finish(&task, peer.0, delay);
            Response::of(if result.err.is_some() { 500 } else { 200 }, Json::new(result))
        }),
    }
}

impl Worker {
    fn busy(&self) -> &Cell<u32> {
        &self.site.busy[self.index]
    }

    fn name(&self) -> Json<WorkerName> {
        Json::new(WorkerName { id: Rc::clone(&self.id) })
    }

    /// What it tells the coordinator, to be sent as often as need be.
    fn tells<T: Message>(&self, path: &'static str, message: Json<T>) -> Request {
        Request::post(Url::new(COORDINATOR, path), message)
    }
}

/// Counts a task as under way until it ends in whatever way: answered, failed, cancelled, or lost in a crash.
pub(super) struct Busy(Rc<Worker>);

impl Busy {
    pub(super) fn new(worker: Rc<Worker>) -> Self {
        worker.busy().set(worker.busy().get() + 1);
        Busy(worker)
    }
}

impl Deref for Busy {
    type Target = Worker;

    fn deref(&self) -> &Worker {
        &self.0
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let busy = self.0.busy();
        busy.set(busy.get() - 1);
    }
}

impl Worker {
    /// Begins the task of the request that the current task is busy with; returns how long it takes. What is drawn depends
    /// on the worker and the request's number and attempt only, so no other request, fault or parameter shifts it.
    pub(super) fn begin(&self, task: &OracleRequest) -> Duration {
        let Worker { site, node, .. } = self;
        let draws = self.delays.at(task.address(site.ctx().span().tag));
        let drawn = self.model.delay(&site.params, draws);
        let delay = site.net().work(*node, drawn);
        site.tell(Fact::TaskStarted { delay });
        delay
    }

    /// What it makes of the task after that time, for the node `asker`.
    pub(super) fn finish(&self, task: &OracleRequest, asker: u32, delay: Duration) -> WorkerResult {
        let Worker { site, node, .. } = self;
        let (ctx, params) = (site.ctx(), &site.params);
        let req = task.address(ctx.span().tag);
        let mut result = WorkerResult {
            worker_id: Rc::clone(&self.id),
            registered_as: None,
            request_id: Rc::clone(&task.id),
            value: 0.0,
            err: None,
            response_time: delay,
            reliable: true,
        };
        if self.failures.at(req).chance(params.fail) {
            site.tell(Fact::TaskFailed { delay });
            result.err = Some("the oracle source failed".into());
            result.reliable = false;
            return result;
        }
        let noise = self.noises.at(req).uniform(-params.noise, params.noise);
        result.value = truth::value_at(ctx, params.drift, &task.query, ctx.now()) * (1.0 + noise);
        let lie = site.lie_of(*node).filter(|lie| lie.tells(params.lie_mode));
        if let Some(lie) = lie {
            let asked = lie::Asked { query: &task.query, req, asker };
            result.value = lie.answer(ctx, params, &self.id, &asked, result.value);
        }
        site.tell(Fact::TaskDone { value: result.value, lie: lie.is_some() });
        result
    }
}
