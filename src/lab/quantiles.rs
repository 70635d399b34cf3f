//! Percentiles, mean and spread of a stream of samples, in bounded memory.
//!
//! Up to [`EXACT_MAX`] samples all are kept (`samples.rs`), and every figure is bit for bit that of `stats`. Beyond, samples
//! are counted in buckets: 512 of equal width between a power of two and the next, found by the float's own bits, so that
//! every target counts alike. A percentile is then the middle of its bucket, at most 2⁻¹⁰ of its value away from the sample of that rank:
//! less than 0.1 %. Zero is a bucket of its own, together with what is too small for full precision (below 2.3e-308).
//!
//! Samples that were gathered apart can be merged. Percentiles, extremes and count do not depend on how they were split or
//! in which order they are merged; the mean does in its last digits.

use super::moments::Moments;
use super::samples::{Samples, ascending, from_ascending};
use super::stats::{self, Estimate};
use crate::kernel::SortedMap;
use crate::substrate::decimal::within;
use crate::substrate::merge;
use serde::Serialize;

/// How many samples are kept as they are.
pub const EXACT_MAX: usize = 100_000;

/// Fewer than so many samples of one bucket are copied to find one of them.
const COPIED_MAX: usize = 512;

/// A stream of samples.
#[derive(Clone, Debug)]
pub struct Quantiles {
    moments: Moments,
    min: f64,
    max: f64,
    /// All samples in the order in which they came; none once they are too many.
    samples: Samples,
    /// All samples once they are too many; none before.
    counts: Counts,
    /// How many are kept as they are.
    exact_max: usize,
}

impl Default for Quantiles {
    fn default() -> Self {
        let (min, max) = (f64::INFINITY, f64::NEG_INFINITY);
        Quantiles {
            moments: Moments::default(),
            min,
            max,
            samples: Samples::default(),
            counts: Counts::default(),
            exact_max: EXACT_MAX,
        }
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
    /// One that keeps fewer samples as they are.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    pub fn with_exact_max(exact_max: usize) -> Self {
        Quantiles { exact_max: exact_max.min(EXACT_MAX), ..Quantiles::default() }
    }

    /// Adds a sample. It has to be finite: anything else is a fault of whoever measures.
    pub fn add(&mut self, x: f64) {
        debug_assert!(x.is_finite(), "{x} is no sample");
        self.moments.add(x);
        self.min = self.min.min(x);
        self.max = self.max.max(x);
        if self.is_exact() && self.samples.len() < self.exact_max {
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
        if self.is_exact() && times <= (self.exact_max - self.samples.len()) as u64 {
            (0..times).for_each(|_| self.samples.push(x));
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
        other.samples.iter().for_each(|x| self.samples.push(x));
        if !self.is_exact() || !other.is_exact() || self.samples.len() > self.exact_max {
            self.stop_keeping();
            self.counts.merge(&other.counts);
        }
    }

    /// The percentile `p` (0 < p ≤ 100) by nearest rank; `None` without samples.
    pub fn percentile(&self, p: f64) -> Option<f64> {
        self.percentiles([p]).map(|[x]| x)
    }

    /// The sample of a rank, counted from 1 in ascending order; `None` if there are not so many.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    pub fn of_rank(&self, rank: u64) -> Option<f64> {
        (1..=self.count()).contains(&rank).then(|| self.of_ranks([rank])[0])
    }

    /// Every sample that is kept, or the middle of each bucket, and how often it was; in no order.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    pub fn counted(&self) -> impl Iterator<Item = (f64, u64)> {
        let middle = |(bucket, count): (u64, u64)| (within(middle_of(bucket), self.min, self.max), count);
        self.samples.iter().map(|x| (x, 1)).chain(self.counts.buckets().map(middle))
    }

    /// Several percentiles, at hardly more than the price of one.
    pub fn percentiles<const N: usize>(&self, ps: [f64; N]) -> Option<[f64; N]> {
        let ranks = ps.map(|p| stats::rank(p, self.count() as usize) as u64);
        (self.count() > 0).then(|| self.of_ranks(ranks))
    }

    /// The samples of ranks that there are.
    fn of_ranks<const N: usize>(&self, ranks: [u64; N]) -> [f64; N] {
        if self.is_exact() {
            return self.samples_of_ranks(ranks);
        }
        ranks.map(|rank| match rank {
            1 => self.min,
            last if last == self.count() => self.max,
            rank => within(middle_of(self.counts.of_rank(rank).0), self.min, self.max),
        })
    }

