//! What the page shows of a system, whichever it is: everything on it that differs from system to system, in one place.
//!
//! A new system gets a file beside `page/oracle.rs` with a [`Page`] of its own, and a line in [`page`].

#[cfg(feature = "all-systems")]
mod config;
mod oracle;
#[cfg(feature = "all-systems")]
mod wizard;

use super::board::{Picture, Strips, View};
use super::caption::Caption;
use super::charts::Charts;
use super::outcomes::Figure;
use super::sentence::Part;
use super::snapshot::{NodeView, Snapshot};
#[cfg(feature = "all-systems")]
use crate::lab;
use crate::lab::{Run, SystemKind};

/// A system's page.
pub struct Page {
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

/// The page of a system.
pub fn page(system: SystemKind) -> &'static Page {
    #[cfg(feature = "all-systems")]
    for (kind, page) in [
        (lab::oracle::NATS, &oracle::NATS),
        (lab::wizard::KIND, &wizard::PAGE),
        (lab::config::KIND, &config::CONFIG),
    ] {
        if kind == system {
            return page;
        }
    }
    // A program that lacks the others cannot construct them either.
    let _ = system;
    &oracle::HTTP
}
