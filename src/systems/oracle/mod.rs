//! The oracle: one coordinator asks all workers and makes one answer of theirs. Over HTTP it knows who is registered; over
//! NATS (`nats/`, plugged in as `broker.rs` says) it publishes and takes what comes. All else is the same for both.
//!
//! The life of a request, in order:
//! 1. `client.rs` intends it at an instant that its load decides, and sends `POST /request`.
//! 2. `coordinator.rs` gives it its id, sends `POST /task` to every worker in its `registry.rs`, and waits, at most
//!    the timeout.
//! 3. `worker.rs` takes its time, then fails or answers; `truth.rs` says around which value, `lie.rs` what a liar says.
//! 4. The coordinator cancels what still runs, leaves out what failed or came late, and aggregates the rest
//!    (`aggregator/`), reports what has moved far enough (`report.rs`); the client gets an OracleResult (`messages.rs`) or a structured error.
//! 5. `model.rs` says by which law a worker takes its time, how many tasks it does at once, who is asked, and who asks again.
//! 6. What happens on the way the roles tell as facts (`fact.rs`) to whoever listens, and cannot ask for anything back.

mod admission;
pub mod aggregator;
mod broker;
pub(super) mod calendar;
mod client;
mod coordinator;
pub mod fact;
mod lie;
pub mod messages;
#[cfg_attr(not(any(not(target_arch = "wasm32"), feature = "workbench")), path = "plain.rs")]
mod model;
mod nats;
mod params;
pub mod registry;
pub mod report;
pub mod truth;
mod worker;

pub use broker::Plug;
pub use fact::{
    LIE_STARTED, REQUEST_AGGREGATED, REQUEST_FAILED, REQUEST_INTENDED, REQUEST_OPENED, RESULT_DROPPED,
    TASK_DONE, TASK_FAILED, TASK_STARTED, WORKER_DEREGISTERED, WORKER_EVICTED, WORKER_REGISTERED,
};
pub use lie::LieMode;
pub use model::Model;
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
pub use model::delay;
pub use nats::BY_NATS;
pub use params::{Delivery, Load, Params, Transport};

use super::facts::{Hear, Teller};
use crate::kernel::{Ctx, Duration, Span};
use crate::net::{LinkModel, Net, NodeId};
use crate::substrate::http::{Http, HttpError, Request, Response, Service};
use crate::substrate::nats::MONITORING;
use broker::{Broker, Stage};
use client::Schedule;
use fact::Fact;
use lie::Lie;
use registry::{Entry, Registry};
use report::{Report, Reports, Trigger};
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

/// Where the coordinator listens.
pub const COORDINATOR: &str = "localhost:8080";
/// Worker i listens on this port + i.
const WORKER_PORT_BASE: u32 = 8080;
/// client ↔ coordinator, and the console's link to every node.
pub const NEAR: LinkModel = LinkModel::new(Duration::from_millis(5), Duration::ZERO);
/// coordinator ↔ worker, each way.
pub const FAR: LinkModel = LinkModel::new(Duration::from_millis(50), Duration::from_millis(20));

/// broker ↔ coordinator and broker ↔ worker: half of what is between the two over HTTP, so that both take equally long.
const TO_BROKER: LinkModel = LinkModel::new(Duration::from_millis(25), Duration::from_millis(10));

/// What its roles serve over HTTP.
pub const SERVICES: [Service; 2] = [
    Service { role: "coordinator", at: "http://localhost:8080", routes: &coordinator::ROUTES },
    Service { role: "worker i", at: "http://localhost:8080 + i", routes: &worker::ROUTES },
];

/// The same over NATS, where nobody registers: the coordinator's, and the broker's own.
pub const SERVICES_OVER_NATS: [Service; 2] = [
    Service { role: "coordinator", at: "http://localhost:8080", routes: coordinator::ROUTES_OVER_NATS },
    Service { role: "nats", at: "http://localhost:8222", routes: &MONITORING },
];

/// The name of worker `i`, counted from 1: at least two digits, independent of how many there are.
pub fn worker_name(i: u32) -> String {
    format!("w-{i:02}")
}

/// The name of client `i`, counted from 1: one alone has no number.
fn client_name(i: u32) -> String {
    if i == 1 { "client".to_owned() } else { format!("client-{i:02}") }
}

/// Where worker `i` listens.
pub fn worker_authority(i: u32) -> String {
    format!("localhost:{}", WORKER_PORT_BASE + i)
}

/// What all roles of one oracle share: the network, the parameters, and whom they tell what happens.
struct Site {
    http: Http,
    params: Rc<Params>,
    facts: Teller<Fact>,
    /// Requests intended so far. Ids count them over the whole run, whatever restarts meanwhile.
    requests: Cell<u64>,
    /// Who lies, in the order of the nodes.
    lies: RefCell<Vec<(NodeId, Lie)>>,
    /// The registry of the coordinator that runs, for snapshots. It dies with the coordinator.
    registry: RefCell<Weak<RefCell<Registry>>>,
    /// Its reports, likewise.
    reports: RefCell<Weak<RefCell<Reports>>>,
    /// How many tasks each worker has under way, w-01 first.
    busy: Box<[Cell<u32>]>,
    /// The broker, in a system that has one.
    broker: Option<Rc<dyn Broker>>,
    /// What its model makes of the workers.
    model: model::OnSite,
}

