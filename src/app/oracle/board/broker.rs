//! The broker between the coordinator and the tracks, and the two subjects that lead to it.

use super::scene::Scene;
use super::system::messages;
use crate::app::canvas::{Align, Dash, Fill, Font, Layout, Paint, Rect, Sheet, Text, View, node_box};
use crate::app::oracle::view::BrokerView;

/// How far the subjects' rails are from their middle.
const RAILS: f64 = 9.0;

pub(super) fn draw(sheet: &mut Sheet, scene: &Scene, layout: &Layout, rect: Rect, view: &View) {
    let (Some(node), Some(broker)) = (scene.broker, &scene.now.view.broker) else {
        return;
    };
    subjects(sheet, scene, layout, rect, view, node.up);
    node_box(sheet, rect, node.up);
    if view.selected == node.name {
        sheet.area(
            Rect::new(rect.x - 3.0, rect.y - 3.0, rect.w + 6.0, rect.h + 6.0),
            7.0,
            Fill::Outline,
            Paint::Ink,
        );
    }
    let (x, y) = rect.center();
    let wide = rect.w >= 40.0;
    let (state, tells_loss) = state(scene, broker, node.up);
    let name = if node.up { "Broker nats" } else { "Broker nats, down" };
    let upright = |text: Text| Text { upright: true, ..text.align(Align::Center) };
    let px = if wide { 15.0 } else { 13.0 };
    let label =
        upright(Text::new(name, if wide { x - 9.0 } else { x }, y).px(px).weight(600).paint(Paint::Ink));
    if label.width() <= rect.h {
        sheet.text(label);
    }
    if wide {
        let paint = if tells_loss { Paint::Failed } else { Paint::Ink3 };
        let line = upright(Text::new(state, x + 10.0, y).paint(paint));
        if line.width() <= rect.h {
            sheet.text(line);
        }
    }
}

/// What the broker holds, who is not there, and what was lost with it; and whether that is a loss.
fn state(scene: &Scene, broker: &BrokerView, up: bool) -> (String, bool) {
    let workers = scene.rows.iter().filter(|row| row.node.up).count();
    let (asks, connected) = broker.connected;
    let [tasks, results] = broker.stored;
    if up && (!asks || connected < workers) {
        return (format!("{connected} of {workers} workers connected"), false);
    }
    match broker.transport {
        "jetstream" if broker.redelivered > 0 => (format!("delivered {} again", broker.redelivered), false),
        "jetstream" => (format!("JetStream keeps tasks: {tasks}, results: {results}"), false),
        _ if broker.lost > 0 => (format!("{} of this request lost", broker.lost), true),
        _ => ("core NATS, keeps nothing".to_owned(), false),
    }
}

/// `oracle.tasks` to the broker above, `oracle.results` from it below.
fn subjects(sheet: &mut Sheet, scene: &Scene, layout: &Layout, rect: Rect, view: &View, up: bool) {
    let (x0, x1) = (layout.gate.right() + 2.0, rect.x);
    let y = rect.center().1.round();
    let (out, back) = (y - RAILS, y + RAILS);
    if up {
        sheet.level(out, x0, x1, 2.0, Paint::Line);
        sheet.level(back, x0, x1, 2.0, Paint::Line);
        if scene.request.is_some_and(|request| request.error.is_none() && request.opened_ms.is_some()) {
            sheet.level(out, x0, x1, 2.0, Paint::Task.alpha(0.55));
        }
    } else {
        for y in [out, back] {
            sheet.line([x0, y, x1, y], 2.0, Dash::Short, Paint::Down);
        }
    }
    if !view.flow && !view.reduced_motion {
        messages(sheet, scene, (scene.coordinator, scene.broker), (x0, x1), (out, back));
    }
    for (name, y) in [("oracle.tasks", out - 13.0), ("oracle.results", back + 14.0)] {
        let name = Text::new(name, ((x0 + x1) / 2.0).round(), y).font(Font::Condensed).align(Align::Center);
        if name.width() <= x1 - x0 - 8.0 {
            sheet.text(name.paint(Paint::Ink2));
        }
    }
}
