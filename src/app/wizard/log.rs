//! What a Math Wizard's programs would print: nginx its access and error logs, Valkey its notices, and the containers, which
//! have an API and worker processes in Python, what Flask and these log.

use crate::app::account::{Level, Printed, Work, calendar};
use crate::app::snapshot::Sign;
use crate::kernel::{Kind, Record};
use crate::lab::Run;
use crate::lab::wizard::{WizardRun, of};
use crate::net::{NODE_STARTED, NODE_STOPPED, NodeId};
use crate::substrate::{gateway, http};
use crate::systems::wizard::fact::{self, Fact};

/// A worker process works on a job until it has the sum, fails, or dies.
pub(super) static WORKS: [Work; 1] = [Work {
    begins: fact::JOB_STARTED,
    ends: &[
        (fact::JOB_DONE, Sign::InTime),
        (fact::JOB_FAILED, Sign::Failed),
        (fact::JOB_DROPPED, Sign::Down),
    ],
}];

/// How far back the way of a response is followed for what was asked.
const HOPS: usize = 24;

/// Which program runs at a node.
#[derive(Clone, Copy, PartialEq)]
enum Program {
    Nginx,
    Valkey,
    Container,
}

fn program(run: &Run, node: u32) -> Option<Program> {
    if node == 0 {
        return None;
    }
    match &*run.net().name(NodeId(node)) {
        "gateway" => Some(Program::Nginx),
        "valkey" => Some(Program::Valkey),
        // Of the container itself nothing is printed: its processes do.
        name if name.contains("-api") || name.contains("-worker-") => Some(Program::Container),
        _ => None,
    }
}

/// The line that the program would print, and how much it matters.
pub(super) fn prints(run: &Run, record: &Record, line: Option<&mut Printed>) -> Option<Level> {
    let level = level_of_kind(record)?;
    let program = program(run, record.node)?;
    if let Some(line) = line {
        match program {
            Program::Nginx => nginx(run, record, line),
            Program::Valkey => valkey(record, line),
            Program::Container => container(run, record, level, line),
        }
    }
    Some(level)
}

fn level_of_kind(record: &Record) -> Option<Level> {
    Some(match record.kind {
        http::RESPONSE_SENT if record.value >= 500 => Level::Error,
        http::RESPONSE_SENT if record.value >= 400 => Level::Warn,
        http::RESPONSE_SENT
        | NODE_STARTED
        | NODE_STOPPED
        | fact::GATEWAY_RELOADED
        | fact::STORE_STARTED
        | fact::STORE_SAVED
        | fact::LINE_OPENED
        | fact::JOB_STARTED
        | fact::JOB_DONE => Level::Info,
        fact::LINE_CLOSED | fact::JOB_REAPED => Level::Warn,
        gateway::UPSTREAM_FAILED | gateway::NO_LIVE_UPSTREAMS => Level::Error,
        fact::JOB_UNSURE | fact::JOB_FAILED | fact::JOB_BURIED => Level::Error,
        _ => return None,
    })
}

// --- nginx --------------------------------------------------------------------------------------------------------

fn nginx(run: &Run, record: &Record, line: &mut Printed) {
    let [day, hour, minute, second, _] = calendar(record.at);
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    let error = format!("2025/01/{day:02} {clock}");
    let asked = asked(run, record);
    match record.kind {
        http::RESPONSE_SENT => {
            let (client, status) = (run.net().name(NodeId(record.peer)), record.value);
            line.print(format_args!("{client} - - [{day:02}/Jan/2025:{clock} +0000] \"{asked} HTTP/1.1\" {status}"));
        }
        gateway::UPSTREAM_FAILED => {
            let (what, server) = upstream(run, record);
            line.print(format_args!(
                "{error} [error] 7#7: {what}, request: \"{asked} HTTP/1.1\", upstream: \"http://{server}:5000\""
            ));
        }
        gateway::NO_LIVE_UPSTREAMS => line.print(format_args!(
            "{error} [error] 7#7: no live upstreams while connecting to upstream, request: \"{asked} HTTP/1.1\""
        )),
        fact::GATEWAY_RELOADED => line.print(format_args!("{error} [notice] 1#1: reconfiguring")),
        NODE_STOPPED => line.print(format_args!("{error} [notice] 1#1: gracefully shutting down")),
        _ => line.print(format_args!("{error} [notice] 1#1: start worker processes")),
    }
}

/// What went wrong with which server: the record before it at the gateway says so.
fn upstream(run: &Run, record: &Record) -> (&'static str, String) {
    let trace = run.trace();
    let why = trace.record(record.cause);
    let server = why.filter(|why| why.peer != 0).map(|why| run.net().name(NodeId(why.peer)).to_string());
    let what = match why.map(|why| why.kind) {
        Some(http::REFUSED) => "connect() failed (111: Connection refused) while connecting to upstream",
        Some(http::RESET) => {
            "recv() failed (104: Connection reset by peer) while reading response header from upstream"
        }
        _ if record.value == 504 => {
            "upstream timed out (110: Connection timed out) while reading response header from upstream"
        }
        _ => "upstream server temporarily disabled",
    };
    (what, server.unwrap_or_else(|| "math_wizard".to_owned()))
}

