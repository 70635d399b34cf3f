//! How a snapshot is taken of a run.

use super::catalogue::face;
use super::snapshot::{FaultView, MessageView, Settings, Snapshot};
use crate::lab::oracle::tally::{Percentiles, Summary};
use crate::lab::{self, Run, System};
use std::rc::Rc;

/// This moment of a run.
pub(in crate::app) fn observe(run: &Run, summary: Summary) -> Snapshot {
    let system = run.system();
    let mut snapshot = Snapshot {
        vtime_ms: run.now().as_millis_f64(),
        horizon_ms: run.horizon().as_millis_f64(),
        events: run.events(),
        system: system.kind(),
        nodes: Vec::new(),
        messages: run.net().in_flight().iter().map(MessageView::of).collect(),
        request: None,
        broker: None,
        config: None,
        wizard: None,
        settings: Settings { seed: run.scenario().seed, ..Settings::default() },
        set: Rc::clone(run.settings()),
        faults: run.faults().map(FaultView::of).collect(),
        summary,
    };
    (face(system.kind()).observe)(run, &mut snapshot);
    snapshot
}

/// The figures over what the ledger has.
pub(in crate::app) fn summary(system: &dyn System) -> Summary {
    if let Some(oracle) = lab::oracle::of(system) {
        return oracle.tally().summary();
    }
    let mut summary = Summary { requests: system.begun() as usize, ..Summary::default() };
    if let Some(wizard) = lab::wizard::of(system) {
        summary.latency_ms = Percentiles::of(wizard.tally().job_ms());
    }
    summary
}
