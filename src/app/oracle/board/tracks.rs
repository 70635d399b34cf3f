//! The tracks of up to 399 workers: rails, what moves on them, lamps, names.
//!
//! A row with room has two rails, out above and back below; a narrow one has one lane for both. A rail stays in the
//! colour of what passed until the next request, so that a picture at rest tells the story.

use super::scene::{Answer, Row, Scene};
use crate::app::canvas::{
    Dash, Font, Layout, Mark, Paint, Rect, Shape, Sheet, Signs, Size, Text, Tint, View, lamp_shape,
    lamp_step, message_shape, progress, scale,
};
use crate::app::snapshot::{MessageKind, MessageView, Sign};

/// How far the newest request's messages have come on one worker's track, 0 … 1 each.
#[derive(Clone, Copy, Default)]
struct Passed {
    out: f64,
    back: f64,
    /// What the tint of the way back says.
    sign: Option<Shape>,
    /// Whether one of them is on its way now.
    moving: bool,
    /// How many messages of any kind are on their way.
    traffic: u32,
}

pub(super) fn draw(sheet: &mut Sheet, scene: &Scene, layout: &Layout, view: &View) {
    let passed = passed(scene);
    if layout.size == Size::Lanes {
        lanes(sheet, scene, layout, view, &passed);
    }
    for (i, row) in scene.rows.iter().enumerate() {
        if layout.rows.is_roomy(i) {
            rails(sheet, row, &passed[i], layout, i, view);
        }
    }
    if !view.flow && !view.reduced_motion {
        messages(sheet, scene, layout);
    }
    if view.flow {
        super::flow::too_fast(sheet, layout);
    }
    lamps(sheet, scene, layout);
    match layout.size {
        Size::Rows => names(sheet, scene, layout),
        Size::Lanes if layout.rows.pitch >= 13.0 => names(sheet, scene, layout),
        Size::Lanes | Size::Bundles => ranges(sheet, scene, layout),
    }
}

fn passed(scene: &Scene) -> Vec<Passed> {
    let of_row = |row: &Row| {
        let was_asked = row.live != Answer::NotAsked;
        let sign = match row.live {
            Answer::InTime | Answer::Lying | Answer::Failed | Answer::Refused => Some(row.live.shape()),
            Answer::Late if row.live_arrived_late => Some(Shape::Late),
            Answer::NotAsked | Answer::Pending | Answer::Late | Answer::Lost => None,
        };
        let whole = |yes: bool| if yes { 1.0 } else { 0.0 };
        Passed { out: whole(was_asked), back: whole(sign.is_some()), sign, moving: false, traffic: 0 }
    };
    let mut passed: Vec<Passed> = scene.rows.iter().map(of_row).collect();
    let newest = scene.newest.map_or(0, |request| request.number);
    for message in &scene.now.messages {
        let Some((row, outward)) = place(scene, message) else {
            continue;
        };
        let entry = &mut passed[row];
        entry.traffic += 1;
        if message.req != newest || newest == 0 {
            continue;
        }
        let part = progress(message, scene.now.vtime_ms);
        if outward && message.kind == MessageKind::Request {
            (entry.out, entry.moving) = (part, true);
        } else if !outward && awaits(scene, row) {
            let sign = shape_of(scene, row, message);
            (entry.back, entry.sign, entry.moving) = (part, Some(sign), true);
        }
    }
    passed
}

/// Whether an answer of that worker may be on its way; a late one only where nobody is cancelled.
fn awaits(scene: &Scene, row: usize) -> bool {
    let answer = scene.rows[row].live;
    answer == Answer::Pending || answer == Answer::Late && scene.broker.is_some()
}

/// The row that a message belongs to, and whether it goes to the worker.
fn place(scene: &Scene, message: &MessageView) -> Option<(usize, bool)> {
    let hub = scene.hub()?.id;
    if message.from == hub {
        Some((scene.row_of(message.to)?, true))
    } else if message.to == hub {
        Some((scene.row_of(message.from)?, false))
    } else {
        None
    }
}

