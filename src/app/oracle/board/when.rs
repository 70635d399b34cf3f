//! The strip *when*: a bar per worker, from being asked to its answer, against the timeout. Time is linear, and the
//! same for all.

use super::histogram;
use super::scene::{Answer, Row, Scene};
use crate::app::canvas::scale::{self, Scale};
use crate::app::canvas::{
    Align, Dash, Fill, Font, Layout, Paint, Rect, Shape, Sheet, Size, Text, figures_y, notice,
};
use crate::substrate::decimal::{fixed, within};

/// Two flights between coordinator and worker at the most: what a task takes besides its own delay.
const FLIGHTS_MS: f64 = 140.0;

pub(super) fn draw(sheet: &mut Sheet, scene: &Scene, layout: &Layout) {
    let Some(ends) = layout.when else {
        return;
    };
    let axis = axis(scene, ends);
    if has_answers(scene) {
        // Behind all that it has left behind.
        now(sheet, scene, layout, &axis);
        match layout.size {
            Size::Rows => bars(sheet, scene, layout, &axis),
            Size::Lanes => lanes(sheet, scene, layout, &axis),
            Size::Bundles => histogram::when(sheet, scene, layout, &axis),
        }
    } else if scene.racing().is_some() && layout.size == Size::Rows {
        now(sheet, scene, layout, &axis);
        races(sheet, scene, layout, &axis);
    }
    gate(sheet, scene, layout, &axis);
    without_answers(sheet, scene, layout, ends);
    ticks(sheet, layout, &axis);
}

fn has_answers(scene: &Scene) -> bool {
    !scene.nobody() && scene.request.is_some_and(|request| !request.tasks.is_empty())
}

/// From 0 to a little more than the slowest answer may take; the timeout is always on it, and not far to the left.
pub(super) fn axis(scene: &Scene, pixels: (f64, f64)) -> Scale {
    let mut slowest = scene.now.view.settings.delay_max_ms + FLIGHTS_MS;
    if scene.broker.is_some() {
        // Nobody is cancelled there: answers come as late as they are.
        slowest = scene.rows.iter().map(|row| row.ms).fold(slowest, f64::max);
    }
    let timeout = scene.timeout_ms.max(1.0);
    Scale { values: (0.0, within(slowest, timeout * 1.12, timeout * 2.0)), pixels }
}

/// Says why there is nothing to show, if there is nothing.
pub(super) fn without_answers(sheet: &mut Sheet, scene: &Scene, layout: &Layout, ends: (f64, f64)) {
    if has_answers(scene) {
        return;
    }
    let words = match scene.request {
        _ if scene.nobody() => "No workers registered. Requests get 503.".to_owned(),
        None => "Nobody has asked yet.".to_owned(),
        Some(request) => match &request.error {
            Some(error) => format!("No answer: {}.", error.message.trim_end_matches('.')),
            None => return,
        },
    };
    let middle = (layout.top + layout.bottom) / 2.0;
    // Between the lines of what races, if there are any.
    let lines = scene.rows.iter().enumerate().filter(|(_, row)| row.racing_ms.is_some());
    let gaps = lines.map(|(i, _)| layout.rows.center(i) - layout.rows.height(i) * 0.2);
    let nearest = gaps.min_by(|a, b| (a - middle).abs().total_cmp(&(b - middle).abs()));
    notice(sheet, ends, nearest.filter(|_| layout.size == Size::Rows).unwrap_or(middle).round(), &words);
}

/// How far the open request has come: where all that is pending has come to.
fn now(sheet: &mut Sheet, scene: &Scene, layout: &Layout, axis: &Scale) {
    let Some(open) = scene.open_ms else {
        return;
    };
    let x = axis.at(open).round();
    let Some(racing) = scene.racing() else {
        sheet.line([x, layout.top, x, layout.bottom], 1.0, Dash::Solid, Paint::Task.alpha(0.6));
        return;
    };
    sheet.line([x, layout.bottom - 2.0, x, layout.bottom + 5.0], 2.0, Dash::Solid, Paint::Task);
    let y = layout.bottom + if layout.phone { 11.0 } else { 13.0 };
    let gate = axis.at(scene.timeout_ms) - 4.0;
    for words in [format!("{} is racing", racing.short_id()), racing.short_id()] {
        let words = Text::new(words, 0.0, y).font(Font::Condensed).paint(Paint::Ink3);
        let left = (x - words.width() - 3.0).max(axis.pixels.0);
        // The gate's own words stand right of it, or left where there is no room.
        let is_free = left + words.width() <= gate && gate + 90.0 <= axis.pixels.1;
        if is_free {
            sheet.text(Text { x: left, ..words });
            return;
        }
    }
}

