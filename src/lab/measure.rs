//! What experiments measure: the words in which systems and experiments speak of it.

use serde::{Deserialize, Serialize};

/// What a figure of a unit of work is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A share: 0.01 is one per cent.
    Share,
    /// Milliseconds.
    Ms,
}

/// A figure that every unit of work of a system has, or several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its name, before `_mean` and the like.
    pub key: &'static str,
    /// The same in words, as in "mean …".
    pub title: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// What it means.
    pub meaning: &'static str,
}

/// Where a metric comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Of {
    /// How units of work ended.
    Unanswered,
    /// A measure of them, by its place.
    Measure(usize, Statistic),
    /// A figure of each run's report.
    Figure(Vec<String>),
}

/// What is taken of many values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// The mean of the runs' means.
    Mean,
    /// A percentile over all runs.
    Percentile(f64),
    /// The share that is greater.
    Over(f64),
}

/// What theory says of a metric, in its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Theory {
    /// The value, or the bound.
    pub value: f64,
    /// Whether it is a bound that nothing exceeds.
    pub bound: bool,
}

/// A change that tells a lot about a system, for who holds two runs of it against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contrast {
    /// What differs: a parameter, or `preset` for the scenario that a run starts from.
    pub key: &'static str,
    /// Its value on both sides.
    pub values: [&'static str; 2],
    /// The metric that shows it best.
    pub metric: &'static str,
}
