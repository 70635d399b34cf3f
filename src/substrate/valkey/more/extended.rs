//! The server's floating-point counters: numbers of 64 binary digits, as `long double` is on x86. They are read, added,
//! and written as the server's C library does it: to the nearest, ties to even, 17 places without trailing zeros.

use std::cmp::Ordering;

/// A finite number: `mantissa` × 2^`power`. The highest digit of a mantissa that is not zero is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extended {
    negative: bool,
    mantissa: u64,
    power: i32,
}

/// What a text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Real {
    Finite(Extended),
    /// True for the negative one.
    Infinite(bool),
}

/// The digits of a `long double`, and of a `double`.
const BITS: u32 = 64;
/// Beyond these powers of the lowest digit there is nothing, or infinity.
const POWER_MAX: i32 = 16_383 - 63;
const POWER_MIN: i32 = -16_445;
const PLACES: usize = 17;

impl Extended {
    pub(super) const ZERO: Extended = Extended { negative: false, mantissa: 0, power: 0 };

    /// Reads what `strtold` reads, and the whole of it: decimals, hexadecimals, infinity. `None` for anything else, for
    /// what is not a number, and for what is too great or too small.
    pub(super) fn parse(text: &[u8]) -> Option<Real> {
        let (negative, rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if ["inf", "infinity"].iter().any(|word| rest.eq_ignore_ascii_case(word.as_bytes())) {
            return Some(Real::Infinite(negative));
        }
        let (digits, base, mark) = match rest {
            [b'0', b'x' | b'X', rest @ ..] => (rest, 16, b'p'),
            rest => (rest, 10, b'e'),
        };
        let (number, places, exponent) = read_digits(digits, base, mark)?;
        if number.is_zero() {
            return Some(Real::Finite(Extended { negative, ..Extended::ZERO }));
        }
        // What has no place in the range at all is not computed.
        let exponent = exponent.clamp(-40_000, 40_000);
        let found = if base == 16 {
            round(negative, number, Big::from(1), exponent - 4 * places)
        } else {
            let tens = exponent - places;
            let (mut above, mut below) = (number, Big::from(1));
            (if tens < 0 { &mut below } else { &mut above }).times_power_of_ten(tens.unsigned_abs());
            round(negative, above, below, 0)
        };
        found.filter(|found| found.mantissa > 0).map(Real::Finite)
    }

    /// The sum; `None` when it is infinite.
    pub(super) fn plus(self, other: Extended) -> Option<Extended> {
        let (high, low) = if other.mantissa == 0 || (self.mantissa > 0 && self.power >= other.power) {
            (self, other)
        } else {
            (other, self)
        };
        if low.mantissa == 0 {
            let negative = high.negative && (high.mantissa > 0 || low.negative);
            return Some(Extended { negative, ..high });
        }
        // Far beyond the last digit it matters only that there is something.
        let apart = high.power.abs_diff(low.power).min(140);
        let (mut above, mut below) = (Big::from(high.mantissa), Big::from(low.mantissa));
        above.shift_left(140);
        below.shift_left(140 - apart);
        let order = above.compare(&below);
        let (sum, negative) = match (high.negative == low.negative, order) {
            (true, _) => (above.plus(&below), high.negative),
            (false, Ordering::Equal) => return Some(Extended::ZERO),
            (false, Ordering::Greater) => (above.minus(&below), high.negative),
            (false, Ordering::Less) => (below.minus(&above), low.negative),
        };
        round(negative, sum, Big::from(1), high.power - 140)
    }

    /// Without trailing zeros: `10.5`, `-3`, `0`.
    pub(super) fn text(self) -> String {
        let mut units = Big::from(self.mantissa);
        units.times_power_of_ten(PLACES as u32);
        if self.power >= 0 {
            units.shift_left(self.power.unsigned_abs());
        } else {
            units = units.shifted_right_to_nearest(self.power.unsigned_abs());
        }
        let digits = format!("{:0>18}", units.decimal());
        let (whole, fraction) = digits.split_at(digits.len() - PLACES);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        let text = format!("{whole}{point}{fraction}");
        if self.negative && text != "0" { format!("-{text}") } else { text }
    }

    /// Times 1000, rounded up to a whole number; `None` beyond what an `i64` holds.
    pub(super) fn thousandfold(self) -> Option<i64> {
        let mut product = Big::from(self.mantissa);
        product.times_small(1000);
        let product = round(self.negative, product, Big::from(1), self.power)?;
        let whole = match product.power {
            0.. => u128::from(product.mantissa)
                .checked_shl(product.power.unsigned_abs())
                .filter(|_| product.power < 64)?,
            -63.. => {
                let below = product.power.unsigned_abs();
                let whole = product.mantissa >> below;
                let rest = whole << below != product.mantissa;
                u128::from(whole) + u128::from(rest && !product.negative)
            }
            _ => u128::from(product.mantissa > 0 && !product.negative),
        };
        let signed = i128::try_from(whole).ok()?;
        i64::try_from(if product.negative { -signed } else { signed }).ok()
    }
}

/// Digits with a point, and an exponent behind `mark`: their number without the point, how many places are behind it, and
/// the exponent.
fn read_digits(text: &[u8], base: u32, mark: u8) -> Option<(Big, i32, i32)> {
    let (mut number, mut places, mut point, mut seen) = (Big::from(0), 0, false, 0u32);
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        if let Some(digit) = (*byte as char).to_digit(base) {
            number.times_small(base);
            number.add_small(digit);
            places += i32::from(point);
            seen += 1;
        } else if *byte == b'.' && !point {
            point = true;
        } else {
            break;
        }
        rest = after;
    }
    if seen == 0 {
        return None;
    }
    let exponent = match rest {
        [] => 0,
        [byte, digits @ ..] if byte.eq_ignore_ascii_case(&mark) => {
            let unsigned = digits.strip_prefix(b"-").or(digits.strip_prefix(b"+")).unwrap_or(digits);
            if unsigned.is_empty() || !unsigned.iter().all(u8::is_ascii_digit) {
                return None;
            }
            let most =
                unsigned.iter().fold(0i32, |n, d| n.saturating_mul(10).saturating_add(i32::from(d - b'0')));
            if digits.starts_with(b"-") { -most } else { most }
        }
        _ => return None,
    };
    Some((number, places, exponent))
}

