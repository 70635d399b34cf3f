//! One request as the laboratory sees it, and what each fact changes about it.
//!
//! It follows the first taking up of a request; of a duplicate's it notes only that there was one. What concerns one
//! worker is found by the worker's number, not searched for.

use super::analysis::Analysis;
use super::task::{Ends, TaskEnd, TaskEntry};
use super::world::World;
use crate::kernel::{Duration, Instant};
use crate::substrate::body::Json;
use crate::systems::oracle::Params;
use crate::systems::oracle::aggregator::{Answers, Strategy};
use crate::systems::oracle::fact::{Asked, Closing, Failure};
use crate::systems::oracle::messages::{OracleResult, WorkerResult};
use crate::systems::oracle::registry::Member;
use std::cell::OnceCell;
use std::mem;
use std::rc::Rc;

/// So long after the end of a request its stragglers are still noted: the lie of a worker that is about to be cancelled,
/// the request's duplicate.
const STRAGGLE: Duration = Duration::from_secs(5);
/// So long if answers are still to come, which over NATS nobody cancels.
const STRAGGLE_AWAITED: Duration = Duration::from_secs(60);
/// Among so many tasks a worker's is searched for: where few of thousands are asked nothing takes the time of all.
const SEARCHED: usize = 16;
/// No place among the tasks.
const NOWHERE: u32 = u32::MAX;

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestEntry {
    /// Its number; the id is `req-` and five digits of it.
    pub number: u64,
    /// What was asked.
    pub query: Rc<str>,
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
    pub worker_responses: Rc<[WorkerResult]>,
    /// The aggregate of the results that count: the client's, once it has some.
    pub aggregate: Option<f64>,
    /// What the client got.
    pub result: Option<Json<OracleResult>>,
    /// Why the client got nothing.
    pub error: Option<Failure>,
    /// How often the client was told how it ended: once, if all is well.
    pub outcomes: u32,
    /// How often something about it has changed.
    pub changes: u32,
    /// The workers that were not asked, and were down when it was over: where somebody looks.
    pub down: Vec<u32>,
    /// How many tasks have ended in which way, by [`TaskEnd`].
    pub(super) ends: Ends,
    /// How long the client waits at most, at least so long.
    limit: Duration,
    /// The number of the fact that opened it.
    pub(super) handling: u64,
    /// Its client sends it again: the next taking up is no duplicate.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    is_sent_again: bool,
    /// Each worker's place in `tasks`, by its number; empty until somebody asks.
    places: Vec<u32>,
    /// Over NATS: the places of those that have answered, in that order.
    arrived: Vec<u32>,
    /// How many answers may still come although it is closed.
    awaited: u32,
    /// What the laboratory makes of it, since somebody asked.
    analysis: OnceCell<Option<Analysis>>,
}

// --- what is known of it ------------------------------------------------------------------------------------------

impl RequestEntry {
    /// The results that count: the client's, once it has some. Of a duplicated request they may be the other handling's.
    pub fn responses(&self) -> &Rc<[WorkerResult]> {
        self.result.as_ref().map_or(&self.worker_responses, |result| &result.worker_responses)
    }

    /// The values used of `responses`, with the weights of those who gave them.
    pub fn used(&self, responses: &[WorkerResult]) -> (Vec<f64>, Vec<f64>) {
        let (mut values, mut weights) =
            (Vec::with_capacity(responses.len()), Vec::with_capacity(responses.len()));
        for (response, task) in
            responses.iter().zip(&self.tasks).filter(|(response, _)| response.err.is_none())
        {
            values.push(response.value);
            weights.push(task.weight);
        }
        (values, weights)
    }

    /// (aggregate − truth) / truth; `None` without an aggregate.
    pub fn off(&self) -> Option<f64> {
        Some((self.aggregate? - self.truth) / self.truth)
    }

    /// What a strategy makes of the results that count; `None` without an aggregate.
    pub fn counter_answer(&self, strategy: Strategy, params: &Params) -> Option<f64> {
        let aggregate = self.aggregate?;
        if strategy == params.strategy {
            return Some(aggregate);
        }
        let (values, weights) = self.used(self.responses());
        Some(strategy.of(&Answers::weighted(&values, &weights), &params.knobs())?.value)
    }

    /// When it was over: the coordinator had its answer, or the client knew that there is none.
    pub fn over_at(&self) -> Option<Instant> {
        let unanswered = self.answered_at.filter(|_| self.error.is_some());
        self.closed_at.into_iter().chain(unanswered).min()
    }

    /// What the laboratory makes of the results that count; `None` without an aggregate. It takes all strategies, so it is
    /// for whoever looks.
    pub fn analysis(&self, params: &Params) -> Option<&Analysis> {
        self.analysis.get_or_init(|| self.analyse(params)).as_ref()
    }

    fn analyse(&self, params: &Params) -> Option<Analysis> {
        let aggregate = self.aggregate?;
        let (values, weights) = self.used(self.responses());
        let mut analysis = Analysis::of(&Answers::weighted(&values, &weights), self.truth, params)?;
        // A duplicate's may have been weighted otherwise.
        analysis.error = (aggregate - self.truth) / self.truth;
        analysis.counter_answers.insert(params.strategy.name().to_owned(), aggregate);
        Some(analysis)
    }

