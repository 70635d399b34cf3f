//! What a snapshot has of a Math Wizard: its nodes, its lists, who has what in hand, and the newest jobs.

use crate::app::snapshot::{NodeView, Role, Snapshot, WorkerState};
use crate::kernel::Instant;
use crate::lab::Run;
use crate::lab::wizard::{ClaimEnd, Counts, Job, Place, WizardRun};
use crate::net::{Effect, NodeId, Target};
use crate::systems::wizard::Wizard;
use serde::Serialize;

/// Bars reach so far into the past.
pub const WINDOW_MS: f64 = 20_000.0;
/// So many of the newest jobs are looked through for bars.
const JOBS_MAX: usize = 2_000;
/// So many are listed with their identities.
const LATEST: usize = 40;

/// A Math Wizard now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WizardView {
    /// `brpop` or `lmove`.
    pub mode: &'static str,
    /// Jobs that wait, are in the processing list, are dead letters.
    pub lists: [usize; 3],
    /// Whether the store runs.
    pub store_up: bool,
    /// The containers, c-01 first.
    pub containers: Vec<ContainerView>,
    /// Who had which job in hand lately.
    pub bars: Vec<BarView>,
    /// The newest jobs, newest first.
    pub latest: Vec<JobView>,
    /// The jobs lost, newest first.
    pub lost: Vec<JobView>,
    /// Counts over the run.
    pub counts: Counts,
    /// Milliseconds that a job waited on average.
    pub wait_ms: Option<f64>,
}

/// A container now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerView {
    /// Its API process's node number.
    pub api: u32,
    /// Whether that runs.
    pub api_up: bool,
    /// Requests in it or in front of it.
    pub busy: u32,
    /// Its worker processes: node number, whether it runs, whether it has a job in hand.
    pub workers: Vec<(u32, bool, bool)>,
    /// Jobs that it took.
    pub initiated: u64,
    /// Jobs that it did.
    pub handled: u64,
    /// Whether it was ever there: further containers start later.
    pub existed: bool,
}

/// A worker's time with a job.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BarView {
    /// The container, counted from 0.
    pub container: u32,
    /// The worker process, counted from 0.
    pub worker: u32,
    /// The job's number.
    pub job: u64,
    /// The number of the submission that it came of: what messages about it carry.
    pub submission: u64,
    /// Since when.
    pub from_ms: f64,
    /// Until when.
    pub to_ms: Option<f64>,
    /// How it ended.
    pub end: ClaimEnd,
}

/// A job with its three identities.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobView {
    /// Its number.
    pub number: u64,
    /// Its id.
    pub id: String,
    /// The container that took it, counted from 1.
    pub initiated_by: u32,
    /// The container that answered the newest poll.
    pub checked_by: Option<u32>,
    /// The container whose worker did it.
    pub handled_by: Option<u32>,
    /// Where it is.
    pub place: Option<Place>,
    /// A reaper has put it back.
    pub reaped: bool,
    /// When it was lost.
    pub lost_ms: Option<f64>,
    /// Why.
    pub cause: &'static str,
}

impl JobView {
    fn of(job: &Job) -> Self {
        JobView {
            number: job.number,
            id: job.id.to_string(),
            initiated_by: job.initiated_by + 1,
            checked_by: job.checked_by.map(|i| i + 1),
            handled_by: job.handled_by.map(|i| i + 1),
            place: job.place,
            reaped: job.reaped > 0,
            lost_ms: job.lost.map(|(at, _)| at.as_millis_f64()),
            cause: job.lost.map_or("", |(_, why)| why.words()),
        }
    }
}

/// A Math Wizard's nodes and its own view.
pub(super) fn observe(run: &Run, snapshot: &mut Snapshot) {
    let Some(wizard) = crate::lab::wizard::of(run.system()) else { return };
    let view = view(run, wizard);
    snapshot.nodes = nodes(run, wizard.wizard(), &view);
    snapshot.wizard = Some(view);
}

