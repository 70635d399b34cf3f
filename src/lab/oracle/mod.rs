//! The oracle in the laboratory, over HTTP and over NATS.
//!
//! To be read in this order: `params.rs` and `presets.rs` say what can be set and what is shipped. `folds.rs` is where the
//! facts come in; `request.rs` and `task.rs` say what each changes about its request, with what `world.rs` knows besides. Of requests
//! `ledger.rs` keeps those that are open and the newest, `tally.rs` counts all, `checks.rs` judges all. `entry.rs` is what
//! is reported of one, `analysis.rs` what only the laboratory can say of it. `aggregate.rs` is a
//! strategy without a run around it, `delays.rs` makes measured times a law of delays.

mod absence;
pub mod aggregate;
mod analysis;
mod arithmetic;
mod checks;
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
pub mod delays;
pub mod entry;
mod folds;
pub mod ledger;
pub mod params;
pub(in crate::lab) mod presets;
pub(in crate::lab) mod presets_nats;
mod receipt;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
mod report;
mod request;
pub mod tally;
mod task;
#[cfg(test)]
mod tests;
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
mod theory;
mod world;

pub use analysis::{Analysis, as_map};
pub(in crate::lab) use receipt::explain;
pub use request::RequestEntry;
pub use task::{TaskEnd, TaskEntry};

use super::check::Violation;
use super::fault::{self, Fault};
use super::invalid::Invalid;
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
use super::measure::{Contrast, Measure, Of, Theory, Unit};
use super::options::Options;
use super::params as tables;
use super::params::Setting;
use super::system::{Done, Knob, Room, Settings, System, SystemKind};
use crate::kernel::{Duration, Instant};
use crate::net::{Net, NodeId};
use crate::substrate::http::{Request, Service};
use crate::substrate::text::in_full;
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
use crate::systems::oracle::aggregator::Strategy;
#[cfg(feature = "workbench")]
use crate::systems::oracle::fact::Fact;
use crate::systems::oracle::{BY_NATS, Cast, Oracle, Params, Plug, SERVICES, SERVICES_OVER_NATS};
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
use crate::systems::oracle::{Delivery, LieMode, Load, Transport};
use folds::Folds;
use ledger::Ledger;
use params as table;
use serde_json::Value;
use std::cell::{Ref, RefCell};
use std::rc::Rc;
use tally::Tally;

/// The oracle over HTTP.
pub const HTTP: SystemKind = SystemKind {
    name: "oracle-http",
    title: "Oracle",
    over: "HTTP",
    unit: "requests",
    question: "How far can you trust an average?",
    slow_motion: true,
};
/// The oracle over NATS.
pub const NATS: SystemKind = SystemKind {
    name: "oracle-nats",
    title: "Oracle",
    over: "NATS",
    unit: "requests",
    question: "What happens to a message in flight?",
    slow_motion: true,
};

/// No run has more workers.
const WORKERS_MAX: u32 = 10_000;

/// What its figures mean, for `doc/figures.md`.
static FIGURES: [(&str, &str); 10] = [
    ("requests", in_full("requests that a client wanted")),
    ("answered", in_full("those with an answer")),
    ("unanswered", in_full("those that failed: refused, timed out, 429, 503")),
    ("pending", in_full("those still under way")),
    (
        "tasks",
        in_full(
            "how the tasks of closed requests ended: in time, failed, late, lost with a broker, delivered again; and those still under way",
        ),
    ),
    ("limited", in_full("of the failed, those that came too often: 429")),
    (
        "retries",
        in_full(
            "how often a client sent a request again: when the `Retry-After` of a 429 said so, or after a failure",
        ),
    ),
    (
        "error_mean",
        in_full(
            "the mean of |aggregate − truth| / truth over the answered, with half the width of its 95 % interval by Student's t",
        ),
    ),
    ("error_p95", in_full("the 95th percentile of the same")),
    (
        "latency_ms",
        in_full(
            "from the intended send time to the answer, over the answered: mean and percentiles in milliseconds",
        ),
    ),
];

