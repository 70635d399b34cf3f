//! What the pictures of experiments share: values along them, what was measured at each, and how SVG is written as text.

use crate::app::plot::geometry::Scale;
use crate::lab::experiment::Verdict;
use std::fmt::Write;

/// Quantities of which the greatest is so many times the least stand by their logarithms.
const LOG_FROM: f64 = 8.0;

/// A value along a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// How it is called.
    pub label: String,
    /// How much it is; nothing for a word.
    pub quantity: Option<f64>,
}

/// What was measured at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The figure.
    pub value: f64,
    /// Its interval, as far as there is one.
    pub low: Option<f64>,
    /// The same, above.
    pub high: Option<f64>,
    /// What theory says.
    pub theory: Option<f64>,
    /// Whether what is asked holds there.
    pub verdict: Option<Verdict>,
}

/// Where each place stands between two ends: quantities by their size, words side by side.
pub(super) fn across(places: &[Place], from: f64, to: f64) -> Vec<f64> {
    let quantities: Option<Vec<f64>> = places.iter().map(|place| place.quantity).collect();
    let ends = quantities.as_ref().and_then(|all| Some((*all.first()?, *all.last()?)));
    let Some(((first, last), all)) = ends.filter(|(first, last)| first != last).zip(quantities) else {
        let step = (to - from) / places.len().max(1) as f64;
        return (0..places.len()).map(|i| from + (i as f64 + 0.5) * step).collect();
    };
    let (least, most) = (first.min(last), first.max(last));
    let log = least > 0.0 && most / least >= LOG_FROM;
    let at = |x: f64| if log { libm::log(x) } else { x };
    let scale = Scale { values: (at(first), at(last)), pixels: (from, to) };
    all.into_iter().map(|x| scale.px(at(x))).collect()
}

/// The band of the intervals and the line through the figures.
pub(super) fn draw_band(svg: &mut String, known: &[(f64, &Point)], y: Scale, style: usize) {
    if known.len() < 2 {
        return;
    }
    let path = |of: &dyn Fn(&Point) -> f64| -> Vec<String> {
        known.iter().map(|(x, point)| format!("{x:.1} {:.1}", y.px_within(of(point)))).collect()
    };
    let mut band = path(&|point| point.high.unwrap_or(point.value));
    band.extend(path(&|point| point.low.unwrap_or(point.value)).into_iter().rev());
    put(svg, format_args!(r#"<path class="study-band style-{style}" d="M{}Z"/>"#, band.join("L")));
    let line = path(&|point| point.value).join("L");
    put(svg, format_args!(r#"<path class="study-line style-{style}" d="M{line}"/>"#));
}

/// The interval of one figure, as an upright line.
pub(super) fn draw_bar(svg: &mut String, x: f64, point: &Point, y: Scale, style: usize) {
    if let (Some(low), Some(high)) = (point.low, point.high) {
        let (low, high) = (y.px_within(low), y.px_within(high));
        put(svg, format_args!(r#"<path class="study-bar style-{style}" d="M{x:.1} {low:.1}V{high:.1}"/>"#));
    }
}

pub(super) fn put(svg: &mut String, what: std::fmt::Arguments<'_>) {
    // A text takes everything.
    let _ = svg.write_fmt(what);
}

/// Text within markup.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
