//! A request at the coordinator: taken up, asked of the workers, concluded.

use super::{Coordinator, over_http};
use crate::kernel::{Duration, Instant};
use crate::substrate::body::Json;
use crate::substrate::http::Response;
use crate::systems::oracle::aggregator::{self, Strategy, is_usable};
use crate::systems::oracle::fact::{Asked, Closing, Fact};
use crate::systems::oracle::messages::{OracleRequest, OracleResult, WorkerResult};
use crate::systems::oracle::registry::{Known, Outcome};
use crate::systems::oracle::{Params, model};
use serde_json::{Value, json};
use std::rc::Rc;

/// Answers are at most this far from the aggregate, relative to it, so that a mean of distances stays a number.
const DISTANCE_MAX: f64 = 1e6;

/// What became of one task.
pub(in crate::systems::oracle) enum Answer {
    Value(WorkerResult),
    Failed(WorkerResult),
}

impl Answer {
    /// A result's worth. A worker may be registered under another name than its own: then the result has both.
    pub(in crate::systems::oracle) fn of(mut result: WorkerResult, known: &Rc<str>) -> Self {
        let is_known = Rc::ptr_eq(&result.worker_id, known) || result.worker_id == *known;
        result.registered_as = (!is_known).then(|| Rc::clone(known));
        if is_usable(result.value) && result.err.is_none() {
            return Answer::Value(result);
        }
        let err = result.err.or_else(|| Some("its answer is not usable".into()));
        Answer::Failed(WorkerResult { value: 0.0, err, reliable: false, ..result })
    }

    pub(in crate::systems::oracle) fn is_value(&self) -> bool {
        matches!(self, Answer::Value(_))
    }

    /// The worker's result as the coordinator takes it.
    pub(in crate::systems::oracle) fn result(&self) -> &WorkerResult {
        let (Answer::Value(result) | Answer::Failed(result)) = self;
        result
    }
}

/// An answer in time, and the number of the fact that says so.
pub(in crate::systems::oracle) struct Taken {
    pub(in crate::systems::oracle) n: u64,
    pub(in crate::systems::oracle) answer: Answer,
}

/// What the workers made of a task, by their names, in the order of the result; over HTTP also of those who did not
/// answer.
pub(in crate::systems::oracle) type Answers = Vec<(Known, Option<Taken>)>;

/// One taking up of a request.
struct Handling {
    /// The number of the fact that opened it.
    number: u64,
    task: Json<OracleRequest>,
    opened_at: Instant,
}

/// `req-00042`: written by hand, since each request has one.
fn id_of(number: u64) -> Rc<str> {
    let mut id = *b"req-00000";
    let mut rest = number;
    for digit in id[4..].iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    match std::str::from_utf8(&id) {
        Ok(id) if rest == 0 => id.into(),
        _ => format!("req-{number}").into(),
    }
}

pub(super) async fn submit(coordinator: &Rc<Coordinator>, body: &OracleRequest) -> Response {
    let id = id_of(coordinator.site.ctx().span().tag);
    let task = Json::new(OracleRequest { id, ..body.clone() });
    if let Some(link) = &coordinator.link {
        if let Err(why) = link.check() {
            let handling = open(coordinator, task, Asked::Members(Rc::default()));
            let closing = handling.closing(Rc::default(), Rc::default());
            let details = json!({"request_id": handling.task.id});
            return fail(coordinator, "nats_unavailable", &why, details, Some(closing), &[]);
        }
        // Who hears it, it cannot know, but at most who should.
        let handling = open(coordinator, task, Asked::Subject);
        let answers = link.ask(coordinator, &handling.task, handling.number).await;
        if answers.is_empty() && coordinator.site.params.presence {
            let closing = handling.closing(Rc::default(), Rc::default());
            return nobody(coordinator, &handling, Some(closing));
        }
        return conclude(coordinator, &handling, answers);
    }
    let members = coordinator.registry.borrow_mut().members();
    let asked = model::choose(&coordinator.site, &task, members);
    let handling = open(coordinator, task, Asked::Members(Rc::clone(&asked)));
    if asked.is_empty() {
        return nobody(coordinator, &handling, None);
    }
    let answers = over_http::fan_out(coordinator, &handling.task, &asked, handling.number).await;
    conclude(coordinator, &handling, answers)
}

fn open(coordinator: &Coordinator, task: Json<OracleRequest>, asked: Asked) -> Handling {
    let Coordinator { site, counters, .. } = coordinator;
    counters.borrow_mut().requests += 1;
    let number = site.tell(Fact::RequestOpened { query: Rc::clone(&task.query), asked });
    Handling { number, task, opened_at: site.ctx().now() }
}

