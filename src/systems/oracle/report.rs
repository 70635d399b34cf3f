//! When an oracle publishes: deviation and heartbeat, as oracle networks have them.
//!
//! Publishing costs, so not every aggregate becomes a report. One does when it is the first, when it is off the last
//! report by at least the share `deviation`, |new − old| / |old| ≥ α, or when the last report is older than the
//! heartbeat. Consumers take a report older than the heartbeat for stale. The coordinator considers each aggregate that
//! it makes; while nobody asks, there is nothing to publish, and the last report grows stale.

use super::Params;
use super::calendar::rfc3339;
use crate::kernel::{Duration, Instant, SortedMap};
use crate::substrate::http::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Of so many queries the last report is kept; a further one takes the place of the oldest report.
const QUERIES_MAX: usize = 256;

/// What makes an aggregate a report.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trigger {
    /// The relative distance from the last report, 0 … 1. 0 reports everything.
    pub deviation: f64,
    /// The age beyond which a report is stale.
    pub heartbeat: Duration,
}

/// Why an aggregate was reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// There was none before.
    First,
    /// It is far enough from the last.
    Deviation,
    /// The last is too old.
    Heartbeat,
}

/// A published value.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The value.
    pub value: f64,
    /// The value of the one before it.
    pub before: Option<f64>,
    /// The request whose aggregate it is.
    pub request: u64,
    /// When it was published.
    pub at: Instant,
    /// Why.
    pub cause: Cause,
    /// The how-manieth of its query, from 1.
    pub round: u64,
}

impl From<&Params> for Trigger {
    fn from(params: &Params) -> Self {
        Trigger { deviation: params.deviation, heartbeat: params.report_heartbeat }
    }
}

impl Trigger {
    /// Why `value` is to be reported now, given the last report; `None` if it is not.
    pub fn cause(&self, last: Option<&Report>, value: f64, now: Instant) -> Option<Cause> {
        let Some(last) = last else {
            return Some(Cause::First);
        };
        let change = (value - last.value).abs();
        // Without a division, so that any change from 0 counts.
        if change >= self.deviation * last.value.abs() && (change > 0.0 || self.deviation == 0.0) {
            return Some(Cause::Deviation);
        }
        self.is_stale(last, now).then_some(Cause::Heartbeat)
    }

    /// True for a report that consumers must no longer use.
    pub fn is_stale(&self, report: &Report, now: Instant) -> bool {
        now.since(report.at) > self.heartbeat
    }
}

/// The last report of each query.
#[derive(Debug, Default)]
pub struct Reports(SortedMap<String, Report>);

impl Reports {
    /// Publishes an aggregate if its trigger says so; returns why.
    pub fn consider(
        &mut self,
        trigger: &Trigger,
        query: &str,
        request: u64,
        value: f64,
        now: Instant,
    ) -> Option<Cause> {
        let last = self.0.get(query);
        let cause = trigger.cause(last, value, now)?;
        let (round, before) = (last.map_or(1, |last| last.round + 1), last.map(|last| last.value));
        if last.is_none() && self.0.len() >= QUERIES_MAX {
            let oldest = self.0.iter().min_by_key(|(_, report)| report.at).map(|(query, _)| query.clone());
            oldest.map(|query| self.0.remove(&query));
        }
        self.0.insert(query.to_owned(), Report { value, before, request, at: now, cause, round });
        Some(cause)
    }

    /// The answer to `GET /report`: the last report of a query with its age, and whether it is stale.
    pub(super) fn respond(&self, trigger: &Trigger, query: &str, now: Instant) -> Response {
        let Some(report) = self.last(query) else {
            let message = format!("there is no report of {query} yet; a request makes the first");
            return Response::error(404, "no_report", &message, json!({"query": query}));
        };
        let body = json!({
            "query": query,
            "value": report.value,
            "request_id": format!("req-{:05}", report.request),
            "round": report.round,
            "cause": report.cause,
            "reported_at": rfc3339(report.at),
            "age": now.since(report.at).to_string(),
            "stale": trigger.is_stale(report, now),
        });
        Response::json(200, &body)
    }

    /// The last report of a query.
    pub fn last(&self, query: &str) -> Option<&Report> {
        self.0.get(query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIGGER: Trigger = Trigger { deviation: 0.005, heartbeat: Duration::from_secs(60) };

    fn report(value: f64) -> Report {
        Report { value, before: None, request: 1, at: Instant::ZERO, cause: Cause::First, round: 1 }
    }

    #[test]
    fn a_report_needs_its_deviation_or_its_age() {
        let cause = |value, ms| TRIGGER.cause(Some(&report(1000.0)), value, Instant::from_millis(ms));
        assert_eq!(TRIGGER.cause(None, 1000.0, Instant::ZERO), Some(Cause::First));
        assert_eq!(cause(1004.99, 1), None);
        assert_eq!(cause(995.01, 1), None);
        assert_eq!((cause(1005.0, 1), cause(995.0, 1)), (Some(Cause::Deviation), Some(Cause::Deviation)));
        assert_eq!((cause(1000.0, 60_000), cause(1000.0, 60_001)), (None, Some(Cause::Heartbeat)));
        assert_eq!(cause(2000.0, 60_001), Some(Cause::Deviation), "the deviation is told first");
        let last = report(1000.0);
        assert!(!TRIGGER.is_stale(&last, Instant::from_millis(60_000)));
        assert!(TRIGGER.is_stale(&last, Instant::from_millis(60_001)));
    }

    #[test]
    fn values_about_zero_and_below_have_deviations_too() {
        let cause = |old, new| TRIGGER.cause(Some(&report(old)), new, Instant::ZERO);
        assert_eq!((cause(0.0, 0.0), cause(0.0, 1e-9)), (None, Some(Cause::Deviation)));
        assert_eq!((cause(-1000.0, -1004.0), cause(-1000.0, -1006.0)), (None, Some(Cause::Deviation)));
        let every = Trigger { deviation: 0.0, ..TRIGGER };
        assert_eq!(every.cause(Some(&report(5.0)), 5.0, Instant::ZERO), Some(Cause::Deviation));
    }

    #[test]
    fn queries_are_reported_each_by_itself_and_the_oldest_gives_way() {
        let mut reports = Reports::default();
        let at = Instant::from_millis;
        assert_eq!(reports.consider(&TRIGGER, "a", 1, 10.0, at(1)), Some(Cause::First));
        assert_eq!(reports.consider(&TRIGGER, "b", 2, 11.0, at(2)), Some(Cause::First));
        assert_eq!(reports.consider(&TRIGGER, "a", 3, 10.01, at(3)), None);
        assert_eq!(reports.consider(&TRIGGER, "a", 4, 10.1, at(4)), Some(Cause::Deviation));
        let last = reports.last("a").unwrap();
        assert_eq!((last.value, last.request, last.round), (10.1, 4, 2));
        for i in 0..QUERIES_MAX as u64 {
            reports.consider(&TRIGGER, &format!("q{i}"), 5, 1.0, at(5));
        }
        assert_eq!((reports.last("a"), reports.last("b")), (None, None));
        assert!(reports.last("q0").is_some());
    }
}
