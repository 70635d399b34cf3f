//! Percentiles, mean and spread of a stream of samples, in bounded memory.
//!
//! Up to [`EXACT_MAX`] samples all are kept, and every figure is bit for bit that of `stats`. Beyond, samples are counted in
//! buckets: 512 of equal width between a power of two and the next, found by the float's own bits, so that every target
//! counts alike. A percentile is then the middle of its bucket, at most 2⁻¹⁰ of its value away from the sample of that rank:
//! less than 0.1 %. Zero is a bucket of its own, together with what is too small for full precision (below 2.3e-308).
//!
//! Samples that were gathered apart can be merged. Percentiles, extremes and count do not depend on how they were split or
//! in which order they are merged; the mean does in its last digits.

use super::moments::Moments;
use super::stats::{self, Estimate};
use serde::Serialize;
use std::collections::BTreeMap;

/// How many samples are kept as they are.
pub const EXACT_MAX: usize = 100_000;

/// A stream of samples.
#[derive(Clone, Debug)]
pub struct Quantiles {
    moments: Moments,
    min: f64,
    max: f64,
    /// All samples in the order in which they came; none once they are too many.
    samples: Vec<f64>,
    /// All samples once they are too many; none before.
    counts: Counts,
}

impl Default for Quantiles {
    fn default() -> Self {
        let (min, max) = (f64::INFINITY, f64::NEG_INFINITY);
        Quantiles { moments: Moments::default(), min, max, samples: Vec::new(), counts: Counts::default() }
    }
}

/// What a report tells of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// How many samples there were.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The largest.
    pub max: f64,
    /// True while the percentiles are samples; false when they may be 0.1 % away from one.
    pub exact: bool,
}

impl Spread {
    /// The same for a person, with the unit of the samples.
    pub fn words(&self, unit: &str) -> String {
        let Spread { mean, p50, p95, p99, max, exact, .. } = self;
        let within = if *exact { "" } else { " (percentiles within 0.1 %)" };
        format!(
            "mean {mean:.0} {unit}, p50 {p50:.0} {unit}, p95 {p95:.0} {unit}, p99 {p99:.0} {unit}, max {max:.0} {unit}{within}"
        )
    }
}

impl FromIterator<f64> for Quantiles {
    fn from_iter<T: IntoIterator<Item = f64>>(samples: T) -> Self {
        let mut quantiles = Quantiles::default();
        samples.into_iter().for_each(|x| quantiles.add(x));
        quantiles
    }
}

impl Quantiles {
    /// Adds a sample. It has to be finite: anything else is a fault of whoever measures.
    pub fn add(&mut self, x: f64) {
        debug_assert!(x.is_finite(), "{x} is no sample");
        self.moments.add(x);
        self.min = self.min.min(x);
        self.max = self.max.max(x);
        if self.is_exact() && self.samples.len() < EXACT_MAX {
            self.samples.push(x);
        } else {
            self.stop_keeping();
            self.counts.add(x, 1);
        }
    }

    /// Adds a sample so many times.
    pub fn add_times(&mut self, x: f64, times: u64) {
        if times == 0 {
            return;
        }
        debug_assert!(x.is_finite(), "{x} is no sample");
        self.moments.add_times(x, times);
        self.min = self.min.min(x);
        self.max = self.max.max(x);
        if self.is_exact() && times <= (EXACT_MAX - self.samples.len()) as u64 {
            self.samples.resize(self.samples.len() + times as usize, x);
        } else {
            self.stop_keeping();
            self.counts.add(x, times);
        }
    }

    /// Adds the samples of another.
    pub fn merge(&mut self, other: &Quantiles) {
        self.moments.merge(&other.moments);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.samples.extend(&other.samples);
        if !self.is_exact() || !other.is_exact() || self.samples.len() > EXACT_MAX {
            self.stop_keeping();
            self.counts.merge(&other.counts);
        }
    }