/// The sign of a message on a worker's track.
fn shape_of(scene: &Scene, row: usize, message: &MessageView) -> Shape {
    let closed = scene.newest.is_some_and(|request| {
        message.req < request.number || message.req == request.number && request.closed_ms.is_some()
    });
    match message.kind {
        MessageKind::Answer if closed => Shape::Late,
        MessageKind::Answer if scene.has_truth && scene.rows[row].live_task.is_some_and(|task| task.lied) => {
            Shape::Lying
        }
        kind => message_shape(kind),
    }
}

// --- rails ------------------------------------------------------------------------------------------------------

/// How far the two rails are from the middle of a row.
fn rail_distance(height: f64) -> f64 {
    (height * 0.17).clamp(2.5, 5.5).round()
}

/// A line that leaves out the middle if nothing passes there.
fn rail(
    sheet: &mut Sheet,
    y: f64,
    (x0, x1): (f64, f64),
    width: f64,
    tint: impl Into<Tint>,
    gap: Option<f64>,
) {
    let tint = tint.into();
    match gap {
        Some(middle) if x0 < middle && middle < x1 => {
            sheet.level(y, x0, (middle - 8.0).max(x0), width, tint);
            sheet.level(y, (middle + 8.0).min(x1), x1, width, tint);
        }
        _ if x1 > x0 => sheet.level(y, x0, x1, width, tint),
        _ => {}
    }
}

fn rails(sheet: &mut Sheet, row: &Row, passed: &Passed, layout: &Layout, i: usize, view: &View) {
    let (x0, x1) = layout.rails();
    let (y, distance) = (layout.rows.center(i).round(), rail_distance(layout.rows.height(i)));
    let (out, back) = (y - distance, y + distance);
    let middle = ((x0 + x1) / 2.0).round();
    let lost = row.lamp == Sign::Asked && !passed.moving && row.live == Answer::Pending;
    let gap = (row.node.cut || lost).then_some(middle);
    let busy = if view.flow && passed.traffic > 0 { 4.0 } else { 2.0 };
    if row.lamp == Sign::Down {
        sheet.line([x0, out, x1, out], 2.0, Dash::Short, Paint::Down);
    } else {
        rail(sheet, out, (x0, x1), 2.0, Paint::Line, gap);
        rail(sheet, out, (x0, x0 + (x1 - x0) * passed.out), busy, Paint::Task.alpha(0.6), gap);
    }
    if row.live == Answer::Refused && !layout.phone && layout.rows.height(i) >= 15.0 {
        let words = Text::new("connection refused", x0 + 14.0, back).font(Font::Condensed);
        let end = words.bounds().right();
        if end < x1 {
            sheet.level(back, x0, x0 + 9.0, 2.0, Paint::Line);
            sheet.level(back, end + 5.0, x1, 2.0, Paint::Line);
            sheet.text(words);
            return;
        }
    }
    rail(sheet, back, (x0, x1), 2.0, Paint::Line, gap);
    if let Some(sign) = passed.sign.filter(|_| row.live != Answer::Refused) {
        let from = x1 - (x1 - x0) * passed.back;
        rail(sheet, back, (from, x1), busy.max(2.5), sign.paint(), gap);
        if passed.back >= 1.0 {
            let r = (layout.rows.height(i) * 0.2).min(6.0);
            sheet.glyph(sign, x0 + if layout.phone { 8.0 } else { 10.0 }, back, r);
        }
    }
    if gap.is_some() {
        sheet.glyph(Shape::Gap, middle, y, distance + 3.0);
    }
}

// --- lanes ------------------------------------------------------------------------------------------------------

