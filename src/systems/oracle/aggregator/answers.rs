//! Answers as the strategies take them: in the order in which they came, and sorted, with their weights.

use crate::substrate::merge;
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;

/// Weights that differ by less than this share of their sum are the same to the weighted median: sums of equal
/// weights must not be told apart by their rounding.
const WEIGHT_TOLERANCE: f64 = 1e-12;

/// Values with their weights.
#[derive(Clone, Debug)]
pub struct Answers<'a> {
    values: &'a [f64],
    /// Empty when all are the same.
    weights: &'a [f64],
    /// Made when somebody asks: the commonest strategy does not.
    sorted: OnceCell<Sorted>,
}

/// The values from the least to the greatest, and the weight of each, which counts for nothing when all are the same.
#[derive(Clone, Debug)]
struct Sorted {
    values: Vec<f64>,
    weights: Vec<f64>,
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

impl<'a> Answers<'a> {
    /// Values of equal weight.
    pub fn new(values: &'a [f64]) -> Self {
        Answers { values, weights: &[], sorted: OnceCell::new() }
    }

    /// Values with weights of at least 0; a weight that is missing is 0. When they are all 0 they count the same.
    pub fn weighted(values: &'a [f64], weights: &'a [f64]) -> Self {
        let weights = &weights[..weights.len().min(values.len())];
        let same = weights.len() == values.len() && weights.windows(2).all(|pair| pair[0] == pair[1]);
        let counted = !same && weights.iter().sum::<f64>() > 0.0;
        Answers { weights: if counted { weights } else { &[] }, ..Answers::new(values) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn in_order(&self) -> &Sorted {
        self.sorted.get_or_init(|| {
            let weights = self.weights.iter().copied().chain(std::iter::repeat(0.0));
            let mut pairs: Vec<(f64, f64)> = self.values.iter().copied().zip(weights).collect();
            merge::sort(&mut pairs, |a, b| a.0.total_cmp(&b.0).is_lt());
            let (values, weights) = pairs.into_iter().unzip();
            Sorted { values, weights }
        })
    }

    /// The values from the least to the greatest.
    pub fn sorted(&self) -> &[f64] {
        &self.in_order().values
    }

    /// The arithmetic mean, summed in the order in which the values came; NaN without values.
    pub(super) fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.values.len() as f64
    }

    /// The lowest value with at most half of the weight below it and at most half above; NaN without values.
    pub(super) fn weighted_median(&self) -> f64 {
        let Sorted { values, weights } = self.in_order();
        if self.weights.is_empty() {
            return values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN);
        }
        // As they came: a sum's rounding goes by its order.
        let half = self.weights.iter().sum::<f64>() * (0.5 - WEIGHT_TOLERANCE);
        let mut below = 0.0;
        for (value, weight) in values.iter().zip(weights) {
            below += weight;
            if below >= half {
                return *value;
            }
        }
        values.last().copied().unwrap_or(f64::NAN)
    }

    /// How far the values lie apart; `None` when there are none.
    pub fn spread(&self) -> Option<Spread> {
        let (min, max) = (*self.sorted().first()?, *self.sorted().last()?);
        let mean = self.mean();
        let squares: f64 = self.values.iter().map(|v| (v - mean) * (v - mean)).sum();
        let sd = match self.values.len() {
            1 => 0.0,
            n => (squares / (n - 1) as f64).sqrt(),
        };
        Some(Spread { count: self.values.len(), min, max, range: max - min, sd })
    }
}
