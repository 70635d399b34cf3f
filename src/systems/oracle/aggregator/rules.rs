//! The strategies that follow from the sorted values in a pass or two. None is called without values.

use super::Aggregate;
use crate::substrate::merge;

/// Makes the median absolute deviation of a normal sample an estimate of its standard deviation.
const MAD_SCALE: f64 = 1.4826;
/// A value further from the median than so many scaled deviations is an outlier (Hampel's rule).
const MAD_LIMIT: f64 = 3.0;
/// A product such as 100 · 0.29 may fall short of its whole number by its rounding only.
const ROUNDING: f64 = 1e-9;

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The middle value; for an even count the mean of the middle two.
pub(super) fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        0 => (sorted[middle - 1] + sorted[middle]) / 2.0,
        _ => sorted[middle],
    }
}

/// Rounds to the nearest multiple of `step`, takes the commonest; ties go to the lowest. Rounding keeps the order, so
/// equal ones stand together.
pub(super) fn majority(sorted: &[f64], step: f64) -> Aggregate {
    let rounded: Vec<f64> = sorted.iter().map(|v| libm::round(v / step) * step).collect();
    let mut best = Aggregate { value: rounded[0], support: 0 };
    for votes in rounded.chunk_by(|a, b| a == b) {
        if votes.len() > best.support {
            best = Aggregate { value: votes[0], support: votes.len() };
        }
    }
    best
}

/// The mean without the ⌊m · trim⌋ lowest and highest; `trim` is below one half, so that something is left.
pub(super) fn trimmed_mean(sorted: &[f64], trim: f64) -> Aggregate {
    let drop = libm::floor(sorted.len() as f64 * trim + ROUNDING) as usize;
    let drop = drop.min((sorted.len() - 1) / 2);
    let kept = &sorted[drop..sorted.len() - drop];
    Aggregate { value: mean(kept), support: kept.len() }
}

/// The mean of the values within 3 · 1.4826 · MAD of the median. A MAD of 0, which more than half equal answers have,
/// keeps those equal to the median.
pub(super) fn mad_filtered_mean(sorted: &[f64]) -> Aggregate {
    let center = median(sorted);
    let mut distances: Vec<f64> = sorted.iter().map(|v| (v - center).abs()).collect();
    merge::sort_numbers(&mut distances);
    let limit = MAD_LIMIT * MAD_SCALE * median(&distances);
    let first = sorted.partition_point(|v| center - v > limit);
    let end = sorted.partition_point(|v| v - center <= limit);
    let kept = &sorted[first..end];
    // Kept are at least half: all that are no further away than the median distance.
    Aggregate { value: mean(kept), support: kept.len() }
}
