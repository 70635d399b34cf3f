//! Faults are moved, changed, switched off and removed: each is an act that can be taken back, in the log and in the address,
//! and it leaves another future where it is in the past.

use super::support::{act, go};
use glasshive::app::session::{Address, Command, Session};
use glasshive::kernel::Instant;
use glasshive::lab::fault::format_list;
use glasshive::lab::{Action, Options, Run, Scenario};

const CRASH: &str = "crash:w-04@8s";
const LIE: &str = "lie:w-09@11s=0.18";

fn session() -> Session {
    let mut session = Session::open(Scenario::preset("oracle-http", 31), 1.0).unwrap();
    session.apply(Command::Pause).unwrap();
    session
}

fn edit(session: &mut Session, fault: &str, to: Option<&str>) {
    act(session, Command::Edit { fault: fault.to_owned(), to: to.map(str::to_owned) });
}

fn switch(session: &mut Session, fault: &str) {
    act(session, Command::Switch { fault: fault.to_owned() });
}

fn faults(session: &Session) -> String {
    format_list(session.run().faults())
}

#[test]
fn a_fault_of_the_scenario_is_moved_is_a_persons_own_and_is_the_scenarios_again() {
    let mut session = session();
    let plain = session.run().scenario().clone();
    edit(&mut session, CRASH, Some("crash:w-04@8.1s"));
    assert_eq!(faults(&session), "lie:w-09@11s=0.18,crash:w-04@8.1s");
    assert!(!session.run().is_by_hand(0) && session.run().is_by_hand(1));
    assert_eq!(
        session.address().search(),
        "?preset=oracle-http&seed=31&faults=lie:w-09@11s=0.18,crash:w-04@8.1s"
    );
    edit(&mut session, "crash:w-04@8.1s", Some("crash:w4@8000ms"));
    assert_eq!(session.run().scenario(), &plain);
    assert_eq!(session.address().search(), "");
    // Both are one act, since nothing was done in between.
    act(&mut session, Command::Undo);
    assert!(!session.status().can_undo);
}

#[test]
fn a_fault_is_switched_off_and_on_and_is_known_meanwhile() {
    let mut session = session();
    let plain = session.run().scenario().clone();
    switch(&mut session, LIE);
    assert_eq!((faults(&session).as_str(), format_list(&session.run().off_faults()).as_str()), (CRASH, LIE));
    let search = session.address().search();
    assert!(search.ends_with("&faults=crash:w-04@8s&off=lie:w-09@11s=0.18"), "{search}");
    assert_eq!(Address::parse(&search).unwrap().0.scenario(), *session.run().scenario());
    // It can be changed while it is off.
    edit(&mut session, LIE, Some("lie:w-09@12s=0.2"));
    assert_eq!(session.branches(), 1);
    edit(&mut session, "lie:w-09@12s=0.2", Some(LIE));
    switch(&mut session, LIE);
    assert_eq!(session.run().scenario(), &plain);
    switch(&mut session, CRASH);
    switch(&mut session, LIE);
    assert_eq!(faults(&session), "");
    switch(&mut session, LIE);
    switch(&mut session, CRASH);
    assert_eq!(session.run().scenario(), &plain, "in their own order, however they came back");
}

#[test]
fn what_was_done_by_hand_is_changed_and_removed_too_and_the_ends_of_others_stay() {
    let mut session = session();
    go(&mut session, 3_000.0);
    for fault in ["slow:w-01", "cut:w-02", "drop:w-03"] {
        act(&mut session, Command::Fault { fault: fault.to_owned() });
    }
    go(&mut session, 5_000.0);
    // The one in the middle, and the last.
    for fault in [3, 4] {
        act(&mut session, Command::Lift { fault });
    }
    let ended = "cut:w-02@3.002s..5.001s";
    let all = format!("{CRASH},{LIE},slow:w-01@3.001s=4,{ended},drop:w-03@3.003s..5.002s=0.2");
    assert_eq!(faults(&session), all);
    go(&mut session, 15_000.0);
    let known = session.run().trace_hash();
    // A new value for the first; its place is before those by hand then.
    edit(&mut session, "slow:w-01@3.001s=4", Some("slow:w-01@3.001s=2"));
    let all = format!("{CRASH},{LIE},slow:w-01@3.001s=2,{ended},drop:w-03@3.003s..5.002s=0.2");
    assert_eq!(faults(&session), all);
    let lifted = |session: &Session| -> Vec<usize> {
        let actions = session.run().scenario().actions.iter();
        actions
            .filter_map(|action| if let Action::Lift { fault, .. } = action { Some(*fault) } else { None })
            .collect()
    };
    assert_eq!(lifted(&session), [3, 4]);
    edit(&mut session, CRASH, None);
    assert_eq!(lifted(&session), [2, 3]);
    // Who removes what was ended removes its end, too.
    edit(&mut session, ended, None);
    assert_eq!(faults(&session), format!("{LIE},slow:w-01@3.001s=2,drop:w-03@3.003s..5.002s=0.2"));
    assert_eq!(lifted(&session), [2]);
    for _ in 0..3 {
        act(&mut session, Command::Undo);
    }
    assert_eq!(session.run().trace_hash(), known);
}