    /// From when on nothing more is noted about it. Until its end is known that is when its client gives up, and is not
    /// there any more if nobody heard of that.
    pub(super) fn settles_at(&self) -> Instant {
        let answered = self.answered_at.unwrap_or(self.requested_at + self.limit);
        let closed = self.closed_at.or(self.deadline).unwrap_or(answered);
        answered.max(closed) + if self.awaited > 0 { STRAGGLE_AWAITED } else { STRAGGLE }
    }
}

// --- what changes it ----------------------------------------------------------------------------------------------

impl RequestEntry {
    pub(super) fn intended(
        number: u64,
        query: &Rc<str>,
        limit: Duration,
        now: Instant,
        world: &World,
    ) -> Self {
        RequestEntry {
            number,
            query: Rc::clone(query),
            requested_at: now,
            opened_at: None,
            deadline: None,
            closed_at: None,
            answered_at: None,
            truth: world.truth(query, now),
            duplicated: false,
            published: 0,
            redelivered: 0,
            tasks: Vec::new(),
            worker_responses: Rc::default(),
            aggregate: None,
            result: None,
            error: None,
            outcomes: 0,
            changes: 0,
            down: Vec::new(),
            ends: Ends::default(),
            limit,
            handling: 0,
            #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
            is_sent_again: false,
            places: Vec::new(),
            arrived: Vec::new(),
            awaited: 0,
            analysis: OnceCell::new(),
        }
    }

    /// The coordinator takes it up, by the fact of this number.
    pub(super) fn opened(&mut self, n: u64, now: Instant, query: &str, asked: &Asked, world: &World) {
        self.published += u32::from(matches!(asked, Asked::Subject));
        #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
        self.begin_again();
        if self.opened_at.is_some() {
            self.duplicated = true;
            return;
        }
        self.truth = world.truth(query, now);
        self.handling = n;
        self.opened_at = Some(now);
        self.deadline = Some(now + world.params().timeout);
        self.tasks = match asked {
            Asked::Members(members) => {
                let task = |member: &Member| {
                    TaskEntry::new(Rc::clone(&member.id), member.node, now, TaskEnd::Pending)
                };
                members.iter().map(task).collect()
            }
            Asked::Subject => world
                .hearers()
                .map(|(name, node)| TaskEntry::new(name, node, now, TaskEnd::Pending))
                .collect(),
        };
        self.ends[TaskEnd::Pending as usize] += self.tasks.len() as u32;
    }

    /// The coordinator has an answer in time, or the news of a failure.
    pub(super) fn taken(
        &mut self,
        handling: u64,
        (place, node): (u32, u32),
        result: &WorkerResult,
        now: Instant,
        world: &World,
    ) {
        if handling != self.handling {
            return;
        }
        let mut place = Some(place as usize);
        if world.params().has_broker() {
            // Of a queue group one may answer who was asked at an earlier attempt only.
            let asked_at = self.opened_at.unwrap_or(now);
            place = self.place_of(node, world).or_else(|| self.add_listener(node, asked_at, world));
            self.arrived.extend(place.map(|place| place as u32));
        }
        if let Some(task) = place.and_then(|place| self.tasks.get_mut(place)) {
            let end = if result.err.is_none() { TaskEnd::InTime } else { TaskEnd::Failed };
            task.set_end(end, &mut self.ends);
            task.ended_at = Some(now);
            task.value = (end == TaskEnd::InTime).then_some(result.value);
            task.err.clone_from(&result.err);
        }
    }

    /// The coordinator has what it answers with.
    pub(super) fn closed(&mut self, closing: &Closing, aggregate: Option<f64>, now: Instant, world: &World) {
        if closing.handling != self.handling {
            return;
        }
        self.closed_at = Some(now);
        if self.error.is_none() {
            self.down = world.down_besides(&self.tasks);
        }
        if world.params().has_broker() {
            self.put_arrived_first();
        }
        for (task, weight) in self.tasks.iter_mut().zip(&*closing.weights) {
            task.weight = *weight;
        }
        for task in self.tasks.iter_mut().filter(|task| task.end == TaskEnd::Pending) {
            task.set_end(TaskEnd::Late, &mut self.ends);
            task.ended_at = Some(now);
            self.awaited += u32::from(world.params().has_broker());
        }
        self.worker_responses = Rc::clone(&closing.responses);
        self.analysis.take();
        if self.result.is_none() {
            self.aggregate = aggregate;
        }
    }

    pub(super) fn answered(&mut self, result: &Json<OracleResult>, now: Instant) {
        self.answered_at = Some(now);
        self.outcomes += 1;
        if self.duplicated {
            // The other handling's reply may have come first, of other answers, or weighted otherwise.
            self.aggregate = Some(result.final_value);
        }
        self.result = Some(result.clone());
        self.analysis.take();
    }

    pub(super) fn unanswered(&mut self, failure: &Failure, now: Instant, world: &World) {
        self.answered_at = Some(now);
        if self.closed_at.is_none() {
            self.down = world.down_besides(&self.tasks);
        }
        self.outcomes += 1;
        self.error = Some(failure.clone());
    }

