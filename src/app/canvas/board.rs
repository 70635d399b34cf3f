//! A board of rows or of a grid, which knows which of its nodes is at a place.

use super::{Layout, Mark, lamp_step};

/// A board: marks in painting order, and where its nodes are.
#[derive(Debug)]
pub struct Board {
    /// What to paint, in this order.
    pub marks: Vec<Mark>,
    /// Where things stand.
    pub layout: Layout,
}

impl Board {
    /// The row at a place, counted from 0: in rows and lanes the whole row from where tracks begin, in the grid
    /// the nearest cell. Places a little outside count for the nearest row.
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

    /// The middle of a row's lamp.
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
