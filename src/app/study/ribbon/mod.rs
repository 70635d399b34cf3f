//! The picture of what one key's values would give: a chart for each goal, one below the other, over the same values; where all goals hold is
//! shaded through all of them, and so is the present value marked. It is SVG as text.

mod panel;

use super::svg::{Place, Point, across, draw_band, draw_bar, escaped, put};
use super::words::Unit;
use crate::app::plot::geometry::{Scale, nice_step};
use crate::lab::experiment::Verdict;
use panel::{brief, short};

/// What is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ribbon {
    /// The key.
    pub across: String,
    /// Its values.
    pub places: Vec<Place>,
    /// Which of them is the present one.
    pub now: usize,
    /// From where to where all goals hold.
    pub good: Vec<(usize, usize)>,
    /// Where one would go.
    pub best: Option<usize>,
    /// How many runs each value has at least, and at most.
    pub seeds: (u64, u64),
    /// A chart for each goal, the first of which is the tallest.
    pub panels: Vec<Panel>,
}

/// One goal's chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// The metric's name in plans.
    pub metric: String,
    /// In words.
    pub title: String,
    /// Its unit.
    pub unit: Unit,
    /// The goal.
    pub limit: f64,
    /// Whether the good side is below it.
    pub below: bool,
    /// By value, what was measured.
    pub dots: Vec<Option<Point>>,
}

const LEFT: f64 = 50.0;
const RIGHT: f64 = 88.0;
/// Above the first chart, for its title.
const HEAD: f64 = 24.0;
/// Above each other one, where the last one's least value ends too.
const BETWEEN: f64 = 34.0;
/// Below the last one, for a line of values.
const FOOT: f64 = 22.0;
/// From one line of values to the next.
const LINE: f64 = 14.0;
/// Words that have no room beside each other stand in so many lines at most.
const LINES_MAX: usize = 4;
/// About as wide as a letter.
const LETTER_PX: f64 = 6.6;
/// How far what is shaded reaches to both sides of a single value.
const ALONE_PX: f64 = 9.0;

/// Where things are.
struct Frame {
    width: f64,
    right: f64,
    x: Vec<f64>,
    /// In so many lines the values stand.
    lines: usize,
    /// By chart, its upper and its lower edge.
    rows: Vec<(f64, f64)>,
}

