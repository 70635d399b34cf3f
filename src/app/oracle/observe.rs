//! What a snapshot has of an oracle, read off its run: nodes, newest request, broker.

use super::experiment::last_errors;
use super::other_strategy;
use super::view::{
    ASKED, BROKER, BrokerView, COORDINATOR, Counts, FAILED, First, IN_TIME, Known, LATE, LYING, OracleView,
    ReportView, RequestView, Settings, TaskView, WAS_DOWN, WORKER, WORKING,
};
use crate::app::face::{self, Observed, Show};
use crate::app::snapshot::{MessageKind, MessageView, NodeView, Role, Sign, State, Watch};
use crate::kernel::Instant;
use crate::lab::fault::FaultKind;
use crate::lab::oracle::tally::Summary;
use crate::lab::oracle::{OracleRun, RequestEntry, TaskEnd, TaskEntry};
use crate::lab::{self, Run};
use crate::net::{NodeId, Payload};
use crate::systems::oracle::Oracle;
use std::collections::VecDeque;
use std::rc::Rc;

/// A worker's last answer is looked for in so many of the newest requests.
const LAST_VALUES_FROM: usize = 8;

/// A liar, a refusal or a failed request is news if none of so many requests before had one; a strategy is judged over as
/// many.
const MEMORY: usize = 50;

/// An oracle's nodes, its requests, its broker.
pub(super) fn observe(run: &Run, before: Option<&OracleView>, show: Show) -> Option<Observed<OracleView>> {
    let oracle = lab::oracle::of(run.system())?;
    let (ledger, params) = (oracle.ledger(), oracle.params());
    let requests = ledger.requests();
    let is_over = |request: &&RequestEntry| request.over_at().is_some();
    let newest = requests.iter().rev().find(|request| request.opened_at.is_some());
    let finished = requests.iter().rev().find(is_over);
    let kept = show.result.and_then(|number| ledger.request(number));
    let shown = kept.filter(is_over).or(finished).or(newest);
    let before = before.filter(|before| before.truth == show.truth);
    let progress = run.system().progress();
    // Percentiles change only when a request does.
    let tasks = oracle.tally().tasks();
    let known = before.filter(|before| before.summarised_at == progress && before.summary.tasks == tasks);
    let summary = known.map_or_else(
        || Rc::new(summary(oracle.tally().summary(), show.truth)),
        |before| Rc::clone(&before.summary),
    );
    let reader = Reader { run, oracle, requests, show, before };
    let finished = finished.map(|entry| reader.request(entry, &[]));
    let request = shown.map(|entry| reader.request(entry, finished.as_slice()));
    let so_far: Vec<Rc<RequestView>> = finished.iter().chain(&request).cloned().collect();
    let newest_view = newest.map(|entry| reader.request(entry, &so_far));
    let signs = request.as_ref().map_or(&[][..], |request| &request.signs);
    let (nodes, known) = reader.nodes(newest, signs);
    let broker = oracle.oracle().broker();
    Some(Observed {
        rows_from: nodes.partition_point(|node| node.role != WORKER),
        nodes,
        messages: match broker {
            Some(broker) => messages(run, oracle.oracle(), broker),
            None => face::messages(run),
        },
        view: OracleView {
            request,
            finished,
            broker: broker.map(|broker| broker_view(oracle.oracle(), broker, newest_view.as_deref())),
            errors: match show.truth {
                true => last_errors(requests.iter().rev(), params),
                false => Vec::new(),
            },
            report: report(oracle, newest.map(|newest| newest.truth).filter(|_| show.truth), run.now()),
            summary,
            summarised_at: progress,
            known,
            settings: Settings {
                timeout_ms: params.timeout.as_millis_f64(),
                delay_max_ms: params.long_delay().as_millis_f64(),
                strategy: params.strategy.name(),
                workers: params.workers,
            },
            newest: newest_view,
            left: Vec::new(),
            truth: show.truth,
        },
    })
}

/// What the workers said to the request that is kept in view, in the future that was left.
pub(super) fn lay_beside(view: &mut OracleView, left: &Run) {
    let (Some(request), Some(oracle)) = (&view.request, lab::oracle::of(left.system())) else { return };
    let ledger = oracle.ledger();
    let tasks = ledger.request(request.number).into_iter().flat_map(|entry| &entry.tasks);
    view.left = tasks.filter_map(|task| Some((task.node, task.value?))).collect();
}

