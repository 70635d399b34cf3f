//! Twin boards as plain data: what differs, what both runs amount to side by side at an instant, see `lanes.rs` for the picture.

use super::words::Unit;
use crate::lab::experiment::{Better, Change, PairSoFar, PairedMetric};
use serde::Deserialize;
use serde_json::Value;

/// Which two runs, as `lab_program` tells it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Twin {
    /// What differs: a setting, `preset`, or `acts`.
    pub key: String,
    /// What it is on both sides.
    pub values: [Value; 2],
    /// The same for a person.
    pub said: [String; 2],
    /// The metric that shows it best.
    pub metric: String,
    /// What opens the run that both are made of.
    pub base: Value,
    /// Both sides, each as what opens it.
    pub sides: [Side; 2],
    /// What one would hold against what.
    pub offers: Vec<String>,
    /// The seed of both.
    pub seed: u64,
    /// What asks other seeds, if what differs is a setting.
    pub plan: Option<Value>,
}

/// A side of a twin.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Side {
    /// Its address.
    pub search: String,
    /// Its system.
    pub system: String,
    /// The command that opens it.
    pub open: Value,
}

/// What is said of a difference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// The figure, without its unit.
    pub figure: String,
    /// What it means: `points less with median`.
    pub words: String,
    /// Where it lies.
    pub interval: String,
    /// `b` for "B is better here", and so on.
    pub verdict: &'static str,
    /// The same in words.
    pub judged: &'static str,
}

/// How it is said.
impl PairedMetric {
    /// What is known of the pairs at an instant.
    pub fn known(&self, now_ms: f64) -> &[PairSoFar] {
        let known = self.pairs.iter().take_while(|pair| pair.at_ms <= now_ms).count();
        &self.pairs[..known]
    }

    /// How it is shown.
    pub fn shown(&self) -> Unit {
        Unit::of(self.unit)
    }

    /// The mean of a side over the pairs, or the figure of its report.
    pub fn mean(&self, side: usize, now_ms: f64) -> Option<String> {
        let of_pairs = self.known(now_ms).last().map(|pair| pair.means[side]);
        let value = of_pairs.or_else(|| self.figure.and_then(|figure| figure[side]))?;
        Some(self.shown().show(value))
    }

    /// What is said at an instant of a twin whose sides are called so.
    pub fn say(&self, now_ms: f64, unit: &str, said: &[String; 2]) -> Said {
        let known = self.known(now_ms);
        let pairs = known.len();
        let count = format!("{pairs} {}", if pairs == 1 { "pair" } else { "pairs" });
        let (difference, interval, verdict) = match (known.last(), self.figure) {
            (Some(last), _) => (last.difference, last.interval, last.verdict),
            (None, Some([Some(a), Some(b)])) => (a - b, None, Better::TooFew),
            _ => {
                let words = format!("No {unit} on both sides yet");
                let (verdict, judged) = judged(Better::TooFew);
                return Said { figure: "—".into(), words, verdict, judged, ..Said::default() };
            }
        };
        let (figure, points) = self.apart(difference.abs());
        let words = match difference {
            _ if figure == "0" => format!("{points} apart"),
            d if d > 0.0 => format!("{points} less with {}", said[1]),
            _ => format!("{points} more with {}", said[1]),
        };
        let interval = match interval {
            Some((low, high)) => {
                format!("95 % interval {} to {}, {count} of {unit}", self.apart(low).0, self.apart(high).0)
            }
            None if self.figure.is_some() => {
                "One figure for each whole run: other seeds say how sure it is".to_owned()
            }
            None => format!("{count} of {unit}"),
        };
        let (verdict, judged) = judged(verdict);
        Said { figure, words: words.trim().to_owned(), interval, verdict, judged }
    }

    /// The greatest value of both sides.
    pub fn reach(&self) -> f64 {
        self.sides.iter().flatten().map(|known| known.2).fold(0.0, f64::max)
    }

