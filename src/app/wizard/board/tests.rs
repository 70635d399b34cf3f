//! Tests of the board, on snapshots that the real player makes.

use super::*;
use crate::app::canvas::{Mark, Strip};
use crate::app::snapshot::Snapshot;
use crate::app::{Player, PlayerState};
use crate::kernel::Instant;
use crate::lab::Scenario;

fn played(workers: &str, ms: u64) -> Snapshot {
    let mut scenario = Scenario::preset("math-wizard", 31);
    scenario.set = [("workers".to_owned(), workers.into())].into();
    let mut player = Player::new(&scenario, 1.0).unwrap();
    player.pause();
    player.seek(Instant::from_millis(ms)).unwrap();
    while player.state() == PlayerState::Replaying {
        player.frame(16.0, || true);
    }
    (*player.snapshot()).clone()
}

fn picture(snapshot: &Snapshot, view: &View) -> Picture {
    super::picture(Now::of(snapshot).unwrap(), view)
}

fn view(width: f64, strips: Strips) -> View<'static> {
    View { width, height: 430.0, strips, selected: "c-02", hovered: None, flow: false, reduced_motion: false }
}

fn views() -> [View<'static>; 3] {
    [
        view(1408.0, Strips::Three),
        view(720.0, Strips::Two(Strip::When)),
        view(328.0, Strips::Phone(Strip::What)),
    ]
}

/// The frames that are on one board and not on the other.
fn frames(board: &Picture, other: &Picture) -> usize {
    let is_frame = |mark: &&Mark| matches!(mark, Mark::Area { fill: Fill::Outline, tint, .. } if tint.paint == Paint::Ink);
    board.marks.iter().filter(|mark| is_frame(mark) && !other.marks.contains(mark)).count()
}

fn grounds(board: &Picture) -> usize {
    let is_ground = |mark: &&Mark| matches!(mark, Mark::Area { tint, .. } if tint.paint == Paint::Sel);
    board.marks.iter().filter(is_ground).count()
}

#[test]
fn what_the_pointer_is_at_is_shown() {
    let snapshot = played("1", 9_000);
    for view in views() {
        let still = picture(&snapshot, &view);
        for node in snapshot.nodes.iter().filter(|node| node.role != Role::CONSOLE) {
            let hovered = picture(&snapshot, &View { hovered: Some(&node.name), ..view });
            let row = row_of(Now::of(&snapshot).unwrap(), node.id);
            let is_row = node.role == WORKER;
            // On a phone there is no room for the users.
            let is_there = node.role != Role::CLIENT || still.rows.as_ref().unwrap().layout.client.is_some();
            assert_eq!(frames(&hovered, &still), usize::from(!is_row && is_there), "{} {view:?}", node.name);
            let expected = 1 + usize::from(row.is_some_and(|row| snapshot.rows()[row].name != view.selected));
            assert_eq!(grounds(&hovered), expected, "{}", node.name);
        }
    }
}

#[test]
fn the_pointer_finds_each_process_where_its_lamp_is() {
    for workers in ["1", "3"] {
        let snapshot = played(workers, 9_000);
        let now = Now::of(&snapshot).unwrap();
        for view in views() {
            let board = picture(&snapshot, &view);
            for container in &now.view.containers {
                let workers = container.workers.iter().map(|&(worker, ..)| worker);
                for id in workers.chain([container.api]) {
                    let &(rect, _) = board.places.iter().find(|place| place.1 == id).unwrap();
                    let (x, y) = rect.center();
                    let name =
                        snapshot.nodes.iter().find(|node| node.id == id).map(|node| node.name.as_str());
                    assert_eq!(board.node_at(&snapshot, x, y), name);
                }
            }
        }
    }
}

#[test]
fn a_board_of_many_containers_magnifies_the_row_under_the_pointer() {
    let mut scenario = Scenario::preset("math-wizard", 31);
    scenario.set = [("containers".to_owned(), 40.into())].into();
    let mut player = Player::new(&scenario, 1.0).unwrap();
    let snapshot = player.snapshot();
    let name = snapshot.rows()[7].name.clone();
    let board = picture(&snapshot, &View { hovered: Some(&name), ..view(1408.0, Strips::Three) });
    assert_eq!(board.rows.unwrap().layout.rows.lens.map(|(row, _)| row), Some(7));
}
