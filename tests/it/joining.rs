//! Who starts late, and who is asked to end: `start:` for any role and for workers and containers that join a running system,
//! `stop:` for any role; scaling by the scenario, up and down.

use super::support::{Case, glasshive, node, records, scratch};
use glasshive::kernel::{Duration, Instant};
use glasshive::lab::{Run, Scenario, presets};
use glasshive::net::{NODE_CRASHED, NODE_STARTED, NODE_STOPPED};
use serde_json::{Value, json};

fn responses(report: &Value, from_ms: f64) -> Vec<usize> {
    let requests = report["requests"].as_array().unwrap().iter();
    let later = requests.filter(|request| request["requested_at_ms"].as_f64().unwrap() >= from_ms);
    later.map(|request| request["worker_responses"].as_array().unwrap().len()).collect()
}

#[test]
fn a_worker_joins_a_running_oracle_over_http_and_over_nats() {
    for preset in ["oracle-http", "oracle-nats"] {
        let base =
            ["run", "--preset", preset, "--set", "fail=0", "--set", "timeout=4s", "--for", "20s", "--json"];
        let ran = glasshive(&[&base[..], &["--faults", "start:w-14@9s..15s,start:w-13@5s"]].concat());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{preset}");
        let report = ran.json();
        let asked = responses(&report, 0.0);
        assert_eq!((asked[0], asked[1], asked[3], asked[5]), (12, 12, 13, 14), "{preset}: {asked:?}");
        // At its end it was asked to leave, and has said goodbye.
        assert_eq!(asked[8], 13, "{preset}: {asked:?}");
        // What the report calls the scenario is the same run.
        let file = scratch(&format!("joining-{preset}.json"));
        std::fs::write(&file, report["scenario"].to_string()).unwrap();
        let again = glasshive(&["run", "--scenario", &file, "--json"]).json();
        assert_eq!(again["trace_hash"], report["trace_hash"], "{preset}");
    }
}

