//! The versions of a run with all that is known of each, how the agents polled of late, and what happened in each second.
//!
//! What it keeps is bounded by a budget of tasks: a version weighs one for itself and one for every agent and worker. Each
//! fact costs the same however much is kept.
//!
//! A version has ended when every agent and every worker has had a newer one: nothing about it can change then. It goes to
//! whoever wants the entries at that moment. What nobody comes to wait for is bounded too: a version goes as it is when
//! those after it weigh more than `WAITING_MAX`, as they may when a worker is down for good.

use super::counts::Polls;
use super::entry;
use super::tally::{HERD_WINDOW, Tally};
use crate::kernel::Instant;
use crate::lab::system::{Entries, give};
use crate::systems::config::{Fact, Params, Settings};
use crate::systems::facts::Told;
use serde_json::Value;
use std::collections::VecDeque;

/// How many of its newest polls are kept for each agent, and how many of the versions that an agent or worker had.
pub const RECENT_KEPT: usize = 128;
/// The seconds of the longest run.
const SECONDS_MAX: usize = 24 * 60 * 60;
/// So many tasks of versions that have not ended wait to be told of.
const WAITING_MAX: usize = 1_000_000;

/// The newest versions of a run, and what the page draws of agents, workers and the controller.
pub struct Ledger {
    /// How many tasks are kept for looking back; 0 is none.
    keep: usize,
    entries: Option<Entries>,
    /// Consecutive numbers, oldest first.
    versions: VecDeque<VersionEntry>,
    /// The newest version that has ended, or was told of before it had.
    told: u64,
    /// What is being written, by whom, and for which change.
    writing: Option<(u64, String, u64)>,
    pollers: Vec<Poller>,
    agents: Vec<Recent>,
    workers: Vec<Recent>,
    /// How many agents were there at the start: no version waits for the others.
    serving: usize,
    load: Vec<Second>,
}

/// One version.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionEntry {
    /// Its number.
    pub number: u64,
    /// What it says.
    pub settings: Settings,
    /// The change that made it, and the node that wanted that; `None` for the one that the controller was delivered with.
    pub made_by: Option<(u64, String)>,
    /// When the controller could first serve it.
    pub stored_at: Instant,
    /// When the controller could tell its author that it is durable; `None` if a crash came before.
    pub acknowledged_at: Option<Instant>,
    /// When each agent first held this version or a newer one, a-01 first.
    pub agents: Vec<Option<Instant>>,
    /// When each worker first ran this version or a newer one, w-01 first.
    pub workers: Vec<Option<Instant>>,
    /// When the last worker did.
    pub everywhere_at: Option<Instant>,
    /// Ticks done as it says.
    pub ticks_done: u64,
    /// Ticks that failed because of what it says.
    pub ticks_failed: u64,
    /// How many agents and workers have not come to it.
    missing: (usize, usize),
}

/// The versions that an agent or worker had of late and since when, oldest first, at most [`RECENT_KEPT`].
pub type Recent = VecDeque<(u64, Instant)>;

/// How an agent polls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Poller {
    /// The newest polls that have ended, oldest first, at most [`RECENT_KEPT`].
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

/// What happened in one second, and how things stood at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Second {
    /// Requests that arrived in it.
    pub requests: u32,
    /// The most that had arrived within a [`HERD_WINDOW`] that ended in it.
    pub herd: u32,
    /// The agents' polls that ended in it.
    pub polls: Polls,
    /// How many workers had had the newest version acknowledged.
    pub current: usize,
    /// When the oldest version was acknowledged that a worker had not come to.
    pub behind_since: Option<Instant>,
}

impl VersionEntry {
    /// From its acknowledgement until the last worker ran it or a newer one.
    pub fn convergence_ms(&self) -> Option<f64> {
        let (from, to) = self.acknowledged_at.zip(self.everywhere_at)?;
        Some(to.since(from).as_millis_f64())
    }

    /// True when all agents and workers have had it or a newer one.
    fn all_have_it(&self) -> bool {
        self.missing == (0, 0)
    }
}

impl Ledger {
    /// The ledger of a run that has not begun: it keeps so many tasks, and gives `entries` what has ended.
    pub fn new(params: &Params, keep: usize, entries: Option<Entries>) -> Self {
        let (agents, workers) = (params.agents as usize, params.workers as usize);
        Ledger {
            keep,
            entries,
            versions: VecDeque::new(),
            told: 0,
            writing: None,
            pollers: vec![Poller::default(); agents],
            agents: vec![Recent::new(); agents],
            workers: vec![Recent::new(); workers],
            serving: params.serving() as usize,
            load: Vec::new(),
        }
    }

