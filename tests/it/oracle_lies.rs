//! Liars of each kind, a truth that drifts, weights, quorums, and reports.

use super::support::{Case, call, ms, reports};
use glasshive::kernel::{Duration, Instant};
use glasshive::lab::Run;
use glasshive::lab::oracle::{RequestEntry, TaskEntry};
use glasshive::lab::report::Report;
use glasshive::systems::oracle::aggregator::Strategy;
use glasshive::systems::oracle::report::{Cause, Reports, Trigger};
use glasshive::systems::oracle::truth;
use std::collections::BTreeSet;

const BASE: f64 = 42_135.5;

/// Twelve workers, none failing or late, five of them lying in a way.
fn lying(mode: &str) -> Case {
    Case::oracle(11)
        .set("fail", "0")
        .set("timeout", "3s")
        .set("lie", "0.4")
        .set("lie-bias", "0.2")
        .set("lie-mode", mode)
}

/// Each answer with its request, split by whether it was a lie.
fn answers(run: &Run, lies: bool) -> Vec<(u64, String, f64)> {
    let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
    let of = |r: &RequestEntry| -> Vec<(u64, String, f64)> {
        let told = r.tasks.iter().filter(|task| task.lying == lies);
        told.filter_map(|task: &TaskEntry| Some((r.number, task.worker.to_string(), task.value?))).collect()
    };
    ledger.requests().iter().flat_map(of).collect()
}

fn off(value: f64) -> f64 {
    value / BASE - 1.0
}

#[test]
fn constant_liars_are_off_by_the_bias_and_the_honest_by_their_noise_only() {
    lying("constant").check(|run| {
        let lies = answers(run, true);
        assert_eq!(lies.iter().map(|(_, worker, _)| worker).collect::<BTreeSet<_>>().len(), 5);
        assert!(lies.len() > 120, "{}", lies.len());
        assert!(lies.iter().all(|(_, _, value)| (off(*value) - 0.2).abs() <= 0.0601));
        let honest = answers(run, false);
        assert!(honest.len() > 180 && honest.iter().all(|(_, _, value)| off(*value).abs() <= 0.0501));
    });
}

#[test]
fn random_liars_are_off_to_both_sides_and_right_on_average() {
    lying("random").check(|run| {
        let lies: Vec<f64> = answers(run, true).iter().map(|(_, _, value)| off(*value)).collect();
        assert!(lies.iter().all(|off| off.abs() <= 0.2) && lies.iter().any(|off| off.abs() > 0.15));
        // U(−0.2, 0.2) has a standard deviation of 0.2 / √3.
        let mean = lies.iter().sum::<f64>() / lies.len() as f64;
        assert!(mean.abs() < 4.0 * 0.2 / (3.0 * lies.len() as f64).sqrt(), "{mean}");
    });
}

#[test]
fn stale_liars_repeat_what_they_knew_when_they_began() {
    let case = lying("stale").set("lie", "0").set("drift", "0.01").faults("lie:w-01@0s,lie:w-02@20s");
    let heard = |run: &Run, noise: f64| {
        let began = truth_at(run, Instant::from_millis(20_000));
        assert!(off(began).abs() > 0.01, "the truth has hardly moved: {began}");
        for (worker, known) in [("w-01", BASE), ("w-02", began)] {
            let said: BTreeSet<u64> = answers(run, true)
                .iter()
                .filter(|(_, who, _)| who == worker)
                .map(|(_, _, value)| value.to_bits())
                .collect();
            assert_eq!(said.len(), 1, "{worker} says one thing only");
            let value = f64::from_bits(*said.first().unwrap());
            assert!((value / known - 1.0).abs() <= noise + 1e-9, "{worker}: {value}");
        }
        assert!(answers(run, true).len() > 40, "{}", answers(run, true).len());
    };
    case.clone().check(|run| heard(run, 0.05));
    // Without noise it is to the last bit what was true when they began.
    case.set("noise", "0").check(|run| heard(run, 0.0));
    // Their bias is of no importance.
    lying("stale").set("lie-bias", "0").check(|run| assert!(answers(run, true).len() > 120));
    lying("constant").set("lie-bias", "0").check(|run| assert!(answers(run, true).is_empty()));
}