/// There is nobody to ask.
fn nobody(coordinator: &Coordinator, handling: &Handling, closing: Option<Closing>) -> Response {
    let message = "no worker is registered, so nobody can be asked";
    fail(coordinator, "no_workers", message, json!({"request_id": handling.task.id}), closing, &[])
}

impl Handling {
    fn closing(&self, responses: Rc<[WorkerResult]>, weights: Rc<[f64]>) -> Closing {
        Closing { handling: self.number, responses, weights }
    }
}

/// The entry of a worker that gave no result of its own.
pub(super) fn missing(
    worker_id: Rc<str>,
    request_id: Rc<str>,
    err: Rc<str>,
    response_time: Duration,
) -> WorkerResult {
    let registered_as = None;
    WorkerResult {
        worker_id,
        registered_as,
        request_id,
        value: 0.0,
        err: Some(err),
        response_time,
        reliable: false,
    }
}

/// How many of the workers asked did not give a value.
#[derive(Clone, Copy)]
struct Missing {
    failed: usize,
    late: usize,
}

/// Leaves out failed and late workers, aggregates the rest, updates the registry, and answers.
fn conclude(coordinator: &Coordinator, handling: &Handling, answers: Answers) -> Response {
    let (site, task) = (&coordinator.site, &handling.task);
    let params = &site.params;
    // As they were before these answers.
    let registry = coordinator.registry.borrow();
    let weights: Rc<[f64]> = answers.iter().map(|(worker, _)| registry.score(worker)).collect();
    drop(registry);
    let used = answers.iter().zip(&*weights).filter_map(|((_, taken), weight)| match taken {
        Some(Taken { answer: Answer::Value(result), .. }) => Some((result.value, *weight)),
        _ => None,
    });
    let (mut values, mut used_weights) =
        (Vec::with_capacity(answers.len()), Vec::with_capacity(answers.len()));
    used.for_each(|(value, weight)| {
        values.push(value);
        used_weights.push(weight);
    });
    let aggregate =
        params.strategy.of(&aggregator::Answers::weighted(&values, &used_weights), &params.knobs());
    let waited = site.ctx().now().since(handling.opened_at);
    let has_quorum = params.quorum > 0 && values.len() >= params.quorum as usize;
    let mut causes = Vec::with_capacity(answers.len());
    let taken = answers.iter().filter_map(|(_, taken)| taken.as_ref());
    causes.extend(taken.filter(|taken| taken.answer.is_value() || aggregate.is_none()).map(|taken| taken.n));

    let asked = answers.len();
    let mut closing = handling.closing(Rc::default(), weights);
    // Over a broker those who are known and did not answer stand behind what came.
    let come = answers.iter().take_while(|(_, taken)| taken.is_some()).count();
    let (responses, missing) =
        settle(coordinator, task, answers, waited, has_quorum, aggregate.map(|aggregate| aggregate.value));
    closing.responses = Rc::clone(&responses);
    if params.has_broker() && come < asked {
        (closing.responses, closing.weights) = (responses[..come].into(), closing.weights[..come].into());
    }
    let Some(aggregate) = aggregate else {
        let (code, message) = why_none(params, asked, values.len(), missing, waited);
        let Missing { failed, late } = missing;
        let details = json!({"request_id": task.id, "asked": asked, "failed": failed, "late": late});
        return fail(coordinator, code, &message, details, Some(closing), &causes);
    };
    coordinator.counters.borrow_mut().requests_answered += 1;
    site.facts.tell_joined(&causes, Fact::RequestAggregated { value: aggregate.value, closing });
    coordinator.consider_report(&task.query, aggregate.value);
    let mut reliability_note = note(params, asked, missing, aggregate.support);
    if has_quorum && (missing.late > 0 || !params.presence) {
        reliability_note += &format!("; a quorum of {} was enough", params.quorum);
    }
    let result = OracleResult {
        request_id: Rc::clone(&task.id),
        final_value: aggregate.value,
        worker_responses: responses,
        reliability_note: reliability_note.into(),
    };
    Response::of(200, Json::new(result))
}

