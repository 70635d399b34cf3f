//! The folds, fed with facts made by hand.

use super::folds::Folds;
use super::ledger::Ledger;
use super::tally::Summary;
use super::{RequestEntry, TaskEnd};
use crate::kernel::{Duration, Instant, Sim, Sink};
use crate::lab::options::Options;
use crate::net::{Net, NodeId};
use crate::substrate::body::Json;
use crate::systems::facts::{Hear, Told};
use crate::systems::oracle::fact::{Asked, Closing, Fact, Failure};
use crate::systems::oracle::messages::{OracleResult, WorkerResult};
use crate::systems::oracle::registry::Member;
use crate::systems::oracle::{Cast, Delivery, Params, Transport, truth, worker_name};
use std::cell::RefCell;
use std::rc::Rc;

const QUERY: &str = "BTC/USD";
/// The node of the first worker, in a run without a broker.
const FIRST: u32 = 4;

/// Tells facts to the folds of an oracle that there is not.
struct Bed {
    _sim: Sim,
    folds: Folds,
    n: u64,
    now_ms: u64,
    streamed: Rc<RefCell<Vec<serde_json::Value>>>,
}

impl Bed {
    fn new(keep: usize, params: Params) -> Self {
        let sim = Sim::new(1, Sink::None);
        let streamed: Rc<RefCell<Vec<_>>> = Rc::default();
        let sink = Rc::clone(&streamed);
        let entries: crate::lab::Entries = Rc::new(RefCell::new(move |entry| sink.borrow_mut().push(entry)));
        let options = Options { keep, entries: Some(entries), ..Options::default() };
        let folds = Folds::new(&Net::new(&sim.ctx(), false), &Cast::new(params, NodeId(FIRST)), &options);
        Bed { _sim: sim, folds, n: 0, now_ms: 0, streamed }
    }

    fn over_http(keep: usize) -> Self {
        Bed::new(keep, Params { workers: 3, ..Params::default() })
    }

    fn core(delivery: Delivery) -> Self {
        Bed::new(usize::MAX, Params { workers: 3, delivery, ..Params::over_nats() })
    }

    fn tell(&mut self, node: u32, req: u64, fact: Fact) -> u64 {
        self.n += 1;
        let at = Instant::from_millis(self.now_ms);
        self.folds.hear(&Told { n: self.n, at, node, req, fact: &fact });
        self.n
    }

    fn intend(&mut self, req: u64) {
        self.tell(2, req, Fact::RequestIntended { query: QUERY.into(), limit: Duration::from_millis(6_500) });
    }

    /// Takes a request up; returns the number of the handling.
    fn open(&mut self, req: u64) -> u64 {
        let member = |i| Member::new(worker_name(i).into(), FIRST + i - 1, i - 1);
        let asked = match self.folds.ledger.requests().len() {
            _ if self.over_broker() => Asked::Subject,
            _ => Asked::Members((1..=3).map(member).collect()),
        };
        self.tell(3, req, Fact::RequestOpened { query: QUERY.into(), asked })
    }

    fn over_broker(&self) -> bool {
        self.folds.checker.0.checks().len() > 5
    }

    fn take(&mut self, req: u64, handling: u64, i: u32, value: f64) {
        let result = result_of(req, i, Some(value));
        self.tell(3, req, Fact::AnswerTaken { handling, place: i - 1, worker: FIRST + i - 1, result });
    }

    fn close(&mut self, req: u64, handling: u64, value: f64, responses: &[WorkerResult]) {
        let weights = responses.iter().map(|_| 0.5).collect();
        let closing = Closing { handling, responses: responses.into(), weights };
        self.tell(3, req, Fact::RequestAggregated { value, closing });
    }

    fn answer(&mut self, req: u64, value: f64, responses: &[WorkerResult]) -> u64 {
        let result = OracleResult {
            request_id: format!("req-{req:05}").into(),
            final_value: value,
            worker_responses: responses.into(),
            reliability_note: "".into(),
        };
        self.tell(2, req, Fact::RequestAnswered { result: Json::new(result) })
    }

