//! One moment of a run as plain data: all that a picture, a table or a script needs, and nothing else.

use crate::kernel::Instant;
use crate::lab::SystemKind;
use crate::lab::fault::Fault;
use crate::lab::oracle::tally::Summary;
use crate::lab::oracle::{Analysis, TaskEnd};
use crate::lab::params::Setting;
use crate::net::{Flight, Payload};
use crate::systems::oracle::fact::Failure;
use serde::Serialize;
use std::rc::Rc;

/// A moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Virtual time in milliseconds.
    pub vtime_ms: f64,
    /// Where the run ends.
    pub horizon_ms: f64,
    /// How many events there were.
    pub events: u64,
    /// The system that it is of.
    pub system: SystemKind,
    /// The nodes: console, client, coordinator, a broker if there is one, then the workers.
    pub nodes: Vec<NodeView>,
    /// The messages on their way.
    pub messages: Vec<MessageView>,
    /// The newest request that the coordinator has taken up.
    pub request: Option<RequestView>,
    /// The broker, in a system that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker: Option<BrokerView>,
    /// What a configuration system has besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<super::config::observe::ConfigView>,
    /// What only a Math Wizard has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wizard: Option<super::wizard::observe::WizardView>,
    /// Figures over the requests so far.
    pub summary: Summary,
    /// The parameters that pictures refer to.
    pub settings: Settings,
    /// All parameters, as they are set.
    #[serde(skip)]
    pub set: Rc<[Setting]>,
    /// The faults of the run: those on schedule, then those by hand.
    pub faults: Vec<FaultView>,
}

impl Snapshot {
    /// The nodes that have a row each, which come last: the workers, and the agents that some have.
    pub fn rows(&self) -> &[NodeView] {
        &self.nodes[self.nodes.partition_point(|node| !matches!(node.role, Role::Agent | Role::Worker))..]
    }
}

/// A broker now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BrokerView {
    /// Its node's number.
    pub node: u32,
    /// `core` or `jetstream`.
    pub transport: &'static str,
    /// `fanout` or `queue`.
    pub delivery: &'static str,
    /// Messages that its streams hold until they are acknowledged: tasks, results.
    pub stored: [u64; 2],
    /// The newest request's tasks and answers that were lost with it.
    pub lost: usize,
    /// The newest request's messages that it delivered again.
    pub redelivered: u32,
    /// Whether the coordinator and how many workers have a connection to it.
    pub connected: (bool, usize),
}

/// A fault of the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultView {
    /// Its kind's word: `crash`, `lie`, …
    pub kind: &'static str,
    /// What it is about, as in its specification: `w-04`, `coordinator~w-03`, `3?`.
    pub target: String,
    /// From when.
    pub from_ms: f64,
    /// Until when; `None` is for good.
    pub to_ms: Option<f64>,
    /// How much; 0 for a kind without a value.
    pub value: f64,
}

impl FaultView {
    /// A fault of a run.
    pub fn of(fault: &Fault) -> Self {
        FaultView {
            kind: fault.kind.name(),
            target: fault.target.to_string(),
            from_ms: fault.start.map_or(0.0, Instant::as_millis_f64),
            to_ms: fault.end.map(Instant::as_millis_f64),
            value: fault.value,
        }
    }

    /// Whether it holds at an instant.
    pub fn holds_at(&self, ms: f64) -> bool {
        self.from_ms <= ms && self.to_ms.is_none_or(|to| ms < to)
    }
}

/// The parameters that pictures refer to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// How long the coordinator waits.
    pub timeout_ms: f64,
    /// The most that a task takes by itself.
    pub delay_max_ms: f64,
    /// How answers are aggregated.
    pub strategy: String,
    /// How many workers there are.
    pub workers: u32,
    /// The probability that a task fails.
    pub fail: f64,
    /// The share of workers that lie from the start.
    pub lie: f64,
    /// The seed.
    pub seed: u64,
}

/// What a node does in its system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Where a person's own calls come from.
    Console,
    /// Makes the load.
    Client,
    /// Asks the workers.
    Coordinator,
    /// Keeps the versions of a configuration.
    Controller,
    /// Passes on messages.
    Broker,
    /// Fetches the configuration for its workers.
    Agent,
    /// Passes requests on.
    Gateway,
    /// Keeps what all share.
    Store,
    /// A process of a worker.
    Process,
    /// Answers.
    Worker,
}

/// What a worker's mark says: its state now if it is down, else its part in the newest request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerState {
    /// Has no part in the newest request.
    Idle,
    /// The request is on its way to it, or the answer on its way back.
    Asked,
    /// It works on the request.
    Working,
    /// Its answer came in time.
    InTime,
    /// Its answer came in time and is a lie.
    Lying,
    /// It failed.
    Failed,
    /// It did not answer in time.
    Late,
    /// The node is down.
    Down,
}

