//! The strip *what*: how far each answer is from the truth, and what became of them together.

use super::histogram;
use super::scene::{Answer, Level, Row, Scene};
use super::when::without_answers;
use crate::app::canvas::scale::{self, Scale};
use crate::app::canvas::{Align, Dash, Font, Layout, Paint, Shape, Sheet, Size, Text, figures_y};

/// At least so many per cent on either side are shown.
const REACH_MIN: f64 = 7.0;
/// A mark of a value beyond the edge stands so far inside it.
const EDGE: f64 = 8.0;

pub(super) fn draw(sheet: &mut Sheet, scene: &Scene, layout: &Layout) {
    let Some(ends) = layout.what else {
        return;
    };
    let axis = axis(scene, ends);
    let levels = scene.reference.is_some();
    if layout.size == Size::Bundles {
        histogram::what(sheet, scene, layout, &axis);
    }
    if levels {
        level_lines(sheet, scene, layout, &axis);
    }
    match layout.size {
        Size::Rows => dots(sheet, scene, layout, &axis),
        Size::Lanes => lanes(sheet, scene, layout, &axis),
        Size::Bundles => {}
    }
    // Beside the strip *when* this would be said twice.
    if layout.when.is_none() {
        without_answers(sheet, scene, layout, ends);
    }
    if levels {
        level_names(sheet, scene, layout, &axis);
    }
    ticks(sheet, layout, &axis);
}

/// The reference in the middle; as far to either side as seven in ten values and both aggregates need.
pub(super) fn axis(scene: &Scene, pixels: (f64, f64)) -> Scale {
    let levels = [scene.aggregate, scene.counter];
    let farthest = levels.iter().flatten().fold(0.0_f64, |far, level| far.max(level.off.abs()));
    let values = scene.rows.iter().filter(|row| row.off.is_some()).count();
    let mut reach = REACH_MIN;
    for times in [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0] {
        reach = REACH_MIN * times;
        let beyond = scene.rows.iter().filter(|row| row.off.is_some_and(|off| off.abs() > reach)).count();
        if beyond * 10 <= values * 3 && farthest <= reach * 0.98 {
            break;
        }
    }
    Scale { values: (-reach, reach), pixels }
}

/// Where a value's mark stands, and the sign for being beyond the edge.
fn place(axis: &Scale, off: f64) -> (f64, Option<Shape>) {
    let x = axis.at(off);
    let (left, right) = (axis.pixels.0 + EDGE, axis.pixels.1 - EDGE);
    if x > right {
        (right, Some(Shape::Beyond))
    } else if x < left {
        (left, Some(Shape::Before))
    } else {
        (x, None)
    }
}

fn is_value(row: &Row) -> bool {
    matches!(row.answer, Answer::InTime | Answer::Lying) && row.off.is_some()
}

// --- truth and aggregates ---------------------------------------------------------------------------------------

fn level_lines(sheet: &mut Sheet, scene: &Scene, layout: &Layout, axis: &Scale) {
    let mut upright = |off: f64, margin: f64, width: f64, dash: Dash, paint: Paint| {
        let x = place(axis, off).0.round();
        sheet.line([x, layout.top - margin, x, layout.bottom + margin], width, dash, paint);
    };
    if scene.has_truth {
        upright(0.0, 0.0, 1.5, Dash::Dotted, Paint::Ink2);
    }
    if let Some(counter) = &scene.counter {
        upright(counter.off, 0.0, 1.5, Dash::Long, Paint::Ink3);
    }
    if let Some(aggregate) = &scene.aggregate {
        let width = if scene.is_final() { 3.0 } else { 1.5 };
        upright(aggregate.off, 2.0, width, Dash::Solid, Paint::Ink);
    }
    if let Some(report) = &scene.report {
        upright(report.off, 0.0, 2.0, Dash::Long, Paint::Late);
    }
}

/// The names under the lines, one to the left and one to the right; the counter-answer gives way.
fn level_names(sheet: &mut Sheet, scene: &Scene, layout: &Layout, axis: &Scale) {
    if let Some(report) = &scene.report {
        let words = format!("{} {}", report.name, scale::value(report.value));
        let text = Text::new(words, 0.0, layout.top + 9.0).paint(Paint::Ink2);
        let (x, end) = (place(axis, report.off).0.round() + 5.0, axis.pixels.1 + 4.0 - text.width());
        sheet.text_on(Text { x: x.min(end), ..text }, Some(Paint::Strip));
    }
    let Some(aggregate) = &scene.aggregate else {
        return;
    };
    let (left, right) = (axis.pixels.0 - 6.0, axis.pixels.1 + 6.0);
    let y = layout.bottom + if layout.phone { 11.0 } else { 13.0 };
    let so_far = if scene.is_final() { "" } else { " so far" };
    let words = |level: &Level, more: &str| format!("{}{more} {}", level.name, scale::value(level.value));
    let name = |level: &Level, more: &str, before: bool| {
        let x = place(axis, level.off).0.round();
        let text = Text::new(words(level, more), 0.0, y);
        let width = text.width();
        let x = if before { x - 6.0 - width } else { x + 6.0 };
        Text { x: x.min(right - width).max(left), ..text }
    };
    let before = scene.counter.is_none_or(|counter| aggregate.off <= counter.off);
    let weight = if so_far.is_empty() { 600 } else { 400 };
    let mut first = name(aggregate, so_far, before).weight(weight).paint(Paint::Ink);
    // In bold it is a little wider.
    first.x = first.x.min(right - first.width()).max(left);
    let bounds = first.bounds();
    sheet.text(first);
    if let Some(counter) = &scene.counter {
        let mut second = name(counter, "", !before);
        let width = second.width();
        second.x = match before {
            true => second.x.max(bounds.right() + 10.0),
            false => second.x.min(bounds.x - 10.0 - width),
        };
        if second.x >= left && second.x + width <= right {
            sheet.text(second);
        }
    }
}

