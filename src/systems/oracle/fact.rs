//! What happens in an oracle and anybody outside may want to know: the only thing that its roles tell.
//!
//! A fact belongs to the request whose number its record carries. Of a request that reaches the coordinator twice there
//! are two handlings; each is named by the number of its `RequestOpened`, which what follows from it carries.

use super::messages::{OracleResult, WorkerResult, go_duration};
use super::registry::Member;
use super::report::Cause;
use crate::kernel::{Duration, Kind};
use crate::substrate::body::Json;
use crate::systems::facts;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// A client wants an answer; its latency counts from here.
pub const REQUEST_INTENDED: Kind = Kind::new("request_intended");
/// The coordinator takes up a request; the value is the number of workers that it asks.
pub const REQUEST_OPENED: Kind = Kind::new("request_opened");
/// The coordinator has a worker's answer in time; the peer is the worker, the value that of the answer, as the bits of a
/// float, or 0 for an error.
pub const ANSWER_TAKEN: Kind = Kind::new("answer_taken");
/// The coordinator has its answer; the value is the aggregate, as the bits of a float.
pub const REQUEST_AGGREGATED: Kind = Kind::new("request_aggregated");
/// The coordinator has no answer to give; the value is the status.
pub const REQUEST_FAILED: Kind = Kind::new("request_failed");
/// A client has its answer; the value is the aggregate, as the bits of a float.
pub const REQUEST_ANSWERED: Kind = Kind::new("request_answered");
/// A client knows that it gets no answer; the value is the status, 0 without a response.
pub const REQUEST_UNANSWERED: Kind = Kind::new("request_unanswered");
/// A client is told to come back, and will send its request again; the value is the nanoseconds until then.
pub const REQUEST_BACKED_OFF: Kind = Kind::new("request_backed_off");
/// A client has failed, and will send its request again; the value is the status of the failure, 0 without a response.
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
pub const REQUEST_RETRIED: Kind = Kind::new("request_retried");
/// An aggregate is published as the report of its query; the value is the aggregate, as the bits of a float.
pub const REPORT_PUBLISHED: Kind = Kind::new("report_published");
/// A worker has got a task from the broker; the value is the delivery's number, from 1.
pub const TASK_RECEIVED: Kind = Kind::new("task_received");
/// A worker begins a task; the value is the nanoseconds that it will take.
pub const TASK_STARTED: Kind = Kind::new("task_started");
/// A worker has a value, as the bits of a float.
pub const TASK_DONE: Kind = Kind::new("task_done");
/// A worker failed.
pub const TASK_FAILED: Kind = Kind::new("task_failed");
/// A worker has handed its result over to its connection with the broker.
pub const RESULT_SENT: Kind = Kind::new("result_sent");
/// A result came when its request was closed, and is dropped; the peer is the worker.
pub const RESULT_DROPPED: Kind = Kind::new("result_dropped");
/// What was on its way through a broker that keeps nothing is gone: it went down.
pub const MESSAGES_LOST: Kind = Kind::new("messages_lost");
/// A role that starts finds no broker.
pub const BROKER_MISSING: Kind = Kind::new("broker_missing");
/// The coordinator adds a worker to its registry.
pub const WORKER_REGISTERED: Kind = Kind::new("worker_registered");
/// The coordinator removes a worker at its own wish.
pub const WORKER_DEREGISTERED: Kind = Kind::new("worker_deregistered");
/// The coordinator removes a worker that was silent for too long.
pub const WORKER_EVICTED: Kind = Kind::new("worker_evicted");
/// A worker begins to lie; the value is the bias, as the bits of a float.
pub const LIE_STARTED: Kind = Kind::new("lie_started");
/// A worker ends lying.
pub const LIE_ENDED: Kind = Kind::new("lie_ended");

/// Something that happened. Each variant is told by the role that it happened to; its kind says more.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// Told by the client, or by the console.
    RequestIntended {
        /// What it wants to know.
        query: Rc<str>,
        /// How long it waits at most.
        #[serde(with = "go_duration")]
        limit: Duration,
    },
    /// Told by the coordinator. Its number names the handling that begins here.
    RequestOpened {
        /// What is asked.
        query: Rc<str>,
        /// Who is.
        asked: Asked,
    },
    /// Told by the coordinator.
    AnswerTaken {
        /// The handling that waited for it.
        handling: u64,
        /// Its worker's place among those asked; over NATS the how-manieth answer it is, from 0.
        place: u32,
        /// The worker's node; 0 for a registered name that is no node's.
        worker: u32,
        /// The answer as the coordinator takes it; with an error it is none.
        result: WorkerResult,
    },
    /// Told by the coordinator, and caused by the answers used.
    RequestAggregated {
        /// The aggregate.
        value: f64,
        /// What it is made of.
        closing: Closing,
    },
    /// Told by the coordinator, and caused by the answers that were no use.
    RequestFailed {
        /// The status that it answers with.
        status: u16,
        /// The code of its structured error.
        code: &'static str,
        /// The client's node, if that is why; 0 otherwise.
        client: u32,
        /// What came of the workers; `None` when there was nobody to ask.
        closing: Option<Closing>,
    },
    /// Told by the client, or by the console.
    RequestAnswered {
        /// What it got.
        result: Json<OracleResult>,
    },
    /// Told by the client, or by the console.
    RequestUnanswered {
        /// Why.
        failure: Failure,
    },
    /// Told by the client, which sends its request again.
    RequestBackedOff {
        /// After so long.
        #[serde(with = "go_duration")]
        after: Duration,
    },
    /// Told by the client, which sends its request again.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    RequestRetried {
        /// Why.
        failure: Failure,
        /// After so long.
        #[serde(with = "go_duration")]
        after: Duration,
    },
    /// Told by the coordinator.
    ReportPublished {
        /// The query.
        query: Rc<str>,
        /// The value.
        value: f64,
        /// Why.
        cause: Cause,
        /// The how-manieth of its query, from 1.
        round: u64,
    },
    /// Told by a worker, over NATS.
    TaskReceived {
        /// The delivery's number as JetStream counts it, from 1.
        delivery: u32,
    },
    /// Told by a worker.
    TaskStarted {
        /// How long it will take.
        #[serde(with = "go_duration")]
        delay: Duration,
    },
    /// Told by a worker.
    TaskDone {
        /// What it answers.
        value: f64,
        /// Whether it says so to mislead.
        lie: bool,
    },
    /// Told by a worker.
    TaskFailed {
        /// How long it took.
        #[serde(with = "go_duration")]
        delay: Duration,
    },
    /// Told by a worker, over NATS.
    ResultSent,
    /// Told by the coordinator, over NATS: its request was closed.
    ResultDropped {
        /// The worker's node; 0 for a name that is no node's.
        worker: u32,
    },
    /// Told when the broker has been down for so long that its clients must know.
    MessagesLost,
    /// Told by whoever starts and finds no broker; it goes on trying.
    BrokerMissing,
    /// Told by the coordinator.
    WorkerRegistered(Member),
    /// Told by the coordinator.
    WorkerDeregistered(Member),
    /// Told by the coordinator.
    WorkerEvicted(Member),
    /// Told when somebody makes a worker lie.
    LieStarted {
        /// By how much, relative to the value.
        bias: f64,
    },
    /// Told when somebody makes it honest again.
    LieEnded,
}

