//! The oracle: one coordinator asks all workers and makes one answer of theirs. Over HTTP it knows who is registered; over
//! NATS (`nats/`) it publishes and takes what comes. All else is the same for both.
//!
//! The life of a request, in order:
//! 1. `client.rs` intends it at an instant that its load decides, and sends `POST /request`.
//! 2. `coordinator.rs` gives it its id, sends `POST /task` to every worker in its `registry.rs`, and waits, at most
//!    the timeout.
//! 3. `worker.rs` takes its time, then fails or answers; `truth.rs` says around which value, `lie.rs` what a liar says.
//! 4. The coordinator cancels what still runs, leaves out what failed or came late, and aggregates the rest
//!    (`aggregator/`), reports what has moved far enough (`report.rs`); the client gets an OracleResult (`messages.rs`) or a structured error.
//! 5. `log.rs` keeps what happened for the laboratory, which knows the truth; the roles never read it.

mod admission;
pub mod aggregator;
pub(super) mod calendar;
mod client;
mod coordinator;
mod lie;
pub mod log;
pub mod messages;
#[cfg(feature = "all-systems")]
mod nats;
mod params;
pub mod registry;
pub mod report;
pub mod truth;
mod worker;

pub use lie::LieMode;
pub use params::{Delivery, Load, Params, Transport};

use crate::kernel::{Ctx, Duration, Kind, Span};
use crate::net::{LinkModel, Net, NodeId};
use crate::substrate::http::{Http, HttpError, Request, Response, Service};
use lie::Lie;
use log::Log;
use registry::{Entry, Registry};
use std::cell::{Cell, Ref, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

/// A client wants an answer; its latency counts from here.
pub const REQUEST_INTENDED: Kind = Kind::new("request_intended");
/// The coordinator takes up a request; the value is the number of workers that it asks.
pub const REQUEST_OPENED: Kind = Kind::new("request_opened");
/// The coordinator has its answer; the value is the aggregate, as the bits of a float.
pub const REQUEST_AGGREGATED: Kind = Kind::new("request_aggregated");
/// The coordinator has no answer to give; the value is the status.
pub const REQUEST_FAILED: Kind = Kind::new("request_failed");
/// A worker begins a task; the value is the nanoseconds that it will take.
pub const TASK_STARTED: Kind = Kind::new("task_started");
/// A worker has a value, as the bits of a float.
pub const TASK_DONE: Kind = Kind::new("task_done");
/// A worker failed.
pub const TASK_FAILED: Kind = Kind::new("task_failed");
/// A result came when its request was closed, and is dropped; the peer is the worker.
pub const RESULT_DROPPED: Kind = Kind::new("result_dropped");
/// The coordinator adds a worker to its registry.
pub const WORKER_REGISTERED: Kind = Kind::new("worker_registered");
/// The coordinator removes a worker at its own wish.
pub const WORKER_DEREGISTERED: Kind = Kind::new("worker_deregistered");
/// The coordinator removes a worker that was silent for too long.
pub const WORKER_EVICTED: Kind = Kind::new("worker_evicted");
/// A worker begins to lie; the value is the bias, as the bits of a float.
pub const LIE_STARTED: Kind = Kind::new("lie_started");
/// A worker ends lying.
pub const LIE_ENDED: Kind = Kind::new("lie_ended");

/// Where the coordinator listens.
pub const COORDINATOR: &str = "localhost:8080";
/// Worker i listens on this port + i.
const WORKER_PORT_BASE: u32 = 8080;
/// client ↔ coordinator, and the console's link to every node.
const NEAR: LinkModel = LinkModel::new(Duration::from_millis(5), Duration::ZERO);
/// coordinator ↔ worker, each way.
const FAR: LinkModel = LinkModel::new(Duration::from_millis(50), Duration::from_millis(20));

/// broker ↔ coordinator and broker ↔ worker: half of what is between the two over HTTP, so that both take equally long.
const TO_BROKER: LinkModel = LinkModel::new(Duration::from_millis(25), Duration::from_millis(10));

/// What its roles serve over HTTP.
pub const SERVICES: [Service; 2] = [
    Service { role: "coordinator", at: "http://localhost:8080", routes: &coordinator::ROUTES },
    Service { role: "worker i", at: "http://localhost:8080 + i", routes: &worker::ROUTES },
];

/// The name of worker `i`, counted from 1: at least two digits, independent of how many there are.
pub fn worker_name(i: u32) -> String {
    format!("w-{i:02}")
}

/// Where worker `i` listens.
pub fn worker_authority(i: u32) -> String {
    format!("localhost:{}", WORKER_PORT_BASE + i)
}

/// What all roles of one oracle share: the network, the parameters, and the laboratory's own view.
#[derive(Clone)]
struct Site {
    http: Http,
    params: Rc<Params>,
    log: Rc<RefCell<Log>>,
    /// Requests intended so far. Ids count them over the whole run, whatever restarts meanwhile.
    requests: Rc<Cell<u64>>,
    /// Who lies.
    lies: Rc<RefCell<BTreeMap<NodeId, Lie>>>,
    /// The registry of the coordinator that runs, for snapshots. It dies with the coordinator.
    registry: Rc<RefCell<Weak<RefCell<Registry>>>>,
    /// How many tasks each worker has under way, w-01 first.
    busy: Rc<[Cell<u32>]>,
    /// The broker, in a system that has one.
    #[cfg(feature = "all-systems")]
    bus: Option<nats::Bus>,
}

impl Site {
    fn ctx(&self) -> &Ctx {
        self.net().ctx()
    }

    fn net(&self) -> &Net {
        self.http.net()
    }

    /// The broker's node, in a system that has one.
    fn broker(&self) -> Option<NodeId> {
        #[cfg(feature = "all-systems")]
        return self.bus.as_ref().map(|bus| bus.node);
        #[cfg(not(feature = "all-systems"))]
        None
    }

    /// Numbers a new request and makes it what the current task is busy with.
    fn intend(&self, query: &str) -> u64 {
        let number = self.requests.get() + 1;
        self.requests.set(number);
        self.ctx().set_span(Span { tag: number, cause: 0 });
        self.ctx().record(REQUEST_INTENDED, 0, 0);
        self.log.borrow_mut().intended(number, query, self.truth(query), self.ctx().now());
        number
    }

    /// The workers that hear what is published now, in their order. Only the laboratory knows; of a queue group nobody
    /// knows yet who will.
    #[cfg(feature = "all-systems")]
    fn hearers(&self, bus: &nats::Bus) -> Vec<String> {
        if self.params.delivery == Delivery::Queue {
            return Vec::new();
        }
        let name = |i: u32| {
            Some(worker_name(i)).filter(|name| {
                self.net().find(name).is_some_and(|node| bus.hears(self.net(), i as usize - 1, node))
            })
        };
        (1..=self.params.workers).filter_map(name).collect()
    }

    /// The true value now.
    fn truth(&self, query: &str) -> f64 {
        truth::value_at(self.ctx(), self.params.drift, query, self.ctx().now())
    }
}

/// A running oracle.
pub struct Oracle {
    site: Site,
    /// The console: where a person's own API calls come from.
    console: NodeId,
    coordinator: NodeId,
    client: NodeId,
    workers: Vec<NodeId>,
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.site.net().forget_roles();
    }
}

