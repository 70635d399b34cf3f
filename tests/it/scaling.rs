//! Scaling while a system runs: an act in the log of every system, up and down, that can be taken back, is in the address, goes
//! along to another program, and changes nothing of what was before it.

use super::support::{Case, act, go, node, records};
use glasshive::app::session::{Address, Command, Handed, Log, Session};
use glasshive::kernel::Instant;
use glasshive::lab::report::Report;
use glasshive::lab::{Action, Options, Run, Scenario, presets};
use glasshive::net::{NODE_CRASHED, NODE_STARTED, NODE_STOPPED, NodeId};
use serde_json::json;

/// Each system, what is scaled in it, to how many, and who is new then.
const SYSTEMS: [(&str, &str, u32, &[&str]); 4] = [
    ("oracle-http", "workers", 14, &["w-13", "w-14"]),
    ("oracle-nats", "workers", 14, &["w-13", "w-14"]),
    ("math-wizard", "containers", 5, &["c-04", "c-05"]),
    ("config", "agents", 5, &["a-04", "a-05"]),
];

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn session(preset: &str) -> Session {
    opened(Scenario::preset(preset, 3))
}

/// Without the scenario's own faults.
fn calm(preset: &str) -> Session {
    opened(Scenario { faults: Some(String::new()), ..Scenario::preset(preset, 3) })
}

fn opened(scenario: Scenario) -> Session {
    let mut session = Session::open(scenario, 1.0).unwrap();
    session.apply(Command::Pause).unwrap();
    go(&mut session, 20_000.0);
    session
}

fn hash(session: &Session) -> (Instant, String) {
    (session.run().now(), session.run().trace_hash())
}

fn many(run: &Run, key: &str) -> u64 {
    let setting = run.settings().iter().find(|setting| setting.key == key).unwrap();
    setting.value.as_u64().unwrap()
}

fn is_up(run: &Run, name: &str) -> bool {
    run.net().find(name).is_some_and(|node| run.net().is_up(node))
}

/// The names of the nodes to which something happened, with when.
fn happened(run: &Run, kind: glasshive::kernel::Kind) -> Vec<(String, f64)> {
    let of = |record: &glasshive::kernel::Record| {
        (run.net().name(NodeId(record.node)).to_string(), record.at.as_millis_f64())
    };
    records(run, kind).iter().map(of).collect()
}

fn played(scenario: &Scenario, until: Instant) -> Run {
    let mut run = Run::new(scenario, Options::default()).unwrap();
    run.run_until(until);
    run
}

#[test]
fn in_every_system_an_act_adds_to_what_runs_and_nothing_before_it_changes() {
    for (preset, key, to, new) in SYSTEMS {
        let mut session = session(preset);
        let (before, said) = (hash(&session), many(session.run(), key));
        act(&mut session, Command::Scale { to });
        assert_eq!(session.run().now(), at(20_001), "{preset}");
        assert_eq!(many(session.run(), key), u64::from(to));
        assert!(new.iter().all(|name| is_up(session.run(), name)), "{preset}");
        let log = serde_json::to_value(session.log()).unwrap();
        let last = log["entries"].as_array().unwrap().last().unwrap();
        assert_eq!(last["command"], json!({"kind": "scale", "to": to}), "{preset}");
        assert_eq!(session.run().scenario().actions, [Action::Scale { at_ms: 20_001, to }]);
        // The run that has room for them is the same until then.
        go(&mut session, 20_000.0);
        assert_eq!((hash(&session), many(session.run(), key)), (before.clone(), said), "{preset}");
        assert!(new.iter().all(|name| !is_up(session.run(), name)));
        go(&mut session, 35_000.0);
        let after = hash(&session);
        assert_eq!(played(session.run().scenario(), at(35_000)).trace_hash(), after.1, "{preset}");
        for name in new {
            let started = happened(session.run(), NODE_STARTED);
            let own: Vec<_> = started.iter().filter(|(other, _)| other == name).collect();
            assert_eq!(own, [&((*name).to_owned(), 20_001.0)], "{preset}");
            let done = session
                .run()
                .trace()
                .records()
                .filter(|record| record.node == node(session.run(), name))
                .count();
            assert!(done > 5, "{preset}: {name} does nothing");
        }
        assert!(Report::of(session.run()).ok(), "{preset}");
        // What a report calls its scenario is the same run.
        assert_eq!(played(&session.run().spelled_out(), at(35_000)).trace_hash(), after.1, "{preset}");
        // Back, and forth again.
        act(&mut session, Command::Undo);
        assert_eq!((hash(&session), many(session.run(), key)), (before, said), "{preset}");
        act(&mut session, Command::Redo);
        assert_eq!((hash(&session), many(session.run(), key)), (after, u64::from(to)), "{preset}");
        // The log done anew, from its text.
        let log: Log = serde_json::from_str(&serde_json::to_string(session.log()).unwrap()).unwrap();
        let anew = Session::replay(&log, session.run().now()).unwrap();
        assert_eq!((hash(&anew), anew.run().scenario()), (hash(&session), session.run().scenario()));
    }
}

