//! A picture of a sweep as SVG: one metric over what is varied, a line with its band for each choice of the rest, the goal, and what
//! theory says. It is text, so that what is on the screen is also what is saved.

use super::svg::{Place, Point, across, draw_band, draw_bar, escaped, put};
use super::words::Unit;
use crate::app::plot::geometry::{Scale, nice_step, spread};
use crate::lab::experiment::Verdict;

/// What is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// What stands below: the key that is varied.
    pub across: String,
    /// The values along it, as they are called.
    pub places: Vec<Place>,
    /// The lines.
    pub lines: Vec<Line>,
    /// What the metric is to be below or above.
    pub goal: Option<Goal>,
    /// A place that stands out, such as that of the answer.
    pub marked: Option<usize>,
    /// On which line, if it is on one.
    pub marked_line: Option<usize>,
    /// A place from which on goals hold; and up to which.
    pub good: Option<(usize, usize)>,
    /// The metric's unit.
    pub unit: Option<Unit>,
}

/// A line, point by point, in the order of the places; where nothing is known yet there is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// What is the same all along it; empty if it is the only one.
    pub name: String,
    /// By place.
    pub points: Vec<Option<Point>>,
}

/// A limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// Where it is.
    pub limit: f64,
    /// Whether the good side is below.
    pub below: bool,
    /// How it is said.
    pub label: String,
}

/// How the lines differ besides colour: the shape of their points and their dashes.
const STYLES: usize = 6;
const LEFT: f64 = 58.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 44.0;
/// Between labels, one below the other.
const LINE_PX: f64 = 15.0;
/// About as wide as a letter.
const LETTER_PX: f64 = 7.0;

impl Chart {
    /// The picture at a size in pixels. Colours are the style sheet's, by class.
    pub fn svg(&self, width: f64, height: f64) -> String {
        let mut svg = format!(
            r#"<svg class="study-chart" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="{}">"#,
            escaped(&self.said())
        );
        let longest = self.lines.iter().map(|line| line.name.chars().count()).max().unwrap_or(0);
        let right = (longest as f64 * LETTER_PX + 22.0).clamp(22.0, width * 0.28);
        let x = across(&self.places, LEFT + 8.0, width - right - 8.0);
        let (low, high) = self.range();
        let y = Scale { values: (low, high), pixels: (height - BOTTOM, TOP) };
        self.draw_goal(&mut svg, &x, y, width - right);
        self.draw_axes(&mut svg, &x, y, width - right);
        for (i, line) in self.lines.iter().enumerate() {
            draw_line(&mut svg, line, i, &x, y);
        }
        self.draw_names(&mut svg, &x, y);
        self.draw_verdicts(&mut svg, &x, y);
        svg.push_str("</svg>");
        svg
    }

    /// The same for who does not see it.
    fn said(&self) -> String {
        let unit = self.unit.unwrap_or(Unit::Plain);
        let line = |line: &Line| {
            let known: Vec<(&Place, &Point)> = self
                .places
                .iter()
                .zip(&line.points)
                .filter_map(|(place, point)| Some((place, point.as_ref()?)))
                .collect();
            let (Some(first), Some(last)) = (known.first(), known.last()) else { return String::new() };
            let name = if line.name.is_empty() { String::new() } else { format!("{}: ", line.name) };
            format!(
                "{name}{} at {} to {} at {}. ",
                unit.show(first.1.value),
                first.0.label,
                unit.show(last.1.value),
                last.0.label
            )
        };
        let lines: String = self.lines.iter().map(line).collect();
        if lines.is_empty() { "Nothing is measured yet.".to_owned() } else { lines.trim_end().to_owned() }
    }