    /// The percentile `p` (0 < p ≤ 100) by nearest rank; `None` without samples.
    pub fn percentile(&self, p: f64) -> Option<f64> {
        let rank = stats::rank(p, self.count() as usize);
        if self.is_exact() {
            let place = rank.checked_sub(1)?;
            return Some(*self.samples.clone().select_nth_unstable_by(place, f64::total_cmp).1);
        }
        match rank as u64 {
            1 => Some(self.min),
            last if last == self.count() => Some(self.max),
            rank => self.counts.of_rank(rank).map(|x| x.clamp(self.min, self.max)),
        }
    }

    /// True while percentiles are samples; false when they may be 0.1 % away from one.
    pub fn is_exact(&self) -> bool {
        self.counts.0.is_empty()
    }

    /// How many samples there were.
    pub fn count(&self) -> u64 {
        self.moments.count()
    }

    /// Their mean; `None` without samples.
    pub fn mean(&self) -> Option<f64> {
        self.moments.mean()
    }

    /// The smallest; `None` without samples.
    pub fn min(&self) -> Option<f64> {
        (self.count() > 0).then_some(self.min)
    }

    /// The largest; `None` without samples.
    pub fn max(&self) -> Option<f64> {
        (self.count() > 0).then_some(self.max)
    }

    /// The sample standard deviation; `None` with fewer than two samples.
    pub fn sd(&self) -> Option<f64> {
        if self.is_exact() { stats::sd(&self.samples) } else { self.moments.sd() }
    }

    /// The mean with its interval; `None` without samples.
    pub fn estimate(&self) -> Option<Estimate> {
        if self.is_exact() { stats::estimate(&self.samples) } else { self.moments.estimate() }
    }

    /// What a report tells of it; `None` without samples.
    pub fn spread(&self) -> Option<Spread> {
        Some(Spread {
            count: self.count(),
            mean: self.mean()?,
            p50: self.percentile(50.0)?,
            p95: self.percentile(95.0)?,
            p99: self.percentile(99.0)?,
            max: self.max()?,
            exact: self.is_exact(),
        })
    }

    fn stop_keeping(&mut self) {
        for x in std::mem::take(&mut self.samples) {
            self.counts.add(x, 1);
        }
    }
}

/// The bits of a float's fraction.
const FRACTION_BITS: u32 = 52;
/// Those of them that decide on its bucket.
const BUCKET_BITS: u32 = 9;
/// The others.
const REST_BITS: u32 = FRACTION_BITS - BUCKET_BITS;
const SIGN: u64 = 1 << 63;

/// How many samples each bucket has. The buckets of one sign and one power of two stand together, in ascending order.
#[derive(Clone, Debug, Default)]
struct Counts(BTreeMap<u64, Box<[u64; 1 << BUCKET_BITS]>>);

impl Counts {
    fn add(&mut self, x: f64, times: u64) {
        let bucket = bucket_of(x);
        self.page(bucket >> BUCKET_BITS)[bucket as usize % (1 << BUCKET_BITS)] += times;
    }

    fn merge(&mut self, other: &Counts) {
        for (&page, others) in &other.0 {
            self.page(page).iter_mut().zip(others.iter()).for_each(|(own, other)| *own += other);
        }
    }

    fn page(&mut self, page: u64) -> &mut [u64; 1 << BUCKET_BITS] {
        self.0.entry(page).or_insert_with(|| Box::new([0; 1 << BUCKET_BITS]))
    }

    /// What stands for the sample of a rank, counted from 1.
    fn of_rank(&self, rank: u64) -> Option<f64> {
        let buckets = self.0.iter().flat_map(|(page, counts)| ((page << BUCKET_BITS)..).zip(counts.iter()));
        let mut up_to = 0;
        for (bucket, count) in buckets {
            up_to += count;
            if up_to >= rank {
                return Some(middle_of(bucket));
            }
        }
        None
    }
}

/// The first bits of a float, turned so that they ascend with it.
fn bucket_of(x: f64) -> u64 {
    let bits = x.to_bits();
    (if bits & SIGN == 0 { bits | SIGN } else { !bits }) >> REST_BITS
}

fn middle_of(bucket: u64) -> f64 {
    let turned = bucket << REST_BITS | 1 << (REST_BITS - 1);
    let middle = f64::from_bits(if turned & SIGN == 0 { !turned } else { turned ^ SIGN });
    if middle.is_normal() { middle } else { 0.0 }
}
