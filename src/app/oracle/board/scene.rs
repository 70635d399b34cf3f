//! What a board is about to say, read off a snapshot once: one entry per worker, and the request's own figures.
//!
//! Whoever does not show the truth gets a scene without it: nothing behind this module can give a liar away.

use crate::app::canvas::{Paint, Shape, View, ground_of};
use crate::app::oracle::view::{BROKER, COORDINATOR, RequestView, TaskView, WORKER};
use crate::app::oracle::{Now, other_strategy};
use crate::app::snapshot::{NodeView, Role, Sign};
use crate::lab::oracle::TaskEnd;
use crate::substrate::decimal::within;
use crate::systems::oracle::aggregator::{Knobs, Strategy};

/// What became of a worker's answer to the newest request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It was not asked.
    NotAsked,
    /// Not known yet.
    Pending,
    /// A value in time.
    InTime,
    /// A lie in time.
    Lying,
    /// A failure.
    Failed,
    /// It found the door closed: the node was down.
    Refused,
    /// No answer in time.
    Late,
    /// The task or the answer was in the broker when that went down.
    Lost,
}

impl Answer {
    /// Answers before the gate, in the order in which they are stacked.
    pub(super) const STACKED: [Answer; 3] = [Answer::InTime, Answer::Lying, Answer::Failed];

    /// The sign for it.
    pub(super) const fn shape(self) -> Shape {
        match self {
            Answer::NotAsked => Shape::Idle,
            Answer::Pending => Shape::Working,
            Answer::InTime => Shape::InTime,
            Answer::Lying => Shape::Lying,
            Answer::Failed | Answer::Refused | Answer::Lost => Shape::Failed,
            Answer::Late => Shape::Late,
        }
    }
}

/// One worker.
pub(super) struct Row<'a> {
    pub(super) node: &'a NodeView,
    /// Whether the coordinator knows it.
    pub(super) registered: bool,
    pub(super) task: Option<&'a TaskView>,
    /// What it is now.
    pub(super) lamp: Sign,
    /// What became of it in the request that is kept in view.
    pub(super) kept: Sign,
    /// What became of its answer there.
    pub(super) answer: Answer,
    /// And what becomes of it in the newest request: what its track shows.
    pub(super) live: Answer,
    pub(super) live_task: Option<&'a TaskView>,
    /// How long that took, or has taken so far, while the newest is not the one that is kept.
    pub(super) racing_ms: Option<f64>,
    /// How long the answer took, or has taken so far.
    pub(super) ms: f64,
    /// Late, and there by now, in the request that is kept in view and in the newest.
    pub(super) arrived_late: bool,
    pub(super) live_arrived_late: bool,
    /// How far its value is from the reference, in per cent.
    pub(super) off: Option<f64>,
    /// The same of what it said before one changed the past, where that is another value.
    pub(super) left: Option<f64>,
}

/// A line in the strip *what*.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Level<'a> {
    pub(super) name: &'a str,
    pub(super) value: f64,
    /// Per cent from the reference.
    pub(super) off: f64,
}