/// Whom a coordinator asks.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// The workers in its registry, in the order of registration; there may be none.
    Members(Rc<[Member]>),
    /// Whoever listens to a subject. Only the laboratory knows who does; by presence the coordinator knows who should.
    Subject,
}

/// What a coordinator has of the workers when it answers a request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Closing {
    /// The handling that ends here.
    pub handling: u64,
    /// One result for each worker asked; over NATS one for each answer, in the order in which they came.
    pub responses: Rc<[WorkerResult]>,
    /// The reliability score of each of them before these answers: its weight.
    pub weights: Rc<[f64]>,
}

/// Why a client got no answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The HTTP status; 0 when there was no response at all.
    pub status: u16,
    /// The code of the structured error, or `refused`, `reset`, `timed_out`.
    pub code: String,
    /// In words.
    pub message: String,
}

impl facts::Fact for Fact {
    fn kind(&self) -> Kind {
        match self {
            Fact::RequestIntended { .. } => REQUEST_INTENDED,
            Fact::RequestOpened { .. } => REQUEST_OPENED,
            Fact::AnswerTaken { .. } => ANSWER_TAKEN,
            Fact::RequestAggregated { .. } => REQUEST_AGGREGATED,
            Fact::RequestFailed { .. } => REQUEST_FAILED,
            Fact::RequestAnswered { .. } => REQUEST_ANSWERED,
            Fact::RequestUnanswered { .. } => REQUEST_UNANSWERED,
            Fact::RequestBackedOff { .. } => REQUEST_BACKED_OFF,
            #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
            Fact::RequestRetried { .. } => REQUEST_RETRIED,
            Fact::ReportPublished { .. } => REPORT_PUBLISHED,
            Fact::TaskReceived { .. } => TASK_RECEIVED,
            Fact::TaskStarted { .. } => TASK_STARTED,
            Fact::TaskDone { .. } => TASK_DONE,
            Fact::TaskFailed { .. } => TASK_FAILED,
            Fact::ResultSent => RESULT_SENT,
            Fact::ResultDropped { .. } => RESULT_DROPPED,
            Fact::MessagesLost => MESSAGES_LOST,
            Fact::BrokerMissing => BROKER_MISSING,
            Fact::WorkerRegistered(_) => WORKER_REGISTERED,
            Fact::WorkerDeregistered(_) => WORKER_DEREGISTERED,
            Fact::WorkerEvicted(_) => WORKER_EVICTED,
            Fact::LieStarted { .. } => LIE_STARTED,
            Fact::LieEnded => LIE_ENDED,
        }
    }

    fn peer(&self) -> u32 {
        match self {
            Fact::AnswerTaken { worker, .. } | Fact::ResultDropped { worker } => *worker,
            Fact::RequestFailed { client, .. } => *client,
            Fact::WorkerRegistered(member)
            | Fact::WorkerDeregistered(member)
            | Fact::WorkerEvicted(member) => member.node,
            _ => 0,
        }
    }

    fn value(&self) -> u64 {
        match self {
            Fact::RequestOpened { asked: Asked::Members(members), .. } => members.len() as u64,
            Fact::AnswerTaken { result, .. } => result.value.to_bits(),
            Fact::RequestAggregated { value, .. }
            | Fact::ReportPublished { value, .. }
            | Fact::TaskDone { value, .. }
            | Fact::LieStarted { bias: value } => value.to_bits(),
            Fact::RequestFailed { status, .. } => u64::from(*status),
            Fact::RequestAnswered { result } => result.final_value.to_bits(),
            Fact::RequestUnanswered { failure } => u64::from(failure.status),
            #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
            Fact::RequestRetried { failure, .. } => u64::from(failure.status),
            Fact::TaskReceived { delivery } => u64::from(*delivery),
            Fact::TaskStarted { delay }
            | Fact::TaskFailed { delay }
            | Fact::RequestBackedOff { after: delay } => delay.as_nanos(),
            _ => 0,
        }
    }
}
