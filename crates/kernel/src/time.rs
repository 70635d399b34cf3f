//! Virtual time in whole nanoseconds.
//!
//! [`Instant`] counts from the virtual zero of a run, [`Duration`] is a span. Both are `u64`, so 584 years fit,
//! ties are exact and nothing ever rounds. Durations print and parse in Go's notation (`"120ms"`, `"1.25s"`),
//! which is what the simulated services put on the wire.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

/// A point in virtual time: nanoseconds since the run's zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

/// A span of virtual time in nanoseconds.
///
/// ```
/// use glasshive_kernel::Duration;
///
/// let span: Duration = "1.25s".parse()?;
/// assert_eq!(span, Duration::from_millis(1_250));
/// assert_eq!((span + Duration::from_micros(5)).to_string(), "1.250005s");
/// assert!("250".parse::<Duration>().is_err(), "a duration carries a unit");
/// # Ok::<(), glasshive_kernel::ParseDurationError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

impl Instant {
    /// The start of every run.
    pub const ZERO: Instant = Instant(0);
    /// Later than anything a run reaches.
    pub const MAX: Instant = Instant(u64::MAX);

    /// The instant `ns` nanoseconds after zero.
    pub const fn from_nanos(ns: u64) -> Self {
        Instant(ns)
    }

    /// The instant `ms` milliseconds after zero, or [`MAX`](Self::MAX) if that is later.
    pub const fn from_millis(ms: u64) -> Self {
        Instant(ms.saturating_mul(1_000_000))
    }

    /// Nanoseconds since zero.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Milliseconds since zero, fractions included.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The span since `earlier`, or zero if `earlier` is later.
    pub const fn since(self, earlier: Instant) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration(0);

    /// `ns` nanoseconds.
    pub const fn from_nanos(ns: u64) -> Self {
        Duration(ns)
    }

    /// `us` microseconds.
    pub const fn from_micros(us: u64) -> Self {
        Duration(us * 1_000)
    }

    /// `ms` milliseconds.
    pub const fn from_millis(ms: u64) -> Self {
        Duration(ms * 1_000_000)
    }

    /// `s` seconds.
    pub const fn from_secs(s: u64) -> Self {
        Duration(s * 1_000_000_000)
    }

    /// `s` seconds, fractions included, to the nearest nanosecond; negative becomes zero.
    pub fn from_secs_f64(s: f64) -> Self {
        // A cast from f64 saturates, and so does this.
        Duration(libm::round(s * 1e9) as u64)
    }

    /// Whole nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Milliseconds, fractions included.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Seconds, fractions included.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The span times `factor`, to the nearest nanosecond; negative becomes zero.
    pub fn scale(self, factor: f64) -> Self {
        Duration(libm::round(self.0 as f64 * factor) as u64)
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, span: Duration) -> Instant {
        Instant(self.0.saturating_add(span.0))
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;
    fn sub(self, span: Duration) -> Instant {
        Instant(self.0.saturating_sub(span.0))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

impl Add for Duration {
    type Output = Duration;
    fn add(self, other: Duration) -> Duration {
        Duration(self.0.saturating_add(other.0))
    }
}

impl Sub for Duration {
    type Output = Duration;
    fn sub(self, other: Duration) -> Duration {
        Duration(self.0.saturating_sub(other.0))
    }
}

/// Go's `time.Duration.String`: the largest unit that leaves a non-zero leading digit, no trailing zeros.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl Duration {
    /// How many bytes its text has.
    pub fn text_length(self) -> usize {
        self.text().as_str().len()
    }

    fn text(self) -> Backwards {
        let mut text = Backwards::new();
        match self.0 {
            0 => text.put("0s"),
            ns if ns < 1_000 => text.put_decimal(ns, 1, "ns"),
            ns if ns < 1_000_000 => text.put_decimal(ns, 1_000, "µs"),
            ns if ns < 1_000_000_000 => text.put_decimal(ns, 1_000_000, "ms"),
            ns => {
                let (minutes, rest) = (ns / 60_000_000_000, ns % 60_000_000_000);
                text.put_decimal(rest, 1_000_000_000, "s");
                if minutes > 0 {
                    text.put_decimal(minutes % 60, 1, "m");
                }
                if minutes >= 60 {
                    text.put_decimal(minutes / 60, 1, "h");
                }
            }
        }
        text
    }
}

/// A short text that is written from its end: a number's last digit is known first. Durations are written for every answer,
/// and the library's way to write a number with its fraction costs ten times as much.
struct Backwards {
    bytes: [u8; Self::LENGTH],
    from: usize,
}

impl Backwards {
    /// More than the longest, `5124095h34m33.709551615s`.
    const LENGTH: usize = 32;

    fn new() -> Self {
        Backwards { bytes: [0; Self::LENGTH], from: Self::LENGTH }
    }

    fn put(&mut self, text: &str) {
        let to = self.from;
        self.from -= text.len();
        self.bytes[self.from..to].copy_from_slice(text.as_bytes());
    }

    fn put_digit(&mut self, digit: u64) {
        self.from -= 1;
        self.bytes[self.from] = b'0' + digit as u8;
    }

    /// How many units `ns` are, without zeros at the end, and the unit's name.
    fn put_decimal(&mut self, ns: u64, unit: u64, name: &str) {
        self.put(name);
        let (mut whole, mut fraction, mut place) = (ns / unit, ns % unit, unit);
        if fraction > 0 {
            while fraction % 10 == 0 {
                (fraction, place) = (fraction / 10, place / 10);
            }
            while place > 1 {
                self.put_digit(fraction % 10);
                (fraction, place) = (fraction / 10, place / 10);
            }
            self.put(".");
        }
        self.put_digit(whole % 10);
        while whole >= 10 {
            whole /= 10;
            self.put_digit(whole % 10);
        }
    }

    fn as_str(&self) -> &str {
        // It was put together of texts and digits.
        str::from_utf8(&self.bytes[self.from..]).unwrap_or_default()
    }
}

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseDurationError;

impl fmt::Display for ParseDurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration is a number with a unit, such as 120ms, 1.5s or 1m30s")
    }
}

