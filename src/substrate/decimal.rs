//! Decimals as people write them.
//!
//! The library's own reading of them brings a table of 10 KB, which does not pack, and JSON's to the nearest number brings 8 KB
//! of program, which the opening program does without; so [`read`] is written out, and needs no table. The library's
//! writing of them is 15 KB of program, so [`plain`] and [`fixed`] write the same from what there is. The opening program
//! has no other writing: one `{}` of an `f64` would bring the library's back.

/// No more digits than this can decide between two numbers; of those behind it counts only whether there are any.
const DIGITS_MAX: usize = 800;
/// A whole number of so many digits is exact, and so is a power of ten up to [`EXACT_POWER`].
const EXACT_DIGITS: usize = 15;
const EXACT_POWER: i64 = 22;
/// With fewer digits before the point than this a number is zero, with more it is infinite.
const SIZES: (i64, i64) = (-330, 310);
/// A number of 53 bits has no more digits.
const WHOLE_DIGITS: i64 = 16;

/// Reads `12`, `-0.5`, `.5`, `3.`, `+1e-9`: the nearest number, infinite where there is none so great. `None` for
/// anything else, words such as `inf` and `nan` among it.
pub fn read(text: &str) -> Option<f64> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
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
    // One that is too great for a word is too great for anything.
    let power = power.parse().unwrap_or(i64::from(u32::MAX));
    let power = if exponent.starts_with('-') { -power } else { power };
    let all = whole.bytes().chain(fraction.bytes()).map(|digit| digit - b'0');
    let mut digits: Vec<u8> = all.skip_while(|&digit| digit == 0).collect();
    // What was skipped stood before the point, or moves it.
    let point = power.saturating_add(digits.len() as i64 - fraction.len() as i64);
    if digits.len() > DIGITS_MAX && digits.drain(DIGITS_MAX..).any(|digit| digit > 0) {
        digits.push(1);
    }
    let zeros = digits.iter().rev().take_while(|&&digit| digit == 0).count();
    digits.truncate(digits.len() - zeros);
    Some(sign * nearest(digits, point))
}

/// The number nearest to one of which there are the digits, and how many of them stand before the point. Of two as near it is
/// the even one.
fn nearest(mut digits: Vec<u8>, mut point: i64) -> f64 {
    if digits.is_empty() || point < SIZES.0 {
        return 0.0;
    }
    if point > SIZES.1 {
        return f64::INFINITY;
    }
    let behind = digits.len() as i64 - point;
    if digits.len() <= EXACT_DIGITS && behind.abs() <= EXACT_POWER {
        let number = digits.iter().fold(0.0, |number, &digit| number * 10.0 + f64::from(digit));
        let times = (0..behind.abs()).fold(1.0, |times, _| times * 10.0);
        return if behind > 0 { number / times } else { number * times };
    }
    // Doubled or halved until what stands before the point has 53 bits, or is as small as can be.
    let mut power = 0;
    loop {
        let digit = |i: i64| digits.get(i as usize).map_or(0, |&digit| u64::from(digit));
        let whole = (0..point.min(WHOLE_DIGITS + 1)).fold(0, |whole, i| whole * 10 + digit(i));
        if whole >= 1 << 53 {
            power += 1;
            halve(&mut digits, &mut point);
        } else if whole < 1 << 52 && power > -1074 {
            power -= 1;
            double(&mut digits, &mut point);
        } else {
            // A point before all digits has zeros behind it.
            let part = if point < 0 { &[][..] } else { digits.get(point as usize..).unwrap_or_default() };
            let is_up = part > &[5][..] || (part == [5] && whole % 2 == 1);
            let unit = if power < -1022 { 1 << (power + 1074) } else { ((power + 1023) as u64) << 52 };
            return (whole + u64::from(is_up)) as f64 * f64::from_bits(unit);
        }
    }
}

