//! What a snapshot has of a configuration system: who runs which version, since when, and how the agents poll.

use crate::app::face::{self, Observed};
use crate::app::snapshot::{NodeView, Role, Sign, State, SystemView, Watch};
use crate::kernel::Instant;
use crate::lab::Run;
use crate::lab::config as room;
use crate::lab::config::ledger::{Ledger, Recent, VersionEntry};
use crate::lab::config::tally::{Distribution, Tally};
use crate::net::NodeId;
use crate::systems::config::{AGENT_ROUND_TRIP_MAX, WORKER_ROUND_TRIP_MAX};
use serde::Serialize;
use serde_json::{Value, json};

/// Keeps the versions of a configuration.
pub const CONTROLLER: Role = Role("controller");
/// Announces changes.
pub const BROKER: Role = Role("broker");
/// Fetches the configuration for its workers.
pub const AGENT: Role = Role("agent");
/// Works as its version says.
pub const WORKER: Role = Role("worker");

/// It has no version yet.
const NEW: State = State::new(Sign::Idle, "no version");
/// It has the newest version acknowledged.
const CURRENT: State = State::new(Sign::InTime, "current");
/// There is a newer version.
const BEHIND: State = State::new(Sign::Late, "behind");
/// It works as a version says that cannot work.
const FAILING: State = State::new(Sign::Failed, "failing");

/// So many newest versions are told of.
const VERSIONS_SHOWN: usize = 16;
/// The past that the board shows: so many poll intervals, or so many of the longest pauses after errors, whichever is
/// longer, within these milliseconds.
const PAST_POLLS: f64 = 2.5;
const PAST_PAUSES: f64 = 1.3;
const PAST_MS: (f64, f64) = (12_000.0, 120_000.0);

/// A configuration system at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigView {
    /// The newest version that the controller could serve.
    pub newest: u64,
    /// The newest versions, oldest first.
    pub versions: Vec<VersionView>,
    /// One per row of the snapshot: an agent, then its workers, then the next agent.
    pub holders: Vec<HolderView>,
    /// The longest that a worker is behind while nothing is broken: the agent's longest interval, a round trip, the
    /// worker's interval, a round trip.
    pub bound_ms: f64,
    /// How much of the past a picture is to show.
    pub past_ms: f64,
    /// Whether changes are announced.
    pub trigger: bool,
    /// The time between changes; 0 for none.
    pub put_period_ms: f64,
    /// Milliseconds from a version's acknowledgement until a worker ran it or a newer one, or until now if it does not.
    pub staleness_ms: Option<Distribution>,
    /// The share of 304s among the polls that were answered.
    pub share_not_modified: Option<f64>,
    /// Requests that arrived at the controller in the last whole second.
    pub load: u32,
    /// The most of them within any second.
    pub herd_peak: u32,
    /// The same since the controller was restarted; `None` while it was not.
    pub herd_peak_since_restart: Option<u32>,
}

/// A version.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionView {
    /// Its number.
    pub number: u64,
    /// What its author said of it.
    pub note: String,
    /// When its author could be told that it is durable.
    pub acknowledged_ms: Option<f64>,
    /// When the last worker first ran it or a newer one.
    pub everywhere_ms: Option<f64>,
    /// Whether work failed because of what it says.
    pub bad: bool,
}

/// An agent or a worker, and what it has.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HolderView {
    /// Its place among the agents, or that of the agent that it reads, counted from 0.
    pub agent: usize,
    /// The version that it has; 0 for none.
    pub version: u64,
    /// For how long it has been behind the newest version acknowledged; `None` when it is not.
    pub behind_ms: Option<f64>,
    /// Since when it had which version, oldest first, as far back as the picture goes.
    pub ran: Vec<(u64, f64)>,
    /// For an agent: its polls as far back as the picture goes, by their ends; the status, 0 for no answer.
    pub polls: Vec<(f64, u16)>,
    /// For an agent: failed polls in a row.
    pub failures: u32,
    /// For an agent that is up: when it polls next.
    pub next_poll_ms: Option<f64>,
    /// Whether nothing passes between it and what it reads, in one direction at least.
    pub cut_off: bool,
    /// For an agent: whether triggers cannot reach it.
    pub unheard: bool,
}

impl ConfigView {
    /// The versions that not every worker has come to yet, oldest first.
    pub fn on_their_way(&self) -> impl Iterator<Item = &VersionView> {
        self.versions
            .iter()
            .filter(|version| version.acknowledged_ms.is_some() && version.everywhere_ms.is_none())
    }
}

impl SystemView for ConfigView {
    fn json(&self) -> Value {
        json!({"config": self})
    }
}

