//! `glasshive aggregate` and the aggregation functions: Pyth's golden vectors, and how many liars each strategy bears.

use super::support::{BINARY, Ran, keys};
use glasshive::kernel::Rng;
use glasshive::lab::oracle::aggregate::{Outcome, Wish, aggregate};
use glasshive::systems::oracle::aggregator::{Answers, Knobs, Strategy, pyth};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

fn run(args: &[&str], input: &str) -> Ran {
    let mut child = Command::new(BINARY)
        .arg("aggregate")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // Who finds its arguments wrong need not read.
    let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends").into()
}

// --- Pyth's vectors -----------------------------------------------------------------------------------------------

/// The twenty vectors: name, input, expected line.
fn vectors() -> Vec<(String, String, String)> {
    let read = |path: String| fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let vector = |n: u32| {
        let path = |kind| format!("tests/data/pyth/{n}.{kind}");
        (format!("{n}.json"), read(path("json")), read(path("result")))
    };
    (1..=39).step_by(2).map(vector).collect()
}

/// The same items in another order, or by chance in the same one.
fn mixed<T: Clone>(items: &[T], rng: &mut Rng) -> Vec<T> {
    let mut left = items.to_vec();
    let mut mixed = Vec::new();
    while !left.is_empty() {
        mixed.push(left.swap_remove(rng.below(left.len() as u64) as usize));
    }
    mixed
}

#[test]
fn the_golden_vectors_hold_for_the_function() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 20);
    let (mut rng, mut moved) = (Rng::new(1), 0);
    for (name, input, expected) in vectors {
        let (input, expected): (Value, Value) =
            (serde_json::from_str(&input).unwrap(), serde_json::from_str(&expected).unwrap());
        let quotes: Vec<pyth::Quote> = input["quotes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|quote| pyth::Quote {
                price: quote["price"].as_i64().unwrap(),
                conf: quote["conf"].as_i64().unwrap(),
                status: quote["status"].as_i64().unwrap(),
                age: 1 - quote["slot_diff"].as_i64().unwrap_or(0),
            })
            .collect();
        let found = pyth::aggregate(&quotes);
        assert_eq!(
            (json!(found.price), json!(found.conf), json!(found.status())),
            (expected["price"].clone(), expected["conf"].clone(), expected["status"].clone()),
            "{name}"
        );
        // The order of the quotes is of no importance.
        for _ in 0..20 {
            let mixed = mixed(&quotes, &mut rng);
            moved += usize::from(mixed != quotes);
            assert_eq!(pyth::aggregate(&mixed), found, "{name}: {mixed:?}");
        }
    }
    assert!(moved > 300, "only {moved} orders were other ones");
}

#[test]
fn no_strategy_minds_the_order_of_the_answers() {
    let mut rng = Rng::new(21);
    for _ in 0..2_000 {
        let n = 2 + rng.below(20);
        // Some agree, so that there are ties; weights go with their answers.
        let answers: Vec<(f64, f64)> =
            (0..n).map(|_| (100.0 + rng.below(12) as f64 * 0.37, rng.uniform(0.1, 1.0))).collect();
        let other = mixed(&answers, &mut rng);
        let of = |strategy: Strategy, pairs: &[(f64, f64)]| {
            let (values, weights): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
            strategy.of(&Answers::weighted(&values, &weights), &KNOBS)
        };
        for strategy in Strategy::ALL {
            let found = of(strategy, &answers);
            let (found, again) = (found.unwrap(), of(strategy, &other).unwrap());
            assert_eq!(found.support, again.support, "{strategy:?} of {answers:?} and of {other:?}");
            // A sum may be rounded otherwise.
            let off = (again.value / found.value - 1.0).abs();
            assert!(off <= 1e-14, "{strategy:?} of {answers:?} and of {other:?}: {found:?}, {again:?}");
        }
    }
}

#[test]
fn the_golden_vectors_hold_for_the_command_line_to_the_last_byte() {
    for (name, input, expected) in vectors() {
        let ran = run(&["--strategy", "pyth", "--json"], &input);
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, expected.as_str(), ""), "{name}");
    }
}

#[test]
fn quotes_that_are_old_or_not_trading_are_left_out_and_none_is_unknown() {
    let quote = |extra: Value| {
        let mut quote = json!({"price": 500, "conf": 10, "status": 1});
        quote.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"exponent": -2, "quotes": [quote]}).to_string()
    };
    let unknown = "{\"exponent\":-2,\"price\":0,\"conf\":0,\"status\":\"unknown\"}\n";
    let trading = "{\"exponent\":-2,\"price\":500,\"conf\":10,\"status\":\"trading\"}\n";
    for (extra, expected) in [
        (json!({}), trading),
        // Slot 976 is 25 slots before 1001, slot 975 is 26.
        (json!({"slot_diff": -24}), trading),
        (json!({"slot_diff": -25}), unknown),
        (json!({"status": 0}), unknown),
        (json!({"conf": 0}), unknown),
        (json!({"conf": -10}), unknown),
        (json!({"price": i64::MAX}), unknown),
        (json!({"price": i64::MIN}), unknown),
    ] {
        assert_eq!(run(&["--strategy", "pyth", "--json"], &quote(extra.clone())).out, expected, "{extra}");
    }
    assert_eq!(run(&["--strategy", "pyth", "--json"], "{\"exponent\":-2,\"quotes\":[]}").out, unknown);
}

