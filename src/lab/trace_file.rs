//! Traces as files: one JSON object a line.

use super::run::Run;
use crate::kernel::{Record, Trace};
use crate::net::NodeId;
use serde::Serialize;
use serde_json::Value;
use std::io::{self, Write};
use std::rc::Rc;

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
    fact: Option<Value>,
    /// The record's figure, whose meaning its kind gives.
    value: u64,
}

/// Writes the scenario as the first line, then each record that the run kept. Facts are in it if the run's sink is
/// [`Sink::Annotated`](crate::kernel::Sink::Annotated).
pub fn write_ndjson(run: &Run, out: &mut impl Write) -> io::Result<()> {
    write_line(out, run.scenario())?;
    let trace = run.trace();
    trace.records().try_for_each(|record| write_line(out, &line(run, &trace, record)))
}

fn line<'a>(run: &Run, trace: &'a Trace, record: &Record) -> Line<'a> {
    let name = |node: u32| match node {
        0 => Rc::from("lab"),
        node => run.net().name(NodeId(node)),
    };
    let Record { n, at, node, kind, tag, peer, value, cause: _ } = *record;
    Line {
        n,
        t_ns: at.as_nanos(),
        node: name(node),
        peer: (peer != 0).then(|| name(peer)),
        kind: kind.name(),
        req: (tag != 0).then(|| format!("req-{tag:05}")),
        causes: trace.causes(n),
        fact: trace.note_of(n).and_then(|note| serde_json::from_str(note).ok()),
        value,
    }
}

fn write_line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
