//! The tracks: operator, controller and Valkey as boxes, rails from the controller to each agent, and from there to
//! the workers that read it.

use super::scene::Scene;
use crate::app::canvas::{
    Align, Dash, Fill, Font, Mark, Paint, Rect, Shape, Sheet, Text, View, lamp_shape, message_shape,
    node_box, progress, scale,
};
use crate::app::config::observe::{AGENT, HolderView};
use crate::app::snapshot::{MessageKind, MessageView, NodeView, Sign};

/// The states of a lamp in painting order.
const LAMPS: [Sign; 5] = [Sign::InTime, Sign::Late, Sign::Failed, Sign::Down, Sign::Idle];

pub(super) fn draw(sheet: &mut Sheet, scene: &Scene, view: &View) {
    boxes(sheet, scene);
    if let Some((rect, node)) = scene.operator {
        operator(sheet, scene, rect, node, view);
    }
    stems(sheet, scene);
    for (i, node, holder) in scene.holders() {
        match node.role {
            AGENT => agent_rail(sheet, scene, i, node, holder),
            _ => worker_rail(sheet, scene, i, node, holder),
        }
    }
    if !view.flow && !view.reduced_motion {
        messages(sheet, scene);
    }
    for state in LAMPS {
        for (i, node, _) in scene.holders().filter(|(_, node, _)| node.state.sign == state) {
            lamp(sheet, scene, i, node);
        }
    }
    names(sheet, scene);
}

// --- boxes ------------------------------------------------------------------------------------------------------

fn boxes(sheet: &mut Sheet, scene: &Scene) {
    let (rect, node) = scene.controller;
    let newest = format!("serves v{}", scene.config.newest);
    column(sheet, scene, (rect, node), "Controller", &newest);
    let Some((broker, node)) = scene.broker else { return };
    // What the controller announces goes this way.
    let x = rect.center().0.round();
    sheet.line([x, rect.bottom(), x, broker.y], 2.0, Dash::Solid, Paint::Line);
    for (message, outward) in scene.messages(scene.controller.1.id, node.id) {
        let part = progress(message, scene.now.vtime_ms);
        let part = if outward { part } else { 1.0 - part };
        sheet.glyph(shape(message), x, rect.bottom() + (broker.y - rect.bottom()) * part, 3.0);
    }
    column(sheet, scene, (broker, node), "Valkey", "");
}

/// A box in the controller's column: what leaves it leaves through its right edge.
fn column(sheet: &mut Sheet, scene: &Scene, (rect, node): (Rect, &NodeView), name: &str, what: &str) {
    node_box(sheet, rect, node.up);
    chosen(sheet, scene, rect, node);
    let paint = if node.up { Paint::Ink } else { Paint::Down };
    sheet.solid(Rect::new(rect.right() - 3.0, rect.y, 5.0, rect.h), paint);
    let (x, y) = rect.center();
    let wide = rect.w >= 44.0 && rect.h >= 140.0 && !what.is_empty();
    let full = match node.down_since_ms {
        Some(since) => format!("{name}, down since {:.1} s", since / 1000.0),
        None => name.to_owned(),
    };
    let label = |words: &str, x: f64, px: f64| Text {
        upright: true,
        ..Text::new(words, x, y).px(px).align(Align::Center)
    };
    let px = if wide { 15.0 } else { 13.0 };
    let x_name = if wide { x - 10.0 } else { x - 1.0 };
    for words in [full.as_str(), name] {
        let words = label(words, x_name, px).weight(600).paint(Paint::Ink);
        if words.width() <= rect.h - 4.0 {
            sheet.text(words);
            break;
        }
    }
    if wide && node.up {
        sheet.text(label(what, x + 9.0, 12.0).paint(Paint::Ink3));
    }
}

/// A selected box has a strong outline.
fn chosen(sheet: &mut Sheet, scene: &Scene, rect: Rect, node: &NodeView) {
    if scene.chosen == node.name {
        let rect = Rect::new(rect.x - 3.0, rect.y - 3.0, rect.w + 6.0, rect.h + 6.0);
        sheet.area(rect, 7.0, Fill::Outline, Paint::Ink);
    }
}

fn operator(sheet: &mut Sheet, scene: &Scene, rect: Rect, node: &NodeView, view: &View) {
    let (x, y) = rect.center();
    let (x0, x1) = (rect.right(), scene.controller.0.x);
    let (out, back) = (y - 9.0, y + 9.0);
    sheet.level(out, x0, x1, 2.0, Paint::Line);
    sheet.level(back, x0, x1, 2.0, Paint::Line);
    if !view.flow && !view.reduced_motion {
        for (message, outward) in scene.messages(node.id, scene.controller.1.id) {
            let part = progress(message, scene.now.vtime_ms);
            let (x, y) = if outward { (x0 + (x1 - x0) * part, out) } else { (x1 - (x1 - x0) * part, back) };
            sheet.glyph(shape(message), x, y, if outward { 4.0 } else { 6.0 });
        }
    }
    node_box(sheet, rect, node.up);
    chosen(sheet, scene, rect, node);
    let middle = |words: &str, y: f64| Text::new(words, x, y).align(Align::Center);
    sheet.text(middle("Operator", y - 10.0).px(13.0).weight(600).paint(Paint::Ink));
    let period = scene.config.put_period_ms;
    let words = if period > 0.0 { format!("every {}", scale::duration(period)) } else { "idle".to_owned() };
    sheet.text(middle(&words, y + 9.0).font(Font::Condensed));
}

