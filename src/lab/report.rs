//! A finished run as one JSON object, and as text for a person.

use super::fault::{self, Fault};
use super::metrics::Summary;
use super::presets;
use super::run::Run;
use super::system::System;
use crate::systems::oracle::checks::Check;
use crate::systems::oracle::log::{Analysis, Failure, RequestEntry};
use crate::systems::oracle::messages::WorkerResult;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::Write;

/// What `glasshive run --json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The scenario with every setting spelled out.
    pub scenario: Value,
    /// Its seed.
    pub seed: u64,
    /// How much virtual time was played.
    pub virtual_ms: f64,
    /// How many events there were.
    pub events: u64,
    /// The hash over them.
    pub trace_hash: String,
    /// Every request.
    pub requests: Vec<RequestReport>,
    /// Figures over them.
    pub summary: Summary,
    /// Figures that only this system has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measures: Option<Value>,
    /// The invariants.
    pub checks: Vec<Check>,
}

/// An OracleResult and what the laboratory adds to it. A failed request keeps its `worker_responses`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestReport {
    /// The request's id.
    pub request_id: String,
    /// What was asked.
    pub query: String,
    /// The aggregate; null without one.
    pub final_value: Option<f64>,
    /// One entry per worker asked, in registration order.
    pub worker_responses: Vec<WorkerResult>,
    /// How far the result can be relied upon, in words; empty without a result.
    pub reliability_note: String,
    /// When the client wanted it.
    pub requested_at_ms: f64,
    /// When the client had its answer; null while it waits.
    pub answered_at_ms: Option<f64>,
    /// Why it got none.
    pub error: Option<Failure>,
    /// What the laboratory makes of the answers.
    pub analysis: Option<Analysis>,
}

impl From<&RequestEntry> for RequestReport {
    fn from(entry: &RequestEntry) -> Self {
        let result = entry.result.as_ref();
        RequestReport {
            request_id: format!("req-{:05}", entry.number),
            query: entry.query.clone(),
            final_value: result.map(|result| result.final_value),
            // Of a duplicated request the client may have got the other handling's.
            worker_responses: result.map_or(&entry.worker_responses, |r| &r.worker_responses).clone(),
            reliability_note: result.map_or_else(String::new, |result| result.reliability_note.clone()),
            requested_at_ms: entry.requested_at.as_millis_f64(),
            answered_at_ms: entry.answered_at.map(|at| at.as_millis_f64()),
            error: entry.error.clone(),
            analysis: entry.analysis.clone(),
        }
    }
}

impl Report {
    /// The report of a run as it stands.
    pub fn of(run: &Run) -> Self {
        let mut checks = run.system().checks();
        checks.push(Check {
            name: format!("the run has at most {} events", super::run::EVENTS_MAX),
            ok: !run.is_exhausted(),
            detail: String::new(),
        });
        Report {
            scenario: scenario(run),
            seed: run.scenario().seed,
            virtual_ms: run.now().as_millis_f64(),
            events: run.events(),
            trace_hash: run.trace_hash(),
            requests: requests(run.system()),
            summary: run.system().summary(),
            measures: run.system().measures(),
            checks,
        }
    }

    /// True when every invariant held.
    pub fn ok(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }

