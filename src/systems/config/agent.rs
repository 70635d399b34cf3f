//! An agent: keeps the newest configuration that it could get, and serves it to its workers, whatever becomes of the
//! controller.

use super::messages::Document;
use super::trigger::Trigger;
use super::{CONTROLLER, Fact, Site, agent_authority, agent_name};
use crate::kernel::{Duration, Receiver, Sender, Stream, channel};
use crate::net::{NodeId, Shutdown};
use crate::substrate::http::conditional::Resource;
use crate::substrate::http::{Besides, Method, Request, Response, Route, Url, no_route};
use crate::substrate::store::Store;
use futures::{FutureExt, select_biased};
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

/// What it serves, for 404 and 405.
pub const ROUTES: [Route; 4] = [
    Route::new("GET", "/config", "the version that it holds, or 304; 503 before the first"),
    Route::new("HEAD", "/config", "the same without a body"),
    Route::new("GET", "/health", "liveness, and which version it holds"),
    Route::new("POST", "/refresh", "polls the controller at once"),
];

/// A configuration as an agent keeps it, in memory and on its disk.
#[derive(Clone)]
pub(super) struct Cached {
    version: u64,
    /// As it was when the agent got it, under the controller's tag.
    served: Rc<Resource>,
}

/// One agent process. What it holds is lost in a crash; its disk is not.
#[derive(Clone)]
struct Agent {
    site: Site,
    node: NodeId,
    /// Which agent it is, counted from 0.
    index: usize,
    held: Rc<RefCell<Option<Cached>>>,
    /// Asks the controller for what is newer than what the agent holds.
    question: Rc<RefCell<Request>>,
    failures: Rc<Cell<u32>>,
    intervals: Stream,
    pauses: Stream,
    /// Asks for a poll at once.
    refresh: Sender<()>,
}

pub(super) async fn run(site: Site, i: u32, node: NodeId, shutdown: Shutdown) {
    let (ctx, id) = (site.ctx().clone(), agent_name(i));
    let (refresh, refreshes) = channel(&ctx, 1);
    let agent = Agent {
        index: i as usize - 1,
        held: Rc::default(),
        question: Rc::new(RefCell::new(Request::get(Url::new(CONTROLLER, "/config")))),
        failures: Rc::default(),
        intervals: ctx.stream(&id, "interval"),
        pauses: ctx.stream(&id, "pause"),
        refresh,
        site: site.clone(),
        node,
    };
    agent.hold(agent.cache().newest());
    let handler = agent.clone();
    let listener = site.http.listen(&agent_authority(i));
    // Its polls come at instants of their own.
    let serving = listener.serve_peers(Besides::Nothing, move |request, _| {
        let answer = route(&handler, &request);
        async move { answer }
    });
    let mut serving = pin!(serving.fuse());
    let trigger = Trigger::new(&site, node);
    let mut listening = pin!(trigger.listen(&agent.refresh).fuse());
    let mut polling = pin!(poll_for_ever(&agent, refreshes).fuse());
    let mut asked_to_end = pin!(shutdown.requested().fuse());
    select_biased! {
        () = serving => {}
        () = polling => {}
        () = listening => {}
        () = asked_to_end => {}
    }
}

// --- polling ----------------------------------------------------------------------------------------------------

async fn poll_for_ever(agent: &Agent, mut refreshes: Receiver<()>) {
    let Agent { site, failures, .. } = agent;
    let ctx = site.ctx();
    let polls = &site.polls[agent.index];
    loop {
        let (number, began) = (polls.get(), ctx.now());
        polls.set(number + 1);
        let next = if poll(agent).await {
            failures.set(0);
            // From poll to poll, so that an answer's travel does not add to the interval.
            let next = began + agent.interval(number);
            site.tell(Fact::PollPlanned { agent: agent.number(), at_ns: next.as_nanos() });
            next
        } else {
            failures.set(failures.get().saturating_add(1));
            let pause = agent.pause(number);
            let (agent, failures, pause_ns) = (agent.number(), failures.get(), pause.as_nanos());
            site.tell(Fact::AgentBackedOff { agent, failures, pause_ns });
            ctx.now() + pause
        };
        let mut due = ctx.sleep_until(next);
        let due_or_asked = poll_fn(|cx| match due.poll_unpin(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => refreshes.poll_recv(cx).map(drop),
        });
        due_or_asked.await;
    }
}

/// Asks the controller for what is newer than what the agent holds. False for any error.
async fn poll(agent: &Agent) -> bool {
    let Site { http, params, .. } = &agent.site;
    let request = agent.question.borrow().clone();
    let answer = http.fetch_within(agent.node, request, params.client_timeout).await;
    let status = answer.as_ref().map_or(0, |response| response.status);
    agent.site.tell(Fact::PollEnded { agent: agent.number(), status });
    match answer {
        Ok(response) if response.status == 200 => take(agent, &response).await,
        Ok(response) => response.status == 304,
        Err(_) => false,
    }
}

/// Takes a newer version: first to the disk, then into use, so that a restart finds no older one than was served.
/// False when the response cannot be understood.
async fn take(agent: &Agent, response: &Response) -> bool {
    let Site { params, .. } = &agent.site;
    let ctx = agent.site.ctx();
    let (Some(etag), Ok(document)) = (response.header("ETag"), response.read::<Document>()) else {
        return false;
    };
    if agent.held().is_some_and(|held| held.version >= document.version) {
        return true;
    }
    let latency = agent.site.net().work(agent.node, params.store_latency);
    let version = document.version;
    let served = Rc::new(Resource::new(Response::of(200, document), etag.to_owned(), ctx.now()));
    let cached = Cached { version, served };
    let written = agent.cache().transact(latency, |_| Ok::<_, ()>(cached)).await;
    agent.hold(written.ok());
    true
}

