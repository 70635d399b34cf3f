//! How figures of experiments are said.

use crate::kernel::Duration;
use crate::lab::measure;
use crate::lab::params::parse_real;
use serde_json::Value;

/// What a metric is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A share: 0.01 is one per cent.
    Share,
    /// Milliseconds.
    Ms,
    /// A figure of a report, in a unit of its own.
    #[serde(other)]
    Plain,
}

impl Unit {
    /// That of a metric.
    pub const fn of(unit: Option<measure::Unit>) -> Self {
        match unit {
            Some(measure::Unit::Share) => Unit::Share,
            Some(measure::Unit::Ms) => Unit::Ms,
            None => Unit::Plain,
        }
    }

    /// A value with its unit: `0.94 %`, `1.150 s`, `205 ms`.
    pub fn show(self, value: f64) -> String {
        match self {
            Unit::Share => format!("{} %", digits(value * 100.0)),
            Unit::Ms if value.abs() >= 1000.0 => format!("{:.3} s", value / 1000.0),
            Unit::Ms => format!("{} ms", digits(value)),
            Unit::Plain => digits(value),
        }
    }

    /// The unit as it stands at the head of a column.
    pub const fn head(self) -> &'static str {
        match self {
            Unit::Share => ", %",
            Unit::Ms => ", ms",
            Unit::Plain => "",
        }
    }

    /// A figure with its interval below such a head: `0.94 ±0.02`, or both bounds where they are not as far from it.
    pub fn show_bare(self, value: f64, low: Option<f64>, high: Option<f64>) -> String {
        let scale = if self == Unit::Share { 100.0 } else { 1.0 };
        let said = |x: f64| digits(x * scale);
        match (low, high) {
            (Some(low), Some(high)) if said(low) == said(high) && said(value) == said(low) => said(value),
            (Some(low), Some(high)) if (high + low - 2.0 * value).abs() <= 0.02 * (high - low) => {
                let half = (high - low) / 2.0 * scale;
                // Not nothing, where it is little.
                let half = if half < 0.005 { format!("{half:.3}") } else { digits(half) };
                format!("{} ±{half}", said(value))
            }
            (low, high) => {
                let bound = |bound: Option<f64>| bound.map_or("?".to_owned(), said);
                format!("{} {}–{}", said(value), bound(low), bound(high))
            }
        }
    }

    /// A limit as a plan has it, in the unit of what it limits.
    pub fn read(self, limit: &Value) -> Option<f64> {
        let text = limit.as_str();
        let span = || text?.parse::<Duration>().ok().map(Duration::as_millis_f64);
        let share = || parse_real(text?);
        limit.as_f64().or_else(|| if self == Unit::Ms { span() } else { share() }).or_else(span)
    }

    /// A value that was chosen, not measured: `1 %`, `1.200 s`.
    pub fn show_round(self, value: f64) -> String {
        without_zeros(self.show(value))
    }

    /// A tick of an axis, with as many digits as its step has: `0.005 %`, `1.5 s`.
    pub fn show_tick(self, value: f64, step: f64) -> String {
        let (scale, unit) = match self {
            Unit::Share => (100.0, " %"),
            Unit::Ms if value.abs() >= 1000.0 => (0.001, " s"),
            Unit::Ms => (1.0, " ms"),
            Unit::Plain => (1.0, ""),
        };
        let (mut rest, mut places) = (step * scale, 0);
        while (rest - rest.round()).abs() > 1e-6 * rest && places < 9 {
            rest *= 10.0;
            places += 1;
        }
        format!("{:.places$}{unit}", value * scale)
    }

    /// An interval, with the unit once: `0.92 to 0.96 %`. A bound for which there were too few samples is left open.
    pub fn show_interval(self, low: Option<f64>, high: Option<f64>) -> String {
        let bare = |value: f64| {
            let shown = self.show(value);
            shown.split_once(' ').map_or(shown.clone(), |(number, _)| number.to_owned())
        };
        match (low, high) {
            // In one unit.
            (Some(low), Some(high)) if self != Unit::Ms || (low < 1000.0) == (high < 1000.0) => {
                format!("{} to {}", bare(low), self.show(high))
            }
            (Some(low), Some(high)) => format!("{} to {}", self.show(low), self.show(high)),
            (Some(low), None) => format!("{} or more", self.show(low)),
            (None, Some(high)) => format!("{} or less", self.show(high)),
            (None, None) => "no interval".to_owned(),
        }
    }
}