/// Where a smaller step makes a report, nearly every answer is one.
const REPORTS_FROM: f64 = 0.01;

fn report(oracle: &OracleRun, truth: Option<f64>, now: Instant) -> Option<ReportView> {
    if oracle.params().deviation < REPORTS_FROM {
        return None;
    }
    let (report, stale) = oracle.oracle().report()?;
    Some(ReportView {
        value: report.value,
        before: report.before,
        round: report.round,
        request: report.request,
        age_ms: now.since(report.at).as_millis_f64(),
        stale,
        off: truth.map(|truth| report.value / truth - 1.0),
    })
}

/// The figures over all requests; without the truth there is no error.
fn summary(mut summary: Summary, truth: bool) -> Summary {
    if !truth {
        (summary.error_mean, summary.error_p95) = (None, None);
    }
    summary
}

/// What flows back is an answer; what only keeps connections going is not what a picture is about.
fn messages(run: &Run, oracle: &Oracle, broker: NodeId) -> Vec<MessageView> {
    let flights = run.net().in_flight();
    let views = flights.iter().filter_map(|flight| {
        let back =
            flight.to == oracle.coordinator() || flight.to == broker && flight.from != oracle.coordinator();
        let mut view = MessageView::of(flight);
        match flight.payload {
            Payload::Control => return None,
            Payload::Message if back => view.kind = MessageKind::Answer,
            _ => {}
        }
        Some(view)
    });
    views.collect()
}

fn broker_view(oracle: &Oracle, broker: NodeId, newest: Option<&RequestView>) -> BrokerView {
    let params = oracle.params();
    BrokerView {
        node: broker.0,
        transport: params.transport.name(),
        delivery: params.delivery.name(),
        stored: oracle.stored(),
        lost: newest.map_or(0, |request| request.lost),
        redelivered: newest.map_or(0, |request| request.redelivered),
        connected: oracle.connected(),
    }
}

/// Reads off a run what is to be seen of it.
struct Reader<'a> {
    run: &'a Run,
    oracle: &'a OracleRun,
    requests: &'a VecDeque<RequestEntry>,
    show: Show,
    before: Option<&'a OracleView>,
}

