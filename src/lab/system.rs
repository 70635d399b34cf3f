//! What the laboratory asks of a system, whichever it is.
//!
//! A system is a room of its own (`lab/oracle`, `lab/wizard`, `lab/config`): its parameters, its shipped scenarios, its
//! folds over the facts that its roles tell, and what it answers here. `systems.rs` lists the rooms.

use super::check::Violation;
use super::fault::Fault;
use super::invalid::Invalid;
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
use super::measure::{Contrast, Measure, Of, Theory};
use super::options::Options;
use super::params::Setting;
use crate::kernel::{Duration, Instant};
use crate::net::{Net, NodeId};
use crate::substrate::http::{HttpError, Request, Response, Service};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

/// Which system a scenario is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemKind {
    /// Its name in the automation surface and on the page.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What it runs over.
    pub over: &'static str,
    /// What its units of work are called: the key under which a report has them.
    pub unit: &'static str,
    /// What one comes to see it for.
    pub question: &'static str,
    /// Whether so much happens in a second that one sees more at half its speed.
    pub slow_motion: bool,
}

impl Serialize for SystemKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

/// A shipped scenario: what it sets, what goes wrong in it, and why one would look at it.
#[derive(Clone, Copy)]
pub struct Preset {
    /// Its name in URLs and on the command line.
    pub name: &'static str,
    /// The system that it is about.
    pub system: SystemKind,
    /// Its name for people.
    pub title: &'static str,
    /// What there is to be seen.
    pub promise: &'static str,
    /// Where one begins to watch, in seconds: late if nothing happens before.
    pub start_s: u32,
    /// Where its time axis ends, in seconds: a while after its last consequence. There one stops watching.
    pub axis_s: u32,
    /// When its point has been made, see `doc/points.md`.
    pub point_s: u32,
    /// Settings that differ from the defaults.
    pub set: &'static [(&'static str, &'static str)],
    /// Faults on schedule.
    pub faults: &'static str,
    /// Where its run pauses for good, unless a scenario says otherwise; `None` is the usual horizon.
    pub horizon: Option<&'static str>,
}

impl Preset {
    /// The speed that it opens with: the slowest that brings its point within 20 s of a person's time, and the end of its
    /// axis within 60 s.
    pub fn speed(&self) -> f64 {
        const SPEEDS: [f64; 5] = [0.5, 1.0, 2.0, 5.0, 10.0];
        let takes = |until_s: u32, speed| f64::from(until_s.saturating_sub(self.start_s)) / speed;
        let fits = |speed: &f64| takes(self.point_s, *speed) <= 20.0 && takes(self.axis_s, *speed) <= 60.0;
        let speeds = if self.system.slow_motion { &SPEEDS[..] } else { &SPEEDS[1..] };
        speeds.iter().copied().find(fits).unwrap_or(SPEEDS[4])
    }
}

/// What is known of a system whether or not a program has it.
pub(super) struct Room {
    pub(super) kind: SystemKind,
    /// Its shipped scenarios; the first bears its name.
    pub(super) presets: &'static [Preset],
}

/// A system's parameters.
pub trait Settings {
    /// Sets one from JSON or from text.
    fn set(&mut self, key: &str, value: &Value) -> Result<(), Invalid>;
    /// All of them, in the order in which they are shown.
    fn all(&self) -> Vec<Setting>;
    /// What only holds between parameters.
    fn check(&self) -> Result<(), Invalid>;
    /// There are to be nodes for all that these faults start: workers, or containers, that join. Those that run do not change.
    fn make_room(&mut self, _: &mut dyn Iterator<Item = &Fault>) {}
    /// What the system's roles serve over HTTP.
    fn services(&self) -> &'static [Service];
    /// The keys of its figures, and what each means.
    fn figures(&self) -> &'static [(&'static str, &'static str)];
    /// What every unit of work has a figure of, for experiments; nothing, unless a system says otherwise.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn measures(&self) -> &'static [Measure] {
        &[]
    }
    /// Which changes tell most about it, the most telling one first; none, unless a system says otherwise.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn contrasts(&self) -> &'static [Contrast] {
        &[]
    }
    /// What one usually asks of it, as goals; nothing, unless a system says otherwise.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn goals(&self) -> &'static [&'static str] {
        &[]
    }
    /// Whether its units of work know nothing of each other as long as nothing goes wrong, so that their figures are
    /// independent samples.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn is_independent(&self) -> bool {
        false
    }
    /// What theory says of a metric while nothing goes wrong; nothing, unless a system knows a closed form.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn theory(&self, _: &Of) -> Option<Theory> {
        None
    }
    /// Builds a system with them, and starts its nodes.
    fn start(self: Box<Self>, net: &Net, options: &Options) -> Box<dyn System>;
}