impl Site {
    fn ctx(&self) -> &Ctx {
        self.net().ctx()
    }

    fn net(&self) -> &Net {
        self.http.net()
    }

    /// Tells a fact of the current task's node and request. Returns its number.
    fn tell(&self, fact: Fact) -> u64 {
        self.facts.tell(fact)
    }

    /// How a node lies; `None` for an honest one.
    fn lie_of(&self, node: NodeId) -> Option<Lie> {
        let lies = self.lies.borrow();
        lies.binary_search_by_key(&node, |&(liar, _)| liar).ok().map(|place| lies[place].1)
    }

    /// Numbers a new request and makes it what the current task is busy with. Its client waits for `limit` at most.
    fn intend(&self, query: &Rc<str>, limit: Duration) {
        let number = self.requests.get() + 1;
        self.requests.set(number);
        self.ctx().set_span(Span { tag: number, cause: 0 });
        self.tell(Fact::RequestIntended { query: Rc::clone(query), limit });
    }
}

/// What there is of an oracle before anything runs: all that whoever hears its facts needs to know of it.
#[derive(Clone)]
pub struct Cast {
    /// The parameters.
    pub params: Rc<Params>,
    /// The workers' nodes, w-01 first: consecutive numbers.
    pub workers: Rc<[NodeId]>,
    /// Their names.
    pub names: Rc<[Rc<str>]>,
    broker: Option<Rc<dyn Broker>>,
}

impl Cast {
    /// Workers of that many, as an oracle without a broker has them from node `first` on.
    pub fn new(params: Params, first: NodeId) -> Self {
        let workers = (0..params.workers).map(|i| NodeId(first.0 + i)).collect();
        let names = (1..=params.workers).map(|i| worker_name(i).into()).collect();
        Cast { params: Rc::new(params), workers, names, broker: None }
    }

    /// Whether a worker, counted from 0, hears what the coordinator publishes now.
    pub fn hears(&self, i: usize) -> bool {
        let broker = self.broker.as_ref().zip(self.workers.get(i));
        broker.is_some_and(|(broker, &node)| broker.hears(i, node))
    }
}

/// A running oracle.
pub struct Oracle {
    site: Rc<Site>,
    /// The console: where a person's own API calls come from.
    console: NodeId,
    coordinator: NodeId,
    clients: Vec<NodeId>,
    workers: Rc<[NodeId]>,
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.site.net().forget_roles();
    }
}