    /// A difference without its unit, and what it is counted in.
    fn apart(&self, difference: f64) -> (String, &'static str) {
        let (scaled, counted) = match self.shown() {
            Unit::Share => (difference * 100.0, "points"),
            // All differences of a metric in one unit.
            Unit::Ms if self.reach() >= 2000.0 => (difference / 1000.0, "s"),
            Unit::Ms => (difference, "ms"),
            Unit::Plain => (difference, ""),
        };
        (number(scaled), counted)
    }
}

/// A number with as many digits as tell two apart, and a proper minus.
pub fn number(value: f64) -> String {
    let text = Unit::Plain.show(value);
    if text == "-0" { "0".to_owned() } else { text.replace('-', "−") }
}

/// How a verdict is marked, and the same in words.
fn judged(verdict: Better) -> (&'static str, &'static str) {
    match verdict {
        Better::A => ("a", "A is better here"),
        Better::B => ("b", "B is better here"),
        Better::Neither => ("neither", "No difference seen yet"),
        Better::TooFew => ("too_few", "Too few to say"),
    }
}

/// What is said of all in which both differ; nothing of a fair pair.
pub fn unfair(changes: &[Change]) -> Option<String> {
    match changes {
        [] => Some("Nothing differs: both are the same run.".to_owned()),
        [_] => None,
        more => {
            let keys: Vec<&str> = more.iter().map(|change| change.key.as_str()).collect();
            Some(format!("{} changes: not a fair pair ({}).", more.len(), keys.join(", ")))
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::kernel::Duration;
    use crate::lab::Scenario;
    use crate::lab::experiment::{self, Pair};

    pub(in crate::app::study) fn pair(preset: &str) -> (Pair, [String; 2]) {
        let twin = experiment::twin(&Scenario::preset(preset, 31), None, None).unwrap();
        let until = Some(Duration::from_secs(60));
        let pair = experiment::pair(&twin.sides, until, &[&twin.metric]).unwrap();
        (serde_json::from_str(&serde_json::to_string(&pair).unwrap()).unwrap(), twin.said)
    }

    #[test]
    fn a_difference_is_said_with_its_interval_and_its_verdict() {
        let (pair, said) = pair("oracle-http");
        let errors = pair.metrics.iter().find(|metric| metric.name == "error_mean").unwrap();
        let now = errors.say(60_000.0, &pair.unit, &said);
        let last = errors.pairs.last().unwrap();
        assert!(now.words.ends_with("with median") && now.words.starts_with("points"), "{now:?}");
        assert_eq!(now.figure, number(last.difference.abs() * 100.0));
        assert!(now.interval.ends_with(&format!("{} pairs of requests", errors.pairs.len())), "{now:?}");
        assert_eq!(errors.say(0.0, &pair.unit, &said).words, "No requests on both sides yet");
        let few = errors.say(errors.pairs[6].at_ms, &pair.unit, &said);
        assert_eq!((few.judged, few.verdict), ("Too few to say", "too_few"));
        let verdicts =
            [Better::A, Better::B, Better::Neither, Better::TooFew].map(|verdict| judged(verdict).1);
        assert_eq!(
            verdicts,
            ["A is better here", "B is better here", "No difference seen yet", "Too few to say"]
        );
    }

    #[test]
    fn only_one_change_makes_a_fair_pair() {
        let change = |key: &str| Change { key: key.to_owned(), a: Value::Null, b: Value::Null };
        assert_eq!(unfair(&[change("strategy")]), None);
        assert!(unfair(&[]).unwrap().starts_with("Nothing differs"));
        let two = unfair(&[change("poll-jitter"), change("backoff-jitter")]).unwrap();
        assert_eq!(two, "2 changes: not a fair pair (poll-jitter, backoff-jitter).");
    }

    #[test]
    fn a_figure_that_a_run_has_once_has_no_interval() {
        let (pair, said) = pair("thundering-herd");
        let peak = pair.metrics.last().unwrap();
        let now = peak.say(60_000.0, &pair.unit, &said);
        assert!(now.interval.is_empty() || now.interval.starts_with("One figure"), "{now:?}");
        assert_eq!(now.verdict, "too_few");
    }
}
