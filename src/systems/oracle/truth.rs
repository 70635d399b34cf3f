//! The true value of each query: what honest workers answer around.

use crate::kernel::hash_name;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_unknown_queries_have_stable_bases() {
        assert_eq!(base("BTC/USD"), 42_135.5);
        assert!(KNOWN.len() >= 10);
        assert_eq!(base("no such thing"), base("no such thing"));
        assert_ne!(base("no such thing"), base("nor this"));
        assert!((1.0..=1000.0).contains(&base("")));
    }
}
