//! The facts of a configuration system: what happens in it that anybody outside may want to know.
//!
//! A role says each once, where it happens. Agents and workers are named by their numbers, counted from 1 as in their
//! names.

use super::Settings;
use crate::kernel::Kind;
use crate::substrate::http::{HttpError, Response};
use crate::systems::facts;
use serde::Serialize;

/// The controller is delivered with a version.
pub const VERSION_SHIPPED: Kind = Kind::new("version_shipped");
/// The operator, or a person at the console, wants a change; the span carries its number.
pub const CHANGE_INTENDED: Kind = Kind::new("change_intended");
/// A try of a change has ended; the value is its place in [`TryEnd`].
pub const TRY_ENDED: Kind = Kind::new("try_ended");
/// A change has ended; the value is its place in [`ChangeEnd`].
pub const CHANGE_ENDED: Kind = Kind::new("change_ended");
/// A process of the controller begins; the value is the newest version on its disk.
pub const CONTROLLER_STARTED: Kind = Kind::new("controller_started");
/// The controller gets a request.
pub const CONTROLLER_ASKED: Kind = Kind::new("controller_asked");
/// The controller begins to write a version, whose number is the value.
pub const WRITE_BEGUN: Kind = Kind::new("write_begun");
/// The controller can serve a version, whose number is the value, from here on.
pub const VERSION_SERVABLE: Kind = Kind::new("version_servable");
/// The controller has made a version durable; the value is its number.
pub const VERSION_STORED: Kind = Kind::new("version_stored");
/// The controller announces a version, whose number is the value.
pub const TRIGGER_SENT: Kind = Kind::new("trigger_sent");
/// An agent hears that a version, whose number is the value, was announced.
pub const TRIGGER_RECEIVED: Kind = Kind::new("trigger_received");
/// An agent's poll has ended; the value is the status, 0 without an answer.
pub const POLL_ENDED: Kind = Kind::new("poll_ended");
/// An agent has a version, as the value, and serves it from here on.
pub const AGENT_APPLIED: Kind = Kind::new("agent_applied");
/// An agent's poll succeeded; the value is the instant of its next, in nanoseconds.
pub const POLL_PLANNED: Kind = Kind::new("poll_planned");
/// An agent's poll failed; the value is the nanoseconds until its next.
pub const AGENT_BACKED_OFF: Kind = Kind::new("agent_backed_off");
/// A process of a worker begins; it has no version.
pub const WORKER_STARTED: Kind = Kind::new("worker_started");
/// A worker works as a version says, whose number is the value.
pub const WORKER_APPLIED: Kind = Kind::new("worker_applied");
/// A worker has answered its query; the value is the version that told it to.
pub const TICK_DONE: Kind = Kind::new("tick_done");
/// A worker could not answer its query; the value is the version that told it to.
pub const TICK_FAILED: Kind = Kind::new("tick_failed");

/// What happens in a configuration system.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// The controller is delivered with a version; it counts as acknowledged.
    VersionShipped {
        /// Its number.
        version: u64,
        /// What it says.
        settings: Settings,
    },
    /// The operator, or a person at the console, wants a change. The record's request is its number.
    ChangeIntended,
    /// A try of a change has ended: a read and a put of the operator, or a put of a person.
    TryEnded {
        /// How.
        end: TryEnd,
    },
    /// A change has ended: nobody tries it any more. The record's request is its number.
    ChangeEnded {
        /// How.
        end: ChangeEnd,
    },
    /// A process of the controller begins.
    ControllerStarted {
        /// The newest version that it finds on its disk; 0 for none.
        newest: u64,
    },
    /// The controller gets a request, of whatever kind.
    ControllerAsked,
    /// The controller begins to write a version. The record's request is the change that it makes.
    WriteBegun {
        /// Its number. Another may get it too, if the write is lost.
        version: u64,
        /// The node that sent the change.
        author: String,
    },
    /// The controller can serve a version from here on: its write has ended, or a process that starts finds it.
    VersionServable {
        /// Its number.
        version: u64,
        /// What it says.
        settings: Settings,
    },
    /// A version is durable, and its author is told so from here on.
    VersionStored {
        /// Its number.
        version: u64,
    },
    /// The controller announces a version.
    TriggerSent {
        /// Its number.
        version: u64,
    },
    /// An agent hears that a version was announced.
    TriggerReceived {
        /// Its number; 0 if it was not a number.
        version: u64,
    },
    /// An agent's poll has ended.
    PollEnded {
        /// The agent.
        agent: u32,
        /// The status; 0 without an answer.
        status: u16,
    },
    /// An agent serves a version from here on.
    AgentApplied {
        /// The agent.
        agent: u32,
        /// The version's number.
        version: u64,
    },
    /// An agent's poll succeeded, and the next is due.
    PollPlanned {
        /// The agent.
        agent: u32,
        /// When the next is due, in nanoseconds since virtual zero.
        at_ns: u64,
    },
    /// An agent's poll failed, and it waits.
    AgentBackedOff {
        /// The agent.
        agent: u32,
        /// Failures in a row, this one included.
        failures: u32,
        /// How many nanoseconds it waits.
        pause_ns: u64,
    },
    /// A process of a worker begins; it has no version.
    WorkerStarted {
        /// The worker.
        worker: u32,
    },
    /// A worker works as a version says from here on.
    WorkerApplied {
        /// The worker.
        worker: u32,
        /// The version's number.
        version: u64,
    },
    /// A worker has answered its query.
    TickDone {
        /// The worker.
        worker: u32,
        /// The version that told it to.
        version: u64,
    },
    /// A worker could not answer its query.
    TickFailed {
        /// The worker.
        worker: u32,
        /// The version that told it to.
        version: u64,
    },
}

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TryEnd {
    /// 200.
    Answered,
    /// The read found that an earlier try had succeeded, whose answer never came.
    Found,
    /// 412: somebody else was quicker.
    Conflict,
    /// Any other error of the client.
    Refused,
    /// An error of the server, or no answer, to the read or to the put. The version may be there nonetheless.
    Unanswered,
}

