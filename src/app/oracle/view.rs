//! What a snapshot has of an oracle: its newest request and what each worker made of it, its broker, its figures; and the
//! words of its nodes.

use crate::app::snapshot::{Role, Sign, State, SystemView};
use crate::kernel::SortedMap;
use crate::lab::oracle::tally::Summary;
use crate::lab::oracle::{Analysis, TaskEnd, as_map};
use crate::systems::oracle::fact::Failure;
use serde::Serialize;
use serde_json::Value;
use std::rc::Rc;

/// Asks the workers.
pub const COORDINATOR: Role = Role("coordinator");
/// Passes on messages.
pub const BROKER: Role = Role("broker");
/// Answers.
pub const WORKER: Role = Role("worker");

/// The request is on its way to it, or the answer on its way back.
pub const ASKED: State = State::new(Sign::Asked, "asked");
/// It works on the request.
pub const WORKING: State = State::new(Sign::Working, "working");
/// Its answer came in time.
pub const IN_TIME: State = State::new(Sign::InTime, "in time");
/// Its answer came in time and is a lie.
pub const LYING: State = State::new(Sign::Lying, "lying");
/// It failed.
pub const FAILED: State = State::new(Sign::Failed, "failed");
/// It was down when it was asked, and is not any more.
pub const WAS_DOWN: State = State::new(Sign::Failed, "was down");
/// It did not answer in time.
pub const LATE: State = State::new(Sign::Late, "late");

/// A moment of an oracle.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OracleView {
    /// The request that is kept in view: the newest that has ended, or one that is told still. Before the first has ended,
    /// the one that is under way.
    pub request: Option<Rc<RequestView>>,
    /// The newest request that the coordinator has taken up: what moves on the board is of it.
    pub newest: Option<Rc<RequestView>>,
    /// The newest that has ended, if any.
    #[serde(skip)]
    pub finished: Option<Rc<RequestView>>,
    /// The broker, in a system that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker: Option<BrokerView>,
    /// By how many per cent the last answers were off, newest first.
    #[serde(skip)]
    pub errors: Vec<f64>,
    /// The report that consumers read, where it is not made of every answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportView>,
    /// Figures over the requests so far, and how far they had come.
    pub summary: Rc<Summary>,
    /// How far the requests had come then.
    #[serde(skip)]
    pub summarised_at: (u64, u64),
    /// What the coordinator knows of each node, in the snapshot's order.
    #[serde(rename = "nodes")]
    pub known: Vec<Known>,
    /// What nodes said to the request that is kept in view, before one changed the past.
    #[serde(skip)]
    pub left: Vec<(u32, f64)>,
    /// The parameters that pictures refer to.
    #[serde(skip)]
    pub settings: Settings,
    /// Whether what only the laboratory knows is in all this.
    #[serde(skip)]
    pub truth: bool,
}

impl SystemView for OracleView {
    fn json(&self) -> Value {
        // Plain data cannot fail to be JSON.
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// What the coordinator knows of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Known {
    /// Whether it is in the registry.
    pub registered: bool,
    /// Its reliability score.
    pub score: Option<f64>,
    /// Its last answer in time, over the newest requests.
    pub last_value: Option<f64>,
    /// What became of it in the request that is kept in view.
    #[serde(skip)]
    pub kept: Sign,
    /// What it is doing in the newest.
    #[serde(skip)]
    pub live: Sign,
}

/// The parameters that pictures refer to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// How long the coordinator waits.
    pub timeout_ms: f64,
    /// The most that a task takes by itself.
    pub delay_max_ms: f64,
    /// How answers are aggregated.
    pub strategy: &'static str,
    /// How many workers there are.
    pub workers: u32,
}

/// The report that consumers read: not every answer becomes one.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportView {
    /// Its value.
    pub value: f64,
    /// The one before it.
    pub before: Option<f64>,
    /// The how-manieth it is.
    pub round: u64,
    /// The request whose answer it is.
    pub request: u64,
    /// How old it is.
    pub age_ms: f64,
    /// Whether it is too old to be used.
    pub stale: bool,
    /// How far it is from the truth as of the newest request.
    pub off: Option<f64>,
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
    pub lost: u32,
    /// The newest request's messages that it delivered again.
    pub redelivered: u32,
    /// Whether the coordinator and how many workers have a connection to it.
    pub connected: (bool, usize),
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
    /// What each strategy makes of the same answers.
    #[serde(serialize_with = "as_map")]
    pub counter_answers: SortedMap<String, f64>,
    /// The true value.
    pub truth: Option<f64>,
    /// What became of the workers in it.
    pub counts: Counts,
    /// How often something about it had changed when it was read.
    #[serde(skip)]
    pub changes: u32,
    /// The same for each, in the order of their rows, as it was when the request was over.
    #[serde(skip)]
    pub signs: Vec<Sign>,
    /// Its tasks and answers that were lost with the broker.
    #[serde(skip)]
    pub lost: u32,
    /// Its messages that the broker delivered again.
    #[serde(skip)]
    pub redelivered: u32,
    /// Whether it is the first for a while in which something of this kind happened.
    #[serde(skip)]
    pub first: First,
    /// Of the newest requests like this one, in how many the strategy that the answer is compared with was closer to the
    /// truth, and of how many.
    #[serde(skip)]
    pub closer: (u32, u32),
}

impl RequestView {
    /// What it is called where there is little room.
    pub fn short_id(&self) -> String {
        format!("r-{:04}", self.number)
    }
}

/// How many workers are in which state after a request: the figures of legend and caption.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Answered in time and honestly, as far as is known.
    pub in_time: u32,
    /// Answered in time with a lie.
    pub lying: u32,
    /// Did not answer in time.
    pub late: u32,
    /// Failed.
    pub failed: u32,
    /// Do not run.
    pub down: u32,
    /// Have not answered yet.
    pub open: u32,
    /// Were not asked.
    pub idle: u32,
}

impl Counts {
    /// The same with one more.
    pub fn with(mut self, sign: Sign) -> Self {
        *match sign {
            Sign::InTime => &mut self.in_time,
            Sign::Lying => &mut self.lying,
            Sign::Late => &mut self.late,
            Sign::Failed => &mut self.failed,
            Sign::Down => &mut self.down,
            Sign::Working | Sign::Asked => &mut self.open,
            Sign::Idle => &mut self.idle,
        } += 1;
        self
    }

    /// How many workers there are.
    pub fn all(&self) -> u32 {
        self.in_time + self.lying + self.late + self.failed + self.down + self.open + self.idle
    }

    /// How many answers came in time, honest ones and lies.
    pub fn answered(&self) -> u32 {
        self.in_time + self.lying
    }
}

/// What is new in a request: no earlier one of the newest had it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct First {
    /// A lie came in time.
    pub lie: bool,
    /// A worker refused the connection.
    pub refusal: bool,
    /// There is no answer.
    pub error: bool,
}

/// A worker's part in a request.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskView {
    /// Its id in the registry.
    pub worker: Rc<str>,
    /// What became of it.
    pub end: TaskEnd,
    /// From dispatch to arrival at the coordinator, or to the timeout. Over NATS an answer that is late arrives, too, and
    /// has no figure until it does.
    pub took_ms: Option<f64>,
    /// The value, if it came in time.
    pub value: Option<f64>,
    /// Why there is none, if it failed: the worker's own words, or `connection refused` and its kin.
    pub err: Option<Rc<str>>,
    /// Whether the value was a lie when it was sent, which only the laboratory knows.
    pub lied: bool,
    /// The worker's node number; 0 for a registered name that is no node's.
    pub node: u32,
}