#[test]
fn the_last_ones_are_asked_to_end_and_come_back_when_they_are_wanted_again() {
    for (preset, key, _, _) in SYSTEMS {
        let mut session = calm(preset);
        let said = many(session.run(), key);
        act(&mut session, Command::Scale { to: 2 });
        // There are nodes enough: nothing is built anew, and time stands at the act.
        assert_eq!((session.run().now(), many(session.run(), key)), (at(20_001), 2), "{preset}");
        go(&mut session, 30_000.0);
        let (prefix, run) = (&key[..1], session.run());
        for i in 1..=said {
            assert_eq!(is_up(run, &format!("{prefix}-{i:02}")), i <= 2, "{preset}: {i}");
        }
        let stopped = happened(run, NODE_STOPPED);
        assert!((3..=said).all(|i| stopped.iter().any(|(name, _)| *name == format!("{prefix}-{i:02}"))));
        assert_eq!(happened(run, NODE_CRASHED), [], "{preset}");
        act(&mut session, Command::Scale { to: said as u32 });
        go(&mut session, 40_000.0);
        assert!((1..=said).all(|i| is_up(session.run(), &format!("{prefix}-{i:02}"))), "{preset}");
        assert!(Report::of(session.run()).ok(), "{preset}");
    }
}

#[test]
fn scaled_down_by_an_act_the_math_wizard_loses_no_job() {
    for seed in 1..=5 {
        let mut case = Case::preset("math-wizard", seed).faults("").seconds(60);
        case.scenario.actions =
            vec![Action::Scale { at_ms: 10_000, to: 1 }, Action::Scale { at_ms: 40_000, to: 4 }];
        case.check(|run| {
            let report = Report::of(run);
            assert_eq!(report.summary["counts"]["lost"], 0, "nobody dies with a job in hand");
            assert!(report.ok());
            let handled = |name: &str| report.summary["containers"][name]["handled"].as_u64().unwrap();
            assert!(handled("c-04") > 3, "{}", report.summary["containers"]);
            let down = |name: &str| {
                let ended =
                    happened(run, NODE_STOPPED).into_iter().find(|(other, _)| other == name).unwrap().1;
                ended - 10_000.0
            };
            // Whoever had a job in hand took the time to finish it.
            assert!(["c-02", "c-03"].iter().any(|name| down(name) > 0.0), "seed {seed}");
        });
    }
}

