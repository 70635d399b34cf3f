//! A system's face: everything on the page that differs from system to system.

use super::canvas::{Picture, Strips, View};
use super::caption::Caption;
use super::outcomes::Figure;
use super::plot::Charts;
use super::sentence::Part;
use super::snapshot::{NodeView, Snapshot};
use crate::lab::Run;

/// A system's face.
pub struct Face {
    /// The node that is selected when the page opens: one click breaks it.
    pub selected: &'static str,
    /// Whether its nodes can lie, and the truth be hidden.
    pub has_liars: bool,
    /// The sentence over the board.
    pub sentence: &'static [Part],
    /// The outcomes beside it; always as many.
    pub outcomes: fn(&Snapshot) -> Vec<Figure>,
    /// The table's columns of figures.
    pub columns: &'static [&'static str],
    /// A row's figures, one for each column; the number is the row's.
    pub cells: fn(&Snapshot, &NodeView, usize) -> Vec<String>,
    /// The caption of a moment.
    pub caption: fn(&Snapshot) -> Caption,
    /// The board of a moment.
    pub picture: fn(&Snapshot, &View) -> Picture,
    /// The height that the board needs at least.
    pub natural_height: fn(&Snapshot, Strips) -> f64,
    /// Puts what only this system has into a snapshot: its nodes, and its own view.
    pub observe: fn(&Run, &mut Snapshot),
    /// New charts, which have seen nothing yet.
    pub charts: fn() -> Box<dyn Charts>,
}
