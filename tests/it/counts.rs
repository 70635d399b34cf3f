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

/// What a person does at random to a system of other nodes.
fn other_command(rng: &mut Rng, nodes: &[&str]) -> Option<Command> {
    let kinds = [FaultKind::Crash, FaultKind::Slow, FaultKind::Cut, FaultKind::Drop];
    Some(match rng.below(12) {
        0 => Command::Pause,
        1 | 2 => Command::Play,
        3 => Command::Step,
        4 => Command::Seek { at_ms: rng.uniform(0.0, 40_000.0) },
        5 => Command::Speed { speed: rng.uniform(1.0, 60.0) },
        6 | 7 => Command::Toggle {
            fault: kinds[rng.below(4) as usize],
            node: nodes[rng.below(nodes.len() as u64) as usize].to_owned(),
        },
        _ => return None,
    })
}

/// The first number of a text.
fn first_number(text: &str) -> Option<u64> {
    text.split(|c: char| !c.is_ascii_digit() && c != ',')
        .find(|word| !word.is_empty())?
        .replace(',', "")
        .parse()
        .ok()
}

/// Holds what is said of jobs against the snapshot.
fn check_jobs(session: &Session) -> u32 {
    let snapshot = session.snapshot();
    let (face, json) = (face(snapshot.system), snapshot.to_json());
    let wizard = &json["wizard"];
    let count = |key: &str| wizard["counts"][key].as_u64().unwrap();
    let mut held = 0;
    let mut hold = |what: &str, said: Option<u64>, expected: u64| {
        assert_eq!(
            said,
            Some(expected),
            "{what} at {} ms: {:?}\n{json}",
            snapshot.vtime_ms,
            session.caption()
        );
        held += 1;
    };
    let figures = face.outcomes(snapshot);
    let figure = |key: &str| figures.iter().find(|figure| figure.key == key).unwrap();
    hold("done", first_number(&figure("done").value), count("done"));
    hold("lost", first_number(&figure("lost").value), count("lost"));
    let refused = count("refused_busy") + count("refused_rate");
    hold("refused", number_before(&figure("lost").label, " refused"), refused);
    // The table's rows add up to them.
    let rows: Vec<Vec<String>> =
        (0..snapshot.rows().len()).filter_map(|i| face.row(snapshot, i)).map(|row| row.cells).collect();
    let sum = |column: usize| rows.iter().filter_map(|cells| cells[column].parse::<u64>().ok()).sum::<u64>();
    hold("the table's jobs taken", Some(sum(2)), first_number(&figure("done").aside).unwrap());
    assert!(count("acknowledged") <= sum(2) && count("done") <= sum(2), "{json}");
    hold("the table's jobs done", Some(sum(3)), count("done"));
    let busy: u64 = rows.iter().filter_map(|cells| first_number(&cells[1])).sum();
    let workers =
        wizard["containers"].as_array().unwrap().iter().flat_map(|c| c["workers"].as_array().unwrap());
    hold("the table's busy workers", Some(busy), workers.filter(|worker| worker[2] == true).count() as u64);
    // The lists, as the board has them.
    for label in face.picture(snapshot, &wide_board("c-01")).labels() {
        let words = ["queue ", "in hand ", "dead "].iter().position(|words| label.name.starts_with(words));
        if let Some(list) = words {
            hold("the board's list", first_number(&label.name), wizard["lists"][list].as_u64().unwrap());
        }
    }
    let headline = &session.caption().headline;
    let stands = session.status().state == glasshive::app::PlayerState::Paused;
    // A story that is held is about the moment that it began at.
    for (words, key) in
        [(" jobs were turned away with 503", "refused_busy"), (" wishes became", "duplicates")]
    {
        let said = number_before(headline, words).filter(|_| stands);
        assert!(said.is_none_or(|said| said <= count(key)), "{headline} {json}");
    }
    held
}

/// Holds what is said of versions against the snapshot.
fn check_versions(session: &Session) -> u32 {
    let snapshot = session.snapshot();
    let (face, json) = (face(snapshot.system), snapshot.to_json());
    let mut held = 0;
    let mut hold = |what: &str, said: Option<u64>, expected: u64| {
        assert_eq!(
            said,
            Some(expected),
            "{what} at {} ms: {:?}\n{json}",
            snapshot.vtime_ms,
            session.caption()
        );
        held += 1;
    };
    let rows: Vec<_> = (0..snapshot.rows().len()).filter_map(|i| face.row(snapshot, i)).collect();
    let setting = |key: &str| snapshot.setting(key).and_then(Value::as_u64).unwrap();
    hold("the sentence's nodes", Some(setting("workers") + setting("agents")), rows.len() as u64);
    // The legend and the table.
    let names = [("current", "in-time"), ("behind", "late"), ("failing", "failed"), ("down", "down")];
    for label in face.picture(snapshot, &wide_board("w-01")).labels() {
        for (name, sign) in names {
            let said = label.name.strip_suffix(name).and_then(|count| count.trim().parse().ok());
            if said.is_some() {
                let expected = rows.iter().filter(|row| row.sign.name() == sign).count() as u64;
                hold(&format!("the legend's {name}"), said, expected);
            }
        }
    }
    // Who is behind in the table is behind in the snapshot.
    let holders = json["config"]["holders"].as_array().unwrap();
    let behind = holders.iter().filter(|holder| !holder["behindMs"].is_null()).count() as u64;
    let said = rows.iter().filter(|row| row.cells[2] != "—").count() as u64;
    hold("the table's behind", Some(said), behind);
    for (row, holder) in rows.iter().zip(holders) {
        let version = first_number(&row.cells[1]).unwrap_or(0);
        hold("the table's version", Some(version), holder["version"].as_u64().unwrap());
    }
    let headline = &session.caption().headline;
    if let Some(said) = number_before(headline, " workers run") {
        hold("the caption's workers", Some(said), setting("workers"));
    }
    held
}

#[test]
fn every_count_of_jobs_and_versions_is_the_same() {
    const JOBS: [&str; 5] =
        ["math-wizard", "lost-job", "lmove-cure", "backpressure-staircase", "duplicate-by-retry"];
    const VERSIONS: [&str; 4] = ["config", "controller-outage", "bad-rollout", "poll-vs-push"];
    let held = Cell::new(0);
    for_seeds("counts of jobs and versions", 0..SESSIONS, |seed| {
        let mut rng = Rng::new(seed ^ 0x10b5);
        let jobs = rng.below(2) == 0;
        let presets: &[&str] = if jobs { &JOBS } else { &VERSIONS };
        let preset = presets[rng.below(presets.len() as u64) as usize];
        let nodes: &[&str] = if jobs {
            &["c-01", "c-02-worker-1", "valkey", "gateway"]
        } else {
            &["controller", "a-01", "w-02", "valkey"]
        };
        let mut session = Session::open(Scenario::preset(preset, seed), 1.0 + rng.uniform(0.0, 9.0)).unwrap();
        for _ in 0..STEPS {
            // What is not allowed changes nothing.
            let _ = other_command(&mut rng, nodes).map(|command| session.apply(command));
            for _ in 0..1 + rng.below(20) {
                session.frame(rng.uniform(1.0, 40.0), || true);
            }
            held.set(held.get() + if jobs { check_jobs(&session) } else { check_versions(&session) });
        }
    });
    assert!(std::env::var_os("GLASSHIVE_SEED").is_some() || held.get() > 30_000, "{} counts", held.get());
}
