//! The oracle over NATS: what a broker's restart costs, what JetStream brings back, queue groups, limits, late answers.

use super::support::{Case, call, for_seeds, records};
use glasshive::kernel::{Duration, Instant, Rng};
use glasshive::lab::oracle::{RequestEntry, TaskEnd, TaskEntry};
use glasshive::lab::report::Report;
use glasshive::lab::{Run, presets};
use glasshive::systems::oracle::{
    REQUEST_AGGREGATED, REQUEST_FAILED, REQUEST_INTENDED, RESULT_DROPPED, TASK_DONE,
};
use std::collections::BTreeMap;

fn requests(run: &Run) -> Vec<RequestEntry> {
    glasshive::lab::oracle::of(run.system()).unwrap().ledger().requests().iter().cloned().collect()
}

fn count(request: &RequestEntry, end: TaskEnd) -> usize {
    request.tasks.iter().filter(|task| task.end == end).count()
}

/// At most one reply per request, none without one; then the invariants that every run checks.
fn assert_sound(run: &Run) {
    let mut replies: BTreeMap<u64, u32> = BTreeMap::new();
    let intended = records(run, REQUEST_INTENDED);
    for reply in records(run, REQUEST_AGGREGATED).iter().chain(&records(run, REQUEST_FAILED)) {
        assert!(intended.iter().any(|request| request.tag == reply.tag), "a reply to nobody: {reply:?}");
        *replies.entry(reply.tag).or_default() += 1;
    }
    assert!(replies.values().all(|&replies| replies == 1), "{replies:?}");
    for request in requests(run).iter().filter(|request| request.result.is_some()) {
        assert!(replies.contains_key(&request.number), "req {} was answered by nobody", request.number);
    }
    let broken: Vec<_> = Report::of(run).checks.into_iter().filter(|check| !check.ok).collect();
    assert!(broken.is_empty(), "{broken:?}");
    let params = glasshive::lab::oracle::of(run.system()).unwrap().params().clone();
    let allowed: Vec<Instant> = requests(run).iter().filter_map(|request| request.opened_at).collect();
    let Some(rate) = params.rate else { return };
    for (i, from) in allowed.iter().enumerate() {
        for (n, to) in allowed[i..].iter().zip(1_u32..).map(|(to, n)| (n, to)) {
            let most = f64::from(params.burst) + rate * to.since(*from).as_secs_f64();
            assert!(f64::from(n) <= most + 1e-6, "{n} requests from {from:?} to {to:?}");
        }
    }
}

/// A broker that restarts at a random instant of the second request, which is under way from 8 s on.
fn restarted(transport: &str, seed: u64) -> Case {
    let mut rng = Rng::new(seed ^ 0xb20c);
    let down = 8_000 + rng.below(1_200);
    let faults = match rng.chance(0.5) {
        true => format!("restart:nats@{down}ms"),
        false => format!("crash:nats@{down}ms..{}ms", down + 1 + rng.below(1_500)),
    };
    Case::preset("oracle-jetstream", seed)
        .set("transport", transport)
        .set("fail", "0")
        .set("workers", "6")
        .faults(&faults)
        .seconds(16)
}

/// An answer that was on its way when the broker went down is lost, unless it came nonetheless; one that was not made
/// yet is not.
fn check_losses(run: &Run, request: &RequestEntry) {
    let down = run.faults().next().unwrap().start.unwrap();
    // Who has not heard yet that the broker is gone sends to nobody.
    let heard = down + Duration::from_millis(140);
    for record in records(run, TASK_DONE).iter().filter(|record| record.tag == request.number) {
        let of = |task: &&TaskEntry| task.node == record.node;
        let task = request.tasks.iter().find(of).unwrap();
        let arrived = task.end == TaskEnd::InTime || task.late_at.is_some();
        if record.at < down {
            assert!(arrived || task.end == TaskEnd::Lost, "{task:?} done at {:?}", record.at);
        } else if record.at > heard && task.copies > 0 {
            assert_ne!(task.end, TaskEnd::Lost, "{task:?} done at {:?}", record.at);
        }
    }
}

fn restarts(seeds: std::ops::Range<u64>) {
    let (lost, again) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    for_seeds("oracle_nats", seeds.clone(), |seed| {
        restarted("core", seed).check(|run| {
            assert_sound(run);
            let second = &requests(run)[1];
            let ends = [TaskEnd::InTime, TaskEnd::Lost, TaskEnd::Late].map(|end| count(second, end));
            assert_eq!(ends.iter().sum::<usize>(), 6, "nobody fails, and nobody is left out: {second:?}");
            check_losses(run, second);
            lost.set(lost.get() + count(second, TaskEnd::Lost));
        });
        restarted("jetstream", seed).check(|run| {
            assert_sound(run);
            let second = &requests(run)[1];
            assert_eq!(count(second, TaskEnd::InTime), 6, "every answer comes in the end: {second:?}");
            again.set(again.get() + second.redelivered);
        });
    });
    let seeds = seeds.end - seeds.start;
    println!("{seeds} restarts: core lost {}, JetStream delivered {} again", lost.get(), again.get());
    assert!(lost.get() > 0 && again.get() > 0);
}

