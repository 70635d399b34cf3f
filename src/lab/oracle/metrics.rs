//! What a run's requests amount to.

use crate::lab::figures::Figures;
use crate::lab::stats::{self, Estimate};
use crate::systems::oracle::log::{Log, RequestEntry, TaskEnd};
use serde::{Deserialize, Serialize};

/// Figures over the requests that a log kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Requests that a client wanted.
    pub requests: usize,
    /// Requests with an answer.
    pub answered: usize,
    /// Requests that failed: refused, timed out, 503.
    pub unanswered: usize,
    /// Requests still under way.
    pub pending: usize,
    /// The mean of |aggregate − truth| / truth over the answered.
    pub error_mean: Option<Estimate>,
    /// Its 95th percentile.
    pub error_p95: Option<f64>,
    /// From the intended send time to the answer, milliseconds, over the answered.
    pub latency_ms: Option<Percentiles>,
    /// Of those that failed, the ones that came too often: 429.
    #[serde(default)]
    pub limited: usize,
    /// How the tasks of closed requests ended.
    pub tasks: Tasks,
}

/// Percentiles by nearest rank over the raw samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
}

/// How many tasks ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tasks {
    /// A value in time.
    pub in_time: usize,
    /// An error, a refused or a broken connection.
    pub failed: usize,
    /// Not there at the timeout; over HTTP they were cancelled.
    pub late: usize,
    /// Gone with a broker, or their answers were.
    #[serde(default)]
    pub lost: usize,
    /// Deliveries that JetStream made again.
    #[serde(default)]
    pub redelivered: usize,
    /// Still under way.
    pub pending: usize,
}

impl Summary {
    /// The same, as a report has them.
    pub fn figures(&self) -> Figures {
        let Summary {
            requests, answered, unanswered, pending, error_mean, latency_ms, limited, tasks, ..
        } = self;
        let mut figures = Figures::default();
        figures.tell(
            "requests",
            requests,
            "requests",
            format!("{requests}: {answered} answered, {unanswered} failed, {pending} under way"),
        );
        figures.add("answered", answered);
        figures.add("unanswered", unanswered);
        figures.add("pending", pending);
        figures.tell("tasks", tasks, "tasks", tasks.words());
        let words = match limited {
            0 => String::new(),
            limited => format!("{limited} of the failed got 429"),
        };
        figures.tell("limited", limited, "limited", words);
        let words = error_mean.map_or_else(String::new, |e| {
            let (mean, half) = (e.mean * 100.0, e.half_width * 100.0);
            format!("{mean:.3} % ±{half:.3} % (95 %, Student's t)")
        });
        figures.tell("error_mean", error_mean, "mean error", words);
        figures.add("error_p95", self.error_p95);
        let words = latency_ms.map_or_else(String::new, |l| {
            format!("p50 {:.0} ms, p95 {:.0} ms, p99 {:.0} ms", l.p50, l.p95, l.p99)
        });
        figures.tell("latency_ms", latency_ms, "latency", words);
        figures
    }
}

impl Tasks {
    fn words(&self) -> String {
        let Tasks { in_time, failed, late, lost, redelivered, .. } = self;
        let mut words = format!("{in_time} in time, {failed} failed, {late} late");
        for (count, what) in [(lost, "lost with the broker"), (redelivered, "delivered again")] {
            if *count > 0 {
                words += &format!(", {count} {what}");
            }
        }
        words
    }
}

/// The figures over what an oracle's log kept.
pub fn summarise(log: &Log) -> Summary {
    let requests = log.requests();
    let answered = requests.iter().filter(|r| r.result.is_some()).count();
    let unanswered = requests.iter().filter(|r| r.error.is_some()).count();
    let done = || requests.iter().filter(|r| r.result.is_some());
    let errors: Vec<f64> = done().filter_map(|r| r.analysis.as_ref().map(|a| a.error.abs())).collect();
    let latencies: Vec<f64> =
        done().filter_map(|r| Some(r.answered_at?.since(r.requested_at).as_millis_f64())).collect();
    let mut tasks = Tasks::default();
    for task in requests.iter().flat_map(|r| &r.tasks) {
        *match task.end {
            TaskEnd::InTime => &mut tasks.in_time,
            TaskEnd::Failed => &mut tasks.failed,
            TaskEnd::Late => &mut tasks.late,
            TaskEnd::Lost => &mut tasks.lost,
            TaskEnd::Pending => &mut tasks.pending,
        } += 1;
    }
    tasks.redelivered = requests.iter().map(|r| r.redelivered as usize).sum();
    let is_limited = |r: &&RequestEntry| r.error.as_ref().is_some_and(|error| error.status == 429);
    Summary {
        requests: requests.len(),
        answered,
        unanswered,
        pending: requests.len() - answered - unanswered,
        error_mean: stats::estimate(&errors),
        error_p95: stats::percentile(&errors, 95.0),
        latency_ms: percentiles(&latencies),
        limited: requests.iter().filter(is_limited).count(),
        tasks,
    }
}

/// The percentiles of samples; `None` without any.
pub fn percentiles(samples: &[f64]) -> Option<Percentiles> {
    Some(Percentiles {
        mean: stats::mean(samples)?,
        p50: stats::percentile(samples, 50.0)?,
        p95: stats::percentile(samples, 95.0)?,
        p99: stats::percentile(samples, 99.0)?,
    })
}
