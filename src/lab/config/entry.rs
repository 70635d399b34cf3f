//! What a report has of one version: when everybody had it, and what came of it.

use super::ledger::VersionEntry;
use crate::kernel::Instant;
use serde_json::{Value, json};

/// A version as JSON. All times are milliseconds since virtual zero, `null` for what never was or has not been; `ended` says
/// that nothing about it can change any more.
pub(super) fn json(version: &VersionEntry, ended: bool) -> Value {
    let (change, author) =
        version.made_by.as_ref().map(|(change, author)| (*change, author.as_str())).unzip();
    let all = |instants: &[Option<Instant>]| instants.iter().copied().map(ms).collect::<Vec<_>>();
    json!({
        "version": version.number,
        "settings": version.settings,
        "change": change,
        "author": author,
        "stored_at_ms": ms(Some(version.stored_at)),
        "acknowledged_at_ms": ms(version.acknowledged_at),
        "agents_at_ms": all(&version.agents),
        "workers_at_ms": all(&version.workers),
        "everywhere_at_ms": ms(version.everywhere_at),
        "convergence_ms": version.convergence_ms(),
        "ticks_done": version.ticks_done,
        "ticks_failed": version.ticks_failed,
        "ended": ended,
    })
}

fn ms(at: Option<Instant>) -> Option<f64> {
    at.map(Instant::as_millis_f64)
}
