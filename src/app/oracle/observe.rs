//! What a snapshot has of an oracle: its nodes, its newest request, its broker.

use crate::app::snapshot::{
    BrokerView, MessageKind, MessageView, NodeView, RequestView, Role, Settings, Snapshot, TaskView,
    WorkerState,
};
use crate::kernel::Instant;
use crate::lab::oracle::{OracleRun, RequestEntry, TaskEnd, TaskEntry};
use crate::lab::{self, Run};
use crate::net::{Effect, Net, NodeId, Payload, Target};
use crate::systems::oracle::Params;

/// An oracle's nodes, its newest request, its settings.
pub(super) fn observe(run: &Run, snapshot: &mut Snapshot) {
    let Some(oracle) = lab::oracle::of(run.system()) else {
        return;
    };
    let (ledger, params) = (oracle.ledger(), oracle.params());
    let newest = ledger.requests().iter().rev().find(|request| request.opened_at.is_some());
    let newest_failed = || ledger.requests().back().filter(|request| request.error.is_some());
    let shown = newest.or_else(newest_failed);
    snapshot.request = shown.map(|entry| RequestView::of(entry, params));
    snapshot.nodes = nodes(run.net(), oracle, newest);
    let oracle = oracle.oracle();
    snapshot.settings = Settings::of(oracle.params(), run.scenario().seed);
    if let Some(broker) = oracle.broker() {
        snapshot.broker = Some(broker_view(oracle, broker, shown));
        // What flows back is an answer; what only keeps connections going is not what a picture is about.
        snapshot.messages = run
            .net()
            .in_flight()
            .iter()
            .filter_map(|flight| {
                let back = flight.to == oracle.coordinator()
                    || flight.to == broker && flight.from != oracle.coordinator();
                let mut view = MessageView::of(flight);
                match flight.payload {
                    Payload::Control => return None,
                    Payload::Message if back => view.kind = MessageKind::Answer,
                    _ => {}
                }
                Some(view)
            })
            .collect();
    }
}

fn broker_view(
    oracle: &crate::systems::oracle::Oracle,
    broker: NodeId,
    newest: Option<&RequestEntry>,
) -> BrokerView {
    let params = oracle.params();
    let is_lost = |task: &&TaskEntry| task.end == TaskEnd::Lost;
    BrokerView {
        node: broker.0,
        transport: params.transport.name(),
        delivery: params.delivery.name(),
        stored: oracle.stored(),
        lost: newest.map_or(0, |request| request.tasks.iter().filter(is_lost).count()),
        redelivered: newest.map_or(0, |request| request.redelivered),
        connected: oracle.connected(),
    }
}

fn nodes(net: &Net, run: &OracleRun, newest: Option<&RequestEntry>) -> Vec<NodeView> {
    let oracle = run.oracle();
    // By node number; a registered name that is no node's has the first place, and nobody looks there.
    let mut known = vec![Known::default(); net.nodes().count() + 1];
    let mut note =
        |node: u32, note: &dyn Fn(&mut Known)| known.get_mut(node as usize).into_iter().for_each(note);
    oracle.look_at_registry(|entry| {
        note(entry.member.node, &|known| known.score = Some(entry.history.score()));
    });
    for task in newest.iter().flat_map(|request| &request.tasks) {
        note(task.node, &|known| (known.end, known.lied) = (Some(task.end), task.lying));
    }
    for request in run.ledger().requests().iter().rev().take(LAST_VALUES_FROM) {
        for task in request.tasks.iter().filter(|task| task.value.is_some()) {
            note(task.node, &|known| known.last_value = known.last_value.or(task.value));
        }
    }
    let rules = net.rules();
    let first_worker = oracle.workers().first().map_or(u32::MAX, |node| node.0);
    let view = |id: NodeId| {
        let known = known[id.0 as usize];
        let role = if id == oracle.client() {
            Role::Client
        } else if id == oracle.coordinator() {
            Role::Coordinator
        } else if Some(id) == oracle.broker() {
            Role::Broker
        } else if id.0 >= first_worker {
            Role::Worker
        } else {
            Role::Console
        };
        let down_since = net.down_since(id).filter(|_| role != Role::Console);
        let (lie, busy) = match role {
            Role::Worker => (oracle.lie_of(id), oracle.busy((id.0 - first_worker) as usize)),
            _ => (None, 0),
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
                TaskEnd::InTime if known.lied => WorkerState::Lying,
                TaskEnd::InTime => WorkerState::InTime,
                TaskEnd::Failed | TaskEnd::Lost => WorkerState::Failed,
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
            // Over NATS there is nothing to register with.
            registered: known.score.is_some() || oracle.broker().is_some(),
            score: known.score,
            last_value: known.last_value,
            name: net.name(id).to_string(),
        }
    };
    net.nodes().map(view).collect()
}

/// What is known of a node besides the network's own view.
#[derive(Clone, Copy, Default)]
struct Known {
    end: Option<TaskEnd>,
    lied: bool,
    score: Option<f64>,
    last_value: Option<f64>,
}

/// A worker's last answer is looked for in so many of the newest requests.
const LAST_VALUES_FROM: usize = 8;

impl RequestView {
    fn of(entry: &RequestEntry, params: &Params) -> Self {
        let ms = |at: Option<Instant>| at.map(Instant::as_millis_f64);
        let took = |ended: Option<Instant>| Some(ended?.since(entry.opened_at?).as_millis_f64());
        let tasks = entry.tasks.iter().map(|task| TaskView {
            worker: task.worker.to_string(),
            end: task.end,
            took_ms: match task.end {
                TaskEnd::Late if params.has_broker() => took(task.late_at),
                _ => took(task.ended_at),
            },
            value: task.value,
            err: task.err.as_deref().map(str::to_owned),
            lied: task.lying,
            node: task.node,
        });
        RequestView {
            number: entry.number,
            id: format!("req-{:05}", entry.number),
            query: entry.query.to_string(),
            requested_ms: entry.requested_at.as_millis_f64(),
            opened_ms: ms(entry.opened_at),
            deadline_ms: ms(entry.deadline),
            closed_ms: ms(entry.closed_at),
            answered_ms: ms(entry.answered_at),
            tasks: tasks.collect(),
            final_value: entry.result.as_ref().map(|result| result.final_value),
            note: entry.result.as_ref().map(|result| result.reliability_note.to_string()),
            error: entry.error.clone(),
            analysis: entry.analysis(params).cloned(),
            truth: entry.truth,
        }
    }
}

impl Settings {
    fn of(params: &Params, seed: u64) -> Self {
        Settings {
            workers: params.workers,
            fail: params.fail,
            lie: params.lie,
            seed,
            timeout_ms: params.timeout.as_millis_f64(),
            delay_max_ms: params.delay_max.as_millis_f64(),
            strategy: params.strategy.name().to_owned(),
        }
    }
}
