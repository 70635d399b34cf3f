//! Faults as the oracle's coordinator meets them: crashed, cut off, slow, and lying workers.

use super::support::{Case, ms, node, records};
use glasshive::lab::Run;
use glasshive::net::{NODE_STARTED, NODE_STOPPED};
use glasshive::substrate::body::Json;
use glasshive::systems::oracle::LIE_STARTED;
use glasshive::systems::oracle::messages::OracleResult;
use std::collections::BTreeSet;

// --- crashed and cut off ------------------------------------------------------------------------------------------

/// The error of one worker in each request, in order; empty for an answer in time.
fn errors_of(run: &Run, worker: &str) -> Vec<String> {
    let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
    let closed = ledger.requests().iter().filter(|r| r.closed_at.is_some());
    closed
        .filter_map(|r| r.worker_responses.iter().find(|response| *response.worker_id == *worker))
        .map(|response| {
            assert_eq!(response.err.is_some(), response.value == 0.0 && !response.reliable);
            response.err.as_deref().unwrap_or_default().to_owned()
        })
        .collect()
}

#[test]
fn a_worker_that_crashes_in_flight_failed_with_connection_reset_by_peer() {
    for seed in 1..=20 {
        // Asked at 205 ms, it has the task from 275 ms on at the latest, until 355 ms at the earliest.
        Case::oracle(seed).set("fail", "0").faults("crash:w-04@300ms").seconds(10).check(|run| {
            let errors = errors_of(run, "w-04");
            assert_eq!(errors[0], "connection reset by peer");
            assert!(errors.len() == 5 && errors[1..].iter().all(|e| e == "connection refused"), "{errors:?}");
        });
    }
}

#[test]
fn a_worker_behind_a_partition_is_late() {
    for (seed, cut) in
        [(1, "coordinator~w-03"), (2, "coordinator>w-03"), (3, "w-03>coordinator"), (4, "w-03")]
    {
        let faults = format!("cut:{cut}@2s..3.9s");
        Case::oracle(seed).set("fail", "0").set("delay-max", "1s").faults(&faults).seconds(10).check(|run| {
            assert_eq!(errors_of(run, "w-03"), ["", "no answer within 1.5s", "", "", ""]);
        });
    }
}

#[test]
fn a_slow_worker_reports_the_time_that_it_took_and_is_late() {
    let case = Case::oracle(5).set("fail", "0").set("delay-max", "200ms").faults("slow:w-02@2s..4s=20");
    case.seconds(10).check(|run| {
        assert_eq!(errors_of(run, "w-02"), ["", "no answer within 1.5s", "", "", ""]);
    });
}

// --- liars --------------------------------------------------------------------------------------------------------

fn liars(seed: u64, workers: u32, share: &str) -> Vec<u32> {
    let run = Case::oracle(seed).set("workers", &workers.to_string()).set("lie", share).start();
    let lying =
        glasshive::lab::oracle::of(run.system()).unwrap().oracle().workers().iter().filter(|&&worker| {
            glasshive::lab::oracle::of(run.system()).unwrap().oracle().lie_of(worker) == Some(0.18)
        });
    let lying: Vec<u32> = lying.map(|worker| worker.0).collect();
    assert_eq!(records(&run, LIE_STARTED).iter().map(|r| r.node).collect::<Vec<_>>(), lying);
    lying
}

#[test]
fn the_share_of_liars_is_rounded_half_up_and_the_seed_chooses_them() {
    for (workers, share, count) in [
        (12, "0", 0),
        (12, "0.04", 0),
        (12, "0.042", 1),
        (12, "0.125", 2), // 1.5
        (5, "0.5", 3),    // 2.5
        (5, "0.49", 2),
        (12, "1", 12),
    ] {
        assert_eq!(liars(1, workers, share).len(), count, "{share} of {workers}");
    }
    let chosen: BTreeSet<Vec<u32>> = (0..20).map(|seed| liars(seed, 12, "0.25")).collect();
    assert!(chosen.len() > 10, "twenty seeds chose only {chosen:?}");
    assert_eq!(liars(7, 12, "0.25"), liars(7, 12, "0.25"));
}

/// value / truth − 1 of one worker in each request, to a millionth.
fn biases_of(run: &Run, worker: &str) -> Vec<f64> {
    let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
    let responses = ledger.requests().iter().filter_map(|r| r.result.as_ref());
    let of_worker = |r: &Json<OracleResult>| {
        r.worker_responses
            .iter()
            .find(|response| *response.worker_id == *worker)
            .map(|response| response.value)
    };
    responses.filter_map(of_worker).map(|value| ((value / 42_135.5 - 1.0) * 1e6).round() / 1e6).collect()
}

/// Exact and quick workers, one request every 2 s from 200 ms on.
fn exact(seed: u64) -> Case {
    Case::oracle(seed).set("noise", "0").set("fail", "0").set("delay-max", "200ms").seconds(12)
}

#[test]
fn a_lie_begins_and_ends_on_schedule() {
    exact(1).faults("lie:w-02@1s..5s=0.5,lie:w-03@5s=-25%").check(|run| {
        assert_eq!(biases_of(run, "w-01"), [0.0; 6]);
        assert_eq!(biases_of(run, "w-02"), [0.0, 0.5, 0.5, 0.0, 0.0, 0.0]);
        assert_eq!(biases_of(run, "w-03"), [0.0, 0.0, 0.0, -0.25, -0.25, -0.25]);
    });
}

#[test]
fn a_worker_honest_before_its_lies_overlap_is_honest_after_the_last() {
    exact(2).faults("lie:w-02@1s..5s=0.5,lie:w-02@3s..9s=1").check(|run| {
        assert_eq!(biases_of(run, "w-02"), [0.0, 0.5, 1.0, 1.0, 1.0, 0.0]);
    });
}

// --- graceful ends ------------------------------------------------------------------------------------------------

#[test]
fn a_stopped_node_starts_again_at_the_end_of_its_fault_however_long_it_takes_to_finish() {
    // The task of 4.2 s keeps it busy beyond 5.1 s.
    let case = Case::oracle(3).set("delay-min", "1.9s").set("timeout", "3s").faults("stop:w-03@5s..5.1s");
    case.check(|run| {
        let w03 = node(run, "w-03");
        let of_node = |kind| records(run, kind).into_iter().filter(|r| r.node == w03).map(|r| ms(r.at));
        assert_eq!(of_node(NODE_STOPPED).count(), 1);
        assert!(of_node(NODE_STOPPED).all(|at| at > 5_100.0));
        assert!(run.net().is_up(run.net().find("w-03").unwrap()), "it never came back");
        assert_eq!(of_node(NODE_STARTED).count(), 2);
    });
}
