//! The Math Wizard in the laboratory.
//!
//! In the order in which to read: `params.rs` and `presets.rs` say what can be set and what is shipped; `job.rs` what is
//! known of a job and of a submission; `course.rs` what each fact does to them, `folds.rs` who hears of it and when a course
//! has ended; `ledger.rs` keeps them, `tally.rs` counts, `checks.rs` judges, `entry.rs` reports each; `theory.rs` what a queue
//! should do.
//!
//! A job has ended when nothing can become of it any more and its user asks no more: it is over or never reached the store,
//! no worker has it or a last word about it, and the newest snapshot would not bring it back. A submission has ended when its
//! jobs have and there cannot come any more: its user asks no more, no API process has it, and a minute has passed for what
//! was on its way. What has ended changes no more.

mod checks;
mod course;
mod entry;
mod folds;
mod job;
mod ledger;
mod numbered;
pub mod params;
pub(in crate::lab) mod presets;
mod receipt;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
mod report;
mod tally;
pub mod theory;

#[cfg(test)]
mod tests;

pub use entry::{ClaimEntry, End, Entry};
pub use job::{Claim, ClaimEnd, Job, Loss, Outcome, Place, Submission, wait_of};
pub use ledger::Ledger;
pub use tally::{Counts, Deeds, Tally};

pub(in crate::lab) use receipt::explain;

use super::check::Violation;
use super::fault::{self, Fault};
use super::invalid::Invalid;
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
use super::measure::{Contrast, Measure, Of, Theory, Unit};
use super::options::Options;
use super::params::{self as tables, Setting};
use super::scenario::HORIZON_MAX;
use super::system::{Done, Room, Settings, System, SystemKind};
use crate::kernel::{Duration, Instant};
use crate::net::{Net, NodeId};
use crate::substrate::http::{Request, Service};
use crate::systems::facts::Hear;
use crate::systems::wizard::fact::Fact;
use crate::systems::wizard::{Params, SERVICES, Wizard};
use folds::Folds;
use params as table;
use serde_json::Value;
use std::cell::{Ref, RefCell};
use std::rc::Rc;

/// The Math Wizard.
pub const KIND: SystemKind = SystemKind {
    name: "math-wizard",
    title: "Math Wizard",
    over: "Valkey",
    unit: "jobs",
    question: "Who finishes the job?",
    slow_motion: false,
};

/// No run has more containers.
const CONTAINERS_MAX: u32 = 50;

/// What its figures mean, for `doc/figures.md`.
static FIGURES: [(&str, &str); 9] = [
    (
        "counts",
        "of the whole run: jobs acknowledged, done, done again, dead, lost, duplicated, put back by a reaper; attempts that failed; submissions refused; users that gave up",
    ),
    ("lost", "jobs that nobody has any more, by cause"),
    ("refused", "submissions without a job: queue full, too many requests, any other way"),
    ("in_system", "jobs that wait or are in hand"),
    ("containers", "how many jobs each container took, did, and told of"),
    ("wait_ms", "from the push to the first time that a job was taken: mean and percentiles in milliseconds"),
    ("job_ms", "from the push to the result, over the jobs done, the same"),
    ("throughput", "jobs done in a second of the run"),
    ("mean_in_system", "how many jobs waited or were in hand, on average over time: Little's L"),
];

/// What experiments measure of each submission's job.
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
static MEASURES: [Measure; 2] = [
    Measure {
        key: "wait",
        title: "wait",
        unit: Unit::Ms,
        meaning: "from the push to the first time that a job was taken",
    },
    Measure {
        key: "job",
        title: "job time",
        unit: Unit::Ms,
        meaning: "from the push to the result of a job that was done",
    },
];

/// What one would hold against what.
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
static CONTRASTS: [Contrast; 1] =
    [Contrast { key: "mode", values: ["brpop", "lmove"], metric: "unanswered_share" }];

/// The Math Wizard, for the list of systems.
pub(in crate::lab) static ROOM: Room = Room { kind: KIND, presets: &presets::PRESETS };

/// The parameters, each at its default.
pub fn defaults() -> Box<dyn Settings> {
    Box::new(Params::default())
}

