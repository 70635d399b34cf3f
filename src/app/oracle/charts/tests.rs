//! Real runs, and what their charts show of them.

use super::history::{Outcome, counter_of};
use super::*;
use crate::app::plot::geometry::Scale;
use crate::app::plot::{Anchor, Item};
use crate::app::{Player, PlayerState};
use crate::kernel::Instant;
use crate::lab::Scenario;
use crate::lab::fault::FaultKind;
use crate::lab::oracle::TaskEnd;

const WIDTH: f64 = 254.0;

fn player(scenario: &Scenario) -> Player {
    let mut player = Player::new(scenario, 1000.0).unwrap();
    player.pause();
    player
}

fn opening() -> Player {
    player(&Scenario::preset("oracle-http", 31))
}

fn go(player: &mut Player, ms: u64) {
    player.seek(Instant::from_millis(ms)).unwrap();
    while player.state() == PlayerState::Replaying {
        player.frame(16.0, || true);
    }
}

/// The history of a player that looked only at the end.
fn at_once(player: &Player) -> History {
    let mut history = History::default();
    history.update(player.run());
    history
}

/// A series may be drawn finer: the first word of its class counts.
fn path<'a>(chart: &'a Chart, wanted: &str) -> &'a str {
    let d = chart.items.iter().find_map(|item| match item {
        Item::Path { class, d } if class.split(' ').next() == Some(wanted) => Some(d.as_str()),
        _ => None,
    });
    d.unwrap_or_else(|| panic!("{} has no {wanted}", chart.key))
}

fn texts(chart: &Chart) -> Vec<&str> {
    let texts = chart.items.iter().filter_map(|item| match item {
        Item::Text { text, .. } => Some(text.as_str()),
        Item::Path { .. } => None,
    });
    texts.collect()
}

/// The numbers of a path, in order.
fn numbers(d: &str) -> Vec<f64> {
    d.split(|c: char| c.is_ascii_alphabetic() || c == ' ').filter_map(|part| part.parse().ok()).collect()
}

#[test]
fn nothing_yet_is_an_axis_and_says_so() {
    let mut player = opening();
    go(&mut player, 100);
    for chart in charts(&at_once(&player), WIDTH, None).iter().take(4) {
        assert!(texts(chart).contains(&"No requests yet"), "{}", chart.key);
        assert!(path(chart, "axis").starts_with("M38 94"));
        assert!(texts(chart).ends_with(&["0", "10", "20", "30 s"]));
    }
    // Before anything was read, too.
    assert_eq!(charts(&History::default(), WIDTH, None).map(|chart| chart.key).join(" "), KEYS);
}

const KEYS: &str = "answer-time error answers in-flight rejected";

#[test]
fn a_history_does_not_depend_on_how_often_it_looked() {
    let scenario = Scenario {
        faults: Some(
            "crash:coordinator@5s..7s,lie:3?@8s,crash:client@11s..11500ms,dup:client~coordinator@12s=1"
                .to_owned(),
        ),
        set: [("period".to_owned(), "300ms".into()), ("load".to_owned(), "poisson".into())].into(),
        ..Scenario::preset("oracle-http", 31)
    };
    let mut player = player(&scenario);
    let mut often = History::default();
    for ms in (0..20_000).step_by(37) {
        go(&mut player, ms);
        often.update(player.run());
    }
    let once = at_once(&player);
    assert_eq!(often.points, once.points);
    assert_eq!(often.in_flight, once.in_flight);
    assert_eq!(charts(&often, WIDTH, None), charts(&once, WIDTH, None));
    // Back in time, and another seed: other histories.
    for ms in [9000, 19_000] {
        go(&mut player, ms);
        often.update(player.run());
        assert_eq!(charts(&often, WIDTH, None), charts(&at_once(&player), WIDTH, None));
    }
    player.fault("crash:w-02").unwrap();
    go(&mut player, 24_000);
    often.update(player.run());
    assert_eq!(charts(&often, WIDTH, None), charts(&at_once(&player), WIDTH, None));
    // Acting in the past: what was done later is undone.
    go(&mut player, 10_000);
    player.fault("lie:w-03").unwrap();
    go(&mut player, 24_000);
    often.update(player.run());
    assert_eq!(charts(&often, WIDTH, None), charts(&at_once(&player), WIDTH, None));
    player.set_seed(8).unwrap();
    go(&mut player, 19_000);
    often.update(player.run());
    assert_eq!(often.points, at_once(&player).points);
}

