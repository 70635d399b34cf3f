//! The board of a system with a broker: its column, late answers, and what the broker says of itself.

use super::*;
use crate::app::canvas::Fill;
use crate::lab::oracle::TaskEnd;

#[test]
fn the_broker_stands_between_the_coordinator_and_the_tracks_and_can_be_selected() {
    for count in ["12", "100", "400"] {
        let snapshot = played_of("oracle-nats", &[("workers", count)], None, 2_500);
        for view in views() {
            let picture = race(&snapshot, &view);
            let layout = &picture.rows.as_ref().unwrap().layout;
            let broker = layout.relay.unwrap();
            assert!(layout.gate.right() < broker.x && layout.rails().0 < layout.rails().1, "{view:?}");
            assert!(layout.client.is_none_or(|client| client.right() < layout.gate.x));
            let (x, y) = broker.center();
            assert_eq!(picture.node_at(&snapshot, x, y), Some("nats"));
        }
    }
    let http = race(&played(&[], None, 2_500), &wide());
    assert!(http.places.len() == 2 && http.rows.unwrap().layout.relay.is_none());
}

#[test]
fn late_bars_run_past_the_gate_to_their_arrival() {
    // Just before the second request.
    let snapshot = played_of("oracle-nats", &[("fail", "0")], Some(""), 2_990);
    let board = draw(&snapshot, &wide());
    let (x0, x1) = board.layout.when.unwrap();
    let mut late = 0;
    for (row, task) in tasks(&snapshot).into_iter().filter(|(_, task)| task.end == TaskEnd::Late) {
        let y = middle(&board.layout, row);
        let bar = board.marks.iter().find_map(|mark| match mark {
            Mark::Area { rect, fill: Fill::Hatch, .. } if (rect.y..=rect.bottom()).contains(&y) => {
                Some(*rect)
            }
            _ => None,
        });
        let took = task.took_ms.unwrap_or(snapshot.vtime_ms - 1_005.0);
        assert!(took > 1_500.0);
        assert!((bar.unwrap().w - took * (x1 - x0) / 2140.0).abs() < 1.0, "{} {took}", task.worker);
        late += 1;
    }
    assert!(late >= 2, "{late}");
}

#[test]
fn the_box_says_what_the_broker_holds_and_what_was_lost_with_it() {
    let at = |preset, ms| draw(&played_of(preset, &[], None, ms), &wide());
    assert!(says(&at("oracle-nats", 8_000), "core NATS, keeps nothing"));
    let down = at("oracle-nats", 9_500);
    assert!(says(&down, "Broker nats, down") && says(&down, "12 of this request lost"));
    assert!(says(&at("oracle-nats", 12_900), "0 of 12 workers connected"));
    assert!(says(&at("oracle-jetstream", 8_200), "JetStream keeps tasks: 1, results: 0"));
    assert!(says(&at("oracle-jetstream", 13_000), "again"));
}

#[test]
fn what_races_is_seen_beside_a_request_that_had_no_answers() {
    // The broker is back; the request before it came has failed without a task.
    let snapshot = played_of("oracle-nats", &[], None, 16_000);
    let [failed, newest] =
        [&view_of(&snapshot).request, &view_of(&snapshot).newest].map(|view| view.as_ref().unwrap());
    assert!(failed.tasks.is_empty() && newest.closed_ms.is_none());
    let board = draw(&snapshot, &wide());
    assert!(says(&board, "No answer: nats") && says(&board, &format!("{} is racing", newest.short_id())));
    let (x0, x1) = board.layout.when.unwrap();
    let notice = texts(&board).into_iter().find(|text| text.text.contains("No answer")).unwrap().bounds();
    for (row, task) in newest.tasks.iter().enumerate() {
        let below = middle(&board.layout, row)..middle(&board.layout, row) + 14.0;
        let line = board
            .marks
            .iter()
            .map(bounds)
            .find(|line| below.contains(&line.y) && line.x == x0 && line.h <= 3.0);
        let ms = task.took_ms.unwrap_or(snapshot.vtime_ms - newest.opened_ms.unwrap());
        assert!((line.unwrap().w - ms * (x1 - x0) / 2140.0).abs() < 1.5, "{} {ms} {line:?}", task.worker);
        let y = line.unwrap().y;
        assert!(
            y + 3.0 < notice.y || y > notice.bottom() + 2.0,
            "the words lie on no line: {line:?}, {notice:?}"
        );
    }
}
