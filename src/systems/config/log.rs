//! What happened, as the laboratory sees it: which version was there when, who ran it, and how much the controller
//! was asked. The roles write into it and never read it; nothing in a simulation depends on it.

use super::{Params, Settings, Version};
use crate::kernel::{Duration, Instant};
use std::collections::VecDeque;

/// The window in which a herd is counted.
pub const HERD_WINDOW: Duration = Duration::from_secs(1);

/// How many of its newest polls are kept for each agent.
pub const POLLS_KEPT: usize = 128;

/// The versions of a run, at most so many of the newest, and counts over all of it.
#[derive(Debug)]
pub struct Log {
    keep: usize,
    /// Consecutive numbers, oldest first.
    versions: VecDeque<VersionEntry>,
    newest: u64,
    agents: Vec<Holder>,
    workers: Vec<Holder>,
    /// The controller's load in each second since virtual zero.
    load: Vec<Second>,
    /// When each request of the last [`HERD_WINDOW`] arrived at the controller.
    window: VecDeque<Instant>,
    /// When the controller started last, and how often it has.
    started_at: Instant,
    starts: u32,
    /// How each agent polls, a-01 first.
    pollers: Vec<Poller>,
    /// What became of the agents' polls.
    pub polls: Polls,
    /// What became of the operator's puts.
    pub puts: Puts,
    /// The first thing that an agent or worker did which none may do.
    pub first_wrong: Option<String>,
}

/// One version.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionEntry {
    /// Its number.
    pub number: u64,
    /// What it says.
    pub settings: Settings,
    /// When the controller could first serve it.
    pub stored_at: Instant,
    /// When the controller could tell its author that it is durable; `None` if a crash came before.
    pub acknowledged_at: Option<Instant>,
    /// When each agent first held this version or a newer one, a-01 first.
    pub agents: Vec<Option<Instant>>,
    /// When each worker first ran this version or a newer one, w-01 first.
    pub workers: Vec<Option<Instant>>,
    /// Ticks done as it says.
    pub ticks_done: u64,
    /// Ticks that failed because of what it says.
    pub ticks_failed: u64,
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

/// How an agent polls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Poller {
    /// The newest polls that have ended, oldest first, at most [`POLLS_KEPT`].
    pub recent: VecDeque<Poll>,
    /// Failures in a row.
    pub failures: u32,
    /// When the next is due; `None` before the first has ended. An agent that is down keeps what it had.
    pub next_at: Option<Instant>,
}

/// A poll that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// When it ended.
    pub at: Instant,
    /// With which status; 0 for no answer.
    pub status: u16,
}

/// What happened in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Second {
    /// Requests that arrived in it.
    pub requests: u32,
    /// The agents' polls that ended in it.
    pub polls: Polls,
    /// The most that had arrived within a [`HERD_WINDOW`] that ended in it.
    pub herd: u32,
}

/// What became of the agents' polls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Polls {
    /// 200: there was a newer version.
    pub modified: u64,
    /// 304.
    pub not_modified: u64,
    /// Anything else, or no answer.
    pub failed: u64,
}

/// What became of the operator's puts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Puts {
    /// 200.
    pub answered: u64,
    /// 412.
    pub conflicts: u64,
    /// Any other error of the client.
    pub refused: u64,
    /// An error of the server, or no answer. The version may be there nonetheless.
    pub unanswered: u64,
}

impl Log {
    pub(super) fn new(keep: usize, params: &Params) -> Self {
        Log {
            keep,
            versions: VecDeque::new(),
            newest: 0,
            agents: vec![Holder::default(); params.agents as usize],
            workers: vec![Holder::default(); params.workers as usize],
            load: Vec::new(),
            window: VecDeque::new(),
            started_at: Instant::ZERO,
            starts: 0,
            pollers: vec![Poller::default(); params.agents as usize],
            polls: Polls::default(),
            puts: Puts::default(),
            first_wrong: None,
        }
    }

    /// The versions kept, oldest first.
    pub fn versions(&self) -> &VecDeque<VersionEntry> {
        &self.versions
    }

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

    /// The controller's load in each second from virtual zero to the last in which anything happened.
    pub fn load(&self) -> &[Second] {
        &self.load
    }

    /// The most requests that arrived within any [`HERD_WINDOW`] that ended in the seconds from `from` on.
    pub fn herd_peak(&self, from: Instant) -> u32 {
        let from = second_of(from).min(self.load.len());
        self.load[from..].iter().map(|second| second.herd).max().unwrap_or(0)
    }

    /// Since when worker `i` has been running an older version than the newest one acknowledged, or none; `None` when
    /// it runs the newest.
    pub fn stale_since(&self, i: usize) -> Option<Instant> {
        self.behind_since(self.workers.get(i)?)
    }

    /// The same of agent `i`, which serves what a worker runs.
    pub fn agent_stale_since(&self, i: usize) -> Option<Instant> {
        self.behind_since(self.agents.get(i)?)
    }

    fn behind_since(&self, holder: &Holder) -> Option<Instant> {
        let kept_before = self.newest - self.versions.len() as u64;
        let known = (holder.version.saturating_sub(kept_before) as usize).min(self.versions.len());
        let first = self.versions.range(known..).find_map(|entry| entry.acknowledged_at)?;
        Some(first.max(holder.started_at))
    }

    /// How each agent polls, a-01 first.
    pub fn pollers(&self) -> &[Poller] {
        &self.pollers
    }