    /// Its client sends it again, and waits as long for the answer to that.
    pub(super) fn backed_off(&mut self, after: Duration, now: Instant) {
        self.limit = self.limit + now.since(self.requested_at) + after;
    }

    /// Its client sends it again after a failure.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    pub(super) fn retried(&mut self, after: Duration, now: Instant) {
        self.backed_off(after, now);
        self.is_sent_again = true;
    }

    /// Once its client has sent it again it is as if it had not been taken up, but that what came of its tasks counts.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn begin_again(&mut self) {
        if mem::take(&mut self.is_sent_again) {
            (self.opened_at, self.deadline, self.closed_at) = (None, None, None);
            (self.places, self.arrived, self.tasks) = (Vec::new(), Vec::new(), Vec::new());
            (self.down, self.awaited, self.duplicated) = (Vec::new(), 0, false);
            (self.worker_responses, self.aggregate) = (Rc::default(), None);
            self.analysis.take();
        }
    }

    /// A worker sends a lie.
    pub(super) fn lied(&mut self, node: u32, world: &World) {
        if let Some(place) = self.place_of(node, world) {
            self.tasks[place].lying = true;
        }
    }

    /// A worker has got the task from a broker. Returns its place.
    pub(super) fn received(
        &mut self,
        node: u32,
        delivery: u32,
        now: Instant,
        world: &World,
    ) -> Option<usize> {
        self.redelivered += u32::from(delivery > 1);
        let place = match self.place_of(node, world) {
            Some(place) => place,
            None => self.add_listener(node, now, world)?,
        };
        let task = &mut self.tasks[place];
        task.copies += 1;
        task.deliveries = task.deliveries.max(delivery);
        Some(place)
    }

    /// A worker has handed its answer over to its connection.
    pub(super) fn sent(&mut self, node: u32, world: &World) {
        if let Some(place) = self.place_of(node, world) {
            self.tasks[place].sent = true;
        }
    }

    /// An answer has arrived when nobody waited for it any more.
    pub(super) fn came_late(&mut self, node: u32, now: Instant, world: &World) {
        let Some(place) = self.place_of(node, world) else {
            return;
        };
        let task = &mut self.tasks[place];
        if task.end == TaskEnd::Late && task.late_at.is_none() {
            self.awaited -= 1;
        }
        if matches!(task.end, TaskEnd::Late | TaskEnd::Lost) {
            task.set_end(TaskEnd::Late, &mut self.ends);
            task.late_at = task.late_at.or(Some(now));
        }
    }

    /// What was on its way through the broker never arrives.
    pub(super) fn lost(&mut self, now: Instant) {
        if self.opened_at.is_none() {
            return;
        }
        self.changes += 1;
        for task in self.tasks.iter_mut().filter(|task| task.copies == 0 || task.sent) {
            let was_late = task.end == TaskEnd::Late && task.late_at.is_none();
            if was_late || task.end == TaskEnd::Pending {
                self.awaited -= u32::from(was_late);
                task.set_end(TaskEnd::Lost, &mut self.ends);
                task.ended_at = task.ended_at.or(Some(now));
            }
        }
    }

    /// Frees what is needed only for as long as it changes.
    pub(super) fn settle(&mut self) {
        (self.places, self.arrived) = (Vec::new(), Vec::new());
    }

    /// A worker listens, and nobody knew; or of a queue group it was chosen.
    fn add_listener(&mut self, node: u32, now: Instant, world: &World) -> Option<usize> {
        let worker = world.index_of(node)?;
        let end = if self.closed_at.is_none() { TaskEnd::Pending } else { TaskEnd::Late };
        self.awaited += u32::from(end == TaskEnd::Late);
        self.ends[end as usize] += 1;
        let place = self.tasks.len();
        self.tasks.push(TaskEntry::new(world.name(worker), node, now, end));
        self.places[worker] = place as u32;
        Some(place)
    }

    /// The place of a worker's task, by the worker's node.
    fn place_of(&mut self, node: u32, world: &World) -> Option<usize> {
        if self.tasks.len() <= SEARCHED && !world.params().has_broker() {
            return self.tasks.iter().position(|task| task.node == node);
        }
        let worker = world.index_of(node)?;
        if self.places.is_empty() {
            self.places = vec![NOWHERE; world.workers()];
            for (task, place) in self.tasks.iter().zip(0..) {
                if let Some(worker) = world.index_of(task.node) {
                    self.places[worker] = place;
                }
            }
        }
        Some(self.places[worker]).filter(|&place| place != NOWHERE).map(|place| place as usize)
    }

    /// Over NATS answers stand in the order of arrival.
    fn put_arrived_first(&mut self) {
        let mut others: Vec<Option<TaskEntry>> = mem::take(&mut self.tasks).into_iter().map(Some).collect();
        let first = self.arrived.iter().filter_map(|&place| others[place as usize].take());
        self.tasks = first.collect();
        self.tasks.extend(others.into_iter().flatten());
        self.places.clear();
    }
}
