//! The Hodges–Lehmann estimator: the median of the means of all pairs i < j.
//!
//! Ten thousand answers have fifty million pairs, so none of them is stored. For a bound on the sum of a pair, one pass
//! with two pointers counts the pairs below it; the wanted sum is found by halving the interval of *bit patterns* of
//! floats, which is exact after at most 64 passes. O(m) memory, O(64 m) time. The estimator and its breakdown point of
//! 1 − 1/√2 ≈ 29 % are Hodges and Lehmann's, 1963; leaving out the pairs i = j is as in Akinshin 2022.

/// The estimate for sorted values, at least one; a single value is its own.
pub(super) fn estimate(sorted: &[f64]) -> f64 {
    let m = sorted.len();
    if m < 2 {
        return sorted[0];
    }
    let pairs = m * (m - 1) / 2;
    let (low, high) = (pairs.div_ceil(2), pairs / 2 + 1);
    let at_low = nth_sum(sorted, low);
    if low == high || count_up_to(sorted, at_low) >= high {
        return at_low / 2.0;
    }
    let at_high = least_above(sorted, at_low);
    // The mean of the two middle pairs' means.
    (at_low / 2.0 + at_high / 2.0) / 2.0
}

/// The `n`-th smallest sum of a pair, counted from 1.
fn nth_sum(sorted: &[f64], n: usize) -> f64 {
    let m = sorted.len();
    let (mut low, mut high) = (rank(sorted[0] + sorted[1]), rank(sorted[m - 2] + sorted[m - 1]));
    while low < high {
        let middle = low + (high - low) / 2;
        if count_up_to(sorted, of_rank(middle)) >= n {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    of_rank(low)
}

/// How many pairs have a sum of at most `bound`. A rounded sum is still monotone in each of the two, so the partners
/// of a value end further left the greater it is.
fn count_up_to(sorted: &[f64], bound: f64) -> usize {
    let mut count = 0;
    let mut end = sorted.len();
    for (i, value) in sorted.iter().enumerate() {
        while end > 0 && value + sorted[end - 1] > bound {
            end -= 1;
        }
        if end <= i + 1 {
            break;
        }
        count += end - (i + 1);
    }
    count
}

/// The least sum of a pair above `bound`.
fn least_above(sorted: &[f64], bound: f64) -> f64 {
    let mut least = f64::INFINITY;
    let mut end = sorted.len();
    for (i, value) in sorted.iter().enumerate() {
        while end > 0 && value + sorted[end - 1] > bound {
            end -= 1;
        }
        if let Some(partner) = sorted.get(end.max(i + 1)) {
            least = least.min(value + partner);
        }
    }
    least
}

/// Floats as integers in the same order.
fn rank(value: f64) -> u64 {
    // −0 and 0 are equal, and so must be their ranks.
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

fn of_rank(rank: u64) -> f64 {
    f64::from_bits(if rank >> 63 == 0 { !rank } else { rank & !(1 << 63) })
}
