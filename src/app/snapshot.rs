//! One moment of a run as plain data: all that a picture, a table or a script needs, and nothing else.

use crate::kernel::Instant;
use crate::lab::Run;
use crate::lab::fault::Fault;
use crate::lab::metrics::Summary;
use crate::net::{Effect, Net, NodeId, Payload, Target};
use crate::systems::oracle::Oracle;
use crate::systems::oracle::log::{Analysis, Failure, RequestEntry, TaskEnd};
use serde::Serialize;

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
    /// The nodes: console, client, coordinator, then the workers.
    pub nodes: Vec<NodeView>,
    /// The messages on their way.
    pub messages: Vec<MessageView>,
    /// The newest request that the coordinator has taken up.
    pub request: Option<RequestView>,
    /// Figures over the requests so far.
    pub summary: Summary,
    /// The parameters that pictures refer to.
    pub settings: Settings,
    /// The faults of the run: those on schedule, then those by hand.
    pub faults: Vec<FaultView>,
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
    /// Whether it holds at an instant.
    pub fn holds_at(&self, ms: f64) -> bool {
        self.from_ms <= ms && self.to_ms.is_none_or(|to| ms < to)
    }
}

/// The parameters that pictures refer to.
#[derive(Clone, Debug, PartialEq, Serialize)]
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

impl Settings {
    fn of(run: &Run) -> Self {
        let params = run.oracle().params();
        Settings {
            workers: params.workers,
            fail: params.fail,
            lie: params.lie,
            seed: run.scenario().seed,
            timeout_ms: params.timeout.as_millis_f64(),
            delay_max_ms: params.delay_max.as_millis_f64(),
            strategy: params.strategy.name().to_owned(),
        }
    }
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
    /// From dispatch to arrival at the coordinator, or to the timeout.
    pub took_ms: Option<f64>,
    /// The value, if it came in time.
    pub value: Option<f64>,
    /// Why there is none, if it failed: the worker's own words, or `connection refused` and its kin.
    pub err: Option<String>,
    /// The worker's node number; 0 for a registered name that is no node's.
    pub node: u32,
}

impl Snapshot {
    /// This moment of a run.
    pub(super) fn of(run: &Run, summary: Summary) -> Self {
        let (net, oracle) = (run.net(), run.oracle());
        let log = oracle.log();
        let newest = log.requests().iter().rev().find(|request| request.opened_at.is_some());
        let newest_failed = || log.requests().back().filter(|request| request.error.is_some());
        let messages: Vec<MessageView> = net.in_flight().iter().map(message).collect();
        Snapshot {
            vtime_ms: run.now().as_millis_f64(),
            horizon_ms: run.horizon().as_millis_f64(),
            events: run.events(),
            nodes: nodes(net, oracle, newest),
            messages,
            request: newest.or_else(newest_failed).map(|entry| RequestView::of(entry, net)),
            settings: Settings::of(run),
            faults: run.faults().map(fault).collect(),
            summary,
        }
    }
}

fn fault(fault: &Fault) -> FaultView {
    FaultView {
        kind: fault.kind.name(),
        target: fault.target.to_string(),
        from_ms: fault.start.map_or(0.0, Instant::as_millis_f64),
        to_ms: fault.end.map(Instant::as_millis_f64),
        value: fault.value,
    }
}

fn message(flight: &crate::net::Flight) -> MessageView {
    MessageView {
        from: flight.from.0,
        to: flight.to.0,
        sent_ms: flight.sent_at.as_millis_f64(),
        arrives_ms: flight.arrives_at.as_millis_f64(),
        kind: match flight.payload {
            Payload::Request => MessageKind::Request,
            Payload::Response(status) if status < 400 => MessageKind::Answer,
            Payload::Response(_) => MessageKind::Error,
            Payload::Refusal => MessageKind::Refusal,
            Payload::Cancel => MessageKind::Cancel,
        },
        req: flight.req,
        lost: flight.lost,
    }
}