// --- rails ------------------------------------------------------------------------------------------------------

/// How far the two rails are from the middle of a row.
fn rail_distance(height: f64) -> f64 {
    (height * 0.17).clamp(2.5, 5.5).round()
}

/// From each agent down to its last worker.
fn stems(sheet: &mut Sheet, scene: &Scene) {
    let rows = &scene.layout.rows;
    let mut agent = None;
    for (i, node, holder) in scene.holders() {
        if node.role == AGENT {
            agent = Some(i);
        }
        let is_last = scene.config.holders.get(i + 1).is_none_or(|next| next.agent != holder.agent);
        if let (Some(from), true) = (agent.filter(|from| *from < i), is_last) {
            let (y0, y1) = (rows.center(from).round(), rows.center(i).round());
            sheet.line([scene.agent_x, y0, scene.agent_x, y1], 1.5, Dash::Solid, Paint::Line);
        }
    }
}

/// Out above, back below; the way back has the colour of what the last poll brought.
fn agent_rail(sheet: &mut Sheet, scene: &Scene, i: usize, node: &NodeView, holder: &HolderView) {
    let layout = &scene.layout;
    let (x0, y) = (layout.gate.right() + 3.0, layout.rows.center(i));
    let paint = match (holder.failures, holder.version) {
        (1.., _) => Paint::Failed,
        (0, 0) => Paint::Line,
        (0, _) => Paint::InTime,
    };
    if !layout.rows.is_roomy(i) {
        let (x1, width) = (scene.lamp_x(i) - 2.5, (layout.rows.pitch * 0.3).clamp(0.5, 3.0));
        match node.up {
            true => sheet.level(y, x0, x1, width, paint.alpha(0.7)),
            false => sheet.line([x0, y, x1, y], width, Dash::Short, Paint::Down),
        }
        return;
    }
    let x1 = scene.agent_x - 11.0;
    let (y, distance) = (y.round(), rail_distance(layout.rows.height(i)));
    let (out, back) = (y - distance, y + distance);
    if node.state.sign == Sign::Down {
        sheet.line([x0, out, x1, out], 2.0, Dash::Short, Paint::Down);
        sheet.level(back, x0, x1, 2.0, Paint::Line);
        return;
    }
    sheet.level(out, x0, x1, 2.0, Paint::Line);
    sheet.level(back, x0, x1, if paint == Paint::Line { 2.0 } else { 2.5 }, paint);
    if paint == Paint::Failed {
        let r = (layout.rows.height(i) * 0.2).min(6.0);
        sheet.glyph(Shape::Failed, x0 + if layout.phone { 7.0 } else { 10.0 }, back, r);
    }
    if holder.cut_off {
        sheet.glyph(Shape::Gap, ((x0 + x1) / 2.0).round(), y, distance + 3.0);
    }
}

fn worker_rail(sheet: &mut Sheet, scene: &Scene, i: usize, node: &NodeView, holder: &HolderView) {
    let layout = &scene.layout;
    let (x0, y) = (scene.agent_x, layout.rows.center(i));
    let roomy = layout.rows.is_roomy(i);
    let x1 = if roomy { layout.lamp_x - 11.0 } else { scene.lamp_x(i) - 2.5 };
    let (y, width) = if roomy { (y.round(), 1.5) } else { (y, (layout.rows.pitch * 0.3).clamp(0.5, 1.5)) };
    match node.state.sign {
        Sign::Down => sheet.line([x0, y, x1, y], width, Dash::Short, Paint::Down),
        _ => sheet.level(y, x0, x1, width, Paint::Line),
    }
    if roomy && holder.cut_off {
        sheet.glyph(Shape::Gap, ((x0 + x1) / 2.0).round(), y, 6.0);
    }
}

// --- what moves -------------------------------------------------------------------------------------------------

fn shape(message: &MessageView) -> Shape {
    message_shape(message.kind)
}