/// What experiments measure of each request.
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
static MEASURES: [Measure; 2] = [
    Measure {
        key: "error",
        title: "error",
        unit: Unit::Share,
        meaning: "|aggregate − truth| / truth of an answered request",
    },
    Measure {
        key: "latency",
        title: "request time",
        unit: Unit::Ms,
        meaning: "from the intended send time to the answer of an answered request",
    },
];

/// What one would hold against what.
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
static CONTRASTS: [Contrast; 2] = [
    Contrast { key: "strategy", values: ["average", "median"], metric: "error_mean" },
    Contrast { key: "preset", values: ["oracle-http", "oracle-nats"], metric: "error_mean" },
];

/// The oracle over HTTP, for the list of systems.
pub(in crate::lab) static OVER_HTTP: Room = Room { kind: HTTP, presets: &presets::PRESETS };
/// The oracle over NATS, for the list of systems.
pub(in crate::lab) static OVER_NATS: Room = Room { kind: NATS, presets: &presets_nats::PRESETS };

/// The parameters over HTTP, each at its default.
pub fn over_http() -> Box<dyn Settings> {
    Box::new(Setup { params: Params::default(), plug: None })
}

/// The parameters over NATS, each at its default. Only this leads to the code of NATS.
pub fn over_nats() -> Box<dyn Settings> {
    Box::new(Setup { params: Params::over_nats(), plug: Some(BY_NATS) })
}

/// The oracle behind a system, if it is one.
pub fn of(system: &dyn System) -> Option<&OracleRun> {
    system.of_type()
}

/// An oracle's parameters, and what connects its nodes in place of HTTP.
struct Setup {
    params: Params,
    plug: Option<Plug>,
}

impl Settings for Setup {
    fn set(&mut self, key: &str, value: &Value) -> Result<(), Invalid> {
        tables::set(table::table(&self.params), &mut self.params, key, value)
    }

    fn all(&self) -> Vec<Setting> {
        tables::all(table::table(&self.params), &self.params)
    }

    fn check(&self) -> Result<(), Invalid> {
        table::check(&self.params)
    }

    fn make_room(&mut self, faults: &mut dyn Iterator<Item = &Fault>) {
        let (started, most) = fault::started(faults, "w-");
        for number in started {
            if number == self.params.workers + 1 && number <= WORKERS_MAX {
                self.params.workers = number;
            }
            self.params.late.extend((number <= self.params.workers).then_some(number));
        }
        let before = self.params.workers;
        self.params.workers = before.max(most.min(WORKERS_MAX));
        self.params.joining = self.params.workers - before;
        self.params.late.extend(before + 1..=self.params.workers);
    }

    fn services(&self) -> &'static [Service] {
        if self.params.has_broker() { &SERVICES_OVER_NATS } else { &SERVICES }
    }

    fn figures(&self) -> &'static [(&'static str, &'static str)] {
        &FIGURES
    }

    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn measures(&self) -> &'static [Measure] {
        &MEASURES
    }

    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn contrasts(&self) -> &'static [Contrast] {
        &CONTRASTS
    }

    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn goals(&self) -> &'static [&'static str] {
        &["error_mean<1%", "latency_p99<1.2s"]
    }

    /// Requests share nothing where they come by a schedule, are not limited, and the coordinator does not judge by what was.
    /// What JetStream delivers again, and what one of a queue group has to do, takes time from other requests' tasks.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn is_independent(&self) -> bool {
        let Params { transport, delivery, load, rate, drift, lie, lie_mode, strategy, .. } = &self.params;
        // Where workers queue, a request waits for those before it.
        matches!(load, Load::Constant | Load::Poisson)
            && (*transport == Transport::Http
                || *transport == Transport::Core && *delivery == Delivery::FanOut)
            && rate.is_none()
            && *drift == 0.0
            && (*lie == 0.0 || *lie_mode != LieMode::Stale)
            && *strategy != Strategy::WeightedMedian
            && !self.params.has_queues()
    }

    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn theory(&self, of: &Of) -> Option<Theory> {
        self.is_independent().then(|| theory::of(&self.params, of)).flatten()
    }

    fn start(self: Box<Self>, net: &Net, options: &Options) -> Box<dyn System> {
        let params = Params { client_on: options.client, ..self.params };
        let folds = |cast: &Cast| Folds::new(net, cast, options);
        let (oracle, folds) = Oracle::start(net, params, self.plug, folds);
        Box::new(OracleRun { oracle, folds })
    }
}

