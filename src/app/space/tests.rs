//! Space–time on runs of all systems: against the trace, by other ways than the code goes.

use super::*;
use crate::app::Snapshot;
use crate::app::catalogue::face;
use crate::app::face::Show;
use crate::app::observe;
use crate::app::snapshot::Sign;
use crate::kernel::{Instant, Record, Sink};
use crate::lab::{Options, Run, Scenario};

fn run_with(preset: &str, faults: Option<&str>, ms: u64) -> Run {
    let options = Options { sink: Sink::Ring(100_000), facts: 100_000, observed: true, ..Options::default() };
    let faults = faults.map(str::to_owned);
    let mut run = Run::new(&Scenario { faults, ..Scenario::preset(preset, 31) }, options).unwrap();
    run.run_until(Instant::from_millis(ms));
    run
}

fn run(preset: &str, ms: u64) -> Run {
    run_with(preset, None, ms)
}

fn seen(run: &Run, truth: bool) -> Snapshot {
    observe::observe(run, None, None, Show { truth, result: None })
}

const NOTHING_ASKED: Asked = Asked {
    width: 1400.0,
    height: 240.0,
    scale: 0.6,
    right_ms: None,
    scrolled: 0.0,
    selected: "",
    marked: None,
    chain: &[],
};

fn drawn(run: &Run, truth: bool, asked: &Asked) -> Scene {
    let mut activity = Activity::default();
    activity.update(run, truth);
    draw(run, &seen(run, truth), &activity, asked)
}

const PRESETS: [&str; 4] = ["oracle-http", "oracle-nats", "math-wizard", "config"];

fn whole(run: &Run, truth: bool) -> Story {
    Story::of(run, Instant::ZERO, run.now(), truth)
}

#[test]
fn every_message_is_one_of_the_trace_and_all_of_them_are_there() {
    for preset in PRESETS {
        let run = run(preset, 12_000);
        let story = whole(&run, true);
        let trace = run.trace();
        let ends: Vec<&Record> = trace.records().filter(|record| is_message(&trace, record)).collect();
        let told: Vec<&Message> =
            story.messages.iter().filter(|message| message.way != Way::Travels).collect();
        assert!(ends.len() > 30 && !story.is_cut, "{preset} has {} messages", ends.len());
        assert_eq!(told.len(), ends.len(), "{preset}");
        for (message, record) in told.iter().zip(ends) {
            assert_eq!((message.n, message.arrived), (record.n, record.at));
            assert!(message.sent <= message.arrived && message.from != message.to, "{preset} {message:?}");
            assert_eq!(message.sent, trace.record(record.cause).unwrap().at, "{preset}");
        }
        assert!(!face(run.system().kind()).works().is_empty());
    }
}

#[test]
fn work_is_as_long_as_its_facts_say_and_ends_as_they_do() {
    let run = run("oracle-http", 14_000);
    let bars = whole(&run, true).bars;
    let with = |sign: Sign| bars.iter().filter(|bar| bar.sign == sign).count();
    assert!(with(Sign::InTime) > 20 && with(Sign::Late) > 5 && with(Sign::Lying) > 0, "{bars:?}");
    let trace = run.trace();
    for bar in bars.iter().filter(|bar| bar.sign == Sign::InTime) {
        let begun = trace.records().find(|record| record.at == bar.from && record.node == bar.node);
        let started = trace.records().find(|record| {
            record.kind == begun.unwrap().kind
                || record.kind.name() == "task_started" && record.at == bar.from
        });
        assert!(started.is_some());
        assert!(bar.to > bar.from);
    }
    let lying = bars.iter().find(|bar| bar.sign == Sign::Lying).unwrap();
    assert_eq!(&*run.net().name(crate::net::NodeId(lying.node)), "w-09");
}

#[test]
fn a_chain_is_what_led_to_a_record_and_what_came_of_it_and_nothing_else() {
    let run = run("oracle-http", 9_000);
    let trace = run.trace();
    for record in trace.records().filter(|record| record.tag == 3 && is_message(&trace, record)) {
        let found = chain(&trace, record.n);
        assert!(found.is_sorted() && found.contains(&record.n));
        // By hand, without order: from each cause on, from each effect back.
        let mut expected = vec![record.n];
        let of_unit = |n: &u64| trace.record(*n).is_some_and(|other| other.tag == record.tag);
        for n in (1..record.n).rev() {
            let leads = expected.iter().any(|&later| trace.causes(later).contains(&n));
            if leads && of_unit(&n) {
                expected.push(n);
            }
        }
        let mut after = vec![record.n];
        for n in record.n + 1..=trace.count() {
            if of_unit(&n) && trace.causes(n).iter().any(|cause| after.contains(cause)) {
                after.push(n);
            }
        }
        expected.extend(&after[1..]);
        expected.sort_unstable();
        assert_eq!(found, expected, "of {}", record.n);
    }
    let whole = chain_of_unit(&trace, 3);
    let kinds: Vec<&str> = whole.iter().map(|&n| trace.record(n).unwrap().kind.name()).collect();
    assert_eq!((kinds.first(), kinds.last()), (Some(&"request_intended"), Some(&"request_answered")));
    assert!(kinds.contains(&"request_aggregated") && !kinds.contains(&"handler_cancelled"));
}

