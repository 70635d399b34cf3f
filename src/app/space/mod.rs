//! Space–time: who told whom what, and when. Time goes rightward, rows are the board's, and lines are messages from their
//! sending to their arrival. It is made of the trace's ring, and names no system.
//!
//! In reading order: `activity` (when something happened at all), `axis` (time in pixels, with quiet times folded), `story`
//! (messages and work of a stretch of time), `chain` (what led to a record, and what came of it), `draw` (all of it as marks).
//!
//! While the truth is hidden only records that the system itself can know of are there ([`AnyFace::knows`]). When a message
//! arrives elsewhere is not among that: its line stands upright, at the instant that is known.
//!
//! [`AnyFace::knows`]: crate::app::face::AnyFace::knows

mod activity;
mod axis;
mod chain;
mod draw;
mod story;

pub use activity::Activity;
pub use axis::Axis;
pub use chain::{chain, chain_of_unit};
pub use draw::{Asked, NAMES, Scene, draw};
pub use story::{Message, Story, Way, is_message, next_message, words};

#[cfg(test)]
mod tests;
