//! The point of every shipped scenario, as `doc/points.md` has it: whoever opens the page and touches nothing has been told
//! it within half a minute, at any seed. And each caption stays for as long as it takes to read.

use super::support::wide_board;
use glasshive::app::catalogue::face;
use glasshive::app::session::opening_speed;
use glasshive::app::{Session, Snapshot};
use glasshive::lab::{Scenario, presets};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

const FILE: &str = "doc/points.md";
const SEEDS: [u64; 4] = [31, 1, 7, 1001];
/// Whoever waits longer has gone.
const PATIENCE_MS: f64 = 30_000.0;
/// A frame of the browser.
const FRAME_MS: f64 = 1000.0 / 60.0;

/// What somebody who watches has been shown, and when.
struct Watched {
    /// Each caption with the wall time at which it came and the one for which it stayed.
    captions: Vec<(f64, f64, glasshive::app::caption::Caption)>,
    /// Each label of the board, and the wall time at which it was there first.
    marks: Vec<(f64, String)>,
}

fn labels(snapshot: &Snapshot) -> Vec<String> {
    let face = face(snapshot.system);
    face.picture(snapshot, &wide_board(face.words().selected))
        .labels()
        .map(|label| label.name.clone())
        .collect()
}

fn watch(preset: &str, seed: u64, for_ms: f64) -> Watched {
    let mut session = Session::open(Scenario::preset(preset, seed), opening_speed(preset)).unwrap();
    let mut watched = Watched { captions: Vec::new(), marks: Vec::new() };
    let mut known = BTreeSet::new();
    let (mut charts, mut frames) = (face(session.snapshot().system).charts(), 0_u32);
    let mut wall_ms = 0.0;
    while wall_ms < for_ms {
        session.frame(FRAME_MS, || true);
        if session.status().ended {
            break;
        }
        wall_ms += FRAME_MS;
        frames += 1;
        match watched.captions.last_mut() {
            Some((_, stayed, caption)) if caption == session.caption() => *stayed += FRAME_MS,
            _ => watched.captions.push((wall_ms, 0.0, session.caption().clone())),
        }
        // A few times a second is what an eye takes in, and what the charts are drawn at.
        if frames % 15 == 0 {
            charts.update(session.run());
            let of_charts = charts.draw(254.0, session.showing()).into_iter();
            let of_charts = of_charts.flat_map(|chart| [chart.value_label, chart.description]);
            let figures = face(session.snapshot().system).outcomes(session.snapshot()).into_iter();
            let figures = figures.map(|figure| format!("{}{} {}", figure.value, figure.aside, figure.label));
            let of_charts = of_charts.chain(figures);
            for mark in labels(session.snapshot()).into_iter().chain(of_charts) {
                if known.insert(mark.clone()) {
                    watched.marks.push((wall_ms, mark));
                }
            }
        }
    }
    watched
}

/// Whether a text has the parts of a pattern in their order: `…` stands for anything.
fn has(text: &str, pattern: &str) -> bool {
    let mut rest = text;
    pattern.split('…').all(|part| match rest.find(part) {
        Some(place) => {
            rest = &rest[place + part.len()..];
            true
        }
        None => false,
    })
}

#[test]
fn a_pattern_has_parts_in_order() {
    assert!(has("w-09 lies by +18 %. The average", "lies by … %"));
    assert!(!has("the average lies", "lies…average"));
}

/// The patterns of a cell: each in backquotes.
fn patterns(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Every row of the page's table: the scenario, patterns of captions, patterns of marks.
fn rows(page: &str) -> Vec<(String, Vec<String>, Vec<String>)> {
    let own = |patterns: Vec<&str>| patterns.into_iter().map(str::to_owned).collect();
    let lines = page.lines().filter(|line| line.starts_with("| `"));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split('|').collect();
            (patterns(cells[1])[0].to_owned(), own(patterns(cells[3])), own(patterns(cells[4])))
        })
        .collect()
}

/// Prints what is told in a scenario, for whoever writes the page: `GLASSHIVE_STORY=mmc`, or `all`.
fn print_story(preset: &str, seed: u64, watched: &Watched) {
    let wanted = std::env::var("GLASSHIVE_STORY").unwrap_or_default();
    if wanted == preset || wanted == "all" {
        for (at, stayed, caption) in &watched.captions {
            let reading = caption.reading_ms() / 1000.0;
            println!(
                "{preset} {seed} {:5.1} s +{:4.1} of {reading:4.1} {:?}: {}",
                at / 1000.0,
                stayed / 1000.0,
                caption.rank,
                caption.text()
            );
        }
        let marks: Vec<&str> = watched.marks.iter().map(|(_, mark)| mark.as_str()).collect();
        println!("{preset} {seed} marks: {}", marks.join(" | "));
    }
}

#[test]
fn every_scenario_makes_its_point_within_half_a_minute() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE)).unwrap();
    let rows = rows(&page);
    let named: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(named, presets::all().map(|preset| preset.name).collect::<Vec<_>>());
    let (mut missing, mut table) = (Vec::new(), String::new());
    for (preset, captions, marks) in &rows {
        write!(table, "{preset:<24}").unwrap();
        for seed in SEEDS {
            let watched = watch(preset, seed, PATIENCE_MS);
            print_story(preset, seed, &watched);
            let mut last: f64 = 0.0;
            let mut look = |pattern: &str, found: Option<f64>| match found {
                Some(at) => last = last.max(at),
                None => missing.push(format!("{preset}, seed {seed}: {pattern}")),
            };
            for pattern in captions {
                let told = |(at, _, caption): &(f64, f64, glasshive::app::caption::Caption)| {
                    has(&caption.text(), pattern).then_some(*at)
                };
                look(pattern, watched.captions.iter().find_map(told));
            }
            for pattern in marks {
                look(pattern, watched.marks.iter().find_map(|(at, mark)| has(mark, pattern).then_some(*at)));
            }
            write!(table, " {:5.1}", last / 1000.0).unwrap();
        }
        table.push('\n');
    }
    println!("seconds of wall time until the point is made, at the seeds {SEEDS:?}:\n{table}");
    assert!(missing.is_empty(), "not told:\n{}", missing.join("\n"));
}

#[test]
fn every_caption_stays_for_as_long_as_it_takes_to_read() {
    for preset in presets::all() {
        for seed in SEEDS {
            let watched = watch(preset.name, seed, 60_000.0);
            let told = &watched.captions;
            for (at, stayed, caption) in &told[..told.len() - 1] {
                // The one before the first story says nothing yet.
                let short = *stayed + 1.5 * FRAME_MS < caption.reading_ms() && !caption.headline.is_empty();
                assert!(!short, "{}, seed {seed}: {stayed} ms at {at}: {caption:?}", preset.name);
            }
            assert!(told.len() > 2, "{} tells nothing", preset.name);
        }
    }
}