#[test]
fn points_are_what_the_ledger_says() {
    let mut player = opening();
    go(&mut player, 25_900);
    let history = at_once(&player);
    let oracle = crate::lab::oracle::of(player.run().system()).unwrap();
    let ledger = oracle.ledger();
    assert_eq!(history.points.len(), ledger.requests().len());
    for (point, request) in history.points.iter().zip(ledger.requests()) {
        let ended = |end| request.tasks.iter().filter(|task| task.end == end).count() as u32;
        let [in_time, lying, late, failed, down] = point.counts;
        assert_eq!(in_time + lying, ended(TaskEnd::InTime));
        assert_eq!((late, point.total()), (ended(TaskEnd::Late), 12));
        assert_eq!(failed + down, 12 - in_time - lying - late);
        let analysis = request.analysis(oracle.params());
        assert_eq!(point.error, analysis.map(|a| a.error * 100.0));
        let median = analysis.map(|a| (a.counter_answers["median"] / a.truth - 1.0) * 100.0);
        assert!((point.counter.unwrap() - median.unwrap()).abs() < 1e-9);
        // An honest value is within 5 % of the truth, a lie of 18 % is not.
        let truth = request.truth;
        let off = |v: &f64| (v / truth - 1.0).abs() > 0.0501;
        assert_eq!(lying as usize, request.tasks.iter().filter_map(|t| t.value).filter(off).count());
        assert_eq!(down, u32::from(request.opened_at > Some(Instant::from_millis(8000))));
    }
    assert!(history.points.iter().any(|point| point.counts[Outcome::Lying as usize] == 1));
}

#[test]
fn a_lie_stays_a_lie_when_the_worker_is_honest_again() {
    let scenario =
        Scenario { faults: Some("lie:12?@1s..9s".to_owned()), ..Scenario::preset("oracle-http", 31) };
    let mut player = player(&scenario);
    go(&mut player, 20_000);
    let history = at_once(&player);
    let count = |i: usize, outcome| history.points[i].counts[outcome as usize];
    // Requests at 0.2 s, 2.2 s, …: the first and the fifth are answered around the ends of the lie.
    for i in [1, 2, 3] {
        assert!(count(i, Outcome::Lying) > 0 && count(i, Outcome::InTime) == 0);
    }
    for i in [5, 6, 7, 8] {
        assert!(count(i, Outcome::InTime) > 0 && count(i, Outcome::Lying) == 0);
    }
}

#[test]
fn tasks_in_flight_are_those_between_their_question_and_their_end() {
    let scenario = Scenario {
        set: [("period".to_owned(), "700ms".into())].into(),
        ..Scenario::preset("oracle-http", 31)
    };
    let mut player = player(&scenario);
    go(&mut player, 30_000);
    let history = at_once(&player);
    let oracle = crate::lab::oracle::of(player.run().system()).unwrap();
    let ledger = oracle.ledger();
    let level = |at: f64| {
        let under_way = |end: Option<Instant>| end.is_none_or(|end| end.as_millis_f64() > at);
        let opened =
            ledger.requests().iter().filter(|r| r.opened_at.is_some_and(|o| o.as_millis_f64() <= at));
        opened.flat_map(|r| &r.tasks).filter(|task| under_way(task.ended_at)).count() as u32
    };
    for slot in 0..1200 {
        let from = f64::from(slot) * 25.0;
        let instants =
            ledger.requests().iter().flat_map(|r| r.tasks.iter().map(|t| t.ended_at).chain([r.opened_at]));
        let inside =
            instants.flatten().map(Instant::as_millis_f64).filter(|at| (from..from + 25.0).contains(at));
        let before = level(from - 1e-6);
        let peak = inside.map(level).fold(before, u32::max);
        assert_eq!(history.in_flight.peak(from, from + 25.0), peak, "at {from} ms");
    }
    assert_eq!(history.in_flight.level(), level(30_000.0));
}

