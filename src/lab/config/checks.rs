//! The invariants of every run, whatever its faults, judged as facts come in.
//!
//! Its memory does not grow with time: of the versions it knows the newest that the controller's disk keeps.

use crate::lab::check::{Check, Verdicts, Violation};
use crate::systems::config::{Fact, Params, Settings, VERSIONS_KEPT, Version};
use crate::systems::facts::Told;
use std::collections::VecDeque;

const SURVIVES: usize = 0;
const IN_ORDER: usize = 1;
const NOT_EARLY: usize = 2;
const NEVER_BACK: usize = 3;
const INVARIANTS: [&str; 4] = [
    "a version that was acknowledged is on the controller's disk as it was",
    "versions are acknowledged in order, each after it was stored",
    "nobody has a version before the controller",
    "no version goes back, and nobody has a newer one than its source",
];

/// What must hold, and who has what.
#[derive(Debug)]
pub struct Checker {
    verdicts: Verdicts,
    /// The newest versions that the controller could serve, oldest first, and the number of the newest.
    versions: VecDeque<Settings>,
    newest: u64,
    /// The newest that was acknowledged.
    acknowledged: u64,
    /// The newest that each agent ever had.
    agents: Vec<u64>,
    /// How many of them have workers.
    serving: usize,
    /// The version that each worker runs, and the newest that it ever ran.
    workers: Vec<(u64, u64)>,
}

impl Checker {
    /// The checker of a run that has not begun.
    pub fn new(params: &Params) -> Self {
        Checker {
            verdicts: Verdicts::new(&INVARIANTS),
            versions: VecDeque::new(),
            newest: 0,
            acknowledged: 0,
            agents: vec![0; params.agents as usize],
            serving: params.serving() as usize,
            workers: vec![(0, 0); params.workers as usize],
        }
    }

    /// What first broke an invariant.
    pub fn first(&self) -> Option<&Violation> {
        self.verdicts.first()
    }

