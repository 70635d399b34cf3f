//! Workers that do only so many tasks at once, held against what queueing theory says of them; and workers that are slow.

use super::support::{Case, ms, node, records};
use glasshive::kernel::{Instant, Kind, Sink};
use glasshive::lab::stats::{self, Estimate};
use glasshive::lab::wizard::theory::mmc_mean_wait;
use glasshive::lab::{Options, Run};
use glasshive::substrate::http::{CANCELLED, REQUEST_RECEIVED};
use glasshive::systems::oracle::fact::{TASK_DONE, TASK_RECEIVED};
use glasshive::systems::oracle::{LIE_STARTED, TASK_STARTED};
use std::collections::{BTreeMap, BTreeSet};

/// One worker that does so many tasks at once, each of 100 ms on average, with nothing in the way but the links.
fn one_worker(preset: &str, seed: u64, law: &str, at_once: &str, period: &str) -> Case {
    let case =
        Case::preset(preset, seed).faults("").set("workers", "1").set("fail", "0").set("load", "poisson");
    let case = case.set("delay-law", law).set("delay-mean", "100ms").set("concurrency", at_once);
    case.set("period", period)
        .set("timeout", "60s")
        .set("heartbeat", "1h")
        .set("stale", "1h")
        .set("rate", "off")
}

/// When each task came, and when it began, by its request.
fn waits(run: &Run, came: Kind) -> BTreeMap<u64, (Instant, Instant)> {
    let worker = node(run, "w-01");
    let own = |kind| records(run, kind).into_iter().filter(|record| record.node == worker && record.tag > 0);
    let came: BTreeMap<u64, Instant> = own(came).map(|record| (record.tag, record.at)).collect();
    own(TASK_STARTED).map(|record| (record.tag, (came[&record.tag], record.at))).collect()
}

/// The mean wait, in units of the mean work, over replications of 1,000 s each: an estimate, and how many of its standard
/// errors it is off `expected`.
fn mean_wait(case: impl Fn(u64) -> Case, came: Kind, expected: f64) -> (Estimate, f64) {
    const WARM_UP: Instant = Instant::from_millis(100_000);
    let means: Vec<f64> = (1..=20)
        .map(|seed| {
            let options = Options { sink: Sink::Full, ..Options::default() };
            let mut run = Run::new(&case(seed).seconds(1_000).scenario, options).unwrap();
            run.run_until(Instant::MAX);
            let waits = waits(&run, came);
            let waited = waits.values().filter(|(came, _)| *came >= WARM_UP);
            let waits: Vec<f64> =
                waited.map(|(came, began)| began.since(*came).as_secs_f64() / 0.1).collect();
            stats::mean(&waits).unwrap()
        })
        .collect();
    let estimate = stats::estimate(&means).unwrap();
    (estimate, (estimate.mean - expected) / (stats::sd(&means).unwrap() / (means.len() as f64).sqrt()))
}

#[test]
fn tasks_wait_as_queueing_theory_says() {
    // Jitter on the way does not change a Poisson stream. M/D/1 waits half as long as M/M/1: Pollaczek and Khinchine.
    for (preset, law, at_once, period, expected) in [
        ("oracle-http", "exponential", "1", "200ms", mmc_mean_wait(1, 0.5)),
        ("oracle-http", "exponential", "1", "125ms", mmc_mean_wait(1, 0.8)),
        ("oracle-http", "exponential", "3", "40ms", mmc_mean_wait(3, 2.5)),
        ("oracle-http", "constant", "1", "125ms", mmc_mean_wait(1, 0.8) / 2.0),
        ("oracle-nats", "exponential", "2", "62500us", mmc_mean_wait(2, 1.6)),
    ] {
        let came = if preset == "oracle-http" { REQUEST_RECEIVED } else { TASK_RECEIVED };
        let (estimate, z) = mean_wait(|seed| one_worker(preset, seed, law, at_once, period), came, expected);
        let Estimate { mean, half_width, .. } = estimate;
        println!(
            "{preset} {law}, {at_once} at once every {period}: {mean:.4} ±{half_width:.4}, theory {expected:.4}, z {z:+.2}"
        );
        assert!(
            z.abs() <= 4.0 && half_width <= 0.12 * expected,
            "{law}, {at_once} every {period}: {mean}, z = {z}"
        );
    }
}

#[test]
fn nobody_waits_where_there_is_no_limit() {
    one_worker("oracle-http", 3, "exponential", "off", "20ms").seconds(60).check(|run| {
        let waits = waits(run, REQUEST_RECEIVED);
        assert!(waits.len() > 2_000 && waits.values().all(|(came, began)| came == began));
    });
}

#[test]
fn tasks_begin_in_the_order_in_which_they_came() {
    one_worker("oracle-http", 5, "exponential", "2", "60ms").seconds(120).check(|run| {
        let mut waits: Vec<_> = waits(run, REQUEST_RECEIVED).into_values().collect();
        waits.sort();
        assert!(waits.iter().filter(|(came, began)| came < began).count() > 500);
        assert!(waits.is_sorted_by_key(|(_, began)| *began), "first come, first served");
    });
}

