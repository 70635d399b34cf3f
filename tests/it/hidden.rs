//! Truth hidden means hidden: a session with a liar who says what he would say anyway cannot be told from one without.
//! Whatever the page is made of is compared: snapshot, captions, sentence, outcomes, table, board, charts, ending, log,
//! space–time.

use super::support::{for_seeds, wide_board};
use glasshive::app::Session;
use glasshive::app::catalogue::face;
use glasshive::app::log::Log;
use glasshive::app::session::Command;
use glasshive::app::space::{Activity, Asked, draw, words};
use glasshive::kernel::Rng;
use glasshive::lab::Scenario;
use glasshive::lab::fault::FaultKind;
use std::fmt::Write;

const SESSIONS: u64 = 50;
const STEPS: u64 = 60;

/// All that can be seen of a session, as text.
fn seen(session: &Session) -> String {
    let snapshot = session.snapshot();
    let face = face(snapshot.system);
    let mut text = format!("{}\n{:?}\n", snapshot.to_json(), session.caption());
    writeln!(text, "{} {} {:?}", face.aside(snapshot), face.said(snapshot), face.outcomes(snapshot)).unwrap();
    writeln!(text, "{:?}", face.picture(snapshot, &wide_board("w-03")).marks).unwrap();
    let rows = (0..snapshot.rows().len()).map(|i| format!("{:?}\n", face.row(snapshot, i)));
    text.extend(rows);
    let mut charts = face.charts();
    charts.update(session.run());
    writeln!(text, "{:?}", charts.draw(254.0, session.showing())).unwrap();
    writeln!(text, "{}", told_by_the_trace(session)).unwrap();
    writeln!(text, "{:?} {:?}", face.ending(session.run(), false), face.remedy(snapshot)).unwrap();
    text
}

/// What log and space–time say.
fn told_by_the_trace(session: &Session) -> String {
    let (run, truth) = (session.run(), session.showing().truth);
    let mut text = String::new();
    for prints in [false, true] {
        let mut log = Log::default();
        log.ask(run, "", prints, truth);
        let newest = log.len().saturating_sub(200);
        text.extend((newest..log.len()).map(|place| format!("{place} {:?}\n", log.row(run, place))));
    }
    let mut activity = Activity::default();
    activity.update(run, truth);
    let asked = Asked {
        width: 1200.0,
        height: 240.0,
        scale: 0.3,
        right_ms: None,
        scrolled: 0.0,
        selected: "w-03",
        marked: None,
        chain: &[],
    };
    let scene = draw(run, session.snapshot(), &activity, &asked);
    writeln!(text, "{:?}", scene.picture.marks).unwrap();
    text.extend(scene.hits.iter().map(|(n, ends)| format!("{ends:?} {:?}\n", words(run, *n, truth))));
    text
}

/// What a person does at random, the same in both sessions.
fn step(sessions: &mut [Session; 2], rng: &mut Rng) {
    let command = match rng.below(12) {
        0 => Some(Command::Pause),
        1 | 2 => Some(Command::Play),
        3 => Some(Command::Step),
        4 => Some(Command::Seek { at_ms: rng.uniform(0.0, 28_000.0) }),
        5 => Some(Command::Speed { speed: rng.uniform(0.5, 30.0) }),
        6 => Some(Command::NextRequest),
        7 => Some(Command::Set { key: "strategy".to_owned(), value: "median".into() }),
        8 => Some(Command::Toggle {
            fault: [FaultKind::Crash, FaultKind::Slow, FaultKind::Cut][rng.below(3) as usize],
            node: format!("w-{:02}", 1 + rng.below(12)),
        }),
        _ => None,
    };
    let frames: Vec<f64> = (0..1 + rng.below(30)).map(|_| rng.uniform(1.0, 40.0)).collect();
    for session in sessions {
        // What is not allowed is not allowed to either.
        let _ = command.clone().map(|command| session.apply(command));
        for &ms in &frames {
            session.frame(ms, || true);
        }
    }
}

fn play(seed: u64) -> u64 {
    let mut rng = Rng::new(seed ^ 0x41d);
    let preset = ["oracle-http", "oracle-nats", "colluding-third"][rng.below(3) as usize];
    let others = format!("slow:w-02@{}ms..20s=3", rng.below(9_000));
    // He lies by nothing.
    let liar = format!("{others},lie:w-{:02}@{}ms=0", 3 + rng.below(10), rng.below(9_000));
    let open = |faults: &str| {
        let mut scenario = Scenario { faults: Some(faults.to_owned()), ..Scenario::preset(preset, seed) };
        scenario.set.insert("lie".to_owned(), 0.into());
        let mut session = Session::open(scenario, 4.0).unwrap();
        session.show_truth(false);
        session
    };
    let mut sessions = [open(&liar), open(&others)];
    let mut told = 0;
    for _ in 0..STEPS {
        step(&mut sessions, &mut rng);
        let [with, without] = [seen(&sessions[0]), seen(&sessions[1])];
        if with != without {
            let at = with.bytes().zip(without.bytes()).position(|(a, b)| a != b).unwrap_or(0);
            let around = |text: &str| text.chars().skip(at.saturating_sub(160)).take(320).collect::<String>();
            panic!("at {}: {}\n\n{}", sessions[0].snapshot().vtime_ms, around(&with), around(&without));
        }
        told += 1;
    }
    told
}

#[test]
fn a_liar_who_lies_by_nothing_cannot_be_told_while_the_truth_is_hidden() {
    for_seeds("hidden", 0..SESSIONS, |seed| {
        assert_eq!(play(seed), STEPS);
    });
}

#[test]
fn while_it_is_shown_he_can() {
    let open = |faults: &str| {
        let scenario = Scenario { faults: Some(faults.to_owned()), ..Scenario::preset("oracle-http", 31) };
        let mut session = Session::open(scenario, 4.0).unwrap();
        for _ in 0..200 {
            session.frame(16.0, || true);
        }
        seen(&session)
    };
    assert_ne!(open("lie:w-05@1s=0"), open(""));
}
