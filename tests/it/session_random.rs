//! Random sessions: what a restless person does in a few hundred commands, with frames of random budgets between them.
//! Their logs, done anew, must come to the same moment of the same run. `tests/web.rs` plays them in a browser, too.

use glasshive::app::PlayerState;
use glasshive::app::session::{Command, Handed, Log, Session, Status};
use glasshive::kernel::{Duration, Instant, Rng};
use glasshive::lab::Scenario;
use glasshive::lab::fault::{Fault, FaultKind};
use glasshive::lab::params::Allowed;
use serde_json::Value;

/// One of every system.
const PRESETS: [&str; 4] = ["oracle-http", "oracle-jetstream", "math-wizard", "lost-trigger"];
const COMMANDS: u64 = 250;
const HORIZON_MS: u64 = 30_000;

/// Plays the session of a seed, does its log anew, and compares.
pub fn check(seed: u64) {
    let mut live = play(seed);
    let text = serde_json::to_string(live.log()).expect("a log is JSON");
    let log: Log = serde_json::from_str(&text).expect("it reads what it wrote");
    let mut anew = Session::replay(&log, live.run().now()).expect("it was allowed before");
    assert!(log.entries.len() > 30, "only {} entries", log.entries.len());
    assert_eq!(anew.run().scenario(), live.run().scenario(), "another scenario");
    assert_eq!(mark(&anew), mark(&live), "another run");
    let (one, other) = (live.status(), anew.status());
    assert_eq!((one.state, one.speed, one.ended), (other.state, other.speed, other.ended));
    // What is told of it depends on how long somebody has been reading; the moment itself does not.
    let plain = |session: &mut Session| serde_json::to_value(&*session.moment()).expect("plain data");
    assert!(plain(&mut anew) == plain(&mut live), "it is another moment");
    check_handed_over(&mut live);
}

/// Another program that takes a session over while it plays has the same one, down to the story that is told.
fn check_handed_over(live: &mut Session) {
    for command in [Command::Speed { speed: 2.0 }, Command::Play] {
        live.apply(command).expect("it is allowed at any moment");
    }
    let mut coming: Option<Session> = None;
    let other = loop {
        live.frame(16.0, || true);
        // Not while a replay is under way.
        let Some(handed) = live.hand_over() else { continue };
        let text = serde_json::to_string(&handed).expect("plain data");
        let handed: Handed = serde_json::from_str(&text).expect("it reads what it wrote");
        let mut other = match coming.take() {
            Some(other) => other,
            None => Session::follow(&handed).expect("it was allowed before"),
        };
        let mut looks = 20;
        let has_time = || {
            looks -= 1;
            looks > 0
        };
        if other.catch_up(&handed, has_time).expect("it was allowed before") {
            break other;
        }
        coming = Some(other);
    };
    assert_eq!((other.log(), mark(&other)), (live.log(), mark(live)), "another run");
    let status = Status { reached: other.status().reached, ..live.status() };
    assert_eq!((other.status(), other.caption()), (status, live.caption()));
    let shown = |session: &Session| serde_json::to_value(&**session.snapshot()).expect("plain data");
    assert!(shown(&other) == shown(live), "it shows another moment");
    assert_eq!(other.hand_over(), live.hand_over(), "it is not handed on as it came");
}

pub fn mark(session: &Session) -> (Instant, u64, String) {
    let run = session.run();
    (run.now(), run.events(), run.trace_hash())
}

pub fn scenario(rng: &mut Rng) -> Scenario {
    let preset = PRESETS[rng.below(PRESETS.len() as u64) as usize];
    Scenario { horizon: Some(format!("{HORIZON_MS}ms")), ..Scenario::preset(preset, 1 + rng.below(99)) }
}

/// A whole session, which ends when all that was asked for has arrived.
fn play(seed: u64) -> Session {
    let mut rng = Rng::new(seed ^ 0x5e55_1041);
    let mut session = Session::open(scenario(&mut rng), 10.0).expect("a shipped scenario");
    for _ in 0..COMMANDS {
        let command = command(&session, &mut rng);
        let before = (session.log().clone(), mark(&session));
        if session.apply(command.clone()).is_err() {
            assert_eq!((session.log().clone(), mark(&session)), before, "{command:?} was not allowed");
        }
        // Often no frame passes between two commands.
        for _ in 0..rng.below(6) {
            frame(&mut session, &mut rng);
        }
    }
    while session.status().state == PlayerState::Replaying {
        frame(&mut session, &mut rng);
    }
    session
}

