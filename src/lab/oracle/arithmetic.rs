//! How a strategy comes from the answers used to its result, with the figures in between.

use crate::lab::receipt::{Line, Numbers, amount, count};
use crate::systems::oracle::aggregator::{Answers, Knobs, Strategy};

/// As `aggregator/rules.rs` has them.
const MAD_SCALE: f64 = 1.4826;
const MAD_LIMIT: f64 = 3.0;
const ROUNDING: f64 = 1e-9;
/// Pyth's integers are in units of 10^−8.
const PYTH_SCALE: f64 = 1e8;
/// Of more answers the pairs are not listed.
const PAIRED_MAX: usize = 1000;

/// The steps to a result.
pub(super) struct Arithmetic {
    /// What is computed, in order; the last one ends with the result.
    pub(super) steps: Vec<Line>,
    /// What share of the result each answer is, where the result is made of answers: in the order in which they came.
    pub(super) shares: Vec<Option<f64>>,
    /// The answers that the strategy leaves out, in the same order.
    pub(super) left_out: Vec<bool>,
}

/// The values in ascending order, each with its place among those that came.
struct Sorted<'a> {
    values: Vec<f64>,
    places: Vec<usize>,
    weights: &'a [f64],
    knobs: &'a Knobs,
    result: f64,
}

impl Arithmetic {
    /// What a strategy does with values; `weights` are those of who gave them, `result` is what came out.
    pub(super) fn of(
        strategy: Strategy,
        values: &[f64],
        weights: &[f64],
        knobs: &Knobs,
        result: f64,
    ) -> Self {
        let mut places: Vec<usize> = (0..values.len()).collect();
        places.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
        let sorted = places.iter().map(|&place| values[place]).collect();
        let sorted = Sorted { values: sorted, places, weights, knobs, result };
        match strategy {
            Strategy::Average => sorted.mean_of(0, values.len(), "mean", values.iter().sum()),
            Strategy::Median => sorted.median(),
            Strategy::Majority => sorted.majority(),
            Strategy::UpperMedian => sorted.upper_median(),
            Strategy::WeightedMedian => sorted.weighted_median(values),
            Strategy::TrimmedMean => sorted.trimmed_mean(),
            Strategy::Mad => sorted.mad(),
            Strategy::HodgesLehmann => sorted.hodges_lehmann(),
            Strategy::Pyth => sorted.pyth(),
        }
    }
}

