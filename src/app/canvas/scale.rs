//! Scales and their figures: ticks, numbers, times, the width of words.

use super::mark::Font;
use crate::substrate::decimal::fixed;

/// A linear scale from values to pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The least and the greatest value.
    pub values: (f64, f64),
    /// Where they stand.
    pub pixels: (f64, f64),
}

impl Scale {
    /// Where a value stands; one that lies outside stands outside.
    pub fn at(&self, value: f64) -> f64 {
        let ((v0, v1), (x0, x1)) = (self.values, self.pixels);
        x0 + (x1 - x0) * (value - v0) / (v1 - v0)
    }
}

/// The step of some `wanted` ticks over `range`: 1, 2 or 5 times a power of ten.
pub fn nice_step(range: f64, wanted: f64) -> f64 {
    let rough = (range / wanted).max(1e-9);
    let mut power = 1e-9;
    while power * 10.0 <= rough {
        power *= 10.0;
    }
    for times in [1.0, 2.0, 5.0] {
        if rough <= power * times {
            return power * times;
        }
    }
    power * 10.0
}

/// `42,135.50`; a minus is U+2212.
pub fn number(value: f64, digits: usize) -> String {
    let plain = fixed(value.abs(), digits as u32);
    let whole = plain.find('.').unwrap_or(plain.len());
    let mut out = String::with_capacity(plain.len() + 4);
    // What rounds to zero has no sign.
    if value < 0.0 && plain.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        out.push('−');
    }
    for (i, digit) in plain.chars().enumerate() {
        if i > 0 && i < whole && (whole - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count: `1,000`.
pub fn count(value: usize) -> String {
    number(value as f64, 0)
}

/// A value with as many digits as it deserves.
pub fn value(value: f64) -> String {
    number(value, if value.abs() >= 10.0 { 2 } else { 4 })
}

/// `+17.1 %`
pub fn percent(value: f64, digits: usize) -> String {
    let plain = number(value, digits);
    let sign = if value >= 0.0 { "+" } else { "" };
    format!("{sign}{plain} %")
}

/// `1,080 ms`
pub fn millis(ms: f64) -> String {
    number(ms, 0) + " ms"
}

/// `1.5 s`, or `250 ms` below a second.
pub fn duration(ms: f64) -> String {
    if ms < 1000.0 { millis(ms) } else { short(ms / 1000.0) + " s" }
}

/// At most two digits after the point, and no zeros at the end.
pub fn short(value: f64) -> String {
    let mut text = number(value, 2);
    while text.ends_with('0') {
        text.pop();
    }
    if text.ends_with('.') {
        text.pop();
    }
    text
}

/// How wide a text is in IBM Plex, about: measured widths, in classes of letters.
pub fn text_width(text: &str, font: Font, px: f64, weight: u16) -> f64 {
    if font == Font::Mono {
        return text.chars().count() as f64 * 0.6 * px;
    }
    let mut ems = 0.0;
    for letter in text.chars() {
        ems += match letter {
            'i' | 'j' | 'l' | '.' | ',' | ':' | '\'' | '|' | ' ' | 'I' => 0.28,
            'f' | 'r' | 't' | '-' | '(' | ')' => 0.37,
            'm' | 'w' | 'M' | 'W' | '%' => 0.88,
            'A'..='Z' => 0.64,
            _ => 0.57,
        };
    }
    let face = if font == Font::Condensed { 0.86 } else { 1.0 };
    let boldness = if weight >= 600 { 1.04 } else { 1.0 };
    ems * px * face * boldness
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_read_them() {
        assert_eq!(number(42135.5, 2), "42,135.50");
        assert_eq!(number(-1234567.0, 0), "−1,234,567");
        assert_eq!(number(-0.001, 2), "0.00");
        assert_eq!((count(1000), count(999)), ("1,000".to_owned(), "999".to_owned()));
        assert_eq!((percent(17.08, 1), percent(-3.0, 1)), ("+17.1 %".to_owned(), "−3.0 %".to_owned()));
        assert_eq!((millis(1080.4), duration(1500.0)), ("1,080 ms".to_owned(), "1.5 s".to_owned()));
        assert_eq!((duration(250.0), duration(60_000.0)), ("250 ms".to_owned(), "60 s".to_owned()));
        assert_eq!((value(1.0925), value(42135.5)), ("1.0925".to_owned(), "42,135.50".to_owned()));
    }

    #[test]
    fn steps_are_nice() {
        assert!((nice_step(2140.0, 4.5) - 500.0).abs() < 1e-6);
        assert!((nice_step(1.0, 5.0) - 0.2).abs() < 1e-9);
        assert!((nice_step(900.0, 4.5) - 200.0).abs() < 1e-6);
    }

    #[test]
    fn a_scale_is_linear() {
        let scale = Scale { values: (0.0, 2000.0), pixels: (100.0, 300.0) };
        assert_eq!((scale.at(0.0), scale.at(500.0), scale.at(2000.0)), (100.0, 150.0, 300.0));
    }
}
