//! Pairs of requests, jobs and versions, and what is said of them.

use super::*;
use crate::lab::measure::Unit;
use crate::lab::stats;
use serde_json::json;

/// A shipped scenario on both sides, the second with something set.
fn twins(preset: &str, key: &str, values: [&str; 2]) -> [Scenario; 2] {
    values.map(|value| {
        let mut side = Scenario::preset(preset, 31);
        side.set.insert(key.to_owned(), value.into());
        side
    })
}

fn played(preset: &str, key: &str, values: [&str; 2], others: &[&str]) -> Pair {
    pair(&twins(preset, key, values), None, others).unwrap()
}

fn by<'a>(pair: &'a Pair, name: &str) -> &'a PairedMetric {
    pair.metrics.iter().find(|metric| metric.name == name).unwrap()
}

#[test]
fn requests_of_one_number_are_pairs_with_students_t_over_their_differences() {
    let pair = played("oracle-http", "strategy", ["average", "median"], &[]);
    assert_eq!(
        pair.changes,
        [Change { key: "strategy".to_owned(), a: json!("average"), b: json!("median") }]
    );
    assert_eq!((pair.unit.as_str(), pair.from_ms, pair.to_ms), ("requests", 0.0, 30_000.0));
    let errors = by(&pair, "error_mean");
    assert_eq!(errors.unit, Some(Unit::Share));
    for (place, known) in errors.pairs.iter().enumerate() {
        let so_far = &errors.pairs[..=place];
        let differences: Vec<f64> = so_far.iter().map(|pair| pair.values[0] - pair.values[1]).collect();
        let expected = stats::estimate(&differences).unwrap();
        assert!((known.difference - expected.mean).abs() < 1e-15);
        let half = known.interval.map_or(0.0, |(low, high)| (high - low) / 2.0);
        assert!((half - expected.half_width).abs() < 1e-12, "{place}: {half}");
        let less = so_far.iter().filter(|pair| pair.values[1] < pair.values[0]).count() as u64;
        assert_eq!(known.b_less, less);
        assert!((known.means[0] - known.means[1] - known.difference).abs() < 1e-15);
    }
    // The same draws on both sides: the answers come at the same instants.
    let latencies = by(&pair, "latency_mean");
    assert!(latencies.pairs.iter().all(|pair| pair.values[0] == pair.values[1]));
    assert_eq!(latencies.pairs.last().unwrap().verdict, Better::Neither);
}

#[test]
fn what_is_known_at_an_instant_is_what_both_runs_have_told_by_then() {
    let twins = twins("oracle-http", "timeout", ["800ms", "1.5s"]);
    let all = pair(&twins, None, &[]).unwrap();
    // Between what the shorter side knows of a request and what the longer one does.
    let half = pair(&twins, Some(Duration::from_millis(15_300)), &[]).unwrap();
    for (half, all) in half.metrics.iter().zip(&all.metrics) {
        assert!(half.pairs.len() < all.pairs.len() && !half.pairs.is_empty());
        let known: Vec<_> = all.pairs.iter().filter(|pair| pair.at_ms <= 15_300.0).cloned().collect();
        assert_eq!(half.pairs, known);
        for side in [0, 1] {
            let known = all.sides[side].iter().filter(|(_, at, _)| *at <= 15_300.0);
            assert_eq!(half.sides[side], known.copied().collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_verdict_needs_eight_pairs_and_an_interval_without_zero() {
    let of = |pairs, low, high| Better::of(pairs, Some((low, high)));
    assert_eq!([of(7, 1.0, 2.0), Better::of(0, None)], [Better::TooFew; 2]);
    assert_eq!([of(8, 1.0, 2.0), of(8, -2.0, -1.0)], [Better::B, Better::A]);
    assert_eq!([of(8, -1.0, 2.0), of(8, 0.0, 2.0), of(8, 0.0, 0.0)], [Better::Neither; 3]);
    let pair = played("oracle-http", "timeout", ["800ms", "3s"], &[]);
    let latencies = by(&pair, "latency_mean");
    assert_eq!(latencies.pairs[6].verdict, Better::TooFew);
    assert_eq!(latencies.pairs.last().unwrap().verdict, Better::A, "who waits longer takes longer");
}

#[test]
fn a_lost_job_counts_as_one_and_a_job_that_was_done_as_none() {
    let pair = played("lost-job", "mode", ["brpop", "lmove"], &[]);
    let lost = by(&pair, "unanswered_share");
    let failed: Vec<_> = lost.pairs.iter().filter(|pair| pair.values != [0.0, 0.0]).collect();
    assert!(failed.len() == 1 && failed[0].values == [1.0, 0.0], "{failed:?}");
    assert!(!pair.independent);
}

#[test]
fn versions_have_the_mean_of_what_each_worker_waited() {
    let pair = played("poll-vs-push", "trigger", ["off", "on"], &["herd_peak"]);
    let staleness = by(&pair, "staleness_mean");
    let last = staleness.pairs.last().unwrap();
    assert!(last.means[0] > last.means[1], "{last:?}");
    let convergence = by(&pair, "convergence_mean");
    let longest = |n| convergence.pairs.iter().find(|pair| pair.n == n).unwrap().values;
    assert!(staleness.pairs.iter().all(|pair| pair.values[0] <= longest(pair.n)[0]));
    // A figure of the report has no units of work.
    let peak = by(&pair, "herd_peak");
    assert!(peak.pairs.is_empty() && peak.figure.unwrap().iter().all(Option::is_some));
}

#[test]
fn every_difference_is_named_and_other_measures_are_refused() {
    let [mut one, mut other] = [Scenario::preset("oracle-http", 1), Scenario::preset("oracle-nats", 2)];
    one.set.insert("workers".to_owned(), 5.into());
    other.set.insert("rate".to_owned(), "off".into());
    (one.faults, other.faults) = (Some(String::new()), Some("crash:w-01@1s".to_owned()));
    let known = pair(&[one.clone(), other], None, &[]).unwrap();
    let keys: Vec<&str> = known.changes.iter().map(|change| change.key.as_str()).collect();
    assert_eq!(keys, ["system", "workers", "seed", "faults"]);
    let refused = pair(&[one, Scenario::preset("config", 1)], None, &[]).unwrap_err();
    assert_eq!((refused.field.as_str(), refused.value.as_str()), ("preset", "config"));
}