    /// A whole request of 1.5 s: the first worker answers, the others are late.
    fn play(&mut self, req: u64) {
        self.intend(req);
        let handling = self.open(req);
        self.take(req, handling, 1, 42_135.5);
        let responses = [result_of(req, 1, Some(42_135.5)), result_of(req, 2, None), result_of(req, 3, None)];
        self.now_ms += 1_500;
        self.close(req, handling, 42_135.5, &responses);
        self.answer(req, 42_135.5, &responses);
    }

    fn ledger(&self) -> &Ledger {
        &self.folds.ledger
    }

    fn request(&self, number: u64) -> &RequestEntry {
        self.ledger().request(number).unwrap()
    }

    fn summary(&self) -> Summary {
        self.folds.tally.summary()
    }

    /// The invariants that are broken, each with the fact that broke it.
    fn broken(&self) -> Vec<String> {
        let checks = self.folds.checker.0.checks();
        checks.into_iter().filter(|check| !check.ok).map(|check| check.detail).collect()
    }
}

fn result_of(req: u64, i: u32, value: Option<f64>) -> WorkerResult {
    WorkerResult {
        worker_id: worker_name(i).into(),
        registered_as: None,
        request_id: format!("req-{req:05}").into(),
        value: value.unwrap_or(0.0),
        err: value.is_none().then(|| "no answer".into()),
        response_time: Duration::from_millis(5),
        reliable: value.is_some(),
    }
}

// --- the tally and the ledger -------------------------------------------------------------------------------------

#[test]
fn figures_are_the_same_whatever_is_kept_and_a_ledger_keeps_within_its_budget() {
    let beds = [0, 10, usize::MAX].map(|keep| {
        let mut bed = Bed::over_http(keep);
        for req in 1..=40 {
            bed.play(req);
            let kept: usize = bed.ledger().requests().iter().map(|request| request.tasks.len()).sum();
            let open: usize = bed.ledger().open().map(|request| request.tasks.len()).sum();
            assert!(open <= 4 * 3, "the last 5 s and a half");
            assert!(kept - open <= keep, "{kept}");
        }
        bed
    });
    let [none, few, all] = &beds;
    assert_eq!(none.summary(), all.summary());
    assert_eq!(few.summary(), all.summary());
    let Summary { requests, answered, tasks, latency_ms, error_mean, .. } = all.summary();
    assert_eq!((requests, answered, tasks.in_time, tasks.late, tasks.pending), (40, 40, 40, 80, 0));
    assert_eq!((latency_ms.unwrap().p99, error_mean.unwrap().mean), (1_500.0, 0.0));
    assert_eq!(all.ledger().requests().len(), 40);
    assert_eq!(few.ledger().requests().back(), all.ledger().requests().back());
    assert!(beds.iter().all(|bed| bed.broken().is_empty()), "{:?}", none.broken());
    assert_eq!(none.streamed.borrow()[..], all.streamed.borrow()[..]);
}

#[test]
fn the_newest_that_ended_is_there_to_be_read_although_nothing_is_kept() {
    let mut bed = Bed::over_http(0);
    bed.play(1);
    bed.now_ms += 60_000;
    bed.intend(2);
    assert_eq!(bed.ledger().requests().len(), 1);
    assert_eq!(bed.ledger().newest_ended().map(|request| request.number), Some(1));
}

#[test]
fn a_request_settles_5_s_after_its_end_and_nothing_about_it_changes_later() {
    let lie = Fact::TaskDone { value: 1.0, lie: true };
    for (after_ms, noted) in [(4_999, true), (5_000, false)] {
        let mut bed = Bed::over_http(usize::MAX);
        bed.play(1);
        bed.now_ms += after_ms;
        bed.tell(FIRST + 2, 1, lie.clone());
        assert_eq!(bed.request(1).tasks[2].lying, noted, "{after_ms} ms");
        assert_eq!(bed.streamed.borrow().len(), usize::from(!noted));
    }
}