    /// Counts the samples in buckets, and looks only at those in the bucket of each rank.
    fn samples_of_ranks<const N: usize>(&self, ranks: [u64; N]) -> [f64; N] {
        let mut counts = Counts::default();
        self.samples.iter().for_each(|x| counts.add(x, 1));
        ranks.map(|rank| {
            let (bucket, before) = counts.of_rank(rank);
            self.sample_in(bucket, rank - before)
        })
    }

    /// The sample of a rank among those of a bucket. While they are many they are counted in finer buckets: a copy of them
    /// could be as large as all samples.
    fn sample_in(&self, mut bucket: u64, mut rank: u64) -> f64 {
        let mut rest = REST_BITS;
        loop {
            let all = self.samples.iter().map(ascending);
            let inside = all.filter(|turned| turned >> rest == bucket);
            if rest == 0 {
                return from_ascending(bucket);
            }
            let mut copy = Vec::with_capacity(COPIED_MAX);
            copy.extend(inside.clone().take(COPIED_MAX));
            if copy.len() < COPIED_MAX {
                merge::sort(&mut copy, |a, b| a < b);
                return from_ascending(copy[rank as usize - 1]);
            }
            // What ends at a time limit takes just as long.
            if inside.clone().all(|turned| turned == copy[0]) {
                return from_ascending(copy[0]);
            }
            let finer = rest.saturating_sub(BUCKET_BITS);
            let mut counts = [0; 1 << BUCKET_BITS];
            inside.for_each(|turned| counts[((turned >> finer) ^ (bucket << (rest - finer))) as usize] += 1);
            let mut place = 0;
            while rank > counts[place] {
                rank -= counts[place];
                place += 1;
            }
            (bucket, rest) = (bucket << (rest - finer) | place as u64, finer);
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
        if self.is_exact() { stats::sd_of(self.samples.iter()) } else { self.moments.sd() }
    }

    /// The mean with its interval; `None` without samples.
    pub fn estimate(&self) -> Option<Estimate> {
        if self.is_exact() { stats::estimate_of(self.samples.iter()) } else { self.moments.estimate() }
    }

    /// What a report tells of it; `None` without samples.
    pub fn spread(&self) -> Option<Spread> {
        let [p50, p95, p99] = self.percentiles([50.0, 95.0, 99.0])?;
        let (count, mean, max, exact) = (self.count(), self.mean()?, self.max()?, self.is_exact());
        Some(Spread { count, mean, p50, p95, p99, max, exact })
    }

    fn stop_keeping(&mut self) {
        std::mem::take(&mut self.samples).iter().for_each(|x| self.counts.add(x, 1));
    }
}

/// The bits of a float's fraction.
const FRACTION_BITS: u32 = 52;
/// Those of them that decide on its bucket.
const BUCKET_BITS: u32 = 9;
/// The others.
const REST_BITS: u32 = FRACTION_BITS - BUCKET_BITS;

/// How many samples each bucket has. The buckets of one sign and one power of two stand together, in ascending order.
#[derive(Clone, Debug, Default)]
struct Counts(SortedMap<u64, Box<[u64; 1 << BUCKET_BITS]>>);

impl Counts {
    fn add(&mut self, x: f64, times: u64) {
        let bucket = bucket_of(x);
        self.page(bucket >> BUCKET_BITS)[bucket as usize % (1 << BUCKET_BITS)] += times;
    }

    fn merge(&mut self, other: &Counts) {
        for (&page, others) in other.0.iter() {
            self.page(page).iter_mut().zip(others.iter()).for_each(|(own, other)| *own += other);
        }
    }

    fn page(&mut self, page: u64) -> &mut [u64; 1 << BUCKET_BITS] {
        self.0.entry(page).or_insert_with(|| Box::new([0; 1 << BUCKET_BITS]))
    }

    /// Those that have samples, in ascending order, each with how many.
    fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        let pages = self.0.iter();
        let buckets = pages.flat_map(|(page, counts)| ((page << BUCKET_BITS)..).zip(counts.iter().copied()));
        buckets.filter(|(_, count)| *count > 0)
    }

    /// The bucket of the sample of a rank, counted from 1, and how many samples are in the buckets before it.
    fn of_rank(&self, rank: u64) -> (u64, u64) {
        let (mut last, mut before) = (0, 0);
        for (bucket, count) in self.buckets() {
            if before + count >= rank {
                return (bucket, before);
            }
            (last, before) = (bucket, before + count);
        }
        debug_assert!(false, "there are no {rank} samples");
        (last, before)
    }
}

/// The first bits of a float, which ascend with it.
fn bucket_of(x: f64) -> u64 {
    ascending(x) >> REST_BITS
}

fn middle_of(bucket: u64) -> f64 {
    let middle = from_ascending(bucket << REST_BITS | 1 << (REST_BITS - 1));
    if middle.is_normal() { middle } else { 0.0 }
}
