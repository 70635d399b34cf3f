//! Presence over NATS: whom the coordinator knows, and what it can say because of that; and the bare protocol without.

use super::support::{Case, call, for_seeds, records, reports};
use glasshive::kernel::{Duration, Instant};
use glasshive::lab::Run;
use glasshive::systems::oracle::{WORKER_DEREGISTERED, WORKER_EVICTED, WORKER_REGISTERED};
use serde_json::Value;

const COORDINATOR: &str = "http://localhost:8080";

/// An oracle over NATS in which nobody fails and all have time, without load from its client, at one second.
fn quiet(set: &[(&str, &str)]) -> Run {
    let case = Case::preset("oracle-nats", 5).set("fail", "0").set("timeout", "4s").faults("crash:client@0s");
    let case = set.iter().fold(case, |case, (key, value)| case.set(key, value));
    let mut run = case.seconds(120).start();
    run.run_until(Instant::from_millis(1_000));
    run
}

fn ask(run: &mut Run) -> (u16, Value) {
    call(run, "POST", &format!("{COORDINATOR}/request"), "{\"query\":\"BTC/USD\"}")
}

fn note(run: &mut Run) -> String {
    ask(run).1["reliability_note"].as_str().unwrap_or_default().to_owned()
}

fn known(run: &mut Run) -> usize {
    call(run, "GET", &format!("{COORDINATOR}/workers"), "").1.as_array().unwrap().len()
}

fn wait(run: &mut Run, ms: u64) {
    run.run_until(run.now() + Duration::from_millis(ms));
}

#[test]
fn when_all_that_are_there_have_answered_nobody_waits_for_the_timeout() {
    for_seeds("oracle_presence", 0..20, |seed| {
        Case::preset("oracle-nats", seed).set("fail", "0").set("timeout", "4s").faults("").seconds(20).check(
            |run| {
                for request in reports(run).iter().filter(|request| request.error.is_none()) {
                    let Some(answered) = request.answered_at_ms else { continue };
                    assert!(answered - request.requested_at_ms < 2_200.0, "{request:?}");
                    assert_eq!(&*request.reliability_note, "All workers responded successfully");
                }
            },
        );
    });
    let mut bare = quiet(&[("presence", "off")]);
    let before = bare.now();
    assert_eq!(note(&mut bare), "12 workers answered, 0 failed; how many were asked is not known");
    assert!(bare.now().since(before) > Duration::from_secs(4), "it cannot know that all have answered");
}

#[test]
fn who_dies_is_waited_for_until_it_counts_as_gone_and_who_leaves_is_not() {
    let mut run = quiet(&[]);
    assert_eq!(known(&mut run), 12);
    run.inject("crash:w-04").unwrap();
    run.inject("stop:w-05").unwrap();
    wait(&mut run, 200);
    assert_eq!((known(&mut run), records(&run, WORKER_DEREGISTERED).len()), (11, 1), "w-05 said goodbye");
    assert_eq!(note(&mut run), "10 of 11 workers responded: 0 failed, 1 late");
    wait(&mut run, 17_000);
    assert_eq!(
        (known(&mut run), records(&run, WORKER_EVICTED).len()),
        (10, 1),
        "w-04 was silent for too long"
    );
    assert_eq!(note(&mut run), "All workers responded successfully");
    run.inject("restart:w-04").unwrap();
    wait(&mut run, 1_000);
    assert_eq!(known(&mut run), 11);
}

#[test]
fn most_silent_is_a_warning_and_nobody_there_a_503_at_once() {
    let mut run = quiet(&[("workers", "3")]);
    run.inject("crash:w-01").unwrap();
    run.inject("crash:w-02").unwrap();
    assert_eq!(note(&mut run), "Warning: partial result, only 1 of 3 workers responded: 0 failed, 2 late");
    run.inject("stop:w-03").unwrap();
    wait(&mut run, 17_000);
    let before = run.now();
    let (status, answer) = ask(&mut run);
    assert_eq!((status, answer["error"]["code"].as_str()), (503, Some("no_workers")));
    assert!(run.now().since(before) < Duration::from_millis(100));
}

#[test]
fn a_coordinator_that_starts_again_calls_the_roll() {
    let mut run = quiet(&[("heartbeat", "60s"), ("stale", "1h")]);
    run.inject("restart:coordinator").unwrap();
    wait(&mut run, 1_000);
    assert_eq!(known(&mut run), 12, "long before the next heartbeat");
    assert_eq!(records(&run, WORKER_REGISTERED).len(), 24);
    assert_eq!(note(&mut run), "All workers responded successfully");
}

#[test]
fn after_a_long_fall_of_the_broker_all_are_known_again_at_once() {
    let mut run = quiet(&[]);
    run.inject("crash:nats@..30s").unwrap();
    run.run_until(Instant::from_millis(29_000));
    assert_eq!(known(&mut run), 0, "nobody was heard of for longer than the stale limit");
    run.run_until(Instant::from_millis(33_000));
    assert_eq!(known(&mut run), 12);
}

#[test]
fn health_says_whether_the_broker_can_be_reached_and_how_many_are_known() {
    let health = |run: &mut Run| call(run, "GET", &format!("{COORDINATOR}/health"), "").1;
    let mut run = quiet(&[]);
    let well = health(&mut run);
    assert_eq!(
        (&well["status"], &well["workers"], &well["nats"]["connected"]),
        (&"ok".into(), &12.into(), &true.into())
    );
    run.inject("crash:nats").unwrap();
    wait(&mut run, 500);
    let ill = health(&mut run);
    assert_eq!((&ill["status"], &ill["nats"]["connected"]), (&"degraded".into(), &false.into()));
    assert_eq!(ill["nats"]["error"], "nats: no servers available for connection");
    // A role that starts without one says so in the words of a program that does not get to work.
    run.inject("restart:coordinator").unwrap();
    wait(&mut run, 500);
    let failed = "Failed to connect to NATS: no servers available for connection";
    assert_eq!(health(&mut run)["nats"]["error"], failed);
    assert_eq!(ask(&mut run).1["error"]["message"], failed);
}

#[test]
fn the_brokers_monitor_tells_of_connections_subscriptions_and_streams() {
    let mut run = quiet(&[("transport", "jetstream"), ("workers", "3")]);
    let mut at = |path: &str| call(&mut run, "GET", &format!("http://localhost:8222{path}"), "");
    let (status, connections) = at("/connz");
    assert_eq!((status, &connections["num_connections"]), (200, &4.into()));
    let own = connections["connections"][1]["subscriptions"].as_u64().unwrap();
    assert!(own >= 2, "its tasks, and the roll: {connections}");
    let all = connections["connections"].as_array().unwrap().iter();
    let all: u64 = all.map(|client| client["subscriptions"].as_u64().unwrap()).sum();
    assert_eq!(at("/subsz").1["num_subscriptions"], all);
    assert_eq!((at("/jsz").1["streams"].clone(), at("/jsz").1["consumers"].clone()), (2.into(), 4.into()));
    assert_eq!(at("/healthz").1["status"], "ok");
    let (status, varz) = at("/varz");
    assert_eq!((status, &varz["connections"]), (200, &4.into()));
}
