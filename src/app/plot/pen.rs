//! What draws on one chart: the time axis, the faults, lines, dots, bars, steps and names.

use super::geometry::{Scale, sort_few, spread, time_ticks, write_px};
use super::levels::Levels;
use super::time::Time;
use super::{Anchor, Chart, Item};
use crate::app::canvas::Font;
use crate::app::canvas::scale::text_width;
use crate::lab::fault::FaultKind;
use crate::substrate::decimal::plain;

/// How high a chart is, in pixels.
pub const HEIGHT: f64 = 112.0;
/// Where the plot begins; labels stand left of it.
const LEFT: f64 = 38.0;
/// What stays free on the right.
const MARGIN: f64 = 8.0;
/// The highest value.
pub const TOP: f64 = 10.0;
/// The time axis.
pub const BASE: f64 = 94.0;
/// The baseline of the time labels.
const TIME_LABELS: f64 = 107.0;
/// The size of labels, which the style sheet sets in the condensed face.
const LABEL_PX: f64 = 12.0;
/// The room that a time label needs.
const TIME_LABEL_WIDTH: f64 = 42.0;
/// The room that a series' name needs.
const NAME_WIDTH: f64 = 50.0;
/// Lines of text are at least so far apart.
pub const LINE: f64 = 12.0;
/// More points than this are drawn finer.
pub const MANY: usize = 40;
/// The widest bar.
const BAR_MAX: f64 = 16.0;
/// A fine dot is nearly twice as wide and high: of two that begin in one such place one is not seen.
const DOT: f64 = 2.0;
/// The most steps of a step series.
const STEPS_MAX: f64 = 400.0;

/// A vertical axis from zero that goes as far as the values, and as far as the label that it has.
pub fn axis(most: f64, label: f64) -> Scale {
    Scale { values: (0.0, most.max(label)), pixels: (BASE, TOP) }
}

/// Draws on one chart.
pub struct Pen {
    items: Vec<Item>,
    width: f64,
    /// Seconds to pixels.
    pub x: Scale,
    now: f64,
}

impl Pen {
    /// A pen for a chart of that width, in pixels.
    pub fn new(time: &Time, width: f64) -> Self {
        let (from_ms, to_ms) = time.axis_ms;
        // A chart is never too narrow to have an inside.
        let right = (width - MARGIN).max(LEFT + 1.0);
        let x = Scale { values: (from_ms / 1000.0, to_ms / 1000.0), pixels: (LEFT, right) };
        Pen { items: Vec::new(), width, now: x.px_within(time.now_ms / 1000.0), x }
    }

    /// Whether a time in seconds is not before the axis.
    fn is_on(&self, at_s: f64) -> bool {
        at_s >= self.x.values.0
    }

    /// A path that looks as its class says; nothing for an empty one.
    pub fn path(&mut self, class: &'static str, d: String) {
        if !d.is_empty() {
            self.items.push(Item::Path { class, d });
        }
    }

    /// A straight line.
    pub fn line(&mut self, class: &'static str, x1: f64, y1: f64, x2: f64, y2: f64) {
        let mut d = String::new();
        point(&mut d, 'M', x1, y1);
        point(&mut d, 'L', x2, y2);
        self.path(class, d);
    }

    /// A label.
    pub fn text(&mut self, x: f64, y: f64, anchor: Anchor, text: &str) {
        self.items.push(Item::Text { class: "label", x, y, anchor, text: text.to_owned() });
    }

    /// Words in the middle, where there is nothing else.
    pub fn note(&mut self, text: &str) {
        let (left, right) = self.x.pixels;
        let (x, y, text) = ((left + right) / 2.0, 56.0, text.to_owned());
        self.items.push(Item::Text { class: "note", x, y, anchor: Anchor::Middle, text });
    }

    /// A value of the vertical axis; without its unit where there is no room for that.
    pub fn tick(&mut self, y: &Scale, value: f64, label: &str) {
        debug_assert!(y.px(value) == y.px_within(value), "the axis goes as far as its labels");
        let fits = |label: &&str| text_width(label, Font::Condensed, LABEL_PX, 400) <= LEFT - 6.0;
        let bare = label.split(' ').next().unwrap_or(label);
        if let Some(label) = [label, bare].into_iter().find(fits) {
            self.text(LEFT - 5.0, y.px(value) + 4.0, Anchor::End, label);
        }
    }