#[test]
fn colluding_liars_say_the_same_to_the_last_bit() {
    for drift in ["0", "0.01"] {
        lying("colluding").set("drift", drift).check(|run| {
            let lies = answers(run, true);
            assert!(lies.len() > 120 && lies.iter().all(|(_, _, value)| *value == BASE * 1.2));
        });
    }
    // Five of twelve that agree are a majority among noisy answers, and nothing to the median.
    lying("colluding").set("strategy", "majority").check(|run| {
        let reports = reports(run);
        let answered: Vec<_> = reports.iter().filter(|r| r.final_value.is_some()).collect();
        assert!(answered.len() > 25, "{}", answered.len());
        for request in answered {
            assert!((request.final_value.unwrap() - BASE * 1.2).abs() <= 0.5);
            let analysis = request.analysis.as_ref().unwrap();
            assert_eq!(analysis.support, 5);
            // Not the weighted median: who is near the majority's answer has the better scores.
            for robust in ["median", "upper-median", "pyth"] {
                assert!(off(analysis.counter_answers[robust]).abs() <= 0.07, "{robust}: {analysis:?}");
            }
        }
    });
}

#[test]
fn equivocating_liars_tell_each_asker_another_lie() {
    lying("equivocating").check(|run| {
        let lies = answers(run, true);
        assert!(lies.iter().all(|(_, _, value)| (0.0999..=0.3001).contains(&off(*value).abs())));
        assert!(lies.iter().any(|(_, _, value)| off(*value) < 0.0));
        assert!(lies.iter().any(|(_, _, value)| off(*value) > 0.0));
        let different: BTreeSet<u64> = lies.iter().map(|(_, _, value)| value.to_bits()).collect();
        assert_eq!(different.len(), lies.len());
    });
    // The same worker, the same task (a console's own has no request's number): one answer for whoever asks the
    // same again, but not what the coordinator heard.
    let ask = |mode: &str| {
        let mut run = lying(mode).set("lie", "1").start();
        run.run_until(Instant::from_millis(10_000));
        let body = "{\"id\":\"req-00001\",\"query\":\"BTC/USD\"}";
        let mut ask =
            || call(&mut run, "POST", "http://localhost:8081/task", body).1["value"].as_f64().unwrap();
        let (first, second) = (ask(), ask());
        let heard = answers(&run, true).iter().find(|(_, worker, _)| worker == "w-01").unwrap().2;
        (first, second, heard)
    };
    let (first, second, heard) = ask("equivocating");
    assert_eq!(first, second);
    assert_ne!(first, heard);
    let (first, _, heard) = ask("colluding");
    assert_eq!(first, heard);
}

#[test]
fn a_lie_by_a_click_follows_the_mode_of_the_run() {
    let mut run = lying("colluding").set("lie", "0").start();
    run.run_until(Instant::from_millis(20_000));
    run.inject("lie:w-03=0.5").unwrap();
    run.run_until(Instant::MAX);
    let lies = answers(&run, true);
    assert!(lies.len() > 15 && lies.iter().all(|(_, who, value)| who == "w-03" && *value == BASE * 1.5));
}

// --- the truth ----------------------------------------------------------------------------------------------------

/// The truth of a run of seed 11 whose drift is 0.01.
fn truth_at(run: &Run, at: Instant) -> f64 {
    let drift = glasshive::lab::oracle::of(run.system()).unwrap().params().drift;
    assert_eq!((drift, run.scenario().seed), (0.01, 11));
    let sim = glasshive::kernel::Sim::new(11, glasshive::kernel::Sink::None);
    truth::value_at(&sim.ctx(), drift, "BTC/USD", at)
}

#[test]
fn the_error_is_against_the_truth_when_the_request_was_opened() {
    let case = Case::oracle(11).set("drift", "0.01").set("noise", "0").set("strategy", "median");
    case.check(|run| {
        let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
        let params = glasshive::lab::oracle::of(run.system()).unwrap().params();
        assert_eq!(truth_at(run, Instant::ZERO), BASE, "a walk begins at the base");
        let (mut moved, mut answered) = (0, 0);
        for request in ledger.requests() {
            let Some(opened) = request.opened_at else { continue };
            let truth = truth_at(run, opened);
            assert_eq!(request.truth, truth, "req {}", request.number);
            // Neither when the client wanted it nor when the answers were there.
            assert_ne!(truth_at(run, request.requested_at), truth);
            assert!(request.closed_at.is_none_or(|closed| truth_at(run, closed) != truth));
            moved += usize::from((truth / BASE - 1.0).abs() > 0.005);
            let (Some(analysis), Some(result)) = (request.analysis(params), &request.result) else {
                continue;
            };
            assert_eq!(analysis.truth, truth);
            assert_eq!(analysis.error, (result.final_value - truth) / truth);
            // Without noise all that is left is how far the truth went while the workers worked: 1 % in a second.
            assert!(analysis.error.abs() < 0.05 && analysis.error != 0.0, "{}", analysis.error);
            answered += 1;
        }
        assert!(moved > 20 && answered > 25, "{moved}, {answered}");
    });
}

