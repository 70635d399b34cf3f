//! The drawing vocabulary of all boards: what a picture consists of, and the pieces that most are made of. No system is
//! named here.
//!
//! In reading order: `mark` and `paint` (what a picture consists of), `scale` (values and figures), `rows` and `layout`
//! (where things stand), `board` and `picture` (what the pointer asks), then pieces: `grounds`,
//! `heading`, `flight`, `lamps`; `pace` says whether messages are too fast to be seen; `wire` is how a painter in another
//! thread gets them. `simple` is a whole board for any system.

mod board;
mod flight;
mod grounds;
mod heading;
mod lamps;
mod layout;
mod mark;
mod pace;
mod paint;
mod picture;
mod rows;
pub mod scale;
pub mod simple;
pub mod wire;

pub use board::Board;
pub use flight::{message_shape, node_box, progress};
pub use grounds::{ground_of, row_grounds, strip_grounds};
pub use heading::{headline, notice};
pub use lamps::{lamp_shape, lamp_step};
pub use layout::{Layout, figures_y, strip_left};
pub use mark::{Align, Dash, Fill, Font, Mark, Rect, Shape, Sheet, Signs, Text};
pub use pace::Pace;
pub use paint::{Paint, Tint};
pub use picture::{Label, Picture};
pub use rows::{Grid, Rows, Size};

/// One of the two strips beside the tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strip {
    /// What each did when.
    When,
    /// What came of it.
    What,
}

/// Which strips there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strips {
    /// Tracks, *when* and *what*: pages from 1200 px on, and from 700 px on where nothing else is on them.
    Three,
    /// Tracks and one of the two: from 700 px on.
    Two(Strip),
    /// The same on a phone.
    Phone(Strip),
}

impl Strips {
    /// What a page of that width has room for; a page within another one is not much more than its board.
    pub fn of(page_width: f64, is_embed: bool, strip: Strip) -> Self {
        if page_width >= if is_embed { 700.0 } else { 1200.0 } {
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
    /// The name of the selected node; empty for none.
    pub selected: &'a str,
    /// The node under the pointer.
    pub hovered: Option<&'a str>,
    /// Messages are too fast to be seen one by one, see [`Pace`].
    pub flow: bool,
    /// No travelling dots.
    pub reduced_motion: bool,
}