/// As many digits as tell two configurations apart.
fn digits(value: f64) -> String {
    let places = match value.abs() {
        x if x >= 1000.0 => 0,
        x if x >= 100.0 => 1,
        _ => 2,
    };
    format!("{value:.places$}")
}

/// A whole number has no zeros behind it.
fn without_zeros(text: String) -> String {
    match text.split_once(' ') {
        Some((number, unit)) => match number.split_once('.') {
            Some((whole, rest)) if rest.bytes().all(|digit| digit == b'0') => format!("{whole} {unit}"),
            _ => text,
        },
        None => match text.split_once('.') {
            Some((whole, rest)) if rest.bytes().all(|digit| digit == b'0') => whole.to_owned(),
            _ => text,
        },
    }
}

/// A number with its thousands apart.
pub fn thousands(n: u64) -> String {
    let text = n.to_string();
    let mut said = String::new();
    for (i, digit) in text.chars().enumerate() {
        if i > 0 && (text.len() - i).is_multiple_of(3) {
            said.push(',');
        }
        said.push(digit);
    }
    said
}

/// A list of values by its ends, if it is long: `3 … 101`.
pub fn shortened(list: &str) -> String {
    let values: Vec<&str> = list.split(',').map(str::trim).collect();
    match values.as_slice() {
        [first, .., last] if values.len() > 4 => format!("{first} … {last}"),
        _ => list.to_owned(),
    }
}

/// A stretch of a person's time, as one would say it.
pub fn time(ms: f64) -> String {
    match ms / 1000.0 {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 90.0 => format!("{s:.0} s"),
        s => format!("{:.0} min", s / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_as_many_digits_as_tell_them_apart() {
        assert_eq!(Unit::Share.show(0.009_412), "0.94 %");
        assert_eq!([Unit::Share.show(0.2), Unit::Share.show_round(0.2)], ["20.00 %", "20 %"]);
        assert_eq!(Unit::Ms.show_round(2000.0), "2 s");
        let ticks = |unit: Unit, step: f64| [0.0, 1.0, 2.0].map(|i| unit.show_tick(i * step, step));
        assert_eq!(ticks(Unit::Share, 5e-5), ["0.000 %", "0.005 %", "0.010 %"]);
        assert_eq!(ticks(Unit::Share, 0.2), ["0 %", "20 %", "40 %"]);
        assert_eq!(ticks(Unit::Ms, 500.0), ["0 ms", "500 ms", "1.0 s"]);
        assert_eq!(ticks(Unit::Plain, 0.25), ["0.00", "0.25", "0.50"]);
        assert_eq!(Unit::Ms.show(1150.0), "1.150 s");
        assert_eq!(Unit::Ms.show(205.04), "205.0 ms");
        assert_eq!(Unit::Plain.show(12_345.6), "12346");
        assert_eq!(Unit::Share.show_interval(Some(0.0092), Some(0.0096)), "0.92 to 0.96 %");
        assert_eq!(Unit::Ms.show_interval(Some(990.0), Some(1010.0)), "990.0 ms to 1.010 s");
        assert_eq!(Unit::Ms.show_interval(Some(1.0), None), "1.00 ms or more");
        assert_eq!([thousands(0), thousands(156_000), thousands(1_234_567)], ["0", "156,000", "1,234,567"]);
        assert_eq!(Unit::Share.show_bare(0.0094, Some(0.0092), Some(0.0096)), "0.94 ±0.02");
        assert_eq!(Unit::Share.show_bare(0.010_051, Some(0.010_041), Some(0.010_061)), "1.01 ±0.001");
        assert_eq!(Unit::Ms.show_bare(1160.0, Some(1160.0), Some(1160.0)), "1160");
        assert_eq!(Unit::Ms.show_bare(205.0, Some(200.0), None), "205.0 200.0–?");
        assert_eq!([shortened("3, 5,7, 9, 101"), shortened("3, 5, 7")], ["3 … 101", "3, 5, 7"]);
        assert_eq!([time(940.0), time(42_300.0), time(300_000.0)], ["0.9 s", "42 s", "5 min"]);
    }
}
