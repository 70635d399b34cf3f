//! The invariants of every run, whatever its faults, judged as facts come in. All that they need is in the request that a
//! fact is about, so nothing is kept for them.

use super::request::RequestEntry;
use super::task::TaskEnd;
use crate::lab::check::Verdicts;
use crate::net::LookUp;
use crate::substrate::decimal::plain;
use crate::systems::facts::Told;
use crate::systems::oracle::aggregator::{Answers, Strategy};
use crate::systems::oracle::fact::Fact;
use crate::systems::oracle::{Delivery, Params, Transport};
use std::collections::BinaryHeap;
use std::rc::Rc;

const ONE_OUTCOME: usize = 0;
const CLOSED_BY_DEADLINE: usize = 1;
const ONE_ENTRY_PER_WORKER: usize = 2;
const EXCLUDED_ARE_MARKED: usize = 3;
const RECOMPUTED_VALUE: usize = 4;
const AT_MOST_ONCE: usize = 5;
const AT_MOST_MAX_DELIVER: usize = 6;

static NAMES: [&str; 7] = [
    "a request is answered or failed, never both",
    "a request is closed no later than its deadline",
    "there is one entry per worker asked, in the order asked",
    "failed and late workers have an error, the value 0, and are not reliable",
    "the final value is the aggregate of the answers in time",
    "core NATS delivers a task at most once, to one of a queue group",
    "JetStream delivers a message at most max-deliver times",
];

/// How many of them there are over HTTP: the first.
const OVER_HTTP: usize = 5;

/// Judges an oracle's facts.
#[derive(Debug)]
pub(super) struct Checker(pub(super) Verdicts);

impl Checker {
    pub(super) fn new(params: &Params) -> Self {
        Checker(Verdicts::new(if params.has_broker() { &NAMES } else { &NAMES[..OVER_HTTP] }))
    }

    /// Judges a fact of a request, which it has changed already; `place` is that of the task that it is about.
    pub(super) fn judge(
        &mut self,
        told: &Told<'_, Fact>,
        request: &RequestEntry,
        place: Option<usize>,
        params: &Params,
    ) {
        let mut judge = |invariant, result: Result<(), String>| {
            let result = result.map_err(|why| format!("req-{:05}: {why}", request.number));
            self.0.judge(invariant, told.n, told.at, result);
        };
        match told.fact {
            Fact::RequestAggregated { .. } | Fact::RequestFailed { closing: Some(_), .. } => {
                judge(CLOSED_BY_DEADLINE, closed_by_deadline(request));
                judge(EXCLUDED_ARE_MARKED, excluded_are_marked(request));
            }
            Fact::RequestAnswered { .. } => {
                judge(ONE_OUTCOME, one_outcome(request));
                judge(ONE_ENTRY_PER_WORKER, one_entry_per_worker(request, params));
                judge(RECOMPUTED_VALUE, recomputed_value(request, params));
            }
            Fact::RequestUnanswered { .. } => judge(ONE_OUTCOME, one_outcome(request)),
            Fact::TaskReceived { delivery } => {
                judge(AT_MOST_ONCE, at_most_once(request, place, params));
                judge(AT_MOST_MAX_DELIVER, at_most_max_deliver(*delivery, params));
            }
            _ => {}
        }
    }
}

fn one_outcome(request: &RequestEntry) -> Result<(), String> {
    match request.outcomes {
        1 => Ok(()),
        outcomes => Err(format!("its client was told {outcomes} times how it ended")),
    }
}

fn closed_by_deadline(request: &RequestEntry) -> Result<(), String> {
    match (request.closed_at, request.deadline) {
        (Some(closed), Some(deadline)) if closed > deadline => {
            Err(format!("closed {} after its deadline", closed.since(deadline)))
        }
        _ => Ok(()),
    }
}

fn one_entry_per_worker(request: &RequestEntry, params: &Params) -> Result<(), String> {
    let Some(result) = &request.result else {
        return Ok(());
    };
    if params.has_broker() {
        // Nobody knows who was asked; but nobody counts twice.
        let names = result.worker_responses.iter().map(|response| &*response.worker_id);
        if names.clone().map(|name| (name, ())).collect::<LookUp<_, _>>().len() == names.len() {
            return Ok(());
        }
        let names = names.collect::<BinaryHeap<_>>().into_sorted_vec();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
        return twice.map_or(Ok(()), |pair| Err(format!("{} is in it twice", pair[0])));
    }
    let asked = request.tasks.iter().map(|task| &task.worker);
    // Most often it is the very same text, which with thousands of workers is not looked at: each lies elsewhere.
    let is_same = |a: &Rc<str>, b: &Rc<str>| Rc::ptr_eq(a, b) || a == b;
    let responses = result.worker_responses.iter().map(|response| response.known_as());
    if asked.len() == responses.len()
        && asked.zip(responses).all(|(asked, answered)| is_same(asked, answered))
    {
        Ok(())
    } else {
        Err("the workers in the result are not the workers asked".to_owned())
    }
}

fn excluded_are_marked(request: &RequestEntry) -> Result<(), String> {
    for (task, response) in request.tasks.iter().zip(&*request.worker_responses) {
        let used = task.end == TaskEnd::InTime;
        let marked = response.err.is_some() && response.value == 0.0 && !response.reliable;
        if used == marked {
            return Err(format!(
                "{} ended {:?} and has value {}",
                task.worker,
                task.end,
                plain(response.value)
            ));
        }
    }
    Ok(())
}

fn recomputed_value(request: &RequestEntry, params: &Params) -> Result<(), String> {
    let Some(result) = &request.result else {
        return Ok(());
    };
    let (values, weights) = request.used(&result.worker_responses);
    let answers = Answers::weighted(&values, &weights);
    let expected = params.strategy.of(&answers, &params.knobs()).map(|aggregate| aggregate.value);
    // The laboratory has the weights of one handling; of a duplicate's only that it answers with what somebody said.
    let weighed_otherwise = request.duplicated && params.strategy == Strategy::WeightedMedian;
    if expected == Some(result.final_value) || weighed_otherwise && values.contains(&result.final_value) {
        Ok(())
    } else {
        let expected = expected.map_or_else(|| "none".to_owned(), plain);
        Err(format!("it says {}, its answers give {expected}", plain(result.final_value)))
    }
}

fn at_most_once(request: &RequestEntry, place: Option<usize>, params: &Params) -> Result<(), String> {
    let copies = match (params.transport, params.delivery) {
        (Transport::Core, Delivery::FanOut) => place.map_or(0, |place| request.tasks[place].copies),
        (Transport::Core, Delivery::Queue) => request.tasks.iter().map(|task| task.copies).sum(),
        _ => 0,
    };
    if copies <= request.published {
        Ok(())
    } else {
        Err(format!("published {} times, and {copies} copies were delivered", request.published))
    }
}

fn at_most_max_deliver(delivery: u32, params: &Params) -> Result<(), String> {
    if delivery <= params.max_deliver { Ok(()) } else { Err(format!("a worker got delivery {delivery}")) }
}
