//! What draws on one chart: the time axis, the faults, lines, dots, bars, steps and names.

use super::draw::{Column, STACK};
use super::geometry::{Scale, spread, time_ticks, timeline_extent_ms, write_px};
use super::history::History;
use super::{Anchor, Chart, Item};
use crate::lab::fault::FaultKind;

/// How high a chart is, in pixels.
pub const HEIGHT: f64 = 112.0;
/// Where the plot begins; labels stand left of it.
const LEFT: f64 = 30.0;
/// What stays free on the right.
const MARGIN: f64 = 8.0;
/// The highest value.
pub(super) const TOP: f64 = 10.0;
/// The time axis.
pub(super) const BASE: f64 = 94.0;
/// The baseline of the time labels.
const TIME_LABELS: f64 = 107.0;
/// The room that a time label needs.
const TIME_LABEL_WIDTH: f64 = 42.0;
/// The room that a series' name needs.
const NAME_WIDTH: f64 = 50.0;
/// Lines of text are at least so far apart.
pub(super) const LINE: f64 = 12.0;
/// More points than this are drawn finer.
pub(super) const MANY: usize = 40;
/// The widest bar.
const BAR_MAX: f64 = 16.0;
/// The most steps of a step series.
const STEPS_MAX: f64 = 400.0;
/// What a chart without requests says.
pub(super) const NOTHING: &str = "No requests yet";

/// Draws on one chart.
pub(super) struct Pen {
    items: Vec<Item>,
    width: f64,
    /// Seconds to pixels.
    pub(super) x: Scale,
    now: f64,
}

impl Pen {
    pub(super) fn new(history: &History, width: f64) -> Self {
        let extent_s = timeline_extent_ms(history.now_ms, history.horizon_ms) / 1000.0;
        // A chart is never too narrow to have an inside.
        let right = (width - MARGIN).max(LEFT + 1.0);
        let x = Scale { values: (0.0, extent_s), pixels: (LEFT, right) };
        Pen { items: Vec::new(), width, now: x.px_within(history.now_ms / 1000.0), x }
    }

    pub(super) fn path(&mut self, class: &'static str, d: String) {
        if !d.is_empty() {
            self.items.push(Item::Path { class, d });
        }
    }

    pub(super) fn line(&mut self, class: &'static str, x1: f64, y1: f64, x2: f64, y2: f64) {
        let mut d = String::new();
        point(&mut d, 'M', x1, y1);
        point(&mut d, 'L', x2, y2);
        self.path(class, d);
    }

    pub(super) fn text(&mut self, x: f64, y: f64, anchor: Anchor, text: &str) {
        self.items.push(Item::Text { class: "label", x, y, anchor, text: text.to_owned() });
    }

    pub(super) fn note(&mut self, text: &str) {
        let (left, right) = self.x.pixels;
        let (x, y, text) = ((left + right) / 2.0, 56.0, text.to_owned());
        self.items.push(Item::Text { class: "note", x, y, anchor: Anchor::Middle, text });
    }

    pub(super) fn tick(&mut self, y: &Scale, value: f64, label: &str) {
        self.text(LEFT - 5.0, y.px(value) + 4.0, Anchor::End, label);
    }

    /// Whether there is anything to draw; if not, says so.
    pub(super) fn has(&mut self, history: &History) -> bool {
        if history.points.is_empty() {
            self.note(NOTHING);
        }
        !history.points.is_empty()
    }

