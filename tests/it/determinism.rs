//! One scenario, one run: however it is played, chopped, left and come back to, recorded or replayed.

use super::support::{Case, call, for_seeds, random_faults};
use glasshive::kernel::{Duration, Instant, Rng, Sink};
use glasshive::lab::{Action, Options, Run, Scenario};
use std::rc::Rc;

const END: Instant = Instant::from_millis(60_000);

/// Hash and number of events.
type Mark = (String, u64);

fn mark(run: &Run) -> Mark {
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

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

/// Plays to `end` in random pieces of every kind.
fn in_pieces(run: &mut Run, end: Instant, rng: &mut Rng) {
    while run.now() < end {
        let rest = end.since(run.now());
        match rng.below(5) {
            0 => run.run_until(run.now() + rest.scale(rng.unit() * 0.2)),
            1 => run.run_until(run.now() + Duration::from_nanos(rng.below(20_000_000)).min(rest)),
            2 => run.run_until(run.now()),
            3 => {
                for _ in 0..rng.below(30) {
                    run.run_instant(end);
                }
            }
            _ => {
                if !run.run_instant(end) {
                    run.run_until(end);
                }
            }
        }
    }
}

fn scenario(seed: u64) -> Scenario {
    Case::oracle(seed).faults(&random_faults(seed, 12, 50)).set("load", "poisson").scenario
}

#[test]
fn a_run_is_the_same_however_it_is_chopped() {
    for_seeds("determinism", 0..30, |seed| {
        let scenario = scenario(seed);
        let whole = mark(&played(&scenario, END));
        assert_eq!(mark(&played(&scenario, END)), whole, "a second time");
        let mut run = fresh(&scenario);
        in_pieces(&mut run, END, &mut Rng::new(seed));
        assert_eq!(mark(&run), whole, "in pieces");
        let mut run = fresh(&scenario);
        while run.step() {}
        assert_eq!((mark(&run), run.now()), (whole.clone(), END), "by steps");
        // What is kept and what is watched changes nothing.
        let options = Options { sink: Sink::Ring(100), keep: 3, observed: true, ..Options::default() };
        let mut run = Run::new(&scenario, options).unwrap();
        while run.run_instant(END) {
            run.net().in_flight();
        }
        run.run_until(END);
        assert_eq!(mark(&run), whole, "observed");
    });
}

#[test]
fn seeking_60_20_60_gives_the_same_hashes() {
    for_seeds("determinism", 0..20, |seed| {
        let scenario = scenario(seed);
        let first = played(&scenario, END);
        let back = played(first.scenario(), at(20_000));
        assert_ne!(mark(&back), mark(&first));
        let mut again = played(back.scenario(), at(20_000));
        assert_eq!(mark(&again), mark(&back));
        again.run_until(END);
        assert_eq!(mark(&again), mark(&first));
    });
}

#[test]
fn a_step_moves_by_one_instant_that_has_an_event_and_ends_at_the_horizon() {
    let case = Case::oracle(4).seconds(5).faults("crash:w-04@1s..2s,lie:w-02@1s");
    let mut whole = case.start();
    whole.run_until(Instant::MAX);
    let mut instants: Vec<Instant> = whole.trace().records().map(|r| r.at).collect();
    instants.dedup();
    let mut run = case.start();
    let mut seen = Vec::new();
    while run.step() {
        seen.push(run.now());
    }
    assert_eq!(seen, instants);
    assert_eq!((run.now(), mark(&run)), (at(5_000), mark(&whole)));
    assert!(!run.step());
}

#[test]
fn time_stops_at_the_horizon() {
    let mut run = fresh(&Case::oracle(1).seconds(3).scenario);
    run.run_until(Instant::MAX);
    assert_eq!(run.now(), at(3_000));
    let before = mark(&run);
    assert!(!run.run_instant(Instant::MAX) && !run.step());
    run.run_until(at(10_000));
    assert_eq!((run.now(), mark(&run)), (at(3_000), before));
    let error = run.inject("crash:w-01").unwrap_err();
    assert_eq!(error.field, "at_ms");
}

#[test]
fn a_dropped_run_is_freed() {
    let mut run = fresh(&Case::oracle(1).scenario);
    run.run_until(at(5_000));
    // What a role holds lives as long as the network, which all roles hold too.
    let held = Rc::new(());
    let weak = Rc::downgrade(&held);
    let probe = run.net().add_node("probe");
    run.net().set_role(probe, move |_| {
        let _held = Rc::clone(&held);
        Box::pin(std::future::pending())
    });
    run.net().start(probe);
    run.run_until(at(6_000));
    assert!(weak.upgrade().is_some());
    drop(run);
    assert!(weak.upgrade().is_none(), "seeking back and forth would eat all memory");
}

// --- actions ------------------------------------------------------------------------------------------------------

/// Does something random at a random instant, as a person would.
fn act(run: &mut Run, rng: &mut Rng) {
    let worker = 1 + rng.below(12);
    match rng.below(10) {
        0 => drop(run.inject(&format!("crash:w-{worker:02}")).unwrap()),
        1 => drop(run.inject(&format!("slow:w{worker}=5")).unwrap()),
        2 => drop(run.inject("cut:coordinator~2?").unwrap_err()),
        3 => drop(run.inject("lie:3?=+18%").unwrap()),
        4 => drop(run.inject(&format!("stop:w-{worker:02}@..59s")).unwrap()),
        5 => drop(run.inject("restart:coordinator").unwrap()),
        6 => {
            let url = format!("http://localhost:{}/health", 8080 + worker);
            let request = glasshive::substrate::http::Request::get(url.parse().unwrap());
            run.call(&request).unwrap();
        }
        7 | 8 => {
            // Whatever it is: one that does not hold is refused, and so it will be in a replay.
            let fault = rng.below(1 + run.faults().len() as u64) as usize;
            let _ = run.lift(fault);
        }
        _ => drop(call(run, "GET", "http://localhost:8080/workers", "")),
    }
}

#[test]
fn replaying_the_action_log_gives_the_live_run() {
    for_seeds("determinism", 0..25, |seed| {
        let mut rng = Rng::new(seed ^ 0xac7);
        let mut live = fresh(&Case::oracle(seed).faults("crash:w-12@30s").scenario);
        for _ in 0..12 {
            let pause = at(live.now().as_nanos() / 1_000_000 + rng.below(4_000));
            in_pieces(&mut live, pause, &mut rng);
            // A restart of the coordinator breaks a call of the test's own, so the answer may be an error.
            if rng.chance(0.9) {
                act_safely(&mut live, &mut rng);
            }
        }
        live.run_until(END);
        assert!(live.scenario().actions.len() > 3);
        let replay = played(live.scenario(), END);
        assert_eq!(mark(&replay), mark(&live));
        assert!(replay.faults().eq(live.faults()), "other faults");
        // And as a file.
        let text = serde_json::to_string(live.scenario()).unwrap();
        assert_eq!(mark(&played(&Scenario::from_json(&text).unwrap(), END)), mark(&live));
        for index in 0..live.scenario().actions.len() {
            assert_eq!(replay.answer(index), live.answer(index), "action {index}");
        }
    });
}

fn act_safely(run: &mut Run, rng: &mut Rng) {
    if run.net().is_up(glasshive::lab::oracle::of(run.system()).unwrap().oracle().coordinator()) {
        act(run, rng);
    }
}

#[test]
fn an_action_takes_effect_at_the_next_whole_millisecond() {
    let mut run = fresh(&Case::oracle(2).scenario);
    run.run_until(Instant::from_nanos(5_000_400_000));
    let act = run.inject("crash:w-04").unwrap();
    assert_eq!((act.at, act.index, run.now()), (at(5_001), 0, at(5_001)));
    assert!(!run.net().is_up(run.net().find("w-04").unwrap()), "it holds at once");
    // On a whole millisecond its events have happened, so it is the next one.
    let act = run.inject("restart:w-04").unwrap();
    assert_eq!((act.at, act.index), (at(5_002), 1));
    let times: Vec<Instant> = run.scenario().actions.iter().map(Action::at).collect();
    assert_eq!(times, [at(5_001), at(5_002)]);
}

#[test]
fn what_is_not_allowed_leaves_the_run_as_it_was() {
    let mut run = fresh(&Case::oracle(2).scenario);
    run.run_until(at(5_000));
    let before = (mark(&run), run.now(), run.scenario().clone());
    for spec in ["crash:w-99", "melt:w-01", "crash", "lie:client", "slow:w-01@..2s", "crash:13?", ""] {
        let error = run.inject(spec).unwrap_err();
        assert!(!error.allowed.is_empty(), "{spec:?}: {error}");
    }
    assert_eq!((mark(&run), run.now(), run.scenario().clone()), before);
    run.run_until(END);
    assert_eq!(mark(&run), mark(&played(&before.2, END)));
}

#[test]
fn what_is_not_allowed_in_the_past_leaves_the_old_future() {
    let mut live = fresh(&Case::oracle(2).scenario);
    live.run_until(at(20_000));
    live.inject("crash:w-01").unwrap();
    live.run_until(END);
    let mut back = played(live.scenario(), at(10_000));
    assert_eq!(back.inject("melt:w-01").unwrap_err().field, "faults");
    assert_eq!(back.scenario(), live.scenario());
    back.run_until(END);
    assert_eq!(mark(&back), mark(&live));
}

#[test]
fn only_a_fault_that_holds_can_be_lifted() {
    let mut run = fresh(&Case::oracle(3).faults("cut:w-01@2s..9s,slow:w-02@30s=4,lie:w-03@1s=1").scenario);
    let refused = |run: &mut Run, fault| run.lift(fault).unwrap_err().field;
    run.run_until(at(1_500));
    assert_eq!(refused(&mut run, 0), "fault", "it has not begun");
    run.run_until(at(12_000));
    assert_eq!(refused(&mut run, 0), "fault", "it is over");
    assert_eq!(refused(&mut run, 1), "fault", "it has not begun");
    assert_eq!(refused(&mut run, 3), "fault", "there is none");
    let w03 = run.net().find("w-03").unwrap();
    assert!(glasshive::lab::oracle::of(run.system()).unwrap().oracle().lie_of(w03).is_some());
    run.lift(2).unwrap();
    assert_eq!(glasshive::lab::oracle::of(run.system()).unwrap().oracle().lie_of(w03), None);
    assert_eq!(refused(&mut run, 2), "fault", "it was lifted before");
    run.inject("cut:w-04").unwrap();
    assert_eq!(run.net().rules().len(), 1);
    run.lift(3).unwrap();
    assert_eq!(run.net().rules().len(), 0);
    run.run_until(END);
    assert_eq!(mark(&run), mark(&played(run.scenario(), END)));
    assert!(run.scenario().actions.len() == 3 && run.net().rules().len() == 1, "the slow one holds");
}

#[test]
fn acting_in_the_past_cuts_the_log_and_the_old_future() {
    for_seeds("determinism", 0..10, |seed| {
        let mut live = fresh(&Case::oracle(seed).scenario);
        for (at_ms, spec) in
            [(5_000, "crash:3?"), (20_000, "crash:coordinator@..22s"), (30_000, "lie:w-02=1")]
        {
            live.run_until(at(at_ms));
            live.inject(spec).unwrap();
        }
        call(&mut live, "GET", "http://localhost:8080/health", "");
        live.run_until(END);
        // Back to 10 s, where something else is done than the first time.
        let mut other = played(live.scenario(), at(10_000));
        let act = other.inject("slow:2?=10").unwrap();
        assert_eq!(act.index, 1);
        let specs: Vec<&str> = other
            .scenario()
            .actions
            .iter()
            .map(|action| match action {
                Action::Fault { fault, .. } => fault.as_str(),
                Action::Call { url, .. } => url.as_str(),
                Action::Lift { .. } | Action::Scale { .. } => "another",
            })
            .collect();
        assert_eq!(specs, ["crash:3?", "slow:2?=10"]);
        other.run_until(END);
        assert!(other.answer(3).is_none(), "a call of the old future was made");
        assert_eq!(mark(&other), mark(&played(other.scenario(), END)), "the old future still happened");
    });
}

#[test]
fn acting_in_the_past_only_cuts_the_agenda() {
    for_seeds("determinism", 0..25, |seed| {
        let mut rng = Rng::new(seed ^ 0xf0);
        let case = Case::oracle(seed).faults("crash:w-12@30s..40s,slow:w-11@5s..50s=3,cut:w-10@20s");
        let mut live = fresh(&case.scenario);
        for _ in 0..10 {
            let pause = at(live.now().as_nanos() / 1_000_000 + rng.below(4_000));
            live.run_until(pause);
            act_safely(&mut live, &mut rng);
        }
        // The same with all of that still to come, and another that lags behind it.
        let mut back = fresh(live.scenario());
        let mut lagging = fresh(live.scenario());
        for _ in 0..3 {
            back.run_until(back.now() + Duration::from_millis(rng.below(9_000)));
            let system = std::ptr::from_ref(back.system()).cast::<u8>();
            act_safely(&mut back, &mut rng);
            assert_eq!(std::ptr::from_ref(back.system()).cast::<u8>(), system, "the run was built anew");
            assert!(lagging.adopt(&back.scenario().actions));
            assert!(lagging.faults().eq(back.faults()), "other faults");
            let before = lagging.now();
            lagging.run_until(before + back.now().since(before).scale(rng.unit()));
        }
        back.run_until(END);
        lagging.run_until(END);
        let replay = played(back.scenario(), END);
        assert!(replay.faults().eq(back.faults()), "other faults");
        assert_eq!(mark(&back), mark(&replay), "the old future still happened");
        assert_eq!(mark(&lagging), mark(&replay), "the run that lagged behind");
        assert!(!lagging.adopt(&[]) || replay.scenario().actions.is_empty(), "it has happened");
    });
}
