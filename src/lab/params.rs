//! The one table of parameters: key, allowed values, meaning, and how each is read and written.
//!
//! The command line (`--set`), scenario files, and the page all go through it, so they have the same keys, ranges,
//! defaults and errors.

use super::scenario::Invalid;
use crate::kernel::Duration;
use crate::systems::oracle::aggregator::Strategy;
use crate::systems::oracle::{LieMode, Load, Params};
use serde_json::{Value, json};

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Allowed {
    /// A whole number in a range.
    Count(u32, u32),
    /// A whole number in a range, or `off`, which is 0.
    CountOrOff(u32, u32),
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

/// One parameter.
pub struct Param {
    /// Its name.
    pub key: &'static str,
    /// What it may be.
    pub allowed: Allowed,
    /// What it means.
    pub meaning: &'static str,
    get: fn(&Params) -> Value,
    set: fn(&mut Params, Parsed),
}

/// A value that was found to be allowed.
enum Parsed {
    Count(u32),
    Real(f64),
    Span(Duration),
    Word(String),
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const SWITCH: Allowed = Allowed::Choice(&["on", "off"]);

macro_rules! param {
    ($key:literal, $allowed:expr, $meaning:literal, $get:expr, $kind:ident => $set:expr) => {
        Param {
            key: $key,
            allowed: $allowed,
            meaning: $meaning,
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

/// All parameters, in the order in which they are shown.
pub const TABLE: [Param; 25] = [
    param!("workers", Allowed::Count(1, 10_000), "how many workers there are",
        |p| json!(p.workers), Count => |p, v| p.workers = v),
    param!("timeout", Allowed::Span(ms(10), ms(60_000)), "how long the coordinator waits for answers",
        |p| span(p.timeout), Span => |p, v| p.timeout = v),
    param!("strategy", Allowed::Choice(&Strategy::NAMES), "how it makes one value of many",
        |p| json!(p.strategy.name()), Word => |p, v: String| p.strategy = Strategy::from_name(&v).unwrap_or_default()),
    param!("fail", Allowed::Real(0.0, 1.0), "the probability that a task fails",
        |p| json!(p.fail), Real => |p, v| p.fail = v),
    param!("lie", Allowed::Real(0.0, 1.0), "the share of workers that lie",
        |p| json!(p.lie), Real => |p, v| p.lie = v),
    param!("lie-bias", Allowed::Real(-0.99, 10.0), "by how much they lie, relative to the value",
        |p| json!(p.lie_bias), Real => |p, v| p.lie_bias = v),
    param!("lie-mode", Allowed::Choice(&LieMode::NAMES), "how they lie",
        |p| json!(p.lie_mode.name()), Word => |p, v: String| p.lie_mode = LieMode::from_name(&v).unwrap_or_default()),
    param!("noise", Allowed::Real(0.0, 0.5), "honest values lie within this share around the truth",
        |p| json!(p.noise), Real => |p, v| p.noise = v),
    param!("drift", Allowed::Real(0.0, 0.1), "the relative standard deviation of the truth's change in a second",
        |p| json!(p.drift), Real => |p, v| p.drift = v),
    param!("delay-min", Allowed::Span(ms(0), ms(60_000)), "the least time that a task takes",
        |p| span(p.delay_min), Span => |p, v| p.delay_min = v),
    param!("delay-max", Allowed::Span(ms(0), ms(60_000)), "the most time that a task takes",
        |p| span(p.delay_max), Span => |p, v| p.delay_max = v),
    param!("step", Allowed::Real(1e-6, 1e6), "majority's rounding step, in units of the value",
        |p| json!(p.step), Real => |p, v| p.step = v),
    param!("trim", Allowed::Real(0.0, 0.49), "the share that the trimmed mean drops at each end",
        |p| json!(p.trim), Real => |p, v| p.trim = v),
    param!("quorum", Allowed::CountOrOff(1, 10_000), "it answers as soon as it has so many answers",
        |p| if p.quorum == 0 { json!("off") } else { json!(p.quorum) }, Count => |p, v| p.quorum = v),
    param!("load", Allowed::Choice(&["constant", "poisson", "burst", "closed"]), "when the client sends",
        |p| json!(p.load.name()), Word => |p, v: String| p.load = load(&v)),
    param!("period", Allowed::Span(ms(1), ms(3_600_000)), "the gap between requests, or its mean",
        |p| span(p.period), Span => |p, v| p.period = v),
    param!("clients", Allowed::Count(1, 10_000), "requests at one instant (burst), or open at once (closed)",
        |p| json!(p.clients), Count => |p, v| p.clients = v),
    param!("query", Allowed::Text(200), "what is asked",
        |p| json!(p.query), Word => |p, v| p.query = v),
    param!("heartbeat", Allowed::SpanOrOff(ms(100), ms(3_600_000)), "the time between heartbeats; 0 is off",
        |p| span(p.heartbeat), Span => |p, v| p.heartbeat = v),
    param!("stale", Allowed::Span(ms(100), ms(3_600_000)), "a worker silent for longer is dropped from the registry",
        |p| span(p.stale), Span => |p, v| p.stale = v),
    param!("register", SWITCH, "whether workers register by themselves",
        |p| json!(if p.register { "on" } else { "off" }), Word => |p, v: String| p.register = v == "on"),
    param!("rate", Allowed::RealOrOff(0.001, 1e6), "how many requests a second a client may send in the long run",
        |p| p.rate.map_or_else(|| json!("off"), |rate| json!(rate)), Real => |p, v| p.rate = (v > 0.0).then_some(v)),
    param!("burst", Allowed::Count(1, 10_000), "how many of them at one instant",
        |p| json!(p.burst), Count => |p, v| p.burst = v),
    param!("deviation", Allowed::Real(0.0, 1.0), "a result this far off the last report is reported, relative to it",
        |p| json!(p.deviation), Real => |p, v| p.deviation = v),
    param!("report-heartbeat", Allowed::Span(ms(100), ms(86_400_000)), "an older report is stale, and the next result is reported",
        |p| span(p.report_heartbeat), Span => |p, v| p.report_heartbeat = v),
];

fn span(duration: Duration) -> Value {
    json!(duration.to_string())
}

fn load(name: &str) -> Load {
    Load::ALL.into_iter().find(|load| load.name() == name).unwrap_or_default()
}

/// The parameter called `key`.
pub fn find(key: &str) -> Option<&'static Param> {
    TABLE.iter().find(|param| param.key == key)
}

/// The current value of a parameter.
pub fn get(params: &Params, param: &Param) -> Value {
    (param.get)(params)
}

/// Sets one parameter from JSON or from text.
pub fn set(params: &mut Params, key: &str, value: &Value) -> Result<(), Invalid> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let Some(param) = find(key) else {
        let keys: Vec<&str> = TABLE.iter().map(|param| param.key).collect();
        return Err(Invalid::new("set", key, &format!("the keys {}", keys.join(", "))));
    };
    let parsed =
        param.allowed.parse(&text).ok_or_else(|| Invalid::new(key, &text, &param.allowed.describe()))?;
    (param.set)(params, parsed);
    Ok(())
}

/// What only holds between parameters.
pub fn check(params: &Params) -> Result<(), Invalid> {
    if params.delay_min > params.delay_max {
        let allowed = format!("at most delay-max, which is {}", params.delay_max);
        return Err(Invalid::new("delay-min", &params.delay_min.to_string(), &allowed));
    }
    Ok(())
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
            Allowed::CountOrOff(..) if text == "off" => Some(Parsed::Count(0)),
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
            Allowed::Real(low, high) => format!("a number from {low} to {high}"),
            Allowed::CountOrOff(low, high) => format!("off, or a whole number from {low} to {high}"),
            Allowed::RealOrOff(low, high) => format!("off, or a number from {low} to {high}"),
            Allowed::Span(low, high) => format!("a duration from {low} to {high}, with its unit"),
            Allowed::SpanOrOff(low, high) => format!("0, or a duration from {low} to {high}, with its unit"),
            Allowed::Choice(words) => format!("one of {}", words.join(", ")),
            Allowed::Text(bytes) => format!("a text of at most {bytes} bytes"),
        }
    }
}

/// A finite number; `18%` is 0.18, and a plus sign may stand before it.
pub(super) fn parse_real(text: &str) -> Option<f64> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let (number, factor) = text.strip_suffix('%').map_or((text, 1.0), |number| (number.trim_end(), 0.01));
    // `inf`, `nan` and `1e999` parse as floats; none of them is a number here.
    number.parse::<f64>().ok().filter(|x| x.is_finite()).map(|x| x * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_allowed_and_survives_a_round_trip() {
        let defaults = Params::default();
        for param in &TABLE {
            let mut params = Params { workers: 99, ..Params::default() };
            set(&mut params, param.key, &get(&defaults, param)).unwrap();
            assert_eq!(get(&params, param), get(&defaults, param), "{}", param.key);
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
            let error = set(&mut params, key, &json!(value)).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        assert!(set(&mut params, "nonsense", &json!(1)).unwrap_err().to_string().contains("timeout"));
        assert_eq!(params, Params::default(), "nothing is lost");
        for (key, value) in [("rate", "2.5"), ("quorum", "7")] {
            set(&mut params, key, &json!(value)).unwrap();
            assert_eq!(get(&params, find(key).unwrap()).to_string(), value);
            set(&mut params, key, &json!("off")).unwrap();
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
