//! One moment of a run as plain data: all that a picture, a table or a script needs, and nothing else.
//!
//! A [`Snapshot`] is an envelope: what can be said of any system. Inside is the system's own [`SystemView`], whose type
//! only that system's face knows. In reading order: `node` (what a node is and does), `flight` (messages on their way),
//! `watch` (how both are read off a run), `json` (how scripts see all of it).

mod flight;
mod json;
mod node;
mod watch;

pub use flight::{MessageKind, MessageView};
pub use node::{NodeView, Role, Sign, State};
pub use watch::Watch;

use crate::app::caption::{About, Caption, Rank};
use crate::kernel::Instant;
use crate::lab::SystemKind;
use crate::lab::fault::Fault;
use crate::lab::params::Setting;
use serde::Serialize;
use serde_json::Value;
use std::any::Any;
use std::rc::Rc;

/// What of a run is to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Show {
    /// What only the laboratory knows; otherwise, only what the system itself can know.
    pub truth: bool,
    /// The unit of work that is kept in view, by its number; the newest that has ended, if there is none.
    pub result: Option<u64>,
}

impl Show {
    /// Everything, and the newest.
    pub const ALL: Show = Show { truth: true, result: None };
}

/// A moment.
#[derive(Clone)]
pub struct Snapshot {
    /// Virtual time in milliseconds.
    pub vtime_ms: f64,
    /// Where the run ends.
    pub horizon_ms: f64,
    /// Where its time axis begins and ends.
    pub axis_ms: (f64, f64),
    /// How many events there were.
    pub events: u64,
    /// How many units of work were wanted so far: requests, jobs, versions.
    pub begun: u64,
    /// The system that it is of.
    pub system: SystemKind,
    /// The seed.
    pub seed: u64,
    /// All parameters, as they are set.
    pub set: Rc<[Setting]>,
    /// The nodes; those that have a row each come last.
    pub nodes: Vec<NodeView>,
    /// Where in `nodes` those with a row begin.
    pub rows_from: usize,
    /// The messages on their way.
    pub messages: Vec<MessageView>,
    /// The faults of the run: those on schedule, then those by hand.
    pub faults: Vec<FaultView>,
    /// What the system has besides.
    pub view: Rc<dyn SystemView>,
    /// Whether what only the laboratory knows is in all this.
    pub truth: bool,
}

impl Snapshot {
    /// The nodes that have a row each.
    pub fn rows(&self) -> &[NodeView] {
        self.nodes.get(self.rows_from..).unwrap_or_default()
    }

    /// A parameter as it is set.
    pub fn setting(&self, key: &str) -> Option<&Value> {
        self.set.iter().find(|setting| setting.key == key).map(|setting| &setting.value)
    }

    /// The newest beginning or end of a fault until now.
    pub fn newest_edge(&self) -> Option<Edge<'_>> {
        let edges = self.faults.iter().enumerate().flat_map(|(index, fault)| {
            let begin = Edge { index, fault, ends: false, at_ms: fault.from_ms };
            // A restart has no end to be told.
            let end = fault.to_ms.filter(|_| fault.kind != "restart");
            let end = end.map(|at_ms| Edge { index, fault, ends: true, at_ms });
            [Some(begin), end].into_iter().flatten()
        });
        edges.filter(|edge| edge.at_ms <= self.vtime_ms).max_by(|a, b| a.at_ms.total_cmp(&b.at_ms))
    }

    /// The node of a name.
    pub fn node(&self, name: &str) -> Option<&NodeView> {
        self.nodes.iter().find(|node| node.name == name)
    }
}

/// What a system has in a snapshot besides what all have.
pub trait SystemView: Any {
    /// Its JSON, an object, which lies over the envelope's: members are added, and objects and lists of the same key are
    /// joined place by place.
    fn json(&self) -> Value;
}

impl dyn SystemView {
    /// The view itself, if it is of that type.
    pub fn of_type<T: SystemView>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}

/// Of a system that has nothing besides.
impl SystemView for () {
    fn json(&self) -> Value {
        Value::Null
    }
}

/// A fault of the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultView {
    /// Its kind's word: `crash`, `lie`, …
    pub kind: &'static str,
    /// What it is about, as in its specification: `w-04`, `client~w-03`, `3?`.
    pub target: String,
    /// From when.
    pub from_ms: f64,
    /// Until when; `None` is for good.
    pub to_ms: Option<f64>,
    /// How much; 0 for a kind without a value.
    pub value: f64,
    /// Whether a person has brought it.
    pub by_hand: bool,
}

/// What begins with a fault of a kind.
pub fn begins(kind: &str) -> &'static str {
    match kind {
        "crash" => "down",
        "restart" => "restarts",
        "stop" => "stops",
        "start" => "starts",
        "scale" if cfg!(feature = "workbench") => "scaled",
        "lie" => "lies",
        "slow" => "slow",
        "cut" => "cut off",
        "drop" => "loses",
        _ => "doubles",
    }
}

/// The beginning or the end of a fault.
#[derive(Clone, Copy, Debug)]
pub struct Edge<'a> {
    /// The fault's place among all.
    pub index: usize,
    /// The fault.
    pub fault: &'a FaultView,
    /// Whether it is its end.
    pub ends: bool,
    /// When.
    pub at_ms: f64,
}

impl Edge<'_> {
    /// The same in every system.
    #[cfg(feature = "workbench")]
    fn of_scaling(&self) -> Caption {
        let (what, count, at) = (&self.fault.target, self.fault.value, self.at_ms / 1000.0);
        let headline = match self.ends {
            false => format!("From {at:.1} s on there are to be {count} {what}."),
            true => format!("From {at:.1} s on there are to be as many {what} as before."),
        };
        let detail = "Who is new starts now; who leaves finishes what it has in hand.".to_owned();
        Caption::new(headline, detail, "Who notices, and when?")
    }

    /// A caption about it.
    pub fn tell(&self, caption: Caption) -> Caption {
        #[cfg(feature = "workbench")]
        let caption = if self.fault.kind == "scale" { self.of_scaling() } else { caption };
        let about = if self.ends { About::End(self.index) } else { About::Begin(self.index) };
        caption.about(about, if self.fault.by_hand && !self.ends { Rank::Act } else { Rank::Fault })
    }
}

impl FaultView {
    /// A fault of a run.
    pub fn of(fault: &Fault, by_hand: bool) -> Self {
        FaultView {
            kind: fault.kind.name(),
            target: fault.target.to_string(),
            from_ms: fault.start.map_or(0.0, Instant::as_millis_f64),
            to_ms: fault.end.map(Instant::as_millis_f64),
            value: fault.value,
            by_hand,
        }
    }

    /// Whether it holds at an instant.
    pub fn holds_at(&self, ms: f64) -> bool {
        self.from_ms <= ms && self.to_ms.is_none_or(|to| ms < to)
    }
}
