//! The outcome numbers beside the sentence, as plain data.

use super::snapshot::Snapshot;
use crate::lab::SystemKind;

/// One outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its name in test ids, after `outcome-`.
    pub key: &'static str,
    /// The figure.
    pub value: String,
    /// What stands behind it in small: its interval, its unit, of how many it is, with
    /// the space before it.
    pub aside: String,
    /// What it is.
    pub label: String,
    /// How it is reckoned.
    pub title: &'static str,
}

/// The outcomes of a moment; always as many for one system.
pub fn outcomes(snapshot: &Snapshot) -> Vec<Figure> {
    match snapshot.system {
        SystemKind::OracleHttp => of_oracle(snapshot),
    }
}

fn of_oracle(snapshot: &Snapshot) -> Vec<Figure> {
    let summary = &snapshot.summary;
    let none = || "—".to_owned();
    let error = summary.error_mean;
    let interval = error.filter(|e| e.n > 1).map(|e| format!(" ±{:.2}", e.half_width * 100.0));
    vec![
        Figure {
            key: "error",
            value: error.map_or_else(none, |e| format!("{:.2}", e.mean * 100.0)),
            aside: format!("{} %", interval.unwrap_or_default()),
            label: format!("mean error, {} answered", summary.answered),
            title: "Mean of |answer − truth| / truth, with its 95 % interval by Student's t",
        },
        Figure {
            key: "p99",
            value: summary.latency_ms.map_or_else(none, |l| format!("{:.3}", l.p99 / 1000.0)),
            aside: " s".to_owned(),
            label: "p99 request time".to_owned(),
            title: "99th percentile, from the intended send time, over the raw samples",
        },
        Figure {
            key: "answered",
            value: summary.answered.to_string(),
            aside: format!("/{}", summary.answered + summary.unanswered),
            label: "requests answered".to_owned(),
            title: "Of the requests that are no longer under way",
        },
    ]
}