#[test]
fn a_cancelled_task_leaves_the_queue_or_frees_its_slot() {
    // Of five at once each would take 400 ms; at 500 ms whatever is not done is cancelled.
    let case = Case::oracle(7)
        .set("workers", "3")
        .set("fail", "0")
        .set("delay-law", "constant")
        .set("delay-mean", "400ms");
    let case = case.set("concurrency", "1").set("timeout", "600ms").set("load", "burst").set("at-once", "5");
    case.set("period", "1s").check(|run| {
        let worker = node(run, "w-02");
        let own = |kind| records(run, kind).into_iter().filter(move |record| record.node == worker);
        let began: Vec<_> = own(TASK_STARTED).map(|record| (record.at, 1)).collect();
        let begun: BTreeSet<u64> = own(TASK_STARTED).map(|record| record.tag).collect();
        let cancelled =
            own(CANCELLED).filter(|record| begun.contains(&record.tag)).map(|record| (record.at, -1));
        let done: BTreeSet<u64> = own(TASK_DONE).map(|record| record.tag).collect();
        let ended = own(TASK_DONE).map(|record| (record.at, -1)).chain(cancelled);
        let mut changes: Vec<(Instant, i32)> = ended.chain(began.clone()).collect();
        changes.sort();
        let mut at_work = 0;
        for (at, change) in changes {
            at_work += change;
            assert!((0..=1).contains(&at_work), "{at_work} at {}", ms(at));
        }
        // In each burst one is done; the slot of the second is free for the first of the next burst, which waits for nobody.
        assert_eq!(done.len(), 60);
        let firsts = own(REQUEST_RECEIVED).filter(|record| record.tag > 0 && done.contains(&record.tag));
        let firsts: Vec<_> = firsts.map(|record| record.at).collect();
        assert!(firsts.iter().all(|at| began.iter().any(|(began, _)| began == at)), "{firsts:?}");
        assert!(begun.len() > 100 && begun.len() < 240, "{} begun", begun.len());
    });
}

#[test]
fn a_crash_empties_the_queue() {
    for (preset, came) in [("oracle-http", REQUEST_RECEIVED), ("oracle-nats", TASK_RECEIVED)] {
        let case = one_worker(preset, 2, "constant", "1", "500ms").set("load", "constant");
        case.set("delay-mean", "1900ms").faults("crash:w-01@10s..11s").seconds(20).check(|run| {
            let waits = waits(run, came);
            let crash = Instant::from_millis(10_000);
            assert!(waits.values().all(|(came, began)| (*came < crash) == (*began < crash)), "{waits:?}");
            let first = waits.values().find(|(came, _)| *came > crash).unwrap();
            assert_eq!(first.0, first.1, "{preset}: the first after the crash waits for nobody");
            assert!(waits.len() >= 9, "{preset}: {}", waits.len());
        });
    }
}

#[test]
fn a_worker_that_ends_does_what_is_in_its_queue() {
    let case = one_worker("oracle-http", 2, "constant", "1", "500ms").set("load", "constant");
    case.faults("stop:w-01@5s").set("delay-mean", "900ms").seconds(40).check(|run| {
        let done = records(run, TASK_DONE).len();
        let came = waits(run, REQUEST_RECEIVED).len();
        assert!(
            done == came && records(run, TASK_DONE).last().unwrap().at > Instant::from_millis(7_000),
            "{done} of {came}"
        );
    });
}

#[test]
fn a_share_of_the_workers_is_slow_and_which_ones_depends_on_the_seed_alone() {
    let slow = |case: Case| {
        let mut slow = BTreeSet::new();
        let mut liars = BTreeSet::new();
        case.set("delay-law", "constant")
            .set("delay-mean", "100ms")
            .set("slow-factor", "3.5")
            .seconds(9)
            .check(|run| {
                for record in records(run, TASK_STARTED) {
                    match record.value {
                        100_000_000 => {}
                        350_000_000 => drop(slow.insert(record.node)),
                        other => panic!("a task takes {other} ns"),
                    }
                }
                liars.extend(records(run, LIE_STARTED).iter().map(|record| record.node));
            });
        (slow, liars)
    };
    let mut sets = BTreeSet::new();
    let mut as_liars = 0;
    for seed in 0..20 {
        let (chosen, liars) = slow(Case::oracle(seed).set("slow-share", "0.29").set("lie", "0.25"));
        // 3.48 of 12, and 3 liars, chosen apart.
        assert_eq!((chosen.len(), liars.len()), (3, 3), "seed {seed}");
        assert_eq!(slow(Case::oracle(seed).set("slow-share", "0.29")).0, chosen, "whoever lies");
        as_liars += usize::from(chosen == liars);
        sets.insert(chosen);
    }
    assert!(sets.len() > 15 && as_liars <= 2, "{} sets, {as_liars} of them the liars", sets.len());
    assert_eq!(slow(Case::oracle(1).set("slow-share", "0.125")).0.len(), 2, "1.5 is rounded up");
    assert_eq!(slow(Case::oracle(1)).0.len(), 0);
    assert_eq!(slow(Case::oracle(1).set("slow-share", "1")).0.len(), 12);
    assert_eq!(slow(Case::preset("oracle-nats", 1).faults("").set("slow-share", "0.5")).0.len(), 6);
}
