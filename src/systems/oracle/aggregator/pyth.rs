//! Pyth's on-chain aggregate of publishers' quotes, in integers as there.
//!
//! Every valid quote casts three votes: price − conf, price, price + conf. The price is the median of the votes, for an
//! even number the mean of the middle two rounded down; the confidence is the greater distance from it to the quartiles.
//! Valid is a quote that is trading, not older than 25 slots, with a positive confidence and votes that fit 64 bits.
//! The rule is that of `upd_aggregate.h` in `pyth-network/pyth-client`.

use super::Aggregate;
use crate::substrate::merge;
use serde::Serialize;

/// A quote from more slots ago is not used.
const SLOTS_MAX: i64 = 25;
/// What a status of trading is called in quotes.
const TRADING: i64 = 1;
/// Live values become integers in units of 10^−8, as Pyth's feeds of BTC/USD have it.
const LIVE_SCALE: f64 = 1e8;
/// 2⁶³: from here on a value is no 64-bit integer.
const I64_END: f64 = 9_223_372_036_854_775_808.0;

/// A publisher's quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// In units of 10^exponent.
    pub price: i64,
    /// Its confidence, in the same units.
    pub conf: i64,
    /// 1 is trading.
    pub status: i64,
    /// How many slots ago it was published, seen from the aggregate's.
    pub age: i64,
}

/// The aggregate of quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PythPrice {
    /// In units of 10^exponent; 0 when unknown.
    pub price: i64,
    /// In the same units; 0 when unknown.
    pub conf: u64,
    /// How many quotes were valid.
    #[serde(skip)]
    pub valid: usize,
}

impl PythPrice {
    /// `trading`, or `unknown` when no quote was valid.
    pub const fn status(&self) -> &'static str {
        if self.valid > 0 { "trading" } else { "unknown" }
    }
}

impl Quote {
    fn votes(&self) -> Option<[i64; 3]> {
        let valid = self.status == TRADING && self.conf > 0 && self.age <= SLOTS_MAX;
        let votes = [self.price.checked_sub(self.conf), Some(self.price), self.price.checked_add(self.conf)];
        let [low, middle, high] = votes;
        Some([low?, middle?, high?]).filter(|_| valid)
    }
}

/// Aggregates quotes.
pub fn aggregate(quotes: &[Quote]) -> PythPrice {
    let valid: Vec<[i64; 3]> = quotes.iter().filter_map(Quote::votes).collect();
    let Some(last) = (3 * valid.len()).checked_sub(1) else {
        return PythPrice { price: 0, conf: 0, valid: 0 };
    };
    // Of sorted quotes these are three ascending runs, which a merging sort likes.
    let mut votes: Vec<i64> = Vec::with_capacity(last + 1);
    (0..3).for_each(|k| votes.extend(valid.iter().map(|votes| votes[k])));
    merge::sort(&mut votes, |a, b| a < b);
    let count = votes.len();
    let (left, right) = (votes[(count - 1) / 2], votes[count / 2]);
    let price = floor_mean(left, right);
    let (p25, p75) = (votes[count >> 2], votes[last - (count >> 2)]);
    PythPrice { price, conf: price.abs_diff(p25).max(p75.abs_diff(price)), valid: valid.len() }
}

/// ⌊(a + b) / 2⌋ without overflow.
fn floor_mean(a: i64, b: i64) -> i64 {
    (a >> 1) + (b >> 1) + (a & b & 1)
}

/// The relative confidence of an answer in a live run: the standard deviation of honest values, which are uniform
/// within ±`noise`, so noise / √3. A worker's result has no field for a confidence; the coordinator gives each answer
/// that of the sources it knows, a lie's too.
pub fn confidence_of_noise(noise: f64) -> f64 {
    noise / 3_f64.sqrt()
}

/// The aggregate of live values, each with a confidence relative to it, of at least one unit of 10^−8. A value beyond
/// the integers is no valid quote.
pub(super) fn of_values(sorted: &[f64], confidence: f64) -> Option<Aggregate> {
    let quote = |value: &f64| {
        let price = integer(value * LIVE_SCALE)?;
        let conf = integer(value.abs() * confidence * LIVE_SCALE)?.max(1);
        Some(Quote { price, conf, status: TRADING, age: 0 })
    };
    let quotes: Vec<Quote> = sorted.iter().filter_map(quote).collect();
    let price = aggregate(&quotes);
    let value = price.price as f64 / LIVE_SCALE;
    (price.valid > 0).then_some(Aggregate { value, support: price.valid })
}

fn integer(value: f64) -> Option<i64> {
    let rounded = libm::round(value);
    (rounded.abs() < I64_END).then_some(rounded as i64)
}
