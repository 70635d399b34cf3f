//! The operator: changes the configuration on schedule, each change exactly once however often it has to try.

use super::messages::Document;
use super::{CONTROLLER, ChangeEnd, Fact, Params, Settings, Site, TryEnd, worker};
use crate::kernel::{Duration, Instant};
use crate::net::{NodeId, Shutdown};
use crate::substrate::body::Json;
use crate::substrate::http::{HttpError, Method, Request, Response, Url};
use futures::future::{self, Either};
use std::pin::pin;

/// The pause after a try that failed.
const RETRY: Duration = Duration::from_secs(1);
/// The rates that the changes go through.
const RATES: [f64; 4] = [1.0, 2.0, 4.0, 0.5];

pub(super) async fn run(site: Site, node: NodeId, shutdown: Shutdown) {
    if site.params.client_on && site.params.put_period > Duration::ZERO {
        let operator = Operator { site, node };
        let changes = pin!(operator.make_changes());
        let shutdown = pin!(shutdown.requested());
        if let Either::Left(((), shutdown)) = future::select(changes, shutdown).await {
            shutdown.await;
        }
    } else {
        shutdown.requested().await;
    }
}

struct Operator {
    site: Site,
    node: NodeId,
}

/// Something to be put, and when.
struct Change {
    at: Instant,
    settings: Settings,
}

impl Operator {
    /// Makes one change after the other. One that takes too long delays the next; a restarted operator leaves out what
    /// was due before it started.
    async fn make_changes(&self) {
        let ctx = self.site.ctx();
        let started = ctx.now();
        for n in 1_u32.. {
            for change in due(n, &self.site.params) {
                if change.at >= started {
                    ctx.sleep_until(change.at).await;
                    let under_way = self.site.intend();
                    under_way.end(self.make(&change.settings).await);
                }
            }
        }
    }

    /// Tries until the settings are there, or the controller does not want them. Each try reads first: an earlier one may
    /// have succeeded although its answer never came, and then nothing is left to do.
    async fn make(&self, settings: &Settings) -> ChangeEnd {
        loop {
            let end = self.try_once(settings).await;
            self.site.tell(Fact::TryEnded { end });
            match end {
                TryEnd::Answered | TryEnd::Found => return ChangeEnd::Made,
                TryEnd::Refused => return ChangeEnd::Refused,
                TryEnd::Conflict | TryEnd::Unanswered => self.site.ctx().sleep(RETRY).await,
            }
        }
    }

    async fn try_once(&self, settings: &Settings) -> TryEnd {
        match self.read().await {
            None => TryEnd::Unanswered,
            Some((_, newest)) if *newest.settings == *settings => TryEnd::Found,
            Some((etag, _)) => TryEnd::of(&self.put(settings, &etag).await),
        }
    }

    async fn read(&self) -> Option<(String, Json<Document>)> {
        let response = self.fetch(Request::get(config_url())).await.ok()?;
        let etag = response.header("ETag")?.to_owned();
        Some((etag, response.read().ok()?))
    }

    async fn put(&self, settings: &Settings, etag: &str) -> Result<Response, HttpError> {
        self.fetch(put_json(settings).with_header("If-Match", etag.to_owned())).await
    }

    async fn fetch(&self, request: Request) -> Result<Response, HttpError> {
        self.site.http.fetch_within(self.node, request, self.site.params.client_timeout).await
    }
}

fn config_url() -> Url {
    Url::new(CONTROLLER, "/config")
}

fn put_json(settings: &Settings) -> Request {
    Request { method: Method::Put, ..Request::post(config_url(), Json::new(settings.clone())) }
}

/// What change `n` consists of: one put, and for the bad one a second that takes it back.
fn due(n: u32, params: &Params) -> impl Iterator<Item = Change> + use<> {
    let at = Instant::ZERO + Duration::from_nanos(params.put_period.as_nanos().saturating_mul(u64::from(n)));
    let bad = n == params.bad_put;
    let mut settings = nth_settings(n);
    let mut back = None;
    if bad {
        settings.query = settings.query.replace("USD", "UDS");
        let note = format!("rollback of change {n}");
        let settings = Settings { note, ..nth_settings(n - 1) };
        back = Some(Change { at: at + params.rollback, settings });
    }
    std::iter::once(Change { at, settings }).chain(back)
}

/// The settings of change `n`, all different by their note.
fn nth_settings(n: u32) -> Settings {
    let n = n as usize;
    Settings {
        rate: RATES[n % RATES.len()],
        query: worker::QUERIES[n % worker::QUERIES.len()].to_owned(),
        note: format!("change {n}"),
        ..Settings::default()
    }
}