fn nodes(net: &Net, oracle: &Oracle, newest: Option<&RequestEntry>) -> Vec<NodeView> {
    // By node number; a registered name that is no node's has no place here.
    let mut known = vec![Known::default(); net.nodes().count() + 1];
    let mut note = |name: &str, note: &dyn Fn(&mut Known)| {
        if let Some(id) = net.find(name) {
            note(&mut known[id.0 as usize]);
        }
    };
    let log = oracle.log();
    for entry in oracle.registry() {
        note(&entry.id, &|known| known.score = Some(entry.history.score()));
    }
    for task in newest.iter().flat_map(|request| &request.tasks) {
        note(&task.worker, &|known| known.end = Some(task.end));
    }
    for task in log.requests().iter().rev().take(LAST_VALUES_FROM).flat_map(|request| &request.tasks) {
        note(&task.worker, &|known| known.last_value = known.last_value.or(task.value));
    }
    let rules = net.rules();
    let first_worker = oracle.workers().first().map_or(u32::MAX, |node| node.0);
    let view = |id: NodeId| {
        let (name, known) = (net.name(id), known[id.0 as usize]);
        let role = if id == oracle.client() {
            Role::Client
        } else if id == oracle.coordinator() {
            Role::Coordinator
        } else if id.0 >= first_worker {
            Role::Worker
        } else {
            Role::Console
        };
        let down_since = net.down_since(id).filter(|_| role != Role::Console);
        let (lie, busy) = match role {
            Role::Worker => (oracle.lie_of(id), oracle.busy((id.0 - first_worker) as usize)),
            Role::Console | Role::Client | Role::Coordinator => (None, 0),
        };
        let touches = |target: Target| match target {
            Target::Node(node) => node == id,
            Target::Both(a, b) | Target::OneWay(a, b) => id == a || id == b,
        };
        let cut = rules.iter().any(|rule| rule.effect == Effect::Cut && touches(rule.target));
        let drops = rules.iter().any(|rule| matches!(rule.effect, Effect::Drop(_)) && touches(rule.target));
        let state = match (down_since, known.end) {
            (Some(_), _) => WorkerState::Down,
            (None, None) => WorkerState::Idle,
            (None, Some(end)) => match end {
                TaskEnd::Pending if busy > 0 => WorkerState::Working,
                TaskEnd::Pending => WorkerState::Asked,
                TaskEnd::InTime if lie.is_some() => WorkerState::Lying,
                TaskEnd::InTime => WorkerState::InTime,
                TaskEnd::Failed => WorkerState::Failed,
                TaskEnd::Late => WorkerState::Late,
            },
        };
        NodeView {
            id: id.0,
            role,
            up: down_since.is_none(),
            down_since_ms: down_since.map(Instant::as_millis_f64),
            state,
            lie,
            slow: net.slowdown(id),
            cut,
            drops,
            registered: known.score.is_some(),
            score: known.score,
            last_value: known.last_value,
            name,
        }
    };
    net.nodes().map(view).collect()
}

/// What is known of a node besides the network's own view.
#[derive(Clone, Copy, Default)]
struct Known {
    end: Option<TaskEnd>,
    score: Option<f64>,
    last_value: Option<f64>,
}

/// A worker's last answer is looked for in so many of the newest requests.
const LAST_VALUES_FROM: usize = 8;

impl RequestView {
    fn of(entry: &RequestEntry, net: &Net) -> Self {
        let ms = |at: Option<Instant>| at.map(Instant::as_millis_f64);
        let took = |ended: Option<Instant>| Some(ended?.since(entry.opened_at?).as_millis_f64());
        let tasks = entry.tasks.iter().map(|task| TaskView {
            worker: task.worker.clone(),
            end: task.end,
            took_ms: took(task.ended_at),
            value: task.value,
            err: task.err.clone(),
            node: net.find(&task.worker).map_or(0, |node| node.0),
        });
        RequestView {
            number: entry.number,
            id: format!("req-{:05}", entry.number),
            query: entry.query.clone(),
            requested_ms: entry.requested_at.as_millis_f64(),
            opened_ms: ms(entry.opened_at),
            deadline_ms: ms(entry.deadline),
            closed_ms: ms(entry.closed_at),
            answered_ms: ms(entry.answered_at),
            tasks: tasks.collect(),
            final_value: entry.result.as_ref().map(|result| result.final_value),
            note: entry.result.as_ref().map(|result| result.reliability_note.clone()),
            error: entry.error.clone(),
            analysis: entry.analysis.clone(),
            truth: crate::systems::oracle::truth::base(&entry.query),
        }
    }
}
