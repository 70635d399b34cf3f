//! What a person does can be taken back to the start and done again to the end, and each moment on the way is the one that
//! was there.

use super::session_random::{command, frame, mark, scenario};
use super::support::for_seeds;
use glasshive::app::PlayerState;
use glasshive::app::session::{Command, Session};
use glasshive::kernel::{Instant, Rng};
use glasshive::lab::Scenario;
use glasshive::lab::fault::Fault;

const SESSIONS: u64 = 100;
const STEPS: u64 = 60;

type Mark = (Instant, u64, String);

fn arrive(session: &mut Session, rng: &mut Rng) {
    while session.status().state == PlayerState::Replaying {
        frame(session, rng);
    }
}

/// A fault without its times, if the text is one.
fn what(fault: &str) -> Option<Fault> {
    Some(Fault { start: None, end: None, ..fault.parse().ok()? })
}

/// A session of which each act is done at a moment that is known; returns these moments.
fn act(seed: u64) -> (Session, Vec<Mark>) {
    let mut rng = Rng::new(seed ^ 0x0_7d0);
    let mut session = Session::open(scenario(&mut rng), 10.0).expect("a shipped scenario");
    let mut before: Vec<Mark> = Vec::new();
    let mut last = None;
    for _ in 0..STEPS {
        let command = command(&session, &mut rng);
        if matches!(command, Command::Undo | Command::Redo | Command::Open { .. }) {
            continue;
        }
        let now = mark(&session);
        let done = session.apply(command.clone()).is_ok();
        // What is set, or moved, at one moment again and again is one act: it goes on with the one of that name.
        let act = match &command {
            Command::Set { key, .. } => Some((key.clone(), key.clone())),
            Command::Seed { .. } => Some(("seed".to_owned(), "seed".to_owned())),
            Command::Edit { fault, to: Some(to) } if what(fault) == what(to) => {
                Some((format!("move {fault}"), format!("move {to}")))
            }
            Command::Fault { .. }
            | Command::Toggle { .. }
            | Command::Scale { .. }
            | Command::Lift { .. }
            | Command::Edit { .. }
            | Command::Switch { .. }
            | Command::Call { .. } => Some((String::new(), String::new())),
            _ => None,
        };
        if let Some((name, next)) = act.filter(|_| done) {
            let goes_on = !name.is_empty() && last == Some((now.0, name));
            before.extend((!goes_on).then(|| now.clone()));
            last = Some((now.0, next));
        }
        arrive(&mut session, &mut rng);
        for _ in 0..rng.below(6) {
            frame(&mut session, &mut rng);
        }
    }
    session.apply(Command::Pause).unwrap();
    (session, before)
}

#[test]
fn every_act_is_taken_back_and_done_again() {
    let acts = std::cell::Cell::new(0);
    for_seeds("undo", 0..SESSIONS, |seed| {
        let (mut session, before) = act(seed);
        let mut rng = Rng::new(seed);
        let mut after = Vec::new();
        while session.status().can_undo {
            after.push(mark(&session));
            session.apply(Command::Undo).unwrap();
            arrive(&mut session, &mut rng);
            let expected = before.iter().rev().nth(after.len() - 1);
            assert_eq!(Some(&mark(&session)), expected, "taken back {}", after.len());
        }
        assert_eq!(after.len(), before.len());
        assert!(session.apply(Command::Undo).unwrap_err().to_string().contains("undo"));
        while let Some(expected) = after.pop() {
            assert!(session.status().can_redo);
            session.apply(Command::Redo).unwrap();
            arrive(&mut session, &mut rng);
            assert_eq!(mark(&session), expected, "done again, {} left", after.len());
        }
        assert!(!session.status().can_redo);
        acts.set(acts.get() + before.len());
    });
    assert!(std::env::var_os("GLASSHIVE_SEED").is_some() || acts.get() > 1000, "{} acts", acts.get());
}

#[test]
fn an_act_in_the_past_leaves_the_other_future_as_it_was() {
    let mut rng = Rng::new(7);
    let mut session = Session::open(Scenario::preset("oracle-http", 7), 1.0).unwrap();
    session.apply(Command::Pause).unwrap();
    let mut go = |session: &mut Session, at_ms: f64| {
        session.apply(Command::Seek { at_ms }).unwrap();
        arrive(session, &mut rng);
    };
    go(&mut session, 15_000.0);
    let known = mark(&session);
    go(&mut session, 5_000.0);
    let at_5 = mark(&session);
    assert_eq!((session.branches(), session.status().left_at_ms), (1, None));
    session.apply(Command::Fault { fault: "crash:w-03".to_owned() }).unwrap();
    assert_eq!((session.branches(), session.status().left_at_ms), (2, Some(5001.0)));
    let left = session.left_run().unwrap();
    assert_eq!((left.now(), left.trace_hash()), (known.0, known.2.clone()));
    go(&mut session, 15_000.0);
    assert_ne!(mark(&session), known);
    let changed = mark(&session);
    session.apply(Command::Undo).unwrap();
    arrive(&mut session, &mut Rng::new(1));
    assert_eq!((session.branches(), mark(&session)), (1, at_5));
    session.apply(Command::Seek { at_ms: 15_000.0 }).unwrap();
    arrive(&mut session, &mut Rng::new(1));
    assert_eq!(mark(&session), known);
    session.apply(Command::Seek { at_ms: 5_000.0 }).unwrap();
    arrive(&mut session, &mut Rng::new(1));
    session.apply(Command::Redo).unwrap();
    arrive(&mut session, &mut Rng::new(1));
    assert_eq!((session.branches(), mark(&session)), (2, changed));
    session.apply(Command::DropOld).unwrap();
    assert_eq!(session.branches(), 1);
}
