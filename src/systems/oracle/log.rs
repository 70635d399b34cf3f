//! What happened, as the laboratory sees it: every request with its tasks, its answer, and how far that is from the
//! truth. The roles write into it and never read it; nothing in a simulation depends on it.

use super::Params;
use super::aggregator::{Spread, Strategy, spread};
use super::messages::{OracleResult, WorkerResult};
use super::truth;
use crate::kernel::{Duration, Instant};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// The requests of a run, at most so many of the newest.
#[derive(Debug)]
pub struct Log {
    keep: usize,
    /// Consecutive numbers, oldest first.
    requests: VecDeque<RequestEntry>,
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestEntry {
    /// Its number; the id is `req-` and five digits of it.
    pub number: u64,
    /// What was asked.
    pub query: String,
    /// When the client wanted it: latency counts from here.
    pub requested_at: Instant,
    /// When the coordinator took it up and asked the workers.
    pub opened_at: Option<Instant>,
    /// When the coordinator's timeout ends.
    pub deadline: Option<Instant>,
    /// When the coordinator had what it answers with.
    pub closed_at: Option<Instant>,
    /// When the client had an answer, or knew that it gets none.
    pub answered_at: Option<Instant>,
    /// One per worker asked, in registration order.
    pub tasks: Vec<TaskEntry>,
    /// The workers' results as the coordinator has them, once it is closed.
    pub worker_responses: Vec<WorkerResult>,
    /// What the client got.
    pub result: Option<OracleResult>,
    /// Why the client got nothing.
    pub error: Option<Failure>,
    /// What the laboratory makes of the answers used; `None` while open, and when there were none.
    pub analysis: Option<Analysis>,
}

/// One worker's part in a request.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskEntry {
    /// The worker's id in the registry.
    pub worker: String,
    /// What became of it.
    pub end: TaskEnd,
    /// When the coordinator had the answer, or gave up.
    pub ended_at: Option<Instant>,
    /// The value, for an answer in time.
    pub value: Option<f64>,
    /// Why there is none, for one that failed.
    pub err: Option<String>,
    /// The worker sent a lie, whether it came in time or not.
    pub lying: bool,
}

/// What became of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskEnd {
    /// Not known yet.
    Pending,
    /// A value in time.
    InTime,
    /// An error, a refused or a broken connection.
    Failed,
    /// Nothing within the timeout; the task was cancelled.
    Late,
}

/// Why a client got no answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The HTTP status; 0 when there was no response at all.
    pub status: u16,
    /// The code of the structured error, or `refused`, `reset`, `timed_out`.
    pub code: String,
    /// In words.
    pub message: String,
}

/// What the laboratory, which knows the truth, says of an aggregate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// The true value.
    pub truth: f64,
    /// (aggregate − truth) / truth.
    pub error: f64,
    /// How many answers stand behind the aggregate.
    pub support: usize,
    /// How far the answers used lie apart.
    pub spread: Spread,
    /// What each strategy makes of the same answers.
    pub counter_answers: BTreeMap<String, f64>,
}

impl Analysis {
    /// What the laboratory says of the values that `params` aggregates; `None` without values.
    pub fn of(values: &[f64], query: &str, params: &Params) -> Option<Self> {
        let aggregate = params.strategy.aggregate(values, params.step)?;
        let truth = truth::base(query);
        let counter_answers = Strategy::ALL
            .iter()
            .filter_map(|strategy| {
                let counter = strategy.aggregate(values, params.step)?;
                Some((strategy.name().to_owned(), counter.value))
            })
            .collect();
        Some(Analysis {
            truth,
            error: (aggregate.value - truth) / truth,
            support: aggregate.support,
            spread: spread(values)?,
            counter_answers,
        })
    }
}

impl Log {
    pub(super) fn new(keep: usize) -> Self {
        Log { keep, requests: VecDeque::new() }
    }

    /// The requests kept, oldest first.
    pub fn requests(&self) -> &VecDeque<RequestEntry> {
        &self.requests
    }