    /// The invariants so far; `stored` is what the controller's disk has under a number.
    #[cfg_attr(
        all(target_arch = "wasm32", not(feature = "lab"), not(test)),
        expect(dead_code, reason = "the page reports nothing")
    )]
    pub fn checks(&self, stored: impl Fn(u64) -> Option<Version>) -> Vec<Check> {
        let mut checks = self.verdicts.checks();
        if checks[SURVIVES].ok {
            checks[SURVIVES] = Check::new(INVARIANTS[SURVIVES], self.survive(stored));
        }
        checks
    }

    fn survive(&self, stored: impl Fn(u64) -> Option<Version>) -> Result<(), String> {
        let first = self.newest + 1 - self.versions.len() as u64;
        let acknowledged = (first..=self.acknowledged).zip(&self.versions);
        for (number, settings) in acknowledged {
            match stored(number) {
                Some(stored) if stored.number == number && *stored.settings == *settings => {}
                Some(Version { number: other, settings, .. }) => {
                    return Err(format!("version {number}: there is version {other} with {settings:?}"));
                }
                None => return Err(format!("version {number}: it is gone")),
            }
        }
        Ok(())
    }

    pub(super) fn hear(&mut self, told: &Told<'_, Fact>) {
        match told.fact {
            Fact::VersionShipped { version, settings } => {
                self.servable(*version, settings);
                self.acknowledged = *version;
            }
            Fact::VersionServable { version, settings } => self.servable(*version, settings),
            Fact::VersionStored { version } => self.stored(told, *version),
            Fact::ControllerStarted { newest } if *newest < self.acknowledged => {
                let wrong = format!("version {}: the disk ends with version {newest}", self.acknowledged);
                self.judge(told, SURVIVES, Err(wrong));
            }
            Fact::WriteBegun { version, .. } if *version <= self.acknowledged => {
                let wrong = format!("version {}: version {version} is written", self.acknowledged);
                self.judge(told, SURVIVES, Err(wrong));
            }
            Fact::AgentApplied { agent, version } => self.agent_has(told, *agent, *version),
            Fact::WorkerStarted { worker } => self.workers[*worker as usize - 1].0 = 0,
            Fact::WorkerApplied { worker, version } => self.worker_runs(told, *worker, *version),
            Fact::TickDone { worker, version } | Fact::TickFailed { worker, version } => {
                let running = self.workers[*worker as usize - 1].0;
                let as_it_says = if running == *version {
                    Ok(())
                } else {
                    Err(format!("worker {worker} runs version {running} and worked as {version} says"))
                };
                self.judge(told, NEVER_BACK, as_it_says);
            }
            _ => {}
        }
    }

    fn judge(&mut self, told: &Told<'_, Fact>, invariant: usize, result: Result<(), String>) {
        self.verdicts.judge(invariant, told.n, told.at, result);
    }

    fn servable(&mut self, version: u64, settings: &Settings) {
        self.newest = version;
        if self.versions.len() >= VERSIONS_KEPT {
            self.versions.pop_front();
        }
        self.versions.push_back(settings.clone());
    }

    fn stored(&mut self, told: &Told<'_, Fact>, version: u64) {
        let in_order = match version {
            _ if version > self.newest => {
                Err(format!("version {version}: it was acknowledged before it was stored"))
            }
            _ if version <= self.acknowledged => {
                Err(format!("version {version}: it was acknowledged after version {}", self.acknowledged))
            }
            _ => Ok(()),
        };
        self.judge(told, IN_ORDER, in_order);
        self.acknowledged = self.acknowledged.max(version);
    }

    fn agent_has(&mut self, told: &Told<'_, Fact>, agent: u32, version: u64) {
        let (highest, newest) = (self.agents[agent as usize - 1], self.newest);
        self.judge_early(told, version);
        let right = match version {
            _ if version < highest => {
                Err(format!("agent {agent} went back from version {highest} to {version}"))
            }
            _ if version > newest => {
                Err(format!("agent {agent} has version {version}, the controller {newest}"))
            }
            _ => Ok(()),
        };
        self.judge(told, NEVER_BACK, right);
        self.agents[agent as usize - 1] = highest.max(version);
    }

    fn worker_runs(&mut self, told: &Told<'_, Fact>, worker: u32, version: u64) {
        let (_, highest) = self.workers[worker as usize - 1];
        let agent = self.agents[(worker as usize - 1) % self.serving];
        self.judge_early(told, version);
        let right = match version {
            _ if version < highest => {
                Err(format!("worker {worker} went back from version {highest} to {version}"))
            }
            _ if version > agent => {
                Err(format!("worker {worker} runs version {version}, its agent has {agent}"))
            }
            _ => Ok(()),
        };
        self.judge(told, NEVER_BACK, right);
        self.workers[worker as usize - 1] = (version, highest.max(version));
    }

    fn judge_early(&mut self, told: &Told<'_, Fact>, version: u64) {
        let newest = self.newest;
        let early = || Err(format!("version {version}: somebody had it when the controller had {newest}"));
        let late = if version > newest { early() } else { Ok(()) };
        self.judge(told, NOT_EARLY, late);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Instant;

    /// What is told, each fact a millisecond after the one before.
    fn broken(facts: &[Fact]) -> Vec<String> {
        let params = Params { agents: 1, workers: 1, ..Params::default() };
        let mut checker = Checker::new(&params);
        for (n, fact) in (1..).zip(facts) {
            checker.hear(&Told { n, at: Instant::from_millis(n), node: 1, req: 0, fact });
        }
        let stored =
            |number| Some(Version { number, written_at: Instant::ZERO, settings: settings().into() });
        checker.checks(stored).into_iter().filter(|check| !check.ok).map(|check| check.detail).collect()
    }

    fn settings() -> Settings {
        Settings { rate: 1.0, query: "BTC/USD".to_owned(), ..Settings::default() }
    }

    fn shipped() -> Fact {
        Fact::VersionShipped { version: 1, settings: settings() }
    }

    fn servable(version: u64) -> Fact {
        Fact::VersionServable { version, settings: settings() }
    }

    fn agent(version: u64) -> Fact {
        Fact::AgentApplied { agent: 1, version }
    }

    fn worker(version: u64) -> Fact {
        Fact::WorkerApplied { worker: 1, version }
    }

    fn tick(version: u64) -> Fact {
        Fact::TickDone { worker: 1, version }
    }

    #[test]
    fn a_life_as_it_should_be_breaks_nothing() {
        let start = Fact::WorkerStarted { worker: 1 };
        let stored = Fact::VersionStored { version: 2 };
        let write = Fact::WriteBegun { version: 2, author: "client".to_owned() };
        let controller = Fact::ControllerStarted { newest: 2 };
        let facts = [shipped(), start.clone(), agent(1), worker(1), tick(1), write, servable(2), stored];
        let more = [controller, agent(2), worker(2), tick(2), start, worker(2), tick(2), agent(2)];
        assert_eq!(broken(&[&facts[..], &more[..]].concat()), Vec::<String>::new());
    }

    #[test]
    fn each_invariant_is_broken_by_what_it_forbids() {
        let stored = |version| Fact::VersionStored { version };
        let write = Fact::WriteBegun { version: 2, author: "client".to_owned() };
        for (facts, detail) in [
            (
                vec![shipped(), servable(2), stored(2), Fact::ControllerStarted { newest: 1 }],
                "version 2: the disk ends with version 1 (fact 4 at 4ms)",
            ),
            (
                vec![shipped(), servable(2), stored(2), write],
                "version 2: version 2 is written (fact 4 at 4ms)",
            ),
            (
                vec![shipped(), stored(2)],
                "version 2: it was acknowledged before it was stored (fact 2 at 2ms)",
            ),
            (
                vec![shipped(), servable(2), servable(3), stored(3), stored(2)],
                "version 2: it was acknowledged after version 3 (fact 5 at 5ms)",
            ),
            (
                vec![shipped(), servable(2), agent(2), agent(1)],
                "agent 1 went back from version 2 to 1 (fact 4 at 4ms)",
            ),
            (
                vec![shipped(), servable(2), agent(2), worker(2), worker(1)],
                "worker 1 went back from version 2 to 1 (fact 5 at 5ms)",
            ),
            (
                vec![shipped(), servable(2), agent(1), worker(2)],
                "worker 1 runs version 2, its agent has 1 (fact 4 at 4ms)",
            ),
            (
                vec![shipped(), servable(2), agent(2), worker(2), tick(1)],
                "worker 1 runs version 2 and worked as 1 says (fact 5 at 5ms)",
            ),
        ] {
            assert_eq!(broken(&facts), [detail], "{facts:?}");
        }
        let early = broken(&[shipped(), agent(2)]);
        assert_eq!(
            early,
            [
                "version 2: somebody had it when the controller had 1 (fact 2 at 2ms)",
                "agent 1 has version 2, the controller 1 (fact 2 at 2ms)"
            ]
        );
    }

    #[test]
    fn the_disk_is_compared_with_what_was_acknowledged() {
        let mut checker = Checker::new(&Params::default());
        let other = Settings { rate: 2.0, ..settings() };
        let hear = |checker: &mut Checker, fact| {
            checker.hear(&Told { n: 1, at: Instant::ZERO, node: 1, req: 0, fact: &fact });
        };
        hear(&mut checker, shipped());
        hear(&mut checker, servable(2));
        let stored = |number| {
            (number == 1).then(|| Version { number, written_at: Instant::ZERO, settings: settings().into() })
        };
        assert!(checker.checks(stored)[0].ok, "nobody was told of version 2");
        hear(&mut checker, Fact::VersionStored { version: 2 });
        assert_eq!(checker.checks(stored)[0].detail, "version 2: it is gone");
        let changed =
            |number| Some(Version { number, written_at: Instant::ZERO, settings: other.clone().into() });
        assert!(checker.checks(changed)[0].detail.starts_with("version 1: there is version 1 with"));
    }
}
