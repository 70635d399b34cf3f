//! The vocabulary of the small charts under the board: pictures as plain data, on the transport's time axis. No system is
//! named here.
//!
//! A system's [`Charts`] follow its run and make some [`Chart`]s of it, each a handful of shapes; [`Chart::svg`] writes one
//! as markup. `geometry` has scales, ticks and numbers, `levels` a level over time, `time`
//! the axis and the faults, `pen` what draws. `chips` finds room for the names of faults over the transport's line.

pub mod chips;
pub mod geometry;
pub mod levels;
pub mod pen;
mod time;

pub use pen::{HEIGHT, Pen};
pub use time::{Band, Time, axis_ms};

use crate::app::snapshot::Show;
use crate::lab::Run;
use geometry::write_px;

/// A system's charts: they follow a run, and cost what is new, not what there is.
pub trait Charts {
    /// Takes in what happened since they last looked.
    fn update(&mut self, run: &Run);

    /// What the chart that matters most draws, by seconds: for a future that was left, to stand beside this one.
    fn course(&self) -> Vec<(f64, f64)> {
        Vec::new()
    }

    /// The course of a future that was left, which that chart draws in grey; empty for none.
    fn lay_beside(&mut self, _: Vec<(f64, f64)>) {}

    /// The charts, left to right, each `width` pixels wide; always as many. Their figures are of the unit of work that is
    /// told; without the truth they show what the system itself can know.
    fn draw(&self, width: f64, show: Show) -> Vec<Chart>;
}

/// A small chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Its name in test ids, such as `answer-time`.
    pub key: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// The figure that counts now.
    pub value_label: String,
    /// The figures in words.
    pub description: String,
    /// In pixels.
    pub width: f64,
    /// In pixels.
    pub height: f64,
    /// What it shows, from back to front.
    pub items: Vec<Item>,
}

/// A shape or a text. Its class says how it looks; the style sheet has the colours.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// An SVG path, which may be many rectangles, dots or steps.
    Path {
        /// How it looks.
        class: &'static str,
        /// Its data.
        d: String,
    },
    /// A line of text.
    Text {
        /// How it looks.
        class: &'static str,
        /// The anchor's place.
        x: f64,
        /// The baseline.
        y: f64,
        /// Which part of the text is at `x`.
        anchor: Anchor,
        /// The text: numbers and words of this program, nothing that needs escaping.
        text: String,
    },
}

/// Which part of a text is at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

impl Chart {
    /// The plot without what stands around it, as an SVG view box.
    pub fn inside(&self) -> String {
        pen::inside(self.width)
    }

    /// What goes inside the `<svg>` element.
    pub fn svg(&self) -> String {
        let mut out = String::new();
        for item in &self.items {
            match item {
                Item::Path { class, d } => {
                    for part in ["<path class=\"", class, "\" d=\"", d, "\"/>"] {
                        out.push_str(part);
                    }
                }
                Item::Text { class, x, y, anchor, text } => {
                    for part in ["<text class=\"", class, "\" text-anchor=\"", anchor.name(), "\" x=\""] {
                        out.push_str(part);
                    }
                    write_px(&mut out, *x);
                    out.push_str("\" y=\"");
                    write_px(&mut out, *y);
                    for part in ["\">", text, "</text>"] {
                        out.push_str(part);
                    }
                }
            }
        }
        out
    }
}

impl Anchor {
    const fn name(self) -> &'static str {
        match self {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        }
    }
}
