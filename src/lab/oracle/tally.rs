//! What a run's requests amount to, counted over all of them in constant memory: the same whatever the ledger keeps.
//!
//! What concerns a request counts until it settles (`ledger.rs`). Later news of it, such as a result that comes after a
//! minute, changes no figure.

use super::request::RequestEntry;
use super::task::{Ends, TaskEnd};
use crate::lab::figures::Figures;
use crate::lab::quantiles::Quantiles;
use crate::lab::stats::Estimate;
use crate::systems::facts::Told;
use crate::systems::oracle::fact::Fact;
use serde::{Deserialize, Serialize};

/// The counts of a run, and its samples.
#[derive(Debug, Default)]
pub struct Tally {
    requests: usize,
    answered: usize,
    unanswered: usize,
    limited: usize,
    retries: usize,
    /// By [`TaskEnd`].
    ends: [usize; 5],
    redelivered: usize,
    errors: Quantiles,
    latencies_ms: Quantiles,
}

/// The figures of a run.
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
    /// How often a client sent a request again: as a 429 said, or after a failure.
    #[serde(default)]
    pub retries: usize,
    /// How the tasks of closed requests ended.
    pub tasks: Tasks,
}

/// Percentiles by nearest rank.
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
    /// True while the percentiles are samples; false when they may be 0.1 % away from one.
    pub exact: bool,
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

impl Tally {
    pub(super) fn intended(&mut self) {
        self.requests += 1;
    }

    /// Counts what `change` does to a request's tasks.
    pub(super) fn follow<T>(
        &mut self,
        request: &mut RequestEntry,
        change: impl FnOnce(&mut RequestEntry) -> T,
    ) -> T {
        let before: Ends = request.ends;
        let result = change(request);
        for (count, (before, after)) in self.ends.iter_mut().zip(before.into_iter().zip(request.ends)) {
            *count = *count + after as usize - before as usize;
        }
        result
    }

    /// Counts a fact of a request, which it has changed already.
    pub(super) fn count(&mut self, told: &Told<'_, Fact>, request: &RequestEntry) {
        match told.fact {
            Fact::RequestAnswered { .. } => {
                self.answered += 1;
                self.latencies_ms.add(told.at.since(request.requested_at).as_millis_f64());
                if let Some(off) = request.off() {
                    self.errors.add(off.abs());
                }
            }
            Fact::RequestUnanswered { failure } => {
                self.unanswered += 1;
                self.limited += usize::from(failure.status == 429);
            }
            Fact::RequestBackedOff { .. } => self.retries += 1,
            #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
            Fact::RequestRetried { .. } => self.retries += 1,
            Fact::TaskReceived { delivery } => self.redelivered += usize::from(*delivery > 1),
            _ => {}
        }
    }

    /// How many requests were wanted, and how many of them have come to their end.
    pub fn progress(&self) -> (u64, u64) {
        (self.requests as u64, (self.answered + self.unanswered) as u64)
    }

    /// The figures so far.
    pub fn summary(&self) -> Summary {
        let Tally { requests, answered, unanswered, limited, retries, .. } = *self;
        Summary {
            requests,
            answered,
            unanswered,
            pending: requests - answered - unanswered,
            error_mean: self.errors.estimate(),
            error_p95: self.errors.percentile(95.0),
            latency_ms: Percentiles::of(&self.latencies_ms),
            limited,
            retries,
            tasks: self.tasks(),
        }
    }

    /// How the tasks ended so far.
    pub fn tasks(&self) -> Tasks {
        let ended = |end: TaskEnd| self.ends[end as usize];
        Tasks {
            in_time: ended(TaskEnd::InTime),
            failed: ended(TaskEnd::Failed),
            late: ended(TaskEnd::Late),
            lost: ended(TaskEnd::Lost),
            redelivered: self.redelivered,
            pending: ended(TaskEnd::Pending),
        }
    }
}

impl Percentiles {
    /// The percentiles of samples; `None` without any.
    pub fn of(samples: &Quantiles) -> Option<Self> {
        let [p50, p95, p99] = samples.percentiles([50.0, 95.0, 99.0])?;
        Some(Percentiles { mean: samples.mean()?, p50, p95, p99, exact: samples.is_exact() })
    }
}

impl Summary {
    /// The same, as a report has them.
    pub fn figures(&self) -> Figures {
        let Summary {
            requests,
            answered,
            unanswered,
            pending,
            error_mean,
            latency_ms,
            limited,
            retries,
            tasks,
            ..
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
        let words = match retries {
            0 => String::new(),
            retries => format!("{retries} times a request was sent again"),
        };
        figures.tell("retries", retries, "retries", words);
        let words = error_mean.map_or_else(String::new, |e| {
            let (mean, half) = (e.mean * 100.0, e.half_width * 100.0);
            format!("{mean:.3} % ±{half:.3} % (95 %, Student's t)")
        });
        figures.tell("error_mean", error_mean, "mean error", words);
        figures.add("error_p95", self.error_p95);
        let words = latency_ms.map_or_else(String::new, |l| {
            let how = if l.exact { "" } else { " (within 0.1 %)" };
            format!("p50 {:.0} ms, p95 {:.0} ms, p99 {:.0} ms{how}", l.p50, l.p95, l.p99)
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