/// Method and path of what a record is about, as far as its causes tell.
fn asked(run: &Run, record: &Record) -> String {
    let trace = run.trace();
    let mut chain = std::iter::successors(Some(record), |record| trace.record(record.cause)).take(HOPS);
    let is_poll = |kind: Kind| kind == fact::JOB_CHECKED;
    let is_post = |kind: Kind| [fact::JOB_CREATED, fact::JOB_INTENDED, fact::WISH_ARRIVED].contains(&kind);
    let found = chain.find(|record| is_poll(record.kind) || is_post(record.kind));
    match found.map(|found| (found, fact_of(run, found.n))) {
        Some((found, fact)) if is_poll(found.kind) => match fact {
            Some(Fact::Checked { id, .. }) => format!("GET /tasks/{id}/status"),
            _ => "GET /tasks/…/status".to_owned(),
        },
        // A poll that nobody answered has the user's wish as its first cause, too; only a wish is answered by 202.
        _ if record.kind == http::RESPONSE_SENT && record.value == 404 => "GET /tasks/…/status".to_owned(),
        _ => "POST /task".to_owned(),
    }
}

// --- Valkey -------------------------------------------------------------------------------------------------------

fn valkey(record: &Record, line: &mut Printed) {
    let [day, hour, minute, second, us] = calendar(record.at);
    let ms = us / 1000;
    let stamp = format!("1:M {day:02} Jan 2025 {hour:02}:{minute:02}:{second:02}.{ms:03}");
    match record.kind {
        fact::STORE_SAVED => line.print(format_args!("{stamp} * DB saved on disk")),
        fact::STORE_STARTED => line.print(format_args!("{stamp} * Ready to accept connections tcp")),
        NODE_STOPPED => line.print(format_args!("{stamp} # User requested shutdown...")),
        _ => line.print(format_args!("{stamp} * Server initialized")),
    }
}

// --- containers ---------------------------------------------------------------------------------------------------

fn container(run: &Run, record: &Record, level: Level, line: &mut Printed) {
    let [day, hour, minute, second, us] = calendar(record.at);
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    if record.kind == http::RESPONSE_SENT {
        let (client, status) = (run.net().name(NodeId(record.peer)), record.value);
        let asked = asked(run, record);
        // Flask's server logs every answer alike.
        line.print(format_args!(
            "INFO:werkzeug:{client} - - [{day:02}/Jan/2025 {clock}] \"{asked} HTTP/1.1\" {status} -"
        ));
        return;
    }
    let name = match level {
        Level::Warn => "WARNING",
        Level::Error => "ERROR",
        Level::Debug | Level::Info => "INFO",
    };
    let stamp = format!("2025-01-{day:02} {clock},{:03} {name}", us / 1000);
    match fact_of(run, record.n) {
        Some(fact) => line.print(format_args!("{stamp} {}", of_fact(&fact))),
        None if record.kind == NODE_STARTED => {
            let is_api = run.net().name(NodeId(record.node)).contains("-api");
            let what = if is_api { "werkzeug: * Running on http://0.0.0.0:5000" } else { "worker: started" };
            line.print(format_args!("{stamp} {what}"));
        }
        None if record.kind == NODE_STOPPED => {
            line.print(format_args!("{stamp} worker: terminated, exiting"))
        }
        None => line.print(format_args!("{stamp} {}", record.kind.name())),
    }
}

fn of_fact(fact: &Fact) -> String {
    match fact {
        Fact::LineOpened { line } => format!("worker: connected to valkey:6379, client {line}"),
        Fact::LineClosed { line } => format!("worker: connection to valkey lost, client {line}"),
        Fact::Started { id, attempt, worker, .. } => {
            format!("worker-{worker}: processing task {id}, attempt {attempt}")
        }
        Fact::Computed { id, sum } => format!("worker: task {id} = {sum}"),
        Fact::Failed { id, attempt, worker, .. } => {
            format!("worker-{worker}: task {id} failed, attempt {attempt}")
        }
        Fact::Condemned { id } => format!("worker: task {id} moved to the dead letters"),
        Fact::Reaped { id } => format!("reaper: task {id} put back into task_queue"),
        Fact::Unsure { id, .. } => format!("api: no word of valkey about task {id}"),
        _ => String::new(),
    }
}

fn fact_of(run: &Run, n: u64) -> Option<Fact> {
    of(run.system()).and_then(|system: &WizardRun| system.fact(n))
}