    /// Shades the times of the faults up to now, each kind once where faults of a kind overlap.
    pub(super) fn bands(&mut self, history: &History) {
        for (class, of_class) in [
            (
                "band-down",
                (|kind| matches!(kind, FaultKind::Crash | FaultKind::Stop)) as fn(FaultKind) -> bool,
            ),
            ("band-lying", |kind| kind == FaultKind::Lie),
            ("band-other", |kind| !matches!(kind, FaultKind::Crash | FaultKind::Stop | FaultKind::Lie)),
        ] {
            let mut spans: Vec<(f64, f64)> = history
                .bands
                .iter()
                .filter(|band| of_class(band.kind))
                .map(|band| (band.from_ms, band.to_ms.unwrap_or(f64::MAX).min(history.now_ms)))
                .filter(|(from, to)| from < to)
                .collect();
            spans.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut d = String::new();
            let mut shaded = 0.0;
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

    pub(super) fn series(
        &mut self,
        class: &'static str,
        columns: &[Column],
        y: &Scale,
        of: fn(&Column) -> Option<f64>,
    ) {
        let mut d = String::new();
        let value = |i: usize| columns.get(i).and_then(of);
        for (i, column) in columns.iter().enumerate() {
            let Some(own) = of(column) else {
                continue;
            };
            let (px, py) = (self.x.px(column.at_s), y.px_within(own));
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

    pub(super) fn dots(&mut self, columns: &[Column], y: &Scale, of: fn(&Column) -> Option<f64>) {
        let mut d = String::new();
        for column in columns {
            if let Some(value) = of(column) {
                point(&mut d, 'M', self.x.px(column.at_s), y.px_within(value));
                d.push_str("h0");
            }
        }
        self.path(if columns.len() > MANY { "dots fine" } else { "dots" }, d);
    }

    pub(super) fn bars(&mut self, columns: &[Column], y: &Scale) {
        let mut paths: [String; 5] = Default::default();
        let mut width = BAR_MAX;
        for (i, column) in columns.iter().enumerate() {
            let left = self.x.px(column.at_s);
            if let Some(next) = columns.get(i + 1) {
                width = (self.x.px(next.at_s) - left).min(BAR_MAX);
            }
            let gap = if width > 5.0 { 1.6 } else { 0.0 };
            // The newest grows with time.
            let shown = (width - gap).min(self.now - left).max(1.0);
            let mut sum = 0.0;
            for (outcome, _) in STACK {
                let count = column.counts[outcome as usize];
                if count > 0.0 {
                    let (bottom, top) = (y.px(sum), y.px(sum + count));
                    rect(&mut paths[outcome as usize], left, top, shown, (bottom - top - 0.8).max(0.4));
                }
                sum += count;
            }
        }
        for ((_, class), d) in STACK.into_iter().zip(paths) {
            self.path(class, d);
        }
    }

    /// The level in flight, as its peak in each column of pixels.
    pub(super) fn steps(&mut self, history: &History, y: &Scale) {
        let (left, right) = self.x.pixels;
        let steps = libm::floor(right - left).clamp(1.0, STEPS_MAX);
        let extent_ms = self.x.values.1 * 1000.0;
        let mut d = String::new();
        let mut level = None;
        for step in 0..steps as u32 {
            let part = |step: u32| extent_ms * f64::from(step) / steps;
            let (from, to) = (part(step), part(step + 1));
            if from > history.now_ms {
                break;
            }
            let peak = history.in_flight.peak(from, to);
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
    pub(super) fn names(&mut self, y: &Scale, series: &[(&str, Option<f64>)], low: f64) {
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
    pub(super) fn chart(
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
        for (at, label) in time_ticks(self.x.values.1, most) {
            let x = self.x.px(at);
            // A label at the very end would stand half outside.
            let (x, anchor) = if right - x < 16.0 { (right, Anchor::End) } else { (x, Anchor::Middle) };
            self.text(x, TIME_LABELS, anchor, &label);
        }
        let Pen { items, width, .. } = self;
        Chart { key, title, value_label, description, width, height: HEIGHT, items }
    }
}

pub(super) fn point(d: &mut String, command: char, x: f64, y: f64) {
    d.push(command);
    write_px(d, x);
    d.push(' ');
    write_px(d, y);
}

pub(super) fn rect(d: &mut String, x: f64, y: f64, width: f64, height: f64) {
    point(d, 'M', x, y);
    d.push('h');
    write_px(d, width);
    d.push('v');
    write_px(d, height);
    d.push('h');
    write_px(d, -width);
    d.push('z');
}