impl Reader<'_> {
    /// The nodes, and what the coordinator knows of each.
    fn nodes(&self, newest: Option<&RequestEntry>, signs: &[Sign]) -> (Vec<NodeView>, Vec<Known>) {
        let (net, oracle) = (self.run.net(), self.oracle.oracle());
        // By node number; a registered name that is no node's has the first place, and nobody looks there.
        let count = net.nodes().count() + 1;
        // Over NATS there is nothing to register with.
        let registered = oracle.broker().is_some();
        let mut known = vec![Known { registered, ..Known::default() }; count];
        oracle.look_at_registry(|entry| {
            if let Some(known) = known.get_mut(entry.member.node as usize) {
                (known.registered, known.score) = (true, Some(entry.history.score()));
            }
        });
        for request in self.requests.iter().rev().take(LAST_VALUES_FROM) {
            for task in request.tasks.iter().filter(|task| task.value.is_some()) {
                if let Some(known) = known.get_mut(task.node as usize) {
                    known.last_value = known.last_value.or(task.value);
                }
            }
        }
        let live = parts(newest, count);
        let watch = Watch::of(self.run);
        let by_hand = self.run.faults().enumerate().filter(|(i, _)| self.run.is_by_hand(*i));
        let broken: Vec<(String, FaultKind)> =
            by_hand.map(|(_, fault)| (fault.target.to_string(), fault.kind)).collect();
        let view = |id: NodeId| {
            let role = self.role(id);
            let place = id.0 as usize;
            let row = id.0.checked_sub(self.first_worker()).map(|row| row as usize);
            let sign = row.and_then(|row| signs.get(row)).copied().unwrap_or_default();
            let state = match sign {
                _ if role != WORKER => State::IDLE,
                // It was then, and is not any more.
                Sign::Down if net.is_up(id) => WAS_DOWN,
                sign => state_of(sign),
            };
            let entry = &mut known[place];
            entry.kept = if role == WORKER { sign } else { Sign::Idle };
            entry.live = match self.state(id, live[place]).sign {
                _ if self.show.truth && !net.is_up(id) => Sign::Down,
                sign => sign,
            };
            let node = watch.node(id, role, state);
            if self.show.truth || role != WORKER {
                return node;
            }
            // Whoever has broken it knows in which ways.
            let ways = broken.iter().filter(|(name, _)| *name == node.name).map(|(_, kind)| *kind);
            let ways: Vec<FaultKind> = ways.collect();
            node.as_seen_by(state, &ways)
        };
        let nodes: Vec<NodeView> = net.nodes().map(view).collect();
        let known = nodes.iter().map(|node| known[node.id as usize]).collect();
        (nodes, known)
    }

    fn role(&self, id: NodeId) -> Role {
        let oracle = self.oracle.oracle();
        match id {
            _ if id == oracle.coordinator() => COORDINATOR,
            _ if Some(id) == oracle.broker() => BROKER,
            _ if id.0 >= self.first_worker() => WORKER,
            // The console is the first node.
            NodeId(1) => Role::CONSOLE,
            _ => Role::CLIENT,
        }
    }

    fn first_worker(&self) -> u32 {
        self.oracle.oracle().workers().first().map_or(u32::MAX, |node| node.0)
    }

    /// What became of a worker in a request, or what it does in it.
    fn state(&self, id: NodeId, task: Option<&TaskEntry>) -> State {
        let works = || {
            let worker = id.0.checked_sub(self.first_worker());
            worker.is_some_and(|worker| self.oracle.oracle().busy(worker as usize) > 0)
        };
        let Some(task) = task else {
            let is_down = self.show.truth && !self.run.net().is_up(id);
            return if is_down { State::DOWN } else { State::IDLE };
        };
        match task.end {
            TaskEnd::Pending if works() => WORKING,
            end => self.ended(task, end),
        }
    }

    /// A task's end as a state.
    fn ended(&self, task: &TaskEntry, end: TaskEnd) -> State {
        match end {
            TaskEnd::Pending => ASKED,
            TaskEnd::InTime if task.lying && self.show.truth => LYING,
            TaskEnd::InTime => IN_TIME,
            // Who asks knows that nobody listens, not why.
            TaskEnd::Failed if is_refusal(task) && self.show.truth => State::DOWN,
            TaskEnd::Failed | TaskEnd::Lost => FAILED,
            TaskEnd::Late => LATE,
        }
    }

    /// A request; one that has not changed is taken from what has been read already.
    fn request(&self, entry: &RequestEntry, so_far: &[Rc<RequestView>]) -> Rc<RequestView> {
        if let Some(view) = so_far.iter().find(|view| view.number == entry.number) {
            return Rc::clone(view);
        }
        let is_same = |view: &&Rc<RequestView>| {
            let is_over = view.number == entry.number && view.answered_ms.is_some();
            is_over && view.changes == entry.changes
        };
        let before = self.before.into_iter().flat_map(|before| [&before.finished, &before.request]);
        before.flatten().find(is_same).map_or_else(|| Rc::new(self.read(entry)), Rc::clone)
    }

    fn read(&self, entry: &RequestEntry) -> RequestView {
        let (params, truth) = (self.oracle.params(), self.show.truth);
        let ms = |at: Option<Instant>| at.map(Instant::as_millis_f64);
        let took = |ended: Option<Instant>| Some(ended?.since(entry.opened_at?).as_millis_f64());
        let tasks = entry.tasks.iter().map(|task| TaskView {
            worker: Rc::clone(&task.worker),
            end: task.end,
            took_ms: match task.end {
                TaskEnd::Late if params.has_broker() => took(task.late_at),
                _ => took(task.ended_at),
            },
            value: task.value,
            err: task.err.clone(),
            lied: task.lying && truth,
            node: task.node,
        });
        let (analysis, signs) = (entry.analysis(params), self.signs(entry));
        let counts = signs.iter().fold(Counts::default(), |counts, &sign| counts.with(sign));
        // What it is compared with is told once it is over; and how often that was closer, of one with a lie.
        let is_over = entry.over_at().is_some();
        RequestView {
            number: entry.number,
            id: format!("req-{:05}", entry.number),
            query: entry.query.to_string(),
            requested_ms: entry.requested_at.as_millis_f64(),
            opened_ms: ms(entry.opened_at),
            deadline_ms: ms(entry.deadline),
            closed_ms: ms(entry.closed_at),
            answered_ms: ms(entry.answered_at),
            tasks: tasks.collect(),
            final_value: entry.result.as_ref().map(|result| result.final_value),
            note: entry.result.as_ref().map(|result| result.reliability_note.to_string()),
            error: entry.error.clone(),
            analysis: analysis.filter(|_| truth).cloned(),
            counter_answers: analysis.map(|analysis| analysis.counter_answers.clone()).unwrap_or_default(),
            truth: truth.then_some(entry.truth),
            counts,
            changes: entry.changes,
            signs,
            lost: entry.tasks.iter().filter(|task| task.end == TaskEnd::Lost).count() as u32,
            redelivered: entry.redelivered,
            first: if is_over { self.first(entry) } else { First::default() },
            closer: if truth && is_over && counts.lying > 0 { self.closer(entry) } else { (0, 0) },
        }
    }

    /// What becomes of the workers in a request; of one that is over, as it was then, whenever it is looked at.
    fn signs(&self, entry: &RequestEntry) -> Vec<Sign> {
        let parts = parts(Some(entry), self.run.net().nodes().count() + 1);
        let workers = self.oracle.oracle().workers().iter();
        let over = entry.over_at();
        let sign = |&id: &NodeId| match (over, parts[id.0 as usize]) {
            (None, task) => self.state(id, task).sign,
            (Some(over), task) => match task.and_then(|task| Some((task, task.end_at(over)?))) {
                Some((_, TaskEnd::Pending)) => Sign::Asked,
                Some((task, end)) => self.ended(task, end).sign,
                None if self.show.truth && entry.down.contains(&id.0) => Sign::Down,
                None => Sign::Idle,
            },
        };
        workers.map(sign).collect()
    }

    /// The newest requests before one that had ended when it did.
    fn before(&self, entry: &RequestEntry) -> impl Iterator<Item = &RequestEntry> {
        let (number, until) = (entry.number, entry.answered_at);
        let older = self.requests.iter().rev().skip_while(move |request| request.number >= number);
        older.take(MEMORY).filter(move |request| {
            request.answered_at.is_some_and(|at| until.is_none_or(|until| at <= until))
        })
    }

    fn first(&self, entry: &RequestEntry) -> First {
        let is_first = |has: fn(&RequestEntry) -> bool| has(entry) && !self.before(entry).any(has);
        First {
            lie: self.show.truth && is_first(has_lie),
            refusal: is_first(|entry| entry.tasks.iter().any(is_refusal)),
            error: is_first(|entry| entry.error.is_some()),
        }
    }

    fn closer(&self, entry: &RequestEntry) -> (u32, u32) {
        let params = self.oracle.params();
        let other = other_strategy(params.strategy.name());
        let all = std::iter::once(entry).chain(self.before(entry));
        let alike = all.filter(|one| has_lie(one) == has_lie(entry));
        alike.filter_map(|one| one.analysis(params)).fold((0, 0), |(closer, all), analysis| {
            let counter = analysis.counter_answers.get(other).map(|value| value / analysis.truth - 1.0);
            let wins = counter.is_some_and(|counter| counter.abs() < analysis.error.abs());
            (closer + u32::from(wins), all + 1)
        })
    }
}

/// A worker's state by its sign.
fn state_of(sign: Sign) -> State {
    match sign {
        Sign::InTime => IN_TIME,
        Sign::Lying => LYING,
        Sign::Late => LATE,
        Sign::Failed => FAILED,
        Sign::Working => WORKING,
        Sign::Asked => ASKED,
        Sign::Down => State::DOWN,
        Sign::Idle => State::IDLE,
    }
}

/// Who lied in time.
fn has_lie(entry: &RequestEntry) -> bool {
    entry.tasks.iter().any(|task| task.lying && task.value.is_some())
}

/// The task of a node that does not listen.
fn is_refusal(task: &TaskEntry) -> bool {
    task.end == TaskEnd::Failed && task.err.as_deref() == Some("connection refused")
}

/// Each node's part in a request, by its number.
fn parts(request: Option<&RequestEntry>, count: usize) -> Vec<Option<&TaskEntry>> {
    let mut parts = vec![None; count];
    for task in request.iter().flat_map(|request| &request.tasks) {
        if let Some(part) = parts.get_mut(task.node as usize) {
            *part = Some(task);
        }
    }
    parts
}
