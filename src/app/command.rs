//! What a person can do to a session, one value each: what a click, a key, a script or an address asks for.
//!
//! A command is plain data. As JSON it names itself: `{"kind": "seek", "at_ms": 15000}`.

mod read;

use crate::lab::fault::FaultKind;
use crate::lab::params::LARGER_ONLY;
use crate::lab::{ActedAt, Action, Scenario};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Whether this program can change faults that are there: few people do, and the one that the page opens with hands its run to
/// the one that can.
pub(super) const EDITS: bool = cfg!(feature = "workbench");

/// Something that decides a run or moves it. What it means depends on the moment at which it is done: a session
/// interprets it at that instant, or when the replay that is under way has come to its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", try_from = "Map<String, Value>")]
pub enum Command {
    /// Opens a scenario: from its start, playing, at the speed that sessions begin with.
    Open {
        /// The shipped scenario that it starts from.
        preset: String,
        /// 0 … 2⁵³ − 1.
        seed: u64,
        /// Settings on top of the shipped scenario's.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        set: BTreeMap<String, Value>,
        /// Faults on schedule, in place of the shipped scenario's.
        #[serde(skip_serializing_if = "Option::is_none")]
        faults: Option<String>,
        /// Faults that a person has put on schedule besides.
        #[serde(skip_serializing_if = "Option::is_none")]
        own: Option<String>,
        /// Faults that are switched off.
        #[serde(skip_serializing_if = "Option::is_none")]
        off: Option<String>,
        /// What was done in it, in order of time: that of a run that was kept.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        actions: Vec<Action>,
        /// Where the run ends: a duration.
        #[serde(skip_serializing_if = "Option::is_none")]
        horizon: Option<String>,
    },
    /// Lets virtual time pass; from the start, if the run has ended.
    Play,
    /// Lets it pass beyond the end of the axis, which becomes twice as long.
    Extend,
    /// Stops it. A replay that is under way ends where it is, and what waited for it is forgotten.
    Pause,
    /// Sets how many virtual milliseconds pass per millisecond, 0.1 … 1000.
    Speed {
        /// So many.
        speed: f64,
    },
    /// Pauses, and plays the next event and its instant to the end.
    Step,
    /// Pauses, and goes back to the instant of the event before the last.
    StepBack,
    /// Goes to an instant. What was playing plays on from there.
    Seek {
        /// Which, in milliseconds of virtual time.
        at_ms: f64,
    },
    /// Goes on to the moment when a client wants the next request.
    NextRequest,
    /// Sets a parameter. The run starts over with it, and is replayed to this moment.
    Set {
        /// Its name.
        key: String,
        /// A number, or a text such as `1.5s`; null gives back the shipped scenario's.
        value: Value,
    },
    /// Plays the same scenario with another seed, to this moment.
    Seed {
        /// 0 … 2⁵³ − 1.
        seed: u64,
    },
    /// A fault from the next whole millisecond on.
    Fault {
        /// Such as `crash:w-04` or `slow:w-02@..20s=4`.
        fault: String,
    },
    /// Breaks a node in one way, or mends it if it is broken in that way.
    Toggle {
        /// In which way.
        #[serde(serialize_with = "by_name")]
        fault: FaultKind,
        /// Its name.
        node: String,
    },
    /// There are to be so many workers, containers or agents from the next whole millisecond on: further ones join the run, or the
    /// last ones are asked to end.
    Scale {
        /// How many.
        to: u32,
    },
    /// Ends a fault that holds.
    Lift {
        /// Its place among all faults of the run, scheduled ones first.
        fault: usize,
    },
    /// Makes another fault of one that is there, or none. The run starts over with it, and is replayed to this moment.
    Edit {
        /// Which, as in a list of faults: `crash:w-04@8s`.
        fault: String,
        /// What becomes of it, likewise; nothing removes it.
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<String>,
    },
    /// Switches a fault off, which stays known; or on again. The run starts over, likewise.
    Switch {
        /// Which, as in a list of faults.
        fault: String,
    },
    /// Takes the last act back: goes to the moment before it.
    Undo,
    /// Does again what was taken back: goes to the moment that was left.
    Redo,
    /// Forgets the future that an act in the past has left.
    DropOld,
    /// Calls the simulated API from the node `console`. While time stands still, it passes until the answer has come.
    Call {
        /// GET, POST, …
        method: String,
        /// Such as `http://localhost:8080/request`.
        url: String,
        /// Names and values.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        headers: Vec<(String, String)>,
        /// The body as text.
        #[serde(skip_serializing_if = "String::is_empty")]
        body: String,
        /// How often, a millisecond apart: at least once, and no more than 100 times.
        #[serde(skip_serializing_if = "is_once")]
        times: u32,
    },
}

impl Command {
    /// Whether it changes the run, and can be taken back.
    pub(super) fn is_act(&self) -> bool {
        use Command::{Call, Edit, Fault, Lift, Open, Scale, Seed, Set, Switch, Toggle};
        matches!(
            self,
            Open { .. }
                | Set { .. }
                | Seed { .. }
                | Fault { .. }
                | Toggle { .. }
                | Lift { .. }
                | Scale { .. }
                | Edit { .. }
                | Switch { .. }
                | Call { .. }
        )
    }

    /// Whether it says how many there are to be.
    pub fn scales(&self) -> bool {
        match self {
            Command::Scale { .. } => true,
            Command::Fault { fault } => fault.starts_with("scale:"),
            _ => false,
        }
    }

    /// Whether only a larger program can do it: it scales, or sets what only such a one has.
    pub fn is_for_larger(&self) -> bool {
        let is_larger = |key: &str| LARGER_ONLY.split(' ').any(|other| other == key);
        match self {
            Command::Set { key, .. } => is_larger(key),
            Command::Open { set, .. } => set.keys().any(|key| is_larger(key)),
            _ => self.scales(),
        }
    }

    /// The action by which it does, if it does.
    #[cfg(feature = "workbench")]
    pub(super) fn scaling(&self, at_ms: u64) -> Option<Action> {
        match self {
            Command::Scale { to } => Some(Action::Scale { at_ms, to: *to }),
            Command::Fault { fault } => self.scales().then(|| Action::Fault { at_ms, fault: fault.clone() }),
            _ => None,
        }
    }

    /// The scenario that it opens.
    pub fn opens(&self) -> Option<Scenario> {
        let Command::Open { preset, seed, set, faults, own, off, actions, horizon } = self.clone() else {
            return None;
        };
        Some(Scenario { set, faults, own, off, actions, horizon, ..Scenario::preset(&preset, seed) })
    }

    /// Whether it means the same at every moment.
    pub(super) fn is_timeless(&self) -> bool {
        matches!(self, Command::Open { .. } | Command::Speed { .. })
    }
}

/// What became of a command that is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It is in the run's log of actions, and holds.
    Acted(ActedAt),
    /// Frames bring the session to where it leads.
    SetOut,
    /// It waits until the replay that is under way has arrived.
    Waits,
    /// There was nothing left to do: the run has ended.
    Ended,
}

fn is_once(times: &u32) -> bool {
    *times == 1
}

/// A kind of fault by its word in a specification.
fn by_name<S: Serializer>(kind: &FaultKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}