#[test]
fn core_loses_what_was_in_flight_and_jetstream_delivers_it_again() {
    restarts(0..30);
}

#[cfg(not(debug_assertions))]
#[test]
fn heavy_both_modes_keep_their_promises_under_a_thousand_seeds() {
    restarts(0..1_000);
}

/// Crashes and restarts of everything at random, in both modes and deliveries.
fn random_trouble(seeds: std::ops::Range<u64>) {
    for_seeds("oracle_nats", seeds, |seed| {
        let mut rng = Rng::new(seed ^ 0x7a05);
        let mut faults = Vec::new();
        for _ in 0..rng.below(6) {
            let node = ["nats", "nats", "coordinator", "w-01", "w-02", "3?"][rng.below(6) as usize];
            let kind = ["crash", "stop", "cut", "drop"][rng.below(4) as usize];
            let from = rng.below(15_000);
            faults.push(format!("{kind}:{node}@{from}ms..{}ms", from + 1 + rng.below(4_000)));
        }
        let choose = |rng: &mut Rng, words: [&'static str; 2]| words[rng.below(2) as usize];
        let transport = choose(&mut rng, ["core", "jetstream"]);
        let delivery = choose(&mut rng, ["fanout", "queue"]);
        Case::preset("oracle-nats", seed)
            .set("workers", "5")
            .set("transport", transport)
            .set("delivery", delivery)
            .set("max-deliver", "2")
            .set("quorum", choose(&mut rng, ["off", "3"]))
            .faults(&faults.join(","))
            .seconds(20)
            .check(|run| assert_sound(run));
    });
}

#[test]
fn the_invariants_hold_in_random_trouble() {
    random_trouble(0..40);
}

#[cfg(not(debug_assertions))]
#[test]
fn heavy_the_invariants_hold_in_random_trouble_under_a_thousand_seeds() {
    random_trouble(0..1_000);
}

#[test]
fn without_a_broker_requests_get_a_structured_error_and_clients_come_back_by_themselves() {
    let mut run = Case::preset("oracle-nats", 3).faults("crash:nats@2100ms..3s").seconds(20).start();
    run.run_until(Instant::from_millis(2_500));
    let body = "{\"query\":\"BTC/USD\"}";
    let (status, answer) = call(&mut run, "POST", "http://localhost:8080/request", body);
    assert_eq!((status, answer["error"]["code"].as_str()), (503, Some("nats_unavailable")));
    assert_eq!(answer["error"]["message"], "nats: no servers available for connection");
    run.run_until(Instant::from_millis(8_000));
    let (status, answer) = call(&mut run, "POST", "http://localhost:8080/request", body);
    assert_eq!(status, 200);
    assert!(answer["worker_responses"].as_array().unwrap().len() >= 6, "{answer}");
    let (status, varz) = call(&mut run, "GET", "http://localhost:8222/varz", "");
    assert_eq!((status, varz["connections"].as_u64()), (200, Some(13)));
    assert_eq!(call(&mut run, "GET", "http://localhost:8080/health", "").0, 200);
    let (status, answer) = call(&mut run, "POST", "http://localhost:8080/register", "{\"id\":\"x\"}");
    assert_eq!((status, answer["error"]["code"].is_string()), (404, true), "nobody registers over NATS");
}

#[test]
fn late_answers_arrive_and_are_dropped_and_counted() {
    Case::preset("oracle-nats", 5).set("fail", "0").faults("").seconds(20).check(|run| {
        let dropped = records(run, RESULT_DROPPED).len();
        let late =
            |request: &RequestEntry| request.tasks.iter().filter(|task| task.late_at.is_some()).count();
        let seen: usize = requests(run).iter().map(late).sum();
        assert!(dropped > 5 && seen == dropped, "{seen} of {dropped}");
        for request in requests(run) {
            for task in request.tasks.iter().filter(|task| task.late_at.is_some()) {
                assert!(task.late_at > request.deadline && task.end == TaskEnd::Late);
            }
        }
    });
    let mut run = Case::preset("oracle-nats", 5).set("fail", "0").faults("").seconds(20).start();
    run.run_until(Instant::from_millis(15_000));
    let (_, metrics) = call(&mut run, "GET", "http://localhost:8080/metrics", "");
    let now = records(&run, RESULT_DROPPED).len();
    let counted = metrics["counters"]["results_dropped"].as_u64().unwrap() as usize;
    assert!(counted > 5 && counted <= now, "{counted} of {now}");
}

#[test]
fn a_quorum_closes_a_request_at_its_kth_answer() {
    Case::preset("oracle-nats", 5).set("fail", "0").set("quorum", "4").faults("").seconds(9).check(|run| {
        assert_eq!(requests(run).iter().filter(|request| request.closed_at.is_some()).count(), 4);
        for request in requests(run).iter().filter(|request| request.closed_at.is_some()) {
            assert_eq!((count(request, TaskEnd::InTime), request.worker_responses.len()), (4, 4));
            assert!(request.closed_at < request.deadline);
        }
    });
}

#[test]
fn a_burst_of_thirty_gets_ten_answers_and_twenty_429s_with_a_usable_retry_after() {
    for_seeds("oracle_nats", 0..20, |seed| {
        Case::preset("rate-limit-burst", seed).set("fail", "0").seconds(9).check(|run| {
            assert_sound(run);
            let all = requests(run);
            let limited = all.iter().filter(|r| r.error.as_ref().is_some_and(|e| e.status == 429)).count();
            let answered = all.iter().filter(|r| r.result.is_some()).count();
            assert_eq!((all.len(), answered, limited), (30, 10, 20));
        });
    });
    let mut run =
        Case::preset("rate-limit-burst", 1).set("burst", "1").set("rate", "0.5").seconds(90).start();
    run.run_until(Instant::from_millis(2_000));
    let body = "{\"query\":\"BTC/USD\"}";
    assert_eq!(call(&mut run, "POST", "http://localhost:8080/request", body).0, 200);
    let (status, answer) = call(&mut run, "POST", "http://localhost:8080/request", body);
    assert_eq!((status, answer["error"]["code"].as_str()), (429, Some("rate_limited")));
    let wait = answer["error"]["details"]["retry_after_s"].as_u64().unwrap();
    assert!((1..=2).contains(&wait));
    run.run_until(run.now() + Duration::from_secs(wait));
    assert_eq!(call(&mut run, "POST", "http://localhost:8080/request", body).0, 200, "after Retry-After");
}

#[test]
fn a_queue_group_leaves_one_answer_and_fan_out_is_the_cure() {
    let used = |case: Case| {
        let mut used = Vec::new();
        case.set("fail", "0").set("delay-max", "1s").seconds(30).check(|run| {
            assert_sound(run);
            used = requests(run)
                .iter()
                .filter(|r| r.closed_at.is_some())
                .map(|r| count(r, TaskEnd::InTime))
                .collect();
        });
        used
    };
    let trapped = used(Case::preset("queue-group-trap", 7));
    assert!(trapped.len() > 10 && trapped.iter().all(|&used| used == 1), "{trapped:?}");
    let cured = used(Case::preset("queue-group-trap", 7).set("delivery", "fanout"));
    assert!(cured.len() > 10 && cured.iter().all(|&used| used == 12), "{cured:?}");
}

#[test]
fn idle_workers_without_heartbeats_are_dropped_and_heartbeats_are_the_cure() {
    let failed = |case: Case| {
        let mut failed = 0;
        case.seconds(100).check(|run| {
            let no_workers = |r: &&RequestEntry| r.error.as_ref().is_some_and(|e| e.code == "no_workers");
            failed = requests(run).iter().filter(no_workers).count();
        });
        failed
    };
    assert_eq!(failed(Case::preset("heartbeat-trap", 7)), 4, "all but the first find nobody");
    assert_eq!(failed(Case::preset("heartbeat-trap", 7).set("heartbeat", "5s")), 0);
}

#[test]
fn a_colluding_third_moves_the_average_and_not_the_median() {
    let error = |strategy: &str| {
        let mut error = 0.0;
        Case::preset("colluding-third", 7).set("strategy", strategy).seconds(60).check(|run| {
            error = Report::of(run).summary["error_mean"]["mean"].as_f64().unwrap();
        });
        error
    };
    let (average, median) = (error("average"), error("median"));
    assert!(average > 0.045 && median < 0.035, "average {average}, median {median}");
}

#[test]
fn a_report_goes_stale_while_the_broker_is_down() {
    let mut run = Case::preset("stale-report", 7).seconds(100).start();
    let report = |run: &mut Run, ms| {
        run.run_until(Instant::from_millis(ms));
        call(run, "GET", "http://localhost:8080/report?query=BTC/USD", "").1
    };
    let before = report(&mut run, 29_000);
    let during = report(&mut run, 54_000);
    let after = report(&mut run, 65_000);
    assert_eq!(
        [&before, &during, &after].map(|report| report["stale"].as_bool().unwrap()),
        [false, true, false]
    );
}

#[test]
fn every_preset_is_the_same_twice_and_when_sought() {
    for preset in presets::all() {
        let case = Case::preset(preset.name, 11).seconds(12);
        let mut whole = case.start();
        whole.run_until(Instant::MAX);
        let mut again = case.start();
        for ms in (0..12_000).step_by(371) {
            again.run_until(Instant::from_millis(ms));
        }
        again.run_until(Instant::MAX);
        assert_eq!(again.trace_hash(), whole.trace_hash(), "{}", preset.name);
        let broken: Vec<_> = Report::of(&whole).checks.into_iter().filter(|check| !check.ok).collect();
        assert!(broken.is_empty(), "{}: {broken:?}", preset.name);
    }
}