#[test]
fn pixels_invert_to_values() {
    let mut player = opening();
    go(&mut player, 25_000);
    let history = at_once(&player);
    let x = Scale { values: (0.0, 30.0), pixels: (38.0, 246.0) };
    let [answer_time, error, answers, ..] = charts(&history, WIDTH, None);
    // 0.1 px is 14 ms on this axis, and 2 ms of 1.8 s on the other.
    let y = Scale { values: (0.0, 1800.0), pixels: (94.0, 10.0) };
    let settled = || history.points.iter().filter(|point| point.settled);
    let drawn = numbers(path(&answer_time, "p95"));
    assert_eq!(drawn.len(), 2 * settled().count());
    for (point, xy) in settled().zip(drawn.chunks(2)) {
        assert!((x.value(xy[0]) - point.at_s).abs() < 0.008);
        assert!((y.value(xy[1]) - point.p95_ms.unwrap()).abs() < 1.1);
    }
    // Dots: M x y h 0.
    let drawn = numbers(path(&error, "dots"));
    let most =
        settled().flat_map(|p| [p.error, p.counter]).flatten().fold(0.0, |m: f64, v| m.max(v.abs())) * 1.1;
    let y = Scale { values: (-most, most), pixels: (92.0, 8.0) };
    for (point, xy) in settled().zip(drawn.chunks(3)) {
        assert!((y.value(xy[1]) - point.error.unwrap()).abs() < 0.01);
    }
    // Bars: M x y h w v h h -w z. Their heights are counts.
    let y = Scale { values: (0.0, 12.0), pixels: (94.0, 10.0) };
    let drawn = numbers(path(&answers, "bar-in-time"));
    for (point, rect) in history.points.iter().filter(|p| p.counts[0] > 0).zip(drawn.chunks(5)) {
        assert!((y.value(rect[1]) - f64::from(point.counts[0])).abs() < 0.01);
    }
    let now = numbers(path(&error, "now"));
    assert!((x.value(now[0]) - 25.0).abs() < 0.008);
}

#[test]
fn bands_are_exactly_as_long_as_the_faults() {
    let faults = "crash:w-04@8s,lie:w-09@11s..14s=0.18,slow:w-01@2s..5s=4,cut:w-02@4s..6s,restart:w-04@16s,\
                  crash:w-05@25s";
    let scenario = Scenario { faults: Some(faults.to_owned()), ..Scenario::preset("oracle-http", 31) };
    let mut player = player(&scenario);
    go(&mut player, 20_000);
    let history = at_once(&player);
    let x = Scale { values: (0.0, 30.0), pixels: (38.0, 246.0) };
    for chart in charts(&history, WIDTH, None).iter().take(4) {
        let spans = |class| {
            let rects = numbers(path(chart, class));
            let spans = rects.chunks(5).map(|r| (x.value(r[0]), x.value(r[0] + r[2])));
            spans
                .map(|(a, b)| (libm::round(a * 20.0) / 20.0, libm::round(b * 20.0) / 20.0))
                .collect::<Vec<_>>()
        };
        assert_eq!(spans("band-down"), [(8.0, 16.0)]);
        assert_eq!(spans("band-lying"), [(11.0, 14.0)]);
        // Overlapping faults of a kind are shaded once.
        assert_eq!(spans("band-other"), [(2.0, 5.0), (5.0, 6.0)]);
    }
    let lie = history.time.bands.iter().find(|band| band.kind == FaultKind::Lie).unwrap();
    assert_eq!((lie.from_ms, lie.to_ms), (11_000.0, Some(14_000.0)));
}

