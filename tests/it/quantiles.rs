//! Percentiles of streams against sorted lists, moments against two passes over the samples, and merging against having
//! gathered everything in one place.

use super::support::for_seeds;
use glasshive::kernel::Rng;
use glasshive::lab::moments::Moments;
use glasshive::lab::quantiles::{EXACT_MAX, Quantiles};
use glasshive::lab::stats;

const PERCENTS: [usize; 9] = [1, 5, 25, 50, 75, 90, 95, 99, 100];
/// What a percentile may be away from the sample of its rank, in its own size.
const ERROR_MAX: f64 = 0.001;

/// The percentile by its definition: the smallest sample that at least `percent` of all do not exceed.
fn by_definition(sorted: &[f64], percent: usize) -> f64 {
    sorted[(sorted.len() * percent).div_ceil(100) - 1]
}

fn sorted(samples: &[f64]) -> Vec<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// A distribution to draw from.
struct Law {
    name: &'static str,
    draw: fn(&mut Rng) -> f64,
}

const LAWS: [Law; 9] = [
    Law { name: "delays", draw: |rng| rng.uniform(100.0, 2_140.0) },
    Law { name: "a long tail", draw: |rng| rng.exponential(3.0) },
    Law { name: "both signs", draw: |rng| rng.uniform(-5.0, 5.0) },
    Law { name: "half zeros", draw: |rng| if rng.chance(0.5) { 0.0 } else { rng.exponential(1e-3) } },
    Law { name: "few values", draw: |rng| (rng.below(7) as f64 - 3.0) * 250.0 },
    Law { name: "one value", draw: |_| 1.0 / 3.0 },
    // All in one bucket, and hardly two alike.
    Law { name: "close together", draw: |rng| rng.uniform(1500.0, 1500.001) },
    Law { name: "negative", draw: |rng| -1e9 - rng.exponential(1e9) },
    // Every power of two that there is, with either sign.
    Law {
        name: "a huge range",
        draw: |rng| {
            let x = f64::from_bits(rng.below(0x7ff << 52));
            if rng.chance(0.5) { -x } else { x }
        },
    },
];

impl Law {
    fn samples(&self, seed: u64, count: usize) -> Vec<f64> {
        let mut rng = Rng::new(seed);
        (0..count).map(|_| (self.draw)(&mut rng)).collect()
    }
}

#[test]
fn percentiles_are_exact_up_to_a_hundred_thousand_samples() {
    for law in &LAWS {
        for count in [1, 2, 99, 100, 101, 12_345, EXACT_MAX] {
            let samples = law.samples(count as u64, count);
            let (quantiles, sorted) = (Quantiles::from_iter(samples.iter().copied()), sorted(&samples));
            assert!(quantiles.is_exact());
            for percent in PERCENTS {
                let (is, expected) = (quantiles.percentile(percent as f64), by_definition(&sorted, percent));
                assert_eq!(is, Some(expected), "{} of {count}: {percent} %", law.name);
                assert_eq!(is, stats::percentile(&samples, percent as f64));
            }
        }
    }
}

#[test]
fn beyond_they_are_within_a_thousandth() {
    for law in &LAWS {
        let samples = law.samples(7, EXACT_MAX + 23_456);
        let (quantiles, sorted) = (Quantiles::from_iter(samples.iter().copied()), sorted(&samples));
        assert!(!quantiles.is_exact());
        assert_eq!(quantiles.count(), sorted.len() as u64);
        for percent in PERCENTS {
            let (is, expected) =
                (quantiles.percentile(percent as f64).unwrap(), by_definition(&sorted, percent));
            // What is too small for full precision counts as zero.
            let allowed = (expected.abs() * ERROR_MAX).max(f64::MIN_POSITIVE);
            assert!(
                (is - expected).abs() <= allowed,
                "{}: {percent} % is {is:e}, not {expected:e}",
                law.name
            );
        }
        assert_eq!((quantiles.min(), quantiles.max()), (sorted.first().copied(), sorted.last().copied()));
        assert_eq!(
            (quantiles.percentile(1e-9), quantiles.percentile(100.0)),
            (quantiles.min(), quantiles.max())
        );
    }
}

#[test]
fn the_sample_that_is_too_many_makes_them_approximate() {
    let mut quantiles = Quantiles::from_iter((1..=EXACT_MAX).map(|x| x as f64));
    assert!(quantiles.is_exact());
    assert_eq!(quantiles.percentile(50.0), Some(50_000.0));
    quantiles.add(0.5);
    assert!(!quantiles.is_exact());
    let median = quantiles.percentile(50.0).unwrap();
    assert!(median != 50_000.0 && (median / 50_000.0 - 1.0).abs() < ERROR_MAX, "{median}");
    assert_eq!(quantiles.count(), EXACT_MAX as u64 + 1);
}

#[test]
fn zeros_and_a_single_value_stay_what_they_are_beyond() {
    let zeros = Quantiles::from_iter((0..=EXACT_MAX).map(|i| [-1.0, 0.0, -0.0, 1.0][i % 4]));
    assert!(!zeros.is_exact());
    assert_eq!([30.0, 50.0, 70.0].map(|p| zeros.percentile(p)), [Some(0.0); 3]);
    assert_eq!([25.0, 76.0].map(|p| zeros.percentile(p).map(f64::round)), [Some(-1.0), Some(1.0)]);
    let one = Quantiles::from_iter((0..=EXACT_MAX).map(|_| 1.0 / 3.0));
    assert_eq!(PERCENTS.map(|percent| one.percentile(percent as f64)), [Some(1.0 / 3.0); PERCENTS.len()]);
}