/// Only what is under way: the request that is kept in view has no bars.
fn races(sheet: &mut Sheet, scene: &Scene, layout: &Layout, axis: &Scale) {
    for (i, row) in scene.rows.iter().enumerate() {
        race(sheet, row, axis, bar_at(layout, axis, i, 0.0).bottom() + 2.0);
    }
}

/// What the request that is under way has come to, thin under each bar of the one that is kept in view.
fn race(sheet: &mut Sheet, row: &Row, axis: &Scale, y: f64) {
    if let Some(ms) = row.racing_ms {
        let paint = match row.live {
            Answer::Pending => Paint::Task,
            answer => answer.shape().paint(),
        };
        let (x0, x1) = (axis.at(0.0), axis.at(ms.min(axis.values.1)));
        sheet.level(y, x0, x1.max(x0 + 0.5), 2.0, paint);
    }
}

fn gate(sheet: &mut Sheet, scene: &Scene, layout: &Layout, axis: &Scale) {
    let x = axis.at(scene.timeout_ms).round();
    // Words that say why there is nothing to hold against it stand in its place.
    let is_shown = has_answers(scene) || scene.request.is_some_and(|request| request.error.is_none());
    let top = if is_shown { layout.top } else { layout.bottom };
    sheet.line([x, top - 2.0, x, layout.bottom + 2.0], 2.5, Dash::Solid, Paint::Ink);
    let y = layout.bottom + if layout.phone { 11.0 } else { 13.0 };
    let label = Text::new(format!("timeout {}", scale::duration(scene.timeout_ms)), x + 5.0, y)
        .weight(500)
        .paint(Paint::Ink);
    if label.bounds().right() <= axis.pixels.1 + 6.0 {
        sheet.text(label);
    } else {
        sheet.text(Text { x: (x + 2.0).min(axis.pixels.1 + 6.0), ..label }.align(Align::Right));
    }
}

fn ticks(sheet: &mut Sheet, layout: &Layout, axis: &Scale) {
    let last = axis.values.1;
    let wanted = if layout.phone { 3.0 } else { 4.5 };
    let step = scale::nice_step(last, wanted);
    let (unit, per) = if last >= 1000.0 { (" s", 1000.0) } else { (" ms", 1.0) };
    let mut tick = 0.0;
    while tick <= last * 1.0001 {
        let x = axis.at(tick).round() + 0.5;
        sheet.line([x, layout.bottom, x, layout.bottom + 4.0], 1.0, Dash::Solid, Paint::Control);
        let words = scale::short(tick / per) + if tick == 0.0 { unit } else { "" };
        let align = if tick == 0.0 { Align::Left } else { Align::Center };
        let figure = Text::new(words, x - 0.5, figures_y(layout)).font(Font::Condensed).align(align);
        sheet.text(figure.paint(Paint::Ink3));
        tick += step;
    }
}

// --- bars -------------------------------------------------------------------------------------------------------

fn bars(sheet: &mut Sheet, scene: &Scene, layout: &Layout, axis: &Scale) {
    for (i, row) in scene.rows.iter().enumerate() {
        bar(sheet, scene, layout, axis, i, row);
    }
}

/// Where the bar of a row is that has come so far.
fn bar_at(layout: &Layout, axis: &Scale, i: usize, ms: f64) -> Rect {
    let thick = (layout.rows.height(i) * 0.44).clamp(2.0, 13.0).round();
    let (x0, x1) = (axis.at(0.0), axis.at(ms.min(axis.values.1)));
    let top = layout.rows.center(i).round() - (thick / 2.0).floor();
    Rect::new(x0, top, (x1 - x0).max(0.5), thick)
}

