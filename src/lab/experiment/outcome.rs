//! One run of an experiment, and what is taken of it: plain data that can come from another thread, or from a worker of the page.

use super::metric::Metric;
use crate::kernel::Instant;
use crate::lab::invalid::Invalid;
use crate::lab::measure::Of;
use crate::lab::options::Options;
use crate::lab::recorder::{Recorder, Window};
use crate::lab::run::Run;
use crate::lab::scenario::Scenario;
use serde::{Deserialize, Serialize};
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;

/// What one run gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The units of work that count, and ended well. All others count as unanswered.
    pub answered: u64,
    /// By measure, its values.
    pub samples: Vec<Vec<f64>>,
    /// By the plan's metrics of reports, their values.
    pub figures: Vec<Option<f64>>,
    /// What went wrong with the run itself: an invariant that did not hold, or time that did not pass.
    pub fault: Option<String>,
}

/// Plays a scenario until all units of work that count have ended, or the run has.
pub fn play(scenario: &Scenario, window: Window, metrics: &[Metric]) -> Result<Outcome, Invalid> {
    let measures = scenario.settings()?.measures().len();
    let recorder = Rc::new(RefCell::new(Recorder::new(window, measures)));
    let options = Options { keep: 0, recording: Some(Rc::clone(&recorder)), ..Options::default() };
    let mut run = Run::new(scenario, options)?;
    while !recorder.borrow().is_full() && run.run_instant(run.horizon()) {}
    let fault = fault(&run);
    let figures = figures(&run, metrics)?;
    let mut recorder = recorder.borrow_mut();
    Ok(Outcome { answered: recorder.answered(), samples: recorder.take_samples(), figures, fault })
}

/// What went wrong with a run itself.
pub(super) fn fault(run: &Run) -> Option<String> {
    let violation = run
        .system()
        .violation()
        .map(|broken| format!("at {}: {}", broken.at.since(Instant::ZERO), broken.detail));
    run.stopped().or(violation)
}

/// The figures of the report that are asked for; none where there was nothing to measure.
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub(super) fn figures(run: &Run, metrics: &[Metric]) -> Result<Vec<Option<f64>>, Invalid> {
    let paths: Vec<&[String]> = paths(metrics).collect();
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let report = run.system().figures().to_json();
    let figure = |path: &[String]| match path.iter().try_fold(&report, |value, key| value.get(key)) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let wrong = || Invalid::new("metric", &path.join("."), &format!("a number within {value}"));
            value.as_f64().map(Some).ok_or_else(wrong)
        }
    };
    paths.into_iter().map(figure).collect()
}

/// The programs that are drawn have no reports.
#[cfg(not(any(not(target_arch = "wasm32"), feature = "lab")))]
pub(super) fn figures(_: &Run, metrics: &[Metric]) -> Result<Vec<Option<f64>>, Invalid> {
    Ok(paths(metrics).map(|_| None).collect())
}

fn paths(metrics: &[Metric]) -> impl Iterator<Item = &[String]> {
    metrics.iter().filter_map(|metric| match &metric.of {
        Of::Figure(path) => Some(path.as_slice()),
        _ => None,
    })
}
