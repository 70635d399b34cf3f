//! The tables of parameters, one for each system: key, allowed values, meaning, and how each is read and written.
//!
//! The command line (`--set`), scenario files, and the page all go through them, so they have the same keys, ranges,
//! defaults and errors.

use super::invalid::Invalid;
use crate::kernel::Duration;
use crate::substrate::decimal;
use serde_json::{Value, json};

/// The keys that the program which the page opens with has no parameters for: an address with one, or who sets one, needs a
/// larger program. `web/boot.js` has the same words.
pub const LARGER_ONLY: &str = "ask concurrency delay-law delay-mean delay-p50 delay-p99 delay-shape delays retries \
                               retry-pause slow-factor slow-share";

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Allowed {
    /// A whole number in a range.
    Count(u32, u32),
    /// A whole number in a range, or `off`, which is 0.
    CountOrOff(u32, u32),
    /// A whole number in a range, or `all`, which is 0.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    CountOrAll(u32, u32),
    /// A real number in a range; `10%` is 0.1.
    Real(f64, f64),
    /// A real number in a range, or `off`, which is 0.
    RealOrOff(f64, f64),
    /// A duration with a unit, in a range.
    Span(Duration, Duration),
    /// A duration in a range, or 0 for off.
    SpanOrOff(Duration, Duration),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A text of at most so many bytes.
    Text(usize),
}

/// One parameter of a system whose parameters are a `P`.
pub struct Param<P> {
    /// Its name.
    pub key: &'static str,
    /// What it may be.
    pub allowed: Allowed,
    /// What it means.
    pub meaning: &'static str,
    pub(super) get: fn(&P) -> Value,
    pub(super) set: fn(&mut P, Parsed),
}

// Derived, they would ask the same of `P`.
impl<P> Clone for Param<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Param<P> {}

/// A value that was found to be allowed.
pub(super) enum Parsed {
    Count(u32),
    Real(f64),
    Span(Duration),
    Word(String),
}

pub(super) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(super) const SWITCH: Allowed = Allowed::Choice(&["on", "off"]);

macro_rules! param {
    ($key:literal, $allowed:expr, $meaning:literal, $get:expr, $kind:ident => $set:expr) => {
        Param {
            key: $key,
            allowed: $allowed,
            meaning: crate::substrate::text::in_full($meaning),
            get: $get,
            set: |params, parsed| {
                if let Parsed::$kind(value) = parsed {
                    let set: fn(&mut Params, _) = $set;
                    set(params, value);
                }
            },
        }
    };
}
pub(super) use param;

pub(super) fn span(duration: Duration) -> Value {
    json!(duration.to_string())
}

/// A parameter as it is set.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its name.
    pub key: &'static str,
    /// What it may be.
    pub allowed: Allowed,
    /// What it means.
    pub meaning: &'static str,
    /// What it is.
    pub value: Value,
}

/// All parameters as they are set, in the table's order.
pub fn all<P>(table: &[Param<P>], params: &P) -> Vec<Setting> {
    let setting = |param: &Param<P>| Setting {
        key: param.key,
        allowed: param.allowed,
        meaning: param.meaning,
        value: (param.get)(params),
    };
    table.iter().map(setting).collect()
}

/// Sets one parameter from JSON or from text.
pub fn set<P>(table: &[Param<P>], params: &mut P, key: &str, value: &Value) -> Result<(), Invalid> {
    let Some(param) = table.iter().find(|param| param.key == key) else {
        let keys: Vec<&str> = table.iter().map(|param| param.key).collect();
        return Err(Invalid::new("set", key, &format!("the keys {}", keys.join(", "))));
    };
    (param.set)(params, parse(key, param.allowed, value)?);
    Ok(())
}

fn parse(key: &str, allowed: Allowed, value: &Value) -> Result<Parsed, Invalid> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    allowed.parse(&text).ok_or_else(|| Invalid::new(key, &text, &allowed.describe()))
}

