//! Places tell times and values; every worker has one place, and the pointer finds it.

use super::*;
use crate::app::canvas::{Fill, Paint, Shape, Size};
use crate::app::snapshot::{MessageKind, MessageView, Sign};
use crate::lab::oracle::TaskEnd;

fn bar(board: &Board, row: usize, fill: Fill) -> Option<Rect> {
    let (x0, _) = board.layout.when?;
    board.marks.iter().find_map(|mark| match mark {
        Mark::Area { rect, fill: other, tint, .. } => {
            let is_bar = *other == fill && (rect.x - x0).abs() < 0.1 && rect.h < 20.0;
            let is_here = (rect.center().1 - middle(&board.layout, row)).abs() <= 1.0;
            let is_state = !matches!(tint.paint, Paint::Strip | Paint::Sel);
            (is_bar && is_here && is_state).then_some(*rect)
        }
        _ => None,
    })
}

fn worker_at<'a>(board: &Board, snapshot: &'a Snapshot, x: f64, y: f64) -> Option<&'a str> {
    board.row_at(x, y).map(|row| snapshot.rows()[row].name.as_str())
}

#[test]
fn bars_are_as_long_as_answers_took_and_late_ones_end_at_the_gate() {
    let snapshot = played(&[], None, 7900);
    let board = draw(&snapshot, &wide());
    let (x0, x1) = board.layout.when.unwrap();
    let per_ms = (x1 - x0) / 2140.0;
    let (mut ended, mut late) = (0, 0);
    for (row, task) in tasks(&snapshot) {
        let took = task.took_ms.unwrap();
        match task.end {
            TaskEnd::InTime | TaskEnd::Failed => {
                let rect = bar(&board, row, Fill::Solid).unwrap();
                assert!((rect.w - took * per_ms).abs() < 1e-6, "{} {took}", task.worker);
                ended += 1;
            }
            TaskEnd::Late => {
                let rect = bar(&board, row, Fill::Hatch).unwrap();
                assert!((rect.right() - (x0 + 1500.0 * per_ms)).abs() < 1e-6);
                late += 1;
            }
            TaskEnd::Pending | TaskEnd::Lost => panic!("the request is closed, and there is no broker"),
        }
    }
    assert!(ended >= 5 && late >= 1, "{ended} ended, {late} late");
}

#[test]
fn pending_bars_grow_with_time() {
    let length = |ms| {
        let snapshot = workers(12, ms);
        let (row, _) = tasks(&snapshot).into_iter().find(|(_, task)| task.end == TaskEnd::Pending).unwrap();
        bar(&draw(&snapshot, &wide()), row, Fill::Solid).unwrap().w
    };
    let (early, later) = (length(300), length(400));
    let (x0, x1) = draw(&workers(12, 300), &wide()).layout.when.unwrap();
    assert!((later - early - 100.0 * (x1 - x0) / 2140.0).abs() < 1e-6);
}

#[test]
fn a_message_halfway_in_time_is_halfway_on_its_rail() {
    for (count, roomy) in [(12, true), (100, false)] {
        let mut snapshot = workers(count, 1990);
        let id = |role: Role, nth: usize| {
            snapshot.nodes.iter().filter(|node| node.role == role).nth(nth).unwrap().id
        };
        let (coordinator, worker) = (id(COORDINATOR, 0), id(WORKER, 4));
        let now = snapshot.vtime_ms;
        snapshot.messages = [(0.25, false), (0.5, false), (0.75, false), (0.75, true)]
            .into_iter()
            .map(|(part, lost)| MessageView {
                from: coordinator,
                to: worker,
                sent_ms: now - 60.0 * part,
                arrives_ms: now + 60.0 * (1.0 - part),
                kind: MessageKind::Request,
                req: 77,
                lost,
            })
            .collect();
        let board = draw(&snapshot, &View { selected: "w-30", ..wide() });
        assert_eq!(board.layout.rows.is_roomy(4), roomy);
        let (x0, x1) = board.layout.rails();
        let at = |shape: Shape| -> Vec<f64> {
            let x = |mark: &Mark| match *mark {
                Mark::Glyph { shape: other, x, .. } if other == shape => Some((x - x0) / (x1 - x0)),
                _ => None,
            };
            board.marks.iter().filter_map(x).collect()
        };
        let dots = at(Shape::Dot);
        assert_eq!(dots.len(), 3);
        for (dot, part) in dots.iter().zip([0.25, 0.5, 0.75]) {
            assert!((dot - part).abs() < 1e-9, "{dot} {part}");
        }
        assert!((at(Shape::Gap)[0] - 0.5).abs() < 1e-9, "a lost message ends midway");
    }
}

