//! Aggregation strategies: many answers in, one value out. Pure functions.

use serde::{Deserialize, Serialize};

/// How the coordinator makes one value of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// The arithmetic mean. One liar is enough to move it anywhere.
    #[default]
    Average,
    /// The middle value; for an even count the mean of the middle two. Holds while fewer than half lie.
    Median,
    /// The commonest value after rounding to a step. Holds while the liars agree less often than the honest do, which
    /// real-valued answers with noise almost never do.
    Majority,
}

impl Strategy {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Strategy; 3] = [Strategy::Average, Strategy::Median, Strategy::Majority];

    /// Its name in parameters and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Strategy::Average => "average",
            Strategy::Median => "median",
            Strategy::Majority => "majority",
        }
    }

    /// The strategy called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strategy| strategy.name() == name)
    }

    /// The aggregate of `values` and how many of them support it, `step` being majority's rounding step.
    /// `None` when there are no values.
    pub fn aggregate(self, values: &[f64], step: f64) -> Option<Aggregate> {
        if values.is_empty() {
            return None;
        }
        Some(match self {
            Strategy::Average => Aggregate { value: mean(values), support: values.len() },
            Strategy::Median => Aggregate { value: median(values), support: values.len() },
            Strategy::Majority => majority(values, step),
        })
    }
}

/// An aggregate and how many answers stand behind it: all, except for majority, where it is the votes of the winner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aggregate {
    /// The value.
    pub value: f64,
    /// How many answers support it.
    pub support: usize,
}

/// How far the answers lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// How many there are.
    pub count: usize,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// Their difference.
    pub range: f64,
    /// The sample standard deviation; 0 for one answer.
    pub sd: f64,
}

/// The spread of `values`; `None` when there are none.
pub fn spread(values: &[f64]) -> Option<Spread> {
    let min = values.iter().copied().min_by(f64::total_cmp)?;
    let max = values.iter().copied().max_by(f64::total_cmp)?;
    let mean = mean(values);
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    let sd = match values.len() {
        1 => 0.0,
        n => (squares / (n - 1) as f64).sqrt(),
    };
    Some(Spread { count: values.len(), min, max, range: max - min, sd })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        0 => (sorted[middle - 1] + sorted[middle]) / 2.0,
        _ => sorted[middle],
    }
}

/// Rounds to the nearest multiple of `step`, takes the commonest; ties go to the lowest.
fn majority(values: &[f64], step: f64) -> Aggregate {
    let mut rounded: Vec<f64> = values.iter().map(|v| libm::round(v / step) * step).collect();
    rounded.sort_unstable_by(f64::total_cmp);
    let mut best = Aggregate { value: rounded[0], support: 0 };
    for votes in rounded.chunk_by(|a, b| a == b) {
        if votes.len() > best.support {
            best = Aggregate { value: votes[0], support: votes.len() };
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_strategy_follows_its_definition() {
        let value = |strategy: Strategy, values: &[f64]| strategy.aggregate(values, 1.0).map(|a| a.value);
        assert_eq!(value(Strategy::Average, &[42120.5, 42150.8]), Some(42135.65));
        assert_eq!(value(Strategy::Median, &[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(value(Strategy::Median, &[9.0, 1.0, 2.0, 4.0]), Some(3.0));
        assert_eq!(
            Strategy::Majority.aggregate(&[1.2, 0.9, 5.0], 1.0),
            Some(Aggregate { value: 1.0, support: 2 })
        );
        for strategy in Strategy::ALL {
            assert_eq!(value(strategy, &[]), None);
            assert_eq!(value(strategy, &[7.0]), Some(7.0));
            assert_eq!(Strategy::from_name(strategy.name()), Some(strategy));
        }
    }

    #[test]
    fn a_majority_tie_goes_to_the_lowest() {
        assert_eq!(
            Strategy::Majority.aggregate(&[7.0, 3.0, 7.0, 3.0, 9.0], 1.0),
            Some(Aggregate { value: 3.0, support: 2 })
        );
    }

    #[test]
    fn the_spread_is_that_of_the_sample() {
        let spread = spread(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_eq!((spread.count, spread.min, spread.max, spread.range), (4, 1.0, 4.0, 3.0));
        assert!((spread.sd - (5.0_f64 / 3.0).sqrt()).abs() < 1e-12);
    }
}
