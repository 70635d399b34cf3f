//! What a configuration system's programs would print: controller, agents and workers are written in Go, and log as its `log`
//! does; the store with Pub/Sub as Valkey does.

use crate::app::account::{Level, Printed, Work, calendar};
use crate::app::snapshot::Sign;
use crate::kernel::Record;
use crate::lab::Run;
use crate::lab::config::of;
use crate::net::{NODE_STARTED, NODE_STOPPED, NodeId};
use crate::systems::config::{self as fact, Fact};

/// The controller writes a version until it is durable.
pub(super) static WORKS: [Work; 1] =
    [Work { begins: fact::WRITE_BEGUN, ends: &[(fact::VERSION_STORED, Sign::InTime)] }];

/// The line that the program would print, and how much it matters.
pub(super) fn prints(run: &Run, record: &Record, line: Option<&mut Printed>) -> Option<Level> {
    let level = level(record)?;
    if record.node == 0 {
        return None;
    }
    let name = run.net().name(NodeId(record.node));
    let program = match &*name {
        "controller" => "controller",
        "valkey" => "valkey",
        name if name.starts_with("a-") => "agent",
        name if name.starts_with("w-") => "worker",
        _ => return None,
    };
    // What a controller says of its start is its own fact.
    if program == "controller" && record.kind == NODE_STARTED {
        return None;
    }
    if let Some(line) = line {
        let [day, hour, minute, second, us] = calendar(record.at);
        let clock = format!("{hour:02}:{minute:02}:{second:02}");
        if program == "valkey" {
            let what = match record.kind {
                NODE_STOPPED => "# User requested shutdown...",
                _ => "* Ready to accept connections tcp",
            };
            line.print(format_args!("1:M {day:02} Jan 2025 {clock}.{:03} {what}", us / 1000));
        } else {
            line.print(format_args!("2025/01/{day:02} {clock} [{program}] {}", says(run, record)));
        }
    }
    Some(level)
}

fn level(record: &Record) -> Option<Level> {
    Some(match record.kind {
        fact::POLL_ENDED if record.value == 304 => Level::Debug,
        fact::POLL_ENDED if record.value == 200 => Level::Info,
        fact::POLL_ENDED | fact::TICK_FAILED => Level::Error,
        fact::AGENT_BACKED_OFF => Level::Warn,
        fact::TICK_DONE => Level::Debug,
        fact::CONTROLLER_STARTED
        | fact::VERSION_STORED
        | fact::TRIGGER_SENT
        | fact::TRIGGER_RECEIVED
        | fact::AGENT_APPLIED
        | fact::WORKER_APPLIED
        | NODE_STARTED
        | NODE_STOPPED => Level::Info,
        _ => return None,
    })
}

fn says(run: &Run, record: &Record) -> String {
    match record.kind {
        NODE_STARTED => return "started".to_owned(),
        NODE_STOPPED => return "received terminated, shutting down".to_owned(),
        _ => {}
    }
    match of(run.system()).and_then(|system| system.fact(record.n)) {
        Some(fact) => of_fact(&fact),
        // What its record says is enough where the fact is not kept any more.
        None => format!("{} {}", record.kind.name(), record.value),
    }
}

fn of_fact(fact: &Fact) -> String {
    match fact {
        Fact::ControllerStarted { newest } => format!("listening on :8080, newest version {newest}"),
        Fact::VersionStored { version } => format!("version {version} stored"),
        Fact::TriggerSent { version } => format!("announced version {version}"),
        Fact::TriggerReceived { version } => format!("version {version} was announced, polling"),
        Fact::PollEnded { status: 304, .. } => "poll: 304 Not Modified".to_owned(),
        Fact::PollEnded { status: 200, .. } => "poll: 200 OK, a newer version".to_owned(),
        Fact::PollEnded { status: 0, .. } => "poll failed: no answer from the controller".to_owned(),
        Fact::PollEnded { status, .. } => format!("poll failed: status {status}"),
        Fact::AgentBackedOff { failures, pause_ns, .. } => {
            format!("{failures} failures in a row, next poll in {:.3}s", *pause_ns as f64 / 1e9)
        }
        Fact::AgentApplied { version, .. } => format!("serving version {version}"),
        Fact::WorkerApplied { version, .. } => format!("applied version {version}"),
        Fact::TickDone { version, .. } => format!("query done, version {version}"),
        Fact::TickFailed { version, .. } => format!("query failed, version {version}"),
        _ => String::new(),
    }
}