    /// Shades the times of the faults up to now, each kind once where faults of a kind overlap.
    pub fn shade(&mut self, time: &Time) {
        for (class, of_class) in [
            (
                "band-down",
                (|kind| matches!(kind, FaultKind::Crash | FaultKind::Stop)) as fn(FaultKind) -> bool,
            ),
            ("band-lying", |kind| kind == FaultKind::Lie),
            ("band-other", |kind| !matches!(kind, FaultKind::Crash | FaultKind::Stop | FaultKind::Lie)),
        ] {
            let mut spans: Vec<(f64, f64)> = time
                .bands
                .iter()
                .filter(|band| of_class(band.kind))
                .map(|band| (band.from_ms, band.to_ms.unwrap_or(f64::MAX).min(time.now_ms)))
                .filter(|(from, to)| from < to)
                .collect();
            sort_few(&mut spans, |span| span.0);
            let mut d = String::new();
            let mut shaded = time.axis_ms.0;
            for (from, to) in spans {
                let from = from.max(shaded);
                if from < to {
                    let (left, right) = (self.x.px(from / 1000.0), self.x.px(to / 1000.0));
                    rect(&mut d, left, TOP - 4.0, right - left, BASE - TOP + 4.0);
                    shaded = to;
                }
            }
            self.path(class, d);
        }
    }

    /// The course of a future that was left.
    pub fn left(&mut self, points: &[(f64, f64)], y: &Scale) {
        let points: Vec<(f64, Option<f64>)> =
            points.iter().map(|&(at_s, value)| (at_s, Some(value))).collect();
        if !points.is_empty() {
            self.series("left", &points, y);
        }
    }

    /// A line through values over seconds, with gaps where there is none.
    pub fn series(&mut self, class: &'static str, points: &[(f64, Option<f64>)], y: &Scale) {
        let mut d = String::new();
        let value = |i: usize| points.get(i).filter(|point| self.is_on(point.0)).and_then(|point| point.1);
        for (i, &(at_s, own)) in points.iter().enumerate() {
            let Some(own) = own.filter(|_| self.is_on(at_s)) else {
                continue;
            };
            let (px, py) = (self.x.px(at_s), y.px_within(own));
            match (i.checked_sub(1).and_then(value), value(i + 1)) {
                (Some(_), _) => point(&mut d, 'L', px, py),
                (None, Some(_)) => point(&mut d, 'M', px, py),
                // Alone between two gaps: a dash.
                (None, None) => {
                    point(&mut d, 'M', px - 1.5, py);
                    d.push_str("h3");
                }
            }
        }
        self.path(class, d);
    }

    /// A dot for each value over seconds.
    pub fn dots(&mut self, class: &'static str, points: impl Iterator<Item = (f64, f64)>, y: &Scale) {
        let mut d = String::new();
        for (at_s, value) in points.filter(|point| self.is_on(point.0)) {
            point(&mut d, 'M', self.x.px(at_s), y.px_within(value));
            d.push_str("h0");
        }
        self.path(class, d);
    }

    /// The same for any number of values: of those that lie on one another the first.
    pub fn cloud(&mut self, class: &'static str, points: impl Iterator<Item = (f64, f64)>, y: &Scale) {
        let x = self.x;
        let across = (self.width / DOT) as usize + 1;
        let mut free = vec![true; across * ((HEIGHT / DOT) as usize + 1)];
        let first = |point: &(f64, f64)| {
            let place =
                (y.px_within(point.1) / DOT) as usize * across + (x.px_within(point.0) / DOT) as usize;
            free.get_mut(place).is_some_and(std::mem::take)
        };
        self.dots(class, points.filter(|point| point.0 >= x.values.0).filter(first), y);
    }