#[test]
fn a_scaling_has_an_end_in_a_list_and_what_ends_elsewhere_brings_nobody_back() {
    let base = Case::preset("oracle-http", 5).seconds(30);
    let up = |run: &Run| (1..=12).filter(|i| is_up(run, &format!("w-{i:02}"))).collect::<Vec<u32>>();
    let faults = "scale:workers@10s..20s=5,crash:w-12@8s..12s,crash:w-02@15s,stop:w-11@9s..13s";
    let mut run = base.clone().faults(faults).start();
    run.run_until(at(18_000));
    assert_eq!((up(&run), many(&run, "workers")), (vec![1, 3, 4, 5], 5));
    run.run_until(at(25_000));
    // Whom a fault keeps down stays down.
    assert_eq!((up(&run), many(&run, "workers")), (vec![1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 12));
    // The last that began counts; after all of them it is as the settings say.
    let mut run = base.faults("scale:workers@5s..25s=8,scale:workers@10s..15s=3").start();
    let counts = [7_000, 14_000, 17_000, 27_000].map(|ms| {
        run.run_until(at(ms));
        (many(&run, "workers"), up(&run).len())
    });
    assert_eq!(counts, [(8, 8), (3, 3), (8, 8), (12, 12)]);
    // Down and up again before anybody has finished: nobody is cut off in the middle.
    let quick = "scale:containers@10s..10005ms=1";
    Case::preset("math-wizard", 2).faults(quick).seconds(40).check(|run| {
        assert_eq!(happened(run, NODE_CRASHED), []);
        assert!((1..=3).all(|i| is_up(run, &format!("c-{i:02}"))));
        assert_eq!(Report::of(run).summary["counts"]["lost"], 0);
    });
    // Down, up and down again meanwhile: who has finished stays away.
    let twice = "scale:containers@10s=1,scale:containers@10005ms=3,scale:containers@10010ms=1";
    Case::preset("math-wizard", 2).faults(twice).seconds(40).check(|run| {
        assert!(is_up(run, "c-01") && !is_up(run, "c-02") && !is_up(run, "c-03"));
    });
}

#[test]
fn what_is_not_allowed_is_named_with_its_range_and_changes_nothing() {
    for (preset, key, most) in
        [("oracle-http", "workers", 10_000), ("math-wizard", "containers", 50), ("config", "agents", 500)]
    {
        let mut session = session(preset);
        let before = (hash(&session), session.log().clone(), session.run().scenario().clone());
        for to in [0, most + 1, u32::MAX] {
            let error = session.apply(Command::Scale { to }).unwrap_err().to_string();
            let range = format!("a whole number from 1 to {most}");
            assert!(
                error.contains("scale") && error.contains(&to.to_string()) && error.contains(&range),
                "{error}"
            );
        }
        let other = if key == "agents" { "workers" } else { "agents" };
        for (spec, part) in [
            (format!("scale:{key}=2.5"), "a whole number"),
            (format!("scale:{other}=2"), key),
            (format!("scale:{key}"), "how many"),
            ("scale:2?=3".to_owned(), key),
        ] {
            let error = session.apply(Command::Fault { fault: spec.clone() }).unwrap_err().to_string();
            assert!(error.contains(part), "{spec}: {error}");
        }
        assert_eq!(
            (hash(&session), session.log().clone(), session.run().scenario().clone()),
            before,
            "{preset}"
        );
    }
    for (text, part) in [
        ("{\"kind\":\"scale\"}", "to is missing"),
        ("{\"kind\":\"scale\",\"to\":\"5\"}", "to is to be a whole number"),
        ("{\"kind\":\"scale\",\"to\":5,\"of\":1}", "of is no field"),
    ] {
        let error = serde_json::from_str::<Command>(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
    assert_eq!(
        serde_json::from_str::<Command>("{\"kind\":\"scale\",\"to\":5}").unwrap(),
        Command::Scale { to: 5 }
    );
}

#[test]
fn the_address_has_it_and_another_program_takes_it_over() {
    for (preset, key, to, _) in SYSTEMS {
        let mut session = session(preset);
        act(&mut session, Command::Scale { to });
        go(&mut session, 30_000.0);
        let search = session.address().search();
        assert!(search.contains(&format!("scale:{key}@20.001s={to}")), "{search}");
        let scenario = Address::parse(&search).unwrap().0.scenario();
        assert_eq!(played(&scenario, at(30_000)).trace_hash(), hash(&session).1, "{preset}");
        // As it goes from program to program.
        let handed = serde_json::to_string(&session.hand_over().unwrap()).unwrap();
        let handed: Handed = serde_json::from_str(&handed).unwrap();
        let mut other = Session::follow(&handed).unwrap();
        assert!(other.catch_up(&handed, || true).unwrap());
        assert_eq!(
            (hash(&other), other.log(), other.settings()),
            (hash(&session), session.log(), session.settings())
        );
        // It can be moved, as any fault, and what comes of it is a person's own.
        let scaling = format!("scale:{key}@20.001s={to}");
        act(
            &mut session,
            Command::Edit { fault: scaling.clone(), to: Some(format!("scale:{key}@22s={to}")) },
        );
        assert_eq!(session.run().scenario().own.as_deref(), Some(&*format!("scale:{key}@22s={to}")));
        assert_eq!((session.run().scenario().actions.len(), many(session.run(), key)), (0, u64::from(to)));
        act(&mut session, Command::Switch { fault: format!("scale:{key}@22s={to}") });
        assert_eq!(
            played(&Scenario::preset(preset, 3), at(30_000)).trace_hash(),
            hash(&session).1,
            "{preset}"
        );
    }
}

#[test]
fn room_for_more_changes_no_shipped_run_before_they_come() {
    for preset in presets::all() {
        // Who lies is drawn among those who are there at first.
        let lies: &[f64] = if preset.name.starts_with("oracle") { &[0.0, 0.3] } else { &[0.0] };
        for &lie in lies {
            let mut plain = Scenario::preset(preset.name, 7);
            if lie > 0.0 {
                plain.set.insert("lie".to_owned(), json!(lie));
            }
            let run = played(&plain, at(6_000));
            let room = run.system().scaled().1.len() as u32 + 3;
            let with = Scenario { actions: vec![Action::Scale { at_ms: 6_001, to: room }], ..plain };
            let Ok(mut other) = Run::new(&with, Options::default()) else {
                panic!("{}: {room} are too many", preset.name);
            };
            other.run_until(at(6_000));
            assert_eq!(other.trace_hash(), run.trace_hash(), "{} {lie}", preset.name);
        }
    }
}

#[test]
fn who_acts_in_the_past_of_a_scaling_acts_in_a_run_without_it() {
    for (preset, _, to, new) in SYSTEMS {
        let mut session = session(preset);
        act(&mut session, Command::Scale { to });
        go(&mut session, 30_000.0);
        go(&mut session, 10_000.0);
        let before = (hash(&session), session.run().scenario().clone());
        // Who comes later cannot be broken yet, and trying changes nothing.
        let error = session.apply(Command::Fault { fault: format!("cut:{}", new[0]) }).unwrap_err();
        assert!(error.to_string().contains(new[0]), "{error}");
        assert_eq!((hash(&session), session.run().scenario().clone()), before, "{preset}");
        act(&mut session, Command::Fault { fault: "cut:2?@..15s".to_owned() });
        go(&mut session, 30_000.0);
        assert!(new.iter().all(|name| session.run().net().find(name).is_none()), "{preset}");
        assert_eq!(played(session.run().scenario(), at(30_000)).trace_hash(), hash(&session).1, "{preset}");
        act(&mut session, Command::Undo);
        go(&mut session, 30_000.0);
        assert!(new.iter().all(|name| is_up(session.run(), name)), "{preset}");
        // Fewer than there were to be: there is room for as many as that, and not for more.
        go(&mut session, 12_000.0);
        act(&mut session, Command::Scale { to: to - 1 });
        assert_eq!((session.run().now(), session.run().net().find(new[1])), (at(12_001), None), "{preset}");
        assert!(is_up(session.run(), new[0]));
    }
}
