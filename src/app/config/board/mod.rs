//! The configuration system's board: one line per agent and, under it, one per worker that reads it. Each reads from
//! left to right: messages on its track, which version it ran when, how stale that is now.
//!
//! In reading order: `scene` (what a snapshot says, and where it stands), then one module per part of the picture.

mod legend;
mod scene;
mod tracks;
mod versions;
mod what;

#[cfg(test)]
mod tests;

use crate::app::canvas::{self, Board, Paint, Picture, Rect, Sheet, Strips, View, headline};
use crate::app::snapshot::Snapshot;
use scene::Scene;

/// The least height at which the board is legible.
pub fn natural_height(snapshot: &Snapshot, strips: Strips) -> f64 {
    canvas::natural_height(snapshot.rows().len(), strips)
}

/// The board of a snapshot; without anything on it for a snapshot of another system.
pub fn picture(snapshot: &Snapshot, view: &View) -> Picture {
    let mut sheet = Sheet::default();
    let mut picture =
        Picture { marks: Vec::new(), width: view.width, height: view.height, rows: None, places: Vec::new() };
    if let Some(scene) = Scene::new(snapshot, view) {
        grounds(&mut sheet, &scene);
        headings(&mut sheet, &scene, view);
        tracks::draw(&mut sheet, &scene, view);
        versions::draw(&mut sheet, &scene);
        what::draw(&mut sheet, &scene);
        legend::draw(&mut sheet, &scene);
        picture.places = scene.boxes().map(|(rect, node)| (rect, node.id)).collect();
        picture.rows = Some(Board { marks: Vec::new(), layout: scene.layout });
    }
    picture.marks = sheet.marks;
    picture
}

/// The grounds of the strips, and of the selected row.
fn grounds(sheet: &mut Sheet, scene: &Scene) {
    let layout = &scene.layout;
    for (x0, x1) in layout.when.into_iter().chain(layout.what) {
        let margin = if layout.phone { 4.0 } else { 6.0 };
        let high = layout.bottom - layout.top;
        sheet.solid(Rect::new(x0 - margin, layout.top, x1 - x0 + 2.0 * margin, high), Paint::Strip);
    }
    let mut ground = |row: usize, alpha: f32| {
        let x = layout.coordinator.right() + 5.0;
        let margin = if layout.phone { 4.0 } else { 10.0 };
        let (y, h) = (layout.rows.start(row), layout.rows.height(row));
        let (y, h) = if h > 12.0 { (y.round() + 1.0, h.round() - 2.0) } else { (y, h) };
        sheet.solid(Rect::new(x, y, layout.width - margin - x, h), Paint::Sel.alpha(alpha));
    };
    if let Some(row) = scene.hovered.filter(|row| scene.selected != Some(*row)) {
        ground(row, 0.55);
    }
    if let Some(row) = scene.selected {
        ground(row, 1.0);
    }
}

fn headings(sheet: &mut Sheet, scene: &Scene, view: &View) {
    let layout = &scene.layout;
    let newest = format!("the newest is v{}", scene.config.newest);
    if view.strips == Strips::Three {
        headline(sheet, (18.0, layout.coordinator.right() - 6.0), 17.0, "Cluster now", &[]);
        if let Some((x0, x1)) = layout.when {
            let tails = ["which each ran, and how agents polled", "and polls"];
            headline(sheet, (x0, x1 + 6.0), 17.0, "Versions", &tails);
        }
        if let Some((x0, x1)) = layout.what {
            headline(sheet, (x0, x1 + 6.0), 17.0, "Staleness", &["how long behind the newest", &newest]);
        }
        return;
    }
    let (left, y) = if layout.phone { (8.0, 22.0) } else { (12.0, 17.0) };
    headline(sheet, (left, layout.label_x), y, "Cluster", &[]);
}
