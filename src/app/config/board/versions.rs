//! The strip *when*: the last seconds up to now. A bar per version says who ran it when: plain while it was the newest,
//! hatched from when a newer one was acknowledged. Over an agent's bar stand its polls, and beyond now its next one.

use super::scene::Scene;
use crate::app::canvas::scale::{self, Scale};
use crate::app::canvas::{Align, Dash, Fill, Font, Paint, Rect, Shape, Sheet, Text, figures_y};
use crate::app::config::observe::{AGENT, HolderView, WORKER};
use crate::app::snapshot::NodeView;

/// How much of the axis lies beyond now, as a share of the past that it shows.
const AHEAD: f64 = 0.25;

pub(super) fn draw(sheet: &mut Sheet, scene: &Scene) {
    let Some(ends) = scene.layout.when else {
        return;
    };
    let past = scene.config.past_ms;
    let axis = Scale { values: (-past, past * AHEAD), pixels: ends };
    outages(sheet, scene, &axis);
    for (i, node, holder) in scene.holders() {
        bars(sheet, scene, &axis, i, (node, holder));
    }
    for (i, _, holder) in scene.holders().filter(|(_, node, _)| node.role == AGENT) {
        polls(sheet, scene, &axis, i, holder);
        next_poll(sheet, scene, &axis, i, holder);
    }
    now(sheet, scene, &axis);
    ticks(sheet, scene, &axis);
}

/// Where an instant stands, kept inside the past.
fn at(scene: &Scene, axis: &Scale, ms: f64) -> f64 {
    axis.at((ms - scene.now.vtime_ms).clamp(axis.values.0, 0.0))
}

/// When the controller was down.
fn outages(sheet: &mut Sheet, scene: &Scene, axis: &Scale) {
    let layout = &scene.layout;
    for (from, to) in scene.down_times(scene.controller.1) {
        let (x0, x1) = (at(scene, axis, from), at(scene, axis, to));
        if x1 > x0 {
            let rect = Rect::new(x0, layout.top, x1 - x0, layout.bottom - layout.top);
            sheet.solid(rect, Paint::Down.alpha(0.2));
        }
    }
}

// --- bars -------------------------------------------------------------------------------------------------------

fn bars(sheet: &mut Sheet, scene: &Scene, axis: &Scale, i: usize, (node, holder): (&NodeView, &HolderView)) {
    let (rows, vtime) = (&scene.layout.rows, scene.now.vtime_ms);
    let height = rows.height(i);
    let roomy = rows.is_roomy(i);
    // An agent's polls are what its row is about; its bar runs along below them.
    let (share, most) = if node.role == AGENT { (0.2, 5.0) } else { (0.44, 15.0) };
    let thick = if roomy { (height * share).clamp(2.0, most).round() } else { (height * 0.62).max(0.6) };
    let y = match node.role {
        AGENT if roomy => (rows.center(i) + height * 0.2).round(),
        _ if roomy => rows.center(i).round() - (thick / 2.0).floor(),
        _ => rows.center(i) - thick / 2.0,
    };
    let until = node.down_since_ms.unwrap_or(vtime);
    for (place, &(version, from)) in holder.ran.iter().enumerate() {
        let to = holder.ran.get(place + 1).map_or(until, |&(_, next)| next).min(until);
        // It stopped being the newest when a newer one was acknowledged.
        let newer = scene.config.versions.iter().filter(|other| other.number > version);
        let outdated = newer.filter_map(|other| other.acknowledged_ms).fold(f64::INFINITY, f64::min);
        let (x0, x1) = (at(scene, axis, from), at(scene, axis, to));
        if x1 - x0 < 0.5 {
            continue;
        }
        let middle = if outdated < to { at(scene, axis, outdated.max(from)) } else { x1 };
        let is_bad = scene.config.versions.iter().any(|other| other.number == version && other.bad);
        let (paint, alpha) = match (is_bad, node.role) {
            (true, _) => (Paint::Failed, 0.34),
            (false, AGENT) => (Paint::InTime, 0.6),
            (false, _) => (Paint::InTime, 0.9),
        };
        let gap = if roomy { 1.5 } else { 0.0 };
        if middle > x0 {
            sheet.area(Rect::new(x0, y, middle - x0, thick), 0.0, Fill::Solid, paint.alpha(alpha));
        }
        if x1 > middle {
            let rect = Rect::new(middle, y, (x1 - middle - gap).max(0.5), thick);
            if thick >= 5.0 {
                sheet.area(rect, 0.0, Fill::Hatch, Paint::Late);
            } else {
                sheet.solid(rect, Paint::Late.alpha(0.5));
            }
        }
        if place > 0 && roomy {
            sheet.line([x0, y - 2.0, x0, y + thick + 2.0], 1.5, Dash::Solid, Paint::Ink);
        }
        if roomy && node.role == WORKER {
            label(sheet, (x0, middle, x1), y + thick / 2.0, version, is_bad);
        }
    }
    if let Some(since) = node.down_since_ms {
        let (x0, x1) = (at(scene, axis, since), axis.at(0.0));
        if x1 - x0 >= 2.0 && roomy {
            sheet.area(Rect::new(x0, y, x1 - x0, thick), 0.0, Fill::DashedOutline, Paint::Down);
        }
    }
}

