//! What the charts draw, gathered from a run as it goes: one point per request, the tasks in flight, the faults.

use crate::app::plot::Time;
use crate::app::plot::levels::Levels;
use crate::kernel::{Duration, Instant};
use crate::lab::oracle::{OracleRun, RequestEntry, TaskEnd};
use crate::lab::{Run, Scenario, stats};
use crate::substrate::http::HttpError;
use crate::systems::oracle::Params;
use crate::systems::oracle::aggregator::Strategy;
use std::collections::{BinaryHeap, VecDeque};

/// The most points kept.
const POINTS_MAX: usize = 10_000;

/// A reply that takes longer than this never comes: the client is down.
const REPLY_MAX: Duration = Duration::from_secs(60);

/// The states whose counts a point has, in the order in which they are stacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An honest value in time.
    InTime,
    /// A lie in time.
    Lying,
    /// Nothing within the timeout.
    Late,
    /// An error, or a connection that broke.
    Failed,
    /// The connection was refused, or the worker was not asked at all.
    Down,
}

/// How many workers ended in which way, by [`Outcome`].
pub type Counts = [u32; 5];

/// One request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// When the workers were asked, in seconds; when the client wanted it, if they never were.
    pub at_s: f64,
    /// The coordinator has its answer, or the client knows that there is none.
    pub settled: bool,
    /// The median time of the answers in time, in milliseconds; `None` until it is settled, and without answers.
    pub p50_ms: Option<f64>,
    /// Their 95th percentile.
    pub p95_ms: Option<f64>,
    /// How far the aggregate is off the truth, in per cent.
    pub error: Option<f64>,
    /// How far the strategy not chosen would have been.
    pub counter: Option<f64>,
    /// The lowest answer, the aggregate and the highest answer.
    pub values: Option<[f64; 3]>,
    /// What became of the workers so far.
    pub counts: Counts,
    /// It came too often, and nobody was asked.
    pub limited: bool,
}

/// Everything that the charts draw.
#[derive(Clone, Debug)]
pub struct History {
    /// What the points are of: another past, or an earlier instant, is another history.
    scenario: Option<Scenario>,
    seen: Option<Instant>,
    /// The number of the first point.
    first: u64,
    /// One per request, in order.
    pub points: VecDeque<Point>,
    /// The numbers of those that may still change.
    open: Vec<u64>,
    /// The tasks in flight.
    pub in_flight: Levels,
    /// The instant that this is the history of, and the faults.
    pub time: Time,
    /// How long the coordinator waits.
    pub timeout_ms: f64,
    /// How many workers there are.
    pub workers: u32,
    /// How the answer is made.
    pub strategy: Strategy,
    /// How many requests a second a client may send.
    pub rate: Option<f64>,
    /// The errors of a future that was left, in percent by seconds.
    pub left: Vec<(f64, f64)>,
}

impl Default for History {
    fn default() -> Self {
        History {
            scenario: None,
            seen: None,
            first: 1,
            points: VecDeque::new(),
            open: Vec::new(),
            in_flight: Levels::default(),
            time: Time::default(),
            timeout_ms: 0.0,
            workers: 0,
            strategy: Strategy::Average,
            rate: None,
            left: Vec::new(),
        }
    }
}

/// The strategy that the charts hold against the one that is chosen.
pub fn counter_of(strategy: Strategy) -> Strategy {
    match strategy {
        Strategy::Average => Strategy::Median,
        _ => Strategy::Average,
    }
}

impl History {
    /// Takes in what happened since it last looked: only requests that are new or were open are read.
    pub fn update(&mut self, run: &Run) {
        let now = run.now();
        let known =
            |scenario: &Scenario| self.seen.is_some_and(|seen| same_past(scenario, run.scenario(), seen));
        if self.seen > Some(now) || !self.scenario.as_ref().is_some_and(known) {
            *self = History::default();
        }
        if self.scenario.as_ref() != Some(run.scenario()) {
            self.scenario = Some(run.scenario().clone());
        }
        let Some(oracle) = crate::lab::oracle::of(run.system()) else {
            return;
        };
        let params = oracle.params();
        self.time = Time::of(run);
        self.timeout_ms = params.timeout.as_millis_f64();
        (self.workers, self.strategy, self.rate) = (params.workers, params.strategy, params.rate);
        self.read_log(oracle, now);
        self.in_flight.extend_to(now.as_nanos());
        self.seen = Some(now);
    }

    fn read_log(&mut self, oracle: &OracleRun, now: Instant) {
        let params = oracle.params();
        let ledger = oracle.ledger();
        let requests = ledger.requests();
        let Some(first_kept) = requests.front().map(|request| request.number) else {
            return;
        };
        if self.points.is_empty() {
            self.first = first_kept;
        }
        let refused = HttpError::Refused.to_string();
        let next = (self.first + self.points.len() as u64).max(first_kept);
        let newest = first_kept + requests.len() as u64;
        let mut changes: Vec<(u64, i64)> = Vec::new();
        let known = std::mem::take(&mut self.open);
        for number in known.into_iter().chain(next..newest) {
            // A request that the ledger has dropped stays as it was seen last.
            let Some(request) = number.checked_sub(first_kept).and_then(|i| requests.get(i as usize)) else {
                continue;
            };
            note_changes(request, self.seen, &mut changes);
            let point = Point::of(request, params, &refused);
            if !is_final(request, now) {
                self.open.push(number);
            }
            self.put(number, point);
        }
        // An end at an instant counts before a beginning at it, or there would seem to be more than there are.
        let changes = BinaryHeap::from(changes).into_sorted_vec();
        changes.into_iter().for_each(|(at, by)| self.in_flight.change(at, by));
    }

