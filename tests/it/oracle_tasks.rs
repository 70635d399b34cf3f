//! The oracle's tasks: dropped when late, reset in a crash, drawn from streams that nothing else shifts.

use super::support::{Case, for_seeds, ms, node, random_faults, records, reports};
use glasshive::kernel::{Duration, Instant, Kind};
use glasshive::lab::Run;
use glasshive::lab::oracle::TaskEnd;
use glasshive::lab::report::Report;
use glasshive::substrate::http::{ABANDONED, CANCELLED, RESPONSE_SENT};
use glasshive::systems::oracle::LieMode;
use glasshive::systems::oracle::aggregator::{Knobs, Strategy};
use glasshive::systems::oracle::{TASK_DONE, TASK_FAILED, TASK_STARTED};
use std::collections::{BTreeMap, BTreeSet};

/// The longest that a message takes between coordinator and worker: 50 ms + U(0, 20 ms).
const LINK_MAX: Duration = Duration::from_millis(70);

// --- late ---------------------------------------------------------------------------------------------------------

#[test]
fn a_late_workers_task_is_dropped_within_one_link_delay_of_the_deadline() {
    let mut late_tasks = 0;
    for seed in 1..=60 {
        let case = Case::oracle(seed).set("load", "poisson").set("period", "1s");
        case.check(|run| late_tasks += check_late_tasks(run));
    }
    // A quarter of the delays is above 1.4 s: without late tasks this test would show nothing.
    assert!(late_tasks > 1_000, "{late_tasks}");
}

fn check_late_tasks(run: &Run) -> usize {
    // Node and request → the last record there, whatever it is, and how the handler ended.
    let mut last = BTreeMap::new();
    for record in run.trace().records().filter(|record| record.tag > 0) {
        let entry: &mut (Instant, Vec<Kind>) = last.entry((record.node, record.tag)).or_default();
        entry.0 = record.at;
        if [CANCELLED, RESPONSE_SENT].contains(&record.kind) {
            entry.1.push(record.kind);
        }
    }
    let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
    let mut late_tasks = 0;
    for request in ledger.requests().iter().filter(|r| r.closed_at.is_some()) {
        let deadline = request.deadline.unwrap();
        // What a dying run left open has not had its link delay yet.
        if deadline + LINK_MAX > run.now() {
            continue;
        }
        for task in &request.tasks {
            let who = format!("{} of req {}", task.worker, request.number);
            let (at, ends) = &last[&(node(run, &task.worker), request.number)];
            if task.end != TaskEnd::Late {
                assert_eq!(ends[..], [RESPONSE_SENT], "{who}");
                continue;
            }
            assert!(
                *at <= deadline + LINK_MAX,
                "{who} has a record {} after the deadline",
                at.since(deadline)
            );
            match ends[..] {
                // Dropped by the news, and so after the deadline.
                [CANCELLED] => assert!(*at > deadline, "{who}"),
                // Its answer was on the way already when the coordinator gave up.
                [RESPONSE_SENT] => assert!(*at + LINK_MAX >= deadline, "{who}"),
                _ => panic!("{who} ended as {ends:?}"),
            }
            late_tasks += usize::from(ends[..] == [CANCELLED]);
        }
    }
    late_tasks
}

#[test]
fn a_late_task_is_neither_done_nor_failed_and_its_cancellation_follows_from_the_coordinators() {
    Case::oracle(4).check(|run| {
        let ended: BTreeSet<(u32, u64)> = [TASK_DONE, TASK_FAILED]
            .iter()
            .flat_map(|&kind| records(run, kind))
            .map(|r| (r.node, r.tag))
            .collect();
        let abandoned: BTreeMap<u64, _> = records(run, ABANDONED).into_iter().map(|r| (r.n, r)).collect();
        let cancelled = records(run, CANCELLED);
        assert!(cancelled.len() > 20);
        for record in cancelled {
            assert!(!ended.contains(&(record.node, record.tag)), "{record:?}");
            let cause = &abandoned[&record.cause];
            assert_eq!((cause.peer, cause.tag), (record.node, record.tag));
            let took = record.at.since(cause.at);
            assert!((Duration::from_millis(50)..=LINK_MAX).contains(&took), "{took}");
        }
    });
    // A request ends before the next: cancelled work is gone by then.
    let mut run = Case::oracle(4).start();
    let mut most = 0;
    while run.run_instant(run.horizon()) {
        let oracle = glasshive::lab::oracle::of(run.system()).unwrap().oracle();
        most = (0..oracle.workers().len()).map(|worker| oracle.busy(worker)).fold(most, u32::max);
    }
    assert_eq!(most, 1);
}

// --- common random numbers ----------------------------------------------------------------------------------------

/// What each worker drew for each request.
fn draws(case: Case, kind: Kind) -> BTreeMap<(u32, u64), u64> {
    let mut run = case.start();
    run.run_until(Instant::MAX);
    records(&run, kind).iter().map(|r| ((r.node, r.tag), r.value)).collect()
}

