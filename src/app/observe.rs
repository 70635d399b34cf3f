//! How a snapshot is taken of a run: the envelope here, what is inside by the system's face.

use super::catalogue::face;
use super::face::{Observed, Show};
use super::plot::axis_ms;
use super::snapshot::{FaultView, Snapshot};
use crate::lab::Run;
use std::rc::Rc;

/// This moment of a run, beside the one that was left if there is one; `before` is the snapshot before it in the same run, of which may be taken what has not changed.
pub(in crate::app) fn observe(
    run: &Run,
    left: Option<&Run>,
    before: Option<&Snapshot>,
    show: Show,
) -> Snapshot {
    let system = run.system();
    let words = face(system.kind()).words();
    let is_shown = |i: usize| show.truth || run.is_by_hand(i);
    let faults = run.faults().enumerate().filter(|(i, _)| is_shown(*i));
    let set = match show.truth {
        true => Rc::clone(run.settings()),
        false => run.settings().iter().filter(|set| !words.hidden.contains(&set.key)).cloned().collect(),
    };
    let Observed { nodes, rows_from, messages, view } =
        face(system.kind()).observe(run, left, before, show).unwrap_or_else(|| Observed {
            nodes: Vec::new(),
            rows_from: 0,
            messages: Vec::new(),
            view: Rc::new(()),
        });
    Snapshot {
        vtime_ms: run.now().as_millis_f64(),
        horizon_ms: run.horizon().as_millis_f64(),
        axis_ms: axis_ms(run),
        events: run.events(),
        begun: system.begun(),
        system: system.kind(),
        seed: run.scenario().seed,
        set,
        nodes,
        rows_from,
        messages,
        faults: faults.map(|(i, fault)| FaultView::of(fault, run.is_by_hand(i))).collect(),
        view,
        truth: show.truth,
    }
}
