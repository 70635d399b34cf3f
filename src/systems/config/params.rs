//! What can be set about a configuration system.

use crate::kernel::Duration;

/// The parameters of a configuration system. The key of each in a table of parameters is its name with hyphens.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// How many agents there are: 1 – 500.
    pub agents: u32,
    /// How many workers there are in all: 1 – 10 000. Worker i reads agent (i − 1) mod `agents` + 1.
    pub workers: u32,
    /// The time from one poll of an agent to its next: 100 ms – 1 h.
    pub poll: Duration,
    /// By which share of it, at most, that time is longer or shorter: 0 – 1. Each time is drawn anew, uniformly.
    pub poll_jitter: f64,
    /// The longest pause after an agent's first failed poll: 1 ms – 1 h. It doubles with every further failure.
    pub backoff_min: Duration,
    /// The longest pause of all: 1 ms – 1 h, at least `backoff_min`.
    pub backoff_cap: Duration,
    /// Whether the pause is drawn between zero and its longest (full jitter), or is always the longest.
    pub backoff_jitter: bool,
    /// How long agents, workers and the operator wait for an answer: 10 ms – 1 min.
    pub client_timeout: Duration,
    /// The time from one reading of a worker to its next: 10 ms – 1 h.
    pub worker_interval: Duration,
    /// Whether the controller announces new versions over Pub/Sub, so that agents poll at once.
    pub trigger: bool,
    /// The time between the operator's changes: 1 s – 24 h; zero switches them off.
    pub put_period: Duration,
    /// The number of the change that goes wrong: 0 – 10 000; zero for none. Its query has a typing error that only
    /// the workers notice.
    pub bad_put: u32,
    /// How long after that change was due the operator puts the settings of the one before it again: 0 – 24 h. The
    /// next change waits for that.
    pub rollback: Duration,
    /// How long a write takes to be durable, at the controller and at an agent: 0 – 10 s.
    pub store_latency: Duration,
    /// Whether the operator changes anything at all.
    pub client_on: bool,
    /// How many of the agents wait until there are to be more than at first: the last ones. No worker reads them.
    pub joining: u32,
}

impl Default for Params {
    fn default() -> Self {
        Params {
            agents: 3,
            workers: 6,
            poll: Duration::from_secs(10),
            poll_jitter: 0.1,
            backoff_min: Duration::from_millis(500),
            backoff_cap: Duration::from_secs(30),
            backoff_jitter: true,
            client_timeout: Duration::from_secs(2),
            worker_interval: Duration::from_secs(1),
            trigger: false,
            put_period: Duration::from_secs(30),
            bad_put: 0,
            rollback: Duration::from_secs(20),
            store_latency: Duration::from_millis(5),
            client_on: true,
            joining: 0,
        }
    }
}

impl Params {
    /// How many agents have workers: those that are there at the start.
    pub fn serving(&self) -> u32 {
        self.agents - self.joining
    }

    /// The longest time from one poll of an agent to its next, jitter included.
    pub fn poll_max(&self) -> Duration {
        self.poll.scale(1.0 + self.poll_jitter)
    }

    /// The longest pause after so many failures in a row: `backoff_min` · 2^(failures − 1), at most `backoff_cap`.
    pub fn backoff(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(63);
        let pause = self.backoff_min.as_nanos().saturating_mul(1 << doublings);
        Duration::from_nanos(pause).min(self.backoff_cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_its_cap() {
        let params = Params::default();
        let pauses: Vec<u64> = (1..=8).map(|n| params.backoff(n).as_nanos() / 1_000_000).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(params.backoff(u32::MAX), params.backoff_cap);
    }
}
