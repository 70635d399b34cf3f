//! What a snapshot has of an oracle, read off its run: nodes, newest request, broker.

use super::view::{
    ASKED, BROKER, BrokerView, COORDINATOR, FAILED, IN_TIME, Known, LATE, LYING, OracleView, RequestView,
    Settings, TaskView, WORKER, WORKING,
};
use crate::app::face::{self, Observed};
use crate::app::snapshot::{MessageKind, MessageView, NodeView, Role, State, Watch};
use crate::kernel::Instant;
use crate::lab::oracle::{OracleRun, RequestEntry, TaskEnd, TaskEntry};
use crate::lab::{self, Run};
use crate::net::{NodeId, Payload};
use crate::systems::oracle::{Oracle, Params};
use std::rc::Rc;

/// A worker's last answer is looked for in so many of the newest requests.
const LAST_VALUES_FROM: usize = 8;

/// An oracle's nodes, its newest request, its broker.
pub(super) fn observe(run: &Run, before: Option<&OracleView>) -> Option<Observed<OracleView>> {
    let oracle = lab::oracle::of(run.system())?;
    let (ledger, params) = (oracle.ledger(), oracle.params());
    let newest = ledger.requests().iter().rev().find(|request| request.opened_at.is_some());
    let newest_failed = || ledger.requests().back().filter(|request| request.error.is_some());
    let shown = newest.or_else(newest_failed);
    let progress = run.system().progress();
    // Figures change only when a request does.
    let known = before.filter(|before| before.summarised_at == progress);
    let summary =
        known.map_or_else(|| Rc::new(oracle.tally().summary()), |before| Rc::clone(&before.summary));
    let (nodes, known) = nodes(run, oracle, newest);
    let broker = oracle.oracle().broker();
    Some(Observed {
        rows_from: nodes.partition_point(|node| node.role != WORKER),
        nodes,
        messages: match broker {
            Some(broker) => messages(run, oracle.oracle(), broker),
            None => face::messages(run),
        },
        view: OracleView {
            request: shown.map(|entry| RequestView::of(entry, params)),
            broker: broker.map(|broker| broker_view(oracle.oracle(), broker, shown)),
            summary,
            summarised_at: progress,
            known,
            settings: Settings {
                timeout_ms: params.timeout.as_millis_f64(),
                delay_max_ms: params.delay_max.as_millis_f64(),
                strategy: params.strategy.name(),
                workers: params.workers,
            },
        },
    })
}

/// What flows back is an answer; what only keeps connections going is not what a picture is about.
fn messages(run: &Run, oracle: &Oracle, broker: NodeId) -> Vec<MessageView> {
    let flights = run.net().in_flight();
    let views = flights.iter().filter_map(|flight| {
        let back =
            flight.to == oracle.coordinator() || flight.to == broker && flight.from != oracle.coordinator();
        let mut view = MessageView::of(flight);
        match flight.payload {
            Payload::Control => return None,
            Payload::Message if back => view.kind = MessageKind::Answer,
            _ => {}
        }
        Some(view)
    });
    views.collect()
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

/// The nodes, and what the coordinator knows of each.
fn nodes(run: &Run, of: &OracleRun, newest: Option<&RequestEntry>) -> (Vec<NodeView>, Vec<Known>) {
    let (net, oracle) = (run.net(), of.oracle());
    // By node number; a registered name that is no node's has the first place, and nobody looks there.
    let count = net.nodes().count() + 1;
    // Over NATS there is nothing to register with.
    let registered = oracle.broker().is_some();
    let mut known = vec![Known { registered, ..Known::default() }; count];
    let mut parts = vec![None; count];
    oracle.look_at_registry(|entry| {
        if let Some(known) = known.get_mut(entry.member.node as usize) {
            (known.registered, known.score) = (true, Some(entry.history.score()));
        }
    });
    for task in newest.iter().flat_map(|request| &request.tasks) {
        if let Some(part) = parts.get_mut(task.node as usize) {
            *part = Some((task.end, task.lying));
        }
    }
    for request in of.ledger().requests().iter().rev().take(LAST_VALUES_FROM) {
        for task in request.tasks.iter().filter(|task| task.value.is_some()) {
            if let Some(known) = known.get_mut(task.node as usize) {
                known.last_value = known.last_value.or(task.value);
            }
        }
    }
    let first_worker = oracle.workers().first().map_or(u32::MAX, |node| node.0);
    let watch = Watch::of(run);
    let view = |id: NodeId| {
        let role = match id {
            _ if id == oracle.client() => Role::CLIENT,
            _ if id == oracle.coordinator() => COORDINATOR,
            _ if Some(id) == oracle.broker() => BROKER,
            _ if id.0 >= first_worker => WORKER,
            _ => Role::CONSOLE,
        };
        let works = || role == WORKER && oracle.busy((id.0 - first_worker) as usize) > 0;
        let state = match parts[id.0 as usize] {
            None => State::IDLE,
            Some((TaskEnd::Pending, _)) if works() => WORKING,
            Some((TaskEnd::Pending, _)) => ASKED,
            Some((TaskEnd::InTime, true)) => LYING,
            Some((TaskEnd::InTime, false)) => IN_TIME,
            Some((TaskEnd::Failed | TaskEnd::Lost, _)) => FAILED,
            Some((TaskEnd::Late, _)) => LATE,
        };
        watch.node(id, role, state)
    };
    let nodes: Vec<NodeView> = net.nodes().map(view).collect();
    let known = nodes.iter().map(|node| known[node.id as usize]).collect();
    (nodes, known)
}

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
