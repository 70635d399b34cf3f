//! The strip *what*, and what is to be seen when the truth is not.

use super::*;
use crate::app::canvas::{Dash, Paint, Shape};

#[test]
fn values_beyond_the_axis_stand_at_its_edge_and_in_words() {
    let snapshot = played(&[], None, 13_900);
    let (liar, task) = tasks(&snapshot).into_iter().find(|(_, task)| &*task.worker == "w-09").unwrap();
    let value = task.value.unwrap();
    let board = draw(&snapshot, &wide());
    let (_, x1) = board.layout.what.unwrap();
    let y = middle(&board.layout, liar);
    let at_edge = board.marks.iter().any(|mark| match *mark {
        Mark::Glyph { shape: Shape::Lying, x, y: other, .. } => x == x1 - 8.0 && other == y,
        _ => false,
    });
    assert!(at_edge);
    let off = (value / 42_135.5 - 1.0) * 100.0;
    assert!(off > 7.0);
    assert!(says(&board, &crate::app::canvas::scale::percent(off, 1)));
}

#[test]
fn dots_stand_where_their_values_are() {
    let snapshot = played(&[], None, 7900);
    let board = draw(&snapshot, &wide());
    let (x0, x1) = board.layout.what.unwrap();
    let mut found = 0;
    for (row, task) in tasks(&snapshot) {
        let Some(value) = task.value else { continue };
        let off = (value / 42_135.5 - 1.0) * 100.0;
        let expected = (x0 + x1) / 2.0 + (x1 - x0) / 14.0 * off;
        let y = middle(&board.layout, row);
        found += usize::from(board.marks.iter().any(|mark| match *mark {
            Mark::Glyph { shape: Shape::InTime, x, y: other, .. } => {
                (x - expected).abs() < 1e-6 && other == y
            }
            _ => false,
        }));
    }
    assert!(found >= 5, "{found}");
}

#[test]
fn an_answer_from_before_the_first_lie_is_none() {
    // w-09 answers request 6 by 11.0 s or later; by this instant it lies, and its answer of before was honest.
    let mut snapshot = played(&[], None, 7900);
    let honest =
        view_of(&snapshot).request.as_ref().unwrap().tasks.iter().find(|t| t.value.is_some()).unwrap().node;
    let node = snapshot.nodes.iter_mut().find(|node| node.id == honest).unwrap();
    node.lie = Some(0.18);
    let board = draw(&snapshot, &wide());
    let (x0, _) = board.layout.what.unwrap();
    let lies = |mark: &Mark| matches!(*mark, Mark::Glyph { shape: Shape::Lying, x, .. } if x > x0);
    assert!(!board.marks.iter().any(lies));
}

#[test]
fn without_the_truth_nothing_gives_a_liar_away() {
    for (count, ms) in [(12, 100), (12, 2240), (12, 2800), (12, 3900), (100, 2900), (100, 3900), (1000, 3900)]
    {
        let snapshot = without_truth(count, ms);
        let json = snapshot.to_json().to_string();
        assert!(!json.contains("\"state\":\"lying") && !json.contains("\"lied\":true"), "{count} at {ms}");
        for view in views() {
            let board = draw(&snapshot, &view);
            let lying = |mark: &Mark| match mark {
                Mark::Glyph { shape, .. } => *shape == Shape::Lying,
                Mark::Area { tint, .. } => tint.paint == Paint::Lying,
                _ => false,
            };
            assert!(!board.marks.iter().any(lying), "{count} at {ms}");
        }
    }
}

#[test]
fn only_the_truth_is_dotted_and_only_when_it_is_shown() {
    let told = |snapshot: &Snapshot| {
        let board = draw(snapshot, &wide());
        let is_dotted = |mark: &&Mark| matches!(mark, Mark::Line { dash: Dash::Dotted, .. });
        (board.marks.iter().filter(is_dotted).count(), says(&board, "from the true"), says(&board, "1 lying"))
    };
    assert_eq!(told(&workers(12, 3900)), (1, true, true));
    assert_eq!(told(&without_truth(12, 3900)), (0, false, false));
}
