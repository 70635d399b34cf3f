//! What a run's jobs amount to.

use crate::kernel::{Duration, Instant};
use crate::lab::figures::Figures;
use crate::systems::wizard::log::{Counts, Job, Log, wait_of};
use serde::Serialize;

/// The figures of a run, over the jobs that the log kept and the counts of the whole run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measures {
    /// Counts over the whole run.
    pub counts: Counts,
    /// Jobs done in a second of the run.
    pub throughput: f64,
    /// From the push to the first time that a job was taken, milliseconds.
    pub wait_ms: Option<Spread>,
    /// From the push to the result, milliseconds, over the jobs done.
    pub job_ms: Option<Spread>,
    /// How many jobs waited or were in hand, on average over time.
    pub mean_in_system: f64,
    /// The jobs lost, by cause.
    pub lost: Vec<LostJob>,
}

/// A job that nobody has any more.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LostJob {
    /// Its id.
    pub task_id: String,
    /// When, in milliseconds of virtual time.
    pub at_ms: f64,
    /// Why.
    pub cause: &'static str,
}

/// Figures over samples, by nearest rank.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// How many.
    pub count: usize,
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The greatest.
    pub max: f64,
}

impl Measures {
    /// The figures of a log at an instant.
    pub fn of(log: &Log, now: Instant) -> Self {
        let jobs = log.jobs();
        let times = |of: fn(&Job) -> Option<Duration>| {
            Spread::of(jobs.iter().filter_map(of).map(Duration::as_millis_f64).collect())
        };
        let seconds = now.since(Instant::ZERO).as_secs_f64();
        Measures {
            counts: log.counts,
            throughput: if seconds > 0.0 { log.counts.done as f64 / seconds } else { 0.0 },
            wait_ms: times(wait_of),
            job_ms: times(|job| Some(job.done_at?.since(job.queued_at?))),
            mean_in_system: log.mean_in_system(now),
            lost: jobs
                .iter()
                .filter_map(|job| {
                    let (at, cause) = job.lost?;
                    let (task_id, at_ms) = (job.id.clone(), at.as_millis_f64());
                    Some(LostJob { task_id, at_ms, cause: cause.words() })
                })
                .collect(),
        }
    }
}

impl Measures {
    /// The same, as a report has them.
    pub fn figures(&self) -> Figures {
        let counts = &self.counts;
        let mut figures = Figures::default();
        figures.tell("counts", counts, "jobs", format!("{} done", counts.done));
        figures.add("throughput", self.throughput);
        figures.add("wait_ms", self.wait_ms);
        figures.add("job_ms", self.job_ms);
        figures.add("mean_in_system", self.mean_in_system);
        figures.add("lost", &self.lost);
        figures
    }
}

impl Spread {
    /// `None` without samples.
    pub fn of(mut samples: Vec<f64>) -> Option<Self> {
        samples.sort_by(f64::total_cmp);
        let count = samples.len();
        let rank = |percent: usize| samples[(count * percent).div_ceil(100).max(1) - 1];
        let max = *samples.last()?;
        let mean = samples.iter().sum::<f64>() / count as f64;
        Some(Spread { count, mean, p50: rank(50), p95: rank(95), max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_by_nearest_rank() {
        let spread = Spread::of((1..=20).rev().map(f64::from).collect()).unwrap();
        assert_eq!((spread.count, spread.mean, spread.max), (20, 10.5, 20.0));
        assert_eq!((spread.p50, spread.p95), (10.0, 19.0));
        assert_eq!(Spread::of(vec![7.0]).unwrap().p95, 7.0);
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
