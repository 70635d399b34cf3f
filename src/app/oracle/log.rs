//! What an oracle's programs would print: the coordinator, the workers and the client are written in Go, and log as its
//! `log/slog` does by default; the broker as nats-server does. And what of the trace the coordinator can know.

use crate::app::account::{Level, Printed, Work, calendar};
use crate::app::snapshot::Sign;
use crate::kernel::{Instant, Kind, Record};
use crate::lab::Run;
use crate::lab::oracle::{OracleRun, of};
use crate::net::{FAULT_ENDED, FAULT_STARTED, MESSAGE_LOST, NODE_STARTED, NODE_STOPPED, NodeId};
use crate::substrate::{http, nats};
use crate::systems::oracle::fact::{self, Asked, Fact};

/// A worker works on a task until it has a value, fails, or is told that nobody waits.
pub(super) static WORKS: [Work; 1] = [Work {
    begins: fact::TASK_STARTED,
    ends: &[
        (fact::TASK_DONE, Sign::InTime),
        (fact::TASK_FAILED, Sign::Failed),
        (http::CANCELLED, Sign::Late),
    ],
}];

/// A lie is one by its fact alone.
pub(super) fn sign(run: &Run, record: &Record) -> Option<Sign> {
    let fact = of(run.system()).filter(|_| record.kind == fact::TASK_DONE)?.fact(record.n);
    matches!(fact, Some(Fact::TaskDone { lie: true, .. })).then_some(Sign::Lying)
}

/// The coordinator's timeouts, of requests that were not over before.
pub(super) fn timeouts(run: &Run, [from, to]: [Instant; 2]) -> Vec<Instant> {
    let Some(oracle) = of(run.system()) else { return Vec::new() };
    let ledger = oracle.ledger();
    let ends = ledger.requests().iter().filter_map(|request| {
        let end = request.deadline?;
        request.over_at().is_none_or(|over| over >= end).then_some(end)
    });
    ends.filter(|end| (from..=to).contains(end)).collect()
}

/// What only the laboratory sees of what happens at a node.
const UNSEEN: [Kind; 6] =
    [FAULT_STARTED, FAULT_ENDED, MESSAGE_LOST, fact::LIE_STARTED, fact::LIE_ENDED, fact::MESSAGES_LOST];

/// Whether the coordinator, or the person who asks it, can know of a record.
pub(super) fn knows(run: &Run, record: &Record) -> bool {
    let Some(oracle) = of(run.system()).map(OracleRun::oracle) else { return false };
    let is_far = |node: u32| {
        node == 0
            || oracle.broker().is_some_and(|broker| broker.0 == node)
            || oracle.workers().first().is_some_and(|first| node >= first.0)
    };
    !is_far(record.node) && !UNSEEN.contains(&record.kind)
}

/// The line that the program would print, and how much it matters.
pub(super) fn prints(run: &Run, record: &Record, line: Option<&mut Printed>) -> Option<Level> {
    let level = level(run, record)?;
    if let Some(line) = line {
        let system = of(run.system())?;
        if system.oracle().broker().is_some_and(|broker| broker.0 == record.node) {
            broker_prints(run, record, level, line);
        } else {
            let [day, hour, minute, second, _] = calendar(record.at);
            let name = level.name().to_uppercase();
            let what = says(run, system, record);
            line.print(format_args!("2025/01/{day:02} {hour:02}:{minute:02}:{second:02} {name} {what}"));
        }
    }
    Some(level)
}

/// How much a record matters to the program that made it; `None` if it prints nothing.
fn level(run: &Run, record: &Record) -> Option<Level> {
    let system = of(run.system())?;
    if record.node == 0 {
        return None;
    }
    let is_broker = system.oracle().broker().is_some_and(|broker| broker.0 == record.node);
    Some(match record.kind {
        nats::SLOW_CONSUMER => Level::Warn,
        NODE_STARTED | NODE_STOPPED => Level::Info,
        _ if is_broker => return None,
        fact::WORKER_REGISTERED
        | fact::WORKER_DEREGISTERED
        | fact::REQUEST_OPENED
        | fact::REQUEST_AGGREGATED
        | fact::REQUEST_ANSWERED
        | fact::REPORT_PUBLISHED
        | fact::TASK_STARTED
        | fact::TASK_DONE
        | nats::CONNECTED => Level::Info,
        fact::TASK_RECEIVED => Level::Debug,
        // An error has no value.
        fact::ANSWER_TAKEN if record.value != 0 => Level::Debug,
        fact::ANSWER_TAKEN
        | fact::RESULT_DROPPED
        | fact::WORKER_EVICTED
        | http::CANCELLED
        | http::ABANDONED
        | nats::DISCONNECTED => Level::Warn,
        fact::REQUEST_BACKED_OFF => Level::Info,
        fact::REQUEST_RETRIED => Level::Warn,
        fact::BROKER_MISSING | fact::TASK_FAILED | fact::REQUEST_FAILED | fact::REQUEST_UNANSWERED => {
            Level::Error
        }
        _ => return None,
    })
}