#[test]
fn to_change_what_has_been_is_a_fork_and_to_change_what_is_to_come_is_none() {
    let mut session = session();
    go(&mut session, 9_000.0);
    let before = session.run().trace_hash();
    edit(&mut session, LIE, Some("lie:w-09@12s=0.18"));
    assert_eq!((session.branches(), session.run().trace_hash()), (1, before.clone()));
    edit(&mut session, CRASH, Some("crash:w-04@8s..20s"));
    assert_eq!(session.branches(), 1, "only its end is another one");
    act(&mut session, Command::Undo);
    act(&mut session, Command::Undo);
    assert_eq!((faults(&session), session.run().trace_hash()), (format!("{CRASH},{LIE}"), before));

    go(&mut session, 15_000.0);
    let known = session.run().trace_hash();
    switch(&mut session, CRASH);
    assert_eq!((session.branches(), session.status().left_at_ms), (2, Some(8_000.0)));
    assert_eq!(session.left_run().map(Run::trace_hash), Some(known.clone()));
    let changed = session.run().trace_hash();
    assert_ne!(changed, known);
    act(&mut session, Command::Undo);
    assert_eq!((session.branches(), session.run().trace_hash()), (1, known.clone()));
    act(&mut session, Command::Redo);
    assert_eq!(
        (session.branches(), session.run().trace_hash()),
        (2, changed),
        "what was left is known still"
    );
    act(&mut session, Command::Undo);

    // Moved from the future into the past, step by step: what is left is the run before the first step.
    edit(&mut session, LIE, Some("lie:w-09@16s=0.18"));
    act(&mut session, Command::DropOld);
    let known = session.run().trace_hash();
    act(&mut session, Command::Step);
    let at = session.run().now();
    for (from, to) in [("16s", "15.5s"), ("15.5s", "14s"), ("14s", "13s")] {
        edit(&mut session, &format!("lie:w-09@{from}=0.18"), Some(&format!("lie:w-09@{to}=0.18")));
    }
    assert_eq!((session.run().now(), session.status().left_at_ms), (at, Some(13_000.0)));
    let left = session.left_run().unwrap();
    assert!(left.now() == at && format_list(left.faults()).contains("@16s"));
    act(&mut session, Command::Undo);
    assert_eq!(session.run().now(), at);
    assert!(faults(&session).contains("lie:w-09@16s") && session.run().trace_hash() != known);
}