/// A version's number in its bar, where there is room for it.
fn label(sheet: &mut Sheet, (x0, middle, x1): (f64, f64, f64), y: f64, version: u64, is_bad: bool) {
    let words = Text::new(format!("v{version}"), x0 + 5.0, y + 0.5).font(Font::Mono).weight(500);
    let right = words.bounds().right() + 3.0;
    if is_bad && right + 14.0 <= x1 {
        sheet.glyph(Shape::Failed, right + 6.0, y, 4.5);
    }
    if right <= middle {
        sheet.text(words.paint(if is_bad { Paint::Ink } else { Paint::OnState }));
    } else if middle - x0 < 1.0 && right <= x1 {
        // On the hatching words need a ground of their own.
        sheet.text_on(words.paint(Paint::Ink), Some(Paint::Strip));
    }
}

// --- polls ------------------------------------------------------------------------------------------------------

/// A tick for a 304, a disc for a 200, a cross for an error.
fn polls(sheet: &mut Sheet, scene: &Scene, axis: &Scale, i: usize, holder: &HolderView) {
    let rows = &scene.layout.rows;
    let (y, roomy, height) = (poll_y(scene, i), rows.is_roomy(i), rows.height(i));
    let (half, r) = match roomy {
        true => ((height * 0.24).min(8.0), 5.5),
        false => ((height * 0.4).min(3.0), (height * 0.55).clamp(1.2, 4.0)),
    };
    for &(ms, status) in &holder.polls {
        let x = at(scene, axis, ms);
        match status {
            304 => sheet.line(
                [x, y - half, x, y + half],
                if roomy { 2.0 } else { 1.0 },
                Dash::Solid,
                Paint::Ink2,
            ),
            200 => sheet.glyph(Shape::InTime, x, y, r),
            _ => sheet.glyph(Shape::Failed, x, y, r * 0.85),
        }
    }
}

/// Where an agent's polls stand: a little above its bar, where there is room.
fn poll_y(scene: &Scene, i: usize) -> f64 {
    let rows = &scene.layout.rows;
    if rows.is_roomy(i) { (rows.center(i) - rows.height(i) * 0.08).round() } else { rows.center(i) }
}

fn next_poll(sheet: &mut Sheet, scene: &Scene, axis: &Scale, i: usize, holder: &HolderView) {
    let Some(next) = holder.next_poll_ms else { return };
    let rows = &scene.layout.rows;
    let (y, roomy) = (poll_y(scene, i), rows.is_roomy(i));
    let ahead = next - scene.now.vtime_ms;
    if ahead <= axis.values.1 {
        let r = if roomy { 4.0 } else { (rows.height(i) * 0.4).clamp(0.8, 2.0) };
        sheet.glyph(Shape::Hollow, axis.at(ahead), y, r);
    } else if roomy {
        let end = axis.pixels.1;
        sheet.glyph(Shape::Beyond, end - 2.0, y, 3.5);
        let words = Text::new(format!("in {:.0} s", ahead / 1000.0), end - 9.0, y + 0.5);
        let words = words.font(Font::Condensed).align(Align::Right);
        if words.bounds().x >= axis.at(0.0) + 4.0 {
            sheet.text(words);
        }
    }
}

// --- the axis ---------------------------------------------------------------------------------------------------

fn now(sheet: &mut Sheet, scene: &Scene, axis: &Scale) {
    let layout = &scene.layout;
    let x = axis.at(0.0).round();
    sheet.line([x, layout.top - 2.0, x, layout.bottom + 2.0], 2.5, Dash::Solid, Paint::Ink);
    let y = layout.bottom + if layout.phone { 11.0 } else { 13.0 };
    sheet.text(Text::new("now", x, y).weight(500).align(Align::Center).paint(Paint::Ink));
}

fn ticks(sheet: &mut Sheet, scene: &Scene, axis: &Scale) {
    let layout = &scene.layout;
    let (first, last) = axis.values;
    let step = scale::nice_step(last - first, if layout.phone { 3.0 } else { 5.0 });
    let mut tick = (first / step).ceil() * step;
    while tick <= last {
        let x = axis.at(tick).round() + 0.5;
        sheet.line([x, layout.bottom, x, layout.bottom + 4.0], 1.0, Dash::Solid, Paint::Control);
        let sign = if tick > 0.0 { "+" } else { "" };
        let unit = if tick == 0.0 { " s" } else { "" };
        let words = format!("{sign}{}{unit}", scale::short(tick / 1000.0));
        let figure = Text::new(words, x - 0.5, figures_y(layout)).font(Font::Condensed).align(Align::Center);
        if figure.bounds().x >= axis.pixels.0 - 6.0 && figure.bounds().right() <= axis.pixels.1 + 6.0 {
            sheet.text(figure.paint(Paint::Ink3));
        }
        tick += step;
    }
}
