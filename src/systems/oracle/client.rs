//! The client: intends requests as its load says, sends them to the coordinator, and notes the answers.

use super::log::Failure;
use super::messages::{OracleRequest, OracleResult};
use super::{COORDINATOR, Load, Params, Site};
use crate::kernel::{Duration, Instant};
use crate::net::{NodeId, Shutdown};
use crate::substrate::body::Json;
use crate::substrate::http::{HttpError, Method, Request, Response, Url};
use futures::future::{self, Either};
use std::pin::pin;

/// The first request of an open loop.
const FIRST_REQUEST: Instant = Instant::from_millis(200);
/// Over NATS the connections, and with JetStream the consumers, have to be there first.
const FIRST_OVER_NATS: Instant = Instant::from_millis(1000);
/// A client waits this much longer than the coordinator's own timeout before it gives up.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn run(site: Site, node: NodeId, shutdown: Shutdown) {
    if site.params.client_on {
        let load = pin!(make_load(&site, node));
        let shutdown = pin!(shutdown.requested());
        match future::select(load, shutdown).await {
            Either::Left(((), shutdown)) => shutdown.await,
            Either::Right(((), _)) => {}
        }
    } else {
        shutdown.requested().await;
    }
}

async fn make_load(site: &Site, node: NodeId) {
    let Params { load, period, clients, .. } = *site.params;
    let ctx = site.ctx();
    let gaps = ctx.stream("client", "gaps");
    // A restarted client goes on with its schedule where it stands now.
    let mut next = if site.params.has_broker() { FIRST_OVER_NATS } else { FIRST_REQUEST };
    let mut sent = 0;
    while next < ctx.now() && load != Load::Closed {
        next += gap(load, period, gaps.at(sent));
        sent += 1;
    }
    ctx.sleep_until(next).await;
    match load {
        Load::Closed => {
            for _ in 0..clients {
                ctx.spawn(ask_for_ever(site.clone(), node));
            }
        }
        Load::Constant | Load::Poisson | Load::Burst => loop {
            let at_once = if load == Load::Burst { clients } else { 1 };
            for _ in 0..at_once {
                let site = site.clone();
                ctx.spawn(async move { ask(&site, node).await });
            }
            next += gap(load, period, gaps.at(sent));
            sent += 1;
            ctx.sleep_until(next).await;
        },
    }
}

fn gap(load: Load, period: Duration, mut rng: crate::kernel::Rng) -> Duration {
    match load {
        Load::Poisson => Duration::from_secs_f64(rng.exponential(period.as_secs_f64())),
        Load::Constant | Load::Burst | Load::Closed => period,
    }
}

async fn ask_for_ever(site: Site, node: NodeId) {
    loop {
        ask(&site, node).await;
    }
}

async fn ask(site: &Site, node: NodeId) {
    let query = site.params.query.clone();
    let number = site.intend(&query);
    let url = Url::new(COORDINATOR, "/request");
    let request = Request::post(url, Json::new(OracleRequest { id: String::new(), query }));
    let limit = site.params.timeout + PATIENCE;
    let answer = site.http.fetch_within(node, request, limit).await;
    note_answer(site, number, &answer);
}

/// Tells the laboratory what a client got.
pub(super) fn note_answer(site: &Site, number: u64, answer: &Result<Response, HttpError>) {
    let now = site.ctx().now();
    let mut log = site.log.borrow_mut();
    let failure = match answer {
        Ok(response) if response.status == 200 => match response.read::<OracleResult>() {
            Ok(result) => return log.answered(number, now, result.into_inner(), &site.params),
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
    };
    log.failed(number, now, failure);
}

/// The query of a hand-made request, for the log; empty if it has none.
pub(super) fn query_of(request: &Request) -> String {
    match request.method {
        Method::Post => request.json::<OracleRequest>().map(|r| r.query).unwrap_or_default(),
        _ => String::new(),
    }
}
