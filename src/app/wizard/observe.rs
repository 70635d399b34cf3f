//! What a snapshot has of a Math Wizard: its nodes, its lists, who has what in hand, and the newest jobs.

use crate::app::face::{self, Observed};
use crate::app::snapshot::{NodeView, Role, Sign, State, SystemView, Watch};
use crate::kernel::Instant;
use crate::lab::wizard::{ClaimEnd, Counts, Job, Place, WizardRun, theory};
use crate::lab::{self, Run};
use crate::net::NodeId;
use crate::systems::wizard::Wizard;
use serde::Serialize;
use serde_json::{Value, json};

/// Passes requests on.
pub const GATEWAY: Role = Role("gateway");
/// Keeps what all share.
pub const STORE: Role = Role("store");
/// A container.
pub const WORKER: Role = Role("worker");
/// A process of a container.
pub const PROCESS: Role = Role("process");

/// One of its workers has a job in hand.
const AT_WORK: State = State::new(Sign::Working, "a job in hand");
/// One of its processes is down.
const HALF_DOWN: State = State::new(Sign::Failed, "a process is down");

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
    /// What a textbook says of that, for a queue of its kind.
    pub theory_wait_ms: Option<f64>,
    /// When the gateway has read its configuration again.
    pub reloaded_ms: Option<f64>,
    /// Of those done, 95 % took so many milliseconds at most, from the push to the result.
    pub p95_ms: Option<f64>,
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
    /// When it came, if that was later than the others.
    pub joined_ms: Option<f64>,
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

impl SystemView for WizardView {
    fn json(&self) -> Value {
        json!({"wizard": self})
    }
}

/// A Math Wizard's nodes and its own view.
pub(super) fn observe(run: &Run) -> Option<Observed<WizardView>> {
    let wizard = lab::wizard::of(run.system())?;
    let view = view(run, wizard);
    let nodes = nodes(run, wizard.wizard(), &view);
    let rows_from = nodes.partition_point(|node| node.role != WORKER);
    Some(Observed { nodes, rows_from, messages: face::messages(run), view })
}

fn view(run: &Run, of: &WizardRun) -> WizardView {
    let (ledger, tally, wizard, net) = (of.ledger(), of.tally(), of.wizard(), run.net());
    let params = wizard.params();
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
            joined_ms: (i >= params.containers).then(|| params.scale_at.as_millis_f64()),
        }
    };
    let lost = newest().filter(|job| job.place == Some(Place::Lost));
    let probe = wizard.probe();
    WizardView {
        mode: params.mode.name(),
        lists: ["task_queue", "processing", "dead_letter"].map(|key| probe.list_len(key)),
        store_up: probe.is_up(),
        containers: (0..).zip(wizard.containers()).map(container).collect(),
        latest: newest().filter(|job| job.place.is_some()).take(LATEST).map(JobView::of).collect(),
        lost: lost.map(JobView::of).take(LATEST).collect(),
        counts: tally.counts(),
        wait_ms: tally.wait_ms().mean(),
        theory_wait_ms: theory::mean_wait(params).map(|s| s * 1000.0),
        reloaded_ms: Some(params.reload_at.as_millis_f64())
            .filter(|&at| at > 0.0 && at <= run.now().as_millis_f64()),
        p95_ms: tally.job_ms().percentile(95.0),
        bars,
    }
}

/// The containers come last; their processes before them.
fn nodes(run: &Run, wizard: &Wizard, view: &WizardView) -> Vec<NodeView> {
    let net = run.net();
    let containers = wizard.nodes();
    let others = net.nodes().filter(|id| !containers.contains(id));
    let order: Vec<NodeId> = others.chain(containers.iter().copied()).collect();
    let watch = Watch::of(run);
    let node = |id: NodeId| {
        let role = match id {
            _ if id == wizard.client() => Role::CLIENT,
            _ if id == wizard.gateway() => GATEWAY,
            _ if id == wizard.valkey() => STORE,
            _ if containers.contains(&id) => WORKER,
            NodeId(1) => Role::CONSOLE,
            _ => PROCESS,
        };
        let place = containers.iter().position(|&other| other == id);
        let state = match place.and_then(|i| view.containers.get(i)) {
            Some(here) if !here.api_up || here.workers.iter().any(|worker| !worker.1) => HALF_DOWN,
            Some(here) if here.workers.iter().any(|worker| worker.2) => AT_WORK,
            _ => State::IDLE,
        };
        watch.node(id, role, state)
    };
    order.into_iter().map(node).collect()
}
