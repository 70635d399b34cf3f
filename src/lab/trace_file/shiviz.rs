//! A log with vector clocks, as ShiViz reads it with its own expression, `(?<host>\S*) (?<clock>{.*})\n(?<event>.*)`: two
//! lines an event.
//!
//! A node's clock counts its events. It takes over what the causes of an event know, so two events are ordered in the
//! drawing where one is among the other's causes, or both are of one node; what is at one instant by chance is not.

use super::{Run, id, name};
use crate::kernel::Record;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// As many entries of clocks a log may have; beyond that nobody could draw it, and no memory would hold it: on the page
/// least of all.
const ENTRIES_MAX: usize = if cfg!(target_arch = "wasm32") { 5_000_000 } else { 100_000_000 };

/// What is known when something happens: how many events of each node came before, this one included.
type Clock = BTreeMap<u32, u64>;

pub(super) fn write(run: &Run, out: &mut impl Write) -> io::Result<()> {
    let trace = run.trace();
    let (mut newest, mut clocks, mut entries) = (BTreeMap::<u32, Clock>::new(), Vec::<Clock>::new(), 0);
    let first = trace.records().next().map_or(1, |record| record.n);
    for record in trace.records() {
        let mut clock = newest.get(&record.node).cloned().unwrap_or_default();
        for cause in trace.causes(record.n) {
            // What is not kept any more, nobody can know of.
            let known = cause.checked_sub(first).and_then(|place| clocks.get(place as usize));
            for (&node, &count) in known.into_iter().flatten() {
                let own = clock.entry(node).or_default();
                *own = count.max(*own);
            }
        }
        *clock.entry(record.node).or_default() += 1;
        write_event(run, record, &clock, out)?;
        entries += clock.len();
        if entries > ENTRIES_MAX {
            let why = format!(
                "the log has more than {ENTRIES_MAX} entries of clocks: trace a shorter run, or fewer nodes"
            );
            return Err(io::Error::other(why));
        }
        newest.insert(record.node, clock.clone());
        clocks.push(clock);
    }
    Ok(())
}

fn write_event(run: &Run, record: &Record, clock: &Clock, out: &mut impl Write) -> io::Result<()> {
    let clock: BTreeMap<_, _> = clock.iter().map(|(&node, count)| (name(run, node), count)).collect();
    write!(out, "{} {}\n{}", name(run, record.node), serde_json::to_string(&clock)?, record.kind.name())?;
    if record.peer != 0 {
        write!(out, " {}", name(run, record.peer))?;
    }
    if record.tag != 0 {
        write!(out, " {}", id(record.tag))?;
    }
    writeln!(out, " #{} at {:.6} s", record.n, record.at.as_nanos() as f64 / 1e9)
}
