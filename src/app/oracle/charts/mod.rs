//! The oracle's charts: what they show, gathered from the run as it goes, and their pictures.
//!
//! [`History`] follows a run and costs what is new, not what there is. `draw` makes five pictures of it. Every figure is
//! the run's.

mod draw;
mod history;

pub use draw::charts;
pub use history::History;

use crate::app::plot::{Chart, Charts};
use crate::app::snapshot::Show;
use crate::lab::Run;

impl Charts for History {
    fn update(&mut self, run: &Run) {
        History::update(self, run);
    }

    fn course(&self) -> Vec<(f64, f64)> {
        draw::errors(self)
    }

    fn lay_beside(&mut self, left: Vec<(f64, f64)>) {
        self.left = left;
    }

    fn draw(&self, width: f64, show: Show) -> Vec<Chart> {
        match show.truth {
            true => charts(self, width, show.result).into(),
            false => draw::without_truth(self, width, show.result).into(),
        }
    }
}

#[cfg(test)]
mod tests;
