//! The Math Wizard: a gateway, identical containers, and a queue between the half of each that takes jobs and the half
//! that does them.
//!
//! The life of a job, in order:
//! 1. `client.rs`: a user sends `POST /task` to the gateway (`gateway.rs`: nginx), which passes it to the next container.
//! 2. `api.rs`: the API process of that container looks whether the queue is too long, stores the job and pushes it
//!    (`queue.rs`), and answers 202 with its id. One request at a time.
//! 3. `worker.rs`: a worker process of any container takes it: `BRPOP`, or `BLMOVE` to a processing list. It takes
//!    its time, and writes the result back; or it fails, and the job is queued again, in the end to the dead letters.
//! 4. A worker that dies takes with it what BRPOP gave it. What BLMOVE gave it `reaper.rs` finds and puts back.
//! 5. Meanwhile the user polls `GET /tasks/<id>/status`, at whichever container the gateway chooses, and gives up in the end.
//! 6. `task-ttl` after it is over the store forgets the job: who asks then gets a 404. What nobody ends, such as a job that was
//!    lost, is not forgotten.
//!
//! What happens the roles tell as facts (`fact.rs`); of what happens in the store, `tap.rs` does. The laboratory hears of it
//! (`lab/wizard`), and nothing in the simulation does.
//!
//! A container is a node (`c-01`), and so is each process in it (`c-01-api`, `c-01-worker-1`). Messages come from and go
//! to the container; a process has tasks only. `container.rs` starts the processes, and they die with it.

mod api;
mod client;
mod container;
pub mod fact;
mod gateway;
pub mod messages;
mod params;
pub mod queue;
mod reaper;
mod tap;
mod worker;

pub use params::{Law, Load, Mode, Params, Persist};

use crate::kernel::{Ctx, Duration, Instant, Scope, Span};
use crate::net::{LinkModel, Net, NodeId};
use crate::substrate::gateway::Names;
use crate::substrate::http::{Http, HttpError, Method, Request, Response, Service};
use crate::substrate::valkey::{self, Disk, Probe, Wire};
use crate::systems::facts::{Hear, Teller};
use fact::Fact;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Where the gateway listens.
pub const GATEWAY: &str = "localhost:80";
/// Where the store listens.
pub const VALKEY: &str = "valkey:6379";
/// The containers' name at the resolver.
const UPSTREAM: &str = "mathwiz:5000";

/// What its roles serve over HTTP.
pub const SERVICES: [Service; 1] = [Service {
    role: "gateway and containers",
    at: "http://localhost, http://c-01:5000",
    routes: &api::ROUTES,
}];

/// The name of container `i`, counted from 1: at least two digits, independent of how many there are.
pub fn container_name(i: u32) -> String {
    format!("c-{i:02}")
}

/// Where container `i` listens.
pub fn container_authority(i: u32) -> String {
    format!("c-{i:02}:5000")
}

/// The API process of container `i`.
pub fn api_name(i: u32) -> String {
    format!("c-{i:02}-api")
}

/// Worker process `k` of container `i`, both counted from 1.
pub fn worker_name(i: u32, k: u32) -> String {
    format!("c-{i:02}-worker-{k}")
}

/// A container's nodes.
#[derive(Clone, Debug)]
pub struct Container {
    /// The container.
    pub node: NodeId,
    /// Its API process.
    pub api: NodeId,
    /// Its worker processes.
    pub workers: Vec<NodeId>,
}

/// What all roles share: the network, the parameters, and the means to tell what happens.
#[derive(Clone)]
struct Site {
    http: Http,
    wire: Wire,
    names: Names,
    /// How many containers the resolver knows.
    resolved: Rc<Cell<u32>>,
    params: Rc<Params>,
    teller: Teller<Fact>,
    /// Submissions intended so far.
    submissions: Rc<Cell<u64>>,
    /// How many ids each container has given over the whole run, c-01 first: what is drawn for one is addressed by it.
    ids: Rc<[Cell<u64>]>,
    /// What each container has under way over HTTP, c-01 first.
    busy: Rc<[Cell<u32>]>,
}

impl Site {
    fn ctx(&self) -> &Ctx {
        self.net().ctx()
    }

    fn net(&self) -> &Net {
        self.http.net()
    }

    /// A fact of the current task's node and submission.
    fn tell(&self, fact: Fact) -> u64 {
        self.teller.tell(fact)
    }