/// Makes an entry of each answer, or of its lack, and notes it in its worker's history.
fn settle(
    coordinator: &Coordinator,
    task: &OracleRequest,
    answers: Answers,
    waited: Duration,
    has_quorum: bool,
    aggregate: Option<f64>,
) -> (Rc<[WorkerResult]>, Missing) {
    // Nobody is blamed for what the coordinator did not wait for.
    let (late_because, late_is): (Rc<str>, _) = match has_quorum {
        true => (format!("not awaited: {} had answered", coordinator.site.params.quorum).into(), None),
        false => (coordinator.no_answer_within(waited), Some(Outcome::TimedOut)),
    };
    let mut missing_are = Missing { failed: 0, late: 0 };
    let result_of = |(worker, taken): (Known, Option<Taken>)| {
        let (result, outcome) = match taken.map(|taken| taken.answer) {
            Some(Answer::Value(result)) => {
                let distance = aggregate.map_or(0.0, |aggregate| relative_distance(result.value, aggregate));
                (result, Some(Outcome::Answered(distance)))
            }
            Some(Answer::Failed(result)) => {
                missing_are.failed += 1;
                (result, Some(Outcome::Failed))
            }
            None => {
                missing_are.late += 1;
                let request = Rc::clone(&task.id);
                (missing(Rc::clone(&worker.id), request, Rc::clone(&late_because), waited), late_is)
            }
        };
        if let Some(outcome) = outcome {
            coordinator.note(&worker, outcome);
        }
        result
    };
    (answers.into_iter().map(result_of).collect(), missing_are)
}

impl Coordinator {
    /// What is said of those who are late: at nearly every request after the same time.
    fn no_answer_within(&self, waited: Duration) -> Rc<str> {
        let mut said = self.late.borrow_mut();
        if said.0 != waited || said.1.is_empty() {
            *said = (waited, format!("no answer within {waited}").into());
        }
        Rc::clone(&said.1)
    }
}

fn relative_distance(value: f64, aggregate: f64) -> f64 {
    if aggregate == 0.0 { 0.0 } else { ((value - aggregate) / aggregate).abs().min(DISTANCE_MAX) }
}

/// Why there is no aggregate: a code, and words.
fn why_none(
    params: &Params,
    asked: usize,
    values: usize,
    missing: Missing,
    waited: Duration,
) -> (&'static str, String) {
    let Missing { failed, late } = missing;
    let message = match params.presence {
        _ if values > 0 => {
            let strategy = params.strategy.name();
            let message = format!("{strategy} has no aggregate: none of {values} values is valid to it");
            return ("no_aggregate", message);
        }
        true => format!("none of {asked} workers answered: {failed} failed, {late} late"),
        false => format!("no worker answered within {waited}: {failed} failed, the others are not known"),
    };
    ("all_workers_failed", message)
}

/// Words with numbers behind all of them but the last: each request has some, and formatting would cost more than its answers.
fn said(words: [&str; 5], numbers: [usize; 4]) -> String {
    let [first, rest @ ..] = words;
    let mut said = String::with_capacity(96);
    said.push_str(first);
    for (number, words) in numbers.into_iter().zip(rest) {
        let mut unit = 1;
        while number / unit >= 10 {
            unit *= 10;
        }
        while unit > 0 {
            said.push(char::from(b'0' + (number / unit % 10) as u8));
            unit /= 10;
        }
        said.push_str(words);
    }
    said
}

/// How far the result can be relied upon, in words.
fn note(params: &Params, asked: usize, missing: Missing, support: usize) -> String {
    let Missing { failed, late } = missing;
    let (strategy, answered) = (params.strategy, asked - failed - late);
    let count = |start: &str| {
        let between = [start, " of ", " workers responded: ", " failed, ", " late"];
        said(between, [answered, asked, failed, late])
    };
    let mut note = match failed + late {
        missing if !params.presence => {
            let warning = if missing > answered { "Warning: " } else { "" };
            format!("{warning}{answered} workers answered, {failed} failed; how many were asked is not known")
        }
        0 => "All workers responded successfully".to_owned(),
        missing if 2 * missing > asked => count("Warning: partial result, only "),
        _ => count(""),
    };
    if strategy == Strategy::Majority && 2 * support <= answered {
        note += &format!("; no majority: the commonest value has {support} of {answered} votes");
    }
    note
}

fn fail(
    coordinator: &Coordinator,
    code: &'static str,
    message: &str,
    details: Value,
    closing: Option<Closing>,
    causes: &[u64],
) -> Response {
    coordinator.counters.borrow_mut().requests_failed += 1;
    let fact = Fact::RequestFailed { status: 503, code, client: 0, closing };
    coordinator.site.facts.tell_joined(causes, fact);
    Response::error(503, code, message, details)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_numbers_are_written_as_formatting_writes_them() {
        for number in [0, 1, 9, 10, 99, 100, 12_345, 99_999, 100_000, 7_654_321, u64::MAX] {
            assert_eq!(*id_of(number), *format!("req-{number:05}"));
            let n = number as usize;
            assert_eq!(said(["", " ", "x", "", "."], [n, n, 1, n]), format!("{n} {n}x1{n}."));
        }
    }
}