// --- weights and quorum -------------------------------------------------------------------------------------------

#[test]
fn the_weighted_median_uses_the_scores_that_the_registry_shows() {
    let case = lying("colluding")
        .set("strategy", "weighted-median")
        .set("lie", "0.5")
        .set("lie-bias", "3")
        .seconds(70);
    let mut run = case.set("period", "4s").start();
    // Between two requests.
    run.run_until(Instant::from_millis(59_500));
    let (_, workers) = call(&mut run, "GET", "http://localhost:8080/workers", "");
    let shown: Vec<(String, f64)> = workers
        .as_array()
        .unwrap()
        .iter()
        .map(|worker| (worker["id"].as_str().unwrap().to_owned(), worker["score"].as_f64().unwrap()))
        .collect();
    run.run_until(Instant::MAX);
    let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
    // The request of 60.2 s was closed with what the registry showed just before it was sent.
    let request = ledger.requests().iter().find(|request| ms(request.requested_at) == 60_200.0).unwrap();
    let weights: Vec<(String, f64)> =
        request.tasks.iter().map(|task| (task.worker.to_string(), task.weight)).collect();
    assert_eq!(weights, shown);
    let of =
        |lying: bool| request.tasks.iter().filter(move |t| t.lying == lying).map(|t| t.weight).sum::<f64>();
    let (honest, liars) = (of(false), of(true));
    // Half of the workers lie: with equal weights that would be enough.
    assert!(honest > 2.0 * liars, "{honest} against {liars}");
    let report = Report::of(&run);
    assert!(report.ok(), "{:?}", report.checks);
    for request in reports(&run).iter().filter(|request| request.final_value.is_some()) {
        let value = request.final_value.unwrap();
        assert!(request.worker_responses.iter().any(|response| response.value == value));
    }
}

#[test]
fn every_strategy_answers_in_a_live_run_and_keeps_the_invariants() {
    for strategy in Strategy::NAMES {
        let faults =
            "lie:w-09@11s=0.18,crash:w-04@8s..20s,dup:client~coordinator@5s=1,drop:client~coordinator@9s=0.3";
        Case::oracle(2).set("strategy", strategy).faults(faults).check(|run| {
            let report = Report::of(run);
            assert!(report.ok(), "{strategy}: {:#?}", report.checks);
            let reports = reports(run);
            let answered: Vec<_> = reports.iter().filter(|r| r.final_value.is_some()).collect();
            assert!(answered.len() > 10, "{strategy}: {}", answered.len());
            for request in answered {
                let analysis = request.analysis.as_ref().unwrap();
                assert_eq!(Some(analysis.counter_answers[strategy]), request.final_value, "{strategy}");
                assert_eq!(analysis.counter_answers.len(), 9);
                assert!(off(request.final_value.unwrap()).abs() < 0.1, "{strategy}: {request:?}");
            }
        });
    }
}

#[test]
fn a_quorum_closes_a_request_at_its_kth_answer_and_blames_nobody() {
    Case::oracle(4).set("quorum", "5").set("timeout", "3s").check(|run| {
        let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
        let mut closed = 0;
        for request in ledger.requests().iter().filter(|request| request.closed_at.is_some()) {
            let values = request.tasks.iter().filter_map(|task| task.value).count();
            assert_eq!(values, 5, "req {}", request.number);
            let last =
                request.tasks.iter().filter(|task| task.value.is_some()).filter_map(|t| t.ended_at).max();
            assert_eq!(request.closed_at, last);
            let waited = request.closed_at.unwrap().since(request.opened_at.unwrap());
            assert!(waited < Duration::from_secs(3));
            for response in request.worker_responses.iter().filter(|r| r.err.is_some()) {
                let err = response.err.as_deref().unwrap();
                assert!(err == "the oracle source failed" || err == "not awaited: 5 had answered", "{err}");
            }
            let note = request.result.as_ref().map(|result| result.reliability_note.clone());
            assert!(note.is_none_or(|note| note.contains("a quorum of 5 was enough")));
            closed += 1;
        }
        assert!(closed > 25, "{closed}");
        let oracle = glasshive::lab::oracle::of(run.system()).unwrap().oracle();
        oracle.look_at_registry(|entry| assert_eq!(entry.history.timeouts, 0));
        assert!(Report::of(run).ok());
    });
    Case::oracle(4).set("quorum", "12").check(|run| {
        let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
        let late =
            ledger.requests().iter().flat_map(|r| r.worker_responses.iter()).filter_map(|r| r.err.as_deref());
        assert!(late.filter(|err| *err == "no answer within 1.5s").count() > 30);
    });
}

