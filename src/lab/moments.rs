//! Count, mean and spread of samples that nobody keeps.
//!
//! The mean is the plain sum over the count, bit for bit that of [`stats::mean`]. The squares about the mean are
//! Welford's, so a large offset costs no digits; what they lead to agrees with [`stats::sd`] and [`stats::estimate`] to
//! rounding. Parts that were gathered apart can be merged.

use super::stats::{self, Estimate};

/// The moments of the samples so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    n: u64,
    sum: f64,
    /// The sum of the squared distances from the mean.
    squares: f64,
}

impl Moments {
    /// Adds a sample.
    pub fn add(&mut self, x: f64) {
        let before = if self.n == 0 { x } else { self.sum / self.n as f64 };
        self.n += 1;
        self.sum += x;
        self.squares += (x - before) * (x - self.sum / self.n as f64);
    }

    /// Adds a sample so many times.
    pub fn add_times(&mut self, x: f64, times: u64) {
        self.merge(&Moments { n: times, sum: x * times as f64, squares: 0.0 });
    }

    /// Adds the samples of another.
    pub fn merge(&mut self, other: &Moments) {
        if let (Some(a), Some(b)) = (self.mean(), other.mean()) {
            let (n, m) = (self.n as f64, other.n as f64);
            self.squares += (b - a) * (b - a) * (n * m / (n + m));
        }
        self.n += other.n;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    /// How many samples there were.
    pub fn count(&self) -> u64 {
        self.n
    }

    /// Their sum.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Their mean; `None` without samples.
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum / self.n as f64)
    }

    /// The sample standard deviation; `None` with fewer than two samples.
    pub fn sd(&self) -> Option<f64> {
        (self.n > 1).then(|| (self.squares / (self.n - 1) as f64).sqrt())
    }

    /// The mean with its interval; `None` without samples.
    pub fn estimate(&self) -> Option<Estimate> {
        Some(stats::interval(self.n as usize, self.mean()?, self.sd()))
    }
}
