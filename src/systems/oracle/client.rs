//! The clients: each intends requests as the load says, sends them to the coordinator, comes back when it is told to, and
//! tells what it got.

use super::fact::{Fact, Failure};
use super::messages::{OracleRequest, OracleResult};
use super::{COORDINATOR, Load, Params, Site, model};
use crate::kernel::{Duration, Instant, Stream};
use crate::net::{NodeId, Shutdown};
use crate::substrate::body::Json;
use crate::substrate::http::{HttpError, Method, Request, Response, Url};
use futures::future::{self, Either};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::pin;
use std::rc::Rc;

/// The first request of an open loop.
const FIRST_REQUEST: Instant = Instant::from_millis(200);
/// Over NATS the connections, and with JetStream the consumers, have to be there first.
const FIRST_OVER_NATS: Instant = Instant::from_millis(1000);
/// A client waits this much longer than the coordinator's own timeout before it gives up.
const PATIENCE: Duration = Duration::from_secs(5);
/// So often at most a client that backs off sends a request again.
const RETRIES_MAX: u32 = 5;

/// The client that is the `turn`-th among them, from 0.
pub(super) async fn run(
    site: Rc<Site>,
    node: NodeId,
    turn: u64,
    schedule: Rc<RefCell<Schedule>>,
    shutdown: Shutdown,
) {
    if site.params.client_on {
        let load = pin!(make_load(&site, node, turn, &schedule));
        let shutdown = pin!(shutdown.requested());
        match future::select(load, shutdown).await {
            Either::Left(((), shutdown)) => shutdown.await,
            Either::Right(((), _)) => {}
        }
    } else {
        shutdown.requested().await;
    }
}

async fn make_load(site: &Rc<Site>, node: NodeId, turn: u64, schedule: &RefCell<Schedule>) {
    let Params { load, clients, at_once, .. } = *site.params;
    let ctx = site.ctx();
    if load == Load::Closed {
        ctx.sleep_until(first_request(&site.params)).await;
        for _ in 0..at_once {
            ctx.spawn(ask_for_ever(site.clone(), node));
        }
        return;
    }
    let (turns, at_once) = if load == Load::Burst { (1, at_once) } else { (u64::from(clients), 1) };
    // A restarted client goes on with its schedule where it stands now.
    let mut number = turn % turns;
    loop {
        let due;
        (number, due) = schedule.borrow_mut().next(number, turns, ctx.now());
        ctx.sleep_until(due).await;
        for _ in 0..at_once {
            let site = site.clone();
            ctx.spawn(async move { ask(&site, node).await });
        }
        number += turns;
    }
}

fn first_request(params: &Params) -> Instant {
    if params.has_broker() { FIRST_OVER_NATS } else { FIRST_REQUEST }
}

/// When requests are due, from 0 on, for all clients that take turns: each gap is drawn once, however many they are.
pub(super) struct Schedule {
    load: Load,
    period: Duration,
    gaps: Stream,
    /// The number of the first that is kept: all before it are over.
    first: u64,
    due: VecDeque<Instant>,
    /// When the one behind those is due.
    next: Instant,
}

impl Schedule {
    pub(super) fn new(site: &Site) -> Self {
        let Params { load, period, .. } = *site.params;
        let (gaps, next) = (site.ctx().stream("client", "gaps"), first_request(&site.params));
        Schedule { load, period, gaps, first: 0, due: VecDeque::new(), next }
    }

    /// The first request that is not over, of number `from` and those that follow it by `turns` each; and when it is due.
    fn next(&mut self, from: u64, turns: u64, now: Instant) -> (u64, Instant) {
        let mut number = from + self.first.saturating_sub(from).next_multiple_of(turns);
        loop {
            while self.first + self.due.len() as u64 <= number {
                let place = self.first + self.due.len() as u64;
                self.due.push_back(self.next);
                self.next += self.gap(place);
            }
            while self.due.front().is_some_and(|&due| due < now) {
                self.due.pop_front();
                self.first += 1;
            }
            let place = number.checked_sub(self.first).map(|place| place as usize);
            if let Some(&due) = place.and_then(|place| self.due.get(place)) {
                return (number, due);
            }
            number += turns;
        }
    }

    /// Between a request and the next one.
    fn gap(&self, number: u64) -> Duration {
        match self.load {
            Load::Poisson => {
                let mut rng = self.gaps.at(number);
                Duration::from_secs_f64(rng.exponential(self.period.as_secs_f64()))
            }
            Load::Constant | Load::Burst | Load::Closed => self.period,
        }
    }
}

async fn ask_for_ever(site: Rc<Site>, node: NodeId) {
    loop {
        ask(&site, node).await;
    }
}

async fn ask(site: &Site, node: NodeId) {
    let query = Rc::clone(&site.params.query);
    let limit = site.params.timeout + PATIENCE;
    let mut retries = if site.params.back_off { RETRIES_MAX } else { 0 };
    site.intend(&query, limit);
    let mut message = Json::new(OracleRequest::asking(query));
    let mut tries = model::Tries::of(&site.params);
    loop {
        let request = Request::post(Url::new(COORDINATOR, "/request"), message.clone());
        let answer = site.http.fetch_within(node, request, limit).await;
        let Some(after) = retry_after(&answer).filter(|_| retries > 0) else {
            if tries.again(site, &answer, &mut message).await {
                continue;
            }
            return tell_answer(site, &answer);
        };
        retries -= 1;
        site.tell(Fact::RequestBackedOff { after });
        site.ctx().sleep(after).await;
    }
}

/// When to come back, as a 429 says.
pub(super) fn retry_after(answer: &Result<Response, HttpError>) -> Option<Duration> {
    let response = answer.as_ref().ok().filter(|response| response.status == 429)?;
    Some(Duration::from_secs(response.header("Retry-After")?.parse().ok()?))
}

/// Tells what a client got, in the task that asked for it.
pub(super) fn tell_answer(site: &Site, answer: &Result<Response, HttpError>) {
    site.tell(match answer_of(answer) {
        Ok(result) => Fact::RequestAnswered { result },
        Err(failure) => Fact::RequestUnanswered { failure },
    });
}

/// What a client makes of what it got.
pub(super) fn answer_of(answer: &Result<Response, HttpError>) -> Result<Json<OracleResult>, Failure> {
    Err(match answer {
        Ok(response) if response.status == 200 => match response.read::<OracleResult>() {
            Ok(result) => return Ok(result),
            Err(error) => Failure {
                status: 200,
                code: "invalid_result".to_owned(),
                message: format!("not an OracleResult: {error}"),
            },
        },
        Ok(response) => {
            let body: serde_json::Value = response.parse().unwrap_or_default();
            let text = |key: &str| body["error"][key].as_str().unwrap_or_default().to_owned();
            Failure { status: response.status, code: text("code"), message: text("message") }
        }
        Err(error) => Failure { status: 0, code: error.code().to_owned(), message: error.to_string() },
    })
}

/// The query of a hand-made request; empty if it has none.
pub(super) fn query_of(request: &Request) -> Rc<str> {
    let query = match request.method {
        Method::Post => request.json::<OracleRequest>().map(|r| r.query).ok(),
        _ => None,
    };
    query.unwrap_or_else(|| "".into())
}