/// An oracle that runs, and what the laboratory makes of its facts.
pub struct OracleRun {
    oracle: Oracle,
    folds: Rc<RefCell<Folds>>,
}

impl OracleRun {
    /// The oracle itself.
    pub fn oracle(&self) -> &Oracle {
        &self.oracle
    }

    /// Its parameters.
    pub fn params(&self) -> &Params {
        self.oracle.params()
    }

    /// The open requests, and the newest of the others.
    pub fn ledger(&self) -> Ref<'_, Ledger> {
        Ref::map(self.folds.borrow(), |folds| &folds.ledger)
    }

    /// The fact of a record, if it is kept.
    #[cfg(feature = "workbench")]
    pub fn fact(&self, n: u64) -> Option<Fact> {
        self.folds.borrow().kept.fact(n).map(|heard| heard.fact.clone())
    }

    /// The counts over all requests.
    pub fn tally(&self) -> Ref<'_, Tally> {
        Ref::map(self.folds.borrow(), |folds| &folds.tally)
    }
}

impl System for OracleRun {
    fn kind(&self) -> SystemKind {
        if self.params().has_broker() { NATS } else { HTTP }
    }

    fn instances(&self) -> &[NodeId] {
        &self.oracle.workers()[..self.params().at_first() as usize]
    }

    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn scaled(&self) -> (&'static str, &[NodeId], usize) {
        ("workers", self.oracle.workers(), self.params().at_first() as usize)
    }

    fn describe_nodes(&self) -> String {
        let broker = if self.params().has_broker() { "nats, " } else { "" };
        let others = match self.params().clients {
            1 => String::new(),
            clients => format!(" to client-{clients:02}"),
        };
        format!(
            "client{others}, coordinator, {broker}console, or a worker from w-01 to w-{:02}",
            self.instances().len()
        )
    }

    fn settings(&self) -> Vec<Setting> {
        tables::all(table::table(self.params()), self.params())
    }

    fn call(&self, request: Request, limit: Duration, done: Done) {
        self.oracle.call(request, limit, done);
    }

    fn begun(&self) -> u64 {
        self.oracle.requests()
    }

    fn begun_at(&self) -> Vec<Instant> {
        self.ledger().requests().iter().map(|request| request.requested_at).collect()
    }

    fn progress(&self) -> (u64, u64) {
        self.tally().progress()
    }

    fn violation(&self) -> Option<Violation> {
        self.folds.borrow().checker.0.first().cloned()
    }

    #[cfg(feature = "workbench")]
    fn told(&self, n: u64) -> Option<(Value, Value)> {
        self.folds.borrow().kept.spelled_out(n)
    }

    fn knob(&self, name: &str) -> Option<&dyn Knob> {
        (name == "lie").then_some(self)
    }
}

/// By how much each worker lies.
impl Knob for OracleRun {
    fn nodes(&self) -> &[NodeId] {
        self.oracle.workers()
    }

    fn get(&self, node: NodeId) -> Option<f64> {
        self.oracle.lie_of(node)
    }

    fn set(&self, node: NodeId, bias: Option<f64>) {
        self.oracle.set_lie(node, bias);
    }
}
