//! The client and the coordinator, and the track between them.

use super::scene::Scene;
use crate::app::canvas::{
    Align, Dash, Font, Layout, Paint, Rect, Shape, Sheet, Signs, Text, View, message_shape, node_box,
    progress,
};
use crate::app::snapshot::NodeView;

pub(super) fn draw(sheet: &mut Sheet, scene: &Scene, layout: &Layout, view: &View) {
    coordinator(sheet, scene, layout);
    if let Some(rect) = layout.client {
        client(sheet, scene, layout, rect, view);
    }
}

fn coordinator(sheet: &mut Sheet, scene: &Scene, layout: &Layout) {
    let rect = layout.gate;
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
        let strategy = format!("{} of answers in time", scene.now.view.settings.strategy);
        sheet.text(Text {
            upright: true,
            ..Text::new(strategy, x + 9.0, y).align(Align::Center).paint(Paint::Ink3)
        });
    }
}

fn client(sheet: &mut Sheet, scene: &Scene, layout: &Layout, rect: Rect, view: &View) {
    let (x, y) = rect.center();
    let (x0, x1) = (rect.right(), layout.gate.x);
    let (out, back) = (y - 9.0, y + 9.0);
    sheet.level(out, x0, x1, 2.0, Paint::Line);
    sheet.level(back, x0, x1, 2.0, Paint::Line);
    let answered = scene.newest.and_then(|request| request.answered_ms.map(|_| request));
    if scene.newest.is_some() {
        sheet.level(out, x0, x1, 2.0, Paint::Task.alpha(0.55));
    }
    if let Some(request) = answered {
        let shape = if request.final_value.is_some() { Shape::InTime } else { Shape::Failed };
        sheet.level(back, x0, x1, 3.0, shape.paint());
        sheet.glyph(shape, x0 + 10.0, back, 7.0);
    }
    if !view.flow && !view.reduced_motion {
        messages(sheet, scene, (scene.client, scene.coordinator), (x0, x1), (out, back));
    }
    node_box(sheet, rect, scene.client.is_none_or(|node| node.up));
    let middle = |text: Text| text.align(Align::Center);
    let query = scene.newest.map_or("", |request| request.query.as_str());
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

/// What moves between two boxes: to the right above, to the left below.
pub(super) fn messages(
    sheet: &mut Sheet,
    scene: &Scene,
    ends: (Option<&NodeView>, Option<&NodeView>),
    (x0, x1): (f64, f64),
    (out, back): (f64, f64),
) {
    let (Some(left), Some(right)) = ends else {
        return;
    };
    // One box stands for all of its role: there may be many clients.
    let role = |id: u32| scene.now.nodes.get(id as usize - 1).map(|node| node.role);
    let (left, right) = (Some(left.role), Some(right.role));
    let mut signs = Signs::default();
    for message in &scene.now.messages {
        let (part, ends) = (progress(message, scene.now.vtime_ms), (role(message.from), role(message.to)));
        if ends == (left, right) {
            let x = x0 + (x1 - x0) * part;
            signs.glyph(message_shape(message.kind), x, out, 4.0);
        } else if ends == (right, left) {
            let x = x1 - (x1 - x0) * part;
            let shape = message_shape(message.kind);
            sheet.line([x, back, x1, back], 3.0, Dash::Solid, shape.paint());
            signs.glyph(shape, x, back, 7.0);
        }
    }
    sheet.signs(signs);
}
