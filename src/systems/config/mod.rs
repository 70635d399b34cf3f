//! The configuration system: a controller keeps versions of a configuration, agents fetch and cache the newest one,
//! and workers work as it says.
//!
//! The life of a version, in order:
//! 1. `client.rs`, the operator, puts new settings on schedule: `PUT /config`, on condition that the newest
//!    version is the one that it has seen.
//! 2. `controller.rs` makes the next version durable before it answers. Reads are conditional requests.
//! 3. `agent.rs` polls the controller with the tag of the version that it holds: 304, or 200 with a newer one. It
//!    writes that to its own disk first, then serves it. After an error it waits, longer each time. `POST /refresh`
//!    makes it poll at once.
//! 4. Between polls `trigger.rs` may tell it over Pub/Sub that there is something to poll for.
//! 5. `worker.rs` reads its agent and takes up the version as a whole; from its next tick on it works as that says.
//!
//! Each says what happens as a `Fact` (`fact.rs`). What the laboratory makes of those stands in `lab/config`.

mod agent;
mod client;
mod controller;
mod fact;
pub mod messages;
mod params;
mod trigger;
mod worker;

pub use controller::domain::{InvalidField, Settings, Version};
pub use fact::*;
pub use params::Params;

use super::facts::{Hear, Teller};
use crate::kernel::{Ctx, Duration, Instant, Scope, Span};
use crate::net::{LinkModel, Net, NodeId};
use crate::substrate::http::{Http, HttpError, Method, Request, Response, Service};
use crate::substrate::store::Store;
use crate::substrate::valkey::{self, Wire};
use agent::Cached;
use std::cell::{Cell, RefCell};
use std::ops::RangeInclusive;
use std::rc::Rc;

/// Where the controller listens.
pub const CONTROLLER: &str = "localhost:8080";
/// Where the store with Pub/Sub listens.
const VALKEY: &str = "localhost:6379";
/// Agent i listens on this port + i.
const AGENT_PORT_BASE: u32 = 9000;
/// Worker i listens on this port + i.
const WORKER_PORT_BASE: u32 = 9500;
/// operator ↔ controller, controller ↔ valkey, and the console's link to every node.
const NEAR: LinkModel = LinkModel::new(Duration::from_millis(5), Duration::ZERO);
/// controller ↔ agent and valkey ↔ agent, each way.
const FAR: LinkModel = LinkModel::new(Duration::from_millis(50), Duration::from_millis(20));
/// agent ↔ worker, each way: they stand on one host.
const BESIDE: LinkModel = LinkModel::new(Duration::from_millis(1), Duration::from_millis(1));

/// The longest that a question from an agent to the controller and its answer travel.
pub const AGENT_ROUND_TRIP_MAX: Duration = Duration::from_millis(140);
/// The longest that a question from a worker to its agent and its answer travel.
pub const WORKER_ROUND_TRIP_MAX: Duration = Duration::from_millis(4);

/// How many of the newest versions are on the controller's disk.
pub const VERSIONS_KEPT: usize = 1_000;

/// What its roles serve over HTTP.
pub const SERVICES: [Service; 3] = [
    Service { role: "controller", at: "http://localhost:8080", routes: &controller::ROUTES },
    Service { role: "agent i", at: "http://localhost:9000 + i", routes: &agent::ROUTES },
    Service { role: "worker i", at: "http://localhost:9500 + i", routes: &worker::ROUTES },
];

/// The name of agent `i`, counted from 1: at least two digits, independent of how many there are.
pub fn agent_name(i: u32) -> String {
    format!("a-{i:02}")
}

/// Where agent `i` listens.
pub fn agent_authority(i: u32) -> String {
    format!("localhost:{}", AGENT_PORT_BASE + i)
}

/// The name of worker `i`, counted from 1.
pub fn worker_name(i: u32) -> String {
    format!("w-{i:02}")
}

/// Where worker `i` listens.
pub fn worker_authority(i: u32) -> String {
    format!("localhost:{}", WORKER_PORT_BASE + i)
}

/// The version that the controller is delivered with: number 1.
fn shipped() -> Version {
    let settings = Settings {
        rate: 1.0,
        query: "BTC/USD".to_owned(),
        note: "as shipped".to_owned(),
        ..Settings::default()
    };
    Version::after(None, settings, Instant::ZERO)
}