    fn put(&mut self, number: u64, point: Point) {
        let place = (number.saturating_sub(self.first)) as usize;
        match self.points.get_mut(place) {
            Some(known) => *known = point,
            None => self.points.push_back(point),
        }
        if self.points.len() > POINTS_MAX {
            self.points.pop_front();
            self.first += 1;
            let first = self.first;
            self.open.retain(|&number| number >= first);
        }
    }

    /// The point of the request with that number, if it is here.
    pub fn point(&self, number: u64) -> Option<&Point> {
        self.points.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// The newest point that has come to its end.
    pub fn newest_settled(&self) -> Option<&Point> {
        self.points.iter().rev().find(|point| point.settled && !point.limited)
    }
}

/// Whether two scenarios are the same up to and including an instant: what is done later tells nothing of it.
fn same_past(a: &Scenario, b: &Scenario, until: Instant) -> bool {
    let done = |scenario: &Scenario| scenario.actions.partition_point(|action| action.at() <= until);
    let (done_a, done_b) = (done(a), done(b));
    let faults = (&a.faults, &a.own) == (&b.faults, &b.own);
    faults
        && (a.seed, &a.preset, &a.set, &a.horizon) == (b.seed, &b.preset, &b.set, &b.horizon)
        && a.actions[..done_a] == b.actions[..done_b]
}

/// Whether nothing about a request will change any more. The reply that the client gets may be that to a duplicate of
/// its request, and so may come before the end of what the ledger follows, or differ from it.
fn is_final(request: &RequestEntry, now: Instant) -> bool {
    match (request.closed_at, request.answered_at) {
        (Some(_), Some(_)) => true,
        (Some(closed), None) => now.since(closed) > REPLY_MAX,
        (None, Some(_)) => request.error.is_some(),
        (None, None) => false,
    }
}

/// How the tasks in flight changed after `seen`. All have ended when the request is over: one whose coordinator crashed, when
/// the client knows.
fn note_changes(request: &RequestEntry, seen: Option<Instant>, changes: &mut Vec<(u64, i64)>) {
    let over = request.over_at();
    let until = over.unwrap_or(Instant::MAX);
    for task in request.tasks.iter().filter(|task| task.asked_at <= until) {
        let end = task.ended_at.filter(|&at| at <= until).or(over);
        let both = [(Some(task.asked_at), 1), (end, -1)];
        let new = both.into_iter().filter(|(at, _)| *at > seen);
        changes.extend(new.filter_map(|(at, by)| Some((at?.as_nanos(), by))));
    }
}

impl Point {
    fn of(request: &RequestEntry, params: &Params, refused: &str) -> Self {
        let settled = request.closed_at.is_some() || request.answered_at.is_some();
        let mut counts = Counts::default();
        let mut times = Vec::new();
        let (over, mut asked) = (request.over_at(), 0);
        for task in &request.tasks {
            // As it was then, whatever has come since.
            let end = over.map_or(Some(task.end), |over| task.end_at(over));
            asked += u32::from(end.is_some());
            let outcome = match end.unwrap_or(TaskEnd::Pending) {
                TaskEnd::Pending => continue,
                TaskEnd::InTime if task.lying => Outcome::Lying,
                TaskEnd::InTime => Outcome::InTime,
                TaskEnd::Late => Outcome::Late,
                TaskEnd::Failed if task.err.as_deref() == Some(refused) => Outcome::Down,
                TaskEnd::Failed | TaskEnd::Lost => Outcome::Failed,
            };
            counts[outcome as usize] += 1;
            if let (true, TaskEnd::InTime, Some(opened), Some(ended)) =
                (settled, task.end, request.opened_at, task.ended_at)
            {
                times.push(ended.since(opened).as_millis_f64());
            }
        }
        let not_asked = params.workers.saturating_sub(asked);
        let limited = request.error.as_ref().is_some_and(|error| error.status == 429);
        if !limited && (request.opened_at.is_some() || settled) {
            counts[Outcome::Down as usize] += not_asked;
        }
        let counter = request.counter_answer(counter_of(params.strategy), params);
        Point {
            at_s: request.opened_at.unwrap_or(request.requested_at).as_millis_f64() / 1000.0,
            settled,
            p50_ms: stats::percentile(&times, 50.0),
            p95_ms: stats::percentile(&times, 95.0),
            error: request.off().map(|off| off * 100.0),
            counter: counter.map(|value| (value - request.truth) / request.truth * 100.0),
            values: request.result.as_ref().map(|result| {
                let answers = || request.tasks.iter().filter_map(|task| task.value);
                let value = result.final_value;
                [answers().fold(value, f64::min), value, answers().fold(value, f64::max)]
            }),
            counts,
            limited,
        }
    }

    /// How many answers the coordinator used.
    pub fn answers(&self) -> u32 {
        self.counts[Outcome::InTime as usize] + self.counts[Outcome::Lying as usize]
    }

    /// Of how many workers something is known.
    pub fn total(&self) -> u32 {
        self.counts.iter().sum()
    }
}
