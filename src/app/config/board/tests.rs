//! Tests of the board, on snapshots that the real player makes.

use super::*;
use crate::app::canvas::{Fill, Mark, Shape, Strip, Strips, Text, View};
use crate::app::snapshot::Snapshot;
use crate::app::{Player, PlayerState};
use crate::kernel::Instant;
use crate::lab::{Scenario, presets};

fn played(preset: &str, set: &[(&str, &str)], ms: u64) -> Snapshot {
    let mut scenario = Scenario::preset(preset, 31);
    scenario.set = set.iter().map(|&(key, value)| (key.to_owned(), value.into())).collect();
    let mut player = Player::new(&scenario, 1.0).unwrap();
    player.pause();
    player.seek(Instant::from_millis(ms)).unwrap();
    while player.state() == PlayerState::Replaying {
        player.frame(16.0, || true);
    }
    (*player.snapshot()).clone()
}

/// The board of a snapshot.
fn picture(snapshot: &Snapshot, view: &View) -> Picture {
    super::picture(Now::of(snapshot).unwrap(), view)
}

fn view(width: f64, strips: Strips) -> View<'static> {
    let height = if matches!(strips, Strips::Phone(_)) { 340.0 } else { 430.0 };
    View { width, height, strips, selected: "a-02", hovered: None, flow: false, reduced_motion: false }
}

fn views() -> Vec<View<'static>> {
    let mut views = vec![view(1408.0, Strips::Three), view(1160.0, Strips::Three)];
    for strip in [Strip::When, Strip::What] {
        views.extend([view(720.0, Strips::Two(strip)), view(328.0, Strips::Phone(strip))]);
    }
    views
}

fn texts(picture: &Picture) -> impl Iterator<Item = &Text> {
    picture.marks.iter().filter_map(|mark| match mark {
        Mark::Text(text) => Some(text),
        _ => None,
    })
}

fn glyphs(picture: &Picture, wanted: Shape) -> usize {
    picture.marks.iter().filter(|mark| matches!(mark, Mark::Glyph { shape, .. } if *shape == wanted)).count()
}

fn says(picture: &Picture, words: &str) -> bool {
    texts(picture).any(|text| text.text == words)
}

#[test]
fn words_stay_on_the_board_and_off_each_other() {
    for preset in presets::all().filter(|preset| preset.system == crate::lab::config::KIND) {
        for ms in [300, 9_000, 14_000, 26_400] {
            let snapshot = played(preset.name, &[], ms);
            for view in views() {
                let picture = picture(&snapshot, &view);
                let all: Vec<&Text> = texts(&picture).collect();
                assert!(all.len() > 10, "{} {ms}", preset.name);
                for (i, text) in all.iter().enumerate() {
                    let bounds = text.bounds();
                    let inside = bounds.x >= 0.0 && bounds.right() <= view.width + 1.0;
                    assert!(inside && bounds.bottom() <= view.height, "{} {ms} {text:?}", preset.name);
                    for other in &all[i + 1..] {
                        let apart = !bounds.overlaps(&other.bounds());
                        assert!(apart, "{} {ms} {view:?}: {text:?} on {other:?}", preset.name);
                    }
                }
            }
        }
    }
}

#[test]
fn during_the_outage_the_picture_says_who_is_behind_and_by_how_much() {
    let snapshot = played("config", &[], 14_000);
    let picture = picture(&snapshot, &view(1408.0, Strips::Three));
    assert!(says(&picture, "Controller, down since 8.5 s"));
    // The three agents and their workers lack v2, which was acknowledged at 8.02 s.
    assert_eq!(texts(&picture).filter(|text| text.text == "6.0 s").count(), 9);
    assert!(says(&picture, "9 behind") && says(&picture, "0 current"));
    // A lamp and a mark of its age for each of the nine, and the legend's.
    assert_eq!(glyphs(&picture, Shape::Late), 19);
    let is_hatched = |mark: &&Mark| matches!(mark, Mark::Area { fill: Fill::Hatch, .. });
    assert!(picture.marks.iter().filter(is_hatched).count() >= 3, "their bars say since when");
    // Failed polls: more than the way back of three agents and the legend's two.
    assert!(glyphs(&picture, Shape::Failed) > 5 + 6);
}