    /// The newest analysis there is.
    pub(super) fn last_analysis(&self) -> Option<&Analysis> {
        self.requests.iter().rev().find_map(|request| request.analysis.as_ref())
    }

    pub(super) fn intended(&mut self, number: u64, query: &str, now: Instant) {
        if self.requests.len() >= self.keep {
            self.requests.pop_front();
        }
        self.requests.push_back(RequestEntry {
            number,
            query: query.to_owned(),
            requested_at: now,
            opened_at: None,
            deadline: None,
            closed_at: None,
            answered_at: None,
            tasks: Vec::new(),
            worker_responses: Vec::new(),
            result: None,
            error: None,
            analysis: None,
        });
    }

    /// The coordinator takes up a request. False when it did so before: the log follows the first handling, and
    /// must hear nothing of the one of a duplicate.
    pub(super) fn opened(
        &mut self,
        number: u64,
        now: Instant,
        timeout: Duration,
        ids: impl Iterator<Item = String>,
    ) -> bool {
        let Some(request) = self.find(number).filter(|request| request.opened_at.is_none()) else {
            return false;
        };
        request.opened_at = Some(now);
        request.deadline = Some(now + timeout);
        let pending = |worker| TaskEntry {
            worker,
            end: TaskEnd::Pending,
            ended_at: None,
            value: None,
            err: None,
            lying: false,
        };
        request.tasks = ids.map(pending).collect();
        true
    }

    /// A worker sends a lie. Only the laboratory knows.
    pub(super) fn lied(&mut self, number: u64, worker: &str) {
        let tasks = self.find(number).map(|request| request.tasks.iter_mut());
        if let Some(task) = tasks.and_then(|mut tasks| tasks.find(|task| task.worker == worker)) {
            task.lying = true;
        }
    }

    /// Worker `i` of those asked has answered, or is known to have failed.
    pub(super) fn arrived(
        &mut self,
        number: u64,
        i: usize,
        now: Instant,
        result: &WorkerResult,
        end: TaskEnd,
    ) {
        let Some(task) = self.find(number).and_then(|request| request.tasks.get_mut(i)) else {
            return;
        };
        task.end = end;
        task.ended_at = Some(now);
        task.value = (end == TaskEnd::InTime).then_some(result.value);
        task.err.clone_from(&result.err);
    }

    pub(super) fn closed(&mut self, number: u64, now: Instant, responses: &[WorkerResult], params: &Params) {
        let Some(request) = self.find(number) else {
            return;
        };
        request.closed_at = Some(now);
        for task in &mut request.tasks {
            if task.end == TaskEnd::Pending {
                task.end = TaskEnd::Late;
                task.ended_at = Some(now);
            }
        }
        request.worker_responses = responses.to_vec();
        if request.result.is_none() {
            let values: Vec<f64> = request.tasks.iter().filter_map(|task| task.value).collect();
            request.analysis = Analysis::of(&values, &request.query, params);
        }
    }

    pub(super) fn answered(&mut self, number: u64, now: Instant, result: OracleResult, params: &Params) {
        if let Some(request) = self.find(number) {
            request.answered_at = Some(now);
            if result.worker_responses != request.worker_responses {
                // A duplicate's reply came first.
                let used = result.worker_responses.iter().filter(|response| response.err.is_none());
                let values: Vec<f64> = used.map(|response| response.value).collect();
                request.analysis = Analysis::of(&values, &request.query, params);
            }
            request.result = Some(result);
        }
    }

    pub(super) fn failed(&mut self, number: u64, now: Instant, failure: Failure) {
        if let Some(request) = self.find(number) {
            request.answered_at = Some(now);
            request.error = Some(failure);
        }
    }

    fn find(&mut self, number: u64) -> Option<&mut RequestEntry> {
        let first = self.requests.front()?.number;
        self.requests.get_mut(usize::try_from(number.checked_sub(first)?).ok()?)
    }
}
