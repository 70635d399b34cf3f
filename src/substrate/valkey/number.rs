//! Numbers as the server reads and writes them: strict integers, and decimals.

#[cfg(target_arch = "wasm32")]
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
#[cfg(target_arch = "wasm32")]
pub fn parse_float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if ["inf", "infinity"].iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
        return Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    decimal::read(text)
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
}
