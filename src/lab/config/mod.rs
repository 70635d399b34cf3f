//! The configuration system in the laboratory: `params.rs` and `presets.rs` say what can be set and what is shipped.
//!
//! The facts that its roles tell are folded three times: `tally.rs` (with `counts.rs`) counts, and `figures.rs` says what a run amounts to;
//! `checks.rs` judges what must hold; `ledger.rs` keeps the versions, which are the units of work, and `entry.rs` says what is
//! reported of one.

mod checks;
pub mod counts;
mod entry;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
mod figures;
pub mod ledger;
pub mod params;
pub(in crate::lab) mod presets;
mod receipt;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
mod report;
pub mod tally;
#[cfg(test)]
mod tests;

pub(in crate::lab) use receipt::explain;

use super::check::Violation;
use super::fault::{self, Fault};
use super::invalid::Invalid;
use super::kept::Kept;
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
use super::measure::{Contrast, Measure, Of, Statistic, Theory, Unit};
use super::options::Options;
use super::params::{self as tables, Setting};
use super::system::{Done, Room, Settings, System, SystemKind};
use crate::kernel::{Duration, Instant};
use crate::net::{Net, NodeId};
use crate::substrate::http::{Request, Service};
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
use crate::systems::config::{AGENT_ROUND_TRIP_MAX, WORKER_ROUND_TRIP_MAX};
use crate::systems::config::{Config, Fact, Params, SERVICES};
use crate::systems::facts::{Hear, Told};
use checks::Checker;
use ledger::Ledger;
use params as table;
use serde_json::Value;
use std::cell::{Ref, RefCell};
use std::rc::Rc;
use tally::Tally;

/// The configuration system.
pub const KIND: SystemKind = SystemKind {
    name: "config",
    title: "Config",
    over: "ETag",
    unit: "versions",
    question: "How stale can a worker get?",
    slow_motion: false,
};

/// What its figures mean, for `doc/figures.md`.
static FIGURES: [(&str, &str); 19] = [
    ("version", "the newest version"),
    ("changes", "changes that the operator and persons wanted"),
    ("changes_made", "those that became a version"),
    ("changes_refused", "those that the controller refused"),
    ("changes_given_up", "those whose author gave up"),
    ("changes_under_way", "those still under way"),
    (
        "tries",
        "what became of each try: answered, found done already, in conflict, refused, without an answer",
    ),
    (
        "staleness_ms",
        "from a version's acknowledgement until a worker first ran it or a newer one, for each version and worker; for those that are still behind, the time until now: mean and percentiles in milliseconds",
    ),
    ("staleness_still_behind", "how many of these are still behind"),
    ("stale_now_ms", "for how long each worker has been behind the newest version acknowledged, w-01 first"),
    ("convergence_ms", "how long a version took to be everywhere, over those that are"),
    ("polls", "polls of the agents that have ended"),
    ("share_not_modified", "the share of 304s among those answered with 200 or 304"),
    ("requests", "requests that arrived at the controller"),
    ("requests_per_s", "the same in a second of the run"),
    ("herd_peak", "the most of them within any second"),
    ("herd_peak_since_restart", "the same since the controller started last"),
    ("ticks_done", "work that workers did"),
    ("ticks_failed", "work at which they failed because of what their configuration says"),
];

/// No run has more agents.
const AGENTS_MAX: u32 = 500;

/// The configuration system, for the list of systems.
pub(in crate::lab) static ROOM: Room = Room { kind: KIND, presets: &presets::PRESETS };

/// The parameters, each at its default.
pub fn defaults() -> Box<dyn Settings> {
    Box::new(Params::default())
}

/// What experiments measure of each version.
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
static MEASURES: [Measure; 2] = [
    Measure {
        key: "staleness",
        title: "staleness",
        unit: Unit::Ms,
        meaning: "from a version's acknowledgement until a worker first ran it or a newer one, for each worker",
    },
    Measure {
        key: "convergence",
        title: "convergence",
        unit: Unit::Ms,
        meaning: "from a version's acknowledgement until every worker had run it or a newer one",
    },
];

/// What one would hold against what: the herd and its cure, polling and pushing, and again the herd.
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
static CONTRASTS: [Contrast; 3] = [HERD, PUSH, HERD];
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
const PUSH: Contrast = Contrast { key: "trigger", values: ["off", "on"], metric: "staleness_mean" };
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
const HERD: Contrast =
    Contrast { key: "backoff-jitter", values: ["off", "on"], metric: "herd_peak_since_restart" };

/// The configuration system behind a system, if it is one.
pub fn of(system: &dyn System) -> Option<&ConfigRun> {
    system.of_type()
}

/// A running configuration system, and what the laboratory makes of the facts that it tells.
pub struct ConfigRun {
    config: Config,
    folds: Rc<RefCell<Folds>>,
}

struct Folds {
    tally: Tally,
    checker: Checker,
    ledger: Ledger,
    kept: Kept<Fact>,
}