/// Who hears of the answer to a call.
pub type Done = Box<dyn FnOnce(Result<Response, HttpError>)>;

/// Who gets each unit of work, as JSON, when it has ended.
pub type Entries = Rc<RefCell<dyn FnMut(Value)>>;

/// Gives one unit of work that has ended to whoever gets them.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn give(entries: &Option<Entries>, entry: impl FnOnce() -> Value) {
    if let Some(entries) = entries {
        (entries.borrow_mut())(entry());
    }
}

/// Nobody gets them on the page, whose programs do without what would write them.
#[cfg(target_arch = "wasm32")]
pub(super) fn give(_: &Option<Entries>, _: impl FnOnce() -> Value) {}

/// What the command line reports of a run, and experiments take figures from.
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub trait Reported {
    /// What the run amounts to so far.
    fn figures(&self) -> super::figures::Figures;

    /// The units of work that have not ended, as JSON.
    fn open_entries(&self) -> Vec<Value>;

    /// The newest unit of work that has ended, for a person to read; empty where there is nothing to read.
    fn newest_text(&self) -> String {
        String::new()
    }

    /// The invariants, as far as the run has come.
    fn checks(&self) -> Vec<super::check::Check>;
}

/// What is drawn reports nothing, and does without what would.
#[cfg(not(any(not(target_arch = "wasm32"), feature = "lab")))]
pub trait Reported {}
#[cfg(not(any(not(target_arch = "wasm32"), feature = "lab")))]
impl<T> Reported for T {}

/// A running system, and what the laboratory makes of the facts that it tells.
pub trait System: Any + Reported {
    /// Which it is.
    fn kind(&self) -> SystemKind;

    /// The nodes of which there are as many as one likes: those that a fault about "some" chooses among.
    fn instances(&self) -> &[NodeId];

    /// What is scaled while it runs: the parameter that says how many there are, their nodes with those that wait, and how many
    /// nodes there are in a run that nobody scales. Nothing, unless a system says otherwise.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn scaled(&self) -> (&'static str, &[NodeId], usize) {
        ("", &[], 0)
    }

    /// There are to be so many of them: said before they start, or are asked to end.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn scale(&self, _to: u32) {}

    /// The names that a fault may be about, in words.
    fn describe_nodes(&self) -> String;

    /// The parameters, in the order in which they are shown.
    fn settings(&self) -> Vec<Setting>;

    /// Calls the simulated API from the console; `done` gets the response.
    fn call(&self, request: Request, limit: Duration, done: Done);

    /// How many units of work were wanted so far.
    fn begun(&self) -> u64;

    /// When each unit of work that the ledger has was wanted.
    fn begun_at(&self) -> Vec<Instant>;

    /// Changes whenever a unit of work begins or ends.
    fn progress(&self) -> (u64, u64);

    /// What first broke one of them.
    fn violation(&self) -> Option<Violation> {
        None
    }

    /// The fact of a record, if it is kept, as trace files have it: its own fields, and what only the laboratory knows of it.
    #[cfg(feature = "workbench")]
    fn told(&self, _n: u64) -> Option<(Value, Value)> {
        None
    }

    /// A knob by which its nodes are made to behave otherwise than as they should, such as `lie`.
    fn knob(&self, _: &str) -> Option<&dyn Knob> {
        None
    }
}

/// Something about some nodes that can be set while the run goes on, one number for each node.
pub trait Knob {
    /// Which nodes have it.
    fn nodes(&self) -> &[NodeId];

    /// How it is set at a node; `None` is off.
    fn get(&self, node: NodeId) -> Option<f64>;

    /// Sets it.
    fn set(&self, node: NodeId, value: Option<f64>);
}

impl dyn System {
    /// The system itself, if it is of that type.
    pub fn of_type<T: System>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}
