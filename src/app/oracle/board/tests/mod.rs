//! Tests of the board, on snapshots that the real player makes.

mod broker;
mod labels;
mod rows;
mod truth;

use crate::app::canvas::{Board, Layout, Mark, Picture, Rect, Strip, Strips, Text, View};
use crate::app::face::Show;
use crate::app::oracle::Now;
use crate::app::oracle::view::{COORDINATOR, OracleView, TaskView, WORKER};
use crate::app::snapshot::{Role, Snapshot};
use crate::app::{Player, PlayerState};
use crate::kernel::Instant;
use crate::lab::Scenario;
use serde_json::Value;
use std::rc::Rc;

/// The opening scenario with some settings, played to an instant.
fn played(set: &[(&str, &str)], faults: Option<&str>, ms: u64) -> Snapshot {
    played_of("oracle-http", set, faults, ms)
}

fn played_of(preset: &str, set: &[(&str, &str)], faults: Option<&str>, ms: u64) -> Snapshot {
    (*player_of(preset, set, faults, ms).snapshot()).clone()
}

fn player_of(preset: &str, set: &[(&str, &str)], faults: Option<&str>, ms: u64) -> Player {
    let mut scenario = Scenario::preset(preset, 31);
    scenario.faults = faults.map(str::to_owned);
    for (key, value) in set {
        scenario.set.insert((*key).to_owned(), Value::from(*value));
    }
    let mut player = Player::new(&scenario, 1.0).unwrap();
    player.pause();
    player.seek(Instant::from_millis(ms)).unwrap();
    while player.state() == PlayerState::Replaying {
        player.frame(16.0, || true);
    }
    player
}

fn draw(snapshot: &Snapshot, view: &View) -> Board {
    super::draw(Now::of(snapshot).unwrap(), view)
}

fn race(snapshot: &Snapshot, view: &View) -> Picture {
    super::race(Now::of(snapshot).unwrap(), view)
}

/// What only an oracle's snapshot has.
fn view_of(snapshot: &Snapshot) -> &OracleView {
    snapshot.view.of_type().unwrap()
}

fn workers(count: usize, ms: u64) -> Snapshot {
    played(&[("workers", &count.to_string()), ("lie", "0.1")], None, ms)
}

/// The same as whoever does not see the truth sees it.
fn without_truth(count: usize, ms: u64) -> Snapshot {
    let set = [("workers", &*count.to_string()), ("lie", "0.1")];
    (*player_of("oracle-http", &set, None, ms).look(Show { truth: false, result: None })).clone()
}

fn view(width: f64, strips: Strips) -> View<'static> {
    let height = if matches!(strips, Strips::Phone(_)) { 400.0 } else { 461.0 };
    View { width, height, strips, selected: "w-08", hovered: None, flow: false, reduced_motion: false }
}

fn wide() -> View<'static> {
    view(1408.0, Strips::Three)
}

/// The four pages that a board must fit, with either strip where there is room for one.
fn views() -> Vec<View<'static>> {
    let mut views = vec![wide(), view(1160.0, Strips::Three)];
    for strip in [Strip::When, Strip::What] {
        views.extend([view(720.0, Strips::Two(strip)), view(328.0, Strips::Phone(strip))]);
    }
    views
}

fn texts(board: &Board) -> Vec<&Text> {
    let mut texts = Vec::new();
    for mark in &board.marks {
        if let Mark::Text(text) = mark {
            texts.push(text);
        }
    }
    texts
}

fn says(board: &Board, words: &str) -> bool {
    texts(board).iter().any(|text| text.text.contains(words))
}

/// What a mark covers, about.
fn bounds(mark: &Mark) -> Rect {
    match mark {
        Mark::Line { ends: [x0, y0, x1, y1], .. } => {
            Rect::new(x0.min(*x1), y0.min(*y1), (x1 - x0).abs(), (y1 - y0).abs())
        }
        Mark::Area { rect, .. } => *rect,
        Mark::Glyph { x, y, r, .. } => Rect::new(x - r, y - r, 2.0 * r, 2.0 * r),
        Mark::Text(text) => text.bounds(),
    }
}

/// The tasks of the newest request, each with its worker's row: tasks are in order of registration.
fn tasks(snapshot: &Snapshot) -> Vec<(usize, TaskView)> {
    let first = snapshot.nodes.iter().find(|node| node.role == WORKER).unwrap().id;
    let tasks = &view_of(snapshot).request.as_ref().unwrap().tasks;
    tasks.iter().map(|task| ((task.node - first) as usize, task.clone())).collect()
}

/// The middle of a row, by the layout that was drawn.
fn middle(layout: &Layout, row: usize) -> f64 {
    layout.rows.center(row).round()
}