/// What all roles share: the network, the parameters, the disks, and whom they tell.
#[derive(Clone)]
struct Site {
    http: Http,
    wire: Wire,
    params: Rc<Params>,
    teller: Teller<Fact>,
    /// The controller's disk.
    disk: Store<Version>,
    /// The agents' disks, a-01 first.
    caches: Rc<[Store<Cached>]>,
    /// How many polls each agent has begun over the whole run: what is drawn for a poll is addressed by its number.
    polls: Rc<[Cell<u64>]>,
    /// Changes intended so far.
    changes: Rc<Cell<u64>>,
    /// The newest version of which was told that it can be served: of each once, however often the controller starts.
    told: Rc<Cell<u64>>,
}

impl Site {
    fn ctx(&self) -> &Ctx {
        self.net().ctx()
    }

    fn net(&self) -> &Net {
        self.http.net()
    }

    /// Numbers a new change and makes it what the current task is busy with.
    fn intend(&self) -> Change {
        let number = self.changes.get() + 1;
        self.changes.set(number);
        self.ctx().set_span(Span { tag: number, cause: 0 });
        self.tell(Fact::ChangeIntended);
        Change { site: self.clone(), scope: self.ctx().scope(), span: self.ctx().span(), ended: false }
    }

    fn tell(&self, fact: Fact) {
        self.teller.tell(fact);
    }
}

/// A change under way. Dropped before it has ended, it is given up.
struct Change {
    site: Site,
    scope: Scope,
    span: Span,
    ended: bool,
}

impl Change {
    fn end(mut self, end: ChangeEnd) {
        self.ended = true;
        self.site.tell(Fact::ChangeEnded { end });
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        if !self.ended {
            // Whoever wanted it is going down: this is nobody's task.
            let fact = Fact::ChangeEnded { end: ChangeEnd::GivenUp };
            self.site.teller.tell_in(self.scope, self.span, fact);
        }
    }
}

/// A running configuration system.
pub struct Config {
    site: Site,
    /// The console: where a person's own API calls come from.
    console: NodeId,
    controller: NodeId,
    client: NodeId,
    agents: Vec<NodeId>,
    workers: Vec<NodeId>,
}

impl Drop for Config {
    fn drop(&mut self) {
        self.site.net().forget_roles();
    }
}

impl Config {
    /// Builds the nodes and starts them; `ears` hear what happens.
    pub fn start(net: &Net, params: Params, ears: Rc<RefCell<dyn Hear<Fact>>>) -> Self {
        let (ctx, agents) = (net.ctx(), params.agents);
        let site = Site {
            http: Http::new(net),
            wire: Wire::new(net),
            teller: Teller::new(ctx, ears),
            disk: Store::new(ctx, "controller", VERSIONS_KEPT),
            // All that an agent reads is the newest.
            caches: (1..=agents).map(|i| Store::new(ctx, &agent_name(i), 1)).collect(),
            polls: (1..=agents).map(|_| Cell::new(0)).collect(),
            changes: Rc::default(),
            told: Rc::default(),
            params: Rc::new(params),
        };
        let console = net.add_node("console");
        let client = net.add_node("client");
        let controller = net.add_node("controller");
        let Version { number, settings, .. } = shipped();
        site.told.set(number);
        let fact = Fact::VersionShipped { version: number, settings: (*settings).clone() };
        site.teller.tell_in(controller.scope(), Span::default(), fact);
        site.disk.ship(shipped());
        let mut config =
            Config { site, console, controller, client, agents: Vec::new(), workers: Vec::new() };
        let serving = config.site.params.serving();
        config.add_agents(1..=serving);
        config.add_workers();
        config.set_roles();
        let valkey = config.add_valkey();
        // After all others: room for more leaves their numbers alone.
        config.add_agents(serving + 1..=config.site.params.agents);
        if let Some(valkey) = valkey {
            config.agents.iter().for_each(|&agent| net.connect(valkey, agent, FAR));
        }
        let serving = &config.agents[..serving as usize];
        for &node in valkey.iter().chain(&[controller]).chain(serving).chain(&config.workers).chain([&client])
        {
            net.start(node);
        }
        config
    }