    // --- what is kept -----------------------------------------------------------------------------------------------

    /// The versions kept, oldest first.
    pub fn versions(&self) -> &VecDeque<VersionEntry> {
        &self.versions
    }

    /// A version, if it is kept.
    pub fn version(&self, number: u64) -> Option<&VersionEntry> {
        self.versions.get(self.place(number)?)
    }

    /// How each agent polls, a-01 first.
    pub fn pollers(&self) -> &[Poller] {
        &self.pollers
    }

    /// What each agent had of late, a-01 first.
    pub fn agents(&self) -> &[Recent] {
        &self.agents
    }

    /// What each worker ran of late, w-01 first.
    pub fn workers(&self) -> &[Recent] {
        &self.workers
    }

    /// Each second from virtual zero to the last in which anything happened.
    pub fn load(&self) -> &[Second] {
        &self.load
    }

    /// The versions that nobody was told of yet, as JSON.
    pub fn open_entries(&self) -> Vec<Value> {
        self.versions
            .iter()
            .filter(|version| version.number > self.told)
            .map(|v| entry::json(v, false))
            .collect()
    }

    fn place(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.versions.front()?.number)?).ok()
    }

    fn version_mut(&mut self, number: u64) -> Option<&mut VersionEntry> {
        let place = self.place(number)?;
        self.versions.get_mut(place)
    }

    // --- facts ------------------------------------------------------------------------------------------------------

    /// Time has come to `now`; `tally` says how things stood until then.
    pub(super) fn pass(&mut self, now: Instant, tally: &Tally) {
        if self.keep > 0 {
            self.end_seconds(second_of(now), tally);
        }
    }

    /// `tally` has heard of the fact already.
    pub(super) fn hear(&mut self, told: &Told<'_, Fact>, tally: &Tally) {
        if self.keep > 0 {
            self.note_for_the_page(told, tally);
        }
        if self.keep > 0 || self.entries.is_some() {
            self.note_version(told);
        }
    }

    fn note_version(&mut self, told: &Told<'_, Fact>) {
        let now = told.at;
        match told.fact {
            Fact::WriteBegun { version, author } => self.writing = Some((*version, author.clone(), told.req)),
            Fact::VersionShipped { version, settings } => {
                self.servable(*version, settings, now);
                self.acknowledged(*version, now);
            }
            Fact::VersionServable { version, settings } => self.servable(*version, settings, now),
            Fact::VersionStored { version } => self.acknowledged(*version, now),
            Fact::AgentApplied { agent, version } => {
                let place = *agent as usize - 1;
                let waits = place < self.serving;
                self.reach(*version, now, waits, |entry| (&mut entry.agents[place], &mut entry.missing.0));
            }
            Fact::WorkerApplied { worker, version } => {
                let place = *worker as usize - 1;
                self.reach(*version, now, true, |entry| (&mut entry.workers[place], &mut entry.missing.1));
            }
            Fact::TickDone { version, .. } => {
                if let Some(entry) = self.version_mut(*version) {
                    entry.ticks_done += 1;
                }
            }
            Fact::TickFailed { version, .. } => {
                if let Some(entry) = self.version_mut(*version) {
                    entry.ticks_failed += 1;
                }
            }
            _ => {}
        }
    }

    fn servable(&mut self, number: u64, settings: &Settings, now: Instant) {
        let written = self.writing.take_if(|(version, ..)| *version == number);
        let (agents, workers) = (self.agents.len(), self.workers.len());
        self.versions.push_back(VersionEntry {
            number,
            settings: settings.clone(),
            made_by: written.map(|(_, author, change)| (change, author)),
            stored_at: now,
            acknowledged_at: None,
            agents: vec![None; agents],
            workers: vec![None; workers],
            everywhere_at: None,
            ticks_done: 0,
            ticks_failed: 0,
            missing: (self.serving, workers),
        });
        self.forget();
    }

    fn acknowledged(&mut self, number: u64, now: Instant) {
        if let Some(entry) = self.version_mut(number) {
            entry.acknowledged_at = Some(now);
        }
    }

    /// Notes that somebody has `version` now, and with it all that went before.
    fn reach(
        &mut self,
        version: u64,
        now: Instant,
        waits: bool,
        of: impl Fn(&mut VersionEntry) -> (&mut Option<Instant>, &mut usize),
    ) {
        let Some(last) = self.place(version).filter(|_| !self.versions.is_empty()) else { return };
        let last = last.min(self.versions.len() - 1);
        for entry in self.versions.range_mut(..=last).rev() {
            match of(entry) {
                (Some(_), _) => break,
                (since, missing) => {
                    *since = Some(now);
                    *missing -= usize::from(waits);
                }
            }
            if entry.missing.1 == 0 && entry.everywhere_at.is_none() {
                entry.everywhere_at = Some(now);
            }
        }
        self.tell_what_has_ended();
    }

    // --- what has ended ---------------------------------------------------------------------------------------------

    fn tell_what_has_ended(&mut self) {
        while self.version(self.told + 2).is_some_and(VersionEntry::all_have_it) {
            self.tell(true);
        }
        self.forget();
    }

    /// Tells of the next version.
    fn tell(&mut self, ended: bool) {
        self.told += 1;
        if let Some(version) = self.version(self.told) {
            give(&self.entries, || entry::json(version, ended));
        }
    }

    /// Forgets the oldest versions while they are too many. One that somebody waits for stays until it has ended, within
    /// bounds.
    fn forget(&mut self) {
        let weight = 1 + self.agents.len() + self.workers.len();
        while let Some(oldest) = self.versions.front().map(|version| version.number) {
            let kept = self.versions.len() * weight;
            let waits = self.entries.is_some() && oldest > self.told;
            // The newest stays, as long as anything is kept or waited for.
            let most = if waits { self.keep.max(WAITING_MAX) } else { self.keep };
            if kept <= most || (self.versions.len() == 1 && most > 0) {
                break;
            }
            if oldest > self.told {
                self.tell(false);
            }
            self.versions.pop_front();
        }
    }

    // --- for the page -----------------------------------------------------------------------------------------------

    fn note_for_the_page(&mut self, told: &Told<'_, Fact>, tally: &Tally) {
        let now = told.at;
        match *told.fact {
            Fact::ControllerAsked => {
                let herd = tally.herd();
                if let Some(second) = self.load.get_mut(second_of(now)) {
                    second.requests += 1;
                    second.herd = second.herd.max(herd);
                }
            }
            Fact::PollEnded { agent, status } => {
                if let Some(second) = self.load.get_mut(second_of(now)) {
                    second.polls.count(status);
                }
                keep_recent(&mut self.pollers[agent as usize - 1].recent, Poll { at: now, status });
            }
            Fact::PollPlanned { agent, at_ns } => {
                let poller = &mut self.pollers[agent as usize - 1];
                (poller.next_at, poller.failures) = (Some(Instant::from_nanos(at_ns)), 0);
            }
            Fact::AgentBackedOff { agent, failures, pause_ns } => {
                let poller = &mut self.pollers[agent as usize - 1];
                let next_at = Instant::from_nanos(now.as_nanos() + pause_ns);
                (poller.next_at, poller.failures) = (Some(next_at), failures);
            }
            Fact::AgentApplied { agent, version } => took(&mut self.agents[agent as usize - 1], version, now),
            Fact::WorkerApplied { worker, version } => {
                took(&mut self.workers[worker as usize - 1], version, now);
            }
            _ => {}
        }
    }

    /// Begins the seconds up to this one; those before it ended as things stood until now.
    fn end_seconds(&mut self, second: usize, tally: &Tally) {
        if self.load.len() > second || second > SECONDS_MAX {
            return;
        }
        let (current, behind_since) = (tally.current(), tally.behind_since());
        if let Some(last) = self.load.last_mut() {
            (last.current, last.behind_since) = (current, behind_since);
        }
        self.load.resize(second + 1, Second { current, behind_since, ..Second::default() });
    }
}

/// It has this version from here on, unless it took up again what it had before.
fn took(recent: &mut Recent, version: u64, now: Instant) {
    if recent.back().is_none_or(|&(before, _)| before < version) {
        keep_recent(recent, (version, now));
    }
}

fn keep_recent<T>(recent: &mut VecDeque<T>, newest: T) {
    if recent.len() >= RECENT_KEPT {
        recent.pop_front();
    }
    recent.push_back(newest);
}

fn second_of(at: Instant) -> usize {
    (at.as_nanos() / HERD_WINDOW.as_nanos()) as usize
}