impl Ribbon {
    /// The picture at a size in pixels. Colours are the style sheet's, by class.
    pub fn svg(&self, width: f64, height: f64) -> String {
        let frame = self.frame(width, height);
        let mut svg = format!(
            r#"<svg class="study-chart foresight-chart" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="{}">"#,
            escaped(&self.said())
        );
        self.draw_good(&mut svg, &frame);
        for (i, (panel, rows)) in self.panels.iter().zip(&frame.rows).enumerate() {
            put(&mut svg, format_args!(r#"<g data-testid="foresight-{}">"#, short(&panel.metric)));
            self.draw_panel(&mut svg, panel, &frame, *rows, i == 0);
            svg.push_str("</g>");
        }
        self.draw_values(&mut svg, &frame);
        self.draw_now(&mut svg, &frame);
        svg.push_str("</svg>");
        svg
    }

    fn frame(&self, width: f64, height: f64) -> Frame {
        let right = width - if width < 480.0 { 12.0 } else { RIGHT };
        let x = across(&self.places, LEFT + 14.0, right - 10.0);
        let longest = self.places.iter().map(|place| wide(&place.label)).fold(0.0, f64::max);
        let step = x.iter().zip(x.iter().skip(1)).map(|(a, b)| b - a).fold(f64::INFINITY, f64::min);
        let lines = if self.are_words() { ((longest + 4.0) / step).ceil() as usize } else { 1 };
        let lines = lines.clamp(1, LINES_MAX);
        // The first has twice the room of each other.
        let parts = self.panels.len() as f64 + 1.0;
        let heads = HEAD + BETWEEN * self.panels.len().saturating_sub(1) as f64;
        let room = (height - FOOT - LINE * (lines - 1) as f64 - heads) / parts;
        let mut top = 0.0;
        let row = |i: usize| {
            let from = top + if i == 0 { HEAD } else { BETWEEN };
            let to = from + if i == 0 { 2.0 * room } else { room };
            top = to;
            (from, to)
        };
        let rows = (0..self.panels.len()).map(row).collect();
        Frame { width, right, x, lines, rows }
    }

    fn are_words(&self) -> bool {
        self.places.iter().any(|place| place.quantity.is_none())
    }

    /// What it shows, for who does not see it.
    fn said(&self) -> String {
        let panel = |panel: &Panel| {
            let value = |(place, dot): (&Place, &Option<Point>)| {
                dot.map(|dot| format!("{} at {}", panel.unit.show(dot.value), place.label))
            };
            let values: Vec<String> = self.places.iter().zip(&panel.dots).filter_map(value).collect();
            if values.is_empty() {
                String::new()
            } else {
                format!("{}: {}. ", panel.title, values.join(", "))
            }
        };
        let said: String = self.panels.iter().map(panel).collect();
        if said.is_empty() { "Nothing is measured yet.".to_owned() } else { said.trim_end().to_owned() }
    }

    fn draw_good(&self, svg: &mut String, frame: &Frame) {
        let (Some((top, _)), Some((_, bottom))) = (frame.rows.first(), frame.rows.last()) else { return };
        let mut widest: Option<(f64, f64)> = None;
        for &(from, to) in &self.good {
            let (mut left, mut right) = (frame.x[from], frame.x[to]);
            if from == to {
                (left, right) = (left - ALONE_PX, right + ALONE_PX);
            }
            let width = right - left;
            put(
                svg,
                format_args!(
                    r#"<rect class="study-good" x="{left:.1}" y="{top:.1}" width="{width:.1}" height="{:.1}"/>"#,
                    bottom - top
                ),
            );
            if widest.is_none_or(|(_, other)| width > other) {
                widest = Some((left, width));
            }
        }
        let name = match self.panels.len() {
            1 => "meets it",
            2 => "meets both",
            _ => "meets all",
        };
        if let Some((left, width)) = widest.filter(|(_, width)| *width > name.len() as f64 * LETTER_PX + 6.0)
        {
            put(
                svg,
                format_args!(
                    r#"<text class="foresight-good mid" x="{:.1}" y="{:.1}">{name}</text>"#,
                    left + width / 2.0,
                    top + 15.0
                ),
            );
        }
    }

    fn draw_panel(
        &self,
        svg: &mut String,
        panel: &Panel,
        frame: &Frame,
        (top, bottom): (f64, f64),
        first: bool,
    ) {
        let aside = match self.seeds {
            _ if !first => String::new(),
            (_, 0) => "asking…".to_owned(),
            (least, most) if least == most => format!("95 % interval, {most} seeds"),
            (least, most) => format!("95 % interval, {least} to {most} seeds"),
        };
        put(
            svg,
            format_args!(
                r#"<text x="0" y="{:.1}"><tspan class="strong">{}</tspan><tspan class="foresight-aside" dx="8">{aside}</tspan></text>"#,
                top - 9.0,
                escaped(&capital(&panel.title))
            ),
        );
        let y = Scale { values: panel.range(), pixels: (bottom, top + 4.0) };
        let step = nice_step(y.values.1 - y.values.0, if bottom - top > 90.0 { 5.0 } else { 3.0 });
        let mut i = libm::ceil(y.values.0 / step - 1e-9) as i64;
        while i as f64 * step <= y.values.1 + 1e-12 {
            let value = i as f64 * step;
            let at = y.px(value);
            put(svg, format_args!(r#"<path class="study-grid" d="M{LEFT} {at:.1}H{:.1}"/>"#, frame.right));
            put(
                svg,
                format_args!(
                    r#"<text class="study-tick end" x="{:.1}" y="{:.1}">{}</text>"#,
                    LEFT - 7.0,
                    at + 4.0,
                    brief(panel.unit, value)
                ),
            );
            i += 1;
        }
        self.draw_goal(svg, panel, frame, y);
        self.draw_dots(svg, panel, frame, y);
    }

    fn draw_goal(&self, svg: &mut String, panel: &Panel, frame: &Frame, y: Scale) {
        let at = y.px_within(panel.limit);
        put(svg, format_args!(r#"<path class="study-goal" d="M{LEFT} {at:.1}H{:.1}"/>"#, frame.right));
        let label = format!("goal {}", brief(panel.unit, panel.limit));
        // Beside the line where there is room, on it on a phone.
        let (x, dy, side) = match frame.width - frame.right > 60.0 {
            true => (frame.right + 6.0, 4.0, ""),
            false => (frame.right, -5.0, " end"),
        };
        put(
            svg,
            format_args!(
                r#"<text class="study-goal-name{side}" x="{x:.1}" y="{:.1}">{label}</text>"#,
                at + dy
            ),
        );
    }

    fn draw_dots(&self, svg: &mut String, panel: &Panel, frame: &Frame, y: Scale) {
        let known: Vec<(f64, &Point)> =
            frame.x.iter().zip(&panel.dots).filter_map(|(x, dot)| Some((*x, dot.as_ref()?))).collect();
        if !self.are_words() {
            draw_band(svg, &known, y, 0);
        }
        for (x, dot) in known {
            let at = y.px_within(dot.value);
            draw_bar(svg, x, dot, y, 0);
            put(
                svg,
                format_args!(r#"<circle class="study-point style-0" cx="{x:.1}" cy="{at:.1}" r="3.5"/>"#),
            );
            if dot.verdict == Some(Verdict::Undecided) {
                put(svg, format_args!(r#"<circle class="foresight-open" cx="{x:.1}" cy="{at:.1}" r="8"/>"#));
                // Above it, or below where that would be in the title.
                let at = if at - 12.0 < y.pixels.1 + 8.0 { at + 21.0 } else { at - 12.0 };
                put(svg, format_args!(r#"<text class="study-open mid" x="{x:.1}" y="{at:.1}">?</text>"#));
            }
        }
    }

    fn draw_values(&self, svg: &mut String, frame: &Frame) {
        let Some((_, bottom)) = frame.rows.last() else { return };
        let mut taken: Vec<(usize, f64, f64)> = Vec::new();
        let last = self.places.len().saturating_sub(1);
        // What matters has its label; others where there is room.
        let order = self.best.into_iter().chain([0, last, self.now]).chain(0..self.places.len());
        for i in order.filter(|i| *i < self.places.len()) {
            let (at, label) = (frame.x[i], &self.places[i].label);
            let half = wide(label) / 2.0;
            // Within the picture, though it is not in the middle then.
            let x = at.min(frame.width - half).max(half);
            let line = i % frame.lines;
            let is_taken = |&(other, from, to): &(usize, f64, f64)| {
                other == line && x + half + 4.0 > from && x - half - 4.0 < to
            };
            if taken.iter().any(is_taken) {
                continue;
            }
            taken.push((line, x - half, x + half));
            let strong = if self.best == Some(i) { " strong" } else { "" };
            let down = LINE * line as f64;
            put(
                svg,
                format_args!(r#"<path class="study-grid" d="M{at:.1} {bottom:.1}v{:.1}"/>"#, 4.0 + down),
            );
            put(
                svg,
                format_args!(
                    r#"<text class="study-tick mid{strong}" x="{x:.1}" y="{:.1}">{}</text>"#,
                    bottom + 17.0 + down,
                    escaped(label)
                ),
            );
        }
        if !self.are_words() && frame.width - frame.right > 60.0 {
            let x = frame.right + 12.0;
            let across = escaped(&self.across);
            put(
                svg,
                format_args!(
                    r#"<text class="study-tick" x="{x:.1}" y="{:.1}">{across}</text>"#,
                    bottom + 17.0
                ),
            );
        }
    }

    /// A line through all charts at the present value, and what is there.
    fn draw_now(&self, svg: &mut String, frame: &Frame) {
        let (Some(&x), Some(&(top, _))) = (frame.x.get(self.now), frame.rows.first()) else { return };
        put(svg, format_args!(r#"<path class="foresight-here" d="M{:.1} {top:.1}h12l-6 7z"/>"#, x - 6.0));
        for (i, (panel, &(top, bottom))) in self.panels.iter().zip(&frame.rows).enumerate() {
            put(svg, format_args!(r#"<path class="foresight-now" d="M{x:.1} {top:.1}V{bottom:.1}"/>"#));
            let Some(dot) = panel.dots.get(self.now).copied().flatten() else { continue };
            let y = Scale { values: panel.range(), pixels: (bottom, top + 4.0) };
            let at = y.px_within(dot.value);
            put(svg, format_args!(r#"<circle class="foresight-ring" cx="{x:.1}" cy="{at:.1}" r="6.5"/>"#));
            if i > 0 {
                continue;
            }
            let label = format!("now {}: {}", self.places[self.now].label, panel.unit.show(dot.value));
            let (side, dx) = if x + wide(&label) + 14.0 > frame.right { (" end", -11.0) } else { ("", 11.0) };
            let from = if side.is_empty() { x + dx } else { x + dx - wide(&label) };
            let others = panel.heights(frame, y, (from, from + wide(&label)), !self.are_words());
            let free = |text: f64| others.iter().map(|other| (text - 4.0 - other).abs()).fold(14.0, f64::min);
            let places = [at - 10.0, at + 20.0, at - 26.0, at + 36.0, top + 15.0];
            let is_within = |text: &f64| *text > top + 11.0 && *text < bottom - 3.0;
            // Where it is clear of line and goal, and of such places near the dot.
            let worth = |text: f64| free(text) - 0.02 * (text - at).abs();
            let at = places.into_iter().filter(is_within).max_by(|a, b| worth(*a).total_cmp(&worth(*b)));
            let at = at.unwrap_or(top + 15.0);
            put(
                svg,
                format_args!(
                    r#"<text class="foresight-label{side}" x="{:.1}" y="{at:.1}">{}</text>"#,
                    x + dx,
                    escaped(&label)
                ),
            );
        }
    }
}

/// About as wide as a text is, in pixels.
fn wide(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER_PX
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