// --- reports ------------------------------------------------------------------------------------------------------

#[test]
fn on_a_drifting_truth_reports_follow_it_as_closely_as_their_deviation() {
    let sim = glasshive::kernel::Sim::new(8, glasshive::kernel::Sink::None);
    let trigger = Trigger { deviation: 0.005, heartbeat: Duration::from_secs(60) };
    for (drift, more_often) in [(0.0, Cause::Heartbeat), (0.002, Cause::Deviation)] {
        let mut reports = Reports::default();
        let (mut made, mut of_cause) = (0, 0);
        for second in 0..3_600 {
            let now = Instant::from_millis(1_000 * second);
            let value = truth::value_at(&sim.ctx(), drift, "BTC/USD", now);
            let cause = reports.consider(&trigger, "BTC/USD", second, value, now);
            made += usize::from(cause.is_some());
            of_cause += usize::from(cause == Some(more_often));
            let last = reports.last("BTC/USD").unwrap();
            assert!((value / last.value - 1.0).abs() < 0.005 && !trigger.is_stale(last, now));
        }
        // Without drift one every 61 s: the first that is older than the heartbeat. With it a walk of 0.2 % a second
        // needs about (0.5 / 0.2)² s to leave ±0.5 %.
        match more_often {
            Cause::Heartbeat => assert_eq!((made, of_cause), (60, 59)),
            _ => assert!((300..900).contains(&made) && of_cause == made - 1, "{made}, {of_cause}"),
        }
    }
}

#[test]
fn the_coordinator_shows_its_last_report_with_its_age() {
    let url = "http://localhost:8080/report";
    let mut run =
        Case::oracle(6).set("period", "10s").set("deviation", "1").set("report-heartbeat", "15s").start();
    let (status, error) = call(&mut run, "GET", url, "");
    assert_eq!((status, &error["error"]["code"]), (404, &"no_report".into()));
    run.run_until(Instant::from_millis(5_000));
    let (status, report) = call(&mut run, "GET", url, "");
    assert_eq!(status, 200);
    let first = glasshive::lab::oracle::of(run.system()).unwrap().ledger().requests()[0].clone();
    let result = first.result.unwrap();
    assert_eq!(report["value"], result.final_value);
    assert_eq!((&report["request_id"], &report["query"]), (&"req-00001".into(), &"BTC/USD".into()));
    assert_eq!(
        (&report["cause"], &report["round"], &report["stale"]),
        (&"first".into(), &1.into(), &false.into())
    );
    let age: Duration = report["age"].as_str().unwrap().parse().unwrap();
    assert_eq!(first.closed_at.unwrap() + age, run.now() - Duration::from_millis(5));
    // 10 s later comes a request that is neither far off nor late enough; 20 s later one is late enough.
    run.run_until(Instant::from_millis(18_000));
    let (_, report) = call(&mut run, "GET", url, "");
    assert_eq!((&report["round"], &report["stale"]), (&1.into(), &true.into()));
    run.run_until(Instant::from_millis(25_000));
    let (_, report) = call(&mut run, "GET", &format!("{url}?query=BTC/USD"), "");
    assert_eq!((&report["round"], &report["cause"]), (&2.into(), &"heartbeat".into()));
    assert_eq!((&report["request_id"], &report["stale"]), (&"req-00003".into(), &false.into()));
    let (_, metrics) = call(&mut run, "GET", "http://localhost:8080/metrics", "");
    assert_eq!(metrics["counters"]["reports"], 2);
    assert_eq!(call(&mut run, "GET", &format!("{url}?query=ETH/USD"), "").0, 404);
    assert_eq!(call(&mut run, "POST", url, "").0, 405);
}
