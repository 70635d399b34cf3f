//! What is written is legible: no words over other words, nothing outside the canvas.

use super::*;

const COUNTS: [usize; 9] = [1, 3, 12, 24, 25, 100, 399, 400, 1000];

/// At rest before the first request, with messages on their way, half open, closed; and with things broken.
fn moments(count: usize) -> Vec<Snapshot> {
    let size = count.to_string();
    let set = [("workers", size.as_str()), ("lie", "0.1")];
    let mut moments: Vec<Snapshot> =
        [100, 2240, 3000, 3900].map(|ms| played(&set, Some(""), ms)).into_iter().collect();
    let broken = "crash:w-01@1s,crash:coordinator@9s";
    moments.push(played(&set, Some(broken), 3900));
    moments.push(played(&set, Some(broken), 9500));
    moments
}

#[test]
fn labels_never_overlap_and_nothing_leaves_the_canvas() {
    for count in COUNTS {
        for snapshot in moments(count) {
            for base in views() {
                for (flow, hovered) in [(false, None), (true, Some("w-01"))] {
                    let board = draw(&snapshot, &View { flow, hovered, ..base });
                    check(&board, &format!("{count} workers at {} on {base:?}", snapshot.vtime_ms));
                }
            }
        }
    }
}

fn check(board: &Board, what: &str) {
    let texts = texts(board);
    for (i, a) in texts.iter().enumerate() {
        for b in &texts[i + 1..] {
            let overlap = a.bounds().overlaps(&b.bounds());
            assert!(!overlap, "{:?} {:?} and {:?} {:?}, {what}", a.text, a.bounds(), b.text, b.bounds());
        }
    }
    for mark in &board.marks {
        let r = bounds(mark);
        let inside =
            r.x >= 0.0 && r.y >= 0.0 && r.right() <= board.layout.width && r.bottom() <= board.layout.height;
        assert!(inside, "{mark:?}, {what}");
    }
}

#[test]
fn every_board_says_what_it_shows() {
    let board = draw(&workers(12, 3900), &wide());
    for words in
        ["Cluster now", "r-0002", "when each worker answered", "What they said", "% from the true 42,135.50"]
    {
        assert!(says(&board, words), "{words}");
    }
    assert!(says(&board, "timeout 1.5 s") && says(&board, "average ") && says(&board, "median "));
    assert!(says(&board, "in time") && says(&board, "late") && says(&board, "+6"));
    let board = draw(&workers(1000, 3900), &wide());
    assert!(says(&board, "flow, 25 workers each") && says(&board, "one mark per worker"));
    assert!(says(&board, "w-101"), "names have as many digits as they need");
}

#[test]
fn an_idle_cluster_and_an_empty_one_say_so() {
    let idle = draw(&workers(12, 100), &wide());
    assert!(says(&idle, "No request yet"));
    let empty = draw(&played(&[("register", "off")], None, 3900), &wide());
    assert!(says(&empty, "No workers registered. Requests get 503."));
}

#[test]
fn messages_too_fast_to_be_seen_are_not_shown_one_by_one() {
    let snapshot = workers(12, 2240);
    let dots = |flow: bool| {
        let board = draw(&snapshot, &View { flow, ..wide() });
        let is_dot = |mark: &&Mark| matches!(mark, Mark::Glyph { shape: crate::app::canvas::Shape::Dot, .. });
        (board.marks.iter().filter(is_dot).count(), says(&board, "too fast for single messages"))
    };
    assert_eq!(dots(true), (0, true));
    let (some, said) = dots(false);
    assert!(some >= 11 && !said, "{some}");
}
