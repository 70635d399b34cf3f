//! Traces as files, in the formats that [`Format`] lists.
//!
//! NDJSON is the whole of what a run kept, each fact from the note beside its record or, on the page, from the facts that the
//! run keeps: whatever a receipt says follows from it alone. The other two are for programs that draw traces:
//! `shiviz.rs` and `perfetto.rs` say what they take.

mod perfetto;
mod shiviz;

use super::run::Run;
use crate::kernel::{Record, Trace};
use crate::net::NodeId;
use serde::Serialize;
use serde_json::Value;
use std::io::{self, Write};
use std::rc::Rc;

/// What a trace file is written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line: the scenario, then each record with all its causes and its fact.
    #[default]
    Ndjson,
    /// A log with vector clocks, for ShiViz.
    Shiviz,
    /// Chrome's trace events, for Perfetto.
    Perfetto,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 3] = [Format::Ndjson, Format::Shiviz, Format::Perfetto];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Ndjson => "ndjson",
            Format::Shiviz => "shiviz",
            Format::Perfetto => "perfetto",
        }
    }

    /// The format called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// Writes what the run kept. Facts are in it if the run's sink is [`Sink::Annotated`](crate::kernel::Sink::Annotated), or if it
/// keeps them.
pub fn write(run: &Run, format: Format, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Ndjson => write_ndjson(run, out),
        Format::Shiviz => shiviz::write(run, out),
        Format::Perfetto => perfetto::write(run, out),
    }
}

/// A record of the trace, as a trace file has it.
#[derive(Serialize)]
struct Line<'a> {
    n: u64,
    t_ns: u64,
    node: Rc<str>,
    peer: Option<Rc<str>>,
    kind: &'static str,
    req: Option<String>,
    causes: &'a [u64],
    /// The fact that was told, with all its fields; the network and the protocols below tell none.
    fact: Value,
    /// What only the laboratory knows of it.
    #[serde(skip_serializing_if = "Value::is_null")]
    lab: Value,
    /// The record's figure, whose meaning its kind gives.
    value: u64,
}

fn write_ndjson(run: &Run, out: &mut impl Write) -> io::Result<()> {
    let trace = run.trace();
    write_records(run, &trace, &mut trace.records(), out)
}

/// Writes some records of a run as NDJSON: the scenario, then a line for each.
fn write_records(
    run: &Run,
    trace: &Trace,
    records: &mut dyn Iterator<Item = &Record>,
    out: &mut impl Write,
) -> io::Result<()> {
    write_line(out, &run.spelled_out())?;
    for record in records {
        write_line(out, &line(run, trace, record))?;
    }
    Ok(())
}

/// What the run kept, as bytes.
#[cfg(feature = "workbench")]
pub fn bytes(run: &Run, format: Format) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    write(run, format, &mut out).map(|()| out)
}

/// The records with these numbers as NDJSON, as far as the run kept them.
#[cfg(feature = "workbench")]
pub fn some_ndjson(run: &Run, numbers: &mut dyn Iterator<Item = u64>) -> io::Result<Vec<u8>> {
    let (mut out, trace) = (Vec::new(), run.trace());
    write_records(run, &trace, &mut numbers.filter_map(|n| trace.record(n)), &mut out).map(|()| out)
}

/// The line of one record, if the run kept it.
#[cfg(feature = "workbench")]
pub fn line_of(run: &Run, n: u64) -> Option<String> {
    let trace = run.trace();
    serde_json::to_string(&line(run, &trace, trace.record(n)?)).ok()
}

fn line<'a>(run: &Run, trace: &'a Trace, record: &Record) -> Line<'a> {
    let Record { n, at, node, kind, tag, peer, value, cause: _ } = *record;
    let (fact, lab) = trace.note_of(n).map_or_else(|| told(run, n), noted);
    Line {
        n,
        t_ns: at.as_nanos(),
        node: name(run, node),
        peer: (peer != 0).then(|| name(run, peer)),
        kind: kind.name(),
        req: (tag != 0).then(|| id(tag)),
        causes: trace.causes(n),
        fact,
        lab,
        value,
    }
}

/// A fact, and what only the laboratory knows of it, from the note beside its record.
fn noted(note: &str) -> (Value, Value) {
    let mut note = serde_json::from_str::<Value>(note).unwrap_or_default();
    let mut take = |part: &str| note.get_mut(part).map_or(Value::Null, Value::take);
    (take("fact"), take("lab"))
}

/// The same from the facts that the run keeps.
#[cfg(feature = "workbench")]
fn told(run: &Run, n: u64) -> (Value, Value) {
    run.system().told(n).unwrap_or_default()
}

/// A program without trace files keeps none.
#[cfg(not(feature = "workbench"))]
fn told(_: &Run, _: u64) -> (Value, Value) {
    (Value::Null, Value::Null)
}

fn name(run: &Run, node: u32) -> Rc<str> {
    match node {
        0 => Rc::from("lab"),
        node => run.net().name(NodeId(node)),
    }
}

fn id(tag: u64) -> String {
    format!("req-{tag:05}")
}

fn write_line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
