//! The race board: a snapshot as marks. One row per worker reads from left to right: messages on its track, when it
//! answered against the timeout, what it said against the truth.
//!
//! [`draw`] is a plain function; the page's painter paints its marks as they come, and the pointer asks the same
//! [`Board`] which worker it is at. In reading order: `mark` (what a board consists of), `scale`, `layout` (where
//! things stand), `scene` (what a snapshot says), then one module per part of the picture.

mod broker;
#[cfg(feature = "all-systems")]
mod config;
mod flow;
mod headings;
mod histogram;
mod layout;
mod legend;
mod mark;
mod pace;
mod paint;
mod picture;
mod scale;
mod scene;
mod system;
mod tracks;
mod what;
mod when;
#[cfg(feature = "all-systems")]
pub mod wizard;

#[cfg(test)]
mod tests;

#[cfg(feature = "all-systems")]
pub use config::{natural_height as config_height, picture as config};
pub use layout::{Layout, Size, natural_height as race_height, strip_left};
pub use mark::{Align, Dash, Fill, Font, Mark, Rect, Shape, Text};
pub use pace::Pace;
pub use paint::{Paint, Tint};
pub use picture::{Picture, race};

use super::snapshot::Snapshot;
use mark::Sheet;
use scene::Scene;

/// One of the two strips beside the tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strip {
    /// When each worker answered.
    When,
    /// What they said.
    What,
}

/// Which strips there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strips {
    /// Tracks, *when* and *what*: pages from 1200 px on.
    Three,
    /// Tracks and one of the two: from 700 px on.
    Two(Strip),
    /// The same on a phone.
    Phone(Strip),
}

impl Strips {
    /// What a page of that width has room for.
    pub fn of(page_width: f64, strip: Strip) -> Self {
        if page_width >= 1200.0 {
            Strips::Three
        } else if page_width >= 700.0 {
            Strips::Two(strip)
        } else {
            Strips::Phone(strip)
        }
    }
}

/// How a board is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View<'a> {
    /// The canvas, in CSS pixels.
    pub width: f64,
    /// The canvas, in CSS pixels.
    pub height: f64,
    /// Which strips are shown.
    pub strips: Strips,
    /// The selected worker; empty for none.
    pub selected: &'a str,
    /// The worker under the pointer.
    pub hovered: Option<&'a str>,
    /// False shows only what the coordinator sees.
    pub show_truth: bool,
    /// Messages are too fast to be seen one by one, see [`Pace`].
    pub flow: bool,
    /// No travelling dots.
    pub reduced_motion: bool,
}

/// A board: marks in painting order, and where its workers are.
#[derive(Debug)]
pub struct Board {
    /// What to paint, in this order.
    pub marks: Vec<Mark>,
    /// Where things stand.
    pub layout: Layout,
}

/// Draws a snapshot.
pub fn draw(snapshot: &Snapshot, view: &View) -> Board {
    let scene = Scene::new(snapshot, view);
    let layout =
        Layout::new(view, scene.rows.len(), scene.broker.is_some(), scene.hovered.or(scene.selected));
    let mut sheet = Sheet::default();
    headings::draw(&mut sheet, &scene, &layout, view);
    system::draw(&mut sheet, &scene, &layout, view);
    if let Some(rect) = layout.broker {
        broker::draw(&mut sheet, &scene, &layout, rect, view);
    }
    match layout.size {
        Size::Rows | Size::Lanes => tracks::draw(&mut sheet, &scene, &layout, view),
        Size::Bundles => flow::draw(&mut sheet, &scene, &layout, view),
    }
    when::draw(&mut sheet, &scene, &layout);
    what::draw(&mut sheet, &scene, &layout);
    legend::draw(&mut sheet, &scene, &layout);
    Board { marks: sheet.marks, layout }
}

impl Board {
    /// The worker at a place, counted from 0: in rows and lanes the whole row from the coordinator on, in the grid
    /// the nearest cell. Places a little outside count for the nearest worker.
    pub fn row_at(&self, x: f64, y: f64) -> Option<usize> {
        /// Half the size of the least target for a pointer.
        const TOLERANCE: f64 = 12.0;
        let layout = &self.layout;
        if let Some(grid) = &layout.grid {
            let ((left, top), (w, h)) = (grid.origin, grid.cell);
            let (across, down) = (w * grid.per_row as f64, h * grid.rows as f64);
            let outside = |at: f64, extent: f64| at < -TOLERANCE || at > extent + TOLERANCE;
            if outside(x - left, across) || outside(y - top, down) {
                return None;
            }
            let column = (((x - left) / w).max(0.0) as usize).min(grid.per_row - 1);
            let row = (((y - top) / h).max(0.0) as usize).min(grid.rows - 1);
            return Some((row * grid.per_row + column).min(grid.count - 1));
        }
        let in_height = y >= layout.top - TOLERANCE && y <= layout.bottom + TOLERANCE;
        let in_width = x >= layout.hub().right() && x <= layout.width;
        if in_height && in_width { layout.rows.at(y) } else { None }
    }

    /// The middle of a worker's lamp.
    pub fn lamp_of(&self, row: usize) -> (f64, f64) {
        match &self.layout.grid {
            Some(grid) => grid.cell_of(row).center(),
            None => {
                let layout = &self.layout;
                (layout.lamp_x - lamp_step(layout, row), layout.rows.center(row))
            }
        }
    }
}

/// How far a lamp stands aside.
fn lamp_step(layout: &Layout, row: usize) -> f64 {
    if layout.rows.is_roomy(row) { 0.0 } else { layout.lamp_column(row) }
}
