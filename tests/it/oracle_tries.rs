//! How many workers are asked, and clients that send a request again after a failure.

use super::support::{Case, Ran, for_seeds, glasshive, random_faults, records, reports};
use glasshive::kernel::{Instant, Rng};
use glasshive::lab::Run;
use glasshive::lab::oracle::tally::Summary;
use glasshive::systems::oracle::fact::{ANSWER_TAKEN, REQUEST_BACKED_OFF, REQUEST_RETRIED, TASK_RECEIVED};
use glasshive::systems::oracle::{REQUEST_INTENDED, REQUEST_OPENED, TASK_STARTED};
use std::collections::{BTreeMap, BTreeSet};

fn summary(run: &Run) -> Summary {
    glasshive::lab::oracle::of(run.system()).unwrap().tally().summary()
}

fn holds(run: &Run) {
    for check in run.system().checks() {
        assert!(check.ok, "{check:?}");
    }
}

#[test]
fn each_request_is_put_to_so_many_workers_in_the_order_of_registration() {
    let case = Case::oracle(4).set("workers", "20").set("ask", "5").set("period", "20ms");
    let mut first: BTreeMap<String, Vec<String>> = BTreeMap::new();
    case.check(|run| {
        holds(run);
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        let mut sets = BTreeSet::new();
        for report in reports(run).iter().filter(|report| report.final_value.is_some()) {
            let names: Vec<String> =
                report.worker_responses.iter().map(|response| response.worker_id.to_string()).collect();
            assert_eq!(names.len(), 5);
            names.iter().for_each(|name| *counts.entry(name.clone()).or_default() += 1);
            first.insert(report.request_id.clone(), names.clone());
            sets.insert(names);
        }
        let asked = f64::from(counts.values().sum::<u32>());
        // Five standard deviations of a binomial of a quarter.
        let (expected, sd) = (asked / 20.0, (asked / 20.0 * 0.75).sqrt());
        assert!(asked > 10_000.0 && sets.len() > 1_000, "{asked}, {}", sets.len());
        assert!(counts.values().all(|&count| (f64::from(count) - expected).abs() < 5.0 * sd), "{counts:?}");
        let order: Vec<String> = glasshive::lab::oracle::of(run.system())
            .unwrap()
            .oracle()
            .registered()
            .iter()
            .map(|id| id.to_string())
            .collect();
        let place = |name: &String| order.iter().position(|other| other == name).unwrap();
        assert!(first.values().all(|names| names.is_sorted_by_key(place)), "in registration order");
    });
    // What is drawn for a request depends on its number: not on how many there were before.
    case.set("period", "40ms").check(|run| {
        let others = reports(run);
        let later =
            others.iter().filter(|report| report.requested_at_ms > 5_000.0 && report.final_value.is_some());
        let same = later.filter_map(|report| Some((report, first.get(&report.request_id)?)));
        let mut count = 0;
        for (report, names) in same {
            assert!(
                names
                    .iter()
                    .map(|name| &**name)
                    .eq(report.worker_responses.iter().map(|response| &*response.worker_id))
            );
            count += 1;
        }
        assert!(count > 1_000, "{count}");
    });
}

#[test]
fn more_than_there_are_is_all_and_over_nats_there_is_no_such_key() {
    let hash = |case: Case| {
        let mut hash = String::new();
        case.seconds(20).check(|run| hash = run.trace_hash());
        hash
    };
    assert_eq!(hash(Case::oracle(1).set("ask", "12")), hash(Case::oracle(1)));
    assert_eq!(hash(Case::oracle(1).set("ask", "all")), hash(Case::oracle(1)));
    assert_ne!(hash(Case::oracle(1).set("ask", "11")), hash(Case::oracle(1)));
    let Ran { code, err, .. } = glasshive(&["run", "--preset", "oracle-nats", "--set", "ask=3"]);
    assert!(code == 2 && err.contains("set: ask is not allowed"), "{err}");
}

