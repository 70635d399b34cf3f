//! What a run amounts to: counts and distributions over all of it, and who has what now.
//!
//! Its memory does not grow with time. Of versions it knows those that somebody still lacks, at most `UNDER_WAY_MAX`; the
//! figures do not depend on what the ledger keeps.

use super::counts::{Changes, Polls, Tries};
use crate::kernel::{Duration, Instant};
use crate::lab::quantiles::Quantiles;
use crate::lab::recorder::{Recorder, Recording, record};
use crate::systems::config::{ChangeEnd, Fact, Params};
use crate::systems::facts::Told;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The window in which a herd is counted.
pub const HERD_WINDOW: Duration = Duration::from_secs(1);
/// So many versions at most are followed until everybody has them.
const UNDER_WAY_MAX: usize = 10_000;
/// The measures of a version, in the order of `MEASURES`.
const STALENESS: usize = 0;
const CONVERGENCE: usize = 1;

/// Counts and distributions over a whole run.
#[derive(Debug)]
pub struct Tally {
    agents: Vec<Holder>,
    /// How many of them were there at the start: a version is everywhere without the others.
    serving: usize,
    workers: Vec<Holder>,
    /// Versions that an agent or a worker lacks still, without a gap up to the newest.
    under_way: VecDeque<UnderWay>,
    /// The newest version that the controller could serve; 0 before the first.
    newest: u64,
    /// The newest that was acknowledged.
    acknowledged: u64,
    /// The newest that every worker has had, or a newer one.
    everywhere: u64,
    staleness_ms: Quantiles,
    /// How many of those are of versions that are followed no more, and of workers that had not come to them.
    never_came: u64,
    convergence_ms: Quantiles,
    herd: Herd,
    /// What became of the changes that the operator and persons wanted.
    pub changes: Changes,
    /// What became of the tries to make them.
    pub tries: Tries,
    /// Requests that arrived at the controller.
    pub requests: u64,
    /// What became of the agents' polls.
    pub polls: Polls,
    /// Work that workers did.
    pub ticks_done: u64,
    /// Work at which they failed because of what their configuration says.
    pub ticks_failed: u64,
    /// Who records how long versions take.
    pub(super) recording: Recording,
}

/// An agent or a worker, and what it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// The version that it has; 0 for none. A worker that is down keeps its last until it starts again.
    pub version: u64,
    /// The newest that it ever had.
    pub highest: u64,
    /// When it started last.
    pub started_at: Instant,
}

/// A version that somebody lacks.
#[derive(Clone, Copy, Debug, Default)]
struct UnderWay {
    acknowledged_at: Option<Instant>,
    /// How many agents have had it or a newer one.
    agents: usize,
    /// The same of workers.
    workers: usize,
}

/// How many requests came to the controller together.
#[derive(Debug, Default)]
struct Herd {
    /// When each of the last [`HERD_WINDOW`] arrived.
    window: VecDeque<Instant>,
    peak: u32,
    starts: u32,
    started_at: Instant,
    peak_since_start: u32,
}

/// A distribution by its quantiles, each the smallest value that so large a share of all does not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// How many values there are.
    pub count: u64,
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
    /// Whether the quantiles are values that occurred; else they may be 0.1 % away from one.
    pub exact: bool,
}

impl Distribution {
    /// The distribution of some values; `None` without any.
    pub fn of(values: &Quantiles) -> Option<Self> {
        let [p50, p90, p95, p99] = values.percentiles([50.0, 90.0, 95.0, 99.0])?;
        let (count, mean, max, exact) = (values.count(), values.mean()?, values.max()?, values.is_exact());
        Some(Distribution { count, mean, p50, p90, p95, p99, max, exact })
    }
}

impl Tally {
    /// The tally of a run that has not begun.
    pub fn new(params: &Params) -> Self {
        Tally {
            agents: vec![Holder::default(); params.agents as usize],
            serving: params.serving() as usize,
            workers: vec![Holder::default(); params.workers as usize],
            under_way: VecDeque::new(),
            newest: 0,
            acknowledged: 0,
            everywhere: 0,
            staleness_ms: Quantiles::default(),
            never_came: 0,
            convergence_ms: Quantiles::default(),
            herd: Herd::default(),
            changes: Changes::default(),
            requests: 0,
            polls: Polls::default(),
            tries: Tries::default(),
            ticks_done: 0,
            ticks_failed: 0,
            recording: None,
        }
    }

    // --- what it amounts to -----------------------------------------------------------------------------------------

    /// The newest version that the controller could serve; 0 before the first.
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// The agents, a-01 first.
    pub fn agents(&self) -> &[Holder] {
        &self.agents
    }

    /// The workers, w-01 first.
    pub fn workers(&self) -> &[Holder] {
        &self.workers
    }