fn ticks(sheet: &mut Sheet, layout: &Layout, axis: &Scale) {
    let step = axis.values.1 * 3.0 / 7.0;
    for i in -2..=2 {
        let tick = f64::from(i) * step;
        let x = axis.at(tick).round() + 0.5;
        sheet.line([x, layout.bottom, x, layout.bottom + 4.0], 1.0, Dash::Solid, Paint::Control);
        let sign = if i > 0 { "+" } else { "" };
        let words = format!("{sign}{}", scale::short(tick));
        let figure = Text::new(words, x - 0.5, figures_y(layout)).font(Font::Condensed).align(Align::Center);
        sheet.text(figure.paint(Paint::Ink3));
    }
}

// --- dots -------------------------------------------------------------------------------------------------------

fn dots(sheet: &mut Sheet, scene: &Scene, layout: &Layout, axis: &Scale) {
    for (i, row) in scene.rows.iter().enumerate() {
        if let Some(left) = row.left {
            ring(sheet, layout, axis, i, left, row.off);
        }
    }
    for (i, row) in scene.rows.iter().enumerate().filter(|(_, row)| is_value(row)) {
        dot(sheet, scene, layout, axis, i, row);
    }
}

/// What was said before one changed the past: a ring, and a dotted line to what is said now.
fn ring(sheet: &mut Sheet, layout: &Layout, axis: &Scale, i: usize, left: f64, now: Option<f64>) {
    let y = layout.rows.center(i).round();
    let (x, r) = (place(axis, left).0, radius(layout.rows.height(i)));
    if let Some(now) = now {
        let to = place(axis, now).0;
        sheet.line([x + r.copysign(to - x), y, to, y], 1.5, Dash::Dotted, Paint::Ink3);
    }
    sheet.glyph(Shape::Idle, x, y, r);
}

fn radius(height: f64) -> f64 {
    (height * 0.24).clamp(2.0, 7.0)
}

/// A value with its distance as a line, and in words where it is beyond the edge.
fn dot(sheet: &mut Sheet, scene: &Scene, layout: &Layout, axis: &Scale, i: usize, row: &Row) {
    let Some(off) = row.off else {
        return;
    };
    let height = layout.rows.height(i);
    let y = layout.rows.center(i).round();
    let (x, beyond) = place(axis, off);
    let (shape, r) = (row.answer.shape(), radius(height));
    let tint = shape.paint().alpha(0.5);
    let zero = axis.at(0.0);
    let Some(arrow) = beyond.filter(|_| height >= 12.0) else {
        sheet.level(y, zero, x, 1.5, tint);
        sheet.glyph(shape, x, y, r);
        return;
    };
    let side = if arrow == Shape::Beyond { 1.0 } else { -1.0 };
    let align = if arrow == Shape::Beyond { Align::Right } else { Align::Left };
    let words = Text::new(scale::percent(off, 1), x - side * (r + 13.0), y + 0.5);
    let words = words.font(Font::Mono).weight(500).align(align).paint(Paint::Ink);
    sheet.level(y, zero, words.x - side * (words.width() + 5.0), 1.5, tint);
    sheet.text_on(words, scene.ground(i));
    sheet.glyph(arrow, x - side * (r + 6.0), y, 3.5);
    sheet.glyph(shape, x, y, r);
}

/// Small marks, answer by answer; liars are named where there is room.
fn lanes(sheet: &mut Sheet, scene: &Scene, layout: &Layout, axis: &Scale) {
    let rows = &layout.rows;
    let r = (rows.pitch * 0.64).clamp(1.5, 4.0);
    let narrow = |answer: Answer| {
        let rows = scene.rows.iter().enumerate();
        rows.filter(move |(i, row)| row.answer == answer && is_value(row) && !layout.rows.is_roomy(*i))
    };
    for answer in [Answer::InTime, Answer::Lying] {
        for (i, row) in narrow(answer) {
            let x = place(axis, row.off.unwrap_or_default()).0;
            sheet.glyph(answer.shape(), x, rows.center(i), r);
        }
    }
    let lens = rows.lens.map(|(row, _)| row);
    let mut free_from = layout.top;
    for (i, row) in narrow(Answer::Lying).filter(|_| !layout.phone) {
        let off = row.off.unwrap_or_default();
        let (x, y) = (place(axis, off).0, rows.center(i));
        // Its value would lie on its neighbours' marks; the lens tells it.
        let words =
            Text::new(row.node.name.as_str(), x - r - 5.0, y).font(Font::Condensed).align(Align::Right);
        let bounds = words.bounds();
        let apart = lens.is_none_or(|lens| (rows.center(lens) - y).abs() >= 14.0);
        if bounds.y >= free_from && bounds.bottom() <= layout.bottom && apart && bounds.x >= axis.pixels.0 {
            free_from = bounds.bottom();
            sheet.text_on(words, Some(Paint::Strip));
        }
    }
    if let Some(lens) = lens.filter(|lens| is_value(&scene.rows[*lens])) {
        dot(sheet, scene, layout, axis, lens, &scene.rows[lens]);
    }
}
