//! The time that a chart is of: how far the run has come, and when what was broken.

use crate::kernel::Instant;
use crate::lab::Run;
use crate::lab::fault::{Fault, FaultKind};
use crate::net::NodeId;

/// The time axis of a run's charts.
#[derive(Clone, Debug, PartialEq)]
pub struct Time {
    /// How far the run has come.
    pub now_ms: f64,
    /// Where it ends.
    pub horizon_ms: f64,
    /// The faults, also those to come.
    pub bands: Vec<Band>,
}

impl Default for Time {
    fn default() -> Self {
        Time { now_ms: 0.0, horizon_ms: 1.0, bands: Vec::new() }
    }
}

impl Time {
    /// A run's.
    pub fn of(run: &Run) -> Self {
        Time {
            now_ms: run.now().as_millis_f64(),
            horizon_ms: run.horizon().as_millis_f64(),
            bands: bands(run),
        }
    }
}

/// A time when something was broken.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// What.
    pub kind: FaultKind,
    /// From when, in milliseconds.
    pub from_ms: f64,
    /// Until when; `None` is for good.
    pub to_ms: Option<f64>,
}

/// When what was broken. A crash without an end lasts until all its nodes were started again.
fn bands(run: &Run) -> Vec<Band> {
    let start = |fault: &Fault| fault.start.unwrap_or(Instant::ZERO);
    let restarts: Vec<(Instant, &[NodeId])> = run
        .faults()
        .enumerate()
        .filter(|(_, fault)| fault.kind == FaultKind::Restart)
        .map(|(i, fault)| (start(fault), run.fault_nodes(i)))
        .collect();
    let restarted = |after: Instant, nodes: &[NodeId]| {
        let first = |node| {
            let of_node = restarts.iter().filter(|(at, nodes)| *at > after && nodes.contains(node));
            of_node.map(|(at, _)| *at).min()
        };
        nodes.iter().map(first).try_fold(after, |latest, at| Some(latest.max(at?)))
    };
    run.faults()
        .enumerate()
        .filter(|(_, fault)| fault.kind != FaultKind::Restart)
        .map(|(i, fault)| {
            let from = start(fault);
            let mended = match fault.kind {
                FaultKind::Crash | FaultKind::Stop => restarted(from, run.fault_nodes(i)),
                _ => None,
            };
            let to = fault.end.into_iter().chain(mended).min();
            Band { kind: fault.kind, from_ms: from.as_millis_f64(), to_ms: to.map(Instant::as_millis_f64) }
        })
        .collect()
}
