//! An API process: takes jobs, says what has become of them, and does sums itself while everybody waits. It is one process
//! without threads: one request at a time, the others wait in front of it.

use super::fact::Fact;
use super::messages::{Accepted, Payload, TaskRequest, TaskStatus, number};
use super::queue::{self, QUEUE, status, task_key};
use super::{Params, Site, VALKEY, container_authority, container_name, worker};
use crate::kernel::{Cancelled, Duration, OneshotSender, Receiver, Sender, Span, channel, oneshot};
use crate::net::{NodeId, Shutdown};
use crate::substrate::body::Json;
use crate::substrate::http::{Besides, Method, Request, Response, Route, no_route};
use crate::substrate::valkey::{Error, Valkey};
use futures::{FutureExt, select_biased};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::pin::pin;
use std::rc::Rc;

/// How many requests wait in front of the process before further ones are turned away: Python's own server has 128.
const BACKLOG: usize = 128;
/// How often a process that shuts down looks whether its last requests are answered.
const DRAIN_POLL: Duration = Duration::from_millis(10);

/// A request in front of the process, what its caller was busy with, and where the answer goes.
struct Waiting {
    request: Request,
    span: Span,
    answer: OneshotSender<(Response, Span)>,
    _wish: Option<Wish>,
}

/// The process, shared by all that it has in hand.
struct Api {
    site: Site,
    valkey: Valkey,
    /// Which container, counted from 1.
    number: u32,
    name: Rc<str>,
    node: NodeId,
    process: NodeId,
    queue: Sender<Waiting>,
}

/// `node` is the container, `process` the process.
pub(super) async fn run(site: Site, number: u32, node: NodeId, process: NodeId, shutdown: Shutdown) {
    if !site.net().is_up(node) {
        // There is no container to run in.
        return;
    }
    let ctx = site.ctx().clone();
    let (queue, waiting) = channel(&ctx, BACKLOG);
    let valkey = Valkey::connect(&site.wire, node, VALKEY);
    let name = container_name(number).into();
    let api = Rc::new(Api { site, valkey, number, name, node, process, queue });
    let working = ctx.spawn(work(Rc::clone(&api), waiting));
    let listener = api.site.http.listen(&container_authority(number));
    {
        let handler = Rc::clone(&api);
        let wait = move |request, _| wait_in_line(Rc::clone(&handler), request);
        let serving = listener.serve_peers(Besides::Nothing, wait);
        let mut serving = pin!(serving.fuse());
        let mut asked_to_end = pin!(shutdown.requested().fuse());
        select_biased! {
            () = serving => {}
            () = asked_to_end => {}
        }
    }
    // The port is closed by now.
    while api.busy().get() > 0 {
        ctx.sleep(DRAIN_POLL).await;
    }
    ctx.abort(working);
}

/// What it serves.
pub const ROUTES: [Route; 8] = [
    Route::new("GET", "/", "the dashboard: a page with a form that polls, and tells who took, did and told"),
    Route::new("GET", "/whoami", "the container that answers"),
    Route::new("GET", "/add", "`?a=2&b=3`: the sum at once; holds this process while it computes"),
    Route::new("GET", "/tasks/<id>/status", "where a job is, its result, and who took, did and told of it"),
    Route::new("GET", "/valkey_test", "whether the store can be reached"),
    Route::new("GET", "/dead", "the jobs that failed too often, the newest first"),
    Route::new("POST", "/dead/<id>/retry", "puts one of them back into the queue, for one more attempt"),
    Route::new("POST", "/task", "queues `{\"a\", \"b\"}`, and answers 202 with `task_id`"),
];

/// Counts a request from its arrival to its answer, or to whatever else ends it.
struct Busy(Rc<Api>);

impl Drop for Busy {
    fn drop(&mut self) {
        let busy = self.0.busy();
        busy.set(busy.get() - 1);
    }
}