fn view(run: &Run, of: &WizardRun) -> WizardView {
    let (ledger, tally, wizard, net) = (of.ledger(), of.tally(), of.wizard(), run.net());
    let since = run.now().as_millis_f64() - WINDOW_MS;
    let newest = || ledger.jobs().rev().take(JOBS_MAX);
    let bars: Vec<BarView> = newest()
        .flat_map(|job| job.claims.iter().map(move |claim| (job, claim)))
        .map(|(job, claim)| BarView {
            container: claim.container,
            worker: claim.worker,
            job: job.number,
            submission: job.submission,
            from_ms: claim.from.as_millis_f64(),
            to_ms: claim.until.map(Instant::as_millis_f64),
            end: claim.end,
        })
        .filter(|bar| bar.to_ms.is_none_or(|to| to > since))
        .collect();
    let container = |(i, container): (u32, &crate::systems::wizard::Container)| {
        let holds =
            |k: u32| bars.iter().any(|bar| (bar.container, bar.worker, bar.end) == (i, k, ClaimEnd::Open));
        ContainerView {
            api: container.api.0,
            api_up: net.is_up(container.api),
            busy: wizard.busy(i as usize),
            workers: (0..)
                .zip(&container.workers)
                .map(|(k, &node)| (node.0, net.is_up(node), holds(k)))
                .collect(),
            initiated: tally.deeds(i as usize).initiated,
            handled: tally.deeds(i as usize).handled,
            existed: net.down_since(container.node) != Some(Instant::ZERO),
        }
    };
    let lost = newest().filter(|job| job.place == Some(Place::Lost));
    let probe = wizard.probe();
    WizardView {
        mode: wizard.params().mode.name(),
        lists: ["task_queue", "processing", "dead_letter"].map(|key| probe.list(key).len()),
        store_up: probe.is_up(),
        containers: (0..).zip(wizard.containers()).map(container).collect(),
        latest: newest().filter(|job| job.place.is_some()).take(LATEST).map(JobView::of).collect(),
        lost: lost.map(JobView::of).take(LATEST).collect(),
        counts: tally.counts(),
        wait_ms: tally.wait_ms().mean(),
        bars,
    }
}

/// The containers come last; their processes before them.
fn nodes(run: &Run, wizard: &Wizard, view: &WizardView) -> Vec<NodeView> {
    let net = run.net();
    let containers = wizard.nodes();
    let others = net.nodes().filter(|id| !containers.contains(id));
    let order: Vec<NodeId> = others.chain(containers.iter().copied()).collect();
    let rules = net.rules();
    let node = |id: NodeId| {
        let role = match id {
            _ if id == wizard.client() => Role::Client,
            _ if id == wizard.gateway() => Role::Gateway,
            _ if id == wizard.valkey() => Role::Store,
            _ if containers.contains(&id) => Role::Worker,
            NodeId(1) => Role::Console,
            _ => Role::Process,
        };
        let down_since = net.down_since(id).filter(|_| role != Role::Console);
        let touches = |target: Target| match target {
            Target::Node(node) => node == id,
            Target::Both(a, b) | Target::OneWay(a, b) => id == a || id == b,
        };
        let place = containers.iter().position(|&other| other == id);
        let state = match place.and_then(|i| view.containers.get(i)) {
            _ if down_since.is_some() => WorkerState::Down,
            Some(here) if !here.api_up || here.workers.iter().any(|worker| !worker.1) => WorkerState::Failed,
            Some(here) if here.workers.iter().any(|worker| worker.2) => WorkerState::Working,
            _ => WorkerState::Idle,
        };
        NodeView {
            id: id.0,
            name: net.name(id).to_string(),
            role,
            up: down_since.is_none(),
            down_since_ms: down_since.map(Instant::as_millis_f64),
            state,
            lie: None,
            slow: net.slowdown(id),
            cut: rules.iter().any(|rule| rule.effect == Effect::Cut && touches(rule.target)),
            drops: rules.iter().any(|rule| matches!(rule.effect, Effect::Drop(_)) && touches(rule.target)),
            registered: true,
            score: None,
            last_value: None,
        }
    };
    order.into_iter().map(node).collect()
}
