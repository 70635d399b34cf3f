//! Sessions, driven by frames of made-up budgets.

use super::*;
use crate::lab::fault::FaultKind;

fn session() -> Session {
    let mut session = Session::open(Scenario::preset("oracle-http", 7), 1.0).unwrap();
    session.apply(Command::Pause).unwrap();
    session
}

fn seek(session: &mut Session, at_ms: f64) {
    session.apply(Command::Seek { at_ms }).unwrap();
    arrive(session);
}

fn arrive(session: &mut Session) {
    while session.status().state == PlayerState::Replaying {
        session.frame(16.0, || false);
    }
}

fn fault(spec: &str) -> Command {
    Command::Fault { fault: spec.to_owned() }
}

fn vtime(session: &Session) -> f64 {
    session.snapshot().vtime_ms
}

#[test]
fn a_replay_is_not_shown_until_it_arrives() {
    let mut session = session();
    seek(&mut session, 50_000.0);
    session.apply(Command::Seek { at_ms: 20_000.0 }).unwrap();
    let mut frames = 0;
    while session.status().state == PlayerState::Replaying {
        assert_eq!(vtime(&session), 50_000.0);
        assert!(session.status().progress.is_some());
        session.frame(16.0, || false);
        frames += 1;
    }
    assert!(frames > 10, "{frames}: it was not cut into slices");
    assert_eq!(vtime(&session), 20_000.0);
}

#[test]
fn pause_ends_a_replay_where_it_is() {
    let mut session = session();
    seek(&mut session, 50_000.0);
    session.apply(Command::Seek { at_ms: 30_000.0 }).unwrap();
    session.apply(fault("crash:w-01")).unwrap();
    for _ in 0..10 {
        session.frame(16.0, || false);
    }
    session.apply(Command::Pause).unwrap();
    assert_eq!(session.status().state, PlayerState::Paused);
    assert_eq!(vtime(&session), session.run().now().as_millis_f64());
    assert!(vtime(&session) > 0.0 && vtime(&session) < 30_000.0);
    assert!(session.run().scenario().actions.is_empty(), "what waited is forgotten");
}

#[test]
fn what_is_done_during_a_replay_is_done_at_the_moment_that_was_sought() {
    let mut session = session();
    seek(&mut session, 50_000.0);
    for command in [
        Command::Seek { at_ms: 20_000.0 },
        fault("crash:w-01"),
        Command::Toggle { fault: FaultKind::Slow, node: "w-02".to_owned() },
        Command::Seek { at_ms: 40_000.0 },
        fault("crash:w-99"),
    ] {
        let outcome = session.apply(command.clone()).unwrap();
        let sets_out = command == Command::Seek { at_ms: 20_000.0 };
        assert_eq!(outcome, if sets_out { Outcome::SetOut } else { Outcome::Waits });
    }
    arrive(&mut session);
    assert_eq!(vtime(&session), 40_000.0);
    let at: Vec<Instant> = session.run().scenario().actions.iter().map(crate::lab::Action::at).collect();
    assert_eq!(at, [20_001, 20_002].map(Instant::from_millis));
    assert!(session.take_notice().is_some_and(|notice| notice.contains("w-99")));
    assert_eq!(session.take_notice(), None);
}

#[test]
fn a_hand_that_passes_by_does_not_wait_for_where_it_was() {
    let mut session = session();
    seek(&mut session, 50_000.0);
    for at_ms in [40_000.0, 30_000.0, 20_000.0] {
        assert_eq!(session.apply(Command::Seek { at_ms }), Ok(Outcome::SetOut));
        session.frame(16.0, || false);
    }
    for workers in 13..=20 {
        session.apply(Command::Set { key: "workers".to_owned(), value: workers.into() }).unwrap();
        session.frame(16.0, || false);
        assert!(session.settings().iter().any(|set| set.key == "workers" && set.value == workers));
        assert_ne!(session.snapshot().setting("workers"), Some(&workers.into()));
    }
    arrive(&mut session);
    assert_eq!((vtime(&session), session.snapshot().setting("workers")), (20_000.0, Some(&20.into())));
    let commands: Vec<&Command> = session.log().entries.iter().map(|entry| &entry.command).collect();
    assert_eq!(
        commands,
        [
            &Command::Pause,
            &Command::Seek { at_ms: 20_000.0 },
            &Command::Set { key: "workers".to_owned(), value: 20.into() }
        ]
    );
}

#[test]
fn the_next_request_after_a_setting_is_the_next_one_from_there() {
    let mut session = session();
    seek(&mut session, 13_000.0);
    session.apply(Command::Set { key: "strategy".to_owned(), value: "median".into() }).unwrap();
    session.apply(Command::NextRequest).unwrap();
    arrive(&mut session);
    assert_eq!(vtime(&session), 14_200.0);
}

#[test]
fn without_a_client_there_is_no_next_request_to_go_to() {
    let mut session = session();
    seek(&mut session, 15_000.0);
    session.apply(fault("crash:client")).unwrap();
    let error = session.apply(Command::NextRequest).unwrap_err();
    assert!(error.to_string().contains("client"), "{error}");
    assert_eq!((vtime(&session), session.status().state), (15_001.0, PlayerState::Paused));
    // One that comes back has its next request then.
    seek(&mut session, 15_000.0);
    session.apply(fault("crash:client@..20s")).unwrap();
    session.apply(Command::NextRequest).unwrap();
    arrive(&mut session);
    assert!((20_000.0..25_000.0).contains(&vtime(&session)), "{}", vtime(&session));
}

