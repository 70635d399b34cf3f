//! Where a figure lies with 95 % confidence, by the way that fits how it was measured.
//!
//! - **t**: a mean over replications, which are independent, by Student's t.
//! - **Wilson**: a proportion of independent units. E. B. Wilson, "Probable inference, the law of succession, and statistical
//!   inference", 1927.
//! - **Order statistics**: a percentile of independent units lies between two of the sorted samples with a probability that is
//!   binomial, whatever the distribution. H. A. David, H. N. Nagaraja, Order Statistics, 2003, section 7.1.
//! - **Bootstrap**: a percentile of units that depend on each other within a run. Whole runs are drawn again, with replacement;
//!   the interval is from percentile to percentile of what that gives, expanded so that it is as wide as t's would be for a mean of so
//!   few. T. Hesterberg, "What teachers should know about the bootstrap", 2015, section 5.2.

use crate::kernel::Rng;
use crate::lab::quantiles::Quantiles;
use crate::lab::stats;

/// How an interval was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Student's t over replications.
    T,
    /// Wilson's score.
    Wilson,
    /// Order statistics.
    Order,
    /// The bootstrap over runs.
    Bootstrap,
}

impl Method {
    /// Its name in rows.
    pub const fn name(self) -> &'static str {
        match self {
            Method::T => "t",
            Method::Wilson => "wilson",
            Method::Order => "order",
            Method::Bootstrap => "bootstrap",
        }
    }

    /// For a person.
    pub const fn words(self) -> &'static str {
        match self {
            Method::T => "Student's t over replications",
            Method::Wilson => "Wilson's score",
            Method::Order => "order statistics",
            Method::Bootstrap => "bootstrap over runs",
        }
    }
}

/// A figure, and where it lies with 95 % confidence; no bound where the samples are too few for one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The figure.
    pub value: f64,
    /// Not less than this.
    pub low: Option<f64>,
    /// Not more than this.
    pub high: Option<f64>,
}

/// Two-sided, so a fortieth on each side.
const TAIL: f64 = 0.025;
const Z: f64 = 1.959_963_984_540_054;
/// So often the bootstrap draws.
const RESAMPLES: usize = 500;

/// The mean of replications.
pub fn mean(of: &crate::lab::moments::Moments) -> Option<Interval> {
    let estimate = of.estimate()?;
    let half = (estimate.n > 1).then_some(estimate.half_width);
    let value = estimate.mean;
    Some(Interval { value, low: half.map(|half| value - half), high: half.map(|half| value + half) })
}

/// The proportion of `hits` among `n` units.
pub fn wilson(hits: u64, n: u64) -> Option<Interval> {
    if n == 0 {
        return None;
    }
    let (n, p) = (n as f64, hits as f64 / n as f64);
    let centre = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    // At the ends the formula's terms cancel, but for rounding.
    let low = if p == 0.0 { 0.0 } else { centre - half };
    let high = if p == 1.0 { 1.0 } else { centre + half };
    Some(Interval { value: p, low: Some(low), high: Some(high) })
}

/// The percentile `p` of independent samples.
pub fn order(samples: &Quantiles, p: f64) -> Option<Interval> {
    let n = samples.count();
    let value = samples.percentile(p)?;
    let (low, high) = order_ranks(n, p / 100.0);
    let of_rank = |rank: Option<u64>| rank.and_then(|rank| samples.of_rank(rank));
    Some(Interval { value, low: of_rank(low), high: of_rank(high) })
}

/// Between which of `n` sorted samples, counted from 1, the quantile `p` lies: the largest rank that at most a fortieth of all cases
/// would have above it, and the smallest likewise. `None` where even the first or the last sample is not far enough out.
pub fn order_ranks(n: u64, p: f64) -> (Option<u64>, Option<u64>) {
    if n == 0 || p <= 0.0 || p >= 1.0 {
        return (None, None);
    }
    let size = n as f64;
    let (mean, sd) = (size * p, (size * p * (1.0 - p)).sqrt());
    // What is so far below the mean adds nothing that counts.
    let from = libm::floor(mean - 10.0 * sd - 10.0).max(0.0) as u64;
    let ln_choose = |k: f64| libm::lgamma(size + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(size - k + 1.0);
    let k = from as f64;
    let mut mass = libm::exp(ln_choose(k) + k * libm::log(p) + (size - k) * libm::log1p(-p));
    let (mut sum, mut low) = (0.0, None);
    for k in from..=n {
        sum += mass;
        if sum > TAIL && low.is_none() {
            low = Some(k);
        }
        if sum >= 1.0 - TAIL {
            let high = k + 1;
            return (low.filter(|low| *low > 0), (high <= n).then_some(high));
        }
        let k = k as f64;
        mass *= (size - k) / (k + 1.0) * (p / (1.0 - p));
    }
    (low.filter(|low| *low > 0), None)
}

/// The percentile `p` of samples that depend on each other within a section, and not between sections: runs, or groups of runs.
pub fn bootstrap(sections: &[Quantiles], p: f64, seed: u64) -> Option<Interval> {
    let mut all = Quantiles::default();
    sections.iter().for_each(|section| all.merge(section));
    let value = all.percentile(p)?;
    let g = sections.len();
    if g < 2 {
        return Some(Interval { value, low: None, high: None });
    }
    let mut sorted: Vec<(f64, u64, usize)> = Vec::new();
    for (place, section) in sections.iter().enumerate() {
        sorted.extend(section.counted().map(|(x, times)| (x, times, place)));
    }
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut rng = Rng::new(seed);
    let mut drawn: Vec<f64> =
        (0..RESAMPLES).filter_map(|_| resample(&sorted, sections, p, &mut rng)).collect();
    drawn.sort_by(f64::total_cmp);
    // As wide as Student's t would have it for a mean of so many.
    let n = g as f64;
    let tail = normal_cdf(-(n / (n - 1.0)).sqrt() * stats::student_t_975(g - 1));
    let places = drawn.len();
    let low = (libm::floor(tail * places as f64) as usize).min(places.saturating_sub(1));
    Some(Interval { value, low: drawn.get(low).copied(), high: drawn.get(places - 1 - low).copied() })
}

/// The percentile of as many sections, drawn with replacement.
fn resample(sorted: &[(f64, u64, usize)], sections: &[Quantiles], p: f64, rng: &mut Rng) -> Option<f64> {
    let mut weights = vec![0u64; sections.len()];
    let mut count = 0;
    for _ in 0..sections.len() {
        let drawn = rng.below(sections.len() as u64) as usize;
        weights[drawn] += 1;
        count += sections[drawn].count();
    }
    let mut before = stats::rank(p, count as usize) as u64;
    sorted.iter().find_map(|&(x, times, section)| {
        let here = times * weights[section];
        if here >= before && before > 0 {
            return Some(x);
        }
        before -= here;
        None
    })
}

fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}