/// The number nearest to `above` / `below` × 2^`power`; zero when it is too small, `None` when it is too great.
fn round(negative: bool, mut above: Big, mut below: Big, mut power: i32) -> Option<Extended> {
    if above.is_zero() {
        return Some(Extended { negative, ..Extended::ZERO });
    }
    // The quotient is to have exactly as many digits as a mantissa.
    let excess = above.len() as i32 - below.len() as i32 - BITS as i32;
    let shift = |number: &mut Big, by: i32| number.shift_left(by.unsigned_abs());
    if excess < 0 {
        shift(&mut above, excess)
    } else {
        shift(&mut below, excess)
    }
    power += excess;
    let mut limit = below.clone();
    limit.shift_left(BITS);
    if above.compare(&limit) != Ordering::Less {
        below.shift_left(1);
        power += 1;
    }
    // Numbers that are all but zero have fewer digits.
    let missing = (POWER_MIN - power).clamp(0, BITS as i32 + 1) as u32;
    below.shift_left(missing);
    power += missing as i32;
    let (mut mantissa, rest) = above.divide(&below);
    let mut doubled = rest;
    doubled.shift_left(1);
    let up = match doubled.compare(&below) {
        Ordering::Less => false,
        Ordering::Equal => mantissa & 1 == 1,
        Ordering::Greater => true,
    };
    mantissa += u128::from(up);
    while mantissa > u128::from(u64::MAX) {
        mantissa >>= 1;
        power += 1;
    }
    let mut mantissa = mantissa as u64;
    if mantissa > 0 {
        power -= mantissa.leading_zeros() as i32;
        mantissa <<= mantissa.leading_zeros();
    }
    (power <= POWER_MAX).then_some(Extended {
        negative,
        mantissa,
        power: if mantissa == 0 { 0 } else { power },
    })
}

/// A natural number of any size, lowest part first, without zeros on top.
#[derive(Clone, Debug)]
struct Big(Vec<u32>);

impl From<u64> for Big {
    fn from(n: u64) -> Big {
        let mut big = Big(vec![n as u32, (n >> 32) as u32]);
        big.trim();
        big
    }
}

