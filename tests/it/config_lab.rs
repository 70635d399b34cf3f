//! The configuration system in the laboratory: its presets, its report, the faults that it knows; and that a run is the
//! same however it is played.

use super::support::{Case, call, for_seeds, glasshive};
use glasshive::kernel::{Duration, Instant, Rng, Sink};
use glasshive::lab::config::ConfigRun;
use glasshive::lab::{Options, Run, Scenario, presets};

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn config(run: &Run) -> &ConfigRun {
    glasshive::lab::config::of(run.system()).expect("a configuration system")
}

fn mark(run: &Run) -> (String, u64) {
    (run.trace_hash(), run.events())
}

fn fresh(scenario: &Scenario) -> Run {
    Run::new(scenario, Options::default()).unwrap()
}

fn played(scenario: &Scenario, until: Instant) -> Run {
    let mut run = fresh(scenario);
    run.run_until(until);
    run
}

fn names() -> impl Iterator<Item = &'static str> {
    presets::all().filter(|preset| preset.system == glasshive::lab::config::KIND).map(|preset| preset.name)
}

// --- presets ------------------------------------------------------------------------------------------------------

#[test]
fn every_preset_plays_to_its_horizon_and_keeps_the_invariants() {
    assert_eq!(names().count(), 7);
    for name in names() {
        Case::preset(name, 5).check(|run| {
            for check in run.system().checks() {
                assert!(check.ok, "{name}: {}: {}", check.name, check.detail);
            }
            let herd = name.starts_with("thundering");
            let horizon = if herd { 720_000 } else { 300_000 };
            assert_eq!(run.now(), at(horizon), "{name}");
            assert_eq!(run.system().begun() > 20, !herd, "{name}: changes");
            let changes = config(run).tally().changes;
            assert_eq!(changes.made + changes.under_way(), changes.intended, "{name}: none is lost");
            assert!(changes.under_way() <= 1, "{name}: one after the other");
            // Every fault of a preset finds its nodes.
            let faults = presets::find(name).unwrap().faults;
            let wanted = faults.split(',').filter(|fault| !fault.is_empty()).count();
            assert_eq!(run.faults().len(), wanted, "{name}");
        });
    }
}

/// Must hold on the presets as they are shipped: the one without jitter, and its cure.
#[test]
fn the_herd_without_jitter_is_at_least_five_times_as_high_as_with_it() {
    for_seeds("the_herd_without", 1..4, |seed| {
        let peak = |preset: &str| {
            let run = played(&Scenario::preset(preset, seed), Instant::MAX);
            let tally = config(&run).tally();
            assert!(tally.agents().iter().all(|agent| agent.version == tally.newest()), "all are back");
            tally.herd_peak_since_restart().unwrap()
        };
        let (together, spread) = (peak("thundering-herd"), peak("thundering-herd-cured"));
        assert!(together >= 180, "{together} of 200");
        assert!(spread > 0 && 5 * spread <= together, "{spread} with jitter, {together} without");
    });
}

#[test]
fn an_outage_leaves_workers_stale_until_the_back_off_ends() {
    let run = played(&Scenario::preset("config", 31), at(21_900));
    let figures = run.system().figures().to_json();
    let ages: Vec<f64> = serde_json::from_value(figures["stale_now_ms"].clone()).unwrap();
    let behind: Vec<usize> = (0..6).filter(|&worker| (13_000.0..14_000.0).contains(&ages[worker])).collect();
    assert_eq!(behind, [0, 1, 2, 3, 4, 5], "nobody has fetched v2, which is there since 8 s: {ages:?}");
    // Back-off cap, poll interval, client timeout, worker interval, round trips: all within 15 s of the return.
    let run = played(&Scenario::preset("config", 31), at(37_000));
    let took_ms = config(&run).ledger().version(2).unwrap().convergence_ms();
    assert!(took_ms.is_some_and(|ms| ms > 14_000.0), "{took_ms:?}");
}

#[test]
fn who_is_still_behind_counts_with_the_time_until_now() {
    let run = played(&Scenario::preset("controller-outage", 1), at(79_000));
    let (tally, ledger) = (config(&run).tally(), config(&run).ledger());
    // Version 3 was acknowledged at 20 s, and two of three agents have not fetched it.
    let waits_ms = run.now().since(ledger.version(3).unwrap().acknowledged_at.unwrap()).as_millis_f64();
    let staleness = tally.staleness_ms(run.now()).unwrap();
    assert_eq!((tally.still_behind(), staleness.count), (4, 18));
    assert_eq!((staleness.max, staleness.p95), (waits_ms, waits_ms));
    let text = run.system().figures().to_text();
    assert!(
        text.contains("max 59.0 s, with the time until now for 4 of 18 that are not there yet"),
        "{text}"
    );
    // The operator has tried since 30 s, about once a second.
    assert!((45..=49).contains(&tally.tries.unanswered), "{text}");
    assert!(text.contains("3: 2 made, 0 refused, 0 given up, 1 under way"), "{text}");
}

