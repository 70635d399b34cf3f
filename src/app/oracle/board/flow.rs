//! From 400 workers on: bundles of 25 instead of tracks, and a grid of one mark per worker.

use super::scene::Scene;
use super::tracks::lamp;
use crate::app::canvas::{
    Align, Fill, Font, Grid, Layout, Paint, Rect, Shape, Sheet, Text, View, lamp_shape, progress,
};
use crate::app::snapshot::{MessageKind, Sign};

/// Answers in the order in which a bundle stacks them.
const STACK: [Sign; 4] = [Sign::InTime, Sign::Lying, Sign::Failed, Sign::Late];

pub(super) fn draw(sheet: &mut Sheet, scene: &Scene, layout: &Layout, view: &View) {
    let Some(grid) = layout.grid else {
        return;
    };
    if let Some(ends) = grid.bundles {
        bundles(sheet, scene, &grid, ends);
        if !view.flow && !view.reduced_motion {
            messages(sheet, scene, &grid, ends);
        }
    }
    for state in Sign::ALL {
        for (i, _) in scene.rows.iter().enumerate().filter(|(_, row)| row.lamp == state) {
            let (x, y) = grid.cell_of(i).center();
            lamp(sheet, scene, state, (x, y, grid.radius()));
        }
    }
    names(sheet, scene, layout, &grid);
    captions(sheet, layout, &grid, view);
    for (row, alpha) in [(scene.hovered, 0.6), (scene.selected, 1.0)] {
        if let Some(row) = row {
            chosen(sheet, grid.cell_of(row), alpha);
        }
    }
}

/// The middle of a bundle, and half its height.
fn band(grid: &Grid, row: usize) -> (f64, f64) {
    let y = grid.origin.1 + (row as f64 + 0.5) * grid.cell.1;
    (y, (grid.cell.1 * 0.4).clamp(0.5, 6.0))
}

/// One band per bundle: its height is divided among the states of its workers.
fn bundles(sheet: &mut Sheet, scene: &Scene, grid: &Grid, (x0, x1): (f64, f64)) {
    for row in 0..grid.rows {
        let (y, half) = band(grid, row);
        sheet.solid(Rect::new(x0, y - half, x1 - x0, 2.0 * half), Paint::Line.alpha(0.7));
    }
    for (kind, state) in STACK.into_iter().enumerate() {
        for (row, workers) in scene.rows.chunks(grid.per_row).enumerate() {
            let share = |state: Sign| {
                workers.iter().filter(|row| row.lamp == state).count() as f64 / workers.len() as f64
            };
            let below: f64 = STACK[..kind].iter().map(|state| share(*state)).sum();
            let (y, half) = band(grid, row);
            let height = 2.0 * half * share(state);
            if height > 0.0 {
                let rect = Rect::new(x0, y - half + 2.0 * half * below, x1 - x0, height);
                let alpha = if state == Sign::Late { 0.5 } else { 0.9 };
                sheet.solid(rect, lamp_shape(state).paint().alpha(alpha));
            }
        }
    }
}

/// A dot per message: outward above its bundle, back below it.
fn messages(sheet: &mut Sheet, scene: &Scene, grid: &Grid, (x0, x1): (f64, f64)) {
    let Some(hub) = scene.hub().map(|node| node.id) else {
        return;
    };
    let size = (grid.cell.1 * 0.24).clamp(1.0, 2.5);
    let mut dot = |node: u32, part: f64, side: f64, paint: Paint| {
        if let Some(row) = scene.row_of(node) {
            let (y, half) = band(grid, row / grid.per_row);
            let x = x0 + (x1 - x0 - size) * part;
            // So small a disc is a square.
            sheet.sign(Shape::Dot, (x + size / 2.0, y + side * half), size / 2.0, paint);
        }
    };
    // Outward first, then back: the same pen for all of one kind.
    for message in scene.now.messages.iter().filter(|message| message.from == hub) {
        let paint = if message.kind == MessageKind::Request { Paint::Task } else { Paint::Ink3 };
        dot(message.to, progress(message, scene.now.vtime_ms), -1.0, paint);
    }
    for message in scene.now.messages.iter().filter(|message| message.to == hub) {
        let paint = match message.kind {
            MessageKind::Error | MessageKind::Refusal => Paint::Failed,
            MessageKind::Answer => Paint::InTime,
            MessageKind::Request | MessageKind::Cancel => Paint::Ink3,
        };
        dot(message.from, 1.0 - progress(message, scene.now.vtime_ms), 1.0, paint);
    }
}

/// The name of every fourth row's first worker, and of the chosen one.
fn names(sheet: &mut Sheet, scene: &Scene, layout: &Layout, grid: &Grid) {
    if layout.phone {
        return;
    }
    let x = grid.right() + 6.0;
    let of = |worker: usize, row: usize| {
        let y = grid.origin.1 + (row as f64 + 0.5) * grid.cell.1;
        let name = scene.rows[worker].node.name.as_str();
        Text::new(name, x, y).font(Font::Mono).paint(Paint::Ink2)
    };
    let focus = scene.hovered.or(scene.selected);
    let chosen = focus.map(|worker| of(worker, worker / grid.per_row).weight(500).paint(Paint::Ink));
    let every = (32.0 / grid.cell.1).ceil().max(1.0) as usize;
    for row in (0..grid.rows).step_by(every) {
        let words = of(row * grid.per_row, row);
        let free = chosen.as_ref().is_none_or(|chosen| !chosen.bounds().overlaps(&words.bounds()));
        if free {
            sheet.text(words);
        }
    }
    if let Some(words) = chosen {
        sheet.text(words);
    }
}

fn captions(sheet: &mut Sheet, layout: &Layout, grid: &Grid, view: &View) {
    let mut caption = |(x0, x1): (f64, f64), words: &[&str]| {
        for words in words {
            let words = Text::new(*words, x0, layout.bottom + 10.0).paint(Paint::Ink3);
            if words.bounds().right() <= x1 {
                sheet.text(words);
                return;
            }
        }
    };
    let per_row = format!("{} each", grid.per_row);
    if let Some((x0, x1)) = grid.bundles {
        let long = format!("flow, {} workers each", grid.per_row);
        let words = if view.flow { "too fast for dots" } else { long.as_str() };
        caption((x0, x1 + 4.0), &[words, &per_row]);
    }
    let x = grid.origin.0;
    caption(
        (x, grid.right() + if layout.phone { 4.0 } else { 56.0 }),
        &["one mark per worker", "one per worker"],
    );
}

/// A frame around a cell; a paler one under the pointer.
fn chosen(sheet: &mut Sheet, cell: Rect, alpha: f32) {
    let rect = Rect::new(cell.x - 1.5, cell.y - 1.5, cell.w + 3.0, cell.h + 3.0);
    sheet.area(rect, 2.0, Fill::Outline, Paint::Ink.alpha(alpha));
}

/// "Too fast for single messages", under the tracks of fewer workers.
pub(super) fn too_fast(sheet: &mut Sheet, layout: &Layout) {
    let (x0, x1) = layout.rails();
    let y = layout.bottom + 10.0;
    for words in ["too fast for single messages", "too fast for dots"] {
        let words = Text::new(words, ((x0 + x1) / 2.0).round(), y).align(Align::Center).paint(Paint::Ink3);
        let bounds = words.bounds();
        if bounds.x >= layout.gate.x && bounds.right() <= layout.label_x + 40.0 {
            sheet.text(words);
            return;
        }
    }
    sheet.glyph(Shape::Beyond, x0, y, 3.5);
    sheet.glyph(Shape::Beyond, x0 + 6.0, y, 3.5);
}
