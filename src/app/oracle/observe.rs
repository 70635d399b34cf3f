//! What a snapshot has of an oracle: its nodes, its newest request, its broker.

use crate::app::snapshot::{
    BrokerView, MessageKind, MessageView, NodeView, RequestView, Role, Settings, Snapshot, TaskView,
    WorkerState,
};
use crate::kernel::Instant;
use crate::lab::{self, Run};
use crate::net::{Effect, Net, NodeId, Payload, Target};
use crate::systems::oracle::log::{RequestEntry, TaskEnd, TaskEntry};
use crate::systems::oracle::{Oracle, Params};
use std::rc::Rc;

/// An oracle's nodes, its newest request, its settings.
pub(super) fn observe(run: &Run, snapshot: &mut Snapshot) {
    let Some(oracle) = lab::oracle::of(run.system()) else {
        return;
    };
    let log = oracle.log();
    let newest = log.requests().iter().rev().find(|request| request.opened_at.is_some());
    let newest_failed = || log.requests().back().filter(|request| request.error.is_some());
    let names = Names::of(run.net(), oracle);
    let shown = newest.or_else(newest_failed);
    snapshot.request = shown.map(|entry| RequestView::of(entry, &names, oracle.broker().is_some()));
    snapshot.nodes = nodes(run.net(), oracle, newest, names);
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

fn broker_view(oracle: &Oracle, broker: NodeId, newest: Option<&RequestEntry>) -> BrokerView {
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

/// The names of all nodes, for finding them. A worker's name has its number in it, so the place where it should be is
/// looked at before the map is asked: with a thousand workers, hashing took most of a snapshot's time.
struct Names<'a> {
    net: &'a Net,
    /// By node number − 1.
    all: Vec<Rc<str>>,
    /// The number of the first worker's node.
    first_worker: usize,
}

impl<'a> Names<'a> {
    fn of(net: &'a Net, oracle: &Oracle) -> Self {
        let first_worker = oracle.workers().first().map_or(0, |node| node.0 as usize);
        Names { net, all: net.nodes().map(|id| net.name(id)).collect(), first_worker }
    }

    /// The node of a name, which is likely the worker at `index`: who registers in order is asked in order.
    fn find_near(&self, index: usize, name: &str) -> Option<NodeId> {
        let number = self.first_worker + index;
        let likely = self.all.get(number.wrapping_sub(1)).is_some_and(|there| **there == *name);
        if likely { Some(NodeId(number as u32)) } else { self.find(name) }
    }

    fn find(&self, name: &str) -> Option<NodeId> {
        let number = name.strip_prefix("w-").and_then(|digits| digits.parse::<u16>().ok()).unwrap_or(0);
        let node = self.first_worker + usize::from(number);
        // Workers are counted from 1, and so are nodes.
        match node.checked_sub(2).and_then(|index| self.all.get(index)) {
            Some(there) if **there == *name => Some(NodeId(node as u32 - 1)),
            _ => self.net.find(name),
        }
    }
}

fn nodes(net: &Net, oracle: &Oracle, newest: Option<&RequestEntry>, names: Names) -> Vec<NodeView> {
    // By node number; a registered name that is no node's has no place here.
    let mut known = vec![Known::default(); names.all.len() + 1];
    let mut note = |index: usize, name: &str, note: &dyn Fn(&mut Known)| {
        if let Some(id) = names.find_near(index, name) {
            note(&mut known[id.0 as usize]);
        }
    };
    let log = oracle.log();
    oracle.look_at_registry(|entries| {
        for (i, entry) in entries.iter().enumerate() {
            note(i, &entry.id, &|known| known.score = Some(entry.history.score()));
        }
    });
    for (i, task) in newest.iter().flat_map(|request| request.tasks.iter().enumerate()) {
        note(i, &task.worker, &|known| (known.end, known.lied) = (Some(task.end), task.lying));
    }
    for request in log.requests().iter().rev().take(LAST_VALUES_FROM) {
        for (i, task) in request.tasks.iter().enumerate().filter(|(_, task)| task.value.is_some()) {
            note(i, &task.worker, &|known| known.last_value = known.last_value.or(task.value));
        }
    }
    let rules = net.rules();
    let first_worker = oracle.workers().first().map_or(u32::MAX, |node| node.0);
    let view = |(id, name): (NodeId, Rc<str>)| {
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
            name: name.to_string(),
        }
    };
    net.nodes().zip(names.all).map(view).collect()
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
    fn of(entry: &RequestEntry, names: &Names, has_broker: bool) -> Self {
        let ms = |at: Option<Instant>| at.map(Instant::as_millis_f64);
        let took = |ended: Option<Instant>| Some(ended?.since(entry.opened_at?).as_millis_f64());
        let tasks = entry.tasks.iter().enumerate().map(|(i, task)| TaskView {
            worker: task.worker.clone(),
            end: task.end,
            took_ms: match task.end {
                TaskEnd::Late if has_broker => took(task.late_at),
                _ => took(task.ended_at),
            },
            value: task.value,
            err: task.err.clone(),
            lied: task.lying,
            node: names.find_near(i, &task.worker).map_or(0, |node| node.0),
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