async fn wait_in_line(api: Rc<Api>, request: Request) -> Response {
    api.busy().set(api.busy().get() + 1);
    let _busy = Busy(Rc::clone(&api));
    let ctx = api.site.ctx();
    let (answer, answered) = oneshot(ctx);
    let wish = Wish::of(&api, &request);
    if api.queue.send(Waiting { request, span: ctx.span(), answer, _wish: wish }).is_err() {
        let message = "too many requests wait for this process";
        return Response::error(503, "backlog_full", message, json!({"backlog": BACKLOG}));
    }
    match answered.await {
        Ok((response, span)) => {
            ctx.set_span(span);
            response
        }
        Err(Cancelled) => Response::error(500, "internal", "the process is ending", Value::Null),
    }
}

/// The process: a request whose caller has gone is handled nonetheless.
async fn work(api: Rc<Api>, mut waiting: Receiver<Waiting>) {
    let ctx = api.site.ctx().clone();
    while let Some(next) = waiting.recv().await {
        ctx.set_span(next.span);
        let response = api.route(&next.request).await;
        // The caller may have gone.
        let _ = next.answer.send((response, ctx.span()));
    }
}

/// A wish for a job in the process or in front of it, as the laboratory knows it: gone when this is dropped.
struct Wish {
    api: Rc<Api>,
    submission: u64,
}

impl Wish {
    fn of(api: &Rc<Api>, request: &Request) -> Option<Wish> {
        let is_wish = request.method == Method::Post && request.url.path == "/task";
        is_wish.then(|| {
            api.site.tell(Fact::Arrived { container: api.number });
            Wish { api: Rc::clone(api), submission: api.site.ctx().span().tag }
        })
    }
}

impl Drop for Wish {
    fn drop(&mut self) {
        let Api { site, process, number, .. } = &*self.api;
        site.tell_about(*process, self.submission, Fact::Gone { container: *number });
    }
}

/// A job on its way to the store. Dropped before the process has heard of it, the process has died.
struct Pushing<'a> {
    api: &'a Api,
    id: Rc<str>,
    submission: u64,
    heard: bool,
}

impl<'a> Pushing<'a> {
    fn begin(api: &'a Api, id: Rc<str>, submission: u64) -> Self {
        api.site.tell(Fact::Created { id: Rc::clone(&id), container: api.number });
        Pushing { api, id, submission, heard: false }
    }

    fn end(mut self, pushed: Result<u64, Error>) -> Result<(), Error> {
        self.heard = true;
        let id = Rc::clone(&self.id);
        self.api.site.tell(match &pushed {
            Ok(waiting) => Fact::Acknowledged { id, waiting: *waiting },
            Err(error) => Fact::Unsure { id, under_way: matches!(error, Error::TimedOut(_)) },
        });
        pushed.map(drop)
    }
}

impl Drop for Pushing<'_> {
    fn drop(&mut self) {
        if !self.heard {
            let fact = Fact::Unsure { id: Rc::clone(&self.id), under_way: true };
            self.api.site.tell_about(self.api.process, self.submission, fact);
        }
    }
}

impl Api {
    fn busy(&self) -> &std::cell::Cell<u32> {
        &self.site.busy[self.number as usize - 1]
    }

    async fn route(&self, request: &Request) -> Response {
        let path = request.url.path.as_str();
        let task = path.strip_prefix("/tasks/").and_then(|rest| rest.strip_suffix("/status"));
        let dead = path.strip_prefix("/dead/").and_then(|rest| rest.strip_suffix("/retry"));
        match (&request.method, path) {
            (Method::Get, "/") => self.dashboard(),
            (Method::Get, "/whoami") => Response::json(200, &json!({"container_id": self.name})),
            (Method::Get, "/add") => self.add(&request.url.query).await,
            (Method::Post, "/task") => self.take_task(request).await,
            (Method::Get, "/valkey_test") => self.test_valkey().await,
            (Method::Get, "/dead") => self.tell_dead().await.unwrap_or_else(|error| unavailable(&error)),
            (Method::Post, _) if dead.is_some() => {
                let retried = self.retry(dead.unwrap_or_default()).await;
                retried.unwrap_or_else(|error| unavailable(&error))
            }
            (Method::Get, _) if task.is_some() => self.tell_status(task.unwrap_or_default()).await,
            (method, path) => no_route(method, path, &ROUTES),
        }
    }

