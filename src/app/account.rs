//! What a system's records say: as events, as lines that the real programs would print there, and as work that takes a while.
//! The faces speak in these words; the log and space–time show them.

use super::snapshot::Sign;
use crate::kernel::{Instant, Kind, Record};
use crate::lab::Run;
use crate::net::NodeId;
use crate::substrate::{self, http};
use serde_json::Value;
use std::fmt::{Arguments, Write};

/// How much a line matters to the program that prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For those who look for something.
    Debug,
    /// The usual course.
    Info,
    /// Something went otherwise than it should.
    Warn,
    /// Something did not come about.
    Error,
}

impl Level {
    /// All of them.
    pub const ALL: [Level; 4] = [Level::Debug, Level::Info, Level::Warn, Level::Error];

    /// Its name in queries.
    pub const fn name(self) -> &'static str {
        ["debug", "info", "warn", "error"][self as usize]
    }
}

/// Work that a row shows as a bar: from a record of one kind to the next of another, at the same node and of the same unit.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// How it begins.
    pub begins: Kind,
    /// How it ends, and what that is.
    pub ends: &'static [(Kind, Sign)],
}

/// Where a program prints a line.
pub struct Printed<'a>(&'a mut String);

impl<'a> Printed<'a> {
    /// A line that is empty yet.
    pub fn new(text: &'a mut String) -> Self {
        Printed(text)
    }

    /// Prints it.
    pub fn print(&mut self, line: Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.0.write_fmt(line);
    }
}

/// Virtual time as a calendar has it: day of January 2025, hour, minute, second, microsecond.
pub fn calendar(at: Instant) -> [u64; 5] {
    let us = at.as_nanos() / 1000;
    let s = us / 1_000_000;
    [s / 86_400 + 1, s / 3600 % 24, s / 60 % 60, s % 60, us % 1_000_000]
}

/// What an event says besides when, where and of which kind it was: the other node, and the fact's plain fields.
pub fn event(run: &Run, record: &Record) -> String {
    let mut text = String::new();
    let peer = substrate::peer_of(record);
    if peer != 0 {
        let comes = record.kind.name().ends_with("_received") || record.kind.name().ends_with("_taken");
        text += if comes { "← " } else { "→ " };
        text += &run.net().name(NodeId(peer));
    }
    if matches!(record.kind, http::RESPONSE_SENT | http::RESPONSE_RECEIVED) {
        push(&mut text, &record.value.to_string());
    }
    let (fact, _) = run.system().told(record.n).unwrap_or_default();
    let fields = || fact.as_object().into_iter().flatten();
    let is_long = |value: &Value| value.is_object() || value.is_array();
    let short = fields().filter(|(_, value)| !is_long(value));
    for (key, value) in short.chain(fields().filter(|(_, value)| is_long(value))) {
        // Numbers of records are nothing for people; nor are numbers of nodes, which stand there by name.
        if matches!(&**key, "handling" | "worker" | "place" | "node" | "client") {
            continue;
        }
        if let Some(value) = plain(value) {
            push(&mut text, &format!("{key}={value}"));
        }
    }
    text
}

fn push(text: &mut String, piece: &str) {
    if !text.is_empty() {
        text.push_str("  ");
    }
    text.push_str(piece);
}

/// A field in a few words; what is nothing is left out, and of a list its length is said.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => Some(format!("[{}]", items.len())),
        Value::Object(fields) => {
            let inner = fields.iter().filter(|(key, _)| *key != "handling");
            let inner = inner.filter_map(|(key, value)| Some(format!("{key}={}", plain(value)?)));
            Some(format!("{{{}}}", inner.collect::<Vec<_>>().join(" ")))
        }
        other => Some(other.to_string()),
    }
}