#[test]
fn a_request_whose_client_crashed_is_given_up_and_holds_up_the_others_no_longer_than_that() {
    let mut bed = Bed::over_http(0);
    bed.intend(1);
    bed.play(2);
    bed.now_ms = 11_499;
    bed.intend(3);
    assert_eq!((bed.ledger().requests().len(), bed.streamed.borrow().len()), (3, 0));
    bed.now_ms = 11_500;
    bed.intend(4);
    assert_eq!(bed.ledger().requests().len(), 2);
    let ids: Vec<String> =
        bed.streamed.borrow().iter().map(|entry| entry["request_id"].to_string()).collect();
    assert_eq!(ids, ["\"req-00001\"", "\"req-00002\""], "in the order of their numbers");
    assert!(bed.streamed.borrow()[0]["answered_at_ms"].is_null());
    assert_eq!((bed.summary().pending, bed.summary().answered), (3, 1));
}

#[test]
fn the_truth_is_that_of_the_instant_when_it_was_opened() {
    let mut bed = Bed::new(usize::MAX, Params { workers: 3, drift: 0.01, ..Params::default() });
    bed.intend(1);
    let wanted = bed.request(1).truth;
    bed.now_ms = 3_000;
    bed.open(1);
    let sim = Sim::new(1, Sink::None);
    let at = |ms| truth::value_at(&sim.ctx(), 0.01, QUERY, Instant::from_millis(ms));
    assert_eq!((wanted, bed.request(1).truth), (at(0), at(3_000)));
    assert_ne!(at(0), at(3_000));
}

// --- duplicates ---------------------------------------------------------------------------------------------------

#[test]
fn of_a_duplicate_only_the_reply_counts_and_only_if_the_client_got_it() {
    let mut bed = Bed::over_http(usize::MAX);
    bed.intend(1);
    let [first, second] = [bed.open(1), bed.open(1)];
    bed.take(1, first, 1, 42_000.0);
    bed.take(1, second, 2, 43_000.0);
    let own = [result_of(1, 1, Some(42_000.0)), result_of(1, 2, None), result_of(1, 3, None)];
    let other = [result_of(1, 1, None), result_of(1, 2, Some(43_000.0)), result_of(1, 3, None)];
    bed.close(1, second, 43_000.0, &other);
    assert_eq!((bed.request(1).closed_at, bed.request(1).tasks[1].end), (None, TaskEnd::Pending));
    bed.close(1, first, 42_000.0, &own);
    assert_eq!(bed.request(1).aggregate, Some(42_000.0));
    bed.answer(1, 43_000.0, &other);
    let request = bed.request(1);
    assert!(request.duplicated && request.tasks[1].end == TaskEnd::Late);
    assert_eq!((request.aggregate, &**request.responses()), (Some(43_000.0), &other[..]));
    let analysis = request.analysis(&Params::default()).unwrap();
    assert_eq!(analysis.counter_answers["median"], 43_000.0);
    assert_eq!(Some(analysis.error), request.off());
    assert_eq!(bed.broken(), [""; 0]);
}

// --- over a broker ------------------------------------------------------------------------------------------------

#[test]
fn what_comes_late_or_is_lost_with_the_broker_moves_from_count_to_count() {
    let mut bed = Bed::core(Delivery::FanOut);
    bed.intend(1);
    let handling = bed.open(1);
    for i in 0..3 {
        bed.tell(FIRST + i, 1, Fact::TaskReceived { delivery: 1 });
    }
    bed.tell(FIRST + 1, 1, Fact::ResultSent);
    // The third answers first, and stands first from then on.
    bed.take(1, handling, 3, 42_135.5);
    bed.now_ms = 1_500;
    bed.close(1, handling, 42_135.5, &[result_of(1, 3, Some(42_135.5))]);
    bed.answer(1, 42_135.5, &[result_of(1, 3, Some(42_135.5))]);
    let names =
        |bed: &Bed| bed.request(1).tasks.iter().map(|task| task.worker.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&bed), ["w-03", "w-01", "w-02"]);
    assert_eq!((bed.summary().tasks.in_time, bed.summary().tasks.late), (1, 2));
    // The result of w-02 was on its way; w-01 is still at work.
    bed.tell(5, 0, Fact::MessagesLost);
    assert_eq!((bed.summary().tasks.late, bed.summary().tasks.lost), (1, 1));
    bed.now_ms = 61_499;
    bed.tell(3, 1, Fact::ResultDropped { worker: FIRST });
    assert_eq!(
        bed.request(1).tasks[1].late_at,
        Some(Instant::from_millis(61_499)),
        "it was awaited for a minute"
    );
    bed.tell(3, 1, Fact::ResultDropped { worker: FIRST + 1 });
    assert_eq!((bed.request(1).tasks[2].end, bed.request(1).tasks[2].late_at), (TaskEnd::Lost, None));
    assert_eq!(bed.streamed.borrow().len(), 1, "it had settled when nothing was awaited any more");
}

