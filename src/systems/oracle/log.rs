//! What happened, as the laboratory sees it: every request with its tasks, its answer, and how far that is from the
//! truth. The roles write into it and never read it; nothing in a simulation depends on it.

#[cfg(feature = "all-systems")]
mod delivery;

use super::Params;
use super::aggregator::{Answers, Spread, Strategy};
use super::messages::{OracleResult, WorkerResult};
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
    /// The true value when the coordinator took it up; until then, when the client wanted it.
    pub truth: f64,
    /// The coordinator took it up again: a duplicate. The client may have got that one's answer.
    pub duplicated: bool,
    /// How often the coordinator published it; 0 over HTTP.
    pub published: u32,
    /// How many of its messages JetStream delivered again.
    pub redelivered: u32,
    /// One per worker asked, in registration order; over NATS, once it is closed, first those who answered in time.
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
    /// When its answer came although the coordinator had given up: over NATS nobody is cancelled.
    pub late_at: Option<Instant>,
    /// How often it got the task from a broker.
    pub copies: u32,
    /// The highest count of deliveries that JetStream put on one of them.
    pub deliveries: u32,
    /// Its answer is on its way through a broker.
    pub sent: bool,
    /// The value, for an answer in time.
    pub value: Option<f64>,
    /// Why there is none, for one that failed.
    pub err: Option<String>,
    /// The worker's reliability score when the answers were aggregated: its weight. 0 until then.
    pub weight: f64,
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
    /// Nothing within the timeout; over HTTP the task was cancelled.
    Late,
    /// The task or its answer was in the broker when that went down.
    Lost,
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
    /// The true value when the coordinator took the request up.
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
    /// What the laboratory says of the answers that `params` aggregates; `None` without an aggregate.
    pub fn of(answers: &Answers, truth: f64, params: &Params) -> Option<Self> {
        let knobs = params.knobs();
        let aggregate = params.strategy.of(answers, &knobs)?;
        let counter_answers = Strategy::ALL
            .iter()
            .filter_map(|strategy| Some((strategy.name().to_owned(), strategy.of(answers, &knobs)?.value)))
            .collect();
        Some(Analysis {
            truth,
            error: (aggregate.value - truth) / truth,
            support: aggregate.support,
            spread: answers.spread()?,
            counter_answers,
        })
    }
}

impl TaskEntry {
    fn pending(worker: String) -> Self {
        TaskEntry {
            worker,
            end: TaskEnd::Pending,
            ended_at: None,
            late_at: None,
            copies: 0,
            deliveries: 0,
            sent: false,
            value: None,
            err: None,
            weight: 0.0,
            lying: false,
        }
    }

    fn arrived(&mut self, now: Instant, result: &WorkerResult, end: TaskEnd) {
        self.end = end;
        self.ended_at = Some(now);
        self.value = (end == TaskEnd::InTime).then_some(result.value);
        self.err.clone_from(&result.err);
    }
}

impl RequestEntry {
    /// The values used of `responses`, with the weights of those who gave them.
    pub fn used(&self, responses: &[WorkerResult]) -> (Vec<f64>, Vec<f64>) {
        let used = responses.iter().zip(&self.tasks).filter(|(response, _)| response.err.is_none());
        used.map(|(response, task)| (response.value, task.weight)).unzip()
    }

    fn analyse(&self, responses: &[WorkerResult], params: &Params) -> Option<Analysis> {
        let (values, weights) = self.used(responses);
        Analysis::of(&Answers::weighted(&values, &weights), self.truth, params)
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

    pub(super) fn intended(&mut self, number: u64, query: &str, truth: f64, now: Instant) {
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
            truth,
            duplicated: false,
            published: 0,
            redelivered: 0,
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
        truth: f64,
        ids: impl Iterator<Item = String>,
    ) -> bool {
        let Some(request) = self.find(number) else {
            return false;
        };
        if request.opened_at.is_some() {
            request.duplicated = true;
            return false;
        }
        request.truth = truth;
        request.opened_at = Some(now);
        request.deadline = Some(now + timeout);
        request.tasks = ids.map(TaskEntry::pending).collect();
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
        if let Some(task) = self.find(number).and_then(|request| request.tasks.get_mut(i)) {
            task.arrived(now, result, end);
        }
    }

    /// The coordinator has what it answers with; `weights` are those of the workers asked.
    pub(super) fn closed(
        &mut self,
        number: u64,
        now: Instant,
        responses: &[WorkerResult],
        weights: &[f64],
        params: &Params,
    ) {
        let Some(request) = self.find(number) else {
            return;
        };
        request.closed_at = Some(now);
        if params.has_broker() {
            // Answers stand in the order of arrival there.
            let places: BTreeMap<&str, usize> =
                responses.iter().zip(0..).map(|(response, i)| (response.worker_id.as_str(), i)).collect();
            request.tasks.sort_by_key(|task| places.get(task.worker.as_str()).copied().unwrap_or(usize::MAX));
        }
        for (task, weight) in request.tasks.iter_mut().zip(weights) {
            task.weight = *weight;
        }
        for task in &mut request.tasks {
            if task.end == TaskEnd::Pending {
                task.end = TaskEnd::Late;
                task.ended_at = Some(now);
            }
        }
        request.worker_responses = responses.to_vec();
        if request.result.is_none() {
            request.analysis = request.analyse(responses, params);
        }
    }

    pub(super) fn answered(&mut self, number: u64, now: Instant, result: OracleResult, params: &Params) {
        if let Some(request) = self.find(number) {
            request.answered_at = Some(now);
            if request.duplicated {
                // The other handling's reply may have come first, of other answers, or weighted otherwise.
                request.analysis = request.analyse(&result.worker_responses, params);
                if let Some(analysis) = &mut request.analysis {
                    analysis.error = (result.final_value - analysis.truth) / analysis.truth;
                    let own = params.strategy.name().to_owned();
                    analysis.counter_answers.insert(own, result.final_value);
                }
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