    /// The report for a person: the last request's breakdown by worker, then the figures.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_text(&mut text);
        text
    }

    fn write_text(&self, f: &mut String) -> std::fmt::Result {
        let preset = self.scenario["preset"].as_str().unwrap_or_default();
        writeln!(
            f,
            "{preset}, seed {}: {} s virtual, {} events",
            self.seed,
            self.virtual_ms / 1000.0,
            self.events
        )?;
        if let Some(faults) = self.scenario["faults"].as_str().filter(|faults| !faults.is_empty()) {
            writeln!(f, "faults: {faults}")?;
        }
        if let Some(last) = self.requests.iter().rev().find(|request| request.answered_at_ms.is_some()) {
            writeln!(f)?;
            last.write_text(f)?;
        }
        writeln!(f)?;
        self.write_summary(f)?;
        for check in self.checks.iter().filter(|check| !check.ok) {
            writeln!(f, "check failed: {}: {}", check.name, check.detail)?;
        }
        writeln!(f, "trace hash {}", self.trace_hash)
    }

    fn write_summary(&self, f: &mut String) -> std::fmt::Result {
        let Summary { requests, answered, unanswered, pending, error_mean, latency_ms, tasks, .. } =
            &self.summary;
        writeln!(f, "requests   {requests}: {answered} answered, {unanswered} failed, {pending} under way")?;
        writeln!(f, "tasks      {} in time, {} failed, {} late", tasks.in_time, tasks.failed, tasks.late)?;
        if let Some(e) = error_mean {
            writeln!(
                f,
                "mean error {:.3} % ±{:.3} % (95 %, Student's t)",
                e.mean * 100.0,
                e.half_width * 100.0
            )?;
        }
        if let Some(l) = latency_ms {
            writeln!(f, "latency    p50 {:.0} ms, p95 {:.0} ms, p99 {:.0} ms", l.p50, l.p95, l.p99)?;
        }
        Ok(())
    }
}

impl RequestReport {
    /// The demo client's breakdown by worker.
    fn write_text(&self, f: &mut String) -> std::fmt::Result {
        writeln!(f, "{} {} at {:.3} s", self.request_id, self.query, self.requested_at_ms / 1000.0)?;
        for response in &self.worker_responses {
            let WorkerResult { worker_id, value, err, response_time, .. } = response;
            match err {
                None => writeln!(f, "  {worker_id:<8} {value:>14.4}  in {response_time}")?,
                Some(err) => writeln!(f, "  {worker_id:<8} {:>14}  {err}", "—")?,
            }
        }
        match (&self.final_value, &self.error) {
            (Some(value), _) => writeln!(f, "  {:<8} {value:>14.4}  {}", "result", self.reliability_note)?,
            (None, Some(error)) => writeln!(f, "  failed: {} {}", error.code, error.message)?,
            (None, None) => {}
        }
        if let Some(analysis) = &self.analysis {
            let others = analysis.counter_answers.iter().map(|(name, value)| format!("{name} {value:.2}"));
            let others: Vec<String> = others.collect();
            writeln!(f, "  off the truth by {:+.3} %; {}", analysis.error * 100.0, others.join(", "))?;
        }
        Ok(())
    }
}

/// Every request of an oracle; the other systems have other units of work.
fn requests(system: &dyn System) -> Vec<RequestReport> {
    system
        .oracle()
        .map_or_else(Vec::new, |oracle| oracle.log().requests().iter().map(RequestReport::from).collect())
}

/// The scenario's own faults, or those of the preset's that found their nodes in this run.
fn scheduled_faults(run: &Run) -> String {
    let scenario = run.scenario();
    if let Some(faults) = &scenario.faults {
        return faults.clone();
    }
    let preset = presets::find(&scenario.preset).map_or("", |preset| preset.faults);
    let planned =
        |f: &&Fault| run.faults().any(|g| (f.kind, &f.target, f.start) == (g.kind, &g.target, g.start));
    let faults = fault::parse_list(preset).unwrap_or_default();
    fault::format_list(faults.iter().filter(planned))
}

/// The scenario with every setting, default or not, and the faults as they were resolved.
fn scenario(run: &Run) -> Value {
    let mut scenario = run.scenario().clone();
    scenario.set = run.settings().iter().map(|set| (set.key.to_owned(), set.value.clone())).collect();
    scenario.faults = Some(scheduled_faults(run));
    scenario.horizon = Some(run.horizon().since(crate::kernel::Instant::ZERO).to_string());
    serde_json::to_value(&scenario).unwrap_or_default()
}
