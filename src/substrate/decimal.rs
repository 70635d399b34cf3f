//! Decimals as people write them.
//!
//! The library's own reading of them brings a table of 10 KB, which does not pack, into a page that reads JSON's numbers
//! already: so whatever has to be read is put as JSON would have it, and read as that, to the nearest number as well.

/// Reads `12`, `-0.5`, `.5`, `3.`, `+1e-9`: the nearest number, infinite where there is none so great. `None` for
/// anything else, words such as `inf` and `nan` among it.
pub fn read(text: &str) -> Option<f64> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent),
        None => (unsigned, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let power = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let there = whole.len() + fraction.len() > 0 && !power.is_empty();
    if !there || !are_digits(whole) || !are_digits(fraction) || !are_digits(power) {
        return None;
    }
    // JSON has no leading zeros, and wants a digit on either side of the point.
    let whole = whole.trim_start_matches('0');
    let zero = if whole.is_empty() { "0" } else { "" };
    let json = format!("{sign}{zero}{whole}.{fraction}0e{exponent}");
    // It is well formed, so the one thing that it can be is too great.
    Some(serde_json::from_slice(json.as_bytes()).unwrap_or(if sign.is_empty() {
        f64::INFINITY
    } else {
        f64::NEG_INFINITY
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Rng;

    fn same(text: &str) {
        let expected: Option<f64> = text.parse().ok();
        assert_eq!(read(text).map(f64::to_bits), expected.map(f64::to_bits), "{text:?}");
    }

    #[test]
    fn it_reads_what_the_library_reads() {
        for text in [
            "0",
            "-0",
            "+0",
            "00012",
            "12",
            "-0.5",
            ".5",
            "-.5",
            "3.",
            "+1e-9",
            "1E5",
            "1e+5",
            "1e05",
            "00.100e1",
            "0.1",
            "0.30000000000000004",
            "9007199254740993",
            "179769313486231580793e289",
            "1e999",
            "-1e999",
            "1e-999",
            "0e99999999999999999999",
            "1e99999999999999999999",
            "1e-99999999999999999999",
            "4.9e-324",
            "2.4e-324",
            "2.2250738585072011e-308",
            "123456789012345678901234567890",
            "",
            "+",
            "-",
            ".",
            "-.",
            "e5",
            "1e",
            "1e+",
            ".e1",
            "--1",
            "+-1",
            "1.2.3",
            "1,5",
            " 1",
            "1 ",
            "0x10",
            "1e5.5",
            "1_000",
            "٣",
            "1e٣",
            "in",
            "na",
        ] {
            same(text);
        }
        assert_eq!(
            (read("inf"), read("-Infinity"), read("nan")),
            (None, None, None),
            "words are no decimals"
        );
    }

    #[test]
    fn it_reads_any_number_back_as_it_was_written() {
        let mut rng = Rng::new(7);
        for _ in 0..20_000 {
            let number = f64::from_bits(rng.next_u64());
            if number.is_finite() {
                for text in [
                    format!("{number}"),
                    format!("{number:e}"),
                    format!("{number:.3}"),
                    format!("{number:.25e}"),
                ] {
                    same(&text);
                }
            }
        }
    }
}