#[test]
fn keys_go_through_all_messages_in_the_order_of_time() {
    for (preset, truth) in PRESETS.into_iter().map(|preset| (preset, true)).chain([("oracle-http", false)]) {
        let run = run(preset, 5_000);
        let newest = next_message(&run, None, true, truth).unwrap();
        let mut back = vec![newest];
        while let Some(before) = next_message(&run, back.last().copied(), false, truth) {
            back.push(before);
        }
        let mut forth = vec![*back.last().unwrap()];
        while let Some(next) = next_message(&run, forth.last().copied(), true, truth) {
            forth.push(next);
        }
        back.reverse();
        assert_eq!(back, forth, "{preset}");
        assert!(
            forth.iter().all(|&n| words(&run, n, truth).is_some_and(|said| said.ends_with('.'))),
            "{preset}"
        );
        assert!(forth.is_sorted() && forth.len() > 10);
    }
}

#[test]
fn a_place_on_the_picture_is_the_message_that_is_drawn_there() {
    let run = run("oracle-http", 13_900);
    let scene = drawn(&run, true, &NOTHING_ASKED);
    assert!(scene.hits.len() > 40);
    for &(n, [x0, y0, x1, y1]) in &scene.hits {
        let at = scene.at((x0 + x1) / 2.0, (y0 + y1) / 2.0);
        // Where lines cross it may be another one.
        let same =
            |(other, ends): &(u64, [f64; 4])| Some(*other) == at && *other != n && *ends != [x0, y0, x1, y1];
        assert!(at == Some(n) || scene.hits.iter().any(same), "{n} is not at its place");
        assert!((NAMES..=1400.0).contains(&x0.max(x1)), "within the picture");
    }
    assert_eq!(scene.at(-50.0, -50.0), None);
    let said = words(&run, scene.hits[0].0, true).unwrap();
    assert!(said.contains(" s") && said.ends_with('.'), "{said}");
}

#[test]
fn rows_out_of_sight_are_not_drawn() {
    let mut scenario = Scenario::preset("oracle-http", 31);
    scenario.set.insert("workers".to_owned(), 300.into());
    let options = Options { sink: Sink::Ring(100_000), facts: 100_000, ..Options::default() };
    let mut run = Run::new(&scenario, options).unwrap();
    run.run_until(Instant::from_millis(1_000));
    let names = |scrolled: f64| {
        let scene = drawn(&run, true, &Asked { scrolled, ..NOTHING_ASKED });
        let shown = scene.picture.labels().filter(|label| label.name.starts_with("w-")).count();
        (shown, scene.content, scene.picture.labels().any(|label| label.name == "coordinator"))
    };
    let (shown, content, coordinator) = names(0.0);
    assert!((5..40).contains(&shown) && content > 3_000.0 && coordinator, "{shown} {content}");
    let (shown, _, coordinator) = names(2_000.0);
    assert!((5..40).contains(&shown) && coordinator, "the coordinator stays on top");
}

#[test]
fn who_hides_the_truth_sees_no_more_than_the_coordinator() {
    let with = run_with("oracle-http", Some("lie:w-05@1s=0"), 15_000);
    let without = run_with("oracle-http", Some(""), 15_000);
    let marks = |run: &Run, truth: bool| format!("{:?}", drawn(run, truth, &NOTHING_ASKED).picture.marks);
    assert!(marks(&with, false) == marks(&without, false), "a liar who lies by nothing");
    assert!(marks(&with, true) != marks(&without, true));
    let story = whole(&with, false);
    assert!(story.bars.is_empty(), "what workers do nobody sees");
    let ways: Vec<Way> = story.messages.iter().map(|message| message.way).collect();
    assert!(ways.contains(&Way::OneEnd) && !ways.contains(&Way::Lost));
    // When a message arrived at a worker is not said either.
    for message in story.messages.iter().filter(|message| message.way == Way::OneEnd) {
        assert_eq!(message.sent, message.arrived);
    }
}