    fn dashboard(&self) -> Response {
        let body = include_str!("dashboard.html").replace("CONTAINER", &self.name);
        let headers = vec![("Content-Type".into(), "text/html; charset=utf-8".into())].into();
        Response { status: 200, headers, body: body.into() }
    }

    /// Does the sum here and now, while all other requests of this process wait.
    async fn add(&self, query: &str) -> Response {
        let given = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(key, _)| *key == name).map(|(_, value)| Value::from(value)).next()
        };
        let (a, b) = match (number_of("a", given("a")), number_of("b", given("b"))) {
            (Ok(a), Ok(b)) => (a, b),
            (Err(error), _) | (_, Err(error)) => return *error,
        };
        let ctx = self.site.ctx();
        let index = self.next_draw();
        let drawn = worker::work_of(&self.site.params, ctx.stream(&self.name, "add").at(index));
        ctx.sleep(self.site.net().work(self.node, drawn)).await;
        Response::json(200, &json!({"result": number(a + b), "handled_by": self.name}))
    }

    async fn take_task(&self, request: &Request) -> Response {
        if let Ok(task) = request.read::<TaskRequest>() {
            return self.queue_task(&task).await.unwrap_or_else(|error| unavailable(&error));
        }
        // Numbers may be written as texts; or the error is to say which one is wrong.
        let body = match request.json::<serde_json::Map<String, Value>>() {
            Ok(body) => body,
            Err(error) => return crate::substrate::http::bad_json(&error),
        };
        let task = match (number_of("a", body.get("a").cloned()), number_of("b", body.get("b").cloned())) {
            (Ok(a), Ok(b)) => TaskRequest { a, b },
            (Err(error), _) | (_, Err(error)) => return *error,
        };
        self.queue_task(&task).await.unwrap_or_else(|error| unavailable(&error))
    }

    async fn queue_task(&self, task: &TaskRequest) -> Result<Response, Error> {
        let Params { queue_limit, .. } = *self.site.params;
        if queue_limit > 0 {
            let waiting = self.valkey.llen(QUEUE).await?;
            if waiting >= i64::from(queue_limit) {
                let message = format!("{waiting} jobs wait; further ones are taken below {queue_limit}");
                let details = json!({"waiting": waiting, "limit": queue_limit});
                let refusal = Response::error(503, "queue_full", &message, details);
                return Ok(refusal.with_header("Retry-After", "1"));
            }
        }
        let ctx = self.site.ctx();
        let (task_id, trace): (Rc<str>, _) = (self.new_id().into(), ctx.span().tag);
        let pushing = Pushing::begin(self, Rc::clone(&task_id), trace);
        let payload = Payload { task_id, a: task.a, b: task.b, trace };
        pushing.end(queue::push(&self.valkey, &payload, &self.name).await)?;
        let accepted = Accepted {
            task_id: payload.task_id,
            status: "PENDING".into(),
            initiated_by: Rc::clone(&self.name),
        };
        Ok(Response::of(202, Json::new(accepted)))
    }

    async fn tell_status(&self, id: &str) -> Response {
        let hash = match self.valkey.hgetall(&task_key(id)).await {
            Ok(hash) => hash,
            Err(error) => return unavailable(&error),
        };
        if hash.is_empty() {
            let message = format!("there is no task {id}");
            return Response::error(404, "task_not_found", &message, json!({"task_id": id}));
        }
        let task_id: Rc<str> = id.into();
        self.site.tell(Fact::Checked { id: Rc::clone(&task_id), container: self.number });
        let result = hash.get("result");
        let answer = TaskStatus {
            task_id,
            status: status(&hash).into(),
            initiated_by: hash.get("initiated_by").unwrap_or_default().into(),
            checked_by: Rc::clone(&self.name),
            handled_by: hash.get("handled_by").map(Rc::from),
            error: hash.get("error").filter(|_| result.is_none()).map(Cow::into_owned),
            result: result.and_then(|result| serde_json::from_str(&result).ok()),
        };
        Response::of(200, Json::new(answer))
    }

    async fn tell_dead(&self) -> Result<Response, Error> {
        let mut dead = Vec::new();
        for job in queue::dead(&self.valkey).await? {
            let hash = self.valkey.hgetall(&task_key(&job.payload.task_id)).await?;
            let Payload { task_id, a, b, .. } = job.payload;
            // Whose words the store has forgotten is listed without them.
            let (by, error) = (hash.get("handled_by"), hash.get("error"));
            dead.push(
                json!({"task_id": task_id, "a": number(a), "b": number(b), "handled_by": by, "error": error}),
            );
        }
        Ok(Response::json(200, &json!({"count": dead.len(), "dead": dead})))
    }

    async fn retry(&self, id: &str) -> Result<Response, Error> {
        let Some(job) = queue::dead(&self.valkey).await?.into_iter().find(|job| *job.payload.task_id == *id)
        else {
            let message = format!("{id} is not among the dead letters");
            return Ok(Response::error(404, "not_dead", &message, json!({"task_id": id})));
        };
        let (submission, id) = (job.payload.trace, Rc::clone(&job.payload.task_id));
        self.site.tell_about(self.process, submission, Fact::Retried { id, container: self.number });
        match queue::revive(&self.valkey, &job, &self.name, self.site.params.attempts).await? {
            true => {
                let answer = json!({"task_id": id_of(&job), "status": "PENDING", "retried_by": self.name});
                Ok(Response::json(202, &answer))
            }
            false => {
                let message = format!("{} was put back by somebody else just now", id_of(&job));
                Ok(Response::error(409, "retried_already", &message, json!({"task_id": id_of(&job)})))
            }
        }
    }

    async fn test_valkey(&self) -> Response {
        let waiting = async {
            self.valkey.ping().await?;
            self.valkey.llen(QUEUE).await
        };
        match waiting.await {
            Ok(waiting) => Response::json(
                200,
                &json!({"status": "ok", "reply": "PONG", "checked_by": self.name, "queue_length": waiting}),
            ),
            Err(error) => unavailable(&error),
        }
    }

    /// The index of the next draw: over the whole run, however often the process has started.
    fn next_draw(&self) -> u64 {
        let ids = &self.site.ids[self.number as usize - 1];
        ids.set(ids.get() + 1);
        ids.get()
    }

    /// A UUID of version 4.
    fn new_id(&self) -> String {
        let mut rng = self.site.ctx().stream(&self.name, "uuid").at(self.next_draw());
        uuid(rng.next_u64(), rng.next_u64())
    }
}