impl Hear<Fact> for Folds {
    fn hear(&mut self, told: &Told<'_, Fact>) {
        let Folds { tally, checker, ledger, kept } = self;
        kept.hear(told, None);
        ledger.pass(told.at, tally);
        tally.hear(told);
        checker.hear(told);
        ledger.hear(told, tally);
    }
}

impl ConfigRun {
    /// Builds the nodes of a configuration system and starts them.
    pub fn start(net: &Net, params: Params, options: &Options) -> Self {
        let params = Params { client_on: options.client && params.client_on, ..params };
        let (mut tally, checker) = (Tally::new(&params), Checker::new(&params));
        tally.recording = options.recording.clone();
        let ledger = Ledger::new(&params, options.keep, options.entries.clone());
        let folds = Rc::new(RefCell::new(Folds { tally, checker, ledger, kept: Kept::new(options.facts) }));
        ConfigRun { config: Config::start(net, params, folds.clone()), folds }
    }

    /// The system itself.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What the run amounts to so far.
    pub fn tally(&self) -> Ref<'_, Tally> {
        Ref::map(self.folds.borrow(), |folds| &folds.tally)
    }

    /// The fact of a record, if it is kept.
    #[cfg(feature = "workbench")]
    pub fn fact(&self, n: u64) -> Option<Fact> {
        self.folds.borrow().kept.fact(n).map(|heard| heard.fact.clone())
    }

    /// The versions, and what the page draws.
    pub fn ledger(&self) -> Ref<'_, Ledger> {
        Ref::map(self.folds.borrow(), |folds| &folds.ledger)
    }
}

impl Settings for Params {
    fn set(&mut self, key: &str, value: &Value) -> Result<(), Invalid> {
        tables::set(&table::TABLE, self, key, value)
    }

    fn all(&self) -> Vec<Setting> {
        tables::all(&table::TABLE, self)
    }

    fn check(&self) -> Result<(), Invalid> {
        table::check(self)
    }

    fn make_room(&mut self, faults: &mut dyn Iterator<Item = &Fault>) {
        let (_, most) = fault::started(faults, "a-");
        self.joining = most.min(AGENTS_MAX).saturating_sub(self.agents);
        self.agents += self.joining;
    }

    fn services(&self) -> &'static [Service] {
        &SERVICES
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
        // Where nothing changes there is nothing to push.
        let (herd_first, push_first) = (&CONTRASTS[..2], &CONTRASTS[1..]);
        if self.put_period == Duration::ZERO { herd_first } else { push_first }
    }

    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn goals(&self) -> &'static [&'static str] {
        &["staleness_p99<20s"]
    }

    /// When nothing fails, no worker runs an old version for longer than one interval and one round trip on each of the two links.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn theory(&self, of: &Of) -> Option<Theory> {
        let most = self.poll_max() + AGENT_ROUND_TRIP_MAX + self.worker_interval + WORKER_ROUND_TRIP_MAX;
        let of_times = matches!(of, Of::Measure(_, Statistic::Mean | Statistic::Percentile(_)));
        of_times.then_some(Theory { value: most.as_millis_f64(), bound: true })
    }

    fn start(self: Box<Self>, net: &Net, options: &Options) -> Box<dyn System> {
        Box::new(ConfigRun::start(net, *self, options))
    }
}

impl System for ConfigRun {
    fn kind(&self) -> SystemKind {
        KIND
    }

    fn instances(&self) -> &[NodeId] {
        self.config.workers()
    }

    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn scaled(&self) -> (&'static str, &[NodeId], usize) {
        ("agents", self.config.agents(), self.config.params().serving() as usize)
    }

    fn describe_nodes(&self) -> String {
        let (agents, workers) = (self.config.agents().len(), self.config.workers().len());
        let valkey = if self.config.params().trigger { "valkey, " } else { "" };
        format!(
            "client, controller, console, {valkey}an agent from a-01 to a-{agents:02}, \
             or a worker from w-01 to w-{workers:02}"
        )
    }

    fn settings(&self) -> Vec<Setting> {
        tables::all(&table::TABLE, self.config.params())
    }

    fn call(&self, request: Request, limit: Duration, done: Done) {
        self.config.call(request, limit, done);
    }

    fn begun(&self) -> u64 {
        self.config.changes()
    }

    /// When each version could first be served, but for the one that the controller is delivered with.
    fn begun_at(&self) -> Vec<Instant> {
        let ledger = self.ledger();
        ledger.versions().iter().filter(|entry| entry.number > 1).map(|entry| entry.stored_at).collect()
    }

    /// How many changes were intended, and how many have ended.
    fn progress(&self) -> (u64, u64) {
        let changes = self.tally().changes;
        (changes.intended, changes.ended())
    }

    #[cfg(feature = "workbench")]
    fn told(&self, n: u64) -> Option<(Value, Value)> {
        self.folds.borrow().kept.spelled_out(n)
    }

    fn violation(&self) -> Option<Violation> {
        self.folds.borrow().checker.first().cloned()
    }
}
