//! Figures of a run: how stale workers were, how fast versions arrived everywhere, and what that cost the controller.

use crate::kernel::Instant;
use crate::systems::config::log::Log;
use serde::{Deserialize, Serialize};

/// The figures of a run so far. Those over versions and workers cover the versions that the log kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Requests that arrived at the controller.
    pub requests: u64,
    /// The same per second of virtual time.
    pub requests_per_s: f64,
    /// The most of them within any second.
    pub herd_peak: u32,
    /// The same since the controller started last; `None` while it has not been restarted.
    pub herd_peak_since_restart: Option<u32>,
    /// Polls of the agents that have ended, in whatever way.
    pub polls: u64,
    /// The share of 304s among the polls that were answered with 200 or 304; `None` without any.
    pub share_not_modified: Option<f64>,
    /// Milliseconds from a version's acknowledgement until a worker first ran it or a newer one: a value per version
    /// and worker that got that far. `None` without any.
    pub staleness_ms: Option<Distribution>,
    /// For how many milliseconds each worker has been behind the newest version acknowledged, w-01 first; 0 when it
    /// is not.
    pub stale_now_ms: Vec<f64>,
    /// How long each version took to be everywhere.
    pub convergence: Vec<Convergence>,
    /// Work that workers did.
    pub ticks_done: u64,
    /// Work at which they failed because of what their configuration says.
    pub ticks_failed: u64,
}

/// How long a version took to be everywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Convergence {
    /// The version.
    pub version: u64,
    /// Milliseconds from its acknowledgement until every worker had run it or a newer one; `None` while one has not,
    /// or if it was never acknowledged.
    pub ms: Option<f64>,
}

/// A distribution by its quantiles, each the smallest value that so large a share of all does not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// How many values there are.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// The 0.9 quantile.
    pub p90: f64,
    /// The 0.95 quantile.
    pub p95: f64,
    /// The 0.99 quantile.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

impl Measures {
    /// The figures of what `log` kept, at `now`.
    pub fn of(log: &Log, now: Instant) -> Self {
        let requests: u64 = log.load().iter().map(|second| u64::from(second.requests)).sum();
        let seconds = now.as_nanos() as f64 / 1e9;
        let polls = log.polls;
        let answered = polls.modified + polls.not_modified;
        let ms = |since: Option<Instant>| since.map_or(0.0, |since| now.since(since).as_millis_f64());
        Measures {
            requests,
            requests_per_s: if seconds > 0.0 { requests as f64 / seconds } else { 0.0 },
            herd_peak: log.herd_peak(Instant::ZERO),
            herd_peak_since_restart: log.restarted_at().map(|at| log.herd_peak(at)),
            polls: answered + polls.failed,
            share_not_modified: (answered > 0).then(|| polls.not_modified as f64 / answered as f64),
            staleness_ms: Distribution::of(staleness(log, usize::MAX)),
            stale_now_ms: (0..log.workers().len()).map(|i| ms(log.stale_since(i))).collect(),
            convergence: convergence(log),
            ticks_done: log.versions().iter().map(|entry| entry.ticks_done).sum(),
            ticks_failed: log.versions().iter().map(|entry| entry.ticks_failed).sum(),
        }
    }
}

/// Milliseconds from a version's acknowledgement until a worker first ran it or a newer one, over the newest versions.
pub fn staleness(log: &Log, newest: usize) -> Vec<f64> {
    let acknowledged =
        log.versions().iter().rev().take(newest).filter_map(|entry| Some((entry, entry.acknowledged_at?)));
    let delays = acknowledged.flat_map(|(entry, from)| {
        entry.workers.iter().flatten().map(move |at| at.since(from).as_millis_f64())
    });
    delays.collect()
}

fn convergence(log: &Log) -> Vec<Convergence> {
    let entries = log.versions().iter().map(|entry| {
        let everywhere = entry.workers.iter().copied().collect::<Option<Vec<Instant>>>();
        let last = everywhere.and_then(|instants| instants.into_iter().max());
        let ms = entry.acknowledged_at.zip(last).map(|(from, to)| to.since(from).as_millis_f64());
        Convergence { version: entry.number, ms }
    });
    entries.collect()
}

impl Distribution {
    /// The distribution of some values; `None` without any.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        let count = values.len();
        values.sort_unstable_by(f64::total_cmp);
        let max = *values.last()?;
        let quantile = |share: f64| values[(libm::ceil(share * count as f64) as usize).max(1) - 1];
        let mean = values.iter().sum::<f64>() / count as f64;
        let (p50, p90, p95, p99) = (quantile(0.5), quantile(0.9), quantile(0.95), quantile(0.99));
        Some(Distribution { count, mean, p50, p90, p95, p99, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let of = |values: &[f64]| Distribution::of(values.to_vec());
        assert_eq!(of(&[]), None);
        let one = of(&[7.0]).unwrap();
        assert_eq!((one.mean, one.p50, one.p99, one.max), (7.0, 7.0, 7.0, 7.0));
        let hundred = of(&(1..=100).rev().map(f64::from).collect::<Vec<_>>()).unwrap();
        assert_eq!((hundred.p50, hundred.p90, hundred.p99, hundred.max), (50.0, 90.0, 99.0, 100.0));
        assert_eq!(hundred.p95, 95.0);
        assert_eq!((hundred.count, hundred.mean), (100, 50.5));
    }
}