#[test]
fn all_tracks_have_the_same_length() {
    let board = draw(&workers(24, 1990), &View { selected: "", ..wide() });
    let (x0, x1) = board.layout.rails();
    let rails = board.marks.iter().filter(|mark| match mark {
        Mark::Line { ends: [a, y0, b, y1], tint, .. } => {
            tint.paint == Paint::Line && y0 == y1 && (*a, *b) == (x0, x1)
        }
        _ => false,
    });
    assert_eq!(rails.count(), 48, "out and back for each of 24");
}

#[test]
fn every_worker_has_one_place_and_the_pointer_finds_it() {
    for count in [1, 3, 12, 24, 25, 100, 399, 400, 1000, 2500] {
        let snapshot = workers(count, 1990);
        let names: Vec<&str> =
            snapshot.nodes.iter().filter(|n| n.role == WORKER).map(|n| n.name.as_str()).collect();
        assert_eq!(names.len(), count);
        for base in views() {
            for hovered in [None, Some("w-01")] {
                let board = draw(&snapshot, &View { hovered, ..base });
                let mut places: Vec<(u64, u64)> = Vec::new();
                for (row, name) in names.iter().enumerate() {
                    let (x, y) = board.lamp_of(row);
                    assert_eq!(worker_at(&board, &snapshot, x, y), Some(*name), "{count} on {base:?}");
                    places.push((x.to_bits(), y.to_bits()));
                }
                places.sort_unstable();
                places.dedup();
                assert_eq!(places.len(), count, "no two in one place");
            }
        }
    }
}

#[test]
fn a_finger_that_misses_a_little_finds_the_nearest() {
    let snapshot = workers(100, 1990);
    let board = draw(&snapshot, &wide());
    let x = board.layout.lamp_x;
    assert_eq!(worker_at(&board, &snapshot, x, board.layout.top - 10.0), Some("w-01"));
    assert_eq!(worker_at(&board, &snapshot, x, board.layout.bottom + 10.0), Some("w-100"));
    assert_eq!(worker_at(&board, &snapshot, x, board.layout.bottom + 30.0), None);
    assert_eq!(worker_at(&board, &snapshot, 20.0, 200.0), None, "the client is no worker");
}

#[test]
fn sizes_follow_the_number_of_workers() {
    let size = |count| draw(&workers(count, 100), &wide()).layout.size;
    assert_eq!([24, 25, 399, 400].map(size), [Size::Rows, Size::Lanes, Size::Lanes, Size::Bundles]);
}

#[test]
fn each_state_has_its_own_shape() {
    let base = workers(12, 1990);
    let states = [
        Sign::Idle,
        Sign::Asked,
        Sign::Working,
        Sign::InTime,
        Sign::Lying,
        Sign::Failed,
        Sign::Late,
        Sign::Down,
    ];
    let lamp = |sign: Sign| {
        let mut snapshot = base.clone();
        let mut view = view_of(&snapshot).clone();
        view.known.iter_mut().for_each(|known| known.live = sign);
        snapshot.view = Rc::new(view);
        let board = draw(&snapshot, &wide());
        let at = |mark: &Mark| match *mark {
            Mark::Glyph { shape, x, .. } if x == board.layout.lamp_x => Some(shape),
            _ => None,
        };
        let shapes: Vec<Shape> = board.marks.iter().filter_map(at).collect();
        assert_eq!(shapes.len(), 12);
        shapes[0]
    };
    let shapes = states.map(lamp);
    for (i, shape) in shapes.iter().enumerate() {
        assert!(!shapes[..i].contains(shape), "{shape:?} says two things");
    }
}