    /// From zero, or somewhat below what is negative, to what contains all that is drawn.
    fn range(&self) -> (f64, f64) {
        let of_points =
            self.lines.iter().flat_map(|line| line.points.iter().flatten()).flat_map(|point| {
                [Some(point.value), point.low, point.high, point.theory].into_iter().flatten()
            });
        // A goal far away is not worth it that all else is a line.
        let most = of_points.clone().fold(0.0, f64::max);
        let goal =
            self.goal.as_ref().map(|goal| goal.limit).filter(|limit| most == 0.0 || *limit < most * 4.0);
        let all = of_points.chain(goal);
        let (low, high) = all.fold((0.0_f64, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
        let high = if high > low { high } else { low + 1.0 };
        (low * 1.08, high + (high - low) * 0.08)
    }

    fn draw_goal(&self, svg: &mut String, x: &[f64], y: Scale, right: f64) {
        if let (Some((from, to)), false) = (self.good, x.is_empty()) {
            let edge = |i: usize, j: usize| {
                x.get(i).zip(x.get(j)).map_or(x[i.min(x.len() - 1)], |(a, b)| (a + b) / 2.0)
            };
            let left = if from == 0 { LEFT } else { edge(from - 1, from) };
            let end = if to + 1 >= x.len() { right } else { edge(to, to + 1) };
            let (top, height) = (TOP, y.pixels.0 - TOP);
            put(
                svg,
                format_args!(
                    r#"<rect class="study-good" x="{left:.1}" y="{top}" width="{:.1}" height="{height:.1}"/>"#,
                    end - left
                ),
            );
        }
        let Some(Goal { limit, below, label }) = &self.goal else { return };
        let at = y.px_within(*limit);
        if self.good.is_none() {
            let (top, end) = if *below { (at, y.pixels.0) } else { (y.pixels.1, at) };
            put(
                svg,
                format_args!(
                    r#"<rect class="study-good" x="{LEFT}" y="{top:.1}" width="{:.1}" height="{:.1}"/>"#,
                    right - LEFT,
                    end - top
                ),
            );
        }
        put(svg, format_args!(r#"<path class="study-goal" d="M{LEFT} {at:.1}H{right:.1}"/>"#));
        let room = if *below { at + 14.0 } else { at - 6.0 };
        put(
            svg,
            format_args!(
                r#"<text class="study-goal-name" x="{:.1}" y="{room:.1}">{}</text>"#,
                LEFT + 6.0,
                escaped(label)
            ),
        );
    }

    fn draw_axes(&self, svg: &mut String, x: &[f64], y: Scale, right: f64) {
        let unit = self.unit.unwrap_or(Unit::Plain);
        let is_empty = self.lines.iter().all(|line| line.points.iter().all(Option::is_none));
        let step = nice_step(y.values.1 - y.values.0, 6.0);
        let mut i = libm::ceil(y.values.0 / step) as i32;
        // Without a figure there is nothing to count in.
        while !is_empty && f64::from(i) * step <= y.values.1 {
            let value = f64::from(i) * step;
            let at = y.px(value);
            put(svg, format_args!(r#"<path class="study-grid" d="M{LEFT} {at:.1}H{right:.1}"/>"#));
            put(
                svg,
                format_args!(
                    r#"<text class="study-tick end" x="{:.1}" y="{:.1}">{}</text>"#,
                    LEFT - 8.0,
                    at + 4.0,
                    unit.show_tick(value, step)
                ),
            );
            i += 1;
        }
        let bottom = y.pixels.0;
        // The answer's label comes first; others only where there is room.
        let mut taken: Vec<(f64, f64)> = Vec::new();
        let last = self.places.len().saturating_sub(1);
        let mut order: Vec<usize> =
            self.marked.into_iter().chain([0, last]).chain(0..self.places.len()).collect();
        order.retain(|i| *i < self.places.len());
        for i in order {
            let label = &self.places[i].label;
            let half = label.chars().count() as f64 * LETTER_PX / 2.0 + 3.0;
            if taken.iter().any(|(from, to)| x[i] + half > *from && x[i] - half < *to) {
                continue;
            }
            taken.push((x[i] - half, x[i] + half));
            let strong = if self.marked == Some(i) { " strong" } else { "" };
            put(svg, format_args!(r#"<path class="study-grid" d="M{:.1} {bottom:.1}v4"/>"#, x[i]));
            put(
                svg,
                format_args!(
                    r#"<text class="study-tick mid{strong}" x="{:.1}" y="{:.1}">{}</text>"#,
                    x[i],
                    bottom + 17.0,
                    escaped(label)
                ),
            );
        }
        put(
            svg,
            format_args!(
                r#"<text class="study-axis mid" x="{:.1}" y="{:.1}">{}</text>"#,
                (LEFT + right) / 2.0,
                bottom + 37.0,
                escaped(&self.across)
            ),
        );
    }

    /// The names at the lines' ends.
    fn draw_names(&self, svg: &mut String, x: &[f64], y: Scale) {
        let ends: Vec<(usize, f64, f64)> = self
            .lines
            .iter()
            .enumerate()
            .filter_map(|(i, line)| {
                let place = line.points.iter().rposition(Option::is_some)?;
                Some((i, x[place], y.px(line.points[place]?.value)))
            })
            .collect();
        let mut places: Vec<f64> = ends.iter().map(|(.., at)| *at).collect();
        spread(&mut places, LINE_PX, TOP + 4.0, y.pixels.0);
        for ((i, end, _), at) in ends.into_iter().zip(places) {
            let name = escaped(&self.lines[i].name);
            put(
                svg,
                format_args!(
                    r#"<text class="study-name style-{}" x="{:.1}" y="{:.1}">{name}</text>"#,
                    i % STYLES,
                    end + 12.0,
                    at + 4.0
                ),
            );
        }
    }

    /// Rings where the answer is, question marks where it is open.
    fn draw_verdicts(&self, svg: &mut String, x: &[f64], y: Scale) {
        let marked = self.marked_line.and_then(|line| self.lines.get(line)).zip(self.marked);
        if let Some((place, point)) =
            marked.and_then(|(line, place)| Some((place, line.points.get(place)?.as_ref()?)))
        {
            let (x, y) = (x[place], y.px(point.value));
            put(svg, format_args!(r#"<circle class="study-ring" cx="{x:.1}" cy="{y:.1}" r="9"/>"#));
        }
        for line in &self.lines {
            for (i, point) in line.points.iter().enumerate() {
                let Some(Point { value, verdict: Some(Verdict::Undecided), .. }) = point else { continue };
                put(
                    svg,
                    format_args!(
                        r#"<text class="study-open mid" x="{:.1}" y="{:.1}">?</text>"#,
                        x[i],
                        y.px(*value) - 10.0
                    ),
                );
            }
        }
    }
}

fn draw_line(svg: &mut String, line: &Line, number: usize, x: &[f64], y: Scale) {
    let style = number % STYLES;
    // A place where nothing is known yet is left out, and the line goes on behind it.
    let known: Vec<(f64, &Point)> =
        x.iter().zip(&line.points).filter_map(|(x, point)| Some((*x, point.as_ref()?))).collect();
    draw_band(svg, &known, y, style);
    for (x, point) in &known {
        draw_bar(svg, *x, point, y, style);
        if let Some(theory) = point.theory {
            put(
                svg,
                format_args!(
                    r#"<path class="study-theory" d="M{:.1} {:.1}h12"/>"#,
                    x - 6.0,
                    y.px_within(theory)
                ),
            );
        }
        let at = y.px(point.value);
        // A circle, a square, a diamond; the next three are hollow.
        let shape = match style % 3 {
            0 => format!("M{:.1} {at:.1}a4 4 0 1 0 8 0a4 4 0 1 0-8 0", x - 4.0),
            1 => format!("M{:.1} {:.1}h7v7h-7z", x - 3.5, at - 3.5),
            _ => format!("M{x:.1} {:.1}l5 5-5 5-5-5z", at - 5.0),
        };
        let hollow = if style >= 3 { " hollow" } else { "" };
        put(svg, format_args!(r#"<path class="study-point style-{style}{hollow}" d="{shape}"/>"#));
    }
}
