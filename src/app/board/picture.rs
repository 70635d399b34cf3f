//! The picture of whichever system a snapshot is of: what the painter paints, and the pointer asks.

use super::{Board, Mark, Strips, View, draw, layout};
use crate::app::snapshot::Snapshot;
use crate::lab::SystemKind;

/// A picture: marks in painting order, and where the nodes that have a row are.
#[derive(Debug)]
pub struct Picture {
    /// What to paint, in this order.
    pub marks: Vec<Mark>,
    /// In CSS pixels.
    pub width: f64,
    /// In CSS pixels.
    pub height: f64,
    hits: Hits,
}

/// How a place is found.
#[derive(Debug)]
enum Hits {
    /// The race board knows its rows.
    Race(Board),
}

/// Draws a snapshot.
pub fn picture(snapshot: &Snapshot, view: &View) -> Picture {
    match snapshot.system {
        SystemKind::OracleHttp => {
            let mut board = draw(snapshot, view);
            Picture {
                marks: std::mem::take(&mut board.marks),
                width: board.layout.width,
                height: board.layout.height,
                hits: Hits::Race(board),
            }
        }
    }
}

/// The height that a picture of a snapshot needs at least.
pub fn natural_height(snapshot: &Snapshot, strips: Strips) -> f64 {
    match snapshot.system {
        SystemKind::OracleHttp => layout::natural_height(snapshot.rows().len(), strips),
    }
}

impl Picture {
    /// The name of the node at a place; `snapshot` is the one that was drawn.
    pub fn node_at<'a>(&self, snapshot: &'a Snapshot, x: f64, y: f64) -> Option<&'a str> {
        let row = match &self.hits {
            Hits::Race(board) => board.row_at(x, y)?,
        };
        snapshot.rows().get(row).map(|node| node.name.as_str())
    }
}