/// Half of a number that has digits, the first and the last of which are not zero.
fn halve(digits: &mut Vec<u8>, point: &mut i64) {
    let mut rest = 0;
    for digit in digits.iter_mut() {
        let all = rest * 10 + *digit;
        (*digit, rest) = (all / 2, all % 2);
    }
    if rest == 1 {
        digits.push(5);
    }
    if digits.first() == Some(&0) {
        digits.remove(0);
        *point -= 1;
    }
}

/// Twice such a number.
fn double(digits: &mut Vec<u8>, point: &mut i64) {
    let mut carry = 0;
    for digit in digits.iter_mut().rev() {
        let all = *digit * 2 + carry;
        (*digit, carry) = (all % 10, all / 10);
    }
    if carry == 1 {
        digits.insert(0, 1);
        *point += 1;
    }
    if digits.last() == Some(&0) {
        digits.pop();
    }
}

/// A number as `{}` writes it: the shortest text that reads back as it, without an exponent. Of two as short and as near it
/// may be the other one.
pub fn plain(value: f64) -> String {
    let Some(number) = serde_json::Number::from_f64(value) else { return not_finite(value) };
    let json = number.to_string();
    let (mantissa, exponent) = json.split_once('e').unwrap_or((&json, "0"));
    let mantissa = mantissa.strip_suffix(".0").unwrap_or(mantissa);
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if exponent == 0 {
        return mantissa.to_owned();
    }
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |digits| ("-", digits));
    let digits: String = digits.chars().filter(|&digit| digit != '.').collect();
    // One digit stands before the point; there is an exponent only where all of them are on one side of it.
    let zeros = if exponent < 0 { -exponent } else { exponent + 1 - digits.len() as i32 };
    let zeros = "0".repeat(zeros.max(0) as usize);
    match zeros.split_at_checked(1) {
        Some((zero, zeros)) if exponent < 0 => format!("{sign}{zero}.{zeros}{digits}"),
        _ => format!("{sign}{digits}{zeros}"),
    }
}

