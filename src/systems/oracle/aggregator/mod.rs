//! Aggregation strategies: many answers in, one value out. Pure functions.
//!
//! [`Strategy`] names them and says what each assumes and where it breaks; [`Answers`] is what they work on: the values
//! with one sorted copy, so that asking all strategies costs one sort. `rules.rs` has those that follow from the sorted
//! values in one pass, `hodges_lehmann.rs` and `pyth.rs` the two that take more.

mod answers;
mod hodges_lehmann;
pub mod pyth;
mod rules;

pub use answers::{Answers, Spread};

use serde::{Deserialize, Serialize};

/// The largest magnitude of a value that is taken for an answer: squares and sums of such values stay finite.
pub const VALUE_MAX: f64 = 1e150;

/// True for a finite number that an aggregate may be made of.
pub fn is_usable(value: f64) -> bool {
    value.abs() <= VALUE_MAX
}

/// How the coordinator makes one value of many.
///
/// m is the number of answers, f the number of liars among them. "Holds" means: the answer stays within the range of
/// the honest ones, whatever the liars say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// The arithmetic mean. Assumes that nobody lies: it has the least variance for noise without outliers, and one
    /// liar is enough to move it anywhere.
    #[default]
    Average,
    /// The middle value; for an even count the mean of the middle two. Assumes an honest majority: breaks at
    /// f = ⌈m / 2⌉.
    Median,
    /// The commonest value after rounding to a step; ties go to the lowest. Assumes that honest answers are *equal*
    /// once rounded: then it breaks at f = ⌈m / 2⌉ (or one later, if the lie is the higher value). Real-valued answers
    /// with noise almost never agree, and then two liars that do are a majority.
    Majority,
    /// The value at place ⌊m / 2⌋ of the sorted ones, always one that somebody reported, as off-chain reporting
    /// protocols take it. Breaks at f = ⌈m / 2⌉. The protocol around it assumes more: n > 3f, and 2f + 1 answers.
    UpperMedian,
    /// The lowest value with at most half of the weight on either side; the weights are reliability scores. Assumes
    /// that the honest have more than half of the weight, however many they are: a liar with a good record counts
    /// for more than one without. And the scores follow from the distance to past aggregates, so a wrong aggregate
    /// makes liars look reliable.
    WeightedMedian,
    /// Without the ⌊m · trim⌋ lowest and as many of the highest, the mean of the rest. Assumes that no more than
    /// that many lie to one side: breaks at f = ⌊m · trim⌋ + 1.
    TrimmedMean,
    /// The mean of the values within three scaled median absolute deviations of the median (Hampel's rule). Assumes
    /// an honest majority, and noise that is roughly normal: breaks at f = ⌈m / 2⌉. Lies within the honest spread
    /// pass.
    Mad,
    /// The median of the means of all pairs (Hodges and Lehmann). Nearly as precise as the mean for normal noise;
    /// assumes that fewer than about 29 % lie: breaks when the pairs of honest answers are no more than half of all,
    /// (m−f)(m−f−1)/2 ≤ ⌊m(m−1)/4⌋.
    HodgesLehmann,
    /// Pyth's rule: every answer votes thrice, for p − c, p and p + c, and the median of the votes is the value, see
    /// [`pyth`]. Assumes an honest majority and honest confidences: breaks, out of the range of the honest *votes*,
    /// at f = ⌈m / 2⌉.
    Pyth,
}

impl Strategy {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Strategy; 9] = [
        Strategy::Average,
        Strategy::Median,
        Strategy::Majority,
        Strategy::UpperMedian,
        Strategy::WeightedMedian,
        Strategy::TrimmedMean,
        Strategy::Mad,
        Strategy::HodgesLehmann,
        Strategy::Pyth,
    ];
    /// Their names, in the same order.
    pub const NAMES: [&'static str; 9] = [
        "average",
        "median",
        "majority",
        "upper-median",
        "weighted-median",
        "trimmed-mean",
        "mad",
        "hodges-lehmann",
        "pyth",
    ];

    /// Its name in parameters and reports.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The strategy called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strategy| strategy.name() == name)
    }

    /// True when the answer follows from the values alone, without [`Knobs`] or weights.
    pub const fn needs_values_only(self) -> bool {
        matches!(
            self,
            Strategy::Average
                | Strategy::Median
                | Strategy::UpperMedian
                | Strategy::Mad
                | Strategy::HodgesLehmann
        )
    }

    /// The aggregate of `values` with equal weights, see [`of`](Self::of).
    pub fn aggregate(self, values: &[f64], knobs: &Knobs) -> Option<Aggregate> {
        self.of(&Answers::new(values), knobs)
    }

    /// The aggregate of `answers`. `None` when there are none, and for Pyth also when none of them fits its integers.
    pub fn of(self, answers: &Answers, knobs: &Knobs) -> Option<Aggregate> {
        let support = answers.len();
        if support == 0 {
            return None;
        }
        // In order only for those who look at the order.
        let sorted = if self == Strategy::Average { &[] } else { answers.sorted() };
        let of_all = |value| Aggregate { value, support };
        Some(match self {
            Strategy::Average => of_all(answers.mean()),
            Strategy::Median => of_all(rules::median(sorted)),
            Strategy::Majority => rules::majority(sorted, knobs.step),
            Strategy::UpperMedian => of_all(sorted[support / 2]),
            Strategy::WeightedMedian => of_all(answers.weighted_median()),
            Strategy::TrimmedMean => rules::trimmed_mean(sorted, knobs.trim),
            Strategy::Mad => rules::mad_filtered_mean(sorted),
            Strategy::HodgesLehmann => of_all(hodges_lehmann::estimate(sorted)),
            Strategy::Pyth => return pyth::of_values(sorted, knobs.confidence),
        })
    }
}

/// What some strategies need besides the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knobs {
    /// Majority's rounding step, in units of the value; above 0.
    pub step: f64,
    /// The share that the trimmed mean drops at each end, 0 … 0.49.
    pub trim: f64,
    /// Pyth's confidence of an answer, relative to its value.
    pub confidence: f64,
}

impl Default for Knobs {
    fn default() -> Self {
        Knobs { step: 1.0, trim: 0.1, confidence: pyth::confidence_of_noise(0.05) }
    }
}

/// An aggregate and how many answers stand behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aggregate {
    /// The value.
    pub value: f64,
    /// How many answers support it: the votes of majority's winner, what the trimmed mean and the MAD filter kept,
    /// Pyth's valid quotes; for the others all.
    pub support: usize,
}

#[cfg(test)]
mod tests;