impl Agent {
    /// Which agent it is, counted from 1.
    fn number(&self) -> u32 {
        self.index as u32 + 1
    }

    fn cache(&self) -> &Store<Cached> {
        &self.site.caches[self.index]
    }

    fn held(&self) -> Option<Cached> {
        self.held.borrow().clone()
    }

    /// Serves this version from here on.
    fn hold(&self, cached: Option<Cached>) {
        let Some(cached) = cached else { return };
        self.site.tell(Fact::AgentApplied { agent: self.number(), version: cached.version });
        let question = Request::get(self.question.borrow().url.clone());
        *self.question.borrow_mut() = question.with_header("If-None-Match", cached.served.etag());
        *self.held.borrow_mut() = Some(cached);
    }

    /// The time from poll `number` to the next: the interval, uniformly longer or shorter by its jitter.
    fn interval(&self, number: u64) -> Duration {
        let params = &self.site.params;
        let share = self.intervals.at(number).uniform(-params.poll_jitter, params.poll_jitter);
        params.poll.scale(1.0 + share)
    }

    /// How long to wait after poll `number` failed. With full jitter a crowd that failed together comes back spread
    /// out.
    fn pause(&self, number: u64) -> Duration {
        let params = &self.site.params;
        let longest = params.backoff(self.failures.get());
        match params.backoff_jitter {
            true => self.pauses.at(number).duration(Duration::ZERO, longest),
            false => longest,
        }
    }
}

// --- serving ----------------------------------------------------------------------------------------------------

fn route(agent: &Agent, request: &Request) -> Response {
    match (&request.method, request.url.path.as_str()) {
        (Method::Get | Method::Head, "/config") => match agent.held() {
            Some(held) => held.served.serve(request),
            None => Response::error(503, "no_config", "the agent has no configuration yet", json!({})),
        },
        (Method::Get, "/health") => {
            let version = agent.held().map(|held| held.version);
            let id = agent_name(agent.number());
            let failures = agent.failures.get();
            Response::json(
                200,
                &json!({"status": "ok", "agent_id": id, "version": version, "failures": failures}),
            )
        }
        (Method::Post, "/refresh") => {
            // Full means that a poll at once is asked for already.
            let _ = agent.refresh.send(());
            Response::json(202, &json!({"status": "polling"}))
        }
        (method, path) => no_route(method, path, &ROUTES),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Params, Settings};
    use super::*;
    use crate::kernel::{Instant, Sim, Sink};
    use crate::net::Net;
    use crate::substrate::body::Json;
    use crate::systems::facts::{Hear, Told};

    /// The version that the agent and its worker have.
    #[derive(Default)]
    struct Held([u64; 2]);

    impl Hear<Fact> for Held {
        fn hear(&mut self, told: &Told<'_, Fact>) {
            match *told.fact {
                Fact::AgentApplied { version, .. } => self.0[0] = version,
                Fact::WorkerApplied { version, .. } => self.0[1] = version,
                _ => {}
            }
        }
    }

    #[test]
    fn an_agent_keeps_what_it_holds_when_it_is_offered_an_older_version() {
        let mut sim = Sim::new(1, Sink::None);
        let net = Net::new(&sim.ctx(), false);
        let params = Params { agents: 1, workers: 1, client_on: false, ..Params::default() };
        let ears = Rc::new(RefCell::new(Held::default()));
        let config = Config::start(&net, params, ears.clone());
        // In the controller's place, one that offers whatever it is told to.
        let offer = Rc::new(Cell::new(7));
        let (http, offered) = (config.site.http.clone(), Rc::clone(&offer));
        net.set_role(config.controller(), move |_| {
            let offered = Rc::clone(&offered);
            let answer = move |_| {
                let (version, settings) = (offered.get(), Settings { rate: 1.0, ..Settings::default() });
                let document = Document { version, updated_at: String::new(), settings: settings.into() };
                let etag = format!("\"v{version}\"");
                let response = Response::of(200, Json::new(document)).with_header("ETag", etag);
                async move { response }
            };
            Box::pin(http.listen(CONTROLLER).serve(answer))
        });
        net.start(config.controller());
        for (offer_now, held) in [(7, 7), (5, 7), (8, 8), (1, 8)] {
            offer.set(offer_now);
            sim.run_until(sim.now() + Duration::from_secs(15));
            assert_eq!(ears.borrow().0, [held, held]);
        }
    }

    #[test]
    fn an_agents_disk_has_the_newest_version_and_no_other() {
        let mut sim = Sim::new(1, Sink::None);
        let net = Net::new(&sim.ctx(), false);
        let second = Duration::from_secs(1);
        let params = Params { agents: 1, workers: 1, put_period: second, poll: second, ..Params::default() };
        let config = Config::start(&net, params, Rc::new(RefCell::new(Held::default())));
        sim.run_until(Instant::from_millis(60_000));
        let disk = &config.site.caches[0];
        assert!(disk.len() > 20, "only {} versions came to it", disk.len());
        assert_eq!((1..=disk.len()).filter_map(|n| disk.get(n)).count(), 1);
    }
}