#[test]
fn nothing_is_known_without_samples() {
    let none = Quantiles::default();
    assert!(none.is_exact());
    assert_eq!((none.percentile(50.0), none.min(), none.max()), (None, None, None));
    assert_eq!((none.count(), none.mean(), none.sd(), none.estimate()), (0, None, None, None));
    assert_eq!(Moments::default().estimate(), None);
    let one = Quantiles::from_iter([7.0]);
    assert_eq!((one.mean(), one.sd(), one.estimate().map(|e| e.half_width)), (Some(7.0), None, Some(0.0)));
}

/// What does not depend on the order of merging.
fn figures(quantiles: &Quantiles) -> (u64, bool, Option<f64>, Option<f64>, Vec<Option<f64>>) {
    let percentiles = PERCENTS.map(|percent| quantiles.percentile(percent as f64)).to_vec();
    (quantiles.count(), quantiles.is_exact(), quantiles.min(), quantiles.max(), percentiles)
}

#[test]
fn many_samples_of_one_value_are_as_if_each_had_come_alone() {
    for (before, times) in
        [(0, 0), (0, 1), (7, 1_000), (EXACT_MAX - 5, 5), (EXACT_MAX - 5, 6), (EXACT_MAX + 1, 9)]
    {
        let samples = LAWS[0].samples(3, before);
        let mut at_once: Quantiles = samples.iter().copied().collect();
        at_once.add_times(512.5, times);
        let alone: Quantiles = samples.iter().copied().chain((0..times).map(|_| 512.5)).collect();
        assert_eq!(figures(&at_once), figures(&alone), "{before} and {times}");
        assert_close(at_once.mean(), alone.mean());
        assert_close(at_once.sd(), alone.sd());
    }
}

fn merged(a: &Quantiles, b: &Quantiles) -> Quantiles {
    let mut sum = a.clone();
    sum.merge(b);
    sum
}

#[test]
fn merging_is_as_if_all_had_been_gathered_in_one_place() {
    for_seeds("merging_is_as_if_all_had_been_gathered", 0..24, |seed| {
        let mut rng = Rng::new(seed);
        let law = &LAWS[rng.below(LAWS.len() as u64) as usize];
        // Parts that are kept, parts that are not, and empty ones.
        let sizes = [0, 1, 700, 40_000, 60_000, 130_000];
        let parts: Vec<Vec<f64>> = (0..3)
            .map(|_| law.samples(rng.below(1 << 40), sizes[rng.below(sizes.len() as u64) as usize]))
            .collect();
        let [a, b, c] = [0, 1, 2].map(|i| Quantiles::from_iter(parts[i].iter().copied()));
        let whole = Quantiles::from_iter(parts.concat());
        let left = merged(&merged(&a, &b), &c);
        assert_eq!(figures(&left), figures(&whole), "{}", law.name);
        assert_eq!(figures(&merged(&a, &merged(&b, &c))), figures(&whole), "{}", law.name);
        assert_eq!(figures(&merged(&c, &merged(&b, &a))), figures(&whole), "{}", law.name);
        if law.name != "a huge range" {
            assert_close(left.mean(), whole.mean());
            assert_close(left.sd(), whole.sd());
        }
    });
}

fn assert_close(is: Option<f64>, expected: Option<f64>) {
    match (is, expected) {
        (Some(is), Some(expected)) => {
            assert!((is - expected).abs() <= 1e-9 * expected.abs() + 1e-12, "{is} is not {expected}");
        }
        _ => assert_eq!(is, expected),
    }
}

#[test]
fn moments_agree_with_two_passes_over_the_samples() {
    let offset: fn(&mut Rng) -> f64 = |rng| 1e9 + rng.uniform(0.0, 1.0);
    let laws = LAWS.iter().filter(|law| law.name != "a huge range").map(|law| law.draw).chain([offset]);
    for (draw, seed) in laws.zip(100..) {
        for count in [1, 2, 3, 5, 1_000, 20_000] {
            let mut rng = Rng::new(seed);
            let samples: Vec<f64> = (0..count).map(|_| draw(&mut rng)).collect();
            let mut moments = Moments::default();
            samples.iter().for_each(|&x| moments.add(x));
            // The sum is the same sum.
            assert_eq!(moments.mean(), stats::mean(&samples));
            assert_eq!(moments.count(), count);
            let (is, expected) = (moments.estimate().unwrap(), stats::estimate(&samples).unwrap());
            assert_eq!((is.n, is.mean), (expected.n, expected.mean));
            let allowed = 1e-6 * expected.half_width + 1e-12;
            assert!((is.half_width - expected.half_width).abs() <= allowed, "{is:?} is not {expected:?}");
        }
    }
}

#[test]
fn kept_samples_give_the_very_figures_of_the_lists() {
    let samples = LAWS[1].samples(5, 3_000);
    let quantiles = Quantiles::from_iter(samples.iter().copied());
    assert_eq!(quantiles.estimate(), stats::estimate(&samples));
    assert_eq!((quantiles.sd(), quantiles.mean()), (stats::sd(&samples), stats::mean(&samples)));
}
