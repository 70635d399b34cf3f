//! The log on runs of all systems: against the trace itself, and against what the command line writes.

use super::*;
use crate::kernel::{Instant, Sink};
use crate::lab::{Options, Scenario, trace_file};

fn run(preset: &str, options: &Options, ms: u64) -> Run {
    let mut run = Run::new(&Scenario::preset(preset, 31), options.clone()).unwrap();
    run.run_until(Instant::from_millis(ms));
    run
}

/// As the page keeps it.
fn page() -> Options {
    Options { sink: Sink::Ring(100_000), facts: 100_000, ..Options::default() }
}

const PRESETS: [&str; 4] = ["oracle-http", "oracle-nats", "math-wizard", "config"];

fn asked(run: &Run, text: &str, prints: bool) -> Log {
    let mut log = Log::default();
    log.ask(run, text, prints, true);
    log
}

#[test]
fn what_a_page_keeps_is_line_by_line_what_the_command_line_writes() {
    for preset in PRESETS {
        let lines = |options: &Options| {
            let bytes = trace_file::bytes(&run(preset, options, 20_000), trace_file::Format::Ndjson);
            String::from_utf8(bytes.unwrap()).unwrap()
        };
        let written = lines(&Options { sink: Sink::Annotated, ..Options::default() });
        assert!(lines(&page()) == written, "{preset}");
        assert!(written.lines().any(|line| !line.contains("\"fact\":null")), "{preset} has facts");
    }
}

#[test]
fn a_query_leaves_what_its_terms_say_and_is_followed_as_the_run_goes_on() {
    for preset in PRESETS {
        let mut run = run(preset, &page(), 4_000);
        let node = run.net().name(NodeId(run.trace().records().map(|record| record.node).max().unwrap()));
        for text in ["", "kind:sent", "-kind:sent,received", &format!("node:{node}"), "kind:request"] {
            let mut followed = asked(&run, text, false);
            for ms in [4_500, 7_000, 14_000] {
                run.run_until(Instant::from_millis(ms));
                assert!(!followed.update(&run), "the same past");
            }
            let fresh = asked(&run, text, false);
            assert!(followed.numbers().eq(fresh.numbers()), "{preset} {text}");
            let by_hand = |record: &&Record| match text.split_once(':') {
                None => true,
                Some(("-kind", _)) => {
                    !["sent", "received"].iter().any(|end| record.kind.name().ends_with(end))
                }
                Some(("kind", value)) => query::is_kind(record.kind.name(), value),
                _ => [record.node, substrate::peer_of(record)]
                    .iter()
                    .any(|&id| id != 0 && run.net().name(NodeId(id)) == node),
            };
            let expected: Vec<u64> = run.trace().records().filter(by_hand).map(|record| record.n).collect();
            assert_eq!(fresh.numbers().collect::<Vec<_>>(), expected, "{preset} {text}");
        }
    }
}

#[test]
fn another_past_is_read_anew_and_a_ring_that_turns_is_followed() {
    let long = run("oracle-http", &page(), 20_000);
    let mut log = asked(&long, "kind:late", false);
    assert!(!log.is_empty());
    let short = run("oracle-http", &page(), 6_000);
    assert!(log.update(&short) && log.numbers().eq(asked(&short, "kind:late", false).numbers()));
    let mut turning = run("oracle-http", &Options { sink: Sink::Ring(500), ..page() }, 3_000);
    let mut log = asked(&turning, "", false);
    for ms in [3_050, 3_500, 30_000] {
        turning.run_until(Instant::from_millis(ms));
        log.update(&turning);
        assert!(log.numbers().eq(turning.trace().records().map(|record| record.n)), "{ms}");
    }
}

#[test]
fn what_is_not_known_leaves_nothing_and_is_there_as_soon_as_it_is_known() {
    let mut run = run("oracle-http", &page(), 1);
    let mut log = asked(&run, "kind:aggregated", false);
    assert!(
        log.problem()
            .is_some_and(|said| said.starts_with("kind:aggregated is not known. Allowed: parts of "))
    );
    assert!(log.is_empty());
    run.run_until(Instant::from_millis(5_000));
    log.update(&run);
    assert_eq!((log.problem(), log.len()), (None, 2));
    assert_eq!(asked(&run, "req:1 node:w-01 kind:late", false).problem(), None);
}

#[test]
fn words_are_found_in_the_line_and_an_event_says_its_fact() {
    let run = run("oracle-http", &page(), 5_000);
    let log = asked(&run, "kind:aggregated req:1", false);
    let row = log.row(&run, 0).unwrap();
    assert_eq!((&*row.node, row.kind, row.req), ("coordinator", "request_aggregated", Some(1)));
    assert!(row.text.starts_with("value=4") && !row.text.contains("handling"), "{}", row.text);
    let value = row.text.split_whitespace().next().unwrap();
    assert!(asked(&run, value, false).place_of(log.number(0).unwrap()).is_some());
}

#[test]
fn the_programs_own_lines_are_those_of_the_real_ones() {
    let said = |preset: &str, ms: u64, text: &str| -> Vec<String> {
        let run = run(preset, &page(), ms);
        let log = asked(&run, text, true);
        assert_eq!(log.problem(), None, "{preset} {text}");
        (0..log.len()).filter_map(|place| log.row(&run, place)).map(|row| row.text).collect()
    };
    let first =
        |preset: &str, ms: u64, text: &str| said(preset, ms, text).first().cloned().unwrap_or_default();
    let has = |preset: &str, text: &str, line: &str| {
        let lines = said(preset, 20_000, text);
        assert!(
            lines.iter().any(|said| said.contains(line)),
            "{line} is not in {:?}",
            &lines[..lines.len().min(9)]
        );
    };
    assert_eq!(
        first("oracle-http", 3_000, "node:coordinator req:1 kind:opened"),
        "2025/01/01 00:00:00 INFO request request=req-00001 query=BTC/USD workers=12"
    );
    has("oracle-http", "level:error", "ERROR task failed request=req-");
    has("oracle-nats", "node:nats", "[INF] Server is ready");
    has("math-wizard", "node:gateway", "\"POST /task HTTP/1.1\" 202");
    has("math-wizard", "node:gateway", "/status HTTP/1.1\" 200");
    has("math-wizard", "node:valkey", "* Ready to accept connections tcp");
    has("math-wizard", "node:c-01-api", "INFO:werkzeug:gateway - - [01/Jan/2025 00:00:");
    has("math-wizard", "node:c-01-worker-1", "INFO worker-1: processing task ");
    has("config", "node:a-01", "[agent] poll: 304 Not Modified");
    has("config", "node:controller", "[controller] listening on :8080");
}

#[test]
fn who_hides_the_truth_sees_what_the_coordinator_can_know() {
    let seen = |faults: &str| {
        let scenario = Scenario { faults: Some(faults.to_owned()), ..Scenario::preset("oracle-http", 31) };
        let mut run = Run::new(&scenario, page()).unwrap();
        run.run_until(Instant::from_millis(15_000));
        let lines = |truth: bool, prints: bool| {
            let mut log = Log::default();
            log.ask(&run, "", prints, truth);
            (0..log.len()).map(|place| log.row(&run, place)).collect::<Vec<_>>()
        };
        (lines(false, false), lines(false, true), lines(true, false))
    };
    let (with, without) = (seen("lie:w-05@1s=0"), seen(""));
    assert!(with.0 == without.0 && with.1 == without.1, "a liar who lies by nothing");
    assert!(with.2 != without.2 && with.0.len() > 100 && with.1.len() > 20);
}