/// One line per worker, painted state by state: the same pen for all of one state.
fn lanes(sheet: &mut Sheet, scene: &Scene, layout: &Layout, view: &View, passed: &[Passed]) {
    let (x0, x1) = layout.rails();
    let width = (layout.rows.pitch * 0.3).clamp(0.5, 3.0);
    let narrow = |i: &usize| !layout.rows.is_roomy(*i);
    let end = |i: usize| layout.lamp_x - layout.lamp_column(i) - 2.5;
    for i in (0..scene.rows.len()).filter(narrow) {
        let y = layout.rows.center(i);
        if scene.rows[i].lamp == Sign::Down {
            sheet.line([x0, y, end(i), y], width.min(1.0), Dash::Short, Paint::Down);
        }
    }
    for i in (0..scene.rows.len()).filter(narrow) {
        let (row, y) = (&scene.rows[i], layout.rows.center(i));
        if row.lamp != Sign::Down && passed[i].back < 1.0 {
            sheet.level(y, x0, end(i), width, Paint::Line.alpha(0.7));
        }
    }
    for i in (0..scene.rows.len()).filter(narrow) {
        if scene.rows[i].live == Answer::Pending && passed[i].out > 0.0 {
            let x = x0 + (x1 - x0) * passed[i].out;
            sheet.level(layout.rows.center(i), x0, x, width, Paint::Task.alpha(0.6));
        }
    }
    let busy = if view.flow { width * 1.6 } else { width };
    for sign in [Shape::InTime, Shape::Lying, Shape::Failed] {
        let alpha = if sign == Shape::InTime { 0.75 } else { 0.95 };
        for i in (0..scene.rows.len()).filter(narrow) {
            if passed[i].sign == Some(sign) && scene.rows[i].lamp != Sign::Down {
                let from = x1 - (x1 - x0) * passed[i].back;
                sheet.level(layout.rows.center(i), from, end(i), busy, sign.paint().alpha(alpha));
            }
        }
    }
    for i in (0..scene.rows.len()).filter(narrow).filter(|i| scene.rows[*i].node.cut) {
        sheet.glyph(Shape::Gap, ((x0 + x1) / 2.0).round(), layout.rows.center(i), 3.0);
    }
}

// --- what moves -------------------------------------------------------------------------------------------------

fn messages(sheet: &mut Sheet, scene: &Scene, layout: &Layout) {
    let (x0, x1) = layout.rails();
    let mut signs = Signs::default();
    for message in &scene.now.messages {
        let Some((row, outward)) = place(scene, message) else {
            continue;
        };
        let height = layout.rows.height(row);
        let (y, distance, size) = if layout.rows.is_roomy(row) {
            (layout.rows.center(row).round(), rail_distance(height), (height * 0.2).min(6.0))
        } else {
            (layout.rows.center(row), 0.0, (height * 0.5).clamp(1.2, 2.4))
        };
        let part = progress(message, scene.now.vtime_ms);
        let (x, y) = if outward {
            (x0 + (x1 - x0) * part, y - distance)
        } else {
            (x1 - (x1 - x0) * part, y + distance)
        };
        if message.lost && part >= 0.5 {
            signs.glyph(Shape::Gap, x, y, size.max(3.0));
            continue;
        }
        // Registrations, heartbeats and the answers to them are not what the picture is about.
        let (shape, size) = match message.req {
            0 => (Shape::Hollow, size * 0.4),
            _ if message.kind == MessageKind::Request => (Shape::Dot, size * 0.62),
            _ if message.kind == MessageKind::Cancel => (Shape::Hollow, size * 0.5),
            _ => (shape_of(scene, row, message), size),
        };
        signs.glyph(shape, x, y, size.max(1.2));
    }
    sheet.signs(signs);
}

// --- lamps and names --------------------------------------------------------------------------------------------

/// The lamps, state by state.
fn lamps(sheet: &mut Sheet, scene: &Scene, layout: &Layout) {
    for state in Sign::ALL {
        for (i, _) in scene.rows.iter().enumerate().filter(|(_, row)| row.lamp == state) {
            let height = layout.rows.height(i);
            let r = if layout.rows.is_roomy(i) {
                (height * 0.34).min(10.0)
            } else {
                (height * 0.46).clamp(1.6, 8.0)
            };
            let (x, y) = (layout.lamp_x - lamp_step(layout, i), layout.rows.center(i));
            let y = if layout.rows.is_roomy(i) { y.round() } else { y };
            lamp(sheet, scene, state, (x, y, r));
        }
    }
}

