//! The true value of each query: what honest workers answer around, and what the laboratory holds answers against.
//!
//! Without drift it is the query's base for ever. With drift it is base · exp(drift · W(t)), W being a Brownian motion of
//! variance 1 per second: `drift` is the standard deviation of the relative change in one second, and after t seconds
//! the deviation is drift · √t. Any instant can be asked for alone, in any order: W is built from the whole span down by
//! halving it, the middle of an interval being the mean of its ends plus a draw of half the interval's deviation (Lévy's
//! construction). Each draw has its address: seed, query, place in the tree.
//!
//! Which instant is the right one: a worker reads its source when its answer is made, at the end of its delay. The error
//! of an aggregate is against the truth when the coordinator opened the request.

use crate::kernel::{Ctx, Instant, hash_name};

/// W is built over 2¹⁷ seconds, more than the 24 hours of the longest run.
const SPAN_NS: u64 = 131_072 * 1_000_000_000;
/// Halvings: down to 1/8 s, between whose ends W is a line.
const LEVELS: u32 = 20;

/// The source documents' BTC/USD, and others of the same orders of magnitude as the real ones.
const KNOWN: [(&str, f64); 12] = [
    ("BTC/USD", 42_135.5),
    ("ETH/USD", 2_250.75),
    ("SOL/USD", 98.4),
    ("EUR/USD", 1.0925),
    ("GBP/USD", 1.271),
    ("USD/JPY", 141.3),
    ("XAU/USD", 2_062.4),
    ("XAG/USD", 23.8),
    ("WTI/USD", 71.65),
    ("AAPL/USD", 192.53),
    ("temperature/Berlin", 11.5),
    ("temperature/Nairobi", 22.4),
];

/// The base of a query; an unknown one gets a stable value between 1 and 1,000 from its text.
pub fn base(query: &str) -> f64 {
    let known = KNOWN.iter().find(|(name, _)| *name == query);
    known.map_or_else(|| 1.0 + (hash_name(query) % 99_901) as f64 / 100.0, |&(_, value)| value)
}

/// The true value of a query at an instant.
pub fn value_at(ctx: &Ctx, drift: f64, query: &str, at: Instant) -> f64 {
    if drift == 0.0 { base(query) } else { base(query) * libm::exp(drift * motion(ctx, query, at)) }
}

/// W at an instant. The draws are uniform with variance 1, and there are twenty of them: near enough to normal.
fn motion(ctx: &Ctx, query: &str, at: Instant) -> f64 {
    let draws = ctx.stream(query, "truth");
    let half_width = 3_f64.sqrt();
    let draw = |place: u64| draws.at(place).uniform(-half_width, half_width);
    let (mut start, mut length, mut place) = (0, SPAN_NS, 1);
    let mut left = 0.0;
    let mut right = (SPAN_NS as f64 / 1e9).sqrt() * draw(0);
    for _ in 0..LEVELS {
        let middle = (left + right) / 2.0 + (length as f64 / 1e9).sqrt() / 2.0 * draw(place);
        length /= 2;
        place *= 2;
        if at.as_nanos() < start + length {
            right = middle;
        } else {
            (left, start, place) = (middle, start + length, place + 1);
        }
    }
    left + (right - left) * (at.as_nanos().saturating_sub(start) as f64 / length as f64).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Sim, Sink};

    #[test]
    fn known_and_unknown_queries_have_stable_bases() {
        assert_eq!(base("BTC/USD"), 42_135.5);
        assert!(KNOWN.len() >= 10);
        assert_eq!(base("no such thing"), base("no such thing"));
        assert_ne!(base("no such thing"), base("nor this"));
        assert!((1.0..=1000.0).contains(&base("")));
    }

    #[test]
    fn without_drift_the_truth_stands_still_and_with_it_each_query_walks_by_itself() {
        let ctx = Sim::new(4, Sink::None).ctx();
        let at = |drift, query, ms| value_at(&ctx, drift, query, Instant::from_millis(ms));
        assert_eq!(at(0.0, "BTC/USD", 86_400_000), base("BTC/USD"));
        assert_eq!(at(0.01, "BTC/USD", 0), base("BTC/USD"), "it begins at the base");
        assert_eq!(at(0.01, "BTC/USD", 7_000), at(0.01, "BTC/USD", 7_000));
        let moved = |query| at(0.01, query, 50_000) / base(query);
        assert_ne!(moved("BTC/USD"), moved("ETH/USD"));
        let other = Sim::new(5, Sink::None).ctx();
        assert_ne!(
            value_at(&other, 0.01, "BTC/USD", Instant::from_millis(50_000)),
            at(0.01, "BTC/USD", 50_000)
        );
    }

    #[test]
    fn the_walk_has_variance_one_per_second_at_every_scale_and_does_not_jump() {
        for (step_ms, n) in [(125, 4_000), (1_000, 4_000), (16_000, 4_000)] {
            let mut squares = 0.0;
            for seed in 0..n {
                let ctx = Sim::new(seed, Sink::None).ctx();
                let start = 125 * (seed * 7_919 % 600_000);
                let at = |ms| motion(&ctx, "q", Instant::from_millis(ms));
                squares += (at(start + step_ms) - at(start)) * (at(start + step_ms) - at(start));
            }
            // The variance of a squared normal is 2: four of its deviations are ±9 %.
            let variance = squares / n as f64 / (step_ms as f64 / 1000.0);
            assert!((variance - 1.0).abs() < 0.09, "{step_ms} ms: {variance}");
        }
        let ctx = Sim::new(1, Sink::None).ctx();
        for ms in 1..10_000 {
            let [before, now] = [ms - 1, ms].map(|ms| motion(&ctx, "q", Instant::from_millis(ms)));
            assert!((now - before).abs() < 0.05, "at {ms} ms: {before}, {now}");
        }
    }
}