/// The version and the variant stand in four and two of its bits. Digit by digit, at a tenth of what formatting costs.
fn uuid(high: u64, low: u64) -> String {
    let halves = [high & !0xf000 | 0x4000, low & (u64::MAX >> 2) | 1 << 63];
    let mut text = String::with_capacity(36);
    for place in 0..32 {
        if matches!(place, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        let digit = halves[place / 16] >> (60 - place % 16 * 4) & 15;
        text.push(char::from(b"0123456789abcdef"[digit as usize]));
    }
    text
}

fn id_of(job: &queue::Claimed) -> &str {
    &job.payload.task_id
}

/// A number as JSON or as text; otherwise the 400 to answer with.
fn number_of(name: &str, given: Option<Value>) -> Result<f64, Box<Response>> {
    let parsed = match &given {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    parsed.filter(|x: &f64| x.is_finite()).ok_or_else(|| {
        let Some(value) = given else {
            let message = format!("{name} is missing");
            return Box::new(Response::error(400, "missing_field", &message, json!({"field": name})));
        };
        let message = format!("{name}: {value} is not a finite number");
        let details = json!({"field": name, "value": value, "allowed": "a finite number"});
        Box::new(Response::error(400, "invalid_number", &message, details))
    })
}

fn unavailable(error: &Error) -> Response {
    let message = format!("the store does not answer: {error}");
    Response::error(503, "valkey_unavailable", &message, json!({"address": VALKEY}))
}

#[cfg(test)]
mod tests {
    use super::uuid;

    #[test]
    fn a_uuid_says_its_version_and_variant() {
        assert_eq!(uuid(0, 0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(u64::MAX, u64::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(
            uuid(0x0123_4567_89ab_cdef, 0x0123_4567_89ab_cdef),
            "01234567-89ab-4def-8123-456789abcdef"
        );
    }
}
