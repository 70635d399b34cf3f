//! What is reported of a request.

use super::analysis::Analysis;
use super::request::RequestEntry;
use crate::systems::oracle::Params;
use crate::systems::oracle::fact::Failure;
use crate::systems::oracle::messages::WorkerResult;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::rc::Rc;

/// An OracleResult and what the laboratory adds to it. A failed request keeps its `worker_responses`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestReport {
    /// The request's id.
    pub request_id: String,
    /// What was asked.
    pub query: Rc<str>,
    /// The aggregate; null without one.
    pub final_value: Option<f64>,
    /// One entry per worker asked, in registration order.
    pub worker_responses: Rc<[WorkerResult]>,
    /// How far the result can be relied upon, in words; empty without a result.
    pub reliability_note: Rc<str>,
    /// When the client wanted it.
    pub requested_at_ms: f64,
    /// When the client had its answer; null while it waits.
    pub answered_at_ms: Option<f64>,
    /// Why it got none.
    pub error: Option<Failure>,
    /// What the laboratory makes of the answers.
    pub analysis: Option<Analysis>,
}

impl RequestReport {
    /// What is reported of a request; `params` are its oracle's.
    pub fn of(entry: &RequestEntry, params: &Params) -> Self {
        let result = entry.result.as_ref();
        RequestReport {
            request_id: format!("req-{:05}", entry.number),
            query: Rc::clone(&entry.query),
            final_value: result.map(|result| result.final_value),
            worker_responses: Rc::clone(entry.responses()),
            reliability_note: result.map_or_else(|| "".into(), |result| Rc::clone(&result.reliability_note)),
            requested_at_ms: entry.requested_at.as_millis_f64(),
            answered_at_ms: entry.answered_at.map(|at| at.as_millis_f64()),
            error: entry.error.clone(),
            analysis: entry.analysis(params).cloned(),
        }
    }

    /// The demo client's breakdown by worker.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_text(&mut text);
        text
    }

    fn write_text(&self, f: &mut String) -> std::fmt::Result {
        writeln!(f, "{} {} at {:.3} s", self.request_id, self.query, self.requested_at_ms / 1000.0)?;
        for response in &*self.worker_responses {
            let WorkerResult { value, err, response_time, .. } = response;
            let worker_id = response.known_as();
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
