//! What a snapshot has of an oracle: its newest request and what each worker made of it, its broker, its figures; and the
//! words of its nodes.

use crate::app::snapshot::{Role, Sign, State, SystemView};
use crate::lab::oracle::tally::Summary;
use crate::lab::oracle::{Analysis, TaskEnd};
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
/// It did not answer in time.
pub const LATE: State = State::new(Sign::Late, "late");

/// A moment of an oracle.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OracleView {
    /// The newest request that the coordinator has taken up.
    pub request: Option<RequestView>,
    /// The broker, in a system that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker: Option<BrokerView>,
    /// Figures over the requests so far, and how far they had come.
    pub summary: Rc<Summary>,
    /// How far the requests had come then.
    #[serde(skip)]
    pub summarised_at: (u64, u64),
    /// What the coordinator knows of each node, in the snapshot's order.
    #[serde(rename = "nodes")]
    pub known: Vec<Known>,
    /// The parameters that pictures refer to.
    #[serde(skip)]
    pub settings: Settings,
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