    /// Milliseconds from a version's acknowledgement until a worker first ran it or a newer one: a value per version
    /// and worker. One that has not come so far counts with the time until now, which is a lower bound. `None` without any.
    pub fn staleness_ms(&self, now: Instant) -> Option<Distribution> {
        let mut values = self.staleness_ms.clone();
        for (acknowledged_at, workers) in self.waited_for() {
            values.add_times(now.since(acknowledged_at).as_millis_f64(), workers);
        }
        Distribution::of(&values)
    }

    /// How many of those values are lower bounds.
    pub fn still_behind(&self) -> u64 {
        self.never_came + self.waited_for().map(|(_, workers)| workers).sum::<u64>()
    }

    /// When each version was acknowledged that workers lack, and how many they are.
    fn waited_for(&self) -> impl Iterator<Item = (Instant, u64)> {
        let lacking = self.under_way.iter().map(|version| (version, self.workers.len() - version.workers));
        lacking.filter_map(|(version, workers)| Some((version.acknowledged_at?, workers as u64)))
    }

    /// Milliseconds from a version's acknowledgement until every worker had run it or a newer one, over the versions that
    /// got that far, but for the one that the controller was delivered with.
    pub fn convergence_ms(&self) -> Option<Distribution> {
        Distribution::of(&self.convergence_ms)
    }

    /// The share of 304s among the polls that were answered with 200 or 304; `None` without any.
    pub fn share_not_modified(&self) -> Option<f64> {
        let answered = self.polls.modified + self.polls.not_modified;
        (answered > 0).then(|| self.polls.not_modified as f64 / answered as f64)
    }

    /// The most requests that arrived at the controller within any [`HERD_WINDOW`].
    pub fn herd_peak(&self) -> u32 {
        self.herd.peak
    }

    /// The same since the controller started last; `None` while it has not been restarted.
    pub fn herd_peak_since_restart(&self) -> Option<u32> {
        (self.herd.starts > 1).then_some(self.herd.peak_since_start)
    }

    /// How many requests had arrived within the [`HERD_WINDOW`] that ended with the newest of them.
    pub fn herd(&self) -> u32 {
        self.herd.window.len() as u32
    }

    /// How many workers have had the newest version that was acknowledged, or a newer one.
    pub fn current(&self) -> usize {
        self.under_way(self.acknowledged).map_or(self.workers.len(), |version| version.workers)
    }

    /// When the oldest version was acknowledged that a worker has not come to; `None` when all are everywhere.
    pub fn behind_since(&self) -> Option<Instant> {
        self.acknowledged_after(self.everywhere)
    }

    /// Since when worker `i`, counted from 0, has been running an older version than the newest one acknowledged, or none;
    /// `None` when it runs the newest.
    pub fn stale_since(&self, i: usize) -> Option<Instant> {
        self.holder_behind_since(self.workers.get(i)?)
    }

    /// The same of agent `i`, which serves what a worker runs.
    pub fn agent_stale_since(&self, i: usize) -> Option<Instant> {
        self.holder_behind_since(self.agents.get(i)?)
    }

    fn holder_behind_since(&self, holder: &Holder) -> Option<Instant> {
        match holder.version {
            version if version >= self.acknowledged => None,
            0 => Some(holder.started_at),
            version => self.acknowledged_after(version).map(|first| first.max(holder.started_at)),
        }
    }

    // --- versions under way -----------------------------------------------------------------------------------------

    /// The number of the first version under way.
    fn first(&self) -> u64 {
        self.newest + 1 - self.under_way.len() as u64
    }

    fn place(&self, version: u64) -> usize {
        version.saturating_sub(self.first()) as usize
    }

    fn under_way(&self, version: u64) -> Option<&UnderWay> {
        if version < self.first() { None } else { self.under_way.get(self.place(version)) }
    }

    /// When the first version after this one was acknowledged that was.
    fn acknowledged_after(&self, version: u64) -> Option<Instant> {
        let from = self.place(version + 1).min(self.under_way.len());
        self.under_way.range(from..).find_map(|version| version.acknowledged_at)
    }

    // --- facts ------------------------------------------------------------------------------------------------------

