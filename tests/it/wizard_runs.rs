//! A Math Wizard's run is its scenario's, as the oracle's is: chopped, sought, replayed, recorded or watched.

use super::support::{Case, for_seeds};
use glasshive::kernel::{Duration, Instant, Rng, Sink};
use glasshive::lab::{Options, Run, Scenario, presets};
use glasshive::substrate::http::Request;

const END: Instant = Instant::from_millis(40_000);

fn mark(run: &Run) -> (String, u64) {
    (run.trace_hash(), run.events())
}

fn played(scenario: &Scenario, until: Instant) -> Run {
    let mut run = Run::new(scenario, Options::default()).unwrap();
    run.run_until(until);
    run
}

fn scenarios(seed: u64) -> Vec<Scenario> {
    let own = presets::all().filter(|preset| preset.system == glasshive::lab::wizard::KIND);
    let faults = "crash:1?@5s..9s,stop:c-02@12s..15s,slow:c-01-worker-1@3s..20s=5,drop:client@8s..20s=0.2,crash:valkey@25s..26s";
    let faulty = ["brpop", "lmove"].map(|mode| {
        Case::preset("math-wizard", seed).set("mode", mode).set("repeat", "on").faults(faults).scenario
    });
    own.map(|preset| Scenario::preset(preset.name, seed)).chain(faulty).collect()
}

#[test]
fn a_run_is_the_same_chopped_sought_and_watched() {
    for_seeds("wizard_runs", 0..4, |seed| {
        for scenario in scenarios(seed) {
            let whole = mark(&played(&scenario, END));
            let mut rng = Rng::new(seed);
            let options = Options { sink: Sink::Ring(50), keep: 5, observed: true, ..Options::default() };
            let mut run = Run::new(&scenario, options).unwrap();
            while run.now() < END {
                let piece = Duration::from_nanos(rng.below(900_000_000));
                run.run_until((run.now() + piece).min(END));
                run.net().in_flight();
            }
            assert_eq!(mark(&run), whole, "{}: in pieces, watched, with a short log", scenario.preset);
            let back = played(run.scenario(), Instant::from_millis(13_000));
            assert_ne!(mark(&back), whole);
            let mut again = played(back.scenario(), Instant::from_millis(13_000));
            assert_eq!(mark(&again), mark(&back));
            again.run_until(END);
            assert_eq!(mark(&again), whole, "{}: after seeking", scenario.preset);
        }
    });
}

#[test]
fn replaying_what_a_person_did_gives_the_live_run() {
    for_seeds("wizard_runs", 0..8, |seed| {
        let mut rng = Rng::new(seed);
        let mut live = played(&Scenario::preset("math-wizard", seed), Instant::ZERO);
        for act in 0..8 {
            live.run_until(live.now() + Duration::from_nanos(rng.below(4_000_000_000)));
            let fault =
                ["crash:c-01", "restart:c-01-api", "stop:c-03", "slow:valkey~c-02=4", "crash:c-02-worker-1"];
            if act % 2 == 0 {
                live.inject(fault[rng.below(5) as usize]).unwrap();
            } else {
                let url = ["http://localhost/whoami", "http://localhost/valkey_test"][rng.below(2) as usize];
                live.call(&Request::get(url.parse().unwrap())).unwrap();
            }
        }
        live.run_until(END);
        let replay =
            played(&Scenario::from_json(&serde_json::to_string(live.scenario()).unwrap()).unwrap(), END);
        assert_eq!(mark(&replay), mark(&live));
        for index in 0..live.scenario().actions.len() {
            assert_eq!(replay.answer(index), live.answer(index), "action {index}");
        }
    });
}

#[test]
fn faults_name_containers_and_processes_and_what_is_not_there_is_told() {
    let mut run = played(&Scenario::preset("math-wizard", 1), Instant::from_millis(1_000));
    run.inject("crash:c1").unwrap();
    assert!(
        ["c-01", "c-01-api", "c-01-worker-1"]
            .iter()
            .all(|name| !run.net().is_up(run.net().find(name).unwrap()))
    );
    run.inject("restart:c-01-worker-1").unwrap();
    assert!(!run.net().is_up(run.net().find("c-01-worker-1").unwrap()), "there is no container to run in");
    run.inject("restart:c-01").unwrap();
    run.run_until(Instant::from_millis(2_000));
    assert!(
        ["c-01", "c-01-api", "c-01-worker-1"]
            .iter()
            .all(|name| run.net().is_up(run.net().find(name).unwrap()))
    );
    for fault in ["crash:c-04", "crash:w-01", "crash:c-01-worker-2"] {
        let error = run.inject(fault).unwrap_err().to_string();
        assert!(error.contains("a container from c-01 to c-03"), "{error}");
    }
    assert!(run.inject("lie:c-01").unwrap_err().to_string().contains("lie"));
    assert!(run.inject("crash:4?").is_err());
}