#[test]
fn a_request_costs_as_much_as_those_who_are_asked() {
    let events = |workers: &str, period: &str| {
        let case = Case::oracle(1)
            .set("workers", workers)
            .set("ask", "3")
            .set("period", period)
            .set("heartbeat", "0");
        let mut events = 0;
        case.set("stale", "1h").seconds(30).check(|run| events = run.events());
        events
    };
    // What twice as many requests add, with few and with many workers.
    let of_requests = |workers| events(workers, "100ms") - events(workers, "200ms");
    let (few, many) = (of_requests("10"), of_requests("2000"));
    assert!(few.abs_diff(many) * 50 < few, "{few} events, and with 2,000 workers {many}");
}

// --- again --------------------------------------------------------------------------------------------------------

#[test]
fn a_request_that_failed_is_sent_again_and_remains_one_request() {
    for preset in ["oracle-http", "oracle-nats", "oracle-jetstream"] {
        let case = Case::preset(preset, 6)
            .faults("")
            .set("workers", "1")
            .set("fail", "0.5")
            .set("delay-max", "300ms");
        let case = case
            .set("retries", "2")
            .set("retry-pause", "700ms")
            .set("rate", "off")
            .set("period", "2s")
            .seconds(2_000);
        case.check(|run| {
            holds(run);
            let summary = summary(run);
            let n = summary.answered + summary.unanswered;
            assert_eq!(records(run, REQUEST_INTENDED).len(), summary.requests, "{preset}");
            assert_eq!(records(run, REQUEST_RETRIED).len(), summary.retries, "{preset}");
            // An attempt fails with probability ½, whatever the one before did: five standard deviations of a binomial.
            let near = |count: usize, p: f64| {
                let (count, n) = (count as f64, n as f64);
                (count - n * p).abs() < 5.0 * (n * p * (1.0 - p)).sqrt()
            };
            assert!(n > 900 && near(summary.unanswered, 0.125), "{preset}: {summary:?}");
            let opened = records(run, REQUEST_OPENED).len();
            assert!(near(opened - n, 0.75) || opened - n > 600, "{preset}: {opened} of {n}");
            // Each attempt's task counts.
            assert_eq!(summary.tasks.in_time + summary.tasks.failed, opened, "{preset}: {summary:?}");
            // From when the request was wanted: those of a second attempt have waited at least for the first and the pause.
            let again: BTreeSet<u64> =
                records(run, REQUEST_RETRIED).iter().map(|record| record.tag).collect();
            let oracle = glasshive::lab::oracle::of(run.system()).unwrap();
            let ledger = oracle.ledger();
            let answered = ledger.requests().iter().filter(|request| request.result.is_some());
            for request in answered {
                let took = request.answered_at.unwrap().since(request.requested_at).as_millis_f64();
                assert_eq!(
                    took > 900.0,
                    again.contains(&request.number),
                    "{preset}, {}: {took}",
                    request.number
                );
                assert_eq!(request.tasks.len(), 1);
            }
        });
    }
}

#[test]
fn who_is_refused_or_hears_nothing_asks_again() {
    // The coordinator is down from 9 s to 12 s: refused, and what was under way is reset.
    let case = Case::oracle(2).set("period", "500ms").faults("crash:coordinator@9s..12s").seconds(40);
    let without = |run: &mut Run| summary(run).unanswered;
    let mut lost = 0;
    case.check(|run| lost = without(run));
    assert!(lost >= 6, "{lost}");
    case.clone().set("retries", "10").check(|run| {
        holds(run);
        assert_eq!(summary(run).unanswered, 0);
        let statuses: BTreeSet<u64> =
            records(run, REQUEST_RETRIED).iter().map(|record| record.value).collect();
        // Without an answer, and 503 while nobody is registered yet.
        assert!(statuses.contains(&0) && statuses.is_subset(&[0, 503].into()), "{statuses:?}");
    });
    // A client that waits for an answer that was lost on the way.
    let case = Case::oracle(3).faults("drop:coordinator>client@5s..6500ms=1").set("retries", "1").seconds(30);
    case.check(|run| {
        holds(run);
        let retried = records(run, REQUEST_RETRIED);
        assert!(retried.len() == 1 && retried[0].value == 0 && summary(run).unanswered == 0, "{retried:?}");
    });
}