    pub(super) fn hear(&mut self, told: &Told<'_, Fact>) {
        let now = told.at;
        match *told.fact {
            Fact::ChangeIntended => self.changes.intended += 1,
            Fact::ChangeEnded { end } => {
                self.changes.count(end);
                if end != ChangeEnd::Made {
                    record(&self.recording, Recorder::lose);
                }
            }
            Fact::TryEnded { end } => self.tries.count(end),
            Fact::VersionShipped { version, .. } => {
                self.servable(version, now);
                self.stored(version, now);
            }
            Fact::VersionServable { version, .. } => self.servable(version, now),
            Fact::VersionStored { version } => self.stored(version, now),
            Fact::ControllerStarted { .. } => self.herd.restart(now),
            Fact::ControllerAsked => {
                self.requests += 1;
                self.herd.asked(now);
            }
            Fact::PollEnded { status, .. } => self.polls.count(status),
            Fact::AgentApplied { agent, version } => self.agent_has(agent, version),
            Fact::WorkerStarted { worker } => {
                if let Some(worker) = self.workers.get_mut(worker as usize - 1) {
                    (worker.version, worker.started_at) = (0, now);
                }
            }
            Fact::WorkerApplied { worker, version } => self.worker_runs(worker, version, now),
            Fact::TickDone { .. } => self.ticks_done += 1,
            Fact::TickFailed { .. } => self.ticks_failed += 1,
            Fact::WriteBegun { .. }
            | Fact::TriggerSent { .. }
            | Fact::TriggerReceived { .. }
            | Fact::PollPlanned { .. }
            | Fact::AgentBackedOff { .. } => {}
        }
    }

    fn servable(&mut self, version: u64, now: Instant) {
        self.newest = version;
        self.under_way.push_back(UnderWay::default());
        if self.under_way.len() > UNDER_WAY_MAX {
            self.follow_no_more(now);
        }
    }

    /// Those who lack the first version under way count with what they waited so far.
    fn follow_no_more(&mut self, now: Instant) {
        let Some(first) = self.under_way.pop_front() else { return };
        if let Some(acknowledged_at) = first.acknowledged_at {
            let workers = (self.workers.len() - first.workers) as u64;
            self.never_came += workers;
            self.staleness_ms.add_times(now.since(acknowledged_at).as_millis_f64(), workers);
        }
    }

    fn stored(&mut self, version: u64, now: Instant) {
        self.acknowledged = version;
        let place = self.place(version);
        if let Some(version) = self.under_way.get_mut(place) {
            version.acknowledged_at = Some(now);
        }
    }

    fn agent_has(&mut self, agent: u32, version: u64) {
        let Some(holder) = self.agents.get_mut(agent as usize - 1) else { return };
        let before = holder.take(version);
        let (from, to) = self.places(before, version);
        if agent as usize <= self.serving {
            self.under_way.range_mut(from..to).for_each(|version| version.agents += 1);
        }
        self.forget_what_all_have();
    }

    fn worker_runs(&mut self, worker: u32, version: u64, now: Instant) {
        let Some(holder) = self.workers.get_mut(worker as usize - 1) else { return };
        let before = holder.take(version);
        let (from, to) = self.places(before, version);
        let (first, workers) = (self.first(), self.workers.len());
        for (version, number) in self.under_way.range_mut(from..to).zip(first + from as u64..) {
            version.workers += 1;
            if let Some(acknowledged_at) = version.acknowledged_at {
                let took_ms = now.since(acknowledged_at).as_millis_f64();
                self.staleness_ms.add(took_ms);
                // The shipped version was there before anybody asked; the first change makes the second one.
                let change = number - 1;
                record(&self.recording, |recorder| recorder.sample(change, STALENESS, took_ms));
                if version.workers == workers && number > 1 {
                    self.convergence_ms.add(took_ms);
                    record(&self.recording, |recorder| {
                        recorder.sample(change, CONVERGENCE, took_ms);
                        recorder.end(change, true);
                    });
                }
            }
            if version.workers == workers {
                self.everywhere = number;
            }
        }
        self.forget_what_all_have();
    }

    /// The places of the versions after one up to another.
    fn places(&self, after: u64, up_to: u64) -> (usize, usize) {
        let to = self.place(up_to + 1).min(self.under_way.len());
        (self.place(after + 1).min(to), to)
    }

    fn forget_what_all_have(&mut self) {
        let (agents, workers) = (self.serving, self.workers.len());
        while self.under_way.front().is_some_and(|first| (first.agents, first.workers) == (agents, workers)) {
            self.under_way.pop_front();
        }
    }
}

impl Holder {
    /// It has this version from here on. Returns the newest that it had before.
    fn take(&mut self, version: u64) -> u64 {
        let before = self.highest;
        self.version = version;
        self.highest = before.max(version);
        before
    }
}

impl Herd {
    fn restart(&mut self, now: Instant) {
        self.starts += 1;
        self.started_at = now;
        self.peak_since_start = 0;
    }

    fn asked(&mut self, now: Instant) {
        self.window.push_back(now);
        while self.window.front().is_some_and(|&at| at + HERD_WINDOW <= now) {
            self.window.pop_front();
        }
        let before_start = self.window.partition_point(|&at| at < self.started_at);
        self.peak = self.peak.max(self.window.len() as u32);
        self.peak_since_start = self.peak_since_start.max((self.window.len() - before_start) as u32);
    }
}