impl Oracle {
    /// Builds the nodes and starts them. `keep` bounds how many requests the log keeps.
    pub fn start(net: &Net, params: Params, keep: usize) -> Self {
        let http = Http::new(net);
        let console = net.add_node("console");
        let client = net.add_node("client");
        let coordinator = net.add_node("coordinator");
        #[cfg(feature = "all-systems")]
        let bus = params.has_broker().then(|| {
            let broker = net.add_node("nats");
            net.connect(broker, coordinator, TO_BROKER);
            net.connect(console, broker, NEAR);
            nats::Bus::new(&http, broker, params.workers)
        });
        let site = Site {
            #[cfg(feature = "all-systems")]
            bus,
            http: http.clone(),
            log: Rc::new(RefCell::new(Log::new(keep))),
            requests: Rc::default(),
            lies: Rc::default(),
            registry: Rc::default(),
            busy: (0..params.workers).map(|_| Cell::new(0)).collect(),
            params: Rc::new(params),
        };
        http.assign(COORDINATOR, coordinator);
        net.connect(client, coordinator, NEAR);
        net.connect(console, coordinator, NEAR);
        let workers = (1..=site.params.workers).map(|i| {
            let worker = net.add_node(&worker_name(i));
            http.assign(&worker_authority(i), worker);
            match site.broker() {
                Some(broker) => net.connect(broker, worker, TO_BROKER),
                None => net.connect(coordinator, worker, FAR),
            }
            net.connect(console, worker, NEAR);
            let site = site.clone();
            net.set_role(worker, move |shutdown| Box::pin(worker::run(site.clone(), i, worker, shutdown)));
            worker
        });
        let oracle = Oracle { workers: workers.collect(), site: site.clone(), console, coordinator, client };
        let here = site.clone();
        net.set_role(coordinator, move |shutdown| {
            Box::pin(coordinator::run(here.clone(), coordinator, shutdown))
        });
        let here = site.clone();
        net.set_role(client, move |shutdown| Box::pin(client::run(here.clone(), client, shutdown)));
        oracle.choose_liars();
        #[cfg(feature = "all-systems")]
        if let Some(bus) = &site.bus {
            bus.install(&site.params, console, &site.log);
            net.start(bus.node);
        }
        net.start(coordinator);
        oracle.workers.iter().for_each(|&worker| net.start(worker));
        net.start(client);
        oracle
    }

