//! Chrome's trace events as one JSON object, which Perfetto opens.
//!
//! Each node is a track, with a slice for each of its records; arrows lead from a record to what it caused at another
//! node. Above them stand what spans nodes: the requests or jobs, as whoever wanted them saw them, and the messages, from their
//! sending to their arrival.

use super::{Run, id, name};
use crate::kernel::{Instant, Record};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The groups of tracks.
const NODES: u32 = 1;
const UNITS: u32 = 2;
const MESSAGES: u32 = 3;

/// A record takes no time; but an arrow ends at a slice only if that has some.
const LEAST: f64 = 0.001;

/// One trace event.
#[derive(Serialize)]
struct Event<'a> {
    ph: &'static str,
    /// In microseconds, to the nanosecond.
    ts: f64,
    pid: u32,
    tid: u32,
    name: &'a str,
    cat: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bp: Option<&'static str>,
    #[serde(skip_serializing_if = "Value::is_null")]
    args: Value,
}

struct Writer<'a, W> {
    out: &'a mut W,
    is_first: bool,
    /// How many arrows there are.
    arrows: u64,
}

pub(super) fn write(run: &Run, out: &mut impl Write) -> io::Result<()> {
    let mut writer = Writer { out, is_first: true, arrows: 0 };
    writer.out.write_all(b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[")?;
    let (trace, kind) = (run.trace(), run.system().kind());
    for (pid, title) in [(NODES, "nodes"), (UNITS, kind.unit), (MESSAGES, "messages")] {
        writer.metadata("process_name", pid, 0, json!({"name": title}))?;
        writer.metadata("process_sort_index", pid, 0, json!({"sort_index": pid}))?;
    }
    writer.metadata("thread_name", NODES, 0, json!({"name": "lab"}))?;
    for node in run.net().nodes() {
        writer.metadata("thread_name", NODES, node.0, json!({"name": run.net().name(node)}))?;
        writer.metadata("thread_sort_index", NODES, node.0, json!({"sort_index": node.0}))?;
    }
    // Of each request or job: its first record, and the last one at the same node.
    let mut units: BTreeMap<u64, (Record, Instant)> = BTreeMap::new();
    for record in trace.records() {
        writer.record(run, record, trace.causes(record.n))?;
        for cause in trace.causes(record.n).iter().filter_map(|&cause| trace.record(cause)) {
            if cause.node != record.node {
                writer.arrow(run, cause, record)?;
            }
        }
        if record.tag != 0 {
            let (first, last) = units.entry(record.tag).or_insert((*record, record.at));
            if first.node == record.node {
                *last = record.at;
            }
        }
    }
    for (tag, (first, last)) in units {
        let span = Event { cat: "unit", id: Some(tag), ..event("b", first.at, UNITS, 0, "") };
        writer.span(span, &id(tag), last)?;
    }
    writer.out.write_all(b"]}\n")
}

impl<W: Write> Writer<'_, W> {
    fn event(&mut self, event: &impl Serialize) -> io::Result<()> {
        self.out.write_all(if self.is_first { b"\n" } else { b",\n" })?;
        self.is_first = false;
        serde_json::to_writer(&mut *self.out, event).map_err(io::Error::from)
    }

    fn metadata(&mut self, name: &str, pid: u32, tid: u32, args: Value) -> io::Result<()> {
        self.event(&json!({"ph": "M", "name": name, "pid": pid, "tid": tid, "args": args}))
    }

    fn record(&mut self, run: &Run, record: &Record, causes: &[u64]) -> io::Result<()> {
        let peer = (record.peer != 0).then(|| name(run, record.peer));
        let req = (record.tag != 0).then(|| id(record.tag));
        self.event(&Event {
            dur: Some(LEAST),
            args: json!({"n": record.n, "req": req, "peer": peer, "value": record.value, "causes": causes}),
            ..event("X", record.at, NODES, record.node, record.kind.name())
        })
    }

    /// From a cause to its effect at another node; what takes time between them is a message.
    fn arrow(&mut self, run: &Run, cause: &Record, effect: &Record) -> io::Result<()> {
        self.arrows += 1;
        let id = Some(self.arrows);
        let flow = |ph, record: &Record| Event { id, ..event(ph, record.at, NODES, record.node, "cause") };
        self.event(&flow("s", cause))?;
        self.event(&Event { bp: Some("e"), ..flow("f", effect) })?;
        if cause.at == effect.at {
            return Ok(());
        }
        let what = format!("{} → {}", name(run, cause.node), name(run, effect.node));
        let span = Event { cat: "message", id, ..event("b", cause.at, MESSAGES, 0, "") };
        self.span(span, &what, effect.at)
    }

    /// A span over tracks, from its beginning to `end`.
    fn span(&mut self, begin: Event<'_>, name: &str, end: Instant) -> io::Result<()> {
        let begin = Event { name, ..begin };
        self.event(&begin)?;
        self.event(&Event { ph: "e", ts: micros(end), ..begin })
    }
}

fn event<'a>(ph: &'static str, at: Instant, pid: u32, tid: u32, name: &'a str) -> Event<'a> {
    Event {
        ph,
        ts: micros(at),
        pid,
        tid,
        name,
        cat: "record",
        dur: None,
        id: None,
        bp: None,
        args: Value::Null,
    }
}

fn micros(at: Instant) -> f64 {
    at.as_nanos() as f64 / 1e3
}