#[test]
fn a_lost_trigger_costs_its_agent_at_most_one_interval_and_the_others_nothing() {
    let run = played(&Scenario::preset("lost-trigger", 7), at(38_000));
    let ledger = config(&run).ledger();
    // Changes at 16, 24 and 32 s, while a-03 is cut off from Valkey.
    let entry = ledger.version(3).unwrap();
    let from = entry.acknowledged_at.unwrap();
    let took = |agent: usize| entry.agents[agent].unwrap().since(from);
    assert!(took(0) < Duration::from_millis(400) && took(1) < Duration::from_millis(400));
    assert!(took(2) > Duration::from_millis(400), "{}", took(2));
    assert!(took(2) <= Duration::from_millis(22_200), "{}", took(2));
}

#[test]
fn a_bad_version_fails_until_it_is_rolled_back() {
    let run = played(&Scenario::preset("bad-rollout", 7), at(40_000));
    let (tally, ledger) = (config(&run).tally(), config(&run).ledger());
    let failed: Vec<u64> =
        ledger.versions().iter().filter(|entry| entry.ticks_failed > 0).map(|entry| entry.number).collect();
    assert_eq!(failed, [3], "the second change makes version 3");
    assert!(tally.workers().iter().all(|worker| worker.version > 3), "all have what replaced it");
}

/// At 20,461,880,689 ns an answer with version 3 comes at the very instant of w-01's tick.
#[test]
fn a_tick_at_the_instant_of_a_new_version_is_worked_as_that_says() {
    let case = Case::preset("bad-rollout", 265_050_008_879).faults("restart:w-01@19459ms").seconds(60);
    for check in played(&case.scenario, Instant::MAX).system().checks() {
        assert!(check.ok, "{}: {}", check.name, check.detail);
    }
}

#[test]
fn where_the_broker_is_down_there_is_only_polling() {
    let run = played(&Scenario::preset("poll-vs-push", 7), at(60_000));
    let ledger = config(&run).ledger();
    let ms = |version: u64| ledger.version(version).unwrap().convergence_ms().unwrap();
    assert!(ms(2) < 1_500.0 && ms(3) < 1_500.0, "pushed: {} and {}", ms(2), ms(3));
    let polled: f64 = (4..=6).map(ms).fold(0.0, f64::max);
    assert!((3_000.0..18_000.0).contains(&polled), "polled: {polled}");
}

// --- the report ---------------------------------------------------------------------------------------------------