    /// A share of the workers lies from the start: which ones, the seed says.
    fn choose_liars(&self) {
        let Params { lie, lie_bias, workers, .. } = *self.site.params;
        let count = libm::floor(lie * f64::from(workers) + 0.5) as u64;
        let mut rng = self.site.ctx().stream("lab", "liars").at(0);
        for i in rng.sample(u64::from(workers), count) {
            self.set_lie(self.workers[i as usize], Some(lie_bias));
        }
    }

    /// Makes a worker lie by a relative bias, or makes it honest again. Returns the bias that it had.
    pub fn set_lie(&self, worker: NodeId, bias: Option<f64>) -> Option<f64> {
        let (kind, value) = bias.map_or((LIE_ENDED, 0.0), |bias| (LIE_STARTED, bias));
        self.site.ctx().record_in(worker.scope(), Span::default(), kind, 0, value.to_bits());
        let since = self.site.ctx().now();
        let mut lies = self.site.lies.borrow_mut();
        let before = match bias {
            Some(bias) => lies.insert(worker, Lie { bias, since }),
            None => lies.remove(&worker),
        };
        before.map(|lie| lie.bias)
    }

    /// By how much a worker lies; `None` for an honest one.
    pub fn lie_of(&self, worker: NodeId) -> Option<f64> {
        self.site.lies.borrow().get(&worker).map(|lie| lie.bias)
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
            let asks = request.url.authority == COORDINATOR && request.url.path == "/request";
            let number = asks.then(|| site.intend(&client::query_of(&request)));
            let answer = site.http.fetch_within(console, request, limit).await;
            if let Some(number) = number {
                client::note_answer(&site, number, &answer);
            }
            done(answer);
        });
    }

    /// What the laboratory knows of the requests.
    pub fn log(&self) -> Ref<'_, Log> {
        self.site.log.borrow()
    }

    /// The registry as the coordinator has it now; empty while none runs.
    pub fn registry(&self) -> Vec<Entry> {
        let registry = self.site.registry.borrow().upgrade();
        registry.map_or_else(Vec::new, |registry| registry.borrow().entries().to_vec())
    }

    /// Looks at the registry as the coordinator has it now; at nothing while none runs.
    pub fn look_at_registry(&self, look: impl FnOnce(&[Entry])) {
        if let Some(registry) = self.site.registry.borrow().upgrade() {
            look(registry.borrow().entries());
        }
    }

    /// How many tasks worker `i`, counted from 0, has under way.
    pub fn busy(&self, i: usize) -> u32 {
        self.site.busy.get(i).map_or(0, Cell::get)
    }

    /// The broker between the coordinator and the workers, if there is one.
    pub fn broker(&self) -> Option<NodeId> {
        self.site.broker()
    }

    /// Whether the coordinator, and how many workers, have a connection to the broker.
    pub fn connected(&self) -> (bool, usize) {
        #[cfg(feature = "all-systems")]
        if let Some(bus) = &self.site.bus {
            let hears = |(i, &node): (usize, &NodeId)| bus.hears(self.site.net(), i, node);
            let workers = self.workers.iter().enumerate().filter(|&worker| hears(worker)).count();
            return (bus.is_asked(self.site.net(), self.coordinator), workers);
        }
        (false, 0)
    }

    /// How many messages the broker has stored: tasks, results.
    pub fn stored(&self) -> [u64; 2] {
        #[cfg(feature = "all-systems")]
        if let Some(bus) = &self.site.bus {
            return bus.stored();
        }
        [0, 0]
    }

    /// How many requests were intended so far.
    pub fn requests(&self) -> u64 {
        self.site.requests.get()
    }

    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.site.params
    }

    /// The coordinator.
    pub fn coordinator(&self) -> NodeId {
        self.coordinator
    }

    /// The client that makes the load.
    pub fn client(&self) -> NodeId {
        self.client
    }

    /// The workers, w-01 first.
    pub fn workers(&self) -> &[NodeId] {
        &self.workers
    }
}