    fn add_agents(&mut self, numbers: RangeInclusive<u32>) {
        let Config { site, console, controller, .. } = self;
        let (http, net) = (&site.http, site.net());
        for i in numbers {
            let agent = net.add_node(&agent_name(i));
            http.assign(&agent_authority(i), agent);
            net.connect(*controller, agent, FAR);
            net.connect(*console, agent, NEAR);
            let here = site.clone();
            net.set_role(agent, move |shutdown| Box::pin(agent::run(here.clone(), i, agent, shutdown)));
            self.agents.push(agent);
        }
    }

    fn add_workers(&mut self) {
        let Config { site, console, agents, .. } = self;
        let (http, net) = (&site.http, site.net());
        for i in 1..=site.params.workers {
            let worker = net.add_node(&worker_name(i));
            let agent = (i - 1) % site.params.serving();
            http.assign(&worker_authority(i), worker);
            net.connect(agents[agent as usize], worker, BESIDE);
            net.connect(*console, worker, NEAR);
            let here = site.clone();
            net.set_role(worker, move |shutdown| {
                Box::pin(worker::run(here.clone(), i, agent + 1, worker, shutdown))
            });
            self.workers.push(worker);
        }
    }

    /// Only where there are triggers, and after all others: the switch leaves their numbers alone.
    fn add_valkey(&self) -> Option<NodeId> {
        let Config { site, console, controller, .. } = self;
        site.params.trigger.then(|| {
            let net = site.net();
            let node = net.add_node("valkey");
            site.wire.assign(VALKEY, node);
            net.connect(*controller, node, NEAR);
            net.connect(*console, node, NEAR);
            let (wire, disk) = (site.wire.clone(), valkey::Disk::new());
            net.set_role(node, move |shutdown| {
                let config = valkey::Config::new(valkey::Version::Valkey8);
                Box::pin(valkey::serve(wire.clone(), VALKEY.to_owned(), config, disk.clone(), shutdown))
            });
            node
        })
    }

    fn set_roles(&self) {
        let Config { site, console, controller, client, .. } = self;
        let (net, controller, client) = (site.net(), *controller, *client);
        site.http.assign(CONTROLLER, controller);
        net.connect(client, controller, NEAR);
        net.connect(*console, controller, NEAR);
        let here = site.clone();
        net.set_role(controller, move |shutdown| {
            Box::pin(controller::run(here.clone(), controller, shutdown))
        });
        let here = site.clone();
        net.set_role(client, move |shutdown| Box::pin(client::run(here.clone(), client, shutdown)));
    }

    /// Calls the simulated API from the console; `done` gets the response.
    pub fn call(
        &self,
        request: Request,
        limit: Duration,
        done: impl FnOnce(Result<Response, HttpError>) + 'static,
    ) {
        let (site, console) = (self.site.clone(), self.console);
        self.site.ctx().spawn_in(console.scope(), async move {
            let change = (request.method == Method::Put).then(|| site.intend());
            let answer = site.http.fetch_within(console, request, limit).await;
            if let Some(change) = change {
                let end = TryEnd::of(&answer);
                site.tell(Fact::TryEnded { end });
                change.end(match end {
                    TryEnd::Answered | TryEnd::Found => ChangeEnd::Made,
                    TryEnd::Conflict | TryEnd::Refused => ChangeEnd::Refused,
                    TryEnd::Unanswered => ChangeEnd::GivenUp,
                });
            }
            done(answer);
        });
    }

    /// Virtual time.
    pub fn now(&self) -> Instant {
        self.site.ctx().now()
    }

    /// How many changes were intended so far, by the operator and at the console.
    pub fn changes(&self) -> u64 {
        self.site.changes.get()
    }

    /// A version as it is on the controller's disk, whether the controller is up or not; that keeps the newest
    /// [`VERSIONS_KEPT`].
    pub fn stored(&self, number: u64) -> Option<Version> {
        self.site.disk.get(number)
    }

    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.site.params
    }

    /// The controller.
    pub fn controller(&self) -> NodeId {
        self.controller
    }

    /// Where a person's own calls come from.
    pub fn console(&self) -> NodeId {
        self.console
    }

    /// The operator.
    pub fn client(&self) -> NodeId {
        self.client
    }

    /// The agents, a-01 first.
    pub fn agents(&self) -> &[NodeId] {
        &self.agents
    }

    /// The workers, w-01 first. Worker i reads agent (i − 1) mod agents + 1, of the agents that are there at the start.
    pub fn workers(&self) -> &[NodeId] {
        &self.workers
    }
}