impl Big {
    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// How many binary digits it has.
    fn len(&self) -> usize {
        self.0.last().map_or(0, |top| self.0.len() * 32 - top.leading_zeros() as usize)
    }

    fn add_small(&mut self, n: u32) {
        let mut carry = u64::from(n);
        for part in &mut self.0 {
            carry += u64::from(*part);
            *part = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    fn times_small(&mut self, n: u32) {
        let mut carry = 0;
        for part in &mut self.0 {
            carry += u64::from(*part) * u64::from(n);
            *part = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    fn times_power_of_ten(&mut self, power: u32) {
        for _ in 0..power / 9 {
            self.times_small(1_000_000_000);
        }
        self.times_small(10u32.pow(power % 9));
    }

    fn shift_left(&mut self, by: u32) {
        let mut carry = 0;
        for part in &mut self.0 {
            let wide = u64::from(*part) << (by % 32) | carry;
            *part = wide as u32;
            carry = wide >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
        if !self.is_zero() {
            self.0.splice(0..0, vec![0; by as usize / 32]);
        }
    }

    fn shifted_right_to_nearest(mut self, by: u32) -> Big {
        let mut half = Big::from(1);
        half.shift_left(by - 1);
        let (below, odd) = (self.low_bits(by), self.bit(by));
        let up = match below.compare(&half) {
            Ordering::Less => false,
            Ordering::Equal => odd,
            Ordering::Greater => true,
        };
        let whole = (by as usize / 32).min(self.0.len());
        self.0.drain(..whole);
        let mut carry = 0u64;
        for part in self.0.iter_mut().rev() {
            let wide = carry << 32 | u64::from(*part);
            *part = (wide >> (by % 32)) as u32;
            carry = wide & ((1 << (by % 32)) - 1);
        }
        self.trim();
        if up {
            self.add_small(1);
        }
        self
    }

    fn bit(&self, at: u32) -> bool {
        self.0.get(at as usize / 32).is_some_and(|part| part >> (at % 32) & 1 == 1)
    }

    fn low_bits(&self, count: u32) -> Big {
        let mut low = Big(self.0.iter().take(count as usize / 32 + 1).copied().collect());
        if let Some(top) = low.0.get_mut(count as usize / 32) {
            *top &= ((1u64 << (count % 32)) - 1) as u32;
        }
        low.trim();
        low
    }

    fn compare(&self, other: &Big) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    fn plus(mut self, other: &Big) -> Big {
        self.0.resize(self.0.len().max(other.0.len()), 0);
        let mut carry = 0;
        for (at, part) in self.0.iter_mut().enumerate() {
            carry += u64::from(*part) + u64::from(other.0.get(at).copied().unwrap_or(0));
            *part = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
        self
    }

    /// The difference from a smaller one.
    fn minus(mut self, other: &Big) -> Big {
        let mut borrow = 0;
        for (at, part) in self.0.iter_mut().enumerate() {
            let taken = i64::from(*part) - i64::from(other.0.get(at).copied().unwrap_or(0)) - borrow;
            borrow = i64::from(taken < 0);
            *part = taken as u32;
        }
        self.trim();
        self
    }

    /// Quotient and rest; the quotient has at most 65 digits.
    fn divide(mut self, by: &Big) -> (u128, Big) {
        let mut quotient = 0u128;
        for place in (0..=BITS).rev() {
            let mut part = by.clone();
            part.shift_left(place);
            if self.compare(&part) != Ordering::Less {
                self = self.minus(&part);
                quotient |= 1 << place;
            }
        }
        (quotient, self)
    }

    fn decimal(mut self) -> String {
        let mut groups = Vec::new();
        while !self.is_zero() {
            let mut rest = 0u64;
            for part in self.0.iter_mut().rev() {
                let wide = rest << 32 | u64::from(*part);
                *part = (wide / 1_000_000_000) as u32;
                rest = wide % 1_000_000_000;
            }
            self.trim();
            groups.push(format!("{rest:09}"));
        }
        groups.reverse();
        let digits = groups.concat();
        let trimmed = digits.trim_start_matches('0');
        if trimmed.is_empty() { "0".to_owned() } else { trimmed.to_owned() }
    }
}