/// One lamp; a ring that is filled says how much of the time is used up.
pub(super) fn lamp(sheet: &mut Sheet, scene: &Scene, state: Sign, (x, y, r): (f64, f64, f64)) {
    let shape = lamp_shape(state);
    let part = scene.open_ms.map_or(0.0, |open| open / scene.timeout_ms);
    sheet.marks.push(Mark::Glyph { shape, x, y, r, part, paint: shape.paint() });
}

/// A worker's name, and what is unusual about it.
fn name(sheet: &mut Sheet, scene: &Scene, layout: &Layout, i: usize) -> Rect {
    let row = &scene.rows[i];
    let is_chosen = scene.selected == Some(i);
    let px = if layout.phone || layout.rows.height(i) < 18.0 { 12.0 } else { 13.0 };
    let words = Text::new(row.node.name.as_str(), layout.label_x, layout.rows.center(i).round() + 0.5)
        .font(Font::Mono)
        .px(px)
        .weight(if is_chosen { 500 } else { 400 })
        .paint(if row.registered || !row.node.up { Paint::Ink } else { Paint::Ink3 });
    let bounds = words.bounds();
    let strip = layout.when.or(layout.what).map_or(layout.width, |(x, _)| x - 8.0);
    sheet.text(words);
    if row.node.slow != 1.0 {
        let slow = format!("×{}", scale::short(row.node.slow));
        let slow = Text::new(slow, bounds.right() + 5.0, bounds.center().1).font(Font::Condensed);
        if slow.bounds().right() <= strip {
            sheet.text(slow);
        }
    }
    bounds
}

/// All names, or every second, third, … where rows are too low for words.
fn names(sheet: &mut Sheet, scene: &Scene, layout: &Layout) {
    let every = (12.5 / layout.rows.pitch).ceil().max(1.0) as usize;
    for i in (0..scene.rows.len()).step_by(every) {
        name(sheet, scene, layout, i);
    }
}

/// The names of the first and last of each block of narrow rows, and of the row under the lens.
fn ranges(sheet: &mut Sheet, scene: &Scene, layout: &Layout) {
    let (rows, last) = (&layout.rows, scene.rows.len() - 1);
    let lens = rows.lens.map(|(row, _)| name(sheet, scene, layout, row));
    let block = [20, 50, 100].into_iter().find(|size| *size as f64 * rows.pitch >= 34.0).unwrap_or(200);
    let right = layout.what.or(layout.when).map_or(layout.width, |(_, x)| x + 6.0);
    for from in (0..=last).step_by(block) {
        let to = (from + block - 1).min(last);
        if from > 0 {
            let y = rows.start(from).round() + 0.5;
            sheet.level(y, layout.hub().right() + 6.0, right, 1.0, Paint::Line);
        }
        let middle = (rows.start(from) + rows.start(to) + rows.height(to)) / 2.0;
        let number = |name: &str| name.rsplit('-').next().unwrap_or_default().to_owned();
        let first = Text::new(scene.rows[from].node.name.as_str(), layout.label_x, middle - 8.0);
        let first = first.font(Font::Mono);
        let until =
            Text::new("–".to_owned() + &number(&scene.rows[to].node.name), layout.label_x, middle + 8.0);
        let until = until.font(Font::Mono);
        // A last block may be too low for two lines, and the lens lies over some.
        let (top, bottom) = (rows.start(from) - 0.1, rows.start(to) + rows.height(to) + 0.1);
        let fits = first.bounds().y >= top && until.bounds().bottom() <= bottom;
        for words in [first, until] {
            let free = lens.is_none_or(|lens| !lens.overlaps(&words.bounds()));
            if fits && free {
                sheet.text(words);
            }
        }
    }
}
