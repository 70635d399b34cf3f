//! Which workers the coordinator knows, and how far it trusts each.

use super::messages::WorkerInfo;
use crate::kernel::{Duration, Instant};

/// How much the newest distance weighs in the running mean of a worker's distances.
const DISTANCE_WEIGHT: f64 = 0.2;
/// The relative distance from the aggregate at which an answer counts half: the workers' own noise of ±5 %.
const DISTANCE_HALF: f64 = 0.05;

/// A worker's history, from which its reliability score follows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct History {
    /// Answers in time.
    pub successes: u64,
    /// Errors, refused and broken connections.
    pub failures: u64,
    /// No answer within the timeout.
    pub timeouts: u64,
    /// Exponentially weighted mean of |value − aggregate| / |aggregate| over its answers.
    pub distance: f64,
}

impl History {
    /// The reliability score in 0 … 1: the share of answers in time, one success and one failure assumed before the
    /// first (Laplace's rule of succession), times a closeness that is 1 at the aggregate and ½ at a distance of 5 %.
    pub fn score(&self) -> f64 {
        let asked = self.successes + self.failures + self.timeouts;
        let in_time = (self.successes + 1) as f64 / (asked + 2) as f64;
        let d = self.distance / DISTANCE_HALF;
        in_time / (1.0 + d * d)
    }
}

/// What became of a task, as the registry counts it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// An answer in time, at this relative distance from the aggregate.
    Answered(f64),
    /// An error.
    Failed,
    /// Nothing in time.
    TimedOut,
}

/// One registered worker.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// Where its tasks go.
    pub endpoint: String,
    /// The last registration, heartbeat or answer.
    pub last_seen: Instant,
    /// Its history since it registered first; kept when it registers again.
    pub history: History,
}

/// The registered workers, in the order of registration.
#[derive(Debug, Default)]
pub struct Registry {
    entries: Vec<Entry>,
}

impl Registry {
    /// Adds a worker, or renews one that is there, which keeps its place and its history.
    pub fn register(&mut self, id: &str, endpoint: &str, now: Instant) {
        match self.find(id) {
            Some(entry) => {
                endpoint.clone_into(&mut entry.endpoint);
                entry.last_seen = now;
            }
            None => self.entries.push(Entry {
                id: id.to_owned(),
                endpoint: endpoint.to_owned(),
                last_seen: now,
                history: History::default(),
            }),
        }
    }

    /// Notes a sign of life; false when the worker is unknown.
    pub fn seen(&mut self, id: &str, now: Instant) -> bool {
        self.find(id).map(|entry| entry.last_seen = now).is_some()
    }

    /// Removes a worker; false when it was unknown.
    pub fn deregister(&mut self, id: &str) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.id != id);
        self.entries.len() < before
    }

    /// Removes and returns the workers that gave no sign of life for longer than `limit`.
    pub fn evict_stale(&mut self, now: Instant, limit: Duration) -> Vec<String> {
        let stale = |entry: &Entry| now.since(entry.last_seen) > limit;
        let evicted =
            self.entries.iter().filter(|entry| stale(entry)).map(|entry| entry.id.clone()).collect();
        self.entries.retain(|entry| !stale(entry));
        evicted
    }

    /// Adds an outcome to a worker's history. An answer is a sign of life.
    pub fn note(&mut self, id: &str, outcome: Outcome) {
        let Some(entry) = self.find(id) else {
            return;
        };
        let history = &mut entry.history;
        match outcome {
            Outcome::Answered(distance) => {
                history.distance += match history.successes {
                    0 => distance,
                    _ => DISTANCE_WEIGHT * (distance - history.distance),
                };
                history.successes += 1;
            }
            Outcome::Failed => history.failures += 1,
            Outcome::TimedOut => history.timeouts += 1,
        }
    }

    /// The reliability scores of some workers; of one that is not registered, a newcomer's.
    pub fn scores<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Vec<f64> {
        let count = self.entries.len();
        // Mostly they come in the order of registration.
        let mut next = 0;
        ids.map(|id| {
            let mut places = (next..count).chain(0..next.min(count));
            let Some(place) = places.find(|&place| self.entries[place].id == id) else {
                return History::default().score();
            };
            next = place + 1;
            self.entries[place].history.score()
        })
        .collect()
    }

    /// The registered workers, in the order of registration.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn find(&mut self, id: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id == id)
    }
}

impl From<&Entry> for WorkerInfo {
    fn from(entry: &Entry) -> Self {
        let score = entry.history.score();
        WorkerInfo {
            id: entry.id.clone(),
            endpoint: entry.endpoint.clone(),
            last_seen: super::calendar::rfc3339(entry.last_seen),
            reliable: score >= 0.5,
            score,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_registers_again_keeps_its_place_and_history() {
        let mut registry = Registry::default();
        registry.register("a", "http://localhost:1", Instant::ZERO);
        registry.register("b", "http://localhost:2", Instant::ZERO);
        registry.note("a", Outcome::Failed);
        registry.register("a", "http://localhost:3", Instant::from_millis(5));
        let first = &registry.entries()[0];
        assert_eq!(
            (first.id.as_str(), first.endpoint.as_str(), first.history.failures),
            ("a", "http://localhost:3", 1)
        );
    }

    #[test]
    fn only_silence_longer_than_the_limit_evicts() {
        let mut registry = Registry::default();
        registry.register("a", "", Instant::ZERO);
        registry.register("b", "", Instant::ZERO);
        assert!(registry.seen("b", Instant::from_millis(1)));
        let limit = Duration::from_secs(15);
        assert!(registry.evict_stale(Instant::from_millis(15_000), limit).is_empty());
        assert_eq!(registry.evict_stale(Instant::from_millis(15_001), limit), ["a"]);
        assert!(!registry.seen("a", Instant::from_millis(15_001)), "an evicted worker is unknown");
    }

    #[test]
    fn the_score_falls_with_failures_and_with_distance() {
        let with = |outcomes: &[Outcome]| {
            let mut registry = Registry::default();
            registry.register("a", "", Instant::ZERO);
            outcomes.iter().for_each(|&o| registry.note("a", o));
            registry.entries()[0].history.score()
        };
        let good = with(&[Outcome::Answered(0.0); 8]);
        assert_eq!(good, 0.9);
        assert!(with(&[Outcome::Answered(0.05); 8]) < 0.5 * good + 1e-12);
        assert!(with(&[Outcome::Failed, Outcome::Answered(0.0)]) < with(&[Outcome::Answered(0.0)]));
        assert!(with(&[Outcome::TimedOut]) < with(&[]));
    }
}
