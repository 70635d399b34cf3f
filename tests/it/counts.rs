//! One source for every count: whatever a person does, caption, legend, table, sentence, outcomes, charts and snapshot
//! agree.

use super::support::{for_seeds, wide_board};
use glasshive::app::Session;
use glasshive::app::caption::About;
use glasshive::app::catalogue::face;
use glasshive::app::session::Command;
use glasshive::kernel::Rng;
use glasshive::lab::Scenario;
use glasshive::lab::fault::FaultKind;
use serde_json::Value;
use std::cell::Cell;

const SESSIONS: u64 = 60;
const STEPS: u64 = 80;

/// The number before each of some words, such as `3` in `6 in time, 3 late`.
fn number_before(text: &str, words: &str) -> Option<u64> {
    let before = &text[..text.find(words)?];
    before.trim_end().rsplit([' ', '(', ':']).next()?.replace(',', "").parse().ok()
}

/// What the snapshot counts in the request that is kept in view.
fn counted(json: &Value, what: &str) -> u64 {
    json["request"]["counts"][what].as_u64().unwrap_or_default()
}

/// Holds everything that is said against the snapshot; returns how many counts there were.
fn check(session: &Session) -> u32 {
    let snapshot = session.snapshot();
    let (face, json) = (face(snapshot.system), snapshot.to_json());
    let mut held = 0;
    let mut hold = |what: &str, said: Option<u64>, expected: u64| {
        if let Some(said) = said {
            let at = snapshot.vtime_ms;
            assert_eq!(said, expected, "{what} at {at} ms: {:?}\n{json}", session.caption());
            held += 1;
        }
    };
    let workers = snapshot.rows().len() as u64;
    hold("the sentence's workers", snapshot.setting("workers").and_then(Value::as_u64), workers);
    // The legend.
    let names = ["in time", "late", "failed", "lying", "down"];
    let keys = ["inTime", "late", "failed", "lying", "down"];
    let is_over = !json["request"].is_null();
    for label in face.picture(snapshot, &wide_board("w-03")).labels().filter(|_| is_over) {
        for (name, key) in names.iter().zip(keys) {
            if let Some(count) = label.name.strip_suffix(name).and_then(|count| count.trim().parse().ok()) {
                hold(&format!("the legend's {name}"), Some(count), counted(&json, key));
            }
        }
    }
    // The caption.
    let caption = session.caption();
    if let About::Result(number) = caption.about
        && caption.headline.contains("answered in time")
    {
        assert_eq!(json["request"]["number"], number, "caption and board are about two requests");
        let in_time = counted(&json, "inTime") + counted(&json, "lying");
        hold("the caption's in time", number_before(&caption.headline, " of "), in_time);
        hold("the caption's workers", number_before(&caption.headline, " answered in time"), workers);
        for (name, key) in
            [(" late", "late"), (" failed", "failed"), (" down", "down"), (" not asked", "idle")]
        {
            let said = number_before(&caption.headline, name).unwrap_or(0);
            hold(&format!("the caption's{name}"), Some(said), counted(&json, key));
        }
    }
    // The table has what is down now, too.
    let states = (0..snapshot.rows().len()).filter_map(|i| face.row(snapshot, i));
    let states: Vec<&str> = states.map(|row| row.sign.name()).collect();
    let up = snapshot.rows().iter().all(|node| node.up) && counted(&json, "down") == 0;
    for (name, key) in [("in-time", "inTime"), ("late", "late"), ("failed", "failed"), ("lying", "lying")] {
        let rows = states.iter().filter(|state| **state == name).count() as u64;
        hold(&format!("the table's {name}"), (up && is_over).then_some(rows), counted(&json, key));
    }
    // The outcomes.
    for figure in face.outcomes(snapshot).iter().filter(|figure| figure.key == "answered") {
        let answered = json["summary"]["answered"].as_u64().unwrap();
        hold("the outcome", figure.value.parse().ok(), answered);
        let all = answered + json["summary"]["unanswered"].as_u64().unwrap();
        hold("the outcome's all", figure.aside.trim_start_matches('/').parse().ok(), all);
    }
    // The charts.
    let mut charts = face.charts();
    charts.update(session.run());
    let charts = charts.draw(254.0, session.showing());
    let answers = charts.iter().find(|chart| chart.key == "answers").unwrap();
    let is_told = session.showing().result.is_some() && counted(&json, "open") == 0;
    let said = number_before(&answers.value_label, " of ").filter(|_| is_told);
    hold("the chart's in time", said, counted(&json, "inTime") + counted(&json, "lying"));
    held
}

fn command(rng: &mut Rng) -> Option<Command> {
    let node = format!("w-{:02}", 1 + rng.below(12));
    let kinds = [FaultKind::Crash, FaultKind::Lie, FaultKind::Slow, FaultKind::Cut];
    Some(match rng.below(14) {
        0 => Command::Pause,
        1 | 2 => Command::Play,
        3 => Command::Step,
        4 => Command::Seek { at_ms: rng.uniform(0.0, 28_000.0) },
        5 => Command::Speed { speed: rng.uniform(0.5, 60.0) },
        6 => Command::NextRequest,
        7 => Command::Set { key: "workers".to_owned(), value: (1 + rng.below(20)).into() },
        8 | 9 => Command::Toggle { fault: kinds[rng.below(4) as usize], node },
        _ => return None,
    })
}

#[test]
fn every_count_that_is_said_is_the_same() {
    let held = Cell::new(0);
    for_seeds("counts", 0..SESSIONS, |seed| {
        let mut rng = Rng::new(seed ^ 0xc0_47);
        let preset = ["oracle-http", "oracle-http", "oracle-nats"][rng.below(3) as usize];
        let mut session = Session::open(Scenario::preset(preset, seed), 1.0 + rng.uniform(0.0, 6.0)).unwrap();
        for _ in 0..STEPS {
            // What is not allowed changes nothing.
            let _ = command(&mut rng).map(|command| session.apply(command));
            for _ in 0..1 + rng.below(20) {
                session.frame(rng.uniform(1.0, 40.0), || true);
            }
            held.set(held.get() + check(&session));
        }
    });
    assert!(std::env::var_os("GLASSHIVE_SEED").is_some() || held.get() > 30_000, "{} counts", held.get());
}