/// The line of nats-server.
fn broker_prints(run: &Run, record: &Record, level: Level, line: &mut Printed) {
    let [day, hour, minute, second, us] = calendar(record.at);
    let mark = if level == Level::Warn { "WRN" } else { "INF" };
    let stamp = format!("[1] 2025/01/{day:02} {hour:02}:{minute:02}:{second:02}.{us:06} [{mark}]");
    match record.kind {
        nats::SLOW_CONSUMER => {
            let (who, cid) = (run.net().name(NodeId(record.peer)), record.value);
            line.print(format_args!("{stamp} {who} - cid:{cid} - Slow Consumer Detected"));
        }
        NODE_STOPPED => line.print(format_args!("{stamp} Initiating Shutdown...")),
        _ => line.print(format_args!("{stamp} Server is ready")),
    }
}

/// A message with its attributes, as slog writes them.
fn says(run: &Run, system: &OracleRun, record: &Record) -> String {
    let Record { n, node, peer, tag, at, .. } = *record;
    let (me, peer) = (run.net().name(NodeId(node)), (peer != 0).then(|| run.net().name(NodeId(peer))));
    let peer = peer.as_deref().unwrap_or("unknown");
    let (req, params) = (format!("request=req-{tag:05}"), system.params());
    match record.kind {
        NODE_STARTED if params.has_broker() => return format!("{me} started nats=nats://nats:4222"),
        NODE_STARTED => return format!("{me} listening"),
        NODE_STOPPED => return format!("{me} shutting down signal=terminated"),
        http::CANCELLED => return format!("task cancelled {req} err=\"context canceled\""),
        http::ABANDONED => {
            return format!("no answer in time {req} worker={peer} timeout={}", params.timeout);
        }
        nats::CONNECTED => return "connected to nats server=nats://nats:4222".to_owned(),
        fact::BROKER_MISSING => {
            return "Failed to connect to NATS: no servers available for connection; trying again".to_owned();
        }
        nats::DISCONNECTED => return "disconnected from nats, reconnecting err=EOF".to_owned(),
        fact::TASK_RECEIVED => return format!("task received {req} delivery={}", record.value),
        fact::RESULT_DROPPED => return format!("late result dropped {req} worker={peer}"),
        _ => {}
    }
    match system.fact(n) {
        Some(fact) => of_fact(&fact, at, &req),
        // What its record says is enough where the fact is not kept any more.
        None => format!("{} {req}", record.kind.name()),
    }
}

fn of_fact(fact: &Fact, at: Instant, req: &str) -> String {
    match fact {
        Fact::WorkerRegistered(member) => format!("worker registered worker={}", member.id),
        Fact::WorkerDeregistered(member) => format!("worker deregistered worker={}", member.id),
        Fact::WorkerEvicted(member) => format!("worker removed worker={} reason=stale", member.id),
        Fact::RequestOpened { query, asked: Asked::Members(members) } => {
            format!("request {req} query={query} workers={}", members.len())
        }
        Fact::RequestOpened { query, asked: Asked::Subject } => {
            format!("request published {req} query={query} subject=oracle.tasks")
        }
        Fact::AnswerTaken { result, .. } => {
            let (worker, took) = (&result.worker_id, result.response_time);
            match &result.err {
                Some(err) => format!("task failed {req} worker={worker} err={err:?}"),
                None => format!("result {req} worker={worker} value={} response_time={took}", result.value),
            }
        }
        Fact::RequestAggregated { value, closing } => {
            let answers = closing.responses.iter().filter(|response| response.err.is_none()).count();
            format!("aggregated {req} value={value} answers={answers}/{}", closing.responses.len())
        }
        Fact::RequestFailed { status, code, .. } => {
            format!("request failed {req} status={status} code={code}")
        }
        Fact::RequestAnswered { result } => format!("answer {req} value={}", result.final_value),
        Fact::RequestUnanswered { failure } => {
            format!("request failed {req} status={} err={:?}", failure.status, failure.message)
        }
        Fact::RequestBackedOff { after } => format!("backing off {req} status=429 retry_after={after}"),
        Fact::RequestRetried { failure, after } => {
            format!("retrying {req} status={} err={:?} after={after}", failure.status, failure.message)
        }
        Fact::ReportPublished { query, value, round, .. } => {
            format!("report published query={query} value={value} round={round}")
        }
        Fact::TaskStarted { delay } => format!("processing task {req} delay={delay}"),
        // A liar's log says what he says.
        Fact::TaskDone { value, .. } => format!("task done {req} value={value}"),
        Fact::TaskFailed { delay } => {
            format!("task failed {req} err=\"simulated failure\" after={delay}")
        }
        _ => format!("{req} at={}", at.since(Instant::ZERO)),
    }
}