    fn tell_in(&self, scope: Scope, span: Span, fact: Fact) -> u64 {
        self.teller.tell_in(scope, span, fact)
    }

    /// A fact of another node and submission, for guards that are dropped with whatever ends their node.
    fn tell_about(&self, node: NodeId, submission: u64, fact: Fact) -> u64 {
        self.tell_in(node.scope(), Span { tag: submission, ..self.ctx().span() }, fact)
    }
}

/// The number of a container, counted from 1, by its name.
fn container_number(name: &str) -> Option<u32> {
    name.strip_prefix("c-")?.parse().ok().filter(|&number| number > 0)
}

/// A running Math Wizard.
pub struct Wizard {
    site: Site,
    /// The console: where a person's own API calls come from.
    console: NodeId,
    client: NodeId,
    gateway: NodeId,
    valkey: NodeId,
    probe: Probe,
    /// Those that a person sees as one node each.
    nodes: Vec<NodeId>,
    containers: Vec<Container>,
}

impl Drop for Wizard {
    fn drop(&mut self) {
        self.site.net().forget_roles();
    }
}

impl Wizard {
    /// Builds the nodes and starts them; `ears` hear of all that happens.
    pub fn start(net: &Net, params: Params, ears: Rc<RefCell<dyn Hear<Fact>>>) -> Self {
        let count = params.containers_max() + params.joining;
        let site = Site {
            http: Http::new(net),
            wire: Wire::new(net),
            names: Names::default(),
            resolved: Rc::default(),
            teller: Teller::new(net.ctx(), ears),
            submissions: Rc::default(),
            ids: (0..count).map(|_| Cell::new(0)).collect(),
            busy: (0..count).map(|_| Cell::new(0)).collect(),
            params: Rc::new(params),
        };
        let console = net.add_node("console");
        let client = net.add_node("client");
        let gateway = net.add_node("gateway");
        let valkey = net.add_node("valkey");
        let mut wizard = Wizard {
            console,
            client,
            gateway,
            valkey,
            probe: Probe::default(),
            nodes: Vec::new(),
            containers: Vec::new(),
            site,
        };
        wizard.add_containers(count);
        wizard.set_roles();
        tap::listen(&wizard.site, &wizard.probe);
        wizard.site.resolve(wizard.site.params.containers);
        net.start(valkey);
        let running = wizard.site.params.containers as usize;
        wizard.nodes[..running].iter().for_each(|&node| net.start(node));
        net.start(gateway);
        net.start(client);
        wizard.plan_scaling();
        wizard
    }

    fn add_containers(&mut self, count: u32) {
        let link = self.site.link();
        let net = self.site.net().clone();
        for i in 1..=count {
            let node = net.add_node(&container_name(i));
            self.site.http.assign(&container_authority(i), node);
            for other in [self.gateway, self.valkey, self.console] {
                net.connect(node, other, link);
            }
            let api = net.add_node(&api_name(i));
            let here = self.site.clone();
            net.set_role(api, move |shutdown| Box::pin(api::run(here.clone(), i, node, api, shutdown)));
            let workers = (1..=self.site.params.workers).map(|k| {
                let worker = net.add_node(&worker_name(i, k));
                let (here, place) =
                    (self.site.clone(), worker::Place { container: i, worker: k, node, process: worker });
                net.set_role(worker, move |shutdown| Box::pin(worker::run(here.clone(), place, shutdown)));
                worker
            });
            let container = Container { node, api, workers: workers.collect() };
            let processes: Vec<NodeId> = [api].into_iter().chain(container.workers.iter().copied()).collect();
            let (here, site) = (net.clone(), self.site.clone());
            net.set_role(node, move |shutdown| {
                site.resolve_with(i);
                Box::pin(container::run(here.clone(), processes.clone(), shutdown))
            });
            self.nodes.push(node);
            self.containers.push(container);
        }
    }

