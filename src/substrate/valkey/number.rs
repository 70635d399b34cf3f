//! Numbers as the server reads and writes them: strict integers, and decimals without binary rounding.

use crate::substrate::decimal;

/// An integer in the one way in which the server itself would write it: no sign `+`, no leading zeros, no spaces.
pub fn parse_int(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        b"0" => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !canonical {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// An unsigned integer, read as strictly.
pub fn parse_count(text: &[u8]) -> Option<u64> {
    parse_int(text).and_then(|n| u64::try_from(n).ok())
}

/// A floating-point number; what is not a number is none.
pub fn parse_float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if ["inf", "infinity"].iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
        return Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    decimal::read(text)
}

/// How many places the server keeps when it writes a floating-point result.
const PLACES: usize = 17;
const ONE: i128 = 100_000_000_000_000_000;

/// A decimal with 17 places. The server adds in extended precision and writes 17 places; adding decimals gives the
/// same digits wherever the operands have no more places than that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decimal(i128);

impl Decimal {
    /// Reads `-1.5`, `.5`, `3.`, `1e3`; digits beyond the 17th place are cut off. None for anything else, and for
    /// 10²⁰ or more.
    pub fn parse(text: &[u8]) -> Option<Decimal> {
        let text = std::str::from_utf8(text).ok()?;
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let negative = mantissa.starts_with('-');
        let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if whole.len() + fraction.len() == 0 || exponent.unsigned_abs() > 1000 {
            return None;
        }
        // The power of ten of the digit that is read, in units of the last place.
        let mut power = whole.len() as i32 + exponent + PLACES as i32 - 1;
        let mut value = 0i128;
        for digit in whole.bytes().chain(fraction.bytes()) {
            let digit = i128::from((digit as char).to_digit(10)?);
            if digit != 0 && power > 37 {
                return None;
            }
            if digit != 0 && power >= 0 {
                value = value.checked_add(digit.checked_mul(10i128.checked_pow(power as u32)?)?)?;
            }
            power -= 1;
        }
        (value < ONE.checked_mul(ONE * 1000)?).then_some(Decimal(if negative { -value } else { value }))
    }

    /// The sum.
    pub fn plus(self, other: Decimal) -> Option<Decimal> {
        self.0.checked_add(other.0).map(Decimal)
    }

    /// Without trailing zeros: `10.5`, `-3`, `0`.
    pub fn text(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let (whole, fraction) = (magnitude / ONE as u128, magnitude % ONE as u128);
        if fraction == 0 {
            return format!("{sign}{whole}");
        }
        let digits = format!("{fraction:017}");
        format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_strictly() {
        for (text, value) in [("0", 0), ("-7", -7), ("9223372036854775807", i64::MAX)] {
            assert_eq!(parse_int(text.as_bytes()), Some(value));
        }
        for text in ["", "-", "+1", "-0", "01", " 1", "1 ", "1.5", "9223372036854775808", "x"] {
            assert_eq!(parse_int(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn decimals_add_without_binary_rounding() {
        let sum = |a: &str, b: &str| {
            Decimal::parse(a.as_bytes()).unwrap().plus(Decimal::parse(b.as_bytes()).unwrap()).unwrap().text()
        };
        assert_eq!(sum("-2", "0.5"), "-1.5");
        assert_eq!(sum("0.1", "0.2"), "0.3");
        assert_eq!(sum("5.0e3", "2.0e2"), "5200");
        assert_eq!(sum("3.", ".25"), "3.25");
        assert_eq!(sum("-1", "1"), "0");
        for text in ["", ".", "abc", "1e", "1 ", "nan", "inf", "1e30", "--1"] {
            assert_eq!(Decimal::parse(text.as_bytes()), None, "{text:?}");
        }
    }
}