#[test]
fn a_429_is_none_of_its_business() {
    let case = Case::oracle(2)
        .set("rate", "1")
        .set("burst", "1")
        .set("period", "300ms")
        .set("retries", "5")
        .set("fail", "0");
    case.clone().check(|run| {
        assert!(records(run, REQUEST_RETRIED).is_empty() && summary(run).limited > 50);
    });
    case.set("back-off", "retry-after").check(|run| {
        holds(run);
        assert!(records(run, REQUEST_RETRIED).is_empty() && !records(run, REQUEST_BACKED_OFF).is_empty());
    });
}

#[test]
fn an_attempt_has_draws_of_its_own_and_shifts_nobody_elses() {
    let case = Case::oracle(9).set("workers", "2").set("fail", "0.7").seconds(120);
    let delays = |case: &Case| {
        let mut delays: BTreeMap<(u64, u32), Vec<u64>> = BTreeMap::new();
        case.check(|run| {
            for record in records(run, TASK_STARTED) {
                delays.entry((record.tag, record.node)).or_default().push(record.value);
            }
        });
        delays
    };
    let (once, again) = (delays(&case), delays(&case.clone().set("retries", "3")));
    assert!(
        once.iter().all(|(task, drawn)| again[task][0] == drawn[0]),
        "first attempts draw what they drew"
    );
    let repeated: Vec<&Vec<u64>> = again.values().filter(|drawn| drawn.len() > 1).collect();
    assert!(repeated.len() > 20 && repeated.iter().all(|drawn| drawn[0] != drawn[1]), "{}", repeated.len());
}

#[test]
fn a_stream_takes_each_attempt_for_a_message_of_its_own() {
    let case = Case::preset("oracle-jetstream", 1)
        .faults("")
        .set("workers", "1")
        .set("fail", "1")
        .set("retries", "2");
    case.set("rate", "off").set("period", "3s").seconds(40).check(|run| {
        holds(run);
        let received = records(run, TASK_RECEIVED);
        let ended = summary(run).unanswered;
        assert!(ended >= 5 && received.len() >= 3 * ended, "{} received of {ended}", received.len());
    });
}

#[test]
fn of_a_queue_group_one_may_answer_who_was_asked_at_an_earlier_attempt() {
    for seed in [461_207, 264_952, 313_601] {
        let case = Case::preset("oracle-nats", seed).faults("").set("delivery", "queue");
        case.set("timeout", "300ms").set("retries", "2").seconds(70).check(|run| {
            holds(run);
            let tasks = summary(run).tasks;
            let answers = records(run, ANSWER_TAKEN).len();
            assert!(answers > 10 && tasks.in_time + tasks.failed == answers, "{tasks:?}, {answers} answers");
        });
    }
}

#[test]
fn the_invariants_hold_whatever_is_set_and_breaks() {
    for_seeds("the_invariants_hold_whatever", 0..60, |seed| {
        let mut rng = Rng::new(seed);
        let mut case =
            Case::preset(["oracle-http", "oracle-nats", "oracle-jetstream"][seed as usize % 3], seed);
        let mut pick = |words: &[&str]| words[rng.below(words.len() as u64) as usize].to_owned();
        for (key, values) in [
            ("delay-law", &["uniform", "constant", "exponential", "lognormal", "pareto", "empirical"][..]),
            ("delays", &["50,100,3s"]),
            ("slow-share", &["0", "0.4"]),
            ("concurrency", &["off", "1", "3"]),
            ("retries", &["0", "1", "4"]),
            ("retry-pause", &["1ms", "300ms", "2s"]),
            ("strategy", &["average", "weighted-median", "median"]),
            ("fail", &["0.1", "0.8"]),
            ("quorum", &["off", "2"]),
            ("lie", &["0", "0.3"]),
            ("timeout", &["300ms", "1500ms"]),
            ("ask", &["all", "1", "4"]),
            ("delivery", &["fanout", "queue"]),
        ] {
            let (value, by_http) = (pick(values), seed % 3 == 0);
            if key != if by_http { "delivery" } else { "ask" } {
                case = case.set(key, &value);
            }
        }
        case.faults(&random_faults(seed, 12, 50)).seconds(60).check(|run| {
            holds(run);
            assert!(run.now() == Instant::from_millis(60_000) && run.stopped().is_none());
        });
    });
}
