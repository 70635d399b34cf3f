//! The definitions by example, and each clever way against the plain one.

use super::*;
use crate::kernel::Rng;

const KNOBS: Knobs = Knobs { step: 1.0, trim: 0.25, confidence: 0.01 };

fn value(strategy: Strategy, values: &[f64]) -> Option<f64> {
    strategy.aggregate(values, &KNOBS).map(|a| a.value)
}

#[test]
fn each_strategy_follows_its_definition() {
    let nine = [9.0, 1.0, 2.0, 4.0];
    for (strategy, values, expected) in [
        (Strategy::Average, &[42120.5, 42150.8][..], (42135.65, 2)),
        (Strategy::Median, &[9.0, 1.0, 2.0], (2.0, 3)),
        (Strategy::Median, &nine, (3.0, 4)),
        (Strategy::Majority, &[1.2, 0.9, 5.0], (1.0, 2)),
        (Strategy::Majority, &[7.0, 3.0, 7.0, 3.0, 9.0], (3.0, 2)),
        (Strategy::UpperMedian, &nine, (4.0, 4)),
        (Strategy::UpperMedian, &[9.0, 1.0, 2.0], (2.0, 3)),
        (Strategy::WeightedMedian, &nine, (2.0, 4)),
        (Strategy::TrimmedMean, &nine, (3.0, 2)),
        (Strategy::TrimmedMean, &[9.0, 1.0, 2.0], (4.0, 3)),
        // M = 3, MAD = 1: everything within 4.4478 stays.
        (Strategy::Mad, &[1.0, 2.0, 3.0, 4.0, 7.4], (3.48, 5)),
        (Strategy::Mad, &[1.0, 2.0, 3.0, 4.0, 7.5], (2.5, 4)),
        (Strategy::Mad, &[5.0, 5.0, 5.0, 5.1], (5.0, 3)),
        // The pairs' means are 1.5, 2.5, 5, 3, 5.5, 6.5.
        (Strategy::HodgesLehmann, &nine, (4.0, 4)),
        (Strategy::HodgesLehmann, &[1.0, 2.0, 9.0], (5.0, 3)),
        (Strategy::Pyth, &[100.0, 101.0, 109.0], (101.0, 3)),
    ] {
        let (value, support) = expected;
        let found = strategy.aggregate(values, &KNOBS).unwrap();
        assert!((found.value - value).abs() < 1e-12, "{strategy:?} of {values:?}: {}", found.value);
        assert_eq!(found.support, support, "{strategy:?} of {values:?}");
    }
}

#[test]
fn every_strategy_has_its_name_and_takes_one_answer_or_none() {
    for (strategy, name) in Strategy::ALL.into_iter().zip(Strategy::NAMES) {
        assert_eq!(strategy.name(), name);
        assert_eq!(Strategy::from_name(name), Some(strategy));
        assert_eq!(serde_json::to_value(strategy).unwrap(), name);
        assert_eq!(value(strategy, &[]), None);
        assert_eq!(value(strategy, &[7.0]), Some(7.0));
        let far = strategy.aggregate(&[VALUE_MAX, -VALUE_MAX, VALUE_MAX], &KNOBS);
        assert!(far.is_none_or(|far| far.value.is_finite()), "{name}: {far:?}");
    }
    assert_eq!(Strategy::from_name("mean"), None);
    assert!(!is_usable(f64::NAN) && !is_usable(1e151) && is_usable(-VALUE_MAX));
}

#[test]
fn the_weighted_median_follows_the_weights() {
    let values = [10.0, 40.0, 20.0, 30.0];
    let of = |weights: &[f64]| {
        Strategy::WeightedMedian.of(&Answers::weighted(&values, weights), &KNOBS).unwrap().value
    };
    assert_eq!(of(&[1.0, 1.0, 1.0, 1.0]), 20.0);
    assert_eq!(of(&[0.7, 0.7, 0.7, 0.7]), 20.0, "rounding of the sum must not matter");
    assert_eq!(of(&[0.1, 0.1 + 1e-16, 0.1, 0.1]), 20.0, "nor that of the weights");
    assert_eq!(of(&[1.0, 9.0, 1.0, 1.0]), 40.0);
    assert_eq!(of(&[4.0, 1.0, 1.0, 1.0]), 10.0);
    assert_eq!(of(&[0.0, 1.0, 0.0, 1.0]), 30.0);
    assert_eq!(of(&[0.0; 4]), 20.0);
    // By the definition itself, on random weights.
    let mut rng = Rng::new(5);
    for _ in 0..2_000 {
        let n = 1 + rng.below(12) as usize;
        let values: Vec<f64> = (0..n).map(|_| rng.below(8) as f64).collect();
        let weights: Vec<f64> = (0..n).map(|_| 1.0 + rng.below(9) as f64).collect();
        let total: f64 = weights.iter().sum();
        let sum = |keep: &dyn Fn(f64) -> bool| -> f64 {
            values.iter().zip(&weights).filter(|(v, _)| keep(**v)).map(|(_, w)| w).sum()
        };
        let found = Strategy::WeightedMedian.of(&Answers::weighted(&values, &weights), &KNOBS).unwrap().value;
        assert!(2.0 * sum(&|v| v < found) < total && 2.0 * sum(&|v| v > found) <= total);
    }
}