impl Sorted<'_> {
    fn step(&self, key: &'static str, text: String, numbers: impl Into<Numbers>) -> Line {
        let mut numbers: Numbers = numbers.into();
        numbers.insert("result", self.result);
        Line::of(key, format!("{text} = {}", amount(self.result)), numbers)
    }

    /// Every answer counts, but for the result's making nobody can say how much.
    fn whole(&self, steps: Vec<Line>) -> Arithmetic {
        let m = self.values.len();
        Arithmetic { steps, shares: vec![None; m], left_out: vec![false; m] }
    }

    /// Of the sorted answers those from `first` to before `end` are a share each; the others count nothing.
    fn shared(&self, steps: Vec<Line>, counts: impl Fn(usize) -> f64) -> Arithmetic {
        let mut arithmetic = self.whole(steps);
        for (rank, &place) in self.places.iter().enumerate() {
            arithmetic.shares[place] = Some(counts(rank));
        }
        arithmetic
    }

    fn mean_of(&self, first: usize, end: usize, key: &'static str, sum: f64) -> Arithmetic {
        let kept = end - first;
        let text = format!("{} ÷ {kept}", amount(sum));
        let step = self.step(key, text, [("sum", sum), ("kept", kept as f64)]);
        let inside = |rank: usize| (first..end).contains(&rank);
        let mut arithmetic =
            self.shared(vec![step], |rank| if inside(rank) { 1.0 / kept as f64 } else { 0.0 });
        for (rank, &place) in self.places.iter().enumerate() {
            arithmetic.left_out[place] = !inside(rank);
        }
        arithmetic
    }

    fn median(&self) -> Arithmetic {
        let m = self.values.len();
        let (low, high) = ((m - 1) / 2, m / 2);
        let (a, b) = (self.values[low], self.values[high]);
        let text = match m % 2 {
            0 => format!("the mean of the middle two of {m}, {} and {}", amount(a), amount(b)),
            _ => format!("the middle one of {m}"),
        };
        let step = self.step("median", text, [("low", a), ("high", b)]);
        let half = |rank: usize| (f64::from(u8::from(rank == low)) + f64::from(u8::from(rank == high))) / 2.0;
        self.shared(vec![step], half)
    }

    fn majority(&self) -> Arithmetic {
        let step = self.knobs.step;
        let agrees = |value: &f64| libm::round(value / step) * step == self.result;
        let votes = self.values.iter().filter(|value| agrees(value)).count();
        let text = format!("rounded to {step}, {} of {} say the same", votes, self.values.len());
        let line = self.step("majority", text, [("step", step), ("votes", votes as f64)]);
        let share = |rank: usize| if agrees(&self.values[rank]) { 1.0 / votes as f64 } else { 0.0 };
        self.shared(vec![line], share)
    }

    fn upper_median(&self) -> Arithmetic {
        let m = self.values.len();
        let text = format!("number {} of {m} in order", m / 2 + 1);
        let step = self.step("upper-median", text, [("rank", (m / 2 + 1) as f64)]);
        self.shared(vec![step], |rank| f64::from(u8::from(rank == m / 2)))
    }

    fn weighted_median(&self, values: &[f64]) -> Arithmetic {
        let of = |place: usize| self.weights.get(place).copied().unwrap_or(0.0);
        // Where they are all 0, each counts as much as any other.
        let none = values.iter().enumerate().all(|(place, _)| of(place) == 0.0);
        let weight = |rank: usize| if none { 1.0 } else { of(self.places[rank]) };
        let total: f64 = (0..values.len()).map(weight).sum();
        let chosen = self.values.iter().position(|value| *value == self.result).unwrap_or(0);
        let below: f64 = (0..chosen).map(weight).sum();
        let text = format!(
            "with a weight of {below:.4} below it and of {:.4} above, of {total:.4}",
            total - below - weight(chosen)
        );
        let numbers = [("total", total), ("below", below), ("weight", weight(chosen))];
        let step = self.step("weighted-median", text, numbers);
        self.shared(vec![step], |rank| f64::from(u8::from(rank == chosen)))
    }

    fn trimmed_mean(&self) -> Arithmetic {
        let m = self.values.len();
        let drop = libm::floor(m as f64 * self.knobs.trim + ROUNDING) as usize;
        let drop = drop.min((m - 1) / 2);
        let sum = self.values[drop..m - drop].iter().sum();
        let mut arithmetic = self.mean_of(drop, m - drop, "mean", sum);
        let text = format!("{drop} of {m} are dropped at each end: {m} · {}", self.knobs.trim);
        arithmetic.steps.insert(0, Line::of("trim", text, [("dropped", drop as f64)]));
        arithmetic
    }

    fn mad(&self) -> Arithmetic {
        let middle = |sorted: &[f64]| (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0;
        let center = middle(&self.values);
        let mut distances: Vec<f64> = self.values.iter().map(|value| (value - center).abs()).collect();
        distances.sort_unstable_by(f64::total_cmp);
        let mad = middle(&distances);
        let limit = MAD_LIMIT * MAD_SCALE * mad;
        let first = self.values.partition_point(|value| center - value > limit);
        let end = self.values.partition_point(|value| value - center <= limit);
        let mut arithmetic = self.mean_of(first, end, "mean", self.values[first..end].iter().sum());
        let text =
            format!("kept is what is within 3 · 1.4826 · {} of the median {}", amount(mad), amount(center));
        let numbers = [("median", center), ("mad", mad), ("limit", limit)];
        arithmetic.steps.insert(0, Line::of("filter", text, numbers));
        arithmetic
    }

    fn hodges_lehmann(&self) -> Arithmetic {
        let m = self.values.len();
        let pairs = m * (m - 1) / 2;
        let mut numbers = Numbers::from([("pairs", pairs as f64)]);
        let mut text = format!("the median of the means of {}", count(pairs, "pair"));
        if (2..=PAIRED_MAX).contains(&m) {
            let partners = |i: usize| self.values[i + 1..].iter().map(move |b| (self.values[i] + b) / 2.0);
            let mut means: Vec<f64> = (0..m).flat_map(partners).collect();
            means.sort_unstable_by(f64::total_cmp);
            let (low, high) = (means[(pairs - 1) / 2], means[pairs / 2]);
            numbers.extend([("low", low), ("high", high)]);
            text = format!("{text}, between {} and {}", amount(low), amount(high));
        }
        self.whole(vec![self.step("hodges-lehmann", text, numbers)])
    }

    fn pyth(&self) -> Arithmetic {
        let confidence = self.knobs.confidence;
        let unit = |value: f64| libm::round(value * PYTH_SCALE);
        // A value alone says whether it is a quote at all.
        let is_quote =
            |value: &f64| Strategy::Pyth.of(&Answers::new(std::slice::from_ref(value)), self.knobs).is_some();
        let votes = |value: &f64| {
            let (price, conf) = (unit(*value), unit(value.abs() * confidence).max(1.0));
            [price - conf, price, price + conf]
        };
        let valid: Vec<bool> = self.values.iter().map(is_quote).collect();
        let quotes = self.values.iter().zip(&valid).filter(|(_, valid)| **valid);
        let mut votes: Vec<f64> = quotes.flat_map(|(value, _)| votes(value)).collect();
        votes.sort_unstable_by(f64::total_cmp);
        if votes.is_empty() {
            return self.whole(Vec::new());
        }
        let (low, high) = (votes[(votes.len() - 1) / 2] / PYTH_SCALE, votes[votes.len() / 2] / PYTH_SCALE);
        let text = format!(
            "the median of {}, p − c, p and p + c of each with c = {:.4} % of p, between {} and {}",
            count(votes.len(), "vote"),
            confidence * 100.0,
            amount(low),
            amount(high)
        );
        let numbers =
            [("votes", votes.len() as f64), ("confidence", confidence), ("low", low), ("high", high)];
        let mut arithmetic = self.whole(vec![self.step("pyth", text, numbers)]);
        for (rank, &place) in self.places.iter().enumerate() {
            arithmetic.left_out[place] = !valid[rank];
        }
        arithmetic
    }
}