fn messages(sheet: &mut Sheet, scene: &Scene) {
    let layout = &scene.layout;
    // By node number: rows are not in its order.
    let most = scene.rows.iter().map(|node| node.id as usize).max().unwrap_or(0);
    let mut places = vec![None; most + 1];
    scene.rows.iter().enumerate().for_each(|(i, node)| places[node.id as usize] = Some(i));
    let row_of = |id: u32| places.get(id as usize).copied().flatten();
    let broker = scene.broker.map_or(0, |(_, node)| node.id);
    let sources = [scene.controller.1.id, broker];
    for message in &scene.now.messages {
        let is_source = |id: u32| sources.contains(&id);
        let (end, outward) = match (row_of(message.from), row_of(message.to)) {
            (None, Some(to)) if is_source(message.from) => (to, true),
            (Some(from), None) if is_source(message.to) => (from, false),
            // Between an agent and its worker: the worker's row.
            (Some(from), Some(to)) => (from.max(to), from < to),
            _ => continue,
        };
        let x0 = if scene.rows[end].role == AGENT { layout.gate.right() + 3.0 } else { scene.agent_x };
        let (x1, height) = (scene.lamp_x(end) - 11.0, layout.rows.height(end));
        let roomy = layout.rows.is_roomy(end);
        let part = progress(message, scene.now.vtime_ms);
        let distance = match scene.rows[end].role {
            AGENT if roomy => rail_distance(height),
            _ => 0.0,
        };
        // Questions go towards the controller, which is to the left.
        let (x, y) = match outward {
            true => (x0 + (x1 - x0) * part, layout.rows.center(end) + distance),
            false => (x1 - (x1 - x0) * part, layout.rows.center(end) - distance),
        };
        let size = if roomy { (height * 0.2).min(5.0) } else { (height * 0.5).clamp(1.2, 2.4) };
        if message.lost && part >= 0.5 {
            sheet.glyph(Shape::Gap, x, y, size.max(3.0));
            continue;
        }
        let of_broker = message.from == broker || message.to == broker;
        let (shape, size) = match message.kind {
            MessageKind::Cancel => (Shape::Hollow, size * 0.6),
            _ if of_broker => (Shape::Asked, size),
            MessageKind::Request => (Shape::Dot, size * 0.7),
            _ => (shape(message), size),
        };
        sheet.glyph(shape, x, y, size.max(1.2));
    }
}

// --- lamps and names --------------------------------------------------------------------------------------------

fn lamp(sheet: &mut Sheet, scene: &Scene, i: usize, node: &NodeView) {
    let rows = &scene.layout.rows;
    let roomy = rows.is_roomy(i);
    let r = if roomy { (rows.height(i) * 0.34).min(9.0) } else { (rows.height(i) * 0.46).clamp(1.6, 8.0) };
    let y = if roomy { rows.center(i).round() } else { rows.center(i) };
    let shape = lamp_shape(node.state.sign);
    sheet.marks.push(Mark::Glyph { shape, x: scene.lamp_x(i), y, r, part: 0.0, paint: shape.paint() });
}

/// Names with versions: of all, or of as many as there is room for.
fn names(sheet: &mut Sheet, scene: &Scene) {
    let rows = &scene.layout.rows;
    let lens = rows.lens.map(|(row, _)| row);
    let mut free_from = [f64::MIN; 2];
    for (i, node, holder) in scene.holders() {
        // The break bar hangs over the first row, the axis stands under the last.
        let y = rows.center(i).round().clamp(scene.layout.top + 8.0, scene.layout.bottom - 7.0) + 0.5;
        let column = usize::from(node.role == AGENT);
        let apart = lens.is_none_or(|lens| lens == i || (rows.center(lens) - y).abs() >= 16.0);
        if y - 7.0 < free_from[column] || !apart {
            continue;
        }
        free_from[column] = y + if rows.count <= 24 { 7.0 } else { 24.0 };
        name(sheet, scene, i, node, holder, y);
    }
}

fn name(sheet: &mut Sheet, scene: &Scene, i: usize, node: &NodeView, holder: &HolderView, y: f64) {
    let layout = &scene.layout;
    let strip = layout.when.or(layout.what).map_or(layout.width, |(x, _)| x - 8.0);
    let is_agent = node.role == AGENT;
    let x = if is_agent { scene.agent_x + if layout.phone { 11.0 } else { 14.0 } } else { layout.label_x };
    let is_chosen = scene.selected == Some(i);
    let px = if layout.phone || layout.rows.height(i) < 18.0 { 12.0 } else { 13.0 };
    let weight = if is_chosen || is_agent { 500 } else { 400 };
    let words = Text::new(node.name.as_str(), x, y).font(Font::Mono).px(px).weight(weight).paint(Paint::Ink);
    let mut end = words.bounds().right();
    sheet.text(words);
    let mut add = |words: String, paint: Paint| {
        let words = Text::new(words, end + 6.0, y).font(Font::Condensed).paint(paint);
        if words.bounds().right() <= strip {
            end = words.bounds().right();
            sheet.text(words);
        }
    };
    if holder.version > 0 {
        add(format!("v{}", holder.version), Paint::Ink);
    }
    if node.slow != 1.0 {
        add(format!("×{}", scale::short(node.slow)), Paint::Ink2);
    }
    if holder.unheard {
        add("no trigger".to_owned(), Paint::Ink2);
    }
    if is_agent && holder.failures > 0 && node.up {
        let times = if holder.failures == 1 {
            "1 failure".to_owned()
        } else {
            format!("{} failures", holder.failures)
        };
        add(times, Paint::Ink2);
    }
}