/// A configuration system's nodes, and its own view.
pub(super) fn observe(run: &Run) -> Option<Observed<ConfigView>> {
    let system = room::of(run.system())?;
    let (config, net, now) = (system.config(), run.net(), run.now());
    let (agents, workers) = (config.agents(), config.workers());
    let serving = config.params().serving() as usize;
    let watch = Watch::of(run);
    let others = [(config.console(), Role::CONSOLE), (config.client(), Role::CLIENT)];
    let others = others.into_iter().chain([(config.controller(), CONTROLLER)]);
    let broker = net.find("valkey");
    let others = others.chain(broker.map(|id| (id, BROKER)));
    let mut nodes: Vec<NodeView> = others.map(|(id, role)| watch.node(id, role, State::IDLE)).collect();
    let rows_from = nodes.len();
    let params = config.params();
    let past_ms = (params.poll.as_millis_f64() * PAST_POLLS)
        .max(params.backoff_cap.as_millis_f64() * PAST_PAUSES)
        .clamp(PAST_MS.0, PAST_MS.1);
    let from = Instant::from_nanos(now.as_nanos().saturating_sub((past_ms * 1e6) as u64));
    let (tally, ledger) = (system.tally(), system.ledger());
    let look = Look { tally: &tally, ledger: &ledger, now, from };
    let mut holders = Vec::with_capacity(agents.len() + workers.len());
    let is_cut = |a: NodeId, b: NodeId| net.is_cut(a, b) || net.is_cut(b, a);
    for (a, &agent) in agents.iter().enumerate() {
        let mut view = look.at_agent(a, net.is_up(agent));
        view.cut_off = is_cut(config.controller(), agent);
        view.unheard = broker.is_some_and(|broker| is_cut(broker, agent));
        nodes.push(watch.node(agent, AGENT, state(&ledger, &view)));
        holders.push(view);
        let workers_end = if a < serving { workers.len() } else { 0 };
        for w in (a..workers_end).step_by(serving) {
            let mut view = look.at_worker(w, a);
            view.cut_off = is_cut(agent, workers[w]);
            nodes.push(watch.node(workers[w], WORKER, state(&ledger, &view)));
            holders.push(view);
        }
    }
    let seconds = now.as_nanos() / 1_000_000_000;
    let last = seconds.checked_sub(1).and_then(|second| ledger.load().get(second as usize));
    let bound = params.poll_max() + AGENT_ROUND_TRIP_MAX + params.worker_interval + WORKER_ROUND_TRIP_MAX;
    let view = ConfigView {
        newest: tally.newest(),
        versions: ledger.versions().iter().rev().take(VERSIONS_SHOWN).rev().map(VersionView::of).collect(),
        holders,
        bound_ms: bound.as_millis_f64(),
        past_ms,
        trigger: params.trigger,
        put_period_ms: params.put_period.as_millis_f64(),
        staleness_ms: tally.staleness_ms(now),
        share_not_modified: tally.share_not_modified(),
        load: last.map_or(0, |second| second.requests),
        herd_peak: tally.herd_peak(),
        herd_peak_since_restart: tally.herd_peak_since_restart(),
    };
    Some(Observed { nodes, rows_from, messages: face::messages(run), view })
}

/// What its mark says: working as a version says that cannot work, behind, or as new as can be.
fn state(ledger: &Ledger, view: &HolderView) -> State {
    match view.behind_ms {
        _ if view.version == 0 => NEW,
        _ if ledger.version(view.version).is_some_and(is_bad) => FAILING,
        Some(_) => BEHIND,
        None => CURRENT,
    }
}

fn is_bad(version: &VersionEntry) -> bool {
    version.ticks_failed > 0
}

/// Reads tally and ledger at a moment, back to another.
struct Look<'a> {
    tally: &'a Tally,
    ledger: &'a Ledger,
    now: Instant,
    from: Instant,
}

impl Look<'_> {
    fn at_agent(&self, a: usize, up: bool) -> HolderView {
        let poller = &self.ledger.pollers()[a];
        let recent = poller.recent.iter().rev().take_while(|poll| poll.at >= self.from);
        let mut polls: Vec<(f64, u16)> = recent.map(|poll| (poll.at.as_millis_f64(), poll.status)).collect();
        polls.reverse();
        HolderView {
            agent: a,
            version: self.tally.agents()[a].version,
            behind_ms: self.behind(self.tally.agent_stale_since(a)),
            ran: self.ran(&self.ledger.agents()[a]),
            polls,
            failures: poller.failures,
            next_poll_ms: poller.next_at.filter(|&at| up && at > self.now).map(Instant::as_millis_f64),
            cut_off: false,
            unheard: false,
        }
    }

    fn at_worker(&self, w: usize, agent: usize) -> HolderView {
        HolderView {
            agent,
            version: self.tally.workers()[w].version,
            behind_ms: self.behind(self.tally.stale_since(w)),
            ran: self.ran(&self.ledger.workers()[w]),
            polls: Vec::new(),
            failures: 0,
            next_poll_ms: None,
            cut_off: false,
            unheard: false,
        }
    }

    fn behind(&self, since: Option<Instant>) -> Option<f64> {
        since.map(|since| self.now.since(since).as_millis_f64())
    }

    /// Versions from the one that it had when the picture begins.
    fn ran(&self, recent: &Recent) -> Vec<(u64, f64)> {
        let first = recent.partition_point(|&(_, since)| since <= self.from).saturating_sub(1);
        recent.range(first..).map(|&(version, since)| (version, since.as_millis_f64())).collect()
    }
}

impl VersionView {
    fn of(entry: &VersionEntry) -> Self {
        VersionView {
            number: entry.number,
            note: entry.settings.note.clone(),
            acknowledged_ms: entry.acknowledged_at.map(Instant::as_millis_f64),
            everywhere_ms: entry.everywhere_at.map(Instant::as_millis_f64),
            bad: is_bad(entry),
        }
    }
}