#[test]
fn no_parameter_shifts_what_another_worker_draws() {
    let base = draws(Case::oracle(9), TASK_STARTED);
    assert!(base.len() >= 348, "{}", base.len());
    for (key, value) in [
        ("fail", "0.5"),
        ("timeout", "300ms"),
        ("workers", "20"),
        ("workers", "3"),
        ("lie", "0.5"),
        ("noise", "0"),
        ("strategy", "median"),
        ("heartbeat", "1s"),
    ] {
        let changed = draws(Case::oracle(9).set(key, value), TASK_STARTED);
        let common: Vec<_> = changed.iter().filter(|(task, _)| base.contains_key(task)).collect();
        assert!(common.len() >= 87, "{key}={value}: {} in common", common.len());
        for (task, delay) in common {
            assert_eq!(base[task], *delay, "{key}={value} shifted the delay of {task:?}");
        }
    }
    let faults = "crash:w-01@8s..12s,cut:w-02@3s..20s,drop:w-05@4s=0.5,restart:coordinator@30s";
    for (task, delay) in draws(Case::oracle(9).faults(faults), TASK_STARTED) {
        assert_eq!(base[&task], delay, "the faults shifted the delay of {task:?}");
    }
    assert_ne!(draws(Case::oracle(10), TASK_STARTED), base, "another seed draws anew");
}

#[test]
fn who_fails_more_often_failed_before_too_and_the_others_values_stay() {
    let few = draws(Case::oracle(9).set("timeout", "3s"), TASK_FAILED);
    let many = draws(Case::oracle(9).set("timeout", "3s").set("fail", "0.4"), TASK_FAILED);
    assert!(few.keys().all(|task| many.contains_key(task)));
    assert!(many.len() > 2 * few.len() && !few.is_empty(), "{} and {}", few.len(), many.len());
    let base = draws(Case::oracle(9).set("timeout", "3s"), TASK_DONE);
    for (task, value) in draws(Case::oracle(9).set("timeout", "3s").set("fail", "0.4"), TASK_DONE) {
        assert_eq!(base[&task], value);
    }
}

// --- invariants ---------------------------------------------------------------------------------------------------

/// Plays 40 s of a small oracle under a random load and a random schedule of faults, and checks its invariants.
fn check_invariants(seed: u64) {
    let load = ["constant", "poisson", "burst", "closed"][(seed % 4) as usize];
    let strategy = Strategy::NAMES[(seed % 9) as usize];
    let case = Case::oracle(seed)
        .set("workers", "6")
        .set("load", load)
        .set("clients", "3")
        .set("strategy", strategy)
        .set("lie-mode", LieMode::NAMES[(seed % 5) as usize])
        .set("drift", ["0", "0.002"][(seed % 2) as usize])
        .set("quorum", if seed.is_multiple_of(7) { "4" } else { "off" })
        .set("rate", if seed.is_multiple_of(11) { "0.7" } else { "off" })
        .set("back-off", if seed.is_multiple_of(22) { "retry-after" } else { "off" })
        .faults(&random_faults(seed, 6, 30))
        .seconds(40);
    case.check(|run| {
        let report = Report::of(run);
        assert!(report.ok(), "{:#?}", report.checks.iter().filter(|check| !check.ok).collect::<Vec<_>>());
        assert_eq!(report.checks.len(), 7);
        assert_eq!(ms(run.now()), 40_000.0);
        for (record, n) in run.trace().records().zip(1..) {
            assert!(record.n == n && record.cause < n, "{record:?}");
        }
        for request in reports(run).iter().filter(|request| request.final_value.is_some()) {
            let used = request.worker_responses.iter().filter(|response| response.err.is_none());
            let values: Vec<f64> = used.map(|response| response.value).collect();
            let expected =
                Strategy::from_name(strategy).unwrap().aggregate(&values, &Knobs::default()).map(|a| a.value);
            // The weights are the log's business: the report's checks recompute that one.
            if strategy != "weighted-median" {
                assert_eq!(request.final_value, expected, "{}", request.request_id);
            }
            let analysis = request.analysis.as_ref().unwrap();
            assert_eq!(
                Some(analysis.counter_answers[strategy]),
                request.final_value,
                "{}",
                request.request_id
            );
        }
        let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
        let mut numbers = ledger.requests().iter().map(|r| r.number);
        assert!(numbers.by_ref().zip(1..).all(|(number, i)| number == i), "ids have a gap");
    });
}

#[test]
fn the_invariants_hold_under_random_faults() {
    for_seeds("oracle_tasks", 0..320, check_invariants);
}

/// Optimised only, see `script/test`.
#[cfg(not(debug_assertions))]
mod heavy {
    #[test]
    fn the_invariants_hold_under_thousands_of_random_schedules() {
        super::for_seeds("--release heavy", 1_000..6_000, super::check_invariants);
    }
}
