//! Statistics of samples: plain functions over slices.

use crate::substrate::merge;
use serde::{Deserialize, Serialize};

/// A mean with its 95 % confidence interval by Student's t, which assumes independent samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// How many samples.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Half the width of the interval; 0 for a single sample, about which nothing is known.
    pub half_width: f64,
}

/// The mean of `samples` with its interval; `None` without samples.
pub fn estimate(samples: &[f64]) -> Option<Estimate> {
    estimate_of(samples.iter().copied())
}

/// The same of samples that are in no slice.
pub(super) fn estimate_of(samples: impl Iterator<Item = f64> + Clone) -> Option<Estimate> {
    let (n, mean) = (samples.clone().count(), mean_of(samples.clone())?);
    Some(interval(n, mean, sd_of(samples)))
}

/// The estimate of `n` samples with this mean and this standard deviation, if they have one.
pub(super) fn interval(n: usize, mean: f64, sd: Option<f64>) -> Estimate {
    let half_width = sd.map_or(0.0, |sd| student_t_975(n - 1) * sd / (n as f64).sqrt());
    Estimate { n, mean, half_width }
}

/// The arithmetic mean; `None` without samples.
pub fn mean(samples: &[f64]) -> Option<f64> {
    mean_of(samples.iter().copied())
}

fn mean_of(samples: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let n = samples.clone().count();
    (n > 0).then(|| samples.sum::<f64>() / n as f64)
}

/// The sample standard deviation; `None` with fewer than two samples.
pub fn sd(samples: &[f64]) -> Option<f64> {
    sd_of(samples.iter().copied())
}

/// The same of samples that are in no slice.
pub(super) fn sd_of(samples: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let n = samples.clone().count();
    let mean = mean_of(samples.clone()).filter(|_| n > 1)?;
    let squares: f64 = samples.map(|x| (x - mean) * (x - mean)).sum();
    Some((squares / (n - 1) as f64).sqrt())
}

/// The percentile `p` (0 < p ≤ 100) of the raw samples by nearest rank; `None` without samples.
pub fn percentile(samples: &[f64], p: f64) -> Option<f64> {
    let mut sorted = samples.to_vec();
    merge::sort_numbers(&mut sorted);
    sorted.get(rank(p, sorted.len()).checked_sub(1)?).copied()
}

/// Which of `n` samples, counted from 1, is the percentile `p`: the smallest that so large a share does not exceed. 0
/// without samples.
pub(super) fn rank(p: f64, n: usize) -> usize {
    // In this order a whole `p` is divided without an error that could lift the rank.
    let rank = libm::ceil(p * n as f64 / 100.0) as usize;
    rank.clamp(n.min(1), n)
}

/// The 0.975 quantile of Student's t: exact up to three degrees of freedom, then the Cornish–Fisher expansion
/// about the normal quantile (Abramowitz and Stegun 26.7.5), good to 0.5 % from four on.
pub(super) fn student_t_975(degrees: usize) -> f64 {
    const Z: f64 = 1.959_963_984_540_054;
    match degrees {
        0 => f64::INFINITY,
        1 => 12.706_204_736,
        2 => 4.302_652_73,
        3 => 3.182_446_31,
        _ => {
            let n = degrees as f64;
            let z3 = Z * Z * Z;
            let (z5, z7) = (z3 * Z * Z, z3 * z3 * Z);
            Z + (z3 + Z) / (4.0 * n)
                + (5.0 * z5 + 16.0 * z3 + 3.0 * Z) / (96.0 * n * n)
                + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * Z) / (384.0 * n * n * n)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_quantiles_agree_with_the_tables() {
        for (degrees, expected) in [
            (1, 12.706),
            (2, 4.303),
            (3, 3.182),
            (4, 2.776),
            (5, 2.571),
            (10, 2.228),
            (30, 2.042),
            (1000, 1.962),
        ] {
            let t = student_t_975(degrees);
            assert!((t / expected - 1.0).abs() < 0.005, "{degrees}: {t}");
        }
    }

    #[test]
    fn percentiles_are_samples() {
        let samples = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(percentile(&samples, 50.0), Some(3.0));
        assert_eq!(percentile(&samples, 99.0), Some(5.0));
        assert_eq!(percentile(&samples, 1.0), Some(1.0));
        assert_eq!(percentile(&[], 50.0), None);
        // 99.9 / 100 is a little more than 0.999 as a float.
        let thousand: Vec<f64> = (1..=1000).map(f64::from).collect();
        assert_eq!(percentile(&thousand, 99.9), Some(999.0));
    }

    #[test]
    fn an_estimate_has_the_width_of_its_samples() {
        let e = estimate(&[1.0, 2.0, 3.0]).unwrap();
        assert_eq!((e.n, e.mean), (3, 2.0));
        assert!((e.half_width - 4.302_652_73 / 3.0_f64.sqrt()).abs() < 1e-9);
        assert_eq!(estimate(&[7.0]).unwrap().half_width, 0.0);
        assert_eq!(estimate(&[]), None);
    }
}
