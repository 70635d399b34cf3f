//! The picture of whichever system a snapshot is of: what the painter paints, and the pointer asks.

use super::{Board, Font, Mark, Rect, Text, View};
use crate::app::snapshot::Snapshot;

/// A picture: marks in painting order, and where the nodes are that can be broken.
#[derive(Debug)]
pub struct Picture {
    /// What to paint, in this order.
    pub marks: Vec<Mark>,
    /// In CSS pixels.
    pub width: f64,
    /// In CSS pixels.
    pub height: f64,
    /// The rows, as the board knows them.
    pub rows: Option<Board>,
    /// Other places, each with the number of its node.
    pub places: Vec<(Rect, u32)>,
}

/// Something that nothing may lie over.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Its words; `|` for a line that decides something.
    pub name: String,
    /// What it covers, in CSS pixels.
    pub rect: Rect,
    /// The face, size and weight of its words.
    pub font: (Font, f64, u16),
}

impl Picture {
    /// A picture with nothing on it.
    pub fn blank(view: &View) -> Self {
        Picture { marks: Vec::new(), width: view.width, height: view.height, rows: None, places: Vec::new() }
    }

    /// The labels, and the upright lines in full ink: gates, answers, now.
    pub fn labels(&self) -> impl Iterator<Item = Label> {
        let line = |rect| Label { name: "|".to_owned(), rect, font: (Font::Sans, 0.0, 400) };
        self.marks.iter().filter_map(move |mark| match mark {
            Mark::Text(text) => Some(Label::of(text)),
            mark => mark.decides().map(line),
        })
    }

    /// The name of the node at a place; `snapshot` is the one that was drawn.
    pub fn node_at<'a>(&self, snapshot: &'a Snapshot, x: f64, y: f64) -> Option<&'a str> {
        let inside =
            |rect: &Rect| (rect.x..=rect.right()).contains(&x) && (rect.y..=rect.bottom()).contains(&y);
        // Targets for a pointer are larger than what is drawn, and may overlap: the nearest counts.
        let off = |rect: &Rect| {
            let (cx, cy) = rect.center();
            (cx - x).abs().max((cy - y).abs())
        };
        let hit = self.places.iter().filter(|(rect, _)| inside(rect));
        let place = hit.min_by(|(one, _), (other, _)| off(one).total_cmp(&off(other)));
        let node = match place {
            Some((_, id)) => snapshot.nodes.iter().find(|node| node.id == *id)?,
            None => snapshot.rows().get(self.rows.as_ref()?.row_at(x, y)?)?,
        };
        Some(&node.name)
    }
}

impl Label {
    fn of(text: &Text) -> Self {
        Label { name: text.text.clone(), rect: text.bounds(), font: (text.font, text.px, text.weight) }
    }
}
