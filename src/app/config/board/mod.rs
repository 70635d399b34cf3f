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

use crate::app::canvas::{Board, Picture, Sheet, Strips, View, headline, row_grounds, strip_grounds};
use crate::app::config::Now;
use scene::Scene;

/// The board of a moment; without anything on it for one without a controller.
pub(super) fn picture(now: Now, view: &View) -> Picture {
    let mut sheet = Sheet::default();
    let mut picture = Picture::blank(view);
    if let Some(scene) = Scene::new(now, view) {
        strip_grounds(&mut sheet, &scene.layout);
        row_grounds(&mut sheet, &scene.layout, scene.selected, scene.hovered);
        headings(&mut sheet, &scene, view);
        tracks::draw(&mut sheet, &scene, view);
        versions::draw(&mut sheet, &scene);
        what::draw(&mut sheet, &scene);
        legend::draw(&mut sheet, &scene);
        picture.places = scene.boxes().map(|(rect, node)| (rect, node.id)).collect();
        picture.rows = Some(Board { marks: Vec::new(), layout: scene.layout });
    }
    picture.marks = sheet.legible(view.width, view.height);
    picture
}

fn headings(sheet: &mut Sheet, scene: &Scene, view: &View) {
    let layout = &scene.layout;
    let newest = format!("the newest is v{}", scene.config.newest);
    if view.strips == Strips::Three {
        headline(sheet, (18.0, layout.gate.right() - 6.0), 17.0, "Cluster now", &[]);
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
    if !layout.is_titled() {
        return;
    }
    headline(sheet, (left, layout.label_x), y, "Cluster", &[]);
}