#[test]
fn hodges_lehmann_agrees_with_all_pairs_written_out() {
    let mut rng = Rng::new(11);
    for round in 0..3_000 {
        let n = 2 + rng.below(20) as usize;
        let scale = [1.0, 1e-9, 1e12][round % 3];
        let draw = |rng: &mut Rng| match round % 2 {
            // Many equal ones.
            0 => (rng.below(5) as f64 - 2.0) * scale,
            _ => rng.uniform(-scale, scale),
        };
        let values: Vec<f64> = (0..n).map(|_| draw(&mut rng)).collect();
        let mut means: Vec<f64> = (0..n)
            .flat_map(|i| values[..i].iter().map(move |&x| (i, x)))
            .map(|(i, x)| (values[i] + x) / 2.0)
            .collect();
        means.sort_unstable_by(f64::total_cmp);
        let expected = rules::median(&means);
        assert_eq!(value(Strategy::HodgesLehmann, &values), Some(expected), "{values:?}");
    }
}

#[test]
fn ten_thousand_answers_are_no_burden_to_any_strategy() {
    let mut rng = Rng::new(3);
    let values: Vec<f64> = (0..10_000).map(|_| 42_135.5 * (1.0 + rng.uniform(-0.05, 0.05))).collect();
    for strategy in Strategy::ALL.into_iter().filter(|strategy| *strategy != Strategy::Majority) {
        let error = (value(strategy, &values).unwrap() / 42_135.5 - 1.0).abs();
        assert!(error < 0.005, "{strategy:?}: {error}");
    }
}

#[test]
fn what_makes_a_quote_invalid_leaves_it_out() {
    let good = pyth::Quote { price: 100, conf: 10, status: 1, age: 0 };
    let bad = |change: fn(&mut pyth::Quote)| {
        let mut quote = pyth::Quote { price: 900, ..good };
        change(&mut quote);
        pyth::aggregate(&[good, quote])
    };
    let alone = pyth::aggregate(&[good]);
    assert_eq!((alone.price, alone.conf, alone.valid, alone.status()), (100, 10, 1, "trading"));
    for change in [
        (|q| q.status = 0) as fn(&mut pyth::Quote),
        |q| q.conf = 0,
        |q| q.conf = -1,
        |q| q.age = 26,
        |q| q.price = i64::MAX - 9,
        |q| q.price = i64::MIN + 9,
    ] {
        assert_eq!(bad(change), alone);
    }
    assert_eq!(bad(|q| q.age = 25).valid, 2);
    assert_eq!(bad(|q| q.price = i64::MAX - 10).valid, 2);
    let nothing = pyth::aggregate(&[]);
    assert_eq!((nothing.price, nothing.conf, nothing.status()), (0, 0, "unknown"));
    // Four votes would have an even count, but there are three to a quote: 90 90 100 100 110 … with −1: rounds down.
    let pair =
        |a, b| pyth::aggregate(&[pyth::Quote { price: a, ..good }, pyth::Quote { price: b, ..good }]).price;
    assert_eq!((pair(0, 1), pair(0, -1)), (0, -1));
    // A live value that no 64-bit integer holds is no quote.
    assert_eq!(Strategy::Pyth.aggregate(&[1e12, 7.0], &KNOBS).unwrap().support, 1);
    assert_eq!(Strategy::Pyth.aggregate(&[1e12], &KNOBS), None);
}

#[test]
fn the_spread_is_that_of_the_sample() {
    let spread = Answers::new(&[4.0, 2.0, 3.0, 1.0]).spread().unwrap();
    assert_eq!((spread.count, spread.min, spread.max, spread.range), (4, 1.0, 4.0, 3.0));
    assert!((spread.sd - (5.0_f64 / 3.0).sqrt()).abs() < 1e-12);
    assert_eq!(Answers::new(&[]).spread(), None);
}
