//! The golden hashes: scenarios and what their runs amounted to, read by this test natively and by `tests/web.rs` in
//! a browser. After a change that is meant to change runs:
//! `GLASSHIVE_BLESS=1 cargo test --test it golden` writes the file anew.

use super::support::{Case, OnFailure, random_faults};
use glasshive::kernel::Instant;
use glasshive::lab::fault::FaultKind;
use glasshive::lab::{Action, Options, Run, Scenario, presets};
use glasshive::systems::oracle::LieMode;
use serde::{Deserialize, Serialize};
use std::fs;

const FILE: &str = "tests/data/golden_hashes.json";

#[derive(Serialize, Deserialize)]
struct Golden {
    scenario: Scenario,
    events: u64,
    trace_hash: String,
}

/// Twenty seeds of the opening scenario, each with a schedule of faults; the one without heartbeats; one in which a
/// person acts; and liars of every kind about a truth that drifts, with the newer strategies.
fn scenarios() -> Vec<Scenario> {
    let oracle = (1..=20).map(|seed| {
        let faults = format!("lie:w-09@11s=0.18,{}", random_faults(1_000 + seed, 12, 50));
        Case::oracle(seed).faults(faults.trim_end_matches(',')).scenario
    });
    let mut acted = Case::preset("oracle-http", 21).seconds(60).scenario;
    let body = "{\"query\":\"ETH/USD\"}".to_owned();
    let url = "http://localhost:8080/request".to_owned();
    acted.actions = vec![
        Action::Fault { at_ms: 5_000, fault: "slow:3?=4".to_owned() },
        Action::Call { at_ms: 9_001, method: "POST".to_owned(), url, headers: Vec::new(), body },
        Action::Lift { at_ms: 20_000, fault: 2 },
        Action::Fault { at_ms: 20_000, fault: "restart:coordinator".to_owned() },
    ];
    let strategies = ["weighted-median", "trimmed-mean", "mad", "hodges-lehmann", "pyth"];
    let liars = LieMode::NAMES.into_iter().zip(strategies).zip(22..).map(|((mode, strategy), seed)| {
        let case = Case::oracle(seed).set("lie", "0.3").set("lie-mode", mode).set("strategy", strategy);
        case.set("drift", "0.003").set("quorum", "8").set("rate", "0.4").set("burst", "2").scenario
    });
    let oracles = oracle.chain([Case::preset("heartbeat-trap", 7).seconds(60).scenario, acted]).chain(liars);
    oracles.chain(configurations()).chain(over_nats()).chain(wizards()).chain(scaled()).collect()
}

/// Every shipped scenario of the configuration system, and one of it in which a person acts.
fn configurations() -> impl Iterator<Item = Scenario> {
    let shipped = presets::all().filter(|preset| preset.system == glasshive::lab::config::KIND);
    let shipped = shipped.map(|preset| Case::preset(preset.name, 11).seconds(60).scenario);
    let mut acted = Case::preset("config", 12).seconds(60).scenario;
    let body = "{\"rate\":5,\"query\":\"ETH/USD\"}".to_owned();
    let url = "http://localhost:8080/config".to_owned();
    acted.actions = vec![
        Action::Call { at_ms: 3_001, method: "PUT".to_owned(), url, headers: Vec::new(), body },
        Action::Fault { at_ms: 30_000, fault: "crash:a-02".to_owned() },
        Action::Fault { at_ms: 33_000, fault: "restart:a-02".to_owned() },
    ];
    shipped.chain([acted])
}

/// Every system with more of what it has many of, and then fewer.
fn scaled() -> impl Iterator<Item = Scenario> {
    let systems = [
        ("oracle-http", "workers"),
        ("oracle-nats", "workers"),
        ("math-wizard", "containers"),
        ("config", "agents"),
    ];
    systems.into_iter().zip(51..).map(|((preset, key), seed)| {
        let faults = format!("scale:{key}@5s..20s=14,crash:2?@8s..12s,scale:{key}@15s=2");
        Case::preset(preset, seed).faults(&faults).seconds(40).scenario
    })
}

/// Every shipped scenario over NATS.
fn over_nats() -> impl Iterator<Item = Scenario> {
    let shipped = presets::all().filter(|preset| preset.system == glasshive::lab::oracle::NATS).zip(41..);
    shipped.map(|(preset, seed)| Case::preset(preset.name, seed).seconds(40).scenario)
}

/// Every shipped scenario of the Math Wizard, and one in which everything dies at some time, in either mode.
fn wizards() -> impl Iterator<Item = Scenario> {
    let presets = presets::all().filter(|preset| preset.system == glasshive::lab::wizard::KIND);
    let shipped =
        presets.zip(31..).map(|(preset, seed)| Case::preset(preset.name, seed).seconds(60).scenario);
    let faults = "crash:c-01-api@3s..6s,stop:c-02@5s..9s,slow:c-03@4s..12s=5,crash:2?@15s..18s,\
        cut:gateway~c-01@20s..24s,drop:client@25s..30s=0.3,dup:gateway@26s..31s=0.3,crash:valkey@35s..37s,\
        restart:gateway@40s,restart:c-03-worker-1@41s";
    let hard = ["brpop", "lmove"].into_iter().map(move |mode| {
        let case = Case::preset("math-wizard", 41).set("mode", mode).set("workers", "2").set("fail", "0.2");
        let faults = format!("{faults},start:c-04@10s,start:c-05@12s..30s,start:c-01@1s");
        case.set("repeat", "on").set("rate", "20").faults(&faults).seconds(60).scenario
    });
    shipped.chain(hard)
}

fn play(scenario: Scenario) -> Golden {
    let mut run = Run::new(&scenario, Options::default()).unwrap();
    run.run_until(Instant::MAX);
    Golden { scenario, events: run.events(), trace_hash: run.trace_hash() }
}

#[test]
fn the_golden_hashes_hold_natively() {
    if std::env::var_os("GLASSHIVE_BLESS").is_some() {
        let lines: Vec<String> =
            scenarios().into_iter().map(|s| serde_json::to_string(&play(s)).unwrap()).collect();
        fs::write(FILE, format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
    }
    let golden: Vec<Golden> = serde_json::from_str(&fs::read_to_string(FILE).unwrap()).unwrap();
    let stored: Vec<Scenario> = golden.iter().map(|golden| golden.scenario.clone()).collect();
    let _on_failure = OnFailure::say(
        "if the change is meant: GLASSHIVE_BLESS=1 cargo test --test it golden, and commit the file"
            .to_owned(),
    );
    assert!(stored == scenarios(), "{FILE} has other scenarios than this test");
    for golden in golden {
        let replay = Case { scenario: golden.scenario.clone() }.command();
        let now = play(golden.scenario);
        assert_eq!((now.events, now.trace_hash), (golden.events, golden.trace_hash), "replay: {replay}");
    }
}

#[test]
fn the_golden_scenarios_have_faults_of_every_kind() {
    let all: Vec<String> = scenarios().into_iter().filter_map(|scenario| scenario.faults).collect();
    for kind in FaultKind::ALL {
        let count = all.join(",").split(',').filter(|fault| fault.starts_with(kind.name())).count();
        assert!(count >= 3, "{}: {count}", kind.name());
    }
}