impl WorkerState {
    /// Its name in `data-state` and for a reader.
    pub const fn name(self) -> &'static str {
        match self {
            WorkerState::Idle => "idle",
            WorkerState::Asked => "asked",
            WorkerState::Working => "working",
            WorkerState::InTime => "in-time",
            WorkerState::Lying => "lying",
            WorkerState::Failed => "failed",
            WorkerState::Late => "late",
            WorkerState::Down => "down",
        }
    }
}

/// A node now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeView {
    /// Its number in the trace and in messages.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// Whether it runs.
    pub up: bool,
    /// Since when it has been down.
    pub down_since_ms: Option<f64>,
    /// For a worker: what its mark says.
    pub state: WorkerState,
    /// For a worker: by how much it lies.
    pub lie: Option<f64>,
    /// How many times as long its work takes.
    pub slow: f64,
    /// Whether some rule cuts it off from the coordinator, in either direction.
    pub cut: bool,
    /// Whether some rule loses messages of it.
    pub drops: bool,
    /// Whether the coordinator has it in its registry.
    pub registered: bool,
    /// The coordinator's reliability score.
    pub score: Option<f64>,
    /// For a worker: its last answer in time, over the requests that are kept.
    pub last_value: Option<f64>,
}

impl NodeView {
    /// What is to be said of it besides its state: since when it is down, how it lies, what is broken about it.
    pub fn remarks(&self) -> String {
        let mut remarks = String::new();
        if let Some(since) = self.down_since_ms {
            remarks += &format!(" since {:.1} s", since / 1000.0);
        }
        if let Some(bias) = self.lie {
            remarks += &format!(", lies by {:+.0} %", bias * 100.0);
        }
        if self.slow != 1.0 {
            remarks += &format!(", ×{} slow", self.slow);
        }
        for (holds, remark) in [
            (self.cut, ", cut off"),
            (self.drops, ", loses messages"),
            (!self.registered, ", not registered"),
        ] {
            if holds {
                remarks += remark;
            }
        }
        remarks
    }
}

/// What a message in flight looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// A question.
    Request,
    /// An answer with a status below 400.
    Answer,
    /// An answer with a status from 400 on.
    Error,
    /// A connection that was refused or reset.
    Refusal,
    /// The news that the caller has given up.
    Cancel,
}

/// A message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageView {
    /// The sender's number.
    pub from: u32,
    /// The receiver's number.
    pub to: u32,
    /// When it left.
    pub sent_ms: f64,
    /// When it arrives, or would.
    pub arrives_ms: f64,
    /// What it is.
    pub kind: MessageKind,
    /// The request's number; 0 for none.
    pub req: u64,
    /// It will not arrive.
    pub lost: bool,
}

impl MessageView {
    /// A message of a run.
    pub fn of(flight: &Flight) -> Self {
        MessageView {
            from: flight.from.0,
            to: flight.to.0,
            sent_ms: flight.sent_at.as_millis_f64(),
            arrives_ms: flight.arrives_at.as_millis_f64(),
            kind: match flight.payload {
                Payload::Request | Payload::Message => MessageKind::Request,
                Payload::Response(status) if status < 400 => MessageKind::Answer,
                Payload::Response(_) => MessageKind::Error,
                Payload::Refusal => MessageKind::Refusal,
                Payload::Cancel | Payload::Control => MessageKind::Cancel,
            },
            req: flight.req,
            lost: flight.lost,
        }
    }
}

/// A request and what each worker made of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestView {
    /// Its number.
    pub number: u64,
    /// Its id.
    pub id: String,
    /// What was asked.
    pub query: String,
    /// When the client wanted it.
    pub requested_ms: f64,
    /// When the coordinator asked the workers.
    pub opened_ms: Option<f64>,
    /// When its time is up.
    pub deadline_ms: Option<f64>,
    /// When the coordinator had its answer.
    pub closed_ms: Option<f64>,
    /// When the client had its answer, or knew that there is none.
    pub answered_ms: Option<f64>,
    /// One per worker asked, in registration order.
    pub tasks: Vec<TaskView>,
    /// The aggregate, as the client got it.
    pub final_value: Option<f64>,
    /// How far it can be relied upon.
    pub note: Option<String>,
    /// Why there is none.
    pub error: Option<Failure>,
    /// What the laboratory makes of the answers.
    pub analysis: Option<Analysis>,
    /// The true value.
    pub truth: f64,
}

/// A worker's part in a request.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskView {
    /// Its id in the registry.
    pub worker: String,
    /// What became of it.
    pub end: TaskEnd,
    /// From dispatch to arrival at the coordinator, or to the timeout. Over NATS an answer that is late arrives, too, and
    /// has no figure until it does.
    pub took_ms: Option<f64>,
    /// The value, if it came in time.
    pub value: Option<f64>,
    /// Why there is none, if it failed: the worker's own words, or `connection refused` and its kin.
    pub err: Option<String>,
    /// Whether the value was a lie when it was sent, which only the laboratory knows.
    pub lied: bool,
    /// The worker's node number; 0 for a registered name that is no node's.
    pub node: u32,
}