#[test]
fn labels_do_not_overlap() {
    let mut player = opening();
    for ms in [100, 3000, 14_000, 29_000, 61_000, 299_000] {
        go(&mut player, ms);
        for width in [180.0, WIDTH, 326.0, 700.0] {
            charts(&at_once(&player), width, None).iter().for_each(no_overlap);
        }
    }
}

#[test]
fn the_axis_goes_as_far_as_its_label_however_many_are_in_flight() {
    for period in ["100ms", "150ms", "200ms", "300ms", "400ms"] {
        let scenario = Scenario {
            set: [("period".to_owned(), period.into()), ("workers".to_owned(), 10.into())].into(),
            ..Scenario::preset("oracle-http", 31)
        };
        let mut player = player(&scenario);
        go(&mut player, 10_000);
        for chart in charts(&at_once(&player), WIDTH, None) {
            let ys = chart.items.iter().filter_map(|item| match item {
                Item::Text { y, .. } => Some(*y),
                _ => None,
            });
            ys.for_each(|y| assert!((12.0..=chart.height).contains(&y), "{} at {period}: {y}", chart.key));
        }
    }
}

/// Characters of the condensed face at 12 px are 6 px wide at most on average; a line is 11 px high.
fn no_overlap(chart: &Chart) {
    let boxes = chart.items.iter().filter_map(|item| match item {
        Item::Text { class: "label", x, y, anchor, text } => {
            let width = 6.0 * text.chars().count() as f64;
            let left = match anchor {
                Anchor::Start => *x,
                Anchor::Middle => x - width / 2.0,
                Anchor::End => x - width,
            };
            Some((left, left + width, y - 11.0, *y, text))
        }
        _ => None,
    });
    let boxes: Vec<_> = boxes.collect();
    for (i, a) in boxes.iter().enumerate() {
        assert!(a.0 >= -1.0 && a.1 <= chart.width + 1.0, "{} leaves {}", a.4, chart.key);
        for b in &boxes[..i] {
            let apart = a.0 >= b.1 || b.0 >= a.1 || a.2 >= b.3 || b.2 >= a.3;
            assert!(apart, "{} and {} overlap in {} at {}", a.4, b.4, chart.key, chart.width);
        }
    }
}

#[test]
fn a_long_run_is_drawn_with_few_points() {
    let scenario = Scenario {
        set: [("period".to_owned(), "100ms".into()), ("workers".to_owned(), 3.into())].into(),
        ..Scenario::preset("oracle-http", 31)
    };
    let mut player = player(&scenario);
    go(&mut player, 290_000);
    let history = at_once(&player);
    assert!(history.points.len() > 2800);
    for chart in charts(&history, WIDTH, None) {
        let markup = chart.svg();
        let most = markup.matches(['M', 'L', 'H']).count();
        assert!(
            chart.items.len() < 24 && most < 1200,
            "{}: {} items, {most} points",
            chart.key,
            chart.items.len()
        );
        assert!(markup.len() < 24_000, "{}: {} bytes", chart.key, markup.len());
    }
}

#[test]
fn charts_say_their_figures() {
    let mut player = opening();
    go(&mut player, 15_230);
    let history = at_once(&player);
    let charts = charts(&history, WIDTH, None);
    let newest = history.newest_settled().unwrap();
    assert_eq!(charts[2].value_label, format!("{} of 12 in time", newest.answers()));
    assert!(
        charts[0].value_label.starts_with("p95 ") && charts[0].description.contains("The timeout is 1.5 s.")
    );
    assert!(charts[1].value_label.ends_with(" %") && !charts[1].value_label.contains('-'));
    assert!(charts[3].description.contains("in flight now"));
    assert_eq!(
        (charts[4].value_label.as_str(), texts(&charts[4])[0]),
        ("0", "No rate limit in this system.")
    );
    assert_eq!(counter_of(history.strategy).name(), "median");
    let markup = charts[0].svg();
    assert!(!markup.contains("style=") && markup.contains("<path class=\"p95\" d=\"M"));
}