/// All that is shown.
pub(super) struct Scene<'a> {
    pub(super) now: Now<'a>,
    /// The request that is kept in view.
    pub(super) request: Option<&'a RequestView>,
    /// The newest: what moves is of it.
    pub(super) newest: Option<&'a RequestView>,
    pub(super) rows: Vec<Row<'a>>,
    pub(super) coordinator: Option<&'a NodeView>,
    pub(super) client: Option<&'a NodeView>,
    /// What stands between the coordinator and the workers, if anything does.
    pub(super) broker: Option<&'a NodeView>,
    /// The timeout of this request.
    pub(super) timeout_ms: f64,
    /// How long the newest request has been open, while it is.
    pub(super) open_ms: Option<f64>,
    /// What values are compared with.
    pub(super) reference: Option<f64>,
    pub(super) has_truth: bool,
    /// What the coordinator makes of the answers; so far, while the request is open.
    pub(super) aggregate: Option<Level<'a>>,
    /// What another strategy would have made of them.
    pub(super) counter: Option<Level<'a>>,
    /// The report that consumers read, where that is not every answer.
    pub(super) report: Option<Level<'a>>,
    pub(super) selected: Option<usize>,
    pub(super) hovered: Option<usize>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(now: Now<'a>, view: &View) -> Self {
        let (request, newest) = (now.view.request.as_deref(), now.view.newest.as_deref());
        let node_of = |role| now.snapshot.nodes.iter().find(|node| node.role == role);
        let mut scene = Scene {
            now,
            request,
            newest,
            rows: Vec::with_capacity(now.nodes.len()),
            coordinator: node_of(COORDINATOR),
            client: node_of(Role::CLIENT),
            broker: node_of(BROKER),
            timeout_ms: now.view.settings.timeout_ms,
            open_ms: None,
            reference: None,
            has_truth: now.view.truth,
            aggregate: None,
            counter: None,
            report: None,
            selected: None,
            hovered: None,
        };
        if let Some(request) = request {
            scene.read_request(request);
        }
        scene.read_workers(view);
        scene.read_race();
        scene
    }

    /// Whether the request that is kept in view is over.
    pub(super) fn is_final(&self) -> bool {
        self.request.is_none_or(|request| request.closed_ms.is_some())
    }

    /// The newest request, while the one that is kept in view is another.
    pub(super) fn racing(&self) -> Option<&'a RequestView> {
        let kept = self.request.map(|request| request.number);
        self.newest.filter(|newest| newest.closed_ms.is_none() && Some(newest.number) != kept)
    }

    fn read_request(&mut self, request: &'a RequestView) {
        if let (Some(opened), Some(deadline)) = (request.opened_ms, request.deadline_ms) {
            self.timeout_ms = deadline - opened;
        }
        let newest = self.newest.filter(|newest| newest.closed_ms.is_none());
        self.open_ms = newest
            .and_then(|newest| newest.opened_ms)
            .map(|opened| within(self.now.vtime_ms - opened, 0.0, self.timeout_ms));
        let strategy = self.now.view.settings.strategy;
        let counter_of = |name: &str| request.counter_answers.get(name).copied();
        let aggregate = counter_of(strategy).or(request.final_value).or_else(|| so_far(request, strategy));
        let other = other_strategy(strategy);
        self.reference = if self.has_truth { request.truth } else { aggregate };
        let Some(reference) = self.reference else {
            return;
        };
        let level = |name, value: f64| Level { name, value, off: off(value, reference) };
        self.aggregate = aggregate.map(|value| level(strategy, value));
        self.counter = counter_of(other).map(|value| level(other, value));
        let report = self.now.view.report.as_ref();
        self.report =
            report.map(|report| level(if report.stale { "stale report" } else { "report" }, report.value));
    }

    fn read_workers(&mut self, view: &View) {
        let snapshot = self.now.snapshot;
        for node in snapshot.nodes.iter().filter(|node| node.role == WORKER) {
            let row = self.rows.len();
            if node.name == view.selected {
                self.selected = Some(row);
            }
            if view.hovered == Some(node.name.as_str()) {
                self.hovered = Some(row);
            }
            let known = self.now.known(row);
            let seen = |sign: Sign| if sign == Sign::Lying && !self.has_truth { Sign::InTime } else { sign };
            self.rows.push(Row {
                node,
                registered: known.registered,
                task: None,
                lamp: seen(known.live),
                kept: seen(known.kept),
                answer: Answer::NotAsked,
                live: Answer::NotAsked,
                live_task: None,
                racing_ms: None,
                ms: 0.0,
                arrived_late: false,
                live_arrived_late: false,
                off: None,
                left: None,
            });
        }
        let Some(request) = self.request else {
            return;
        };
        for task in &request.tasks {
            let Some(row) = self.row_of(task.node) else {
                continue;
            };
            let answer = answer(task, self.has_truth);
            let ms = match answer {
                Answer::Pending => self.open_ms.unwrap_or(0.0),
                Answer::Late if self.broker.is_some() => {
                    let so_far = self.now.vtime_ms - request.opened_ms.unwrap_or(0.0);
                    task.took_ms.unwrap_or(so_far)
                }
                Answer::Late => self.timeout_ms,
                _ => task.took_ms.unwrap_or(0.0).min(self.timeout_ms),
            };
            let off = task.value.zip(self.reference).map(|(value, reference)| off(value, reference));
            let arrived_late = self.is_late_and_there(answer, task);
            let entry = &mut self.rows[row];
            entry.arrived_late = arrived_late;
            (entry.task, entry.answer, entry.ms, entry.off) = (Some(task), answer, ms, off);
        }
        for &(node, value) in &self.now.view.left {
            if let (Some(row), Some(reference)) = (self.row_of(node), self.reference) {
                let entry = &mut self.rows[row];
                let is_same = entry.task.is_some_and(|task| task.value == Some(value));
                entry.left = (!is_same).then(|| off(value, reference));
            }
        }
    }

    /// Where nobody is cancelled an answer comes, however late.
    fn is_late_and_there(&self, answer: Answer, task: &TaskView) -> bool {
        self.broker.is_some() && answer == Answer::Late && task.took_ms.is_some()
    }

    fn read_race(&mut self) {
        let Some(newest) = self.newest else {
            return;
        };
        let is_racing = self.racing().is_some();
        for task in &newest.tasks {
            let Some(row) = self.row_of(task.node) else {
                continue;
            };
            let live = answer(task, self.has_truth);
            let so_far = if live == Answer::Pending { self.open_ms } else { task.took_ms };
            let arrived_late = self.is_late_and_there(live, task);
            let entry = &mut self.rows[row];
            (entry.live, entry.live_task, entry.live_arrived_late) = (live, Some(task), arrived_late);
            entry.racing_ms = so_far.filter(|_| is_racing);
        }
    }

    /// Where the tracks begin: at the broker, or at the coordinator.
    pub(super) fn hub(&self) -> Option<&'a NodeView> {
        self.broker.or(self.coordinator)
    }

    /// The row of a node's number: workers have consecutive ones.
    pub(super) fn row_of(&self, node: u32) -> Option<usize> {
        let first = self.rows.first()?.node.id;
        let row = usize::try_from(node.checked_sub(first)?).ok()?;
        (self.rows.get(row)?.node.id == node).then_some(row)
    }

    /// What a row of a strip stands on.
    pub(super) fn ground(&self, row: usize) -> Option<Paint> {
        ground_of(row, self.selected, self.hovered)
    }

    /// Whether nobody could be asked.
    pub(super) fn nobody(&self) -> bool {
        let refused =
            |request: &RequestView| request.error.as_ref().is_some_and(|error| error.code == "no_workers");
        self.rows.is_empty() || self.request.is_some_and(refused)
    }
}

/// How far a value is from another, in per cent.
fn off(value: f64, reference: f64) -> f64 {
    if reference == 0.0 { 0.0 } else { (value - reference) / reference * 100.0 }
}

/// What the strategy would make of the values that there are. Some need more than a snapshot tells, such as
/// majority's steps or the weights, so they have to wait.
fn so_far(request: &RequestView, strategy: &str) -> Option<f64> {
    let strategy = Strategy::from_name(strategy).filter(|strategy| strategy.needs_values_only())?;
    let values: Vec<f64> = request.tasks.iter().filter_map(|task| task.value).collect();
    Some(strategy.aggregate(&values, &Knobs::default())?.value)
}

fn answer(task: &TaskView, has_truth: bool) -> Answer {
    match task.end {
        TaskEnd::Pending => Answer::Pending,
        TaskEnd::InTime if has_truth && task.lied => Answer::Lying,
        TaskEnd::InTime => Answer::InTime,
        TaskEnd::Failed if has_truth && task.err.as_deref() == Some("connection refused") => Answer::Refused,
        TaskEnd::Failed => Answer::Failed,
        TaskEnd::Late => Answer::Late,
        TaskEnd::Lost => Answer::Lost,
    }
}