    /// When the controller started last; `None` while it has not been restarted.
    pub fn restarted_at(&self) -> Option<Instant> {
        (self.starts > 1).then_some(self.started_at)
    }

    // --- the controller -----------------------------------------------------------------------------------------

    pub(super) fn controller_started(&mut self, now: Instant) {
        self.started_at = now;
        self.starts += 1;
    }

    /// The controller can serve a version from here on.
    pub(super) fn stored(&mut self, version: &Version, now: Instant) {
        if self.versions.len() >= self.keep {
            self.versions.pop_front();
        }
        self.newest = version.number;
        self.versions.push_back(VersionEntry {
            number: version.number,
            settings: version.settings.clone(),
            stored_at: now,
            acknowledged_at: None,
            agents: vec![None; self.agents.len()],
            workers: vec![None; self.workers.len()],
            ticks_done: 0,
            ticks_failed: 0,
        });
    }

    pub(super) fn acknowledged(&mut self, number: u64, now: Instant) {
        if let Some(entry) = self.find(number) {
            entry.acknowledged_at = Some(now);
        }
    }

    /// A request has arrived at the controller.
    pub(super) fn requested(&mut self, now: Instant) {
        self.window.push_back(now);
        while self.window.front().is_some_and(|&at| at + HERD_WINDOW <= now) {
            self.window.pop_front();
        }
        let herd = self.window.len() as u32;
        let second = self.second(now);
        second.requests += 1;
        second.herd = second.herd.max(herd);
    }

    fn second(&mut self, now: Instant) -> &mut Second {
        let place = second_of(now);
        if self.load.len() <= place {
            self.load.resize(place + 1, Second::default());
        }
        &mut self.load[place]
    }

    // --- agents and workers -------------------------------------------------------------------------------------

    /// Agent `i`'s poll has ended with this status; 0 for no answer.
    pub(super) fn polled(&mut self, i: usize, status: u16, now: Instant) {
        self.polls.count(status);
        self.second(now).polls.count(status);
        let recent = &mut self.pollers[i].recent;
        if recent.len() >= POLLS_KEPT {
            recent.pop_front();
        }
        recent.push_back(Poll { at: now, status });
    }

    /// Agent `i` polls next at this instant, after so many failures in a row.
    pub(super) fn polls_next(&mut self, i: usize, next_at: Instant, failures: u32) {
        let poller = &mut self.pollers[i];
        (poller.next_at, poller.failures) = (Some(next_at), failures);
    }

    /// Agent `i`, counted from 0, serves a version from here on.
    pub(super) fn agent_holds(&mut self, i: usize, version: u64, now: Instant) {
        let agent = &mut self.agents[i];
        if version < agent.highest {
            let highest = agent.highest;
            self.wrong(|| format!("agent {} went back from version {highest} to {version}", i + 1));
        } else if version > self.newest {
            let newest = self.newest;
            self.wrong(|| format!("agent {} has version {version}, the controller {newest}", i + 1));
        }
        let agent = &mut self.agents[i];
        agent.version = version;
        agent.highest = agent.highest.max(version);
        mark(&mut self.versions, version, |entry| &mut entry.agents[i], now);
    }

    pub(super) fn worker_started(&mut self, i: usize, now: Instant) {
        let worker = &mut self.workers[i];
        worker.version = 0;
        worker.started_at = now;
    }

    /// Worker `i`, counted from 0, works as a version says from here on.
    pub(super) fn worker_runs(&mut self, i: usize, version: u64, now: Instant) {
        let (highest, agent) = (self.workers[i].highest, self.agents[i % self.agents.len()].highest);
        if version < highest {
            self.wrong(|| format!("worker {} went back from version {highest} to {version}", i + 1));
        } else if version > agent {
            self.wrong(|| format!("worker {} runs version {version}, its agent has {agent}", i + 1));
        }
        let worker = &mut self.workers[i];
        worker.version = version;
        worker.highest = highest.max(version);
        mark(&mut self.versions, version, |entry| &mut entry.workers[i], now);
    }

    /// Worker `i` has done a tick, or failed at it, as a version says.
    pub(super) fn ticked(&mut self, i: usize, version: u64, done: bool) {
        let running = self.workers[i].version;
        if running != version {
            self.wrong(|| format!("worker {} runs version {running} and worked as {version} says", i + 1));
        }
        if let Some(entry) = self.find(version) {
            *(if done { &mut entry.ticks_done } else { &mut entry.ticks_failed }) += 1;
        }
    }

    fn wrong(&mut self, what: impl FnOnce() -> String) {
        self.first_wrong.get_or_insert_with(what);
    }

    fn find(&mut self, number: u64) -> Option<&mut VersionEntry> {
        let first = self.versions.front()?.number;
        self.versions.get_mut(usize::try_from(number.checked_sub(first)?).ok()?)
    }
}

impl Polls {
    fn count(&mut self, status: u16) {
        *match status {
            200 => &mut self.modified,
            304 => &mut self.not_modified,
            _ => &mut self.failed,
        } += 1;
    }
}

/// Notes that somebody has `version` now, and with it all that went before.
fn mark(
    versions: &mut VecDeque<VersionEntry>,
    version: u64,
    place: impl Fn(&mut VersionEntry) -> &mut Option<Instant>,
    now: Instant,
) {
    for entry in versions.iter_mut().rev().filter(|entry| entry.number <= version) {
        match place(entry) {
            Some(_) => break,
            empty => *empty = Some(now),
        }
    }
}

fn second_of(at: Instant) -> usize {
    (at.as_nanos() / HERD_WINDOW.as_nanos()) as usize
}