/// A number as `{:.places$}` writes it: the nearest one with so many places, of two the one that ends evenly. `places` is 15
/// at most; beyond 2⁶⁴ what stands behind the shortest digits is zeros.
pub fn fixed(value: f64, places: u32) -> String {
    if !value.is_finite() {
        return not_finite(value);
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let whole = libm::trunc(value.abs());
    let (whole, part) = match whole as u64 {
        u64::MAX => (plain(whole), 0),
        exact => {
            let (part, more) = behind_point(value.abs() - whole, places, exact % 2 == 1);
            ((exact + more).to_string(), part)
        }
    };
    match places as usize {
        0 => format!("{sign}{whole}"),
        places => format!("{sign}{whole}.{part:0places$}"),
    }
}

/// A number as `{:+.places$}` writes it.
pub fn signed(value: f64, places: u32) -> String {
    let text = fixed(value, places);
    if value.is_sign_negative() || value.is_nan() { text } else { format!("+{text}") }
}

/// A number between two others, or the nearer one of them. `f64::clamp` would write its limits where they are wrong.
pub fn within(value: f64, low: f64, high: f64) -> f64 {
    if value < low {
        low
    } else if value > high {
        high
    } else {
        value
    }
}

/// What lies behind the point, in units of the last place, and 1 if it is as much as a whole. Without places the last one
/// is that before the point, which may be odd.
fn behind_point(part: f64, places: u32, is_odd: bool) -> (u64, u64) {
    let (bits, one) = (part.to_bits(), 10_u64.pow(places));
    // part = mantissa / 2^shift, exactly; one that is too small to have 53 digits is zero here.
    let (mantissa, shift) = ((bits & ((1 << 52) - 1)) | 1 << 52, 1075 - (bits >> 52));
    if shift > 120 {
        return (0, 0);
    }
    let exact = u128::from(mantissa) * u128::from(one);
    let (units, rest, half) = ((exact >> shift) as u64, exact & ((1 << shift) - 1), 1 << (shift - 1));
    let is_odd = if places == 0 { is_odd } else { units % 2 == 1 };
    let rounded = units + u64::from(rest > half || (rest == half && is_odd));
    (rounded % one, rounded / one)
}

fn not_finite(value: f64) -> String {
    let name = if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "inf"
    } else {
        "-inf"
    };
    name.to_owned()
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

    /// Half of a number below one, of which there are all digits behind the point.
    fn half(digits: &str) -> String {
        let mut rest = 0;
        let mut halves: String = digits
            .bytes()
            .map(|digit| {
                let all = rest * 10 + u32::from(digit - b'0');
                rest = all % 2;
                char::from(b'0' + (all / 2) as u8)
            })
            .collect();
        halves.push(if rest == 1 { '5' } else { '0' });
        halves
    }

    #[test]
    fn it_reads_what_lies_in_the_middle_between_two_numbers_or_just_beside_it() {
        let mut rng = Rng::new(13);
        let zeros = "0".repeat(900);
        for i in 0..2_000 {
            let odd = u128::from(rng.next_u64() >> 11 | 1 << 52) * 2 + 1;
            let great = (odd << (i % 60)).to_string();
            for text in
                [format!("{great}.{zeros}"), format!("{great}.{zeros}1"), format!("{great}{zeros}e-900")]
            {
                same(&text);
            }
            let just_less = ((odd << (i % 60)) - 1).to_string();
            same(&format!("{just_less}.{}", zeros.replace('0', "9")));
        }
        for _ in 0..200 {
            let small = f64::from_bits(rng.next_u64() >> (12 + rng.next_u64() % 52) | 1);
            let middle = half(&format!("{small:.1074}")[2..]);
            for text in [format!("0.{middle}"), format!("0.{middle}1"), format!("0.{middle}{zeros}1")] {
                same(&text);
            }
        }
    }

    /// Numbers of all sizes, some of them in the middle between two that are written.
    fn numbers() -> impl Iterator<Item = f64> {
        let mut rng = Rng::new(11);
        let few = [
            0.0, -0.0, 0.5, 1.5, 2.5, 0.25, 0.125, 0.375, 9.995, 99.95, 0.05, 1e15, 1e16, 1e17, 1e21, 1.5e300,
        ];
        let others = [f64::MAX, f64::MIN_POSITIVE, 4.9e-324, 1e-5, 1e-7, 123_456.789e-12, f64::NAN];
        let infinite =
            [f64::INFINITY, f64::NEG_INFINITY, 18_446_744_073_709_551_615.0, 9_007_199_254_740_993.0];
        let known = few.into_iter().chain(others).chain(infinite).flat_map(|number| [number, -number]);
        let random = (0..30_000).flat_map(move |i| {
            let bits = rng.next_u64();
            let size = [1e-9, 1e-3, 1.0, 1e3, 1e6, 1e12, 1e18][i % 7];
            let middle = (bits >> 40) as f64 / 128.0;
            [f64::from_bits(bits), size * (bits as f64 / u64::MAX as f64 - 0.5), middle]
        });
        known.chain(random)
    }

    #[test]
    fn it_writes_what_the_library_writes() {
        for number in numbers() {
            // Few lie in the middle between two that are as short, and each takes another one.
            let (own, library) = (plain(number), format!("{number}"));
            let is_read = own.parse::<f64>().is_ok_and(|read| read == number || number.is_nan());
            assert!(is_read && own.len() == library.len(), "{own}, {library}");
            let rounded = (number.clamp(-1e12, 1e12) * 1e3).round() / 1e3;
            assert_eq!(plain(rounded), format!("{rounded}"));
            if number.abs() < 1.8e19 || !number.is_finite() {
                for places in [0, 1, 2, 3, 4, 9, 15] {
                    assert_eq!(
                        fixed(number, places),
                        format!("{number:.*}", places as usize),
                        "{places} places"
                    );
                }
            }
        }
    }

    #[test]
    fn a_number_that_is_too_great_to_be_counted_ends_in_zeros() {
        assert_eq!(fixed(1.5e22, 0), "15000000000000000000000");
        assert_eq!(fixed(-1e25, 2), "-10000000000000000000000000.00");
    }
}