pub fn frame(session: &mut Session, rng: &mut Rng) {
    let mut looks = rng.below(40);
    session.frame(rng.uniform(0.0, 40.0), || {
        looks = looks.saturating_sub(1);
        looks > 0
    });
}

pub fn command(session: &Session, rng: &mut Rng) -> Command {
    let nodes = &session.snapshot().nodes;
    let node = nodes[rng.below(nodes.len() as u64) as usize].name.clone();
    let kind = FaultKind::ALL[rng.below(FaultKind::ALL.len() as u64) as usize];
    match rng.below(27) {
        0 | 1 => Command::Play,
        2 => Command::Pause,
        3 => Command::Speed { speed: rng.uniform(0.0, 300.0) },
        4 => Command::Step,
        5 => Command::StepBack,
        6..=8 => Command::Seek { at_ms: rng.uniform(-500.0, HORIZON_MS as f64 + 1000.0) },
        9 => Command::NextRequest,
        10 | 11 => set(session, rng),
        12 => Command::Seed { seed: rng.below(100) },
        13 => {
            Command::Fault { fault: format!("{}:{}?@..{}ms", kind.name(), rng.below(4), rng.below(40_000)) }
        }
        14 => Command::Fault { fault: format!("{}:{node}", kind.name()) },
        15 | 16 => Command::Toggle { fault: kind, node },
        17 => Command::Lift { fault: rng.below(6) as usize },
        18 if rng.chance(0.1) => {
            let Scenario { preset, seed, set, faults, own, off, actions, horizon, .. } = scenario(rng);
            Command::Open { preset, seed, set, faults, own, off, actions, horizon }
        }
        19 | 20 => Command::Undo,
        21 => {
            if rng.chance(0.8) {
                Command::Redo
            } else {
                Command::DropOld
            }
        }
        22..=24 => edit(session, rng),
        25 => Command::Scale { to: rng.below(16) as u32 },
        _ => Command::Call {
            method: "GET".to_owned(),
            url: format!("http://localhost:{}/health", 8080 + rng.below(3)),
            headers: Vec::new(),
            body: String::new(),
            times: 1,
        },
    }
}

/// Makes something else of a fault that is there, or of one that is off.
fn edit(session: &Session, rng: &mut Rng) -> Command {
    let run = session.run();
    let mut faults: Vec<Fault> = run.faults().cloned().collect();
    faults.extend(run.off_faults());
    faults.push("cut:w-99@1s".parse().expect("a fault"));
    let fault = faults[rng.below(faults.len() as u64) as usize].clone();
    let (text, start) = (fault.to_string(), fault.start.unwrap_or(Instant::ZERO));
    let other = match rng.below(6) {
        0 => return Command::Edit { fault: text, to: None },
        1 | 2 => return Command::Switch { fault: text },
        3 => Fault { end: Some(start + Duration::from_millis(rng.below(9_000))), ..fault },
        _ => Fault { start: Some(start + Duration::from_millis(100 * rng.below(30))), ..fault },
    };
    Command::Edit { fault: text, to: Some(other.to_string()) }
}

/// Sets a word, a number or a share; or gives back the scenario's.
fn set(session: &Session, rng: &mut Rng) -> Command {
    let settings = session.settings();
    let setting = &settings[rng.below(settings.len() as u64) as usize];
    let value = match setting.allowed {
        Allowed::Choice(words) => Value::from(words[rng.below(words.len() as u64) as usize]),
        Allowed::Count(low, _) => Value::from(low + rng.below(12) as u32),
        _ if rng.chance(0.1) => Value::Null,
        Allowed::Real(0.0, 1.0) => Value::from(rng.unit() * 0.5),
        _ => Value::from("nothing of the kind"),
    };
    Command::Set { key: setting.key.to_owned(), value }
}