/// A running Math Wizard, and what its facts amount to.
pub struct WizardRun {
    wizard: Wizard,
    folds: Rc<RefCell<Folds>>,
}

impl WizardRun {
    /// The system itself.
    pub fn wizard(&self) -> &Wizard {
        &self.wizard
    }

    /// Its jobs and submissions: those that are open, and the newest of the others.
    pub fn ledger(&self) -> Ref<'_, Ledger> {
        Ref::map(self.folds.borrow(), |folds| &folds.ledger)
    }

    /// Its figures.
    pub fn tally(&self) -> Ref<'_, Tally> {
        Ref::map(self.folds.borrow(), |folds| &folds.tally)
    }

    /// The fact of a record, if it is kept.
    #[cfg(feature = "workbench")]
    pub fn fact(&self, n: u64) -> Option<Fact> {
        self.folds.borrow().kept.fact(n).map(|heard| heard.fact.clone())
    }
}

/// The Math Wizard behind a system, if it is one.
pub fn of(system: &dyn System) -> Option<&WizardRun> {
    system.of_type()
}

impl Settings for Params {
    fn set(&mut self, key: &str, value: &Value) -> Result<(), Invalid> {
        tables::set(&table::TABLE, self, key, value)
    }

    fn all(&self) -> Vec<Setting> {
        tables::all(&table::TABLE, self)
    }

    fn check(&self) -> Result<(), Invalid> {
        // Any of them goes with any other.
        Ok(())
    }

    fn make_room(&mut self, faults: &mut dyn Iterator<Item = &Fault>) {
        let (started, most) = fault::started(faults, "c-");
        for number in started {
            if number == self.containers_max() + 1 && number <= CONTAINERS_MAX {
                if self.scale_to == 0 {
                    // By hand only.
                    self.scale_at = HORIZON_MAX;
                }
                self.scale_to = number;
            }
        }
        self.joining = most.min(CONTAINERS_MAX).saturating_sub(self.containers_max());
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
        &CONTRASTS
    }

    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn goals(&self) -> &'static [&'static str] {
        &["wait_p95<2s", "unanswered_share<1%"]
    }

    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn theory(&self, of: &Of) -> Option<Theory> {
        theory::of(self, of)
    }

    fn start(self: Box<Self>, net: &Net, options: &Options) -> Box<dyn System> {
        let params = Params { client_on: options.client, ..*self };
        let folds = Rc::new(RefCell::new(Folds::new(options)));
        let ears: Rc<RefCell<dyn Hear<Fact>>> = folds.clone();
        Box::new(WizardRun { wizard: Wizard::start(net, params, ears), folds })
    }
}

impl System for WizardRun {
    fn kind(&self) -> SystemKind {
        KIND
    }

    fn instances(&self) -> &[NodeId] {
        &self.wizard.nodes()[..self.wizard.params().containers_max() as usize]
    }

    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn scaled(&self) -> (&'static str, &[NodeId], usize) {
        ("containers", self.wizard.nodes(), self.wizard.params().containers_max() as usize)
    }

    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn scale(&self, to: u32) {
        self.wizard.scale(to);
    }

    fn describe_nodes(&self) -> String {
        let count = self.wizard.nodes().len();
        format!(
            "client, gateway, valkey, console, a container from c-01 to c-{count:02}, or a process such as c-01-api or c-01-worker-1"
        )
    }

    fn settings(&self) -> Vec<Setting> {
        tables::all(&table::TABLE, self.wizard.params())
    }

    fn call(&self, request: Request, limit: Duration, done: Done) {
        self.wizard.call(request, limit, done);
    }

    fn begun(&self) -> u64 {
        self.wizard.submissions()
    }

    fn begun_at(&self) -> Vec<Instant> {
        self.ledger().submissions().map(|submission| submission.intended_at).collect()
    }

    /// How many submissions were intended, and how much has become of jobs.
    fn progress(&self) -> (u64, u64) {
        (self.wizard.submissions(), self.tally().changes())
    }

    #[cfg(feature = "workbench")]
    fn told(&self, n: u64) -> Option<(Value, Value)> {
        self.folds.borrow().kept.spelled_out(n)
    }

    fn violation(&self) -> Option<Violation> {
        self.folds.borrow().checks.verdicts().first().cloned()
    }
}
