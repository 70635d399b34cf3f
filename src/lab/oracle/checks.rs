//! The invariants of every run, whatever its faults: checked over what the log kept.

use crate::lab::check::Check;
use crate::systems::oracle::aggregator::{Answers, Strategy};
use crate::systems::oracle::log::{Log, RequestEntry, TaskEnd};
use crate::systems::oracle::{Delivery, Params, Transport};

type Invariant = fn(&RequestEntry, &Params) -> Result<(), String>;

const INVARIANTS: [(&str, Invariant); 5] = [
    ("a request is answered or failed, never both", one_outcome),
    ("a request is closed no later than its deadline", closed_by_deadline),
    ("there is one entry per worker asked, in the order asked", one_entry_per_worker),
    ("failed and late workers have an error, the value 0, and are not reliable", excluded_are_marked),
    ("the final value is the aggregate of the answers in time", recomputed_value),
];

const OVER_NATS: [(&str, Invariant); 2] = [
    ("core NATS delivers a task at most once, to one of a queue group", at_most_once),
    ("JetStream delivers a message at most max-deliver times", at_most_max_deliver),
];

/// Checks every request that `log` kept.
pub fn check(log: &Log, params: &Params) -> Vec<Check> {
    let check = |&(name, invariant): &(&str, Invariant)| {
        let broken = log.requests().iter().find_map(|r| Some((r.number, invariant(r, params).err()?)));
        let detail =
            broken.as_ref().map_or_else(String::new, |(number, why)| format!("req-{number:05}: {why}"));
        Check { name: name.to_owned(), ok: broken.is_none(), detail }
    };
    let over_nats: &[_] = if params.has_broker() { &OVER_NATS } else { &[] };
    INVARIANTS.iter().chain(over_nats).map(check).collect()
}

fn one_outcome(request: &RequestEntry, _: &Params) -> Result<(), String> {
    match (request.answered_at, &request.result, &request.error) {
        (None, None, None) | (Some(_), Some(_), None) | (Some(_), None, Some(_)) => Ok(()),
        _ => Err("it has both a result and an error, or an instant without either".to_owned()),
    }
}

fn closed_by_deadline(request: &RequestEntry, _: &Params) -> Result<(), String> {
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
        let mut names: Vec<&str> = result.worker_responses.iter().map(|r| r.worker_id.as_str()).collect();
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
        return twice.map_or(Ok(()), |pair| Err(format!("{} is in it twice", pair[0])));
    }
    let asked = request.tasks.iter().map(|task| &task.worker);
    if asked.eq(result.worker_responses.iter().map(|response| &response.worker_id)) {
        Ok(())
    } else {
        Err("the workers in the result are not the workers asked".to_owned())
    }
}

fn at_most_once(request: &RequestEntry, params: &Params) -> Result<(), String> {
    if params.transport != Transport::Core {
        return Ok(());
    }
    let copies = request.tasks.iter().map(|task| task.copies);
    let most = match params.delivery {
        Delivery::FanOut => copies.max().unwrap_or(0),
        Delivery::Queue => copies.sum(),
    };
    if most <= request.published {
        Ok(())
    } else {
        Err(format!("published {} times, and {most} copies were delivered", request.published))
    }
}

fn at_most_max_deliver(request: &RequestEntry, params: &Params) -> Result<(), String> {
    let often = request.tasks.iter().find(|task| task.deliveries > params.max_deliver);
    often.map_or(Ok(()), |task| Err(format!("{} got delivery {}", task.worker, task.deliveries)))
}

fn excluded_are_marked(request: &RequestEntry, _: &Params) -> Result<(), String> {
    for (task, response) in request.tasks.iter().zip(&request.worker_responses) {
        let used = task.end == TaskEnd::InTime;
        let marked = response.err.is_some() && response.value == 0.0 && !response.reliable;
        if used == marked {
            return Err(format!("{} ended {:?} and has value {}", task.worker, task.end, response.value));
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
    // The log has the weights of one handling; of a duplicate's only that it answers with what somebody said.
    let weighed_otherwise = request.duplicated && params.strategy == Strategy::WeightedMedian;
    if expected == Some(result.final_value) || weighed_otherwise && values.contains(&result.final_value) {
        Ok(())
    } else {
        Err(format!("it says {}, its answers give {expected:?}", result.final_value))
    }
}