// --- the command line ---------------------------------------------------------------------------------------------

#[test]
fn numbers_are_aggregated_with_what_the_others_would_have_said() {
    let ran = run(&["--strategy", "median", "--json"], "[9, 1, 2, 4]");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let found = ran.json();
    assert_eq!(keys(&found), ["counter_answers", "spread", "strategy", "support", "value"]);
    assert_eq!(
        (&found["strategy"], &found["value"], &found["support"]),
        (&json!("median"), &json!(3.0), &json!(4))
    );
    assert_eq!(
        found["spread"],
        json!({"count": 4, "min": 1.0, "max": 9.0, "range": 8.0, "sd": 12.666_666_666_666_666_f64.sqrt()})
    );
    let mut names = Strategy::NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(keys(&found["counter_answers"]), names);
    let counter = |args: &[&str], name: &str| {
        run(&[args, &["--json"]].concat(), "[9, 1, 2, 4]").json()["counter_answers"][name].as_f64().unwrap()
    };
    assert_eq!(counter(&["--strategy", "average"], "trimmed-mean"), 4.0);
    assert_eq!(counter(&["--strategy", "average", "--trim", "25%"], "trimmed-mean"), 3.0);
    assert_eq!(counter(&["--strategy", "average", "--weights", "5,1,1,1"], "weighted-median"), 9.0);
    assert_eq!(counter(&["--strategy", "majority", "--step", "4"], "majority"), 4.0);
    let text = run(&["--strategy", "mad"], "[5, 5, 5, 5.1]");
    assert!(text.out.starts_with("mad              5  from 3 of 4 answers\n"), "{}", text.out);
    assert!(text.out.contains("range 0.09") && text.out.contains("\nhodges-lehmann "), "{}", text.out);
}

#[test]
fn what_is_wrong_with_the_input_is_named_with_what_is_allowed() {
    for (args, input, parts) in [
        (&["--strategy", "median"][..], "[]", &["input: []", "at least one number"][..]),
        (&["--strategy", "median"], "{}", &["input: {}", "array of numbers"]),
        (&["--strategy", "median"], "[1, ", &["input: ", "array of numbers"]),
        (&["--strategy", "median"], "", &["input: ", "array of numbers"]),
        (&["--strategy", "median"], "[1, \"2\"]", &["input[1]: \"2\"", "from -1e150 to 1e150"]),
        (&["--strategy", "median"], "[1e200]", &["input[0]: 1e+200", "from -1e150 to 1e150"]),
        (&["--strategy", "mean"], "[1]", &["strategy: mean", "hodges-lehmann, pyth"]),
        (&["--strategy", "majority", "--step", "0"], "[1]", &["step: 0", "from 0.000001 to 1000000"]),
        (&["--strategy", "trimmed-mean", "--trim", "-1"], "[1]", &["trim: -1", "from 0 to 0.49"]),
        (
            &["--strategy", "weighted-median", "--weights", "1"],
            "[1, 2]",
            &["weights: 1 ", "2 numbers from 0"],
        ),
        (
            &["--strategy", "weighted-median", "--weights", "1,-1"],
            "[1, 2]",
            &["weights: -1", "2 numbers from 0"],
        ),
        (&["--strategy", "weighted-median", "--weights", "0,0"], "[1, 2]", &["weights: 0,0", "not all 0"]),
        (&["--strategy", "pyth"], "[1]", &["input: [1]", "exponent and quotes"]),
        (&["--strategy", "pyth"], "{\"quotes\": []}", &["exponent: nothing", "whole number"]),
        (&["--strategy", "pyth"], "{\"exponent\": 0}", &["quotes: nothing", "an array of quotes"]),
        (
            &["--strategy", "pyth"],
            "{\"exponent\": 0, \"quotes\": [{\"price\": 1.5, \"conf\": 1, \"status\": 1}]}",
            &["quotes[0].price: 1.5", "64 bits"],
        ),
    ] {
        let ran = run(args, input);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?} {input}: {}", ran.err);
        for part in parts {
            assert!(ran.err.contains(part), "{args:?} {input}: {}", ran.err);
        }
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    }
    assert_eq!(run(&[], "[1]").code, 2, "a strategy must be named");
}