// --- the checker --------------------------------------------------------------------------------------------------

#[test]
fn each_invariant_is_broken_by_the_fact_that_breaks_it() {
    let told = |bed: &Bed, what: &str| {
        let broken = bed.broken();
        assert!(broken.iter().any(|detail| detail.contains(what)), "{what}: {broken:?}");
        let first = bed.folds.checker.0.first().unwrap();
        assert_eq!((first.fact, first.at), (bed.n, Instant::from_millis(bed.now_ms)), "{what}");
    };
    let open = || {
        let mut bed = Bed::over_http(0);
        bed.intend(1);
        let handling = bed.open(1);
        bed.take(1, handling, 1, 5.0);
        (bed, handling)
    };
    let good = [result_of(1, 1, Some(5.0)), result_of(1, 2, None), result_of(1, 3, None)];

    let (mut bed, handling) = open();
    bed.now_ms = 1_501;
    bed.close(1, handling, 5.0, &good);
    told(&bed, "closed 1ms after its deadline");

    let (mut bed, handling) = open();
    bed.close(1, handling, 5.0, &[result_of(1, 1, Some(5.0)), result_of(1, 2, Some(5.0))]);
    told(&bed, "w-02 ended Late and has value 5");

    let (mut bed, handling) = open();
    bed.close(1, handling, 5.0, &good);
    bed.answer(1, 5.0, &good[..2]);
    told(&bed, "the workers in the result are not the workers asked");

    let (mut bed, handling) = open();
    bed.close(1, handling, 5.0, &good);
    bed.answer(1, 5.5, &good);
    told(&bed, "it says 5.5, its answers give 5");

    let (mut bed, handling) = open();
    bed.close(1, handling, 5.0, &good);
    bed.answer(1, 5.0, &good);
    assert_eq!(bed.broken(), [""; 0]);
    let failure = Failure { status: 0, code: "reset".to_owned(), message: String::new() };
    bed.tell(2, 1, Fact::RequestUnanswered { failure });
    told(&bed, "its client was told 2 times how it ended");
}

#[test]
fn a_broker_delivers_no_more_often_than_it_may() {
    let receive = |bed: &mut Bed, i: u32, delivery| bed.tell(FIRST + i, 1, Fact::TaskReceived { delivery });
    for (delivery, workers) in [(Delivery::FanOut, [0, 0]), (Delivery::Queue, [0, 1])] {
        let mut bed = Bed::core(delivery);
        bed.intend(1);
        bed.open(1);
        receive(&mut bed, workers[0], 1);
        assert_eq!(bed.broken(), [""; 0]);
        receive(&mut bed, workers[1], 1);
        assert!(bed.broken()[0].contains("published 1 times, and 2 copies were delivered"));
    }
    let params =
        Params { transport: Transport::JetStream, workers: 3, max_deliver: 2, ..Params::over_nats() };
    let mut bed = Bed::new(0, params);
    bed.intend(1);
    bed.open(1);
    receive(&mut bed, 0, 2);
    assert_eq!((bed.broken().len(), bed.summary().tasks.redelivered), (0, 1));
    receive(&mut bed, 0, 3);
    assert!(bed.broken()[0].contains("a worker got delivery 3"));
}