#[test]
fn the_report_has_its_own_measures() {
    let ran = glasshive(&["run", "--preset", "config", "--for", "60s", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let report = ran.json();
    assert!(report.get("requests").is_none() && report["versions"].is_array(), "requests are an oracle's");
    // Every version once, those that everybody has left behind first.
    let versions = report["versions"].as_array().unwrap();
    let numbers: Vec<u64> = versions.iter().map(|version| version["version"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=report["summary"]["version"].as_u64().unwrap()).collect::<Vec<_>>());
    assert!(versions[0]["ended"] == true && versions.last().unwrap()["ended"] == false);
    let (first, second) = (&versions[0], &versions[1]);
    assert!(first["author"].is_null() && first["acknowledged_at_ms"] == 0.0, "{first}");
    assert_eq!((&second["author"], &second["change"]), (&"client".into(), &1.into()));
    assert_eq!(second["settings"]["note"], "change 1");
    assert_eq!(
        (second["agents_at_ms"].as_array().unwrap().len(), second["workers_at_ms"].as_array().unwrap().len()),
        (3, 6)
    );
    let ticks = |key: &str| versions.iter().map(|version| version[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!(report["summary"]["ticks_done"], ticks("ticks_done"));
    let measures = &report["summary"];
    assert!(measures["staleness_ms"]["p95"].as_f64().unwrap() > 0.0, "{measures}");
    assert!(measures["share_not_modified"].as_f64().unwrap() > 0.3);
    assert!(measures["herd_peak"].as_u64().unwrap() >= 1);
    assert_eq!(measures["stale_now_ms"].as_array().unwrap().len(), 6);
    let text = glasshive(&["run", "--preset", "config", "--for", "60s"]).out;
    for part in ["staleness   p50", "convergence ", "304", "controller  ", "since it restarted", "trace hash"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("mean error") && !text.contains("tasks "), "{text}");
}

#[test]
fn faults_and_settings_that_do_not_fit_are_named() {
    let run = |arguments: &[&str]| {
        let ran = glasshive(&[&["run", "--preset", "config", "--for", "1s"], arguments].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        ran.err
    };
    for (faults, part) in [
        ("crash:coordinator", "an agent from a-01 to a-03, or a worker from w-01 to w-06"),
        ("crash:valkey", "client, controller, console, an agent"),
        ("lie:w-01", "for lie a worker of an oracle"),
        ("crash:7?", "at most 6 workers"),
    ] {
        let error = run(&["--faults", faults]);
        assert!(error.contains(part), "{faults}: {error}");
    }
    assert!(run(&["--set", "trigger=on", "--faults", "crash:a-04"]).contains("console, valkey, an agent"));
    assert!(run(&["--set", "agents=0"]).contains("from 1 to 500"));
    assert!(run(&["--set", "timeout=1s"]).contains("client-timeout"));
    assert!(run(&["--set", "backoff-min=9s"]).contains("at least backoff-min, which is 9s"));
}

// --- one scenario, one run ----------------------------------------------------------------------------------------

fn broken(seed: u64, preset: &str) -> Scenario {
    let mut rng = Rng::new(seed ^ 0xc0f1);
    let mut fault = |kind: &str, node: &str| {
        let start = rng.below(40_000);
        format!("{kind}:{node}@{start}ms..{}ms", start + 1 + rng.below(9_000))
    };
    let faults = [
        fault("crash", "controller"),
        fault("crash", "a-02"),
        fault("cut", "controller~a-01"),
        fault("crash", "2?"),
        fault("drop", "a-03"),
        fault("dup", "controller"),
        fault("slow", "client>controller"),
    ];
    Case::preset(preset, seed).faults(&faults.join(",")).seconds(60).scenario
}

#[test]
fn a_run_is_the_same_however_it_is_chopped() {
    for_seeds("config_lab", 0..8, |seed| {
        for preset in ["config", "lost-trigger", "bad-rollout"] {
            let scenario = broken(seed, preset);
            let whole = mark(&played(&scenario, at(60_000)));
            let mut rng = Rng::new(seed);
            let options = Options { sink: Sink::Ring(100), keep: 3, observed: true, ..Options::default() };
            let mut run = Run::new(&scenario, options).unwrap();
            while run.now() < at(60_000) {
                match rng.below(3) {
                    0 => run.run_until(run.now() + Duration::from_nanos(rng.below(3_000_000_000))),
                    1 => drop(run.run_instant(at(60_000))),
                    _ => drop(run.step()),
                }
                run.net().in_flight();
            }
            assert_eq!(mark(&run), whole, "{preset} in pieces, observed, keeping little");
        }
    });
}

#[test]
fn seeking_60_20_60_gives_the_same_hashes() {
    for_seeds("config_lab", 0..8, |seed| {
        let scenario = broken(seed, "poll-vs-push");
        let first = played(&scenario, at(60_000));
        let mut back = played(first.scenario(), at(20_000));
        assert_ne!(mark(&back), mark(&first));
        back.run_until(at(60_000));
        assert_eq!(mark(&back), mark(&first));
    });
}

#[test]
fn replaying_the_action_log_gives_the_live_run() {
    for_seeds("config_lab", 0..8, |seed| {
        let mut rng = Rng::new(seed ^ 0xac7);
        let mut live = fresh(&Case::preset("config", seed).seconds(60).scenario);
        for _ in 0..10 {
            let pause = live.now() + Duration::from_millis(rng.below(4_000));
            live.run_until(pause);
            match rng.below(5) {
                0 => drop(live.inject("crash:a-01@..50s").unwrap()),
                1 => drop(live.inject("restart:controller").unwrap()),
                2 => drop(live.inject("cut:2?").unwrap()),
                3 => drop(live.inject("lie:w-01").unwrap_err()),
                _ => {
                    let body = format!("{{\"rate\":{},\"query\":\"ETH/USD\"}}", 1 + rng.below(5));
                    if live.net().is_up(config(&live).config().controller()) {
                        assert_eq!(call(&mut live, "PUT", "http://localhost:8080/config", &body).0, 200);
                    }
                }
            }
        }
        live.run_until(at(60_000));
        let replay = played(live.scenario(), at(60_000));
        assert_eq!(mark(&replay), mark(&live));
        assert_eq!(config(&replay).ledger().versions(), config(&live).ledger().versions());
    });
}
