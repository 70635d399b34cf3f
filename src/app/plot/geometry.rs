//! Scales, ticks and numbers: where a value stands in a picture, and which values are worth a label.

use crate::substrate::decimal::{plain, within};
use crate::substrate::text::push_number;

/// Maps values to pixels, linearly and back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The values at both ends.
    pub values: (f64, f64),
    /// Their pixels.
    pub pixels: (f64, f64),
}

impl Scale {
    /// Where `value` stands.
    pub fn px(&self, value: f64) -> f64 {
        let ((v0, v1), (p0, p1)) = (self.values, self.pixels);
        p0 + (value - v0) / (v1 - v0) * (p1 - p0)
    }

    /// What stands at `px`.
    #[cfg(test)]
    pub fn value(&self, px: f64) -> f64 {
        let ((v0, v1), (p0, p1)) = (self.values, self.pixels);
        v0 + (px - p0) / (p1 - p0) * (v1 - v0)
    }

    /// Where `value` stands, or the nearer end for one outside.
    pub fn px_within(&self, value: f64) -> f64 {
        let (v0, v1) = self.values;
        self.px(within(value, v0.min(v1), v0.max(v1)))
    }
}

/// The least of 1, 2, 5 × a power of ten that divides `span` into at most `most` steps.
pub fn nice_step(span: f64, most: f64) -> f64 {
    let least = span / most;
    let decade = libm::pow(10.0, libm::floor(libm::log10(least)));
    let found = [1.0, 2.0, 5.0].into_iter().map(|m| m * decade).find(|step| *step >= least * (1.0 - 1e-9));
    found.unwrap_or(10.0 * decade)
}

/// The steps that a clock is read in, in seconds.
const TIME_STEPS_S: [f64; 17] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14_400.0,
    21_600.0, 43_200.0,
];

/// The ticks of a time axis in seconds, at most `most` steps, as seconds and labels; the last label has the unit.
pub fn time_ticks((from_s, to_s): (f64, f64), most: f64) -> Vec<(f64, String)> {
    let extent_s = to_s - from_s;
    let fits = |step: &f64| extent_s / step <= most + 1e-9;
    let step = match TIME_STEPS_S.into_iter().find(fits) {
        Some(step) if extent_s >= 2.0 => step,
        _ => nice_step(extent_s, most),
    };
    let (unit_s, unit) = match to_s {
        s if s <= 120.0 => (1.0, "s"),
        s if s <= 7200.0 => (60.0, "min"),
        _ => (3600.0, "h"),
    };
    let (first, last) = (libm::ceil(from_s / step - 1e-9) as u32, libm::floor(to_s / step + 1e-9) as u32);
    let tick = |i: u32| {
        let s = f64::from(i) * step;
        let mut label = shortest(s / unit_s);
        if i == last {
            label.push(' ');
            label.push_str(unit);
        }
        (s, label)
    };
    (first..=last).map(tick).collect()
}

/// Moves places apart until each is at least `gap` from the next, within `low` … `high`; their order stays.
pub fn spread(places: &mut [f64], gap: f64, low: f64, high: f64) {
    let mut order: Vec<usize> = (0..places.len()).collect();
    sort_few(&mut order, |&i| places[i]);
    let mut least = low;
    for &i in &order {
        places[i] = places[i].max(least);
        least = places[i] + gap;
    }
    let mut most = high;
    for &i in order.iter().rev() {
        places[i] = places[i].min(most);
        most = places[i] - gap;
    }
}

/// Sorts a few by a number, those with the same in the order in which they were: by insertion, which for a handful is as
/// fast as the library's sort and weighs a fiftieth of it.
pub fn sort_few<T>(items: &mut [T], number: impl Fn(&T) -> f64) {
    for end in 1..items.len() {
        let mut place = end;
        while place > 0 && number(&items[place - 1]) > number(&items[place]) {
            items.swap(place - 1, place);
            place -= 1;
        }
    }
}

/// A number with at most three decimals and no more than it needs.
pub fn shortest(value: f64) -> String {
    let thousandths = libm::round(value * 1000.0) / 1000.0;
    plain(thousandths)
}

/// Writes a coordinate with one decimal, as short as it goes. Integers throughout: a chart has hundreds of them.
pub fn write_px(out: &mut String, value: f64) {
    let tenths = libm::round(value * 10.0) as i64;
    let (whole, tenth) = (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10);
    if tenths < 0 {
        out.push('-');
    }
    push_number(out, whole);
    if tenth > 0 {
        out.push('.');
        out.push(char::from(b'0' + tenth as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_is_its_value() {
        let scale = Scale { values: (0.0, 30.0), pixels: (30.0, 246.0) };
        for value in [0.0, 0.2, 7.5, 29.99, 30.0] {
            assert!((scale.value(scale.px(value)) - value).abs() < 1e-9);
        }
        let down = Scale { values: (-5.0, 5.0), pixels: (92.0, 8.0) };
        assert!((down.value(down.px(-1.25)) + 1.25).abs() < 1e-9);
        assert_eq!((down.px_within(9.0), down.px_within(-9.0)), (8.0, 92.0));
    }

    #[test]
    fn steps_are_nice() {
        for (span, most, step) in
            [(1.8, 3.0, 1.0), (12.0, 3.0, 5.0), (6.0, 3.0, 2.0), (0.3, 3.0, 0.1), (1000.0, 4.0, 500.0)]
        {
            assert!((nice_step(span, most) - step).abs() < 1e-9, "{span}");
        }
    }

    #[test]
    fn time_ticks_fit_their_axis() {
        let labels = |extent: f64| {
            let labels: Vec<String> =
                time_ticks((0.0, extent), 4.0).into_iter().map(|(_, label)| label).collect();
            labels.join(" ")
        };
        assert_eq!(labels(30.0), "0 10 20 30 s");
        assert_eq!(labels(120.0), "0 30 60 90 120 s");
        assert_eq!(labels(300.0), "0 2 4 min");
        assert_eq!(labels(3600.0), "0 20 40 60 min");
        assert_eq!(labels(86_400.0), "0 6 12 18 24 h");
        assert_eq!(labels(1.0), "0 0.5 1 s");
        for extent in [30.0, 45.0, 60.0, 75.0, 90.0, 120.0, 300.0, 720.0, 1800.0, 3600.0, 43_200.0] {
            assert!(time_ticks((0.0, extent), 4.0).len() <= 5);
        }
        let late: Vec<String> = time_ticks((610.0, 720.0), 4.0).into_iter().map(|(_, label)| label).collect();
        assert_eq!(late, ["10.5", "11", "11.5", "12 min"]);
    }

    #[test]
    fn labels_move_apart() {
        let mut places = [50.0, 48.0, 91.0];
        spread(&mut places, 12.0, 14.0, 92.0);
        assert_eq!(places, [60.0, 48.0, 91.0]);
        let mut low = [92.0, 92.0];
        spread(&mut low, 12.0, 14.0, 92.0);
        assert_eq!(low, [80.0, 92.0]);
    }

    #[test]
    fn coordinates_are_short() {
        let text = |value| {
            let mut out = String::new();
            write_px(&mut out, value);
            out
        };
        assert_eq!([0.0, -0.04, 12.34, 12.0, -3.25, 1e6].map(text).join(" "), "0 0 12.3 12 -3.3 1000000");
    }
}
