//! The race board: a snapshot as marks. One row per worker reads from left to right: messages on its track, when it
//! answered against the timeout, what it said against the truth.
//!
//! In reading order: `scene` (what a snapshot says), then one module per part of the picture.

mod broker;
mod flow;
mod headings;
mod histogram;
mod legend;
mod scene;
mod system;
mod tracks;
mod what;
mod when;

#[cfg(test)]
mod tests;

use crate::app::canvas::{Board, Layout, Picture, Sheet, Size, View};
use crate::app::oracle::Now;
use crate::app::oracle::view::COORDINATOR;
use crate::app::snapshot::Role;
use scene::Scene;

/// The race board of a snapshot.
pub fn race(now: Now, view: &View) -> Picture {
    let mut board = draw(now, view);
    let broker = now.view.broker.as_ref().map(|broker| broker.node);
    let of = |role| now.snapshot.nodes.iter().find(|node| node.role == role).map(|node| node.id);
    let boxes = [
        board.layout.client.zip(of(Role::CLIENT)),
        Some(board.layout.gate).zip(of(COORDINATOR)),
        board.layout.relay.zip(broker),
    ];
    Picture {
        places: boxes.into_iter().flatten().collect(),
        marks: std::mem::take(&mut board.marks),
        width: board.layout.width,
        height: board.layout.height,
        rows: Some(board),
    }
}

/// Draws a snapshot.
fn draw(now: Now, view: &View) -> Board {
    let scene = Scene::new(now, view);
    let layout =
        Layout::new(view, scene.rows.len(), scene.broker.is_some(), scene.hovered.or(scene.selected));
    let mut sheet = Sheet::default();
    headings::draw(&mut sheet, &scene, &layout, view);
    system::draw(&mut sheet, &scene, &layout, view);
    if let Some(rect) = layout.relay {
        broker::draw(&mut sheet, &scene, &layout, rect, view);
    }
    match layout.size {
        Size::Rows | Size::Lanes => tracks::draw(&mut sheet, &scene, &layout, view),
        Size::Bundles => flow::draw(&mut sheet, &scene, &layout, view),
    }
    when::draw(&mut sheet, &scene, &layout);
    what::draw(&mut sheet, &scene, &layout);
    legend::draw(&mut sheet, &scene, &layout);
    Board { marks: sheet.legible(layout.width, layout.height), layout }
}
