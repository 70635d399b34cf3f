//! The time that a chart is of: how far the run has come, and when what was broken.

use crate::kernel::Instant;
use crate::lab::fault::{Fault, FaultKind};
use crate::lab::{Axis, Run};
use crate::net::NodeId;

/// The time axis of a run's charts.
#[derive(Clone, Debug, PartialEq)]
pub struct Time {
    /// How far the run has come.
    pub now_ms: f64,
    /// Where the axis begins and ends.
    pub axis_ms: (f64, f64),
    /// The faults, also those to come.
    pub bands: Vec<Band>,
}

impl Default for Time {
    fn default() -> Self {
        Time { now_ms: 0.0, axis_ms: (0.0, 1.0), bands: Vec::new() }
    }
}

impl Time {
    /// A run's.
    pub fn of(run: &Run) -> Self {
        Time { now_ms: run.now().as_millis_f64(), axis_ms: axis_ms(run), bands: bands(run) }
    }
}

/// Where the axis of a run begins and ends, in milliseconds: the charts' and the timeline's.
pub fn axis_ms(run: &Run) -> (f64, f64) {
    let Axis { from, to } = Axis::of(run);
    // A run of no length would leave no room for a scale.
    (from.as_millis_f64(), to.as_millis_f64().max(from.as_millis_f64() + 1.0))
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
        .filter(|(_, fault)| fault.kind.is_start())
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
        .filter(|(_, fault)| !fault.kind.is_start())
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