#[test]
fn a_tick_is_a_304_and_a_disc_a_200() {
    let snapshot = played("config", &[], 8_000);
    let view_of = Now::of(&snapshot).unwrap().view;
    let count = |status: u16| {
        view_of.holders.iter().flat_map(|holder| &holder.polls).filter(|poll| poll.1 == status).count()
    };
    assert_eq!(count(200), 3, "the first of each agent");
    assert!(count(304) >= 5);
    let picture = picture(&snapshot, &view(1408.0, Strips::Three));
    // Lamps and ages of nine, the legend's two, and the three polls.
    assert_eq!(glyphs(&picture, Shape::InTime), 9 + 9 + 2 + 3);
    assert_eq!(glyphs(&picture, Shape::Hollow), 3 + 1, "the next poll of each, and the legend's");
}

#[test]
fn every_node_can_be_pointed_at() {
    let snapshot = played("lost-trigger", &[], 9_000);
    for view in views() {
        let picture = picture(&snapshot, &view);
        for (rect, id) in &picture.places {
            let node = snapshot.nodes.iter().find(|node| node.id == *id).unwrap();
            let (x, y) = rect.center();
            assert_eq!(picture.node_at(&snapshot, x, y), Some(node.name.as_str()));
        }
        let names: Vec<&str> = ["controller", "valkey"].into();
        let found =
            picture.places.iter().filter_map(|(_, id)| snapshot.nodes.iter().find(|node| node.id == *id));
        let found: Vec<&str> = found.map(|node| node.name.as_str()).collect();
        assert!(names.iter().all(|name| found.contains(name)), "{found:?}");
        let board = picture.rows.as_ref().unwrap();
        for (row, node) in snapshot.rows().iter().enumerate() {
            let y = board.layout.rows.center(row);
            assert_eq!(picture.node_at(&snapshot, view.width - 20.0, y), Some(node.name.as_str()));
        }
    }
}

#[test]
fn agents_and_workers_of_any_number_have_a_line_each() {
    for (agents, workers) in [("1", "1"), ("3", "24"), ("200", "6"), ("500", "2000")] {
        let snapshot = played("config", &[("agents", agents), ("workers", workers)], 9_000);
        let count = agents.parse::<usize>().unwrap() + workers.parse::<usize>().unwrap();
        assert_eq!(snapshot.rows().len(), count);
        for view in views() {
            let picture = picture(&snapshot, &view);
            let layout = &picture.rows.as_ref().unwrap().layout;
            assert!(layout.rows.start(count - 1) + layout.rows.height(count - 1) <= layout.bottom + 1e-6);
            let late =
                |mark: &&Mark| matches!(mark, Mark::Glyph { x, y, .. } if !x.is_finite() || !y.is_finite());
            assert_eq!(picture.marks.iter().filter(late).count(), 0);
        }
    }
}

#[test]
fn a_cut_link_is_shown_where_it_is_cut() {
    let board = view(1408.0, Strips::Three);
    let unheard = picture(&played("lost-trigger", &[], 20_000), &board);
    assert!(says(&unheard, "no trigger"));
    assert_eq!(glyphs(&unheard, Shape::Gap), 0, "the way to the controller is open");
    let mut player = Player::new(&Scenario::preset("config", 31), 1.0).unwrap();
    for fault in ["cut:controller>a-03", "cut:w-01"] {
        player.fault(fault).unwrap();
    }
    let cut = picture(&player.snapshot(), &board);
    assert_eq!((glyphs(&cut, Shape::Gap), says(&cut, "no trigger")), (2, false));
}

#[test]
fn a_bad_version_is_crossed_out() {
    let snapshot = played("bad-rollout", &[], 21_500);
    let picture = picture(&snapshot, &view(1408.0, Strips::Three));
    assert!(says(&picture, "v3") && says(&picture, "9 failing"));
}
