//! The client and the coordinator, and the track between them.

use super::mark::{Align, Dash, Fill, Font, Rect, Shape, Sheet, Text};
use super::paint::Paint;
use super::scene::Scene;
use super::{Layout, View};
use crate::app::snapshot::{MessageKind, MessageView};

/// How far a message has come, 0 … 1: messages move evenly, or a picture would lie about latency. One that is lost
/// comes as far as the middle.
pub(super) fn progress(message: &MessageView, vtime_ms: f64) -> f64 {
    let flight = message.arrives_ms - message.sent_ms;
    if flight <= 0.0 {
        return 1.0;
    }
    let part = ((vtime_ms - message.sent_ms) / flight).clamp(0.0, 1.0);
    if message.lost { part.min(0.5) } else { part }
}

pub(super) fn draw(sheet: &mut Sheet, scene: &Scene, layout: &Layout, view: &View) {
    coordinator(sheet, scene, layout);
    if let Some(rect) = layout.client {
        client(sheet, scene, layout, rect, view);
    }
}

/// A node's box; a broken outline if it is down.
pub(super) fn node_box(sheet: &mut Sheet, rect: Rect, up: bool) {
    sheet.area(rect, 5.0, Fill::Solid, Paint::Raised);
    if up {
        sheet.area(rect, 5.0, Fill::Outline, Paint::Control);
    } else {
        sheet.area(rect, 5.0, Fill::DashedOutline, Paint::Down);
    }
}

fn coordinator(sheet: &mut Sheet, scene: &Scene, layout: &Layout) {
    let rect = layout.coordinator;
    let up = scene.coordinator.is_none_or(|node| node.up);
    node_box(sheet, rect, up);
    // The gate that answers race to.
    sheet
        .solid(Rect::new(rect.right() - 3.0, rect.y, 5.0, rect.h), if up { Paint::Ink } else { Paint::Down });
    let (x, y) = rect.center();
    let wide = rect.w >= 44.0 && rect.h >= 180.0;
    let name = if up { "Coordinator" } else { "Coordinator, down" };
    let label = Text {
        upright: true,
        ..Text::new(name, if wide { x - 10.0 } else { x - 1.0 }, y)
            .px(if wide { 15.0 } else { 13.0 })
            .weight(600)
            .align(Align::Center)
            .paint(Paint::Ink)
    };
    if label.width() <= rect.h {
        sheet.text(label);
    }
    if wide {
        let strategy = format!("{} of answers in time", scene.snapshot.settings.strategy);
        sheet.text(Text {
            upright: true,
            ..Text::new(strategy, x + 9.0, y).align(Align::Center).paint(Paint::Ink3)
        });
    }
}

fn client(sheet: &mut Sheet, scene: &Scene, layout: &Layout, rect: Rect, view: &View) {
    let (x, y) = rect.center();
    let (x0, x1) = (rect.right(), layout.coordinator.x);
    let (out, back) = (y - 9.0, y + 9.0);
    sheet.level(out, x0, x1, 2.0, Paint::Line);
    sheet.level(back, x0, x1, 2.0, Paint::Line);
    let answered = scene.request.and_then(|request| request.answered_ms.map(|_| request));
    if scene.request.is_some() {
        sheet.level(out, x0, x1, 2.0, Paint::Task.alpha(0.55));
    }
    if let Some(request) = answered {
        let shape = if request.final_value.is_some() { Shape::InTime } else { Shape::Failed };
        sheet.level(back, x0, x1, 3.0, shape.paint());
        sheet.glyph(shape, x0 + 10.0, back, 7.0);
    }
    if !view.flow && !view.reduced_motion {
        messages(sheet, scene, (x0, x1), (out, back));
    }
    node_box(sheet, rect, scene.client.is_none_or(|node| node.up));
    let middle = |text: Text| text.align(Align::Center);
    let query = scene.request.map_or("", |request| request.query.as_str());
    // A query may be any text; the box has room for nine letters.
    let query = match query.char_indices().nth(8) {
        Some((end, _)) => format!("{}…", &query[..end]),
        None if query.is_empty() => String::new(),
        None => format!("{query}?"),
    };
    let name_y = if query.is_empty() { y } else { y - 14.0 };
    sheet.text(middle(Text::new("Client", x, name_y).px(14.0).weight(600).paint(Paint::Ink)));
    if !query.is_empty() {
        sheet.text(middle(Text::new(query, x, y + 8.0).font(Font::Mono)));
    }
}

fn messages(sheet: &mut Sheet, scene: &Scene, (x0, x1): (f64, f64), (out, back): (f64, f64)) {
    let (Some(client), Some(coordinator)) = (scene.client, scene.coordinator) else {
        return;
    };
    for message in &scene.snapshot.messages {
        let part = progress(message, scene.snapshot.vtime_ms);
        if (message.from, message.to) == (client.id, coordinator.id) {
            let x = x0 + (x1 - x0) * part;
            sheet.glyph(message_shape(message.kind), x, out, 4.0);
        } else if (message.from, message.to) == (coordinator.id, client.id) {
            let x = x1 - (x1 - x0) * part;
            let shape = message_shape(message.kind);
            sheet.line([x, back, x1, back], 3.0, Dash::Solid, shape.paint());
            sheet.glyph(shape, x, back, 7.0);
        }
    }
}

/// The sign of a message of that kind; whether an answer lies or comes late, only a worker's row knows.
pub(super) const fn message_shape(kind: MessageKind) -> Shape {
    match kind {
        MessageKind::Request => Shape::Dot,
        MessageKind::Answer => Shape::InTime,
        MessageKind::Error | MessageKind::Refusal => Shape::Failed,
        MessageKind::Cancel => Shape::Hollow,
    }
}
