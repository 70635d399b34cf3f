//! Tests of tally and ledger on facts made by hand. Those of the checker stand beside it.

use super::*;
use crate::lab::Entries;
use crate::systems::config::{ChangeEnd, Settings, TryEnd};

/// One agent with two workers, unless said otherwise, whose facts all come through `at`.
struct Hand {
    folds: Folds,
    told: u64,
}

impl Hand {
    fn new(keep: usize, entries: Option<Entries>) -> Self {
        Hand::of(Params { agents: 1, workers: 2, ..Params::default() }, keep, entries)
    }

    fn of(params: Params, keep: usize, entries: Option<Entries>) -> Self {
        let (tally, checker) = (Tally::new(&params), Checker::new(&params));
        let folds = Folds { tally, checker, ledger: Ledger::new(&params, keep, entries), kept: Kept::new(0) };
        let mut hand = Hand { folds, told: 0 };
        hand.at(0, Fact::VersionShipped { version: 1, settings: settings(1) });
        hand
    }

    fn at(&mut self, ms: u64, fact: Fact) {
        self.told += 1;
        let told = Told { n: self.told, at: Instant::from_millis(ms), node: 3, req: 7, fact: &fact };
        self.folds.hear(&told);
    }

    /// A version is stored, and acknowledged 5 ms later.
    fn put(&mut self, ms: u64, version: u64) {
        self.at(ms, Fact::WriteBegun { version, author: "client".to_owned() });
        self.at(ms, Fact::VersionServable { version, settings: settings(version) });
        self.at(ms + 5, Fact::VersionStored { version });
    }

    fn everybody_takes(&mut self, ms: u64, version: u64) {
        self.at(ms, Fact::AgentApplied { agent: 1, version });
        self.at(ms, Fact::WorkerApplied { worker: 1, version });
        self.at(ms, Fact::WorkerApplied { worker: 2, version });
    }
}

fn settings(version: u64) -> Settings {
    Settings { rate: version as f64, query: "BTC/USD".to_owned(), ..Settings::default() }
}

/// Collects what has ended.
fn sink() -> (Entries, Rc<RefCell<Vec<Value>>>) {
    let ended = Rc::new(RefCell::new(Vec::new()));
    let here = Rc::clone(&ended);
    (Rc::new(RefCell::new(move |entry| here.borrow_mut().push(entry))), ended)
}

fn numbers(entries: &[Value]) -> Vec<(u64, bool)> {
    entries.iter().map(|entry| (entry["version"].as_u64().unwrap(), entry["ended"] == true)).collect()
}

#[test]
fn staleness_counts_every_version_that_a_worker_has_come_to_or_skipped() {
    let mut hand = Hand::new(usize::MAX, None);
    hand.everybody_takes(10, 1);
    hand.put(1_000, 2);
    hand.put(2_000, 3);
    hand.at(2_500, Fact::AgentApplied { agent: 1, version: 3 });
    hand.at(3_005, Fact::WorkerApplied { worker: 1, version: 3 });
    // Of version 1 twice, of 2 and 3 once; w-02 lacks both, and counts with what it has waited.
    let now = Instant::from_millis(6_005);
    let staleness = hand.folds.tally.staleness_ms(now).unwrap();
    assert_eq!(
        (staleness.count, staleness.p50, staleness.p90, staleness.max),
        (6, 1_000.0, 5_000.0, 5_000.0)
    );
    assert_eq!(staleness.mean, (10.0 + 10.0 + 2_000.0 + 1_000.0 + 5_000.0 + 4_000.0) / 6.0);
    assert_eq!(hand.folds.tally.still_behind(), 2);
    assert_eq!(hand.folds.tally.convergence_ms(), None, "the shipped one does not count");
    assert_eq!(
        (hand.folds.tally.current(), hand.folds.tally.behind_since()),
        (1, Some(Instant::from_millis(1_005)))
    );
    assert_eq!(hand.folds.tally.stale_since(0), None);
    assert_eq!(hand.folds.tally.stale_since(1), Some(Instant::from_millis(1_005)));
    hand.at(4_000, Fact::WorkerStarted { worker: 2 });
    assert_eq!(hand.folds.tally.stale_since(1), Some(Instant::from_millis(4_000)));
    hand.at(5_005, Fact::WorkerApplied { worker: 2, version: 3 });
    let convergence = hand.folds.tally.convergence_ms().unwrap();
    assert_eq!((convergence.count, convergence.p50, convergence.max), (2, 3_000.0, 4_000.0));
    assert_eq!((hand.folds.tally.current(), hand.folds.tally.behind_since()), (2, None));
    assert_eq!(hand.folds.tally.staleness_ms(now).unwrap().count, 6);
    assert_eq!(hand.folds.tally.still_behind(), 0);
}