    fn set_roles(&self) {
        let Wizard { site, console, client, gateway, valkey, .. } = self;
        let (net, client, gateway) = (site.net(), *client, *gateway);
        site.http.assign(GATEWAY, gateway);
        site.wire.assign(VALKEY, *valkey);
        net.connect(client, gateway, site.link());
        net.connect(*console, gateway, site.link());
        let here = site.clone();
        net.set_role(client, move |shutdown| Box::pin(client::run(here.clone(), client, shutdown)));
        let here = site.clone();
        net.set_role(gateway, move |shutdown| Box::pin(gateway::run(here.clone(), gateway, shutdown)));
        let (here, disk, probe) = (site.clone(), Disk::new(), self.probe.clone());
        net.set_role(*valkey, move |shutdown| {
            let config = here.store_config();
            let address = VALKEY.to_owned();
            Box::pin(valkey::serve_probed(
                here.wire.clone(),
                address,
                config,
                disk.clone(),
                shutdown,
                probe.clone(),
            ))
        });
    }

    /// Further containers start at their instant, and whoever knew their name before does not know them; or the last ones are
    /// asked to end, and finish what they have in hand.
    fn plan_scaling(&self) {
        let Params { containers, scale_to, scale_at, .. } = *self.site.params;
        if scale_to == 0 || scale_to == containers {
            return;
        }
        let (few, many) = (scale_to.min(containers) as usize, scale_to.max(containers) as usize);
        let (site, changed) = (self.site.clone(), self.nodes[few..many].to_vec());
        self.site.ctx().spawn_in(Scope::default(), async move {
            site.ctx().sleep_until(Instant::ZERO + scale_at).await;
            site.resolve(scale_to);
            let net = site.net();
            if scale_to > containers {
                site.tell(Fact::ContainersAdded { containers: scale_to });
                changed.iter().filter(|&&node| !net.is_up(node)).for_each(|&node| net.start(node));
            } else {
                site.tell(Fact::ContainersRemoved { containers: scale_to });
                changed.iter().for_each(|&node| net.stop(node));
            }
        });
    }

    /// There are to be so many containers: whoever looks their name up from now on gets as many addresses. To start and to end
    /// them is for whoever says so.
    pub fn scale(&self, to: u32) {
        let fact = match self.site.resolved.get() < to {
            true => Fact::ContainersAdded { containers: to },
            false => Fact::ContainersRemoved { containers: to },
        };
        self.site.resolve(to);
        self.site.tell_in(Scope::default(), Span::default(), fact);
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
            let submits = request.method == Method::Post && request.url.path == "/task";
            let wish = submits.then(|| client::Wish::intend(&site, console));
            let answer = site.http.fetch_within(console, request, limit).await;
            wish.map(|wish| wish.answered(&answer));
            done(answer);
        });
    }

    /// Virtual time.
    pub fn now(&self) -> Instant {
        self.site.ctx().now()
    }

    /// A look into the store.
    pub fn probe(&self) -> &Probe {
        &self.probe
    }

    /// How many submissions were intended so far.
    pub fn submissions(&self) -> u64 {
        self.site.submissions.get()
    }

    /// How many requests container `i`, counted from 0, has in its API process or waiting for it.
    pub fn busy(&self, i: usize) -> u32 {
        self.site.busy.get(i).map_or(0, Cell::get)
    }

    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.site.params
    }

    /// The client that makes the load.
    pub fn client(&self) -> NodeId {
        self.client
    }

    /// The gateway.
    pub fn gateway(&self) -> NodeId {
        self.gateway
    }

    /// The store.
    pub fn valkey(&self) -> NodeId {
        self.valkey
    }

    /// The containers as nodes, c-01 first; those that are yet to start too.
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// The containers with their processes, c-01 first.
    pub fn containers(&self) -> &[Container] {
        &self.containers
    }
}

impl Site {
    fn link(&self) -> LinkModel {
        LinkModel::new(self.params.latency, self.params.latency.scale(1.0 / 3.0))
    }

    /// A container that starts is known to the resolver from now on.
    fn resolve_with(&self, container: u32) {
        if container > self.resolved.get() {
            self.resolve(container);
        }
    }

    /// The resolver knows so many containers from now on.
    fn resolve(&self, count: u32) {
        self.resolved.set(count);
        let addresses: Vec<String> = (1..=count).map(container_authority).collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        self.names.set(UPSTREAM, &addresses);
    }

    fn store_config(&self) -> valkey::Config {
        let mut config = valkey::Config::new(valkey::Version::Valkey8);
        config.persistence = match self.params.persist {
            Persist::Snapshot => valkey::Persistence::default_save_points(),
            Persist::Aof => valkey::Persistence::AppendOnly,
            Persist::None => valkey::Persistence::None,
        };
        config
    }
}