impl TryEnd {
    /// How a try ended whose put got this answer.
    pub(super) fn of(answer: &Result<Response, HttpError>) -> Self {
        match answer.as_ref().map(|response| response.status) {
            Ok(200) => TryEnd::Answered,
            Ok(412) => TryEnd::Conflict,
            Ok(400..500) => TryEnd::Refused,
            Ok(_) | Err(_) => TryEnd::Unanswered,
        }
    }
}

/// How a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeEnd {
    /// Its author knows that it is made.
    Made,
    /// The controller does not want it.
    Refused,
    /// Its author does not know what became of it, and tries no more: a person tries once, and an operator that goes
    /// down forgets.
    GivenUp,
}

impl facts::Fact for Fact {
    fn kind(&self) -> Kind {
        match self {
            Fact::VersionShipped { .. } => VERSION_SHIPPED,
            Fact::ChangeIntended => CHANGE_INTENDED,
            Fact::TryEnded { .. } => TRY_ENDED,
            Fact::ChangeEnded { .. } => CHANGE_ENDED,
            Fact::ControllerStarted { .. } => CONTROLLER_STARTED,
            Fact::ControllerAsked => CONTROLLER_ASKED,
            Fact::WriteBegun { .. } => WRITE_BEGUN,
            Fact::VersionServable { .. } => VERSION_SERVABLE,
            Fact::VersionStored { .. } => VERSION_STORED,
            Fact::TriggerSent { .. } => TRIGGER_SENT,
            Fact::TriggerReceived { .. } => TRIGGER_RECEIVED,
            Fact::PollEnded { .. } => POLL_ENDED,
            Fact::AgentApplied { .. } => AGENT_APPLIED,
            Fact::PollPlanned { .. } => POLL_PLANNED,
            Fact::AgentBackedOff { .. } => AGENT_BACKED_OFF,
            Fact::WorkerStarted { .. } => WORKER_STARTED,
            Fact::WorkerApplied { .. } => WORKER_APPLIED,
            Fact::TickDone { .. } => TICK_DONE,
            Fact::TickFailed { .. } => TICK_FAILED,
        }
    }

    fn value(&self) -> u64 {
        match self {
            Fact::ChangeIntended | Fact::ControllerAsked | Fact::WorkerStarted { .. } => 0,
            Fact::TryEnded { end } => *end as u64,
            Fact::ChangeEnded { end } => *end as u64,
            Fact::PollEnded { status, .. } => u64::from(*status),
            Fact::PollPlanned { at_ns, .. } => *at_ns,
            Fact::AgentBackedOff { pause_ns, .. } => *pause_ns,
            Fact::ControllerStarted { newest } => *newest,
            Fact::VersionShipped { version, .. }
            | Fact::WriteBegun { version, .. }
            | Fact::VersionServable { version, .. }
            | Fact::VersionStored { version }
            | Fact::TriggerSent { version }
            | Fact::TriggerReceived { version }
            | Fact::AgentApplied { version, .. }
            | Fact::WorkerApplied { version, .. }
            | Fact::TickDone { version, .. }
            | Fact::TickFailed { version, .. } => *version,
        }
    }
}