#[test]
fn who_waits_for_too_long_counts_with_what_it_waited_so_far() {
    let mut hand = Hand::new(0, None);
    hand.everybody_takes(10, 1);
    let put = |hand: &mut Hand, version| {
        hand.at(version, Fact::VersionServable { version, settings: settings(version) });
        hand.at(version, Fact::VersionStored { version });
    };
    (2..=10_003).for_each(|version| put(&mut hand, version));
    let now = Instant::from_millis(20_000);
    let tally = &hand.folds.tally;
    // Two workers lack 10,002 versions, two of which are followed no more.
    let staleness = tally.staleness_ms(now).unwrap();
    assert_eq!((staleness.count, tally.still_behind()), (2 + 2 * 10_002, 2 * 10_002));
    assert_eq!(staleness.max, 20_000.0 - 4.0);
    assert_eq!(tally.stale_since(0), Some(Instant::from_millis(4)));
    // They come after all: nothing counts twice.
    hand.everybody_takes(30_000, 10_003);
    let tally = &hand.folds.tally;
    assert_eq!((tally.staleness_ms(now).unwrap().count, tally.still_behind()), (2 + 2 * 10_002, 4));
    assert_eq!((tally.current(), tally.behind_since()), (2, None));
}

#[test]
fn a_version_that_was_never_acknowledged_makes_nobody_stale() {
    let mut hand = Hand::new(usize::MAX, None);
    hand.everybody_takes(10, 1);
    hand.at(1_000, Fact::VersionServable { version: 2, settings: settings(2) });
    assert_eq!((hand.folds.tally.current(), hand.folds.tally.behind_since()), (2, None));
    assert_eq!(hand.folds.tally.stale_since(0), None);
    hand.everybody_takes(2_000, 2);
    assert_eq!(hand.folds.tally.staleness_ms(Instant::from_millis(2_000)).unwrap().count, 2);
    assert_eq!(hand.folds.tally.convergence_ms(), None);
    assert_eq!(hand.folds.ledger.version(2).unwrap().made_by, None);
}

#[test]
fn a_herd_is_what_comes_within_a_second_and_a_restart_begins_anew() {
    let mut hand = Hand::new(usize::MAX, None);
    hand.at(0, Fact::ControllerStarted { newest: 1 });
    for ms in [100, 600, 1_050, 1_100, 1_599] {
        hand.at(ms, Fact::ControllerAsked);
    }
    assert_eq!((hand.folds.tally.herd_peak(), hand.folds.tally.herd_peak_since_restart()), (4, None));
    hand.at(1_650, Fact::ControllerStarted { newest: 1 });
    hand.at(1_700, Fact::ControllerAsked);
    assert_eq!((hand.folds.tally.herd_peak(), hand.folds.tally.herd_peak_since_restart()), (4, Some(1)));
    let load: Vec<(u32, u32)> =
        hand.folds.ledger.load().iter().map(|second| (second.requests, second.herd)).collect();
    assert_eq!(load, [(2, 2), (4, 4)]);
}

#[test]
fn a_second_says_how_things_stood_at_its_end() {
    let mut hand = Hand::new(usize::MAX, None);
    hand.everybody_takes(10, 1);
    hand.put(1_200, 2);
    hand.at(3_500, Fact::WorkerApplied { worker: 1, version: 2 });
    hand.at(4_100, Fact::PollEnded { agent: 1, status: 304 });
    let load = hand.folds.ledger.load();
    let stood: Vec<(usize, Option<u64>)> = load
        .iter()
        .map(|second| (second.current, second.behind_since.map(|at| at.as_nanos() / 1_000_000)))
        .collect();
    let behind = Some(1_205);
    assert_eq!(stood, [(2, None), (0, behind), (0, behind), (1, behind), (1, behind)]);
    assert_eq!(load[4].polls.not_modified, 1);
}