    /// A bar at each of some seconds, its parts stacked from the axis upwards, each with its class.
    pub fn stacks<const N: usize>(
        &mut self,
        classes: [&'static str; N],
        columns: &[(f64, [f64; N])],
        y: &Scale,
    ) {
        let mut paths = [const { String::new() }; N];
        let mut width = BAR_MAX;
        for (i, (at_s, parts)) in columns.iter().enumerate() {
            if !self.is_on(*at_s) {
                continue;
            }
            let left = self.x.px(*at_s);
            if let Some((next, _)) = columns.get(i + 1) {
                width = (self.x.px(*next) - left).min(BAR_MAX);
            }
            let gap = if width > 5.0 { 1.6 } else { 0.0 };
            // The newest grows with time.
            let shown = (width - gap).min(self.now - left).max(1.0);
            let mut sum = 0.0;
            for (d, count) in paths.iter_mut().zip(parts) {
                if *count > 0.0 {
                    let (bottom, top) = (y.px(sum), y.px(sum + count));
                    rect(d, left, top, shown, (bottom - top - 0.8).max(0.4));
                }
                sum += count;
            }
        }
        for (class, d) in classes.into_iter().zip(paths) {
            self.path(class, d);
        }
    }

    /// A level, as its peak in each column of pixels, up to now.
    pub fn steps(&mut self, levels: &Levels, now_ms: f64, y: &Scale) {
        let (left, right) = self.x.pixels;
        let steps = libm::floor(right - left).clamp(1.0, STEPS_MAX);
        let (begin_ms, end_ms) = (self.x.values.0 * 1000.0, self.x.values.1 * 1000.0);
        let mut d = String::new();
        let mut level = None;
        for step in 0..steps as u32 {
            let part = |step: u32| begin_ms + (end_ms - begin_ms) * f64::from(step) / steps;
            let (from, to) = (part(step), part(step + 1));
            if from > now_ms {
                break;
            }
            let peak = levels.peak(from, to);
            if level != Some(peak) {
                let (px, py) = (self.x.px(from / 1000.0), y.px(peak.into()));
                if level.is_none() {
                    point(&mut d, 'M', px, py);
                } else {
                    d.push('H');
                    write_px(&mut d, px);
                    d.push('V');
                    write_px(&mut d, py);
                }
                level = Some(peak);
            }
        }
        d.push('H');
        write_px(&mut d, self.now);
        let mut area = d.clone();
        for (command, place) in [('V', BASE), ('H', left)] {
            area.push(command);
            write_px(&mut area, place);
        }
        area.push('z');
        self.path("flight-area", area);
        self.path("flight", d);
    }

    /// Names series beside their last values, right of now, or left of it where there is no room.
    pub fn names(&mut self, y: &Scale, series: &[(&str, Option<f64>)], low: f64) {
        let known = || series.iter().filter_map(|(name, value)| Some((name, (*value)?)));
        let mut places: Vec<f64> = known().map(|(_, value)| y.px_within(value) + 4.0).collect();
        spread(&mut places, LINE, low, BASE - 2.0);
        let (x, anchor) = match self.now + NAME_WIDTH > self.x.pixels.1 {
            true => (self.now - 5.0, Anchor::End),
            false => (self.now + 5.0, Anchor::Start),
        };
        let names: Vec<&str> = known().map(|(name, _)| *name).collect();
        for (name, place) in names.into_iter().zip(places) {
            self.text(x, place, anchor, name);
        }
    }

    /// Adds what every chart has: the time axis and the line of now, under the labels.
    pub fn chart(
        mut self,
        key: &'static str,
        title: &'static str,
        value_label: String,
        description: String,
    ) -> Chart {
        let (left, right) = self.x.pixels;
        let labels: Vec<Item> = self.items.extract_if(.., |item| matches!(item, Item::Text { .. })).collect();
        self.line("axis", left, BASE, right, BASE);
        self.line("now", self.now, TOP - 6.0, self.now, BASE + 2.0);
        self.items.extend(labels);
        let most = ((right - left) / TIME_LABEL_WIDTH).clamp(1.0, 6.0);
        for (at, label) in time_ticks(self.x.values, most) {
            let x = self.x.px(at);
            // A label at the very end would stand half outside.
            let (x, anchor) = if right - x < 16.0 { (right, Anchor::End) } else { (x, Anchor::Middle) };
            self.text(x, TIME_LABELS, anchor, &label);
        }
        let Pen { items, width, .. } = self;
        Chart { key, title, value_label, description, width, height: HEIGHT, items }
    }
}

/// The moment at a place of a chart that is so wide, with this time axis; `None` beside the plot.
pub fn ms_at(width: f64, x: f64, (from_ms, to_ms): (f64, f64)) -> Option<f64> {
    let share = (x - LEFT) / (width - MARGIN - LEFT);
    (0.0..=1.0).contains(&share).then_some(from_ms + share * (to_ms - from_ms))
}

/// The inside of a chart that is so wide, as an SVG view box.
pub(super) fn inside(width: f64) -> String {
    [LEFT, TOP - 6.0, (width - MARGIN - LEFT).max(1.0), BASE - TOP + 7.0].map(plain).join(" ")
}

/// Adds a point to a path: `M` begins there, `L` leads there.
pub fn point(d: &mut String, command: char, x: f64, y: f64) {
    d.push(command);
    write_px(d, x);
    d.push(' ');
    write_px(d, y);
}

/// Adds a rectangle to a path.
pub fn rect(d: &mut String, x: f64, y: f64, width: f64, height: f64) {
    point(d, 'M', x, y);
    d.push('h');
    write_px(d, width);
    d.push('v');
    write_px(d, height);
    d.push('h');
    write_px(d, -width);
    d.push('z');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Rng;

    /// Where the dots of a chart with those points are.
    fn drawn(points: &[(f64, f64)], width: f64) -> Vec<(f64, f64)> {
        let mut pen =
            Pen::new(&Time { now_ms: 90_000.0, axis_ms: (60_000.0, 90_000.0), bands: vec![] }, width);
        let y = Scale { values: (0.0, 100.0), pixels: (BASE, TOP) };
        pen.cloud("dots", points.iter().copied(), &y);
        let Some(Item::Path { d, .. }) = pen.items.first() else { return Vec::new() };
        let dots = d.split_terminator("h0").map(|dot| dot[1..].split_once(' ').unwrap());
        dots.map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap())).collect()
    }

    #[test]
    fn a_cloud_has_no_more_dots_than_there_is_room_for_and_looks_like_all_of_them() {
        let mut rng = Rng::new(5);
        let points: Vec<(f64, f64)> =
            (0..100_000).map(|_| (rng.uniform(50.0, 90.0), rng.uniform(0.0, 100.0))).collect();
        for width in [180.0, 254.0, 700.0] {
            let dots = drawn(&points, width);
            let places = (width - LEFT - MARGIN) * (BASE - TOP) / (DOT * DOT);
            assert!((dots.len() as f64) < places * 1.1, "{} dots on {places} places", dots.len());
            let mut near = std::collections::HashSet::new();
            for &(x, y) in &dots {
                assert!(x >= LEFT, "{x} lies before the axis");
                near.extend((0..9).map(|i| ((x / DOT) as i32 + i % 3 - 1, (y / DOT) as i32 + i / 3 - 1)));
            }
            let (x, y) = (
                Scale { values: (60.0, 90.0), pixels: (LEFT, width - MARGIN) },
                Scale { values: (0.0, 100.0), pixels: (BASE, TOP) },
            );
            for (at_s, value) in points.iter().filter(|point| point.0 >= 60.0) {
                let place = ((x.px(*at_s) / DOT) as i32, (y.px(*value) / DOT) as i32);
                assert!(near.contains(&place), "nothing is drawn near {at_s} s, {value}");
            }
        }
    }

    #[test]
    fn each_dot_that_stands_alone_is_where_it_was() {
        let points: Vec<(f64, f64)> =
            (0..30).map(|i| (60.5 + f64::from(i), f64::from(i * 37 % 100))).collect();
        let dots = drawn(&points, 254.0);
        assert_eq!(dots.len(), 30);
        let x = Scale { values: (60.0, 90.0), pixels: (LEFT, 254.0 - MARGIN) };
        let off = |(dot, point): (&(f64, f64), &(f64, f64))| (dot.0 - x.px(point.0)).abs();
        assert!(dots.iter().zip(&points).map(off).all(|off| off <= 0.051));
        assert_eq!(drawn(&[(61.0, 5.0); 1_000], 254.0).len(), 1);
    }

    #[test]
    fn a_place_says_the_moment_that_is_drawn_there() {
        for (x, y) in
            drawn(&[(60.0, 1.0), (71.5, 1.0), (90.0, 1.0)], 254.0).into_iter().zip([60.0, 71.5, 90.0])
        {
            let ms = ms_at(254.0, x.0, (60_000.0, 90_000.0)).unwrap();
            assert!((ms / 1000.0 - y).abs() < 0.02, "{ms} ms for {y} s");
        }
        assert_eq!(ms_at(254.0, LEFT - 1.0, (0.0, 1.0)), None);
        assert_eq!(ms_at(254.0, 254.0, (0.0, 1.0)), None);
    }
}