/// Go's `time.ParseDuration` without a sign: a row of decimal numbers, each with a unit (ns, us, µs, ms, s, m, h).
impl FromStr for Duration {
    type Err = ParseDurationError;

    fn from_str(text: &str) -> Result<Self, ParseDurationError> {
        if text == "0" {
            return Ok(Duration::ZERO);
        }
        let (mut rest, mut total) = (text, 0_u64);
        if rest.is_empty() {
            return Err(ParseDurationError);
        }
        while !rest.is_empty() {
            let number_len =
                rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(ParseDurationError)?;
            let (number, tail) = rest.split_at(number_len);
            let unit_len = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit_len);
            let part = parse_decimal(number, unit_nanos(unit)?)?;
            total = total.checked_add(part).ok_or(ParseDurationError)?;
            rest = tail;
        }
        Ok(Duration(total))
    }
}

fn unit_nanos(unit: &str) -> Result<u64, ParseDurationError> {
    Ok(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return Err(ParseDurationError),
    })
}

/// `number` (digits with at most one point) times `unit`, cut below a nanosecond as Go does.
fn parse_decimal(number: &str, unit: u64) -> Result<u64, ParseDurationError> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return Err(ParseDurationError);
    }
    let mut nanos = if whole.is_empty() {
        0
    } else {
        let whole: u64 = whole.parse().map_err(|_| ParseDurationError)?;
        whole.checked_mul(unit).ok_or(ParseDurationError)?
    };
    let mut place = unit;
    for digit in fraction.bytes() {
        place /= 10;
        nanos = nanos.checked_add(u64::from(digit - b'0') * place).ok_or(ParseDurationError)?;
    }
    Ok(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_as_go_prints_them() {
        for (ns, text) in [
            (0, "0s"),
            (1, "1ns"),
            (999, "999ns"),
            (1_000, "1µs"),
            (1_100, "1.1µs"),
            (999_999, "999.999µs"),
            (1_000_000, "1ms"),
            (120_000_000, "120ms"),
            (999_999_999, "999.999999ms"),
            (1_000_000_000, "1s"),
            (1_250_000_000, "1.25s"),
            (2_000_000_000, "2s"),
            (60_000_000_000, "1m0s"),
            (90_000_000_000, "1m30s"),
            (3_599_000_000_000, "59m59s"),
            (3_600_000_000_000, "1h0m0s"),
            (845_123_456, "845.123456ms"),
            (60_000_000_001, "1m0.000000001s"),
            (1_000_001, "1.000001ms"),
            (u64::MAX, "5124095h34m33.709551615s"),
        ] {
            assert_eq!((Duration(ns).to_string().as_str(), Duration(ns).text_length()), (text, text.len()));
            assert_eq!(text.parse(), Ok(Duration(ns)));
        }
    }

    #[test]
    fn a_bare_number_is_no_duration() {
        for text in ["", "5", "s", "1.5", "1,5s", "-1s", "1.2.3s", "1x", ".s", "99999999999h"] {
            assert_eq!(text.parse::<Duration>(), Err(ParseDurationError), "{text}");
        }
    }
}