#[test]
fn no_input_makes_it_panic() {
    let pieces =
        ["[", "]", "{", "}", "1", "-0.5", "1e999", ",", "\"quotes\"", "\"exponent\"", ":", "null", "[1,2]"];
    let mut rng = Rng::new(77);
    let mut accepted = 0;
    for _ in 0..20_000 {
        let input: String = (0..rng.below(8)).map(|_| pieces[rng.below(13) as usize]).collect();
        let strategy = Strategy::NAMES[rng.below(9) as usize].to_owned();
        let outcome = aggregate(&Wish { strategy, ..Wish::default() }, &input);
        accepted += usize::from(outcome.is_ok_and(|outcome| matches!(outcome, Outcome::Numbers(_))));
    }
    assert!(accepted > 100, "{accepted} inputs were right");
}

// --- how many liars it takes --------------------------------------------------------------------------------------

const BASE: i64 = 100;
/// The relative confidence in this section: 1 of 100.
const KNOBS: Knobs = Knobs { step: 1.0, trim: 0.1, confidence: 0.01 };

/// True when `f` liars of `n`, who all say the same, move the answer out of the honest range. The honest say BASE.
fn breaks(strategy: Strategy, n: i64, f: i64, trim: f64) -> bool {
    [BASE * 1_000_001, -BASE * 999_999].into_iter().any(|lie| {
        if strategy == Strategy::Pyth {
            let quote = |price| pyth::Quote { price, conf: 1, status: 1, age: 0 };
            let quotes: Vec<pyth::Quote> = (0..n).map(|i| quote(if i < f { lie } else { BASE })).collect();
            // The range of the honest votes.
            return !(BASE - 1..=BASE + 1).contains(&pyth::aggregate(&quotes).price);
        }
        let values: Vec<f64> = (0..n).map(|i| if i < f { lie } else { BASE } as f64).collect();
        let found = strategy.aggregate(&values, &Knobs { trim, ..KNOBS }).unwrap().value;
        (found / BASE as f64 - 1.0).abs() > 1e-9
    })
}

/// The table of the least number of liars that breaks a strategy.
fn least_liars(strategy: Strategy, n: i64, trimmed: i64) -> i64 {
    match strategy {
        Strategy::Average => 1,
        Strategy::TrimmedMean => trimmed + 1,
        Strategy::HodgesLehmann => {
            (1..=n).find(|f| (n - f) * (n - f - 1) / 2 <= n * (n - 1) / 4).expect("all of them do")
        }
        Strategy::Median
        | Strategy::Majority
        | Strategy::UpperMedian
        | Strategy::WeightedMedian
        | Strategy::Mad
        | Strategy::Pyth => (n + 1) / 2,
    }
}

#[test]
fn each_strategy_bears_one_liar_less_than_its_breakdown_point_and_no_more() {
    for n in 4..=31 {
        for (trim, percent) in [(0.1, 10), (0.2, 20), (0.25, 25), (0.29, 29), (0.49, 49)] {
            for strategy in Strategy::ALL {
                let least = least_liars(strategy, n, n * percent / 100);
                let who = format!("{} of {n} answers, trim {trim}", strategy.name());
                assert!(breaks(strategy, n, least, trim), "{who}: {least} liars do not break it");
                for f in 0..least {
                    assert!(!breaks(strategy, n, f, trim), "{who}: {f} liars break it, not {least}");
                }
            }
        }
    }
}

#[test]
fn two_liars_who_agree_are_a_majority_among_honest_answers_that_do_not() {
    let mut values: Vec<f64> = (0..20).map(|i| 42_000.0 + 7.3 * f64::from(i)).collect();
    assert_eq!(Strategy::Majority.aggregate(&values, &KNOBS).unwrap().support, 1);
    values.extend([50_000.0; 2]);
    let found = Strategy::Majority.aggregate(&values, &KNOBS).unwrap();
    assert_eq!((found.value, found.support), (50_000.0, 2));
}

#[test]
fn liars_below_the_breakdown_point_stay_within_honest_answers_that_differ() {
    let mut rng = Rng::new(9);
    for _ in 0..3_000 {
        let n = 4 + rng.below(28) as usize;
        let honest: Vec<f64> = (0..n).map(|_| 100.0 * (1.0 + rng.uniform(-0.05, 0.05))).collect();
        for strategy in [
            Strategy::Median,
            Strategy::UpperMedian,
            Strategy::WeightedMedian,
            Strategy::Mad,
            Strategy::HodgesLehmann,
        ] {
            let f = rng.below(least_liars(strategy, n as i64, 0) as u64) as usize;
            let mut values = honest.clone();
            values[..f].iter_mut().for_each(|value| *value = if rng.chance(0.5) { 1e8 } else { -1e8 });
            let (low, high) =
                values[f..].iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
            let found = strategy.aggregate(&values, &KNOBS).unwrap().value;
            assert!(
                (low - 1e-9..=high + 1e-9).contains(&found),
                "{strategy:?}, {f} of {n}: {found} not in {low}..{high}"
            );
        }
    }
}