#[test]
fn a_next_request_that_does_not_come_is_given_up() {
    let mut session = session();
    session.apply(Command::Set { key: "period".to_owned(), value: "200s".into() }).unwrap();
    arrive(&mut session);
    seek(&mut session, 1_000.0);
    session.apply(Command::NextRequest).unwrap();
    arrive(&mut session);
    assert_eq!(vtime(&session), 61_000.0);
    assert_eq!(session.take_notice().as_deref(), Some("next request: none until 1m1s"));
}

#[test]
fn a_run_that_has_ended_says_so_and_is_played_from_its_start() {
    let scenario = Scenario { horizon: Some("300ms".to_owned()), ..Scenario::preset("oracle-http", 1) };
    let mut session = Session::open(scenario, 1000.0).unwrap();
    session.frame(16.0, || true);
    let status = session.status();
    assert_eq!((status.state, status.ended, vtime(&session)), (PlayerState::Paused, true, 300.0));
    assert_eq!(session.apply(Command::NextRequest), Ok(Outcome::Ended));
    session.apply(Command::Play).unwrap();
    session.frame(0.0, || true);
    assert_eq!((session.status().state, vtime(&session)), (PlayerState::Running, 0.0));
    session.apply(Command::Speed { speed: 1.0 }).unwrap();
    session.frame(100.0, || true);
    assert_eq!((session.status().ended, vtime(&session)), (false, 100.0));
}

#[test]
fn playing_goes_as_far_as_the_axis_that_a_later_fault_needs() {
    let mut session = session();
    let (fault, to) = ("crash:w-04@8s".to_owned(), Some("crash:w-04@50s".to_owned()));
    session.apply(Command::Edit { fault, to }).unwrap();
    arrive(&mut session);
    session.apply(Command::Speed { speed: 1000.0 }).unwrap();
    session.apply(Command::Play).unwrap();
    session.frame(40.0, || true);
    assert_eq!((vtime(&session), session.status().ended), (40_000.0, false));
    session.frame(40.0, || true);
    assert_eq!((vtime(&session), session.status().ended), (60_000.0, true));
}

#[test]
fn a_call_while_time_stands_is_answered_and_time_stands_again() {
    let mut session = session();
    seek(&mut session, 2_000.0);
    let call = Command::Call {
        method: "GET".to_owned(),
        url: "http://localhost:8080/workers".to_owned(),
        headers: Vec::new(),
        body: String::new(),
        times: 1,
    };
    let Ok(Outcome::Acted(acted)) = session.apply(call) else { panic!("it is allowed") };
    arrive(&mut session);
    let (at, answer) = session.run().answer(acted.index).expect("an answer");
    assert_eq!((at, answer.unwrap().status), (session.run().now(), 200));
    assert_eq!(session.status().state, PlayerState::Paused);
}

#[test]
fn what_is_opened_begins_at_its_start_and_plays_as_the_first_did() {
    let mut session = session();
    seek(&mut session, 5_000.0);
    session.apply(Command::Speed { speed: 8.0 }).unwrap();
    let to = |preset: &str| Address { seed: 9, ..Address::of(preset) };
    session.apply(to("heartbeat-trap").open()).unwrap();
    let status = session.status();
    assert_eq!(
        (vtime(&session), status.state, status.speed),
        (0.0, PlayerState::Running, opening_speed("heartbeat-trap"))
    );
    assert_eq!(*session.address(), to("heartbeat-trap"));
    assert!(session.apply(to("nowhere").open()).is_err());
    assert_eq!(session.address().preset, "heartbeat-trap");
}

/// As another program goes on with it.
fn sent(session: &Session, command: Command) -> Session {
    let text = serde_json::to_string(&session.send_away(command)).unwrap();
    let mut session = Session::arrive(serde_json::from_str(&text).unwrap()).unwrap();
    arrive(&mut session);
    session
}

fn open(preset: &str) -> Command {
    Address::of(preset).open()
}

/// What a person can see, and all that can be taken back.
fn all(session: &Session) -> (String, f64, Status, Log, History, Address) {
    let status = Status { reached: 0.0, ..session.status() };
    let (log, history) = (session.log().clone(), session.history.clone());
    (session.run().trace_hash(), vtime(session), status, log, history, session.address().clone())
}

#[test]
fn what_another_program_is_sent_is_done_there_as_it_would_be_here() {
    let mut here = session();
    seek(&mut here, 4_200.0);
    here.apply(fault("crash:w-05")).unwrap();
    seek(&mut here, 6_000.0);
    let mut there = sent(&here, open("lost-job"));
    here.apply(open("lost-job")).unwrap();
    arrive(&mut here);
    assert_eq!(all(&there), all(&here));
    for session in [&mut here, &mut there] {
        session.apply(Command::Pause).unwrap();
        seek(session, 5_000.0);
        session.apply(fault("crash:c-01")).unwrap();
        session.apply(Command::Undo).unwrap();
        arrive(session);
    }
    // Back to the first one's last moment, to the moment before its act, and to the second's start again.
    for command in [Command::Undo, Command::Undo, Command::Redo, Command::Redo] {
        there = sent(&there, command.clone());
        here.apply(command).unwrap();
        arrive(&mut here);
        assert_eq!(all(&there), all(&here));
    }
}

#[test]
fn what_another_program_cannot_do_it_refuses() {
    let mut command = open("config");
    if let Command::Open { set, .. } = &mut command {
        set.insert("agents".to_owned(), 0.into());
    }
    let text = serde_json::to_string(&session().send_away(command)).unwrap();
    let refused = Session::arrive(serde_json::from_str(&text).unwrap()).err().unwrap();
    assert_eq!(refused.field, "agents");
    let nothing = session().send_away(Command::Undo);
    assert_eq!(Session::arrive(nothing).err().unwrap().field, "undo");
}