#[test]
fn a_fork_says_what_was_changed_of_the_past() {
    type Act = (Command, &'static str);
    let edit = |fault: &str, to: Option<&str>| Command::Edit { fault: fault.into(), to: to.map(Into::into) };
    let acts: [Act; 9] = [
        (edit(CRASH, Some("crash:w-04@9s")), "w-04 down from 9.0 s, not 8.0 s"),
        (edit(CRASH, Some("crash:w-04@8s..12s")), "w-04 down until 12.0 s, not the end"),
        (edit(LIE, Some("lie:w-09@11s=0.3")), "w-09 lies by 0.3, not 0.18"),
        (edit(CRASH, Some("slow:w-05@8s=3")), "w-05 slow, in place of w-04 down"),
        (edit(LIE, None), "w-09 lies: removed"),
        (Command::Switch { fault: LIE.into() }, "w-09 lies: off"),
        (Command::Fault { fault: "cut:w-01".into() }, "w-01 cut off"),
        (Command::Lift { fault: 0 }, "w-04 down until 13.0 s, not the end"),
        (
            Command::Call {
                method: "GET".into(),
                url: "http://localhost:8080/health".into(),
                headers: Vec::new(),
                body: String::new(),
                times: 1,
            },
            "",
        ),
    ];
    for (command, says) in acts {
        let mut session = session();
        go(&mut session, 15_000.0);
        go(&mut session, 13_000.0);
        assert_eq!(session.changed(), None);
        act(&mut session, command.clone());
        assert_eq!(session.branches(), 2, "{command:?}");
        assert_eq!(session.changed().unwrap_or_default(), says, "{command:?}");
        // What the schedule has is not told to whoever hides the truth.
        session.show_truth(false);
        let own = matches!(command, Command::Fault { .. });
        assert!(own || !session.changed().unwrap_or_default().contains("not"), "{command:?}");
    }
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_changed() {
    let mut session = session();
    go(&mut session, 9_000.0);
    for (to, says) in [
        ("crash:w-04@8s=2", "faults: 2 is not allowed; allowed: no value, since crash takes none"),
        ("crash:w-99@8s", "faults: w-99 is not allowed; allowed: "),
        ("lie:w-04@8s=11", "faults: 11 is not allowed; allowed: for lie a number from -0.99 to 10"),
        ("crash:w-04@400s", "faults: 6m40s is not allowed; allowed: a start before the horizon of 5m0s"),
        ("crash:w-04@..7s", "faults: crash:w-04@8s..7s is not allowed; allowed: an end after the start"),
        ("", "faults: "),
    ] {
        let before = (session.run().scenario().clone(), session.run().trace_hash(), session.log().clone());
        let edit = Command::Edit { fault: CRASH.to_owned(), to: Some(to.to_owned()) };
        let error = session.apply(edit).unwrap_err().to_string();
        assert!(error.starts_with(says), "{to}: {error}");
        assert_eq!(
            (session.run().scenario().clone(), session.run().trace_hash(), session.log().clone()),
            before
        );
    }
    let gone = Command::Switch { fault: "crash:w-05@8s".to_owned() };
    assert!(session.apply(gone).unwrap_err().to_string().contains("one of the run's faults"));
    // Without a start it keeps the one that it has.
    edit(&mut session, CRASH, Some("slow:w-04=3"));
    assert!(faults(&session).contains("slow:w-04@8s=3"));
}

#[test]
fn a_number_goes_back_to_the_scenarios() {
    let mut session = session();
    go(&mut session, 9_000.0);
    let before = session.run().trace_hash();
    let set = |value| Command::Set { key: "workers".to_owned(), value };
    act(&mut session, set(20.into()));
    go(&mut session, 9_500.0);
    act(&mut session, set(serde_json::Value::Null));
    assert_eq!(session.address().search(), "");
    go(&mut session, 9_000.0);
    assert_eq!(session.run().trace_hash(), before);
    act(&mut session, Command::Undo);
    assert!(session.address().search().ends_with("&workers=20"));
}

#[test]
fn while_the_truth_is_hidden_a_link_has_the_numbers_that_are_no_secret() {
    let mut session = session();
    for (key, value) in
        [("workers", 20.into()), ("lie", 0.3.into()), ("lie-bias", 0.5.into()), ("timeout", "1s".into())]
    {
        act(&mut session, Command::Set { key: key.to_owned(), value });
    }
    switch(&mut session, CRASH);
    session.show_truth(false);
    let search = session.address().search();
    assert!(
        search.starts_with("?truth=0&s=") && search.ends_with("&seed=31&timeout=1s&workers=20"),
        "{search}"
    );
    let (address, unknown) = Address::parse(&search).unwrap();
    assert_eq!((&address, unknown.len()), (session.address(), 0));
}

#[test]
fn a_scenario_file_keeps_what_is_off_and_what_is_ones_own() {
    let mut scenario = Scenario::preset("oracle-http", 31);
    scenario.own = Some("cut:w-01@3s..4s".to_owned());
    scenario.off = Some(CRASH.to_owned());
    let text = serde_json::to_string(&scenario).unwrap();
    assert_eq!(Scenario::from_json(&text).unwrap(), scenario);
    let mut run = Run::new(&scenario, Options::default()).unwrap();
    run.run_until(Instant::from_millis(3_500));
    assert!(run.is_by_hand(2) && run.faults().len() == 3);
    scenario.off = Some("crash".to_owned());
    assert!(scenario.validate().is_err());
}