#[test]
fn numbers_without_a_gap_may_join_and_others_are_named() {
    for (preset, faults, part) in [
        ("oracle-http", "start:w-15@5s", "a worker from w-01 to w-12"),
        ("oracle-http", "start:nats@5s", "client, coordinator"),
        ("math-wizard", "start:c-99@5s", "c-01 to c-03"),
    ] {
        let ran = glasshive(&["run", "--preset", preset, "--for", "1s", "--faults", faults]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{faults}");
        assert!(ran.err.contains(part), "{faults}: {}", ran.err);
    }
}

/// Every role of every system, stopped for a while, and started late: the run goes on, and its invariants hold.
#[test]
fn every_role_can_be_stopped_and_started_late() {
    for (preset, roles) in [
        ("oracle-http", &["client", "coordinator", "w-03"][..]),
        ("oracle-nats", &["client", "coordinator", "nats", "w-03"]),
        ("oracle-jetstream", &["coordinator", "nats"]),
        ("math-wizard", &["client", "gateway", "valkey", "c-02", "c-01-api", "c-01-worker-1"]),
        ("lost-trigger", &["client", "controller", "valkey", "a-02", "w-03"]),
    ] {
        for role in roles {
            let faults = format!("stop:{role}@8s..12s");
            Case::preset(preset, 3).faults(&faults).seconds(25).check(|run| {
                let of = |kind| records(run, kind).iter().filter(|r| r.node == node(run, role)).count();
                assert_eq!(
                    (of(NODE_STARTED), of(NODE_STOPPED), of(NODE_CRASHED)),
                    (2, 1, 0),
                    "{preset}: {role}"
                );
                assert_sound(run);
            });
            if role.ends_with("-api") || role.contains("-worker-") {
                // A process starts with its container.
                continue;
            }
            let faults = format!("start:{role}@6s");
            Case::preset(preset, 3).faults(&faults).seconds(25).check(|run| {
                let started = records(run, NODE_STARTED);
                let last = started.iter().rfind(|record| record.node == node(run, role)).unwrap();
                assert_eq!(last.at, Instant::from_millis(6_000), "{preset}: {role}");
                assert_sound(run);
            });
        }
    }
}

fn assert_sound(run: &Run) {
    let report = glasshive::lab::report::Report::of(run);
    assert!(report.ok(), "{:?}", report.checks);
}

#[test]
fn in_a_session_a_worker_joins_at_once() {
    let file = scratch("joins.json");
    let ran =
        glasshive(&["curl", "--session", &file, "--set", "fail=0", "--faults", "start:w-13", "--wait", "1s"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let workers = glasshive(&["curl", "--session", &file, "--", "localhost:8080/workers"]).json();
    assert_eq!((workers.as_array().unwrap().len(), &workers[12]["id"]), (13, &json!("w-13")));
    // One that was there is started by restart.
    let ran = glasshive(&["curl", "--session", &file, "--faults", "start:w-04@9s"]);
    assert!(ran.code == 2 && ran.err.contains("restart starts one that was"), "{}", ran.err);
    let ran = glasshive(&["curl", "--session", &file, "--faults", "stop:w-13", "--wait", "4s"]);
    assert_eq!(ran.code, 0);
    let workers = glasshive(&["curl", "--session", &file, "--", "localhost:8080/workers"]).json();
    assert_eq!(workers.as_array().unwrap().len(), 12, "it has left gracefully");
    let again = glasshive(&["curl", "--session", &file, "--faults", "start:w-13"]);
    assert!(again.code == 2 && again.err.contains("restart"), "{}", again.err);
    glasshive(&["curl", "--session", &file, "--faults", "restart:w-13", "--wait", "1s"]);
    let workers = glasshive(&["curl", "--session", &file, "--", "localhost:8080/workers"]).json();
    assert_eq!(workers.as_array().unwrap().len(), 13);
}

fn deeds(report: &Value, container: &str, what: &str) -> u64 {
    report["summary"]["containers"][container][what].as_u64().unwrap_or(0)
}

#[test]
fn a_container_joins_through_the_queue_and_gets_requests_after_the_gateway_has_looked_again() {
    let base = ["run", "--preset", "math-wizard", "--json", "--for", "40s", "--faults"];
    let joined = glasshive(&[&base[..], &["start:c-04@5s"]].concat()).json();
    assert!(
        deeds(&joined, "c-04", "handled") > 5 && deeds(&joined, "c-04", "initiated") == 0,
        "{}",
        joined["summary"]
    );
    let seen = glasshive(&[&base[..], &["start:c-04@5s,restart:gateway@10s"]].concat()).json();
    assert!(deeds(&seen, "c-04", "initiated") > 5, "{}", seen["summary"]);
}

#[test]
fn scaled_down_the_last_containers_finish_what_they_have_and_leave() {
    for seed in 1..=5 {
        let case = Case::preset("math-wizard", seed).set("scale-to", "1").set("scale-at", "10s").faults("");
        case.seconds(60).check(|run| {
            let ended: Vec<_> = records(run, NODE_STOPPED)
                .iter()
                .map(|record| run.net().name(glasshive::net::NodeId(record.node)))
                .collect();
            for container in ["c-02", "c-03"] {
                assert!(ended.iter().any(|name| **name == *container), "{container} stays: {ended:?}");
            }
            let report = glasshive::lab::report::Report::of(run);
            assert_eq!(report.summary["counts"]["lost"], 0, "nobody dies with a job in hand");
            assert!(report.ok());
        });
        let at = |seconds: &str| {
            let seed = seed.to_string();
            let run = [
                "run",
                "--preset",
                "math-wizard",
                "--seed",
                &seed,
                "--set",
                "scale-to=1",
                "--faults",
                "",
                "--json",
                "--for",
                seconds,
            ];
            glasshive(&run).json()
        };
        let (early, late) = (at("20s"), at("60s"));
        assert_eq!(deeds(&early, "c-03", "handled"), deeds(&late, "c-03", "handled"), "it is gone");
        assert!(deeds(&late, "c-01", "handled") > deeds(&early, "c-01", "handled") + 10);
    }
}

#[test]
fn no_shipped_scenario_has_room_that_nobody_asked_for() {
    for preset in presets::all() {
        let run = Run::new(&Scenario::preset(preset.name, 1), Default::default()).unwrap();
        assert!(run.left_out().is_empty(), "{}", preset.name);
        assert!(run.now() == Instant::ZERO && run.horizon() > Instant::ZERO + Duration::from_secs(1));
    }
}