#[test]
fn what_became_of_changes_tries_and_polls_is_counted() {
    let mut hand = Hand::new(0, None);
    (0..5).for_each(|_| hand.at(1, Fact::ChangeIntended));
    for end in [ChangeEnd::Made, ChangeEnd::Made, ChangeEnd::Refused, ChangeEnd::GivenUp] {
        hand.at(2, Fact::ChangeEnded { end });
    }
    for end in [TryEnd::Conflict, TryEnd::Unanswered, TryEnd::Unanswered, TryEnd::Answered] {
        hand.at(2, Fact::TryEnded { end });
    }
    for status in [200, 304, 304, 503, 0] {
        hand.at(3, Fact::PollEnded { agent: 1, status });
    }
    let tally = &hand.folds.tally;
    let (changes, tries) = (tally.changes, tally.tries);
    assert_eq!((changes.made, changes.refused, changes.given_up, changes.under_way()), (2, 1, 1, 1));
    assert_eq!((tries.answered, tries.conflicts, tries.unanswered), (1, 1, 2));
    let polls = tally.polls;
    assert_eq!((polls.modified, polls.not_modified, polls.failed), (1, 2, 2));
    assert_eq!(tally.share_not_modified(), Some(2.0 / 3.0));
    assert!(
        hand.folds.ledger.versions().is_empty() && hand.folds.ledger.load().is_empty(),
        "nothing is kept"
    );
}

#[test]
fn a_version_ends_when_all_have_a_newer_one_and_is_told_of_once() {
    let (entries, ended) = sink();
    let mut hand = Hand::new(0, Some(entries));
    hand.everybody_takes(10, 1);
    hand.put(1_000, 2);
    hand.at(2_000, Fact::AgentApplied { agent: 1, version: 2 });
    hand.at(2_000, Fact::WorkerApplied { worker: 1, version: 2 });
    hand.at(2_500, Fact::TickDone { worker: 2, version: 1 });
    assert!(ended.borrow().is_empty(), "w-02 works by version 1 still");
    hand.at(3_000, Fact::WorkerApplied { worker: 2, version: 2 });
    assert_eq!(numbers(&ended.borrow()), [(1, true)]);
    assert_eq!(ended.borrow()[0]["ticks_done"], 1);
    hand.put(4_000, 3);
    hand.put(5_000, 4);
    hand.everybody_takes(6_000, 4);
    assert_eq!(numbers(&ended.borrow()), [(1, true), (2, true), (3, true)]);
    let second = ended.borrow()[1].clone();
    assert_eq!((&second["author"], &second["change"]), (&"client".into(), &7.into()));
    assert_eq!(
        (&second["acknowledged_at_ms"], &second["convergence_ms"]),
        (&1_005.0.into(), &1_995.0.into())
    );
    assert_eq!(second["workers_at_ms"], serde_json::json!([2_000.0, 3_000.0]));
    assert_eq!(numbers(&hand.folds.ledger.open_entries()), [(4, false)]);
    assert_eq!(hand.folds.ledger.versions().len(), 1, "what has ended is not kept");
}

#[test]
fn what_is_kept_weighs_no_more_than_the_budget() {
    // A version weighs four.
    let (entries, ended) = sink();
    let mut hand = Hand::new(12, Some(entries));
    let mut quiet = Hand::new(12, None);
    for hand in [&mut hand, &mut quiet] {
        for version in 2..=9 {
            hand.put(version * 1_000, version);
            hand.everybody_takes(version * 1_000 + 500, version);
        }
        let kept: Vec<u64> = hand.folds.ledger.versions().iter().map(|entry| entry.number).collect();
        assert_eq!(kept, [7, 8, 9]);
        assert!(hand.folds.ledger.version(6).is_none() && hand.folds.ledger.version(8).is_some());
    }
    assert_eq!(numbers(&ended.borrow()), (1..=8).map(|version| (version, true)).collect::<Vec<_>>());
    // Nobody comes to version 10 and those after it: without somebody who waits they go all the same.
    (10..=20).for_each(|version| quiet.put(version * 1_000, version));
    assert_eq!(quiet.folds.ledger.versions().len(), 3);
}

#[test]
fn what_nobody_comes_to_is_told_of_in_the_end() {
    let (entries, ended) = sink();
    // A version weighs a thousand.
    let mut hand = Hand::of(Params { agents: 1, workers: 998, ..Params::default() }, 0, Some(entries));
    for version in 2..=1_010 {
        hand.at(version, Fact::VersionServable { version, settings: settings(version) });
    }
    assert_eq!(hand.folds.ledger.versions().len(), 1_000);
    assert_eq!(numbers(&ended.borrow()), (1..=10).map(|version| (version, false)).collect::<Vec<_>>());
    // Somebody comes to them after all; none is told of twice.
    hand.at(9_000, Fact::AgentApplied { agent: 1, version: 1_010 });
    (1..=998).for_each(|worker| hand.at(9_000, Fact::WorkerApplied { worker, version: 1_010 }));
    let told: Vec<u64> = numbers(&ended.borrow()).into_iter().map(|(version, _)| version).collect();
    assert_eq!(told, (1..=1_009).collect::<Vec<_>>());
}