impl Allowed {
    fn parse(self, text: &str) -> Option<Parsed> {
        match self {
            Allowed::Count(low, high) => {
                text.parse().ok().filter(|n| (low..=high).contains(n)).map(Parsed::Count)
            }
            Allowed::Real(low, high) => {
                parse_real(text).filter(|x| (low..=high).contains(x)).map(Parsed::Real)
            }
            Allowed::CountOrOff(..) if text == "off" || text == "0" => Some(Parsed::Count(0)),
            #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
            Allowed::CountOrAll(low, high) => match text {
                "all" => Some(Parsed::Count(0)),
                _ => Allowed::Count(low, high).parse(text),
            },
            Allowed::RealOrOff(..) if text == "off" => Some(Parsed::Real(0.0)),
            Allowed::CountOrOff(low, high) => Allowed::Count(low, high).parse(text),
            Allowed::RealOrOff(low, high) => Allowed::Real(low, high).parse(text),
            Allowed::Span(low, high) => {
                text.parse().ok().filter(|d| (low..=high).contains(d)).map(Parsed::Span)
            }
            Allowed::SpanOrOff(low, high) => {
                let off = |d: &Duration| *d == Duration::ZERO;
                let text = if text == "off" { "0" } else { text };
                text.parse().ok().filter(|d| off(d) || (low..=high).contains(d)).map(Parsed::Span)
            }
            Allowed::Choice(words) => words.contains(&text).then(|| Parsed::Word(text.to_owned())),
            Allowed::Text(bytes) => (text.len() <= bytes).then(|| Parsed::Word(text.to_owned())),
        }
    }

    /// The allowed values in words.
    pub fn describe(self) -> String {
        match self {
            Allowed::Count(low, high) => format!("a whole number from {low} to {high}"),
            Allowed::Real(low, high) => {
                format!("a number from {} to {}", decimal::plain(low), decimal::plain(high))
            }
            Allowed::CountOrOff(low, high) => format!("off, or a whole number from {low} to {high}"),
            #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
            Allowed::CountOrAll(low, high) => format!("all, or a whole number from {low} to {high}"),
            Allowed::RealOrOff(low, high) => {
                format!("off, or a number from {} to {}", decimal::plain(low), decimal::plain(high))
            }
            Allowed::Span(low, high) => format!("a duration from {low} to {high}, with its unit"),
            Allowed::SpanOrOff(low, high) => format!("0, or a duration from {low} to {high}, with its unit"),
            Allowed::Choice(words) => format!("one of {}", words.join(", ")),
            Allowed::Text(bytes) => format!("a text of at most {bytes} bytes"),
        }
    }
}

/// A finite number; `18%` is 0.18, and a plus sign may stand before it.
pub fn parse_real(text: &str) -> Option<f64> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let (number, factor) = text.strip_suffix('%').map_or((text, 1.0), |number| (number.trim_end(), 0.01));
    // `1e999` is read as infinite; that is no number here.
    decimal::read(number).filter(|x| x.is_finite()).map(|x| x * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::oracle::params::{HTTP, NATS};
    use crate::systems::oracle::Params;

    #[test]
    fn every_default_is_allowed_and_survives_a_round_trip() {
        for (table, defaults) in [(HTTP, Params::default()), (NATS, Params::over_nats())] {
            for Setting { key, value, .. } in all(table, &defaults) {
                let mut params = Params { workers: 99, ..Params::default() };
                set(table, &mut params, key, &value).unwrap();
                assert!(all(table, &params).iter().any(|now| now.key == key && now.value == value), "{key}");
            }
        }
    }

    #[test]
    fn what_is_not_allowed_is_named_with_its_range() {
        let mut params = Params::default();
        for (key, value, expected) in [
            (
                "timeout",
                "5ms",
                "timeout: 5ms is not allowed; allowed: a duration from 10ms to 1m0s, with its unit",
            ),
            ("workers", "0", "workers: 0 is not allowed; allowed: a whole number from 1 to 10000"),
            ("rate", "0", "rate: 0 is not allowed; allowed: off, or a number from 0.001 to 1000000"),
            ("quorum", "-1", "quorum: -1 is not allowed; allowed: off, or a whole number from 1 to 10000"),
            ("fail", "nan", "fail: nan is not allowed; allowed: a number from 0 to 1"),
            (
                "strategy",
                "mean",
                "strategy: mean is not allowed; allowed: one of average, median, majority, \
                 upper-median, weighted-median, trimmed-mean, mad, hodges-lehmann, pyth",
            ),
        ] {
            let error = set(HTTP, &mut params, key, &json!(value)).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        assert!(set(HTTP, &mut params, "nonsense", &json!(1)).unwrap_err().to_string().contains("timeout"));
        assert_eq!(params, Params::default(), "nothing is lost");
        for (key, value) in [("rate", "2.5"), ("quorum", "7")] {
            set(HTTP, &mut params, key, &json!(value)).unwrap();
            assert!(all(HTTP, &params).iter().any(|now| now.key == key && format!("{}", now.value) == value));
            set(HTTP, &mut params, key, &json!("off")).unwrap();
        }
        assert_eq!(params, Params::default(), "off is off");
    }

    #[test]
    fn numbers_may_be_percentages() {
        assert_eq!(parse_real("+18%"), Some(0.18));
        assert_eq!(parse_real("-0.5"), Some(-0.5));
        assert_eq!(parse_real("1e999"), None);
        assert_eq!(parse_real("%"), None);
    }
}
