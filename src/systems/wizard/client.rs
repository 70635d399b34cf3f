//! The users: they send jobs, ask what has become of them, and give up in the end.

use super::fact::Fact;
use super::messages::{Accepted, TaskRequest, TaskStatus};
use super::{GATEWAY, Load, Params, Site};
use crate::kernel::{Duration, Instant, Span};
use crate::net::{NodeId, Shutdown};
use crate::substrate::body::Json;
use crate::substrate::http::{HttpError, Request, Response, Url};
use crate::substrate::text::Text;
use futures::future::{self, Either};
use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;

/// The first job of an open load, and of the first user.
const FIRST: Instant = Instant::from_millis(200);
/// How often a user sends a job again that got no answer.
const REPEATS: u32 = 3;

pub(super) async fn run(site: Site, node: NodeId, shutdown: Shutdown) {
    if site.params.client_on {
        let load = pin!(make_load(&site, node));
        let shutdown = pin!(shutdown.requested());
        if let Either::Left(((), shutdown)) = future::select(load, shutdown).await {
            shutdown.await;
        }
    } else {
        shutdown.requested().await;
    }
}

/// Never ends before the users do, which is never.
async fn make_load(site: &Site, node: NodeId) {
    let Params { load, users, stair, .. } = *site.params;
    match load {
        Load::Users => users_from(site, node, 0, users),
        Load::Staircase => {
            for (step, from, to) in [(0, 0, 1), (1, 1, 2), (2, 2, 4)] {
                site.ctx().sleep_until(Instant::ZERO + Duration::from_nanos(stair.as_nanos() * step)).await;
                users_from(site, node, users * from, users * to);
            }
        }
        Load::Constant | Load::Poisson => make_open_load(site, node).await,
    }
    future::pending().await
}

/// One job after the other, whatever becomes of them.
async fn make_open_load(site: &Site, node: NodeId) {
    let Params { load, period, .. } = *site.params;
    let ctx = site.ctx();
    let gaps = ctx.stream("client", "gaps");
    let gap = |n| match load {
        Load::Poisson => Duration::from_secs_f64(gaps.at(n).exponential(period.as_secs_f64())),
        _ => period,
    };
    // A restarted client goes on with its schedule where it stands now.
    let (mut next, mut n) = (FIRST, 0);
    while next < ctx.now() {
        next += gap(n);
        n += 1;
    }
    loop {
        ctx.sleep_until(next).await;
        let site = site.clone();
        ctx.spawn(async move { send_and_follow(&site, node).await });
        next += gap(n);
        n += 1;
    }
}

fn users_from(site: &Site, node: NodeId, from: u32, to: u32) {
    for user in from..to {
        let here = site.clone();
        site.ctx().spawn(async move { be_user(&here, node, u64::from(user)).await });
    }
}

async fn be_user(site: &Site, node: NodeId, user: u64) {
    let (ctx, think) = (site.ctx().clone(), site.params.think);
    let pauses = ctx.stream("client", "think");
    ctx.sleep_until(FIRST).await;
    let mut pause = think.scale(pauses.at(user << 32).unit());
    for n in 1.. {
        ctx.sleep(pause).await;
        send_and_follow(site, node).await;
        pause = think.scale(pauses.at((user << 32) | n).uniform(0.5, 1.5));
    }
}

/// A user's wish to have something added, from its beginning to the end of the user's interest in it. Dropped before
/// anything ended that, the user has left.
pub(super) struct Wish {
    site: Site,
    node: NodeId,
    number: u64,
    over: Cell<bool>,
}

impl Wish {
    /// A new one, of a person at `node`; the current task is busy with it from here on.
    pub(super) fn intend(site: &Site, node: NodeId) -> Self {
        let number = site.submissions.get() + 1;
        site.submissions.set(number);
        site.ctx().set_span(Span { tag: number, cause: 0 });
        site.tell(Fact::Intended);
        Wish { site: site.clone(), node, number, over: Cell::new(false) }
    }

    /// The answer has come; the job's id if it was taken.
    pub(super) fn answered(&self, answer: &Result<Response, HttpError>) -> Option<Rc<str>> {
        let status = answer.as_ref().map_or(0, |response| response.status);
        let accepted = answer.as_ref().ok().filter(|_| status == 202);
        let id =
            accepted.map(|response| response.read::<Accepted>().map(|accepted| Rc::clone(&accepted.task_id)));
        match &id {
            Some(Ok(id)) => drop(self.site.tell(Fact::Accepted { id: Rc::clone(id) })),
            _ => self.end(Fact::Refused { status, queue_full: answer.as_ref().is_ok_and(is_queue_full) }),
        }
        id?.ok()
    }

    fn end(&self, fact: Fact) {
        self.over.set(true);
        self.site.tell(fact);
    }
}

impl Drop for Wish {
    fn drop(&mut self) {
        if !self.over.get() {
            self.site.tell_about(self.node, self.number, Fact::Left);
        }
    }
}

/// The gateway's own 503 has no structured error.
fn is_queue_full(response: &Response) -> bool {
    let code =
        || response.parse::<serde_json::Value>().is_ok_and(|body| body["error"]["code"] == "queue_full");
    response.status == 503 && code()
}

/// One job, from the wish to its result or to giving up.
async fn send_and_follow(site: &Site, node: NodeId) {
    let wish = Wish::intend(site, node);
    let mut draws = site.ctx().stream("client", "numbers").at(wish.number);
    let task = Json::new(TaskRequest { a: draws.below(100) as f64, b: draws.below(100) as f64 });
    let Params { repeat, timeout, .. } = *site.params;
    let mut answer = send(site, node, &task, timeout).await;
    for _ in 0..if repeat { REPEATS } else { 0 } {
        if answer.as_ref().is_ok_and(|response| !matches!(response.status, 502 | 504)) {
            break;
        }
        answer = send(site, node, &task, timeout).await;
    }
    if let Some(id) = wish.answered(&answer) {
        follow(&wish, &id).await;
    }
}

async fn send(
    site: &Site,
    node: NodeId,
    task: &Json<TaskRequest>,
    limit: Duration,
) -> Result<Response, HttpError> {
    let request = Request::post(url("/task"), task.clone());
    site.http.fetch_within(node, request, limit).await
}

/// Polls until it is done, or for the last time.
async fn follow(wish: &Wish, id: &str) {
    let (site, node) = (&wish.site, wish.node);
    let Params { poll, polls, timeout, .. } = *site.params;
    if polls == 0 {
        return;
    }
    let question = Request::get(url(["/tasks/", id, "/status"].concat()));
    for _ in 0..polls {
        site.ctx().sleep(poll).await;
        let answer = site.http.fetch_within(node, question.clone(), timeout).await;
        let status = answer.ok().and_then(|response| response.read::<TaskStatus>().ok());
        if status.is_some_and(|status| matches!(&*status.status, "COMPLETED" | "FAILED")) {
            return wish.end(Fact::Seen);
        }
    }
    wish.end(Fact::GaveUp { polls });
}

fn url(path: impl Into<Text>) -> Url {
    Url::new(GATEWAY, path)
}