impl Oracle {
    /// Builds the nodes and starts them, with what `plug` connects them by in place of HTTP. `ears` makes, of the cast,
    /// whoever hears what they tell.
    pub fn start<H: Hear<Fact> + 'static>(
        net: &Net,
        params: Params,
        plug: Option<Plug>,
        ears: impl FnOnce(&Cast) -> H,
    ) -> (Self, Rc<RefCell<H>>) {
        let http = Http::new(net);
        let console = net.add_node("console");
        let mut clients = vec![net.add_node(&client_name(1))];
        let coordinator = net.add_node("coordinator");
        let broker =
            plug.map(|Plug(connect)| connect(&Stage { http: &http, params: &params, console, coordinator }));
        http.assign(COORDINATOR, coordinator);
        net.connect(clients[0], coordinator, NEAR);
        net.connect(console, coordinator, NEAR);
        for i in 2..=params.clients {
            let client = net.add_node(&client_name(i));
            net.connect(client, coordinator, NEAR);
            clients.push(client);
        }
        let workers: Rc<[NodeId]> = (1..=params.workers)
            .map(|i| {
                let worker = net.add_node(&worker_name(i));
                http.assign(&worker_authority(i), worker);
                match &broker {
                    Some(broker) => net.connect(broker.node(), worker, TO_BROKER),
                    None => net.connect(coordinator, worker, FAR),
                }
                net.connect(console, worker, NEAR);
                worker
            })
            .collect();
        let names = workers.iter().map(|&worker| net.name(worker)).collect();
        let cast = Cast { params: Rc::new(params), workers, names, broker };
        let ears = Rc::new(RefCell::new(ears(&cast)));
        let site = Rc::new(Site {
            http,
            facts: Teller::new(net.ctx(), Rc::clone(&ears) as Rc<RefCell<dyn Hear<Fact>>>),
            requests: Cell::default(),
            lies: RefCell::default(),
            registry: RefCell::default(),
            reports: RefCell::default(),
            busy: cast.workers.iter().map(|_| Cell::new(0)).collect(),
            model: model::OnSite::of(net.ctx(), &cast.params),
            params: cast.params,
            broker: cast.broker,
        });
        let oracle = Oracle { site, console, coordinator, clients, workers: cast.workers };
        oracle.install();
        (oracle, ears)
    }

    /// Says what each node runs, and starts them.
    fn install(&self) {
        let Oracle { site, coordinator, .. } = self;
        let (net, coordinator) = (site.net(), *coordinator);
        for (&worker, i) in self.workers.iter().zip(1..) {
            let here = site.clone();
            net.set_role(worker, move |shutdown| Box::pin(worker::run(here.clone(), i, worker, shutdown)));
        }
        let here = site.clone();
        net.set_role(coordinator, move |shutdown| {
            Box::pin(coordinator::run(here.clone(), coordinator, shutdown))
        });
        let schedule = Rc::new(RefCell::new(Schedule::new(site)));
        for (&client, turn) in self.clients.iter().zip(0..) {
            let (here, schedule) = (site.clone(), schedule.clone());
            net.set_role(client, move |shutdown| {
                Box::pin(client::run(here.clone(), client, turn, schedule.clone(), shutdown))
            });
        }
        self.choose_liars();
        if let Some(broker) = &site.broker {
            broker.start(site);
        }
        net.start(coordinator);
        for (&worker, number) in self.workers.iter().zip(1..) {
            if !site.params.late.contains(&number) {
                net.start(worker);
            }
        }
        self.clients.iter().for_each(|&client| net.start(client));
    }

    /// A share of the workers lies from the start: which ones, the seed says. Those that scaling adds are honest.
    fn choose_liars(&self) {
        let Params { lie, lie_bias, .. } = *self.site.params;
        let workers = self.site.params.at_first();
        let count = libm::floor(lie * f64::from(workers) + 0.5) as u64;
        let mut rng = self.site.ctx().stream("lab", "liars").at(0);
        for i in rng.sample(u64::from(workers), count) {
            self.set_lie(self.workers[i as usize], Some(lie_bias));
        }
    }

    /// Makes a worker lie by a relative bias, or makes it honest again. Returns the bias that it had.
    pub fn set_lie(&self, worker: NodeId, bias: Option<f64>) -> Option<f64> {
        let fact = bias.map_or(Fact::LieEnded, |bias| Fact::LieStarted { bias });
        self.site.facts.tell_in(worker.scope(), Span::default(), fact);
        let since = self.site.ctx().now();
        let mut lies = self.site.lies.borrow_mut();
        let place = lies.binary_search_by_key(&worker, |&(liar, _)| liar);
        let before = place.ok().map(|place| lies.remove(place).1.bias);
        if let Some(bias) = bias {
            let (Ok(place) | Err(place)) = place;
            lies.insert(place, (worker, Lie { bias, since }));
        }
        before
    }

    /// By how much a worker lies; `None` for an honest one.
    pub fn lie_of(&self, worker: NodeId) -> Option<f64> {
        self.site.lie_of(worker).map(|lie| lie.bias)
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
            if asks {
                site.intend(&client::query_of(&request), limit);
            }
            let answer = site.http.fetch_within(console, request, limit).await;
            if asks {
                client::tell_answer(&site, &answer);
            }
            done(answer);
        });
    }

    /// Looks at each entry of the registry as the coordinator has it now; at nothing while none runs.
    pub fn look_at_registry(&self, look: impl FnMut(Entry<'_>)) {
        if let Some(registry) = self.site.registry.borrow().upgrade() {
            registry.borrow().entries().for_each(look);
        }
    }

    /// Who is in the registry, in the order of registration.
    pub fn registered(&self) -> Vec<Rc<str>> {
        let mut ids = Vec::new();
        self.look_at_registry(|entry| ids.push(Rc::clone(&entry.member.id)));
        ids
    }

    /// The coordinator's last report of the run's own query, and whether it is stale; none while no coordinator runs.
    pub fn report(&self) -> Option<(Report, bool)> {
        let reports = self.site.reports.borrow().upgrade()?;
        let report = reports.borrow().last(&self.site.params.query)?.clone();
        let is_stale = Trigger::from(&*self.site.params).is_stale(&report, self.site.ctx().now());
        Some((report, is_stale))
    }

    /// How many tasks worker `i`, counted from 0, has under way.
    pub fn busy(&self, i: usize) -> u32 {
        self.site.busy.get(i).map_or(0, Cell::get)
    }

    /// The broker between the coordinator and the workers, if there is one.
    pub fn broker(&self) -> Option<NodeId> {
        self.site.broker.as_ref().map(|broker| broker.node())
    }

    /// Whether the coordinator, and how many workers, have a connection to the broker.
    pub fn connected(&self) -> (bool, usize) {
        let Some(broker) = &self.site.broker else {
            return (false, 0);
        };
        let hears = |&(i, &node): &(usize, &NodeId)| broker.hears(i, node);
        (broker.is_asked(self.coordinator), self.workers.iter().enumerate().filter(hears).count())
    }

    /// How many messages the broker has stored: tasks, results.
    pub fn stored(&self) -> [u64; 2] {
        self.site.broker.as_ref().map_or([0, 0], |broker| broker.stored())
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

    /// The workers, w-01 first.
    pub fn workers(&self) -> &[NodeId] {
        &self.workers
    }
}
