//! INCRBYFLOAT and HINCRBYFLOAT, and scores as texts.

use super::super::keyspace::Keyspace;
use super::super::reply::{Answer, Bytes, ErrorText, NOT_A_FLOAT, Reply, error};
use super::extended::{Extended, Real};

const NOT_FINITE: ErrorText = error("ERR increment would produce NaN or Infinity");

/// The sum of two reals that is a real; a sum of infinities is none.
fn sum(a: Real, b: Real) -> Result<Extended, ErrorText> {
    match (a, b) {
        (Real::Finite(a), Real::Finite(b)) => a.plus(b).ok_or(NOT_FINITE),
        _ => Err(NOT_FINITE),
    }
}

impl Keyspace {
    pub(super) fn add_float(&mut self, a: &[Bytes]) -> Answer {
        let old = match self.text(&a[0])? {
            Some(text) => Extended::parse(&text).ok_or(NOT_A_FLOAT)?,
            None => Real::Finite(Extended::ZERO),
        };
        let text = sum(old, Extended::parse(&a[1]).ok_or(NOT_A_FLOAT)?)?.text();
        self.replace(&a[0], text.clone().into_bytes());
        Ok(Reply::bulk(text))
    }

    pub(super) fn hash_add_float(&mut self, a: &[Bytes]) -> Answer {
        let delta = Extended::parse(&a[2]).ok_or(NOT_A_FLOAT)?;
        if matches!(delta, Real::Infinite(_)) {
            return Err(error("ERR value is NaN or Infinity"));
        }
        let old = match self.field(&a[0], &a[1])? {
            Some(text) => Extended::parse(&text).ok_or(error("ERR hash value is not a float"))?,
            None => Real::Finite(Extended::ZERO),
        };
        let text = sum(old, delta)?.text();
        self.set_field(&a[0], &a[1], text.clone())?;
        Ok(Reply::bulk(text))
    }
}

/// Seconds with a fraction as milliseconds, rounded up; `None` when it is no number, and `i64::MIN` for what is beyond
/// the machine's integers, as its processor has it.
pub(in super::super) fn millis(text: &[u8]) -> Option<i64> {
    // Nearly always it is whole: then nothing is rounded.
    if text.len() <= 9 && text.iter().all(u8::is_ascii_digit) {
        return std::str::from_utf8(text).ok()?.parse::<i64>().ok().map(|seconds| seconds * 1000);
    }
    Some(match Extended::parse(text)? {
        Real::Finite(seconds) => seconds.thousandfold().unwrap_or(i64::MIN),
        Real::Infinite(_) => i64::MIN,
    })
}

/// A score as it is read: a whole text as `strtod` takes it. What is too great or too small for a number is none.
pub(super) fn score(text: &[u8]) -> Option<f64> {
    let value = double(text)?;
    let is_zero = |digit: &u8| !(b'1'..=b'9').contains(digit);
    let mantissa = text.split(|byte| matches!(byte, b'e' | b'E')).next().unwrap_or_default();
    let underflow = value == 0.0 && !text.contains(&b'x') && !mantissa.iter().all(is_zero);
    let is_word = text.iter().any(|byte| matches!(byte, b'n' | b'N'));
    (!value.is_nan() && !underflow && (value.is_finite() || is_word)).then_some(value)
}

/// An end of a range of scores, read with less care: nothing is 0, and blanks may stand before it.
pub(super) fn bound(text: &[u8]) -> Option<f64> {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    double(text.trim_ascii_start()).filter(|bound| !bound.is_nan())
}

/// What `strtod` makes of a text: beyond its range infinity or zero.
fn double(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.starts_with(['-', '+']) {
        return None;
    }
    if rest.len() > 2 && rest[..2].eq_ignore_ascii_case("0x") {
        return hexadecimal(&rest[2..]).map(|value| sign * value);
    }
    rest.parse::<f64>().ok().map(|value| sign * value)
}

/// `1.8p3`: 1.5 × 2³. So few digits are exact.
fn hexadecimal(text: &str) -> Option<f64> {
    let (digits, power) = text.split_once(['p', 'P']).unwrap_or((text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mantissa = u64::from_str_radix(&format!("{whole}{fraction}"), 16).ok()?;
    let power: i32 = power.parse().ok()?;
    Some(libm::ldexp(mantissa as f64, power.saturating_sub(4 * fraction.len() as i32)))
}

/// A double as `%.17g` writes it: as few digits as 17 significant ones need.
pub(in super::super) fn double_text(value: f64) -> String {
    if value.is_infinite() {
        return (if value > 0.0 { "inf" } else { "-inf" }).to_owned();
    }
    if value.is_nan() {
        return (if value.is_sign_negative() { "-nan" } else { "nan" }).to_owned();
    }
    let scientific = format!("{value:.16e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let shortened = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if (-4..17).contains(&exponent) {
        return shortened(&format!("{value:.*}", (16 - exponent) as usize));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", shortened(mantissa), exponent.abs())
}

pub(super) fn score_reply(score: f64) -> Reply {
    Reply::bulk(double_text(score))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(a: &str, b: &str) -> String {
        let read = |text: &str| Extended::parse(text.as_bytes()).expect("a number");
        sum(read(a), read(b)).map_or_else(|error| error.into_owned(), Extended::text)
    }

    #[test]
    fn sums_are_those_of_eighty_bits() {
        for (a, b, text) in [
            ("10.5", "0.1", "10.6"),
            ("-2", "0.5", "-1.5"),
            ("0.1", "0.2", "0.3"),
            ("3.", ".25", "3.25"),
            ("0", "1000.1", "1000.09999999999999998"),
            ("0", "0x1p3", "8"),
            ("1e20", "0", "100000000000000000000"),
            ("0", "1e-18", "0"),
            ("-1", "1", "0"),
            ("inf", "1", "ERR increment would produce NaN or Infinity"),
        ] {
            assert_eq!(added(a, b), text, "{a} + {b}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", ".", "abc", "1e", "1 ", "nan", "1e5000", "1e-5000", "--1", " 1", "0x"] {
            assert_eq!(Extended::parse(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn doubles_have_seventeen_digits() {
        for (value, text) in [
            (0.1, "0.10000000000000001"),
            (3.0, "3"),
            (1e17, "1e+17"),
            (1e-5, "1.0000000000000001e-05"),
            (-2.5, "-2.5"),
            (9007199254740993.0, "9007199254740992"),
            (-0.0, "-0"),
        ] {
            assert_eq!(double_text(value), text);
        }
    }
}
