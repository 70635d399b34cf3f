//! What stands between a run and the page: the player, which decides how much virtual time passes per frame, and the
//! snapshot, which is what the page may see. Plain Rust, tested natively: no DOM, no wall clock of its own.

pub mod board;
pub mod caption;
pub mod charts;
pub mod outcomes;
pub mod page;
mod player;
pub mod sentence;
pub mod snapshot;
pub mod table;

pub use player::{Player, PlayerState};
pub use snapshot::Snapshot;