/// One worker's bar in a row with room for words.
fn bar(sheet: &mut Sheet, scene: &Scene, layout: &Layout, axis: &Scale, i: usize, row: &Row) {
    let height = layout.rows.height(i);
    let rect = bar_at(layout, axis, i, row.ms);
    let (x0, x1, y, thick) =
        (rect.x, axis.at(row.ms.min(axis.values.1)), layout.rows.center(i).round(), rect.h);
    let mut label_x = x1 + 6.0;
    if height >= 12.0 {
        race(sheet, row, axis, rect.bottom() + 2.0);
    }
    match row.answer {
        Answer::NotAsked | Answer::Refused | Answer::Lost => label_x = x0 + 3.0,
        Answer::Pending => {
            sheet.solid(rect, Paint::Task.alpha(0.22));
        }
        Answer::InTime => sheet.area(rect, 2.0, Fill::Solid, Paint::InTime.alpha(0.9)),
        Answer::Lying | Answer::Failed => {
            let (paint, alpha) = match row.answer {
                Answer::Lying => (Paint::Lying, 1.0),
                _ => (Paint::Failed, 0.28),
            };
            let r = (thick * if row.answer == Answer::Lying { 0.62 } else { 0.42 }).min(8.0);
            sheet.area(rect, 2.0, Fill::Solid, paint.alpha(alpha));
            sheet.glyph(row.answer.shape(), x1, y, r);
            label_x += r;
        }
        Answer::Late => {
            sheet.area(rect, 0.0, Fill::Hatch, Paint::Late);
            label_x += 2.0;
        }
    }
    if !layout.phone && height >= 12.0 {
        label(sheet, scene, axis, (label_x, y + 0.5), (i, rect));
    }
}

/// What a bar says in words, beside it; inside if it would run into the gate, beyond the gate if that is too narrow.
fn label(sheet: &mut Sheet, scene: &Scene, axis: &Scale, (x, y): (f64, f64), (i, bar): (usize, Rect)) {
    let row = &scene.rows[i];
    let (gate, end) = (axis.at(scene.timeout_ms), axis.pixels.1 + 6.0);
    let in_colour = matches!(row.answer, Answer::InTime | Answer::Lying);
    // As far from the end inside as outside: a sign may stand on it.
    let inset = x - bar.right();
    for (words, font) in words(scene, row) {
        let words = Text::new(words, x, y).font(font);
        let width = words.width();
        let is_beyond = row.answer == Answer::Late && x + width <= end;
        if is_beyond || x + width <= gate - 4.0 {
            sheet.text_on(words, scene.ground(i));
        } else if bar.h >= 12.0 && in_colour && bar.w >= width + 6.0 + inset {
            sheet.text(Text { x: bar.right() - inset, ..words }.align(Align::Right).paint(Paint::OnState));
        } else if row.answer != Answer::Late && gate + 7.0 + width <= end {
            sheet.text(Text { x: x.max(gate + 7.0), ..words });
        } else {
            continue;
        }
        return;
    }
}

/// The words for a row, and shorter ones.
fn words(scene: &Scene, row: &Row) -> Vec<(String, Font)> {
    match row.answer {
        Answer::NotAsked | Answer::Refused => match row.node.down_since_ms {
            Some(since) => vec![(format!("down since {} s", fixed(since / 1000.0, 1)), Font::Condensed)],
            None if row.answer == Answer::Refused => vec![("was down".to_owned(), Font::Condensed)],
            None if scene.request.is_some_and(|request| request.opened_ms.is_some()) => {
                let words = match &scene.now.view.broker {
                    Some(broker) if broker.delivery == "queue" => "not chosen",
                    Some(_) => "not reached",
                    None => "not asked",
                };
                vec![(words.to_owned(), Font::Condensed)]
            }
            None => Vec::new(),
        },
        Answer::Pending => Vec::new(),
        Answer::InTime | Answer::Lying => vec![(scale::millis(row.ms), Font::Mono)],
        Answer::Failed => {
            let (cause, after) = (cause(row), scale::millis(row.ms));
            vec![(format!("{cause} after {after}"), Font::Mono), (cause.to_owned(), Font::Mono)]
        }
        Answer::Late if row.arrived_late => {
            vec![
                (format!("{} dropped", scale::millis(row.ms)), Font::Mono),
                (scale::millis(row.ms), Font::Mono),
            ]
        }
        Answer::Late => vec![("late".to_owned(), Font::Condensed)],
        Answer::Lost => vec![("lost with the broker".to_owned(), Font::Condensed)],
    }
}

/// Why a worker failed, in a word.
fn cause<'a>(row: &Row<'a>) -> &'a str {
    match row.task.and_then(|task| task.err.as_deref()).unwrap_or_default() {
        "connection refused" => "refused",
        "connection reset by peer" => "reset",
        // "status 404 without a worker result"
        err => err.strip_prefix("status ").and_then(|rest| rest.split(' ').next()).unwrap_or("500"),
    }
}

// --- lanes ------------------------------------------------------------------------------------------------------

/// Narrow bars, answer by answer, and the row under the lens as a row with room.
fn lanes(sheet: &mut Sheet, scene: &Scene, layout: &Layout, axis: &Scale) {
    let rows = &layout.rows;
    let thick = (rows.pitch * 0.62).max(0.6);
    let of = |answer: Answer| {
        let rows = scene.rows.iter().enumerate();
        rows.filter(move |(i, row)| row.answer == answer && !layout.rows.is_roomy(*i))
    };
    let looks = [
        (Answer::Pending, Paint::Task, 0.22),
        (Answer::Late, Paint::Late, 0.36),
        (Answer::Failed, Paint::Failed, 0.28),
        (Answer::InTime, Paint::InTime, 0.88),
        (Answer::Lying, Paint::Lying, 1.0),
    ];
    for (answer, paint, alpha) in looks {
        for (i, row) in of(answer) {
            let (x0, x1) = (axis.at(0.0), axis.at(row.ms.min(axis.values.1)));
            let rect = Rect::new(x0, rows.center(i) - thick / 2.0, (x1 - x0).max(0.5), thick);
            if answer == Answer::Late && thick >= 5.0 {
                sheet.area(rect, 0.0, Fill::Hatch, paint);
            } else {
                sheet.solid(rect, paint.alpha(alpha));
            }
        }
    }
    for answer in [Answer::Failed, Answer::Lying] {
        for (i, row) in of(answer) {
            let r = (rows.pitch * 0.55).clamp(1.2, 7.0);
            sheet.glyph(answer.shape(), axis.at(row.ms), rows.center(i), r);
        }
    }
    if let Some((lens, _)) = rows.lens {
        bar(sheet, scene, layout, axis, lens, &scene.rows[lens]);
    }
    exceptions(sheet, scene, layout, axis);
}

/// Beyond the gate nothing ends: there is room to name what is down, cut off or slow.
fn exceptions(sheet: &mut Sheet, scene: &Scene, layout: &Layout, axis: &Scale) {
    if layout.phone {
        return;
    }
    let x = axis.at(scene.timeout_ms) + 8.0;
    let lens = layout.rows.lens.map(|(row, _)| row);
    let mut free_from = layout.top;
    for (i, row) in scene.rows.iter().enumerate() {
        let what = match row.node.down_since_ms {
            Some(_) => "down",
            None if row.node.cut => "cut off",
            None if row.node.slow > 1.0 => "slow",
            None => continue,
        };
        let words =
            Text::new(format!("{} {what}", row.node.name), x, layout.rows.center(i)).font(Font::Condensed);
        let bounds = words.bounds();
        let apart = lens.is_none_or(|lens| (layout.rows.center(lens) - words.y).abs() >= 14.0);
        let inside = bounds.bottom() <= layout.bottom && bounds.right() <= axis.pixels.1 + 6.0;
        if bounds.y >= free_from && apart && inside {
            free_from = bounds.bottom();
            sheet.text_on(words, Some(Paint::Strip));
        }
    }
}

/// A late worker's sign at the head of a column that is cut short.
pub(super) fn late_sign(sheet: &mut Sheet, x: f64, y: f64) {
    sheet.glyph(Shape::Late, x, y, 6.5);
}
